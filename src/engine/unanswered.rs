//! Requests still unanswered at the end of the run: queued, in service or waiting for a retry.
//!
//! A request older than an objective's limit is bad, no matter what would have become of it. A younger one is left out,
//! since its fate is unknown. A bad one counts in the interval of the timeline in which it passed the limit.

use super::causes::{Cause, Causes};
use super::fate::Fate;
use super::objective::Objective;
use crate::units::{SimDuration, SimTime};

/// The unanswered requests of a service, by objective.
#[derive(Debug)]
pub(super) struct Unanswered {
    end: u64,
    warm_up: u64,
    interval: u64,
    /// One for each objective.
    pub judged: Vec<Overdue>,
}

/// The unanswered requests by one objective.
#[derive(Debug)]
pub(super) struct Overdue {
    /// The age above which they are bad, nanoseconds.
    after: u64,
    /// Older ones by the interval in which they passed the limit, including those of the warm-up.
    pub rows: Vec<u64>,
    /// Those that arrived after the warm-up.
    pub counted_rows: Vec<u64>,
    /// Older ones that arrived after the warm-up.
    pub bad: u64,
    /// Younger ones that arrived after the warm-up.
    pub left_out: u64,
    /// Causes of the older ones that arrived after the warm-up.
    pub causes: Causes,
}

impl Overdue {
    /// No request yet, in a timeline of `rows` intervals.
    fn new(after: u64, rows: usize) -> Overdue {
        Overdue {
            after,
            rows: vec![0; rows],
            counted_rows: vec![0; rows],
            bad: 0,
            left_out: 0,
            causes: Causes::default(),
        }
    }

    /// Every request was answered.
    #[cfg(test)]
    pub(super) fn none(rows: usize) -> Overdue {
        Overdue::new(u64::MAX, rows)
    }
}

impl Unanswered {
    /// No request yet. `timeout` is the patience of the service's clients.
    pub(super) fn new(
        objectives: &[Objective],
        timeout: Option<SimDuration>,
        (warm_up, end): (SimTime, SimTime),
        interval: SimDuration,
    ) -> Unanswered {
        let interval = interval.as_nanos();
        let rows = end.as_nanos().div_ceil(interval) as usize;
        let of = |after| Overdue::new(after, rows);
        Unanswered {
            end: end.as_nanos(),
            warm_up: warm_up.as_nanos(),
            interval,
            judged: Objective::overdue_after(objectives, timeout).into_iter().map(of).collect(),
        }
    }

    /// The end of the run, nanoseconds.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Adds an unanswered request that arrived at `arrival`. `cause` returns why it missed a limit.
    pub(super) fn add(&mut self, arrival: u64, cause: impl Fn(u64) -> Cause) {
        let counts = u64::from(arrival >= self.warm_up);
        for overdue in &mut self.judged {
            if self.end - arrival <= overdue.after {
                overdue.left_out += counts;
                continue;
            }
            // At exactly the limit an answer would still have been good: the request turns bad in the interval that
            // begins there.
            let row = (arrival + overdue.after) / self.interval;
            overdue.rows[row as usize] += 1;
            overdue.counted_rows[row as usize] += counts;
            overdue.bad += counts;
            overdue.causes.add(cause(overdue.after), Fate::InFlight, counts);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Fraction;

    fn objective(within: Option<u64>) -> Objective {
        Objective { within: within.map(SimDuration::from_secs), target: Fraction::new(0.9).unwrap() }
    }

    /// A run of 100 s with a warm-up of 10 s, intervals of 30 s.
    fn unanswered(objectives: &[Objective], timeout: Option<u64>, arrivals: &[u64]) -> Unanswered {
        let (warm_up, end) = (SimTime::from_secs(10), SimTime::from_secs(100));
        let timeout = timeout.map(SimDuration::from_secs);
        let mut all = Unanswered::new(objectives, timeout, (warm_up, end), SimDuration::from_secs(30));
        arrivals.iter().for_each(|arrival| all.add(arrival * 1_000_000_000, |_| Cause::StartUp));
        all
    }

    #[test]
    fn older_requests_are_bad_in_the_interval_of_their_limit() {
        let all = unanswered(&[objective(Some(20))], None, &[5, 9, 10, 50, 79, 80, 81, 99]);
        let seen = &all.judged[0];
        // 5, 9 and 10 pass the limit before 60 s, 50 before 90 s, 79 at 99 s; 80 is 20 s old at the end, which would
        // still be good.
        assert_eq!((seen.rows.as_slice(), seen.bad, seen.left_out), (&[2, 1, 1, 1][..], 3, 3));
        assert_eq!(seen.causes.get(Cause::StartUp, Fate::InFlight), 3);
    }

    #[test]
    fn availability_waits_for_the_longest_limit_or_time_out() {
        let bad = |objectives: &[Objective], timeout| -> Vec<u64> {
            let all = unanswered(objectives, timeout, &[10, 30, 50, 70, 90]);
            all.judged.iter().map(|overdue| overdue.bad).collect()
        };
        let (fast, slow, answered) = (objective(Some(5)), objective(Some(40)), objective(None));
        assert_eq!(bad(&[answered], None), [0], "nothing says how long is too long");
        assert_eq!(bad(&[answered], Some(60)), [2]);
        assert_eq!(bad(&[fast, answered], None), [5, 5]);
        assert_eq!(bad(&[fast, slow, answered], None), [5, 3, 3]);
        assert_eq!(bad(&[fast, answered], Some(60)), [5, 2], "the client still waits");
    }
}
