//! What every command that replicates has in common: its arguments, its progress, how it reads scenarios.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::failure::Failure;
use super::memory;
use super::terminal::{remark, shown};
use crate::config::{Diagnostics, near_miss};
use crate::experiment::{self, OutOfReach, ReplicationPlan, Watch, out_of_reach, requests_per_run, settle};
use crate::report::count as text_count;
use crate::scenario::Scenario;
use crate::units::Fraction;

/// How often to run, and how to say it.
#[derive(Debug, Clone, Args)]
pub(super) struct ReplicationArguments {
    /// Replications of each policy; the minimum with --precision.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub replications: u64,
    /// Add replications until the confidence intervals of cost and p99 are within this share of their means.
    #[arg(long, value_name = "SHARE")]
    pub precision: Option<Fraction>,
    /// Maximum number of replications with --precision.
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub most: u64,
    /// Confidence level of the intervals.
    #[arg(long, value_name = "SHARE", default_value = "95%", value_parser = level)]
    pub level: Fraction,
    /// Seed; overrides the scenario's.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Number of parallel runs; the result does not depend on it. All cores by default.
    #[arg(long, default_value_t = 0)]
    pub threads: usize,
    /// Print only the result: no progress, no warnings, no list of files.
    #[arg(long, short)]
    pub quiet: bool,
}

fn level(text: &str) -> Result<Fraction, String> {
    let level: Fraction = text.parse().map_err(|error: crate::units::UnitError| error.to_string())?;
    if (0.5..1.0).contains(&level.get()) { Ok(level) } else { Err("expected a level from 50% to below 100%".into()) }
}

impl ReplicationArguments {
    /// The plan asked for.
    pub(super) fn plan(&self) -> Result<ReplicationPlan, Failure> {
        let precision = self.precision.map(Fraction::get);
        if precision == Some(0.0) {
            return Err(Failure::input("a precision of 0% is never reached; ask for more than 0%"));
        }
        let (replications, most, level) = (self.replications, self.most, self.level.get());
        Ok(ReplicationPlan { first: 0, replications, precision, most, level, threads: self.threads })
    }

    /// Reads a scenario, says what it objects to, and puts the seed asked for in its place.
    pub(super) fn read(&self, path: &Path, set: &[(String, String)]) -> Result<Scenario, Failure> {
        let mut scenario = read_scenario(path, set, self.quiet)?;
        memory::check(&scenario, self.threads)?;
        scenario.seed = self.seed.unwrap_or(scenario.seed);
        find_warm_up(&mut scenario, self.threads, self.quiet)?;
        Ok(scenario)
    }

    /// Reads the variation of `base` that has `point` set as well. What the scenario objects to has been said of the base.
    pub(super) fn read_at(&self, point: &[(String, String)], base: &Scenario) -> Result<Scenario, Failure> {
        let scenario = base.with(point).map_err(|found| {
            // The user wrote these as --vary.
            let text = shown(&found.without_warnings());
            let renamed = |text: String, (path, _): &(String, String)| {
                text.replace(&format!("--set {path}"), &format!("--vary {path}"))
            };
            Failure::Input(point.iter().fold(text, renamed))
        })?;
        memory::check(&scenario, self.threads)?;
        Ok(scenario)
    }

    /// Says something on standard error, unless it is to be quiet.
    pub(super) fn told(&self, text: &str) {
        if !self.quiet {
            remark(text);
        }
    }

    /// Progress that counts `what`: a bar on a terminal, elsewhere a line now and then.
    pub(super) fn bar(&self, what: &str) -> Progress {
        let terminal = std::io::stderr().is_terminal();
        let target = if terminal && !self.quiet { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let template = format!("  [{{bar:40}}] {{pos}}/{{len}} {what}, {{eta}} left");
        let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(Some(0), target).with_style(style.progress_chars("=> "));
        let lines = (!terminal && !self.quiet).then(|| Mutex::new(Instant::now()));
        Progress { bar, what: what.to_string(), lines }
    }

    /// The progress of a study that first counts `what`.
    pub(super) fn study_bar(&self, what: &str) -> StudyBar<'_> {
        StudyBar { arguments: self, current: Mutex::new(self.bar(what)) }
    }

    /// Says beforehand about how many runs a search takes, and how many requests one of `scenario` has.
    pub(super) fn tell_volume(&self, scenario: &Scenario, runs: u64, added: &str) {
        if self.quiet {
            return;
        }
        let requests = requests_per_run(scenario).map_or(String::new(), |one| format!(" of {} requests", count(one)));
        remark(&format!("{}: about {} runs{requests}{added}", scenario.name, count(runs)));
    }
}

/// A number as it is said roughly: two digits, with separators.
fn count(exact: u64) -> String {
    let unit = 10u64.pow(exact.checked_ilog10().unwrap_or(0).saturating_sub(1));
    text_count((exact + unit / 2) / unit * unit)
}

/// Time between two lines of progress.
const BETWEEN_LINES: Duration = Duration::from_secs(10);

/// How far a command is.
pub(super) struct Progress {
    bar: ProgressBar,
    what: String,
    /// When the last line was written, where lines are written.
    lines: Option<Mutex<Instant>>,
}

impl Progress {
    pub(super) fn inc(&self, more: u64) {
        self.bar.inc(more);
        self.line();
    }

    pub(super) fn set_position(&self, done: u64) {
        self.bar.set_position(done);
        self.line();
    }

    pub(super) fn set_length(&self, all: u64) {
        self.bar.set_length(all);
    }

    pub(super) fn reset_eta(&self) {
        self.bar.reset_eta();
    }

    pub(super) fn finish_and_clear(&self) {
        self.bar.finish_and_clear();
    }

    /// Writes a line if the last one is some time ago.
    fn line(&self) {
        let Some(Ok(mut last)) = self.lines.as_ref().map(Mutex::lock) else { return };
        if last.elapsed() < BETWEEN_LINES {
            return;
        }
        *last = Instant::now();
        let all = self.bar.length().filter(|all| *all > 0).map_or(String::new(), |all| format!("/{all}"));
        let seconds = self.bar.elapsed().as_secs();
        remark(&format!("  {}{all} {} after {seconds} s", self.bar.position(), self.what));
    }
}

/// How far a study is: a bar for each thing that it counts, one after the other.
pub(super) struct StudyBar<'a> {
    arguments: &'a ReplicationArguments,
    current: Mutex<Progress>,
}

impl StudyBar<'_> {
    /// Shows what a study tells, and lets it go on.
    pub(super) fn told(&self, progress: experiment::Progress<'_>) -> ControlFlow<()> {
        if let experiment::Progress::Done { what, done, all } = progress
            && let Ok(mut bar) = self.current.lock()
        {
            if bar.what != what {
                bar.finish_and_clear();
                *bar = self.arguments.bar(what);
            }
            all.iter().for_each(|all| bar.set_length(*all));
            bar.set_position(done);
        }
        ControlFlow::Continue(())
    }

    /// Runs a study, and removes the bar at its end.
    pub(super) fn watch<T>(self, study: impl FnOnce(&Watch<'_>) -> T) -> T {
        let result = study(&Watch::new(&|progress| self.told(progress)));
        if let Ok(bar) = self.current.lock() {
            bar.finish_and_clear();
        }
        result
    }
}

/// Reads a scenario and says what it objects to.
pub(super) fn read_scenario(path: &Path, set: &[(String, String)], quiet: bool) -> Result<Scenario, Failure> {
    let mut found = Diagnostics::new();
    let scenario = Scenario::read(path, set, &mut found);
    let Some(scenario) = scenario else { return Err(Failure::diagnostics(&found)) };
    if !found.is_empty() && !quiet {
        remark(&shown(&found));
    }
    memory::check(&scenario, 1)?;
    Ok(scenario)
}

/// Finds the warm-up where the scenario says `warm-up: auto`, and tells what was found.
pub(super) fn find_warm_up(scenario: &mut Scenario, threads: usize, quiet: bool) -> Result<(), Failure> {
    let found = settle(scenario, threads).map_err(Failure::input)?;
    let Some(longest) = found.iter().max_by_key(|transient| transient.length).filter(|_| !quiet) else { return Ok(()) };
    let (policy, length) = (&longest.policy, scenario.warm_up);
    remark(&match found.iter().all(|transient| transient.settled) {
        true => format!("warm-up: {length}, the initial transient of {policy}"),
        false => format!("warning: {policy} never settles; the warm-up is {length}, half of the run"),
    });
    Ok(())
}

/// Says which objectives are missed whatever the number of replicas, because service alone takes too long.
pub(super) fn tell_out_of_reach(scenario: &Scenario, quiet: bool) -> Result<(), Failure> {
    let found = out_of_reach(scenario).map_err(Failure::input)?;
    found.iter().filter(|_| !quiet).for_each(|of| remark(&of.text()));
    Ok(())
}

/// Why no policy of a scenario can meet its objectives, whatever is searched; `None` where that is not certain.
pub(super) fn forbidden(scenario: &Scenario) -> Result<Option<String>, Failure> {
    let found = out_of_reach(scenario).map_err(Failure::input)?;
    Ok(found.iter().find(|of| of.certain).map(OutOfReach::text))
}

/// Something that turns while `what` is done, where nothing tells how long it takes.
pub(super) fn spinner(quiet: bool, what: &str) -> ProgressBar {
    let visible = std::io::stderr().is_terminal() && !quiet;
    let target = if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let style = ProgressStyle::with_template("  {spinner} {msg}, {elapsed}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_spinner());
    let turning = ProgressBar::with_draw_target(None, target).with_style(style).with_message(what.to_owned());
    turning.enable_steady_tick(std::time::Duration::from_millis(200));
    turning
}

/// Index of the policy called `label`.
pub(super) fn policy_index(scenario: &Scenario, label: &str) -> Result<usize, Failure> {
    let labels: Vec<&str> = scenario.policies.iter().map(|plan| plan.label.as_str()).collect();
    labels.iter().position(|known| *known == label).ok_or_else(|| {
        let hint = near_miss(label, labels.iter().copied());
        let (name, list) = (&scenario.name, labels.join(", "));
        Failure::input(format!("{name} has no policy `{label}`{hint}\nIt has: {list}"))
    })
}
