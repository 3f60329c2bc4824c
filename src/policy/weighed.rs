//! What a policy that follows targets compared in one decision: told to charts, so that nobody has to read it off words.

/// The figures of one decision, before they became a size.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Weighed {
    /// Each metric beside its target, in the order in which the policy states them.
    pub metrics: Vec<Compared>,
    /// The size that the metrics ask for; `None` where they decided nothing.
    pub wanted: Option<u32>,
    /// What recent wishes made of it (stabilization window).
    pub stabilized: Option<u32>,
}

/// A metric beside its target.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// What is measured.
    pub name: String,
    /// Its unit.
    pub gauge: Gauge,
    /// Whether value and target are averages per pod.
    pub per_pod: bool,
    /// What was measured; `None` where there is no such value.
    pub value: Option<f64>,
    /// What it is compared with.
    pub target: f64,
    /// The lowest and the highest value at which nothing changes.
    pub tolerated: (f64, f64),
}

/// The unit of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gauge {
    /// A share of what the pods request; 1 is all of it.
    Share,
    /// Bytes.
    Bytes,
    /// Whatever is counted.
    Number,
}
