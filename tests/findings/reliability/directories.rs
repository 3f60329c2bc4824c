//! F7, F9, F15: reports appear completely or not at all, unwritable places are detected before a run, and messages name
//! them.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::BASE;
use crate::findings::trial::Trial;

/// A run that would take hours fails at once if its report could not be written.
#[test]
fn the_output_directory_is_tried_before_the_run() {
    let text = BASE.replace("duration: 2m", "duration: 300d").replace("interval: 10s", "interval: 1h");
    let trial = Trial::new(&[("s.yaml", &text), ("file", "x"), ("file2.plan.yaml", "")]);
    let text = format!("{text}  learned: {{ q-learning: {{ max: 9, capacity: 20/s }} }}\n");
    fs::write(trial.path("l.yaml"), text).unwrap();
    for command in [
        "run s.yaml --out file",
        "compare s.yaml --out file",
        "plan s.yaml --out file",
        "capacity s.yaml --out file",
        "optimize provision s.yaml --instance c7i.large --out file",
        "sweep s.yaml --vary service.concurrency=2..4 --out file/sweep.csv",
        "train l.yaml --out file/t.json",
        "train l.yaml --out t.json --reports file",
    ] {
        let shown = trial.expect(&format!("{command} --quiet"), 2);
        assert!(shown.contains("file") && shown.to_lowercase().contains("not a directory"), "{command}: {shown}");
    }
}

/// A run that is refused after its directory was tested leaves nothing there.
#[test]
fn a_run_that_is_refused_leaves_no_directory() {
    let trial = Trial::new(&[("s.yaml", BASE)]);
    trial.expect("train s.yaml --out new/deep/t.json --quiet", 2);
    trial.expect("run s.yaml --out new/deep --max-memory 1Mi --quiet", 2);
    trial.expect("plan s.yaml --out new/deep --set objectives.0.latency.within=1us --quiet", 1);
    let left: Vec<_> = fs::read_dir(trial.path(".")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["s.yaml"]);
}

/// Writes a few small files in a fifth of a second.
const PLAN: &str = "plan s.yaml --quiet --no-scenario --replications 2 --out out --set duration=20s";

/// Whether killed, interrupted or completed: a directory contains one run, and no temporary files.
#[cfg(unix)]
#[test]
fn an_interrupted_report_is_the_old_one_or_the_new_one() {
    let trial = Trial::new(&[("s.yaml", &BASE.replace("target: 99%", "target: 50%"))]);
    let command = |seed: &str| format!("{PLAN} --set service.name={seed}");
    let all = || {
        let entries = fs::read_dir(trial.path("out/base")).unwrap().map(|entry| entry.unwrap().path());
        let mut all: Vec<(PathBuf, Vec<u8>)> = entries.map(|path| (path.clone(), fs::read(&path).unwrap())).collect();
        all.sort();
        all
    };
    trial.expect(&command("new"), 0);
    let new = all();
    trial.expect(&command("old"), 0);
    let old = all();
    assert_ne!(old, new);
    for delay in 0..12 {
        let mut process = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        process.args(command("new").split_whitespace()).current_dir(trial.path("")).stdout(Stdio::null());
        let mut child = process.spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(15 * delay));
        let signal = ["-KILL", "-TERM", "-INT", "-KILL"][delay as usize % 4];
        Command::new("kill").args([signal, &child.id().to_string()]).stderr(Stdio::null()).status().unwrap();
        child.wait().unwrap();
        let now = all();
        assert!(now == old || now == new, "after {signal} at {} ms", 15 * delay);
        trial.expect(&command("old"), 0);
        assert_eq!(all(), old);
        let entries = fs::read_dir(trial.path("out")).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(entries.collect::<Vec<_>>(), ["base"]);
    }
}

/// Thousands of notes of the user beside a report make its exchange slow enough to be interrupted in the middle: an
/// interruption that takes the new directory away must not take the files that were just moved to their place.
#[cfg(unix)]
#[test]
fn an_interrupted_exchange_keeps_the_files_of_others() {
    let trial = Trial::new(&[("s.yaml", &BASE.replace("target: 99%", "target: 50%"))]);
    let names = || {
        let entries = fs::read_dir(trial.path("out/base")).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = entries.collect();
        names.sort();
        names
    };
    fs::create_dir_all(trial.path("out/base")).unwrap();
    (0..2000).for_each(|note| fs::write(trial.path(&format!("out/base/note-{note}")), "mine").unwrap());
    trial.expect(PLAN, 0);
    let whole = names();
    let written: Vec<_> = whole.iter().filter(|name| !name.to_string_lossy().starts_with("note-")).collect();
    for name in written.iter().cycle().take(12) {
        let mut process = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        process.args(PLAN.split_whitespace()).current_dir(trial.path("")).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = process.spawn().unwrap();
        // The new directory is almost complete.
        let prepared = trial.path("out/.plimsoll-base.new").join(name);
        while !prepared.exists() && child.try_wait().unwrap().is_none() {}
        Command::new("kill").args(["-TERM", &child.id().to_string()]).stderr(Stdio::null()).status().unwrap();
        child.wait().unwrap();
        assert!(names() == whole, "{} of {} files are left", names().len(), whole.len());
    }
}

/// Reports of two processes in one directory do not mix, and the user's own files are kept.
#[test]
fn two_runs_at_once_leave_the_report_of_one() {
    let trial = Trial::new(&[("s.yaml", &BASE.replace("target: 99%", "target: 50%"))]);
    fs::create_dir_all(trial.path("out/base")).unwrap();
    fs::write(trial.path("out/base/notes.md"), "mine").unwrap();
    let start = |name: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        let arguments = format!("{PLAN} --set service.name={name}");
        command.args(arguments.split_whitespace()).current_dir(trial.path("")).stdout(Stdio::null()).spawn().unwrap()
    };
    let children = ["a", "b", "c"].map(start);
    children.into_iter().for_each(|mut child| assert!(child.wait().unwrap().success()));
    assert_eq!(trial.read("out/base/notes.md"), "mine");
    // Files of the first run that the second did not write are removed.
    let deployments: Vec<&str> = ["a", "b", "c"]
        .into_iter()
        .filter(|name| trial.path(&format!("out/base/{name}-deployment.yaml")).exists())
        .collect();
    assert_eq!(deployments.len(), 1, "{deployments:?}");
    assert!(trial.read(&format!("out/base/{}-deployment.yaml", deployments[0])).contains(deployments[0]));
}

/// A full disk is reported with the path.
#[cfg(target_os = "linux")]
#[test]
fn messages_of_the_file_system_name_the_place() {
    let full = || Stdio::from(fs::File::options().write(true).open("/dev/full").unwrap());
    let trial = Trial::new(&[("s.yaml", BASE)]);
    for arguments in ["check s.yaml", "--help", "list policies"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        let command = command.args(arguments.split_whitespace()).current_dir(trial.path(""));
        let output = command.stdout(full()).output().unwrap();
        let shown = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments}: {shown}");
        assert!(shown.contains("standard output: "), "{arguments}: {shown}");
    }
}
