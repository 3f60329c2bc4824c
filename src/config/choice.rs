//! Names that are not in a list: what is said of them, with the most similar one.

use super::{Diagnostic, Yaml, suggest};

/// What is said where `text`, at `node`, should be `what` ("a policy") and is none of the `known` names.
pub fn not_one_of(node: &Yaml, text: &str, what: &str, known: &[&str]) -> Diagnostic {
    let error = node.error(format!("`{text}` is not {what}")).note(format!("known: {}", known.join(", ")));
    error.near(text, known.iter().copied())
}

/// `; did you mean ...?` for a message without a caret; empty if none of the known names is similar.
pub fn near_miss<'c>(text: &str, known: impl IntoIterator<Item = &'c str>) -> String {
    suggest(text, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

impl Diagnostic {
    /// Labels the caret with the most similar of the known names; without one, the diagnostic stays as it is.
    pub fn near<'c>(self, text: &str, known: impl IntoIterator<Item = &'c str>) -> Self {
        match suggest(text, known) {
            Some(near) => self.label(format!("did you mean `{near}`?")),
            None => self,
        }
    }
}
