//! Recorded runs of a real HPA, open loop: at each recorded step our HPA is given the recorded size and metric and has to
//! come to the recorded size.
//!
//! The recordings (`validation/hpa/kind` in the directory named by `PLIMSOLL_REFERENCE`; their source has no licence, so
//! they are not part of the project) hold the HPA's status every 5 s: `currentReplicas`, `desiredReplicas` and the metric,
//! all written by the same run of the controller, so there is no doubt about the metric's value at a decision. Two things
//! are not recorded and have to be made up for:
//!
//! * *When* the controller ran. It runs every 15 s, so steps are taken to be whole multiples of 15 s apart.
//! * *How many pods had a metric.* New pods count as zero until they are measured, so the decision depends on it. The
//!   request-rate runs come with the total beside the average per pod, whose quotient is the number; it was sampled
//!   independently of the status, so either neighbouring sample is accepted. The CPU runs hold nothing of the kind; for
//!   them the number is unknown, and what is tested is that *one non-decreasing number* explains every step of the run,
//!   rescales and holds alike. A wrong rule is found all the same: between two rescales dozens of holds have to fit.

use std::path::Path;

use plimsoll::policy::hpa::spec::{Behavior, MetricSpec, Resource, Target};
use plimsoll::policy::hpa::{ControllerFlags, HpaPolicy, HpaSpec};
use plimsoll::policy::{Measure, Observation, PodMetrics, PodPhase, PodView, ScalingPolicy, Scrape};
use plimsoll::units::{Millicores, Quantity, SimDuration, SimTime};
use serde_json::Value;

use crate::support::{announce, reference_directory};

/// One row of `hpa.csv`.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Row {
    t_s: u32,
    current: u32,
    desired: u32,
    /// Per cent of the request, or requests per second per pod; `None` while there is no metric.
    metric: Option<f64>,
}

/// A recorded run.
struct Run {
    name: String,
    cpu: bool,
    rows: Vec<Row>,
    /// (time, pods with a metric), where that is known.
    measured: Vec<(u32, u32)>,
    spec: HpaSpec,
    request: Millicores,
}

#[test]
fn recorded_rescales_follow_from_the_recorded_metrics() {
    let Some(directory) = reference_directory().map(|d| d.join("validation/hpa/kind")).filter(|d| d.is_dir()) else {
        announce("recorded HPA: ABSENT, nothing tested (set PLIMSOLL_REFERENCE to the directory of reference data)");
        return;
    };
    let (mut rescales, mut reproduced, mut inferred, mut steps, mut misses) = (0, 0, 0, 0, Vec::new());
    for run in runs(&directory) {
        let result = replay(&run);
        inferred += if run.cpu { result.rescales } else { 0 };
        steps += result.steps;
        rescales += result.rescales;
        reproduced += result.rescales - result.missed_rescales;
        misses.extend(result.misses);
    }
    announce(&format!("recorded HPA: reproduced {reproduced} of {rescales} rescales"));
    announce(&format!("recorded HPA: {} of {steps} steps in all, holds included", steps - misses.len()));
    announce(&format!("recorded HPA: {inferred} of the rescales with the number of measured pods inferred"));
    for miss in &misses {
        announce(&format!("recorded HPA: NOT REPRODUCED {miss}"));
    }
    assert!(rescales > 0, "{} holds no rescale", directory.display());
    assert!(misses.is_empty(), "{} of {steps} steps do not follow:\n{}", misses.len(), misses.join("\n"));
}

struct Replay {
    steps: usize,
    rescales: usize,
    missed_rescales: usize,
    misses: Vec<String>,
}

fn replay(run: &Run) -> Replay {
    let mut result = Replay { steps: 0, rescales: 0, missed_rescales: 0, misses: Vec::new() };
    let mut policy = HpaPolicy::new(run.spec.clone(), ControllerFlags::default());
    let (mut now, mut measured) = (SimTime::from_secs(1000), 1);
    let mut last: Option<Row> = None;
    for row in &run.rows {
        let since = last.map_or(15, |last| row.t_s - last.t_s);
        let same = last.is_some_and(|last| Row { t_s: row.t_s, ..last } == *row);
        if same && since < 15 {
            continue;
        }
        now += SimDuration::from_secs(u64::from((since + 7) / 15 * 15).max(15));
        last = Some(*row);
        let candidates: Vec<u32> =
            if run.cpu { (measured..=row.current).collect() } else { run.measured_near(row.t_s) };
        result.steps += 1;
        let rescale = row.desired != row.current;
        result.rescales += usize::from(rescale);
        let tries = candidates.iter().map(|count| (*count, decide(&policy, run, row, *count, now)));
        let mut found = None;
        let mut sizes = Vec::new();
        for (count, (after, size)) in tries {
            sizes.push(format!("{size} with {count} measured"));
            if size == row.desired {
                found = Some((count, after));
                break;
            }
        }
        match found {
            Some((count, after)) => {
                measured = count;
                policy = after;
            }
            None => {
                result.missed_rescales += usize::from(rescale);
                let Row { t_s, current, desired, metric } = row;
                let metric = metric.unwrap_or(f64::NAN);
                let line = format!("{} at {t_s} s: {current} -> {desired}, metric {metric}", run.name);
                result.misses.push(format!("{line}: ours {}", sizes.join(", ")));
            }
        }
    }
    result
}

/// One decision of a copy of `policy`, with the metric of `row` on `count` pods and none on the others.
fn decide(policy: &HpaPolicy, run: &Run, row: &Row, count: u32, now: SimTime) -> (HpaPolicy, u32) {
    let pods: Vec<PodView> = (0..row.current)
        .map(|id| PodView {
            id,
            phase: PodPhase::Running,
            ready: Some(true),
            ready_transition: Some(SimTime::ZERO),
            start_time: Some(SimTime::ZERO),
            deleted: false,
            cpu_request: Some(run.request),
            memory_request: None,
        })
        .collect();
    let scrape = row.metric.map(|metric| {
        let mut values = [0.0; 5];
        if run.cpu {
            values[Measure::Cpu as usize] = metric / 100.0 * run.request.as_cores();
        } else {
            values[Measure::RequestRate as usize] = metric;
        }
        Scrape {
            taken_at: now,
            window: SimDuration::from_secs(15),
            pods: (0..count.min(row.current)).map(|id| PodMetrics { id, values }).collect(),
            totals: [0.0; 5],
        }
    });
    let observation = Observation {
        now,
        spec_replicas: row.current,
        status_replicas: row.current,
        pods: &pods,
        scrape: scrape.as_ref(),
        metric_names: &[],
    };
    let mut copy = policy.clone();
    let size = copy.decide(&observation).replicas.unwrap_or(row.current);
    (copy, size)
}

impl Run {
    /// The numbers of measured pods in the samples around `t_s`: the last before, and the first at or after it.
    fn measured_near(&self, t_s: u32) -> Vec<u32> {
        let next = self.measured.partition_point(|(at, _)| *at < t_s);
        let around = self.measured[next.saturating_sub(1)..(next + 1).min(self.measured.len())].iter();
        let mut counts: Vec<u32> = around.map(|(_, count)| *count).collect();
        counts.dedup();
        counts
    }
}

// --- reading -------------------------------------------------------------------------------------------------------

fn runs(directory: &Path) -> Vec<Run> {
    let text = std::fs::read_to_string(directory.join("params.json")).expect("params.json");
    let params: Value = serde_json::from_str(&text).expect("params.json");
    let of_all = |name: &str| params[name].as_u64().unwrap_or_else(|| panic!("params.json: {name}")) as u32;
    let runs = params["runs"].as_object().expect("params.json: runs");
    let recorded = runs.iter().filter(|(name, _)| directory.join(name).join("hpa.csv").is_file());
    recorded
        .map(|(name, run)| {
            let cpu = run["target_pct"].is_u64();
            let metric = if cpu {
                let percent = run["target_pct"].as_u64().expect("target_pct") as u32;
                MetricSpec::Resource { resource: Resource::Cpu, target: Target::Utilization(percent) }
            } else {
                let average = run["target_average"].as_i64().expect("target_average");
                let target = Target::AverageValue(Quantity::from_millis(average * 1000));
                MetricSpec::Pods { metric: Measure::RequestRate.name().into(), target }
            };
            Run {
                name: name.clone(),
                cpu,
                rows: rows(&directory.join(name).join("hpa.csv"), cpu),
                measured: if cpu { Vec::new() } else { measured(&directory.join(name).join("http_rps.csv")) },
                spec: HpaSpec {
                    min_replicas: of_all("min_replicas"),
                    max_replicas: of_all("max_replicas"),
                    metrics: vec![metric],
                    behavior: Some(Behavior::default()),
                },
                request: Millicores::new(u64::from(of_all("cpu_request_m"))),
            }
        })
        .collect()
}

fn records(path: &Path) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let fields = |record: csv::Result<csv::StringRecord>| {
        let record = record.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        record.iter().map(str::to_string).collect()
    };
    reader.records().map(fields).collect()
}

fn rows(path: &Path, cpu: bool) -> Vec<Row> {
    let row = |fields: Vec<String>| {
        let current = fields[1].parse().ok()?;
        let desired: u32 = fields[2].parse().ok()?;
        let metric = match cpu {
            true => fields[3].parse().ok(),
            false => fields[4].parse::<Quantity>().ok().map(|value| value.millis() as f64 / 1000.0),
        };
        // Until the first metric the status says 0, which means that nothing was decided yet.
        let desired = if desired == 0 { current } else { desired };
        Some(Row { t_s: fields[0].parse().ok()?, current, desired, metric })
    };
    records(path).into_iter().filter_map(row).collect()
}

/// The number of pods behind an average: total divided by average.
fn measured(path: &Path) -> Vec<(u32, u32)> {
    let sample = |fields: Vec<String>| {
        let (total, average): (f64, f64) = (fields[1].parse().ok()?, fields[2].parse().ok()?);
        (average > 0.0).then_some((fields[0].parse().ok()?, (total / average).round() as u32))
    };
    records(path).into_iter().filter_map(sample).collect()
}
