//! Files appear whole or not at all.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::Failure;
use crate::report::Artifact;

/// Writes the artifacts into `directory` and returns their paths, in order. Each is written under a temporary name in the
/// same directory and renamed once it is complete.
pub(super) fn write_all(directory: &Path, artifacts: &[Artifact]) -> Result<Vec<PathBuf>, Failure> {
    let fail = |path: &Path, error: std::io::Error| Failure::Input(format!("error: {}: {error}", path.display()));
    std::fs::create_dir_all(directory).map_err(|error| fail(directory, error))?;
    let mut written = Vec::new();
    for artifact in artifacts {
        let path = directory.join(&artifact.name);
        let write = || -> std::io::Result<()> {
            let mut file = tempfile::Builder::new().prefix(".plimsoll-").suffix(".tmp").tempfile_in(directory)?;
            file.write_all(&artifact.bytes)?;
            // A temporary file is private to its owner; a report is not.
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
            }
            file.persist(&path).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(|error| fail(&path, error))?;
        written.push(path);
    }
    Ok(written)
}
