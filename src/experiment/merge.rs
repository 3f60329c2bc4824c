//! Combines the results of several runs of a scenario into one comparison.

use super::outcome::{InputFact, Outcome};
use super::replicate::{Replicated, Samples};
use super::same_level::{SameLevel, Tuned};
use crate::engine::RunRecord;

/// Combines the policies of several outcomes, each given with the name of its origin. A policy with identical results
/// in two outcomes is kept once. If the scenario texts differ, the merged outcome has a warning: requests, demands and
/// objectives are the same, but costs and start-up times may not be.
///
/// # Errors
/// Why they cannot be compared: another program, scenario, seed, trace or objective, or one policy with two results.
pub fn merge(outcomes: Vec<(String, Outcome)>) -> Result<Outcome, String> {
    let mut outcomes = outcomes.into_iter();
    let (first, mut merged) = outcomes.next().ok_or("nothing to merge")?;
    let mut origins = vec![(first.clone(), merged.command.clone())];
    for (name, other) in outcomes {
        comparable(&merged, &other).map_err(|why| format!("{first} and {name} cannot be compared: {why}"))?;
        merged.traffic.iter().zip(&other.traffic).try_for_each(|(a, b)| match a == b {
            true => Ok(()),
            false => Err(format!("{first} and {name} cannot be compared: {} gets other requests", a.service)),
        })?;
        for run in other.runs {
            match merged.runs.iter().find(|known| known.policy == run.policy) {
                None => merged.runs.push(run),
                Some(known) if known == &run => {}
                Some(_) => {
                    return Err(format!(
                        "{name} has another result of the policy `{}` than those before it; merge one of them, or rename the policy",
                        run.policy
                    ));
                }
            }
        }
        if merged.bound != other.bound {
            merged.warnings.push(format!("No lower bound on cost: {first} and {name} have different ones."));
            merged.bound = None;
        }
        add_inputs(&mut merged, (&first, &name), other.inputs);
        add_new(&mut merged.assumptions, other.assumptions);
        add_new(&mut merged.warnings, other.warnings);
        merge_replications(&mut merged, (other.replicated, other.level), (&first, &name));
        origins.push((name, other.command));
    }
    if origins.len() > 1 {
        merged.command = repeat_all(&origins);
    }
    Ok(merged)
}

/// Combines replications if both outcomes have them, with the same figures and in the same number; the n-th of both
/// used the same random numbers, so pairs stay pairs. Otherwise there are none, and a warning says so.
fn merge_replications(
    merged: &mut Outcome,
    (replicated, level): (Option<Replicated>, Option<SameLevel>),
    (first, name): (&str, &str),
) {
    match (&mut merged.level, level) {
        (Some(known), Some(more)) if known.objectives == more.objectives => {
            let new = |tuned: &Tuned| !known.tuned.iter().any(|other| other.policy == tuned.policy);
            let new: Vec<Tuned> = more.tuned.into_iter().filter(new).collect();
            known.tuned.extend(new);
        }
        (known, more) if known.is_some() || more.is_some() => {
            *known = None;
            merged.warnings.push(format!("{first} and {name} were not tuned to the same service level."));
        }
        _ => {}
    }
    let alike = |a: &Replicated, b: &Replicated| {
        (&a.figures, a.replications, a.recorded) == (&b.figures, b.replications, b.recorded) && a.level == b.level
    };
    match (&mut merged.replicated, replicated) {
        (Some(known), Some(more)) if alike(known, &more) => {
            let new = |arm: &Samples| !known.arms.iter().any(|other| other.label == arm.label);
            let new: Vec<Samples> = more.arms.into_iter().filter(new).collect();
            known.arms.extend(new);
            known.precise = known.precise.zip(more.precise).map(|(a, b)| a && b);
        }
        (known, more) if known.is_some() || more.is_some() => {
            *known = None;
            merged.warnings.push(format!("No intervals: {first} and {name} were not replicated alike."));
        }
        _ => {}
    }
}

/// The commands whose results were merged, each into its own directory.
fn repeat_all(origins: &[(String, String)]) -> String {
    let runs = origins.iter().enumerate().map(|(index, (_, command))| format!("{command} --out part-{}", index + 1));
    // A comparison is stored one directory deeper than a run.
    let below = |command: &str| if command.starts_with("plimsoll compare") { "*/compare" } else { "*" };
    let parts =
        origins.iter().enumerate().map(|(index, (_, command))| format!("part-{}/{}", index + 1, below(command)));
    let merge = format!("plimsoll report {} --out merged", parts.collect::<Vec<_>>().join(" "));
    runs.chain([merge]).collect::<Vec<_>>().join(" && ")
}

fn add_new(list: &mut Vec<String>, more: Vec<String>) {
    for item in more {
        if !list.contains(&item) {
            list.push(item);
        }
    }
}

fn add_inputs(merged: &mut Outcome, (first, name): (&str, &str), inputs: Vec<InputFact>) {
    for input in inputs.into_iter().filter(|input| !merged.inputs.contains(input)).collect::<Vec<_>>() {
        if merged.inputs.iter().any(|known| known.name == input.name) {
            let said = format!("{} differs between {first} and {name}: more than the policies may differ.", input.name);
            merged.warnings.push(said);
        }
        merged.inputs.push(input);
    }
}

/// Whether two outcomes can be compared.
fn comparable(a: &Outcome, b: &Outcome) -> Result<(), String> {
    let same = |what: &str, a: &str, b: &str| match a == b {
        true => Ok(()),
        false => Err(format!("{what} is {a} in one and {b} in the other")),
    };
    same("the program's version", &a.version, &b.version)?;
    same("the scenario", &a.scenario, &b.scenario)?;
    same("the seed", &a.seed.to_string(), &b.seed.to_string())?;
    same("the date of the prices", &a.price_date, &b.price_date)?;
    for trace in a.inputs.iter().filter(|input| input.is_trace()) {
        let other = b.inputs.iter().find(|input| input.is_trace() && input.name == trace.name);
        if let Some(other) = other {
            same(&format!("the checksum of {}", trace.name), &trace.checksum, &other.checksum)?;
        }
    }
    match (a.runs.first(), b.runs.first()) {
        (Some(a), Some(b)) => same_question(a, b),
        _ => Ok(()),
    }
}

fn same_question(a: &RunRecord, b: &RunRecord) -> Result<(), String> {
    if (a.end, a.warm_up, a.replication) != (b.end, b.warm_up, b.replication) {
        return Err("their lengths, warm-ups or replications differ".into());
    }
    let names = |run: &RunRecord| run.services.iter().map(|service| service.name.clone()).collect::<Vec<_>>();
    if names(a) != names(b) {
        return Err("their services differ".into());
    }
    for (a, b) in a.services.iter().zip(&b.services) {
        if a.demand_checksum != b.demand_checksum {
            return Err(format!("{} met other requests", a.name));
        }
        let texts = |service: &crate::engine::ServiceRecord| -> Vec<String> {
            service.objectives.iter().map(|objective| objective.text.clone()).collect()
        };
        if texts(a) != texts(b) {
            return Err(format!("the objectives of {} differ", a.name));
        }
    }
    Ok(())
}
