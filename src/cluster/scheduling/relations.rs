//! What a pod has to do with the other kinds of pods: which of them its constraints and affinities mean, and the reverse.
//! It depends on the pods alone, so it is worked out once for each kind.

use super::pod::{Kind, Pod, PodAffinity, PodTerm, SpreadConstraint};
use super::selector::{Labels, Operator, Requirement, Selector, has_all};
use super::state::{KindId, Lookup, Owner};
use super::topology::{HOSTNAME, KeyId, ZONE};

/// The weight of a required affinity of a running pod to the incoming one (`hardPodAffinityWeight`).
const HARD_WEIGHT: i64 = 1;

/// A topology spread constraint and what it counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Spread {
    /// The constraint.
    pub constraint: SpreadConstraint,
    /// Its topology key.
    pub key: KeyId,
    /// The kinds of pods that are counted.
    pub kinds: Vec<KindId>,
    /// The same by kind.
    pub is_counted: Vec<bool>,
    /// One if the constraint's selector selects the pod itself.
    pub itself: i64,
}

/// A kind of pod that required terms have to do with.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Near {
    /// Whether all required affinity terms of the pod mean it.
    pub wanted: bool,
    /// The keys of the pod's required anti-affinity terms that mean it.
    pub unwanted: Vec<KeyId>,
    /// The keys of its own required anti-affinity terms that mean the pod.
    pub objecting: Vec<KeyId>,
}

/// What a pod has to do with other kinds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Relations {
    /// Hard spread constraints.
    pub hard: Vec<Spread>,
    /// Soft ones: the pod's own, or the default ones.
    pub soft: Vec<Spread>,
    /// Whether the soft ones leave out nodes that lack a key; the default ones do not.
    pub needs_keys: bool,
    /// By kind, what required terms have to do with it; empty if nothing with any.
    pub near: Vec<Near>,
    /// The keys of the pod's required affinity terms.
    pub wanted_keys: Vec<KeyId>,
    /// The keys of the pod's required anti-affinity terms.
    pub unwanted_keys: Vec<KeyId>,
    /// Whether the pod is meant by all its own required affinity terms.
    pub wants_itself: bool,
    /// By kind, how much its pods are liked or like the pod, by key; empty if nothing with any.
    pub liked: Vec<Vec<(KeyId, i64)>>,
}

impl Relations {
    /// The relations of a pod with all kinds.
    pub fn of(lookup: &Lookup, pod: &Pod) -> Relations {
        let needs_keys = !pod.spread.is_empty();
        let own = |is_hard| pod.spread.iter().filter(move |constraint| constraint.is_hard == is_hard);
        let soft = if needs_keys { own(false).cloned().collect() } else { default_constraints(lookup, pod) };
        let keys = |terms: &[PodTerm]| terms.iter().map(|term| key(lookup, &term.topology_key)).collect();
        let near: Vec<Near> = lookup.kinds.iter().map(|kind| near(lookup, pod, &kind.pod)).collect();
        let liked: Vec<_> = lookup.kinds.iter().map(|kind| weights(lookup, pod, &kind.pod)).collect();
        Relations {
            hard: own(true).map(|constraint| spread(lookup, pod, constraint.clone())).collect(),
            soft: soft.into_iter().map(|constraint| spread(lookup, pod, constraint)).collect(),
            needs_keys,
            near: if near.iter().all(|near| *near == Near::default()) { Vec::new() } else { near },
            wanted_keys: keys(&pod.pod_affinity.required),
            unwanted_keys: keys(&pod.pod_anti_affinity.required),
            wants_itself: all_mean(lookup, pod, pod),
            liked: if liked.iter().all(Vec::is_empty) { Vec::new() } else { liked },
        }
    }
}

/// A key that some kind of pod names; one that none names is no label of any node's places.
fn key(lookup: &Lookup, name: &str) -> KeyId {
    lookup.topology.find(name).unwrap_or(KeyId::MAX)
}

fn spread(lookup: &Lookup, pod: &Pod, constraint: SpreadConstraint) -> Spread {
    let counted = |kind: &Kind| {
        let other = &kind.pod;
        other.namespace == pod.namespace && !other.terminating && constraint.counts(&pod.labels, &other.labels)
    };
    let is_counted: Vec<bool> = lookup.kinds.iter().map(counted).collect();
    Spread {
        key: key(lookup, &constraint.topology_key),
        kinds: (0..is_counted.len()).filter(|kind| is_counted[*kind]).collect(),
        is_counted,
        itself: i64::from(constraint.selects(&pod.labels, &pod.labels)),
        constraint,
    }
}

/// The constraints of pods without their own (`systemDefaultConstraints`), with a selector of all the labels of the
/// services that select the pod and of the ReplicaSet that owns it (`DefaultSelector` in kubernetes `helper/spread.go`);
/// none if that is empty.
fn default_constraints(lookup: &Lookup, pod: &Pod) -> Vec<SpreadConstraint> {
    let here = |owner: &&Owner| owner.namespace == pod.namespace;
    let services = lookup.services.iter().filter(here).filter(|service| has_all(&pod.labels, &service.selector));
    let owners = lookup.replica_sets.iter().filter(here).filter(|set| pod.replica_set.as_ref() == Some(&set.name));
    let equal = |(key, value): (&String, &String)| Requirement {
        key: key.clone(),
        operator: Operator::In,
        values: vec![value.clone()],
    };
    let selector = Selector {
        labels: services.flat_map(|service| service.selector.clone()).collect(),
        requirements: owners.flat_map(|set| set.selector.iter().map(equal)).collect(),
    };
    if selector.is_empty() {
        return Vec::new();
    }
    let selector = Some(selector);
    let of = |skew, key| SpreadConstraint { selector: selector.clone(), ..SpreadConstraint::new(skew, key, false) };
    vec![of(3, HOSTNAME), of(5, ZONE)]
}

/// Whether a term of `owner` means `pod`.
fn means(lookup: &Lookup, owner: &Pod, term: &PodTerm, pod: &Pod) -> bool {
    let own = term.namespaces.is_empty() && term.namespace_selector.is_none();
    let none = Labels::new();
    let labels = lookup.namespace(&pod.namespace).unwrap_or(&none);
    let selected = || term.namespace_selector.as_ref().is_some_and(|selector| selector.selects(labels));
    ((own && owner.namespace == pod.namespace) || term.namespaces.contains(&pod.namespace) || selected())
        && term.selector.as_ref().is_some_and(|selector| selector.selects(&pod.labels))
}

/// Whether all required affinity terms of `owner`, of which there are some, mean `pod`.
fn all_mean(lookup: &Lookup, owner: &Pod, pod: &Pod) -> bool {
    let terms = &owner.pod_affinity.required;
    !terms.is_empty() && terms.iter().all(|term| means(lookup, owner, term, pod))
}

fn near(lookup: &Lookup, pod: &Pod, other: &Pod) -> Near {
    let against = |owner: &Pod, target: &Pod| {
        let meant = owner.pod_anti_affinity.required.iter().filter(|term| means(lookup, owner, term, target));
        meant.map(|term| key(lookup, &term.topology_key)).collect()
    };
    Near { wanted: all_mean(lookup, pod, other), unwanted: against(pod, other), objecting: against(other, pod) }
}

/// By topology key, what a running pod adds at its node's place.
fn weights(lookup: &Lookup, pod: &Pod, other: &Pod) -> Vec<(KeyId, i64)> {
    let mut weights = Vec::new();
    let mut add = |owner: &Pod, affinity: &PodAffinity, target: &Pod, sign: i64| {
        let meant = affinity.preferred.iter().filter(|preferred| means(lookup, owner, &preferred.term, target));
        weights.extend(meant.map(|preferred| (key(lookup, &preferred.term.topology_key), sign * preferred.weight)));
    };
    add(pod, &pod.pod_affinity, other, 1);
    add(pod, &pod.pod_anti_affinity, other, -1);
    add(other, &other.pod_affinity, pod, 1);
    add(other, &other.pod_anti_affinity, pod, -1);
    let required = other.pod_affinity.required.iter().filter(|term| means(lookup, other, term, pod));
    weights.extend(required.map(|term| (key(lookup, &term.topology_key), HARD_WEIGHT)));
    weights
}
