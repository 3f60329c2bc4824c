//! Plug-ins: the rules of which a placement consists.

use super::pod::{Kind, Pod};
use super::profile::Profile;
use super::relations::Relations;
use super::state::{Lookup, NodeState, View};
use super::topology::Census;

/// The highest normalised score (`MaxNodeScore`).
pub const MAX_SCORE: i64 = 100;

/// Why a node is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Whether evicting pods cannot help (`UnschedulableAndUnresolvable`).
    pub is_final: bool,
    /// Messages, in upstream's wording.
    pub reasons: Vec<String>,
}

impl Refusal {
    /// A refusal that evicting pods might undo.
    pub fn now(reason: &str) -> Refusal {
        Refusal { is_final: false, reasons: vec![reason.to_string()] }
    }

    /// A refusal that evicting pods cannot undo.
    pub fn for_good(reason: &str) -> Refusal {
        Refusal { is_final: true, reasons: vec![reason.to_string()] }
    }
}

/// What a plug-in knows: the cluster, the pod to be placed, and the profile.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The nodes.
    pub nodes: View<'a>,
    /// What does not change meanwhile.
    pub lookup: &'a Lookup,
    /// The pod to be placed.
    pub incoming: &'a Kind,
    /// What the pod has to do with others.
    pub relations: &'a Relations,
    /// The profile.
    pub profile: &'a Profile,
    /// Counts by place, if they are kept and hold for these nodes.
    pub census: Option<&'a Census>,
}

impl<'a> Context<'a> {
    /// The pod to be placed.
    pub fn pod(&self) -> &'a Pod {
        &self.incoming.pod
    }
}

/// Whether a plug-in takes part in a step.
pub enum Part<T> {
    /// It is not made for it.
    None,
    /// It has nothing to say about this pod.
    Skipped,
    /// It takes part.
    Takes(T),
}

impl<T> Part<T> {
    /// What takes part, if anything does.
    pub fn taken(self) -> Option<T> {
        match self {
            Part::Takes(part) => Some(part),
            Part::None | Part::Skipped => None,
        }
    }
}

/// Refuses nodes for one pod.
pub trait Filter {
    /// Why a node is refused; `None` if it is not.
    fn refuse(&self, node: &NodeState) -> Option<Refusal>;

    /// The names of the only nodes that need to be looked at.
    fn only(&self) -> Option<Vec<String>> {
        None
    }
}

/// Scores nodes for one pod.
pub trait Score {
    /// The raw score of a node.
    fn raw(&self, node: &NodeState) -> i64;

    /// Turns the raw scores of all nodes into scores from 0 to [`MAX_SCORE`].
    fn normalize(&self, _nodes: &[&NodeState], _scores: &mut [i64]) {}
}

/// A plug-in of the scheduler. It holds no state: what it prepares for a pod is in its [`Filter`] and its [`Score`].
pub trait Plugin: Sync {
    /// Its name in Kubernetes.
    fn name(&self) -> &'static str;

    /// The weight of its score in the default profile.
    fn weight(&self) -> i64 {
        0
    }

    /// How it refuses nodes for a pod.
    fn filter<'a>(&self, _context: Context<'a>) -> Part<Box<dyn Filter + 'a>> {
        Part::None
    }

    /// How it scores nodes for a pod; `feasible` are those that no plug-in refuses.
    fn score<'a>(&self, _context: Context<'a>, _feasible: &[&'a NodeState]) -> Part<Box<dyn Score + 'a>> {
        Part::None
    }
}

/// Scales scores so that the largest becomes [`MAX_SCORE`] (`DefaultNormalizeScore` in kubernetes
/// `plugins/helper/normalize_score.go`); `reverse` turns them round. Without any above zero, the scores are zero,
/// reversed all the largest.
pub fn normalize_by_largest(scores: &mut [i64], reverse: bool) {
    let largest = scores.iter().copied().max().unwrap_or(0).max(0);
    for score in scores {
        let scaled = if largest == 0 { 0 } else { MAX_SCORE * *score / largest };
        *score = if reverse { MAX_SCORE - scaled } else { scaled };
    }
}
