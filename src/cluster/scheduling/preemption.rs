//! Preemption: which pods of lower priority would have to go, and on which node
//! (kubernetes `scheduler/framework/preemption` and `plugins/defaultpreemption`).

use std::cmp::Reverse;

use super::filtering::{Filtering, explained};
use super::plugin::Refusal;
use super::pod::Kind;
use super::state::{KindId, NodeState};

/// Why a node that no eviction can help is left out.
const NOT_HELPFUL: &str = "Preemption is not helpful for scheduling";
/// Why a node without pods of lower priority is left out.
const NO_VICTIMS: &str = "No preemption victims found for incoming pod";

/// A node on which room could be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Index of the node.
    pub node: usize,
    /// The pods that would have to go, the most important first.
    pub victims: Vec<KindId>,
    /// How many of them their disruption budgets protect.
    pub violations: usize,
}

/// What preemption comes to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preemption {
    /// Every node on which room could be made, in order.
    pub candidates: Vec<Candidate>,
    /// The best of them, equal in every respect, as places in `candidates`: upstream chooses at random.
    pub best: Vec<usize>,
    /// Why there is none, in upstream's words.
    pub message: Option<String>,
}

/// Looks for room for a pod that every node refuses, for the reasons of `refusals` (one for each node).
pub fn preempt(filtering: &Filtering<'_>, refusals: &[Option<(&'static str, Refusal)>]) -> Preemption {
    if let Some(message) = not_eligible(filtering, refusals) {
        return Preemption { message: Some(message), ..Preemption::default() };
    }
    let (mut candidates, mut reasons) = (Vec::new(), Vec::new());
    for (index, refusal) in refusals.iter().enumerate() {
        match refusal {
            Some((_, refusal)) if refusal.is_final => reasons.push(NOT_HELPFUL.to_string()),
            Some(_) => match dry_run(filtering, index) {
                Ok(candidate) => candidates.push(candidate),
                Err(refused) => reasons.extend(refused),
            },
            None => {}
        }
    }
    let message = candidates.is_empty().then(|| explained(refusals.len(), reasons.iter().map(String::as_str)));
    let best = best(filtering, &candidates);
    Preemption { candidates, best, message }
}

/// Why the pod may not evict others (`PodEligibleToPreemptOthers`).
fn not_eligible(filtering: &Filtering<'_>, refusals: &[Option<(&'static str, Refusal)>]) -> Option<String> {
    let context = filtering.context();
    let pod = context.pod();
    if pod.never_preempts {
        return Some("not eligible due to preemptionPolicy=Never.".to_string());
    }
    let nominated = pod.nominated.as_ref()?;
    let index = context.nodes.iter().position(|node| node.name == *nominated)?;
    if matches!(refusals.get(index), Some(Some((_, refusal))) if refusal.is_final) {
        return None;
    }
    let leaves = |kind: &Kind| kind.pod.priority < pod.priority && kind.pod.terminating && kind.pod.preempted;
    let leaving = context.nodes.node(index).load.pods().iter().any(|(kind, _)| leaves(&context.lookup.kinds[*kind]));
    leaving.then(|| "not eligible due to a terminating pod on the nominated node.".to_string())
}

/// The fewest and least important pods that make room on a node (`SelectVictimsOnNode`), or why there are none.
fn dry_run(filtering: &Filtering<'_>, index: usize) -> Result<Candidate, Vec<String>> {
    let context = filtering.context();
    let kinds = &context.lookup.kinds;
    let mut node = context.nodes.node(index).clone();
    let lower = |id: &KindId| kinds[*id].pod.priority < context.pod().priority;
    let mut removed: Vec<KindId> = Vec::new();
    for (id, count) in node.load.pods().iter().filter(|(id, _)| lower(id)) {
        removed.extend(std::iter::repeat_n(*id, *count as usize));
    }
    if removed.is_empty() {
        return Err(vec![NO_VICTIMS.to_string()]);
    }
    removed.iter().for_each(|id| {
        node.load.remove(*id, &kinds[*id]);
    });
    if let Some((_, refusal)) = refused(filtering, index, &node) {
        return Err(refusal.reasons);
    }
    removed.sort_by_key(|id| importance(&kinds[*id]));
    let (violating, others) = by_budget(filtering, &removed);
    let (mut victims, mut violations) = (Vec::new(), 0);
    for (id, is_violating) in violating.iter().map(|id| (*id, true)).chain(others.iter().map(|id| (*id, false))) {
        node.load.add(id, &kinds[id]);
        if refused(filtering, index, &node).is_some() {
            node.load.remove(id, &kinds[id]);
            victims.push(id);
            violations += usize::from(is_violating);
        }
    }
    victims.sort_by_key(|id| importance(&kinds[*id]));
    Ok(Candidate { node: index, victims, violations })
}

/// Asked with the other waiting pods that room was made for on this node, and without.
fn refused(filtering: &Filtering<'_>, index: usize, node: &NodeState) -> Option<(&'static str, Refusal)> {
    let changed = filtering.again(filtering.context().nodes.with(index, node));
    changed.with_nominated(index, node).or_else(|| changed.first_refusal(node))
}

/// More important pods first: of higher priority, then those that started earlier (`MoreImportantPod`).
fn importance(kind: &Kind) -> (Reverse<i64>, i64) {
    (Reverse(kind.pod.priority), kind.pod.started)
}

/// Divides pods into those that a disruption budget protects and the others, in order
/// (`filterPodsWithPDBViolation`). Each uses up a disruption of every budget that selects it.
fn by_budget(filtering: &Filtering<'_>, pods: &[KindId]) -> (Vec<KindId>, Vec<KindId>) {
    let lookup = filtering.context().lookup;
    let mut allowed: Vec<i64> = lookup.budgets.iter().map(|budget| budget.allowed).collect();
    pods.iter().copied().partition(|id| {
        let pod = &lookup.kinds[*id].pod;
        let mut violating = false;
        for (budget, allowed) in lookup.budgets.iter().zip(&mut allowed) {
            let selects = !budget.selector.is_empty() && budget.selector.selects(&pod.labels);
            if budget.namespace == pod.namespace && !pod.labels.is_empty() && selects {
                *allowed -= 1;
                violating |= *allowed < 0;
            }
        }
        violating
    })
}

/// The candidates to be preferred (`pickOneNodeForPreemption`): fewest violated budgets; then the lowest priority of the
/// most important victim, the smallest sum of priorities, the fewest victims; then the latest start of the earliest
/// started among the victims of the highest priority.
fn best(filtering: &Filtering<'_>, candidates: &[Candidate]) -> Vec<usize> {
    let kinds = &filtering.context().lookup.kinds;
    let rank = |candidate: &Candidate| {
        let victims = || candidate.victims.iter().map(|id| &kinds[*id].pod);
        let highest = victims().map(|pod| pod.priority).max().unwrap_or(i64::MIN);
        // The offset makes every addend positive, so that fewer victims are a smaller sum.
        let sum: i64 = victims().map(|pod| pod.priority + (1 << 31)).sum();
        let earliest = victims().filter(|pod| pod.priority == highest).map(|pod| pod.started).min();
        (candidate.violations, highest, sum, candidate.victims.len(), Reverse(earliest))
    };
    let lowest = candidates.iter().map(rank).min();
    (0..candidates.len()).filter(|index| Some(rank(&candidates[*index])) == lowest).collect()
}
