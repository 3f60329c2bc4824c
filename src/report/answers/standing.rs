//! The answer of replications: which policy keeps the objectives with confidence, and which of those costs least.

use super::comparison::{interval_text, verdict_text};
use super::plan::MORE;
use super::verdict::{Verdict, above_bound, meets_objectives};
use crate::engine::RunRecord;
use crate::experiment::{Metric, Outcome, Replicated, Samples, Tuned, Unit, differences_from_chosen};
use crate::report::printing::expense::{NO_PRICE, Ranking};
use crate::stats::ConfidenceInterval;

/// How a policy keeps every objective.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kept {
    /// The intervals of all attainments lie at or above their targets.
    Shown,
    /// All attainments reach their targets on average.
    OnAverage,
    /// Some attainment does not, but its interval reaches over the target.
    Unclear,
    /// Some attainment lies below its target, interval and all.
    Missed,
    /// No objective judged a request.
    NotJudged,
}

/// A policy and how it stands.
struct Standing<'a> {
    arm: usize,
    samples: &'a Samples,
    cost: f64,
    kept: Kept,
    /// The largest ratio of bad requests to those allowed, over the objectives.
    worst: f64,
    /// Objectives not shown to be kept, in words.
    misses: Vec<String>,
}

/// The verdict on replications.
pub(crate) fn verdict(outcome: &Outcome, result: &Replicated) -> Verdict {
    let mut all: Vec<Standing> = (0..result.arms.len()).filter_map(|arm| standing(outcome, result, arm)).collect();
    all.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    let real: Vec<&Standing> = all.iter().filter(|standing| !standing.samples.clairvoyant).collect();
    let kept = |kept: Kept| real.iter().copied().filter(move |standing| standing.kept == kept);
    let best = kept(Kept::Shown).next();
    let answer = match (real.as_slice(), best) {
        ([], _) if all.is_empty() => "Nothing was run.".into(),
        ([], _) => "Only policies that know the trace were run: they are a yardstick, not a choice.".into(),
        (_, Some(best)) => best_answer(result, best, &kept(Kept::Shown).collect::<Vec<_>>(), real.len()),
        ([first, ..], None) if first.kept == Kept::NotJudged => not_judged(result, &real),
        (_, None) => none_shown(result, &real),
    };
    let mut details: Vec<String> = real.iter().filter_map(|standing| shortfall(result, standing, best)).collect();
    details.extend(best.and_then(|best| headroom(outcome, best)));
    details.extend(best.and_then(|best| first_above_bound(outcome, &best.samples.label)));
    details
        .extend(all.iter().filter(|standing| standing.samples.clairvoyant).map(|standing| knowing(result, standing)));
    details.extend((unit(result) == Unit::ReplicaHours).then(|| NO_PRICE.to_string()));
    Verdict { answer, details }
}

/// The policy that the verdict names: the cheapest that is shown to keep every objective, or the cheapest where none is judged.
pub(crate) fn winner<'a>(outcome: &Outcome, result: &'a Replicated) -> Option<&'a str> {
    let all: Vec<Standing> = (0..result.arms.len()).filter_map(|arm| standing(outcome, result, arm)).collect();
    let real = || all.iter().filter(|standing| !standing.samples.clairvoyant);
    let judged = real().any(|standing| standing.kept != Kept::NotJudged);
    let fit = real().filter(|standing| !judged || standing.kept == Kept::Shown);
    fit.min_by(|a, b| a.cost.total_cmp(&b.cost)).map(|standing| standing.samples.label.as_str())
}

/// The bound is that of the requests of the first replication, and so is the cost beside it.
fn first_above_bound(outcome: &Outcome, policy: &str) -> Option<String> {
    let keeps = |run: &&RunRecord| run.policy == policy && meets_objectives(run) == Some(true);
    let said = above_bound(outcome, outcome.runs.iter().find(keeps)?)?;
    Some(format!("In the first replication {said}"))
}

fn standing<'a>(outcome: &Outcome, result: &'a Replicated, arm: usize) -> Option<Standing<'a>> {
    let samples = &result.arms[arm];
    let cost = samples.mean(result.expense()?)?;
    let mut standing = Standing { arm, samples, cost, kept: Kept::NotJudged, worst: 0.0, misses: Vec::new() };
    let services = outcome.runs.first().map_or(&[][..], |run| &run.services);
    for (index, figure) in result.figures.iter().enumerate() {
        let (Metric::Attainment(number), Some(service)) = (figure.quantity, figure.service) else { continue };
        let objective = services.get(service).and_then(|service| service.objectives.get(number));
        let (Some(objective), Some(mean)) = (objective, samples.mean(index)) else { continue };
        let interval = samples.interval(index, result.level);
        let target = objective.target.get();
        let kept = match interval.as_ref().map_or(mean, ConfidenceInterval::low) {
            low if low >= target => Kept::Shown,
            _ if mean >= target => Kept::OnAverage,
            _ if interval.as_ref().is_some_and(|interval| interval.high() >= target) => Kept::Unclear,
            _ => Kept::Missed,
        };
        standing.kept = if standing.kept == Kept::NotJudged { kept } else { standing.kept.max(kept) };
        standing.worst = standing.worst.max(if mean >= 1.0 { 0.0 } else { (1.0 - mean) / (1.0 - target) });
        if kept != Kept::Shown {
            let of = if services.len() > 1 { format!(" of {}", services[service].name) } else { String::new() };
            let attained = interval_text(mean, interval.as_ref(), Unit::Share);
            standing.misses.push(format!("“{}”{of} ({attained} attained)", objective.text));
        }
    }
    Some(standing)
}

/// Unit of what policies are ranked by.
fn unit(result: &Replicated) -> Unit {
    result.expense().map_or(Unit::Dollars, |figure| result.figures[figure].quantity.unit())
}

fn cost_text(result: &Replicated, standing: &Standing) -> String {
    let figure = result.expense().unwrap_or(0);
    interval_text(standing.cost, standing.samples.interval(figure, result.level).as_ref(), unit(result))
}

fn confidence(result: &Replicated) -> String {
    format!("{}% confidence", (result.level * 1e4).round() / 1e2)
}

fn best_answer(result: &Replicated, best: &Standing, shown: &[&Standing], policies: usize) -> String {
    let (name, cost, sure) = (&best.samples.label, cost_text(result, best), confidence(result));
    let (verb, is_priced) = (Ranking::of(unit(result)).verb, unit(result) == Unit::Dollars);
    let Some(next) = shown.get(1) else {
        return match policies {
            1 => format!("{name} keeps every objective with {sure} and {verb} {cost}."),
            _ => format!("{name} is the only policy that keeps every objective with {sure}; it {verb} {cost}."),
        };
    };
    let figure = result.expense().unwrap_or(0);
    // The cheapest was not named beforehand.
    let found = differences_from_chosen(result, best.arm);
    let difference = found.iter().find(|difference| difference.arm == next.arm && difference.figure == figure);
    let versus = difference.map(|difference| {
        format!(
            " {}, the next that does ({}): {}.",
            next.samples.label,
            cost_text(result, next),
            verdict_text(difference, &result.figures[figure])
        )
    });
    let versus = versus.unwrap_or_default();
    match is_priced {
        true => format!("{name} is the cheapest policy that keeps every objective with {sure}: {cost}.{versus}"),
        false => format!(
            "{name} takes the fewest replica-hours of the policies that keep every objective with {sure}: {cost}.{versus}"
        ),
    }
}

fn not_judged(result: &Replicated, real: &[&Standing]) -> String {
    let first = real[0];
    let versus = real.get(1).map(|next| format!(", before {} at {}", next.samples.label, cost_text(result, next)));
    let (least, only) = match unit(result) {
        Unit::ReplicaHours => ("takes the fewest replica-hours", "replica-hours are"),
        _ => ("costs least", "cost is"),
    };
    format!(
        "{} {least}: {}{}. No objective judged a request, so only {only} compared.",
        first.samples.label,
        cost_text(result, first),
        versus.unwrap_or_default()
    )
}

/// Where no policy is shown to keep every objective.
fn none_shown(result: &Replicated, real: &[&Standing]) -> String {
    let sure = confidence(result);
    if let Some(near) = real.iter().find(|standing| standing.kept == Kept::OnAverage) {
        let (name, cost) = (&near.samples.label, cost_text(result, near));
        return format!("No policy is shown to keep every objective with {sure}; on average {name} does, for {cost}.");
    }
    if real.iter().any(|standing| standing.kept == Kept::Unclear) {
        return format!("No policy is shown to keep every objective with {sure}; of some it is not certain: {MORE}.");
    }
    let closest = real.iter().min_by(|a, b| a.worst.total_cmp(&b.worst).then(a.cost.total_cmp(&b.cost)));
    match (real, closest) {
        ([only], _) => format!("{} does not keep every objective.", only.samples.label),
        (_, Some(closest)) => format!("No policy keeps every objective. Closest is {}.", closest.samples.label),
        (_, None) => "No policy keeps every objective.".into(),
    }
}

/// What a policy does not keep, beside the cost of the best.
fn shortfall(result: &Replicated, standing: &Standing, best: Option<&Standing>) -> Option<String> {
    let verb = match standing.kept {
        Kept::Missed => "misses",
        Kept::OnAverage | Kept::Unclear => "is not shown to keep",
        Kept::Shown | Kept::NotJudged => return None,
    };
    let (name, cost) = (&standing.samples.label, cost_text(result, standing));
    let misses = super::words::list(&standing.misses);
    let Ranking { verb: takes, less, .. } = Ranking::of(unit(result));
    Some(match best {
        Some(best) if standing.cost < best.cost => format!("{name} {takes} {less} ({cost}) but {verb} {misses}."),
        Some(_) => format!("{name} {takes} more ({cost}) and {verb} {misses}."),
        None => format!("{name} ({cost}) {verb} {misses}."),
    })
}

/// How much the best policy was changed to keep the objectives.
fn headroom(outcome: &Outcome, best: &Standing) -> Option<String> {
    let level = outcome.level.as_ref()?;
    let tuned = level.tuned.iter().find(|tuned| tuned.policy == best.samples.label)?;
    let (chosen, own) = (tuned.best()?, tuned.as_it_is()?);
    if chosen.headroom == 1.0 {
        return Some(
            format!("{} needs no more headroom than it states, and no less would do.", tuned.policy) + &shown(tuned),
        );
    }
    let cost = super::comparison::value_text(own.cost(), level.unit());
    let verb = match (own.met, own.missed) {
        (true, _) => "keeps",
        (false, false) => "neither keeps nor misses with confidence",
        (false, true) => "misses",
    };
    Some(
        format!(
            "This is {} with {:.2} times the headroom that the scenario states; as stated it {verb} the objectives, for {cost}.",
            tuned.policy, chosen.headroom
        ) + &shown(tuned),
    )
}

/// On what the headroom was confirmed.
fn shown(tuned: &Tuned) -> String {
    let Some(held) = tuned.confirmed() else { return String::new() };
    format!(" Of {} replications that the search never saw, {} keep every objective.", held.replications, held.kept)
}

fn knowing(result: &Replicated, standing: &Standing) -> String {
    let misses = match standing.misses.as_slice() {
        [] => String::new(),
        misses => format!("; it is not shown to keep {}", super::words::list(misses)),
    };
    format!(
        "{} is clairvoyant: it knows the trace and could not be run in production. It {} {}{misses}.",
        standing.samples.label,
        Ranking::of(unit(result)).verb,
        cost_text(result, standing)
    )
}
