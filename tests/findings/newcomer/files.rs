//! Newcomer 4 and 13, reliability F13, public cases K15: pipes, several files, archives.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::findings::trial::Trial;

/// Lines of an access log from `from` on, ten per minute.
fn log(day: u32, lines: u32) -> String {
    let line = |n: u32| {
        format!("::1 - - [{day:02}/May/2024:00:{:02}:{:02} +0000] \"GET /{n} HTTP/1.1\" 200 1543\n", n / 10, n % 10 * 6)
    };
    (0..lines).map(line).collect()
}

/// Runs a shell command in the directory of the trial, with `$P` for the program.
fn shell(trial: &Trial, line: &str) -> (i32, String) {
    let output = Command::new("sh")
        .args(["-c", line])
        .current_dir(trial.path(""))
        .env("P", env!("CARGO_BIN_EXE_plimsoll"))
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    (output.status.code().unwrap_or(-1), shown)
}

#[test]
fn a_pipe_loses_no_line() {
    let trial = Trial::new(&[("a.log", &log(12, 590)), ("c.csv", "time,count\n0,5\n60,9\n")]);
    for line in [
        "cat a.log | $P trace inspect -",
        "cat a.log | $P trace inspect /dev/stdin",
        "$P trace inspect a.log",
        "gzip -c a.log | $P trace inspect -",
    ] {
        let (code, shown) = shell(&trial, line);
        assert!(
            code == 0 && shown.contains("590 used, 0.000%") && shown.contains("from          2024-05-12T00:00:00Z"),
            "{line}: {shown}"
        );
    }
    let (code, shown) = shell(&trial, "cat c.csv | $P trace inspect -");
    assert!(code == 0 && shown.contains("sum 14"), "{shown}");
    assert!(shell(&trial, "cat c.csv | $P trace convert - d.csv && cat d.csv").1.contains("60000000000,9"));
    let (code, shown) = shell(&trial, "$P trace inspect - < /dev/null");
    assert!(code == 2 && shown.contains("standard input: is empty; expected a trace"), "{shown}");
}

#[cfg(unix)]
#[test]
fn a_named_pipe_is_opened_once() {
    let trial = Trial::new(&[("a.log", &log(12, 590))]);
    let (code, shown) = shell(&trial, "mkfifo p && (cat a.log > p &) && $P trace inspect p");
    assert!(code == 0 && shown.contains("590 used, 0.000%"), "{shown}");
}

#[test]
fn a_scenario_and_its_trace_come_through_pipes() {
    let scenario = "workload: { trace: \"-\" }\nservice: { name: web, replicas: 2, concurrency: 4, service-time: 200ms }\npolicies: { two: { static: { replicas: 2 } } }\n";
    let trial = Trial::new(&[("s.yaml", scenario), ("a.log", &log(12, 590))]);
    let (code, shown) = shell(&trial, "cat a.log | $P run s.yaml --quiet --out out && cat out/s/summary.json");
    assert!(code == 0 && shown.contains("590"), "{shown}");
    let direct = scenario.replace("\"-\"", "a.log");
    let mut child = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(["check", "-"])
        .current_dir(trial.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(direct.as_bytes()).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
}

/// Ten days in files of a day each: in the shell's order, 10 comes before 2.
#[test]
fn rotated_logs_are_one_trace_in_any_order() {
    let days: Vec<(String, String)> = (1..=10).map(|day| (format!("access.log.{}", 11 - day), log(day, 590))).collect();
    let files: Vec<(&str, &str)> = days.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let trial = Trial::new(&files);
    assert_eq!(
        shell(
            &trial,
            "gzip access.log.3 access.log.7 && tar czf days.tar.gz access.log.* && tar cf one.tar access.log.1"
        )
        .0,
        0
    );
    for argument in [
        "'access.log*'",
        "access.log.*",
        "days.tar.gz",
        "access.log.1 access.log.2 access.log.3.gz access.log.4 access.log.5 access.log.6 access.log.7.gz access.log.8 access.log.9 access.log.10",
    ] {
        let (code, shown) = shell(&trial, &format!("$P trace inspect {argument}"));
        assert_eq!(code, 0, "{shown}");
        for expected in [
            "access-log (10 files), arrivals",
            "5900 used, 0.000%",
            "from          2024-05-01T00:00:00Z",
            "longest gap   23h1m6s",
        ] {
            assert!(shown.contains(expected), "{argument}: {expected}: {shown}");
        }
        assert!(!shown.contains("out of order"), "{shown}");
    }
    assert!(shell(&trial, "$P trace inspect one.tar").1.contains("590 used, 0.000%"));
    assert!(shell(&trial, "$P trace inspect 'nothing*'").1.contains("nothing*: matches no file"));
    let scenario = "workload: { trace: [access.log.2, 'access.log.1*'] }\nservice: { name: web, replicas: 2, concurrency: 4, service-time: 200ms }\npolicies: { two: { static: { replicas: 2 } } }\n";
    std::fs::write(trial.path("s.yaml"), scenario).unwrap();
    let summary = trial.summary("s.yaml", "");
    assert!(summary.to_string().contains("1770"), "{summary}");
}

#[test]
fn hosts_are_read_side_by_side() {
    let odd: String = (0..50).map(|n| format!("2024-05-12 00:00:{:02},b\n", n % 60)).collect();
    let even: String = (0..50).map(|n| format!("2024-05-12 00:00:{:02}.5,a\n", n % 60)).collect();
    let trial = Trial::new(&[("a.csv", &format!("time,host\n{odd}")), ("b.csv", &format!("time,host\n{even}"))]);
    let shown = trial.expect("trace convert a.csv b.csv c.csv --class host", 0);
    assert!(shown.contains("100 rows of arrivals"), "{shown}");
    let written = trial.read("c.csv");
    let rows: Vec<&str> = written.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(rows[1..5], ["0,b", "500000000,a", "1000000000,b", "1500000000,a"], "{written}");
    let mixed = Trial::new(&[("a.csv", "time,count\n2024-05-12,5\n2024-05-13,6\n"), ("a.log", &log(14, 20))]);
    assert!(mixed.expect("trace inspect a.csv a.log", 2).contains("and a.csv holds counts"));
    let relative = Trial::new(&[("a.csv", "time,count\n0,5\n60,6\n"), ("b.csv", "time,count\n0,5\n60,6\n")]);
    assert!(relative.expect("trace inspect a.csv b.csv", 2).contains("its times are relative"));
}

/// Newcomer 13: parts joined in the wrong order have the same gaps as the sorted trace.
#[test]
fn the_longest_gap_is_that_of_the_sorted_rows() {
    let trial = Trial::new(&[("a.log", &[log(3, 590), log(1, 590), log(2, 590)].concat())]);
    let shown = trial.expect("trace inspect a.log", 0);
    assert!(shown.contains("longest gap   23h1m6s") && shown.contains("out of order"), "{shown}");
}
