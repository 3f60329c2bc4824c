//! Schedules recorded from the real scheduler of vLLM, replayed step by step by the code that the simulation runs.

use plimsoll::serving::continuous::{Arriving, Engine, Limits, Order, Plan, Prefix, Steps};
use serde_json::{Map, Value, json};

use crate::support::prove;

#[test]
fn serving() {
    prove("serving", |_, document, case| replay(document, case));
}

/// The steps of one run, compared with the recorded ones as they happen.
struct Comparison<'a> {
    recorded: &'a [Value],
    /// Whether nothing happened after the last recorded step.
    complete: bool,
    compared: usize,
}

impl Comparison<'_> {
    /// Compares the next entry. `false` if the recording ends before it.
    fn next(&mut self, entry: Map<String, Value>) -> Result<bool, String> {
        let entry = Value::Object(entry);
        let Some(recorded) = self.recorded.get(self.compared) else {
            let beyond = format!("after the last recorded step comes {entry}");
            return if self.complete { Err(beyond) } else { Ok(false) };
        };
        self.compared += 1;
        let mut recorded = recorded.clone();
        // Those that finish in one step are not in an order.
        if let Some(finished) = recorded.get_mut("fin") {
            *finished = sorted(numbers(finished));
        }
        if entry == recorded {
            return Ok(true);
        }
        Err(format!("step {} is\n  {entry}, recorded\n  {recorded}", self.compared - 1))
    }
}

fn replay(document: &Value, case: &Value) -> Result<(), String> {
    let asynchronous = match case["kind"].as_str() {
        Some("schedule") => false,
        Some("schedule_async") => true,
        kind => return Err(format!("unknown kind {kind:?}")),
    };
    let requests = case["input"]["requests"].as_array().ok_or("no requests")?;
    let expected = &case["expected"];
    let limits = limits(&case["input"]["engine"], engine(document)?, asynchronous)?;
    let prefixes = prefixes(requests, limits.block_size);
    let mut steps = Steps::new(limits);
    let recorded = expected["steps"].as_array().ok_or("no steps")?;
    let complete = expected["complete"].as_bool().ok_or("not said whether complete")?;
    let mut comparison = Comparison { recorded, complete, compared: 0 };
    let (mut added, mut step) = (0, 0);
    let (mut first, mut preemptions) = (vec![Value::Null; requests.len()], vec![0_u32; requests.len()]);
    loop {
        if !steps.has_work() && steps.in_flight() == 0 {
            let Some(next) = requests.get(added) else { break };
            step = step.max(number(next, "arrival_step"));
        }
        while requests.get(added).is_some_and(|next| number(next, "arrival_step") <= step) {
            steps.add(arriving(&requests[added], added), &prefixes[added]);
            added += 1;
        }
        let mut entry = Map::new();
        if let Some(plan) = steps.schedule() {
            let idle = plan.load.tokens == 0;
            plan.preempted.iter().for_each(|request| preemptions[*request as usize] += 1);
            describe(plan, step, &mut entry);
            entry.insert("wait".into(), json!(waiting(&steps)));
            entry.insert("free".into(), json!(steps.scheduler().free_blocks()));
            step += 1;
            if steps.in_flight() < steps.depth() && (!idle || steps.has_requests()) {
                if !comparison.next(entry)? {
                    return Ok(());
                }
                continue;
            }
        } else {
            entry.insert("update".into(), json!(true));
        }
        if let Some(plan) = steps.complete() {
            plan.first.iter().for_each(|request| first[*request as usize] = json!(step - 1));
            if !plan.finished.is_empty() {
                entry.insert("fin".into(), sorted(plan.finished.iter().map(|tag| u64::from(*tag)).collect()));
            }
        }
        entry.insert("end".into(), json!(steps.scheduler().free_blocks()));
        if !comparison.next(entry)? {
            return Ok(());
        }
    }
    if comparison.compared < recorded.len() {
        return Err(format!("{} of {} steps", comparison.compared, recorded.len()));
    }
    for (name, found) in [("first_token_step", json!(first)), ("preemptions", json!(preemptions))] {
        if let Some(wanted) = expected.get(name).filter(|wanted| **wanted != found) {
            return Err(format!("{name} is {found}, recorded {wanted}"));
        }
    }
    Ok(())
}

/// What a step schedules, as the recordings say it.
fn describe(plan: &Plan, step: u64, entry: &mut Map<String, Value>) {
    let scheduled: Vec<_> = plan.scheduled.iter().map(|part| [part.tag, part.tokens]).collect();
    entry.insert("k".into(), json!(step));
    entry.insert("s".into(), json!(scheduled));
    for (name, again) in [("new", false), ("res", true)] {
        let admitted = plan.admitted.iter().filter(|(_, _, before)| *before == again);
        let admitted: Vec<_> = admitted.map(|(tag, computed, _)| [tag, computed]).collect();
        if !admitted.is_empty() {
            entry.insert(name.into(), json!(admitted));
        }
    }
    if !plan.preempted.is_empty() {
        entry.insert("pre".into(), json!(plan.preempted));
    }
}

/// The first three that wait; if there are more, their number with a minus.
fn waiting(steps: &Steps) -> Vec<i64> {
    let queue = steps.scheduler().queue();
    let more = (queue.len() > 3).then(|| -(queue.len() as i64));
    queue.iter().take(3).map(|tag| i64::from(*tag)).chain(more).collect()
}

fn engine(document: &Value) -> Result<Engine, String> {
    let version = document["source"]["version"].as_str().ok_or("no version")?;
    let known = |name: &str| version.split_whitespace().any(|word| word.starts_with(name));
    match (known("0.33."), known("0.19.")) {
        (true, false) => Ok(Engine::Vllm033),
        (false, true) => Ok(Engine::Vllm019),
        _ => Err(format!("unknown version {version:?}")),
    }
}

fn limits(engine: &Value, version: Engine, asynchronous: bool) -> Result<Limits, String> {
    const KNOWN: [&str; 14] = [
        "block_size",
        "num_gpu_blocks",
        "max_num_batched_tokens",
        "max_num_seqs",
        "max_model_len",
        "enable_chunked_prefill",
        "enable_prefix_caching",
        "policy",
        "scheduler_reserve_full_isl",
        "long_prefill_token_threshold",
        "watermark",
        "long_prefill_token_threshold_adaptive",
        "max_num_active_seqs",
        "prefill_schedule_interval",
    ];
    let stated = engine.as_object().ok_or("no engine")?;
    if let Some(unknown) = stated.keys().find(|key| !KNOWN.contains(&key.as_str())) {
        return Err(format!("the engine's `{unknown}` is not understood"));
    }
    let count = |key: &str| number(engine, key) as u32;
    let flag = |key: &str| engine[key].as_bool().unwrap_or_else(|| panic!("{key} is not a boolean"));
    let order = match engine["policy"].as_str() {
        Some("fcfs") => Order::Fcfs,
        Some("priority") => Order::Priority,
        policy => return Err(format!("unknown policy {policy:?}")),
    };
    Ok(Limits {
        engine: version,
        block_size: count("block_size"),
        blocks: count("num_gpu_blocks"),
        batched_tokens: count("max_num_batched_tokens"),
        sequences: count("max_num_seqs"),
        active_sequences: engine["max_num_active_seqs"].as_u64().map(|count| count as u32),
        length: count("max_model_len"),
        chunked_prefill: flag("enable_chunked_prefill"),
        prefix_caching: flag("enable_prefix_caching"),
        order,
        reserve_prompt: flag("scheduler_reserve_full_isl"),
        long_prefill: count("long_prefill_token_threshold"),
        long_prefill_adaptive: engine["long_prefill_token_threshold_adaptive"].as_bool().unwrap_or(false),
        watermark: engine["watermark"].as_f64().unwrap_or(0.0),
        prefill_interval: engine["prefill_schedule_interval"].as_u64().unwrap_or(1) as u32,
        asynchronous,
    })
}

fn arriving(request: &Value, tag: usize) -> Arriving {
    let priority = request["priority"].as_i64().unwrap_or_else(|| panic!("no priority")) as i32;
    let (prompt, output) = (number(request, "prompt") as u32, number(request, "output") as u32);
    Arriving { tag: tag as u32, prompt, output, priority }
}

/// What each request shares: `share: [j, n]` says that its first n tokens are those of request j, which may share them
/// with others in turn.
fn prefixes(requests: &[Value], block_size: u32) -> Vec<Vec<Prefix>> {
    let mut all: Vec<Vec<Prefix>> = Vec::new();
    for request in requests {
        let Some(share) = request.get("share") else {
            all.push(Vec::new());
            continue;
        };
        let share = numbers(share);
        let (other, until) = (share[0], share[1] as u32 / block_size);
        let theirs = all[other as usize].iter().map(|prefix| Prefix { until: prefix.until.min(until), ..*prefix });
        all.push(theirs.chain([Prefix { owner: other, until }]).collect());
    }
    all
}

fn number(of: &Value, key: &str) -> u64 {
    of[key].as_u64().unwrap_or_else(|| panic!("{key} is not a number: {of}"))
}

fn numbers(list: &Value) -> Vec<u64> {
    let list = list.as_array().unwrap_or_else(|| panic!("not a list: {list}"));
    list.iter().map(|entry| entry.as_u64().unwrap_or_else(|| panic!("not a number: {entry}"))).collect()
}

fn sorted(mut list: Vec<u64>) -> Value {
    list.sort_unstable();
    json!(list)
}
