//! What can go wrong with a plan: a wrong question, no plan at all, or no plan yet.

use std::fmt;

/// A requirement of a problem: what a row of its program stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requirement {
    /// Capacity of a resource covers its demand with headroom in an interval (always interval 0 in a static mix).
    Demand {
        /// Which resource, from 0.
        resource: usize,
        /// Which interval, from 0.
        interval: usize,
    },
    /// At least so many replicas.
    Least {
        /// Which interval, from 0.
        interval: usize,
    },
    /// At most so many replicas.
    Most {
        /// Which interval, from 0.
        interval: usize,
    },
    /// At most so many starts in an interval.
    ScaleUp {
        /// Which interval, from 0.
        interval: usize,
    },
    /// At most so many stops in an interval.
    ScaleDown {
        /// Which interval, from 0.
        interval: usize,
    },
    /// What has started runs for the minimum that is billed.
    MinimumRun {
        /// Which offer, from 0.
        offer: usize,
        /// Which interval, from 0.
        interval: usize,
    },
    /// Spot capacity is at most a share of the demand.
    SpotShare {
        /// Which interval, from 0.
        interval: usize,
    },
    /// A way of buying provides at least a share of the demand.
    LeastShare(Purchase),
    /// A way of buying provides at most a share of the demand.
    MostShare(Purchase),
    /// An identity between variables, which no plan can break.
    Identity,
}

impl Requirement {
    /// The interval it holds in, if it is one's.
    pub fn interval(&self) -> Option<usize> {
        match *self {
            Requirement::Demand { interval, .. }
            | Requirement::Least { interval }
            | Requirement::Most { interval }
            | Requirement::ScaleUp { interval }
            | Requirement::ScaleDown { interval }
            | Requirement::MinimumRun { interval, .. }
            | Requirement::SpotShare { interval } => Some(interval),
            Requirement::LeastShare(_) | Requirement::MostShare(_) | Requirement::Identity => None,
        }
    }
}

/// A way of buying capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purchase {
    /// Committed for the whole term, used or not.
    Reserved,
    /// By the interval at list price.
    OnDemand,
    /// Cheaper, and may be taken away.
    Spot,
}

impl fmt::Display for Purchase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Purchase::Reserved => "reserved",
            Purchase::OnDemand => "on-demand",
            Purchase::Spot => "spot",
        })
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Requirement::Demand { resource, interval } => {
                write!(f, "the demand for resource {resource} in interval {interval}")
            }
            Requirement::Least { interval } => write!(f, "the least number of replicas in interval {interval}"),
            Requirement::Most { interval } => write!(f, "the largest number of replicas in interval {interval}"),
            Requirement::ScaleUp { interval } => write!(f, "the limit on starts in interval {interval}"),
            Requirement::ScaleDown { interval } => write!(f, "the limit on stops in interval {interval}"),
            Requirement::MinimumRun { offer, interval } => {
                write!(f, "the minimum run of offer {offer} in interval {interval}")
            }
            Requirement::SpotShare { interval } => write!(f, "the largest spot share in interval {interval}"),
            Requirement::LeastShare(purchase) => write!(f, "the least {purchase} share"),
            Requirement::MostShare(purchase) => write!(f, "the largest {purchase} share"),
            Requirement::Identity => f.write_str("a balance between variables"),
        }
    }
}

/// A requirement that cannot be met, and by how much, in the requirement's own unit (the resource's for a demand, replicas
/// otherwise).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shortfall {
    /// What cannot be met.
    pub requirement: Requirement,
    /// By how much, at least.
    pub amount: f64,
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rounded = (self.amount * 1e6).round() / 1e6;
        write!(f, "{} is missed by {rounded}", self.requirement)
    }
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq)]
pub enum OptimizeError {
    /// The problem is not well posed: which figure is wrong.
    Invalid(String),
    /// No plan meets every requirement. The list is a smallest relaxation (in the sum of relative misses) that would make a
    /// plan possible, in order of the rows.
    Infeasible(Vec<Shortfall>),
    /// The time ran out before any plan was found.
    OutOfTime,
    /// The solver gave up: its own words.
    Solver(String),
}

/// How many shortfalls a message lists.
const LISTED: usize = 3;

impl fmt::Display for OptimizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OptimizeError::Invalid(what) => f.write_str(what),
            OptimizeError::OutOfTime => f.write_str("the time limit was reached before any plan was found"),
            OptimizeError::Solver(words) => write!(f, "the solver gave up: {words}"),
            OptimizeError::Infeasible(missed) => {
                f.write_str("no plan meets every requirement")?;
                for (n, shortfall) in missed.iter().take(LISTED).enumerate() {
                    write!(f, "{} {shortfall}", if n == 0 { ":" } else { ";" })?;
                }
                match missed.len().saturating_sub(LISTED) {
                    0 => Ok(()),
                    more => write!(f, "; and {more} more"),
                }
            }
        }
    }
}

impl std::error::Error for OptimizeError {}

/// Refuses a figure that is not a number from 0 up.
pub(super) fn non_negative(what: &str, value: f64) -> Result<(), OptimizeError> {
    if value >= 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(OptimizeError::Invalid(format!("{what} is {value}, not a number from 0 up")))
}
