//! Figures of the time during a fault, and of the recovery.

use serde::{Deserialize, Serialize};

use crate::engine::{Interval, ServiceRecord};
use crate::scenario::Scenario;
use crate::units::{SimDuration, SimTime};

/// A service has recovered after this many consecutive intervals that meet the objective.
pub const CALM: usize = 5;

/// The time during which something is faulty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The start of the first fault.
    pub from: SimTime,
    /// The end of the last fault.
    pub to: SimTime,
}

impl Window {
    /// From the first zone loss to the end of the last; `None` if no zone is lost.
    pub fn of(scenario: &Scenario) -> Option<Window> {
        let from = scenario.outages.iter().map(|outage| outage.at).min()?;
        let to = scenario.outages.iter().map(|outage| outage.at.saturating_add(outage.length)).max()?;
        Some(Window { from, to })
    }

    fn touches(&self, interval: &Interval) -> bool {
        interval.start < self.to && interval.start.saturating_add(interval.length) > self.from
    }
}

/// What is measured in a window, from whole intervals of the timeline that overlap it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum During {
    /// Share of good requests (within the first latency limit; answered, if there is none).
    Attained,
    /// The highest p99 of an interval in seconds.
    WorstP99,
    /// Requests lost.
    Lost,
    /// The fewest ready replicas, as the mean of an interval.
    LeastReady,
    /// Seconds from the window's start to the end of the last interval below the target that is followed by [`CALM`] at
    /// or above it; 0 if none was below it in the window, and the rest of the run if there is no such interval.
    Recovery,
}

impl During {
    /// All, in the order of a table.
    pub const ALL: [During; 5] =
        [During::Attained, During::WorstP99, During::Lost, During::LeastReady, During::Recovery];

    /// The value in a run; `None` if there is nothing to measure in the window.
    pub(super) fn of(self, service: &ServiceRecord, window: Window) -> Option<f64> {
        let first =
            service.objectives.iter().find(|objective| objective.within.is_some()).or(service.objectives.first());
        self.measure(&service.timeline, first.map(|objective| objective.target.get()), window)
    }

    fn measure(self, timeline: &[Interval], target: Option<f64>, window: Window) -> Option<f64> {
        let within: Vec<&Interval> = timeline.iter().filter(|interval| window.touches(interval)).collect();
        match self {
            During::Attained => {
                let judged: u64 = within.iter().map(|interval| interval.judged()).sum();
                let bad: u64 = within.iter().map(|interval| interval.bad()).sum();
                (judged > 0).then(|| 1.0 - bad as f64 / judged as f64)
            }
            During::WorstP99 => {
                let worst = within.iter().filter_map(|interval| interval.sojourn).map(|[_, _, p99]| p99).max();
                worst.map(SimDuration::as_secs_f64)
            }
            During::Lost => Some(within.iter().map(|interval| interval.lost).sum::<u64>() as f64),
            During::LeastReady => within.iter().map(|interval| interval.ready).min_by(f64::total_cmp),
            During::Recovery => recovery(timeline, target?, window),
        }
    }
}

/// See [`During::Recovery`].
fn recovery(timeline: &[Interval], target: f64, window: Window) -> Option<f64> {
    let below = |interval: &Interval| {
        let judged = interval.judged();
        judged > 0 && ((judged - interval.bad().min(judged)) as f64) < target * judged as f64
    };
    let after: Vec<&Interval> =
        timeline.iter().filter(|row| row.start.saturating_add(row.length) > window.from).collect();
    let mut last: Option<usize> = None;
    for (index, interval) in after.iter().enumerate() {
        if below(interval) {
            last = Some(index);
        } else if interval.start >= window.to && last.is_none_or(|last| index - last >= CALM) {
            break;
        }
    }
    let Some(last) = last else { return Some(0.0) };
    let end = after[last].start.saturating_add(after[last].length);
    Some(end.since(window.from).as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One interval per minute, with `bad` of 100 requests in each.
    fn timeline(bad: &[u64]) -> Vec<Interval> {
        let row = |(minute, bad): (usize, &u64)| Interval {
            start: SimTime::from_secs(60 * minute as u64),
            length: SimDuration::from_secs(60),
            arrived: 100,
            completed: 100 - bad,
            good: 100 - bad,
            ready: 10.0 - *bad as f64,
            lost: *bad,
            sojourn: Some([SimDuration::from_millis(10 + bad); 3]),
            ..Interval::default()
        };
        bad.iter().enumerate().map(row).collect()
    }

    fn window(from: u64, to: u64) -> Window {
        Window { from: SimTime::from_secs(60 * from), to: SimTime::from_secs(60 * to) }
    }

    #[test]
    fn figures_are_those_of_the_intervals_in_the_window() {
        let rows = timeline(&[9, 0, 2, 4, 0, 0, 0, 9]);
        let of = |during: During| during.measure(&rows, Some(0.99), window(2, 4)).unwrap();
        assert!((of(During::Attained) - 0.97).abs() < 1e-12);
        assert_eq!((of(During::WorstP99), of(During::Lost), of(During::LeastReady)), (0.014, 6.0, 6.0));
    }

    #[test]
    fn recovery_ends_with_the_last_bad_interval_before_a_calm() {
        let found = |bad: &[u64]| During::Recovery.measure(&timeline(bad), Some(0.99), window(1, 3)).unwrap();
        assert_eq!(found(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), 0.0);
        assert_eq!(found(&[9, 5, 5, 0, 0, 0, 0, 0, 9, 9]), 120.0, "five calm minutes end it");
        assert_eq!(found(&[0, 5, 0, 0, 5, 0, 0, 0, 0, 0, 9]), 240.0);
        assert_eq!(found(&[0, 5, 5, 5, 5]), 240.0, "to the end");
        // A share of exactly the target meets it.
        assert_eq!(found(&[0, 1, 1, 0, 0, 0, 0, 0]), 0.0);
    }
}
