//! Calls between services, as a scenario states them.

use std::fs;

use plimsoll::config::Diagnostics;
use plimsoll::engine::{Cause, Fate, RunRecord, ServiceRecord};
use plimsoll::experiment::{self, TrafficSource, assumptions};
use plimsoll::report::words;
use plimsoll::scenario::Scenario;
use plimsoll::units::SimDuration;
use proptest::prelude::*;
use rstest::rstest;
use tempfile::TempDir;

fn read(text: &str) -> Result<Scenario, String> {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("scenario.yaml");
    fs::write(&path, text).unwrap();
    let mut sink = Diagnostics::new();
    Scenario::read(&path, &[], &mut sink).ok_or_else(|| sink.to_string())
}

fn run(text: &str) -> RunRecord {
    let scenario = read(text).unwrap_or_else(|error| panic!("{error}"));
    scenario.simulation(0, 0).unwrap().run(&mut |_| ()).unwrap()
}

/// A request a second of 10 ms at `web`, which makes `calls` to `db` (20 ms) and `log` (5 ms). A fourth service could call
/// those two but does not, so that they need no workload.
fn shop(web: &str, calls: &str, db: &str) -> String {
    format!(
        "duration: 100s\ninterval: 10s\nobjectives: [{{ latency: {{ within: 50ms, target: 99% }} }}]\nservices:\n  \
         - {{ name: web, workload: {{ constant: {{ rate: 1/s }} }}, replicas: 1, concurrency: 1, service-time: 10ms,\n      \
         cpu-per-request: 10ms, resources: {{ requests: {{ cpu: 1 }} }}, calls: {calls}{web} }}\n  \
         - {{ name: db, replicas: 1, concurrency: 1, service-time: 20ms{db} }}\n  \
         - {{ name: log, replicas: 1, concurrency: 1, service-time: 5ms }}\n  \
         - {{ name: idle, workload: {{ constant: {{ rate: 1/s }} }}, replicas: 1, concurrency: 1, service-time: 5ms, calls: [{CALLED}] }}\n\
         policies: {{ one: {{ static: {{ replicas: 1 }} }} }}\n"
    )
}

/// Calls that are never made.
const CALLED: &str = "{ to: db, share: 0% }, { to: log, share: 0% }";

fn mean_ms(service: &ServiceRecord) -> f64 {
    service.sojourn.mean_secs().unwrap() * 1e3
}

/// Reckoned by hand: own work first, then the stages one after the other, each call with the network both ways.
#[rstest]
#[case::none("[]", 10.0, [100, 0, 0])]
#[case::one("[{ to: db }]", 30.0, [100, 100, 0])]
#[case::over_a_network("[{ to: db, network: 1ms }]", 32.0, [100, 100, 0])]
#[case::in_order("[{ to: db }, { to: log }]", 35.0, [100, 100, 100])]
#[case::together("[{ together: [{ to: db }, { to: log, network: 1ms }] }]", 30.0, [100, 100, 100])]
#[case::the_longer_counts("[{ together: [{ to: db }, { to: log, network: 10ms }] }]", 35.0, [100, 100, 100])]
#[case::twice_at_once_at_one_slot("[{ to: db, count: 2 }]", 50.0, [100, 200, 0])]
#[case::not_waited_for("[{ to: db, wait: false }]", 10.0, [100, 100, 0])]
#[case::a_message_between("[{ to: db, wait: false }, { to: log }]", 15.0, [100, 100, 100])]
#[case::never("[{ to: db, share: 0% }]", 10.0, [100, 0, 0])]
fn a_request_takes_its_own_time_and_that_of_its_calls(
    #[case] calls: &str,
    #[case] takes: f64,
    #[case] arrived: [u64; 3],
) {
    let record = run(&shop("", calls, ""));
    assert!((mean_ms(&record.services[0]) - takes).abs() < 1e-6, "{} ms", mean_ms(&record.services[0]));
    assert_eq!([0, 1, 2].map(|n: usize| record.services[n].counts.arrived), arrived);
    assert!(record.services.iter().all(|service| service.counts.arrived == service.counts[Fate::Completed]));
}

/// A slot is held while a request waits, but its CPU is not used: 10 ms of each second, while the slot is taken for 30 ms.
#[test]
fn waiting_holds_a_slot_and_no_cpu() {
    let record = run(&shop("", "[{ to: db }]", ""));
    let web = &record.services[0];
    assert!((web.utilization.unwrap() - 0.03).abs() < 1e-9, "{:?}", web.utilization);
    assert!((web.cpu_utilization.unwrap() - 0.01).abs() < 1e-9, "{:?}", web.cpu_utilization);
    // Without waiting, the slot is free after the own work.
    let record = run(&shop("", "[{ to: db, wait: false }]", ""));
    assert!((record.services[0].utilization.unwrap() - 0.01).abs() < 1e-9);
}

/// A third of the calls, drawn by the identity of the request: the same under every policy and number of replicas.
#[test]
fn the_same_requests_call_under_every_policy() {
    let text = shop("", "[{ to: db, share: 30% }]", "").replace("duration: 100s", "duration: 20000s");
    let text = text.replace("service-time: 20ms", "service-time: { exponential: { mean: 20ms } }");
    let text = text.replace("policies: {", "policies: { two: { static: { replicas: 2 } },");
    let scenario = read(&text).unwrap();
    let [one, two] = [0, 1].map(|policy| scenario.simulation(policy, 0).unwrap().run(&mut |_| ()).unwrap());
    let arrived = one.services[1].counts.arrived;
    assert!((5_800..6_200).contains(&arrived), "{arrived} of 20,000");
    assert_eq!(two.services[1].counts.arrived, arrived);
    // At a request a second nothing queues: the times are the demands.
    assert_eq!(one.services[1].sojourn, two.services[1].sojourn);
}

/// A call that is not answered fails the request, with the call as the cause.
#[test]
fn a_request_fails_with_its_call() {
    // Two at once, one slot and no queue: the second is rejected.
    let record = run(&shop("", "[{ to: db, count: 2 }, { to: log }]", ", queue-limit: 0"));
    let [web, db, log, _] = &record.services[..] else { panic!("four services") };
    assert_eq!((db.counts[Fate::Completed], db.counts[Fate::Rejected]), (100, 100));
    assert_eq!(web.counts[Fate::Failed], 100);
    // The stages after a failed one are left out.
    assert_eq!(log.counts.arrived, 0);
    let causes = &web.objectives[0].causes;
    assert_eq!((causes.of(Cause::Call), causes.total()), (100, 100));
    // A message that is lost does not matter to its sender.
    let record = run(&shop("", "[{ to: db, count: 2, wait: false }]", ", queue-limit: 0"));
    assert_eq!(record.services[0].counts[Fate::Completed], 100);
}

/// Retries at the callee are made on behalf of the caller; retries at the caller call again.
#[test]
fn retries_of_either_side() {
    let retry = |attempts| format!(", retry: {{ attempts: {attempts}, backoff: 30ms, jitter: false, budget: 100% }}");
    let record = run(&shop("", "[{ to: db, count: 2 }]", &format!(", queue-limit: 0{}", retry(2))));
    let [web, db, ..] = &record.services[..] else { panic!("four services") };
    assert_eq!((web.counts[Fate::Completed], db.counts.retries), (100, 100));
    // 10 ms, then a rejection, 30 ms of back-off and 20 ms of work.
    assert!((mean_ms(web) - 60.0).abs() < 1e-6, "{} ms", mean_ms(web));
    let record = run(&shop(&retry(2), "[{ to: db, count: 2 }]", ", queue-limit: 0"));
    let [web, db, ..] = &record.services[..] else { panic!("four services") };
    assert_eq!((web.counts[Fate::Failed], web.counts.retries), (100, 100));
    assert_eq!(db.counts.arrived, 400);
}

/// A client that gives up frees the slot of its request if work is cancelled; the answer that comes later finds nobody.
#[rstest]
#[case::cancelled("cancel", 0.025)]
#[case::finished("finish", 0.030)]
fn clients_give_up_during_a_call(#[case] work: &str, #[case] utilization: f64) {
    let record = run(&shop(&format!(", timeout: {{ after: 25ms, work: {work} }}"), "[{ to: db }]", ""));
    let web = &record.services[0];
    assert_eq!(web.counts[Fate::TimedOut], 100);
    assert!((web.utilization.unwrap() - utilization).abs() < 1e-9, "{:?}", web.utilization);
    assert_eq!(web.objectives[0].causes.of(Cause::Call), 100);
    assert_eq!(record.services[1].counts[Fate::Completed], 100);
}

/// Too late because of the callee, or because of the own work.
#[test]
fn late_answers_have_the_cause_that_they_have() {
    let record = run(&shop("", "[{ to: db, network: 15ms }]", ""));
    assert_eq!(record.services[0].objectives[0].causes.of(Cause::Call), 100);
    let text = shop("", "[{ to: db }]", "").replace("service-time: 10ms", "service-time: 60ms");
    assert_eq!(run(&text).services[0].objectives[0].causes.of(Cause::ServiceTime), 100);
}

/// An answer that comes after its request was cancelled is not taken for that of the next request, which has the same record
/// and waits as well.
#[test]
fn a_late_answer_is_not_anothers() {
    // Each request calls after 1 ms and is given up after 45 ms; the answer comes at 52 ms, 1 ms after the next has called.
    let text = shop(", timeout: { after: 45ms, work: cancel }", "[{ to: db }]", "");
    let text = text.replace(
        "rate: 1/s } }, replicas: 1, concurrency: 1, service-time: 10ms",
        "rate: 20/s } }, replicas: 1, concurrency: 1, service-time: 1ms",
    );
    let text = text.replace("cpu-per-request: 10ms", "cpu-per-request: 1ms");
    let text = text.replace(
        "name: db, replicas: 1, concurrency: 1, service-time: 20ms",
        "name: db, replicas: 1, concurrency: 9, service-time: 51ms",
    );
    let web = &run(&text).services[0];
    assert_eq!((web.counts.arrived, web.counts[Fate::Completed]), (2_000, 0), "{:?}", web.counts);
}

/// A called service goes on working for callers that have been told of its time-out, and calls others itself. Nobody's
/// answer is lost over that.
#[test]
fn work_goes_on_after_a_called_service_has_failed() {
    let patience = ", calls: [{ to: log }], timeout: { after: 25ms, work: finish }";
    let text = shop("", "[{ to: db }]", patience).replace(
        "rate: 1/s } }, replicas: 1, concurrency: 1, service-time: 10ms",
        "rate: 50/s } }, replicas: 1, concurrency: 99, service-time: 10ms",
    );
    let text = text.replace(
        "concurrency: 1, service-time: 20ms",
        "concurrency: 99, service-time: { exponential: { mean: 20ms } }",
    );
    let record = run(&text);
    let [web, db, log, _] = &record.services[..] else { panic!("four services") };
    assert!(web.counts[Fate::Completed] > 1_000 && web.counts[Fate::Failed] > 1_000, "{:?}", web.counts);
    assert!(web.counts[Fate::InFlight] < 10, "{:?}", web.counts);
    assert_eq!(web.counts[Fate::Failed], db.counts[Fate::TimedOut]);
    // Also those that were given up have called.
    assert!(log.counts.arrived + 10 > db.counts.arrived, "{:?} {:?}", log.counts, db.counts);
}

/// A caller learns of the crash of the service that it called when it happens.
#[test]
fn a_crash_is_told_to_the_callers() {
    let text = shop("", "[{ to: db }]", ", crash-after: 5s").replace("rate: 1/s", "rate: 0.02/s");
    let record = run(&text.replace("service-time: 20ms", "service-time: 1000s"));
    let web = &record.services[0];
    assert_eq!((web.counts.arrived, web.counts[Fate::Failed]), (2, 2), "{:?}", web.counts);
    assert_eq!(web.objectives[0].causes.of(Cause::Call), 2);
}

/// Two calls of one request to the same service are drawn each for itself: both with a probability of a quarter.
#[test]
fn calls_of_one_request_are_independent() {
    let text = shop("", "[{ to: db, share: 50% }, { to: db, share: 50% }]", "");
    let record = run(&text.replace("duration: 100s", "duration: 20000s"));
    let within = |ms| record.services[0].sojourn.count_at_most(SimDuration::from_millis(ms));
    let (one, two) = (within(31) - within(11), 20_000 - within(31));
    assert!((9_700..10_300).contains(&one) && (4_750..5_250).contains(&two), "{one} with one call, {two} with two");
}

#[rstest]
#[case::unknown("[{ to: dbb }]", "did you mean `db`?")]
#[case::no_list("{ to: db }", "`calls` must be a list")]
#[case::no_service("[{ share: 10% }]", "to")]
#[case::misspelt("[{ to: db, shar: 10% }]", "did you mean `share`?")]
#[case::too_many("[{ to: db, count: 2000 }]", "`count` must be from 1 to 1000, not 2000")]
#[case::none_at_all("[{ to: db, count: 0 }]", "`count` must be from 1 to 1000, not 0")]
#[case::more_than_all("[{ to: db, share: 120% }]", "more than")]
#[case::without_end("[{ to: web }]", "leads to more than 1000 calls")]
#[case::together_with_nothing("[{ together: db }]", "`together` must be a list")]
#[case::together_with_more("[{ together: [{ to: db }], share: 10% }]", "share")]
fn bad_calls_are_reported(#[case] calls: &str, #[case] words: &str) {
    let error = read(&shop("", calls, "")).err().unwrap();
    assert!(error.contains(words), "{error}");
    assert_eq!(error.matches("error:").count(), 1, "{error}");
}

#[test]
fn a_service_needs_a_workload_or_a_caller() {
    let error = read(&shop("", "[{ to: db }]", "").replace(CALLED, "")).err().unwrap();
    assert!(error.contains("no workload") && error.contains("name: log"), "{error}");
    assert_eq!(error.matches("error:").count(), 1, "{error}");
}

/// What is assumed is said, and what cannot be known is not bounded.
#[test]
fn calls_are_told() {
    let scenario = read(&shop("", "[{ to: db, share: 30%, network: 1ms }, { to: log, wait: false }]", "")).unwrap();
    let said = assumptions(&scenario).join("\n");
    let sentence = "After its own work, a request of web calls db with a probability of 30%, and keeps its slot until it is answered; each \
                    way takes 1ms.";
    assert!(said.contains(sentence), "{said}");
    assert!(said.contains("a request of web calls log, and does not wait for an answer."), "{said}");
    assert!(!said.contains("calls between services"), "{said}");
}

/// Where the requests of a service come from that has no workload of its own.
#[test]
fn callers_are_told_as_the_source_of_requests() {
    let scenario = read(&shop("", "[{ to: db }]", "")).unwrap();
    let outcome = experiment::run(&scenario, "", 1, &|_, _| ()).unwrap();
    let told: Vec<&TrafficSource> = outcome.traffic.iter().map(|traffic| &traffic.source).collect();
    assert!(matches!(told[..], [TrafficSource::Generated { .. }, TrafficSource::Called, TrafficSource::Called, _]));
    let asked = words(&outcome).asked;
    assert!(asked.contains(&"Requests to db come from other services only.".to_string()), "{asked:?}");
}

/// Services that call each other, in a world where replicas crash, zones are lost, clients give up and try again.
fn wild() -> impl Strategy<Value = String> {
    let call =
        (0..3_usize, 5..=60_u32, 1..=2_u32, any::<bool>(), 0..3_u32).prop_map(|(to, share, count, wait, delay)| {
            format!("{{ to: s{to}, share: {}%, count: {count}, wait: {wait}, network: {delay}ms }}", share / 5)
        });
    let calls = prop::collection::vec(call, 0..4).prop_map(|calls| match calls.len() {
        3 => format!("[{}, {{ together: [{}, {}] }}]", calls[0], calls[1], calls[2]),
        _ => format!("[{}]", calls.join(", ")),
    });
    let patience = prop_oneof![
        Just(String::new()),
        (5..200_u32, 0..3_usize).prop_map(|(after, work)| {
            let work = ["finish", "cancel", "cancel-waiting"][work];
            format!(", timeout: {{ after: {after}ms, work: {work} }}")
        })
    ];
    let retry = prop_oneof![
        Just(String::new()),
        (2..4_u32).prop_map(|attempts| format!(", retry: {{ attempts: {attempts}, backoff: 20ms, budget: 50% }}")),
    ];
    let serving = prop_oneof![
        (1..4_u32).prop_map(|slots| format!("concurrency: {slots}")),
        (2..5_u32).prop_map(|size| format!("service-model: {{ batch: {{ size: {size}, max-delay: 4ms }} }}")),
        Just("concurrency: 6, service-model: processor-sharing, resources: { limits: { cpu: 2 } }".to_string()),
    ];
    let platform = prop_oneof![
        Just(""),
        Just(", platform: { scale-to-zero: { idle: 1s, check-every: 300ms, hold: 5, hold-for: 700ms } }"),
    ];
    let service = (calls, patience, retry, (serving, platform), 0..8_u32, 5..60_u32, any::<bool>()).prop_map(
        |(calls, patience, retry, (serving, platform), queue, time, crashes)| {
            let crash = if crashes { ", crash-after: { exponential: { mean: 7s } }, start-up: 500ms" } else { "" };
            format!(
                "replicas: 3, {serving}, queue-limit: {queue}, grace-period: 300ms, service-time: {{ exponential: {{ mean: {time}ms \
                 }} }}, calls: {calls}{patience}{retry}{crash}{platform}"
            )
        },
    );
    (prop::collection::vec(service, 3), any::<bool>()).prop_map(|(services, outage)| {
        let list: String = services
            .iter()
            .enumerate()
            .map(|(n, service)| {
                format!("  - {{ name: s{n}, workload: {{ poisson: {{ rate: {}/s }} }}, {service} }}\n", [30.0, 0.5, 10.0][n])
            })
            .collect();
        let faults = if outage {
            "zones: [a, b]\nfaults: [{ zone-outage: { zone: a, at: 4s, for: 3s } }]\nlost-nodes: { noticed-after: 1s, evicted-after: 1s }\n"
        } else {
            ""
        };
        format!(
            "duration: 20s\ninterval: 5s\nwarm-up: 2s\nmetrics: {{ interval: 1s }}\nobjectives: [{{ latency: {{ within: 80ms, target: 99% }} }}]\n\
             {faults}services:\n{list}policies: {{ one: {{ hpa: {{ min: 1, max: 5, target: {{ in-flight: 1 }} }} }} }}\n"
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// The engine checks its laws itself; a run is the same again, and nothing but calls adds to the arrivals.
    #[test]
    fn the_laws_hold_whatever_calls_what(text in wild()) {
        let scenario = read(&text);
        prop_assume!(scenario.as_ref().err().is_none_or(|error| !error.contains("leads to more than")));
        let scenario = scenario.unwrap_or_else(|error| panic!("{error}\n{text}"));
        let once = scenario.simulation(0, 0).unwrap().run(&mut |_| ()).unwrap();
        let again = scenario.simulation(0, 0).unwrap().run(&mut |_| ()).unwrap();
        prop_assert_eq!(format!("{once:?}"), format!("{again:?}"));
        for service in &once.services {
            let causes = &service.objectives[0].causes;
            prop_assert!(service.objectives[0].total >= causes.total());
        }
    }
}
