//! What every report is made of: files, and the interface that makes them.

use std::fmt;

use crate::config::Plugin;
use crate::experiment::Outcome;

/// A file to be written: its name, without a directory, and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// File name.
    pub name: String,
    /// Content.
    pub bytes: Vec<u8>,
}

impl Artifact {
    /// A file of a given name and content.
    pub fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Artifact { name: name.into(), bytes: bytes.into() }
    }
}

/// Turns a result into files. Pure: equal outcomes give equal bytes.
pub trait Reporter: Sync {
    /// The files.
    ///
    /// # Errors
    /// If a library refuses to encode a file; no outcome is refused for its figures.
    fn report(&self, outcome: &Outcome) -> Result<Vec<Artifact>, ReportError>;
}

/// The entry of a reporter in the list.
pub type ReporterPlugin = Plugin<&'static dyn Reporter>;

/// A file that could not be encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportError {
    /// The file's name.
    pub artifact: String,
    /// What went wrong.
    pub problem: String,
}

impl ReportError {
    pub(super) fn new(artifact: &str, problem: impl fmt::Display) -> Self {
        ReportError { artifact: artifact.into(), problem: problem.to_string() }
    }
}

impl fmt::Display for ReportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot make {}: {}", self.artifact, self.problem)
    }
}

impl std::error::Error for ReportError {}
