//! The specification of a single run: plain parameters and ready-made plug-ins.

use super::fault::ZoneOutage;
use super::meter::MetricsSpec;
use super::objective::Objective;
use crate::catalog::Billing;
use crate::cluster::{Nodes, ServiceSpec};
use crate::policy::ScalingPolicy;
use crate::random::Streams;
use crate::units::{SimDuration, SimTime, UsdPerHour, Utilization};
use crate::workload::TraceSource;

/// The lease of each replica, from its placement to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplicaLease {
    /// What is leased, as shown on the bill.
    pub what: String,
    /// Price.
    pub price: UsdPerHour,
    /// Billing granularity and minimum.
    pub billing: Billing,
}

/// The lease of the nodes, each for the whole run.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeLease {
    /// What is leased, as shown on the bill.
    pub what: String,
    /// Price of one node.
    pub price: UsdPerHour,
    /// Billing granularity and minimum.
    pub billing: Billing,
    /// The number of nodes.
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
    /// The lease of each replica; `None` if the nodes are paid for.
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
    /// Requests that arrive earlier are excluded from the statistics.
    pub warm_up: SimTime,
    /// Number of zones that replicas are spread over, including the zones of nodes; 0 if zones are not modelled.
    pub zones: u32,
    /// Zone outages.
    pub outages: Vec<ZoneOutage>,
    /// Length of an interval of the timeline.
    pub interval: SimDuration,
    /// The services.
    pub services: Vec<ServiceRun>,
    /// The nodes; `None` if replicas need none.
    pub nodes: Option<Nodes>,
    /// The leases of the nodes.
    pub node_leases: Vec<NodeLease>,
    /// The metrics pipeline.
    pub metrics: MetricsSpec,
    /// Objectives, the same for every service.
    pub objectives: Vec<Objective>,
    /// Utilization at which the number of needed replicas is computed.
    pub reference_utilization: Utilization,
}
