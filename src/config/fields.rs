//! Reads mappings: every requested field is known, and any other field is an error with the most similar name.

use std::cell::RefCell;
use std::str::FromStr;

use super::diagnostic::{Diagnostic, Diagnostics, ReadMapping};
use super::node::{Key, Value, Yaml};
use crate::units::{
    Bytes, Fraction, Millicores, Quantity, Rate, SimDuration, UnitError, UnitPrice, Usd, UsdPerHour, Utilization,
};

/// Maximum number of unknown fields of a mapping for which similar names are searched.
const MAX_MISSPELT: usize = 200;

/// A value that can be read from a node. Problems are reported to `sink`, and `None` is returned.
pub trait FromNode: Sized {
    /// Reads the value, or reports a problem.
    fn from_node(node: &Yaml, sink: &mut Diagnostics) -> Option<Self>;

    /// The value as it is written, where it has a short form: a default is shown so.
    fn words(&self) -> Option<String> {
        None
    }
}

/// The fields of one mapping. Request each by name, then call [`Fields::finish`], which reports the fields that were
/// not requested.
pub struct Fields<'a> {
    owner: &'a str,
    node: &'a Yaml,
    entries: &'a [(Key, Yaml)],
    asked: RefCell<Vec<&'static str>>,
    /// Names that were reported as missing, with the message.
    absent: RefCell<Vec<(&'static str, String)>>,
    /// Values of absent fields.
    defaults: RefCell<Vec<(&'static str, String)>>,
}

impl<'a> Fields<'a> {
    /// Opens `node` as a mapping; `owner` names it in messages ("service", "policy `hpa`"). Anything but a mapping is
    /// reported, and `None` is returned.
    pub fn open(node: &'a Yaml, owner: &'a str, sink: &mut Diagnostics) -> Option<Self> {
        match &node.value {
            Value::Mapping(entries) => {
                let (asked, absent, defaults) = Default::default();
                Some(Fields { owner, node, entries, asked, absent, defaults })
            }
            _ => {
                sink.push(node.error(format!("{owner} must be a mapping, not {}", node.kind())));
                None
            }
        }
    }

    /// The mapping itself.
    pub fn node(&self) -> &'a Yaml {
        self.node
    }

    /// The node of field `name`, if it is present and not null.
    pub fn node_of(&self, name: &'static str) -> Option<&'a Yaml> {
        self.asked.borrow_mut().push(name);
        self.entries.iter().find(|(key, _)| key.text == name).map(|(_, node)| node).filter(|node| !node.is_null())
    }

    /// The value of field `name`, or `None` if it is absent (or wrong, which is reported).
    pub fn optional<T: FromNode>(&self, name: &'static str, sink: &mut Diagnostics) -> Option<T> {
        T::from_node(self.node_of(name)?, sink)
    }

    /// The value of field `name`, or `default` if it is absent (or wrong, which is reported).
    pub fn or<T: FromNode>(&self, name: &'static str, default: T, sink: &mut Diagnostics) -> T {
        self.default_is(name, default.words());
        self.optional(name, sink).unwrap_or(default)
    }

    /// States the value that field `name` has if it is absent, for a reader that does not use [`Fields::or`].
    pub fn default_is(&self, name: &'static str, words: impl Into<Option<String>>) {
        self.defaults.borrow_mut().extend(words.into().map(|words| (name, words)));
    }

    /// The fields requested so far, each once.
    fn read(&self) -> ReadMapping {
        let defaults = self.defaults.borrow();
        let mut fields: Vec<(&'static str, Option<String>)> = Vec::new();
        for name in self.asked.borrow().iter().filter(|name| !name.is_empty()) {
            if !fields.iter().any(|(known, _)| known == name) {
                let default = defaults.iter().find(|(of, _)| of == name).map(|(_, words)| words.clone());
                fields.push((name, default));
            }
        }
        ReadMapping { source: self.node.source.name().to_string(), span: self.node.span, fields }
    }

    /// The value of field `name`; its absence is reported.
    pub fn required<T: FromNode>(&self, name: &'static str, sink: &mut Diagnostics) -> Option<T> {
        match self.node_of(name) {
            Some(node) => T::from_node(node, sink),
            None => {
                // The place is the mapping's first key, because the whole mapping may be the whole file.
                let span = self.entries.first().map_or(self.node.span, |(key, _)| key.span);
                let error = Diagnostic::error(format!("{} has no `{name}`", self.owner));
                self.missing(&[name], error.at(&self.node.source, span).help(format!("add `{name}:`")), sink);
                None
            }
        }
    }

    /// Reports that one of `names` is missing. Every check for a missing field uses this function and comes before
    /// [`Fields::finish`], which retracts the report if one of them turns out to be misspelt.
    pub fn missing(&self, names: &[&'static str], error: Diagnostic, sink: &mut Diagnostics) {
        self.absent.borrow_mut().extend(names.iter().map(|name| (*name, error.message.clone())));
        sink.push(error);
    }

    /// The most similar of the requested names to `text`. If it was reported as missing, that report is retracted: the
    /// field was misspelt, and one message is enough.
    pub(crate) fn misspelt(&self, text: &str, sink: &mut Diagnostics) -> Option<&'static str> {
        let name = suggest(text, self.asked.borrow().iter().copied())?;
        if let Some((_, message)) = self.absent.borrow().iter().find(|(absent, _)| *absent == name) {
            sink.retract(message);
        }
        Some(name)
    }

    /// Every field in the order of the text, for mappings with keys chosen by the user.
    pub fn entries(&self) -> &'a [(Key, Yaml)] {
        self.entries
    }

    /// The names requested so far, in order.
    pub fn asked(&self) -> Vec<&'static str> {
        self.asked.borrow().clone()
    }

    /// Reports every field that was not requested, each with the most similar requested name.
    pub fn finish(self, sink: &mut Diagnostics) {
        sink.note_mapping(|| self.read());
        let asked = self.asked.borrow();
        let mut names = asked.clone();
        names.sort_unstable();
        names.dedup();
        let known = match names.as_slice() {
            [] => "it takes no fields".to_string(),
            names => format!("known fields: {}", names.join(", ")),
        };
        let unknown = self.entries.iter().filter(|(key, _)| !asked.contains(&key.text.as_str()));
        for (number, (key, value)) in unknown.enumerate() {
            let message = format!("{} has no field `{}`", self.owner, key.text);
            // A field that an argument added stands in the argument.
            let added = value.source.name().starts_with("--").then_some((&value.source, value.span));
            let (source, span) = added.unwrap_or((&self.node.source, key.span));
            let mut diagnostic = Diagnostic::error(message).at(source, span);
            // With thousands of unknown fields, searching a similar name for each would take minutes.
            let near = if number < MAX_MISSPELT { self.misspelt(&key.text, sink) } else { None };
            diagnostic = match near {
                Some(name) => diagnostic.meant(name),
                None => diagnostic.label("unknown field"),
            };
            sink.push(diagnostic.note(known.as_str()));
        }
    }
}

/// The candidate most similar to `text`: small edit distance (Damerau-Levenshtein), ignoring case and separators, or a
/// common prefix of at least three letters.
pub fn suggest<'c>(text: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let plain = |s: &str| s.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let wanted = plain(text);
    let score = |candidate: &str| {
        let candidate = plain(candidate);
        let distance = strsim::damerau_levenshtein(&wanted, &candidate);
        let shorter = wanted.chars().count().min(candidate.chars().count());
        let prefix = shorter >= 3 && (candidate.starts_with(&wanted) || wanted.starts_with(&candidate));
        let limit = (wanted.chars().count().max(3)) / 3;
        (distance <= limit || prefix).then_some(distance)
    };
    candidates.into_iter().filter_map(|c| score(c).map(|s| (s, c))).min().map(|(_, c)| c)
}

/// Reads a scalar with `FromStr`; an error becomes a diagnostic with caret and suggestion.
pub fn parse_text<T: FromStr<Err = UnitError>>(node: &Yaml, sink: &mut Diagnostics) -> Option<T> {
    let Some(text) = node.as_text() else {
        sink.push(node.error(format!("expected a single value, found {}", node.kind())));
        return None;
    };
    match text.parse() {
        Ok(value) => Some(value),
        Err(error) => {
            let mut diagnostic = node.error(error.problem).label(format!("expected {}", error.expected));
            if let Some(text) = error.suggestion {
                diagnostic = diagnostic.help(format!("write `{text}`"));
            }
            sink.push(diagnostic);
            None
        }
    }
}

macro_rules! from_text {
    ($($name:ty),*) => {$(
        impl FromNode for $name {
            fn from_node(node: &Yaml, sink: &mut Diagnostics) -> Option<Self> {
                parse_text(node, sink)
            }

            fn words(&self) -> Option<String> {
                Some(self.to_string())
            }
        }
    )*};
}
from_text!(SimDuration, Usd, UsdPerHour, Millicores, Bytes, Quantity, Rate, Fraction, Utilization, UnitPrice);

/// Reads a scalar through the standard parser of `T`.
fn plain<T: FromStr>(node: &Yaml, expected: &str, sink: &mut Diagnostics) -> Option<T> {
    let value = node.as_text().and_then(|text| text.replace('_', "").parse().ok());
    if value.is_none() {
        let found = node.as_text().map_or_else(|| node.kind().to_string(), |text| format!("`{text}`"));
        sink.push(node.error(format!("expected {expected}, found {found}")));
    }
    value
}

impl FromNode for String {
    fn from_node(node: &Yaml, sink: &mut Diagnostics) -> Option<Self> {
        plain_text(node, sink)
    }

    fn words(&self) -> Option<String> {
        Some(self.clone())
    }
}

fn plain_text(node: &Yaml, sink: &mut Diagnostics) -> Option<String> {
    let text = node.as_text().map(str::to_string);
    if text.is_none() {
        sink.push(node.error(format!("expected a text, found {}", node.kind())));
    }
    text
}

impl FromNode for u32 {
    fn from_node(node: &Yaml, sink: &mut Diagnostics) -> Option<Self> {
        plain(node, "a whole number from 0 to 4294967295", sink)
    }

    fn words(&self) -> Option<String> {
        Some(if *self == u32::MAX { "no limit".into() } else { self.to_string() })
    }
}

impl FromNode for u64 {
    fn from_node(node: &Yaml, sink: &mut Diagnostics) -> Option<Self> {
        plain(node, "a whole number, zero or more", sink)
    }

    fn words(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl FromNode for f64 {
    /// A finite number; NaN and infinity are rejected.
    fn from_node(node: &Yaml, sink: &mut Diagnostics) -> Option<Self> {
        let value: f64 = plain(node, "a number", sink)?;
        if !value.is_finite() {
            sink.push(node.error(format!("expected a finite number, found `{}`", node.as_text().unwrap_or(""))));
            return None;
        }
        Some(value)
    }

    fn words(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl FromNode for bool {
    fn from_node(node: &Yaml, sink: &mut Diagnostics) -> Option<Self> {
        match node.as_text() {
            Some("true" | "yes" | "on") => Some(true),
            Some("false" | "no" | "off") => Some(false),
            _ => plain(node, "`true` or `false`", sink),
        }
    }

    fn words(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl<T: FromNode> FromNode for Vec<T> {
    /// A list; a single value counts as a list of one.
    fn from_node(node: &Yaml, sink: &mut Diagnostics) -> Option<Self> {
        match &node.value {
            Value::Sequence(items) => {
                let read: Vec<Option<T>> = items.iter().map(|item| T::from_node(item, sink)).collect();
                read.into_iter().collect()
            }
            Value::Null => Some(Vec::new()),
            _ => T::from_node(node, sink).map(|item| vec![item]),
        }
    }

    fn words(&self) -> Option<String> {
        self.iter().map(T::words).collect::<Option<Vec<String>>>().map(|words| words.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{parse_single, source::SourceFile};
    use super::*;

    #[test]
    fn all_errors_at_once_with_suggestions() {
        let source = SourceFile::new("s.yaml", "concurency: 4\ntimeout: 5\ncpu: 100 x\n");
        let root = parse_single(&source).unwrap();
        let mut sink = Diagnostics::new();
        let fields = Fields::open(&root, "service", &mut sink).unwrap();
        let _: Option<u32> = fields.required("concurrency", &mut sink);
        let _: Option<SimDuration> = fields.optional("timeout", &mut sink);
        let _: Option<Millicores> = fields.optional("cpu", &mut sink);
        fields.finish(&mut sink);
        let shown = sink.to_string();
        assert_eq!(sink.len(), 3, "{shown}");
        assert!(shown.contains("did you mean `concurrency`?"), "{shown}");
        assert!(shown.contains("write `5ms` or `5s`"), "{shown}");
        assert!(shown.contains("s.yaml:3:6"), "{shown}");
    }

    #[test]
    fn a_misspelt_field_is_not_also_missing() {
        let source = SourceFile::new("s.yaml", "concurency: 4\n");
        let root = parse_single(&source).unwrap();
        let mut sink = Diagnostics::new();
        let fields = Fields::open(&root, "service", &mut sink).unwrap();
        for names in [&["concurrency"] as &[_], &["other", "others"]] {
            names.iter().for_each(|name| assert!(fields.node_of(name).is_none()));
            fields.missing(names, root.error(format!("a hand-made complaint about {names:?}")), &mut sink);
        }
        fields.finish(&mut sink);
        let shown = sink.to_string();
        assert_eq!(sink.len(), 2, "{shown}");
        assert!(
            shown.contains("complaint about [\"other\"") && shown.contains("did you mean `concurrency`?"),
            "{shown}"
        );
    }

    #[test]
    fn what_takes_no_fields_says_so() {
        let root = parse_single(&SourceFile::new("s.yaml", "nodes: 4\n")).unwrap();
        let mut sink = Diagnostics::new();
        Fields::open(&root, "policy `fixed`", &mut sink).unwrap().finish(&mut sink);
        let shown = sink.to_string();
        assert!(
            shown.contains("policy `fixed` has no field `nodes`") && shown.contains("it takes no fields"),
            "{shown}"
        );
        assert!(!shown.contains("known fields"), "{shown}");
    }

    #[test]
    fn suggestions_are_near_misses_only() {
        assert_eq!(suggest("targer", ["target", "type"]), Some("target"));
        assert_eq!(suggest("meta", ["metadata", "spec"]), Some("metadata"));
        assert_eq!(suggest("Name", ["name"]), Some("name"));
        assert_eq!(suggest("zzz", ["name", "spec"]), None);
    }
}
