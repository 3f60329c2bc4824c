//! NodeUnschedulable: cordoned nodes take no pods.

use crate::cluster::scheduling::plugin::{Context, Filter, Part, Plugin, Refusal};
use crate::cluster::scheduling::selector::{Effect, Taint};
use crate::cluster::scheduling::state::NodeState;

/// The plug-in (kubernetes `nodeunschedulable/node_unschedulable.go`).
pub struct NodeUnschedulable;

impl Plugin for NodeUnschedulable {
    fn name(&self) -> &'static str {
        "NodeUnschedulable"
    }

    fn filter<'a>(&self, context: Context<'a>) -> Part<Box<dyn Filter + 'a>> {
        let key = "node.kubernetes.io/unschedulable".to_string();
        let taint = Taint { key, value: String::new(), effect: Effect::NoSchedule };
        let tolerated = context.pod().tolerations.iter().any(|toleration| toleration.tolerates(&taint));
        Part::Takes(Box::new(Cordon { tolerated }))
    }
}

struct Cordon {
    tolerated: bool,
}

impl Filter for Cordon {
    fn refuse(&self, node: &NodeState) -> Option<Refusal> {
        (node.unschedulable && !self.tolerated).then(|| Refusal::for_good("node(s) were unschedulable"))
    }
}
