//! `plimsoll trace transform`, `plimsoll trace synth` and `plimsoll trace fit`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::files::{draw, found, to_file, written};
use super::reading::{Printed, TraceReading, printed};
use crate::cli::arguments::{AxisArgument, path_and_value};
use crate::cli::failure::Failure;
use crate::cli::output::say;
use crate::cli::terminal::note;
use crate::config::{Diagnostics, SourceFile, parse_single};
use crate::random::Streams;
use crate::report::results::{CpuFitResult, FitResult, RESULTS_VERSION, Results, TraceFitResults, results_text};
use crate::units::SimDuration;
use crate::workload::{
    ConvertOptions, Converted, CpuFit, Fit, Portrait, ServiceTime, TraceOptions, WorkloadSpec, cpu_per_request,
    cpu_time, service_time, write_workload,
};

pub(super) const TRANSFORM_EXAMPLE: &str = "Example:
  plimsoll trace transform access.log.gz --step 'scale-rate: 2' \\
    --step 'overlay: [{ at: 09:00, factor: 4, ramp: 5m, for: 3h }]' -o peak.csv.zst";

pub(super) const SYNTH_EXAMPLE: &str = "Example:
  plimsoll trace synth shop --set rate=20/s --set 'flash-sales=[{ at: 2h, factor: 8, half-life: 15m }]' \\
    --duration 6h -o sale.csv.zst";

pub(super) const FIT_EXAMPLE: &str = "Example:
  plimsoll trace fit access.log.gz --charts charts > workload.yaml
  plimsoll trace fit requests.json --values rate --cpu cpu.json";

/// Options for fitting the CPU per request.
const METHOD: &str = "Theil-Sen: median slope of all pairs of steps (Theil 1950), interval of Sen (1968)";

/// Arguments of `trace fit`.
#[derive(Debug, Args)]
pub(super) struct FitArguments {
    /// The files to read as one trace: paths, patterns, or `-` for standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Seed of the synthetic traces that are compared with the file.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Cores in use over the same time, of all replicas together: also fit `cpu-per-request:`.
    #[arg(long, value_name = "FILE")]
    cpu: Option<PathBuf>,
    /// Which series or column of the file of `--cpu`.
    #[arg(long, value_name = "NAME", requires = "cpu")]
    cpu_metric: Option<String>,
    /// Also draw both traces beside each other into this directory: SVG, PNG, and the figures as CSV.
    #[arg(long, value_name = "DIR")]
    charts: Option<PathBuf>,
    #[command(flatten)]
    time: AxisArgument,
    #[command(flatten)]
    reading: TraceReading,
}

/// Arguments of `trace transform`.
#[derive(Debug, Args)]
pub(super) struct TransformArguments {
    /// The files to read as one trace: paths, patterns, or `-` for standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A step as a scenario's `transforms:` has it, in order (may be repeated; `plimsoll list transforms`).
    #[arg(long = "step", value_name = "NAME: PARAMETERS", required = true)]
    steps: Vec<String>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    reading: TraceReading,
}

/// Arguments of `trace synth`.
#[derive(Debug, Args)]
pub(super) struct SynthArguments {
    /// The generator (`plimsoll list generators`).
    generator: String,
    /// A parameter and its value as YAML (may be repeated).
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = path_and_value)]
    set: Vec<(String, String)>,
    /// How long.
    #[arg(long)]
    duration: Option<SimDuration>,
    /// Output format: `table` or `json`.
    #[arg(long, value_name = "FORM", value_parser = printed, default_value = "table")]
    format: Printed,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
struct Output {
    /// The file to write: `.parquet`, `.csv`, `.csv.gz` or `.csv.zst`.
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
    /// Write counts per interval of this length in place of single arrivals.
    #[arg(long, value_name = "DURATION")]
    counts: Option<SimDuration>,
    /// Seed of all randomness.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl Output {
    fn write(&self, spec: &WorkloadSpec, notes: Vec<String>) -> Result<Converted, Failure> {
        let how = ConvertOptions { counts: self.counts, notes };
        to_file(&self.out, |file| {
            let done = write_workload(spec, Streams::new(self.seed, 0), file, &how);
            done.map_err(Failure::input)
        })
    }
}

pub(crate) fn transform(arguments: &TransformArguments) -> Result<(), Failure> {
    let text: String = arguments.steps.iter().map(|step| format!("- {}\n", indented(step))).collect();
    let mut sink = Diagnostics::new();
    let node = parse_single(&SourceFile::new("--step", text)).map_err(|error| one(*error))?;
    // Nothing that a trace records of its requests gets lost.
    let options = TraceOptions { durations: true, ..arguments.reading.options() };
    let spec = WorkloadSpec::from_files(found(&arguments.files)?, options).in_own_zone();
    let spec = spec.transformed(&node, Path::new(""), &mut sink);
    if !sink.is_empty() {
        return Err(Failure::diagnostics(&sink));
    }
    let fail = Failure::input::<crate::workload::TraceError>;
    spec.distortions().map_err(fail)?.iter().for_each(|said| note(&format!("warning: {said}")));
    let inputs = spec.inputs().map_err(fail)?;
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut notes: Vec<String> =
        inputs.iter().map(|input| format!("from {}, SHA-256 {}", name(&input.path), input.sha256)).collect();
    notes.extend(spec.steps().iter().map(|step| format!("step {step}")));
    notes.push(format!("seed {}", arguments.output.seed));
    let done = arguments.output.write(&spec, notes)?;
    written(&arguments.output.out, &done, arguments.reading.printed(), Results::TraceTransform)
}

pub(super) fn synth(arguments: &SynthArguments) -> Result<(), Failure> {
    let mut text = format!("{}:\n", arguments.generator);
    let length = arguments.duration.map(|length| ("for".to_string(), length.to_string()));
    for (name, value) in arguments.set.iter().cloned().chain(length) {
        text.push_str(&format!("  {name}: {}\n", indented(&value)));
    }
    let mut sink = Diagnostics::new();
    let node = parse_single(&SourceFile::new("--set", text.as_str())).map_err(|error| one(*error))?;
    match WorkloadSpec::from_node(&node, Path::new(""), &mut sink) {
        Some(spec) => {
            let parameters = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let seed = arguments.output.seed;
            let notes = vec![format!("generated: {parameters}"), format!("seed {seed}")];
            let done = arguments.output.write(&spec, notes)?;
            written(&arguments.output.out, &done, arguments.format, Results::TraceSynth)
        }
        None => Err(Failure::diagnostics(&sink)),
    }
}

pub(crate) fn fit(arguments: &FitArguments) -> Result<(), Failure> {
    let spec = WorkloadSpec::from_files(found(&arguments.files)?, arguments.reading.options());
    let cpu = arguments.cpu.as_ref().map(|file| cpu_fit(arguments, &spec, file)).transpose()?;
    let fitted = crate::workload::fit(&spec, Streams::new(arguments.seed, 0));
    let fitted = fitted.map_err(Failure::input)?;
    let durations = spec.clone().taking_durations().map(|spec| spec.durations()).transpose();
    let durations = durations.map_err(Failure::input)?.flatten();
    let took = durations.as_ref().and_then(service_time);
    say(&match arguments.reading.printed() {
        Printed::Json => results_text(&fit_results(&fitted, took.as_ref(), cpu.as_ref())),
        Printed::Table => fit_text(&fitted) + &service_text(took.as_ref(), cpu.as_ref()),
    })?;
    let Some(directory) = &arguments.charts else { return Ok(()) };
    let fail = Failure::input::<crate::workload::TraceError>;
    let portrait = |spec: &WorkloadSpec| Portrait::of_workload(spec, Streams::new(arguments.seed, 0)).map_err(fail);
    let traces = [("recorded".to_string(), portrait(&spec)?), ("synthetic".to_string(), portrait(&fitted.workload)?)];
    draw(&traces, directory, arguments.time.axis).map(|_| ())
}

/// Time zone, part and time format apply to both files, the other options to the requests.
fn cpu_fit(arguments: &FitArguments, spec: &WorkloadSpec, file: &PathBuf) -> Result<CpuFit, Failure> {
    let stated = arguments.reading.options();
    let options = TraceOptions {
        metric: arguments.cpu_metric.clone(),
        time_zone: stated.time_zone,
        start: stated.start,
        end: stated.end,
        ..TraceOptions::default()
    };
    let files = found(std::slice::from_ref(file))?;
    cpu_per_request(spec, &files, &options).map_err(Failure::input)
}

fn fit_results(fitted: &Fit, took: Option<&ServiceTime>, cpu: Option<&CpuFit>) -> Results {
    let of = |row: &crate::workload::Closeness| FitResult {
        figure: row.name.clone(),
        recorded: row.recorded,
        synthetic_median: row.synthetic,
        synthetic_least: row.least,
        synthetic_most: row.most,
    };
    Results::TraceFit(TraceFitResults {
        version: RESULTS_VERSION,
        workload_yaml: fitted.yaml.clone(),
        service_time_yaml: took.map(|took| took.yaml.clone()),
        service_time_error: took.map(|took| took.error),
        service_time_notes: took.map(|took| took.notes.clone()).unwrap_or_default(),
        cpu: cpu.map(cpu_result),
        comparison: fitted.comparison.iter().map(of).collect(),
    })
}

/// The generator, and each figure of the comparison as a comment below it.
fn fit_text(fitted: &Fit) -> String {
    let mut text = String::from("workload:\n");
    fitted.yaml.lines().for_each(|line| text.push_str(&format!("  {line}\n")));
    text.push_str(
        "\n# how close it comes: the trace, and ten synthetic ones that were not used to choose the generator\n",
    );
    text.push_str(&format!("# {:38}{:>12}{:>12}{:>12}{:>12}\n", "", "recorded", "median", "least", "most"));
    for row in &fitted.comparison {
        let values = [row.recorded, row.synthetic, row.least, row.most].map(|value| format!("{value:>12.4}")).concat();
        text.push_str(&format!("# {:38}{values}\n", row.name));
    }
    text
}

fn cpu_result(cpu: &CpuFit) -> CpuFitResult {
    CpuFitResult {
        cpu_per_request_yaml: cpu.yaml(),
        cpu_per_request_s: cpu.seconds,
        cpu_per_request_low_s: cpu.seconds_between.0,
        cpu_per_request_high_s: cpu.seconds_between.1,
        idle_cores: cpu.idle,
        idle_low_cores: cpu.idle_between.0,
        idle_high_cores: cpu.idle_between.1,
        r_squared: cpu.r_squared,
        steps: cpu.steps,
        step_s: cpu.step.as_secs_f64(),
        method: METHOD.into(),
        notes: cpu.notes.clone(),
    }
}

/// Known properties of the service.
fn service_text(took: Option<&ServiceTime>, cpu: Option<&CpuFit>) -> String {
    if took.is_none() && cpu.is_none() {
        return String::new();
    }
    let mut text = String::from("\nservice:\n");
    took.iter().for_each(|took| text.push_str(&format!("  service-time: {}\n", took.yaml)));
    cpu.iter().for_each(|cpu| text.push_str(&format!("  cpu-per-request: {}\n", cpu.yaml())));
    text + &took.map(service_time_text).unwrap_or_default() + &cpu.map(cpu_text).unwrap_or_default()
}

/// The confidence interval of the CPU per request, as comments.
fn cpu_text(cpu: &CpuFit) -> String {
    let between = format!("{} to {}", cpu_time(cpu.seconds_between.0), cpu_time(cpu.seconds_between.1));
    let mut text = format!(
        "\n# cpu-per-request: 95% interval {between}, R\u{b2} {:.3}, {} steps of {}\n# idle CPU, of all replicas together: {:.3} cores ({:.3} to \
         {:.3}); `cpu-idle:` is that of one replica\n# {METHOD}\n",
        cpu.r_squared, cpu.steps, cpu.step, cpu.idle, cpu.idle_between.0, cpu.idle_between.1
    );
    cpu.notes.iter().for_each(|note| text.push_str(&format!("# {note}\n")));
    text
}

/// The quality of the service-time fit, as comments.
fn service_time_text(took: &ServiceTime) -> String {
    let mut text = String::from("\n");
    text.push_str(&format!(
        "# of {} durations; at its worst place {:.1}% of them are on the other side than the distribution says{}\n",
        took.requests,
        took.error * 100.0,
        if took.is_good() { "" } else { ": no good fit, `service-time: from-trace` takes them as they are" }
    ));
    let tried: Vec<String> = took.tried.iter().map(|(name, error)| format!("{name} {:.1}%", error * 100.0)).collect();
    text.push_str(&format!("# likeliest first: {}\n", tried.join(", ")));
    text.push_str(&format!("# {:20}{:>12}{:>12}\n", "seconds", "recorded", "fitted"));
    for (name, recorded, fitted) in &took.figures {
        text.push_str(&format!("# {name:20}{recorded:>12.4}{fitted:>12.4}\n"));
    }
    took.notes.iter().for_each(|note| text.push_str(&format!("# {note}\n")));
    text
}

/// A value of several lines stays below its key.
fn indented(text: &str) -> String {
    text.trim().replace('\n', "\n    ")
}

fn one(diagnostic: crate::config::Diagnostic) -> Failure {
    let mut sink = Diagnostics::new();
    sink.push(diagnostic);
    Failure::diagnostics(&sink)
}
