//! Service level objectives: the share of requests that must be good.

use super::causes::Causes;
use super::record::{Interval, ObjectiveRecord};
use super::unanswered::Overdue;
use crate::units::{Fraction, SimDuration, SimTime};

/// A service level objective.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Objective {
    /// The latency limit. `None` for an availability objective, by which every answer is good.
    pub within: Option<SimDuration>,
    /// The share of requests that must be good.
    pub target: Fraction,
}

impl Objective {
    /// The objective in words, as in "99.9% of requests within 300 ms".
    pub fn text(&self) -> String {
        match self.within {
            Some(limit) => format!("{} of requests within {limit}", self.target),
            None => format!("{} of requests answered", self.target),
        }
    }

    /// The age, in nanoseconds, above which a request still unanswered at the end of the run is bad, for each of
    /// `objectives`; `u64::MAX` if there is no such age.
    ///
    /// For a latency objective it is the limit. An availability objective has no time limit, and a request has not
    /// failed while its client may still be waiting; so it is the longest of the latency limits and the client's
    /// time-out. With neither of them a request is never bad.
    pub(super) fn overdue_after(objectives: &[Objective], timeout: Option<SimDuration>) -> Vec<u64> {
        let limits = objectives.iter().filter_map(|objective| objective.within);
        let longest = limits.chain(timeout).max();
        objectives.iter().map(|o| o.within.or(longest).map_or(u64::MAX, SimDuration::as_nanos)).collect()
    }

    /// The limit in nanoseconds, as compared in the request path.
    pub(super) fn limit_nanos(&self) -> u64 {
        self.within.map_or(u64::MAX, SimDuration::as_nanos)
    }
}

/// The window of the peak burn rate.
const BURN_WINDOW: SimDuration = SimDuration::from_secs(3600);

/// A service's requests by one objective, after the warm-up and per interval.
pub(super) struct Seen<'a> {
    /// Good requests.
    pub good: u64,
    /// Requests that have ended: answered, or lost for good.
    pub ended: u64,
    /// Causes of the bad ones.
    pub causes: Causes,
    /// Good requests by interval.
    pub good_rows: &'a [u64],
    /// Requests that arrived after the warm-up, by the interval in which they ended.
    pub counted: &'a [Ended],
    /// Requests unanswered at the end.
    pub overdue: &'a Overdue,
}

/// Evaluates an objective from the totals after the warm-up and the good requests of each interval.
pub(super) fn judge(objective: &Objective, seen: Seen<'_>, timeline: &[Interval]) -> ObjectiveRecord {
    let Seen { good, ended, mut causes, good_rows, counted, overdue } = seen;
    causes.merge(&overdue.causes);
    // (good, eligible) of each interval.
    let row = |(index, interval): (usize, &Interval)| {
        (good_rows[index], interval.completed + interval.lost + overdue.rows[index])
    };
    let rows: Vec<(u64, u64)> = timeline.iter().enumerate().map(row).collect();
    let mut violation = SimDuration::ZERO;
    for (interval, (good, judged)) in timeline.iter().zip(&rows) {
        if *judged > 0 && (*good as f64 / *judged as f64) < objective.target.get() {
            violation += interval.length;
        }
    }
    ObjectiveRecord {
        text: objective.text(),
        within: objective.within,
        target: objective.target,
        good,
        total: ended + overdue.bad,
        overdue: overdue.bad,
        left_out: overdue.left_out,
        violation,
        peak_burn_rate: peak_burn_rate(objective, &with_overdue(counted, &overdue.counted_rows)),
        causes,
    }
}

/// Requests that arrived after the warm-up and ended in an interval, or in the part of it after the warm-up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    pub from: SimTime,
    pub to: SimTime,
    pub requests: u64,
    pub bad: u64,
}

/// Adds the requests that were overdue and never answered, in the interval in which they passed the limit. `overdue`
/// has a row for every interval; `ended` covers the last of them.
fn with_overdue(ended: &[Ended], overdue: &[u64]) -> Vec<Ended> {
    let before = overdue.len().saturating_sub(ended.len());
    let add = |(row, more): (&Ended, &u64)| Ended { requests: row.requests + more, bad: row.bad + more, ..*row };
    ended.iter().zip(&overdue[before..]).map(add).collect()
}

/// The highest ratio of (share of bad requests) to (error budget) in any one-hour window after the warm-up (the whole
/// time, if shorter), following the SRE workbook's definition of burn rate. Requests are assumed to end evenly within
/// an interval, so a window that cuts an interval counts it pro rata. An objective of 100% has no error budget: its
/// burn rate is infinite once a request is bad, and zero otherwise.
///
/// Between two positions at which an edge of the window meets an edge of an interval, both bad and total requests
/// change linearly, so their ratio is monotonic. The maximum is therefore at one of these positions.
fn peak_burn_rate(objective: &Objective, rows: &[Ended]) -> f64 {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return 0.0 };
    let budget = 1.0 - objective.target.get();
    let window = BURN_WINDOW.min(last.to.since(first.from));
    let latest = last.to.saturating_sub(window);
    let edges = || rows.iter().map(|row| row.from).chain([last.to]);
    let begins_at_edge = edges().filter(|edge| *edge <= latest);
    let ends_at_edge = edges().filter(|edge| *edge >= first.from + window).map(|edge| edge.saturating_sub(window));
    let share = highest_share(rows, window, begins_at_edge).max(highest_share(rows, window, ends_at_edge));
    if share > 0.0 { share / budget } else { 0.0 }
}

/// The highest share of bad requests in the windows with these starts, which must be ascending; 0 if none is bad.
fn highest_share(rows: &[Ended], window: SimDuration, beginnings: impl Iterator<Item = SimTime>) -> f64 {
    // Rows before `inside` end before the window does, and rows before `first` before it starts; `whole` sums the rows
    // between.
    let (mut first, mut inside, mut whole, mut highest) = (0, 0, (0u64, 0u64), 0.0f64);
    for begin in beginnings {
        let end = begin + window;
        while inside < rows.len() && rows[inside].to <= end {
            whole = (whole.0 + rows[inside].bad, whole.1 + rows[inside].requests);
            inside += 1;
        }
        while first < inside && rows[first].from < begin {
            whole = (whole.0 - rows[first].bad, whole.1 - rows[first].requests);
            first += 1;
        }
        let (mut bad, mut all) = (whole.0 as f64, whole.1 as f64);
        let before = first.checked_sub(1).and_then(|row| rows.get(row));
        for row in before.into_iter().chain(rows.get(inside)) {
            let part = row.to.min(end).since(row.from.max(begin)).as_secs_f64() / row.to.since(row.from).as_secs_f64();
            bad += row.bad as f64 * part;
            all += row.requests as f64 * part;
        }
        if bad > 0.0 {
            highest = highest.max(bad / all);
        }
    }
    highest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

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

    /// Rows of `step` seconds, the last one cut at `end`, with one request per second; those in the ranges `bad` are
    /// bad.
    fn rows(step: u64, end: u64, bad: &[(u64, u64)]) -> Vec<Ended> {
        let overlap =
            |from: u64, to: u64| bad.iter().map(|(a, b)| (*b).min(to).saturating_sub((*a).max(from))).sum::<u64>();
        let row = |from: u64| {
            let to = (from + step).min(end);
            Ended {
                from: SimTime::from_secs(from),
                to: SimTime::from_secs(to),
                requests: to - from,
                bad: overlap(from, to),
            }
        };
        (0..end).step_by(step as usize).map(row).collect()
    }

    fn objective(target: f64) -> Objective {
        Objective { within: None, target: Fraction::new(target).unwrap() }
    }

    #[test]
    fn violation_minutes_and_burn_rate() {
        let mut minute = vec![(100, 100); 120];
        minute[90] = (40, 100);
        minute[91] = (0, 0);
        let (timeline, good) = minutes(&minute);
        let ended = |(row, (good, all)): (&Interval, &(u64, u64))| Ended {
            from: row.start,
            to: row.start + row.length,
            requests: *all,
            bad: all - good,
        };
        let counted: Vec<Ended> = timeline.iter().zip(&minute).map(ended).collect();
        let overdue = Overdue::none(timeline.len());
        let causes = Causes::default();
        let seen = Seen { good: 11_840, ended: 11_900, causes, good_rows: &good, counted: &counted, overdue: &overdue };
        let record = judge(&objective(0.99), seen, &timeline);
        assert_eq!(record.violation, SimDuration::from_secs(60));
        // 60 bad among 6,000 (5,900 with the empty minute) of the worst hour, against a budget of 1%.
        assert!((record.peak_burn_rate - 60.0 / 5900.0 / 0.01).abs() < 1e-9, "{}", record.peak_burn_rate);
        assert!((record.budget_used() - 60.0 / 11_900.0 / 0.01).abs() < 1e-9);
    }

    /// 420 of the 3,600 requests of the worst hour are bad, wherever the edges of the intervals lie.
    #[rstest]
    #[case::divides_an_hour(60)]
    #[case::seven_minutes(420)]
    #[case::eight_minutes(480)]
    #[case::twenty_five_minutes(1500)]
    #[case::forty_minutes(2400)]
    #[case::fifty_minutes(3000)]
    fn the_length_of_intervals_does_not_matter(#[case] step: u64) {
        let found = peak_burn_rate(&objective(0.99), &rows(step, 10_800, &[(3780, 4200)]));
        assert!((found - 420.0 / 3600.0 / 0.01).abs() < 1e-9, "{found}");
    }

    #[rstest]
    #[case::intervals_longer_than_the_window(7200, 14_400, &[(7200, 10_800)], 0.5)]
    #[case::shorter_than_the_window(60, 600, &[(0, 60)], 0.1)]
    #[case::one_interval(1000, 700, &[(0, 70)], 0.1)]
    #[case::at_the_very_end(420, 10_800, &[(10_500, 10_800)], 300.0 / 3600.0)]
    #[case::nothing_bad(420, 10_800, &[], 0.0)]
    fn other_shapes(#[case] step: u64, #[case] end: u64, #[case] bad: &[(u64, u64)], #[case] share: f64) {
        let found = peak_burn_rate(&objective(0.99), &rows(step, end, bad));
        assert!((found - share / 0.01).abs() < 1e-9, "{found}");
        let without_budget = if share > 0.0 { f64::INFINITY } else { 0.0 };
        assert!(peak_burn_rate(&objective(1.0), &rows(step, end, bad)) == without_budget);
        assert_eq!(peak_burn_rate(&objective(0.99), &[]), 0.0);
    }

    proptest! {
        /// Compares with every window that starts at a whole second.
        #[test]
        fn no_window_is_worse(
            step in 1u64..5000,
            end in 1u64..12_000,
            bad in prop::collection::vec((0u64..12_000, 0u64..2000), 0..4),
        ) {
            let bad: Vec<(u64, u64)> = bad.iter().map(|(from, length)| (*from, from + length)).collect();
            let rows = rows(step, end, &bad);
            let found = peak_burn_rate(&objective(0.5), &rows) * 0.5;
            let window = end.min(3600);
            let mut highest = 0.0f64;
            for begin in 0..=end - window {
                let part = |row: &Ended| {
                    let (from, to) = (row.from.as_secs_f64(), row.to.as_secs_f64());
                    ((begin + window) as f64).min(to).max(from) - (begin as f64).max(from).min(to)
                };
                let covered = |row: &Ended| part(row) / (row.to.as_secs_f64() - row.from.as_secs_f64());
                let bad: f64 = rows.iter().map(|row| covered(row) * row.bad as f64).sum();
                let all: f64 = rows.iter().map(|row| covered(row) * row.requests as f64).sum();
                highest = highest.max(bad / all);
            }
            prop_assert!((found - highest).abs() < 1e-9, "{found} {highest}");
        }
    }
}
