//! Writing artifacts, as files of their names and nowhere else.

use std::io::{Error, ErrorKind};
use std::path::{Component, Path, PathBuf};

use super::artifact::Artifact;
use crate::config::{Part, WriteError, is_hidden, replace_files, visible};

/// Whether a name is that of a file in a directory, and of nothing beside or above it.
fn is_file_name(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    let only = matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == name);
    only && !name.contains(['/', '\\']) && !name.chars().any(is_hidden)
}

/// Refuses artifacts whose names are no names of files in `directory`.
///
/// # Errors
/// If one of them is none.
pub fn check_names(directory: &Path, artifacts: &[Artifact]) -> Result<(), WriteError> {
    let Some(unfit) = artifacts.iter().find(|artifact| !is_file_name(&artifact.name)) else { return Ok(()) };
    let problem = format!("`{}` is not the name of a file", visible(&unfit.name));
    Err(WriteError { path: directory.to_path_buf(), error: Error::new(ErrorKind::InvalidInput, problem) })
}

/// Replaces what the command `part` wrote into a report directory before by these artifacts, all at once, and returns
/// their paths.
///
/// # Errors
/// The error of the file system, or a name that is none.
pub fn write_artifacts(directory: &Path, part: &str, artifacts: &[Artifact]) -> Result<Vec<PathBuf>, WriteError> {
    check_names(directory, artifacts)?;
    let files = artifacts.iter().map(|artifact| (artifact.name.as_str(), artifact.bytes.as_slice())).collect();
    let here = std::fs::canonicalize(".").ok();
    let is_worked_in =
        std::fs::canonicalize(directory).is_ok_and(|path| here.is_some_and(|here| here.starts_with(path)));
    replace_files(directory, &Part { name: part, files, is_worked_in })?;
    Ok(artifacts.iter().map(|artifact| directory.join(&artifact.name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("report.html", true)]
    #[case("web-deployment.yaml", true)]
    #[case("", false)]
    #[case(".", false)]
    #[case("..", false)]
    #[case("../x", false)]
    #[case("/x", false)]
    #[case("a/b", false)]
    #[case("a\\b", false)]
    #[case("a\nb", false)]
    fn names_of_files_are_no_paths(#[case] name: &str, #[case] fits: bool) {
        let dir = tempfile::TempDir::new().unwrap();
        assert_eq!(is_file_name(name), fits);
        assert_eq!(write_artifacts(dir.path(), "x", &[Artifact::new(name, "x")]).is_ok(), fits);
    }
}
