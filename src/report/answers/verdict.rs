//! The answer in words, computed once for every report.

use std::cmp::Ordering;

use super::standing;
use crate::engine::{Cause, ObjectiveRecord, RunRecord};
use crate::experiment::Outcome;
use crate::policy::Foresight;
use crate::report::printing::causes::{cause_words, share_text, tenths};
use crate::report::printing::expense::{NO_PRICE, Ranking, is_priced, shown};
use crate::report::printing::text;
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
pub(crate) fn objectives(run: &RunRecord) -> impl Iterator<Item = &crate::engine::ObjectiveRecord> {
    run.services.iter().flat_map(|service| &service.objectives).filter(|objective| objective.total > 0)
}

/// Whether a policy knew the trace.
pub(crate) fn is_clairvoyant(run: &RunRecord) -> bool {
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

/// The policy that the answer names, among the outcome's runs: the cheapest of those that could be run and meet every objective, or the
/// cheapest where nothing was judged. `None` where none meets them.
pub(crate) fn winner(outcome: &Outcome) -> Option<usize> {
    if let Some(result) = outcome.replicated.as_ref().filter(|result| result.replications > 1) {
        let label = standing::winner(outcome, result)?;
        return outcome.runs.iter().position(|run| run.policy == label);
    }
    let real = || (0..outcome.runs.len()).filter(|index| !is_clairvoyant(&outcome.runs[*index]));
    let judged = real().any(|index| meets_objectives(&outcome.runs[index]).is_some());
    let fit = real().filter(|index| !judged || meets_objectives(&outcome.runs[*index]) == Some(true));
    fit.min_by(|a, b| outcome.runs[*a].expense().total_cmp(&outcome.runs[*b].expense()))
}

fn of_one_run(outcome: &Outcome) -> Verdict {
    let mut real: Vec<&RunRecord> = outcome.runs.iter().filter(|run| !is_clairvoyant(run)).collect();
    real.sort_by(|a, b| a.expense().total_cmp(&b.expense()));
    let words = Ranking::for_outcome(outcome);
    let meeting: Vec<&RunRecord> = real.iter().copied().filter(|run| meets_objectives(run) == Some(true)).collect();
    let mut details = Vec::new();
    let answer = match (real.first(), meeting.first()) {
        (None, _) if outcome.runs.is_empty() => "Nothing was run.".into(),
        (None, _) => "Only policies that know the trace were run: they are a yardstick, not a choice.".into(),
        (Some(cheapest), None) if meets_objectives(cheapest).is_none() => without_objectives(words, &real),
        (Some(_), None) => {
            details.extend(real.iter().filter_map(|run| missing(words, run, None)));
            none_meets(&real)
        }
        (Some(_), Some(best)) => {
            details.extend(real.iter().filter_map(|run| missing(words, run, Some(best))));
            best_meets(words, &meeting, real.len())
        }
    };
    details.extend(meeting.first().and_then(|best| above_bound(outcome, best)));
    let reference = meeting.first().or(real.first()).copied();
    let knowing = outcome.runs.iter().filter(|run| is_clairvoyant(run));
    details.extend(knowing.map(|run| bound(words, run, reference)));
    details.extend((!is_priced(outcome)).then(|| NO_PRICE.to_string()));
    Verdict { answer, details }
}

fn without_objectives(words: Ranking, real: &[&RunRecord]) -> String {
    let first = real[0];
    let versus = real.get(1).map(|next| format!(", {}", saving(words, first, next))).unwrap_or_default();
    let (name, expense) = (&first.policy, shown(first.expense()));
    match first.cost {
        Some(_) => format!(
            "{name} is the cheapest policy at {expense}{versus}. No objective judged a request, so only cost is compared."
        ),
        None => format!(
            "{name} takes the fewest replica-hours, {expense}{versus}. No objective judged a request, so only replica-hours are \
             compared."
        ),
    }
}

fn best_meets(words: Ranking, meeting: &[&RunRecord], runs: usize) -> String {
    let best = meeting[0];
    let (name, expense, verb) = (&best.policy, shown(best.expense()), words.verb);
    let same = |next: &RunRecord| next.expense().total_cmp(&best.expense()).is_eq();
    match meeting.get(1) {
        Some(next) if same(next) => match best.cost {
            Some(_) => format!("{name} and {} both meet every objective at the same cost, {expense}.", next.policy),
            None => format!("{name} and {} both meet every objective in as many hours: {expense}.", next.policy),
        },
        Some(next) => {
            let saved = saving(words, best, next);
            match best.cost {
                Some(_) => format!(
                    "{name} is the cheapest policy that meets every objective: {expense}, {saved}, the next that does."
                ),
                None => format!(
                    "{name} takes the fewest replica-hours of the policies that meet every objective: {expense}, {saved}, the next \
                     that does."
                ),
            }
        }
        None if runs == 1 => format!("{name} meets every objective and {verb} {expense}."),
        None => format!("{name} is the only policy that meets every objective; it {verb} {expense}."),
    }
}

fn none_meets(real: &[&RunRecord]) -> String {
    let missed = |run: &RunRecord| objectives(run).filter(|objective| !objective.met()).count();
    let worst_budget = |run: &RunRecord| objectives(run).map(|o| o.budget_used()).fold(0.0, f64::max);
    let closest = real.iter().min_by(|a, b| {
        let by_budget = worst_budget(a).total_cmp(&worst_budget(b));
        missed(a).cmp(&missed(b)).then(by_budget).then(a.expense().total_cmp(&b.expense()))
    });
    let described = closest.map(|run| format!("{} ({})", run.policy, misses(run))).unwrap_or_default();
    match real.len() {
        1 => format!("{} does not meet every objective: it {}.", real[0].policy, misses(real[0])),
        _ => format!("No policy meets every objective. Closest is {described}."),
    }
}

/// What a run misses and why, beside the cost of the best; `None` if it misses nothing.
fn missing(words: Ranking, run: &RunRecord, best: Option<&RunRecord>) -> Option<String> {
    let worst = objectives(run).filter(|objective| !objective.met());
    let worst = worst.max_by(|a, b| a.budget_used().total_cmp(&b.budget_used()))?;
    let (name, expense, misses) = (&run.policy, shown(run.expense()), misses(run));
    let (verb, less) = (words.verb, words.less);
    let beginning = match best.map(|best| run.expense().total_cmp(&best.expense())) {
        Some(Ordering::Less) => format!("{name} {verb} {less} ({expense}) but {misses}"),
        Some(Ordering::Greater) => format!("{name} {verb} more ({expense}) and {misses}"),
        Some(Ordering::Equal) => format!("{name} {verb} the same and {misses}"),
        None => format!("{name} ({expense}) {misses}"),
    };
    Some(format!("{beginning}{}.", reasons(worst)))
}

/// The causes that account for a tenth or more of an objective's bad requests, the greatest first; two at most.
fn reasons(objective: &ObjectiveRecord) -> String {
    let Some(shares) = tenths(&objective.causes) else { return String::new() };
    let mut causes: Vec<Cause> = Cause::ALL.into_iter().filter(|cause| shares[*cause as usize] >= 100).collect();
    causes.sort_by_key(|cause| std::cmp::Reverse(shares[*cause as usize]));
    let told = causes.iter().take(2);
    let told = told.filter_map(|cause| {
        Some(format!("{} ({})", cause_words(*cause, objective), share_text(&objective.causes, *cause)?))
    });
    match told.collect::<Vec<_>>().as_slice() {
        [] => String::new(),
        told => format!("; causes of bad requests: {}", told.join(", ")),
    }
}

/// How far above the lower bound a run lies that keeps the objectives, on the requests for which the bound was worked out.
pub(super) fn above_bound(outcome: &Outcome, run: &RunRecord) -> Option<String> {
    let bound = outcome.bound.as_ref().filter(|bound| bound.cost > Usd::ZERO)?;
    let (ratio, least) = (run.cost?.as_f64() / bound.cost.as_f64(), text::dollars(bound.cost));
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

fn bound(words: Ranking, run: &RunRecord, reference: Option<&RunRecord>) -> String {
    let standing = match meets_objectives(run) {
        Some(true) | None => String::new(),
        Some(false) => format!(" and {}", misses(run)),
    };
    let distance = reference.and_then(|reference| relative(run, reference).map(|share| (reference, share)));
    let (verb, less) = (words.verb, words.less);
    let versus = match distance {
        Some((reference, share)) if share < 0.0 => {
            format!(", {} {less} than {}", text::percent(-share), reference.policy)
        }
        Some((reference, share)) if share > 0.0 => format!(", {} more than {}", text::percent(share), reference.policy),
        Some((reference, _)) => format!(", as much as {}", reference.policy),
        None => String::new(),
    };
    format!(
        "{} is clairvoyant: it knows the trace and could not be run in production. It {verb} {}{versus}{standing}.",
        run.policy,
        shown(run.expense())
    )
}

/// "18.3% less than NAME ($50.40)".
fn saving(words: Ranking, run: &RunRecord, next: &RunRecord) -> String {
    let (name, expense) = (&next.policy, shown(next.expense()));
    match relative(run, next) {
        Some(share) if share < 0.0 => format!("{} {} than {name} ({expense})", text::percent(-share), words.less),
        _ => format!("as much as {name} ({expense})"),
    }
}

/// What a run takes over what `base` takes, minus one; `None` if that is nothing.
fn relative(run: &RunRecord, base: &RunRecord) -> Option<f64> {
    match (run.cost, base.cost) {
        (Some(cost), Some(base)) => (base != Usd::ZERO).then(|| (cost - base).as_f64() / base.as_f64()),
        _ => {
            let (hours, base) = (run.expense().value(), base.expense().value());
            (base != 0.0).then(|| hours / base - 1.0)
        }
    }
}
