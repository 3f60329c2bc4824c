//! Durations and memory of Azure Functions of 2019: percentiles per function or app, combined into one distribution.

use std::collections::BTreeSet;
use std::path::Path;

use crate::units::Fraction;
use crate::workload::error::TraceError;
use crate::workload::reading::header::{Cells, Header};
use crate::workload::reading::lines::{Lines, RowFault, describe};
use crate::workload::reading::open::TraceInput;
use crate::workload::reading::rows::RowCounts;
use crate::workload::time::text::decimal;

/// Number of values that represent a distribution, each for the same share of the executions.
const VALUES: usize = 100;
/// Number of values from each row.
const PER_ROW: usize = 25;

/// The content of a file of percentiles, combined over its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionProfile {
    /// The measured quantity.
    pub measure: ProfileMeasure,
    /// Number of rows used.
    pub rows: u64,
    /// Number of distinct apps among them.
    pub apps: u64,
    /// Number of executions (durations) or samples (memory).
    pub samples: u64,
    /// Mean, weighted by executions or samples, in milliseconds or megabytes.
    pub mean: f64,
    /// A hundred values in ascending order, each for the same share of the executions or samples.
    pub values: Vec<f64>,
    /// Rows used, skipped and unusable.
    pub tally: RowCounts,
}

/// The quantity in a file of percentiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfileMeasure {
    /// Execution time of functions, milliseconds.
    Duration,
    /// Memory allocated to apps, megabytes.
    Memory,
}

/// The columns of a file of percentiles.
struct Percentiles {
    measure: ProfileMeasure,
    weight: usize,
    mean: usize,
    /// (column, percentage) in ascending order.
    points: Vec<(usize, f64)>,
}

/// A row: number of executions or samples, their mean, and (share, value) in ascending order.
struct Measured {
    weight: u64,
    mean: f64,
    points: Vec<(f64, f64)>,
}

impl Percentiles {
    /// The columns, if the header is that of a file of percentiles (AzureFunctionsDataset2019.md).
    fn of(input: &TraceInput) -> Option<Percentiles> {
        let names = Header::of(input, b',').names;
        if names.first().map(String::as_str) != Some("HashOwner") {
            return None;
        }
        let find = |wanted: &str| names.iter().position(|name| name == wanted);
        let (measure, weight, mean, prefix) = match (find("Average"), find("AverageAllocatedMb")) {
            (Some(mean), _) => (ProfileMeasure::Duration, find("Count")?, mean, "percentile_Average_"),
            (_, Some(mean)) => (ProfileMeasure::Memory, find("SampleCount")?, mean, "AverageAllocatedMb_pct"),
            _ => return None,
        };
        let percentage = |(column, name): (usize, &String)| Some((column, name.strip_prefix(prefix)?.parse().ok()?));
        let mut points: Vec<(usize, f64)> = names.iter().enumerate().filter_map(percentage).collect();
        points.sort_by(|a, b| a.1.total_cmp(&b.1));
        (points.len() >= 2).then_some(Percentiles { measure, weight, mean, points })
    }

    fn read(&self, record: &[u8]) -> Result<Measured, RowFault> {
        let cells: Vec<(usize, &[u8])> = Cells::new(record, b',').collect();
        let number = |column: usize| {
            let (at, cell) = *cells.get(column).ok_or(RowFault { at: record.len(), expected: "more columns" })?;
            // Micro-units: integers, so that sums are exact, with more digits than the file has.
            let value = decimal(cell, 6).map(|micro| micro as f64 / 1e6);
            value.ok_or(RowFault { at, expected: "a number, zero or more" })
        };
        let points: Result<Vec<(f64, f64)>, RowFault> =
            self.points.iter().map(|(column, percentage)| Ok((*percentage / 100.0, number(*column)?))).collect();
        Ok(Measured { weight: number(self.weight)? as u64, mean: number(self.mean)?, points: points? })
    }
}

/// Whether a file holds percentiles of durations or memory of Azure Functions.
///
/// # Errors
/// If the file cannot be opened.
pub fn is_function_profile(path: &Path) -> Result<bool, TraceError> {
    Ok(Percentiles::of(&TraceInput::probe(path)?).is_some())
}

/// Combines the percentiles of a file: each row is weighted by its executions or samples, and its values are taken as
/// uniform between two percentiles. With `only`, the rows of one owner, app or function.
///
/// # Errors
/// If the file is not one of percentiles, more than `max_bad_rows` of its rows are unusable, or no row is left.
pub fn function_profile(
    path: &Path,
    only: Option<&str>,
    max_bad_rows: Fraction,
) -> Result<FunctionProfile, TraceError> {
    let input = TraceInput::probe(path)?;
    let fail = |message: &str| TraceError::new(input.name.as_str(), message);
    let columns = Percentiles::of(&input).ok_or_else(|| fail("holds no percentiles of Azure Functions"))?;
    let (mut tally, mut apps) = (RowCounts::default(), BTreeSet::new());
    let (mut samples, mut sum, mut weighted) = (0u64, 0.0, Vec::new());
    let mut lines = Lines::new(&input)?;
    lines.next(false)?;
    while let Some((line, record)) = lines.next(false)? {
        let names: Vec<&[u8]> = Cells::new(record, b',').take(3).map(|(_, cell)| cell).collect();
        if record.is_empty() || only.is_some_and(|only| !names.contains(&only.as_bytes())) {
            continue;
        }
        match columns.read(record) {
            Ok(Measured { weight, mean, points }) => {
                tally.rows += 1;
                apps.insert(names.get(1).map(|app| app.to_vec()));
                samples += weight;
                sum += weight as f64 * mean;
                weighted.extend(uniform_between(&points).map(|value| (value, weight as f64)));
            }
            Err(fault) => tally.fault(describe(record, fault, line)),
        }
    }
    tally.weigh(&input.name, max_bad_rows.get())?;
    if samples == 0 {
        return Err(fail("holds no executions").help(match only {
            Some(only) => format!("no owner, app or function is called `{only}`"),
            None => "is this the file you meant?".to_string(),
        }));
    }
    let (rows, apps, mean) = (tally.rows, apps.len() as u64, sum / samples as f64);
    Ok(FunctionProfile { measure: columns.measure, rows, apps, samples, mean, values: quantiles(weighted), tally })
}

/// [`PER_ROW`] values, each in the middle of an equal share, by linear interpolation between percentiles.
fn uniform_between(points: &[(f64, f64)]) -> impl Iterator<Item = f64> + '_ {
    (0..PER_ROW).map(|part| {
        let share = (part as f64 + 0.5) / PER_ROW as f64;
        let above = points.partition_point(|(own, _)| *own < share).clamp(1, points.len() - 1);
        let ((low, from), (high, to)) = (points[above - 1], points[above]);
        from + (to - from) * ((share - low) / (high - low)).clamp(0.0, 1.0)
    })
}

/// [`VALUES`] values, each in the middle of an equal share of the weight.
fn quantiles(mut weighted: Vec<(f64, f64)>) -> Vec<f64> {
    weighted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = weighted.iter().map(|(_, weight)| weight).sum();
    let (mut below, mut at) = (0.0, 0);
    (0..VALUES)
        .map(|part| {
            let wanted = (part as f64 + 0.5) / VALUES as f64 * total;
            while at + 1 < weighted.len() && below + weighted[at].1 < wanted {
                below += weighted[at].1;
                at += 1;
            }
            weighted[at].0
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(text: &str, only: Option<&str>) -> Result<FunctionProfile, TraceError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("p.csv");
        std::fs::write(&path, text).unwrap();
        function_profile(&path, only, Fraction::new(0.01).unwrap())
    }

    const DURATIONS: &str = "HashOwner,HashApp,HashFunction,Average,Count,Minimum,Maximum,percentile_Average_0,\
        percentile_Average_50,percentile_Average_100\no,a,f,100,3,0,200,0,100,200\no,b,g,1000,1,1000,1000,1000,1000,1000\n";

    #[test]
    fn rows_count_by_their_executions() {
        let seen = profile(DURATIONS, None).unwrap();
        assert_eq!((seen.measure, seen.rows, seen.apps, seen.samples), (ProfileMeasure::Duration, 2, 2, 4));
        assert_eq!(seen.mean, 325.0);
        // Three quarters are uniform up to 200 ms, the rest take one second.
        assert_eq!(seen.values.iter().filter(|value| **value == 1000.0).count(), 25);
        let mean = seen.values.iter().sum::<f64>() / VALUES as f64;
        assert!((mean - 325.0).abs() < 2.0, "{mean}");
        assert_eq!(profile(DURATIONS, Some("g")).unwrap().values, [1000.0; VALUES]);
        assert!(profile(DURATIONS, Some("x")).unwrap_err().help.unwrap().contains("`x`"));
    }

    #[test]
    fn memory_and_durations_are_distinguished() {
        let text = "HashOwner,HashApp,SampleCount,AverageAllocatedMb,AverageAllocatedMb_pct1,AverageAllocatedMb_pct100\n\
                    o,a,10,150,100,200\n";
        let seen = profile(text, None).unwrap();
        assert_eq!((seen.measure, seen.mean, seen.samples), (ProfileMeasure::Memory, 150.0, 10));
        assert!(profile(&(text.to_string() + "o,a,ten,1,1,1\n"), None).unwrap_err().to_string().contains(":3"));
        assert!(profile("a,b\n1,2\n", None).unwrap_err().to_string().contains("no percentiles"));
    }
}
