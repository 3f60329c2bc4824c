//! Reads a policy from a scenario: its name in the list, then its own builder.

use std::path::Path;

use super::POLICIES;
use super::measure::Measure;
use super::own::OwnPolicy;
use super::scaling_policy::PolicyFactory;
use crate::cluster::PodSpec;
use crate::config::kubernetes::Release;
use crate::config::{Diagnostics, Plugin, Value, Yaml, not_one_of};

/// What a policy builder may know about the scenario.
#[derive(Clone, Copy)]
pub struct PolicyContext<'a> {
    /// Base directory of relative paths: that of the scenario file.
    pub base_dir: &'a Path,
    /// Name of the service (the Deployment) that the policy scales; empty if it has none.
    pub service: &'a str,
    /// The specification of its pods; `None` if not known.
    pub pod: Option<&'a PodSpec>,
    /// Custom metrics declared in the scenario.
    pub metric_names: &'a [(String, Measure)],
    /// Kubernetes release whose rules apply if a policy does not state one.
    pub release: Release,
    /// Additional policies provided by the calling program, besides [`POLICIES`].
    pub own: &'a [OwnPolicy],
}

/// Builds a policy from its parameters: the node below the policy's name in the scenario (null if there is none).
pub type PolicyBuilder = fn(&Yaml, &PolicyContext<'_>, &mut Diagnostics) -> Option<PolicyFactory>;

/// An entry in the list of policies.
pub type PolicyPlugin = Plugin<PolicyBuilder>;

/// The policy named `name`.
pub fn find(name: &str) -> Option<&'static PolicyPlugin> {
    POLICIES.iter().find(|policy| policy.name == name)
}

/// Reads a policy: a mapping whose only key is the policy's name, or just that name. `label` identifies it in messages.
pub fn read_policy(
    node: &Yaml,
    label: &str,
    context: &PolicyContext<'_>,
    sink: &mut Diagnostics,
) -> Option<PolicyFactory> {
    let null = Yaml { value: Value::Null, ..node.clone() };
    let (name, parameters, place) = match &node.value {
        Value::Scalar(name) => (name.clone(), &null, node.span),
        Value::Mapping(entries) if entries.len() == 1 => (entries[0].0.text.clone(), &entries[0].1, entries[0].0.span),
        _ => {
            let error = node.error(format!("policy `{label}` must name one kind of policy"));
            sink.push(error.help("for example `hpa: { manifest: hpa.yaml }` or `static: { replicas: 4 }`"));
            return None;
        }
    };
    if let Some(own) = context.own.iter().find(|own| own.name == name) {
        return own.build(parameters, context, sink);
    }
    if let Some(plugin) = find(&name) {
        return (plugin.build)(parameters, context, sink);
    }
    let own = context.own.iter().map(|own| own.name.as_str());
    let known: Vec<&str> = own.chain(POLICIES.iter().map(|plugin| plugin.name)).collect();
    sink.push(not_one_of(&Yaml { span: place, ..node.clone() }, &name, "a policy", &known));
    None
}
