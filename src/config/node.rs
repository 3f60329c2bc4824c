//! A YAML value with its place in the text.

use std::sync::Arc;

use super::diagnostic::Diagnostic;
use super::source::{SourceFile, Span};

/// What a node holds. Scalars stay text: what `15` or `yes` means is decided by the field that reads it, never by YAML's
/// guess.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `null`, `~` or nothing.
    Null,
    /// A scalar as written; quotes and escapes resolved.
    Scalar(String),
    /// A sequence.
    Sequence(Vec<Yaml>),
    /// A mapping in the order of the text.
    Mapping(Vec<(Key, Yaml)>),
}

/// A mapping's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The key's text.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Yaml {
    /// What it holds.
    pub value: Value,
    /// Where it stands.
    pub span: Span,
    /// The text it stands in.
    pub source: Arc<SourceFile>,
}

impl Yaml {
    /// The value of the first entry named `key`, if this is a mapping that has one.
    pub fn get(&self, key: &str) -> Option<&Yaml> {
        match &self.value {
            Value::Mapping(entries) => entries.iter().find(|(k, _)| k.text == key).map(|(_, node)| node),
            _ => None,
        }
    }

    /// The entries whose key `apart` takes, and this mapping without them: for mappings that mix names of their own with names
    /// that a user makes up. Anything but a mapping stays as it is.
    pub fn split_entries(&self, apart: impl Fn(&str) -> bool) -> (Vec<(Key, Yaml)>, Yaml) {
        let Value::Mapping(entries) = &self.value else { return (Vec::new(), self.clone()) };
        let (taken, rest) = entries.iter().cloned().partition(|(key, _)| apart(&key.text));
        (taken, Yaml { value: Value::Mapping(rest), ..self.clone() })
    }

    /// The text, if this is a scalar.
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        self.value == Value::Null
    }

    /// What kind of value this is, for messages.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "nothing",
            Value::Scalar(_) => "a single value",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }

    /// An error that points here.
    pub fn error(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(message).at(&self.source, self.span)
    }

    /// A warning that points here.
    pub fn warning(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::warning(message).at(&self.source, self.span)
    }
}
