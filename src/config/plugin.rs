//! The entries of plug-in lists.

use super::{Diagnostics, Value, Yaml, not_one_of};

/// An entry in the list of one kind of plug-in. The lists are used by the scenario reader, the suggestions for misspelt
/// names, `plimsoll list`, the JSON Schema and the README's table.
#[derive(Debug, Clone, Copy)]
pub struct Plugin<B: 'static> {
    /// The name in a scenario.
    pub name: &'static str,
    /// One line for `plimsoll list`.
    pub summary: &'static str,
    /// Source of the algorithm or format (paper, upstream project, specification).
    pub source: &'static str,
    /// Builds the plug-in; the parameters of the builder depend on the kind.
    pub build: B,
}

impl<B> Plugin<B> {
    /// The entry of `list` that `node` states, with its parameters: `NAME` (parameters are null) or `NAME: {...}`.
    /// `what` is the kind of plug-in for messages.
    pub fn stated<'a>(
        list: &'a [Plugin<B>],
        what: &str,
        node: &Yaml,
        sink: &mut Diagnostics,
    ) -> Option<(&'a Plugin<B>, Yaml)> {
        let (name, place, parameters) = match &node.value {
            Value::Scalar(name) => (name, node.span, Yaml { value: Value::Null, ..node.clone() }),
            Value::Mapping(entries) if entries.len() == 1 => {
                (&entries[0].0.text, entries[0].0.span, entries[0].1.clone())
            }
            _ => {
                let example = list.first().map_or("NAME", |plugin| plugin.name);
                sink.push(
                    node.error(format!("this must name one kind of {what}")).help(format!("for example `{example}`")),
                );
                return None;
            }
        };
        if let Some(plugin) = list.iter().find(|plugin| plugin.name == name) {
            return Some((plugin, parameters));
        }
        let names: Vec<&str> = list.iter().map(|plugin| plugin.name).collect();
        sink.push(not_one_of(&Yaml { span: place, ..node.clone() }, name, &format!("a {what}"), &names));
        None
    }
}
