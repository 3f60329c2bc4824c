//! From a path to one YAML tree: merges `extends` and applies `--set`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::{Diagnostic, Diagnostics, Key, MAX_YAML_BYTES, SourceFile, Span, Value, Yaml, parse_single};

/// The maximum length of a chain of `extends`.
const MAX_EXTENDS: usize = 16;

/// The YAML tree of a scenario and the sources it was made from.
pub(super) struct Loaded {
    pub root: Yaml,
    pub sources: Vec<Arc<SourceFile>>,
}

/// Reads `path` and every file it extends.
pub(super) fn load(path: &Path, overrides: &[(String, String)], sink: &mut Diagnostics) -> Option<Loaded> {
    let source = SourceFile::read(path, MAX_YAML_BYTES);
    finish(source, path, overrides, sink)
}

/// Reads a text and every file it extends; relative paths start from the directory of `path`.
pub(super) fn load_text(
    text: &str,
    path: &Path,
    overrides: &[(String, String)],
    sink: &mut Diagnostics,
) -> Option<Loaded> {
    finish(Ok(SourceFile::new("scenario.yaml", text)), path, overrides, sink)
}

fn finish(
    source: Result<Arc<SourceFile>, Box<Diagnostic>>,
    path: &Path,
    overrides: &[(String, String)],
    sink: &mut Diagnostics,
) -> Option<Loaded> {
    let mut sources = Vec::new();
    let mut root = load_chain(source, path, &mut Vec::new(), &mut sources, sink)?;
    if !matches!(root.value, Value::Mapping(_)) {
        sink.push(root.error(format!("a scenario must be a mapping, not {}", root.kind())));
        return None;
    }
    for (at, value) in overrides {
        set(&mut root, at, value, sink);
    }
    (!sink.has_errors()).then_some(Loaded { root, sources })
}

fn load_chain(
    source: Result<Arc<SourceFile>, Box<Diagnostic>>,
    path: &Path,
    chain: &mut Vec<PathBuf>,
    sources: &mut Vec<Arc<SourceFile>>,
    sink: &mut Diagnostics,
) -> Option<Yaml> {
    let read = source.and_then(|source| {
        sources.push(Arc::clone(&source));
        not_a_template(&source)?;
        parse_single(&source)
    });
    let mut root = match read {
        Ok(root) => root,
        Err(diagnostic) => {
            sink.push(*diagnostic);
            return None;
        }
    };
    let identity = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    chain.push(identity);
    let Some(extends) = root.get("extends").cloned() else { return Some(root) };
    let Some(text) = extends.as_text() else {
        sink.push(extends.error("`extends` must be the path of one scenario"));
        return None;
    };
    let base_path = crate::config::spool::path_from(&crate::config::spool::directory_of(path), text);
    let base_identity = base_path.canonicalize().unwrap_or_else(|_| base_path.clone());
    if chain.contains(&base_identity) || chain.len() >= MAX_EXTENDS {
        sink.push(extends.error("scenarios extend each other in a cycle").label("closes the cycle"));
        return None;
    }
    let base = load_chain(SourceFile::read(&base_path, MAX_YAML_BYTES), &base_path, chain, sources, sink)?;
    if let Value::Mapping(entries) = &mut root.value {
        entries.retain(|(key, _)| key.text != "extends");
    }
    Some(merge(base, root))
}

/// Rejects templates. `{{ .Values.x }}` is well-formed YAML, so it would otherwise be read as a mapping and rejected
/// for the wrong reason.
fn not_a_template(source: &Arc<SourceFile>) -> Result<(), Box<Diagnostic>> {
    let Some(start) = source.text().find("{{") else { return Ok(()) };
    let error = Diagnostic::error("this is a template, not a scenario").at(source, Span { start, end: start + 2 });
    Err(Box::new(error.help("render it first, for example with `helm template`")))
}

/// Merges `over` on top of `base`: mappings key by key; null removes an entry (as in JSON Merge Patch, RFC 7396);
/// everything else is replaced.
pub(super) fn merge(base: Yaml, over: Yaml) -> Yaml {
    let Value::Mapping(mut below) = base.value else { return over };
    let Value::Mapping(above) = over.value else { return over };
    for (key, node) in above {
        if node.is_null() && below.iter().any(|(known, _)| known.text == key.text) {
            below.retain(|(known, _)| known.text != key.text);
            continue;
        }
        match below.iter_mut().find(|(known, _)| known.text == key.text) {
            Some((known, place)) => {
                let old = std::mem::replace(place, Yaml { value: Value::Null, ..place.clone() });
                *known = key;
                *place = merge(old, node);
            }
            None => below.push((key, node)),
        }
    }
    Yaml { value: Value::Mapping(below), span: over.span, source: over.source }
}

/// Sets the path `at` (names and list indices separated by dots) to `value` (YAML).
fn set(root: &mut Yaml, at: &str, value: &str, sink: &mut Diagnostics) {
    let source = SourceFile::new(format!("--set {at}"), value);
    let parsed = parse_single(&source);
    let new = match parsed {
        Ok(node) => node,
        Err(_) if value.trim().is_empty() || value.trim() == "null" => {
            Yaml { value: Value::Null, span: Span::default(), source: Arc::clone(&source) }
        }
        Err(diagnostic) => {
            sink.push(*diagnostic);
            return;
        }
    };
    let mut place = root;
    for part in at.split('.') {
        place = match step_into(place, part, &new) {
            Ok(next) => next,
            Err(what) => {
                let error = Diagnostic::error(format!("--set {at}: {what}"));
                sink.push(error.help("a path looks like `metrics.lag` or `services.0.replicas`"));
                return;
            }
        };
    }
    *place = new;
}

/// The child `part` of `node`, created if it is a missing entry of a mapping. A created entry has the source location
/// of `new`, and its key, which is looked up in the source of the mapping, that of the mapping.
fn step_into<'n>(node: &'n mut Yaml, part: &str, new: &Yaml) -> Result<&'n mut Yaml, String> {
    if node.is_null() {
        *node = Yaml { value: Value::Mapping(Vec::new()), ..new.clone() };
    }
    let around = node.span;
    match &mut node.value {
        Value::Sequence(items) => {
            let count = items.len();
            let item = part.parse::<usize>().ok().and_then(|index| items.get_mut(index));
            item.ok_or_else(|| format!("`{part}` is not an index into a list of {count}"))
        }
        Value::Mapping(entries) => {
            let at = entries.iter().position(|(key, _)| key.text == part).unwrap_or_else(|| {
                let empty = Yaml { value: Value::Null, ..new.clone() };
                entries.push((Key { text: part.to_string(), span: around }, empty));
                entries.len() - 1
            });
            Ok(&mut entries[at].1)
        }
        _ => Err(format!("cannot set `{part}`: its parent is a single value")),
    }
}
