//! `plimsoll run`.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use clap::{Args, ValueEnum};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::replication::Format;
use super::{Failure, ScenarioArguments, files, memory, remark, say, shown};
use crate::config::{Diagnostics, shell_word, suggest};
use crate::experiment::{self, Outcome};
use crate::report;
use crate::report::results::{Results, results_text, run_results};
use crate::scenario::Scenario;

/// Arguments of `run`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plimsoll run scenarios/shop-peak.yaml
  plimsoll run scenarios/*.yaml --out results --format markdown > summary.md
  plimsoll run scenarios/llm-chat.yaml --policy static-8 --policy static-14 --seed 7
  plimsoll run scenarios/shop-peak.yaml --set metrics.lag=30s --set service.price='$0.05/h'")]
pub(super) struct RunArguments {
    #[command(flatten)]
    input: ScenarioArguments,
    /// Run only this policy (may be repeated).
    #[arg(long, value_name = "POLICY")]
    policy: Vec<String>,
    /// Seed; overrides the scenario's.
    #[arg(long)]
    seed: Option<u64>,
    /// Directory for the reports; each scenario gets its own subdirectory.
    #[arg(long, value_name = "DIR", default_value = "reports")]
    out: PathBuf,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Number of policies to run in parallel; the result does not depend on it. All cores by default.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Exit with 1 unless some policy meets every objective.
    #[arg(long)]
    fail_on_miss: bool,
    #[command(flatten)]
    time: AxisArgument,
    /// Print only the result: no progress, no warnings, no list of files.
    #[arg(long, short)]
    quiet: bool,
}

/// What axes of time show, as an argument of commands that draw.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct AxisArgument {
    /// Time axis of charts: calendar time where the workload has dates, or time since the start.
    #[arg(long, value_enum, default_value_t = TimeAxis::Calendar)]
    pub axis: TimeAxis,
}

/// What axes of time show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum TimeAxis {
    Calendar,
    Elapsed,
}

impl TimeAxis {
    /// What charts of the outcome show.
    pub(super) fn apply(self, outcome: &mut Outcome) {
        if self == TimeAxis::Elapsed {
            outcome.calendar = None;
        }
    }
}

pub(super) fn run(arguments: &RunArguments) -> Result<(), Failure> {
    let mut met = true;
    let mut outcomes = Vec::new();
    let mut run_all = || {
        for path in &arguments.input.scenarios {
            let outcome = run_one(path, arguments)?;
            met &= outcome.runs.iter().any(|run| report::meets_objectives(run) != Some(false));
            if arguments.format == Format::Json {
                outcomes.push(outcome);
            }
        }
        Ok(())
    };
    let ended: Result<(), Failure> = run_all();
    if !outcomes.is_empty() {
        say(&results_text(&Results::Run(run_results(&outcomes))))?;
    }
    ended?;
    if arguments.fail_on_miss && !met { Err(Failure::Judgement) } else { Ok(()) }
}

fn run_one(path: &Path, arguments: &RunArguments) -> Result<Outcome, Failure> {
    let mut found = Diagnostics::new();
    let scenario = Scenario::read(path, &arguments.input.set, &mut found);
    let Some(mut scenario) = scenario else { return Err(Failure::diagnostics(&found)) };
    if !found.is_empty() && !arguments.quiet {
        remark(&shown(&found));
    }
    if let Some(seed) = arguments.seed {
        scenario.seed = seed;
    }
    choose_policies(&mut scenario, &arguments.policy)?;
    memory::check(&scenario, arguments.threads)?;
    files::try_out(&arguments.out.join(&scenario.name))?;
    super::replication::find_warm_up(&mut scenario, arguments.threads, arguments.quiet)?;
    let progress = Bars::new(&scenario, arguments.quiet);
    let told = |policy: usize, share: f64| progress.tell(policy, share);
    let command = command_line(path, arguments);
    let outcome = experiment::run(&scenario, &command, arguments.threads, &told);
    progress.finish();
    let mut outcome = outcome.map_err(|error| Failure::Input(format!("error: {error}")))?;
    arguments.time.axis.apply(&mut outcome);
    if !arguments.quiet {
        outcome.warnings.iter().for_each(|said| remark(&format!("note: {said}")));
    }
    let artifacts = report::artifacts(&outcome).map_err(|error| Failure::Input(format!("error: {error}")))?;
    let written = files::write_report(&arguments.out.join(&scenario.name), "report", &artifacts)?;
    show(&outcome, arguments.format, &written, arguments.quiet)?;
    Ok(outcome)
}

/// Prints the table, unless the result is printed as JSON at the end, and which files were written.
pub(super) fn show(outcome: &Outcome, format: Format, written: &[PathBuf], quiet: bool) -> Result<(), Failure> {
    if format != Format::Json {
        say(&report::table(outcome, format.style()))?;
    }
    let paths: Vec<String> = written.iter().map(|path| format!("  {}", path.display())).collect();
    let wrote = format!("\nWrote {} files:\n{}", paths.len(), paths.join("\n"));
    match format {
        _ if quiet => Ok(()),
        Format::Table => say(&wrote),
        _ => {
            remark(&wrote);
            Ok(())
        }
    }
}

/// Columns of the terminal, or those that `COLUMNS` states; 100 where standard output is no terminal.
pub(super) fn terminal_width() -> u16 {
    let stated = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let own = || terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| width.0);
    stated.or_else(own).filter(|columns| *columns >= 40).unwrap_or(100)
}

/// Whether standard output may be coloured.
pub(super) fn coloured_output() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Keeps the policies asked for.
pub(super) fn choose_policies(scenario: &mut Scenario, wanted: &[String]) -> Result<(), Failure> {
    let known: Vec<String> = scenario.policies.iter().map(|plan| plan.label.clone()).collect();
    for name in wanted {
        if !known.contains(name) {
            let near = suggest(name, known.iter().map(String::as_str));
            let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            let list = known.join(", ");
            return Err(Failure::Input(format!(
                "error: {} has no policy `{name}`{hint}\nIt has: {list}",
                scenario.name
            )));
        }
    }
    if !wanted.is_empty() {
        scenario.policies.retain(|plan| wanted.contains(&plan.label));
    }
    Ok(())
}

/// The command that repeats this run.
fn command_line(path: &Path, arguments: &RunArguments) -> String {
    let mut words = vec!["plimsoll run".to_string(), shell_word(&path.display().to_string())];
    words.extend(arguments.policy.iter().map(|policy| format!("--policy {}", shell_word(policy))));
    words.extend(arguments.seed.map(|seed| format!("--seed {seed}")));
    words.extend(
        arguments.input.set.iter().map(|(path, value)| format!("--set {}", shell_word(&format!("{path}={value}")))),
    );
    words.join(" ")
}

/// Progress: bars on a terminal, one line per policy elsewhere.
struct Bars {
    bars: Vec<ProgressBar>,
    names: Vec<String>,
    plain: bool,
    done: Mutex<Vec<bool>>,
}

impl Bars {
    fn new(scenario: &Scenario, quiet: bool) -> Bars {
        let names: Vec<String> = scenario.policies.iter().map(|plan| plan.label.clone()).collect();
        let terminal = std::io::stderr().is_terminal();
        let target = if terminal && !quiet { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let multi = MultiProgress::with_draw_target(target);
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let template = format!("  {{msg:{width}}} [{{bar:40}}] {{percent:>3}}% {{eta}}");
        let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bars = names.iter().map(|name| {
            let bar = multi.add(ProgressBar::new(1000));
            bar.set_style(style.clone().progress_chars("=> "));
            bar.set_message(name.clone());
            bar
        });
        let bars = bars.collect();
        if !terminal && !quiet {
            remark(&format!(
                "{}: {} of simulated time, {} policies",
                scenario.name,
                scenario.duration.rounded(),
                names.len()
            ));
        }
        Bars { bars, done: Mutex::new(vec![false; names.len()]), names, plain: !terminal && !quiet }
    }

    fn tell(&self, policy: usize, share: f64) {
        self.bars[policy].set_position((share * 1000.0) as u64);
        if share < 1.0 || !self.plain {
            return;
        }
        if let Ok(mut done) = self.done.lock()
            && !std::mem::replace(&mut done[policy], true)
        {
            remark(&format!("  {} done", self.names[policy]));
        }
    }

    fn finish(&self) {
        self.bars.iter().for_each(ProgressBar::finish_and_clear);
    }
}
