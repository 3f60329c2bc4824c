//! ImageLocality: nodes that have the pod's images score higher.

use std::collections::BTreeMap;

use crate::cluster::scheduling::plugin::{Context, MAX_SCORE, Part, Plugin, Score};
use crate::cluster::scheduling::state::NodeState;

const MIB: i64 = 1024 * 1024;
/// Below this sum of sizes nothing is gained.
const LEAST: i64 = 23 * MIB;
/// Above this sum, for each container, nothing more is gained.
const MOST_PER_CONTAINER: i64 = 1000 * MIB;

/// The plug-in (kubernetes `imagelocality/image_locality.go`).
pub struct ImageLocality;

impl Plugin for ImageLocality {
    fn name(&self) -> &'static str {
        "ImageLocality"
    }

    fn weight(&self) -> i64 {
        1
    }

    fn score<'a>(&self, context: Context<'a>, _: &[&'a NodeState]) -> Part<Box<dyn Score + 'a>> {
        let containers = context.pod().requests.all();
        if containers.clone().all(|container| container.image.is_empty()) {
            return Part::Takes(Box::new(Images { wanted: Vec::new() }));
        }
        let wanted: Vec<String> = containers.map(|container| tagged(&container.image)).collect();
        let mut holders: BTreeMap<&str, usize> = BTreeMap::new();
        for (name, _) in context.nodes.iter().flat_map(|node| &node.images) {
            *holders.entry(name).or_default() += 1;
        }
        let total = context.nodes.len() as f64;
        let spread = |name: &String| holders.get(name.as_str()).map_or(0.0, |count| *count as f64 / total);
        let wanted = wanted.into_iter().map(|name| (spread(&name), name)).collect();
        Part::Takes(Box::new(Images { wanted }))
    }
}

/// An image name with its tag or digest; without one it means `:latest`.
fn tagged(name: &str) -> String {
    if name.rfind(':').map_or(-1, |at| at as i64) <= name.rfind('/').map_or(-1, |at| at as i64) {
        format!("{name}:latest")
    } else {
        name.to_string()
    }
}

struct Images {
    /// For each container the share of the nodes that have its image, and the image.
    wanted: Vec<(f64, String)>,
}

impl Score for Images {
    fn raw(&self, node: &NodeState) -> i64 {
        let of = |(spread, name): &(f64, String)| {
            let size = node.images.iter().find(|(known, _)| known == name).map_or(0, |(_, size)| *size);
            (size as f64 * spread) as i64
        };
        let most = MOST_PER_CONTAINER * (self.wanted.len().max(1) as i64);
        let sum = self.wanted.iter().map(of).sum::<i64>().clamp(LEAST, most);
        MAX_SCORE * (sum - LEAST) / (most - LEAST)
    }
}
