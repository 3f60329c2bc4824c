//! Places: nodes that have the same value of a label.

use std::collections::BTreeMap;

use super::state::{KindId, NodeState};

/// Index of a topology key.
pub type KeyId = usize;

/// The label whose value is a node's own.
pub const HOSTNAME: &str = "kubernetes.io/hostname";
/// The label of a zone.
pub const ZONE: &str = "topology.kubernetes.io/zone";

/// Numbers for topology keys and their values, so that placing a pod compares no texts.
#[derive(Debug, Clone)]
pub struct Topology {
    /// By key, its name and the number of each value.
    keys: Vec<(String, BTreeMap<String, usize>)>,
}

impl Default for Topology {
    /// The keys of the default spread constraints.
    fn default() -> Self {
        Topology { keys: [HOSTNAME, ZONE].map(|key| (key.to_string(), BTreeMap::new())).into() }
    }
}

impl Topology {
    /// The key of hostnames.
    pub const HOSTNAME: KeyId = 0;

    /// The number of a key, a new one if it is not known. Nodes are to be located afterwards.
    pub fn key(&mut self, name: &str) -> KeyId {
        self.find(name).unwrap_or_else(|| {
            self.keys.push((name.to_string(), BTreeMap::new()));
            self.keys.len() - 1
        })
    }

    /// The number of a key; `None` if it is not known.
    pub fn find(&self, name: &str) -> Option<KeyId> {
        self.keys.iter().position(|(known, _)| known == name)
    }

    /// Number of keys.
    pub fn keys(&self) -> usize {
        self.keys.len()
    }

    /// How many values of a key any node has had.
    pub fn values(&self, key: KeyId) -> usize {
        self.keys.get(key).map_or(0, |(_, values)| values.len())
    }

    /// Sets the numbers of a node's places.
    pub fn locate(&mut self, node: &mut NodeState) {
        let labels = &node.labels;
        let place = |(key, values): &mut (String, BTreeMap<String, usize>)| {
            let value = labels.get(key)?;
            let next = values.len();
            Some(*values.entry(value.clone()).or_insert(next))
        };
        node.places = self.keys.iter_mut().map(place).collect();
    }
}

/// How many pods of each kind run in each place, kept up to date so that placing a pod need not count. Not kept for
/// hostnames, where a node knows its own pods.
#[derive(Debug, Clone, Default)]
pub struct Census {
    /// By kind, key and value.
    counts: Vec<Vec<Vec<i64>>>,
    /// By key, how many nodes lack it.
    lacking: Vec<usize>,
    /// By key and value, how many nodes have it. Not kept for hostnames either.
    nodes: Vec<Vec<usize>>,
}

impl Census {
    /// Counts a node, or no longer (`times` -1), without its pods.
    pub fn node(&mut self, node: &NodeState, times: isize) {
        self.lacking.resize(self.lacking.len().max(node.places.len()), 0);
        self.nodes.resize(self.lacking.len(), Vec::new());
        for (key, place) in node.places.iter().enumerate() {
            let count = match *place {
                None => &mut self.lacking[key],
                Some(_) if key == Topology::HOSTNAME => continue,
                Some(place) => {
                    let values = &mut self.nodes[key];
                    values.resize(values.len().max(place + 1), 0);
                    &mut values[place]
                }
            };
            *count = count.saturating_add_signed(times);
        }
    }

    /// Counts `times` pods of a kind on a node.
    pub fn pods(&mut self, node: &NodeState, kind: KindId, times: i64) {
        if self.counts.len() <= kind {
            self.counts.resize(kind + 1, Vec::new());
        }
        let by_key = &mut self.counts[kind];
        by_key.resize(by_key.len().max(node.places.len()), Vec::new());
        for (key, place) in node.places.iter().enumerate().filter(|(key, _)| *key != Topology::HOSTNAME) {
            let Some(place) = *place else { continue };
            let by_value = &mut by_key[key];
            by_value.resize(by_value.len().max(place + 1), 0);
            by_value[place] += times;
        }
    }

    /// Whether every node has a key.
    pub fn all_have(&self, key: KeyId) -> bool {
        self.lacking.get(key).is_none_or(|lacking| *lacking == 0)
    }

    /// How many nodes have each value of a key; as far as any ever had it.
    pub fn nodes(&self, key: KeyId) -> &[usize] {
        self.nodes.get(key).map_or(&[], Vec::as_slice)
    }

    /// The pods of a kind by value of a key; as far as there are any.
    pub fn by_value(&self, kind: KindId, key: KeyId) -> &[i64] {
        self.counts.get(kind).and_then(|by_key| by_key.get(key)).map_or(&[], Vec::as_slice)
    }
}
