//! Running the points of a sweep.

use rayon::prelude::*;

use super::super::pool::in_pool;
use super::super::replicate::{Replicated, ReplicationPlan, arms, replicate_figures};
use super::super::watch::Watch;
use crate::engine::RunError;
use crate::scenario::Scenario;

/// A point that was run: its index and its replications, one arm per policy.
pub type PointResult = (usize, Replicated);

/// Runs the points from `first` on and hands each to `each` in their order, whatever the number of threads. So many
/// points as there are threads are in memory at once.
///
/// # Errors
/// The first error of `read`, of a run or of `each`, in the order of the points; [`RunError::Cancelled`]. `each` has
/// then been called for whole points only.
pub fn sweep<E: Send + From<RunError>>(
    points: std::ops::Range<usize>,
    plan: &ReplicationPlan,
    read: &(dyn Fn(usize) -> Result<Scenario, E> + Sync),
    each: &mut dyn FnMut(PointResult) -> Result<(), E>,
    watch: &Watch<'_>,
) -> Result<(), E> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if plan.threads == 0 { cores } else { plan.threads };
    let points: Vec<usize> = points.collect();
    for chunk in points.chunks(threads) {
        // A last, lone point may use every thread for its own replications.
        let inner = ReplicationPlan { threads: if chunk.len() == 1 { threads } else { 1 }, ..*plan };
        let one = |point: &usize| run_point(&read(*point)?, &inner, watch).map_err(E::from);
        let results: Vec<Result<Replicated, E>> = in_pool(chunk.len(), || chunk.par_iter().map(one).collect());
        for (point, result) in chunk.iter().zip(results) {
            each((*point, result?))?;
        }
    }
    Ok(())
}

fn run_point(scenario: &Scenario, plan: &ReplicationPlan, watch: &Watch<'_>) -> Result<Replicated, RunError> {
    replicate_figures(&arms(scenario), super::super::figures(scenario), plan, "runs", watch)
}
