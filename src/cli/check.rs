//! `plimsoll check`.

use std::path::Path;

use clap::Args;

use super::arguments::{Format, ScenarioArguments};
use super::failure::Failure;
use super::output::say;
use super::terminal::{remark, shown};
use super::test::find::{is_story, scenario_files};
use crate::config::Diagnostics;
use crate::experiment::{
    Explained, Story, assumed_cpu, expectations, explain, out_of_reach_by_distribution, transients, unlimited_cpu,
};
use crate::report::results::{CheckResults, CheckedResult, RESULTS_VERSION, Results, ValueResult, results_text};
use crate::report::{Grid, list};
use crate::scenario::Scenario;

/// Arguments of `check`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plimsoll check scenarios/*.yaml
  plimsoll check scenarios
  plimsoll check scenarios/shop-peak.yaml --explain
  plimsoll check scenarios/shop-peak.yaml --warm-up

Of a directory, and of a pattern in quotes, every scenario and story in it is checked.")]
pub(super) struct CheckArguments {
    #[command(flatten)]
    input: ScenarioArguments,
    /// Also print every resolved value with its origin, and the thresholds at which each autoscaler acts.
    #[arg(long)]
    explain: bool,
    /// Also run each policy twice and report how long its initial transient lasts.
    #[arg(long)]
    warm_up: bool,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Print errors only, no warnings.
    #[arg(long, short)]
    quiet: bool,
}

/// Says things as they are found, or keeps them for JSON.
struct Voice {
    json: bool,
    quiet: bool,
    said: Vec<String>,
}

impl Voice {
    /// Something that was found out.
    fn fact(&mut self, text: &str) -> Result<(), Failure> {
        self.said.push(text.to_string());
        if self.json { Ok(()) } else { say(text) }
    }

    /// A warning.
    fn warn(&mut self, text: &str) {
        self.said.push(text.to_string());
        if !self.json && !self.quiet {
            remark(text);
        }
    }

    /// Diagnostics: errors are said even where it is to be quiet.
    fn found(&mut self, found: &Diagnostics) {
        self.said.extend(found.iter().map(|diagnostic| diagnostic.render(false)));
        if !found.is_empty() && !self.json && (!self.quiet || found.has_errors()) {
            remark(&shown(found));
        }
    }
}

pub(super) fn check(arguments: &CheckArguments) -> Result<(), Failure> {
    let mut files = Vec::new();
    for path in scenario_files(&arguments.input.scenarios)? {
        let json = arguments.format == Format::Json;
        let mut voice = Voice { json, quiet: arguments.quiet, said: Vec::new() };
        let mut values = Vec::new();
        let ok = if is_story(&path) {
            check_story(&path, &mut voice)?
        } else {
            check_scenario(&path, arguments, &mut voice, &mut values)?
        };
        files.push(CheckedResult { path: path.display().to_string(), ok, said: voice.said, values });
    }
    let failed = files.iter().any(|file| !file.ok);
    if arguments.format == Format::Json {
        say(&results_text(&Results::Check(CheckResults { version: RESULTS_VERSION, files })))?;
    }
    if failed { Err(Failure::input("not all scenarios can be run")) } else { Ok(()) }
}

fn check_story(path: &Path, voice: &mut Voice) -> Result<bool, Failure> {
    let mut found = Diagnostics::new();
    let story = Story::read(path, &[], &mut found);
    voice.found(&found);
    let Some(story) = story else { return Ok(false) };
    voice.fact(&format!("{}: ok, a story: {}", path.display(), story.title))?;
    let remarks = story.policy.is_some().then(|| story.tell().ok()).flatten().map(|told| told.remarks);
    remarks.iter().flatten().for_each(|words| voice.warn(&format!("note: {words}")));
    Ok(true)
}

fn check_scenario(
    path: &Path,
    arguments: &CheckArguments,
    voice: &mut Voice,
    values: &mut Vec<ValueResult>,
) -> Result<bool, Failure> {
    let mut found = if arguments.explain { Diagnostics::recording() } else { Diagnostics::new() };
    let scenario = Scenario::read(path, &arguments.input.set, &mut found);
    let scenario = scenario.filter(|scenario| {
        expectations(scenario, &mut found);
        !found.has_errors()
    });
    voice.found(&found);
    let Some(scenario) = scenario else { return Ok(false) };
    voice.fact(&facts(&scenario))?;
    let hopeless = out_of_reach_by_distribution(&scenario).map_err(Failure::input)?;
    hopeless.iter().for_each(|of| voice.warn(&format!("warning: {}", of.text())));
    scenario.moments.iter().for_each(|said| voice.warn(&format!("note: {said}")));
    for service in &scenario.services {
        let noticed = service.workload.notices().map_err(Failure::input)?;
        let name = &service.spec.name;
        noticed.iter().for_each(|said| voice.warn(&format!("note: trace of {name}: {said}")));
        service.workload.moments().iter().for_each(|said| voice.warn(&format!("note: {said}")));
        let spoilt = service.workload.distortions().map_err(Failure::input)?;
        spoilt.iter().for_each(|said| voice.warn(&format!("warning: {said}")));
    }
    if arguments.explain
        && let Some(root) = Scenario::tree(path, &arguments.input.set, &mut Diagnostics::new())
    {
        let explained = explain(&scenario, &root, found.mappings()).map_err(Failure::input)?;
        let value = |one: &Explained| ValueResult {
            what: one.what.clone(),
            value: one.value.clone(),
            origin: one.origin.clone(),
        };
        values.extend(explained.iter().map(value));
        if !voice.json {
            say(&explained_table(&explained).text(arguments.format.style()))?;
        }
    }
    if arguments.warm_up {
        let remembered = memory(&scenario)?;
        voice.fact(&remembered)?;
    }
    Ok(true)
}

fn explained_table(explained: &[Explained]) -> Grid {
    let row = |one: &Explained| vec![one.what.clone(), one.value.clone(), one.origin.clone()];
    Grid {
        header: ["Value of", "is", "from"].map(String::from).into(),
        rows: explained.iter().map(row).collect(),
        notes: Vec::new(),
    }
}

/// What a scenario holds, and what it leaves to be taken for granted of the CPU in use.
fn facts(scenario: &Scenario) -> String {
    let unstated = assumed_cpu(scenario).into_iter();
    let lines: Vec<String> =
        std::iter::once(contents(scenario)).chain(unstated.map(|line| format!("  {line}"))).collect();
    lines.join("\n")
}

/// So many names are listed; more are counted.
const MAX_LISTED: usize = 12;

fn contents(scenario: &Scenario) -> String {
    let services: Vec<String> = scenario.services.iter().map(|service| service.spec.name.clone()).collect();
    let policies: Vec<&str> = scenario.policies.iter().map(|plan| plan.label.as_str()).collect();
    let mut said = format!(
        "{}: ok, {} of {}, {}",
        scenario.path.display(),
        scenario.duration.rounded(),
        match services.len() {
            0..=MAX_LISTED => list(&services),
            count => format!("{count} services"),
        },
        match policies.len() {
            0..=MAX_LISTED => format!("policies {}", policies.join(", ")),
            count => format!("{count} policies"),
        }
    );
    unlimited_cpu(scenario).iter().for_each(|sentence| said += &format!("\n  {sentence}"));
    said
}

/// How long the initial transient of each policy's run lasts, a line each.
fn memory(scenario: &Scenario) -> Result<String, Failure> {
    let found = transients(scenario, 0).map_err(Failure::input)?;
    let several = scenario.services.len() > 1;
    let line = |of: &crate::experiment::Transient| {
        let service = if several { format!(", {}", of.service) } else { String::new() };
        let memory = match of.settled {
            true => format!("settles after {}", of.length),
            false => "has not settled after half of the run".into(),
        };
        format!("  {}{service}: {memory}", of.policy)
    };
    let mut lines: Vec<String> = found.iter().map(line).collect();
    let longest = found.iter().map(|of| of.length).max().unwrap_or_default();
    if found.iter().any(|of| !of.settled) {
        lines.push(
            "  no warm-up is long enough for a run that never settles: run longer, or with steadier traffic".into(),
        );
        return Ok(lines.join("\n"));
    }
    lines.push(match scenario.warm_up >= longest || scenario.finds_warm_up {
        true => format!("  the warm-up is long enough: {}", scenario.warm_up.max(longest)),
        false => format!("  a `warm-up:` of {longest} would exclude the transient; it is {}", scenario.warm_up),
    });
    Ok(lines.join("\n"))
}
