//! The command: points are run, kept and summed up.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::super::arguments::{Format, path_and_value};
use super::super::failure::Failure;
use super::super::files;
use super::super::output::say;
use super::super::replication::ReplicationArguments;
use super::journal::{Contents, FileFormat, Journal};
use crate::experiment::{
    Axis, Design, PointResult, Points, ReplicationPlan, SweepTable, Watch, figures, sweep as run_points,
};
use crate::report::results::{RESULTS_VERSION, Results, SweepResults, TableResult, results_text};
use crate::report::{self, Artifact};
use crate::scenario::Scenario;
use crate::workload::sha256_hex;

/// Arguments of `sweep`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plimsoll sweep scenarios/shop-peak.yaml --vary service.concurrency=2..8 --vary metrics.lag=2s,30s --out sweep.csv
  plimsoll sweep scenarios/fraud-burst.yaml --vary policies.hpa-30.hpa.min=2..20/2 --out sweep.jsonl
  plimsoll sweep scenario.yaml --vary policies.ours.hpa.max=10..40/10 --vary policies.ours.headroom=0.8,1,1.25
  plimsoll sweep scenarios/shop-peak.yaml --vary service.timeout=1s..5s --vary service.queue-limit=20..100 \\
    --design one-at-a-time
  plimsoll sweep scenarios/shop-peak.yaml --vary service.timeout=1s..5s --vary service.queue-limit=20..100 \\
    --design latin-hypercube --points 40

What stands in a manifest is varied like what stands in the scenario: policies.NAME.hpa.min, max, target.cpu; headroom divides
every target of load. Points are appended to the file one by one, and a sweep that was interrupted goes on where it stopped: repeat the command.
At the end the best points and what matters most are printed; beside the file stand the same rows as Parquet, and
charts: heat maps of a grid, a tornado of what each value changes.")]
pub(crate) struct SweepArguments {
    /// The scenario.
    #[arg(value_name = "SCENARIO")]
    scenario: PathBuf,
    /// What to vary: PATH=1..10, PATH=10s..60s/10s or PATH=x,y (may be repeated).
    #[arg(long, required = true, value_name = "PATH=VALUES")]
    vary: Vec<Axis>,
    /// Which points to run: every combination, one value at a time, or a sample.
    #[arg(long, value_enum, default_value_t = DesignName::Grid)]
    design: DesignName,
    /// Points of a random or Latin hypercube design.
    #[arg(long, value_name = "N", default_value_t = 50)]
    points: usize,
    /// Override a value at every point (may be repeated).
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = path_and_value)]
    set: Vec<(String, String)>,
    /// The file of the results: CSV, or JSON Lines if it ends in .jsonl.
    #[arg(long, value_name = "FILE", default_value = "sweep.csv")]
    out: PathBuf,
    /// Form of the file; by its ending if left out.
    #[arg(long, value_enum)]
    file_format: Option<FileFormat>,
    /// Output format of the summary.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    replication: ReplicationArguments,
}

/// Points that are read before the first is run; further ones when their turn comes.
const MAX_CHECKED: usize = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DesignName {
    /// Every combination.
    Grid,
    /// The scenario as it is, then each value alone.
    OneAtATime,
    /// Independent draws.
    Random,
    /// A sample that is even along each axis.
    LatinHypercube,
}

impl From<DesignName> for Design {
    fn from(name: DesignName) -> Design {
        match name {
            DesignName::Grid => Design::Grid,
            DesignName::OneAtATime => Design::OneAtATime,
            DesignName::Random => Design::Random,
            DesignName::LatinHypercube => Design::LatinHypercube,
        }
    }
}

pub(crate) fn sweep(arguments: &SweepArguments) -> Result<(), Failure> {
    if arguments.out.extension().is_some_and(|ending| ending == "parquet") {
        let problem = "a Parquet file cannot be appended to, so an interrupted sweep would be lost";
        return Err(Failure::input(format!(
            "{problem}\nhelp: name a .csv file; the same rows appear beside it as Parquet"
        )));
    }
    files::refuse_output_as_file(&arguments.out)?;
    let plan = arguments.replication.plan()?;
    let base = arguments.replication.read(&arguments.scenario, &arguments.set)?;
    let points = Points::new(arguments.vary.clone(), arguments.design.into(), arguments.points, base.seed)
        .map_err(Failure::input)?;
    let figures = figures(&base);
    let identity = identity(arguments, &base, &plan);
    let policies: Vec<String> = base.policies.iter().map(|policy| policy.label.clone()).collect();
    let contents = Contents { points: &points, figures: &figures, policies, identity };
    let format = arguments.file_format.unwrap_or(FileFormat::of(&arguments.out));
    // Nothing is written before what is to be written is known to be valid.
    for point in 0..points.len().min(MAX_CHECKED) {
        arguments.replication.read_at(&points.set(point), &base)?;
    }
    let mut journal = Journal::open(&arguments.out, format, contents)?;
    run_missing(arguments, &base, &points, &plan, &mut journal)?;
    let mut table = SweepTable::of(&base, points.clone());
    journal.read_into(&mut table)?;
    conclude(arguments, &table)
}

/// Runs the points that are not in the journal yet.
fn run_missing(
    arguments: &SweepArguments,
    base: &Scenario,
    points: &Points,
    plan: &ReplicationPlan,
    journal: &mut Journal<'_>,
) -> Result<(), Failure> {
    let (all, done) = (points.len(), journal.done.min(points.len()));
    if done > 0 {
        arguments.replication.told(&format!("{}: {done} of {all} points are there already", arguments.out.display()));
    }
    let bar = arguments.replication.bar("points");
    bar.set_length(all as u64);
    bar.set_position(done as u64);
    bar.reset_eta();
    let read = |point: usize| arguments.replication.read_at(&points.set(point), base);
    let mut each = |result: PointResult| {
        journal.append(&result)?;
        bar.inc(1);
        Ok(())
    };
    let outcome = run_points(done..all, plan, &read, &mut each, &Watch::nobody());
    bar.finish_and_clear();
    outcome
}

/// Prints the summary and writes what stands beside the file.
fn conclude(arguments: &SweepArguments, table: &SweepTable) -> Result<(), Failure> {
    match arguments.format {
        Format::Json => say(&results_text(&Results::Sweep(SweepResults {
            version: RESULTS_VERSION,
            file: arguments.out.display().to_string(),
            points: table.points.len(),
            policies: table.policies.clone(),
            summary: report::sweep_summary(table).into_iter().map(table_result).collect(),
        })))?,
        _ => {
            for grid in report::sweep_summary(table) {
                say(&grid.text(arguments.format.style()))?;
            }
        }
    }
    let directory = arguments.out.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let stem = arguments.out.file_stem().map_or_else(|| "sweep".into(), |stem| stem.to_string_lossy().into_owned());
    let artifacts = report::sweep_artifacts(table, &stem).map_err(Failure::input)?;
    arguments.replication.told(&format!(
        "{}: {} points, {} rows",
        arguments.out.display(),
        table.points.len(),
        table.points.len() * table.policies.len()
    ));
    let (charts, tables): (Vec<Artifact>, Vec<Artifact>) = artifacts.into_iter().partition(is_picture);
    for path in files::write_all(directory, &tables)? {
        arguments.replication.told(&path.display().to_string());
    }
    if !charts.is_empty() {
        let directory = directory.join(format!("{stem}-charts"));
        files::write_report(&directory, "sweep", &charts)?;
        arguments.replication.told(&format!("{}: {} files", directory.display(), charts.len()));
    }
    Ok(())
}

fn table_result(grid: report::Grid) -> TableResult {
    TableResult { columns: grid.header, rows: grid.rows, notes: grid.notes }
}

fn is_picture(artifact: &Artifact) -> bool {
    artifact.name.ends_with(".svg") || artifact.name.ends_with(".png")
}

/// A short checksum of all that decides the rows: the scenario's texts, manifests and traces, what is varied and how often.
fn identity(arguments: &SweepArguments, base: &Scenario, plan: &ReplicationPlan) -> String {
    let mut facts = format!("{} {:?} {:?}", env!("CARGO_PKG_VERSION"), arguments.vary, arguments.set);
    facts += &format!(" {:?} {}", arguments.design, arguments.points);
    facts += &format!(" {} {:?} {} {} {}", plan.replications, plan.precision, plan.most, plan.level, base.seed);
    for source in &base.sources {
        facts += &sha256_hex(source.text().as_bytes());
    }
    for file in base.services.iter().filter_map(|service| service.workload.inputs().ok()).flatten() {
        facts += &file.sha256;
    }
    sha256_hex(facts.as_bytes())[..12].to_string()
}
