//! Events and losses by the clock of the scenario or of the log.

use rstest::rstest;

use super::super::trial::Trial;

const REST: &str = "service: { replicas: 4, concurrency: 8, service-time: 20ms, start-up: { ready: 10s } }
objectives: [ { latency: { within: 500ms, target: 99% } } ]
policies: { fixed: { static: { replicas: 4 } } }
";

/// An access log from 18:00 to 23:00 five hours west of Greenwich: one request every 20 s.
pub fn evening() -> String {
    let line = |second: u64| {
        let (hour, minute) = (18 + second / 3600, second / 60 % 60);
        let second = second % 60;
        format!("10.0.0.1 - - [27/Nov/2026:{hour}:{minute:02}:{second:02} -0500] \"GET / HTTP/1.1\" 200 5\n")
    };
    (0..5 * 180).map(|row| line(row * 20)).collect()
}

fn trial() -> Trial {
    let log = format!("workload: {{ trace: arr.log }}\ninterval: 30m\n{REST}");
    let told = format!(
        "time-zone: America/New_York\ninterval: 30m\nworkload: {{ nhpp: {{ season: {{ rate: 1/s }}, start: 2026-11-27T18:00, for: 5h }} }}\n{REST}"
    );
    Trial::new(&[("arr.log", &evening()), ("log.yaml", &log), ("told.yaml", &told)])
}

/// The requests of each half hour in the report of a variation.
fn half_hours(trial: &Trial, scenario: &str, event: &str) -> Vec<u64> {
    trial.expect(&format!("whatif {scenario}.yaml {event} --replications 2 --quiet --out out"), 0);
    let out = trial.path(&format!("out/{scenario}-whatif"));
    let report = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path());
    let varied = report.into_iter().find(|path| path.file_name().unwrap().to_str().unwrap().starts_with("1-"));
    let csv = std::fs::read_to_string(varied.unwrap().join("timeline.csv")).unwrap();
    let mut lines = csv.lines();
    let column = lines.next().unwrap().split(',').position(|name| name == "arrived").unwrap();
    lines.map(|line| line.split(',').nth(column).unwrap().parse::<f64>().unwrap() as u64).collect()
}

#[rstest]
#[case::offset_of_the_log("log", "at=20:00,factor=5,for=30m")]
#[case::zone_of_the_scenario("told", "at=20:00,factor=5,for=30m")]
fn an_event_is_by_the_clock_of_the_run(#[case] scenario: &str, #[case] event: &str) {
    let trial = trial();
    let found = half_hours(&trial, scenario, &format!("--event {event}"));
    let usual = found[0] as f64;
    // 20:00 is two hours after the start.
    assert!((found[4] as f64 / usual - 5.0).abs() < 0.6, "{found:?}");
    assert!(found[5..10].iter().all(|count| (*count as f64 / usual - 1.0).abs() < 0.3), "{found:?}");
}

#[test]
fn an_event_may_have_a_date() {
    let trial = trial();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.args(["whatif", "told.yaml", "--replications", "2", "--quiet", "--out", "out", "--event"]);
    let output = command.arg("at=2026-11-27 20:00,factor=5,for=30m").current_dir(trial.path("")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let out = trial.path("out/told-whatif");
    let varied = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path());
    let varied = varied.into_iter().find(|path| path.file_name().unwrap().to_str().unwrap().starts_with("1-"));
    let csv = std::fs::read_to_string(varied.unwrap().join("timeline.csv")).unwrap();
    let column = csv.lines().next().unwrap().split(',').position(|name| name == "arrived").unwrap();
    let of = |row: usize| csv.lines().nth(row).unwrap().split(',').nth(column).unwrap().parse::<f64>().unwrap();
    assert!((of(5) / of(1) - 5.0).abs() < 0.6, "{csv}");
}

#[test]
fn a_zone_may_be_lost_at_a_time_of_day() {
    let trial = trial();
    let said = trial.expect("whatif told.yaml --kill-zone a@20:00+10m --replications 2 --quiet --format json", 0);
    assert!(said.contains("zone a lost after 2h for 10m"), "{said}");
    let said = trial
        .expect("whatif log.yaml --kill-zone a@2026-11-27T20:00:00-05:00 --replications 2 --quiet --format json", 0);
    assert!(said.contains("zone a lost after 2h for 30m"), "{said}");
    let said = trial.expect("whatif told.yaml --kill-zone a@2026-11-27T12:00", 2);
    assert!(said.contains("before the run, which begins at 2026-11-27T18:00:00-05:00"), "{said}");
    assert!(trial.expect("whatif told.yaml --kill-zone a@noon", 2).contains("a@20:00"));
}

#[test]
fn steps_and_charts_of_a_log_are_by_its_own_clock() {
    let trial = trial();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.args(["trace", "transform", "arr.log", "-o", "cut.csv", "--step"]);
    let output = command
        .arg("window: { from: '2026-11-27 20:00', to: '2026-11-27 21:00' }")
        .current_dir(trial.path(""))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // From 20:00 local there are 180 rows until 21:00; 20:00 UTC is before the log.
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("180 rows"), "{said}");
    assert!(trial.read("cut.csv").contains("2026-11-28T01:00:00"), "{}", trial.read("cut.csv"));
    trial.expect("trace plot arr.log --out charts", 0);
    let chart = trial.read("charts/rate.svg");
    assert!(chart.contains("-05:00") && chart.contains(">20:00<"), "{chart}");
}
