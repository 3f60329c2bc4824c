//! The Kubernetes HPA on a kind cluster, polled every 5 s: `params.json`, and for each run a directory with `hpa.csv`,
//! `pods.csv`, `phases.csv` and, where requests are what is scaled on, `http_rps.csv`.

use std::path::Path;

use serde_json::Value;

use crate::policy::Measure;
use crate::policy::hpa::HpaSpec;
use crate::policy::hpa::spec::{Behavior, MetricSpec, Resource, Target};
use crate::units::{Millicores, Quantity, SimDuration};

/// What a recorded HPA scaled on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measured {
    /// CPU as a share of the request.
    Cpu,
    /// Requests per second and pod.
    RequestRate,
}

/// The HPA's status at one poll.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Status {
    /// Time of the poll in seconds.
    pub at: u32,
    /// `currentReplicas`.
    pub current: u32,
    /// `desiredReplicas`; the current ones until the first decision, when the status holds none.
    pub desired: u32,
    /// Per cent of the request, or requests per second per pod; `None` while there is no metric.
    pub metric: Option<f64>,
}

/// A change of size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rescale {
    /// When, in seconds.
    pub at: f64,
    /// Replicas before.
    pub from: u32,
    /// Replicas after.
    pub to: u32,
}

/// A recorded run.
#[derive(Debug, Clone)]
pub struct RecordedRun {
    /// Its directory's name.
    pub name: String,
    /// What it scaled on.
    pub measured: Measured,
    /// The HPA.
    pub spec: HpaSpec,
    /// CPU request of a pod.
    pub request: Millicores,
    /// CPU limit of a pod.
    pub limit: Millicores,
    /// Time between two metrics of a pod; `None` where the recording does not say.
    pub resolution: Option<SimDuration>,
    /// End of the last phase of load, seconds.
    pub end: u32,
    /// The HPA's status, in order of time.
    pub status: Vec<Status>,
    /// (seconds, pods), in order of time.
    pub pods: Vec<(u32, u32)>,
    /// (seconds, requests per second of all pods together, mean of the pods that report), in order of time.
    pub rates: Vec<(u32, f64, f64)>,
}

impl RecordedRun {
    /// Every change of size that the HPA decided, at the poll that saw it first.
    pub fn rescales(&self) -> Vec<Rescale> {
        let mut found: Vec<Rescale> = Vec::new();
        for status in self.status.iter().filter(|status| status.desired != status.current) {
            if found.last().is_none_or(|last| (last.from, last.to) != (status.current, status.desired)) {
                found.push(Rescale { at: f64::from(status.at), from: status.current, to: status.desired });
            }
        }
        found
    }
}

/// Every run of `params.json` in `directory` that has a recording.
///
/// # Errors
/// What could not be read, with the file's name.
pub fn read_runs(directory: &Path) -> Result<Vec<RecordedRun>, String> {
    let path = directory.join("params.json");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let params: Value = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let runs = params["runs"].as_object().ok_or_else(|| format!("{}: no runs", path.display()))?;
    let recorded = runs.iter().filter(|(name, _)| directory.join(name).join("hpa.csv").is_file());
    recorded.map(|(name, run)| read_run(&directory.join(name), name, run, &params)).collect()
}

fn read_run(directory: &Path, name: &str, run: &Value, params: &Value) -> Result<RecordedRun, String> {
    let of_all = |field: &str| {
        let number = params[field].as_u64().and_then(|number| u32::try_from(number).ok());
        number.ok_or_else(|| format!("params.json: {field} is no number"))
    };
    let (measured, metric) = metric(run).ok_or_else(|| format!("params.json: {name} has no target"))?;
    let resolution = run["metrics_server_resolution_s"].as_u64().or(run["scrape_interval_s"].as_u64());
    let rates = directory.join("http_rps.csv");
    let rates = if rates.is_file() { records(&rates)? } else { Vec::new() };
    let phases = records(&directory.join("phases.csv"))?;
    Ok(RecordedRun {
        name: name.into(),
        measured,
        spec: HpaSpec {
            no_scale: None,
            min_replicas: of_all("min_replicas")?,
            max_replicas: of_all("max_replicas")?,
            metrics: vec![metric],
            behavior: Some(Behavior::default()),
        },
        request: Millicores::new(of_all("cpu_request_m")?.into()),
        limit: Millicores::new(of_all("cpu_limit_m")?.into()),
        resolution: resolution.map(SimDuration::from_secs),
        end: phases.iter().filter_map(|fields| number(fields, 0)).max().unwrap_or(0),
        status: records(&directory.join("hpa.csv"))?.iter().filter_map(|fields| status(fields, measured)).collect(),
        pods: records(&directory.join("pods.csv"))?
            .iter()
            .filter_map(|f| Some((number(f, 0)?, number(f, 1)?)))
            .collect(),
        rates: rates.iter().filter_map(|f| Some((number(f, 0)?, number(f, 1)?, number(f, 2)?))).collect(),
    })
}

fn metric(run: &Value) -> Option<(Measured, MetricSpec)> {
    if let Some(percent) = run["target_pct"].as_u64() {
        let target = Target::Utilization(u32::try_from(percent).ok()?);
        return Some((Measured::Cpu, MetricSpec::Resource { resource: Resource::Cpu, target }));
    }
    let average = run["target_average"].as_i64()?;
    let target = Target::AverageValue(Quantity::from_millis(average.checked_mul(1000)?));
    Some((Measured::RequestRate, MetricSpec::Pods { metric: Measure::RequestRate.name().into(), target }))
}

fn status(fields: &[String], measured: Measured) -> Option<Status> {
    let current = number(fields, 1)?;
    let desired = number(fields, 2).filter(|desired| *desired != 0).unwrap_or(current);
    let metric = match measured {
        Measured::Cpu => number(fields, 3),
        Measured::RequestRate => fields.get(4)?.parse::<Quantity>().ok().map(|value| value.millis() as f64 / 1000.0),
    };
    Some(Status { at: number(fields, 0)?, current, desired, metric })
}

fn number<T: std::str::FromStr>(fields: &[String], column: usize) -> Option<T> {
    fields.get(column)?.parse().ok()
}

fn records(path: &Path) -> Result<Vec<Vec<String>>, String> {
    let fail = |error: csv::Error| format!("{}: {error}", path.display());
    let mut reader = csv::Reader::from_path(path).map_err(fail)?;
    let fields =
        |record: csv::Result<csv::StringRecord>| Ok(record.map_err(fail)?.iter().map(str::to_string).collect());
    reader.records().map(fields).collect()
}
