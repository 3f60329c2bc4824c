//! `plimsoll train`.

use std::path::{Component, Path, PathBuf};

use clap::Args;

use super::replication::{Format, ReplicationArguments, arms, policy_index};
use super::run::quoted;
use super::{Failure, files, path_and_value, remark, say};
use crate::config::{Diagnostics, suggest};
use crate::engine::scenario::Scenario;
use crate::experiment::{Trained, Training, learning_settings, replicate, train as train_policy, with_learned};
use crate::policy::q_learning::{self, Learned};
use crate::report::{self, Artifact, LearningTrial};
use crate::units::{SimDuration, Usd};

/// Arguments of `train`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plimsoll train scenarios/learned.yaml --evaluate-on scenarios/learned-next-week.yaml
  plimsoll train shop.yaml --policy learned --episodes 1000 --out learned/shop.json

The scenario states a policy of the kind `q-learning`. It is trained on replications of its own, saved where the scenario's
`trained:` says (or --out), and then compared with the scenario's other policies on replications that no training used, and on
other scenarios. The learning curve is written as CSV, SVG and PNG. docs/learning.md tells how to read all this.")]
pub(super) struct TrainArguments {
    /// The scenario.
    #[arg(value_name = "SCENARIO")]
    scenario: PathBuf,
    /// The policy to train; needed where several can be.
    #[arg(long, value_name = "POLICY")]
    policy: Option<String>,
    /// The most episodes; fewer where next to nothing changes any more.
    #[arg(long, value_name = "N", default_value_t = 400, value_parser = clap::value_parser!(u64).range(8..=1_000_000))]
    episodes: u64,
    /// Dollars per bad request; if left out it is looked for until the objectives are met.
    #[arg(long, value_name = "DOLLARS")]
    penalty: Option<Usd>,
    /// How far ahead an action's consequences count: each such time by a factor of e less.
    #[arg(long, value_name = "DURATION", default_value = "40m")]
    horizon: SimDuration,
    /// Where the trained policy is written; where the scenario's `trained:` says by default, else learned/NAME.json beside it.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Another scenario, such as another week of the trace, that has the policy under the same label (may be repeated).
    #[arg(long, value_name = "OTHER")]
    evaluate_on: Vec<PathBuf>,
    /// Where the learning curve is written, in a directory named after the scenario.
    #[arg(long, value_name = "DIR", default_value = "reports")]
    reports: PathBuf,
    /// Change a value in every scenario: a path of names and list indices, and YAML (may be repeated).
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = path_and_value)]
    set: Vec<(String, String)>,
    /// Form of the result on standard output.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    replication: ReplicationArguments,
}

fn input(problem: impl std::fmt::Display) -> Failure {
    Failure::Input(format!("error: {problem}"))
}

pub(super) fn train(arguments: &TrainArguments) -> Result<(), Failure> {
    if arguments.horizon.is_zero() {
        return Err(input("a horizon of no length makes every action equally good"));
    }
    let (label, named) = arguments.choose()?;
    let scenario = arguments.read(&arguments.scenario, &label)?;
    let policy = policy_index(&scenario, &label)?;
    let out = arguments.target(named, &scenario)?;
    files::try_out_file(&out)?;
    files::try_out(&arguments.reports.join(&scenario.name))?;
    // Before hours of training: whatever would be refused after them is refused now.
    let others = arguments.evaluate_on.iter().map(|path| arguments.other(path, &label, &scenario, policy));
    let others: Vec<Scenario> = others.collect::<Result<_, _>>()?;
    let trained = arguments.train(&scenario, policy)?;
    let text = trained.learned.to_json().map_err(input)?;
    // What is saved is what is tried.
    let learned = Learned::from_json(&text).map_err(|what| input(format!("the trained policy {what}")))?;
    let tried = with_learned(&scenario, policy, &learned).map_err(input)?;
    let others: Vec<Scenario> = others
        .iter()
        .map(|other| with_learned(other, policy_index(other, &label)?, &learned).map_err(input))
        .collect::<Result<_, _>>()?;
    write_file(&out, text)?;
    let artifacts = report::learning_artifacts(&scenario, &trained).map_err(input)?;
    for path in files::write_report(&arguments.reports.join(&scenario.name), "train", &artifacts)? {
        remark(&path.display().to_string());
    }
    let mut trials = vec![arguments.try_out(&tried, &label, true)?];
    for other in &others {
        trials.push(arguments.try_out(other, &label, false)?);
    }
    show(arguments, &scenario, &trained, &trials)
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
fn write_file(out: &Path, text: String) -> Result<(), Failure> {
    let directory = out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = out.file_name().ok_or_else(|| input(format!("{} is not the name of a file", out.display())))?;
    let artifact = Artifact::new(name.to_string_lossy().into_owned(), text);
    for path in files::write_all(directory, &[artifact])? {
        remark(&path.display().to_string());
    }
    Ok(())
}

fn show(
    arguments: &TrainArguments,
    scenario: &Scenario,
    trained: &Trained,
    trials: &[LearningTrial<'_>],
) -> Result<(), Failure> {
    if arguments.format == Format::Json {
        return say(&report::learning_json(trained, trials));
    }
    let style = arguments.format.style();
    let mut text = format!("{}\n\n", report::learning_answer(trained, !scenario.objectives.is_empty()));
    text += &report::learning_curve(scenario, trained).text(style);
    for trial in trials {
        text.push('\n');
        text += &report::learning_trial(trial).text(style);
    }
    say(&text)
}

impl TrainArguments {
    /// The label of the policy to train, and the file that the scenario names for it.
    fn choose(&self) -> Result<(String, Option<PathBuf>), Failure> {
        let mut found = Diagnostics::new();
        let stated = Scenario::stated_policies(&self.scenario, &self.set, &mut found);
        let stated = stated.ok_or_else(|| Failure::diagnostics(&found))?;
        let learns = || stated.iter().filter(|policy| policy.kind == q_learning::PLUGIN.name);
        let labels: Vec<&str> = learns().map(|policy| policy.label.as_str()).collect();
        let path = self.scenario.display();
        let label = match (&self.policy, labels.as_slice()) {
            (_, []) => {
                let problem = format!("{path} has no policy of the kind `{}`", q_learning::PLUGIN.name);
                let help = "add one, such as `learned: { q-learning: { min: 2, max: 40, capacity: 40/s } }`";
                return Err(input(format!("{problem}\nhelp: {help}")));
            }
            (Some(wanted), _) if labels.contains(&wanted.as_str()) => wanted.clone(),
            (Some(wanted), _) => {
                let near = suggest(wanted, labels.iter().copied());
                let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                return Err(input(format!(
                    "{path} has no policy `{wanted}` that can be trained{hint}\nIt has: {}",
                    labels.join(", ")
                )));
            }
            (None, [only]) => only.to_string(),
            (None, several) => {
                return Err(input(format!(
                    "{path} has several policies to train; choose one with --policy: {}",
                    several.join(", ")
                )));
            }
        };
        if label.contains('.') {
            return Err(input(format!("a policy to be trained has a label without dots, not `{label}`")));
        }
        // Whether or not there is such a file yet.
        let file = learns().find(|policy| policy.label == label).and_then(|policy| policy.parameters.get("trained"));
        let file = file.and_then(|node| node.as_text()).map(|text| self.beside(text));
        Ok((label, file))
    }

    /// Where the trained policy is to be written. Only --out may replace a file that is no trained policy, or leave the scenario's
    /// directory: a scenario comes from anywhere, and reading one must not cost a file.
    fn target(&self, named: Option<PathBuf>, scenario: &Scenario) -> Result<PathBuf, Failure> {
        if let Some(out) = &self.out {
            return Ok(out.clone());
        }
        let usual = || self.beside(Path::new("learned").join(format!("{}.json", scenario.name)));
        let out = named.unwrap_or_else(usual);
        let help = format!("help: if it is meant, name it yourself: --out {}", quoted(&out.display().to_string()));
        let refused = |what: &str| Err(Failure::Input(format!("error: {}: {what}\n{help}", out.display())));
        if !is_below(&out, &self.beside(".")) {
            return refused("the scenario asks for a file outside its own directory to be written");
        }
        match std::fs::File::open(&out) {
            Ok(file) if !q_learning::is_trained_policy(&file) => {
                refused("this file is no trained policy and is left as it is")
            }
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => refused(&error.to_string()),
            _ => Ok(out),
        }
    }

    /// A path from the scenario's directory.
    fn beside(&self, path: impl AsRef<Path>) -> PathBuf {
        self.scenario.parent().unwrap_or(Path::new("")).join(path)
    }

    /// Reads a scenario, leaving out the table that is to be learned.
    fn read(&self, path: &Path, label: &str) -> Result<Scenario, Failure> {
        let mut set = self.set.clone();
        set.push((format!("policies.{label}.{}.trained", q_learning::PLUGIN.name), "null".into()));
        self.replication.read(path, &set)
    }

    /// Reads a scenario to evaluate on: it has the policy, with the same states and actions.
    fn other(&self, path: &Path, label: &str, scenario: &Scenario, policy: usize) -> Result<Scenario, Failure> {
        let mut found = Diagnostics::new();
        let stated = Scenario::stated_policies(path, &self.set, &mut found);
        let stated = stated.ok_or_else(|| Failure::diagnostics(&found))?;
        let kind = q_learning::PLUGIN.name;
        if !stated.iter().any(|policy| policy.label == label && policy.kind == kind) {
            return Err(input(format!("{} has no policy `{label}` of the kind `{kind}`", path.display())));
        }
        let other = self.read(path, label)?;
        let design = |scenario: &Scenario, policy| learning_settings(scenario, policy).map(|settings| settings.design);
        let designs = (design(scenario, policy), design(&other, policy_index(&other, label)?));
        if let (Some(own), Some(its)) = designs
            && let Some(name) = own.difference(&its)
        {
            return Err(input(format!("`{label}` of {} has another `{name}` than is trained", path.display())));
        }
        Ok(other)
    }

    fn train(&self, scenario: &Scenario, policy: usize) -> Result<Trained, Failure> {
        let training = Training {
            episodes: self.episodes,
            horizon: self.horizon,
            penalty: self.penalty.map(Usd::as_f64),
            threads: self.replication.threads,
        };
        let bar = self.replication.bar("episodes");
        bar.set_length(self.episodes);
        let trained = train_policy(scenario, policy, &training, &|round| bar.inc(round.len() as u64));
        bar.finish_and_clear();
        trained.map_err(|error| match error {
            crate::experiment::Refusal::Unfit(what) => input(format!("{}: {what}", self.scenario.display())),
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
        let result = replicate(&arms(scenario), &plan, &told);
        bar.finish_and_clear();
        Ok(LearningTrial {
            scenario,
            is_trained_on,
            learner: policy_index(scenario, label)?,
            result: result.map_err(input)?,
        })
    }
}
