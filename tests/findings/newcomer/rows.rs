//! Events outside the run, conditions that no row meets, late suffixes, and rows that are slightly out of order.

use rstest::rstest;

use super::super::trial::Trial;
use super::events::evening;

const REST: &str = "service: { replicas: 2, concurrency: 8, service-time: 20ms }
policies: { fixed: { static: { replicas: 2 } } }
";

#[rstest]
#[case(
    "faults: [ { zone-outage: { zone: a, at: 2h, for: 1m } } ]",
    "the zone-outage 2h after the start is after the end"
)]
#[case(
    "faults: [ { metrics-outage: { from: 2h, for: 1m } } ]",
    "the metrics-outage 2h after the start is after the end"
)]
#[case("faults: [ { restart: { at: 2027-11-27 20:00 } } ]", "the restart 365d2h after the start is after the end")]
#[case("w: [ { overlay: [ { at: 3h, factor: 2, for: 5m } ] } ]", "the event 3h after the start is after the end")]
#[case("w: [ { overlay: [ { at: 2027-11-27 20:00, factor: 2, for: 5m } ] } ]", "the event 365d2h after the start is")]
#[case("w: [ { overlay: [ { at: 2025-11-27 20:00, factor: 2, for: 5m } ] } ]", "is before the run, and does nothing")]
fn what_is_outside_the_run_is_warned_about(#[case] what: &str, #[case] expected: &str) {
    let (steps, faults) = match what.strip_prefix("w:") {
        Some(steps) => (format!(", transforms: {steps}"), ""),
        None => (String::new(), what),
    };
    let text = format!(
        "duration: 10m\ntime-zone: America/New_York\nworkload: {{ nhpp: {{ season: {{ rate: 1/s }}, start: 2026-11-27T18:00, for: 10m }}{steps} }}\n{faults}\n{REST}"
    );
    let trial = Trial::new(&[("s.yaml", &text)]);
    for command in ["check s.yaml", "run s.yaml --out out"] {
        let said = trial.expect(command, 0);
        assert!(said.contains("warning") && said.contains(expected), "{command}: {said}");
        assert!(said.contains("from 2026-11-27T18:00:00-05:00 to 2026-11-27T18:10:00-05:00"), "{said}");
    }
}

#[test]
fn an_event_outside_the_run_is_refused_as_a_variation() {
    let text = format!("duration: 10m\nworkload: {{ poisson: {{ rate: 1/s }} }}\n{REST}");
    let trial = Trial::new(&[("s.yaml", &text)]);
    let said = trial.expect("whatif s.yaml --event at=3h,factor=5,for=1h", 2);
    assert!(said.contains("the event 3h after the start is after the end of the run, which lasts 10m"), "{said}");
}

#[test]
fn an_event_within_the_run_is_not_warned_about() {
    let text = format!(
        "duration: 10m\nworkload: {{ poisson: {{ rate: 1/s }}, transforms: [ {{ overlay: [ {{ at: 5m, factor: 2, for: 1h }} ] }} ] }}\nfaults: [ {{ restart: {{ at: 9m }} }} ]\n{REST}"
    );
    let said = Trial::new(&[("s.yaml", &text)]).expect("check s.yaml", 0);
    assert!(!said.contains("does nothing"), "{said}");
}

#[test]
fn statuses_are_split_at_commas_and_conditions_without_a_row_are_named() {
    let log = evening().replacen("\" 200 5", "\" 429 5", 30).replace("GET / ", "GET /healthz/x ");
    let yaml = format!("workload: {{ trace: arr.log, exclude: {{ status: '429,499', path: healthz }} }}\n{REST}");
    let trial = Trial::new(&[("arr.log", &log), ("s.yaml", &yaml)]);
    let said = trial.expect("trace inspect arr.log --exclude status=429,499 --exclude path=healthz", 0);
    assert!(said.contains("870 used") && said.contains("30 rows"), "{said}");
    assert!(said.contains("`exclude: { path: healthz }` matched no row") && !said.contains("429,499"), "{said}");
    for command in ["check s.yaml", "run s.yaml --out out"] {
        let said = trial.expect(command, 0);
        assert!(said.contains("`exclude: { path: healthz }` matched no row"), "{command}: {said}");
    }
    let report = std::fs::read_dir(trial.path("out")).unwrap().map(|entry| entry.unwrap().path().join("report.html"));
    let report = report.filter(|path| path.is_file()).map(|path| std::fs::read_to_string(path).unwrap());
    assert!(report.into_iter().all(|text| text.contains("matched no row")));
}

#[test]
fn a_suffix_that_first_occurs_late_is_read() {
    let mut text = String::from("Time,requests\n");
    for minute in 0..300 {
        let requests = if minute == 250 { "2.05 K".to_string() } else { "100".to_string() };
        text += &format!("2026-11-27T{:02}:{:02}:00Z,{requests}\n", minute / 60, minute % 60);
    }
    let said = Trial::new(&[("k.csv", &text)]).expect("trace inspect k.csv --count requests", 0);
    assert!(said.contains("300 used") && said.contains("sum 31950"), "{said}");
}

/// Rows a second apart, of which row 300 is `back` seconds before the one before it.
fn slightly_out_of_order(back: u64) -> String {
    let row = |index: u64| if index == 300 { 299 - back } else { index };
    let line = |second: u64| {
        format!("10.0.0.1 - - [27/Nov/2026:10:{:02}:{:02} +0000] \"GET / HTTP/1.1\" 200 5\n", second / 60, second % 60)
    };
    (0..600).map(|index| line(row(index))).collect()
}

#[test]
fn the_suggested_window_is_the_step_back() {
    let log = slightly_out_of_order(2);
    let before = log.replace("27/Nov", "26/Nov").replacen("10:04:57", "10:05:00", 2);
    let trial = Trial::new(&[
        ("a.log", &log),
        ("b.log", &before.lines().take(290).map(|line| format!("{line}\n")).collect::<String>()),
        ("s.yaml", &format!("workload: {{ trace: a.log }}\n{REST}")),
        ("fit.yaml", &format!("workload: {{ trace: a.log, reorder: 3s }}\n{REST}")),
        ("two.yaml", &format!("workload: {{ trace: [b.log, a.log] }}\n{REST}")),
    ]);
    let said = trial.expect("run s.yaml", 2);
    assert!(said.contains("go back by 2s") && said.contains("`reorder: 3s` under `workload:`"), "{said}");
    trial.expect("check fit.yaml", 0);
    let said = trial.expect("run two.yaml", 2);
    assert!(said.contains("a.log:301") && said.contains("`reorder: 3s`"), "{said}");
}

#[test]
fn a_log_with_durations_is_sorted_by_its_starts() {
    let line = |row: u64| {
        let took = if row % 7 == 3 { "2.500" } else { "0.010" };
        let (minute, second) = (row / 60, row % 60);
        format!("10.0.0.1 [27/Nov/2026:10:{minute:02}:{second:02} +0000] \"GET / HTTP/1.1\" 200 {took}\n")
    };
    let log: String = (0..600).map(line).collect();
    let yaml = format!(
        "workload: {{ trace: n.log, log-format: '$remote_addr [$time_local] \"$request\" $status $request_time' }}\n{REST}"
    );
    let trial = Trial::new(&[("n.log", &log), ("s.yaml", &yaml)]);
    trial.expect("run s.yaml --out out", 0);
}

#[test]
fn a_zone_without_a_name_is_not_suggested() {
    let text = format!(
        "duration: 10m\nworkload: {{ poisson: {{ rate: 1/s }} }}\nnodes: {{ count: 2, instance: m7i.large }}\nfaults: [ {{ zone-outage: {{ zone: a, at: 2m, for: 1m }} }} ]\n{}",
        REST.replace("20ms }", "20ms, resources: { requests: { cpu: 500m, memory: 1Gi } } }")
    );
    let said = Trial::new(&[("s.yaml", &text)]).expect("check s.yaml", 2);
    assert!(
        said.contains("there is no zone `a`") && !said.contains("``") && said.contains("zones: [a, b, c]"),
        "{said}"
    );
}
