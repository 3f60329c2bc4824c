//! Why there is no plan: invalid input, infeasible requirements, or no plan found in time.

use std::fmt;

use crate::units::SimDuration;

/// A requirement of a problem, which corresponds to a row of its program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requirement {
    /// The capacity of a resource covers its demand with headroom in an interval (interval 0 in a static mix).
    Demand {
        /// Index of the resource.
        resource: usize,
        /// Index of the interval.
        interval: usize,
    },
    /// Minimum number of replicas.
    Least {
        /// Index of the interval.
        interval: usize,
    },
    /// Maximum number of replicas.
    Most {
        /// Index of the interval.
        interval: usize,
    },
    /// Maximum number of starts in an interval.
    ScaleUp {
        /// Index of the interval.
        interval: usize,
    },
    /// Maximum number of stops in an interval.
    ScaleDown {
        /// Index of the interval.
        interval: usize,
    },
    /// A started instance runs for the billed minimum.
    MinimumRun {
        /// Index of the offer.
        offer: usize,
        /// Index of the interval.
        interval: usize,
    },
    /// Spot capacity is at most a share of the demand.
    SpotShare {
        /// Index of the interval.
        interval: usize,
    },
    /// A purchase option provides at least a share of the demand.
    LeastShare(Purchase),
    /// A purchase option provides at most a share of the demand.
    MostShare(Purchase),
    /// An identity between variables, which every plan satisfies.
    Identity,
}

impl Requirement {
    /// The interval of the requirement, if it belongs to one.
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

/// A purchase option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purchase {
    /// Committed for the whole term, used or not.
    Reserved,
    /// Bought by the interval at list price.
    OnDemand,
    /// Cheaper, but may be reclaimed.
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
            Requirement::Least { interval } => write!(f, "the minimum number of replicas in interval {interval}"),
            Requirement::Most { interval } => write!(f, "the maximum number of replicas in interval {interval}"),
            Requirement::ScaleUp { interval } => write!(f, "the limit on starts in interval {interval}"),
            Requirement::ScaleDown { interval } => write!(f, "the limit on stops in interval {interval}"),
            Requirement::MinimumRun { offer, interval } => {
                write!(f, "the minimum run of offer {offer} in interval {interval}")
            }
            Requirement::SpotShare { interval } => write!(f, "the maximum spot share in interval {interval}"),
            Requirement::LeastShare(purchase) => write!(f, "the minimum {purchase} share"),
            Requirement::MostShare(purchase) => write!(f, "the maximum {purchase} share"),
            Requirement::Identity => f.write_str("a balance between variables"),
        }
    }
}

/// A requirement that cannot be met, and the shortfall in its own unit (that of the resource for a demand, replicas
/// otherwise).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shortfall {
    /// The requirement.
    pub requirement: Requirement,
    /// The minimum shortfall.
    pub amount: f64,
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rounded = (self.amount * 1e6).round() / 1e6;
        write!(f, "{} is missed by {rounded}", self.requirement)
    }
}

/// Names for the intervals and resources of a problem.
pub struct Names<'a> {
    /// The start time of an interval; the start of the one after the last is the end.
    pub time: &'a dyn Fn(usize) -> String,
    /// Each resource and its unit ("CPU", "cores"); empty if replicas are planned.
    pub resources: &'a [(&'a str, &'a str)],
}

impl Names<'_> {
    /// What the plan cannot do, if the requirement is one that users state.
    fn cannot(&self, requirement: &Requirement) -> Option<(String, String)> {
        let replicas = || "replicas".to_string();
        Some(match requirement {
            Requirement::Demand { resource, .. } => match self.resources.get(*resource) {
                Some((name, unit)) => (format!("cover the demand for {name}"), (*unit).to_string()),
                None => ("provide the replicas that are needed".into(), replicas()),
            },
            Requirement::Least { .. } => ("reach the minimum number of replicas".into(), replicas()),
            Requirement::Most { .. } => ("stay within the maximum number of replicas".into(), replicas()),
            Requirement::ScaleUp { .. } => ("stay within the starts allowed per step".into(), "starts".into()),
            Requirement::ScaleDown { .. } => ("stay within the stops allowed per step".into(), "stops".into()),
            Requirement::MinimumRun { .. } => ("keep to the billed minimum run".into(), replicas()),
            Requirement::SpotShare { .. } => ("keep to the maximum spot share".into(), "of the resource".into()),
            Requirement::LeastShare(_) | Requirement::MostShare(_) | Requirement::Identity => return None,
        })
    }
}

/// The start of an interval since the start of the plan as a clock time: "05:40", "1d 05:40", with seconds if intervals
/// are not multiples of a minute.
pub fn clock_of(interval: usize, length: SimDuration) -> String {
    let nanos = u128::from(length.as_nanos()) * interval as u128;
    let seconds = nanos / 1_000_000_000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let day = if days > 0 { format!("{days}d ") } else { String::new() };
    let minute = SimDuration::from_secs(60).as_nanos();
    if length.as_nanos().is_multiple_of(minute) {
        return format!("{day}{hours:02}:{minutes:02}");
    }
    let fraction = nanos % 1_000_000_000 / 1_000_000;
    let parts = if fraction > 0 { format!(".{fraction:03}") } else { String::new() };
    format!("{day}{hours:02}:{minutes:02}:{:02}{parts}", seconds % 60)
}

/// Shortfalls as text, with adjacent intervals merged: "from 05:40 to 06:10 the plan cannot cover the demand for CPU,
/// short by up to 12 cores".
fn spans(missed: &[Shortfall], names: &Names<'_>) -> Vec<String> {
    // What cannot be done, the unit, first and last interval, and the largest shortfall.
    let mut spans: Vec<(String, String, usize, usize, f64)> = Vec::new();
    let mut others = Vec::new();
    for shortfall in missed {
        let place = shortfall.requirement.interval().zip(names.cannot(&shortfall.requirement));
        let Some((interval, (what, unit))) = place else {
            others.push(shortfall.to_string());
            continue;
        };
        match spans.iter_mut().rev().find(|span| span.0 == what && span.3 + 1 >= interval && span.2 <= interval + 1) {
            Some(span) => {
                (span.2, span.3) = (span.2.min(interval), span.3.max(interval));
                span.4 = span.4.max(shortfall.amount);
            }
            None => spans.push((what, unit, interval, interval, shortfall.amount)),
        }
    }
    let time = names.time;
    let words = |(what, unit, first, last, most): &(String, String, usize, usize, f64)| {
        let most = (most * 1e3).ceil() / 1e3;
        format!("from {} to {} the plan cannot {what}, short by up to {most} {unit}", time(*first), time(last + 1))
    };
    spans.iter().map(words).chain(others).collect()
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq)]
pub enum OptimizeError {
    /// The input is invalid: which value is wrong.
    Invalid(String),
    /// No plan meets all requirements. The list is the smallest relaxation (by the sum of relative shortfalls) that makes
    /// a plan possible, in the order of the rows.
    Infeasible(Vec<Shortfall>),
    /// The time limit was reached before a plan was found.
    OutOfTime,
    /// The solver failed, with its own message.
    Solver(String),
}

/// The number of shortfalls listed in a message.
const LISTED: usize = 3;

impl OptimizeError {
    /// The error as text, with times and names in place of indices.
    pub fn in_words(&self, names: &Names<'_>) -> String {
        let OptimizeError::Infeasible(missed) = self else { return self.to_string() };
        let spans = spans(missed, names);
        let more = match spans.len().saturating_sub(LISTED) {
            0 => String::new(),
            more => format!("; and {more} more periods"),
        };
        format!("no plan meets every requirement: {}{more}", spans[..spans.len().min(LISTED)].join("; "))
    }
}

impl fmt::Display for OptimizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OptimizeError::Invalid(what) => f.write_str(what),
            OptimizeError::OutOfTime => f.write_str("the time limit was reached before a plan was found"),
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

/// Rejects values that are negative or not finite.
pub(super) fn non_negative(what: &str, value: f64) -> Result<(), OptimizeError> {
    if value >= 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(OptimizeError::Invalid(format!("{what} must be a non-negative number, not {value}")))
}
