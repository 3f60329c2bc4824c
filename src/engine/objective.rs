//! Objectives: a share of requests that must be good.

use super::causes::Causes;
use super::record::{Interval, ObjectiveRecord};
use crate::units::{Fraction, SimDuration};

/// What the user promises to the clients.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Objective {
    /// The latency limit; `None` where any answer is good (availability).
    pub within: Option<SimDuration>,
    /// The share of requests that must be good.
    pub target: Fraction,
}

impl Objective {
    /// The objective in words.
    pub fn text(&self) -> String {
        match self.within {
            Some(limit) => format!("{} of requests within {limit}", self.target),
            None => format!("{} of requests answered", self.target),
        }
    }

    /// The limit in nanoseconds as the request path compares it.
    pub(super) fn limit_nanos(&self) -> u64 {
        self.within.map_or(u64::MAX, SimDuration::as_nanos)
    }
}

/// The window of the burn rate.
const BURN_WINDOW: SimDuration = SimDuration::from_secs(3600);

/// Judges a run: totals after warm-up, and the timeline with the good requests of each interval.
pub(super) fn judge(
    objective: &Objective,
    (good, total): (u64, u64),
    causes: Causes,
    timeline: &[Interval],
    interval_good: impl Fn(usize) -> u64,
) -> ObjectiveRecord {
    let judged = |interval: &Interval| interval.completed + interval.lost;
    let mut violation = SimDuration::ZERO;
    for (index, interval) in timeline.iter().enumerate() {
        let share = interval_good(index) as f64 / judged(interval).max(1) as f64;
        if judged(interval) > 0 && share < objective.target.get() {
            violation += interval.length;
        }
    }
    ObjectiveRecord {
        text: objective.text(),
        within: objective.within,
        target: objective.target,
        good,
        total,
        violation,
        peak_burn_rate: peak_burn_rate(objective, timeline, interval_good),
        causes,
    }
}

/// The highest ratio of (share of bad requests) to (error budget) over any window of an hour (the run, if shorter), after
/// the SRE workbook's definition of burn rate. An objective of 100% has no budget: its burn rate is infinite once anything
/// is bad, zero otherwise.
fn peak_burn_rate(objective: &Objective, timeline: &[Interval], interval_good: impl Fn(usize) -> u64) -> f64 {
    let budget = 1.0 - objective.target.get();
    let (mut good, mut total, mut first, mut peak) = (0u64, 0u64, 0, 0.0f64);
    for (last, interval) in timeline.iter().enumerate() {
        good += interval_good(last);
        total += interval.completed + interval.lost;
        let end = interval.start + interval.length;
        while end.since(timeline[first].start) > BURN_WINDOW && first < last {
            good -= interval_good(first);
            total -= timeline[first].completed + timeline[first].lost;
            first += 1;
        }
        let whole_window = end.since(timeline[first].start) >= BURN_WINDOW || last + 1 == timeline.len();
        if total > good && whole_window {
            peak = peak.max((total - good) as f64 / total as f64 / budget);
        }
    }
    peak
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::SimTime;

    fn minutes(good: &[(u64, u64)]) -> (Vec<Interval>, Vec<u64>) {
        let minute = SimDuration::from_secs(60);
        let timeline = good.iter().enumerate().map(|(i, (_, total))| Interval {
            start: SimTime::from_secs(60 * i as u64),
            length: minute,
            completed: *total,
            ..Interval::default()
        });
        (timeline.collect(), good.iter().map(|(good, _)| *good).collect())
    }

    #[test]
    fn violation_minutes_and_burn_rate() {
        let mut rows = vec![(100, 100); 120];
        rows[90] = (40, 100);
        rows[91] = (0, 0);
        let (timeline, good) = minutes(&rows);
        let objective = Objective { within: None, target: Fraction::new(0.99).unwrap() };
        let record = judge(&objective, (11_840, 11_900), Causes::default(), &timeline, |i| good[i]);
        assert_eq!(record.violation, SimDuration::from_secs(60));
        // 60 bad among 6,000 (5,900 with the empty minute) of the worst hour, against a budget of 1%.
        assert!((record.peak_burn_rate - 60.0 / 5900.0 / 0.01).abs() < 1e-9, "{}", record.peak_burn_rate);
        assert!((record.budget_used() - 60.0 / 11_900.0 / 0.01).abs() < 1e-9);
    }
}
