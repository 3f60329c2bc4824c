//! Platforms on which requests start replicas, against runs worked out by hand.

use std::fs;

use plimsoll::billing::Item;
use plimsoll::config::{Diagnostics, SourceFile, parse_single};
use plimsoll::engine::{Cause, Fate, RunRecord};
use plimsoll::experiment::assumptions;
use plimsoll::platform::PLATFORMS;
use plimsoll::policy::{Decision, Observation, Reason, ReasonCode, ScalingPolicy};
use plimsoll::scenario::{PriceFact, Scenario};
use plimsoll::units::{SimDuration, Usd};
use proptest::prelude::*;
use rstest::rstest;
use tempfile::TempDir;

use crate::random_scenario::wild_case;

/// A trace with requests at these times, in milliseconds; each takes `service`. `rest` are further fields of the service.
fn read(at: &[u64], service: &str, platform: &str, rest: &str) -> Result<(TempDir, Scenario), String> {
    let directory = TempDir::new().unwrap();
    let rows: String = at.iter().map(|at| format!("{}000000,\n", at)).collect();
    fs::write(directory.path().join("traffic.csv"), format!("offset_ns,demand_ns\n{rows}")).unwrap();
    let text = format!(
        "duration: 1h\nworkload: {{ trace: traffic.csv }}\nservice: {{ name: fn, service-time: {service},\n  \
         platform: {platform}{rest} }}\nobjectives: [{{ latency: {{ within: 5s, target: 99% }} }}]\n\
         policies: {{ one: {{ static: {{ replicas: 3 }} }} }}\n"
    );
    let path = directory.path().join("scenario.yaml");
    fs::write(&path, text).unwrap();
    let mut sink = Diagnostics::new();
    let scenario = Scenario::read(&path, &[], &mut sink).ok_or_else(|| sink.to_string())?;
    Ok((directory, scenario))
}

fn run(at: &[u64], service: &str, platform: &str, rest: &str) -> RunRecord {
    let (_directory, scenario) = read(at, service, platform, rest).unwrap_or_else(|error| panic!("{error}"));
    scenario.simulation(0, 0).unwrap().run(&mut |_| ()).unwrap()
}

fn waits(record: &RunRecord) -> f64 {
    let waiting = &record.services[0].waiting;
    waiting.mean_secs().unwrap_or(0.0) * waiting.count() as f64
}

/// Starts, the mean number of environments times the hour in seconds, and requests served by a used one.
fn life(record: &RunRecord) -> (u64, f64, u64) {
    let service = &record.services[0];
    (service.replica_starts, service.replica_hours * 3600.0, service.warm_requests)
}

const LAMBDA: &str = "{ aws-lambda: { memory: 1024MB, init: 2s, keep-alive: 60s } }";

/// At 0 s a cold start; at 10 s the same environment; at 11 s, while that is busy, a second one; at 80 s, 68 s after the first
/// became idle and 65 s after the second, another cold start.
#[test]
fn a_request_waits_for_the_environment_that_it_starts() {
    let record = run(&[0, 10_000, 11_000, 80_000], "2s", LAMBDA, "");
    assert_eq!(record.services[0].counts[Fate::Completed], 4);
    assert!((waits(&record) - 6.0).abs() < 1e-9, "three starts of 2 s: {}", waits(&record));
    let (starts, lived, warm) = life(&record);
    // The first: start 0 to 2, busy to 4, again 10 to 12, kept to 72. The second: 11 to 15, kept to 75. The third: 80 to 84, to 144.
    assert_eq!((starts, warm), (3, 1));
    assert!((lived - (72.0 + 64.0 + 64.0)).abs() < 1e-6, "{lived}");
    // Four requests of 2 s and three starts of 2 s at 1 GB.
    let nanos = |usd: f64| Usd::from_nanos((usd * 1e9).round() as i128);
    assert_eq!(record.cost, Some(nanos(14.0 * 0.000_016_666_7 + 4.0 * 0.000_000_2)));
}

/// A request is bound to the environment that starts for it, although another becomes idle before; a request that may wait for any
/// slot takes the idle one.
#[rstest]
#[case("bound: true", 3.0 + 3.0)]
#[case("bound: false", 3.0 + 0.5)]
fn binding(#[case] bound: &str, #[case] waited: f64) {
    let platform = format!("{{ on-demand: {{ start-up: 3s, keep-alive: 60s, {bound} }} }}");
    // The first is served from 3 to 4 s; the second comes at 3.5 s.
    assert!((waits(&run(&[0, 3500], "1s", &platform, "")) - waited).abs() < 1e-9);
}

/// The newest of two idle environments is used again and again, so that the other is let go; the one that has rested longest takes
/// turns with the other, so that neither is.
#[rstest]
// One serves them all and is kept for 60 s after the last, at 725 s; the other after its only request.
#[case("most-recent", 61.1 + 786.0)]
// The last of one is that at 725 s, of the other that at 700 s.
#[case("least-recent", 786.0 + 761.0)]
fn which_is_used_again(#[case] reuse: &str, #[case] expected: f64) {
    let platform = format!("{{ aws-lambda: {{ memory: 128MB, init: 100ms, keep-alive: 60s, reuse: {reuse} }} }}");
    // Two at once, then one every 25 s.
    let at: Vec<u64> = [0, 0].into_iter().chain((1..30).map(|n| n * 25_000)).collect();
    let (starts, lived, _) = life(&run(&at, "1s", &platform, ""));
    assert_eq!(starts, 2);
    assert!((lived - expected).abs() < 1e-6, "{lived} for {expected}");
}

/// At the limit of concurrency requests are throttled, and clients may try again.
#[test]
fn throttles() {
    let limit = "{ aws-lambda: { memory: 128MB, init: 1s, account-concurrency: 2 } }";
    let record = run(&[0, 0, 0, 0, 500], "10s", limit, "");
    let service = &record.services[0];
    assert_eq!((service.counts[Fate::Completed], service.counts[Fate::Rejected]), (2, 3));
    let causes = &service.objectives[0].causes;
    assert_eq!((causes.of(Cause::Throttled), causes.of(Cause::ServiceTime)), (3, 2));
    let retry = ", retry: { attempts: 4, backoff: 20s, max-backoff: 1m, jitter: false, budget: 100% }";
    let record = run(&[0, 0, 0, 0, 500], "10s", limit, retry);
    assert_eq!(record.services[0].counts[Fate::Completed], 5);
}

/// A thousand environments start at once; the next ones at a hundred a second.
#[test]
fn starts_have_a_pace() {
    let platform = "{ aws-lambda: { memory: 128MB, init: 1s, account-concurrency: 5000 } }";
    let burst = vec![0; 1200];
    let record = run(&[burst.clone(), vec![1000; 200]].concat(), "60s", platform, "");
    // 200 too many at once; a second later, room for 100 of 200.
    assert_eq!(record.services[0].counts[Fate::Rejected], 300);
    let old = "{ aws-lambda: { memory: 128MB, init: 1s, account-concurrency: 5000, scaling: burst-until-2023 } }";
    assert_eq!(run(&burst, "60s", old, "").services[0].counts[Fate::Rejected], 0);
}

/// Provisioned environments are there from the start and take requests before others; what they serve costs less.
#[test]
fn provisioned_concurrency() {
    let platform = "{ aws-lambda: { memory: 1024MB, init: 2s, keep-alive: 60s, provisioned-concurrency: 1 } }";
    let record = run(&[0, 10_000, 10_500], "1s", platform, "");
    assert!((waits(&record) - 2.0).abs() < 1e-9, "only the third starts one");
    let (starts, lived, _) = life(&record);
    assert_eq!(starts, 1);
    assert!((lived - (3600.0 + 2.0 + 1.0 + 60.0)).abs() < 1e-6, "{lived}");
    let hour = 3600.0 * 0.000_004_166_7;
    let expected = hour + 2.0 * 0.000_009_722_2 + (2.0 + 1.0) * 0.000_016_666_7 + 3.0 * 0.000_000_2;
    let cost = record.cost.unwrap().as_f64();
    assert!((cost - expected).abs() < 2e-8, "{cost} for {expected}");
}

/// An environment is replaced after its first request beyond two hours; here after 30 minutes.
#[test]
fn environments_age() {
    let platform = "{ aws-lambda: { memory: 128MB, init: 1s, keep-alive: 1h, max-age: 30m } }";
    let at: Vec<u64> = (0..6).map(|n| n * 600_000).collect();
    let (starts, _, warm) = life(&run(&at, "1s", platform, ""));
    // Ready at 1 s; at 1801 s it is 30 minutes old to the nanosecond and is let go after that request.
    assert_eq!((starts, warm), (2, 4));
}

/// An environment that crashes restarts in place; only the starts that requests caused are charged for.
#[test]
fn restarts_are_no_starts() {
    let at: Vec<u64> = (0..30).map(|n| n * 10_000).collect();
    let record = run(&at, "1s", LAMBDA, ", crash-after: 100s");
    assert!(record.services[0].crashes > 1);
    let billed = record.usage.iter().find(|record| record.line.item == Item::GibSeconds).unwrap();
    let seconds = billed.line.quantity as f64 / Item::GibSeconds.base() as f64;
    // Each ends its first start at once with a request: as many starts as requests that waited for one.
    let waited = waits(&record);
    assert!((seconds - (30.0 + waited)).abs() < 1e-9, "{seconds} s for requests of 30 s and starts of {waited} s");
}

#[test]
fn nobody_may_wait_is_refused() {
    for platform in ["on-demand: { hold: 0 }", "knative: { hold: 0 }", "cloud-run: { start-up: 1s, hold: 0 }"] {
        let error = read(&[0], "1s", &format!("{{ {platform} }}"), "").err().unwrap();
        assert!(error.contains("`hold` must be at least 1"), "{error}");
    }
}

/// With less memory the CPU part of a request takes longer: at 512 MB by 1769 / 512; here half of it is CPU time.
#[rstest]
#[case("", 1769.0 / 512.0)]
#[case(", cpu-per-request: 500ms", 0.5 + 0.5 * 1769.0 / 512.0)]
fn memory_sets_the_speed(#[case] cpu: &str, #[case] takes: f64) {
    let platform = "{ aws-lambda: { memory: 512MB, measured-at: 1769MB, init: 1s } }";
    let record = run(&[0], "1s", platform, cpu);
    let took = record.services[0].service.mean_secs().unwrap();
    assert!((took - takes).abs() < 1e-8, "{took} for {takes}");
}

/// Two requests at once in an instance with room for two; the third waits until the first slot is free or the next instance is
/// there. The time in which an instance has requests is charged for, not the sum of theirs.
#[test]
fn cloud_run_charges_for_activity() {
    let platform =
        "{ cloud-run: { start-up: 4s, concurrency: 2, cpu: 1, memory: 1Gi, keep-alive: 5m, max-instances: 1 } }";
    let record = run(&[0, 1000, 2000], "10s", platform, "");
    // Ready at 4 s with the first two; the third from 14 to 24 s: active for 20 s, and the start of 4 s is charged for.
    assert!((waits(&record) - (4.0 + 3.0 + 12.0)).abs() < 1e-9, "{}", waits(&record));
    let expected = 24.0 * (0.000_024 + 0.000_002_5) + 3.0 * 0.000_000_4;
    let cost = record.cost.unwrap().as_f64();
    assert!((cost - expected).abs() < 1e-9, "{cost} for {expected}");
}

/// By instance, everything from the start of an instance to its end is charged for.
#[test]
fn cloud_run_by_instance() {
    let platform = "{ cloud-run: { start-up: 4s, cpu: 2, memory: 1Gi, keep-alive: 5m, billing: instance } }";
    let record = run(&[0], "10s", platform, "");
    let expected = (4.0 + 10.0 + 300.0) * (2.0 * 0.000_018 + 0.000_002);
    let cost = record.cost.unwrap().as_f64();
    assert!((cost - expected).abs() < 1e-6, "{cost} for {expected}");
}

/// The scale controller adds one instance a second.
#[test]
fn azure_adds_an_instance_a_second() {
    let platform = "{ azure-functions-flex: { start-up: 100ms, concurrency: 1, keep-alive: 5m } }";
    let record = run(&[0, 0, 0], "10s", platform, "");
    // At 0, 1 and 2 s, each ready 0.1 s later.
    assert!((waits(&record) - (0.1 + 1.1 + 2.1)).abs() < 1e-9, "{}", waits(&record));
    // Three executions of 10 s at 2 GB.
    let expected = 3.0 * 10.0 * 2.0 * 0.000_026 + 3.0 * 0.000_000_4;
    let cost = record.cost.unwrap().as_f64();
    assert!((cost - expected).abs() < 1e-9, "{cost} for {expected}");
}

/// At least a second is charged for on Flex Consumption, 100 ms of the observed memory on Consumption.
#[rstest]
#[case("{ azure-functions-flex: { start-up: 1s, size: 512MB } }", 0.5 * 0.000_026 + 0.000_000_4)]
#[case("{ azure-functions-consumption: { start-up: 1s, memory: 200Mi } }", 0.1 * 0.25 * 0.000_016 + 0.000_000_2)]
fn azure_minimums(#[case] platform: &str, #[case] expected: f64) {
    let cost = run(&[0], "20ms", platform, "").cost.unwrap().as_f64();
    assert!((cost - expected).abs() < 2e-9, "{cost} for {expected}");
}

/// The second that is charged for at least covers what comes within it: no moment is charged for twice. Short requests at the
/// end of the start, at 2 s, within the second of that, across its end, and at 5 s.
#[test]
fn azure_charges_for_no_moment_twice() {
    let platform = "{ azure-functions-flex: { start-up: 1s, size: 512MB } }";
    let record = run(&[0, 2_000, 2_500, 2_990, 5_000], "20ms", platform, "");
    // 1 to 2 s, 2 to 3 s and a tenth, 5 to 6 s.
    let expected = (1.0 + 1.1 + 1.0) * 0.5 * 0.000_026 + 5.0 * 0.000_000_4;
    let cost = record.cost.unwrap().as_f64();
    assert!((cost - expected).abs() < 5e-9, "{cost} for {expected}");
}

/// One instance is always there, and paid for.
#[test]
fn azure_premium() {
    let record = run(&[0], "20ms", "{ azure-functions-premium: { start-up: 1s, size: EP2 } }", "");
    let expected = 2.0 * 0.173 + 7.0 * 0.012301;
    let cost = record.cost.unwrap().as_f64();
    assert!((cost - expected).abs() < 1e-6, "{cost} for {expected}");
}

/// The activator holds what finds no free slot, and the first request to a revision at zero starts a container.
#[test]
fn knative_holds_at_the_activator() {
    let platform = "{ knative: { container-concurrency: 2 } }";
    let (_directory, mut scenario) = read(&[100_000, 100_001, 100_002], "10s", platform, ", start-up: 2s").unwrap();
    scenario.policies[0].factories = vec![std::sync::Arc::new(|_| Box::new(AtZero))];
    let record = scenario.simulation(0, 0).unwrap().run(&mut |_| ()).unwrap();
    // Two from 102 to 112 s, the third after them.
    assert!((waits(&record) - (2.0 + 1.999 + 11.998)).abs() < 1e-6, "{}", waits(&record));
    assert_eq!(record.services[0].replica_starts, 1);
}

/// Starts with nothing and orders nothing.
struct AtZero;

impl ScalingPolicy for AtZero {
    fn initial_replicas(&self, _stated: u32) -> u32 {
        0
    }

    fn sync_period(&self) -> SimDuration {
        SimDuration::from_secs(3600)
    }

    fn decide(&mut self, _: &Observation<'_>) -> Decision {
        Decision::hold(Reason::new(ReasonCode::Fixed, "nothing"))
    }
}

#[rstest]
#[case("{ aws-lambda: { memory: 64MB } }", "128 to 10240 MB of memory, not 64")]
#[case("{ aws-lambda: { memory: 512.5MB } }", "expected whole megabytes")]
#[case("{ aws-lambda: { memory: 512MB, region: us-est-1 } }", "did you mean `us-east-1`?")]
#[case("{ aws-lambda: { memory: 512MB, runtime: nodejs23.x } }", "did you mean `nodejs2")]
#[case("{ aws-lambda: { memory: 512MB, provisioned-concurrency: 2000 } }", "more than the account concurrency, 1000")]
#[case("{ aws-lambda: { memry: 512MB } }", "did you mean `memory`?")]
#[case("{ aws-lambda: { memory: 512MB, init: 1s, snap-start: 200ms } }", "leave one out")]
#[case("{ azure-functions-flex: { size: 1024MB, start-up: 1s } }", "is not a size of an instance")]
#[case("{ azure-functions-flex: {} }", "how long an instance takes to start is missing")]
#[case("{ cloud-run: { start-up: 1s, concurrency: 2000 } }", "has 1 to 1000 requests at once, not 2000")]
#[case("{ cloud-run: { start-up: 1s, min-instances: 1 } }", "set `billing: instance`")]
#[case("{ on-demand: { throttle: true } }", "needs `bound: true`")]
fn mistakes(#[case] platform: &str, #[case] said: &str) {
    let error = read(&[0], "1s", platform, "").err().unwrap();
    assert!(error.contains(said), "{error}");
    assert!(error.contains("scenario.yaml:"), "{error}");
}

#[rstest]
#[case(", concurrency: 2", "`concurrency` is settled by the platform")]
#[case(", replicas: 2", "`replicas` is settled by the platform")]
#[case(", queue-limit: 2", "`queue-limit` is settled by the platform")]
#[case(", resources: { requests: { cpu: 1 } }", "`resources` is settled by the platform")]
fn what_the_platform_settles(#[case] rest: &str, #[case] said: &str) {
    let error = read(&[0], "1s", LAMBDA, rest).err().unwrap();
    assert!(error.contains(said), "{error}");
}

/// What a template states becomes the parameters; what the scenario states beside it wins; mistakes show their place in the template.
#[test]
fn parameters_come_from_a_template() {
    let directory = TempDir::new().unwrap();
    let template = |memory: &str| {
        format!(
            "AWSTemplateFormatVersion: '2010-09-09'\nTransform: AWS::Serverless-2016-10-31\nGlobals:\n  Function: {{ Runtime: python3.13, \
             MemorySize: {memory} }}\nResources:\n  Checkout:\n    Type: AWS::Serverless::Function\n    Properties:\n      Handler: app.main\n      \
             CodeUri: src\n      Architectures: [arm64]\n      ReservedConcurrentExecutions: 40\n"
        )
    };
    let read = |memory: &str, beside: &str| {
        fs::write(directory.path().join("template.yaml"), template(memory)).unwrap();
        let text = format!(
            "duration: 1m\nworkload: {{ poisson: {{ rate: 5/s }} }}\nservice: {{ name: fn, service-time: 200ms, platform: {{ aws-lambda: \
             {{ from: template.yaml{beside} }} }} }}\npolicies: {{ a: {{ static: {{ replicas: 1 }} }} }}\n"
        );
        let path = directory.path().join("scenario.yaml");
        fs::write(&path, text).unwrap();
        let mut sink = Diagnostics::new();
        Scenario::read(&path, &[], &mut sink).ok_or_else(|| sink.to_string())
    };
    let said = |beside: &str| assumptions(&read("2048", beside).unwrap()).join("\n");
    assert!(said("").contains("AWS Lambda with 2048 MB"), "{}", said(""));
    assert!(said("").contains("At most 40 replicas"), "{}", said(""));
    assert!(said(", memory: 512MB").contains("AWS Lambda with 512 MB"));
    let arm = read("2048", "").unwrap();
    assert!(
        arm.services[0]
            .usage
            .as_ref()
            .unwrap()
            .charges
            .iter()
            .any(|charge| { charge.prices().next().is_some_and(|price| price.to_string() == "$0.0000133334") })
    );
    let error = read("64", "").err().unwrap();
    assert!(error.contains("template.yaml:4"), "{error}");
    let error = read("2048", ", function: Chekout").err().unwrap();
    assert!(error.contains("did you mean `Checkout`?"), "{error}");
}

/// One trace on a Deployment and on two platforms, side by side: the same requests, and each platform's own price.
#[test]
fn policies_bring_platforms() {
    let directory = TempDir::new().unwrap();
    let text = |with: &str| {
        format!(
            "duration: 10m\nworkload: {{ poisson: {{ rate: 5/s }} }}\nservice: {{ name: fn, service-time: 200ms, concurrency: 4, \
             start-up: 20s, price: $1/h }}\npolicies:\n  cluster: {{ static: {{ replicas: 2 }} }}\n  other: {{ static: {{ replicas: 2 }}, {with} }}\n"
        )
    };
    let read = |with: &str| {
        let path = directory.path().join("scenario.yaml");
        fs::write(&path, text(with)).unwrap();
        let mut sink = Diagnostics::new();
        Scenario::read(&path, &[], &mut sink).ok_or_else(|| sink.to_string())
    };
    let scenario = read("with: { platform: { aws-lambda: { memory: 1024MB, init: 1s } } }").unwrap();
    let runs: Vec<RunRecord> =
        [0, 1].iter().map(|policy| scenario.simulation(*policy, 0).unwrap().run(&mut |_| ()).unwrap()).collect();
    let [cluster, lambda] = &runs[..] else { panic!() };
    assert_eq!(cluster.services[0].demand_checksum, lambda.services[0].demand_checksum);
    assert_eq!(cluster.cost.unwrap().to_string(), "$0.3333");
    // Requests, their 200 ms, and the starts of a second.
    let requests = lambda.services[0].counts[Fate::Completed] as f64;
    let starts = lambda.services[0].replica_starts as f64;
    let expected = (requests * 0.2 + starts) * 0.000_016_666_7 + requests * 0.000_000_2;
    assert!((lambda.cost.unwrap().as_f64() - expected).abs() < 1e-5, "{:?} for {expected}", lambda.cost);
    let said = assumptions(&scenario).join("\n");
    assert!(said.contains("Under other: fn runs on AWS Lambda with 1024 MB"), "{said}");
    // Two platforms charge for requests, and each line of a bill cites the price of its own.
    let facts = &scenario.prices;
    let cited = PriceFact::of(facts, "fn, requests", "other").unwrap();
    assert_eq!((cited.provider.as_str(), cited.policy.as_deref()), ("aws", Some("other")));
    assert!(PriceFact::of(facts, "fn, requests", "cluster").is_none());
    // Another concurrency on the same platform keeps what the service states.
    let scenario = read("with: { concurrency: 1 }").unwrap();
    assert_eq!(scenario.simulation(1, 0).unwrap().run(&mut |_| ()).unwrap().cost.unwrap().to_string(), "$0.3333");
    assert!(read("with: 3").err().unwrap().contains("expected fields of the service"));
    assert!(read("with: { service-time: 1s }").err().unwrap().contains("the same under every policy"));
    assert!(read("with: { platfrom: deployment }").err().unwrap().contains("did you mean `platform`?"));
}

#[test]
fn the_rules_are_told() {
    let (_directory, scenario) = read(&[0], "1s", LAMBDA, "").unwrap();
    let said = assumptions(&scenario).join("\n");
    let expected = "fn runs on AWS Lambda with 1024 MB (0.58 vCPU): a request that finds no idle replica waits for one that is \
                    started for it, or is rejected at a limit. At most 1000 replicas";
    assert!(said.contains(expected), "{said}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// In any world the laws that a run asserts of itself hold where requests start replicas: one fate for every request, Little's
    /// law, no slot free beside requests that wait, costs equal to leases; and nothing depends on when it runs.
    #[test]
    fn random_worlds_start_replicas(
        case in wild_case(), keep in 1..20_000_u64, age in 1..60_000_u64, most in 1..40_u32, bound: bool, throttle: bool, cancel: bool,
        every in 1..2_000_u64, reuse in 0..4_usize, hold in 1..60_u32, longest in 1..9_000_u64,
    ) {
        let mut scenario = case.scenario();
        let reuse = ["most-recent", "least-recent", "random-free", "least-loaded"][reuse];
        let text = format!(
            "{{ keep-alive: {{ exponential: {{ mean: {keep}ms }} }}, max-age: {age}ms, max-replicas: {most}, bound: {bound}, throttle: {}, cancel-starts: {cancel}, \
             pace: {{ starts: 2, every: {every}ms }}, reuse: {reuse}, always-there: {{ max: 1000 }}, hold: {hold}, hold-for: {longest}ms }}",
            bound && throttle
        );
        let node = parse_single(&SourceFile::new("platform", text)).unwrap();
        let plugin = PLATFORMS.iter().find(|plugin| plugin.name == "on-demand").unwrap();
        for service in &mut scenario.services {
            let mut sink = Diagnostics::new();
            let stated = (plugin.build)(&node, &mut sink).unwrap();
            service.platform = stated.factory;
            service.spec.dispatch = stated.form.dispatch.unwrap();
            service.spec.queue_limit = u32::MAX;
        }
        let run = || scenario.simulation(0, 0).unwrap().run(&mut |_| ()).unwrap();
        let record = run();
        prop_assert_eq!(format!("{record:?}"), format!("{:?}", run()));
        for service in &record.services {
            prop_assert_eq!(service.counts.arrived, service.counts.accounted());
        }
    }
}
