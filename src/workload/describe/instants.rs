//! Statistics of the instants of counts and levels: sums over rows that share an instant, and missing rows.

use std::collections::BTreeMap;

use crate::units::{SimDuration, SimTime};

/// The values of counts or levels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ValueFacts {
    /// Sum over the rows.
    pub sum: f64,
    /// Mean over the rows.
    pub mean: f64,
    /// The maximum.
    pub most: f64,
    /// Time of the (first) maximum since the clock's zero.
    pub at: SimTime,
}

/// Totals of instants that several rows share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InstantFacts {
    /// Number of distinct instants.
    pub instants: u64,
    /// The sum over the rows of an instant, as it is replayed.
    pub sums: ValueFacts,
    /// The mean over the rows of an instant.
    pub means: ValueFacts,
    /// Number of instants at which all rows are zero.
    pub zeros: u64,
}

/// Gaps in a series of counts or levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gaps {
    /// The series' own step: the interval of counts, or the median step between levels.
    pub step: SimDuration,
    /// Number of places at which the next row is more than one and a half steps away.
    pub gaps: u64,
    /// Number of rows missing there: steps, rounded to the nearest integer.
    pub missing: u64,
}

/// Maximum number of instants whose rows are added up: 64 MB.
const MAX_INSTANTS: usize = 1 << 20;

/// Sum and number of the rows of each instant, in any order of the rows; given up if there are too many instants.
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

    /// These facts are only shown if instants and rows differ.
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

    /// The missing rows; `None` for arrivals, for fewer than three instants, and if there are too many instants.
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
        // From 30 to 60 two rows are missing, from 85 to 101 one; the row at 85 is late by half a step only.
        let expected = Gaps { step: SimDuration::from_secs(10), gaps: 2, missing: 3 };
        assert_eq!(instants.gaps(None), Some(expected));
        assert_eq!(instants.gaps(Some(SimDuration::from_secs(30))).map(|gaps| gaps.gaps), Some(0));
        assert_eq!(Instants::default().gaps(None), None);
    }
}
