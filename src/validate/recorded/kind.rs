//! Recordings of the Kubernetes HPA on a kind cluster, polled every 5 s: `params.json`, and for each run a directory
//! with `hpa.csv`, `phases.csv` and, for runs that scale on requests, `http_rps.csv`.

use std::path::Path;

use serde_json::Value;

use super::timing::READ;
use crate::policy::Measure;
use crate::policy::hpa::HpaSpec;
use crate::policy::hpa::spec::{Behavior, MetricSpec, Resource, Target};
use crate::units::{Millicores, Quantity, SimDuration};

/// If a metric disappears within this many seconds after the load ended, the end of the load is taken as the cause.
const LOST_WITHIN: u32 = 60;

/// The metric that a recorded HPA scaled on.
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
    /// Time of the poll, seconds from the start of the recording.
    pub at: u32,
    /// `currentReplicas`.
    pub current: u32,
    /// `desiredReplicas`, or the current ones before the first decision, when the status has none.
    pub desired: u32,
    /// Per cent of the request, or requests per second per pod; `None` if there is no metric.
    pub metric: Option<f64>,
}

/// A change of size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rescale {
    /// Time in seconds.
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
    /// The metric.
    pub measured: Measured,
    /// The HPA.
    pub spec: HpaSpec,
    /// CPU request of a pod.
    pub request: Millicores,
    /// CPU limit of a pod.
    pub limit: Millicores,
    /// Time between two metrics of a pod; `None` if the recording does not state it.
    pub resolution: Option<SimDuration>,
    /// End of the last phase of load, seconds.
    pub end: u32,
    /// Start and end in seconds of the phases of high load.
    pub high: Vec<(u32, u32)>,
    /// Whether the end of a high phase restarts the containers that existed at its start.
    pub restarts: bool,
    /// The HPA's status, in order of time.
    pub status: Vec<Status>,
    /// (seconds, requests per second of all pods together, mean of the pods that report), in order of time.
    pub rates: Vec<(u32, f64, f64)>,
}

impl RecordedRun {
    /// Whether the metric disappears after most of the high phases that end after the last rescale: the end of the load
    /// then ends the containers too, and new ones report nothing at first.
    fn loses_its_metric(&self) -> bool {
        let last = self.rescales().last().map_or(0.0, |rescale| rescale.at);
        let ends: Vec<u32> = self.high.iter().map(|(_, end)| *end).filter(|end| f64::from(*end) > last).collect();
        let lost = |end: &&u32| {
            let mut after = self.status.iter().filter(|status| (**end..**end + LOST_WITHIN).contains(&status.at));
            after.any(|status| status.metric.is_none())
        };
        2 * ends.iter().filter(lost).count() > ends.len()
    }

    /// The losses of the metric after the last rescale: the polls before and after each, in seconds.
    pub(super) fn losses(&self) -> Vec<(f64, f64)> {
        let last = self.rescales().last().map_or(0.0, |rescale| rescale.at);
        let pairs = self.status.iter().zip(self.status.iter().skip(1));
        let lost = pairs.filter(|(a, b)| f64::from(a.at) > last && a.metric.is_some() && b.metric.is_none());
        lost.map(|(a, b)| (f64::from(a.at), f64::from(b.at) + READ)).collect()
    }

    /// Every change of size that the HPA decided, at the first poll that shows it.
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

/// The recordings of a directory.
#[derive(Debug, Clone, Default)]
pub struct Recordings {
    /// The runs that can be simulated.
    pub runs: Vec<RecordedRun>,
    /// The others: name of the run and reason.
    pub left_out: Vec<(String, String)>,
}

/// Reads every recorded run of `params.json` in `directory`. Incomplete runs are left out, with the reason.
///
/// # Errors
/// If `params.json` itself cannot be read.
pub fn read_runs(directory: &Path) -> Result<Recordings, String> {
    let path = directory.join("params.json");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let params: Value = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let runs = params["runs"].as_object().ok_or_else(|| format!("{}: no runs", path.display()))?;
    let mut found = Recordings::default();
    for (name, run) in runs.iter().filter(|(name, _)| directory.join(name).is_dir()) {
        match read_run(&directory.join(name), name, run, &params) {
            Ok(run) => found.runs.push(run),
            Err(lacking) => found.left_out.push((name.clone(), lacking)),
        }
    }
    // All runs of one kind have the same effect of load on pods.
    let restarts = found.runs.iter().any(|run| run.measured == Measured::Cpu && run.loses_its_metric());
    found.runs.iter_mut().for_each(|run| run.restarts = restarts && run.measured == Measured::Cpu);
    Ok(found)
}

fn read_run(directory: &Path, name: &str, run: &Value, params: &Value) -> Result<RecordedRun, String> {
    let of_all = |field: &str| {
        let number = run[field].as_u64().or(params[field].as_u64()).and_then(|number| u32::try_from(number).ok());
        number.ok_or_else(|| format!("params.json does not state {field}"))
    };
    if run["metrics"].is_array() {
        return Err("it scales on several metrics; only one is supported".into());
    }
    let (measured, metric) = metric(run).ok_or("params.json names no target (target_pct or target_average)")?;
    let resolution = run["metrics_server_resolution_s"].as_u64().or(run["scrape_interval_s"].as_u64());
    let column = match measured {
        Measured::Cpu => "currentCPUUtilizationPercent",
        Measured::RequestRate => "httpRequestsPerSecond",
    };
    let status: Vec<Status> = records(directory, "hpa.csv", &["t_s", "currentReplicas", "desiredReplicas", column])?
        .iter()
        .filter_map(|fields| status(fields))
        .collect();
    if status.iter().all(|status| status.metric.is_none()) {
        return Err(format!("hpa.csv never shows a metric ({column})"));
    }
    let rates = match measured {
        Measured::Cpu => Vec::new(),
        Measured::RequestRate => records(directory, "http_rps.csv", &["t_s", "total_rps", "per_pod_avg_rps"])?,
    };
    let phases = records(directory, "phases.csv", &["t_s", "phase", "action"])?;
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
        high: high_phases(&phases),
        restarts: false,
        status,
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

/// Time, current and desired replicas, and the metric: per cent, or a quantity such as `2372m`.
fn status(fields: &[String]) -> Option<Status> {
    let current = number(fields, 1)?;
    let desired = number(fields, 2).filter(|desired| *desired != 0).unwrap_or(current);
    let metric = fields.get(3)?.parse::<Quantity>().ok().map(|value| value.millis() as f64 / 1000.0);
    Some(Status { at: number(fields, 0)?, current, desired, metric })
}

/// Start and end of the phases of high load.
fn high_phases(phases: &[Vec<String>]) -> Vec<(u32, u32)> {
    let (mut found, mut since) = (Vec::new(), None);
    for fields in phases.iter().filter(|fields| fields[1] == "high") {
        match (fields[2].as_str(), since) {
            ("start", _) => since = number(fields, 0),
            (_, Some(start)) => found.extend(number(fields, 0).map(|end| (start, end))),
            _ => (),
        }
    }
    found
}

fn number<T: std::str::FromStr>(fields: &[String], column: usize) -> Option<T> {
    fields.get(column)?.parse().ok()
}

/// The named columns of a recorded file, in the order of the names.
fn records(directory: &Path, file: &str, columns: &[&str]) -> Result<Vec<Vec<String>>, String> {
    let fail = |error: csv::Error| format!("{file}: {error}");
    let path = directory.join(file);
    if !path.is_file() {
        return Err(format!("{file} is missing"));
    }
    let mut reader = csv::Reader::from_path(path).map_err(fail)?;
    let header = reader.headers().map_err(fail)?.clone();
    let place = |column: &&str| header.iter().position(|name| name == *column);
    let places = columns.iter().map(|column| place(column).ok_or_else(|| format!("{file} has no column {column}")));
    let places: Vec<usize> = places.collect::<Result<_, _>>()?;
    let fields =
        |record: csv::StringRecord| places.iter().map(|place| record.get(*place).unwrap_or("").to_string()).collect();
    reader.records().map(|record| record.map(fields).map_err(fail)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMS: &str = r#"{ "min_replicas": 2, "max_replicas": 9, "cpu_request_m": 100, "cpu_limit_m": 200, "runs": {
        "good": { "target_pct": 60, "metrics_server_resolution_s": 30 },
        "no-column": { "target_pct": 60 },
        "no-rates": { "target_average": 3 },
        "no-target": {},
        "two-metrics": { "metrics": [ { "target_pct": 60 }, { "target_average": 3 } ] },
        "silent": { "target_pct": 60 },
        "not-recorded": { "target_pct": 60 } } }"#;
    const PHASES: &str =
        "t_s,phase,action\n0,high,start\n100,high,end\n100,low,start\n200,low,end\n200,high,start\n300,high,end\n";

    fn write(directory: &Path, name: &str, files: &[(&str, &str)]) {
        let inside = directory.join(name);
        std::fs::create_dir_all(&inside).unwrap();
        std::fs::write(inside.join("phases.csv"), PHASES).unwrap();
        files.iter().for_each(|(file, text)| std::fs::write(inside.join(file), text).unwrap());
    }

    #[test]
    fn a_recording_that_lacks_something_is_left_out_with_the_reason() {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        std::fs::write(at.join("params.json"), PARAMS).unwrap();
        let status = "t_s,currentReplicas,desiredReplicas,currentCPUUtilizationPercent\n0,,0,\n5,2,0,\n20,2,4,200\n";
        // Columns in another order, and one more.
        let other =
            "x,t_s,currentCPUUtilizationPercent,currentReplicas,desiredReplicas\n,5,,2,0\n,20,200,2,4\n,310,,4,4\n";
        write(at, "good", &[("hpa.csv", other)]);
        write(at, "no-column", &[("hpa.csv", &status.replace("desiredReplicas", "desired"))]);
        write(at, "no-rates", &[("hpa.csv", &status.replace("currentCPUUtilizationPercent", "httpRequestsPerSecond"))]);
        write(at, "no-target", &[("hpa.csv", status)]);
        write(at, "two-metrics", &[("hpa.csv", status)]);
        write(at, "silent", &[("hpa.csv", &status.replace("200", ""))]);
        let found = read_runs(at).unwrap();
        let left_out: Vec<String> = found.left_out.iter().map(|(name, why)| format!("{name}: {why}")).collect();
        let expected = [
            "no-column: hpa.csv has no column desiredReplicas",
            "no-rates: http_rps.csv is missing",
            "no-target: params.json names no target (target_pct or target_average)",
            "silent: hpa.csv never shows a metric (currentCPUUtilizationPercent)",
            "two-metrics: it scales on several metrics; only one is supported",
        ];
        assert_eq!(left_out, expected);
        let [run] = &found.runs[..] else { panic!("{:?}", found.runs) };
        assert_eq!(run.rescales(), [Rescale { at: 20.0, from: 2, to: 4 }]);
        assert_eq!(run.status[0], Status { at: 5, current: 2, desired: 2, metric: None });
        assert_eq!((run.end, &run.high[..]), (300, &[(0, 100), (200, 300)][..]));
        // The metric disappears after one of two high phases, which is not most of them.
        assert!(!run.restarts);
        std::fs::write(at.join("good/hpa.csv"), format!("{other},130,,4,4\n")).unwrap();
        assert!(read_runs(at).unwrap().runs[0].restarts);
    }
}
