//! What can be measured of a run: each metric is defined once, with its name, title, unit, direction, meaning and
//! computation. Expectations, sweeps, comparisons, tables, JSON and docs/ci.md (a test compares it) read it here.

use serde::{Deserialize, Serialize};

use super::during::{During, Window};
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

/// All that is to know of a metric. `#` in a text stands for the metric's number.
#[derive(Debug)]
pub struct Definition {
    name: &'static str,
    title: &'static str,
    /// Unit.
    pub unit: Unit,
    /// Which direction is better.
    pub better: Better,
    /// What a higher and what a lower value is called in a comparison.
    pub words: [&'static str; 2],
    /// What it measures, for the reference.
    pub about: &'static str,
    of: Of,
}

/// How a value is computed; `None` if a run has none.
#[derive(Debug)]
enum Of {
    /// Of the whole run.
    Run(fn(&RunRecord) -> Option<f64>),
    /// Of one service, by the metric's number and the time of the faults.
    Service(fn(&ServiceRecord, usize, Option<Window>) -> Option<f64>),
}

const PLAIN: [&str; 2] = ["more", "less"];
const LATENCY: [&str; 2] = ["slower", "faster"];

static COST: Definition = Definition {
    name: "cost",
    title: "Cost",
    unit: Unit::Dollars,
    better: Better::Lower,
    words: ["dearer", "cheaper"],
    about: "the bill of the whole run; only if something has a price",
    of: Of::Run(|run| run.cost.map(Usd::as_f64)),
};
static REPLICA_HOURS: Definition = Definition {
    name: "replica-hours",
    title: "Replica-hours",
    unit: Unit::ReplicaHours,
    better: Better::Lower,
    words: PLAIN,
    about: "hours that replicas existed in the whole run; only if nothing has a price",
    of: Of::Run(|run| Some(run.replica_hours())),
};
static PERCENTILE: Definition = Definition {
    name: "p#",
    title: "Latency p#",
    unit: Unit::Seconds,
    better: Better::Lower,
    words: LATENCY,
    about: "#% of the requests answered took at most so long, from their first arrival",
    of: Of::Service(|service, percent, _| {
        service.sojourn.quantile(percent as f64 / 100.0).map(|latency| latency.as_secs_f64())
    }),
};
static MEAN_LATENCY: Definition = Definition {
    name: "mean",
    title: "Latency, mean",
    unit: Unit::Seconds,
    better: Better::Lower,
    words: LATENCY,
    about: "mean latency of the requests answered",
    of: Of::Service(|service, _, _| service.sojourn.mean_secs()),
};
static ATTAINMENT: Definition = Definition {
    name: "attainment.#",
    title: "Objective # attained",
    unit: Unit::Share,
    better: Better::Higher,
    words: ["better", "worse"],
    about: "share of good requests by objective #",
    // Without eligible requests there is nothing to compare.
    of: Of::Service(|service, number, _| {
        let objective = service.objectives.get(number.checked_sub(1)?).filter(|objective| objective.total > 0);
        objective.map(|objective| objective.attainment())
    }),
};
static LOST: Definition = Definition {
    name: "lost",
    title: "Requests lost",
    unit: Unit::Number,
    better: Better::Lower,
    words: PLAIN,
    about: "requests rejected, given up or failed for good",
    of: Of::Service(|service, _, _| Some(service.counts.lost() as f64)),
};
static UTILIZATION: Definition = Definition {
    name: "utilization",
    title: "Utilization of slots",
    unit: Unit::Share,
    better: Better::Neither,
    words: PLAIN,
    about: "share of the slots of serving replicas in use",
    of: Of::Service(|service, _, _| service.utilization),
};
static CPU_UTILIZATION: Definition = Definition {
    name: "cpu",
    title: "Utilization of CPU",
    unit: Unit::Share,
    better: Better::Neither,
    words: PLAIN,
    about: "share of the requested CPU of serving replicas in use",
    of: Of::Service(|service, _, _| service.cpu_utilization),
};
static REPLICAS: Definition = Definition {
    name: "replicas",
    title: "Ready, mean",
    unit: Unit::Number,
    better: Better::Neither,
    words: PLAIN,
    about: "ready replicas, averaged over time",
    of: Of::Service(|service, _, _| Some(service.mean_ready)),
};
static FLAPS: Definition = Definition {
    name: "flaps/h",
    title: "Flaps per hour",
    unit: Unit::Number,
    better: Better::Lower,
    words: PLAIN,
    about: "reversals of the scaling direction per hour",
    of: Of::Service(|service, _, _| Some(service.elasticity.flaps_per_hour)),
};
static MOST_REPLICAS: Definition = Definition {
    name: "replicas-most",
    title: "Ready, max",
    unit: Unit::Number,
    better: Better::Neither,
    words: PLAIN,
    about: "most ready replicas at once",
    of: Of::Service(|service, _, _| Some(f64::from(service.max_ready))),
};
static DURING_ATTAINED: Definition = Definition {
    name: "during-fault.attained",
    title: "In the fault: attained",
    unit: Unit::Share,
    better: Better::Higher,
    words: PLAIN,
    about: "share of good requests while a zone is lost",
    of: Of::Service(|service, _, window| During::Attained.of(service, window?)),
};
static DURING_WORST_P99: Definition = Definition {
    name: "during-fault.p99-worst",
    title: "Worst p99",
    unit: Unit::Seconds,
    better: Better::Lower,
    words: PLAIN,
    about: "highest p99 of an interval while a zone is lost",
    of: Of::Service(|service, _, window| During::WorstP99.of(service, window?)),
};
static DURING_LOST: Definition = Definition {
    name: "during-fault.lost",
    title: "Lost",
    unit: Unit::Number,
    better: Better::Lower,
    words: PLAIN,
    about: "requests lost while a zone is lost",
    of: Of::Service(|service, _, window| During::Lost.of(service, window?)),
};
static DURING_LEAST_READY: Definition = Definition {
    name: "during-fault.replicas-least",
    title: "Ready, min",
    unit: Unit::Number,
    better: Better::Neither,
    words: PLAIN,
    about: "fewest ready replicas, as the mean of an interval, while a zone is lost",
    of: Of::Service(|service, _, window| During::LeastReady.of(service, window?)),
};
static RECOVERY: Definition = Definition {
    name: "recovery",
    title: "Recovered after",
    unit: Unit::Seconds,
    better: Better::Lower,
    words: PLAIN,
    about: "from the loss of a zone until the objective is kept again",
    of: Of::Service(|service, _, window| During::Recovery.of(service, window?)),
};

impl Metric {
    /// The metrics of the whole run: one of them, depending on whether there is a price.
    pub const OF_RUNS: [Metric; 2] = [Metric::Cost, Metric::ReplicaHours];
    /// The metrics of a service, in the order of a comparison; `Attainment(0)` stands for every objective.
    pub const OF_SERVICES: [Metric; 10] = [
        Metric::Latency(50),
        Metric::Latency(95),
        Metric::Latency(99),
        Metric::MeanLatency,
        Metric::Attainment(0),
        Metric::Lost,
        Metric::Utilization,
        Metric::CpuUtilization,
        Metric::Replicas,
        Metric::Flaps,
    ];

    /// Its definition.
    pub fn definition(self) -> &'static Definition {
        match self {
            Metric::Cost => &COST,
            Metric::ReplicaHours => &REPLICA_HOURS,
            Metric::Latency(_) => &PERCENTILE,
            Metric::MeanLatency => &MEAN_LATENCY,
            Metric::Attainment(_) => &ATTAINMENT,
            Metric::Lost => &LOST,
            Metric::Utilization => &UTILIZATION,
            Metric::CpuUtilization => &CPU_UTILIZATION,
            Metric::Replicas => &REPLICAS,
            Metric::Flaps => &FLAPS,
            Metric::MostReplicas => &MOST_REPLICAS,
            Metric::During(During::Attained) => &DURING_ATTAINED,
            Metric::During(During::WorstP99) => &DURING_WORST_P99,
            Metric::During(During::Lost) => &DURING_LOST,
            Metric::During(During::LeastReady) => &DURING_LEAST_READY,
            Metric::During(During::Recovery) => &RECOVERY,
        }
    }

    /// The number in its name: a percentile, or an objective from 1; 0 if there is none.
    fn number(self) -> usize {
        match self {
            Metric::Latency(percent) => usize::from(percent),
            Metric::Attainment(index) => index + 1,
            _ => 0,
        }
    }

    fn numbered(self, text: &str) -> String {
        text.replace('#', &self.number().to_string())
    }

    /// The name used in expectations and outputs.
    pub fn name(self) -> String {
        self.numbered(self.definition().name)
    }

    /// The name for people.
    pub fn title(self) -> String {
        self.numbered(self.definition().title)
    }

    /// What it measures.
    pub fn about(self) -> String {
        self.numbered(self.definition().about)
    }

    /// Its unit.
    pub fn unit(self) -> Unit {
        self.definition().unit
    }

    /// Which direction is better.
    pub fn better(self) -> Better {
        self.definition().better
    }

    /// The value of a whole run; `None` if it is a metric of services, or has no value.
    pub fn of_run(self, run: &RunRecord) -> Option<f64> {
        let Of::Run(of) = self.definition().of else { return None };
        of(run)
    }

    /// The value of a service, with zones lost in `window`; `None` if it is a metric of runs, or has no value (no request
    /// completed, no objective stated, no zone lost).
    pub fn of_service(self, service: &ServiceRecord, window: Option<Window>) -> Option<f64> {
        let Of::Service(of) = self.definition().of else { return None };
        of(service, self.number(), window)
    }
}
