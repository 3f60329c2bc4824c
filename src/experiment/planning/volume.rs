//! How much a search will simulate, before it begins: rough numbers for people who wait.

use super::plan::KEPT;
use crate::experiment::replicate::ReplicationPlan;
use crate::random::Streams;
use crate::scenario::Scenario;
use crate::workload::arrivals_per_step;

/// Headrooms that the search for one policy usually tries: three or four to enclose the least one, then a bisection.
const HEADROOMS: u64 = 8;
/// Scales of the traffic that the search for one objective usually tries, the ends of its interval included.
const SCALES: u64 = 16;

/// Requests of one run of a scenario; `None` if its clients wait for answers, so that only a run tells, or if a trace cannot
/// be read.
pub fn requests_per_run(scenario: &Scenario) -> Option<u64> {
    let of = |number: usize| {
        let workload = &scenario.services[number].workload;
        if scenario.depends_on_answers(number).is_some() {
            return None;
        }
        let mut source = workload.open(Streams::new(scenario.seed, 0), number as u64).ok()?;
        let counts = arrivals_per_step(source.as_mut(), scenario.interval, Some(scenario.duration)).ok()?;
        Some(counts.iter().sum::<u64>())
    };
    (0..scenario.services.len()).map(of).sum()
}

/// About how many runs [`super::plan::plan_search`] takes for so many candidates (policies at points).
pub fn runs_of_plan(candidates: usize, plan: &ReplicationPlan) -> u64 {
    let (mut open, mut replications, mut runs) = (candidates, 1, 0);
    loop {
        runs += open as u64 * HEADROOMS * replications;
        if replications >= plan.replications {
            return runs;
        }
        open = open.div_ceil(2).max(KEPT).min(open);
        replications = if open <= KEPT { plan.replications } else { (replications * 2).min(plan.replications) };
    }
}

/// About how many runs [`super::level::tune`] takes.
pub fn runs_of_tuning(scenario: &Scenario, plan: &ReplicationPlan) -> u64 {
    scenario.policies.len() as u64 * HEADROOMS * plan.replications
}

/// About how many runs [`crate::experiment::capacity`] takes.
pub fn runs_of_capacity(scenario: &Scenario, plan: &ReplicationPlan) -> u64 {
    let searches = scenario.policies.len() * scenario.services.len() * scenario.objectives.len();
    searches as u64 * SCALES * plan.replications
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_candidates_are_tried_once_briefly_and_then_in_full() {
        let plan = ReplicationPlan { replications: 10, ..ReplicationPlan::default() };
        assert_eq!(runs_of_plan(2, &plan), 2 * 8 + 2 * 8 * 10);
        // 12 with one replication, 6 with two, 3 with ten.
        assert_eq!(runs_of_plan(12, &plan), 12 * 8 + 6 * 8 * 2 + 3 * 8 * 10);
        assert_eq!(runs_of_plan(2, &ReplicationPlan { replications: 1, ..plan }), 16);
    }
}
