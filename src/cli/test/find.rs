//! Which files are tests.

use std::path::{Path, PathBuf};

use super::Failure;
use crate::config::spool;
use crate::config::{MAX_YAML_BYTES, Node, SourceFile, parse_single};
use crate::experiment::Baseline;

/// The scenarios and stories named and those in the directories named, in order of their names. In a directory only YAML files
/// count that expect something or have a baseline: manifests lie there too.
pub(super) fn test_files(paths: &[PathBuf], blessing: bool) -> Result<Vec<PathBuf>, Failure> {
    let mut all = Vec::new();
    for path in paths {
        if path.is_dir() {
            collect(path, &mut all)?;
        } else if (path.exists() || spool::is_stream(path)) && !blessing && !expects_or_unreadable(path) {
            let name = path.display();
            let problem =
                format!("error: {name} has neither `expect:` nor `story:` nor a baseline (--bless writes one)");
            return Err(Failure::Input(problem));
        } else {
            all.push(path.clone());
        }
    }
    match all.is_empty() {
        true => Err(Failure::Input("error: no scenario with `expect:` and no story was found".into())),
        false => Ok(all),
    }
}

fn collect(directory: &Path, all: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let fail = |error: std::io::Error| Failure::Input(format!("error: {}: {error}", directory.display()));
    let entries: Result<Vec<_>, _> = std::fs::read_dir(directory).map_err(fail)?.collect();
    let mut paths: Vec<PathBuf> = entries.map_err(fail)?.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let is_link = path.is_symlink();
        if path.is_dir() && !is_link {
            collect(&path, all)?;
        } else if path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml") && is_test(&path) {
            all.push(path);
        }
    }
    Ok(())
}

/// Whether the file is a story.
pub fn is_story(path: &Path) -> bool {
    root(path).is_some_and(|root| has(&root, "story"))
}

/// Whether the file is a story, expects something or has a baseline.
fn is_test(path: &Path) -> bool {
    let stated = root(path).is_some_and(|root| has(&root, "story") || has(&root, "expect"));
    stated || Baseline::beside(path).exists()
}

fn has(root: &Node, field: &str) -> bool {
    root.get(field).is_some()
}

/// As [`is_test`]; what cannot be read is left to the scenario reader to explain, and so is what another scenario states.
fn expects_or_unreadable(path: &Path) -> bool {
    is_test(path) || root(path).is_none_or(|root| has(&root, "extends"))
}

fn root(path: &Path) -> Option<Node> {
    SourceFile::read(path, MAX_YAML_BYTES).and_then(|source| parse_single(&source)).ok()
}
