//! Decisions recorded from kube-scheduler 1.35.4 (`tests/reference/scheduling`), compared with those of the code that
//! the simulation places pods with.

mod read;

use plimsoll::cluster::scheduling::{
    Census, Context, Filtering, Kind, NodeState, Profile, Relations, Scoring, View, preempt,
};
use serde_json::{Map, Value, json};

use crate::support::prove;
use read::Input;

#[test]
fn scheduling() {
    prove("scheduling", |_, _, case| check(case));
}

fn check(case: &Value) -> Result<(), String> {
    let preempts = match case["kind"].as_str() {
        Some("schedule") => false,
        Some("preempt") => true,
        other => return Err(format!("unknown kind {other:?}")),
    };
    let expected = case["expected"].as_object().ok_or("the case expects nothing")?;
    let input = read::input(&case["input"])?;
    let actual = decide(&input, preempts, expected);
    let mut wrong = Vec::new();
    if preempts && !expected.contains_key("preemption") {
        wrong.push("the case expects no preemption".to_string());
    }
    for (key, wanted) in expected {
        match actual.get(key) {
            Some(found) => compare(key, wanted, found, &mut wrong),
            None => wrong.push(format!("`{key}` is not produced, expected {wanted}")),
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

/// Compares what is expected, field by field, so that a difference is shown where it is.
fn compare(at: &str, wanted: &Value, found: &Value, wrong: &mut Vec<String>) {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            for (key, wanted) in wanted {
                compare(&format!("{at}.{key}"), wanted, found.get(key).unwrap_or(&Value::Null), wrong);
            }
            for key in found.keys().filter(|key| !wanted.contains_key(*key)) {
                wrong.push(format!("{at}.{key} is not expected"));
            }
        }
        (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => {
            for (index, (wanted, found)) in wanted.iter().zip(found).enumerate() {
                compare(&format!("{at}[{index}]"), wanted, found, wrong);
            }
        }
        _ if wanted == found => {}
        _ => wrong.push(format!("{at} is {found}, expected {wanted}")),
    }
}

/// The decision in the format of the recordings, with the fields that the case expects.
fn decide(input: &Input, preempts: bool, expected: &Map<String, Value>) -> Value {
    let incoming = Kind::from(input.pod.clone());
    let context = Context {
        nodes: View::new(&input.nodes),
        lookup: &input.lookup,
        incoming: &incoming,
        relations: &Relations::of(&input.lookup, &input.pod),
        profile: &input.profile,
        census: Some(&census(input)),
    };
    let filtering = Filtering::new(context);
    let refusals = filtering.refusals();
    let feasible: Vec<&NodeState> =
        input.nodes.iter().zip(&refusals).filter(|(_, refusal)| refusal.is_none()).map(|(node, _)| node).collect();
    let scoring = Scoring::new(context, &feasible);
    let mut scored = 0..;
    let nodes = input.nodes.iter().enumerate().map(|(index, node)| match &refusals[index] {
        None => node_scored(node, &scoring, scored.next().unwrap()),
        Some((plugin, refusal)) => {
            let code = if refusal.is_final { "UnschedulableAndUnresolvable" } else { "Unschedulable" };
            let mut row = json!({
                "name": node.name, "feasible": false, "refused_by": plugin, "code": code, "reasons": refusal.reasons,
            });
            // Not recorded beside nominated pods.
            if input.lookup.nominated.is_empty() && expected["nodes"][index].get("refused_by_all").is_some() {
                row["refused_by_all"] = json!(filtering.all_refusals(index));
            }
            row
        }
    });
    let nodes: Vec<Value> = nodes.collect();
    let names = |places: Vec<usize>| places.iter().map(|place| feasible[*place].name.clone()).collect::<Vec<_>>();
    let mut actual = json!({
        "prefilter": null,
        "skipped_filter_plugins": sorted(filtering.skipped()),
        "skipped_score_plugins": sorted(&scoring.skipped),
        "nodes": nodes,
        "feasible_count": feasible.len(),
        "best": names(scoring.best()),
    });
    if expected.contains_key("derived_1_36") {
        let profile = Profile { balance_by_change: true, ..input.profile.clone() };
        let scoring = Scoring::new(Context { profile: &profile, ..context }, &feasible);
        let balanced = scoring.columns.iter().find(|column| column.plugin == "NodeResourcesBalancedAllocation");
        let named = |scores: &[i64]| {
            feasible
                .iter()
                .map(|node| node.name.clone())
                .zip(scores.iter().copied().map(Value::from))
                .collect::<Map<_, _>>()
        };
        actual["derived_1_36"] = json!({
            "balanced": balanced.map(|column| named(&column.normalized)),
            "total": named(&scoring.totals),
            "best": names(scoring.best()),
        });
    }
    if preempts {
        actual["preemption"] = preemption(input, &filtering);
    }
    actual
}

/// The counts that the simulation keeps.
fn census(input: &Input) -> Census {
    let mut census = Census::default();
    for node in &input.nodes {
        census.node(node, 1);
        node.load.pods().iter().for_each(|(kind, count)| census.pods(node, *kind, i64::from(*count)));
    }
    census
}

fn sorted(names: &[&'static str]) -> Vec<&'static str> {
    let mut names = names.to_vec();
    names.sort_unstable();
    names
}

fn node_scored(node: &NodeState, scoring: &Scoring, place: usize) -> Value {
    let scores = scoring.columns.iter().map(|column| {
        let normalized = column.normalized[place];
        let scores =
            json!({ "raw": column.raw[place], "normalized": normalized, "weighted": normalized * column.weight });
        (column.plugin.to_string(), scores)
    });
    json!({
        "name": node.name,
        "feasible": true,
        "refused_by": null,
        "code": null,
        "scores": scores.collect::<Map<_, _>>(),
        "total": scoring.totals[place],
    })
}

fn preemption(input: &Input, filtering: &Filtering<'_>) -> Value {
    let found = preempt(filtering, &filtering.refusals());
    let pods = &input.lookup.kinds;
    let name = |kind: &usize| pods[*kind].pod.name.as_str();
    let node = |place: &usize| input.nodes[found.candidates[*place].node].name.clone();
    let candidates = found.candidates.iter().map(|candidate| {
        json!({
            "node": input.nodes[candidate.node].name,
            "victims": candidate.victims.iter().map(name).collect::<Vec<_>>(),
            "pdb_violations": candidate.violations,
        })
    });
    let evicted = found.best.iter().map(|place| {
        let leaves = |kind: &&usize| !pods[**kind].pod.terminating;
        let victims = found.candidates[*place].victims.iter().filter(leaves);
        let mut names: Vec<&str> = victims.map(name).collect();
        names.sort_unstable();
        (node(place), json!(names))
    });
    let mut row = json!({
        "status": if found.best.is_empty() { "Unschedulable" } else { "Success" },
        "nominated": found.best.iter().map(node).collect::<Vec<_>>(),
        "candidates": candidates.collect::<Vec<_>>(),
        "evicted": evicted.collect::<Map<_, _>>(),
    });
    if let Some(message) = found.message {
        row["message"] = format!("no new claims to deallocate, preemption: {message}").into();
    }
    row
}
