//! Names that are not in a list: what is said of them, with the most similar one. Whatever asks "did you mean" does it here.

use super::{Diagnostic, Diagnostics, Yaml, suggest};

fn question(name: &str) -> String {
    format!("did you mean `{name}`?")
}

/// The question after the most similar of the known names; `None` if none is similar.
pub fn did_you_mean<'c>(text: &str, known: impl IntoIterator<Item = &'c str>) -> Option<String> {
    suggest(text, known).map(question)
}

/// The same at the end of a message without a caret: empty, or the question after a semicolon.
pub fn near_miss<'c>(text: &str, known: impl IntoIterator<Item = &'c str>) -> String {
    did_you_mean(text, known).map(|question| format!("; {question}")).unwrap_or_default()
}

/// The known names after the question, for an advice: `did you mean ...? columns: a, b`.
pub fn advice<'c>(text: &str, known: impl IntoIterator<Item = &'c str>, list: &str) -> String {
    did_you_mean(text, known).map_or_else(|| list.to_string(), |question| format!("{question} {list}"))
}

/// What is said where `text`, at `node`, should be `what` ("a policy") and is none of the `known` names.
pub fn not_one_of(node: &Yaml, text: &str, what: &str, known: &[&str]) -> Diagnostic {
    let error = node.error(format!("`{text}` is not {what}")).note(format!("known: {}", known.join(", ")));
    error.near(text, known.iter().copied())
}

/// Reads one of a list of names, each with what it stands for; `what` is what the text should be ("a dispatcher").
pub fn one_of<T: Copy>(node: &Yaml, what: &str, known: &[(&'static str, T)], sink: &mut Diagnostics) -> Option<T> {
    let text = node.as_text().unwrap_or_default();
    let found = known.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    if found.is_none() {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        sink.push(not_one_of(node, text, what, &names));
    }
    found
}

impl Diagnostic {
    /// Labels the caret with the name that was meant.
    pub fn meant(self, name: &str) -> Self {
        self.label(question(name))
    }

    /// Labels the caret with the most similar of the known names; without one, the diagnostic stays as it is.
    pub fn near<'c>(self, text: &str, known: impl IntoIterator<Item = &'c str>) -> Self {
        match did_you_mean(text, known) {
            Some(question) => self.label(question),
            None => self,
        }
    }
}
