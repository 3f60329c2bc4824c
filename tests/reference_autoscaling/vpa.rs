//! The Vertical Pod Autoscaler: converts a case's input to the library's functions and back.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use plimsoll::policy::vpa::amounts::{
    Resources, amount, cores, from_cores, humanized, rounded_up, scaled, whole_cores,
};
use plimsoll::policy::vpa::container::{Aggregate, Aggregation, Instance, PeakChange};
use plimsoll::policy::vpa::histogram::{Buckets, Checkpoint, Histogram};
use plimsoll::policy::vpa::recommender::{
    Controlled, Percentiles, Recommended, Recommender, confidence, least_of, with_confidence, with_margin,
};
use plimsoll::policy::vpa::updater::{PodContainer, Priority, UpdatePod, UpdaterConfig, order};
use plimsoll::units::{SimDuration, SimTime};

use super::reading::{count, list, number, optional, span, text, truth, whole};
use super::{Actual, Case};

/// The zero of times that may be negative.
const BASE: i64 = 1_700_000_000;

/// Runs one case.
pub fn run(case: &Case<'_>) -> Actual {
    let input = case.input;
    match case.kind {
        "options" => options(input),
        "histogram" | "decaying_histogram" => histogram(input),
        "merge" => merge(input),
        "container_samples" => container_samples(input),
        "expiry" => expiry(input),
        "policy" => policy(input),
        "aggregate_by_name" => aggregate_by_name(input),
        "percentile" => percentile(input),
        "confidence_multiplier" => confidence_multiplier(input),
        "margin" => margin(input),
        "minimum" => Ok(json!({ "value": whole(&input["base"])?.max(whole(&input["minimum"])?) })),
        "pod_recommendation" => pod_recommendation(input),
        "ordering" => ordering(input),
        "cpu_amount_from_cores" => Ok(json!({ "amount": from_cores(number(&input["value"])?) })),
        "memory_amount_from_bytes" | "amount_from_float" => Ok(json!({ "amount": amount(number(&input["value"])?) })),
        "scale_amount" => Ok(json!({ "amount": scaled(whole(&input["amount"])?, number(&input["factor"])?) })),
        "cores_from_amount" => Ok(json!({ "cores": cores(whole(&input["amount"])?) })),
        "humanize_memory" => Ok(json!({ "text": humanized(whole(&input["bytes"])?) })),
        "round_up_to_scale" => {
            let original = whole(&input["amount"])?;
            let rounded = rounded_up(original, whole(&input["scale"])?);
            Ok(json!({ "error": rounded.is_err(), "amount": rounded.unwrap_or(original) }))
        }
        "render" => render(input),
        "integer_cpu" => integer_cpu(input),
        "recommendation_sequence" => recommendation_sequence(input),
        "update_priority" => update_priority(input),
        other => Err(format!("`{other}` is not a kind of case that is known here")),
    }
}

// --- histograms -----------------------------------------------------------------------------------------------------

fn buckets(value: &Value) -> Result<Buckets, String> {
    let (largest, epsilon) = (number(&value["max_value"])?, number(&value["epsilon"])?);
    match text(&value["type"])? {
        "linear" => Ok(Buckets::linear(largest, number(&value["bucket_size"])?, epsilon)),
        "exponential" => {
            let (first, ratio) = (number(&value["first_bucket_size"])?, number(&value["ratio"])?);
            Ok(Buckets::exponential(largest, first, ratio, epsilon))
        }
        other => Err(format!("`{other}` is not a kind of histogram")),
    }
}

fn options(input: &Value) -> Actual {
    let buckets = buckets(&input["options"])?;
    let starts = list(&input["bucket_starts"])?.iter().map(|bucket| Ok(buckets.start(count(bucket)? as usize)));
    let found = list(&input["find_values"])?.iter().map(|value| Ok(buckets.of(number(value)?)));
    Ok(json!({
        "num_buckets": buckets.count(),
        "starts": starts.collect::<Result<Vec<f64>, String>>()?,
        "buckets": found.collect::<Result<Vec<usize>, String>>()?,
    }))
}

fn unix(value: &Value) -> Result<SimTime, String> {
    Ok(SimTime::from_nanos((number(value)? * 1e9).round() as u64))
}

fn checkpoint_json(stored: &Checkpoint) -> Value {
    let weights = stored.weights.iter().map(|(bucket, weight)| (bucket.to_string(), json!(weight)));
    let mut all = json!({ "total_weight": stored.total, "bucket_weights": weights.collect::<Map<_, _>>() });
    if let Some(reference) = stored.reference {
        all["reference_s"] = json!(reference.as_secs_f64());
    }
    all
}

fn apply(histogram: &mut Histogram, op: &Value, results: &mut Vec<Value>) -> Result<(), String> {
    match text(&op["op"])? {
        "add" => histogram.add(number(&op["value"])?, number(&op["weight"])?, unix(&op["time_s"])?),
        "subtract" => histogram.subtract(number(&op["value"])?, number(&op["weight"])?, unix(&op["time_s"])?),
        "percentile" => results.push(json!(histogram.percentile(number(&op["p"])?))),
        "is_empty" => results.push(json!(histogram.is_empty())),
        "reference" => results.push(json!(histogram.reference().map(SimTime::as_secs_f64))),
        "reference_is_set" => results.push(json!(histogram.reference().is_some())),
        "save_checkpoint" => results.push(checkpoint_json(&histogram.save())),
        "checkpoint_non_empty" => results.push(json!(!histogram.save().weights.is_empty())),
        "load_nothing" => results.push(json!("error")),
        "load_checkpoint" => {
            let mut stored = Checkpoint { total: number(&op["total_weight"])?, ..Checkpoint::default() };
            stored.reference = optional(&op["reference_s"], unix)?;
            for (bucket, weight) in op["bucket_weights"].as_object().ok_or("no weights")? {
                stored.weights.insert(bucket.parse().map_err(|_| "no bucket")?, count(weight)?);
            }
            results.push(if histogram.load(&stored).is_ok() { weights_json(histogram) } else { json!("error") });
        }
        "weights" => results.push(weights_json(histogram)),
        other => return Err(format!("`{other}` is not an operation")),
    }
    Ok(())
}

/// The total and the weights of a histogram.
fn weights_json(histogram: &Histogram) -> Value {
    let stored = histogram.weights().map(|(bucket, weight)| (bucket.to_string(), json!(weight)));
    json!({ "total": histogram.total(), "buckets": stored.collect::<Map<_, _>>() })
}

fn histogram(input: &Value) -> Actual {
    let mut histogram = Histogram::new(buckets(&input["options"])?, optional(&input["half_life_s"], span)?);
    let mut results = Vec::new();
    for op in list(&input["ops"])? {
        apply(&mut histogram, op, &mut results)?;
    }
    Ok(json!({ "results": results }))
}

fn merge(input: &Value) -> Actual {
    let half_life = optional(&input["half_life_s"], span)?;
    let made = |ops: &Value| -> Result<Histogram, String> {
        let mut histogram = Histogram::new(buckets(&input["options"])?, half_life);
        for op in list(ops)? {
            apply(&mut histogram, op, &mut Vec::new())?;
        }
        Ok(histogram)
    };
    let mut first = made(&input["first"])?;
    first.merge(&made(&input["second"])?);
    Ok(json!({ "equal": first.equals(&made(&input["equal_to"])?) }))
}

// --- containers -----------------------------------------------------------------------------------------------------

fn aggregation(input: &Value) -> Result<Aggregation, String> {
    let plain = Aggregation::default();
    Ok(Aggregation {
        cpu_half_life: optional(&input["cpu_half_life_s"], span)?.unwrap_or(plain.cpu_half_life),
        memory_half_life: optional(&input["memory_half_life_s"], span)?.unwrap_or(plain.memory_half_life),
        interval: span(&input["memory_aggregation_interval_s"])?,
        intervals: count(&input["memory_aggregation_interval_count"])?,
        oom_ratio: optional(&input["oom_bump_up_ratio"], number)?.unwrap_or(plain.oom_ratio),
        oom_least: optional(&input["oom_min_bump_up_bytes"], number)?.unwrap_or(plain.oom_least),
    })
}

fn after_base(base: i64, seconds: f64) -> Result<SimTime, String> {
    let nanos = base * 1_000_000_000 + (seconds * 1e9).round() as i64;
    u64::try_from(nanos).map(SimTime::from_nanos).map_err(|e| e.to_string())
}

fn container_samples(input: &Value) -> Actual {
    let mut instance = Instance::new(aggregation(input)?);
    let (mut accepted, mut calls) = (Vec::new(), Vec::new());
    let since = |time: SimTime| (time.as_nanos() as i64 - BASE * 1_000_000_000) as f64 / 1e9;
    let call = |change: &PeakChange| {
        let op = if change.is_added { "add" } else { "subtract" };
        json!({ "histogram": "memory", "op": op, "value": change.bytes, "weight": 1.0, "time_s": since(change.time) })
    };
    for step in list(&input["steps"])? {
        let time = after_base(BASE, number(&step["time_s"])?)?;
        let changes = match text(&step["op"])? {
            "cpu_sample" => {
                let amount = whole(&step["amount"])?;
                let taken = instance.takes_cpu(amount, time);
                accepted.push(taken);
                if taken {
                    calls.push(json!({ "histogram": "cpu", "op": "add", "value": cores(amount), "weight": 0.1, "time_s": since(time) }));
                }
                continue;
            }
            "memory_sample" => instance.takes_memory(whole(&step["amount"])?, time, false),
            "oom" => instance.takes_kill(whole(&step["requested_memory"])?, time),
            other => return Err(format!("`{other}` is not a step")),
        };
        accepted.push(changes.is_some());
        calls.extend(changes.iter().flatten().map(call));
    }
    Ok(json!({ "accepted": accepted, "histogram_calls": calls }))
}

fn expiry(input: &Value) -> Actual {
    let created = after_base(BASE, 0.0)?;
    let mut known = Aggregate::new(aggregation(input)?, created);
    if !truth(&input["empty"])? {
        known.add_cpu(100, created);
    }
    let expired = list(&input["seconds_since_last_sample_or_creation"])?.iter();
    let expired = expired.map(|since| Ok(known.is_expired(after_base(BASE, number(since)?)?)));
    Ok(json!({ "expired": expired.collect::<Result<Vec<bool>, String>>()? }))
}

fn policy(input: &Value) -> Actual {
    let stated = &input["policy"];
    let plain = Aggregation::default();
    let per_vpa = truth(&input["per_vpa_config_enabled"])?;
    let interval = optional(&stated["memory_aggregation_interval_s"], span)?.filter(|_| per_vpa);
    let intervals = optional(&stated["memory_aggregation_interval_count"], count)?.filter(|_| per_vpa);
    let both = json!(["cpu", "memory"]);
    Ok(json!({
        "mode": stated["mode"].as_str().unwrap_or("Auto"),
        "controlled_resources": if stated["controlled_resources"].is_null() { &both } else { &stated["controlled_resources"] },
        "memory_aggregation_interval_s": interval.unwrap_or(plain.interval).as_secs_f64(),
        "memory_aggregation_interval_count": intervals.unwrap_or(plain.intervals),
    }))
}

fn aggregate_by_name(input: &Value) -> Actual {
    let plain = Aggregation::default();
    let time = unix(&input["time_s"])?;
    let mut by_name: BTreeMap<String, Aggregate> = BTreeMap::new();
    let mut parts: Vec<(String, Aggregate, f64, SimTime)> = Vec::new();
    for sample in list(&input["samples"])? {
        let mut known = Aggregate::new(plain, time);
        let mut instance = Instance::new(plain);
        known.add_cpu(from_cores(number(&sample["cpu_cores"])?), time);
        let bytes = number(&sample["memory_bytes"])?;
        let changes = instance.takes_memory(amount(bytes), time, false).unwrap_or_default();
        known.apply(&changes);
        let name = text(&sample["container"])?.to_owned();
        by_name.entry(name.clone()).or_insert_with(|| Aggregate::new(plain, time)).merge(&known);
        parts.push((name, known, bytes, instance.window_end().unwrap_or(time)));
    }
    let of_a = parts.iter().filter(|(name, ..)| name == "app-A");
    let (mut cpu, mut memory) = (None::<Histogram>, Histogram::new(Buckets::of_memory(), Some(plain.memory_half_life)));
    for (_, known, bytes, end) in of_a {
        cpu = Some(cpu.map_or_else(
            || known.cpu.clone(),
            |mut sum| {
                sum.merge(&known.cpu);
                sum
            },
        ));
        memory.add(*bytes, 1.0, *end);
    }
    let a = by_name.get("app-A").ok_or("no app-A")?;
    let counts = by_name.iter().map(|(name, known)| (name.clone(), json!(known.samples)));
    Ok(json!({
        "samples_count": counts.collect::<Map<_, _>>(),
        "app_a_cpu_equals_merge": cpu.is_some_and(|cpu| cpu.equals(&a.cpu)),
        "app_a_memory_equals_two_peaks": memory.equals(&a.memory),
    }))
}

// --- recommendations ------------------------------------------------------------------------------------------------

fn percentile(input: &Value) -> Actual {
    let share_of = |options: &Value, samples: &Value, share: &Value| -> Result<f64, String> {
        let mut histogram = Histogram::new(buckets(options)?, None);
        for sample in list(samples)? {
            histogram.add(number(sample)?, 1.0, SimTime::ZERO);
        }
        Ok(histogram.percentile(number(share)?))
    };
    let cpu = share_of(&input["cpu_options"], &input["cpu_samples_cores"], &input["cpu_percentile"])?;
    let memory = share_of(&input["memory_options"], &input["memory_samples_bytes"], &input["memory_percentile"])?;
    Ok(json!({ "cpu_cores": cores(from_cores(cpu)), "memory_bytes": amount(memory), "relative_tolerance": 0.05 }))
}

fn confidence_multiplier(input: &Value) -> Actual {
    let mut known = Aggregate::new(Aggregation::default(), SimTime::ZERO);
    for time in list(&input["cpu_sample_times_s"])? {
        known.add_cpu(1000, after_base(BASE, number(time)?)?);
    }
    let sure = confidence(&known, span(&input["confidence_interval_s"])?);
    let wide = |base: &Value| -> Result<i64, String> {
        Ok(with_confidence(whole(base)?, number(&input["multiplier"])?, number(&input["exponent"])?, sure))
    };
    Ok(json!({
        "confidence": sure,
        "cpu_millicores": wide(&input["base_cpu_millicores"])?,
        "memory_bytes": wide(&input["base_memory_bytes"])?,
    }))
}

fn margin(input: &Value) -> Actual {
    let share = number(&input["margin_fraction"])?;
    Ok(json!({
        "cpu_millicores": with_margin(whole(&input["base_cpu_millicores"])?, share),
        "memory_bytes": with_margin(whole(&input["base_memory_bytes"])?, share),
    }))
}

fn controlled(value: &Value) -> Result<Controlled, String> {
    let Some(names) = value.as_array() else { return Ok(Controlled { cpu: true, memory: true }) };
    let has = |name: &str| names.iter().any(|own| own == name);
    Ok(Controlled { cpu: has("cpu"), memory: has("memory") })
}

fn resources_json(resources: &Resources) -> Value {
    let mut all = Map::new();
    resources.cpu.into_iter().for_each(|cpu| drop(all.insert("cpu".to_owned(), json!(cpu))));
    resources.memory.into_iter().for_each(|memory| drop(all.insert("memory".to_owned(), json!(memory))));
    Value::Object(all)
}

fn pod_recommendation(input: &Value) -> Actual {
    let containers = list(&input["containers"])?;
    let (least_cpu, least_memory) =
        least_of(number(&input["min_cpu_millicores"])?, number(&input["min_memory_mib"])?, containers.len());
    let mut target = Map::new();
    for container in containers {
        let wanted = controlled(&container["controlled_resources"])?;
        let (cpu, memory) = (whole(&input["base_cpu_millicores"])?, whole(&input["base_memory_bytes"])?);
        let made = Resources {
            cpu: wanted.cpu.then(|| cpu.max(least_cpu)),
            memory: wanted.memory.then(|| memory.max(least_memory)),
        };
        target.insert(text(&container["name"])?.to_owned(), resources_json(&made));
    }
    Ok(json!({ "target": target }))
}

fn ordering(input: &Value) -> Actual {
    let names = list(&input["containers"])?.iter().map(|name| Ok((text(name)?, Recommended::default())));
    let names = names.collect::<Result<BTreeMap<_, _>, String>>()?;
    Ok(json!({ "containers": names.keys().collect::<Vec<_>>() }))
}

fn render(input: &Value) -> Actual {
    let round = |value: &Value, step: &Value| -> Result<i64, String> {
        let original = whole(value)?;
        Ok(rounded_up(original, whole(step)?).unwrap_or(original))
    };
    let memory = round(&input["memory_bytes"], &input["round_memory_bytes"])?;
    let memory = if truth(&input["humanize_memory"])? { json!(humanized(memory)) } else { json!(memory) };
    let cpu = round(&input["cpu_millicores"], &input["round_cpu_millicores"])?;
    Ok(json!({ "cpu_millicores": cpu, "memory": memory }))
}

fn integer_cpu(input: &Value) -> Actual {
    let annotated = list(&input["annotated"])?;
    let mut containers = Map::new();
    for (name, cpu) in input["containers"].as_object().ok_or("no containers")? {
        let cpu = whole(cpu)?;
        let is_whole = annotated.iter().any(|own| own == name.as_str());
        containers.insert(name.clone(), json!(if is_whole { whole_cores(cpu) } else { cpu }));
    }
    Ok(json!({ "containers": containers }))
}

/// A container of a sequence: per aggregation what is remembered, and its instances.
struct Known {
    parts: Vec<(Aggregate, Vec<Instance>)>,
    controlled: Controlled,
}

fn recommendation_sequence(input: &Value) -> Actual {
    let base = whole(&input["base_time_s"])?;
    let aggregation = aggregation(&input["aggregation"])?;
    let recommender = recommender(&input["config"])?;
    let mut containers: BTreeMap<String, Known> = BTreeMap::new();
    for container in list(&input["containers"])? {
        let mut parts = Vec::new();
        for instances in list(&container["instances"])? {
            let instances = vec![Instance::new(aggregation); count(instances)? as usize];
            parts.push((Aggregate::new(aggregation, after_base(base, 0.0)?), instances));
        }
        let known = Known { parts, controlled: controlled(&container["controlled_resources"])? };
        containers.insert(text(&container["name"])?.to_owned(), known);
    }
    let (mut accepted, mut recommendations) = (Vec::new(), Vec::new());
    for op in list(&input["ops"])? {
        if op["op"] == "recommend" {
            recommendations.push(recommendation(&containers, &recommender, aggregation)?);
            continue;
        }
        let known = containers.get_mut(text(&op["container"])?).ok_or("no such container")?;
        let part = known.parts.get_mut(count(&op["aggregation"])? as usize).ok_or("no such aggregation")?;
        if op["op"] == "checkpoint" {
            part.0 = part.0.reloaded()?;
            continue;
        }
        let instance = part.1.get_mut(count(&op["instance"])? as usize).ok_or("no such instance")?;
        accepted.push(sample(&mut part.0, instance, op, base)?);
    }
    Ok(json!({ "accepted": accepted, "recommendations": recommendations }))
}

fn sample(known: &mut Aggregate, instance: &mut Instance, op: &Value, base: i64) -> Actual {
    let kind = text(&op["op"])?;
    let begin = number(&op["time_s"])?;
    let mut take = |amount: i64, seconds: f64| -> Result<bool, String> {
        let time = after_base(base, seconds)?;
        if kind.starts_with("cpu") {
            let taken = instance.takes_cpu(amount, time);
            if taken {
                known.add_cpu(amount, time);
            }
            return Ok(taken);
        }
        let changes = match kind {
            "oom" => instance.takes_kill(amount, time),
            _ => instance.takes_memory(amount, time, false),
        };
        known.apply(changes.as_deref().unwrap_or(&[]));
        Ok(changes.is_some())
    };
    match kind {
        "cpu_series" | "memory_series" => {
            let (amounts, period) = (list(&op["amounts"])?, number(&op["period_s"])?);
            let mut taken = 0;
            for index in 0..count(&op["count"])? as usize {
                let amount = whole(&amounts[index % amounts.len()])?;
                taken += i32::from(take(amount, begin + index as f64 * period)?);
            }
            Ok(json!(taken))
        }
        "oom" => Ok(json!(take(whole(&op["requested_memory"])?, begin)?)),
        "cpu_sample" | "memory_sample" => Ok(json!(take(whole(&op["amount"])?, begin)?)),
        other => Err(format!("`{other}` is not an operation")),
    }
}

fn recommender(config: &Value) -> Result<Recommender, String> {
    let percentiles = |resource: &str| -> Result<Percentiles, String> {
        let share = |which: &str| number(&config[format!("{which}_{resource}_percentile")]);
        let interval = span(&config[format!("confidence_interval_{resource}_s")])?;
        Ok(Percentiles { target: share("target")?, lower: share("lower")?, upper: share("upper")?, interval })
    };
    Ok(Recommender {
        cpu: percentiles("cpu")?,
        memory: percentiles("memory")?,
        margin: number(&config["safety_margin"])?,
        least_cpu: number(&config["min_cpu_millicores"])?,
        least_memory: number(&config["min_memory_mib"])?,
    })
}

fn recommendation(containers: &BTreeMap<String, Known>, by: &Recommender, aggregation: Aggregation) -> Actual {
    let mut all = Map::new();
    for (name, known) in containers {
        let mut merged = Aggregate::new(aggregation, SimTime::ZERO);
        known.parts.iter().for_each(|(part, _)| merged.merge(part));
        let made = by.recommend(&merged, containers.len(), known.controlled);
        let made = json!({
            "target": resources_json(&made.target),
            "lower_bound": resources_json(&made.lower),
            "upper_bound": resources_json(&made.upper),
        });
        all.insert(name.clone(), made);
    }
    Ok(Value::Object(all))
}

// --- updates --------------------------------------------------------------------------------------------------------

fn resources(value: &Value) -> Result<Resources, String> {
    Ok(Resources { cpu: optional(&value["cpu"], whole)?, memory: optional(&value["memory"], whole)? })
}

fn update_priority(input: &Value) -> Actual {
    let config = UpdaterConfig {
        evict_after_kill: span(&input["config"]["evict_after_oom_s"])?,
        least_difference: number(&input["config"]["min_change_priority"])?,
        lifetime: span(&input["config"]["pod_lifetime_update_threshold_s"])?,
    };
    let mut recommended: BTreeMap<String, Recommended> = BTreeMap::new();
    for made in input["recommendation"].as_array().into_iter().flatten() {
        let [target, lower, upper] = ["target", "lower_bound", "upper_bound"].map(|which| resources(&made[which]));
        let made_for = text(&made["container"])?.to_owned();
        recommended.insert(made_for, Recommended { target: target?, lower: lower?, upper: upper? });
    }
    let (mut priorities, mut updated): (Vec<Value>, Vec<(String, Priority)>) = (Vec::new(), Vec::new());
    for pod in list(&input["pods"])? {
        let (name, pod) = (text(&pod["name"])?, update_pod(pod, &input["container_modes"])?);
        let priority = pod.priority(|container| recommended.get(container));
        priorities.push(json!({
            "pod": name,
            "outside_recommended_range": priority.is_outside,
            "scale_up": priority.scales_up,
            "resource_diff": priority.difference,
        }));
        if pod.is_updated(&priority, &config) {
            updated.push((name.to_owned(), priority));
        }
    }
    updated.sort_by(|a, b| order(&a.1, &b.1));
    let mut groups: Vec<Vec<String>> = Vec::new();
    for (index, (name, priority)) in updated.iter().enumerate() {
        let is_equal = index > 0 && order(&updated[index - 1].1, priority).is_eq();
        match groups.last_mut().filter(|_| is_equal) {
            Some(group) => group.push(name.clone()),
            None => groups.push(vec![name.clone()]),
        }
    }
    groups.iter_mut().for_each(|group| group.sort());
    Ok(json!({ "priorities": priorities, "order": groups }))
}

fn update_pod(pod: &Value, modes: &Value) -> Result<UpdatePod, String> {
    let mut containers = Vec::new();
    for container in list(&pod["containers"])? {
        let name = text(&container["name"])?;
        let ended = &container["last_termination"];
        let is_kill = ended["reason"] == "OOMKilled";
        let killed_after: Option<SimDuration> = optional(&ended["ran_s"], span)?.filter(|_| is_kill);
        let mode = modes[name].as_str().or(modes["*"].as_str());
        containers.push(PodContainer {
            name: name.to_owned(),
            requests: resources(&container["requests"])?,
            killed_after,
            is_scaled: mode != Some("Off"),
        });
    }
    let observed = pod["observed_containers"].as_str().map(str::to_owned);
    Ok(UpdatePod { containers, age: optional(&pod["start_ago_s"], span)?, observed })
}
