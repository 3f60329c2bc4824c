//! Ray Serve: recordings of 2.60.0 and rows of its tests.

use std::collections::BTreeMap;

use plimsoll::policy::ray_serve::decision::apply_factors;
use plimsoll::policy::ray_serve::deployment::{Deployment, Registration, at_capacity, whole_gangs};
use plimsoll::policy::ray_serve::reports::{Handle, MetricsStore, Report, Reports};
use plimsoll::policy::ray_serve::series::{Point, aggregated, merged};
use plimsoll::policy::ray_serve::{Aggregation, AutoscalingConfig, Release};
use serde_json::{Value, json};

use super::{Actual, integer, list, number};

pub fn run(kind: &str, input: &Value) -> Actual {
    Ok(match kind {
        "scaling_factor" => {
            let replicas = apply_factors(&config(input)?, number(input, "desired"), integer(input, "current"));
            json!({ "replicas": replicas })
        }
        "capacity_adjusted" => {
            json!({ "replicas": at_capacity(integer(input, "replicas"), input["target_capacity"].as_f64()) })
        }
        "gang" => json!({ "replicas": whole_gangs(integer(input, "replicas"), integer(input, "gang_size")) }),
        "decision_sequence" | "config_change_sequence" | "gang_sequence" => sequence(input)?,
        "aggregate_mean" => {
            let series: Vec<Vec<Point>> = list(input, "series").iter().map(points).collect();
            let sum = merged(&slices(&series));
            let last = sum.last().map_or(0.0, |point| number(input, "window_end_s") - point.time_s);
            json!({ "mean": aggregated(&sum, Aggregation::Mean, last, input["window_start_s"].as_f64()) })
        }
        "merge" => {
            let series: Vec<Vec<Point>> = list(input, "series").iter().map(points).collect();
            let sum = merged(&slices(&series));
            let last = number(input, "last_window_s");
            let value = aggregated(&sum, aggregation(&input["aggregation"])?, last, input["window_start_s"].as_f64());
            json!({ "merged": pairs(&sum), "value": value })
        }
        "metrics_store" => store(input),
        "total_requests" => total_requests(input)?,
        "metrics_to_decision" => pipeline(input)?,
        "stale_handles" => stale(input),
        _ => return Err(format!("unknown kind `{kind}`")),
    })
}

/// The settings; those left out have their defaults.
fn config(input: &Value) -> Result<AutoscalingConfig, String> {
    const NAMES: [&str; 15] = [
        "min_replicas",
        "max_replicas",
        "initial_replicas",
        "target_ongoing_requests",
        "smoothing_factor",
        "upscale_smoothing_factor",
        "downscale_smoothing_factor",
        "upscaling_factor",
        "downscaling_factor",
        "upscale_delay_s",
        "downscale_delay_s",
        "downscale_to_zero_delay_s",
        "look_back_period_s",
        "metrics_interval_s",
        "aggregation_function",
    ];
    const BESIDE: [&str; 4] = ["desired", "current", "upscaling_factor_effective", "downscaling_factor_effective"];
    for name in input.as_object().ok_or("no settings")?.keys() {
        if !NAMES.contains(&name.as_str()) && !BESIDE.contains(&name.as_str()) {
            return Err(format!("unknown setting `{name}`"));
        }
    }
    let default = AutoscalingConfig::default();
    let float = |name: &str, default: f64| input[name].as_f64().unwrap_or(default);
    let whole = |name: &str, default: i64| input[name].as_i64().unwrap_or(default);
    Ok(AutoscalingConfig {
        min_replicas: whole("min_replicas", default.min_replicas),
        initial_replicas: input["initial_replicas"].as_i64(),
        max_replicas: whole("max_replicas", default.max_replicas),
        target_ongoing_requests: float("target_ongoing_requests", default.target_ongoing_requests),
        metrics_interval_s: float("metrics_interval_s", default.metrics_interval_s),
        look_back_period_s: float("look_back_period_s", default.look_back_period_s),
        smoothing_factor: float("smoothing_factor", default.smoothing_factor),
        upscale_smoothing_factor: input["upscale_smoothing_factor"].as_f64(),
        downscale_smoothing_factor: input["downscale_smoothing_factor"].as_f64(),
        upscaling_factor: input["upscaling_factor"].as_f64(),
        downscaling_factor: input["downscaling_factor"].as_f64(),
        upscale_delay_s: float("upscale_delay_s", default.upscale_delay_s),
        downscale_delay_s: float("downscale_delay_s", default.downscale_delay_s),
        downscale_to_zero_delay_s: input["downscale_to_zero_delay_s"].as_f64(),
        aggregation_function: match &input["aggregation_function"] {
            Value::Null => default.aggregation_function,
            name => aggregation(name)?,
        },
    })
}

fn aggregation(name: &Value) -> Result<Aggregation, String> {
    match name.as_str() {
        Some("mean") => Ok(Aggregation::Mean),
        Some("max") => Ok(Aggregation::Max),
        Some("min") => Ok(Aggregation::Min),
        _ => Err(format!("unknown aggregation {name}")),
    }
}

fn registration(input: &Value, gang_size: i64) -> Result<Registration, String> {
    Ok(Registration {
        config: config(&input["config"])?,
        target_capacity: input["target_capacity"].as_f64(),
        is_growing: input["target_capacity_direction"] == "UP",
        version: input["version"].as_i64().unwrap_or(1),
        gang_size,
    })
}

fn sequence(input: &Value) -> Actual {
    let gang_size = input["gang_size"].as_i64().unwrap_or(1);
    let current = input["current_target"].as_i64().unwrap_or(0);
    let first = registration(input, gang_size)?;
    let (mut deployment, registered) = Deployment::register(first, Release::default(), current);
    let mut targets = Vec::new();
    for step in list(input, "steps") {
        if let Some(again) = step.get("register") {
            let target = deployment.register_again(registration(again, gang_size)?, integer(again, "current_target"));
            if step["target"] != target {
                return Err(format!("registered again with {target}, not {}", step["target"]));
            }
        }
        let (running, target) = (integer(step, "running"), integer(step, "target"));
        let wish = deployment.wish(number(step, "time_s"), running, target, number(step, "ongoing"));
        let is_bounded = input["apply_bounds"] != false;
        targets.push(if is_bounded { deployment.bounded(wish.replicas) } else { wish.replicas });
    }
    Ok(json!({ "registered_target": registered, "targets": targets }))
}

fn points(value: &Value) -> Vec<Point> {
    let point = |pair: &Value| Point {
        time_s: pair[0].as_f64().unwrap_or_else(|| panic!("{pair}")),
        value: pair[1].as_f64().unwrap_or_else(|| panic!("{pair}")),
    };
    value.as_array().unwrap_or_else(|| panic!("{value} is no series")).iter().map(point).collect()
}

fn slices(series: &[Vec<Point>]) -> Vec<&[Point]> {
    series.iter().map(Vec::as_slice).collect()
}

fn pairs(points: &[Point]) -> Vec<[f64; 2]> {
    points.iter().map(|point| [point.time_s, point.value]).collect()
}

fn store(input: &Value) -> Value {
    let (mut store, mut after) = (MetricsStore::new(), Vec::new());
    for op in list(input, "ops") {
        if let Some(start) = op["prune_before_s"].as_f64() {
            store.prune(start);
            let kept = store.series().iter().map(|(key, points)| (String::from(*key), json!(pairs(points))));
            after.push(Value::Object(kept.collect()));
        } else {
            let values = op["add"].as_object().unwrap_or_else(|| panic!("{op}"));
            let values =
                values.iter().map(|(key, value)| (key.as_str(), value.as_f64().unwrap_or_else(|| panic!("{op}"))));
            store.add(number(op, "time_s"), values);
        }
    }
    json!({ "after_each_prune": after })
}

fn total_requests(input: &Value) -> Actual {
    let config = AutoscalingConfig { aggregation_function: aggregation(&input["aggregation"])?, ..Default::default() };
    let mut reports = Reports::default();
    for (index, handle) in list(input, "handles").iter().enumerate() {
        let running = handle["running"].as_object().ok_or("no running requests")?;
        let running = running.iter().map(|(replica, series)| (number_of(replica), points(series)));
        let report = Report { queued: points(&handle["queued"]), running: running.collect(), ..Report::default() };
        reports.accept(index as u32, report);
    }
    let running: Vec<i64> = list(input, "running_replicas").iter().filter_map(Value::as_i64).collect();
    let by_replica = input["replica_reports"].as_array().map_or(&[][..], Vec::as_slice).iter().enumerate();
    let by_replica = by_replica.filter(|(_, series)| !series.is_null());
    let by_replica: BTreeMap<u32, Vec<Point>> = by_replica.map(|(id, series)| (id as u32, points(series))).collect();
    let now = number(input, "now_s");
    let total = reports.ongoing(&config, now, |replica| running.contains(&i64::from(replica)), &by_replica);
    Ok(json!({ "total": total, "queued": reports.queued(&config, now) }))
}

fn number_of(replica: &str) -> u32 {
    replica.parse().unwrap_or_else(|e| panic!("replica {replica}: {e}"))
}

fn pipeline(input: &Value) -> Actual {
    let config = config(&input["config"])?;
    let first = Registration { config, target_capacity: None, is_growing: false, version: 1, gang_size: 1 };
    let (mut deployment, _) = Deployment::register(first, Release::default(), integer(input, "initial_target"));
    let mut handles = vec![Handle::default(); usize::try_from(integer(input, "handles")).map_err(|e| e.to_string())?];
    let (mut reports, mut decided) = (Reports::default(), Vec::new());
    for event in list(input, "events") {
        let now = number(event, "time_s");
        if let Some(handle) = event["record"].as_u64() {
            let running = event["running"].as_object().ok_or("no running requests")?;
            let running = running.iter().map(|(r, count)| (number_of(r), count.as_f64().unwrap_or(f64::NAN)));
            let running: BTreeMap<u32, f64> = running.collect();
            handles[handle as usize].record(&config, now, number(event, "queued"), running);
        } else if let Some(handle) = event["push"].as_u64() {
            let report = handles[handle as usize].report(&config, now);
            reports.accept(handle as u32, report);
        } else if event["decide"] == true {
            reports.drop_stale(now, config.handle_timeout_s(), |_| false);
            let running = integer(event, "running");
            let ongoing = reports.ongoing(&config, now, |replica| i64::from(replica) < running, &BTreeMap::new());
            let wish = deployment.wish(now, running, integer(event, "target"), ongoing);
            decided.push(json!([ongoing, deployment.bounded(wish.replicas)]));
        } else {
            return Err(format!("unknown event {event}"));
        }
    }
    Ok(json!({ "total_and_target": decided }))
}

fn stale(input: &Value) -> Value {
    let config = AutoscalingConfig { metrics_interval_s: number(input, "metrics_interval_s"), ..Default::default() };
    let handles = list(input, "handles");
    let mut reports = Reports::default();
    for (index, handle) in handles.iter().enumerate() {
        for received in list(handle, "received_s").iter().filter_map(Value::as_f64) {
            let report = Report { sent_s: received, received_s: received, ..Report::default() };
            reports.accept(index as u32, report);
        }
    }
    let alive = list(input, "alive_actors");
    let is_dead = |handle: u32| {
        let handle = &handles[handle as usize];
        let is_of_serve = handle["source"] == "PROXY" || handle["source"] == "REPLICA";
        is_of_serve && !handle["actor"].is_null() && !alive.contains(&handle["actor"])
    };
    reports.drop_stale(number(input, "now_s"), config.handle_timeout_s(), is_dead);
    json!({ "kept": reports.handles().collect::<Vec<_>>() })
}
