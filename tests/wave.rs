//! A directory with one scenario of a wave of load, for training a policy.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use plimsoll::config::Diagnostics;
use plimsoll::engine::RunRecord;
use plimsoll::scenario::Scenario;

pub struct Place {
    directory: tempfile::TempDir,
    /// The path of the trained policy's file in the scenario.
    trained: &'static str,
}

impl Place {
    /// `wave.yaml` with this text, whose path `trained` names the file of the trained policy.
    pub fn new(text: &str, trained: &'static str) -> Place {
        let place = Place { directory: tempfile::tempdir().unwrap(), trained };
        place.file("wave.yaml", text);
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn file(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).unwrap();
    }

    /// The scenario before any training, with values set.
    pub fn untrained(&self, set: &[(&str, &str)]) -> Scenario {
        let mut all = vec![(self.trained.to_string(), "null".to_string())];
        all.extend(set.iter().map(|(path, value)| (path.to_string(), value.to_string())));
        read(&self.path("wave.yaml"), &all)
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.args(arguments).current_dir(self.directory.path()).env_remove("RUST_BACKTRACE").env("NO_COLOR", "1");
        command.output().unwrap()
    }

    /// Runs the program and expects bad input with these words.
    pub fn refused(&self, arguments: &[&str], words: &str) {
        let output = self.run(arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
}

pub fn read(path: &Path, set: &[(String, String)]) -> Scenario {
    let mut sink = Diagnostics::new();
    Scenario::read(path, set, &mut sink).unwrap_or_else(|| panic!("{sink}"))
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// One replication under the first policy.
pub fn run(scenario: &Scenario, replication: u64) -> RunRecord {
    scenario.simulation(0, replication).unwrap().run(&mut |_| {}).unwrap()
}
