//! Shared by the readers of manifests.

use crate::config::{Diagnostic, Diagnostics, Fields, FromNode, Key, Value, Yaml};
use crate::units::SimDuration;

/// Marks names as known although they are not read.
pub(super) fn legal(fields: &Fields<'_>, names: &[&'static str]) {
    for name in names {
        fields.node_of(name);
    }
}

/// Marks names as known, and warns if one is present: `effect` states what is ignored.
pub(super) fn unmodelled(fields: &Fields<'_>, names: &[&'static str], effect: &str, sink: &mut Diagnostics) {
    for name in names {
        if fields.node_of(name).is_some()
            && let Some((key, node)) = fields.entries().iter().find(|(key, _)| key.text == *name)
        {
            let message = format!("`{name}` is not modelled: {effect}");
            sink.push(Diagnostic::warning(message).at(&node.source, key.span));
        }
    }
}

/// Like [`Fields::finish`], for objects that grow with every release: a name similar to a known one is an error, any
/// other unknown name a warning.
pub fn finish_leniently(fields: &Fields<'_>, owner: &str, sink: &mut Diagnostics) {
    let asked = fields.asked();
    for (key, node) in fields.entries().iter().filter(|(key, _)| !asked.contains(&key.text.as_str())) {
        let message = format!("{owner} has no field `{}`", key.text);
        let likely = fields.misspelt(&key.text, sink);
        sink.push(match likely {
            Some(name) => Diagnostic::error(message).at(&node.source, key.span).meant(name),
            None => Diagnostic::warning(message).at(&node.source, key.span).label("unknown field, ignored"),
        });
    }
}

/// An integer number of seconds.
pub(super) fn seconds(fields: &Fields<'_>, name: &'static str, sink: &mut Diagnostics) -> Option<SimDuration> {
    let seconds = u32::from_node(fields.node_of(name)?, sink)?;
    Some(SimDuration::from_secs(u64::from(seconds)))
}

/// A copy whose keys are in camel case as in Kubernetes (`min-replicas` becomes `minReplicas`), at every depth.
pub fn camel_case(node: &Yaml) -> Yaml {
    let value = match &node.value {
        Value::Sequence(items) => Value::Sequence(items.iter().map(camel_case).collect()),
        Value::Mapping(entries) => Value::Mapping(
            entries
                .iter()
                .map(|(key, value)| (Key { text: camel(&key.text), span: key.span }, camel_case(value)))
                .collect(),
        ),
        other => other.clone(),
    };
    Yaml { value, ..node.clone() }
}

fn camel(text: &str) -> String {
    let mut parts = text.split('-');
    let mut joined = parts.next().unwrap_or("").to_string();
    for part in parts {
        let mut letters = part.chars();
        joined.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        joined.push_str(letters.as_str());
    }
    joined
}
