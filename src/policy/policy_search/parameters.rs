//! The parameters of `policy-search`.
//!
//! ```yaml
//! min: 2
//! max: 40
//! capacity: 40/s                 # of one replica; or { concurrency: 4, service-time: 120ms, utilization: 100% }
//! trained: learned/shop.json     # written by `plimsoll train`; without it the numbers below apply, each with a default
//! sync-period: 1m
//! season: 1d
//! lead: 10m                      # any of the ten numbers; the search does not change it
//! ```

use std::sync::Arc;

use super::found::{Design, Found};
use super::numbers::{COUNT, NUMBERS};
use super::{PolicySearch, Settings};
use crate::config::{Diagnostics, Fields, Yaml};
use crate::policy::capacity::read_capacity;
use crate::policy::stored::read_trained;
use crate::policy::{PolicyContext, PolicyFactory};
use crate::units::SimDuration;

/// Builds the policy.
pub(super) fn build(node: &Yaml, context: &PolicyContext<'_>, sink: &mut Diagnostics) -> Option<PolicyFactory> {
    let fields = Fields::open(node, "policy `policy-search`", sink)?;
    let errors = sink.errors();
    let settings = read_settings(&fields, sink);
    let found = fields.node_of("trained").and_then(|node| {
        let difference = |found: &Found| settings.as_ref()?.difference(found);
        read_trained(node, context, sink, Found::from_json, difference)
    });
    fields.finish(sink);
    let mut settings = settings?;
    if sink.errors() > errors {
        return None;
    }
    if let Some(found) = found {
        (settings.numbers, settings.is_trained) = (found.numbers, true);
    }
    Some(Arc::new(move |_| Box::new(PolicySearch::new(settings.clone()))))
}

fn read_settings(fields: &Fields<'_>, sink: &mut Diagnostics) -> Option<Settings> {
    let errors = sink.errors();
    let min: u32 = fields.or("min", 1, sink);
    let max: Option<u32> = fields.required("max", sink);
    let capacity = read_capacity(fields, sink);
    let season = fields.or("season", SimDuration::from_secs(86_400), sink);
    let sync_period = fields.or("sync-period", SimDuration::from_secs(60), sink);
    let mut complain = |name: &'static str, words: String| {
        sink.push(fields.node_of(name).unwrap_or(fields.node()).error(words));
    };
    if min == 0 {
        complain("min", "`min` must be at least 1".into());
    }
    if max.is_some_and(|max| max < min) {
        complain("max", format!("`max` is below `min`, {min}"));
    }
    if season.is_zero() {
        complain("season", "`season` must be above zero".into());
    }
    if sync_period.is_zero() {
        complain("sync-period", "`sync-period` must be above zero".into());
    }
    let given: [Option<f64>; COUNT] = NUMBERS.map(|number| number.read(fields, sink));
    if sink.errors() > errors {
        return None;
    }
    Some(Settings {
        min,
        max: max?,
        design: Arc::new(Design { capacity: capacity?, season, sync_period }),
        numbers: std::array::from_fn(|place| given[place].unwrap_or(NUMBERS[place].start)),
        stated: given.map(|value| value.is_some()),
        is_trained: false,
    })
}
