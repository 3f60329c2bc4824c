//! What the three policies have in common: their pace, periods, bounds and figures.

use crate::config::{Diagnostics, Fields};
use crate::units::SimDuration;

/// The time between two looks at metrics: the resolution of the finest ones.
pub(super) const LOOK: SimDuration = SimDuration::from_secs(10);

/// A figure with at most two decimals.
pub(super) fn short(value: f64) -> String {
    // A difference of sums may be a hair below zero.
    let text = format!("{:.2}", (value * 100.0).round() / 100.0 + 0.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The periods of an alarm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Periods {
    pub period: SimDuration,
    pub periods: u32,
    pub datapoints: u32,
}

impl Periods {
    /// Reads `period`, `evaluation-periods` and `datapoints-to-alarm`.
    pub(super) fn read(fields: &Fields<'_>, periods: u32, sink: &mut Diagnostics) -> Periods {
        let period = fields.or("period", SimDuration::from_secs(60), sink);
        let periods = fields.or("evaluation-periods", periods, sink);
        fields.default_is("datapoints-to-alarm", None);
        let datapoints = fields.optional("datapoints-to-alarm", sink).unwrap_or(periods);
        if period < LOOK {
            sink.push(fields.node_of("period").unwrap_or(fields.node()).error("`period` must be at least 10s"));
        }
        if periods == 0 || datapoints == 0 || datapoints > periods || periods > 1440 {
            let words = "`datapoints-to-alarm` must be from 1 to `evaluation-periods`, and those at most 1440";
            sink.push(fields.node().error(words));
        }
        Periods { period, periods, datapoints }
    }
}

/// Reads `min` and `max`.
pub(super) fn read_bounds(fields: &Fields<'_>, sink: &mut Diagnostics) -> (u32, u32) {
    let (min, max) = (fields.or("min", 1, sink), fields.required("max", sink).unwrap_or(u32::MAX));
    if max == 0 || max < min {
        sink.push(fields.node().error("`max` must be at least `min` and at least 1"));
    }
    (min, max)
}
