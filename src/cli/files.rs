//! Writing files, each whole or not at all.

use std::path::{Path, PathBuf};

use super::Failure;
use crate::config::write_whole;
use crate::report::Artifact;

/// Writes a file.
pub(super) fn write_one(path: &Path, text: String) -> Result<(), Failure> {
    if path.file_name().is_none() {
        return Err(Failure::Input(format!("error: {} is not the name of a file", path.display())));
    }
    write_whole(path, text.as_bytes()).map_err(|error| Failure::Input(format!("error: {}: {error}", path.display())))
}

/// Writes the artifacts into `directory` and returns their paths, in order.
pub(super) fn write_all(directory: &Path, artifacts: &[Artifact]) -> Result<Vec<PathBuf>, Failure> {
    let fail = |path: &Path, error: std::io::Error| Failure::Input(format!("error: {}: {error}", path.display()));
    std::fs::create_dir_all(directory).map_err(|error| fail(directory, error))?;
    let mut written = Vec::new();
    for artifact in artifacts {
        let path = directory.join(&artifact.name);
        write_whole(&path, &artifact.bytes).map_err(|error| fail(&path, error))?;
        written.push(path);
    }
    Ok(written)
}
