//! The summary in words, for every report: what was asked, what the answer is, and how sure it is.

use super::comparison;
use super::verdict::{Verdict, is_clairvoyant, meets_objectives, objectives, verdict};
use crate::engine::RunRecord;
use crate::experiment::{Outcome, Traffic, TrafficSource, without_ceiling};
use crate::report::printing::expense::{self, Ranking};
use crate::report::printing::moment::Clock;
use crate::report::printing::text;

/// Names of policies that a sentence lists; what is more is counted.
const MAX_NAMES: usize = 6;

/// A share of the error budget above which an objective counts as narrowly met.
const NARROW: f64 = 0.8;

/// The summary in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// The question: policies, objectives, traffic, period, faults. One sentence or two each.
    pub asked: Vec<String>,
    /// The answer and what qualifies it.
    pub verdict: Verdict,
    /// What the answer rests on, and what it does not say.
    pub sure: Vec<String>,
}

/// The summary of an outcome. Same outcome, same words.
pub fn words(outcome: &Outcome) -> Words {
    Words { asked: asked(outcome), verdict: verdict(outcome), sure: sure(outcome) }
}

/// "a", "a and b", "a, b and c".
pub(crate) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Names in a list that does not grow without end.
fn names(all: &[String]) -> String {
    match all.len() {
        n if n > MAX_NAMES + 1 => format!("{} and {} more", all[..MAX_NAMES].join(", "), n - MAX_NAMES),
        _ => list(all),
    }
}

fn asked(outcome: &Outcome) -> Vec<String> {
    let mut said = vec![question(outcome)];
    said.extend(outcome.traffic.iter().map(traffic));
    said.extend(period(outcome));
    let clock = Clock::of(outcome);
    said.extend(outcome.faults.iter().map(|fault| {
        let mut what = fault.what.clone();
        if let Some(first) = what.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        match fault.from == fault.to {
            true => format!("{what} at {}.", clock.between(fault.from, fault.to)),
            false => format!("{what} from {}.", clock.between(fault.from, fault.to)),
        }
    }));
    said
}

/// What is asked of the policies.
fn question(outcome: &Outcome) -> String {
    let named = |clairvoyant: bool| -> Vec<String> {
        let runs = outcome.runs.iter().filter(|run| is_clairvoyant(run) == clairvoyant);
        runs.map(|run| run.policy.clone()).collect()
    };
    let (real, knowing) = (named(false), named(true));
    let promised = promises(outcome);
    let beside = match (real.len(), knowing.len()) {
        (0, _) | (_, 0) => String::new(),
        (_, 1) => {
            format!(" {} knows the trace and serves as a yardstick; its plan is an approximation.", knowing[0])
        }
        (..) => format!(" {} know the trace and serve as yardsticks; their plans are approximations.", names(&knowing)),
    };
    let to_cost = Ranking::for_outcome(outcome).infinitive;
    let (verb, least) = match expense::is_priced(outcome) {
        true => ("costs least", "at the least cost"),
        false => ("takes the fewest replica-hours", "with the fewest replica-hours"),
    };
    let stated = if promised.is_empty() { " No objective is stated." } else { "" };
    let asked = match (real.as_slice(), promised.is_empty()) {
        ([], _) if knowing.is_empty() => return "No policy was run.".into(),
        ([], true) => format!("What would policies that know the trace ({}) {to_cost}?", names(&knowing)),
        ([], false) => {
            let what = if expense::is_priced(outcome) { "pay" } else { "take" };
            format!("What would policies that know the trace ({}) {what} to keep {promised}?", names(&knowing))
        }
        ([only], true) => format!("What does {only} {to_cost}, and how long do requests take?"),
        ([only], false) if outcome.level.is_some() => {
            format!("With how much headroom does {only} keep {promised}, and what does it {to_cost} then?")
        }
        ([only], false) => format!("Does {only} keep {promised}, and what does it {to_cost}?"),
        (several, true) => format!("Which of {} policies ({}) {verb}?", several.len(), names(several)),
        (several, false) if outcome.level.is_some() => format!(
            "With how much headroom does each of {} policies ({}) keep {promised}, and which {verb} then?",
            several.len(),
            names(several)
        ),
        (several, false) => {
            format!("Which of {} policies ({}) keeps {promised} {least}?", several.len(), names(several))
        }
    };
    format!("{asked}{stated}{beside}")
}

/// The objectives: the same for every service and policy.
fn promises(outcome: &Outcome) -> String {
    let services = outcome.runs.first().map_or(&[][..], |run| &run.services);
    let first = services.first().map_or(&[][..], |service| &service.objectives);
    list(&first.iter().map(|objective| format!("“{}”", objective.text)).collect::<Vec<_>>())
}

fn traffic(traffic: &Traffic) -> String {
    // A service that was given no name.
    let to = if traffic.service == "service" { String::new() } else { format!(" to {}", traffic.service) };
    let steps = match traffic.steps.as_slice() {
        [] => String::new(),
        steps => format!(", reshaped by {}", list(&steps.iter().map(|step| format!("“{step}”")).collect::<Vec<_>>())),
    };
    match &traffic.source {
        TrafficSource::Recorded { file } => {
            format!("Requests{to} come from the recorded trace {file}{steps}.")
        }
        TrafficSource::Generated { generator } if generator.is_empty() => {
            format!("Requests{to} come from a generator{steps}.")
        }
        TrafficSource::Generated { generator } => {
            format!("Requests{to} come from the generator {generator}{steps}.")
        }
        TrafficSource::Called => format!("Requests{to} come from other services only."),
        TrafficSource::ClosedLoop { users } => format!(
            "Requests{to} come from up to {} users who wait for each answer (a closed loop): the number of requests \
             depends on the policy.",
            text::count(u64::from(*users))
        ),
    }
}

/// How long was simulated and how many requests count.
fn period(outcome: &Outcome) -> Option<String> {
    let run = outcome.runs.first()?;
    let length = run.end.since(crate::units::SimTime::ZERO).rounded();
    let warm_up = match run.warm_up.since(crate::units::SimTime::ZERO) {
        zero if zero.is_zero() => String::new(),
        warm_up => format!(", of which the first {warm_up} are warm-up: paid for, but not judged"),
    };
    let arrived = |run: &RunRecord| run.services.iter().map(|service| service.counts.arrived).sum::<u64>();
    let (least, most) = outcome.runs.iter().map(arrived).fold((u64::MAX, 0), |(a, b), n| (a.min(n), b.max(n)));
    let requests = match (least, most) {
        (a, b) if a == b => format!("{} requests under each policy", text::count(a)),
        (a, b) => format!("{} to {} requests, depending on the policy", text::count(a), text::count(b)),
    };
    let one = if outcome.replicated.is_some() { "the first replication has" } else { "it has" };
    Some(format!("A run lasts {length}{warm_up}; {one} {requests}."))
}

/// What the answer rests on.
fn sure(outcome: &Outcome) -> Vec<String> {
    match &outcome.replicated {
        _ if outcome.runs.is_empty() => Vec::new(),
        Some(result) if result.replications > 1 => {
            let mut said = comparison::notes(result);
            said.extend(without_ceiling(&outcome.assumptions).cloned());
            said.push("Tables by service, charts, the bill and the decisions below show the first replication.".into());
            said
        }
        _ => of_one_run(outcome),
    }
}

fn of_one_run(outcome: &Outcome) -> Vec<String> {
    let each = if outcome.runs.len() > 1 { "Each policy was run once" } else { "The policy was run once" };
    let mut said = vec![match outcome.runs.len() {
        1 => format!("{each}, so no figure has a confidence interval."),
        _ => format!(
            "{each}, on the same requests and demands and with the same random failures and delays: differences come from the \
             policies. No figure has a confidence interval."
        ),
    }];
    said.extend(source_limits(outcome));
    said.extend(without_ceiling(&outcome.assumptions).cloned());
    said.extend(margin(outcome));
    said.push(match compare_command(&outcome.command) {
        Some(command) => format!("For confidence intervals: `{command}`"),
        None => {
            "For confidence intervals: `plimsoll compare --as-is`, which repeats the runs with other random numbers."
                .into()
        }
    });
    said
}

/// What the kind of traffic keeps the figures from saying.
fn source_limits(outcome: &Outcome) -> Vec<String> {
    let any = |is: fn(&TrafficSource) -> bool| outcome.traffic.iter().any(|traffic| is(&traffic.source));
    let mut said = Vec::new();
    if any(|source| matches!(source, TrafficSource::Recorded { .. })) {
        said.push(
            "A recorded trace covers one period: the figures hold for that traffic, not for another day.".to_string(),
        );
    }
    if any(|source| matches!(source, TrafficSource::Generated { .. })) {
        said.push(format!("Generated traffic is one draw (seed {}): another seed gives other figures.", outcome.seed));
    }
    if any(|source| matches!(source, TrafficSource::ClosedLoop { .. })) {
        said.push(
            "In a closed loop a slow policy receives fewer requests: compare throughput as well as latency."
                .to_string(),
        );
    }
    said
}

/// How much of its error budget the cheapest policy that meets the objectives has left.
fn margin(outcome: &Outcome) -> Option<String> {
    let meeting = outcome.runs.iter().filter(|run| !is_clairvoyant(run) && meets_objectives(run) == Some(true));
    let best = meeting.min_by(|a, b| a.expense().total_cmp(&b.expense()))?;
    let tightest = objectives(best).max_by(|a, b| a.budget_used().total_cmp(&b.budget_used()))?;
    if tightest.budget_used() == 0.0 {
        return Some(format!("{} uses none of any error budget: there is room to spare.", best.policy));
    }
    let used = text::percent(tightest.budget_used());
    let judgement = match tightest.budget_used() {
        used if used > NARROW => "a little more load would break it",
        _ => "there is room to spare",
    };
    let (policy, objective) = (&best.policy, &tightest.text);
    Some(format!("{policy} uses {used} of the error budget of “{objective}”, its tightest objective: {judgement}."))
}

/// The command that gives intervals for what `command` ran.
fn compare_command(command: &str) -> Option<String> {
    let rest = command.strip_prefix("plimsoll run ")?;
    let plain = !rest.contains(" --policy ") && !rest.contains("&&");
    plain.then(|| format!("plimsoll compare {rest} --as-is"))
}
