//! Provisioning problems solved by independent solvers: our optimal costs must agree.

use plimsoll::optimize::{BlockProblem, MixOffer, MixProblem, OptimizeError, SolveOptions, Solver};
use serde_json::Value;

use self::instance::{name, number, numbers, provisioning, types, whole_number};
use crate::support::{announce, reference_files};

mod instance;

#[test]
fn optimize() {
    let (mut total, mut failures) = (0, Vec::new());
    for path in reference_files("optimize") {
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let document: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        // A case that cannot be read is one failure, not the end of the run.
        for solver in Solver::ALL {
            let result = std::panic::catch_unwind(|| check(&document, *solver));
            let results = result.unwrap_or_else(|_| vec![Err("the case panicked (see above)".into())]);
            total += results.len();
            let wrong = results.into_iter().filter_map(Result::err);
            failures.extend(wrong.map(|problem| format!("{} with {solver}: {problem}", path.display())));
        }
    }
    announce(&format!("optimize: passed {} of {total}", total - failures.len()));
    for failure in &failures {
        announce(&format!("optimize: FAILED {failure}"));
    }
    assert!(failures.is_empty(), "{} of {total} cases failed:\n{}", failures.len(), failures.join("\n"));
}

/// The cases of one file, each correct or with its error.
fn check(document: &Value, solver: Solver) -> Vec<Result<(), String>> {
    let instance = &document["instance"];
    let kind = (document["kind"].as_str(), instance["kind"].as_str());
    let solve: fn(&Value, bool, SolveOptions) -> Result<f64, OptimizeError> = match kind {
        (Some("capacity_lp"), Some("static")) => static_mix,
        (Some("capacity_lp"), Some("multi")) => multi_period,
        (Some("capacity_lp"), Some("blocks")) => billing_blocks,
        other => return vec![Err(format!("unknown kind {other:?}"))],
    };
    let optimum = &document["optimum"];
    let tolerance = &document["tolerance"];
    let options = SolveOptions { solver, ..SolveOptions::default() };
    let relaxed = solve(instance, false, options).map_err(|error| error.to_string());
    let mut results =
        vec![relaxed.and_then(|cost| agree("linear", cost, &optimum["lp_objective"], &tolerance["lp_rel"]))];
    let mip = &optimum["mip"];
    if mip["status"] == "Optimal" {
        let whole = solve(instance, true, options).map_err(|error| error.to_string());
        results.push(whole.and_then(|cost| agree("integer", cost, &mip["objective"], &tolerance["mip_rel"])));
    } else if !mip.is_null() {
        // For this one a best known plan and a bound are known, but no optimum: a plan is found within the time limit,
        // not below the bound and within a tenth of the best known.
        let options = SolveOptions { time_limit: Some(2.0), solver };
        let whole = solve(instance, true, options).map_err(|error| error.to_string());
        results.push(whole.and_then(|cost| between(cost, number(&mip["bound"]), 1.1 * number(&mip["best_known"]))));
    }
    if let Some(expected) = document["cross_check"].get("dp_and_lp_objective_if_min_run_1") {
        results.push(short_runs(instance, expected, &tolerance["lp_rel"], options));
    }
    results
}

fn agree(what: &str, found: f64, expected: &Value, tolerance: &Value) -> Result<(), String> {
    let expected = number(expected);
    if (found - expected).abs() <= number(tolerance) * expected.abs() {
        return Ok(());
    }
    Err(format!("the {what} optimum is {found}, expected {expected}"))
}

fn between(found: f64, least: f64, most: f64) -> Result<(), String> {
    if (least * (1.0 - 1e-9)..=most).contains(&found) {
        return Ok(());
    }
    Err(format!("the plan in whole instances costs {found}, not between {least} and {most}"))
}

/// Without the minimum run, the linear program and the dynamic program have the same optimum.
fn short_runs(instance: &Value, expected: &Value, tolerance: &Value, options: SolveOptions) -> Result<(), String> {
    let mut problem = provisioning(instance);
    problem.offers[0].minimum_run = 1;
    let words = |error: OptimizeError| error.to_string();
    let one = problem.one_type().ok_or("this is not a problem of one type")?;
    agree("dynamic", one.dynamic().map_err(words)?.cost, expected, tolerance)?;
    agree("flow", one.whole().map_err(words)?.cost, expected, tolerance)?;
    agree("simplex", problem.solve(false, options).map_err(words)?.cost, expected, tolerance)
}

fn static_mix(instance: &Value, whole: bool, options: SolveOptions) -> Result<f64, OptimizeError> {
    let offer = |of: &Value| MixOffer::on_demand(&name(of), number(&of["price"]), numbers(&of["cap"]));
    let offers = types(instance).map(offer).collect();
    let problem = MixProblem { offers, demand: numbers(&instance["demand"]), ..MixProblem::default() };
    let mix = if whole { problem.whole(options)? } else { problem.relaxed(options)? };
    Ok(mix.cost)
}

fn multi_period(instance: &Value, whole: bool, options: SolveOptions) -> Result<f64, OptimizeError> {
    let problem = provisioning(instance);
    let plan = if whole { problem.whole(options)? } else { problem.relaxed(options)? };
    Ok(plan.cost)
}

fn billing_blocks(instance: &Value, whole: bool, options: SolveOptions) -> Result<f64, OptimizeError> {
    let of = types(instance).next().unwrap_or_else(|| panic!("no type"));
    let capacity = numbers(&of["cap"])[0];
    let headroom = 1.0 + number(&instance["headroom"]);
    let problem = BlockProblem {
        needed: numbers(&instance["demand"][0]).iter().map(|demand| headroom * demand / capacity).collect(),
        block: whole_number(&instance["block"]),
        price: number(&of["price"]),
        start_cost: number(&of["start_cost"]),
    };
    let plan = if whole { problem.whole(options)? } else { problem.relaxed(options)? };
    Ok(plan.cost)
}
