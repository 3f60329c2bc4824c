//! `plimsoll plan`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;

use super::arguments::{Format, path_and_value};
use super::failure::Failure;
use super::files;
use super::output::say;
use super::replication::{ReplicationArguments, forbidden, tell_out_of_reach};
use super::terminal::remark;
use crate::config::spool::is_stream;
use crate::experiment::{Axis, Design, Planned, Points, at_headroom, plan_search, runs_of_plan};
use crate::report::results::{PlanResults, Results};
use crate::report::{self, Artifact, Grid, Rewritten};
use crate::scenario::Scenario;

/// Arguments of `plan`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plimsoll plan scenarios/shop-peak.yaml
  plimsoll plan scenarios/shop-peak.yaml --vary service.concurrency=2,4,8 --vary service.price.container=fargate,azure-container-instances

Every policy at every combination of what is varied is given the least headroom that meets the objectives; the cheapest wins.
Written into the report directory, and nowhere else: plan.yaml, the winner as a scenario that extends yours; your manifests with
the changed fields only (and plan.diff, plan-kubectl.sh); objects for what has no manifest; every trial. Exit codes: 0 met, 1 nothing that was tried meets the objectives, 2 bad input.")]
pub(super) struct PlanArguments {
    /// The scenario.
    #[arg(value_name = "SCENARIO")]
    scenario: PathBuf,
    /// What to vary besides policies and headroom: PATH=1..10, PATH=10s..60s/10s or PATH=x,y (may be repeated).
    #[arg(long, value_name = "PATH=VALUES")]
    vary: Vec<Axis>,
    /// Override a value throughout (may be repeated).
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = path_and_value)]
    set: Vec<(String, String)>,
    /// Directory for the report, in a subdirectory named after the scenario.
    #[arg(long, value_name = "DIR", default_value = "reports")]
    out: PathBuf,
    /// Do not write the winner as a scenario (plan.yaml).
    #[arg(long)]
    no_scenario: bool,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    replication: ReplicationArguments,
}

pub(super) fn plan(arguments: &PlanArguments) -> Result<(), Failure> {
    let plan = arguments.replication.plan()?;
    let base = arguments.replication.read(&arguments.scenario, &arguments.set)?;
    if base.objectives.is_empty() {
        let problem = "`plan` needs objectives to meet";
        return Err(Failure::input(format!(
            "{problem}\nhelp: add `objectives: [ {{ latency: {{ within: 300ms, target: 99% }} }} ]`"
        )));
    }
    let points = Points::new(arguments.vary.clone(), Design::Grid, 0, base.seed).map_err(Failure::input)?;
    let read = |point: usize| arguments.replication.read_at(&points.set(point), &base);
    let open = open_points(arguments, &points, &read)?;
    files::try_out(&arguments.out.join(&base.name))?;
    let runs = runs_of_plan(open.len() * base.policies.len(), &plan);
    arguments.replication.tell_volume(&base, runs, "");
    let bar = arguments.replication.study_bar("headrooms tried");
    let planned = bar.watch(|watch| plan_search(&open, &read, &plan, watch))?;
    let (headroom, rewritten) = match planned.candidates.first().filter(|_| planned.is_met) {
        Some(winner) => {
            let headroom = winner.tuned.best().map_or(1.0, |trial| trial.headroom);
            let scenario = at_headroom(&read(winner.point)?, winner.policy, headroom);
            (scenario.policies[winner.policy].headroom, report::rewrite(&scenario, winner.policy)?)
        }
        None => (1.0, Rewritten::default()),
    };
    print(arguments, (&base, &planned, &points), plan.level, &rewritten)?;
    if !planned.is_met {
        tell_out_of_reach(&base, arguments.replication.quiet)?;
    }
    write_all(arguments, (&base, &planned, &points), headroom, &rewritten)?;
    if planned.is_met { Ok(()) } else { Err(Failure::Judgement) }
}

/// Prints the answer, why the others lost, and what changes in the user's manifests.
fn print(
    arguments: &PlanArguments,
    (base, planned, points): (&Scenario, &Planned, &Points),
    level: f64,
    rewritten: &Rewritten,
) -> Result<(), Failure> {
    let grid = report::plan_table(base, planned, points, level);
    let answer = report::plan_answer(base, planned, points, arguments.replication.level);
    if arguments.format == Format::Json {
        let why_not = grid.rows.iter().filter_map(|row| row.last().cloned()).collect();
        let results = report::results::plan_results(base, planned, points, (answer, why_not, grid.notes));
        let (diff, kubectl) = (rewritten.diff(), rewritten.kubectl.clone());
        let notes = results.notes.iter().chain(&rewritten.by_hand).cloned().collect();
        let results = Results::Plan(report::results::PlanResults { diff, kubectl, notes, ..results });
        return say(&report::results::results_text(&results));
    }
    say(&format!("{answer}\n"))?;
    say(&grid.text(arguments.format.style()))?;
    let diff = rewritten.diff();
    if !diff.is_empty() {
        let (fence, end) = if arguments.format == Format::Markdown { ("```diff\n", "```\n") } else { ("", "") };
        say(&format!("\nWhat changes in your manifests:\n\n{fence}{diff}{end}"))?;
    }
    rewritten.by_hand.iter().try_for_each(|line| say(&format!("By hand: {line}")))
}

/// The points at which service alone does not take too long already: nothing has to be searched for that.
fn open_points(
    arguments: &PlanArguments,
    points: &Points,
    read: &dyn Fn(usize) -> Result<Scenario, Failure>,
) -> Result<Vec<usize>, Failure> {
    let (mut open, mut refused) = (Vec::new(), Vec::new());
    for point in 0..points.len() {
        match forbidden(&read(point)?)? {
            Some(why) => refused.push((point, why)),
            None => open.push(point),
        }
    }
    let line = |(point, why): &(usize, String)| {
        let set: Vec<String> = points.set(*point).iter().map(|(path, value)| format!("{path}={value}")).collect();
        if set.is_empty() { why.clone() } else { format!("{}: {why}", set.join(", ")) }
    };
    let said: Vec<String> = refused.iter().map(line).collect();
    if open.is_empty() {
        let grid = Grid { header: vec!["Policy".into(), "Why not".into()], rows: Vec::new(), notes: said };
        match arguments.format {
            Format::Json => {
                let answer = "No number of replicas meets the objectives.".into();
                let (version, refused) = (report::results::RESULTS_VERSION, grid.notes);
                say(&report::results::results_text(&Results::Plan(PlanResults {
                    version,
                    answer,
                    refused,
                    ..PlanResults::default()
                })))?;
            }
            _ => say(&grid.notes.join("\n"))?,
        }
        return Err(Failure::Judgement);
    }
    said.iter().filter(|_| !arguments.replication.quiet).for_each(|line| remark(line));
    Ok(open)
}

/// Writes every trial and, if there is a winner, its scenario and what it changes in the manifests.
fn write_all(
    arguments: &PlanArguments,
    (base, planned, points): (&Scenario, &Planned, &Points),
    headroom: f64,
    rewritten: &Rewritten,
) -> Result<(), Failure> {
    let mut artifacts = vec![Artifact::new("plan-trials.csv", report::plan_trials(base, planned, points))];
    if let Some(winner) = planned.candidates.first().filter(|_| planned.is_met) {
        artifacts.extend(manifests(rewritten));
        if !arguments.no_scenario && !is_stream(&arguments.scenario) {
            let text = winner_text(arguments, base, winner.policy, headroom, &points.set(winner.point));
            artifacts.push(Artifact::new("plan.yaml", text));
        }
    }
    for path in files::write_report(&arguments.out.join(&base.name), "plan", &artifacts)? {
        arguments.replication.told(&path.display().to_string());
    }
    Ok(())
}

/// The winner as a scenario that extends the one it was found from.
fn winner_text(
    arguments: &PlanArguments,
    base: &Scenario,
    policy: usize,
    headroom: f64,
    set: &[(String, String)],
) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let directory = arguments.out.join(&base.name);
    let file = path_between(&directory, &arguments.scenario).display().to_string();
    let mut text = String::from("# The least that was found to meet the objectives, by `plimsoll plan`.\n");
    text.push_str(&format!(
        "extends: {}\nname: {}\npolicies:\n",
        quoted(&file),
        quoted(&format!("{}-plan", base.name))
    ));
    for (index, plan) in base.policies.iter().enumerate() {
        let value = if index == policy { format!("{{ headroom: {headroom} }}") } else { "null".into() };
        text.push_str(&format!("  {}: {value}\n", quoted(&plan.label)));
    }
    let moved = |(path, value): &(String, String)| {
        let is_plain = !value.starts_with(['[', '{', '"', '\'']) && !["null", "~", "-"].contains(&value.trim());
        let is_path = is_plain && PATHS.contains(&path.rsplit('.').next().unwrap_or_default());
        let beside = arguments.scenario.parent().unwrap_or(Path::new("")).join(value);
        let value =
            if is_path { quoted(&path_between(&directory, &beside).display().to_string()) } else { value.clone() };
        (path.clone(), value)
    };
    let mut set: Vec<(String, String)> = arguments.set.iter().chain(set).map(moved).collect();
    set.sort();
    let (by_index, nested): (Vec<_>, Vec<_>) =
        set.into_iter().partition(|(path, _)| path.split('.').any(|part| part.parse::<usize>().is_ok()));
    let mut tree = Tree::default();
    nested.iter().for_each(|(path, value)| tree.put(path.split('.'), value));
    for (key, branch) in &tree.branches {
        text.push_str(&format!("{}: {}\n", quoted(key), branch.flow()));
    }
    for (path, value) in by_index {
        text.push_str(&format!(
            "# A place in a list cannot be extended; add --set {}\n",
            quoted(&format!("{path}={value}"))
        ));
    }
    text
}

/// Fields that hold the path of a file, which starts from the file that states it.
const PATHS: [&str; 3] = ["trace", "manifest", "trained"];

/// The way from a directory, which need not be there yet, to a file; absolute where there is none.
fn path_between(directory: &Path, file: &Path) -> PathBuf {
    let full = |path: &Path| -> Option<PathBuf> {
        let known = path.ancestors().find_map(|part| {
            let part = if part.as_os_str().is_empty() { Path::new(".") } else { part };
            Some((part, std::fs::canonicalize(part).ok()?))
        });
        let (part, known) = known?;
        Some(known.join(path.strip_prefix(part).unwrap_or(path)))
    };
    let (Some(from), Some(to)) = (full(directory), full(file)) else { return file.to_path_buf() };
    let shared = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    if shared == 0 {
        return to;
    }
    let up = from.components().skip(shared).map(|_| Path::new("..").as_os_str());
    up.chain(to.components().skip(shared).map(|part| part.as_os_str())).collect()
}

/// Values by their paths, as nested mappings.
#[derive(Default)]
struct Tree {
    value: String,
    branches: BTreeMap<String, Tree>,
}

impl Tree {
    fn put<'a>(&mut self, mut path: impl Iterator<Item = &'a str>, value: &str) {
        match path.next() {
            None => self.value = value.to_string(),
            Some(part) => self.branches.entry(part.to_string()).or_default().put(path, value),
        }
    }

    /// As YAML in one line.
    fn flow(&self) -> String {
        if self.branches.is_empty() {
            return self.value.clone();
        }
        let entry =
            |(key, branch): (&String, &Tree)| format!("{}: {}", serde_json::Value::from(key.as_str()), branch.flow());
        format!("{{ {} }}", self.branches.iter().map(entry).collect::<Vec<_>>().join(", "))
    }
}

/// The manifests with their changes, the changes as a diff and as commands, and new objects.
fn manifests(rewritten: &Rewritten) -> Vec<Artifact> {
    let mut all: Vec<Artifact> = Vec::new();
    let texts = rewritten.files.iter().map(|file| {
        let name = Path::new(&file.path).file_name().map(|name| name.to_string_lossy().into_owned());
        (name.unwrap_or_else(|| "manifest.yaml".into()), file.after.clone())
    });
    for (name, text) in texts.chain(rewritten.added.iter().cloned()) {
        let taken = all.iter().any(|artifact| artifact.name == name) || name.starts_with("plan");
        let name = if taken { format!("manifest-{}-{name}", all.len() + 1) } else { name };
        all.push(Artifact::new(name, text));
    }
    let diff = rewritten.diff();
    if !diff.is_empty() {
        all.push(Artifact::new("plan.diff", diff));
    }
    if !rewritten.kubectl.is_empty() {
        let commands = rewritten.kubectl.join("\n");
        let head = "#!/bin/sh\n# The changes of `plimsoll plan`, of which nothing has been applied.\nset -eu\n";
        all.push(Artifact::new("plan-kubectl.sh", format!("{head}{commands}\n")));
    }
    all
}
