//! Knowledge about a service before it runs: its future requests, and the power of its replicas.

use super::{Scenario, ServicePlan};
use crate::cluster::{NodePool, Nodes, PodRequest, Power};
use crate::engine::each_request;
use crate::optimize::Joining;
use crate::policy::{Facts, StepLoad};
use crate::random::Streams;
use crate::units::{SimDuration, SimTime};
use crate::workload::TraceError;

/// Number of replicas placed by trial to find out what the nodes of a plan can do.
const MAX_PLACED: usize = 2_000;
/// The maximum number of steps of a future load.
const MAX_STEPS: u64 = 5_000_000;

impl ServicePlan {
    /// The maximum demand, in seconds, that a replica can serve per second on the node that suits it best.
    pub fn most_work(&self, pools: &[NodePool]) -> f64 {
        self.spec.powers(pools).iter().map(Power::work).fold(0.0, f64::max)
    }

    /// The maximum speed of a single request, in seconds of demand per second.
    pub fn fastest(&self, pools: &[NodePool]) -> f64 {
        self.spec.powers(pools).iter().map(Power::alone).fold(0.0, f64::max)
    }
}

impl Scenario {
    /// Calls `see` with every request of service number `service` and its demand, as met in replication `replication`.
    ///
    /// # Errors
    /// If the trace cannot be read.
    pub fn requests(
        &self,
        service: usize,
        replication: u64,
        see: impl FnMut(SimTime, SimDuration),
    ) -> Result<(), TraceError> {
        let streams = Streams::new(self.seed, replication);
        let plan = &self.services[service];
        let source = plan.workload.open(streams, service as u64)?;
        each_request(source, &plan.spec, (streams, service as u64), SimTime::ZERO + self.duration, see)
    }

    /// The load of a service in steps of `step`, the last of which may be cut by the end of the run.
    ///
    /// # Errors
    /// If the trace cannot be read.
    pub fn step_loads(&self, service: usize, replication: u64, step: SimDuration) -> Result<Vec<StepLoad>, TraceError> {
        let steps = self.duration.as_nanos().div_ceil(step.as_nanos().max(1));
        if steps > MAX_STEPS {
            let what = format!(
                "steps of {step} divide the run of {} into {steps} steps, more than the maximum of {MAX_STEPS}",
                self.duration
            );
            return Err(TraceError::new(self.services[service].spec.name.as_str(), what));
        }
        let mut loads = vec![StepLoad::default(); steps as usize];
        let mut before: Option<SimTime> = None;
        self.requests(service, replication, |arrival, demand| {
            let place = |time: SimTime| time.as_nanos() / step.as_nanos().max(1);
            let gap = before.replace(arrival).filter(|before| place(*before) == place(arrival));
            let load = &mut loads[(arrival.as_nanos() / step.as_nanos().max(1)) as usize];
            let seconds = demand.as_secs_f64();
            load.requests += 1;
            load.demand += seconds;
            load.squares += seconds * seconds;
            if let Some(before) = gap {
                let gap = arrival.since(before).as_secs_f64();
                load.gaps = (load.gaps.0 + 1, load.gaps.1 + gap, load.gaps.2 + gap * gap);
            }
        })?;
        Ok(loads)
    }

    /// The properties of a replica of the service.
    pub fn facts(&self, service: usize) -> Facts {
        let plan = &self.services[service];
        let phases = &plan.spec.start_up;
        let start_up = [&phases.scheduled, &phases.pulled, &phases.started, &phases.ready];
        let start_up = start_up.iter().map(|phase| phase.mean()).sum::<f64>();
        let billing = plan.lease.as_ref().map(|lease| lease.billing);
        let latency = self.objectives.iter().filter_map(|objective| Some((objective.within?, objective.target)));
        Facts {
            replicas: self.replicas_in_turn(service),
            shared: plan.spec.slows(&plan.spec.powers(&self.pools)),
            joining: if plan.spec.dispatch.name == "random" { Joining::Any } else { Joining::Shortest },
            start_up: SimDuration::from_secs_f64(start_up).unwrap_or(SimDuration::MAX),
            price_per_second: plan.lease.as_ref().map_or(1.0, |lease| lease.price.as_f64() / 3600.0),
            billed_at_least: billing.map_or(SimDuration::ZERO, |billing| billing.minimum.max(billing.granularity)),
            latency: latency.collect(),
        }
    }

    /// The power of each replica when replicas are placed one after the other on empty nodes. Further replicas are
    /// assumed to equal the last entry, which is the mean over the nodes that can hold them.
    fn replicas_in_turn(&self, service: usize) -> Vec<Power> {
        let spec = &self.services[service].spec;
        // Of a pool whose number of nodes can change, all that there may be.
        let pools: Vec<NodePool> = self.pools.iter().map(NodePool::at_most).collect();
        let powers = spec.powers(&pools);
        if powers.windows(2).all(|pair| pair[0] == pair[1]) {
            return powers.into_iter().take(1).collect();
        }
        let mut nodes = Nodes::new(&pools, self.new_placement());
        let pod = PodRequest::of(service as u32, spec);
        let placed = std::iter::from_fn(|| nodes.place(&pod)).take(MAX_PLACED).collect::<Vec<_>>();
        let mut replicas: Vec<Power> = placed.iter().map(|node| spec.power(Some(nodes.cores(*node)))).collect();
        let count: f64 = spec.hosts(&pools).map(|pool| f64::from(pool.count)).sum();
        let mean = |of: fn(&Power) -> f64| {
            let weighted = spec.hosts(&pools).zip(&powers).map(|(pool, power)| f64::from(pool.count) * of(power));
            weighted.sum::<f64>() / count
        };
        let full = mean(|power| power.full);
        replicas.push(Power { full, speed: mean(Power::work) / full, efficiency: 1.0 });
        replicas
    }
}
