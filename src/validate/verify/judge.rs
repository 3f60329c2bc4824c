//! Compares replications with an exact value.

use std::fmt;

use rayon::prelude::*;

use super::metric::Statistic;
use super::station::{Length, Observed, Station};
use crate::engine::RunError;
use crate::random::Streams;
use crate::stats::ConfidenceInterval;

/// Confidence of every interval of the proof.
pub const LEVEL: f64 = 0.99;
/// Seed of the proof, and the second seed that is used if the first misses.
pub const SEEDS: [u64; 2] = [20_260_101, 7_919];

/// The result for one figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The interval covers the exact value.
    Covered,
    /// The first interval missed the exact value, as one in a hundred does; replications with the second seed cover it.
    CoveredBySecondSeed,
    /// Both intervals missed the exact value.
    Missed,
    /// The interval covers the exact value, but is wider than the run was meant to achieve.
    TooWide,
}

impl Verdict {
    /// Whether the figure passes.
    pub fn is_good(self) -> bool {
        matches!(self, Verdict::Covered | Verdict::CoveredBySecondSeed)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Covered => "ok",
            Verdict::CoveredBySecondSeed => "ok (second seed)",
            Verdict::Missed => "MISSED",
            Verdict::TooWide => "TOO WIDE",
        })
    }
}

/// One figure of one case, expected and observed. Times are in units of the mean service time.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifyRow {
    /// The station.
    pub case: String,
    /// The figure.
    pub metric: String,
    /// Its exact value.
    pub expected: f64,
    /// The mean over the replications; of the second seed, if that decided.
    pub observed: f64,
    /// Confidence interval of the mean.
    pub interval: ConfidenceInterval,
    /// The result.
    pub verdict: Verdict,
    /// Normal score of the distance from the exact value with the first seed, see [`ConfidenceInterval::normal_score`].
    pub score: f64,
}

/// Runs `one` for each replication, in parallel; the results are in the order of the replications, whatever the number
/// of threads.
///
/// # Errors
/// The error of the first replication that fails.
pub fn replicate<T: Send>(
    replications: u64,
    seed: u64,
    one: impl Fn(Streams) -> Result<T, RunError> + Sync,
) -> Result<Vec<T>, RunError> {
    (0..replications).into_par_iter().map(|number| one(Streams::new(seed, number))).collect()
}

/// Replications of a station, and the figures measured in each.
pub struct TheoryRun<'a> {
    /// The station.
    pub station: &'a Station,
    /// Length of each run.
    pub length: Length,
    /// Number of runs.
    pub replications: u64,
    /// Measures the figures of a run, always the same number and in the same order.
    pub figures: &'a (dyn Fn(&Observed) -> Vec<f64> + Sync),
}

impl TheoryRun<'_> {
    /// The values by figure, one per replication.
    ///
    /// # Errors
    /// Those of a run.
    pub fn run(&self, seed: u64) -> Result<Vec<Vec<f64>>, RunError> {
        let one = |streams| self.station.run(self.length, streams).map(|observed| (self.figures)(&observed));
        let rows = replicate(self.replications, seed, one)?;
        let figures = rows.first().map_or(0, Vec::len);
        Ok((0..figures).map(|figure| rows.iter().map(|row| row[figure]).collect()).collect())
    }

    /// Compares each figure with its exact value; a miss is only reported if a second seed misses as well. `expected`
    /// holds the name and value of each figure.
    ///
    /// # Errors
    /// Those of a run.
    pub fn judge(&self, case: &str, expected: &[(String, f64)]) -> Result<Vec<VerifyRow>, RunError> {
        judge_seeds(|seed| {
            let values = self.run(seed)?;
            assert!(values.len() == expected.len(), "{case}: an exact value for every figure");
            Ok(values.iter().zip(expected).map(|(values, (metric, exact))| row(case, metric, *exact, values)).collect())
        })
    }
}

/// The rows of the first seed; those that missed are replaced by the rows of the second seed that cover.
pub(super) fn judge_seeds<E>(rows_of: impl Fn(u64) -> Result<Vec<VerifyRow>, E>) -> Result<Vec<VerifyRow>, E> {
    let mut rows = rows_of(SEEDS[0])?;
    if rows.iter().all(|row| row.verdict == Verdict::Covered) {
        return Ok(rows);
    }
    let second = rows_of(SEEDS[1])?;
    for (first, again) in rows.iter_mut().zip(second).filter(|(row, _)| row.verdict == Verdict::Missed) {
        if again.verdict == Verdict::Covered {
            let score = first.score;
            *first = VerifyRow { verdict: Verdict::CoveredBySecondSeed, score, ..again };
        }
    }
    Ok(rows)
}

/// Compares the metrics of a station with their exact values.
///
/// # Errors
/// Those of a run.
pub fn judge_metrics(
    case: &str,
    station: &Station,
    length: Length,
    replications: u64,
    expected: &[(Statistic, f64)],
) -> Result<Vec<VerifyRow>, RunError> {
    let figures = |observed: &Observed| expected.iter().map(|(metric, _)| metric.of(observed)).collect();
    let named: Vec<(String, f64)> = expected.iter().map(|(metric, value)| (metric.name(), *value)).collect();
    TheoryRun { station, length, replications, figures: &figures }.judge(case, &named)
}

/// Compares the values of a figure, one per replication, with its exact value.
pub(super) fn row(case: &str, metric: &str, expected: f64, values: &[f64]) -> VerifyRow {
    let nothing = ConfidenceInterval { mean: f64::NAN, half_width: f64::NAN, level: LEVEL, replications: 0 };
    let interval = ConfidenceInterval::of(values.iter().copied(), LEVEL).unwrap_or(nothing);
    // If replications agree to the last bit, the interval contains rounding errors only.
    let covered = interval.covers(expected) || (interval.mean - expected).abs() <= 1e-12 * expected.abs();
    let score = if covered && interval.half_width <= 1e-12 { 0.0 } else { interval.normal_score(expected) };
    VerifyRow {
        case: case.to_string(),
        metric: metric.to_string(),
        expected,
        observed: interval.mean,
        interval,
        verdict: if covered { Verdict::Covered } else { Verdict::Missed },
        score,
    }
}
