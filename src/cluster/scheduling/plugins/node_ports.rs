//! NodePorts: two pods cannot take the same port of a node.

use crate::cluster::scheduling::plugin::{Context, Filter, Part, Plugin, Refusal};
use crate::cluster::scheduling::state::NodeState;

/// The plug-in (kubernetes `nodeports/node_ports.go`), for ports of all of a node's addresses under one protocol.
pub struct NodePorts;

impl Plugin for NodePorts {
    fn name(&self) -> &'static str {
        "NodePorts"
    }

    fn filter<'a>(&self, context: Context<'a>) -> Part<Box<dyn Filter + 'a>> {
        match &context.incoming.ports[..] {
            [] => Part::Skipped,
            ports => Part::Takes(Box::new(Wanted(ports))),
        }
    }
}

struct Wanted<'a>(&'a [u16]);

impl Filter for Wanted<'_> {
    fn refuse(&self, node: &NodeState) -> Option<Refusal> {
        let taken = self.0.iter().any(|port| node.load.ports().contains(port));
        taken.then(|| Refusal::now("node(s) didn't have free ports for the requested pod ports"))
    }
}
