//! The observed rates in equal time steps.

use crate::forecast::{Gaps, Series};
use crate::units::{SimDuration, SimTime};

/// The mean rate of each step, as far as covered by scrapes. A scrape belongs to the step that contains the middle of
/// its window.
#[derive(Debug, Clone)]
pub(super) struct History {
    step: SimDuration,
    /// The number of steps kept.
    keep: usize,
    /// How to fill a step without a scrape.
    gaps: Gaps,
    /// Completed steps; the last one precedes `open`.
    values: Vec<f64>,
    /// The current step: its number, and sum and count of its rates.
    open: Option<(u64, f64, u32)>,
    newest: Option<SimTime>,
    /// The number of completed steps with a value.
    observed: usize,
}

impl History {
    pub(super) fn new(step: SimDuration, keep: usize) -> Self {
        let gaps = Gaps::Missing;
        History { step, keep: keep.max(1), gaps, values: Vec::new(), open: None, newest: None, observed: 0 }
    }

    /// Sets how steps without a scrape are filled.
    pub(super) fn taking(self, gaps: Gaps) -> Self {
        History { gaps, ..self }
    }

    /// Adds a scrape, unless it was already added. Returns the number of steps completed by it, including those without
    /// a scrape.
    pub(super) fn see(&mut self, taken_at: SimTime, window: SimDuration, rate: f64) -> usize {
        if self.newest.is_some_and(|newest| taken_at <= newest) {
            return 0;
        }
        self.newest = Some(taken_at);
        let middle = taken_at.as_nanos().saturating_sub(window.as_nanos() / 2);
        let number = middle / self.step.as_nanos();
        let (open, sum, count) = self.open.unwrap_or((number, 0.0, 0));
        if number <= open {
            self.open = Some((open, sum + rate, count + 1));
            return 0;
        }
        // A gap longer than the history clears it.
        let finished = (number - open).min(self.keep as u64) as usize;
        let missing = if (number - open) as usize > finished { finished } else { finished - 1 };
        let before = sum / f64::from(count);
        if missing < finished {
            self.push(before);
        }
        for place in 1..=missing {
            self.push(match self.gaps {
                Gaps::Missing => f64::NAN,
                Gaps::Zero => 0.0,
                // Linear interpolation to the scrape that ended the gap.
                Gaps::Interpolate => before + (rate - before) * place as f64 / (missing + 1) as f64,
            });
        }
        self.open = Some((number, rate, 1));
        self.trim();
        finished.min(self.values.len())
    }

    fn push(&mut self, value: f64) {
        self.observed += usize::from(value.is_finite());
        self.values.push(value);
    }

    /// Drops old steps, many at a time.
    fn trim(&mut self) {
        if self.values.len() > self.keep + self.keep / 4 {
            let gone = self.values.len() - self.keep;
            self.observed -= self.values.drain(..gone).filter(|value| value.is_finite()).count();
        }
    }

    /// The number of the step after the last completed one.
    pub(super) fn next_step(&self) -> u64 {
        self.open.map_or(0, |(number, ..)| number)
    }

    /// Marks a completed step as missing.
    pub(super) fn forget(&mut self, number: u64) {
        let back = self.next_step().saturating_sub(number) as usize;
        if let Some(value) = self.values.len().checked_sub(back).and_then(|place| self.values.get_mut(place)) {
            self.observed -= usize::from(value.is_finite());
            *value = f64::NAN;
        }
    }

    /// The last `count` completed steps.
    pub(super) fn last(&self, count: usize) -> &[f64] {
        &self.values[self.values.len().saturating_sub(count)..]
    }

    /// The number of completed steps with a value.
    pub(super) fn observed(&self) -> usize {
        self.observed
    }

    /// The remembered series, up to the last completed step.
    pub(super) fn series(&self) -> Series {
        Series::new(self.last(self.keep).iter().copied(), self.step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn see(history: &mut History, second: u64, rate: f64) -> usize {
        history.see(SimTime::from_secs(second), SimDuration::from_secs(20), rate)
    }

    #[test]
    fn gaps_are_filled_as_stated() {
        for (gaps, expected) in [(Gaps::Zero, [10.0, 0.0, 0.0]), (Gaps::Interpolate, [10.0, 20.0, 30.0])] {
            let mut history = History::new(SimDuration::from_secs(60), 10).taking(gaps);
            see(&mut history, 40, 10.0);
            assert_eq!(see(&mut history, 200, 40.0), 3);
            assert_eq!(history.last(3), expected, "{}", gaps.name());
        }
    }

    #[test]
    fn scrapes_become_steps_and_gaps_are_missing() {
        let mut history = History::new(SimDuration::from_secs(60), 4);
        assert_eq!([30, 50, 65].map(|second| see(&mut history, second, 10.0)), [0, 0, 0]);
        assert_eq!(see(&mut history, 50, 99.0), 0, "an old scrape is known");
        assert_eq!(
            (see(&mut history, 75, 40.0), history.last(1)),
            (1, [10.0].as_slice()),
            "the middle of 75 s is 65 s"
        );
        assert_eq!(see(&mut history, 260, 7.0), 3);
        assert_eq!(history.next_step(), 4);
        let values = history.series().values().to_vec();
        assert_eq!(&values[..2], [10.0, 40.0]);
        assert!(values[2].is_nan() && values[3].is_nan() && history.observed() == 2);
        history.forget(1);
        assert!(history.series().values()[1].is_nan() && history.observed() == 1);
        assert_eq!(see(&mut history, 1_000_000, 1.0), 4, "a long gap leaves nothing");
        assert_eq!(history.series().observed(), 0);
    }
}
