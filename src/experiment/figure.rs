//! The figures of a run that are compared, planned with and tested: numbers with a name and a unit.

use serde::{Deserialize, Serialize};

use super::during::{During, Window};
use super::metric::Metric;
use crate::engine::RunRecord;
use crate::scenario::Scenario;

/// A quantity of one service, or of the whole run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// What it measures.
    #[doc(hidden)]
    pub quantity: Metric,
    /// Index of the service; `None` for the whole run.
    pub service: Option<usize>,
    /// Its name: `cost`, `p99`; with several services `service.NAME.p99`.
    pub name: String,
}

impl Figure {
    /// The figure's value in a run; `None` if it has none (no request completed, no objective stated).
    #[doc(hidden)]
    pub fn measure(&self, run: &RunRecord) -> Option<f64> {
        self.measure_in(run, None)
    }

    /// Like [`Figure::measure`], with zones lost in `window`.
    #[doc(hidden)]
    pub fn measure_in(&self, run: &RunRecord, window: Option<Window>) -> Option<f64> {
        let value = match self.service {
            None => self.quantity.of_run(run),
            Some(service) => self.quantity.of_service(run.services.get(service)?, window),
        };
        value.filter(|value| value.is_finite())
    }

    /// The figure by which the runs of a scenario are ranked: cost or, if nothing has a price, replica-hours.
    #[doc(hidden)]
    pub fn expense(scenario: &Scenario) -> Figure {
        let quantity = if scenario.is_priced() { Metric::Cost } else { Metric::ReplicaHours };
        Figure { quantity, service: None, name: quantity.name() }
    }

    /// Whether policies are ranked by it: cost or, if nothing has a price, replica-hours.
    #[doc(hidden)]
    pub fn is_expense(&self) -> bool {
        matches!(self.quantity, Metric::Cost | Metric::ReplicaHours)
    }

    /// Whether a requested precision applies to it: cost, and the latency that most objectives are about.
    #[doc(hidden)]
    pub fn is_headline(&self) -> bool {
        self.is_expense() || self.quantity == Metric::Latency(99)
    }
}

/// All figures of a scenario's runs: cost (or replica-hours, if nothing has a price), then those of each service.
pub fn figures(scenario: &Scenario) -> Vec<Figure> {
    let mut all = vec![Figure::expense(scenario)];
    let objectives = 0..scenario.objectives.len();
    let each = |metric: Metric| match metric {
        Metric::Attainment(_) => objectives.clone().map(Metric::Attainment).collect(),
        single => vec![single],
    };
    let quantities: Vec<Metric> = Metric::OF_SERVICES.into_iter().flat_map(each).collect();
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
