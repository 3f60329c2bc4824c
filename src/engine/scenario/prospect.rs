//! What a scenario tells of a service before it runs: its requests to come, and what a replica is.

use super::{Scenario, ServicePlan};
use crate::cluster::ModelKind;
use crate::engine::demand::each_request;
use crate::policy::{Facts, StepLoad};
use crate::random::Streams;
use crate::units::{SimDuration, SimTime};
use crate::workload::TraceError;

impl ServicePlan {
    /// Requests that a replica works on at full speed at the same time, times the largest speed of a node.
    pub fn full_speed_slots(&self, largest_speed: f64) -> f64 {
        let slots = f64::from(self.spec.concurrency);
        let cores = self.spec.cpu_limit.map_or(slots, |limit| limit.as_cores());
        largest_speed * if self.spec.model == ModelKind::ProcessorSharing { slots.min(cores) } else { slots }
    }
}

impl Scenario {
    /// The largest speed of a node; 1 without nodes.
    pub fn largest_speed(&self) -> f64 {
        let speeds = self.pools.iter().map(|pool| pool.speed);
        speeds.fold(None, |most: Option<f64>, speed| Some(most.map_or(speed, |most| most.max(speed)))).unwrap_or(1.0)
    }

    /// Tells `see` of every request of service number `service`, with its demand, as replication `replication` meets them.
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

    /// The requests of a service in steps of `step`, the last of which may be cut by the end of the run.
    ///
    /// # Errors
    /// If the trace cannot be read.
    pub fn step_loads(&self, service: usize, replication: u64, step: SimDuration) -> Result<Vec<StepLoad>, TraceError> {
        let steps = self.duration.as_nanos().div_ceil(step.as_nanos().max(1));
        let mut loads = vec![StepLoad::default(); steps as usize];
        self.requests(service, replication, |arrival, demand| {
            let load = &mut loads[(arrival.as_nanos() / step.as_nanos().max(1)) as usize];
            let seconds = demand.as_secs_f64();
            load.requests += 1;
            load.demand += seconds;
            load.squares += seconds * seconds;
        })?;
        Ok(loads)
    }

    /// What a replica of the service is.
    pub fn facts(&self, service: usize) -> Facts {
        let plan = &self.services[service];
        let phases = &plan.spec.start_up;
        let start_up = [&phases.scheduled, &phases.pulled, &phases.started, &phases.ready];
        let start_up = start_up.iter().map(|phase| phase.mean()).sum::<f64>();
        let billing = plan.lease.as_ref().map(|lease| lease.billing);
        let latency = self.objectives.iter().find_map(|objective| Some((objective.within?, objective.target)));
        Facts {
            slots: plan.full_speed_slots(self.largest_speed()).floor().clamp(1.0, f64::from(u32::MAX)) as u32,
            start_up: SimDuration::from_secs_f64(start_up).unwrap_or(SimDuration::MAX),
            price_per_second: plan.lease.as_ref().map_or(1.0, |lease| lease.price.as_f64() / 3600.0),
            billed_at_least: billing.map_or(SimDuration::ZERO, |billing| billing.minimum.max(billing.granularity)),
            latency,
        }
    }
}
