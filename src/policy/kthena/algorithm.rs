//! The steps of kthena's autoscaler: recommendation, correction by past sizes, and the ratio of two roles.
//!
//! The rules of volcano-sh/kthena, `pkg/autoscaler/algorithm/{recommendation,revision,disaggregated_ratio}.go`.

use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Most replicas that a recommendation can ask for.
const MOST: f64 = 1e9;

/// A recommendation is made from this.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Recommendation {
    /// Fewest and most replicas.
    pub bounds: (i64, i64),
    /// Present replicas.
    pub current: i64,
    /// Share by which a ratio may differ from 1.
    pub tolerance: f64,
    /// Target of each metric.
    pub targets: BTreeMap<String, f64>,
    /// Replicas that are not ready.
    pub unready: i64,
    /// Metrics of each replica that is ready; the controller passes one entry, with the sums.
    pub ready_metrics: Vec<BTreeMap<String, f64>>,
    /// Metrics from elsewhere.
    pub external: BTreeMap<String, f64>,
}

impl Recommendation {
    /// The size recommended; `None` if no metric can be used.
    pub fn size(&self) -> Option<i64> {
        let (least, most) = self.bounds;
        if self.current < least || self.current > most {
            return Some(self.current.min(most).max(least));
        }
        let of = |(name, target): (&String, &f64)| match self.external.get(name) {
            Some(value) => Some(self.for_total(*value, *target)),
            None => self.for_replicas(name, *target),
        };
        self.targets.iter().filter_map(of).max().map(|size| size.min(most).max(least))
    }

    fn is_near(&self, ratio: f64) -> bool {
        (ratio - 1.0).abs() <= self.tolerance
    }

    fn for_total(&self, value: f64, target: f64) -> i64 {
        let wanted = value / target;
        if self.is_near(wanted / self.current as f64) { self.current } else { rounded_up(wanted) }
    }

    /// As the HPA: missing metrics count as on target on the way down, as nothing on the way up, and so do replicas that
    /// are not ready. A ratio of exactly 1 is the way up.
    fn for_replicas(&self, name: &str, target: f64) -> Option<i64> {
        let values: Vec<f64> = self.ready_metrics.iter().filter_map(|metrics| metrics.get(name).copied()).collect();
        if values.is_empty() {
            return None;
        }
        let missing = self.ready_metrics.len().saturating_sub(values.len()) as f64;
        let (mut sum, mut count): (f64, f64) = (values.iter().sum(), values.len() as f64);
        let ratio = sum / count / target;
        let adds_unready = self.unready > 0 && is_up(ratio);
        if !adds_unready && missing == 0.0 {
            return Some(if self.is_near(ratio) { self.current } else { rounded_up(ratio * count) });
        }
        count += missing;
        if !is_up(ratio) {
            sum += missing * target;
        }
        if adds_unready {
            count += self.unready as f64;
        }
        let again = sum / count / target;
        if self.is_near(again) || is_up(ratio) != is_up(again) {
            return Some(self.current);
        }
        let wanted = rounded_up(again * count);
        let turned_round = if is_up(again) { wanted < self.current } else { wanted > self.current };
        Some(if turned_round { self.current } else { wanted })
    }
}

fn is_up(ratio: f64) -> bool {
    ratio >= 1.0
}

/// Rounded up, from 0 to a thousand million; 0 for what is not a number.
fn rounded_up(value: f64) -> i64 {
    if value.is_nan() { 0 } else { value.ceil().clamp(0.0, MOST) as i64 }
}

/// How a limit by number and a limit by share are combined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Select {
    /// The one that allows more.
    Or,
    /// The one that allows less.
    And,
    /// Neither.
    Neither,
}

/// How far a size may move within a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepLimit {
    /// Replicas.
    pub instances: i64,
    /// Per cent of the size.
    pub percent: i64,
    /// Which of both counts.
    pub select: Select,
}

/// The limits of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behavior {
    /// On the way down.
    pub down: StepLimit,
    /// On the way up.
    pub up: StepLimit,
    /// Per cent by which the size may grow in panic.
    pub panic_percent: i64,
}

/// What is remembered within the windows; `None` for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Remembered {
    /// The largest recommendation of the window for scaling down.
    pub max_recommendation: Option<i64>,
    /// The smallest recommendation of the window for scaling up.
    pub min_recommendation: Option<i64>,
    /// The largest size of the period for scaling down.
    pub max_corrected: Option<i64>,
    /// The smallest size of the period for scaling up.
    pub min_corrected: Option<i64>,
    /// The smallest size of the panic period.
    pub min_corrected_in_panic: Option<i64>,
}

/// A recommendation corrected by what is remembered; in panic it only grows.
pub fn corrected(
    recommended: i64,
    current: i64,
    bounds: (i64, i64),
    is_panic: bool,
    behavior: &Behavior,
    past: &Remembered,
) -> i64 {
    let size = match (is_panic, recommended.cmp(&current)) {
        (true, _) => in_panic(recommended, current, behavior, past),
        (false, Ordering::Less) => downwards(recommended, current, behavior, past),
        (false, Ordering::Greater) => upwards(recommended, current, behavior, past),
        (false, Ordering::Equal) => recommended,
    };
    size.min(bounds.1).max(bounds.0)
}

fn in_panic(recommended: i64, current: i64, behavior: &Behavior, past: &Remembered) -> i64 {
    let from = past.min_corrected_in_panic.map_or(current, |past| past.min(current));
    let grown = from.saturating_add((from as f64 * behavior.panic_percent as f64 / 100.0) as i64);
    let limited = if from > 0 { recommended.min(grown) } else { recommended };
    limited.max(current)
}

fn downwards(recommended: i64, current: i64, behavior: &Behavior, past: &Remembered) -> i64 {
    let from = past.max_corrected.map_or(current, |past| past.max(current));
    let by_number = from.saturating_sub(behavior.down.instances);
    let by_share = from - from.saturating_mul(behavior.down.percent) / 100;
    let least = match behavior.down.select {
        Select::Or => by_number.min(by_share),
        Select::And => by_number.max(by_share),
        Select::Neither => i64::MIN,
    };
    past.max_recommendation.map_or(recommended, |past| past.max(recommended)).max(least).min(current)
}

fn upwards(recommended: i64, current: i64, behavior: &Behavior, past: &Remembered) -> i64 {
    let from = past.min_corrected.map_or(current, |past| past.min(current));
    let by_number = from.saturating_add(behavior.up.instances);
    let by_share = from.saturating_add(from.saturating_mul(behavior.up.percent) / 100);
    let most = match behavior.up.select {
        Select::Or => by_number.max(by_share),
        Select::And => by_number.min(by_share),
        Select::Neither => i64::MAX,
    };
    past.min_recommendation.map_or(recommended, |past| past.min(recommended)).min(most).max(current)
}

/// One of two roles whose sizes are tied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Role {
    /// Its size.
    pub replicas: i64,
    /// Fewest and most replicas.
    pub bounds: (i64, i64),
}

impl Role {
    fn within(self, replicas: i64) -> i64 {
        replicas.min(self.bounds.1).max(self.bounds.0)
    }
}

/// A ratio in thousand-millionths, so that 0.1 is a tenth.
fn exact(ratio: f64) -> i128 {
    (ratio * 1e9).round() as i128
}

const ONE: i128 = 1_000_000_000;

fn ceil_div(a: i128, b: i128) -> i64 {
    if b <= 0 { i64::MAX } else { i64::try_from(-(-a).div_euclid(b)).unwrap_or(i64::MAX) }
}

fn floor_div(a: i128, b: i128) -> i64 {
    if b <= 0 { i64::MAX } else { i64::try_from(a.div_euclid(b)).unwrap_or(i64::MAX) }
}

/// The sizes of two roles with `min <= numerator / denominator <= max`.
///
/// Both 0 stays. A role at 0 beside another gets 1. The role that is too small grows; only as far as its maximum does not
/// let it, the other one shrinks.
pub fn with_ratio(numerator: Role, denominator: Role, min_ratio: f64, max_ratio: f64) -> (i64, i64) {
    let (mut n, mut d) = (numerator.within(numerator.replicas), denominator.within(denominator.replicas));
    if n == 0 && d == 0 {
        return (n, d);
    }
    n = if n == 0 { numerator.within(1) } else { n };
    d = if d == 0 { denominator.within(1) } else { d };
    let (min, max) = (exact(min_ratio), exact(max_ratio));
    if i128::from(n) * ONE < min * i128::from(d) {
        let wanted = ceil_div(min * i128::from(d), ONE);
        n = numerator.within(wanted);
        if n < wanted {
            d = denominator.within(floor_div(i128::from(n) * ONE, min));
        }
    } else if i128::from(n) * ONE > max * i128::from(d) {
        let wanted = ceil_div(i128::from(n) * ONE, max);
        d = denominator.within(wanted);
        if d < wanted {
            n = numerator.within(floor_div(max * i128::from(d), ONE));
        }
    }
    (n, d)
}
