//! How many replicas a future load needs: the queueing model behind the clairvoyant plans.

use std::collections::BTreeMap;

use super::{Facts, StepLoad};
use crate::optimize::{OptimizeError, ServiceLoad};
use crate::units::SimDuration;

/// With fewer gaps their variation cannot be estimated.
const MIN_GAPS: u64 = 30;
/// Upper limit of the squared coefficient of variation of gaps. Burstier arrivals would make simultaneous requests look
/// far worse than they are.
const MAX_VARIATION: f64 = 20.0;

/// Replicas per step, and whether they suffice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// The smallest sufficient number in each step; 0 if there is no load.
    pub replicas: Vec<u32>,
    /// Whether some latency objective cannot be met even without waiting, and is ignored by the numbers.
    pub out_of_reach: bool,
}

/// The number of replicas that meets every latency objective at the mean load of each step ([`ServiceLoad`]). Without
/// an objective, or if an objective cannot be met, the smallest number for which the queue does not grow. `headroom` is
/// the share by which the load is increased.
///
/// Mean and variation of the service time, and the variation of gaps about the mean of their own step, are computed
/// over all steps; the work of a step is that of its own requests.
///
/// # Errors
/// If a load is outside the range of the queueing formulas.
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
        gaps: sum.gaps,
    });
    if total.demand <= 0.0 {
        return Ok(Needs { replicas: vec![0; loads.len()], out_of_reach: false });
    }
    let mean = total.demand / total.requests as f64;
    let scv = (total.squares / total.requests as f64 / (mean * mean) - 1.0).max(0.0);
    let gaps_scv = gaps_scv(loads);
    let service = SimDuration::from_secs_f64(mean).unwrap_or(SimDuration::MAX).max(SimDuration::from_nanos(1));
    let mut known: BTreeMap<i64, u32> = BTreeMap::new();
    let mut needs = Needs::default();
    for load in loads {
        if load.demand <= 0.0 {
            needs.replicas.push(0);
            continue;
        }
        // The rate of mean-sized requests with the same work, rounded up to a power of 1.01 so that few distinct values
        // need solving.
        let rate = load.demand / mean / step.as_secs_f64() * (1.0 + headroom);
        let place = (rate.ln() / 1.01_f64.ln()).ceil();
        let found = match known.get(&(place as i64)) {
            Some(found) => *found,
            None => {
                let of = ServiceLoad { rate: 1.01_f64.powf(place), service, scv, gaps_scv };
                let (found, reached) = enough(&of, facts)?;
                needs.out_of_reach |= !reached;
                known.insert(place as i64, found);
                found
            }
        };
        needs.replicas.push(found);
    }
    Ok(needs)
}

/// Squared coefficient of variation of the gaps between arrivals, each about the mean of its step; 1, as for a Poisson
/// process, if too few are known.
fn gaps_scv(loads: &[StepLoad]) -> f64 {
    let known = loads.iter().map(|load| load.gaps).filter(|(count, sum, _)| *count > 1 && *sum > 0.0);
    let (count, squares, even) = known.fold((0, 0.0, 0.0), |(count, squares, even), (gaps, sum, square)| {
        (count + gaps, squares + square, even + sum * sum / gaps as f64)
    });
    if count < MIN_GAPS || even <= 0.0 { 1.0 } else { (squares / even - 1.0).clamp(0.0, MAX_VARIATION) }
}

/// The smallest number of replicas that meets every objective that can be met, and whether those are all objectives.
fn enough(load: &ServiceLoad, facts: &Facts) -> Result<(u32, bool), OptimizeError> {
    let fleet = |replicas: u32| facts.station(replicas);
    let (mut most, mut all) = (load.required_replicas(&fleet, None)?, true);
    for objective in &facts.latency {
        match load.required_replicas(&fleet, Some(*objective)) {
            Ok(found) => most = most.max(found),
            Err(_) => all = false,
        }
    }
    Ok((most, all))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Power;
    use crate::units::Fraction;

    /// Requests that take exactly one second, in steps of a minute, for one-slot replicas.
    fn needs(latency: &[(u64, f64)], requests: &[u64]) -> Needs {
        let load = |n: &u64| StepLoad { requests: *n, demand: *n as f64, squares: *n as f64, ..StepLoad::default() };
        let latency = latency.iter().map(|(ms, share)| (SimDuration::from_millis(*ms), Fraction::new(*share).unwrap()));
        let latency = latency.collect();
        let facts = Facts { latency, ..Facts::default() };
        let loads: Vec<StepLoad> = requests.iter().map(load).collect();
        replicas_needed(&facts, &loads, SimDuration::from_secs(60), 0.0).unwrap()
    }

    #[test]
    fn an_objective_takes_more_than_the_mean_load() {
        // Offered loads of 0, 1.5 and 5.5 replicas.
        assert_eq!(needs(&[], &[0, 90, 330]).replicas, [0, 2, 6]);
        let kept = needs(&[(1_500, 0.99)], &[0, 90, 330]);
        assert!(kept.replicas[0] == 0 && kept.replicas[1] > 2 && kept.replicas[2] > 6, "{kept:?}");
        assert!(!kept.out_of_reach);
    }

    #[test]
    fn an_objective_out_of_reach_is_reported() {
        let short = needs(&[(900, 0.99)], &[90]);
        assert_eq!((short.replicas, short.out_of_reach), (vec![2], true));
    }

    #[test]
    fn the_largest_need_of_all_objectives_counts() {
        let (easy, hard) = ((20_000, 0.9), (1_500, 0.995));
        let [first, swapped] = [[easy, hard], [hard, easy]].map(|latency| needs(&latency, &[330]));
        assert_eq!(first, swapped);
        assert_eq!(first, needs(&[hard], &[330]));
        assert!(needs(&[easy], &[330]).replicas < first.replicas);
        // An objective that no fleet can meet does not affect the others.
        let one = needs(&[hard, (900, 0.99)], &[330]);
        assert_eq!((one.replicas, one.out_of_reach), (first.replicas, true));
    }

    #[test]
    fn replicas_count_for_what_they_do() {
        let of = |replicas: Vec<Power>| {
            let load = StepLoad { requests: 330, demand: 330.0, squares: 660.0, ..StepLoad::default() };
            let facts = Facts { replicas, ..Facts::default() };
            replicas_needed(&facts, &[load], SimDuration::from_secs(60), 0.0).unwrap().replicas[0]
        };
        let power = |full, speed| Power { full, speed, efficiency: 1.0 };
        // 5.5 replicas of work, with CPU for half a request, for one and a half, at half speed, and with a fast first
        // node.
        assert_eq!(of(vec![power(0.5, 1.0)]), 12);
        assert_eq!(of(vec![power(1.5, 1.0)]), 4);
        assert_eq!(of(vec![power(1.0, 0.5)]), 12);
        assert_eq!(of(vec![power(1.0, 2.0), power(1.0, 1.0)]), 5);
    }
}
