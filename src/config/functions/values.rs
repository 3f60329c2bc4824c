//! Values of templates: literals, and what stands for a value that is known only elsewhere.

use super::definition::{FunctionDefinition, Stated};
use super::limits::FunctionRules;
use crate::config::{Diagnostic, Diagnostics, FromNode, Key, Value, Yaml, suggest};
use crate::units::{Bytes, SimDuration};

/// What a node of a template comes to.
pub(super) enum Known<'a> {
    /// This literal: the node itself, or the default of the parameter that it refers to.
    Literal(&'a Yaml),
    /// Something outside the file, in words ("parameter `Size`, which has no default").
    Elsewhere(String),
    /// As if it were not there (`AWS::NoValue`).
    Absent,
}

/// How a format writes values that are known only elsewhere.
pub(super) trait Resolve {
    /// What `node` comes to.
    fn resolve<'a>(&'a self, node: &'a Yaml) -> Known<'a>;
}

/// Values are as they stand (Kubernetes YAML, `host.json`).
pub(super) struct Plain;

impl Resolve for Plain {
    fn resolve<'a>(&'a self, node: &'a Yaml) -> Known<'a> {
        Known::Literal(node)
    }
}

/// Mappings in which the fields of one part of a function are looked up, the first that has a field first.
pub(super) struct Part<'a> {
    /// The mappings: a function's own, then those of defaults.
    pub(super) layers: Vec<&'a Yaml>,
    /// What the part is of, for messages ("function `shop`").
    pub(super) owner: String,
    /// The service whose limits apply.
    pub(super) service: &'a str,
    /// The limits.
    pub(super) rules: &'a FunctionRules,
    /// How the format refers to other values.
    pub(super) resolve: &'a dyn Resolve,
}

impl<'a> Part<'a> {
    /// The part under field `name`; a part without layers if there is none.
    pub(super) fn under(&self, name: &str, sink: &mut Diagnostics) -> Part<'a> {
        let mut layers = Vec::new();
        for node in self.layers.iter().filter_map(|layer| layer.get(name)) {
            match self.resolve.resolve(node) {
                Known::Literal(node) if matches!(node.value, Value::Mapping(_)) => layers.push(node),
                Known::Literal(node) if node.is_null() => {}
                Known::Literal(node) => {
                    sink.push(node.error(format!("`{name}` of {} must be a mapping, not {}", self.owner, node.kind())));
                }
                Known::Elsewhere(what) => sink.push(self.elsewhere(name, node, &what)),
                Known::Absent => {}
            }
        }
        Part { layers, owner: self.owner.clone(), ..*self }
    }

    /// The mapping that a message about the part as a whole points to.
    pub(super) fn node(&self) -> Option<&'a Yaml> {
        self.layers.first().copied()
    }

    /// The literal of field `name`; what is known only elsewhere is warned about.
    pub(super) fn literal(&self, name: &str, sink: &mut Diagnostics) -> Option<&'a Yaml> {
        for node in self.layers.iter().filter_map(|layer| layer.get(name)) {
            match self.resolve.resolve(node) {
                Known::Literal(node) if !node.is_null() => return Some(node),
                Known::Literal(_) | Known::Absent => {}
                Known::Elsewhere(what) => {
                    sink.push(self.elsewhere(name, node, &what));
                    return None;
                }
            }
        }
        None
    }

    /// Whether field `name` is there, with a value that is known here or elsewhere.
    pub(super) fn states(&self, name: &str) -> bool {
        let found = |node: &&'a Yaml| match self.resolve.resolve(node) {
            Known::Literal(node) => !node.is_null(),
            Known::Elsewhere(_) => true,
            Known::Absent => false,
        };
        self.layers.iter().filter_map(|layer| layer.get(name)).any(|node| found(&node))
    }

    /// Like [`Part::literal`], without the warning: for names, and where no number depends on it.
    pub(super) fn quiet(&self, name: &str) -> Option<&'a Yaml> {
        self.literal(name, &mut Diagnostics::new())
    }

    fn elsewhere(&self, name: &str, node: &Yaml, what: &str) -> Diagnostic {
        let warning = node.warning(format!("`{name}` of {} depends on {what}", self.owner));
        warning.label("taken as not stated").help("state it in the scenario, or write the value here")
    }

    /// A whole number.
    pub(super) fn whole(&self, name: &str, sink: &mut Diagnostics) -> Option<Stated<u64>> {
        let node = self.literal(name, sink)?;
        u64::from_node(node, sink).map(|value| Stated::new(value, node))
    }

    /// A whole number that the limit `limit` allows.
    pub(super) fn limited(&self, name: &str, limit: &str, sink: &mut Diagnostics) -> Option<Stated<u64>> {
        let value = self.whole(name, sink)?;
        let what = format!("`{name}` of {}", self.owner);
        self.rules.check((self.service, limit), &what, &value, sink).then_some(value)
    }

    /// A number of things: at most 4,294,967,295.
    pub(super) fn count(&self, name: &str, limit: &str, sink: &mut Diagnostics) -> Option<Stated<u32>> {
        let value = self.limited(name, limit, sink)?;
        count(value, sink)
    }

    /// A number of megabytes.
    pub(super) fn megabytes(&self, name: &str, limit: &str, sink: &mut Diagnostics) -> Option<Stated<Bytes>> {
        let value = self.limited(name, limit, sink)?;
        let too_many = value.error(format!("{} MB is too much memory", value.value));
        let bytes = value.value.checked_mul(1 << 20);
        if bytes.is_none() {
            sink.push(too_many);
        }
        bytes.map(|bytes| value.with(Bytes::new(bytes)))
    }

    /// A number of seconds.
    pub(super) fn seconds(&self, name: &str, limit: &str, sink: &mut Diagnostics) -> Option<Stated<SimDuration>> {
        let value = count(self.limited(name, limit, sink)?, sink)?;
        Some(value.map(|seconds| SimDuration::from_secs(u64::from(seconds))))
    }

    /// A text.
    pub(super) fn text(&self, name: &str, sink: &mut Diagnostics) -> Option<Stated<String>> {
        let node = self.literal(name, sink)?;
        String::from_node(node, sink).map(|text| Stated::new(text, node))
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, name: &str, sink: &mut Diagnostics) -> Option<Stated<bool>> {
        let node = self.literal(name, sink)?;
        bool::from_node(node, sink).map(|flag| Stated::new(flag, node))
    }

    /// The number that holds where none is stated, as one of the function at `place`.
    pub(super) fn default(&self, limit: &str, place: &Yaml) -> Option<Stated<u64>> {
        self.rules.number(self.service, limit).map(|value| Stated::assumed(value, place))
    }

    /// Reports near misses of the names that are known.
    pub(super) fn near_misses(&self, known: &[&str], sink: &mut Diagnostics) {
        for layer in &self.layers {
            near_misses(layer, known, &self.owner, sink);
        }
    }
}

/// A number of things, reported if it is beyond 32 bits.
pub(super) fn count(value: Stated<u64>, sink: &mut Diagnostics) -> Option<Stated<u32>> {
    let count = u32::try_from(value.value).ok();
    if count.is_none() {
        sink.push(value.error(format!("expected a whole number from 0 to 4294967295, found `{}`", value.value)));
    }
    count.map(|count| value.with(count))
}

/// The known name that `text` almost is: written with other capitals, or up to two letters off (one in a short name).
pub(super) fn almost<'k>(text: &str, known: &[&'k str]) -> Option<&'k str> {
    let near = suggest(text, known.iter().copied()).filter(|_| !known.contains(&text))?;
    let distance = strsim::damerau_levenshtein(&text.to_lowercase(), &near.to_lowercase());
    let length = near.chars().count();
    (length >= 4 && distance <= if length <= 5 { 1 } else { 2 }).then_some(near)
}

/// Reports every key of the mapping `node` that is almost one of the `known` names; others pass.
pub(super) fn near_misses(node: &Yaml, known: &[&str], owner: &str, sink: &mut Diagnostics) {
    for (key, value) in entries(node) {
        let near = almost(&key.text, known).filter(|near| node.get(near).is_none());
        if let Some(near) = near {
            let error = Diagnostic::error(format!("{owner} has no field `{}`", key.text));
            sink.push(error.at(&value.source, key.span).meant(near));
        }
    }
}

/// The entries of a mapping; none of anything else.
pub(super) fn entries(node: &Yaml) -> &[(Key, Yaml)] {
    match &node.value {
        Value::Mapping(entries) => entries,
        _ => &[],
    }
}

/// The items of a list; none of anything else.
pub(super) fn items(node: &Yaml) -> &[Yaml] {
    match &node.value {
        Value::Sequence(items) => items,
        _ => &[],
    }
}

/// A node with the text of a key, at the place of the key.
pub(super) fn key_text(key: &Key, value: &Yaml) -> Stated<String> {
    Stated { value: key.text.clone(), assumed: false, source: value.source.clone(), span: key.span }
}

/// Every text in `node`, at any depth.
pub(super) fn texts(node: &Yaml) -> Vec<&str> {
    match &node.value {
        Value::Null => Vec::new(),
        Value::Scalar(text) => vec![text],
        Value::Sequence(items) => items.iter().flat_map(texts).collect(),
        Value::Mapping(entries) => entries.iter().flat_map(|(_, value)| texts(value)).collect(),
    }
}

/// Reports what the rules of AWS Lambda say about several values together.
pub(super) fn check_lambda(function: &FunctionDefinition, sink: &mut Diagnostics) {
    let title = function.title();
    let provisioned = function.provisioned.as_ref();
    let counts = provisioned.map(|p| [&p.count, &p.minimum, &p.maximum]).into_iter().flatten().flatten();
    if let (Some(reserved), Some(most)) = (&function.reserved_concurrency, counts.max_by_key(|count| count.value))
        && most.value > reserved.value
    {
        let message = format!(
            "{title} cannot have {} provisioned environments: its reserved concurrency is {}",
            most.value, reserved.value
        );
        sink.push(most.error(message).help("raise the reserved concurrency, or provision less"));
    }
    let Some(snap_start) = function.snap_start.as_ref().filter(|snap_start| snap_start.value) else { return };
    if provisioned.is_some_and(|p| p.count.is_some() || p.maximum.is_some()) {
        let message = format!("{title} cannot have both SnapStart and provisioned concurrency");
        sink.push(snap_start.error(message).help("keep one of the two"));
    }
    if function.ephemeral_storage.as_ref().is_some_and(|storage| storage.value > Bytes::from_mib(512)) {
        let message = format!("{title} cannot have both SnapStart and more than 512 MB of ephemeral storage");
        sink.push(snap_start.error(message).help("keep one of the two"));
    }
}
