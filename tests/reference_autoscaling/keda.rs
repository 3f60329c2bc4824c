//! KEDA: converts a case's input to the library's functions and back.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use plimsoll::policy::keda::cron::Cron;
use plimsoll::policy::keda::executor::{HpaState, Polled, request_scale};
use plimsoll::policy::keda::fallback::{Behavior, Failures, Fallback, Health, Target, Workload};
use plimsoll::policy::keda::formula::{Formula, as_float, trigger_value};
use plimsoll::policy::keda::jobs::{Asked, Calculation, JobTrigger, Ready, ScaledJob, Strategy, average_target};
use plimsoll::policy::keda::scaled_object::{Modifiers, ScaledObject};
use plimsoll::units::{SimDuration, SimTime};

use super::reading::{count, int, list, number, optional, span, text, truth, whole};
use super::{Actual, Case};

/// The present, long after zero, in nanoseconds.
const NOW: u64 = 1_000_000_000_000_000_000;
/// The clock runs on between a time is stated and looked at.
const RUNS_ON: u64 = 1000;

/// Runs one case.
pub fn run(case: &Case<'_>) -> Actual {
    let input = case.input;
    match case.kind {
        "hpa_bounds" => {
            let (least, most) = object(input)?.hpa_bounds();
            Ok(json!({ "hpa_min": least, "hpa_max": most }))
        }
        "replica_bounds_valid" => Ok(json!({ "valid": object(input)?.check_bounds().is_ok() })),
        "fallback_valid" => fallback_valid(input),
        "has_paused_annotation" => Ok(json!({ "result": object(input)?.has_pause() })),
        "needs_pause" => Ok(json!({ "result": object(input)?.is_paused() })),
        "uses_modifiers" => {
            let modifiers = modifiers(&input["scaling_modifiers"])?;
            Ok(json!({ "result": modifiers.is_some_and(|stated| stated.is_used()) }))
        }
        "paused_replicas" => {
            let at = object(input)?.paused_at();
            Ok(json!({ "error": at.is_err(), "value": at.unwrap_or(None) }))
        }
        "idle_or_min" => {
            let (is_idle, replicas) = object(input)?.idle_or_least();
            Ok(json!({ "is_idle": is_idle, "replicas": replicas }))
        }
        "request_scale" => requested(input),
        "hpa_health" => Ok(hpa_condition(&input["hpa"])?),
        "fallback_metric" => fallback_metric(input),
        "fallback_sequence" => fallback_sequence(input),
        "formula_trigger_value" => {
            let (threshold, failures) =
                (optional(&input["failure_threshold"], int)?, optional(&input["failures"], int)?);
            Ok(json!({ "value": trigger_value(number(&input["value"])?, threshold, failures) }))
        }
        "formula_pair" => formula_pair(input),
        "formula" => formula(input),
        "formula_run" => formula_run(input),
        "job_strategy" | "job_decision" => job_decision(input, case.kind),
        "job_target_average" => {
            let targets = list(&input["targets"])?.iter().map(number).collect::<Result<Vec<_>, _>>()?;
            Ok(json!({ "average": average_target(&targets) }))
        }
        "scaled_job" => scaled_job(input),
        "cron" => cron(input),
        other => Err(format!("`{other}` is not a kind of case that is known here")),
    }
}

// --- reading --------------------------------------------------------------------------------------------------------

fn fallback(value: &Value) -> Result<Option<Fallback>, String> {
    if value.is_null() {
        return Ok(None);
    }
    let name = value["behavior"].as_str().unwrap_or("");
    let behavior = Behavior::named(name).ok_or_else(|| format!("`{name}` is not a behavior"))?;
    Ok(Some(Fallback { threshold: int(&value["failure_threshold"])?, replicas: int(&value["replicas"])?, behavior }))
}

fn modifiers(value: &Value) -> Result<Option<Modifiers>, String> {
    if value.is_null() {
        return Ok(None);
    }
    Ok(Some(Modifiers {
        formula: value["formula"].as_str().unwrap_or("").to_owned(),
        target: value["target"].as_str().unwrap_or("").to_owned(),
        activation_target: String::new(),
        is_value: value["metric_type"] == "Value",
    }))
}

fn object(input: &Value) -> Result<ScaledObject, String> {
    let plain = ScaledObject::default();
    let annotations = input["annotations"].as_object().into_iter().flatten();
    let annotations = annotations.map(|(name, value)| Ok((name.clone(), text(value)?.to_owned())));
    Ok(ScaledObject {
        min: optional(&input["min_replica_count"], int)?,
        max: optional(&input["max_replica_count"], int)?,
        idle: optional(&input["idle_replica_count"], int)?,
        cooldown: optional(&input["cooldown_period_s"], span)?.unwrap_or(plain.cooldown),
        initial_cooldown: optional(&input["initial_cooldown_period_s"], span)?.unwrap_or(plain.initial_cooldown),
        fallback: fallback(&input["fallback"])?,
        modifiers: modifiers(&input["scaling_modifiers"])?,
        annotations: annotations.collect::<Result<BTreeMap<_, _>, String>>()?,
        ..plain
    })
}

fn ago(value: &Value) -> Result<SimTime, String> {
    let ago = (number(value)? * 1e9).round() as u64;
    Ok(SimTime::from_nanos(NOW - ago - RUNS_ON))
}

// --- the executor ---------------------------------------------------------------------------------------------------

fn hpa_condition(value: &Value) -> Actual {
    let state = match value {
        Value::Object(_) => Some(HpaState {
            is_scaling: value["scaling_active"].as_str().map(|status| status == "True"),
            reason: value["reason"].as_str().unwrap_or("").to_owned(),
        }),
        _ => None,
    };
    let condition = state.as_ref().and_then(HpaState::condition);
    let status = condition.map(|(active, _)| if active { "True" } else { "False" });
    Ok(json!({ "hpa_active": status, "hpa_active_reason": condition.map(|(_, reason)| reason) }))
}

fn requested(input: &Value) -> Actual {
    let object = object(input)?;
    let polled = Polled {
        is_active: truth(&input["is_active"])?,
        is_error: truth(&input["is_error"])?,
        replicas: int(&input["current_replicas"])?,
        last_active: optional(&input["last_active_ago_s"], ago)?,
        created: optional(&input["created_ago_s"], ago)?,
        now: SimTime::from_nanos(NOW),
    };
    let made = request_scale(&object, &polled);
    let active = made.active.map(|active| active.condition());
    let (ready, ready_reason) = made.ready.condition();
    let mut all = match object.is_paused() {
        true => hpa_condition(&Value::Null)?,
        false => hpa_condition(&input["hpa"])?,
    };
    all["scale_to"] = json!(made.scale_to);
    all["sets_last_active"] = json!(made.sets_last_active);
    all["active"] = json!(active.map(|(status, _)| status));
    all["active_reason"] = json!(active.map(|(_, reason)| reason));
    all["ready"] = json!(ready);
    all["ready_reason"] = json!(ready_reason);
    all["events"] = json!(made.event.map(|event| event.name()).into_iter().collect::<Vec<_>>());
    all["paused"] = if object.is_paused() { json!("True") } else { Value::Null };
    Ok(all)
}

// --- fallback -------------------------------------------------------------------------------------------------------

fn fallback_valid(input: &Value) -> Actual {
    let uses = truth(&input["uses_scaling_modifiers"])?;
    let stated = uses.then(|| Modifiers { target: "1".to_owned(), ..Modifiers::default() });
    let valid = fallback(&input["fallback"])?.is_none_or(|fallback| fallback.is_valid(stated.as_ref()));
    Ok(json!({ "valid": valid }))
}

fn milli(value: &Value) -> Result<i64, String> {
    Ok((number(value)? * 1000.0).round() as i64)
}

fn fallback_metric(input: &Value) -> Actual {
    let mut failures = Failures::default();
    if !input["health"].is_null() {
        let health = &input["health"];
        let is_failing = health["status"] == "Failing";
        failures.health.insert("m".to_owned(), Health { failures: int(&health["failures"])?, is_failing });
    }
    let value = optional(&input["scaler_value"], milli)?;
    let target = Target { milli: milli(&input["target_average_value"])?, is_value: false };
    let replicas = optional(&input["current_replicas"], int)?.unwrap_or(0);
    let fallback = fallback(&input["fallback"])?;
    let workload = Workload { replicas, ready: replicas };
    let reported = failures.report("m", value, fallback.as_ref(), None, target, workload);
    let health = failures.health.get("m");
    Ok(json!({
        "error": reported.milli.is_none(),
        "value": reported.milli.map(|milli| milli as f64 / 1000.0),
        "failures": health.map(|health| health.failures),
        "status": health.map(status),
    }))
}

fn status(health: &Health) -> &'static str {
    if health.is_failing { "Failing" } else { "Happy" }
}

fn fallback_sequence(input: &Value) -> Actual {
    let fallback = fallback(&input["fallback"])?;
    let modifiers = modifiers(&input["scaling_modifiers"])?;
    let target = Target { milli: whole(&input["target_milli"])?, is_value: input["target_type"] == "Value" };
    let ready = int(&input["ready_pods"])?;
    let mut failures = Failures::default();
    let mut steps = Vec::new();
    for step in list(&input["steps"])? {
        let workload = Workload { replicas: int(&step["current_replicas"])?, ready };
        let value = optional(&step["scaler_value"], milli)?;
        let reported =
            failures.report(text(&step["metric"])?, value, fallback.as_ref(), modifiers.as_ref(), target, workload);
        let health = failures.health.iter();
        let health = health
            .map(|(name, health)| (name.clone(), json!({ "failures": health.failures, "status": status(health) })));
        let condition = match failures.is_falling_back {
            None => "Unknown",
            Some(true) => "True",
            Some(false) => "False",
        };
        let mut made = json!({
            "error": reported.milli.is_none(),
            "fallback_active": reported.is_fallback,
            "fallback_condition": condition,
            "health": health.collect::<serde_json::Map<_, _>>(),
        });
        if let Some(milli) = reported.milli {
            made["metric_name"] = json!(reported.name);
            made["value_milli"] = json!(milli);
        }
        steps.push(made);
    }
    Ok(json!({ "steps": steps }))
}

// --- formulas -------------------------------------------------------------------------------------------------------

fn formula_pair(input: &Value) -> Actual {
    let mut pair = serde_json::Map::new();
    if !input["formula"].is_null() {
        pair.insert(text(&input["trigger"])?.to_owned(), input["metric"].clone());
    }
    Ok(json!({ "error": false, "pair": pair }))
}

fn formula(input: &Value) -> Actual {
    let triggers = input["triggers"].as_object().ok_or("no triggers")?;
    let triggers = triggers.iter().map(|(name, value)| Ok((name.clone(), optional(value, number)?)));
    let triggers = triggers.collect::<Result<BTreeMap<_, _>, String>>()?;
    let target = input["target"].as_str().and_then(|target| target.parse::<f64>().ok());
    let otherwise =
        optional(&input["fallback_replicas"], number)?.zip(target).map(|(replicas, target)| replicas * target);
    let found = Formula::parse(text(&input["formula"])?)?.milli(&triggers, otherwise);
    Ok(json!({ "error": found.is_err(), "value_milli": found.ok() }))
}

fn formula_run(input: &Value) -> Actual {
    let checked = Formula::parse(text(&input["formula"])?).and_then(|formula| {
        formula.check(&["a", "b", "c"])?;
        Ok(formula)
    });
    let Ok(formula) = checked else { return Ok(json!({ "valid": false })) };
    let fallback = fallback(&input["fallback"])?.filter(|stated| stated.behavior == Behavior::ScalingModifiers);
    let mut triggers = BTreeMap::new();
    for (name, trigger) in input["triggers"].as_object().ok_or("no triggers")? {
        let value = as_float(whole(&trigger["value_milli"])?);
        let failures = optional(&trigger["failures"], int)?;
        triggers.insert(name.clone(), trigger_value(value, fallback.map(|stated| stated.threshold), failures));
    }
    let target = input["target"].as_str().and_then(|target| target.parse::<f64>().ok());
    let otherwise = fallback.zip(target).map(|(stated, target)| f64::from(stated.replicas) * target);
    let found = formula.milli(&triggers, otherwise);
    let mut made = json!({ "valid": true, "error": found.is_err() });
    if let Ok(milli) = found {
        made["value_milli"] = json!(milli);
    }
    Ok(made)
}

// --- jobs -----------------------------------------------------------------------------------------------------------

fn strategy(input: &Value) -> Result<Strategy, String> {
    let deduction = optional(&input["queue_length_deduction"], whole)?;
    Ok(Strategy::named(input["strategy"].as_str().unwrap_or(""), deduction, input["running_job_percentage"].as_str()))
}

fn job_decision(input: &Value, kind: &str) -> Actual {
    let (running, pending) = (whole(&input["running_jobs"])?, whole(&input["pending_jobs"])?);
    let (asked_max, scale_to) = (whole(&input["max_scale"])?, whole(&input["scale_to"])?);
    let most = whole(&input["max_replica_count"])?;
    let (max_scale, scale_to) = if kind == "job_strategy" {
        strategy(input)?.effective(asked_max, running, pending, most, scale_to)
    } else {
        let least = optional(&input["min_replica_count"], whole)?;
        let job = ScaledJob::new(least, Some(most), Calculation::Max, Strategy::Default);
        job.decide(Asked { is_active: true, scale_to, max_scale: asked_max }, running, pending)
    };
    Ok(json!({ "max_scale": max_scale, "scale_to": scale_to }))
}

fn scaled_job(input: &Value) -> Actual {
    let calculation = Calculation::named(input["multiple_scalers_calculation"].as_str().unwrap_or(""));
    let (least, most) = (optional(&input["min_replica_count"], whole)?, optional(&input["max_replica_count"], whole)?);
    let job = ScaledJob::new(least, most, calculation, strategy(input)?);
    let mut triggers = Vec::new();
    for trigger in list(&input["triggers"])? {
        triggers.push(JobTrigger {
            is_active: truth(&trigger["is_active"])?,
            queue: number(&trigger["queue_length"])?,
            target: number(&trigger["target_average_value"])?,
        });
    }
    let asked = job.asked(&triggers);
    let running = i64::from(count(&input["unfinished_jobs"])?);
    let created = job.created(asked, running, i64::from(count(&input["pending_jobs"])?));
    let (ready, ready_reason) = job_ready(truth(&input["is_error"])?, asked.is_active);
    Ok(json!({
        "is_active": asked.is_active,
        "scale_to": asked.scale_to,
        "max_scale": asked.max_scale,
        "created": created,
        "ready": ready,
        "ready_reason": ready_reason,
    }))
}

fn job_ready(is_error: bool, is_active: bool) -> (&'static str, &'static str) {
    Ready::of(is_error, is_active).condition()
}

// --- cron -----------------------------------------------------------------------------------------------------------

fn cron(input: &Value) -> Actual {
    let replicas = text(&input["desired_replicas"])?.parse::<i64>();
    let [start, end, zone] = [&input["start"], &input["end"], &input["timezone"]].map(text);
    let parsed = replicas.map_err(|e| e.to_string()).and_then(|replicas| Cron::parse(start?, end?, zone?, replicas));
    let Ok(cron) = parsed else { return Ok(json!({ "error": true })) };
    let times = list(&input["times_unix_ms"])?.iter().map(|time| Ok(whole(time)?.div_euclid(1000)));
    let times = times.collect::<Result<Vec<i64>, String>>()?;
    let active: Vec<bool> = times.iter().map(|time| cron.is_active(*time)).collect();
    let value: Vec<i64> = times.iter().map(|time| cron.value(*time)).collect();
    Ok(json!({ "error": false, "active": active, "value": value }))
}

#[test]
fn an_hour_is_whole_seconds() {
    assert_eq!(span(&json!(3600)), Ok(SimDuration::from_secs(3600)));
}
