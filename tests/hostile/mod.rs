//! Input that is wrong in every way that we could think of: each case is refused with words that name the place, without a panic, in
//! bounded time and memory. `cases.rs` lists them; `campaign.rs` changes sound files at random, for as long as one likes.

mod campaign;
mod cases;
mod exports;
mod rows;
mod sound;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;

use plimsoll::config::Diagnostics;
use plimsoll::experiment::{Baseline, Story, expectations};
use plimsoll::report::{check_result, read_result};
use plimsoll::scenario::Scenario;
use plimsoll::workload::{Portrait, TraceOptions};
use tempfile::TempDir;

/// What a file is handed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    Scenario,
    Manifest,
    Trace,
    Story,
    Baseline,
    StoredResult,
    TrainedPolicy,
}

impl Reader {
    pub const ALL: [Reader; 7] = [
        Reader::Scenario,
        Reader::Manifest,
        Reader::Trace,
        Reader::Story,
        Reader::Baseline,
        Reader::StoredResult,
        Reader::TrainedPolicy,
    ];

    /// The name of a file of this kind.
    pub fn file(self) -> &'static str {
        match self {
            Reader::Scenario => "scenario.yaml",
            Reader::Manifest => "manifest.yaml",
            Reader::Trace => "trace.csv",
            Reader::Story => "story.yaml",
            Reader::Baseline => "x.baseline.json",
            Reader::StoredResult => "result.jsonl.gz",
            Reader::TrainedPolicy => "trained.json",
        }
    }

    /// Reads the file; what was said of it if it was refused.
    pub fn read(self, path: &Path) -> Result<(), String> {
        match self {
            Reader::Scenario => scenario(path, &[]),
            Reader::Story => {
                let mut found = Diagnostics::new();
                let story = Story::read(path, &[], &mut found).ok_or_else(|| found.to_string())?;
                story.tell().map(|_| ()).map_err(|error| error.to_string())
            }
            Reader::Trace => {
                let requests = TraceOptions { one_request_per_row: true, ..TraceOptions::default() };
                Portrait::of_file(path, &requests).map(|_| ()).map_err(|error| error.to_string())
            }
            Reader::Manifest | Reader::TrainedPolicy => {
                let with = if self == Reader::Manifest { sound::WITH_MANIFEST } else { sound::WITH_TRAINED };
                let beside = path.with_file_name("around.yaml");
                let name = path.file_name().unwrap().to_str().unwrap();
                std::fs::write(&beside, with.replace("FILE", name)).map_err(|error| error.to_string())?;
                scenario(&beside, &[])
            }
            Reader::Baseline => {
                let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
                Baseline::parse(&text).map(|_| ())
            }
            Reader::StoredResult => {
                let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
                let packed = file.metadata().map_err(|error| error.to_string())?.len();
                read_result(file, packed, 256 << 20).and_then(|outcome| check_result(&outcome))
            }
        }
    }
}

/// Reads a scenario as `check` does.
pub fn scenario(path: &Path, set: &[(String, String)]) -> Result<(), String> {
    let mut found = Diagnostics::new();
    let scenario = Scenario::read(path, set, &mut found);
    if let Some(scenario) = &scenario {
        expectations(scenario, &mut found);
    }
    if found.has_errors() || scenario.is_none() { Err(found.to_string()) } else { Ok(()) }
}

/// What became of a case: refused with these words, accepted, or a panic.
#[derive(Debug)]
pub enum End {
    Refused(String),
    Accepted,
    Panicked,
}

/// Runs a case and catches what must not happen.
pub fn end_of(case: impl FnOnce() -> Result<(), String>) -> End {
    match catch_unwind(AssertUnwindSafe(case)) {
        Ok(Ok(())) => End::Accepted,
        Ok(Err(words)) => End::Refused(words),
        Err(_) => End::Panicked,
    }
}

/// A directory with a sound file of every kind.
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Place {
        let place = Place(TempDir::new().unwrap());
        for reader in Reader::ALL {
            std::fs::write(place.path(reader.file()), sound::bytes(reader)).unwrap();
        }
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs the program with at most two gibibytes of address space and for at most twenty seconds: the exit code, and what was said.
    pub fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new("sh");
        let limited = "ulimit -v 2097152; exec timeout 20 \"$0\" \"$@\"";
        command.args(["-c", limited, env!("CARGO_BIN_EXE_plimsoll")]).args(arguments).current_dir(self.0.path());
        let output = command.env("NO_COLOR", "1").env("RAYON_NUM_THREADS", "1").output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    }
}
