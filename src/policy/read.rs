//! Reads a policy from a scenario: its name in the list, then its own builder.

use std::path::Path;

use super::POLICIES;
use super::measure::Measure;
use super::scaling_policy::PolicyFactory;
use crate::cluster::PodSpec;
use crate::config::kubernetes::Release;
use crate::config::{Diagnostics, Plugin, Value, Yaml, suggest};

/// What a policy builder may know about the scenario.
#[derive(Debug, Clone, Copy)]
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
    pub own: &'a [PolicyPlugin],
}

impl PolicyContext<'_> {
    /// The policy named `name`; the calling program's own take precedence.
    fn find(&self, name: &str) -> Option<&PolicyPlugin> {
        self.own.iter().chain(POLICIES).find(|policy| policy.name == name)
    }
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
    let Some(plugin) = context.find(&name) else {
        let known: Vec<&str> = context.own.iter().chain(POLICIES).map(|plugin| plugin.name).collect();
        let error = Yaml { span: place, ..node.clone() }.error(format!("`{name}` is not a policy"));
        let error = error.note(format!("known: {}", known.join(", ")));
        sink.push(match suggest(&name, known.iter().copied()) {
            Some(near) => error.label(format!("did you mean `{near}`?")),
            None => error,
        });
        return None;
    };
    (plugin.build)(parameters, context, sink)
}
