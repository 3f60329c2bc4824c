//! What the instants of counts and levels tell: sums over rows that share one, and rows that are missing.

use std::collections::BTreeMap;

use crate::units::{SimDuration, SimTime};

/// The values of counts or levels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ValueFacts {
    /// Sum over the rows.
    pub sum: f64,
    /// Mean over the rows.
    pub mean: f64,
    /// The largest.
    pub most: f64,
    /// Time of the (first) largest since the clock's zero.
    pub at: SimTime,
}

/// The values of instants that several rows share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InstantFacts {
    /// How many different instants there are.
    pub instants: u64,
    /// The sum of the rows of an instant, as it is replayed.
    pub sums: ValueFacts,
    /// The mean of the rows of an instant.
    pub means: ValueFacts,
    /// Instants at which all rows are zero.
    pub zeros: u64,
}

/// Holes in a series of counts or levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gaps {
    /// The series' own step: the interval of counts, the middle one of the steps between levels.
    pub step: SimDuration,
    /// Places where the next row is more than one and a half steps away.
    pub gaps: u64,
    /// Rows missing there: whole steps, rounded to the nearest.
    pub missing: u64,
}

/// The most instants whose rows are added up: 64 MB.
const MAX_INSTANTS: usize = 1 << 20;

/// Sum and number of the rows of each instant, in any order of the rows; given up where there are too many instants.
#[derive(Default)]
pub(super) struct Instants {
    sums: BTreeMap<SimTime, (f64, u32)>,
    too_many: bool,
}

impl Instants {
    pub(super) fn add(&mut self, time: SimTime, value: f64) {
        if self.too_many {
            return;
        }
        let (sum, rows) = self.sums.entry(time).or_default();
        *sum += value;
        *rows += 1;
        if self.sums.len() > MAX_INSTANTS {
            self.too_many = true;
            self.sums.clear();
        }
    }

    /// Facts are worth telling only where instants and rows differ.
    pub(super) fn facts(&self, rows: u64) -> Option<InstantFacts> {
        let instants = self.sums.len() as u64;
        let told = instants > 0 && instants < rows;
        told.then(|| InstantFacts {
            instants,
            sums: self.values(|sum, _| sum),
            means: self.values(|sum, rows| sum / f64::from(rows)),
            zeros: self.sums.values().filter(|(sum, _)| *sum == 0.0).count() as u64,
        })
    }

    /// Where rows are missing; `None` for arrivals, for fewer than three instants, and where there were too many of them.
    pub(super) fn gaps(&self, interval: Option<SimDuration>) -> Option<Gaps> {
        let mut steps: Vec<u64> =
            self.sums.keys().zip(self.sums.keys().skip(1)).map(|(before, at)| at.since(*before).as_nanos()).collect();
        steps.sort_unstable();
        let middle = *steps.get(steps.len() / 2).filter(|_| steps.len() > 1)?;
        let step = interval.map_or(middle, SimDuration::as_nanos);
        let wide = &steps[steps.partition_point(|long| *long <= step + step / 2)..];
        let missing = wide.iter().map(|long| (long + step / 2) / step - 1).sum();
        Some(Gaps { step: SimDuration::from_nanos(step), gaps: wide.len() as u64, missing })
    }

    fn values(&self, value_of: impl Fn(f64, u32) -> f64) -> ValueFacts {
        let mut facts = ValueFacts { sum: 0.0, mean: 0.0, most: f64::NEG_INFINITY, at: SimTime::ZERO };
        for (time, (sum, rows)) in &self.sums {
            let value = value_of(*sum, *rows);
            facts.sum += value;
            if value > facts.most {
                (facts.most, facts.at) = (value, *time);
            }
        }
        facts.mean = facts.sum / self.sums.len() as f64;
        facts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_missing_between_instants_are_counted() {
        let mut instants = Instants::default();
        for second in [0, 10, 20, 30, 60, 70, 85, 101] {
            instants.add(SimTime::from_secs(second), 1.0);
        }
        // 30 to 60 is two rows short, 85 to 101 one; 70 to 85 is late by no more than half a step.
        let expected = Gaps { step: SimDuration::from_secs(10), gaps: 2, missing: 3 };
        assert_eq!(instants.gaps(None), Some(expected));
        assert_eq!(instants.gaps(Some(SimDuration::from_secs(30))).map(|gaps| gaps.gaps), Some(0));
        assert_eq!(Instants::default().gaps(None), None);
    }
}
