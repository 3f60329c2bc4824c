//! `trace fit --cpu`: CPU per request from the cores in use and the requests per second.

use rstest::rstest;
use serde_json::Value;

use super::super::trial::Trial;

const START: u64 = 1_772_445_600;

/// A repeatable number from -1 to 1 that looks drawn (the golden ratio's multiples).
fn noise(n: u64) -> f64 {
    (n as f64 * 0.618_033_988_75).fract() * 2.0 - 1.0
}

/// Requests per second over four hours: 0.2 to 1.8.
fn rate(n: u64) -> f64 {
    1.0 + 0.8 * (n as f64 / 20.0).sin()
}

/// A Prometheus answer of one series a minute.
fn answer(labels: &str, from: u64, value: impl Fn(u64) -> f64) -> String {
    let values: Vec<String> = (0..240).map(|n| format!("[{},\"{}\"]", START + from + n * 60, value(n))).collect();
    format!("{{\"metric\":{{{labels}}},\"values\":[{}]}}", values.join(","))
}

fn matrix(series: &[String]) -> String {
    format!("{{\"status\":\"success\",\"data\":{{\"resultType\":\"matrix\",\"result\":[{}]}}}}", series.join(","))
}

fn requests() -> String {
    matrix(&[answer("", 0, rate)])
}

/// 500 ms a request and 0.4 cores besides, noise of 0.05 cores, and a backup of two cores for ten minutes.
fn cores(n: u64) -> f64 {
    0.4 + 0.5 * rate(n) + 0.05 * noise(n) + if (100..110).contains(&n) { 2.0 } else { 0.0 }
}

fn fit(cpu: &str, more: &str, code: i32) -> String {
    let trial = Trial::new(&[("requests.json", &requests()), ("cpu", cpu)]);
    trial.expect(&format!("trace fit requests.json --values rate --cpu cpu {more}"), code)
}

#[test]
fn the_slope_is_the_cpu_per_request_and_the_rest_is_idle() {
    let shown = fit(&matrix(&[answer("", 0, cores)]), "", 0);
    let line = shown.lines().find(|line| line.starts_with("  cpu-per-request: ")).unwrap_or_else(|| panic!("{shown}"));
    let value: f64 = line.trim_start_matches("  cpu-per-request: ").trim_end_matches("ms").parse().unwrap();
    assert!((value - 500.0).abs() < 10.0, "{shown}");
    assert!(
        shown.contains("# cpu-per-request: 95% interval 4") || shown.contains("# cpu-per-request: 95% interval 5"),
        "{shown}"
    );
    assert!(
        shown.contains("steps of 1m")
            && shown.contains("Theil-Sen")
            && shown.contains("# idle CPU, of all replicas together: 0.4"),
        "{shown}"
    );
}

#[rstest]
// Two pods, each with half of it.
#[case::pods(matrix(&[answer("\"pod\":\"a\"", 0, |n| cores(n) / 2.0), answer("\"pod\":\"b\"", 0, |n| cores(n) / 2.0)]), "")]
// A counter of CPU seconds.
#[case::counter(
    matrix(&[answer("\"__name__\":\"container_cpu_usage_seconds_total\"", 0, |n| 60.0 * (0..=n).map(cores).sum::<f64>())]),
    ""
)]
// A table with one column of cores, and one with a column per pod.
#[case::table((0..240).fold(String::from("time,cpu\n"), |text, n| text + &format!("{},{:.6}\n", START + n * 60, cores(n))), "")]
#[case::wide((0..240).fold(String::from("time,a,b\n"), |text, n| text + &format!("{},{:.6},0.1\n", START + n * 60, cores(n) - 0.1)), "")]
#[case::column((0..240).fold(String::from("time,a,b\n"), |text, n| text + &format!("{},{:.6},7.5\n", START + n * 60, cores(n))), "--cpu-metric a")]
fn cpu_is_read_as_it_is_exported(#[case] cpu: String, #[case] more: &str) {
    let results: Value = serde_json::from_str(&fit(&cpu, &format!("{more} --format json"), 0)).unwrap();
    let found = &results["cpu"];
    let figure = |name: &str| found[name].as_f64().unwrap_or_else(|| panic!("{name}: {found}"));
    assert!((figure("cpu_per_request_s") - 0.5).abs() < 0.01, "{found}");
    assert!(figure("cpu_per_request_low_s") < 0.5 && 0.5 < figure("cpu_per_request_high_s"), "{found}");
    assert!(
        (figure("idle_cores") - 0.4).abs() < 0.02 && figure("steps") > 230.0 && figure("step_s") == 60.0,
        "{found}"
    );
}

#[rstest]
#[case::elsewhere(matrix(&[answer("", 86_400, cores)]), "has 0 steps in common with the requests", "--time-zone")]
#[case::falling(matrix(&[answer("", 0, |n| 2.0 - 0.5 * rate(n))]), "does not clearly grow with the requests", "of the same service")]
#[case::unrelated(matrix(&[answer("", 0, |n| 1.0 + noise(n))]), "does not clearly grow with the requests", "of the same service")]
fn what_gives_no_line_is_refused(#[case] cpu: String, #[case] question: &str, #[case] help: &str) {
    let shown = fit(&cpu, "", 2);
    assert!(shown.contains(question) && shown.contains(help), "{shown}");
}

#[test]
fn a_steady_rate_tells_nothing() {
    let steady = matrix(&[answer("", 0, |n| 1.0 + 0.01 * noise(n))]);
    let trial =
        Trial::new(&[("requests.json", &steady), ("cpu", &matrix(&[answer("", 0, |n| 1.0 + 0.01 * noise(n))]))]);
    let shown = trial.expect("trace fit requests.json --values rate --cpu cpu", 2);
    assert!(
        shown.contains("the rate of the requests hardly varies") && shown.contains("quiet and busy hours"),
        "{shown}"
    );
}
