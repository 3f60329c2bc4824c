//! One autoscaler reconciled several times, recorded from the real controller: its sizes, conditions and memory after each step.

use serde_json::{Value, json};

use plimsoll::policy::hpa::limits::ScaleEvent;
use plimsoll::policy::hpa::reconcile::Scale;
use plimsoll::policy::hpa::stabilization::Recommendation;
use plimsoll::units::SimTime;

use super::super::Actual;
use super::reading::*;
use super::{FakeCluster, autoscaler, conditions_json};

/// Runs the steps in order. A size set by hand precedes the step that states it.
pub fn run(input: &Value) -> Actual {
    let mut autoscaler = autoscaler(input);
    let mut size = count(&input["initial_spec_replicas"]);
    let mut steps = Vec::new();
    for step in list(&input["steps"]) {
        let now = time(&step["time_s"]);
        if !step["set_spec_replicas"].is_null() {
            size = count(&step["set_spec_replicas"]);
        }
        let scale = Scale { spec_replicas: size, status_replicas: count(&step["status_replicas"]) };
        let run = autoscaler.reconcile(now, &mut FakeCluster::at(now, step, scale));
        if run.rescaled {
            size = run.desired;
        }
        let (status, history) = (&autoscaler.status, &autoscaler.history);
        let age = |at: SimTime| now.since(at).as_secs_f64();
        let event = |e: &ScaleEvent| json!({ "change": e.change, "age_s": age(e.at), "outdated": e.outdated });
        let recommended = |r: &Recommendation| json!({ "replicas": r.replicas, "age_s": age(r.at) });
        steps.push(json!({
            "desired_replicas": status.desired_replicas,
            "rescaled": run.rescaled,
            "conditions": conditions_json(status),
            "reconcile_error": if run.error { "internal" } else { "none" },
            "recommendations": history.recommendations.iter().flatten().map(recommended).collect::<Vec<_>>(),
            "scale_up_events": history.events.up.iter().map(event).collect::<Vec<_>>(),
            "scale_down_events": history.events.down.iter().map(event).collect::<Vec<_>>(),
        }));
    }
    Ok(json!({ "steps": steps }))
}
