//! DynamicResources: devices by claim, of which no pod has any here.

use crate::cluster::scheduling::plugin::{Context, Filter, Part, Plugin, Score};
use crate::cluster::scheduling::state::NodeState;

/// The plug-in (kubernetes `dynamicresources/dynamicresources.go`) for pods without claims.
pub struct DynamicResources;

impl Plugin for DynamicResources {
    fn name(&self) -> &'static str {
        "DynamicResources"
    }

    fn weight(&self) -> i64 {
        2
    }

    fn filter<'a>(&self, _: Context<'a>) -> Part<Box<dyn Filter + 'a>> {
        Part::Skipped
    }

    fn score<'a>(&self, _: Context<'a>, _: &[&'a NodeState]) -> Part<Box<dyn Score + 'a>> {
        Part::Takes(Box::new(NoClaims))
    }
}

struct NoClaims;

impl Score for NoClaims {
    fn raw(&self, _: &NodeState) -> i64 {
        0
    }
}
