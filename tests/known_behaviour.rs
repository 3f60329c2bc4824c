//! The shipped directory of reports about real autoscalers, reproduced: every file expects the reported behaviour.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use plimsoll::config::Diagnostics;
use plimsoll::experiment::Story;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("policy-tests/known-behaviour")
}

/// The files of the directory with their texts, in order of their names.
fn files() -> Vec<(PathBuf, String)> {
    let entries = fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|e| e == "yaml")).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn every_story_comes_out_as_reported() {
    let (mut stories, mut checks, mut wrong) = (0, 0, Vec::new());
    for (path, text) in files().iter().filter(|(_, text)| text.contains("\nstory:")) {
        let mut found = Diagnostics::new();
        let story = Story::read(path, &[], &mut found).unwrap_or_else(|| panic!("{}: {found}\n{text}", path.display()));
        let telling = story.tell().unwrap_or_else(|error| panic!("{}: {}", path.display(), Diagnostics::from(*error)));
        stories += 1;
        checks += telling.checks.len();
        let failed = telling.checks.iter().filter(|check| !check.passed);
        wrong.extend(failed.map(|check| format!("{}: {check:?}", path.display())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!((stories, checks), (60, 252));
}

#[test]
fn every_file_names_the_report_that_it_stands_for_and_is_in_the_table() {
    let table = fs::read_to_string(directory().join("README.md")).unwrap();
    for (path, text) in files() {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(text.starts_with("# https://"), "{name} names no report");
        assert!(table.contains(&format!("]({name})")), "{name} is not in the table");
    }
}

#[test]
fn every_closed_loop_comes_out_as_reported() {
    let loops = files().into_iter().filter(|(_, text)| text.contains("\nexpect:")).map(|(path, _)| path);
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.args(["test", "--quiet", "--replications", "3"]).args(loops).env("NO_COLOR", "1");
    let output = command.output().unwrap();
    let shown = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{shown}");
    assert!(shown.contains("expectations hold in 11 files"), "{shown}");
}
