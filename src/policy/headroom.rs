//! Headroom: makes a policy provision more, or less, than it would by itself.

use super::{Decision, Foresight, Measurements, Measures, Observation, ScalingPolicy, Scrape, Weighed};
use crate::units::SimDuration;

/// A policy that observes the load multiplied by `factor` and provisions for that. A forecaster sees a load that much
/// higher. Memory use and latencies are not load and are passed on unchanged.
pub struct WithHeadroom {
    inner: Box<dyn ScalingPolicy>,
    factor: f64,
    seen: Scrape,
}

/// Gives a policy headroom: through its own implementation if it has one, else by scaling what it observes. A factor of
/// 1 changes nothing.
pub fn with_headroom(mut policy: Box<dyn ScalingPolicy>, factor: f64) -> Box<dyn ScalingPolicy> {
    if factor == 1.0 || policy.set_headroom(factor) {
        return policy;
    }
    Box::new(WithHeadroom { inner: policy, factor, seen: Scrape::default() })
}

/// Values with the load measures scaled.
fn scaled(values: &Measurements, factor: f64) -> Measurements {
    Measurements::of(|measure| values[measure] * if measure.is_load() { factor } else { 1.0 })
}

impl ScalingPolicy for WithHeadroom {
    fn sync_period(&self) -> SimDuration {
        self.inner.sync_period()
    }

    fn decide(&mut self, observation: &Observation<'_>) -> Decision {
        let Some(scrape) = observation.scrape else { return self.inner.decide(observation) };
        self.seen.clone_from(scrape);
        self.seen.replicas.iter_mut().for_each(|pod| pod.values = scaled(&pod.values, self.factor));
        self.seen.totals = scaled(&scrape.totals, self.factor);
        self.inner.decide(&Observation { scrape: Some(&self.seen), ..*observation })
    }

    fn weighed(&self) -> Option<Weighed> {
        self.inner.weighed()
    }

    fn initial_replicas(&self, configured: u32) -> u32 {
        self.inner.initial_replicas(configured)
    }

    fn foresight(&self) -> Foresight {
        self.inner.foresight()
    }

    fn measures(&self) -> Measures {
        self.inner.measures()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Measure, Reason, ReasonCode, ReplicaSample, static_size::StaticSize};
    use super::*;
    use crate::units::SimTime;

    /// Asks for one replica per core in use, rounded up.
    struct ByCores;

    impl ScalingPolicy for ByCores {
        fn sync_period(&self) -> SimDuration {
            SimDuration::from_secs(15)
        }

        fn decide(&mut self, observation: &Observation<'_>) -> Decision {
            let cores = observation.scrape.map_or(0.0, |scrape| scrape.totals[Measure::Cpu]);
            let memory = observation.scrape.map_or(0.0, |scrape| scrape.replicas[0].values[Measure::Memory]);
            assert_eq!(memory, 7.0, "memory is seen as it is");
            Decision::scale_to(cores.ceil() as u32, Reason::new(ReasonCode::Target, "cores"))
        }
    }

    #[test]
    fn the_load_is_seen_larger() {
        let values = Measurements::ZERO.with(Measure::Cpu, 4.0).with(Measure::Memory, 7.0);
        let scrape = Scrape { replicas: vec![ReplicaSample { id: 0, values }], totals: values, ..Scrape::default() };
        let observation = Observation { scrape: Some(&scrape), ..Observation::new(SimTime::ZERO, 1) };
        let mut policy = with_headroom(Box::new(ByCores), 1.5);
        assert_eq!(policy.decide(&observation).replicas, Some(6));
        let mut fixed = with_headroom(Box::new(StaticSize::new(10)), 1.25);
        assert_eq!((fixed.initial_replicas(1), fixed.decide(&observation).replicas), (13, Some(13)));
    }
}
