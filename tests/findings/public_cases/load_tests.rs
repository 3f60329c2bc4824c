//! Public cases K1 and K14: results of load-test tools. A request arrives at its start, and its response time is its
//! demand.

use rstest::rstest;

use super::samples::{self, GATLING, JMETER, K6_CSV, K6_JSON};
use crate::findings::trial::Trial;

/// Converts a trace and reads the rows back: time after the first arrival and demand in nanoseconds, class.
fn rows(text: &str, arguments: &str) -> Vec<(u64, u64, String)> {
    let trial = Trial::new(&[("t", text)]);
    trial.expect(&format!("trace convert t out.csv {arguments}"), 0);
    let written = trial.read("out.csv");
    let mut lines = written.lines().filter(|line| !line.starts_with('#'));
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let column = |name: &str| names.iter().position(|known| *known == name);
    let (time, demand, class) = (column("offset_ns").unwrap(), column("demand_ns"), column("class"));
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let number = |column: Option<usize>| column.map_or(0, |column| cells[column].parse().unwrap());
        (number(Some(time)), number(demand), class.map_or(String::new(), |class| cells[class].to_string()))
    };
    lines.map(row).collect()
}

fn inspect(text: &str, arguments: &str, code: i32) -> String {
    Trial::new(&[("t", text)]).expect(&format!("trace inspect t {arguments}"), code)
}

const MS: u64 = 1_000_000;

#[test]
fn every_sample_is_recognised() {
    let plain = samples::ALL.iter().map(|(format, text)| (*format, *text, ""));
    for (format, text, arguments) in plain.chain(samples::ASKED.iter().copied()) {
        let shown = inspect(text, arguments, 0);
        assert!(shown.contains(&format!("format        {format} (plain)")), "{format}: {shown}");
        assert!(shown.contains("0.000% unusable"), "{format}: {shown}");
    }
}

#[rstest]
// The second request took 1.5 s until 10:00:01, so it began before the first one, at 09:59:59.5.
#[case::k6_csv(K6_CSV, &[(0, 1_500_000), (254_410, 245_590)])]
#[case::k6_json(K6_JSON, &[(0, 550_000), (49_750, 400_250)])]
#[case::gatling(GATLING, &[(0, 100_000), (200_000, 150_000)])]
#[case::jmeter(JMETER, &[(0, 2_000_000), (1_000_000, 120_000), (1_130_000, 80_000)])]
fn requests_come_at_their_start_and_are_sorted(#[case] text: &str, #[case] expected: &[(u64, u64)]) {
    let found: Vec<(u64, u64)> = rows(text, "").iter().map(|(time, demand, _)| (time / 1000, demand / 1000)).collect();
    assert_eq!(found, expected, "microseconds");
}

#[rstest]
#[case::requests_by_status(K6_CSV, "--include status=200", 1)]
#[case::of_a_scenario(K6_CSV, "--exclude scenario=warm", 1)]
#[case::another_metric(K6_CSV, "--metric iteration_duration", 1)]
#[case::ends_alone(K6_CSV, "--metric http_reqs", 2)]
#[case::tags(K6_JSON, "--include status=500", 1)]
#[case::of_a_group(GATLING, "--include group=cart*", 1)]
#[case::without_failures(GATLING, "--exclude status=KO", 1)]
#[case::by_label(JMETER, "--exclude label=*slow", 2)]
#[case::transactions(JMETER, "--include responseMessage=Number*", 1)]
fn rows_are_chosen(#[case] text: &str, #[case] arguments: &str, #[case] expected: usize) {
    assert_eq!(rows(text, arguments).len(), expected);
}

#[test]
fn other_metrics_of_k6_are_distinguished() {
    let shown = inspect(K6_CSV, "--metric vus", 0);
    assert!(shown.contains("k6 (plain), levels") && shown.contains("most 4"), "{shown}");
    let shown = inspect(K6_CSV, "--metric http_req_waiting", 2);
    assert!(shown.contains("samples of `http_req_waiting` are not requests"), "{shown}");
    let without: String =
        K6_CSV.lines().filter(|line| !line.contains("_duration")).map(|line| format!("{line}\n")).collect();
    let shown = inspect(&without, "", 2);
    assert!(shown.contains("no samples of `http_req_duration`") && shown.contains("http_reqs, vus"), "{shown}");
    assert!(inspect(K6_CSV, "", 0).contains("K6_CSV_TIME_FORMAT=unix_milli"));
    let in_millis = K6_CSV.replace(",1772445600,", ",1772445600250,").replace(",1772445601,", ",1772445601500,");
    assert!(!inspect(&in_millis, "", 0).contains("unix_milli"));
    assert_eq!(rows(&in_millis, "")[0].0 / MS, 0);
}

#[test]
fn transactions_of_jmeter_are_not_counted_beside_their_requests() {
    assert!(inspect(JMETER, "", 0).contains("rows of transactions are passed over"));
    // `Generate parent sample`: only transactions are written.
    let parents: String = JMETER
        .lines()
        .filter(|line| line.starts_with("time") || line.contains("Number of"))
        .map(|line| format!("{line}\n"))
        .collect();
    let shown = inspect(&parents, "", 0);
    assert!(shown.contains("1 used") && shown.contains("each row is a transaction"), "{shown}");
    assert_eq!(rows(&parents, ""), [(0, 210 * MS, String::new())]);
    // `sampleresult.timestamp.start=false`: the time is the end.
    let ends = rows(JMETER, "--elapsed elapsed");
    assert_eq!(ends[0].1, 2000 * MS, "{ends:?}");
    assert_eq!(ends[1].0, 2880 * MS, "{ends:?}");
    // Fields separated by a tab or a semicolon, and dates.
    let other =
        JMETER.replace(',', ";").replace("1772445600000", "2026/03/02 10:00:00.000").replace("2; number", "2, number");
    let other =
        other.replace("1772445600130", "2026/03/02 10:00:00.130").replace("1772445599000", "2026/03/02 09:59:59.000");
    assert_eq!(rows(&other, "").len(), 3);
}

#[test]
fn classes_come_from_any_column() {
    let classes = |text: &str, column: &str| -> Vec<String> {
        rows(text, &format!("--class {column}")).into_iter().map(|(_, _, class)| class).collect()
    };
    assert_eq!(classes(K6_CSV, "scenario"), ["warm", "default"]);
    assert_eq!(classes(GATLING, "name"), ["request_1", "request_2"]);
    assert_eq!(classes(JMETER, "label"), ["GET /slow", "GET /login", "GET /home"]);
}

#[test]
fn logs_of_other_versions_of_gatling() {
    for (from, to) in [
        // 3.0 to 3.3: the user's number precedes the group.
        ("REQUEST\t", "REQUEST\t7\t"),
        // 2.x: the scenario precedes that.
        ("REQUEST\t", "REQUEST\tS\t7\t"),
    ] {
        let found = rows(&GATLING.replace(from, to), "--class name --include group=cart*");
        assert_eq!(found, [(0, 150 * MS, "request_2".into())]);
    }
    let trial = Trial::new(&[]);
    std::fs::write(trial.path("t"), b"\0\0\0\0\x063.13.1\0\0\0\0\x0dexample.Basic\0").unwrap();
    let shown = trial.expect("trace inspect t", 2);
    assert!(shown.contains("binary log of Gatling (3.12 or later)") && shown.contains("columns:"), "{shown}");
}

#[test]
fn a_run_replays_a_load_test() {
    let scenario = "workload: { trace: t }\nservice: { name: web, concurrency: 4, service-time: 1ms }\npolicies: { one: { static: { \
                    replicas: 1 } } }\n";
    for text in [K6_CSV, K6_JSON, JMETER, GATLING] {
        let trial = Trial::new(&[("t", text), ("s.yaml", scenario)]);
        let summary = trial.summary("s.yaml", "");
        assert!(summary.to_string().contains("\"arrived\""), "{summary}");
    }
}
