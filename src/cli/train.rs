//! `plimsoll train`.

use std::path::{Component, Path, PathBuf};

use clap::Args;

use super::arguments::{Format, path_and_value};
use super::failure::Failure;
use super::files;
use super::output::say;
use super::replication::{ReplicationArguments, policy_index};
use super::terminal::remark;
use crate::config::{Diagnostics, near_miss, shell_word};
use crate::experiment::{
    self, Refusal, Searched, Trained, Training, learning_settings, replicate, search, search_settings,
    train as train_policy, with_found, with_learned,
};
use crate::policy::policy_search::{self, Found};
use crate::policy::q_learning::{self, Learned};
use crate::policy::stored::is_trained_policy;
use crate::report::results::{Results, learning_results, results_text, search_results};
use crate::report::{self, Artifact, LearningTrial, TableStyle};
use crate::scenario::Scenario;
use crate::units::{SimDuration, Usd};

/// Arguments of `train`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plimsoll train scenarios/learned.yaml --policy searched --evaluate-on scenarios/learned-next-week.yaml
  plimsoll train shop.yaml --policy learned --episodes 1000 --out learned/shop.json

The scenario has a policy of the kind `q-learning` or `policy-search`. It is trained on its own replications, saved to the file that
`trained:` names (or --out), and then compared with the other policies on replications that training did not use, and on
other scenarios. The training curve is written as CSV, SVG and PNG. See docs/learning.md.")]
pub(super) struct TrainArguments {
    /// The scenario.
    #[arg(value_name = "SCENARIO")]
    scenario: PathBuf,
    /// The policy to train; needed where several can be.
    #[arg(long, value_name = "POLICY")]
    policy: Option<String>,
    /// Maximum number of episodes (runs of the scenario); training stops earlier once it has converged.
    #[arg(long, value_name = "N", default_value_t = 400, value_parser = clap::value_parser!(u64).range(8..=1_000_000))]
    episodes: u64,
    /// Dollars per bad request; searched for by default until the objectives are met.
    #[arg(long, value_name = "DOLLARS")]
    penalty: Option<Usd>,
    /// Discount horizon of `q-learning`: what happens this much later counts a factor of e less; 40m by default.
    #[arg(long, value_name = "DURATION")]
    horizon: Option<SimDuration>,
    /// File for the trained policy; by default the one that the scenario's `trained:` names, else learned/NAME.json beside it.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Another scenario, such as another week of the trace, that has the policy under the same label (may be repeated).
    #[arg(long, value_name = "OTHER")]
    evaluate_on: Vec<PathBuf>,
    /// Directory for the learning curve, in a subdirectory named after the scenario.
    #[arg(long, value_name = "DIR", default_value = "reports")]
    reports: PathBuf,
    /// Override a value in every scenario: a path of names and list indices, and a YAML value (may be repeated).
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = path_and_value)]
    set: Vec<(String, String)>,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    replication: ReplicationArguments,
}

fn input(problem: impl std::fmt::Display) -> Failure {
    Failure::input(problem)
}

/// The kinds of policy that can be trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `q-learning`.
    Table,
    /// `policy-search`.
    Search,
}

impl Kind {
    const ALL: [Kind; 2] = [Kind::Table, Kind::Search];

    fn name(self) -> &'static str {
        match self {
            Kind::Table => q_learning::PLUGIN.name,
            Kind::Search => policy_search::PLUGIN.name,
        }
    }

    /// What its files in a report directory belong to: either leaves the other's alone.
    fn part(self) -> &'static str {
        match self {
            Kind::Table => "train",
            Kind::Search => "train-search",
        }
    }

    fn named(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A trained policy and how it came about.
enum Taught {
    Table(Trained),
    Search(Searched),
}

impl Taught {
    /// The file.
    fn to_json(&self) -> Result<String, Failure> {
        match self {
            Taught::Table(trained) => trained.learned.to_json(),
            Taught::Search(searched) => searched.found.to_json(),
        }
        .map_err(input)
    }

    fn artifacts(&self, scenario: &Scenario) -> Result<Vec<Artifact>, Failure> {
        match self {
            Taught::Table(trained) => report::learning_artifacts(scenario, trained),
            Taught::Search(searched) => report::search_artifacts(scenario, searched),
        }
        .map_err(input)
    }

    fn results(&self, trials: &[LearningTrial<'_>], file: &Path) -> Results {
        let file = file.display().to_string();
        match self {
            Taught::Table(trained) => learning_results(trained, trials, &file),
            Taught::Search(searched) => search_results(searched, trials, &file),
        }
    }

    /// How training went, as text.
    fn text(&self, scenario: &Scenario, style: TableStyle) -> String {
        let objectives = !scenario.objectives.is_empty();
        match self {
            Taught::Table(trained) => {
                let answer = report::learning_answer(trained, objectives);
                format!("{answer}\n\n{}", report::learning_curve(scenario, trained).text(style))
            }
            Taught::Search(searched) => {
                let answer = report::search_answer(searched, objectives);
                let numbers = report::search_numbers(searched).text(style);
                format!("{answer}\n\n{numbers}\n{}", report::search_curve(scenario, searched).text(style))
            }
        }
    }
}

/// The scenario with the policy of a trained file: what is saved is what is tried.
fn with_file(scenario: &Scenario, label: &str, kind: Kind, text: &str) -> Result<Scenario, Failure> {
    let policy = policy_index(scenario, label)?;
    let broken = |what: String| input(format!("the trained policy {what}"));
    match kind {
        Kind::Table => with_learned(scenario, policy, &Learned::from_json(text).map_err(broken)?),
        Kind::Search => with_found(scenario, policy, &Found::from_json(text).map_err(broken)?),
    }
    .map_err(input)
}

/// The first thing in which two scenarios' policies to be trained differ; what is found for one then means nothing in the other.
fn difference(kind: Kind, (own, policy): (&Scenario, usize), (other, its): (&Scenario, usize)) -> Option<&'static str> {
    match kind {
        Kind::Table => learning_settings(own, policy)?.design.difference(&learning_settings(other, its)?.design),
        Kind::Search => {
            let (own, its) = (search_settings(own, policy)?, search_settings(other, its)?);
            own.design.difference(&its.design).or_else(|| own.other_number(&its))
        }
    }
}

pub(super) fn train(arguments: &TrainArguments) -> Result<(), Failure> {
    if arguments.horizon.is_some_and(SimDuration::is_zero) {
        return Err(input("the horizon must be longer than zero"));
    }
    let (label, kind, named) = arguments.choose()?;
    if kind == Kind::Search && arguments.horizon.is_some() {
        return Err(input("--horizon applies to `q-learning` only: a search compares whole runs"));
    }
    let scenario = arguments.read(&arguments.scenario, &label, kind)?;
    let policy = policy_index(&scenario, &label)?;
    let out = arguments.target(named, &scenario)?;
    files::try_out_file(&out)?;
    files::try_out(&arguments.reports.join(&scenario.name))?;
    // Before hours of training: whatever would be refused after them is refused now.
    let others = arguments.evaluate_on.iter().map(|path| arguments.other(path, &label, kind, (&scenario, policy)));
    let others: Vec<Scenario> = others.collect::<Result<_, _>>()?;
    let taught = arguments.train(&scenario, policy, kind)?;
    let text = taught.to_json()?;
    let tried = with_file(&scenario, &label, kind, &text)?;
    let others: Vec<Scenario> =
        others.iter().map(|other| with_file(other, &label, kind, &text)).collect::<Result<_, _>>()?;
    arguments.tell(&write_file(&out, text)?);
    let artifacts = taught.artifacts(&scenario)?;
    arguments.tell(&files::write_report(&arguments.reports.join(&scenario.name), kind.part(), &artifacts)?);
    let mut trials = vec![arguments.try_out(&tried, &label, true)?];
    for other in &others {
        trials.push(arguments.try_out(other, &label, false)?);
    }
    show(arguments, &scenario, &taught, &trials, &out)
}

/// Whether a file is, or would be, below a directory, links followed as far as they are there.
fn is_below(file: &Path, directory: &Path) -> bool {
    let Ok(directory) = std::fs::canonicalize(directory) else { return false };
    let there = file.ancestors().find_map(|part| {
        let part = if part.as_os_str().is_empty() { Path::new(".") } else { part };
        Some((part, std::fs::canonicalize(part).ok()?))
    });
    let Some((part, real)) = there else { return false };
    // What is not there yet leads nowhere but down.
    let rest = file.strip_prefix(part).unwrap_or(file);
    real.starts_with(directory) && rest.components().all(|part| matches!(part, Component::Normal(_)))
}

/// Writes the trained policy.
fn write_file(out: &Path, text: String) -> Result<Vec<PathBuf>, Failure> {
    let directory = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = out.file_name().ok_or_else(|| input(format!("{} is not the name of a file", out.display())))?;
    let artifact = Artifact::new(name.to_string_lossy().into_owned(), text);
    files::write_all(directory, &[artifact])
}

fn show(
    arguments: &TrainArguments,
    scenario: &Scenario,
    taught: &Taught,
    trials: &[LearningTrial<'_>],
    out: &Path,
) -> Result<(), Failure> {
    if arguments.format == Format::Json {
        return say(&results_text(&taught.results(trials, out)));
    }
    let style = arguments.format.style();
    let mut text = taught.text(scenario, style);
    for trial in trials {
        text.push('\n');
        text += &report::learning_trial(trial).text(style);
    }
    say(&text)
}

impl TrainArguments {
    /// Says which files were written.
    fn tell(&self, written: &[PathBuf]) {
        if !self.replication.quiet {
            written.iter().for_each(|path| remark(&path.display().to_string()));
        }
    }

    /// The label and kind of the policy to train, and the file that the scenario names for it.
    fn choose(&self) -> Result<(String, Kind, Option<PathBuf>), Failure> {
        let mut found = Diagnostics::new();
        let stated = Scenario::stated_policies(&self.scenario, &self.set, &mut found);
        let stated = stated.ok_or_else(|| Failure::diagnostics(&found))?;
        let learns = || stated.iter().filter(|policy| Kind::named(&policy.kind).is_some());
        let labels: Vec<&str> = learns().map(|policy| policy.label.as_str()).collect();
        let path = self.scenario.display();
        let label = match (&self.policy, labels.as_slice()) {
            (_, []) => {
                let kinds = Kind::ALL.map(|kind| format!("`{}`", kind.name())).join(" or ");
                let problem = format!("{path} has no policy of the kind {kinds}");
                let help = "add one, such as `learned: { q-learning: { min: 2, max: 40, capacity: 40/s } }`";
                return Err(input(format!("{problem}\nhelp: {help}")));
            }
            (Some(wanted), _) if labels.contains(&wanted.as_str()) => wanted.clone(),
            (Some(wanted), _) => {
                let hint = near_miss(wanted, labels.iter().copied());
                return Err(input(format!(
                    "{path} has no policy `{wanted}` that can be trained{hint}\nIt has: {}",
                    labels.join(", ")
                )));
            }
            (None, [only]) => only.to_string(),
            (None, several) => {
                return Err(input(format!(
                    "{path} has several policies that can be trained; choose one with --policy: {}",
                    several.join(", ")
                )));
            }
        };
        if label.contains('.') {
            return Err(input(format!("a policy to be trained must have a label without dots, not `{label}`")));
        }
        let policy = learns().find(|policy| policy.label == label);
        let kind = policy.and_then(|policy| Kind::named(&policy.kind)).unwrap_or(Kind::Table);
        // Whether or not there is such a file yet.
        let file = policy.and_then(|policy| policy.parameters.get("trained"));
        let file = file.and_then(|node| Some(node.source.directory_or(&self.beside("")).join(node.as_text()?)));
        Ok((label, kind, file))
    }

    /// Where the trained policy is to be written. Only --out may replace a file that is no trained policy, or leave the scenario's
    /// directory: a scenario comes from anywhere, and reading one must not cost a file.
    fn target(&self, named: Option<PathBuf>, scenario: &Scenario) -> Result<PathBuf, Failure> {
        if let Some(out) = &self.out {
            return Ok(out.clone());
        }
        let usual = || self.beside(Path::new("learned").join(format!("{}.json", scenario.name)));
        let out = named.unwrap_or_else(usual);
        let help = format!("help: if you mean it, name the file with --out {}", shell_word(&out.display().to_string()));
        let refused = |what: &str| Err(Failure::input(format!("{}: {what}\n{help}", out.display())));
        if !is_below(&out, &self.beside(".")) {
            return refused("the scenario names a file outside its own directory");
        }
        match std::fs::File::open(&out) {
            Ok(file) if !is_trained_policy(&file) => {
                refused("this file is not a trained policy and is not overwritten")
            }
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => refused(&error.to_string()),
            _ => Ok(out),
        }
    }

    /// A path from the scenario's directory.
    fn beside(&self, path: impl AsRef<Path>) -> PathBuf {
        self.scenario.parent().unwrap_or(Path::new("")).join(path)
    }

    /// Reads a scenario, leaving out what is to be learned.
    fn read(&self, path: &Path, label: &str, kind: Kind) -> Result<Scenario, Failure> {
        let mut set = self.set.clone();
        set.push((format!("policies.{label}.{}.trained", kind.name()), "null".into()));
        self.replication.read(path, &set)
    }

    /// Reads a scenario to evaluate on: it has the policy, with the same states and actions, or numbers.
    fn other(&self, path: &Path, label: &str, kind: Kind, own: (&Scenario, usize)) -> Result<Scenario, Failure> {
        let mut found = Diagnostics::new();
        let stated = Scenario::stated_policies(path, &self.set, &mut found);
        let stated = stated.ok_or_else(|| Failure::diagnostics(&found))?;
        if !stated.iter().any(|policy| policy.label == label && policy.kind == kind.name()) {
            let path = path.display();
            return Err(input(format!("{path} has no policy `{label}` of the kind `{}`", kind.name())));
        }
        let other = self.read(path, label, kind)?;
        if let Some(name) = difference(kind, own, (&other, policy_index(&other, label)?)) {
            return Err(input(format!("`{label}` of {} has another `{name}` than is trained", path.display())));
        }
        Ok(other)
    }

    fn train(&self, scenario: &Scenario, policy: usize, kind: Kind) -> Result<Taught, Failure> {
        let defaults = Training::default();
        let training = Training {
            episodes: self.episodes,
            horizon: self.horizon.unwrap_or(defaults.horizon),
            penalty: self.penalty.map(Usd::as_f64),
            threads: self.replication.threads,
        };
        let bar = self.replication.bar(if kind == Kind::Table { "episodes" } else { "runs" });
        bar.set_length(training.episodes);
        let taught = match kind {
            Kind::Table => {
                train_policy(scenario, policy, &training, &|round| bar.inc(round.len() as u64)).map(Taught::Table)
            }
            Kind::Search => {
                search(scenario, policy, &training, &|generation| bar.set_position(generation.runs)).map(Taught::Search)
            }
        };
        bar.finish_and_clear();
        taught.map_err(|error| match error {
            Refusal::Unfit(what) => input(format!("{}: {what}", self.scenario.display())),
            error => input(error),
        })
    }

    /// Compares all policies of a scenario on replications that no training used.
    fn try_out<'a>(
        &self,
        scenario: &'a Scenario,
        label: &str,
        is_trained_on: bool,
    ) -> Result<LearningTrial<'a>, Failure> {
        let plan = self.replication.plan()?;
        let bar = self.replication.bar(&format!("runs of {}", scenario.name));
        let told = |done, all| {
            bar.set_length(all);
            bar.set_position(done);
        };
        let result = replicate(&experiment::arms(scenario), &plan, &told);
        bar.finish_and_clear();
        Ok(LearningTrial {
            scenario,
            is_trained_on,
            learner: policy_index(scenario, label)?,
            result: result.map_err(input)?,
        })
    }
}
