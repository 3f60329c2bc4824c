//! A directory with a few files in which the program is run as by a user.
#![allow(dead_code, reason = "each module uses what it needs")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// A temporary directory, removed at the end.
pub struct Trial(TempDir);

impl Trial {
    /// A trial with these files (name, text).
    pub fn new(files: &[(&str, &str)]) -> Trial {
        let trial = Trial(TempDir::new().unwrap());
        files.iter().for_each(|(name, text)| fs::write(trial.path(name), text).unwrap());
        trial
    }

    /// The path of a file in the directory.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The text of a file that the program wrote.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// Runs the program with arguments separated by spaces.
    pub fn run(&self, arguments: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.args(arguments.split_whitespace()).current_dir(self.0.path()).env("NO_COLOR", "1");
        command.output().unwrap()
    }

    /// As [`Trial::run`], with arguments that may hold spaces.
    pub fn run_words(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.args(arguments).current_dir(self.0.path()).env("NO_COLOR", "1").output().unwrap()
    }

    /// As [`Trial::run`], with a file as standard input.
    pub fn run_with(&self, arguments: &str, input: fs::File) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.args(arguments.split_whitespace()).current_dir(self.0.path()).env("NO_COLOR", "1");
        command.stdin(input).output().unwrap()
    }

    /// Runs the program and expects the exit code; returns standard output and standard error together.
    pub fn expect(&self, arguments: &str, code: i32) -> String {
        let output = self.run(arguments);
        let shown = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments}: {shown}");
        assert!(!shown.contains("internal error"), "{shown}");
        shown
    }

    /// Runs `run SCENARIO --out out` with further arguments, whatever its checks say; returns the parsed
    /// `summary.json`.
    pub fn summary(&self, scenario: &str, more: &str) -> Value {
        let output = self.run(&format!("run {scenario} --quiet --out out {more}"));
        let shown = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(matches!(output.status.code(), Some(0 | 1)), "{scenario} {more}: {shown}");
        let entries = fs::read_dir(self.path("out")).unwrap_or_else(|e| panic!("{e}: {shown}"));
        let found = entries.map(|entry| entry.unwrap().path()).find(|path| path.join("summary.json").is_file());
        let path = found.unwrap_or_else(|| self.path("out")).join("summary.json");
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    }
}
