//! `plimsoll check`.

use clap::Args;

use super::test::is_story;
use super::{Failure, ScenarioArguments, remark, say, shown};
use crate::config::Diagnostics;
use crate::engine::scenario::Scenario;
use crate::experiment::{
    Story, cpu, expectations, full_replica_cpu, out_of_reach_by_distribution, transients, without_ceiling,
};

/// Arguments of `check`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  plimsoll check scenarios/*.yaml\n  plimsoll check scenarios/shop-peak.yaml --warm-up"
)]
pub(super) struct CheckArguments {
    #[command(flatten)]
    input: ScenarioArguments,
    /// Also run each policy twice and say how long its run remembers how it began.
    #[arg(long)]
    warm_up: bool,
}

pub(super) fn check(arguments: &CheckArguments) -> Result<(), Failure> {
    let mut failed = false;
    for path in &arguments.input.scenarios {
        let mut found = Diagnostics::new();
        if is_story(path) {
            let story = Story::read(path, &[], &mut found);
            if !found.is_empty() {
                remark(&shown(&found));
            }
            match story {
                Some(story) => {
                    say(&format!("{}: ok, a story: {}", path.display(), story.title))?;
                    let remarks = story.policy.is_some().then(|| story.tell().ok()).flatten().map(|told| told.remarks);
                    remarks.iter().flatten().for_each(|words| remark(&format!("note: {words}")));
                }
                None => failed = true,
            }
            continue;
        }
        let scenario = Scenario::read(path, &arguments.input.set, &mut found);
        let scenario = scenario.filter(|scenario| {
            expectations(scenario, &mut found);
            !found.has_errors()
        });
        if !found.is_empty() {
            remark(&shown(&found));
        }
        match scenario {
            Some(scenario) => {
                say(&facts(&scenario))?;
                let hopeless = out_of_reach_by_distribution(&scenario);
                let hopeless = hopeless.map_err(|error| Failure::Input(format!("error: {error}")))?;
                hopeless.iter().for_each(|of| remark(&format!("warning: {}", of.text())));
                for service in &scenario.services {
                    let noticed = service.workload.notices();
                    let noticed = noticed.map_err(|error| Failure::Input(format!("error: {error}")))?;
                    let name = &service.spec.name;
                    noticed.iter().for_each(|said| remark(&format!("note: of the trace of {name}: {said}")));
                    service.workload.moments().iter().for_each(|said| remark(&format!("note: {said}")));
                    let spoilt = service.workload.distortions();
                    let spoilt = spoilt.map_err(|error| Failure::Input(format!("error: {error}")))?;
                    spoilt.iter().for_each(|said| remark(&format!("warning: {said}")));
                }
                if arguments.warm_up {
                    say(&memory(&scenario)?)?;
                }
            }
            None => failed = true,
        }
    }
    if failed { Err(Failure::Input("error: not all scenarios can be run".into())) } else { Ok(()) }
}

/// What a scenario holds, and what it leaves to be taken for granted of the CPU in use.
fn facts(scenario: &Scenario) -> String {
    let unstated = scenario.services.iter().filter_map(|service| full_replica_cpu(&service.spec));
    let lines: Vec<String> =
        std::iter::once(contents(scenario)).chain(unstated.map(|line| format!("  {line}"))).collect();
    lines.join("\n")
}

fn contents(scenario: &Scenario) -> String {
    let services: Vec<&str> = scenario.services.iter().map(|service| service.spec.name.as_str()).collect();
    let policies: Vec<&str> = scenario.policies.iter().map(|plan| plan.label.as_str()).collect();
    let mut said = format!(
        "{}: ok, {} of {}, policies {}",
        scenario.path.display(),
        scenario.duration,
        services.join(" and "),
        policies.join(", ")
    );
    let cpu: Vec<String> = scenario.services.iter().map(|service| cpu(&service.spec, &scenario.pools)).collect();
    without_ceiling(&cpu).for_each(|sentence| said += &format!("\n  {sentence}"));
    said
}

/// How long each policy's run remembers its beginning, a line each.
fn memory(scenario: &Scenario) -> Result<String, Failure> {
    let found = transients(scenario, 0).map_err(|error| Failure::Input(format!("error: {error}")))?;
    let several = scenario.services.len() > 1;
    let line = |of: &crate::experiment::Transient| {
        let service = if several { format!(", {}", of.service) } else { String::new() };
        let memory = match of.settled {
            true => format!("forgets its beginning after {}", of.length),
            false => "remembers its beginning for more than half the run".into(),
        };
        format!("  {}{service}: {memory}", of.policy)
    };
    let mut lines: Vec<String> = found.iter().map(line).collect();
    let longest = found.iter().map(|of| of.length).max().unwrap_or_default();
    if found.iter().any(|of| !of.settled) {
        lines.push("  no warm-up is long enough for a run that never forgets: run longer, or steadier".into());
        return Ok(lines.join("\n"));
    }
    lines.push(match scenario.warm_up >= longest || scenario.finds_warm_up {
        true => format!("  the warm-up is long enough: {}", scenario.warm_up.max(longest)),
        false => format!("  a `warm-up:` of {longest} would leave that out; it is {}", scenario.warm_up),
    });
    Ok(lines.join("\n"))
}
