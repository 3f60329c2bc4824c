//! A scenario: one YAML file that a Kubernetes user reads without the manual.

mod ceiling;
mod faults;
mod limits;
mod load;
mod price;
mod prospect;
mod read;

pub(crate) use read::read_deployment;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fault::{LostNodes, ZoneOutage};
use super::meter::MetricsSpec;
use super::objective::Objective;
use super::spec::{NodeLease, ReplicaLease, RunSpec, ServiceRun};
use super::{RunError, Simulation};
use crate::cluster::{NodePool, Nodes, PlacementPlugin, ServiceSpec};
use crate::config::{Diagnostics, Node, SourceFile};
use crate::policy::{PolicyFactory, PolicyPlugin, Prospect, ScalingPolicy, with_headroom};
use crate::random::Streams;
use crate::units::{SimDuration, SimTime, Utilization};
use crate::workload::{TraceError, WorkloadSpec};

/// One service of a scenario.
#[derive(Debug, Clone)]
pub struct ServicePlan {
    /// The service.
    pub spec: ServiceSpec,
    /// Its requests.
    pub workload: WorkloadSpec,
    /// What each replica costs; `None` where the nodes are paid for, or nothing is.
    pub lease: Option<ReplicaLease>,
}

/// One variant: a policy, made afresh for each service and run.
#[derive(Clone)]
pub struct PolicyPlan {
    /// Its label in the scenario.
    pub label: String,
    /// One factory per service.
    pub factories: Vec<PolicyFactory>,
    /// Factor on the load that the policy provides for; 1 leaves it as it is.
    pub headroom: f64,
}

/// A policy as a scenario states it, before anything it refers to is read.
#[derive(Debug, Clone)]
pub struct StatedPolicy {
    /// Its label.
    pub label: String,
    /// The kind that it names.
    pub kind: String,
    /// What stands under the kind; null if nothing does.
    pub parameters: Node,
}

/// A scenario, read and checked.
#[derive(Clone)]
pub struct Scenario {
    /// Name: the file's, without its ending.
    pub name: String,
    /// Title for people.
    pub title: String,
    /// The story it tells.
    pub description: String,
    /// Seed.
    pub seed: u64,
    /// Length of a run.
    pub duration: SimDuration,
    /// Requests arriving earlier are left out of the statistics.
    pub warm_up: SimDuration,
    /// Whether the warm-up is to be found (`warm-up: auto`); until then it is zero.
    pub finds_warm_up: bool,
    /// Length of an interval of the timeline.
    pub interval: SimDuration,
    /// Services.
    pub services: Vec<ServicePlan>,
    /// Node pools; none where replicas need no node.
    pub pools: Vec<NodePool>,
    /// What the nodes cost.
    pub node_leases: Vec<NodeLease>,
    /// Names of the zones that replicas are spread over: those of the nodes, or those stated.
    pub zones: Vec<String>,
    /// Zones that are lost.
    pub outages: Vec<ZoneOutage>,
    /// How the control plane goes about nodes that have fallen silent.
    pub lost_nodes: LostNodes,
    /// How nodes are chosen.
    pub placement: &'static PlacementPlugin,
    /// The metrics pipeline.
    pub metrics: MetricsSpec,
    /// Objectives.
    pub objectives: Vec<Objective>,
    /// Utilization at which replicas count as needed.
    pub reference_utilization: Utilization,
    /// What `plimsoll test` expects of the figures, one comparison each, as written.
    pub expect: Vec<Node>,
    /// The variants to compare.
    pub policies: Vec<PolicyPlan>,
    /// Every file that was read, the scenario itself first.
    pub sources: Vec<Arc<SourceFile>>,
    /// Where the scenario file is.
    pub path: PathBuf,
    /// Date of the newest price used; empty where nothing is priced from the catalogue.
    pub price_date: String,
}

impl Scenario {
    /// Reads the scenario at `path`, with `overrides` (`services.0.replicas=4`) put in its place. Everything that can be
    /// found wrong is reported together; `None` if any of it is an error.
    pub fn read(path: &Path, overrides: &[(String, String)], sink: &mut Diagnostics) -> Option<Scenario> {
        Scenario::read_with(path, overrides, &[], sink)
    }

    /// As [`Scenario::read`]; the scenario may also name the policies of `own`, which a program brings along.
    pub fn read_with(
        path: &Path,
        overrides: &[(String, String)],
        own: &[PolicyPlugin],
        sink: &mut Diagnostics,
    ) -> Option<Scenario> {
        let loaded = load::load(path, overrides, sink)?;
        let scenario = read::scenario(&loaded, path, own, sink);
        scenario.filter(|_| !sink.has_errors())
    }

    /// The tree of the scenario at `path`, with what it extends and `overrides` put in place: for who asks where a value comes from.
    pub fn tree(path: &Path, overrides: &[(String, String)], sink: &mut Diagnostics) -> Option<Node> {
        load::load(path, overrides, sink).map(|loaded| loaded.root)
    }

    /// The policies stated at `path`, in order, with nothing else read: what one of them refers to may not exist yet. `None`, with a
    /// report, where there is no such list.
    pub fn stated_policies(
        path: &Path,
        overrides: &[(String, String)],
        sink: &mut Diagnostics,
    ) -> Option<Vec<StatedPolicy>> {
        let loaded = load::load(path, overrides, sink)?;
        read::stated_policies(&loaded.root, sink)
    }

    /// Whether anything has a price: nodes, or a service's replicas. Without one there are no costs, and policies are ranked by
    /// replica-hours.
    pub fn is_priced(&self) -> bool {
        self.node_leases.iter().any(|lease| lease.count > 0) || self.services.iter().any(|plan| plan.lease.is_some())
    }

    /// The run of variant `policy` in replication `replication`.
    ///
    /// # Errors
    /// If a trace cannot be opened.
    pub fn run_spec(&self, policy: usize, replication: u64) -> Result<RunSpec, RunError> {
        let streams = Streams::new(self.seed, replication);
        let plan = &self.policies[policy];
        let mut services = Vec::new();
        for (number, (service, factory)) in self.services.iter().zip(&plan.factories).enumerate() {
            let source = service.workload.open(streams, number as u64);
            services.push(ServiceRun {
                spec: service.spec.clone(),
                source: source.map_err(|error| RunError::Trace { at: SimTime::ZERO, error })?,
                policy: self.policy(factory, plan.headroom, number, replication)?,
                lease: service.lease.clone(),
            });
        }
        let nodes = (!self.pools.is_empty()).then(|| self.nodes());
        Ok(RunSpec {
            zones: self.zones.len() as u32,
            outages: self.outages.clone(),
            scenario: self.name.clone(),
            policy: plan.label.clone(),
            streams,
            end: SimTime::ZERO + self.duration,
            warm_up: SimTime::ZERO + self.warm_up,
            interval: self.interval,
            services,
            nodes,
            node_leases: self.node_leases.clone(),
            metrics: self.metrics.clone(),
            objectives: self.objectives.clone(),
            reference_utilization: self.reference_utilization,
        })
    }

    /// The nodes, all empty.
    pub(super) fn nodes(&self) -> Nodes {
        let asked: Vec<_> = self.services.iter().map(|service| service.spec.pod.extended.clone()).collect();
        Nodes::new(&self.pools, (self.placement.build)()).asked_for(&self.pools, &asked)
    }

    /// A policy for one service; it is told the load to come if it asks.
    fn policy(
        &self,
        factory: &PolicyFactory,
        headroom: f64,
        service: usize,
        replication: u64,
    ) -> Result<Box<dyn ScalingPolicy>, RunError> {
        let plan = &self.services[service];
        let failed = RefCell::new(None);
        let load = |step: SimDuration| {
            let loads = match self.services[service].workload.clients() {
                None => self.step_loads(service, replication, step),
                Some(_) => Err(TraceError::new(
                    plan.spec.name.as_str(),
                    "a clairvoyant policy needs requests that are known beforehand; those of a closed loop follow its answers",
                )),
            };
            let loads = loads.map(|loads| loads.into_iter().map(|load| load.times(headroom)).collect());
            loads.unwrap_or_else(|error| {
                failed.replace(Some(error));
                Vec::new()
            })
        };
        let policy = factory(&Prospect { facts: self.facts(service), load: &load });
        match failed.take() {
            Some(error) => Err(RunError::Trace { at: SimTime::ZERO, error }),
            None => Ok(with_headroom(policy, headroom)),
        }
    }

    /// Builds the simulation of variant `policy` in replication `replication`.
    ///
    /// # Errors
    /// If a trace cannot be opened.
    pub fn simulation(&self, policy: usize, replication: u64) -> Result<Simulation, RunError> {
        Simulation::new(self.run_spec(policy, replication)?)
    }
}
