//! Edits a few values of a YAML or JSON text; everything else is kept byte for byte.

use super::node::{Value, Yaml};
use super::source::{SourceFile, Span};

/// One step of a path into a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// The value of a key.
    Key(&'a str),
    /// An item of a list, from 0.
    Item(usize),
}

/// Changes of one text, by position.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edits {
    changes: Vec<(Span, String)>,
}

impl Edits {
    /// Whether there are no changes.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Sets the value at `path` below `root` to the plain scalar `value`; missing keys are added.
    ///
    /// # Errors
    /// If that is not possible without other changes: the value comes from an anchor or a merge key, or a list lacks
    /// the item.
    pub fn set(&mut self, root: &Yaml, path: &[Step<'_>], value: &str) -> Result<(), String> {
        let mut node = root;
        for (depth, step) in path.iter().enumerate() {
            let next = match (step, &node.value) {
                (Step::Key(key), _) => node.get(key),
                (Step::Item(index), Value::Sequence(items)) => items.get(*index),
                (Step::Item(_), _) => None,
            };
            let Some(next) = next else { return self.insert(node, &path[depth..], value) };
            if let Step::Key(key) = step
                && is_merged(node, key)
            {
                return Err("it comes from a merge key".into());
            }
            let inside = node.span.start <= next.span.start && next.span.start <= root.source.text().len();
            if !inside && !next.is_null() {
                return Err("it comes from an anchor or a merge key".into());
            }
            node = next;
        }
        let written = node.source.slice(node.span);
        let new = match written.chars().next() {
            Some('&') => return Err("others refer to it by an anchor".into()),
            Some('"') => serde_json::Value::from(value).to_string(),
            Some('\'') => format!("'{}'", value.replace('\'', "''")),
            _ => value.to_string(),
        };
        if matches!(node.value, Value::Mapping(_) | Value::Sequence(_)) {
            return Err("it is not a single value".into());
        }
        if node.is_null() {
            return Err("it is empty".into());
        }
        let trimmed = written.trim_end().len();
        self.changes.push((Span { start: node.span.start, end: node.span.start + trimmed }, new));
        Ok(())
    }

    /// Adds the keys of `rest` to the mapping `node`.
    fn insert(&mut self, node: &Yaml, rest: &[Step<'_>], value: &str) -> Result<(), String> {
        let Some((Step::Key(first), below)) = rest.split_first() else {
            return Err("the list has no such item".into());
        };
        let Value::Mapping(entries) = &node.value else { return Err("there is no mapping to add it to".into()) };
        let source = &node.source;
        let json = entries.iter().any(|(key, _)| source.slice(key.span).starts_with('"'));
        let quoted = |text: &str| if json { serde_json::Value::from(text).to_string() } else { text.to_string() };
        let plain = value.parse::<f64>().is_ok() || value.starts_with(['[', '{']);
        let mut text = if json && !plain { serde_json::Value::from(value).to_string() } else { value.to_string() };
        for step in below.iter().rev() {
            let Step::Key(key) = step else { return Err("the list has no such item".into()) };
            text = format!("{{ {}: {text} }}", quoted(key));
        }
        let entry = format!("{}: {text}", quoted(first));
        if let Some(brace) = source.slice(node.span).find('{').filter(|at| *at == 0) {
            let comma = if entries.is_empty() { " " } else { ", " };
            let at = node.span.start + brace + 1;
            let space = if source.text()[at..].starts_with([' ', '\n', '\r']) { "" } else { " " };
            self.changes.push((Span { start: at, end: at }, format!(" {entry}{}{space}", comma.trim_end())));
            return Ok(());
        }
        let (at, indent) = block_place(source, entries).ok_or("there is no line of its own to add it after")?;
        let ending = if source.text()[..at].ends_with("\r\n") { "\r\n" } else { "\n" };
        let start = if source.text()[..at].ends_with('\n') { "" } else { ending };
        self.changes.push((Span { start: at, end: at }, format!("{start}{}{entry}{ending}", " ".repeat(indent))));
        Ok(())
    }

    /// The text with all changes.
    pub fn apply(&self, text: &str) -> String {
        let mut changes: Vec<&(Span, String)> = self.changes.iter().collect();
        changes.sort_by_key(|(span, _)| (span.start, span.end));
        let (mut out, mut at) = (String::with_capacity(text.len() + 64), 0);
        for (span, new) in changes {
            out.push_str(text.get(at..span.start).unwrap_or(""));
            out.push_str(new);
            at = span.end.max(at);
        }
        out.push_str(text.get(at..).unwrap_or(""));
        out
    }
}

/// Whether a key of a mapping is defined elsewhere and included by a merge key (`<<`).
fn is_merged(node: &Yaml, key: &str) -> bool {
    let Value::Mapping(entries) = &node.value else { return false };
    let found = entries.iter().find(|(known, _)| known.text == key);
    found.is_some_and(|(known, _)| !node.source.slice(known.span).contains(key))
}

/// Where a line can be added to a block mapping: after an entry on a line of its own, or before the first one. Returns
/// the position and the column of the keys.
fn block_place(source: &SourceFile, entries: &[(super::node::Key, Yaml)]) -> Option<(usize, usize)> {
    let text = source.text();
    let column = |at: usize| at - text[..at].rfind('\n').map_or(0, |line| line + 1);
    let line_end = |at: usize| text[at..].find('\n').map_or(text.len(), |end| at + end + 1);
    let (first, _) = entries.first()?;
    let one_line = entries.iter().rev().find(|(key, value)| {
        let same = |at: usize| line_end(key.span.start) == line_end(at);
        let rest = &text[key.span.end..line_end(key.span.start)];
        matches!(value.value, Value::Scalar(_))
            && value.span.start > key.span.start
            && same(value.span.start)
            && !rest.trim_start_matches([':', ' ']).starts_with(['|', '>'])
            && same(value.span.end.saturating_sub(1).max(value.span.start))
    });
    if let Some((key, _)) = one_line {
        return Some((line_end(key.span.start), column(first.span.start)));
    }
    let start = first.span.start - column(first.span.start);
    text[start..first.span.start].trim().is_empty().then_some((start, column(first.span.start)))
}

#[cfg(test)]
mod tests {
    use super::Step::{Item, Key};
    use super::*;
    use crate::config::parse_single;

    fn edited(text: &str, path: &[Step<'_>], value: &str) -> Result<String, String> {
        let source = SourceFile::new("t.yaml", text);
        let mut edits = Edits::default();
        edits.set(&parse_single(&source).unwrap(), path, value)?;
        let after = edits.apply(text);
        let root =
            parse_single(&SourceFile::new("after.yaml", after.as_str())).unwrap_or_else(|e| panic!("{e}\n{after}"));
        let mut node = &root;
        for step in path {
            node = match step {
                Key(key) => node.get(key).unwrap_or_else(|| panic!("{key} in {after}")),
                Item(index) => match &node.value {
                    Value::Sequence(items) => &items[*index],
                    _ => panic!("no list in {after}"),
                },
            };
        }
        assert_eq!(node.as_text(), Some(value), "{after}");
        Ok(after)
    }

    const BLOCK: &str = "# head\nspec:   # the spec\n  replicas: 3   # of old\n  containers:\n    - name: app\n      resources:\n        requests:\n          cpu: \"500m\"\n    - name: side\n  last: 'x'\n";

    #[test]
    fn a_value_changes_and_nothing_else() {
        assert_eq!(edited(BLOCK, &[Key("spec"), Key("replicas")], "5").unwrap(), BLOCK.replace(": 3 ", ": 5 "));
        let cpu = [Key("spec"), Key("containers"), Item(0), Key("resources"), Key("requests"), Key("cpu")];
        assert_eq!(edited(BLOCK, &cpu, "650m").unwrap(), BLOCK.replace("500m", "650m"));
        assert_eq!(edited(BLOCK, &[Key("spec"), Key("last")], "it's").unwrap(), BLOCK.replace("'x'", "'it''s'"));
        let crlf = BLOCK.replace('\n', "\r\n");
        assert_eq!(edited(&crlf, &[Key("spec"), Key("replicas")], "5").unwrap(), crlf.replace(": 3 ", ": 5 "));
    }

    #[test]
    fn what_is_missing_is_added_in_its_style() {
        let memory = [Key("spec"), Key("containers"), Item(0), Key("resources"), Key("requests"), Key("memory")];
        let line = "          cpu: \"500m\"\n";
        assert_eq!(
            edited(BLOCK, &memory, "1Gi").unwrap(),
            BLOCK.replace(line, &format!("{line}          memory: 1Gi\n"))
        );
        let side = [Key("spec"), Key("containers"), Item(1), Key("resources"), Key("limits"), Key("cpu")];
        let line = "    - name: side\n";
        let added = format!("{line}      resources: {{ limits: {{ cpu: 1 }} }}\n");
        assert_eq!(edited(BLOCK, &side, "1").unwrap(), BLOCK.replace(line, &added));
        assert_eq!(edited("spec: {a: 1}\n", &[Key("spec"), Key("b")], "2").unwrap(), "spec: { b: 2, a: 1}\n");
        let json = "{ \"spec\": { \"a\": \"1\" } }\n";
        let expected = "{ \"spec\": { \"b\": \"2Gi\", \"a\": \"1\" } }\n";
        assert_eq!(edited(json, &[Key("spec"), Key("b")], "2Gi").unwrap(), expected);
        let nested = "spec:\n  template:\n    x: {}\n";
        assert_eq!(edited(nested, &[Key("spec"), Key("n")], "2").unwrap(), "spec:\n  n: 2\n  template:\n    x: {}\n");
        assert_eq!(edited("a:\n  b: 1", &[Key("a"), Key("c")], "2").unwrap(), "a:\n  b: 1\n  c: 2\n");
    }

    #[test]
    fn shared_values_are_not_changed() {
        let shared = "base: &b { cpu: 1 }\nuse:\n  <<: *b\n";
        assert!(edited(shared, &[Key("use"), Key("cpu")], "2").is_err());
        assert!(edited("a: [1]\n", &[Key("a"), Item(3)], "2").is_err());
        assert!(edited("a: [1]\n", &[Key("a")], "2").is_err());
    }
}
