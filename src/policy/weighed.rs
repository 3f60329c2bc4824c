//! What a target-tracking policy compared in one decision, as figures for charts.

/// The figures of one decision.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Weighed {
    /// Each metric compared with its target, in the order of the policy.
    pub metrics: Vec<Compared>,
    /// The size that the metrics ask for; `None` if they do not yield one.
    pub wanted: Option<u32>,
    /// The size after stabilization.
    pub stabilized: Option<u32>,
}

/// A metric compared with its target.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// What is measured.
    pub name: String,
    /// Its unit.
    pub gauge: Gauge,
    /// Whether value and target are averages per pod.
    pub per_pod: bool,
    /// The measured value; `None` if there is none.
    pub value: Option<f64>,
    /// The target.
    pub target: f64,
    /// The lowest and the highest value within the tolerance.
    pub tolerated: (f64, f64),
}

/// The unit of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gauge {
    /// A share of the pods' requests; 1 is all of it.
    Share,
    /// Bytes.
    Bytes,
    /// Any other number.
    Number,
}
