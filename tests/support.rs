//! Shared by several test modules: finding reference files, and printing messages past the test harness.

use std::io::Write;
use std::path::{Path, PathBuf};

/// Prints a line past the test harness, which hides the output of tests that pass.
pub fn announce(line: &str) {
    // If standard output is closed, the message is lost.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// The directory of reference data outside the project, named by `PLIMSOLL_REFERENCE`.
///
/// # Panics
/// If the variable names something that is not a directory: the data would be skipped silently.
pub fn reference_directory() -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os("PLIMSOLL_REFERENCE")?);
    assert!(path.is_dir(), "PLIMSOLL_REFERENCE names {}, which is not a directory", path.display());
    Some(path)
}

/// Every `*.json` of `area`: those committed in `tests/reference/AREA`, then those in `$PLIMSOLL_REFERENCE/AREA`, each in
/// order of their names.
///
/// # Panics
/// If a directory cannot be read, or the committed one holds no file.
pub fn reference_files(area: &str) -> Vec<PathBuf> {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference").join(area);
    let mut files = json_files(&committed);
    assert!(!files.is_empty(), "{} holds no reference file", committed.display());
    if let Some(directory) = reference_directory().map(|d| d.join(area)).filter(|d| d.is_dir()) {
        files.extend(json_files(&directory));
    }
    files
}

fn json_files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap_or_else(|e| panic!("{}: {e}", directory.display()));
    let paths = entries.map(|entry| entry.unwrap_or_else(|e| panic!("{}: {e}", directory.display())).path());
    let mut files: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|e| e == "json")).collect();
    files.sort();
    files
}
