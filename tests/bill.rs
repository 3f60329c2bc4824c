//! I5 where use has a price, and the worked examples of price lists.

use plimsoll::billing::{Charge, Item, UseTariff};
use plimsoll::catalog::Billing;
use plimsoll::engine::RunRecord;
use plimsoll::units::{Bytes, Millicores, SimDuration, UnitPrice, Usd, UsdPerHour};
use rstest::rstest;
use serde_json::Value;

use crate::findings::trial::Trial;
use crate::findings::world::{read, record};

/// Three requests a second of 150 ms each, for 10 minutes.
fn scenario(price: &str) -> String {
    format!(
        "name: s\nduration: 10m\nworkload: {{ constant: {{ rate: 3/s, for: 9m }} }}\nservice:\n  replicas: 4\n  concurrency: 1\n  \
         service-time: 150ms\n  resources: {{ requests: {{ cpu: 500m, memory: 512Mi }} }}\n  price: {price}\npolicies: {{ s: {{ static: {{ replicas: 4 }} }} }}\n"
    )
}

/// I5, and the timeline: the bill is the sum of its lines, and what accrues in the intervals adds up to the part for use.
fn check_sums(run: &RunRecord) {
    let leases: Usd = run.leases.iter().map(|lease| lease.cost).sum();
    let used: Usd = run.usage.iter().map(|record| record.line.cost).sum();
    assert_eq!(run.cost, Some(leases + used), "I5");
    let accrued: Usd = run.services[0].timeline.iter().filter_map(|row| row.cost).sum();
    let slack = accrued.as_nanos() - run.cost.unwrap_or_default().as_nanos();
    assert!(slack.abs() <= run.services[0].timeline.len() as i128, "{accrued} {:?}", run.cost);
}

fn lines(run: &RunRecord) -> Vec<(Item, u128, String, i128)> {
    let line = |record: &plimsoll::engine::UsageRecord| {
        let line = record.line;
        (line.item, line.quantity, line.price.to_string(), line.cost.as_nanos())
    };
    run.usage.iter().map(line).collect()
}

#[test]
fn requests_and_their_time_are_charged_for() {
    let run = record(&scenario("{ per-request: $0.20/1M, per-gib-second: $0.0000166667, per-vcpu-hour: $0.036 }"));
    let requests = run.services[0].timeline.iter().map(|row| row.completed).sum::<u64>();
    assert!((1619..=1621).contains(&requests), "{requests}");
    let n = u128::from(requests);
    let nanos = n * 150_000_000;
    let expected = [
        // 0.2 millionths of a dollar are 200 nano-dollars.
        (Item::Requests, n, "$0.2/1M".to_string(), 200 * n as i128),
        // 0.15 s x 0.5 GiB x 16,666.7 nano-dollars = 1,250.0025.
        (Item::GibSeconds, nanos * (512 << 20), "$0.0000166667".into(), (n as f64 * 1250.0025).round() as i128),
        // 0.15 s x 0.5 vCPU x 10,000 nano-dollars a second = 750.
        (Item::VcpuHours, nanos * 500, "$0.036".into(), 750 * n as i128),
    ];
    assert_eq!(lines(&run), expected);
    assert!(run.leases.is_empty());
    check_sums(&run);
}

#[rstest]
#[case("granularity: 100ms", 200_000_000)]
#[case("granularity: 1ms", 150_000_000)]
#[case("minimum: 1s, granularity: 100ms", 1_000_000_000)]
#[case("minimum: 120ms", 150_000_000)]
fn each_request_is_rounded_before_the_sum(#[case] rounding: &str, #[case] each: u128) {
    let run = record(&scenario(&format!("{{ per-gib-second: $0.00002, {rounding} }}")));
    let requests: u64 = run.services[0].timeline.iter().map(|row| row.completed).sum();
    assert_eq!(run.usage[0].line.quantity, u128::from(requests) * each * (512 << 20));
    check_sums(&run);
}

/// 10 minutes are 1/4380 of a month: 100 of 438,000 requests are free, and the first tier ends after 10.
#[test]
fn a_run_has_its_part_of_the_month() {
    let price = "{ per-request: [ { price: $2, up-to: 43800 }, { price: $1 } ], free: { requests: 438000 } }";
    let run = record(&scenario(price));
    let requests: u128 = run.services[0].timeline.iter().map(|row| u128::from(row.completed)).sum();
    let dollar = 1_000_000_000;
    let rest = requests - 110;
    let expected = [
        (Item::Requests, 100, "$0".to_string(), 0),
        (Item::Requests, 10, "$2".into(), 20 * dollar),
        (Item::Requests, rest, "$1".into(), rest as i128 * dollar),
    ];
    assert_eq!(lines(&run), expected);
    check_sums(&run);
}

#[test]
fn use_and_time_stand_side_by_side() {
    let run = record(&scenario("{ per-replica: $0.05/h, per-request: $0.40/1M }"));
    assert_eq!(run.leases.len(), 4);
    assert_eq!(run.usage.len(), 1);
    check_sums(&run);
}

/// What a client no longer waits for is charged for as far as it was served; what was rejected is not.
#[test]
fn work_that_is_cut_short_is_charged_for() {
    let text = scenario("{ per-request: $1, per-gib-second: $1 }");
    let cut = text.replace("  replicas: 4\n", "  replicas: 4\n  timeout: { after: 100ms, work: cancel }\n");
    let run = record(&cut);
    let timed_out = run.services[0].counts[plimsoll::engine::Fate::TimedOut];
    assert!(timed_out >= 1619, "{timed_out}");
    assert_eq!(run.usage[0].line.quantity, u128::from(timed_out));
    assert_eq!(run.usage[1].line.quantity, u128::from(timed_out) * 100_000_000 * (512 << 20));
    let full =
        text.replace("replicas: 4", "replicas: 1").replace("  concurrency: 1", "  queue-limit: 0\n  concurrency: 1");
    let run = record(&full.replace("service-time: 150ms", "service-time: 500ms"));
    let counts = &run.services[0].counts;
    assert!(counts[plimsoll::engine::Fate::Rejected] > 100, "{counts:?}");
    assert_eq!(run.usage[0].line.quantity, u128::from(counts[plimsoll::engine::Fate::Completed]));
}

/// Also work that ends because a called service fails, or because the machine is lost, which nobody notices at first.
#[test]
fn work_that_others_cut_short_is_charged_for() {
    let price = "resources: { requests: { cpu: 500m, memory: 512Mi } }, price: { per-request: $1, per-gib-second: $1 }";
    let used = |text: &str| {
        let run = record(text);
        [0, 1].map(|line| run.usage[line].line.quantity)
    };
    let calling = format!(
        "name: s\nduration: 100s\nservices:\n  - {{ name: web, workload: {{ constant: {{ rate: 1/s }} }}, concurrency: 1, service-time: 10ms, \
         {price}, calls: [{{ to: db, count: 2, network: 20ms }}] }}\n  - {{ name: db, concurrency: 1, queue-limit: 0, service-time: 30ms }}\n\
         policies: {{ s: {{ static: {{ replicas: 1 }} }} }}\n"
    );
    // 10 ms of its own, 20 ms each way, and 30 ms until the call that is served is answered too.
    assert_eq!(used(&calling), [100, 100 * 80_000_000 * (512 << 20)]);
    let lost = format!(
        "name: s\nduration: 100s\nzones: [a]\nfaults: [{{ zone-outage: {{ zone: a, at: 10s, for: 60s }} }}]\n\
         service: {{ name: web, workload: {{ constant: {{ rate: 0.01/s }} }}, concurrency: 1, service-time: 1000s, {price} }}\n\
         policies: {{ s: {{ static: {{ replicas: 1 }} }} }}\n"
    );
    assert_eq!(used(&lost), [1, 10_000_000_000 * (512 << 20)]);
}

#[test]
fn the_summary_has_the_lines_of_use() {
    let text = scenario("{ per-replica: $0.05/h, per-request: $0.40/1M, per-gib-second: $0.0000025 }");
    let trial = Trial::new(&[("s.yaml", &text)]);
    let summary: Value = trial.summary("s.yaml", "");
    let policy = &summary["policies"][0];
    let usage = policy["usage"].as_array().unwrap();
    let seen: Vec<_> =
        usage.iter().map(|line| (line["unit"].as_str().unwrap(), &line["price_usd_per_million"])).collect();
    assert_eq!(seen[0].0, "requests");
    assert_eq!((seen[0].1.as_f64(), seen[1].1.as_f64()), (Some(0.4), Some(2.5)));
    let sum = |list: &Value| -> f64 { list.as_array().unwrap().iter().map(|l| l["cost_usd"].as_f64().unwrap()).sum() };
    let parts = sum(&policy["bill"]) + sum(&policy["usage"]);
    assert!((parts - policy["cost_usd"].as_f64().unwrap()).abs() < 1e-12, "{policy}");
    let page = trial.read("out/s/summary.md");
    assert!(page.contains("requests | $0.4/1M |"), "{page}");
    assert!(page.contains("GiB-seconds | $2.5/1M |"), "{page}");
}

/// Nano-dollars of a decimal number.
fn nanos(text: &str) -> i128 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{fraction:0<9}").parse().unwrap()
}

/// `bill.csv` has the same cost as the summary, to the last digit, and says where each price comes from.
#[test]
fn the_bill_is_a_file_with_focus_names() {
    let mut text = scenario(
        "{ instance: m7i.large, per-request: $0.40/1M, free: { requests: 43800 }, per-gib-second: $0.0000025 }",
    );
    text += "  t: { static: { replicas: 6 } }\n";
    let text =
        text.replace("policies: { s: { static: { replicas: 4 } } }\n", "policies:\n  s: { static: { replicas: 4 } }\n");
    let trial = Trial::new(&[("s.yaml", &text)]);
    let summary: Value = trial.summary("s.yaml", "");
    let printed = trial.read("out/s/summary.json");
    let bill = trial.read("out/s/bill.csv");
    let mut reader = csv::Reader::from_reader(bill.as_bytes());
    let header = reader.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|found| found == name).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    for policy in summary["policies"].as_array().unwrap() {
        let own = rows.iter().filter(|row| policy["policy"] == row[column("x_Policy")]);
        let sum: i128 = own.clone().map(|row| nanos(&row[column("BilledCost")])).sum();
        let cost = plimsoll_text(sum);
        assert!(printed.contains(&format!("\"cost_usd\": {cost},")), "{cost} in {printed}");
        let seen: Vec<[&str; 4]> = own
            .map(|row| {
                ["ChargeDescription", "PricingUnit", "ListUnitPrice", "x_PriceDate"].map(|name| &row[column(name)])
            })
            .collect();
        let expected = [
            ["service on m7i.large (us-east-1)", "Hours", "0.1008", "2026-07-20"],
            ["service, requests (free)", "requests", "0", ""],
            ["service, requests", "requests", "0.0000004", ""],
            ["service, GiB-seconds", "GiB-seconds", "0.0000025", ""],
        ];
        assert_eq!(seen, expected);
    }
    assert_eq!(&rows[0][column("ProviderName")], "aws");
    assert_eq!(&rows[0][column("x_PriceSource")], "aws/karpenter-provider-aws@6fc13b5236");
    assert_eq!(&rows[0][column("PricingQuantity")], "0.666666667");
}

/// Nano-dollars as the summary prints them.
fn plimsoll_text(nanos: i128) -> String {
    let text = format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

#[test]
fn the_catalogue_is_searched() {
    let trial = Trial::new(&[]);
    let table = trial.expect("catalog --cpu 8 --memory 32Gi --region eu-* --provider aws --sort price --limit 3", 0);
    assert_eq!(table.lines().count(), 5, "{table}");
    assert!(table.lines().nth(1).unwrap().contains("2022-01-07"), "{table}");
    let json = trial.expect("catalog p4d.24xlarge --region eu-west-1 --format json", 0);
    let found: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(found["offers"][0]["stale"], true, "{json}");
    let csv = trial.expect("catalog --gpu l4 --provider gcp --region us-central1 --sort spot --format csv", 0);
    assert!(csv.starts_with("provider,region,name,cpu,memory,gpu,price,spot,reserved,price_date,note\n"), "{csv}");
    assert!(csv.contains("g2-standard-4,4,16Gi,1 l4,$0.706832255/h"), "{csv}");
    let lambda = trial.expect("catalog --service lambda --region us-east-1 --limit 50", 0);
    assert!(lambda.contains("0.0000166667"), "{lambda}");
    assert!(trial.expect("catalog --region eu-wst-1", 2).contains("did you mean `eu-west-1`?"));
    assert!(trial.expect("catalog --gpu l44", 2).contains("did you mean `l4`?"));
    assert!(trial.expect("catalog --provider ibm", 2).contains("no provider `ibm`"));
    assert!(trial.expect("catalog --service lamda", 2).contains("no service `lamda`"));
    assert!(trial.expect("catalog --memory 32", 0).contains("more"));
}

#[rstest]
#[case("{ per-requst: $1 }", "did you mean `per-request`?")]
#[case("{ per-request: 0.2 }", "write `$0.2`")]
#[case("{ per-request: [] }", "a price needs at least one tier")]
#[case("{ per-request: [ { price: $1, up-to: 5 }, { price: $2, up-to: 5 } ] }", "every tier but the last has an end")]
#[case("{ per-request: [ { price: $1, up-to: 5 }, { price: $1, up-to: 5 }, { price: $2 } ] }", "tier 2 ends no later")]
#[case("{ per-request: $1, free: { gib-seconds: 5 } }", "GiB-seconds are free without a price")]
#[case("{ per-request: $1, granularity: 1ms }", "no time has a price")]
#[case("{ instance: m7i.large, per-replica: $1/h }", "exactly one of")]
#[case("{}", "a price needs one of")]
fn mistakes_get_one_error(#[case] price: &str, #[case] says: &str) {
    let (read, said) = read(&[("scenario.yaml", &scenario(price))]);
    assert!(read.is_none() && said.contains(says), "{said}");
    assert_eq!(said.matches("error").count(), 1, "{said}");
}

#[test]
fn time_has_a_price_only_where_it_is_counted() {
    let text = scenario("{ per-gib-second: $1 }");
    let (_, said) = read(&[("scenario.yaml", &text.replace("concurrency: 1", "concurrency: 2"))]);
    assert!(said.contains("only where a replica serves one request at a time"), "{said}");
    let (_, said) = read(&[("scenario.yaml", &text.replace(", memory: 512Mi", ""))]);
    assert!(said.contains("the memory of a replica is not known"), "{said}");
}

// Worked examples: 50 sandboxes of 8 GiB for 8 h on 22 days are 8,800 h, in 35,200 invocations of 15 min. Prices of the AWS
// Price List API of 2026-09-19 (us-east-1), as a public summary of 2026-09-28 reckons with them. It rounds the prices of a
// GB-second to the GB-hour; the list prices per GB-second come to a cent more.

const INVOCATIONS: u64 = 35_200;
const GIB: u64 = 8;

fn price(text: &str) -> UnitPrice {
    text.parse().unwrap()
}

/// `charges` for the invocations; each lasts `each`, in steps of 1 ms.
fn invocations(charges: Vec<Charge>) -> Vec<i128> {
    let rounding = Billing { granularity: SimDuration::from_millis(1), minimum: SimDuration::ZERO };
    let tariff = UseTariff {
        charges,
        rounding,
        by_activity: false,
        starts: false,
        memory: Bytes::from_mib(1024 * GIB),
        cpu: Millicores::ZERO,
    };
    let mut usage = plimsoll::billing::Usage::default();
    (0..INVOCATIONS).for_each(|_| {
        usage.add(0, 0);
        usage.add_time(rounding.billed(SimDuration::from_secs(900)), false);
    });
    tariff.lines(&usage).iter().map(|line| line.cost.as_nanos()).collect()
}

fn free_then(item: Item, free: u128, text: &str) -> Charge {
    let tiers = [plimsoll::billing::Tier { up_to: None, price: price(text) }];
    Charge::tiered(item, free, &tiers).unwrap()
}

/// Cents, rounded half up.
fn cents(nanos: i128) -> i128 {
    (nanos + 5_000_000) / 10_000_000
}

/// 400,000 GB-seconds. Both units are counted in the same integers.
fn free_hours() -> u128 {
    400_000 * Item::GibSeconds.base()
}

#[rstest]
// 8,800 h x 8 GB x $0.06 = $4,224.00, less 400,000 free GB-s ($6.67).
#[case("$0.06", "$0.0000166667", 421_733, 421_734)]
// On Arm 8,800 x 8 x $0.048 = $3,379.20, less $5.33.
#[case("$0.048", "$0.0000133334", 337_387, 337_388)]
fn lambda_on_demand(#[case] hour: &str, #[case] second: &str, #[case] page: i128, #[case] list: i128) {
    let requests = free_then(Item::Requests, 1_000_000, "$0.20/1M");
    let costs = invocations(vec![requests.clone(), free_then(Item::GibHours, free_hours(), hour)]);
    // All requests are free; so are the first GB-hours.
    assert_eq!(&costs[..2], [0, 0]);
    assert_eq!(cents(costs[2]), page);
    let seconds = free_then(Item::GibSeconds, 400_000 * Item::GibSeconds.base(), second);
    assert_eq!(cents(invocations(vec![requests, seconds]).iter().sum()), list);
}

/// 8,800 x 8 x ($0.015 + $0.035) = $3,520.00: every configured second, and duration at the lower rate; nothing is free.
#[test]
fn lambda_provisioned_concurrency() {
    // 50 environments of 8 GB, 8 h a day, paid for in steps of 5 min.
    let billing = Billing { granularity: SimDuration::from_secs(300), minimum: SimDuration::from_secs(300) };
    let configured: UsdPerHour = "$0.12/h".parse().unwrap();
    let day = configured.over(billing.billed(SimDuration::from_secs(8 * 3600)));
    let configured = day.as_nanos() * 50 * 22;
    assert_eq!(cents(configured), 105_600);
    let duration = invocations(vec![Charge::flat(Item::GibHours, price("$0.035"))]);
    assert_eq!(cents(duration[0]), 246_400);
    assert_eq!(cents(configured + duration[0]), 352_000);
    // At the list prices per GB-second it is the same.
    let each = |text: &str| invocations(vec![Charge::flat(Item::GibSeconds, price(text))])[0];
    assert_eq!(cents(each("$0.0000041667") + each("$0.0000097222")), 352_000);
}

/// 8,800 h x $0.16675 = $1,467.40: EC2 on demand ($0.145) and the fee of 15% ($0.02175), both by the second.
#[test]
fn lambda_managed_instances() {
    let billing = Billing { granularity: SimDuration::from_secs(1), minimum: SimDuration::from_secs(60) };
    let lease = |text: &str| -> i128 {
        let price: UsdPerHour = text.parse().unwrap();
        let day = billing.billed(SimDuration::from_secs(8 * 3600));
        price.over(day).as_nanos() * 50 * 22
    };
    let (instance, fee) = (lease("$0.145/h"), lease("$0.02175/h"));
    assert_eq!((cents(instance), cents(fee)), (127_600, 19_140));
    assert_eq!(cents(instance + fee), 146_740);
    // No duration charge; the requests are beside it, as on the page.
    assert_eq!(cents(invocations(vec![Charge::flat(Item::Requests, price("$0.20/1M"))])[0]), 1);
}
