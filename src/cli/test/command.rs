//! The command: what is tested, judged and written.

use super::find;
use std::path::{Path, PathBuf};

use clap::Args;

use super::super::arguments::{AxisArgument, path_and_value};
use super::super::failure::Failure;
use super::super::files;
use super::super::output::say;
use super::super::replication::ReplicationArguments;
use super::super::terminal::{note, remark, shown};
use super::draw::Drawings;
use super::find::is_story;
use super::forms::{Form, form_and_file, rendered};
use crate::config::spool::is_stream;
use crate::config::{Diagnostics, SourceFile};
use crate::experiment::{self, Baseline, Check, Replicated, Story, expectations, judge, replicate};
use crate::report::{Held, Tested};
use crate::scenario::Scenario;
use crate::units::Fraction;

/// Arguments of `test`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plimsoll test
  plimsoll test policy-tests --format github --output junit=junit.xml --output markdown=comment.md
  plimsoll test policy-tests/checkout.yaml --bless
  plimsoll test policy-tests/morning-rush.yaml --charts charts

A scenario is tested if it has an `expect:` list or a baseline beside it (NAME.baseline.json, written by --bless); a file that begins
with `story:` tells a policy step by step what it sees and what it must decide, without a cluster.
Exit codes: 0 all hold, 1 some do not, 2 bad input.")]
pub(crate) struct TestArguments {
    /// Scenarios and stories, and directories searched for them.
    #[arg(value_name = "PATH", default_value = "policy-tests")]
    paths: Vec<PathBuf>,
    /// Change a value in every scenario (may be repeated).
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = path_and_value)]
    set: Vec<(String, String)>,
    /// Write what is found as the new baseline, beside each scenario, and show what changed.
    #[arg(long)]
    bless: bool,
    /// How much worse than the baseline cost and p99 may be, and of the error budget the attainment.
    #[arg(long, value_name = "SHARE", default_value = "2%")]
    margin: Fraction,
    /// Fail also where the interval reaches over the limit.
    #[arg(long)]
    certain: bool,
    /// Also write the result to a file in one of the forms of --format (may be repeated).
    #[arg(long, value_name = "FORM=FILE", value_parser = form_and_file)]
    output: Vec<(Form, PathBuf)>,
    /// Also write JUnit XML to this file; the same as --output junit=FILE.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Also draw the tests into this directory, SVG and PNG: of a story each metric against its target and the size wished for
    /// and decided; of a scenario the charts of `run`, of its first replication, in a directory of its own.
    #[arg(long, value_name = "DIR")]
    charts: Option<PathBuf>,
    #[command(flatten)]
    time: AxisArgument,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Form::Table)]
    format: Form,
    #[command(flatten)]
    replication: ReplicationArguments,
}

pub(crate) fn test(arguments: &TestArguments) -> Result<(), Failure> {
    let paths = find::test_files(&arguments.paths, arguments.bless)?;
    let (mut tested, mut refused) = (Vec::new(), Vec::new());
    let mut drawings = Drawings::new(arguments.charts.as_deref())?;
    for path in &paths {
        let begun = std::time::Instant::now();
        let one = match is_story(path) {
            true => test_story(path, arguments, &mut drawings),
            false => test_scenario(path, arguments, &mut drawings),
        };
        match one {
            Ok(one) => tested.push(Tested { seconds: begun.elapsed().as_secs_f64(), ..one }),
            Err(Failure::Input(text)) => refused.push(text),
            Err(other) => return Err(other),
        }
    }
    if arguments.certain {
        tested.iter_mut().flat_map(|one| &mut one.cases).for_each(|case| case.passed &= case.certain);
    }
    let junit = arguments.junit.as_ref().map(|path| (Form::Junit, path.clone()));
    for (form, path) in arguments.output.iter().cloned().chain(junit) {
        files::write_one(&path, rendered(&tested, form, arguments.bless))?;
    }
    if !tested.is_empty() {
        say(&rendered(&tested, arguments.format, arguments.bless))?;
    }
    if !refused.is_empty() {
        return Err(Failure::Input(refused.join("\n\n")));
    }
    let failed = tested.iter().flat_map(|one| &one.cases).any(|case| !case.passed);
    if failed { Err(Failure::Judgement) } else { Ok(()) }
}

/// Tells a story to its policy.
fn test_story(path: &Path, arguments: &TestArguments, drawings: &mut Drawings<'_>) -> Result<Tested, Failure> {
    let mut found = Diagnostics::new();
    let story = Story::read(path, &[], &mut found);
    let Some(story) = story else { return Err(Failure::diagnostics(&found)) };
    if !found.is_empty() && !arguments.replication.quiet {
        remark(&shown(&found));
    }
    let telling = story.tell().map_err(|diagnostic| Failure::diagnostics(&(*diagnostic).into()))?;
    if !arguments.replication.quiet {
        telling.remarks.iter().for_each(|words| remark(&format!("note: {words}")));
    }
    drawings.story(path, &story, &telling)?;
    Ok(Tested::story(&story, &telling))
}

/// Replicates a scenario and judges it.
fn test_scenario(path: &Path, arguments: &TestArguments, drawings: &mut Drawings<'_>) -> Result<Tested, Failure> {
    let plan = arguments.replication.plan()?;
    let scenario = arguments.replication.read(path, &arguments.set)?;
    let mut found = Diagnostics::new();
    let expected = expectations(&scenario, &mut found);
    if found.has_errors() {
        return Err(Failure::Input(shown(&found)));
    }
    let bar = arguments.replication.bar(&scenario.name);
    let told = |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    };
    let result = replicate(&experiment::arms(&scenario), &plan, &told);
    bar.finish_and_clear();
    let result = result?;
    let judged = judge(&expected, &scenario, &result, plan.threads);
    let mut checks = judged.map_err(|diagnostic| Failure::diagnostics(&(*diagnostic).into()))?;
    let (against, held) = beside_baseline(path, &scenario, &result, arguments)?;
    checks.extend(against);
    drawings.scenario(path, &scenario, plan.threads, arguments.time.axis)?;
    Ok(Tested::scenario(&scenario.name, &path.display().to_string(), &result, &checks, held))
}

/// The most bytes of a baseline: two policies of a hundred replications have 20 kB.
const LARGEST_BASELINE: u64 = 64 << 20;

/// Holds the figures against the baseline that is there, if any; where a new one is asked for it is written instead.
fn beside_baseline(
    path: &Path,
    scenario: &Scenario,
    result: &Replicated,
    arguments: &TestArguments,
) -> Result<(Vec<Check>, Option<Held>), Failure> {
    if is_stream(path) {
        let why = "standard input has no place beside it for a baseline; name the scenario by its file";
        return if arguments.bless { Err(Failure::input(why)) } else { Ok((Vec::new(), None)) };
    }
    let file = Baseline::beside(path);
    let fail = |problem: &dyn std::fmt::Display| {
        Failure::input(format!("{}: {problem}\nhelp: --bless writes it anew", file.display()))
    };
    let read = || SourceFile::read(&file, LARGEST_BASELINE).map_err(|problem| Failure::diagnostics(&(*problem).into()));
    let source = file.exists().then(read).transpose()?;
    let text = source.as_ref().map(|source| source.text().to_string());
    let before = text.as_ref().map(|text| Baseline::parse(text));
    let now = Baseline::of(scenario, result);
    // What replaces a baseline that cannot be read, or has other random numbers, is new.
    let known = before.as_ref().and_then(|before| before.as_ref().ok()).filter(|before| before.seed == now.seed);
    let nothing = Baseline { seed: now.seed, policies: Default::default() };
    let changes = now.changes(known.unwrap_or(&nothing), &result.figures);
    let held = Held { path: file.display().to_string(), changes, is_new: known.is_none() };
    if arguments.bless {
        if text.as_ref() != Some(&now.text()) {
            files::write_one(&file, now.text())?;
            note(&format!("wrote {}", file.display()));
        }
        return Ok((Vec::new(), Some(held)));
    }
    let Some(before) = before else { return Ok((Vec::new(), None)) };
    let before = before.map_err(|problem| fail(&problem))?;
    let checks = before.check(scenario, result, arguments.margin.get()).map_err(|problem| fail(&problem))?;
    Ok((checks, Some(held)))
}
