//! The figures of a run that are compared, planned with and tested: numbers with a name and a unit.

use serde::{Deserialize, Serialize};

use super::during::{During, Window};
use crate::engine::scenario::Scenario;
use crate::engine::{RunRecord, ServiceRecord};
use crate::units::Usd;

/// What a figure measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quantity {
    /// Cost of the whole run in dollars.
    Cost,
    /// Hours that replicas existed in the whole run; ranks policies if nothing has a price.
    ReplicaHours,
    /// A percentile of the latency (first arrival to completion) in seconds; the parameter is in per cent.
    Latency(u8),
    /// Mean latency in seconds.
    MeanLatency,
    /// Share of good requests of the n-th objective, from 0.
    Attainment(usize),
    /// Requests rejected, given up or failed for good.
    Lost,
    /// Utilization of the slots of serving replicas.
    Utilization,
    /// Utilization of the requested CPU of serving replicas.
    CpuUtilization,
    /// Ready replicas, averaged over time.
    Replicas,
    /// Reversals of the scaling direction per hour.
    Flaps,
    /// Maximum number of ready replicas.
    MostReplicas,
    /// A figure of the time during which zones are lost.
    During(During),
}

/// The unit of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// US dollars.
    Dollars,
    /// Replica-hours.
    ReplicaHours,
    /// Seconds.
    Seconds,
    /// A share between 0 and 1.
    Share,
    /// A plain number.
    Number,
}

impl Unit {
    /// The unit by which policies are ranked, depending on whether there is a price.
    pub fn of_expense(priced: bool) -> Unit {
        if priced { Unit::Dollars } else { Unit::ReplicaHours }
    }
}

/// Which direction is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// Lower is better.
    Lower,
    /// Higher is better.
    Higher,
    /// Neither.
    Neither,
}

impl Quantity {
    /// Its unit.
    pub fn unit(self) -> Unit {
        match self {
            Quantity::Cost => Unit::Dollars,
            Quantity::ReplicaHours => Unit::ReplicaHours,
            Quantity::Latency(_) | Quantity::MeanLatency | Quantity::During(During::WorstP99 | During::Recovery) => {
                Unit::Seconds
            }
            Quantity::Attainment(_)
            | Quantity::Utilization
            | Quantity::CpuUtilization
            | Quantity::During(During::Attained) => Unit::Share,
            Quantity::Lost | Quantity::Replicas | Quantity::Flaps | Quantity::MostReplicas | Quantity::During(_) => {
                Unit::Number
            }
        }
    }

    /// Which direction is better.
    pub fn better(self) -> Better {
        match self {
            Quantity::Attainment(_) | Quantity::During(During::Attained) => Better::Higher,
            Quantity::Utilization
            | Quantity::CpuUtilization
            | Quantity::Replicas
            | Quantity::MostReplicas
            | Quantity::During(During::LeastReady) => Better::Neither,
            _ => Better::Lower,
        }
    }

    /// The name used in expectations and outputs.
    fn name(self) -> String {
        match self {
            Quantity::Cost => "cost".into(),
            Quantity::ReplicaHours => "replica-hours".into(),
            Quantity::Latency(percent) => format!("p{percent}"),
            Quantity::MeanLatency => "mean".into(),
            Quantity::Attainment(index) => format!("attainment.{}", index + 1),
            Quantity::Lost => "lost".into(),
            Quantity::Utilization => "utilization".into(),
            Quantity::CpuUtilization => "cpu".into(),
            Quantity::Replicas => "replicas".into(),
            Quantity::Flaps => "flaps/h".into(),
            Quantity::MostReplicas => "replicas-most".into(),
            Quantity::During(during) => during.name().into(),
        }
    }

    fn of(self, service: &ServiceRecord, window: Option<Window>) -> Option<f64> {
        match self {
            Quantity::Cost | Quantity::ReplicaHours => None,
            Quantity::Latency(percent) => {
                service.sojourn.quantile(f64::from(percent) / 100.0).map(|latency| latency.as_secs_f64())
            }
            Quantity::MeanLatency => service.sojourn.mean_secs(),
            // Without eligible requests there is nothing to compare.
            Quantity::Attainment(index) => {
                service.objectives.get(index).filter(|objective| objective.total > 0).map(|o| o.attainment())
            }
            Quantity::Lost => Some((service.counts.rejected + service.counts.timed_out + service.counts.failed) as f64),
            Quantity::Utilization => service.utilization,
            Quantity::CpuUtilization => service.cpu_utilization,
            Quantity::Replicas => Some(service.mean_ready),
            Quantity::Flaps => Some(service.elasticity.flaps_per_hour),
            Quantity::MostReplicas => Some(f64::from(service.max_ready)),
            Quantity::During(during) => during.of(service, window?),
        }
    }
}

/// A quantity of one service, or of the whole run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// What it measures.
    pub quantity: Quantity,
    /// Index of the service; `None` for the whole run.
    pub service: Option<usize>,
    /// Its name: `cost`, `p99`; with several services `service.NAME.p99`.
    pub name: String,
}

impl Figure {
    /// The figure's value in a run; `None` if it has none (no request completed, no objective stated).
    pub fn measure(&self, run: &RunRecord) -> Option<f64> {
        self.measure_in(run, None)
    }

    /// Like [`Figure::measure`], with zones lost in `window`.
    pub fn measure_in(&self, run: &RunRecord, window: Option<Window>) -> Option<f64> {
        let value = match (self.service, self.quantity) {
            (None, Quantity::ReplicaHours) => Some(run.replica_hours()),
            (None, _) => run.cost.map(Usd::as_f64),
            (Some(service), quantity) => quantity.of(run.services.get(service)?, window),
        };
        value.filter(|value| value.is_finite())
    }

    /// The figure by which the runs of a scenario are ranked: cost or, if nothing has a price, replica-hours.
    pub fn expense(scenario: &Scenario) -> Figure {
        let quantity = if scenario.is_priced() { Quantity::Cost } else { Quantity::ReplicaHours };
        Figure { quantity, service: None, name: quantity.name() }
    }

    /// Whether policies are ranked by it: cost or, if nothing has a price, replica-hours.
    pub fn is_expense(&self) -> bool {
        matches!(self.quantity, Quantity::Cost | Quantity::ReplicaHours)
    }

    /// Whether a requested precision applies to it: cost, and the latency that most objectives are about.
    pub fn is_headline(&self) -> bool {
        self.is_expense() || self.quantity == Quantity::Latency(99)
    }
}

/// All figures of a scenario's runs: cost (or replica-hours, if nothing has a price), then those of each service.
pub fn figures(scenario: &Scenario) -> Vec<Figure> {
    let mut all = vec![Figure::expense(scenario)];
    let mut quantities =
        vec![Quantity::Latency(50), Quantity::Latency(95), Quantity::Latency(99), Quantity::MeanLatency];
    quantities.extend((0..scenario.objectives.len()).map(Quantity::Attainment));
    quantities.extend([Quantity::Lost, Quantity::Utilization, Quantity::CpuUtilization, Quantity::Replicas]);
    quantities.push(Quantity::Flaps);
    of_services(scenario, &quantities, &mut all);
    all
}

/// Additional figures of a variation: the maximum number of replicas and, if a zone is lost, what happens meanwhile.
pub fn figures_of_variations(scenario: &Scenario, loses_zones: bool) -> Vec<Figure> {
    let mut quantities = vec![Quantity::MostReplicas];
    if loses_zones {
        quantities.extend(During::ALL.map(Quantity::During));
    }
    let mut all = figures(scenario);
    of_services(scenario, &quantities, &mut all);
    all
}

/// The quantities of every service.
fn of_services(scenario: &Scenario, quantities: &[Quantity], all: &mut Vec<Figure>) {
    for (index, service) in scenario.services.iter().enumerate() {
        let prefix =
            if scenario.services.len() > 1 { format!("service.{}.", service.spec.name) } else { String::new() };
        all.extend(quantities.iter().map(|quantity| Figure {
            quantity: *quantity,
            service: Some(index),
            name: format!("{prefix}{}", quantity.name()),
        }));
    }
}
