//! From what was found to what is printed.

use super::RESULTS_VERSION;
use super::types::*;
use crate::experiment::{
    Better, Difference, Edge, Limit, Planned, Points, Provision, Replicated, SameLevel, Tuned, differences,
    family_differences,
};
use crate::report::answers::comparison::{notes, unit_name, verdict_text};
use crate::report::policy_tests::Tested;
use crate::scenario::Scenario;
use crate::stats::ConfidenceInterval;

fn interval(of: &ConfidenceInterval) -> IntervalResult {
    IntervalResult { mean: of.mean, low: of.low(), high: of.high() }
}

/// Every figure of one arm.
fn figures(result: &Replicated, arm: usize, found: &[Difference]) -> Vec<FigureResult> {
    let samples = &result.arms[arm];
    let of = |(index, figure): (usize, &crate::experiment::Figure)| {
        let difference = found.iter().find(|d| d.arm == arm && d.figure == index);
        FigureResult {
            figure: figure.name.clone(),
            unit: unit_name(figure.quantity.unit()).into(),
            mean: samples.mean(index),
            interval: samples.interval(index, result.level).as_ref().map(interval),
            difference: difference.map(|d| interval(&d.absolute)),
            relative: difference.and_then(|d| d.relative.as_ref().map(interval)),
            adjusted_p: difference.map(|d| d.adjusted_p),
            verdict: difference.map(|d| verdict_text(d, figure)),
            better: difference.and_then(|d| d.is_better(figure.quantity.better())),
            direction: match figure.quantity.better() {
                Better::Lower => "lower is better",
                Better::Higher => "higher is better",
                Better::Neither => "neither",
            }
            .into(),
        }
    };
    result.figures.iter().enumerate().map(of).collect()
}

/// `plimsoll compare`
pub fn compare_results(result: &Replicated, base: usize, level: Option<&SameLevel>) -> Results {
    Results::Compare(compared(result, base, level))
}

/// Policies beside each other.
pub(super) fn compared(result: &Replicated, base: usize, level: Option<&SameLevel>) -> CompareResults {
    let found = differences(result, base);
    let arm = |arm: usize| ArmResult {
        policy: result.arms[arm].label.clone(),
        clairvoyant: result.arms[arm].clairvoyant,
        figures: figures(result, arm, &found),
    };
    let same_level = |level: &SameLevel| level.tuned.iter().map(|tuned| level_of(tuned, level.priced)).collect();
    CompareResults {
        version: RESULTS_VERSION,
        base: result.arms.get(base).map(|arm| arm.label.clone()),
        replications: result.replications,
        level_share: result.level,
        precise: result.precise,
        recorded_trace: result.recorded,
        same_level: level.map(same_level).unwrap_or_default(),
        policies: (0..result.arms.len()).map(arm).collect(),
        notes: notes(result),
    }
}

fn level_of(tuned: &Tuned, priced: bool) -> LevelResult {
    let best = tuned.best();
    let met = tuned.chosen.is_some();
    let cost = best.filter(|_| met).map(|trial| trial.cost());
    LevelResult {
        policy: tuned.policy.clone(),
        headroom: best.filter(|_| met).map(|trial| trial.headroom),
        meets_objectives: met,
        cost_usd: cost.filter(|_| priced),
        replica_hours: cost.filter(|_| !priced),
        replicas_most: best.map(|trial| trial.most_ready),
        attained_share: best
            .map_or_else(Vec::new, |trial| (0..trial.attained.len()).map(|index| trial.attainment(index)).collect()),
    }
}

/// `plimsoll whatif`
pub fn whatif_results(policies: &[(String, Replicated)]) -> Results {
    let results: Vec<&Replicated> = policies.iter().map(|(_, result)| result).collect();
    let of = |((policy, result), found): (&(String, Replicated), Vec<Difference>)| VariedPolicyResult {
        policy: policy.clone(),
        variations: (0..result.arms.len())
            .map(|arm| VariationResult {
                variation: result.arms[arm].label.clone(),
                figures: figures(result, arm, &found),
            })
            .collect(),
    };
    let first = results.first();
    Results::Whatif(WhatifResults {
        version: RESULTS_VERSION,
        replications: first.map_or(0, |result| result.replications),
        level_share: first.map_or(0.0, |result| result.level),
        policies: policies.iter().zip(family_differences(&results)).map(of).collect(),
        notes: first.map(|result| notes(result)).unwrap_or_default(),
    })
}

/// `plimsoll capacity`; `notes` are those of its table.
pub fn capacity_results(limits: &[Limit], level: f64, notes: Vec<String>) -> Results {
    let of = |limit: &Limit| LimitResult {
        policy: limit.policy.clone(),
        service: limit.service.clone(),
        objective: limit.objective.clone(),
        target_share: limit.target,
        factor: limit.factor.at(),
        factor_low: limit.low.at(),
        factor_high: limit.high.at(),
        side: match limit.factor {
            Edge::Below => "below",
            Edge::At(_) => "within",
            Edge::Beyond => "beyond",
        }
        .into(),
        requests_per_s: limit.rate(),
        base_requests_per_s: limit.base_rate,
        bottlenecks: limit
            .bottlenecks
            .iter()
            .map(|(what, share)| BottleneckResult { what: what.words().into(), share: *share })
            .collect(),
    };
    Results::Capacity(CapacityResults {
        version: RESULTS_VERSION,
        replications: limits.first().map_or(0, |limit| limit.replications),
        level_share: level,
        limits: limits.iter().map(of).collect(),
        notes,
    })
}

/// `plimsoll plan`, without the edit of manifests; `why_not` are the last cells of its table, `notes` what stands below it.
pub fn plan_results(
    scenario: &Scenario,
    planned: &Planned,
    points: &Points,
    (answer, why_not, notes): (String, Vec<String>, Vec<String>),
) -> PlanResults {
    let priced = scenario.is_priced();
    let of = |(index, candidate): (usize, &crate::experiment::Candidate)| {
        let winner = index == 0 && planned.is_met;
        let set = points.set(candidate.point).into_iter().map(|(path, value)| SetResult { path, value });
        CandidateResult {
            set: set.collect(),
            level: level_of(&candidate.tuned, priced),
            replications: candidate.replications,
            winner_there: candidate.beside,
            winner,
            why_not: why_not.get(index).filter(|_| !winner).cloned(),
        }
    };
    PlanResults {
        version: RESULTS_VERSION,
        met: planned.is_met,
        answer,
        candidates: planned.candidates.iter().enumerate().map(of).collect(),
        refused: Vec::new(),
        diff: String::new(),
        kubectl: Vec::new(),
        notes,
    }
}

/// `plimsoll test`
pub fn test_results(tested: &[Tested]) -> Results {
    let file = |one: &Tested| FileResult {
        name: one.name.clone(),
        path: one.path.clone(),
        story: one.is_story,
        basis: one.basis.clone(),
        cases: one
            .cases
            .iter()
            .map(|case| CaseResult {
                expected: case.name.clone(),
                line: case.line,
                passed: case.passed,
                certain: case.certain,
                found: case.measured.and_then(|(found, ..)| found),
                limit: case.measured.and_then(|(_, limit, _)| limit),
                unit: case.measured.map(|(.., unit)| unit_name(unit).into()),
                found_text: case.found.clone(),
                limit_text: case.limit.clone(),
            })
            .collect(),
        baseline: one.baseline.as_ref().map(|held| held.path.clone()),
        changes: one.baseline.iter().flat_map(|held| &held.changes).map(change).collect(),
    };
    let all = || tested.iter().flat_map(|one| &one.cases);
    Results::Test(TestResults {
        version: RESULTS_VERSION,
        passed: all().filter(|case| case.passed).count(),
        failed: all().filter(|case| !case.passed).count(),
        files: tested.iter().map(file).collect(),
    })
}

fn change(change: &crate::experiment::Change) -> ChangeResult {
    ChangeResult {
        policy: change.policy.clone(),
        figure: change.figure.clone(),
        unit: unit_name(change.unit).into(),
        before: change.before,
        after: change.after,
    }
}

/// `plimsoll optimize provision`; `notes` are those of its table.
pub fn provision_results(plans: &[Provision], notes: Vec<String>) -> Results {
    let of = |plan: &Provision| ProvisionPlanResult {
        services: plan.needs.iter().map(|needs| needs.service.clone()).collect(),
        cost_usd: plan.plan.cost,
        relaxed_cost_usd: plan.relaxed,
        fixed_cost_usd: plan.fixed,
        proven: plan.plan.proven,
        offers: plan.offers.iter().enumerate().map(|(offer, name)| offer_of(plan, offer, name)).collect(),
    };
    Results::OptimizeProvision(ProvisionResults {
        version: RESULTS_VERSION,
        interval_s: plans.first().map_or(0.0, |plan| plan.interval.as_secs_f64()),
        plans: plans.iter().map(of).collect(),
        notes,
    })
}

fn offer_of(plan: &Provision, offer: usize, name: &str) -> OfferResult {
    let intervals = plan.intervals().max(1) as f64;
    let running = || (0..plan.intervals()).map(|interval| plan.running(offer, interval));
    OfferResult {
        offer: name.to_string(),
        running_most: running().fold(0.0, f64::max),
        running_mean: running().sum::<f64>() / intervals,
        committed: plan.plan.reserved[offer],
        spot_mean: (0..plan.intervals()).map(|interval| plan.spot(offer, interval)).sum::<f64>() / intervals,
        starts: plan.plan.starts[offer].iter().sum(),
        ready_after_s: plan.leads[offer].as_secs_f64(),
    }
}
