//! Every field of a scenario: those that it states, from its tree, and the others, from what the readers asked for.

use std::collections::{BTreeMap, BTreeSet};

use super::{Explained, place};
use crate::config::{Key, ReadMapping, Value, Yaml};

/// The fields that were read in one mapping, with their values where they are absent.
type Asked<'a> = BTreeMap<(&'a str, usize, usize), Vec<&'a (&'static str, Option<String>)>>;

/// Adds to the rows that are `known` one of every other value that is stated or has a default, and one per mapping that names
/// the fields without a value. Rows of one part of the scenario are together.
pub(super) fn completed(known: Vec<Explained>, root: &Yaml, read: &[ReadMapping]) -> Vec<Explained> {
    let mut asked = Asked::new();
    for mapping in read {
        let all = asked.entry((&mapping.source, mapping.span.start, mapping.span.end)).or_default();
        for field in &mapping.fields {
            match all.iter().position(|(name, _)| *name == field.0) {
                Some(at) if all[at].1.is_none() => all[at] = field,
                Some(_) => {}
                None => all.push(field),
            }
        }
    }
    let mut walk = Walk { asked, known: known.iter().map(|row| row.what.as_str()).collect(), rows: Vec::new() };
    walk.node(root, "");
    let rows = walk.rows;
    let mut parts: Vec<String> = Vec::new();
    let mut all: Vec<(usize, Explained)> = Vec::new();
    for row in known.into_iter().chain(rows) {
        let part = part(&row.what).to_string();
        let number = parts.iter().position(|of| *of == part).unwrap_or_else(|| {
            parts.push(part);
            parts.len() - 1
        });
        all.push((number, row));
    }
    all.sort_by_key(|(number, _)| *number);
    all.into_iter().map(|(_, row)| row).collect()
}

/// What of a path says which rows are together: its first name, and of services and policies which one.
fn part(path: &str) -> &str {
    let is_end = |c: char| matches!(c, '.' | ':' | ' ');
    let first = path.split(is_end).next().unwrap_or("");
    match path.strip_prefix(first).and_then(|rest| rest.strip_prefix('.')) {
        Some(rest) if ["services", "policies"].contains(&first) => {
            let second = rest.split(is_end).next().unwrap_or("");
            &path[..first.len() + 1 + second.len()]
        }
        _ => first,
    }
}

struct Walk<'a> {
    asked: Asked<'a>,
    known: BTreeSet<&'a str>,
    rows: Vec<Explained>,
}

impl Walk<'_> {
    fn add(&mut self, what: &str, value: String, origin: String) {
        if !self.known.contains(what) {
            self.rows.push(Explained { what: what.to_string(), value, origin });
        }
    }

    fn node(&mut self, node: &Yaml, path: &str) {
        match &node.value {
            Value::Null => {}
            Value::Scalar(text) => self.add(path, text.trim().to_string(), place(node)),
            Value::Mapping(entries) => self.mapping(node, entries, path),
            Value::Sequence(items) => {
                let texts: Option<Vec<&str>> = items.iter().map(Yaml::as_text).collect();
                match texts {
                    Some(texts) => self.add(path, texts.join(", "), place(node)),
                    None => {
                        items.iter().enumerate().for_each(|(at, item)| self.node(item, &below(path, &at.to_string())))
                    }
                }
            }
        }
    }

    fn mapping(&mut self, node: &Yaml, entries: &[(Key, Yaml)], path: &str) {
        for (key, value) in entries {
            self.node(value, &below(path, &key.text));
        }
        let asked = self.asked.get(&(node.source.name(), node.span.start, node.span.end)).cloned().unwrap_or_default();
        let mut unstated = Vec::new();
        for (name, default) in asked {
            if entries.iter().any(|(key, value)| key.text == *name && !value.is_null()) {
                continue;
            }
            let full = below(path, name);
            match default {
                Some(words) => self.add(&full, words.clone(), "default".into()),
                None if self.is_known(&full) => {}
                None => unstated.push(*name),
            }
        }
        if !unstated.is_empty() {
            let what = if path.is_empty() { "scenario" } else { path };
            self.rows.push(Explained {
                what: what.to_string(),
                value: format!("not stated: {}", unstated.join(", ")),
                origin: "default".into(),
            });
        }
    }

    /// Whether a row is of this field or of a part of it.
    fn is_known(&self, path: &str) -> bool {
        let parts = format!("{path}.");
        self.known.contains(path) || self.known.range(parts.as_str()..).next().is_some_and(|of| of.starts_with(&parts))
    }
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_string() } else { format!("{path}.{name}") }
}
