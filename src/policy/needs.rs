//! How many replicas a load to come takes: the queueing model behind the clairvoyant plans.

use std::collections::BTreeMap;

use super::{Facts, StepLoad};
use crate::optimize::{OptimizeError, ServiceLoad};
use crate::units::{Fraction, SimDuration};

/// Replicas by step, and what they are enough for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// The least number in each step; none where nothing is to be done.
    pub replicas: Vec<u32>,
    /// Whether the latency objective is out of reach even without any wait, so that the numbers only keep queues from growing.
    pub out_of_reach: bool,
}

/// The replicas that keep the latency objective at the mean load of each step ([`ServiceLoad`]) or, without an objective and
/// where it is out of reach, the fewest whose queue does not grow. `headroom` is the share by which the load is taken larger.
///
/// Mean and variation of the service time are those of all steps; the work of a step is that of its own requests.
///
/// # Errors
/// If a load is beyond what the queueing formulas can be asked for.
pub fn replicas_needed(
    facts: &Facts,
    loads: &[StepLoad],
    step: SimDuration,
    headroom: f64,
) -> Result<Needs, OptimizeError> {
    let total = loads.iter().fold(StepLoad::default(), |sum, load| StepLoad {
        requests: sum.requests + load.requests,
        demand: sum.demand + load.demand,
        squares: sum.squares + load.squares,
    });
    if total.demand <= 0.0 {
        return Ok(Needs { replicas: vec![0; loads.len()], out_of_reach: false });
    }
    let mean = total.demand / total.requests as f64;
    let scv = (total.squares / total.requests as f64 / (mean * mean) - 1.0).max(0.0);
    let service = SimDuration::from_secs_f64(mean).unwrap_or(SimDuration::MAX).max(SimDuration::from_nanos(1));
    let mut known: BTreeMap<i64, u32> = BTreeMap::new();
    let mut needs = Needs::default();
    for load in loads {
        if load.demand <= 0.0 {
            needs.replicas.push(0);
            continue;
        }
        // Requests of mean demand that make the same work, rounded up to a power of 1.01: few values to work out.
        let rate = load.demand / mean / step.as_secs_f64() * (1.0 + headroom);
        let place = (rate.ln() / 1.01_f64.ln()).ceil();
        let found = match known.get(&(place as i64)) {
            Some(found) => *found,
            None => {
                let of = ServiceLoad { rate: 1.01_f64.powf(place), service, scv, concurrency: facts.slots };
                let (found, reached) = enough(&of, facts.latency)?;
                needs.out_of_reach |= !reached;
                known.insert(place as i64, found);
                found
            }
        };
        needs.replicas.push(found);
    }
    Ok(needs)
}

/// The fewest replicas, and whether they keep the objective.
fn enough(load: &ServiceLoad, objective: Option<(SimDuration, Fraction)>) -> Result<(u32, bool), OptimizeError> {
    if let Some((within, target)) = objective
        && let Ok(found) = load.required_replicas(Some(within), target)
    {
        return Ok((found, true));
    }
    Ok((load.required_replicas(None, Fraction::default())?, objective.is_none()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Requests that take exactly a second in minutes of one-slot replicas.
    fn needs(latency: Option<(u64, f64)>, requests: &[u64]) -> Needs {
        let load = |n: &u64| StepLoad { requests: *n, demand: *n as f64, squares: *n as f64 };
        let latency = latency.map(|(ms, share)| (SimDuration::from_millis(ms), Fraction::new(share).unwrap()));
        let facts = Facts { latency, ..Facts::default() };
        let loads: Vec<StepLoad> = requests.iter().map(load).collect();
        replicas_needed(&facts, &loads, SimDuration::from_secs(60), 0.0).unwrap()
    }

    #[test]
    fn an_objective_takes_more_than_the_mean_load() {
        // Offered loads of 0, 1.5 and 5.5 replicas.
        assert_eq!(needs(None, &[0, 90, 330]).replicas, [0, 2, 6]);
        let kept = needs(Some((1_500, 0.99)), &[0, 90, 330]);
        assert!(kept.replicas[0] == 0 && kept.replicas[1] > 2 && kept.replicas[2] > 6, "{kept:?}");
        assert!(!kept.out_of_reach);
    }

    #[test]
    fn an_objective_out_of_reach_is_said_to_be() {
        let short = needs(Some((900, 0.99)), &[90]);
        assert_eq!((short.replicas, short.out_of_reach), (vec![2], true));
    }
}
