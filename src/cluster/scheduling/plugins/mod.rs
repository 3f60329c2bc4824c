//! The plug-ins of the default profile, one file each.

mod balanced_allocation;
mod dynamic_resources;
mod image_locality;
mod inter_pod_affinity;
mod node_affinity;
mod node_name;
mod node_ports;
mod node_unschedulable;
mod resources_fit;
mod taint_toleration;
mod topology_spread;
mod volumes;

use super::plugin::Plugin;

/// All plug-ins, in the order in which they are asked to refuse a node (`getDefaultPlugins` in kubernetes
/// `scheduler/apis/config/v1/default_plugins.go`, of 1.35).
pub const PLUGINS: &[&dyn Plugin] = &[
    &node_unschedulable::NodeUnschedulable,
    &node_name::NodeName,
    &taint_toleration::TaintToleration,
    &node_affinity::NodeAffinity,
    &node_ports::NodePorts,
    &resources_fit::NodeResourcesFit,
    &volumes::Absent { name: "VolumeRestrictions", scores: false },
    &volumes::Absent { name: "NodeVolumeLimits", scores: false },
    &volumes::Absent { name: "VolumeBinding", scores: true },
    &volumes::VolumeZone,
    &topology_spread::PodTopologySpread,
    &inter_pod_affinity::InterPodAffinity,
    &dynamic_resources::DynamicResources,
    &balanced_allocation::NodeResourcesBalancedAllocation,
    &image_locality::ImageLocality,
];
