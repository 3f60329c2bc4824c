//! What can go wrong with a plan: a wrong question, no plan at all, or no plan yet.

use std::fmt;

use crate::units::SimDuration;

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

/// What the numbers of a problem stand for: when its intervals begin, and what its resources are called.
pub struct Names<'a> {
    /// When an interval begins; that after the last ends it.
    pub time: &'a dyn Fn(usize) -> String,
    /// A resource and its unit ("CPU", "cores"); none where replicas are planned.
    pub resources: &'a [(&'a str, &'a str)],
}

impl Names<'_> {
    /// What the plan cannot do, if the requirement is one's that a reader states.
    fn cannot(&self, requirement: &Requirement) -> Option<(String, String)> {
        let replicas = || "replicas".to_string();
        Some(match requirement {
            Requirement::Demand { resource, .. } => match self.resources.get(*resource) {
                Some((name, unit)) => (format!("cover the demand for {name}"), (*unit).to_string()),
                None => ("have the replicas that are needed".into(), replicas()),
            },
            Requirement::Least { .. } => ("have the least number of replicas".into(), replicas()),
            Requirement::Most { .. } => ("do with the largest number allowed".into(), replicas()),
            Requirement::ScaleUp { .. } => ("do with the starts allowed in a step".into(), "starts".into()),
            Requirement::ScaleDown { .. } => ("do with the stops allowed in a step".into(), "stops".into()),
            Requirement::MinimumRun { .. } => ("keep to the minimum run that is billed".into(), replicas()),
            Requirement::SpotShare { .. } => ("keep to the largest share of spot".into(), "of the resource".into()),
            Requirement::LeastShare(_) | Requirement::MostShare(_) | Requirement::Identity => return None,
        })
    }
}

/// The time since the start of a plan at which an interval begins, as clocks show it: "05:40", "1d 05:40", with seconds where an interval is no
/// multiple of a minute.
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

/// Shortfalls in words, those of neighbouring intervals together: "from 05:40 to 06:10 the plan cannot cover the demand for CPU,
/// which is missed by up to 12 cores".
fn spans(missed: &[Shortfall], names: &Names<'_>) -> Vec<String> {
    // What cannot be done, its unit, first and last interval, the largest miss.
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
        format!(
            "from {} to {} the plan cannot {what}, which is missed by up to {most} {unit}",
            time(*first),
            time(last + 1)
        )
    };
    spans.iter().map(words).chain(others).collect()
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

impl OptimizeError {
    /// The error for people, with times and resources in place of numbers.
    pub fn in_words(&self, names: &Names<'_>) -> String {
        let OptimizeError::Infeasible(missed) = self else { return self.to_string() };
        let spans = spans(missed, names);
        let more = match spans.len().saturating_sub(LISTED) {
            0 => String::new(),
            more => format!("; and {more} more times"),
        };
        format!("no plan meets every requirement: {}{more}", spans[..spans.len().min(LISTED)].join("; "))
    }
}

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
