//! NVIDIA Dynamo's planner: recordings of 1.6.1 and cases worked out from its rules.

use plimsoll::policy::dynamo::budget::{
    Band, BudgetReason, Pair, Proposal, clamp_pair, clamp_single, fit_pair, guard_pair, guard_single,
};
use plimsoll::policy::dynamo::capacity::{Engine, Goal, Shape};
use plimsoll::policy::dynamo::engine::{ForwardPass, ForwardPassMetrics, Limits, Work, WorkerType};
use plimsoll::policy::dynamo::load::{Replicas, Thresholds, both, wish_for_latencies};
use plimsoll::policy::dynamo::planner::{
    Capabilities, Component, Counts, Decision, Diagnostics, Mode, OptimizationTarget, Planner, PlannerConfig, Reports,
};
use plimsoll::policy::dynamo::power::{Optional, PowerProposal, PowerReason, within_power};
use plimsoll::policy::dynamo::predict::{Constant, Kalman, KalmanConfig};
use plimsoll::policy::dynamo::regression::{DecodeLoad, DecodeRegression, PrefillRegression, Sampling};
use plimsoll::policy::dynamo::throughput::Prediction;
use serde_json::{Value, json};

use super::{Actual, integer, list, number};

pub fn run(kind: &str, input: &Value, expected: &Value) -> Actual {
    Ok(match kind {
        "clamp_pair" | "gpu_budget" | "fit_pair" | "guard_disagg" => pair_budget(kind, input),
        "clamp_single" | "guard_single" => single_budget(kind, input),
        "power_budget" => power(input)?,
        "constant" | "kalman" => forecasts(kind, input, expected)?,
        "regression_prefill" => prefill_regression(input)?,
        "regression_decode" => decode_regression(input)?,
        "engine_capacity" => capacity(input)?,
        "easy_load_tick" | "sla_load_tick" => load_tick(input)?,
        "throughput_tick" => throughput_tick(input)?,
        "sla_load" | "easy_load" | "aggregate_engine" => wish(kind, input)?,
        "estimate_ttft" | "prefill_rate" | "decode_rate" => known_line(kind, input)?,
        _ => return Err(format!("unknown kind `{kind}`")),
    })
}

fn pair_of(input: &Value, prefill: &str, decode: &str) -> Pair {
    Pair::new(integer(input, prefill), integer(input, decode))
}

fn band(input: &Value) -> Band {
    Band { min: integer(input, "min_gpus"), max: integer(input, "max_gpus") }
}

fn least(input: &Value) -> Pair {
    let prefill = input["prefill_min_endpoint"].as_i64().unwrap_or(1);
    Pair::new(prefill, input["decode_min_endpoint"].as_i64().unwrap_or(prefill))
}

fn pair_budget(kind: &str, input: &Value) -> Value {
    let (band, least) = (band(input), least(input));
    let both = |pair: Pair| json!({ "prefill": pair.prefill, "decode": pair.decode });
    match kind {
        "clamp_pair" => {
            both(clamp_pair(pair_of(input, "num_p", "num_d"), pair_of(input, "p_gpu", "d_gpu"), band, least))
        }
        "gpu_budget" => {
            let cost = pair_of(input, "prefill_gpus", "decode_gpus");
            both(clamp_pair(pair_of(input, "prefill", "decode"), cost, band, least))
        }
        _ => {
            let proposal = Proposal {
                current: pair_of(input, "current_p", "current_d"),
                proposed: pair_of(input, "proposed_p", "proposed_d"),
                cost: pair_of(input, "p_gpu", "d_gpu"),
                least,
            };
            if kind == "fit_pair" {
                return both(fit_pair(&proposal, band));
            }
            let (pair, reason) = guard_pair(&proposal, band);
            json!({ "prefill": pair.prefill, "decode": pair.decode, "reason": reason.map(BudgetReason::name) })
        }
    }
}

fn single_budget(kind: &str, input: &Value) -> Value {
    let (band, least) = (band(input), integer(input, "min_endpoint"));
    if kind == "clamp_single" {
        let replicas = clamp_single(integer(input, "desired"), integer(input, "engine_gpu"), band, least);
        return json!({ "replicas": replicas });
    }
    let (current, proposed) = (integer(input, "current"), integer(input, "proposed"));
    let (replicas, reason) = guard_single(current, proposed, integer(input, "gpu_cost"), band, least);
    json!({ "replicas": replicas, "reason": reason.map(BudgetReason::name) })
}

fn power(input: &Value) -> Actual {
    let of =
        |prefill: &str, decode: &str| Optional { prefill: input[prefill].as_i64(), decode: input[decode].as_i64() };
    let proposal = PowerProposal {
        proposed: of("proposed_p", "proposed_d"),
        current: of("current_p", "current_d"),
        watts: of("p_watts", "d_watts"),
        least: least(input),
    };
    let (last, reason) =
        within_power(&proposal, integer(input, "total_budget")).ok_or("the fewest replicas exceed the budget")?;
    Ok(json!({ "prefill": last.prefill, "decode": last.decode, "reason": reason.map(PowerReason::name) }))
}

/// What is added, and what is forecast then, where a forecast is asked for.
fn forecasts(kind: &str, input: &Value, expected: &Value) -> Actual {
    let config = &input["config"];
    let is_log1p = config["load_predictor_log1p"].as_bool().ok_or("log1p?")?;
    let values = list(input, "series").iter().map(|value| value.as_f64().unwrap_or(f64::NAN));
    let asked = list(expected, "predictions").iter().map(|prediction| !prediction.is_null());
    let predictions: Vec<Option<f64>> = if kind == "constant" {
        let mut predictor = Constant::default();
        let after = |(value, asked): (f64, bool)| {
            predictor.add(value);
            asked.then(|| predictor.predicted())
        };
        values.zip(asked).map(after).collect()
    } else {
        let points = usize::try_from(integer(config, "kalman_min_points")).map_err(|e| e.to_string())?;
        let config = KalmanConfig {
            kalman_q_level: number(config, "kalman_q_level"),
            kalman_q_trend: number(config, "kalman_q_trend"),
            kalman_r: number(config, "kalman_r"),
            kalman_min_points: points,
        };
        let mut predictor = Kalman::new(config, is_log1p);
        let after = |(value, asked): (f64, bool)| {
            predictor.add(value);
            asked.then(|| (predictor.predicted(), predictor.predicted())).map(|(first, again)| {
                assert_eq!(first, again, "asked twice");
                first
            })
        };
        values.zip(asked).map(after).collect()
    };
    Ok(json!({ "predictions": predictions }))
}

fn sampling(input: &Value) -> Result<Sampling, String> {
    let size = |name: &str| usize::try_from(integer(input, name)).map_err(|e| e.to_string());
    Ok(Sampling {
        max_num_fpm_samples: size("max_num_fpm_samples")?,
        min_observations: size("min_observations")?,
        bucket_count: size("bucket_count")?,
    })
}

/// The only entry of a query: the function and its arguments.
fn query(query: &Value) -> Result<(&str, &Value), String> {
    let (name, arguments) = query.as_object().and_then(|query| query.iter().next()).ok_or("no query")?;
    Ok((name.as_str(), arguments))
}

fn prefill_regression(input: &Value) -> Actual {
    let mut model = PrefillRegression::new(sampling(input)?);
    for seen in list(input, "observations") {
        model.add(number(seen, "sched_prefill_tokens"), number(seen, "sched_prefill_requests"), number(seen, "wall_s"));
    }
    let (is_fitted, mut results) = (model.is_fitted(), Vec::new());
    for asked in list(input, "queries") {
        let (name, of) = query(asked)?;
        results.push(match name {
            "estimate_next_ttft" => json!(model.time_to_first_token(
                number(of, "queued_prefill_tokens"),
                number(of, "max_num_batched_tokens"),
                of["kv_hit_rate"].as_f64(),
            )),
            "find_best_engine_prefill_rps" => {
                let rate = model.rate(number(of, "isl"), of["max_num_batched_tokens"].as_f64());
                json!(rate.unwrap_or((0.0, 0.0)))
            }
            _ => return Err(format!("unknown query `{name}`")),
        });
    }
    Ok(fit(model.samples(), is_fitted, model.line().map(|(slopes, intercept)| (slopes.to_vec(), intercept)), results))
}

fn decode_regression(input: &Value) -> Actual {
    let mut model = DecodeRegression::new(sampling(input)?);
    for seen in list(input, "observations") {
        model.add(number(seen, "sched_decode_requests"), number(seen, "sched_decode_kv"), number(seen, "wall_s"));
    }
    let (is_fitted, mut results) = (model.is_fitted(), Vec::new());
    for asked in list(input, "queries") {
        let (name, of) = query(asked)?;
        results.push(match name {
            "estimate_next_itl" => {
                json!(model.inter_token_latency(number(of, "scheduled_decode_kv") + number(of, "queued_decode_kv")))
            }
            "find_best_engine_decode_rps" => {
                let rate = model.rate(&DecodeLoad {
                    itl_ms: number(of, "itl"),
                    context: number(of, "context_length"),
                    osl: number(of, "osl"),
                    max_kv_tokens: of["max_kv_tokens"].as_f64(),
                    max_num_seqs: of["max_num_seqs"].as_i64(),
                    accept_length: number(of, "accept_length"),
                });
                json!(rate.map_or((0.0, 0.0), |rate| (rate.rps, rate.itl_ms)))
            }
            _ => return Err(format!("unknown query `{name}`")),
        });
    }
    Ok(fit(model.samples(), is_fitted, model.line().map(|(slopes, intercept)| (slopes.to_vec(), intercept)), results))
}

fn fit(samples: usize, is_fitted: bool, line: Option<(Vec<f64>, f64)>, results: Vec<Value>) -> Value {
    let (slopes, intercept) = line.unzip();
    json!({ "observations": samples, "fitted": is_fitted, "coef": slopes, "intercept": intercept, "results": results })
}

fn pass(input: &Value) -> ForwardPass {
    ForwardPass {
        c0_ms: number(input, "c0_ms"),
        prefill_token_ms: number(input, "prefill_token_ms"),
        decode_request_ms: number(input, "decode_request_ms"),
        decode_kv_token_ms: number(input, "decode_kv_token_ms"),
    }
}

fn capacity(input: &Value) -> Actual {
    let (limits, request) = (&input["limits"], &input["request"]);
    let engine = Engine {
        worker_type: match input["worker_type"].as_str() {
            Some("prefill") => WorkerType::Prefill,
            Some("decode") => WorkerType::Decode,
            Some("aggregated") => WorkerType::Aggregated,
            _ => return Err(format!("unknown worker type {}", input["worker_type"])),
        },
        limits: Limits {
            max_num_batched_tokens: integer(limits, "max_num_batched_tokens"),
            max_num_seqs: integer(limits, "max_num_seqs"),
            max_kv_tokens: integer(limits, "max_kv_tokens"),
        },
        pass: pass(&input["forward_pass"]),
        ranks: integer(input, "attention_dp_size"),
    };
    let shape = Shape {
        isl: integer(request, "isl"),
        osl: integer(request, "osl"),
        ttft_sla_s: request["ttft_sla_s"].as_f64(),
        itl_sla_s: request["itl_sla_s"].as_f64(),
        e2e_latency_sla_s: request["e2e_latency_sla_s"].as_f64(),
        accept_length: number(request, "accept_length"),
        kv_hit_rate: request["kv_hit_rate"].as_f64(),
    };
    let goal = match input["optimization_target"].as_str() {
        Some("throughput") => Goal::Throughput,
        Some("latency") => Goal::Latency,
        _ => return Err(format!("unknown target {}", input["optimization_target"])),
    };
    let found = engine.capacity(&shape, goal);
    Ok(found.map_or(Value::Null, |found| {
        json!({
            "rps": found.rps, "ttft_s": found.ttft_s, "itl_s": found.itl_s,
            "e2e_latency_s": found.e2e_latency_s, "eligible": found.eligible,
        })
    }))
}

fn config(input: &Value) -> Result<PlannerConfig, String> {
    let (config, default) = (&input["config"], PlannerConfig::default());
    let float = |name: &str, default: f64| config[name].as_f64().unwrap_or(default);
    let whole = |name: &str, default: i64| config[name].as_i64().unwrap_or(default);
    let flag = |name: &str| config[name].as_bool().ok_or(format!("no {name}"));
    Ok(PlannerConfig {
        mode: match input["mode"].as_str() {
            Some("disagg") => Mode::Disagg,
            Some("prefill") => Mode::Prefill,
            Some("decode") => Mode::Decode,
            Some("agg") => Mode::Agg,
            _ => return Err(format!("unknown mode {}", input["mode"])),
        },
        optimization_target: match input["optimization_target"].as_str() {
            Some("throughput") => OptimizationTarget::Throughput,
            Some("latency") => OptimizationTarget::Latency,
            Some("load") => OptimizationTarget::Load,
            // A prediction of throughput needs the models of `sla`.
            Some("sla") | None => OptimizationTarget::Sla,
            Some(name) => return Err(format!("unknown target {name}")),
        },
        enable_load_scaling: flag("enable_load_scaling")?,
        enable_throughput_scaling: flag("enable_throughput_scaling")?,
        ttft_ms: float("ttft_ms", default.ttft_ms),
        itl_ms: float("itl_ms", default.itl_ms),
        load_scaling_down_sensitivity: whole("load_scaling_down_sensitivity", default.load_scaling_down_sensitivity),
        max_throughput_scaling_replicas: whole(
            "max_throughput_scaling_replicas",
            default.max_throughput_scaling_replicas,
        ),
        min_endpoint: whole("min_endpoint", default.min_endpoint),
        prefill_min_endpoint: config["prefill_min_endpoint"].as_i64(),
        decode_min_endpoint: config["decode_min_endpoint"].as_i64(),
        max_gpu_budget: whole("max_gpu_budget", default.max_gpu_budget),
        min_gpu_budget: whole("min_gpu_budget", default.min_gpu_budget),
        prefill_scale_up_queue_tokens: config["prefill_scale_up_queue_tokens"].as_i64(),
        prefill_scale_down_queue_tokens: config["prefill_scale_down_queue_tokens"].as_i64(),
        decode_scale_up_kv_rate: config["decode_scale_up_kv_rate"].as_f64(),
        decode_scale_down_kv_rate: config["decode_scale_down_kv_rate"].as_f64(),
        ..default
    })
}

fn planner(input: &Value, pass: ForwardPass) -> Result<Planner, String> {
    let of = &input["capabilities"];
    let capabilities = |gpus: &str| Capabilities {
        gpus: of[gpus].as_i64(),
        max_num_batched_tokens: of["max_num_batched_tokens"].as_i64(),
        max_num_seqs: of["max_num_seqs"].as_i64(),
        context_length: of["context_length"].as_i64(),
        max_kv_tokens: of["max_kv_tokens"].as_i64(),
        speculative_nextn: of["speculative_nextn"].as_i64(),
    };
    Ok(Planner::new(config(input)?, capabilities("prefill_gpus"), capabilities("decode_gpus"), pass))
}

/// The reports of one kind of engines; none if there are none.
fn reports(input: &Value) -> Reports {
    let report = |fpm: &Value| {
        let of = |name: &str| fpm[name].as_i64().unwrap_or(0);
        let work = |prefix: &str| Work {
            prefill_requests: of(&format!("{prefix}_prefill_requests")),
            prefill_tokens: of(&format!("{prefix}_prefill_tokens")),
            decode_requests: of(&format!("{prefix}_decode_requests")),
            decode_kv: of(&format!("{prefix}_decode_kv")),
        };
        ForwardPassMetrics { scheduled: work("sched"), queued: work("queued") }
    };
    let workers = input.as_object().into_iter().flatten();
    workers.map(|(worker, fpm)| ((worker.clone(), 0), report(fpm))).collect()
}

fn load_tick(input: &Value) -> Actual {
    let is_sla = input["optimization_target"] == "sla";
    let mut planner = planner(input, if is_sla { pass(&input["forward_pass"]) } else { ForwardPass::default() })?;
    planner.set_model_ready(input["model_ready"] != false);
    let counts = &input["counts"];
    planner.set_counts(Counts {
        ready: pair_of(counts, "ready_num_prefill", "ready_num_decode"),
        expected: (counts["expected_num_prefill"].as_i64(), counts["expected_num_decode"].as_i64()),
        pending: pair_of(counts, "pending_num_prefill", "pending_num_decode"),
    });
    if let Some(floors) = input.get("throughput_lower_bounds") {
        planner.set_lower_bound(pair_of(floors, "prefill", "decode"));
    }
    let history = input["history"].as_array().map_or(&[][..], Vec::as_slice);
    for seen in history.iter().chain([&input["fpm"]]) {
        planner.observe(&reports(&seen["prefill"]), &reports(&seen["decode"]));
    }
    has_averages(&planner, &input["averages"])?;
    let (prefill, decode) = (reports(&input["fpm"]["prefill"]), reports(&input["fpm"]["decode"]));
    let decision = planner.advance_load(&prefill, &decode, input["kv_hit_rate"].as_f64());
    let mut actual = said(decision, &planner.said());
    actual["estimated_ttft_ms"] = json!(planner.said().ttft_ms);
    actual["estimated_itl_ms"] = json!(planner.said().itl_ms);
    Ok(actual)
}

/// Whether the averages after the observations are those recorded.
fn has_averages(planner: &Planner, recorded: &Value) -> Result<(), String> {
    for (kind, averages) in recorded.as_object().into_iter().flatten() {
        let component = if kind == "prefill" { Component::Prefill } else { Component::Decode };
        let model = planner.model(component).ok_or("no model")?;
        let (prompt, length) = model.usual_lengths();
        let mut own = json!({ "avg_isl": prompt, "avg_decode_length": length });
        if averages.get("typical_prefill").is_some() {
            own["typical_prefill"] = json!(model.usual_prompts());
        }
        if !super::same(averages, &own, 1e-9) {
            return Err(format!("averages of {kind} are {own}, expected {averages}"));
        }
    }
    Ok(())
}

fn said(decision: Option<Decision>, said: &Diagnostics) -> Value {
    let decision = decision.map(|decision| json!({ "prefill": decision.prefill, "decode": decision.decode }));
    json!({
        "decision": decision,
        "reason": said.reason.map(|why| why.name()),
        "reason_prefill": said.prefill.map(|why| why.name()),
        "reason_decode": said.decode.map(|why| why.name()),
    })
}

fn throughput_tick(input: &Value) -> Actual {
    let mut planner = planner(input, pass(&input["forward_pass"]))?;
    let (counts, predicted) = (&input["counts"], &input["prediction"]);
    planner.set_counts(Counts {
        ready: pair_of(counts, "prefill", "decode"),
        expected: (None, None),
        pending: pair_of(counts, "pending_prefill", "pending_decode"),
    });
    let decision = planner.advance_throughput(&Prediction {
        duration_s: number(predicted, "duration_s"),
        num_req: predicted["num_req"].as_f64(),
        isl: predicted["isl"].as_f64(),
        osl: predicted["osl"].as_f64(),
        kv_hit_rate: predicted["kv_hit_rate"].as_f64(),
        accept_length: predicted["accept_length"].as_f64(),
    });
    let mut actual = said(decision, &planner.said());
    actual["engine_rps_prefill"] = json!(planner.said().prefill_rps);
    actual["engine_rps_decode"] = json!(planner.said().decode_rps);
    let floors = planner.lower_bound();
    actual["lower_bounds"] = json!({ "prefill": floors.prefill, "decode": floors.decode });
    Ok(actual)
}

fn wish(kind: &str, input: &Value) -> Actual {
    let ready = integer(input, "workers");
    let replicas = Replicas { ready, pending: 0, least: input["min_endpoint"].as_i64().unwrap_or(1) };
    let values = |name: &str| -> Vec<f64> { list(input, name).iter().filter_map(Value::as_f64).collect() };
    let workers = match kind {
        "sla_load" => {
            let (estimates, target) = (values("estimates_ms"), number(input, "target_ms"));
            let below = target * number(input, "down_sensitivity") / 100.0;
            let can_shrink = ready > 1 && estimates.iter().all(|estimate| *estimate < below);
            wish_for_latencies(&estimates, target, replicas, can_shrink).replicas
        }
        "easy_load" => {
            let is_latency = input["optimization_target"] == "latency";
            let thresholds = match input["component"].as_str() {
                Some("prefill") => Thresholds::of_prompts(is_latency),
                Some("decode") => Thresholds::of_cache(is_latency),
                _ => return Err(format!("unknown component {}", input["component"])),
            };
            thresholds.wish(&values("ratios"), replicas).replicas
        }
        _ => {
            let wanted = both(input["prefill_wish"].as_i64(), input["decode_wish"].as_i64(), ready);
            Some(wanted).filter(|wanted| *wanted != ready)
        }
    };
    Ok(json!({ "workers": workers }))
}

fn known_line(kind: &str, input: &Value) -> Actual {
    if kind == "decode_rate" {
        let mut model = DecodeRegression::known(
            number(input, "intercept_s"),
            number(input, "per_request_s"),
            number(input, "per_kv_token_s"),
        );
        let load = DecodeLoad {
            itl_ms: number(input, "itl_ms"),
            context: number(input, "context"),
            osl: number(input, "osl"),
            max_kv_tokens: input["max_kv_tokens"].as_f64(),
            max_num_seqs: input["max_num_seqs"].as_i64(),
            accept_length: 1.0,
        };
        let rate = model.rate(&load).ok_or("no rate")?;
        return Ok(json!({ "batch": rate.batch, "rps": rate.rps, "itl_ms": rate.itl_ms }));
    }
    let (intercept, slope) = (number(input, "wall_intercept_s"), number(input, "wall_per_token_s"));
    let batched = number(input, "max_num_batched_tokens");
    if kind == "prefill_rate" {
        let mut model = PrefillRegression::known(intercept, slope, 0.0);
        let (rps, ttft_ms) = model.rate(number(input, "isl"), Some(batched)).ok_or("no rate")?;
        return Ok(json!({ "rps": rps, "ttft_ms": ttft_ms }));
    }
    let mut model = PrefillRegression::known(intercept, slope, number(input, "avg_isl"));
    Ok(json!({ "ttft_s": model.time_to_first_token(number(input, "queued_prefill_tokens"), batched, None) }))
}
