//! The specification of a single run: plain parameters and ready-made plug-ins.

use super::calls::Stages;
use super::fault::ZoneOutage;
use super::meter::MetricsSpec;
use super::objective::Objective;
use crate::billing::{Contract, UseTariff};
use crate::catalog::Billing;
use crate::cluster::{Nodes, ServiceSpec};
use crate::platform::{Deployment, Platform};
use crate::policy::{NodePolicy, ScalingPolicy};
use crate::random::Streams;
use crate::units::{SimDuration, SimTime, UsdPerHour, Utilization};
use crate::workload::TraceSource;

/// The default of `reference-utilization`.
pub(crate) const REFERENCE_UTILIZATION: Utilization = Utilization::from_percent(70);

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

/// The lease of each node of a pool, from the start of its machine until it is given back.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeLease {
    /// What is leased, as shown on the bill.
    pub what: String,
    /// Price of one node.
    pub price: UsdPerHour,
    /// Billing granularity and minimum.
    pub billing: Billing,
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
    /// Whether that is also the lease of replicas that requests start.
    pub leases_extra: bool,
    /// What its requests cost, beside any leases; `None` if nothing. Edges and free amounts are those of the whole run.
    pub usage: Option<UseTariff>,
    /// What runs its replicas.
    pub platform: Box<dyn Platform>,
    /// The calls that its requests make after their own work.
    pub calls: Stages,
}

impl ServiceRun {
    /// A Deployment whose replicas cost nothing and whose requests make no calls.
    pub fn new(spec: ServiceSpec, source: Box<dyn TraceSource>, policy: Box<dyn ScalingPolicy>) -> ServiceRun {
        ServiceRun {
            spec,
            source,
            policy,
            lease: None,
            leases_extra: true,
            usage: None,
            platform: Box::new(Deployment),
            calls: Stages::new(),
        }
    }
}

/// One run.
///
/// Only [`crate::scenario::Scenario::run_spec`], which must not forget a field, lists them all; other code states what differs
/// from [`RunSpec::new`]: `RunSpec { warm_up, ..RunSpec::new("shop", streams, end, services) }`.
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
    /// The lease of a node, by pool; nodes of pools beyond cost nothing.
    pub node_leases: Vec<NodeLease>,
    /// Commitments, fees and credits.
    pub contract: Contract,
    /// The node policies, by pool; pools beyond are fixed.
    pub node_policies: Vec<Box<dyn NodePolicy>>,
    /// The metrics pipeline.
    pub metrics: MetricsSpec,
    /// Objectives, the same for every service.
    pub objectives: Vec<Objective>,
    /// Utilization at which the number of needed replicas is computed.
    pub reference_utilization: Utilization,
}

impl RunSpec {
    /// A run with everything counted from the start, in intervals of a minute, without objectives, nodes, zones or
    /// faults, and with the default metrics pipeline. Scenario and variant have the same name.
    pub fn new(name: impl Into<String>, streams: Streams, end: SimTime, services: Vec<ServiceRun>) -> RunSpec {
        let name = name.into();
        RunSpec {
            scenario: name.clone(),
            policy: name,
            streams,
            end,
            warm_up: SimTime::ZERO,
            zones: 0,
            outages: Vec::new(),
            interval: SimDuration::from_secs(60),
            services,
            nodes: None,
            node_leases: Vec::new(),
            contract: Contract::default(),
            node_policies: Vec::new(),
            metrics: MetricsSpec::default(),
            objectives: Vec::new(),
            reference_utilization: REFERENCE_UTILIZATION,
        }
    }
}
