//! Which files are tests.

use std::path::{Path, PathBuf};

use crate::cli::failure::Failure;
use crate::cli::terminal::note;
use crate::config::{MAX_YAML_BYTES, SourceFile, Yaml, parse_documents, parse_single, spool};
use crate::experiment::Baseline;

/// The scenarios and stories named and those in the directories named, in order of their names. In a directory only YAML files
/// count that expect something or have a baseline: manifests lie there too.
pub(super) fn test_files(paths: &[PathBuf], blessing: bool) -> Result<Vec<PathBuf>, Failure> {
    let mut all = Vec::new();
    let paths = expanded(paths)?;
    // Of one file that is named it is said that it is no test; of several, as a shell makes of a pattern, the tests are taken.
    let several = paths.len() > 1;
    for path in &paths {
        if path.is_dir() {
            collect(path, &is_test, &mut all)?;
        } else if several && !blessing && path.exists() && !expects_or_unreadable(path) {
            note(&format!("note: {}: skipped, it has neither `expect:` nor `story:` nor a baseline", path.display()));
        } else if several && path.exists() && !is_test(path) && is_manifest(path) {
            continue;
        } else if (path.exists() || spool::is_stream(path)) && !blessing && !expects_or_unreadable(path) {
            let name = path.display();
            let problem = format!("{name} has neither `expect:` nor `story:` nor a baseline (--bless writes one)");
            return Err(Failure::input(problem));
        } else {
            all.push(path.clone());
        }
    }
    match all.is_empty() {
        true => Err(Failure::input("no scenario with `expect:` and no story was found")),
        false => Ok(all),
    }
}

/// The scenarios and stories named, those in the directories named, and those that patterns in quotes match.
pub fn scenario_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut all = Vec::new();
    for path in expanded(paths)? {
        if path.is_dir() {
            let before = all.len();
            collect(&path, &is_scenario_or_story, &mut all)?;
            if all.len() == before {
                return Err(Failure::input(format!("{} holds no scenario and no story", path.display())));
            }
        } else {
            all.push(path);
        }
    }
    Ok(all)
}

/// The paths, and in place of a pattern (`tests/*.yaml`) that is no file's name itself what it matches, in order.
fn expanded(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut all = Vec::new();
    for path in paths {
        let text = path.to_string_lossy();
        if path.exists() || !text.contains(['*', '?', '[']) {
            all.push(path.clone());
            continue;
        }
        let fail = |error: &dyn std::fmt::Display| Failure::input(format!("{text}: {error}"));
        let found = glob::glob(&text).map_err(|error| fail(&error))?;
        let found: Vec<PathBuf> = found.collect::<Result<_, _>>().map_err(|error| fail(&error))?;
        if found.is_empty() {
            return Err(fail(&"no file matches the pattern"));
        }
        all.extend(found);
    }
    Ok(all)
}

/// Whether the file holds Kubernetes objects and nothing of ours.
fn is_manifest(path: &Path) -> bool {
    let documents = SourceFile::read(path, MAX_YAML_BYTES).and_then(|source| parse_documents(&source));
    documents.is_ok_and(|all| all.iter().all(|node| has(node, "apiVersion") && has(node, "kind")))
}

/// Whether the file is a story or looks like a scenario.
fn is_scenario_or_story(path: &Path) -> bool {
    root(path).is_some_and(|root| ["story", "policies", "extends"].iter().any(|field| has(&root, field)))
}

fn collect(directory: &Path, fits: &dyn Fn(&Path) -> bool, all: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let fail = |error: std::io::Error| Failure::input(format!("{}: {error}", directory.display()));
    let entries: Result<Vec<_>, _> = std::fs::read_dir(directory).map_err(fail)?.collect();
    let mut paths: Vec<PathBuf> = entries.map_err(fail)?.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let is_link = path.is_symlink();
        if path.is_dir() && !is_link {
            collect(&path, fits, all)?;
        } else if path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml") && fits(&path) {
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
    stated || (!spool::is_stream(path) && Baseline::beside(path).exists())
}

fn has(root: &Yaml, field: &str) -> bool {
    root.get(field).is_some()
}

/// As [`is_test`]; what cannot be read is left to the scenario reader to explain, and so is what another scenario states.
fn expects_or_unreadable(path: &Path) -> bool {
    is_test(path) || root(path).is_none_or(|root| has(&root, "extends"))
}

fn root(path: &Path) -> Option<Yaml> {
    SourceFile::read(path, MAX_YAML_BYTES).and_then(|source| parse_single(&source)).ok()
}
