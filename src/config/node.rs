//! A YAML value with its place in the text.

use std::sync::Arc;

use super::diagnostic::Diagnostic;
use super::source::{SourceFile, Span};

/// Content of a node. Scalars are kept as text: the field that reads `15` or `yes` determines its meaning, never YAML's
/// guess.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `null`, `~` or nothing.
    Null,
    /// A scalar as written, with quotes and escapes resolved.
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
    /// Its place.
    pub span: Span,
}

/// A value and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Yaml {
    /// Its content.
    pub value: Value,
    /// Its place.
    pub span: Span,
    /// The source text.
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

    /// The entries whose key is accepted by `apart`, and this mapping without them: for mappings that mix fixed names
    /// with names chosen by the user. Anything but a mapping is returned unchanged.
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

    /// The kind of value, for messages.
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
