//! Writing files and reports, each whole or not at all.

use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::output::say;
use crate::config::{try_directory, write_whole};
use crate::report::{Artifact, check_names, write_artifacts};

fn fail(error: impl std::fmt::Display) -> Failure {
    Failure::input(error)
}

/// Standard output, as the path of one file.
pub(super) fn is_output(path: &Path) -> bool {
    path == Path::new("-")
}

/// `-` stands for one file, never for a directory of several.
fn refuse_output(directory: &Path) -> Result<(), Failure> {
    if directory.starts_with("-") {
        return Err(fail("`-` is no directory: several files are written\nhelp: name a directory, or `./-`"));
    }
    Ok(())
}

/// `-` is no name of a file that is read again later.
pub(super) fn refuse_output_as_file(path: &Path) -> Result<(), Failure> {
    if is_output(path) {
        return Err(fail("`-` is no name here: the file is read again later\nhelp: name a file, or `./-`"));
    }
    Ok(())
}

/// Writes a file; `-` is standard output.
pub(super) fn write_one(path: &Path, text: String) -> Result<(), Failure> {
    if is_output(path) {
        return say(&text);
    }
    if path.file_name().is_none() {
        return Err(fail(format!("{} is not the name of a file", path.display())));
    }
    write_whole(path, text.as_bytes()).map_err(|error| fail(format!("{}: {error}", path.display())))
}

/// Finds out before a long run whether files can be written into a directory afterwards.
pub(super) fn try_out(directory: &Path) -> Result<(), Failure> {
    refuse_output(directory)?;
    try_directory(directory).map_err(fail)
}

/// As [`try_out`] for the directory of a file.
pub(super) fn try_out_file(path: &Path) -> Result<(), Failure> {
    refuse_output_as_file(path)?;
    if path.file_name().is_none() || path.is_dir() {
        return Err(fail(format!("{} is not the name of a file", path.display())));
    }
    try_out(path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

/// Writes each of the artifacts into `directory`, a place of the user's, and returns their paths, in order.
pub(super) fn write_all(directory: &Path, artifacts: &[Artifact]) -> Result<Vec<PathBuf>, Failure> {
    refuse_output(directory)?;
    check_names(directory, artifacts).map_err(fail)?;
    let mut written = Vec::new();
    for artifact in artifacts {
        let path = directory.join(&artifact.name);
        write_whole(&path, &artifact.bytes).map_err(|error| fail(format!("{}: {error}", path.display())))?;
        written.push(path);
    }
    Ok(written)
}

/// Replaces what the command `part` wrote into a report directory before by these artifacts, all at once, and returns their paths.
pub(super) fn write_report(directory: &Path, part: &str, artifacts: &[Artifact]) -> Result<Vec<PathBuf>, Failure> {
    write_artifacts(directory, part, artifacts).map_err(fail)
}
