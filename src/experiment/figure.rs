//! The figures of a run that are compared, planned with and tested: numbers with a name and a unit.

use serde::{Deserialize, Serialize};

use super::during::{During, Window};
use crate::engine::scenario::Scenario;
use crate::engine::{RunRecord, ServiceRecord};
use crate::units::Usd;

/// What a figure measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
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

impl Metric {
    /// Its unit.
    pub fn unit(self) -> Unit {
        match self {
            Metric::Cost => Unit::Dollars,
            Metric::ReplicaHours => Unit::ReplicaHours,
            Metric::Latency(_) | Metric::MeanLatency | Metric::During(During::WorstP99 | During::Recovery) => {
                Unit::Seconds
            }
            Metric::Attainment(_) | Metric::Utilization | Metric::CpuUtilization | Metric::During(During::Attained) => {
                Unit::Share
            }
            Metric::Lost | Metric::Replicas | Metric::Flaps | Metric::MostReplicas | Metric::During(_) => Unit::Number,
        }
    }

    /// Which direction is better.
    pub fn better(self) -> Better {
        match self {
            Metric::Attainment(_) | Metric::During(During::Attained) => Better::Higher,
            Metric::Utilization
            | Metric::CpuUtilization
            | Metric::Replicas
            | Metric::MostReplicas
            | Metric::During(During::LeastReady) => Better::Neither,
            _ => Better::Lower,
        }
    }

    /// The name used in expectations and outputs.
    fn name(self) -> String {
        match self {
            Metric::Cost => "cost".into(),
            Metric::ReplicaHours => "replica-hours".into(),
            Metric::Latency(percent) => format!("p{percent}"),
            Metric::MeanLatency => "mean".into(),
            Metric::Attainment(index) => format!("attainment.{}", index + 1),
            Metric::Lost => "lost".into(),
            Metric::Utilization => "utilization".into(),
            Metric::CpuUtilization => "cpu".into(),
            Metric::Replicas => "replicas".into(),
            Metric::Flaps => "flaps/h".into(),
            Metric::MostReplicas => "replicas-most".into(),
            Metric::During(during) => during.name().into(),
        }
    }

    fn of(self, service: &ServiceRecord, window: Option<Window>) -> Option<f64> {
        match self {
            Metric::Cost | Metric::ReplicaHours => None,
            Metric::Latency(percent) => {
                service.sojourn.quantile(f64::from(percent) / 100.0).map(|latency| latency.as_secs_f64())
            }
            Metric::MeanLatency => service.sojourn.mean_secs(),
            // Without eligible requests there is nothing to compare.
            Metric::Attainment(index) => {
                service.objectives.get(index).filter(|objective| objective.total > 0).map(|o| o.attainment())
            }
            Metric::Lost => Some(service.counts.lost() as f64),
            Metric::Utilization => service.utilization,
            Metric::CpuUtilization => service.cpu_utilization,
            Metric::Replicas => Some(service.mean_ready),
            Metric::Flaps => Some(service.elasticity.flaps_per_hour),
            Metric::MostReplicas => Some(f64::from(service.max_ready)),
            Metric::During(during) => during.of(service, window?),
        }
    }
}

/// A quantity of one service, or of the whole run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// What it measures.
    pub quantity: Metric,
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
            (None, Metric::ReplicaHours) => Some(run.replica_hours()),
            (None, _) => run.cost.map(Usd::as_f64),
            (Some(service), quantity) => quantity.of(run.services.get(service)?, window),
        };
        value.filter(|value| value.is_finite())
    }

    /// The figure by which the runs of a scenario are ranked: cost or, if nothing has a price, replica-hours.
    pub fn expense(scenario: &Scenario) -> Figure {
        let quantity = if scenario.is_priced() { Metric::Cost } else { Metric::ReplicaHours };
        Figure { quantity, service: None, name: quantity.name() }
    }

    /// Whether policies are ranked by it: cost or, if nothing has a price, replica-hours.
    pub fn is_expense(&self) -> bool {
        matches!(self.quantity, Metric::Cost | Metric::ReplicaHours)
    }

    /// Whether a requested precision applies to it: cost, and the latency that most objectives are about.
    pub fn is_headline(&self) -> bool {
        self.is_expense() || self.quantity == Metric::Latency(99)
    }
}

/// All figures of a scenario's runs: cost (or replica-hours, if nothing has a price), then those of each service.
pub fn figures(scenario: &Scenario) -> Vec<Figure> {
    let mut all = vec![Figure::expense(scenario)];
    let mut quantities = vec![Metric::Latency(50), Metric::Latency(95), Metric::Latency(99), Metric::MeanLatency];
    quantities.extend((0..scenario.objectives.len()).map(Metric::Attainment));
    quantities.extend([Metric::Lost, Metric::Utilization, Metric::CpuUtilization, Metric::Replicas]);
    quantities.push(Metric::Flaps);
    of_services(scenario, &quantities, &mut all);
    all
}

/// Additional figures of a variation: the maximum number of replicas and, if a zone is lost, what happens meanwhile.
pub fn figures_of_variations(scenario: &Scenario, loses_zones: bool) -> Vec<Figure> {
    let mut quantities = vec![Metric::MostReplicas];
    if loses_zones {
        quantities.extend(During::ALL.map(Metric::During));
    }
    let mut all = figures(scenario);
    of_services(scenario, &quantities, &mut all);
    all
}

/// The quantities of every service.
fn of_services(scenario: &Scenario, quantities: &[Metric], all: &mut Vec<Figure>) {
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
