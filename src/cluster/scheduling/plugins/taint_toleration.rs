//! TaintToleration: pods keep off nodes whose taints they do not tolerate.

use crate::cluster::scheduling::plugin::{Context, Filter, Part, Plugin, Refusal, Score, normalize_by_largest};
use crate::cluster::scheduling::selector::{Effect, Taint, Toleration};
use crate::cluster::scheduling::state::NodeState;

/// The plug-in (kubernetes `tainttoleration/taint_toleration.go`).
pub struct TaintToleration;

impl Plugin for TaintToleration {
    fn name(&self) -> &'static str {
        "TaintToleration"
    }

    fn weight(&self) -> i64 {
        3
    }

    fn filter<'a>(&self, context: Context<'a>) -> Part<Box<dyn Filter + 'a>> {
        Part::Takes(Box::new(Tolerations(&context.pod().tolerations)))
    }

    fn score<'a>(&self, context: Context<'a>, _: &[&'a NodeState]) -> Part<Box<dyn Score + 'a>> {
        Part::Takes(Box::new(Tolerations(&context.pod().tolerations)))
    }
}

/// Whether pods with `tolerations` may be placed on a node with `taints`.
pub fn admits(tolerations: &[Toleration], taints: &[Taint]) -> bool {
    let keeps_off = |taint: &&Taint| taint.effect != Effect::PreferNoSchedule;
    taints.iter().filter(keeps_off).all(|taint| tolerations.iter().any(|toleration| toleration.tolerates(taint)))
}

struct Tolerations<'a>(&'a [Toleration]);

impl Filter for Tolerations<'_> {
    fn refuse(&self, node: &NodeState) -> Option<Refusal> {
        (!admits(self.0, &node.taints)).then(|| Refusal::for_good("node(s) had untolerated taint(s)"))
    }
}

impl Score for Tolerations<'_> {
    /// How many taints that ask to keep off it does not tolerate.
    fn raw(&self, node: &NodeState) -> i64 {
        let asks = |taint: &&Taint| taint.effect == Effect::PreferNoSchedule;
        let tolerated = |taint: &&Taint| self.0.iter().any(|toleration| toleration.tolerates(taint));
        node.taints.iter().filter(asks).filter(|taint| !tolerated(taint)).count() as i64
    }

    fn normalize(&self, _: &[&NodeState], scores: &mut [i64]) {
        normalize_by_largest(scores, true);
    }
}
