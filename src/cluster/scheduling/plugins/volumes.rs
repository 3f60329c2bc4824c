//! Volumes: VolumeZone, and the plug-ins that have nothing to say as long as no claims are modelled.

use crate::cluster::scheduling::plugin::{Context, Filter, Part, Plugin, Refusal, Score};
use crate::cluster::scheduling::selector::Labels;
use crate::cluster::scheduling::state::NodeState;

/// A plug-in that takes no part, because no pod has what it looks at: attachable volumes, unbound claims, shared disks.
pub struct Absent {
    /// Its name in Kubernetes.
    pub name: &'static str,
    /// Whether it would score, too.
    pub scores: bool,
}

impl Plugin for Absent {
    fn name(&self) -> &'static str {
        self.name
    }

    fn filter<'a>(&self, _: Context<'a>) -> Part<Box<dyn Filter + 'a>> {
        Part::Skipped
    }

    fn score<'a>(&self, _: Context<'a>, _: &[&'a NodeState]) -> Part<Box<dyn Score + 'a>> {
        if self.scores { Part::Skipped } else { Part::None }
    }
}

/// The plug-in that keeps a pod in the zone of its volumes (kubernetes `volumezone/volume_zone.go`).
pub struct VolumeZone;

impl Plugin for VolumeZone {
    fn name(&self) -> &'static str {
        "VolumeZone"
    }

    fn filter<'a>(&self, context: Context<'a>) -> Part<Box<dyn Filter + 'a>> {
        match &context.pod().volume_places[..] {
            [] => Part::Skipped,
            places => Part::Takes(Box::new(Places(places))),
        }
    }
}

/// The labels that say where a node and a volume are.
const PLACES: [&str; 4] = [
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
];

struct Places<'a>(&'a [Labels]);

impl Filter for Places<'_> {
    /// A node without any such label has a single zone, where everything is.
    fn refuse(&self, node: &NodeState) -> Option<Refusal> {
        let is_placed = PLACES.iter().any(|key| node.labels.contains_key(*key));
        let fits = |(key, values): (&String, &String)| {
            let here = node.labels.get(key);
            here.is_some_and(|here| values.split("__").any(|value| value == here))
        };
        let wanted = |(key, _): &(&String, &String)| PLACES.contains(&key.as_str());
        let all_fit = self.0.iter().all(|labels| labels.iter().filter(wanted).all(fits));
        (is_placed && !all_fit).then(|| Refusal::for_good("node(s) had no available volume zone"))
    }
}
