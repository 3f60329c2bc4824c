//! The parameters of `q-learning`.
//!
//! ```yaml
//! min: 2
//! max: 40
//! capacity: 40/s                 # of one replica; or { concurrency: 4, service-time: 120ms, utilization: 100% }
//! trained: learned/shop.json     # written by `plimsoll train`; without it only the fallback decides
//! fallback-target: 70%           # target utilization in states that were not learned
//! sync-period: 5m
//! actions: [0, -12%, +12%, -30%, +30%]
//! load: [0.4, 0.6, 0.8, 1]       # cuts: boundaries between classes
//! trend: [0.95, 1.05]
//! trend-over: 15m
//! starting: [0]
//! waiting: [1]
//! season: 1d
//! parts: 8
//! ```

use std::sync::Arc;

use super::design::{Design, MAX_STATES};
use super::learned::Learned;
use super::step::Step;
use super::{QLearning, Settings};
use crate::config::{Diagnostics, Fields, Yaml};
use crate::policy::capacity::read_capacity;
use crate::policy::stored::read_trained;
use crate::policy::{PolicyContext, PolicyFactory};
use crate::units::{SimDuration, Utilization};

/// Actions that differ enough to have distinguishable consequences. With additional steps of one replica, each soon
/// undone by the next decision, learning took several times as long (docs/learning.md).
const ACTIONS: [Step; 5] = [Step::By(0), Step::Share(-0.12), Step::Share(0.12), Step::Share(-0.3), Step::Share(0.3)];
const LOAD: [f64; 13] = [0.2, 0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0, 1.15];
const TREND: [f64; 2] = [0.95, 1.05];
const STARTING: [f64; 2] = [0.0, 0.15];
const WAITING: [f64; 1] = [1.0];
/// The maximum number of actions of a policy.
const MAX_ACTIONS: usize = 64;

/// Builds the policy.
pub(super) fn build(node: &Yaml, context: &PolicyContext<'_>, sink: &mut Diagnostics) -> Option<PolicyFactory> {
    let fields = Fields::open(node, "policy `q-learning`", sink)?;
    let errors = sink.errors();
    let min: u32 = fields.or("min", 1, sink);
    let max: Option<u32> = fields.required("max", sink);
    let target = fields.or("fallback-target", Utilization::new(0.7).unwrap_or_default(), sink).get();
    let design = read_design(&fields, sink);
    let trained = fields.node_of("trained");
    let learned = trained.and_then(|node| {
        let difference = |learned: &Learned| design.as_ref()?.difference(&learned.design);
        read_trained(node, context, sink, Learned::from_json, difference)
    });
    fields.finish(sink);
    let (max, design) = (max?, design?);
    if max < min || min == 0 {
        let place = fields_node(node, if min == 0 { "min" } else { "max" });
        sink.push(place.error(format!("`min` must be at least 1 and `max` at least `min`: found {min} and {max}")));
    }
    if !(0.01..=10.0).contains(&target) {
        sink.push(fields_node(node, "fallback-target").error("`fallback-target` must be between 1% and 1000%"));
    }
    if sink.errors() > errors {
        return None;
    }
    let settings = Settings {
        min,
        max,
        target,
        design: Arc::new(design),
        learned: learned.map(Arc::new),
        trained: trained.and_then(|node| node.as_text()).map(str::to_string),
    };
    Some(Arc::new(move |_| Box::new(QLearning::new(settings.clone()))))
}

/// The node of a field, or the whole mapping if the field is absent.
fn fields_node<'a>(node: &'a Yaml, name: &str) -> &'a Yaml {
    node.get(name).unwrap_or(node)
}

fn read_design(fields: &Fields<'_>, sink: &mut Diagnostics) -> Option<Design> {
    let errors = sink.errors();
    let sync_period: SimDuration = fields.or("sync-period", SimDuration::from_secs(60), sink);
    let design = Design {
        actions: fields.or("actions", ACTIONS.to_vec(), sink),
        capacity: read_capacity(fields, sink)?,
        load: fields.or("load", LOAD.to_vec(), sink),
        trend: fields.or("trend", TREND.to_vec(), sink),
        trend_over: fields.or("trend-over", SimDuration::from_secs(900), sink),
        starting: fields.or("starting", STARTING.to_vec(), sink),
        waiting: fields.or("waiting", WAITING.to_vec(), sink),
        season: fields.or("season", SimDuration::from_secs(86_400), sink),
        parts: fields.or("parts", 1, sink),
        sync_period,
    };
    let complain = |name: &'static str, words: &str, sink: &mut Diagnostics| {
        sink.push(fields.node_of(name).unwrap_or(fields.node()).error(words));
    };
    if design.sync_period.is_zero() {
        complain("sync-period", "`sync-period` must be above zero", sink);
    }
    if design.season.is_zero() || design.parts == 0 {
        complain("season", "`season` must be above zero and `parts` at least 1", sink);
    }
    for (name, cuts) in
        [("load", &design.load), ("trend", &design.trend), ("starting", &design.starting), ("waiting", &design.waiting)]
    {
        if !cuts.is_sorted_by(|a, b| a < b) {
            complain(name, "cuts must be in ascending order, without duplicates", sink);
        }
    }
    let distinct = design.actions.iter().enumerate().all(|(n, step)| !design.actions[..n].contains(step));
    if !distinct || !(2..=MAX_ACTIONS).contains(&design.actions.len()) {
        complain("actions", "`actions` must list 2 to 64 different actions", sink);
    }
    if design.states().is_none_or(|states| states > MAX_STATES) {
        complain("parts", "these classes make more than 1000000 states; use fewer cuts or parts", sink);
    }
    (sink.errors() == errors).then_some(design)
}
