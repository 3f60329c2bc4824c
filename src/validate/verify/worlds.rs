//! Scenarios with exact results: how much traffic M/M/c bears, and what counts at the end of a run.

use rayon::prelude::*;

use super::judge::{LEVEL, Verdict, VerifyRow, judge_seeds, row};
use crate::config::Diagnostics;
use crate::engine::RunError;
use crate::experiment::{Edge, Limit, ReplicationPlan, Watch, capacity};
use crate::queueing::mmc_most_offered;
use crate::scenario::Scenario;
use crate::stats::ConfidenceInterval;

/// A scenario with exact figures.
pub(super) struct World {
    pub name: String,
    /// The scenario without its seed.
    text: String,
    exact: Exact,
}

enum Exact {
    /// The rate at which the objective is just kept, and the stated rate.
    Limit { exact: f64, stated: f64 },
    /// Good requests, requests that count, and overdue ones among them.
    Objective([f64; 3]),
}

/// Slots, requests per second, limit in seconds and share of the requests that may take longer. The mean service time is
/// a second.
const LIMITS: [(u32, f64, f64, f64); 7] = [
    (10, 5.0, 4.0, 0.05),
    (10, 5.0, 3.0, 0.05),
    (10, 5.0, 6.0, 0.01),
    (1, 0.5, 8.0, 0.05),
    (2, 1.0, 5.0, 0.05),
    (4, 3.0, 4.0, 0.1),
    (20, 8.0, 5.0, 0.02),
];
/// Replications of a search for a limit, and of a scenario that is only run.
const OF_LIMITS: u64 = 10;
const OF_RUNS: u64 = 32;

/// Every scenario.
pub(super) fn worlds() -> Vec<World> {
    let mut all: Vec<World> = LIMITS.into_iter().map(limit).collect();
    all.extend([unanswered(), overloaded()]);
    all
}

fn limit((slots, stated, within, allowed): (u32, f64, f64, f64)) -> World {
    let target = 100.0 * (1.0 - allowed);
    World {
        name: format!("traffic limit of M/M/{slots}, {target}% within {within}"),
        text: format!(
            "duration: 2h\nwarm-up: 10m\ninterval: 10m\nworkload: {{ poisson: {stated}/s }}\n\
             service: {{ replicas: 1, concurrency: {slots}, service-time: {{ exponential: {{ mean: 1s }} }}, queue-limit: 1000000 }}\n\
             objectives: [ {{ latency: {{ within: {within}s, target: {target}% }} }} ]\n\
             policies: {{ one: {{ static: {{ replicas: 1 }} }} }}\n"
        ),
        exact: Exact::Limit { exact: mmc_most_offered(slots, within, allowed), stated },
    }
}

/// M/M/infinity with services of the mean m, cut off at T. Of a request that came the age a before the end, P(answered) is
/// 1 - exp(-a / m). It counts if a exceeds the limit L or it is answered.
fn unanswered() -> World {
    let (rate, end, mean, limit): (f64, f64, f64, f64) = (50.0, 600.0, 120.0, 150.0);
    let kept = 1.0 - (-limit / mean).exp();
    let young = limit - mean * kept;
    World {
        name: "M/M/infinity, cut off after 5 mean services".into(),
        text: format!(
            "duration: {end}s\ninterval: 1m\nworkload: {{ poisson: {rate}/s }}\n\
             service: {{ replicas: 1, concurrency: 1000000, service-time: {{ exponential: {{ mean: {mean}s }} }} }}\n\
             objectives: [ {{ latency: {{ within: {limit}s, target: 50% }} }} ]\n\
             policies: {{ one: {{ static: {{ replicas: 1 }} }} }}\n"
        ),
        exact: Exact::Objective([
            rate * ((end - limit) * kept + young),
            rate * (end - limit + young),
            rate * mean * ((-limit / mean).exp() - (-end / mean).exp()),
        ]),
    }
}

/// D/D/1 at twice its capacity: request n, from 0 on, comes at n / 2, is answered at 0.99 (n + 1) and takes 0.49 n + 0.99 s.
/// Up to n = 29 that is within 15.3 s; those up to n = 1169 come more than 15.3 s before the end at 600 s, and 606 of them
/// are answered by then.
fn overloaded() -> World {
    World {
        name: "D/D/1 at load 1.98, cut off".into(),
        text: "duration: 10m\ninterval: 1m\nworkload: { constant: 2/s }\n\
               service: { replicas: 1, concurrency: 1, service-time: 990ms, queue-limit: 1000000 }\n\
               objectives: [ { latency: { within: 15.3s, target: 50% } } ]\n\
               policies: { one: { static: { replicas: 1 } } }\n"
            .into(),
        exact: Exact::Objective([30.0, 1170.0, 564.0]),
    }
}

impl World {
    /// Compares its figures with the exact ones.
    ///
    /// # Errors
    /// Those of a run.
    pub(super) fn judge(&self) -> Result<Vec<VerifyRow>, RunError> {
        judge_seeds(|seed| {
            let mut found = Diagnostics::new();
            let read = Scenario::read_text(&format!("seed: {seed}\n{}", self.text), &mut found);
            let scenario = read.unwrap_or_else(|| panic!("{}: {found}", self.name));
            match self.exact {
                Exact::Limit { exact, stated } => Ok(vec![self.limit_row(&scenario, exact, stated)?]),
                Exact::Objective(exact) => self.objective_rows(&scenario, exact),
            }
        })
    }

    fn limit_row(&self, scenario: &Scenario, exact: f64, stated: f64) -> Result<VerifyRow, RunError> {
        let plan = ReplicationPlan { replications: OF_LIMITS, level: LEVEL, ..ReplicationPlan::default() };
        let limits = capacity(scenario, &plan, &Watch::nobody())?;
        let at = |edge: fn(&Limit) -> Edge| {
            limits.first().map_or(f64::NAN, |limit| match edge(limit) {
                Edge::Below => 0.0,
                Edge::At(factor) => factor * stated,
                Edge::Beyond => f64::INFINITY,
            })
        };
        let (low, high) = (at(|limit| limit.low), at(|limit| limit.high));
        let half_width = (high - low) / 2.0;
        let interval = ConfidenceInterval { mean: low + half_width, half_width, level: LEVEL, replications: OF_LIMITS };
        let verdict = if low <= exact && exact <= high { Verdict::Covered } else { Verdict::Missed };
        Ok(VerifyRow {
            case: self.name.clone(),
            metric: "requests per second".into(),
            expected: exact,
            observed: at(|limit| limit.factor),
            interval,
            verdict,
            score: interval.normal_score(exact),
        })
    }

    fn objective_rows(&self, scenario: &Scenario, exact: [f64; 3]) -> Result<Vec<VerifyRow>, RunError> {
        let one = |number| {
            let record = scenario.simulation(0, number)?.run(&mut |_| ())?;
            let objective = &record.services[0].objectives[0];
            Ok([objective.good, objective.total, objective.overdue].map(|count| count as f64))
        };
        let runs: Vec<[f64; 3]> = (0..OF_RUNS).into_par_iter().map(one).collect::<Result<_, RunError>>()?;
        let names = ["good requests", "requests that count", "overdue requests"];
        let of = |(figure, name): (usize, &str)| {
            let values: Vec<f64> = runs.iter().map(|run| run[figure]).collect();
            row(&self.name, name, exact[figure], &values)
        };
        Ok(names.into_iter().enumerate().map(of).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_at_the_end_of_a_run_is_exact() {
        for world in [unanswered(), overloaded()] {
            for row in world.judge().unwrap() {
                assert!(row.verdict.is_good(), "{row:?}");
            }
        }
        // A rule that leaves out all unanswered requests would give another share.
        let Exact::Objective([good, judged, overdue]) = unanswered().exact else { panic!() };
        assert!(good / (judged - overdue) - good / judged > 0.05, "{good} {judged} {overdue}");
    }

    #[test]
    fn the_limit_of_one_station_is_found() {
        let rows = limit(LIMITS[3]).judge().unwrap();
        assert!(rows.iter().all(|row| row.verdict.is_good()), "{rows:?}");
        assert!((rows[0].expected - (1.0 - 20f64.ln() / 8.0)).abs() < 1e-6, "{rows:?}");
    }
}
