//! The cases, and the report on them.

use super::judge::{Verdict, VerifyRow, judge_metrics};
use super::station::Length;

use super::cases::{Case, cases};
use super::worlds::worlds;

/// The results.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifyReport {
    /// One row per figure, in a fixed order.
    pub rows: Vec<VerifyRow>,
    /// Number of rows that failed.
    pub failed: usize,
}

/// Replications per case.
const REPLICATIONS: u64 = 32;
/// Requests per case in the quick proof, summed over all replications.
const QUICK_REQUESTS: f64 = 6e6;
/// Widest 99% interval of the full proof, relative to the exact value.
const WIDEST: f64 = 0.02;

/// Verifies the built-in cases. The full proof runs long enough for intervals at most 2% wide. `progress` is called
/// with the name of each case before it runs.
///
/// # Panics
/// If an invariant of the engine is violated, which is a bug.
pub fn verify(full: bool, progress: &mut dyn FnMut(&str)) -> VerifyReport {
    let mut rows = Vec::new();
    for case in cases() {
        progress(&case.name);
        rows.extend(verify_case(&case, full));
    }
    for world in worlds() {
        progress(&world.name);
        // None of these scenarios reads a file.
        rows.extend(world.judge().unwrap_or_else(|error| panic!("{}: {error}", world.name)));
    }
    let failed = rows.iter().filter(|row| !row.verdict.is_good()).count();
    VerifyReport { rows, failed }
}

fn verify_case(case: &Case, full: bool) -> Vec<VerifyRow> {
    let requests = if full { case.millions * 1e6 } else { QUICK_REQUESTS };
    let length = Length::of_requests(&case.station, requests / REPLICATIONS as f64, case.variability);
    // Only a trace that ends in the middle makes a run fail, and these sources never end.
    let judged = judge_metrics(&case.name, &case.station, length, REPLICATIONS, &case.expected);
    let mut rows = judged.unwrap_or_else(|error| panic!("{}: {error}", case.name));
    if full {
        for row in rows.iter_mut().filter(|row| row.verdict.is_good()) {
            if 2.0 * row.interval.half_width > WIDEST * row.expected.abs() {
                row.verdict = Verdict::TooWide;
            }
        }
    }
    rows
}
