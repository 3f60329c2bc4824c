//! What lies between the lower bound on cost and a policy that was run.

use super::verdict::{is_clairvoyant, meets_objectives};
use crate::engine::{Interval, RunRecord};
use crate::experiment::Outcome;
use crate::report::printing::text;
use crate::units::{SimTime, Usd};

/// Parts smaller than this share of the whole are not worth a word.
const WORTH: f64 = 0.005;

/// Where the money between the bound and a run went, dollars.
#[derive(Debug, Default, Clone, Copy)]
struct Gap {
    warm_up: f64,
    idle: f64,
    starting: f64,
    billing: f64,
}

impl Gap {
    /// Of the run's cost as it accrued; billing is what minimum and rounding added to it.
    fn of(run: &RunRecord) -> Gap {
        let mut gap = Gap::default();
        let mut accrued = 0.0;
        for interval in run.services.iter().flat_map(|service| &service.timeline) {
            accrued += dollars(interval);
            gap.add(interval, warm_share(interval, run.warm_up));
        }
        gap.billing = (run.cost.map_or(0.0, Usd::as_f64) - accrued).max(0.0);
        gap
    }

    /// An interval of which a share lies in the warm-up.
    fn add(&mut self, interval: &Interval, warm: f64) {
        let replicas = interval.ready + interval.starting;
        self.warm_up += dollars(interval) * warm;
        if replicas > 0.0 {
            let each = dollars(interval) * (1.0 - warm) / replicas;
            self.starting += each * interval.starting;
            self.idle += each * interval.ready * (1.0 - interval.load.unwrap_or(0.0));
        }
    }
}

/// What an interval of a priced service cost.
fn dollars(interval: &Interval) -> f64 {
    interval.cost.map_or(0.0, Usd::as_f64)
}

/// Share of an interval that lies in the warm-up.
fn warm_share(interval: &Interval, warm_up: SimTime) -> f64 {
    let length = interval.length.as_secs_f64();
    if length > 0.0 { (warm_up.since(interval.start).as_secs_f64() / length).min(1.0) } else { 0.0 }
}

/// The gap in words: between the bound and the cheapest clairvoyant plan that keeps the objectives, or else the cheapest
/// policy that does. `None` without a bound or such a policy.
pub(super) fn explained(outcome: &Outcome) -> Option<String> {
    let bound = outcome.bound.as_ref()?;
    if bound.nodes > Usd::ZERO {
        return None; // What nodes cost is not told apart by replica.
    }
    let bound = bound.cost;
    let meeting = outcome.runs.iter().filter(|run| meets_objectives(run) == Some(true));
    let order = |run: &RunRecord| (!is_clairvoyant(run), run.cost);
    let run = meeting.min_by_key(|run| order(run))?;
    let whole = run.cost?.as_f64() - bound.as_f64();
    let gap = Gap::of(run);
    let rest = whole - gap.warm_up - gap.idle - gap.starting - gap.billing;
    let parts = [
        (gap.warm_up, "in the warm-up, which the bound does not count"),
        (gap.idle, "for idle slots of ready replicas (rounding to whole replicas, and room to avoid queueing)"),
        (gap.starting, "while replicas started"),
        (gap.billing, "for minimum charges and billing granularity"),
        (rest, "for work that the bound leaves out (requests that may be bad, and those near the end)"),
    ];
    let told: Vec<String> = parts
        .iter()
        .filter(|(dollars, _)| *dollars > WORTH * whole)
        .map(|(dollars, what)| format!("{} {what}", shown(*dollars)))
        .collect();
    let less = match rest < -WORTH * whole {
        true => format!("; less {} that the bound also counts", shown(-rest)),
        false => String::new(),
    };
    (whole > 0.0 && !told.is_empty()).then(|| {
        let (all, policy) = (shown(whole), &run.policy);
        format!("Of the {all} between the bound and {policy}, it paid {}{less}.", told.join("; "))
    })
}

fn shown(dollars: f64) -> String {
    text::dollars(Usd::from_nanos((dollars * 1e9).round() as i128))
}
