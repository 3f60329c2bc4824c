//! What a single run needs: plain parameters and the plug-ins, ready made.

use super::fault::ZoneOutage;
use super::meter::MetricsSpec;
use super::objective::Objective;
use crate::catalog::Billing;
use crate::cluster::{Nodes, ServiceSpec};
use crate::policy::ScalingPolicy;
use crate::random::Streams;
use crate::units::{SimDuration, SimTime, UsdPerHour, Utilization};
use crate::workload::TraceSource;

/// What is paid for each replica, from its placement on a node to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplicaLease {
    /// What is leased, for the bill.
    pub what: String,
    /// Price.
    pub price: UsdPerHour,
    /// Granularity and minimum.
    pub billing: Billing,
}

/// What is paid for the nodes, each over the whole run.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeLease {
    /// What is leased, for the bill.
    pub what: String,
    /// Price of one node.
    pub price: UsdPerHour,
    /// Granularity and minimum.
    pub billing: Billing,
    /// How many nodes.
    pub count: u32,
}

/// One service of a run.
pub struct ServiceRun {
    /// The service.
    pub spec: ServiceSpec,
    /// Its requests.
    pub source: Box<dyn TraceSource>,
    /// Its policy.
    pub policy: Box<dyn ScalingPolicy>,
    /// What each replica costs; `None` where the nodes are paid for.
    pub lease: Option<ReplicaLease>,
}

/// One run.
pub struct RunSpec {
    /// Name of the scenario.
    pub scenario: String,
    /// Name of the variant.
    pub policy: String,
    /// Seed and replication.
    pub streams: Streams,
    /// The run covers [0, end).
    pub end: SimTime,
    /// Requests that arrive earlier are left out of the statistics.
    pub warm_up: SimTime,
    /// Number of zones that replicas are spread over; zones of nodes are among them. None where zones are not modelled.
    pub zones: u32,
    /// Zones that are lost.
    pub outages: Vec<ZoneOutage>,
    /// Length of an interval of the timeline.
    pub interval: SimDuration,
    /// The services.
    pub services: Vec<ServiceRun>,
    /// The nodes; `None` where replicas need none.
    pub nodes: Option<Nodes>,
    /// What the nodes cost.
    pub node_leases: Vec<NodeLease>,
    /// The metrics pipeline.
    pub metrics: MetricsSpec,
    /// Objectives, the same for every service.
    pub objectives: Vec<Objective>,
    /// Utilization at which replicas count as needed.
    pub reference_utilization: Utilization,
}
