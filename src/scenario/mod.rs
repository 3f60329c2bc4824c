//! A scenario: one YAML file that a Kubernetes user can read without a manual.

mod calls;
mod ceiling;
mod contract;
mod defaults;
mod faults;
mod function_file;
mod limits;
mod load;
mod origin;
mod outside;
mod platform;
mod pool;
mod price;
mod prospect;
mod purchase;
mod read;
mod recorded;
mod use_price;
mod variant;

pub use origin::ScenarioSource;
pub use price::PriceFact;
pub(crate) use read::read_deployment;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::billing::{Contract, UseTariff};
use crate::catalog::{PriceList, span_of_dates};
use crate::cluster::{NodePool, Nodes, Placement, PlacementPlugin, Placing, ServiceSpec};
use crate::config::kubernetes::Release;
use crate::config::{Diagnostics, SourceFile, Span, Value, Yaml};
use crate::engine::{
    LostNodes, MetricsSpec, NodeLease, Objective, ReplicaLease, RunError, RunSpec, ServiceRun, Simulation, Stages,
    ZoneOutage,
};
use crate::platform::{Deployment, PlatformFactory};
use crate::policy::{NodePolicyFactory, OwnPolicy, PolicyFactory, Prospect, ScalingPolicy, with_headroom};
use crate::random::Streams;
use crate::units::{SimDuration, SimTime, Utilization};
use crate::workload::{TraceError, WorkloadSpec, Zone};

/// One service of a scenario.
#[derive(Clone)]
pub struct ServicePlan {
    /// The service.
    pub spec: ServiceSpec,
    /// Its workload.
    pub workload: WorkloadSpec,
    /// The price of each replica; `None` if nodes are paid for, or nothing is.
    pub lease: Option<ReplicaLease>,
    /// Whether replicas that requests start are leased too.
    pub leases_extra: bool,
    /// What its requests cost, beside a replica's price; its tiers and free amounts are those of a month.
    pub usage: Option<UseTariff>,
    /// What runs its replicas.
    pub platform: PlatformFactory,
    /// The calls that its requests make to other services.
    pub calls: Stages,
}

impl ServicePlan {
    /// A Deployment with this workload, whose replicas cost nothing.
    pub fn new(spec: ServiceSpec, workload: WorkloadSpec) -> ServicePlan {
        let platform: PlatformFactory = Arc::new(|| Box::new(Deployment));
        ServicePlan { spec, workload, lease: None, leases_extra: true, usage: None, platform, calls: Stages::new() }
    }

    /// Whether its replicas or its requests have a price of their own.
    pub fn is_priced(&self) -> bool {
        self.lease.is_some() || self.usage.is_some()
    }
}

impl std::fmt::Debug for ServicePlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ServicePlan { spec, workload, lease, leases_extra, usage, platform: _, calls } = self;
        let mut shown = f.debug_struct("ServicePlan");
        shown.field("spec", spec).field("workload", workload).field("lease", lease).field("leases_extra", leases_extra);
        shown.field("usage", usage).field("calls", calls).finish()
    }
}

/// One variant: a policy, created anew for each service and run.
#[derive(Clone)]
pub struct Variant {
    /// Its label in the scenario.
    pub label: String,
    /// One factory per service.
    pub factories: Vec<PolicyFactory>,
    /// Factor by which the policy overestimates the load; 1 means no headroom.
    pub headroom: f64,
    /// The only service in another form, such as on another platform; its workload is that of the scenario's.
    pub service: Option<Box<ServicePlan>>,
}

/// A policy as stated in a scenario, before the files it refers to are read.
#[derive(Debug, Clone)]
pub struct StatedPolicy {
    /// Its label.
    pub label: String,
    /// Its kind.
    pub kind: String,
    /// The parameters below the kind; null if there are none.
    pub parameters: Yaml,
}

/// A scenario that was read and checked ([`ScenarioSource`]); [`Scenario::with`] reads it again with other values.
// Tests build scenarios as `Scenario { seed, ..Scenario::new(...) }`; only the reader, which must not forget a field,
// lists them all.
#[derive(Clone)]
pub struct Scenario {
    /// Name: the file name without extension.
    pub name: String,
    /// Title.
    pub title: String,
    /// Description.
    pub description: String,
    /// Seed.
    pub seed: u64,
    /// Length of a run.
    pub duration: SimDuration,
    /// Requests that arrive earlier are excluded from the statistics.
    pub warm_up: SimDuration,
    /// Whether the warm-up is still to be determined (`warm-up: auto`); until then it is zero.
    #[doc(hidden)]
    pub finds_warm_up: bool,
    /// Time zone of times of day and dates, if stated; workloads may have zones of their own.
    #[doc(hidden)]
    pub time_zone: Option<Zone>,
    /// Length of an interval of the timeline.
    pub interval: SimDuration,
    /// Services.
    #[doc(hidden)]
    pub services: Vec<ServicePlan>,
    /// Node pools; empty if replicas need no node.
    #[doc(hidden)]
    pub pools: Vec<NodePool>,
    /// The price of a node, by pool.
    #[doc(hidden)]
    pub node_leases: Vec<NodeLease>,
    /// The node policies, by pool; pools beyond are fixed.
    #[doc(hidden)]
    pub node_policies: Vec<NodePolicyFactory>,
    /// Names of the zones that replicas are spread over: those of the nodes, or those stated.
    #[doc(hidden)]
    pub zones: Vec<String>,
    /// Zone outages.
    #[doc(hidden)]
    pub outages: Vec<ZoneOutage>,
    /// How clock times of planned faults were resolved, a sentence each.
    #[doc(hidden)]
    pub moments: Vec<String>,
    /// How the control plane reacts to nodes that have gone silent.
    #[doc(hidden)]
    pub lost_nodes: LostNodes,
    /// How nodes are chosen for replicas.
    #[doc(hidden)]
    pub placement: &'static PlacementPlugin,
    /// The Kubernetes release whose rules the placement follows.
    pub kubernetes: Release,
    /// The metrics pipeline.
    #[doc(hidden)]
    pub metrics: MetricsSpec,
    /// Objectives.
    #[doc(hidden)]
    pub objectives: Vec<Objective>,
    /// Utilization at which the number of needed replicas is computed.
    #[doc(hidden)]
    pub reference_utilization: Utilization,
    /// The expectations of `plimsoll test`, one comparison each, as written.
    #[doc(hidden)]
    pub expect: Vec<Yaml>,
    /// The variants to compare.
    #[doc(hidden)]
    pub policies: Vec<Variant>,
    /// Every file that was read, the scenario itself first.
    #[doc(hidden)]
    pub sources: Vec<Arc<SourceFile>>,
    /// Path of the scenario file.
    #[doc(hidden)]
    pub path: PathBuf,
    /// Where it was read from; a scenario built by a program says so of a file that need not be there.
    #[doc(hidden)]
    pub origin: ScenarioSource,
    /// Where the prices of the catalogue come from.
    #[doc(hidden)]
    pub prices: Vec<PriceFact>,
    /// Commitments, fees and credits.
    #[doc(hidden)]
    pub contract: Contract,
    /// The user's prices, over the catalogue's.
    #[doc(hidden)]
    pub price_list: Arc<PriceList>,
}

impl Scenario {
    /// Reads the scenario at `path` after applying `overrides` (`services.0.replicas=4`). Reports all problems
    /// together; returns `None` if any of them is an error.
    #[doc(hidden)]
    pub fn read(path: &Path, overrides: &[(String, String)], sink: &mut Diagnostics) -> Option<Scenario> {
        Scenario::read_with(path, overrides, &[], sink)
    }

    /// Reads a scenario from a text that names no files. Reports all problems together; returns `None` if any of them is
    /// an error.
    #[doc(hidden)]
    pub fn read_text(text: &str, sink: &mut Diagnostics) -> Option<Scenario> {
        ScenarioSource::text(text, "").read_into(sink)
    }

    /// Like [`Scenario::read`], with the additional policies `own` provided by the calling program.
    #[doc(hidden)]
    pub fn read_with(
        path: &Path,
        overrides: &[(String, String)],
        own: &[OwnPolicy],
        sink: &mut Diagnostics,
    ) -> Option<Scenario> {
        ScenarioSource::of(path, overrides, own).read_into(sink)
    }

    /// The YAML tree of the scenario at `path`, with `extends` merged and `overrides` applied. Used to find out where a
    /// value comes from.
    #[doc(hidden)]
    pub fn tree(path: &Path, overrides: &[(String, String)], sink: &mut Diagnostics) -> Option<Yaml> {
        load::load(path, overrides, sink).map(|loaded| loaded.root)
    }

    /// The policies stated at `path`, in order, without reading anything else: files that a policy refers to need not
    /// exist yet. Returns `None`, with a diagnostic, if there is no such list.
    #[doc(hidden)]
    pub fn stated_policies(
        path: &Path,
        overrides: &[(String, String)],
        sink: &mut Diagnostics,
    ) -> Option<Vec<StatedPolicy>> {
        let loaded = load::load(path, overrides, sink)?;
        read::stated_policies(&loaded.root, sink)
    }

    /// The time since the start of the run of a moment that is stated outside the file (such as by the command-line
    /// argument `from`): `2h`, or a time of day or a date by the scenario's clock, as faults state it.
    ///
    /// # Errors
    /// If it is no moment, a date before the run, or a date of a run that has none.
    #[doc(hidden)]
    pub fn time_of(&self, from: &str, text: &str) -> Result<SimDuration, Diagnostics> {
        let source = SourceFile::new(from, text);
        let whole = source.text().len();
        let node = Yaml { value: Value::Scalar(text.to_string()), span: Span { start: 0, end: whole }, source };
        let mut sink = Diagnostics::new();
        faults::Clock::new(self.time_zone, &self.services).resolved(&node, &mut sink).ok_or(sink)
    }

    /// The labels of its policies, in order: the arms and runs of every study.
    pub fn policy_names(&self) -> Vec<&str> {
        self.policies.iter().map(|policy| policy.label.as_str()).collect()
    }

    /// The names of its services, in order.
    pub fn service_names(&self) -> Vec<&str> {
        self.services.iter().map(|service| service.spec.name.as_str()).collect()
    }

    /// The dates of the prices used (`2026-07-20`); empty if no price comes from the catalogue.
    pub(crate) fn price_date(&self) -> String {
        span_of_dates(self.prices.iter().map(|fact| fact.date.as_str())).unwrap_or_default()
    }

    /// Whether nodes, any service's replicas or its requests have a price. If not, there are no costs and policies are ranked by
    /// replica-hours.
    pub fn is_priced(&self) -> bool {
        let priced = |(pool, _): (&NodePool, &NodeLease)| pool.at_most().count > 0;
        let variants = self.policies.iter().filter_map(|variant| variant.service.as_deref());
        self.pools.iter().zip(&self.node_leases).any(priced)
            || self.services.iter().chain(variants).any(|plan| plan.is_priced())
            || !self.contract.is_empty()
    }

    /// The specification of the run of variant `policy` in replication `replication`.
    ///
    /// # Errors
    /// If a trace cannot be opened.
    #[doc(hidden)]
    pub fn run_spec(&self, policy: usize, replication: u64) -> Result<RunSpec, RunError> {
        let streams = Streams::new(self.seed, replication);
        let plan = &self.policies[policy];
        let mut services = Vec::new();
        for (number, (stated, factory)) in self.services.iter().zip(&plan.factories).enumerate() {
            let source = stated.workload.open(streams, number as u64);
            let service = plan.service.as_deref().unwrap_or(stated);
            services.push(ServiceRun {
                spec: service.spec.clone(),
                source: source.map_err(|error| RunError::Trace { at: SimTime::ZERO, error })?,
                policy: self.policy(factory, plan.headroom, number, replication)?,
                lease: service.lease.clone(),
                usage: service.usage.as_ref().map(|tariff| tariff.for_run(self.duration)),
                leases_extra: service.leases_extra,
                platform: (service.platform)(),
                calls: service.calls.clone(),
            });
        }
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
            nodes: (!self.pools.is_empty()).then(|| self.nodes_of(&self.pools)),
            node_leases: self.node_leases.clone(),
            contract: self.contract.clone(),
            node_policies: self.node_policies.iter().map(|create| create()).collect(),
            metrics: self.metrics.clone(),
            objectives: self.objectives.clone(),
            reference_utilization: self.reference_utilization,
        })
    }

    /// Which requests of a service are known only in a run, because they depend on answers; `None` if all are known
    /// before.
    pub(crate) fn depends_on_answers(&self, service: usize) -> Option<&'static str> {
        let calls = self.services.iter().flat_map(|plan| plan.calls.iter().flatten());
        match self.services[service].workload.clients() {
            Some(_) => Some("those of a closed loop"),
            None if calls.into_iter().any(|call| call.to as usize == service) => Some("those that other services send"),
            None => None,
        }
    }

    /// The nodes of `pools`, all empty.
    pub(super) fn nodes_of(&self, pools: &[NodePool]) -> Nodes {
        let asked: Vec<_> = self.services.iter().map(|service| service.spec.pod.extended.clone()).collect();
        Nodes::new(pools, self.new_placement()).asked_for(&asked)
    }

    /// The placement policy, for the services of this scenario.
    fn new_placement(&self) -> Box<dyn Placement> {
        let services = self.services.iter().map(|service| &service.spec).collect();
        (self.placement.build)(&Placing { services, release: self.kubernetes })
    }

    /// Creates the policy for one service; policies that ask for it receive the future load.
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
            let loads = match self.depends_on_answers(service) {
                None => self.step_loads(service, replication, step),
                Some(which) => Err(TraceError::new(
                    plan.spec.name.as_str(),
                    format!(
                        "a clairvoyant policy needs requests that are known in advance; {which} depend on the responses"
                    ),
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
    #[doc(hidden)]
    pub fn simulation(&self, policy: usize, replication: u64) -> Result<Simulation, RunError> {
        Simulation::new(self.run_spec(policy, replication)?)
    }
}
