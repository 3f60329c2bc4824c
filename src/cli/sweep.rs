//! `plimsoll sweep`.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::replication::ReplicationArguments;
use super::{Failure, path_and_value, remark};
use crate::config::Diagnostics;
use crate::engine::RunError;
use crate::engine::scenario::Scenario;
use crate::experiment::{Axis, Figure, Grid, Plan, PointResult, figures, sweep as run_points};
use crate::workload::sha256_hex;

/// Arguments of `sweep`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plimsoll sweep scenarios/shop-peak.yaml --vary service.concurrency=2..8 --vary metrics.lag=2s,30s --out sweep.csv
  plimsoll sweep scenarios/fraud-burst.yaml --vary policies.hpa-30.hpa.min=2..20/2 --out sweep.jsonl

The points of the grid are appended to the file one by one, and a sweep that was interrupted goes on where it stopped:
repeat the command.")]
pub(super) struct SweepArguments {
    /// The scenario.
    #[arg(value_name = "SCENARIO")]
    scenario: PathBuf,
    /// What to vary: PATH=1..10, PATH=10..100/10 or PATH=x,y (may be repeated; the last varies fastest).
    #[arg(long, required = true, value_name = "PATH=VALUES")]
    vary: Vec<Axis>,
    /// Change a value at every point (may be repeated).
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = path_and_value)]
    set: Vec<(String, String)>,
    /// The file of the results.
    #[arg(long, value_name = "FILE", default_value = "sweep.csv")]
    out: PathBuf,
    /// Form of the file; by its ending if left out.
    #[arg(long, value_enum)]
    format: Option<FileFormat>,
    #[command(flatten)]
    replication: ReplicationArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FileFormat {
    Csv,
    Jsonl,
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        Failure::Input(format!("error: {error}"))
    }
}

pub(super) fn sweep(arguments: &SweepArguments) -> Result<(), Failure> {
    let plan = arguments.replication.plan()?;
    let base = arguments.replication.read(&arguments.scenario, &arguments.set)?;
    let grid = Grid { axes: arguments.vary.clone() };
    let points = grid.len().ok_or_else(|| Failure::Input("error: a sweep has at most 1000000 points".into()))?;
    let mut table = Table::open(arguments, &base, &plan)?;
    let done = table.points_done;
    if done > 0 {
        remark(&format!("{}: {done} of {points} points are there already", arguments.out.display()));
    }
    let bar = arguments.replication.bar("points");
    bar.set_length(points as u64);
    bar.set_position(done as u64);
    bar.reset_eta();
    let read = |point: usize| -> Result<Scenario, Failure> {
        let mut set = arguments.set.clone();
        set.extend(grid.point(point));
        let mut found = Diagnostics::new();
        let scenario = Scenario::read(&arguments.scenario, &set, &mut found);
        let mut scenario = scenario.ok_or_else(|| Failure::diagnostics(&found))?;
        if !arguments.vary.iter().any(|axis| axis.path == "seed") {
            scenario.seed = base.seed;
        }
        Ok(scenario)
    };
    let mut each = |result: PointResult| {
        table.append(&grid, &result)?;
        bar.inc(1);
        Ok(())
    };
    let outcome = run_points(done.min(points)..points, &plan, &read, &mut each);
    bar.finish_and_clear();
    outcome?;
    remark(&format!("{}: {points} points, {} rows", arguments.out.display(), points * base.policies.len()));
    Ok(())
}

/// The file of the results. A point is there when all its rows are, to the last line break.
struct Table {
    file: std::fs::File,
    format: FileFormat,
    figures: Vec<Figure>,
    policies: usize,
    /// Names this very sweep in every row.
    identity: String,
    points_done: usize,
}

impl Table {
    /// Opens the file, takes away what a killed sweep left half written, and counts the points that are whole.
    fn open(arguments: &SweepArguments, base: &Scenario, plan: &Plan) -> Result<Table, Failure> {
        let fail = |error: std::io::Error| Failure::Input(format!("error: {}: {error}", arguments.out.display()));
        let by_ending = arguments.out.extension().is_some_and(|ending| ending == "jsonl" || ending == "ndjson");
        let format = arguments.format.unwrap_or(if by_ending { FileFormat::Jsonl } else { FileFormat::Csv });
        let text = match std::fs::read(&arguments.out) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(fail(error)),
        };
        let file = OpenOptions::new().create(true).append(true).open(&arguments.out).map_err(fail)?;
        let policies = base.policies.len();
        let identity = identity(arguments, base, plan);
        let mut table = Table { file, format, figures: figures(base), policies, identity, points_done: 0 };
        let whole = table.whole(&text, arguments)?;
        table.file.set_len(whole as u64).map_err(fail)?;
        if whole == 0 && format == FileFormat::Csv {
            let header = table.header(&arguments.vary);
            table.file.write_all(header.as_bytes()).map_err(fail)?;
        }
        Ok(table)
    }

    /// Bytes of `text` that hold whole points, which are counted.
    fn whole(&mut self, text: &str, arguments: &SweepArguments) -> Result<usize, Failure> {
        let header = if self.format == FileFormat::Csv { self.header(&arguments.vary) } else { String::new() };
        if text.len() < header.len() && header.starts_with(text) {
            return Ok(0);
        }
        let other = || {
            Failure::Input(format!(
                "error: {} holds the results of something else; name another file with --out",
                arguments.out.display()
            ))
        };
        let rows = text.strip_prefix(&header).ok_or_else(other)?;
        let (mut whole, mut end) = (header.len(), header.len());
        for (number, line) in rows.split_inclusive('\n').filter(|line| line.ends_with('\n')).enumerate() {
            let start = self.row_start(number / self.policies);
            if !line.starts_with(&start) {
                return Err(other());
            }
            end += line.len();
            if (number + 1) % self.policies == 0 {
                (whole, self.points_done) = (end, (number + 1) / self.policies);
            }
        }
        Ok(whole)
    }

    fn header(&self, axes: &[Axis]) -> String {
        let mut names = vec!["sweep".to_string(), "point".to_string()];
        names.extend(axes.iter().map(|axis| csv_field(&axis.path)));
        names.extend(["policy".to_string(), "replications".to_string()]);
        for figure in &self.figures {
            names.extend([figure.name.clone(), format!("{}_half_width", figure.name)]);
        }
        names.join(",") + "\n"
    }

    /// How every row of a point begins.
    fn row_start(&self, point: usize) -> String {
        match self.format {
            FileFormat::Csv => format!("{},{point},", self.identity),
            FileFormat::Jsonl => format!("{{\"sweep\":\"{}\",\"point\":{point},", self.identity),
        }
    }

    /// Appends the rows of a point in one write and waits until they are on the disk.
    fn append(&mut self, grid: &Grid, (point, result): &PointResult) -> Result<(), Failure> {
        if result.arms.len() != self.policies {
            return Err(Failure::Input("error: every point of a sweep must have the same policies".into()));
        }
        let values = grid.point(*point);
        let rows: String = (0..result.arms.len()).map(|arm| self.row(&values, *point, result, arm)).collect();
        self.file.write_all(rows.as_bytes())?;
        Ok(self.file.sync_data()?)
    }

    fn row(
        &self,
        values: &[(String, String)],
        point: usize,
        result: &crate::experiment::Replicated,
        arm: usize,
    ) -> String {
        let samples = &result.arms[arm];
        let figure = |index: usize| {
            let half = samples.interval(index, result.level).map(|interval| interval.half_width);
            [samples.mean(index), half]
        };
        let numbers = (0..self.figures.len()).map(figure);
        let replications = result.replications;
        match self.format {
            FileFormat::Csv => {
                let mut cells: Vec<String> = values.iter().map(|(_, value)| csv_field(value)).collect();
                cells.extend([csv_field(&samples.label), replications.to_string()]);
                cells.extend(numbers.flatten().map(|value| value.map(|v| v.to_string()).unwrap_or_default()));
                format!("{}{}\n", self.row_start(point), cells.join(","))
            }
            FileFormat::Jsonl => {
                let text = |text: &str| serde_json::Value::from(text).to_string();
                let set: Vec<String> = values.iter().map(|(path, v)| format!("{}:{}", text(path), text(v))).collect();
                let shown = |value: Option<f64>| value.map_or_else(|| "null".into(), |value| value.to_string());
                let cells = self.figures.iter().zip(numbers).map(|(figure, [mean, half])| {
                    format!("{}:{{\"mean\":{},\"half_width\":{}}}", text(&figure.name), shown(mean), shown(half))
                });
                let cells: Vec<String> = cells.collect();
                let (set, label, cells) = (set.join(","), text(&samples.label), cells.join(","));
                let start = self.row_start(point);
                format!("{start}\"set\":{{{set}}},\"policy\":{label},\"replications\":{replications},{cells}}}\n")
            }
        }
    }
}

/// A cell of a CSV file (RFC 4180).
fn csv_field(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"").replace(['\n', '\r'], " ")),
        false => text.to_string(),
    }
}

/// A short checksum of all that decides the rows: the scenario's texts and traces, what is varied and how often.
fn identity(arguments: &SweepArguments, base: &Scenario, plan: &Plan) -> String {
    let mut facts = format!("{} {:?} {:?}", env!("CARGO_PKG_VERSION"), arguments.vary, arguments.set);
    facts += &format!(" {} {:?} {} {} {}", plan.replications, plan.precision, plan.most, plan.level, base.seed);
    for source in &base.sources {
        facts += &sha256_hex(source.text().as_bytes());
    }
    for file in base.services.iter().filter_map(|service| service.workload.inputs().ok()).flatten() {
        facts += &file.sha256;
    }
    sha256_hex(facts.as_bytes())[..12].to_string()
}
