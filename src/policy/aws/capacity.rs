//! The group of instances: what is in service, what is warming up, and what the metric is.

use std::collections::BTreeSet;

use crate::config::{Diagnostics, Yaml};
use crate::policy::{Measure, Observation, PolicyContext, ReplicaView, measure_named, not_measured};
use crate::units::{SimDuration, SimTime};

/// What is measured: an average over the instances; CPU and memory in percent of what is reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// The measure.
    pub measure: Measure,
}

impl Metric {
    /// Reads the name of a measure.
    pub fn read(name: &str, node: &Yaml, context: &PolicyContext<'_>, sink: &mut Diagnostics) -> Option<Metric> {
        match measure_named(name, context.metric_names) {
            Some(measure) => Some(Metric { measure }),
            None => {
                sink.push(not_measured(node, name, context.metric_names));
                None
            }
        }
    }

    /// Its value, averaged over the replicas that have been ready for `warm_up`; `None` without data.
    pub fn value(&self, observation: &Observation<'_>, warm_up: SimDuration) -> Option<f64> {
        let scrape = observation.scrape_of(&[self.measure])?;
        if self.measure.is_average() {
            return Some(scrape.totals[self.measure]).filter(|value| value.is_finite());
        }
        let warm: BTreeSet<u32> = warm(observation, warm_up).map(|replica| replica.id).collect();
        let values = scrape.replicas.iter().filter(|sample| warm.contains(&sample.id));
        let (sum, count) = values.fold((0.0, 0.0), |(sum, count), one| (sum + one.values[self.measure], count + 1.0));
        let whole = match self.measure {
            Measure::Cpu => observation.reserved.cpu?.get() as f64 / 1000.0,
            Measure::Memory => observation.reserved.memory?.get() as f64,
            _ => 100.0,
        };
        // Ten times 60% is not exactly 600% in binary64, and a threshold may be met exactly.
        let average = (100.0 * sum / count / whole * 1e9).round() / 1e9;
        Some(average).filter(|value| value.is_finite())
    }

    /// Its unit in words.
    pub fn unit(&self) -> &'static str {
        if self.measure.is_resource() { "%" } else { "" }
    }
}

/// Instances in service that have warmed up.
pub fn warm<'a>(
    observation: &Observation<'a>,
    warm_up: SimDuration,
) -> impl Iterator<Item = &'a ReplicaView> + use<'a> {
    let (now, replicas) = (observation.now, observation.replicas);
    let is_warm = move |since: SimTime| since.saturating_add(warm_up) <= now;
    replicas.iter().filter(move |replica| replica.ready_since().is_some_and(is_warm))
}
