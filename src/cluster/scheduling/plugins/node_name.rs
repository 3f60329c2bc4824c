//! NodeName: a pod that names its node runs nowhere else.

use crate::cluster::scheduling::plugin::{Context, Filter, Part, Plugin, Refusal};
use crate::cluster::scheduling::state::NodeState;

/// The plug-in (kubernetes `nodename/node_name.go`).
pub struct NodeName;

impl Plugin for NodeName {
    fn name(&self) -> &'static str {
        "NodeName"
    }

    fn filter<'a>(&self, context: Context<'a>) -> Part<Box<dyn Filter + 'a>> {
        Part::Takes(Box::new(Named(context.pod().node_name.as_deref())))
    }
}

struct Named<'a>(Option<&'a str>);

impl Filter for Named<'_> {
    fn refuse(&self, node: &NodeState) -> Option<Refusal> {
        let other = self.0.is_some_and(|name| name != node.name);
        other.then(|| Refusal::for_good("node(s) didn't match the requested node name"))
    }
}
