//! The commands, and what the program does with its arguments.

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use super::failure::Failure;
use super::output::say;
use super::terminal::{be_quiet, remark};
use super::trace;
use super::{
    bench, capacity, catalog, check, compare, forecast, list, man, memory, new, optimize, plan, report, run, schema,
    sweep, test, train, verify, whatif,
};
use crate::config::remove_temporaries;
use crate::units::Bytes;

/// Capacity planning by simulation: replay real traffic against a modelled cluster under a scaling policy.
#[derive(Debug, Parser)]
#[command(name = "plimsoll", version, max_term_width = 100, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Memory that a run may use, such as 8Gi; half of the machine by default. A run that needs more is refused before it starts.
    #[arg(long, global = true, value_name = "SIZE")]
    max_memory: Option<Bytes>,
    /// Print nothing on standard error but errors.
    #[arg(long, short, global = true)]
    quiet: bool,
}

const EXAMPLES: &str = "Examples:
  plimsoll new shop
  plimsoll run scenarios/shop-peak.yaml
  plimsoll run scenarios/shop-peak.yaml --policy hpa-60 --set service.concurrency=8
  plimsoll check scenarios/*.yaml
  plimsoll list policies

Exit codes: 0 success, 1 a check failed (objective, expectation or regression), 2 bad input or usage, 3 internal error.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a commented scenario to start from: a shop, a chat model, a game, or one for your own manifests.
    New(new::NewArguments),
    /// Run every policy of a scenario, compare them side by side and write a report.
    Run(run::RunArguments),
    /// Regenerate reports from stored results, or merge several runs into one report, without running anything.
    Report(report::ReportArguments),
    /// Compare the policies of a scenario over replications, with confidence intervals and verdicts.
    Compare(compare::CompareArguments),
    /// Find the cheapest policy, headroom and variation that meets the objectives, and write the changes to your manifests.
    Plan(plan::PlanArguments),
    /// Apply changes, each alone and all together, and show the effect on each policy.
    Whatif(whatif::WhatifArguments),
    /// Find how much traffic each policy carries before an objective breaks.
    Capacity(capacity::CapacityArguments),
    /// Run a grid of variations into a file; an interrupted sweep resumes where it stopped.
    Sweep(sweep::SweepArguments),
    /// Train a learning policy and compare it with the others on runs it was not trained on.
    Train(train::TrainArguments),
    /// Test policies against the expectations of scenarios and step-by-step stories, and against a baseline.
    Test(test::TestArguments),
    /// Validate scenarios and report what is wrong with them, without running them.
    Check(check::CheckArguments),
    /// List what a scenario can name: policies, dispatchers, trace formats and so on.
    List(list::ListArguments),
    /// Search the catalogue of prices: instances by size, GPU and region; functions, containers, network.
    Catalog(catalog::CatalogArguments),
    /// Inspect, convert, reshape or generate a trace, or fit a generator to it.
    Trace(Box<trace::TraceArguments>),
    /// Backtest forecasting models on a trace, side by side.
    Forecast(Box<forecast::ForecastArguments>),
    /// Find the cheapest capacity for a demand.
    Optimize(optimize::OptimizeArguments),
    /// Verify the simulator against exact solutions from queueing theory.
    Verify(verify::VerifyArguments),
    /// Measure CPU and wall time per request on this machine, and compare with a stored run.
    Bench(bench::BenchArguments),
    /// Print the JSON Schema of scenarios, stories or results, for editors and scripts.
    Schema(schema::SchemaArguments),
    /// Print the manual page, or write the pages of all commands.
    Man(man::ManArguments),
    /// Print a completion script for a shell.
    #[command(after_help = "Example:\n  plimsoll completions bash > /etc/bash_completion.d/plimsoll")]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Runs the program on the process's arguments.
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        if is_decoding() {
            return;
        }
        remark(&format!(
            "internal error: {panic}\nThis is a bug of plimsoll: please report it with the scenario and the seed."
        ));
    }));
    clean_up_when_interrupted();
    match std::panic::catch_unwind(dispatch) {
        Ok(code) => code,
        Err(_) => ExitCode::from(3),
    }
}

/// On Ctrl-C or a request to end: takes temporary files away, then ends as the signal asks.
#[cfg(unix)]
fn clean_up_when_interrupted() {
    use signal_hook::consts::{SIGINT, SIGTERM};
    // What the process was started to ignore, as shells do for jobs in the background, it goes on ignoring.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    let heeded = [SIGINT, SIGTERM].into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0);
    let Ok(mut signals) = signal_hook::iterator::Signals::new(heeded) else { return };
    let wait = move || {
        if let Some(signal) = signals.forever().next() {
            remove_temporaries();
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    };
    let _ = std::thread::Builder::new().name("signals".into()).spawn(wait);
}

#[cfg(not(unix))]
fn clean_up_when_interrupted() {
    // Nothing is caught: what is left is swept up by the next run.
    let _ = remove_temporaries;
}

/// Whether a damaged file is being decoded, of which a panic is told as an error of that file.
fn is_decoding() -> bool {
    #[cfg(feature = "tables")]
    return crate::columnar::is_decoding();
    #[cfg(not(feature = "tables"))]
    false
}

/// Adds the most similar command to the error about an unknown one, where the parser found none.
fn suggest_command(error: &mut clap::Error) {
    use clap::error::{ContextKind, ContextValue};
    let Some(ContextValue::String(unknown)) = error.get(ContextKind::InvalidSubcommand) else { return };
    if error
        .get(ContextKind::SuggestedSubcommand)
        .is_some_and(|known| !matches!(known, ContextValue::Strings(all) if all.is_empty()))
    {
        return;
    }
    let mut command = Arguments::command();
    for word in std::env::args().skip(1) {
        if let Some(inner) = command.find_subcommand(&word).cloned() {
            command = inner;
        }
    }
    let names: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
    if let Some(near) = crate::config::suggest(unknown, names) {
        let near = ContextValue::Strings(vec![near.to_string()]);
        error.insert(ContextKind::SuggestedSubcommand, near);
    }
}

fn dispatch() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(mut error) => {
            suggest_command(&mut error);
            let printed = error.print().and_then(|()| std::io::stdout().flush());
            return match printed {
                Err(problem) if !error.use_stderr() && problem.kind() != std::io::ErrorKind::BrokenPipe => {
                    remark(&format!("error: standard output: {problem}"));
                    ExitCode::from(2)
                }
                _ => ExitCode::from(if error.use_stderr() { 2 } else { 0 }),
            };
        }
    };
    memory::state(arguments.max_memory);
    be_quiet(arguments.quiet);
    let result = match arguments.command {
        Command::New(arguments) => new::new(&arguments),
        Command::Run(arguments) => run::run(&arguments),
        Command::Report(arguments) => report::report(&arguments),
        Command::Compare(arguments) => compare::compare(&arguments),
        Command::Plan(arguments) => plan::plan(&arguments),
        Command::Whatif(arguments) => whatif::whatif(&arguments),
        Command::Capacity(arguments) => capacity::capacity(&arguments),
        Command::Sweep(arguments) => sweep::sweep(&arguments),
        Command::Train(arguments) => train::train(&arguments),
        Command::Test(arguments) => test::test(&arguments),
        Command::Check(arguments) => check::check(&arguments),
        Command::List(arguments) => list::list(&arguments),
        Command::Catalog(arguments) => catalog::catalog(&arguments),
        Command::Trace(arguments) => trace::trace(&arguments),
        Command::Forecast(arguments) => forecast::forecast(&arguments),
        Command::Optimize(arguments) => optimize::optimize(&arguments),
        Command::Verify(arguments) => verify::verify(&arguments),
        Command::Bench(arguments) => bench::bench(&arguments),
        Command::Schema(arguments) => schema::schema(&arguments),
        Command::Man(arguments) => man::man(&arguments, Arguments::command()),
        Command::Completions { shell } => completions(shell),
    };
    match result {
        Ok(()) | Err(Failure::BrokenPipe) => ExitCode::SUCCESS,
        Err(Failure::Judgement) => ExitCode::from(1),
        Err(Failure::Input(text)) => {
            remark(&text);
            ExitCode::from(2)
        }
    }
}

fn completions(shell: clap_complete::Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "plimsoll", &mut script);
    say(&String::from_utf8_lossy(&script))
}
