//! I5 where use has a price, and the worked examples of price lists.

use plimsoll::billing::{Charge, Item, UseTariff};
use plimsoll::catalog::Billing;
use plimsoll::engine::RunRecord;
use plimsoll::units::{Bytes, Millicores, SimDuration, UnitPrice, Usd, UsdPerHour};
use rstest::rstest;
use serde_json::Value;

use crate::findings::trial::Trial;
use crate::findings::world::{read, record, run};

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

/// Two nodes of 0.09 + 1.25 dollars an hour by a price list, for ten minutes: 22.333... cents.
#[test]
fn price_lists_of_the_user_are_billed() {
    let prices = "name,region,vcpu,memory_mib,usd_per_h,price_date\nm7i.large,,,,0.09,2026-10-01\nmetal-1,rack-1,64,262144,1.25,\n";
    let text = scenario("{ per-request: $0 }")
        + "prices: prices.csv\nnodes: [ { instance: m7i.large, count: 1 }, { instance: metal-1, count: 1 } ]\n";
    let (read_one, said) = read(&[("scenario.yaml", &text), ("prices.csv", prices)]);
    let scenario = read_one.unwrap_or_else(|| panic!("{said}"));
    let run = run(&scenario, 0);
    let lines: Vec<_> = run.leases.iter().map(|lease| (lease.what.as_str(), lease.cost.as_nanos())).collect();
    assert_eq!(lines, [("node m7i.large (us-east-1)", 15_000_000), ("node metal-1 (rack-1)", 208_333_333)]);
    let facts: Vec<_> = scenario.prices.iter().map(|fact| (fact.source.as_str(), fact.date.as_str())).collect();
    assert_eq!(facts, [("prices.csv", "2026-10-01"), ("prices.csv", "")]);
    assert!(scenario.sources.iter().any(|file| file.name().ends_with("prices.csv")), "an input of the run");
    let (read_none, said) = read(&[("scenario.yaml", &text), ("prices.csv", &prices.replace("0.09", "9 ct"))]);
    assert!(read_none.is_none() && said.contains("prices.csv:2:14") && said.contains("not `9 ct`"), "{said}");
    let (read_none, said) = read(&[("scenario.yaml", &text)]);
    assert!(read_none.is_none() && said.contains("prices.csv"), "{said}");
}

#[test]
fn price_lists_go_over_the_catalogue() {
    let trial = Trial::new(&[
        ("p.csv", "name,region,usd_per_h\nm7i.large,us-east-1,0.01\nbox,here,2\n"),
        ("bad.csv", "a\n1\n"),
    ]);
    let csv = trial.expect("catalog m7i.large --region us-east-1 --prices p.csv --format csv", 0);
    assert!(csv.contains("aws,us-east-1,m7i.large,2,8Gi,,$0.01/h"), "{csv}");
    let json = trial.expect("catalog box --prices p.csv --provider custom --format json", 0);
    let found: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&found["offers"][0]["price_source"], &found["offers"][0]["region"]),
        (&"p.csv".into(), &"here".into()),
        "{json}"
    );
    assert!(trial.expect("catalog --prices bad.csv", 2).contains("bad.csv:1:1"));
}

/// Two nodes for `minutes`, bought as stated.
fn nodes(minutes: u32, pool: &str, more: &str) -> String {
    let text = scenario("{ per-request: $0 }").replace("duration: 10m", &format!("duration: {minutes}m"));
    format!("{text}nodes: [ {{ instance: m7i.large, count: 2, {pool} }} ]\n{more}")
}

fn charges(run: &RunRecord) -> Vec<(String, String, i128)> {
    let line =
        |line: &plimsoll::billing::ChargeLine| (line.what.clone(), line.kind.name().to_string(), line.cost.as_nanos());
    run.charges.iter().map(line).collect()
}

/// I5 with everything that a bill may have.
fn check_total(run: &RunRecord) {
    let leases = run.leases.iter().map(|lease| lease.cost);
    let lines =
        leases.chain(run.usage.iter().map(|used| used.line.cost)).chain(run.charges.iter().map(|line| line.cost));
    assert_eq!(run.cost, Some(lines.sum()), "I5");
}

/// $0.1008 an hour on demand. A 3-year commitment is $0.03827 in the catalogue (us-east-1, paid upfront), a year 32% below the price on demand: $0.068544.
#[rstest]
#[case("purchase: on-demand", &[100_800_000, 100_800_000], &[])]
#[case("purchase: { spot: $0.03/h }", &[30_000_000, 30_000_000], &[])]
#[case("purchase: reserved-1y", &[0, 0], &[137_088_000, 0])]
#[case("purchase: { reserved-1y: 1 }", &[0, 100_800_000], &[68_544_000, 0])]
#[case("purchase: { reserved-1y: 3, price: $0.05/h }", &[0, 0], &[100_000_000, 50_000_000])]
#[case("billed: { granularity: 2h }", &[201_600_000, 201_600_000], &[])]
fn nodes_are_bought_as_stated(#[case] pool: &str, #[case] leases: &[i128], #[case] committed: &[i128]) {
    let run = record(&nodes(60, pool, ""));
    assert_eq!(run.leases.iter().map(|lease| lease.cost.as_nanos()).collect::<Vec<_>>(), leases);
    assert_eq!(charges(&run).iter().map(|(_, _, cost)| *cost).collect::<Vec<_>>(), committed);
    check_total(&run);
}

#[test]
fn the_catalogue_states_prices_of_each_purchase() {
    let facts = |pool: &str| {
        let (scenario, said) = read(&[("scenario.yaml", &nodes(60, pool, ""))]);
        let scenario = scenario.unwrap_or_else(|| panic!("{said}"));
        let lease = scenario.node_leases[0].price;
        let reserved = scenario.contract.reserved.first().map(|reservation| reservation.price);
        (reserved.unwrap_or(lease), scenario.prices[0].clone())
    };
    let offer = |pick: fn(&plimsoll::catalog::Offer) -> Option<UsdPerHour>| {
        let market = plimsoll::catalog::Market::builtin();
        market
            .offers
            .iter()
            .find(|offer| offer.name == "m7i.large" && offer.region == "us-east-1")
            .and_then(pick)
            .unwrap()
    };
    let (spot, fact) = facts("purchase: spot");
    assert_eq!((spot, fact.date.as_str()), (offer(|offer| offer.spot.as_ref().map(|spot| spot.price)), "2025-06-28"));
    assert_eq!(fact.what, "node m7i.large (us-east-1), spot");
    let (reserved, fact) = facts("purchase: reserved-3y");
    assert_eq!(
        (reserved, fact.date.as_str()),
        (offer(|offer| offer.reserved.as_ref().map(|(price, _)| *price)), "2026-06-09")
    );
    let (year, fact) = facts("purchase: reserved-1y");
    assert_eq!((year.as_nanos(), fact.date.as_str()), (68_544_000, "2026-05-09"));
    assert!(fact.source.contains("an average, not a list price"), "{fact:?}");
}

/// One instance is committed to for $0.05, a savings plan of $0.02 at 50% covers 0.02 / 0.0504 of the other's hour (1428.571428571 s), and the
/// rest (2171.428571429 s) is on demand: $0.0608. Two control planes by the hour are $0.20, $40 of revenue owe 10%.
#[test]
fn a_bill_with_everything_adds_up() {
    let more = "savings-plan: { commitment: $0.02/h, discount: 50% }\nfees: [ { cluster: eks, count: 2, billed: { granularity: 1h } }, { name: support, price: $0.01/h } ]\n\
                sla-credits: { revenue: $40/h, tiers: [ { below: 100%, owed: 10% }, { below: 10%, owed: 50% } ] }\n";
    let text = nodes(60, "purchase: { reserved-1y: 1, price: $0.05/h }", more);
    let text = text.replace(
        "{ per-request: $0 }",
        "{ egress: { per-request: 1Mi, per-gib: [ { price: $0.09, up-to: 730 }, { price: $0.05 } ], free: 73 } }",
    );
    // Half of the requests find a full queue.
    let text = text.replace("  concurrency: 1\n", "  concurrency: 1\n  queue-limit: 0\n").replace("150ms", "1500ms");
    let run = record(&text);
    let expected = [
        ("node m7i.large (us-east-1), reserved-1y", "commitment-used", 50_000_000),
        ("node m7i.large (us-east-1), reserved-1y", "commitment-unused", 0),
        ("savings plan", "commitment-used", 20_000_000),
        ("savings plan", "commitment-unused", 0),
        ("eks control plane", "fee", 200_000_000),
        ("support", "fee", 10_000_000),
        ("credits owed to customers", "credit", 4_000_000_000),
    ];
    assert_eq!(charges(&run), expected.map(|(what, kind, cost)| (what.to_string(), kind.to_string(), cost)));
    let leases: Vec<i128> = run.leases.iter().map(|lease| lease.cost.as_nanos()).collect();
    assert_eq!(leases, [0, 60_800_000]);
    // 1 MiB for each request: the first 0.1 GiB of the hour are free, 1 GiB costs $0.09, and the rest $0.05 a GiB.
    let bytes = lines(&run).iter().map(|line| line.1).sum::<u128>();
    assert!(bytes > 1200 << 20 && bytes % (1 << 20) == 0, "{bytes}");
    let rest = (bytes - (73 << 30) / 730 - (1 << 30)) as f64 / (1 << 30) as f64 * 0.05 * 1e9;
    let costs: Vec<i128> = lines(&run).iter().map(|line| line.3).collect();
    assert_eq!(costs[..2], [0, 90_000_000]);
    assert!((costs[2] as f64 - rest).abs() <= 2.0, "{costs:?} {rest}");
    check_total(&run);
}

#[test]
fn commitments_fees_and_credits_are_in_the_files() {
    let more = "fees: { cluster: gke }\n";
    let trial = Trial::new(&[("s.yaml", &nodes(60, "purchase: { reserved-1y: 3 }", more))]);
    trial.expect("run s.yaml --out out", 0);
    let csv = std::fs::read_to_string(trial.path("out/s/bill.csv")).unwrap();
    assert!(csv.contains("\"node m7i.large (us-east-1), reserved-1y, unused\",Usage-Based,0,3600,aws,us-east-1,Compute,Committed,1,Hours,0.068544,0.068544"), "{csv}");
    assert!(
        csv.contains("gke control plane,Recurring,0,3600,gcp,us-central1,Compute,Standard,1,Hours,0.1,0.1"),
        "{csv}"
    );
    let summary: Value =
        serde_json::from_str(&std::fs::read_to_string(trial.path("out/s/summary.json")).unwrap()).unwrap();
    let policy = &summary["policies"][0];
    let sum = |list: &str| {
        policy[list].as_array().map_or(0.0, |lines| lines.iter().map(|line| line["cost_usd"].as_f64().unwrap()).sum())
    };
    let total = sum("bill") + sum("usage") + sum("charges");
    assert!((total - policy["cost_usd"].as_f64().unwrap()).abs() < 1e-9, "{policy}");
    assert!(std::fs::read_to_string(trial.path("out/s/summary.md")).unwrap().contains("reserved-1y, unused"));
}

#[rstest]
#[case("purchase: sport", "", "did you mean `spot`?")]
#[case("purchase: { reserved-1y: 0 }", "", "must be from 1 to 100000")]
#[case("purchase: { reserved-1y: 1, reserved-3y: 1 }", "", "a purchase is one of")]
#[case("purchase: { price: $1/h }", "", "a purchase is one of")]
#[case("", "savings-plan: { commitment: $1/h }", "has no `discount`")]
#[case("", "fees: [ { cluster: ecs } ]", "did you mean `eks`?")]
#[case("", "fees: [ { price: $1/h } ]", "needs a `name`")]
#[case("", "fees: [ { name: a } ]", "either a `cluster` or a `price`")]
#[case("", "fees: [ { cluster: eks, count: 0 } ]", "`count` must be from 1")]
#[case("", "sla-credits: { revenue: $1/h, tiers: [] }", "at least one tier")]
#[case(
    "",
    "sla-credits: { revenue: $1/h, tiers: [ { below: 99%, owed: 10% }, { below: 99.9%, owed: 20% } ] }",
    "below a lower availability"
)]
#[case("", "sla-credits: { revenue: $1/h, service: sh, tiers: [ { below: 99%, owed: 10% } ] }", "is not a service")]
fn mistakes_in_contracts_get_one_error(#[case] pool: &str, #[case] more: &str, #[case] says: &str) {
    let (read, said) = read(&[("scenario.yaml", &nodes(60, pool, more))]);
    assert!(read.is_none() && said.contains(says), "{said}");
    assert_eq!(said.matches("error").count(), 1, "{said}");
}

#[rstest]
#[case("{ share-of: m7i.large, purchase: reserved-1y }", "a share of an instance cannot be committed to")]
#[case("{ per-replica: $1/h, purchase: spot }", "only an `instance` can be bought")]
#[case("{ egress: { per-request: 4Ki } }", "has no `per-gib`")]
#[case("{ egress: { per-gib: $1 } }", "has no `per-request`")]
fn mistakes_in_purchases_get_one_error(#[case] price: &str, #[case] says: &str) {
    let (read, said) = read(&[("scenario.yaml", &scenario(price))]);
    assert!(read.is_none() && said.contains(says), "{said}");
    assert_eq!(said.matches("error").count(), 1, "{said}");
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
