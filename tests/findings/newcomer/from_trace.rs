//! Newcomer 20: rows of a log may have their own service times, possibly not all of them.

use plimsoll::config::Diagnostics;
use plimsoll::engine::ServiceRecord;
use plimsoll::experiment::assumptions;
use plimsoll::scenario::Scenario;
use plimsoll::units::SimDuration;

use crate::findings::trial::Trial;

/// A log of 600 requests, one per second, that take 40, 80, 200 and 80 ms in turn; every hundredth was not passed on.
fn log() -> String {
    let line = |i: usize| {
        let took = ["0.040", "0.080", "0.200", "0.080"][i % 4];
        let passed = match i % 100 {
            99 => "-",
            49 => "0.030, 0.050",
            _ => took,
        };
        let (minute, second) = (i / 60, i % 60);
        format!("::1 [24/Oct/2026:18:{minute:02}:{second:02} +0000] \"GET / HTTP/1.1\" 200 {took} {passed}\n")
    };
    (0..600).map(line).collect()
}

const FORMAT: &str =
    "log-format: '$remote_addr [$time_local] \"$request\" $status $request_time $upstream_response_time'";

fn scenario(workload: &str, service_time: &str, service: &str) -> String {
    format!(
        "workload: {{ trace: log, {workload} }}\n\
         service:\n  {{ replicas: 2, resources: {{ requests: {{ cpu: 1, memory: 1Gi }} }}, concurrency: 4, service-time: {service_time}{service} }}\n\
         objectives: [ {{ latency: {{ within: 500ms, target: 98% }} }} ]\n\
         policies: {{ s: {{ static: {{ replicas: 2 }} }} }}\n"
    )
}

fn trial(workload: &str, service_time: &str, service: &str) -> Trial {
    Trial::new(&[("log", &log()), ("s.yaml", &scenario(workload, service_time, service))])
}

/// The results of a run for the service, its assumptions, and its notes about the trace.
fn played(trial: &Trial) -> (ServiceRecord, Scenario) {
    let mut sink = Diagnostics::new();
    let scenario = Scenario::read(&trial.path("s.yaml"), &[], &mut sink).unwrap_or_else(|| panic!("{sink}"));
    let record = scenario.simulation(0, 0).unwrap().run(&mut |_| ()).unwrap();
    (record.services.into_iter().next().unwrap(), scenario)
}

/// In whole milliseconds.
fn millis(duration: Option<SimDuration>) -> u64 {
    (duration.unwrap().as_secs_f64() * 1e3).round() as u64
}

#[test]
fn the_recorded_duration_is_the_service_time() {
    let trial = trial(FORMAT, "from-trace", ", cpu-per-request: 20ms");
    let (record, scenario) = played(&trial);
    // Two replicas of four slots, no waiting: the service time of a request is its recorded duration.
    let times = [record.sojourn.min(), record.sojourn.quantile(0.5), record.sojourn.max()].map(millis);
    assert_eq!(times, [40, 80, 200]);
    assert_eq!(record.service.sum_nanos(), 599 * 100_000_000 + 100_000_000, "the sum of what the log says");
    let cpu = record.cpu_utilization.unwrap();
    assert!((cpu - 0.01).abs() < 0.0002, "1 request a second uses 20 ms of 2 CPU: {cpu}");
    let said = assumptions(&scenario).join("\n");
    assert!(said.contains("mean 100 ms, median 80 ms, 99th percentile 200 ms"), "{said}");
    assert!(said.contains("waited in the recorded system"), "{said}");
    let said = trial.expect("check s.yaml --explain --format json", 0);
    assert!(said.contains("recorded of each request, one of 600 measured values with mean 100 ms"), "{said}");
}

#[test]
fn requests_without_a_duration_are_counted_and_asked_for() {
    let workload = format!("{FORMAT}, columns: {{ demand: upstream_response_time }}");
    let said = trial(&workload, "from-trace", "").expect("check s.yaml", 2);
    assert!(said.contains("log: 6 of 600 requests (1.00%) have no duration"), "{said}");
    assert!(said.contains("s.yaml:3:") && said.contains("otherwise: 120ms"), "{said}");
    let stated = trial(&workload, "{ from-trace: { otherwise: 1s } }", ", cpu-per-request: 20ms");
    let said = stated.expect("check s.yaml", 0);
    assert!(said.contains("6 requests (1.00%) have no duration"), "{said}");
    let (record, scenario) = played(&stated);
    assert_eq!(millis(record.sojourn.max()), 1000);
    assert!((record.cpu_utilization.unwrap() - 0.01).abs() < 0.0003, "20 ms is what the mean request uses");
    let said = assumptions(&scenario).join("\n");
    assert!(said.contains("1.00% of its requests have none: theirs is always 1 s."), "{said}");
}

/// 1% of `-` used to be bad rows, at the limit of the allowed share, although the service states a substitute.
#[test]
fn a_stated_service_time_stands_in_where_the_log_has_none() {
    let workload = format!("{FORMAT}, columns: {{ demand: upstream_response_time }}");
    let (record, _) = played(&trial(&workload, "1s", ", cpu-per-request: 20ms"));
    assert_eq!((record.counts.arrived, millis(record.sojourn.max())), (600, 1000));
    // 20 ms is the CPU time of the log's mean request, not that of a request of one second.
    let cpu = record.cpu_utilization.unwrap();
    assert!((cpu - 0.01).abs() < 0.0003, "{cpu}");
}

#[test]
fn a_trace_without_durations_is_refused_with_advice() {
    let combined: String =
        (0..60).map(|i| format!("::1 - - [24/Oct/2026:18:00:{i:02} +0000] \"GET / HTTP/1.1\" 200 17\n")).collect();
    let text = "workload: { trace: log }\nservice: { concurrency: 4, service-time: from-trace }\npolicies: { s: { static: { replicas: 2 } } }\n";
    let said = Trial::new(&[("log", &combined), ("s.yaml", text)]).expect("check s.yaml", 2);
    assert!(said.contains("log records no durations") && said.contains("`log-format:`"), "{said}");
    let counts = "time,count\n2026-03-02 10:00:00,12\n2026-03-02 10:01:00,13\n";
    let said = Trial::new(&[("log", counts), ("s.yaml", text)]).expect("check s.yaml", 2);
    assert!(said.contains("log records no durations") && said.contains("counts and levels have none"), "{said}");
    let generated = text.replace("trace: log", "poisson: 3/s, transforms: [{ window: { from: 0s, to: 10m } }]");
    let said = Trial::new(&[("s.yaml", &generated)]).expect("check s.yaml", 2);
    assert!(said.contains("these requests come from a generator"), "{said}");
    let zeros = log().replace("0.040 ", "0 ").replace("0.080 ", "0 ").replace("0.200 ", "0 ");
    let said =
        Trial::new(&[("log", &zeros), ("s.yaml", &scenario(FORMAT, "from-trace", ""))]).expect("check s.yaml", 2);
    assert!(said.contains("every duration is zero"), "{said}");
    let said = trial(FORMAT, "{ from-trace: { otherwise: 1s, otherwse: 1s } }", "").expect("check s.yaml", 2);
    assert!(said.contains("did you mean `otherwise`?"), "{said}");
}

/// Additional requests have the duration of their original, also at many times the traffic and after time scaling;
/// plans and bounds are based on the same requests.
#[test]
fn transforms_keep_durations_and_plans_count_by_them() {
    let transforms =
        "transforms: [{ time-warp: 0.5 }, { overlay: [{ at: 100s, factor: 3, for: 100s }] }, { scale-rate: 2 }]";
    let trial = trial(&format!("{FORMAT}, {transforms}"), "from-trace", "");
    let (record, scenario) = played(&trial);
    assert!(record.counts.arrived > 1_000, "{}", record.counts.arrived);
    assert_eq!((millis(record.service.min()), millis(record.service.max())), (40, 200));
    assert!((record.service.mean_secs().unwrap() - 0.1).abs() < 0.004, "{:?}", record.service.mean_secs());
    let loads = scenario.step_loads(0, 0, SimDuration::from_secs(60)).unwrap();
    let seconds: f64 = loads.iter().map(|load| load.demand).sum();
    assert!((seconds - record.service.sum_nanos() as f64 / 1e9).abs() < 1e-3, "{seconds}");
}

/// A part of another trace without durations: its requests draw theirs from the recorded ones.
#[test]
fn inserted_requests_draw_from_recorded_durations() {
    let other: String = (0..100).map(|i| format!("{}.5,7\n", i * 2)).collect();
    let splice = "transforms: [{ splice: { trace: other, columns: { time: time }, rows: requests, to: 200s, at: 100s, mode: add } }]";
    let text = scenario(&format!("{FORMAT}, {splice}"), "from-trace", "");
    let trial = Trial::new(&[("log", &log()), ("other", &format!("time,n\n{other}")), ("s.yaml", &text)]);
    let (record, _) = played(&trial);
    assert_eq!((record.counts.arrived, millis(record.service.max())), (700, 200));
    assert!((record.service.mean_secs().unwrap() - 0.1).abs() < 0.004, "{:?}", record.service.mean_secs());
}
