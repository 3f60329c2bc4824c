//! A grid of variations.

use std::str::FromStr;

use rayon::prelude::*;

use super::pool::in_pool;
use super::replicate::{Arm, Plan, Replicated, replicate};
use crate::engine::RunError;
use crate::engine::scenario::Scenario;

/// The most points of a grid.
const MAX_POINTS: usize = 1_000_000;

/// A path of the scenario and the values it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Axis {
    /// Path of names and list indices.
    pub path: String,
    /// Values, as YAML.
    pub values: Vec<String>,
}

/// `path=1..10` (whole numbers, both ends included), `path=10..100/10` (with a step) or `path=x,y`.
impl FromStr for Axis {
    type Err = String;

    fn from_str(text: &str) -> Result<Axis, String> {
        let usage = "expected PATH=1..10, PATH=10..100/10 or PATH=x,y";
        let (path, values) = text.split_once('=').ok_or(usage)?;
        let values = match values.split_once("..") {
            Some((low, rest)) => range(low, rest).ok_or(usage)?,
            None => values.split(',').map(|value| value.trim().to_string()).collect(),
        };
        if path.trim().is_empty() || values.is_empty() || values.iter().any(String::is_empty) {
            return Err(usage.into());
        }
        Ok(Axis { path: path.trim().to_string(), values })
    }
}

fn range(low: &str, rest: &str) -> Option<Vec<String>> {
    let (high, step) = rest.split_once('/').unwrap_or((rest, "1"));
    let (low, high): (i64, i64) = (low.trim().parse().ok()?, high.trim().parse().ok()?);
    let step: usize = step.trim().parse().ok().filter(|step| *step > 0)?;
    let length = high.checked_sub(low)?;
    if length < 0 || length as u64 / step as u64 >= MAX_POINTS as u64 {
        return None;
    }
    Some((low..=high).step_by(step).map(|value| value.to_string()).collect())
}

/// A grid over a scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// The axes; the last one varies fastest.
    pub axes: Vec<Axis>,
}

impl Grid {
    /// Number of points; `None` if there are more than a million.
    pub fn len(&self) -> Option<usize> {
        let product = self.axes.iter().try_fold(1usize, |product, axis| product.checked_mul(axis.values.len()));
        product.filter(|points| *points <= MAX_POINTS)
    }

    /// Whether there is nothing to vary.
    pub fn is_empty(&self) -> bool {
        self.axes.is_empty()
    }

    /// The values at point `index`, one per axis.
    pub fn point(&self, mut index: usize) -> Vec<(String, String)> {
        let mut values: Vec<(String, String)> = Vec::new();
        for axis in self.axes.iter().rev() {
            values.push((axis.path.clone(), axis.values[index % axis.values.len()].clone()));
            index /= axis.values.len();
        }
        values.reverse();
        values
    }
}

/// A point that was run: its index and its replications, one arm per policy.
pub type PointResult = (usize, Replicated);

/// Runs the points from `first` on and hands each to `each` in the order of the grid, whatever the number of threads. So many
/// points as there are threads are in memory at once.
///
/// # Errors
/// The first error of `read`, of a run or of `each`, in the order of the points.
pub fn sweep<E: Send + From<RunError>>(
    points: std::ops::Range<usize>,
    plan: &Plan,
    read: &(dyn Fn(usize) -> Result<Scenario, E> + Sync),
    each: &mut dyn FnMut(PointResult) -> Result<(), E>,
) -> Result<(), E> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if plan.threads == 0 { cores } else { plan.threads };
    let points: Vec<usize> = points.collect();
    for chunk in points.chunks(threads) {
        // A last, lone point may use every thread for its own replications.
        let inner = Plan { threads: if chunk.len() == 1 { threads } else { 1 }, ..*plan };
        let one = |point: &usize| run_point(&read(*point)?, &inner).map_err(E::from);
        let results: Vec<Result<Replicated, E>> = in_pool(chunk.len(), || chunk.par_iter().map(one).collect());
        for (point, result) in chunk.iter().zip(results) {
            each((*point, result?))?;
        }
    }
    Ok(())
}

fn run_point(scenario: &Scenario, plan: &Plan) -> Result<Replicated, RunError> {
    let arm = |(policy, plan)| {
        let plan: &crate::engine::scenario::PolicyPlan = plan;
        Arm { label: &plan.label, scenario, policy }
    };
    let arms: Vec<Arm<'_>> = scenario.policies.iter().enumerate().map(arm).collect();
    replicate(&arms, plan, &|_, _| {})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_read() {
        let axis: Axis = "a.b=1..4".parse().unwrap();
        assert_eq!((axis.path.as_str(), axis.values.join(" ").as_str()), ("a.b", "1 2 3 4"));
        assert_eq!("a=10..30/10".parse::<Axis>().unwrap().values, ["10", "20", "30"]);
        assert_eq!("a=x,y".parse::<Axis>().unwrap().values, ["x", "y"]);
        for wrong in ["a", "=1", "a=", "a=4..1", "a=1..x", "a=1..9/0", "a=x,,y", "a=0..9223372036854775807"] {
            assert!(wrong.parse::<Axis>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_last_axis_varies_fastest() {
        let grid = Grid { axes: vec!["a=1..2".parse().unwrap(), "b=x,y,z".parse().unwrap()] };
        assert_eq!(grid.len(), Some(6));
        let texts: Vec<String> =
            (0..6).map(|i| grid.point(i).into_iter().map(|(_, value)| value).collect::<String>()).collect();
        assert_eq!(texts, ["1x", "1y", "1z", "2x", "2y", "2z"]);
    }
}
