//! The autoscaler of Knative: converts a case's input to the library's functions and back.

use serde_json::{Value, json};

use plimsoll::policy::knative::buckets::{Buckets, round_to, smoothing_coefficient};
use plimsoll::policy::knative::config::{Config, duration};
use plimsoll::policy::knative::decider::{Decider, Published, Seen, same_sign};
use plimsoll::policy::knative::maximum::{MaxWindow, TimedMax};
use plimsoll::policy::knative::scaler::{Activity, Revision, apply};
use plimsoll::policy::knative::target::{Annotations, DeciderSpec, Metric, Reachability, sample_size};
use plimsoll::units::{SimDuration, SimTime};

use super::reading::{count, int, list, number, optional, span, truth, whole};
use super::{Actual, Case};

/// The zero of the cases' times, which may be negative: a multiple of every granularity.
const BASE: i64 = 60_000_000_000_000_000;

/// Runs one case.
pub fn run(case: &Case<'_>) -> Actual {
    let input = case.input;
    match case.kind {
        "buckets" | "weighted_buckets" => buckets(input, case.kind == "weighted_buckets"),
        "max_window" => max_window(input),
        "timed_max_window" => timed_max_window(input),
        "smoothing_coefficient" => Ok(json!({ "coefficient": smoothing_coefficient(number(&input["buckets"])?) })),
        "round_digits" => {
            let digits = i32::try_from(whole(&input["digits"])?).map_err(|e| e.to_string())?;
            Ok(json!({ "value": round_to(number(&input["value"])?, digits) }))
        }
        "decider_sequence" => decider_sequence(input),
        "creation" => creation(input),
        "pipeline" => pipeline(input),
        "scale" => scale(input),
        "resolve_target" => {
            let (target, total) = annotations(input)?.target(&config(&input["config"])?);
            Ok(json!({ "target": target, "total": total }))
        }
        "make_decider" => make_decider(input),
        "initial_scale" => initial_scale(input),
        "windows" => windows(input),
        "activators" => activators(input),
        "same_sign" => Ok(json!({ "same": same_sign(int(&input["a"])?, int(&input["b"])?) })),
        "sample_size" => Ok(json!({ "sample_size": sample_size(number(&input["population"])?) })),
        "initial_status" => initial_status(input),
        "multiscaler" => multiscaler(input),
        "config" => read_config(input),
        other => Err(format!("`{other}` is not a kind of case that is known here")),
    }
}

// --- reading --------------------------------------------------------------------------------------------------------

fn time(value: &Value) -> Result<SimTime, String> {
    let nanos = BASE + (number(value)? * 1e9).round() as i64;
    u64::try_from(nanos).map(SimTime::from_nanos).map_err(|e| e.to_string())
}

fn seconds(time: SimTime) -> f64 {
    (time.as_nanos() as i64 - BASE) as f64 / 1e9
}

fn metric(value: &Value) -> Result<Metric, String> {
    match value.as_str() {
        Some("concurrency") => Ok(Metric::Concurrency),
        Some("rps") => Ok(Metric::Rps),
        _ => Err(format!("{value} is not a metric")),
    }
}

fn reachability(value: &Value) -> Result<Reachability, String> {
    match value.as_str() {
        Some("Unknown") => Ok(Reachability::Unknown),
        Some("Reachable") => Ok(Reachability::Reachable),
        Some("Unreachable") => Ok(Reachability::Unreachable),
        _ => Err(format!("{value} is not a reachability")),
    }
}

/// The cluster's settings, as far as the case states them.
fn config(value: &Value) -> Result<Config, String> {
    let mut config = Config::default();
    for (key, value) in value.as_object().ok_or("no config")? {
        match key.as_str() {
            "container_concurrency_target_fraction" => config.concurrency_fraction = number(value)?,
            "container_concurrency_target_default" => config.concurrency_default = number(value)?,
            "rps_target_default" => config.rps_default = number(value)?,
            "target_utilization" => config.target_utilization = number(value)?,
            "target_burst_capacity" => config.target_burst_capacity = number(value)?,
            "max_scale_up_rate" => config.max_scale_up_rate = number(value)?,
            "max_scale_down_rate" => config.max_scale_down_rate = number(value)?,
            "activator_capacity" => config.activator_capacity = number(value)?,
            "stable_window_s" => config.stable_window = span(value)?,
            "panic_threshold_percentage" => config.panic_threshold_percentage = number(value)?,
            "panic_window_percentage" => config.panic_window_percentage = number(value)?,
            "scale_down_delay_s" => config.scale_down_delay = span(value)?,
            "initial_scale" => config.initial_scale = int(value)?,
            "allow_zero_initial_scale" => config.allow_zero_initial_scale = truth(value)?,
            "enable_scale_to_zero" => config.enable_scale_to_zero = truth(value)?,
            "scale_to_zero_grace_period_s" => config.grace_period = span(value)?,
            "scale_to_zero_pod_retention_s" => config.pod_retention = span(value)?,
            "min_scale" => config.min_scale = int(value)?,
            "max_scale" => config.max_scale = int(value)?,
            // An argument of its own here.
            "progress_deadline_s" => {}
            other => return Err(format!("`{other}` is not a setting that is known here")),
        }
    }
    Ok(config)
}

fn annotations(input: &Value) -> Result<Annotations, String> {
    let mut annotations = Annotations::default();
    if !input["metric"].is_null() {
        annotations.metric = metric(&input["metric"])?;
        annotations.container_concurrency = count(&input["container_concurrency"])?;
    }
    let short = input["annotations"].as_object().into_iter().flatten();
    let suffixed = input.as_object().into_iter().flatten();
    let suffixed = suffixed.filter_map(|(key, value)| Some((key.strip_suffix("_annotation")?.to_owned(), value)));
    for (key, value) in short.map(|(key, value)| (key.clone(), value)).chain(suffixed) {
        match key.as_str() {
            "target" => annotations.target = optional(value, number)?,
            "target_utilization_percentage" => annotations.utilization_percentage = optional(value, number)?,
            "panic_threshold_percentage" => annotations.panic_threshold_percentage = optional(value, number)?,
            "target_burst_capacity" => annotations.target_burst_capacity = optional(value, number)?,
            "scale_down_delay_s" => annotations.scale_down_delay = optional(value, span)?,
            "initial_scale" => annotations.initial_scale = optional(value, int)?,
            "activation_scale" => annotations.activation_scale = optional(value, int)?,
            "min_scale" => annotations.min_scale = optional(value, int)?,
            "max_scale" => annotations.max_scale = optional(value, int)?,
            "window_s" => annotations.window = optional(value, span)?,
            "pod_retention_s" => annotations.pod_retention = optional(value, span)?,
            "progress_deadline_s" => annotations.progress_deadline = optional(value, span)?,
            other => return Err(format!("`{other}` is not an annotation that is known here")),
        }
    }
    Ok(annotations)
}

fn spec(value: &Value) -> Result<DeciderSpec, String> {
    Ok(DeciderSpec {
        metric: metric(&value["scaling_metric"])?,
        target: number(&value["target_value"])?,
        total: number(&value["total_value"])?,
        burst: number(&value["target_burst_capacity"])?,
        panic_threshold: number(&value["panic_threshold"])?,
        max_scale_up_rate: number(&value["max_scale_up_rate"])?,
        max_scale_down_rate: number(&value["max_scale_down_rate"])?,
        stable_window: span(&value["stable_window_s"])?,
        scale_down_delay: span(&value["scale_down_delay_s"])?,
        initial_scale: 1,
        activation_scale: int(&value["activation_scale"])?,
        activator_capacity: 100.0,
        is_reachable: truth(&value["reachable"])?,
    })
}

// --- windows --------------------------------------------------------------------------------------------------------

fn buckets(input: &Value, weighted: bool) -> Actual {
    let window = span(&input["window_s"])?;
    let mut buckets = Buckets::new(window, span(&input["granularity_s"])?);
    let mut results = Vec::new();
    for op in list(&input["ops"])? {
        let at = |key: &str| time(&op[key]);
        match op["op"].as_str() {
            Some("record") => buckets.record(at("time_s")?, number(&op["value"])?),
            Some("resize") => buckets.resize(span(&op["window_s"])?, at("now_s")?),
            Some("sum") => results.push(json!(buckets.sum(at("time_s")?))),
            Some("is_empty") => results.push(json!(buckets.is_empty(at("time_s")?))),
            Some("average") if weighted => {
                let coefficient = smoothing_coefficient(buckets.granules() as f64);
                results.push(json!(buckets.weighted_average(at("time_s")?, coefficient)));
            }
            Some("average") => results.push(json!(buckets.average(at("time_s")?))),
            _ => return Err(format!("{op} is not an operation")),
        }
    }
    Ok(json!({ "results": results, "average_decimals": 3 }))
}

fn max_window(input: &Value) -> Actual {
    let mut window = MaxWindow::new(whole(&input["size"])?);
    let mut current = Vec::new();
    for record in list(&input["records"])? {
        window.record(whole(&record["index"])?, int(&record["value"])?);
        current.push(window.current());
    }
    Ok(json!({ "current": current }))
}

fn timed_max_window(input: &Value) -> Actual {
    let mut window = TimedMax::new(span(&input["window_s"])?, span(&input["granularity_s"])?);
    let mut current = Vec::new();
    for record in list(&input["records"])? {
        window.record(time(&record["time_s"])?, int(&record["value"])?);
        current.push(window.current());
    }
    Ok(json!({ "current": current, "final": window.current() }))
}

// --- decisions ------------------------------------------------------------------------------------------------------

fn created(input: &Value) -> Result<Decider, String> {
    let created = if input["creation_time_s"].is_null() { json!(0) } else { input["creation_time_s"].clone() };
    Ok(Decider::new(spec(&input["spec"])?, optional(&input["created_with_ready_pods"], count)?, time(&created)?))
}

fn creation(input: &Value) -> Actual {
    let decider = created(input)?;
    Ok(json!({ "panicking": decider.panicking_since().is_some(), "max_panic_pods": decider.peak() }))
}

fn step(decider: &mut Decider, now: SimTime, seen: Seen) -> Value {
    let mut step = match decider.decide(now, seen) {
        None => json!({ "valid": false }),
        Some(made) => json!({ "valid": true, "desired": made.desired, "excess_burst_capacity": made.excess }),
    };
    let since = decider.panicking_since();
    step["panicking"] = json!(since.is_some());
    step["panic_since_s"] = since.map_or(json!("none"), |since| json!(seconds(since)));
    step["max_panic_pods"] = json!(decider.peak());
    step
}

fn decider_sequence(input: &Value) -> Actual {
    let mut decider = created(input)?;
    let mut steps = Vec::new();
    for given in list(&input["steps"])? {
        if !given["set_spec"].is_null() {
            decider.set_spec(spec(&given["set_spec"])?);
        }
        let values = optional(&given["stable_value"], number)?.zip(optional(&given["panic_value"], number)?);
        let ready = optional(&given["ready_pods"], count)?;
        let seen = match given["error"].as_str() {
            None => Seen { values, ready },
            Some("no_metrics") => Seen { values: None, ready },
            Some("cannot_count_pods") => Seen { values, ready: None },
            Some(other) => return Err(format!("`{other}` is not an error that is known here")),
        };
        steps.push(step(&mut decider, time(&given["time_s"])?, seen));
    }
    Ok(json!({ "steps": steps }))
}

fn pipeline(input: &Value) -> Actual {
    let mut decider = created(input)?;
    let granularity = span(&input["bucket_s"])?;
    let mut stable = Buckets::new(decider.spec().stable_window, granularity);
    let mut panic = Buckets::new(span(&input["panic_window_s"])?, granularity);
    let ready = list(&input["ready_pods"])?;
    let mut steps = Vec::new();
    for (second, sample) in (1..).zip(list(&input["samples"])?) {
        let now = time(&json!(second))?;
        if let Some(value) = optional(sample, number)? {
            stable.record(now, value);
            panic.record(now, value);
        }
        if second % 2 > 0 {
            continue;
        }
        let values = (!stable.is_empty(now) && !panic.is_empty(now)).then(|| (stable.average(now), panic.average(now)));
        let seen = Seen { values, ready: optional(&ready[second / 2 - 1], count)? };
        let mut made = step(&mut decider, now, seen);
        if let Some((stable, panic)) = values {
            made["stable_value"] = json!(stable);
            made["panic_value"] = json!(panic);
        }
        steps.push(made);
    }
    Ok(json!({ "steps": steps }))
}

fn scale(input: &Value) -> Actual {
    let (config, annotations) = (config(&input["config"])?, annotations(input)?);
    let (activity, for_time) = match input["pa_state"].as_str() {
        Some("Active") => (Activity::Active, span(&input["pa_state_for_s"])?),
        Some("Inactive") => (Activity::Inactive, span(&input["pa_state_for_s"])?),
        Some("Activating") => (Activity::Activating, span(&input["pa_state_for_s"])?),
        Some("Unset") => (Activity::Activating, SimDuration::ZERO),
        _ => return Err(format!("{} is not a state", input["pa_state"])),
    };
    let revision = Revision {
        activity,
        for_time,
        is_initialized: truth(&input["scale_target_initialized"])?,
        reachability: reachability(&input["reachability"])?,
        is_proxied: input["sks_mode"] == "Proxy",
        proxied_for: optional(&input["sks_proxy_for_s"], span)?.unwrap_or_default(),
        replicas: int(&input["current_replicas"])?,
    };
    let deadline = span(&input["config"]["progress_deadline_s"])?;
    let answers = input["activator_probe"] == "ok";
    let desired = int(&input["decider_desired_scale"])?;
    let applied = apply(&revision, desired, &annotations, &config, deadline, answers);
    if applied.probed && input["activator_probe"] == "must_not_be_called" {
        return Err("the activators were probed".into());
    }
    let again: Vec<f64> = applied.look_again.iter().map(|time| time.as_secs_f64().round()).collect();
    Ok(json!({
        "desired_scale": applied.desired,
        "patched": applied.is_set,
        "requeues": again.len(),
        "requeue_after_s": again,
        "sync_probes": i32::from(applied.probed),
        "async_probes": i32::from(applied.probes_on),
    }))
}

// --- settings -------------------------------------------------------------------------------------------------------

fn make_decider(input: &Value) -> Actual {
    let config = config(&input["config"])?;
    let spec = annotations(input)?.decider(&config, reachability(&input["reachability"])?);
    Ok(json!({
        "max_scale_up_rate": spec.max_scale_up_rate,
        "max_scale_down_rate": spec.max_scale_down_rate,
        "scaling_metric": if spec.metric == Metric::Rps { "rps" } else { "concurrency" },
        "target_value": spec.target,
        "total_value": spec.total,
        "target_burst_capacity": spec.burst,
        "panic_threshold": spec.panic_threshold,
        "activator_capacity": spec.activator_capacity,
        "stable_window_s": spec.stable_window.as_secs_f64(),
        "scale_down_delay_s": spec.scale_down_delay.as_secs_f64(),
        "initial_scale": spec.initial_scale,
        "reachable": spec.is_reachable,
        "activation_scale": spec.activation_scale,
    }))
}

fn initial_scale(input: &Value) -> Actual {
    let config = Config {
        initial_scale: int(&input["config_initial_scale"])?,
        allow_zero_initial_scale: truth(&input["allow_zero_initial_scale"])?,
        ..Config::default()
    };
    let stated = Annotations { initial_scale: optional(&input["annotation"], int)?, ..Annotations::default() };
    Ok(json!({ "initial_scale": stated.initial_scale(&config) }))
}

fn windows(input: &Value) -> Actual {
    let config = Config {
        stable_window: span(&input["config_stable_window_s"])?,
        panic_window_percentage: number(&input["config_panic_window_percentage"])?,
        ..Config::default()
    };
    let stated = Annotations {
        window: optional(&input["window_annotation_s"], span)?,
        panic_window_percentage: optional(&input["panic_window_percentage_annotation"], number)?,
        ..Annotations::default()
    };
    Ok(json!({
        "stable_window_s": stated.stable_window(&config).as_secs_f64(),
        "panic_window_s": stated.panic_window(&config).as_secs_f64(),
    }))
}

fn with_burst(input: &Value) -> Result<DeciderSpec, String> {
    let spec = Annotations::default().decider(&Config::default(), Reachability::Reachable);
    let (burst, total) = (number(&input["target_burst_capacity"])?, number(&input["total_value"])?);
    Ok(DeciderSpec { burst, total, ..spec })
}

fn activators(input: &Value) -> Actual {
    let spec = DeciderSpec { activator_capacity: number(&input["activator_capacity"])?, ..with_burst(input)? };
    Ok(json!({ "activators": spec.activators(count(&input["ready_pods"])?) }))
}

fn initial_status(input: &Value) -> Actual {
    let spec = DeciderSpec { initial_scale: int(&input["initial_scale"])?, ..with_burst(input)? };
    let first = Published::first(&spec);
    Ok(json!({ "desired_scale": first.desired, "excess_burst_capacity": first.excess }))
}

fn multiscaler(input: &Value) -> Actual {
    let mut published = Some(Published { desired: -1, excess: 0 });
    let (mut notified, mut desired, mut excess) = (Vec::new(), Vec::new(), Vec::new());
    for step in list(&input["steps"])? {
        let made = || Ok::<_, String>((int(&step["desired"])?, int(&step["excess"])?));
        let valid = step["valid"].as_bool().unwrap_or(true);
        let told = match (step["op"].as_str(), &mut published) {
            (Some("delete"), _) => {
                published = None;
                None
            }
            (Some("tick" | "poke" | "force"), None) => Some(false),
            (Some("poke"), Some(now)) if !now.is_woken_by(number(&step["concurrency"])?) => Some(false),
            (Some("tick" | "poke" | "force"), Some(now)) => {
                let (desired, excess) = made()?;
                Some(valid && now.update(desired, excess))
            }
            (other, _) => return Err(format!("{other:?} is not an operation")),
        };
        notified.push(told);
        desired.push(published.map(|now| now.desired));
        excess.push(published.map(|now| now.excess));
    }
    Ok(json!({ "notified": notified, "desired_scale": desired, "excess_burst_capacity": excess }))
}

fn read_config(input: &Value) -> Actual {
    let mut config = Config::default();
    for (key, value) in input["data"].as_object().ok_or("no data")? {
        let text = value.as_str().ok_or("a value is not text")?;
        if config.set(key, text).is_err() {
            return Ok(json!({ "error": true }));
        }
    }
    let Ok(config) = config.checked() else { return Ok(json!({ "error": true })) };
    Ok(json!({
        "error": false,
        "config": {
            "enable_scale_to_zero": config.enable_scale_to_zero,
            "container_concurrency_target_fraction": config.concurrency_fraction,
            "container_concurrency_target_default": config.concurrency_default,
            "target_utilization": config.target_utilization,
            "rps_target_default": config.rps_default,
            "max_scale_up_rate": config.max_scale_up_rate,
            "max_scale_down_rate": config.max_scale_down_rate,
            "target_burst_capacity": config.target_burst_capacity,
            "panic_window_percentage": config.panic_window_percentage,
            "activator_capacity": config.activator_capacity,
            "panic_threshold_percentage": config.panic_threshold_percentage,
            "stable_window_s": config.stable_window.as_secs_f64(),
            "scale_to_zero_grace_period_s": config.grace_period.as_secs_f64(),
            "scale_to_zero_pod_retention_s": config.pod_retention.as_secs_f64(),
            "scale_down_delay_s": config.scale_down_delay.as_secs_f64(),
            "pod_autoscaler_class": config.class,
            "allow_zero_initial_scale": config.allow_zero_initial_scale,
            "initial_scale": config.initial_scale,
            "min_scale": config.min_scale,
            "max_scale": config.max_scale,
            "max_scale_limit": config.max_scale_limit,
        }
    }))
}

#[test]
fn times_are_read_as_go_reads_them() {
    let seconds = |text: &str| duration(text).map(SimDuration::as_secs_f64);
    assert_eq!(seconds("2m3s"), Ok(123.0));
    assert_eq!(seconds("1.5h"), Ok(5400.0));
    assert_eq!(seconds("0"), Ok(0.0));
    assert_eq!(seconds("0s"), Ok(0.0));
    for wrong in ["", "5", "-1m", "m", "1x", "1m2", "s1"] {
        assert!(seconds(wrong).is_err(), "{wrong}");
    }
}
