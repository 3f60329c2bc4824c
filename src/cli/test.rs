//! `plimsoll test`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::replication::{ReplicationArguments, arms};
use super::{Failure, files, path_and_value, remark, say, shown};
use crate::config::{Diagnostics, MAX_YAML_BYTES, Node, SourceFile, parse_single};
use crate::engine::scenario::Scenario;
use crate::experiment::{Baseline, Replicated, expectations, replicate};
use crate::report::{self, Artifact, TableStyle, TestedScenario};
use crate::units::Fraction;

/// Arguments of `test`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plimsoll test
  plimsoll test policy-tests --junit junit.xml --format github
  plimsoll test policy-tests/checkout.yaml --bless

A scenario is tested if it has an `expect:` list or a baseline beside it (NAME.baseline.json, written by --bless).
Exit codes: 0 all hold, 1 some do not, 2 bad input.")]
pub(super) struct TestArguments {
    /// Scenarios, and directories searched for them.
    #[arg(value_name = "PATH", default_value = "policy-tests")]
    paths: Vec<PathBuf>,
    /// Change a value in every scenario (may be repeated).
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = path_and_value)]
    set: Vec<(String, String)>,
    /// Write what is found as the new baseline, beside each scenario.
    #[arg(long)]
    bless: bool,
    /// How much worse than the baseline cost and p99 may be, and of the error budget the attainment.
    #[arg(long, value_name = "SHARE", default_value = "2%")]
    margin: Fraction,
    /// Fail also where the interval reaches over the limit.
    #[arg(long)]
    certain: bool,
    /// Also write JUnit XML to this file.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Form of the result on standard output.
    #[arg(long, value_enum, default_value_t = TestFormat::Table)]
    format: TestFormat,
    #[command(flatten)]
    replication: ReplicationArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TestFormat {
    Table,
    Json,
    Markdown,
    Junit,
    Github,
}

pub(super) fn test(arguments: &TestArguments) -> Result<(), Failure> {
    let scenarios = scenario_files(&arguments.paths, arguments.bless)?;
    let (mut tested, mut refused) = (Vec::new(), Vec::new());
    for path in &scenarios {
        match test_one(path, arguments) {
            Ok(scenario) => tested.push(scenario),
            Err(Failure::Input(text)) => refused.push(text),
            Err(other) => return Err(other),
        }
    }
    if arguments.certain {
        tested.iter_mut().flat_map(|scenario| &mut scenario.checks).for_each(|check| check.passed &= check.certain);
    }
    if let Some(path) = &arguments.junit {
        write_file(path, report::junit(&tested))?;
    }
    if !tested.is_empty() {
        say(&rendered(&tested, arguments.format))?;
    }
    if !refused.is_empty() {
        return Err(Failure::Input(refused.join("\n\n")));
    }
    let failed = tested.iter().flat_map(|scenario| &scenario.checks).any(|check| !check.passed);
    if failed { Err(Failure::Judgement) } else { Ok(()) }
}

fn rendered(tested: &[TestedScenario], format: TestFormat) -> String {
    let grid = report::policy_tests(tested);
    match format {
        TestFormat::Table => grid.text(TableStyle::Terminal { width: super::run::terminal_width(), color: false }),
        TestFormat::Json => grid.text(TableStyle::Json),
        TestFormat::Markdown => grid.text(TableStyle::Markdown),
        TestFormat::Junit => report::junit(tested),
        TestFormat::Github => format!("{}{}", report::github_annotations(tested), grid.notes.join("\n")),
    }
}

/// Replicates a scenario and judges it.
fn test_one(path: &Path, arguments: &TestArguments) -> Result<TestedScenario, Failure> {
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
    let result = replicate(&arms(&scenario), &plan, &told);
    bar.finish_and_clear();
    let result = result?;
    let mut checks: Vec<_> = expected.iter().flat_map(|expectation| expectation.judge(&result)).collect();
    checks.extend(against_baseline(path, &scenario, &result, arguments)?);
    let (name, path) = (scenario.name.clone(), path.display().to_string());
    Ok(TestedScenario { name, path, replications: result.replications, checks })
}

/// Writes the baseline if asked to, else holds the figures against the one that is there, if any.
fn against_baseline(
    path: &Path,
    scenario: &Scenario,
    result: &Replicated,
    arguments: &TestArguments,
) -> Result<Vec<crate::experiment::Check>, Failure> {
    let file = baseline_path(path);
    let fail = |problem: &dyn std::fmt::Display| {
        Failure::Input(format!("error: {}: {problem}\nhelp: --bless writes it anew", file.display()))
    };
    if arguments.bless {
        let text = serde_json::to_string_pretty(&Baseline::of(scenario, result)).map_err(|error| fail(&error))?;
        write_file(&file, text + "\n")?;
        remark(&format!("wrote {}", file.display()));
        return Ok(Vec::new());
    }
    if !file.exists() {
        return Ok(Vec::new());
    }
    let text = std::fs::read_to_string(&file).map_err(|error| fail(&error))?;
    let baseline: Baseline = serde_json::from_str(&text).map_err(|error| fail(&error))?;
    baseline.check(scenario, result, arguments.margin.get()).map_err(|problem| fail(&problem))
}

fn baseline_path(path: &Path) -> PathBuf {
    path.with_extension("baseline.json")
}

/// Writes a file whole or not at all.
fn write_file(path: &Path, text: String) -> Result<(), Failure> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.ok_or_else(|| Failure::Input(format!("error: {} is not the name of a file", path.display())))?;
    files::write_all(directory, &[Artifact::new(name, text)]).map(|_| ())
}

/// The scenarios named and those in the directories named, in order of their names. In a directory only YAML files count
/// that expect something or have a baseline: manifests lie there too.
fn scenario_files(paths: &[PathBuf], blessing: bool) -> Result<Vec<PathBuf>, Failure> {
    let mut all = Vec::new();
    for path in paths {
        if path.is_dir() {
            collect(path, &mut all)?;
        } else if path.exists() && !blessing && !expects_or_unreadable(path) {
            let name = path.display();
            let problem = format!("error: {name} has neither `expect:` nor a baseline (--bless writes one)");
            return Err(Failure::Input(problem));
        } else {
            all.push(path.clone());
        }
    }
    match all.is_empty() {
        true => Err(Failure::Input("error: no scenario with `expect:` was found".into())),
        false => Ok(all),
    }
}

fn collect(directory: &Path, all: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let fail = |error: std::io::Error| Failure::Input(format!("error: {}: {error}", directory.display()));
    let entries: Result<Vec<_>, _> = std::fs::read_dir(directory).map_err(fail)?.collect();
    let mut paths: Vec<PathBuf> = entries.map_err(fail)?.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let is_link = path.is_symlink();
        if path.is_dir() && !is_link {
            collect(&path, all)?;
        } else if path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml") && is_test(&path) {
            all.push(path);
        }
    }
    Ok(())
}

/// Whether the file expects something or has a baseline.
fn is_test(path: &Path) -> bool {
    root(path).is_some_and(|root| root.get("expect").is_some()) || baseline_path(path).exists()
}

/// As [`is_test`]; what cannot be read is left to the scenario reader to explain, and so is what another scenario states.
fn expects_or_unreadable(path: &Path) -> bool {
    is_test(path) || root(path).is_none_or(|root| root.get("extends").is_some())
}

fn root(path: &Path) -> Option<Node> {
    SourceFile::read(path, MAX_YAML_BYTES).and_then(|source| parse_single(&source)).ok()
}
