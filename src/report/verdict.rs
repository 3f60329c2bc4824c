//! The answer in words, computed once for every report.

use crate::engine::{Cause, ObjectiveRecord, RunRecord};
use crate::experiment::Outcome;
use crate::policy::Foresight;
use crate::report::causes::{share_text, tenths};
use crate::report::{standing, text};
use crate::units::Usd;

/// What the figures say: one sentence that answers "which policy?", and what qualifies it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The answer.
    pub answer: String,
    /// What else must be known to use it, most important first.
    pub details: Vec<String>,
}

/// Whether a run met every objective that judged at least one request; `None` if none did.
pub fn meets_objectives(run: &RunRecord) -> Option<bool> {
    let mut judged = objectives(run).peekable();
    judged.peek()?;
    Some(judged.all(|objective| objective.met()))
}

/// The objectives of a run that judged at least one request.
pub(super) fn objectives(run: &RunRecord) -> impl Iterator<Item = &crate::engine::ObjectiveRecord> {
    run.services.iter().flat_map(|service| &service.objectives).filter(|objective| objective.total > 0)
}

/// Whether a policy knew the trace.
pub(super) fn is_clairvoyant(run: &RunRecord) -> bool {
    run.foresight == Foresight::Clairvoyant
}

/// The verdict on an outcome. Policies that know the trace are never recommended, only named as a yardstick. With several
/// replications an objective counts as kept if the confidence interval of its attainment lies at or above the target.
pub fn verdict(outcome: &Outcome) -> Verdict {
    match &outcome.replicated {
        Some(result) if result.replications > 1 => standing::verdict(outcome, result),
        _ => of_one_run(outcome),
    }
}

fn of_one_run(outcome: &Outcome) -> Verdict {
    let mut real: Vec<&RunRecord> = outcome.runs.iter().filter(|run| !is_clairvoyant(run)).collect();
    real.sort_by_key(|run| run.cost);
    let meeting: Vec<&RunRecord> = real.iter().copied().filter(|run| meets_objectives(run) == Some(true)).collect();
    let mut details = Vec::new();
    let answer = match (real.first(), meeting.first()) {
        (None, _) if outcome.runs.is_empty() => "Nothing was run.".into(),
        (None, _) => "Only policies that know the trace were run: they are a yardstick, not a choice.".into(),
        (Some(cheapest), None) if meets_objectives(cheapest).is_none() => without_objectives(&real),
        (Some(_), None) => {
            details.extend(real.iter().filter_map(|run| missing(run, None)));
            none_meets(&real)
        }
        (Some(_), Some(best)) => {
            details.extend(real.iter().filter_map(|run| missing(run, Some(best))));
            best_meets(&meeting, real.len())
        }
    };
    details.extend(meeting.first().and_then(|best| above_bound(outcome, best)));
    let reference = meeting.first().or(real.first()).copied();
    details.extend(outcome.runs.iter().filter(|run| is_clairvoyant(run)).map(|run| bound(run, reference)));
    Verdict { answer, details }
}

fn without_objectives(real: &[&RunRecord]) -> String {
    let cheapest = real[0];
    let versus = real.get(1).map(|next| format!(", {}", saving(cheapest.cost, next))).unwrap_or_default();
    format!(
        "{} is the cheapest policy at {}{versus}. No objective judged a request, so only cost is compared.",
        cheapest.policy,
        text::dollars(cheapest.cost),
    )
}

fn best_meets(meeting: &[&RunRecord], runs: usize) -> String {
    let best = meeting[0];
    let cost = text::dollars(best.cost);
    match meeting.get(1) {
        Some(next) if next.cost == best.cost => {
            format!("{} and {} both meet every objective at the same cost, {cost}.", best.policy, next.policy)
        }
        Some(next) => format!(
            "{} is the cheapest policy that meets every objective: {cost}, {}, the next that does.",
            best.policy,
            saving(best.cost, next)
        ),
        None if runs == 1 => format!("{} meets every objective and costs {cost}.", best.policy),
        None => format!("{} is the only policy that meets every objective; it costs {cost}.", best.policy),
    }
}

fn none_meets(real: &[&RunRecord]) -> String {
    let missed = |run: &RunRecord| objectives(run).filter(|objective| !objective.met()).count();
    let worst_budget = |run: &RunRecord| objectives(run).map(|o| o.budget_used()).fold(0.0, f64::max);
    let closest = real.iter().min_by(|a, b| {
        let by_budget = worst_budget(a).total_cmp(&worst_budget(b));
        missed(a).cmp(&missed(b)).then(by_budget).then(a.cost.cmp(&b.cost))
    });
    let described = closest.map(|run| format!("{} ({})", run.policy, misses(run))).unwrap_or_default();
    match real.len() {
        1 => format!("{} does not meet every objective: it {}.", real[0].policy, misses(real[0])),
        _ => format!("No policy meets every objective. Closest is {described}."),
    }
}

/// What a run misses and why, beside the cost of the best; `None` if it misses nothing.
fn missing(run: &RunRecord, best: Option<&RunRecord>) -> Option<String> {
    let worst = objectives(run).filter(|objective| !objective.met());
    let worst = worst.max_by(|a, b| a.budget_used().total_cmp(&b.budget_used()))?;
    let (name, cost, misses) = (&run.policy, text::dollars(run.cost), misses(run));
    let beginning = match best {
        Some(best) if run.cost < best.cost => format!("{name} costs less ({cost}) but {misses}"),
        Some(best) if run.cost > best.cost => format!("{name} costs more ({cost}) and {misses}"),
        Some(_) => format!("{name} costs the same and {misses}"),
        None => format!("{name} ({cost}) {misses}"),
    };
    Some(format!("{beginning}{}.", reasons(worst)))
}

/// The causes that account for a tenth or more of an objective's bad requests, the greatest first; two at most.
fn reasons(objective: &ObjectiveRecord) -> String {
    let Some(shares) = tenths(&objective.causes) else { return String::new() };
    let mut causes: Vec<Cause> = Cause::ALL.into_iter().filter(|cause| shares[*cause as usize] >= 100).collect();
    causes.sort_by_key(|cause| std::cmp::Reverse(shares[*cause as usize]));
    let told = causes.iter().take(2);
    let told = told.filter_map(|cause| Some(format!("{} ({})", cause.words(), share_text(&objective.causes, *cause)?)));
    match told.collect::<Vec<_>>().as_slice() {
        [] => String::new(),
        told => format!("; causes of bad requests: {}", told.join(", ")),
    }
}

/// How far above the lower bound a run lies that keeps the objectives, on the requests for which the bound was worked out.
pub(super) fn above_bound(outcome: &Outcome, run: &RunRecord) -> Option<String> {
    let bound = outcome.bound.as_ref().filter(|bound| bound.cost > Usd::ZERO)?;
    let (ratio, least) = (run.cost.as_f64() / bound.cost.as_f64(), text::dollars(bound.cost));
    let distance = match ratio {
        ratio if ratio >= 2.0 => format!("{} times the lower bound of {least}", text::number(ratio, 1)),
        // Round-off may take it below by a millionth (I9).
        ratio => format!("{} above the lower bound of {least}", text::percent((ratio - 1.0).max(0.0))),
    };
    Some(format!("{} costs {distance}, below which no policy keeps “{}”.", run.policy, bound.objective))
}

/// What a run misses, in words.
fn misses(run: &RunRecord) -> String {
    let missed: Vec<String> = objectives(run)
        .filter(|objective| !objective.met())
        .map(|objective| format!("“{}” ({} attained)", objective.text, text::attainment(objective.attainment())))
        .collect();
    if missed.is_empty() { "is not judged by any objective".into() } else { format!("misses {}", missed.join(" and ")) }
}

fn bound(run: &RunRecord, reference: Option<&RunRecord>) -> String {
    let standing = match meets_objectives(run) {
        Some(true) | None => String::new(),
        Some(false) => format!(" and {}", misses(run)),
    };
    let distance = reference.and_then(|reference| relative(run.cost, reference.cost).map(|share| (reference, share)));
    let versus = match distance {
        Some((reference, share)) if share < 0.0 => {
            format!(", {} less than {}", text::percent(-share), reference.policy)
        }
        Some((reference, share)) if share > 0.0 => format!(", {} more than {}", text::percent(share), reference.policy),
        Some((reference, _)) => format!(", as much as {}", reference.policy),
        None => String::new(),
    };
    format!(
        "{} is clairvoyant: it knows the trace and could not be run in production. It costs {}{versus}{standing}.",
        run.policy,
        text::dollars(run.cost)
    )
}

/// "18.3% less than NAME ($50.40)".
fn saving(cost: Usd, next: &RunRecord) -> String {
    match relative(cost, next.cost) {
        Some(share) if share < 0.0 => {
            format!("{} less than {} ({})", text::percent(-share), next.policy, text::dollars(next.cost))
        }
        _ => format!("as much as {} ({})", next.policy, text::dollars(next.cost)),
    }
}

/// `cost / base - 1`; `None` if the base is free.
fn relative(cost: Usd, base: Usd) -> Option<f64> {
    (base != Usd::ZERO).then(|| (cost - base).as_f64() / base.as_f64())
}
