//! The files of a trace: one, or several that are read as one.

use std::path::{Path, PathBuf};

use crate::config::spool;
use crate::workload::error::TraceError;
use crate::workload::reading::open::TraceInput;

/// Maximum number of files in a trace.
const MOST: usize = 10_000;

/// The files of a trace, as named or as found by a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceFiles(Vec<PathBuf>);

impl From<&Path> for TraceFiles {
    fn from(path: &Path) -> Self {
        TraceFiles(vec![path.into()])
    }
}

impl TraceFiles {
    /// The files named by `texts`, relative to `directory`: paths, `-` for standard input, or patterns (`access.log*`)
    /// if there is no file with that exact name. Duplicates count once.
    ///
    /// # Errors
    /// If a pattern matches no file.
    pub fn find(directory: &Path, texts: &[String]) -> Result<Self, TraceError> {
        let mut found: Vec<PathBuf> = Vec::new();
        for text in texts {
            let path = spool::path_from(directory, text);
            let is_pattern = text.contains(['*', '?', '[']) && std::fs::symlink_metadata(&path).is_err();
            let files = if is_pattern { matching(directory, text)? } else { vec![path] };
            found.extend(files.into_iter().filter(|file| !found.contains(file)).collect::<Vec<_>>());
        }
        if found.len() > MOST {
            return Err(TraceError::new(
                texts.join(", "),
                format!("are {} files; expected at most {MOST}", found.len()),
            ));
        }
        Ok(TraceFiles(found))
    }

    /// The paths.
    pub fn paths(&self) -> &[PathBuf] {
        &self.0
    }

    /// The trace's name in messages.
    pub fn name(&self) -> String {
        match self.0.as_slice() {
            [] => "no file".into(),
            [one] => spool::name_of(one),
            [first, rest @ ..] => format!("{} and {} more", spool::name_of(first), rest.len()),
        }
    }

    /// Opens the files and, for archives, the files in them.
    ///
    /// # Errors
    /// If one is missing or not a trace.
    pub(crate) fn inputs(&self) -> Result<Vec<TraceInput>, TraceError> {
        let mut inputs = Vec::new();
        for path in &self.0 {
            inputs.extend(TraceInput::probe_all(path)?);
        }
        Ok(inputs)
    }
}

/// The files that match a pattern, in the order of their names.
fn matching(directory: &Path, text: &str) -> Result<Vec<PathBuf>, TraceError> {
    let from = glob::Pattern::escape(&directory.to_string_lossy());
    let pattern = Path::new(&from).join(text);
    let pattern =
        if directory.as_os_str().is_empty() { text.to_string() } else { pattern.to_string_lossy().into_owned() };
    let fail = |what: String| TraceError::new(text, what);
    let paths = glob::glob(&pattern).map_err(|error| fail(format!("is not a valid file name pattern: {error}")))?;
    let files: Vec<PathBuf> = paths.filter_map(Result::ok).filter(|path| !path.is_dir()).collect();
    if files.is_empty() {
        return Err(fail("matches no file".into()).help("paths in a scenario start from the scenario's directory"));
    }
    Ok(files)
}
