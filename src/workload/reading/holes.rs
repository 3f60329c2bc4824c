//! Missing rows in files of counts or levels with regular steps.

use crate::units::{SimDuration, SimTime};

/// Maximum number of holes stored: 64 MB. Further ones count as times without requests.
const MOST: usize = 1 << 22;
/// Minimum number of rows per hole; with fewer, a file seems to omit empty steps.
const SPARSE: u64 = 20;

/// The holes found so far, and statistics to distinguish missing records from times without requests.
#[derive(Debug, Clone, PartialEq)]
pub struct Holes {
    spans: Vec<(SimTime, SimTime)>,
    rows: u64,
    least: f64,
}

impl Default for Holes {
    fn default() -> Self {
        Holes { spans: Vec::new(), rows: 0, least: f64::INFINITY }
    }
}

impl Holes {
    /// Records a row with `value` that counts from `from` to `until` and is followed by one at `next`. If more than
    /// half of the row's length `step` is then not covered, there is a hole.
    pub(crate) fn see(&mut self, value: f64, until: SimTime, next: Option<SimTime>, step: SimDuration) {
        self.rows += 1;
        self.least = self.least.min(value);
        let Some(next) = next.filter(|next| *next > until) else { return };
        if next.since(until).as_nanos() > step.as_nanos() / 2 && self.spans.len() < MOST {
            self.spans.push((until, next));
        }
    }

    /// Whether the file seems to omit empty steps, so that a missing row means zero requests: it has rows of one
    /// request but none of zero, and a hole at every twentieth row or more often.
    pub fn sparse(&self) -> bool {
        self.least > 0.0 && self.least <= 1.0 && self.spans.len() as u64 * SPARSE >= self.rows
    }

    /// Start and end of each hole since time zero, in order.
    pub fn spans(&self) -> &[(SimTime, SimTime)] {
        &self.spans
    }

    /// The note about the holes of a file with rows `step` apart; `at` formats a time since time zero. `None` for a
    /// file that omits empty steps.
    pub(crate) fn told(&self, step: SimDuration, filled: bool, at: impl Fn(SimDuration) -> String) -> Option<String> {
        let (from, _) = self.spans.first().filter(|_| filled || !self.sparse())?;
        let taken =
            if filled { "filled in on the line between their neighbours" } else { "taken as times without requests" };
        let steps = |(from, to): &(SimTime, SimTime)| to.since(*from).as_nanos().div_ceil(step.as_nanos().max(1));
        let missing: u64 = self.spans.iter().map(steps).sum();
        let (gaps, first) = (self.spans.len(), at(from.since(SimTime::ZERO)));
        Some(match missing {
            1 => format!("1 step of {step} is missing and was {}, from {first} on", taken.replace("times", "a time")),
            _ => format!(
                "{missing} steps of {step} are missing ({gaps} gaps) and were {taken}, the first from {first} on"
            ),
        })
    }

    /// For each of `steps` steps of length `step`, the share that is not in a hole.
    pub fn seen(&self, step: SimDuration, steps: usize) -> Vec<f64> {
        let width = step.as_nanos().max(1);
        let mut seen = vec![1.0f64; steps];
        for (from, to) in &self.spans {
            let (mut at, to) = (from.as_nanos(), to.as_nanos());
            while at < to {
                let place = at / width;
                let end = (place + 1).saturating_mul(width).min(to);
                let Some(share) = usize::try_from(place).ok().and_then(|place| seen.get_mut(place)) else { break };
                *share -= (end - at) as f64 / width as f64;
                at = end;
            }
        }
        seen.into_iter().map(|share| share.max(0.0)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holes(values: &[(u64, f64)]) -> Holes {
        let (mut holes, step) = (Holes::default(), SimDuration::from_secs(10));
        for (place, (at, value)) in values.iter().enumerate() {
            let next = values.get(place + 1).map(|(next, _)| SimTime::from_secs(*next));
            holes.see(*value, SimTime::from_secs(*at) + step, next, step);
        }
        holes
    }

    #[test]
    fn the_observed_share_of_a_step_excludes_holes() {
        let holes = holes(&[(0, 5.0), (10, 5.0), (40, 5.0), (54, 0.0)]);
        assert_eq!(holes.spans(), [(SimTime::from_secs(20), SimTime::from_secs(40))], "4 s late is no hole");
        assert_eq!(holes.seen(SimDuration::from_secs(15), 4), [1.0, 1.0 - 10.0 / 15.0, 1.0 - 10.0 / 15.0, 1.0]);
        assert!(!holes.sparse(), "there are rows of zero");
    }

    #[test]
    fn a_file_without_rows_of_zero_but_with_many_holes_is_sparse() {
        assert!(holes(&[(0, 1.0), (20, 3.0), (70, 1.0)]).sparse());
        assert!(!holes(&[(0, 100.0), (20, 100.0), (70, 90.0)]).sparse(), "so much does not stop for a step");
    }
}
