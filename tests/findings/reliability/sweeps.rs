//! F1, F12c, F12d: a sweep's file has one writer, and is validated when read.

use std::process::{Command, Stdio};

use rstest::rstest;

use super::BASE;
use crate::findings::trial::Trial;

const SWEEP: &str =
    "sweep s.yaml --vary service.concurrency=2..4 --set duration=5s --replications 2 --quiet --threads 1";

fn swept(ending: &str) -> (Trial, String) {
    let trial = Trial::new(&[("s.yaml", BASE)]);
    trial.expect(&format!("{SWEEP} --out d.{ending}"), 0);
    let text = trial.read(&format!("d.{ending}"));
    (trial, text)
}

#[rstest]
#[case("csv", "line 8: the sweep has 6 rows")]
#[case("jsonl", "line 7: the sweep has 6 rows")]
fn a_row_too_many_is_refused_with_its_line(#[case] ending: &str, #[case] words: &str) {
    let (trial, text) = swept(ending);
    let last = text.lines().last().unwrap();
    let more = last.replacen(",2,", ",3,", 1).replacen("\"point\":2", "\"point\":3", 1);
    std::fs::write(trial.path(&format!("d.{ending}")), format!("{text}{more}\n")).unwrap();
    let shown = trial.expect(&format!("{SWEEP} --out d.{ending}"), 2);
    assert!(shown.contains(words), "{shown}");
}

/// Rows of policies in another order, invalid figures, missing cells.
#[rstest]
#[case("csv")]
#[case("jsonl")]
fn rows_are_what_they_should_be(#[case] ending: &str) {
    let (trial, text) = swept(ending);
    let lines: Vec<&str> = text.lines().collect();
    let first = usize::from(ending == "csv");
    let mut swapped = lines.clone();
    swapped.swap(first, first + 1);
    let row = lines[first];
    let figure = match ending {
        "csv" => row.split(',').nth(5).unwrap().to_string(),
        _ => row.split("\"mean\":").nth(1).unwrap().split(',').next().unwrap().to_string(),
    };
    let spoilt = [
        swapped.join("\n"),
        text.replacen(&figure, "nan", 1),
        text.replacen(&figure, "\"x\"", 1),
        text.replacen("\"mean\"", "\"means\"", 1),
        text.replacen(&format!("{row}\n"), &format!("{}\n", row.rsplit_once(',').unwrap().0), 1),
    ];
    for spoilt in spoilt.iter().filter(|spoilt| **spoilt != text) {
        std::fs::write(trial.path(&format!("d.{ending}")), format!("{}\n", spoilt.trim_end())).unwrap();
        let shown = trial.expect(&format!("{SWEEP} --out d.{ending}"), 2);
        assert!(shown.contains(&format!("line {}: ", first + 1)), "{shown}\n{spoilt}");
    }
}

/// While one sweep writes, a second is refused, and the file is that of the first only.
#[test]
fn two_sweeps_do_not_share_a_file() {
    let (trial, alone) = swept("csv");
    let start = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.args(SWEEP.split_whitespace()).args(["--out", "two.csv"]).current_dir(trial.path(""));
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let ended = [start(), start()].map(|child| child.wait_with_output().unwrap());
    for output in &ended {
        let shown = String::from_utf8_lossy(&output.stderr);
        let turned_away = output.status.code() == Some(2) && shown.contains("another sweep writes this file");
        assert!(output.status.success() || turned_away, "{shown}");
    }
    assert!(ended.iter().any(|output| output.status.success()));
    assert_eq!(trial.read("two.csv"), alone);
    let held = std::fs::File::open(trial.path("d.csv")).unwrap();
    held.lock().unwrap();
    assert!(trial.expect(&format!("{SWEEP} --out d.csv"), 2).contains("another sweep writes this file"));
}
