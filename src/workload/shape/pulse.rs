//! Events that raise or lower traffic for a while.

use crate::config::{Diagnostics, Fields, FromNode, Yaml};
use crate::units::SimDuration;
use crate::workload::time::moment::Moment;

/// The end of an event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fall {
    /// Linear decrease over this many seconds.
    Ramp(f64),
    /// Exponential decay: the excess halves every this many seconds.
    HalfLife(f64),
}

/// An event: from `at` on the rate rises linearly over `ramp` to `factor` times its normal value, stays there for
/// `hold`, and falls back. Ramp, plateau and fall are the phases of a flash crowd (Ari et al. 2003, "Managing flash
/// crowds on the Internet", MASCOTS).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pulse {
    pub(crate) at: Moment,
    pub(super) factor: f64,
    /// Seconds.
    pub(super) ramp: f64,
    /// Seconds.
    pub(super) hold: f64,
    pub(super) fall: Fall,
}

impl Pulse {
    /// The event in a stream that starts at `start` since 1970; `None` if it is before the start or has no position in
    /// the stream.
    pub(crate) fn placed(&self, start: Option<u64>) -> Option<PlacedPulse> {
        let at = self.at.offset_ns(start)? as f64 / 1e9;
        Some(PlacedPulse { at, full: at + self.ramp, until: at + self.ramp + self.hold, pulse: *self })
    }
}

/// An event with its time, in seconds from time zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PlacedPulse {
    at: f64,
    full: f64,
    until: f64,
    pulse: Pulse,
}

impl PlacedPulse {
    /// The factor at `t` seconds.
    pub(crate) fn factor(&self, t: f64) -> f64 {
        let share = if t < self.at {
            0.0
        } else if t < self.full {
            (t - self.at) / self.pulse.ramp
        } else if t < self.until {
            1.0
        } else {
            match self.pulse.fall {
                Fall::Ramp(length) if length > 0.0 => (1.0 - (t - self.until) / length).max(0.0),
                Fall::Ramp(_) => 0.0,
                Fall::HalfLife(length) => (-(t - self.until) / length).exp2(),
            }
        };
        1.0 + (self.pulse.factor - 1.0) * share
    }

    /// An upper bound of the factor within [from, to]: the event rises once and falls once.
    pub(crate) fn bound(&self, from: f64, to: f64) -> f64 {
        let ends = self.factor(from).max(self.factor(to));
        if to >= self.at && from <= self.until { ends.max(self.pulse.factor) } else { ends }
    }
}

impl FromNode for Pulse {
    /// `{ at: 09:00, factor: 4, ramp: 5m, for: 3h }`, falling over the same time as the ramp, or with `half-life: 20m`.
    fn from_node(node: &Yaml, sink: &mut Diagnostics) -> Option<Self> {
        let fields = Fields::open(node, "event", sink)?;
        let at = fields.required("at", sink);
        let factor: Option<f64> = fields.required("factor", sink);
        let ramp = fields.or("ramp", SimDuration::ZERO, sink).as_secs_f64();
        let hold = fields.or("for", SimDuration::ZERO, sink).as_secs_f64();
        let half_life: Option<SimDuration> = fields.optional("half-life", sink);
        fields.finish(sink);
        let (at, factor) = (at?, factor?);
        if !(0.0..=1e6).contains(&factor) || half_life.is_some_and(SimDuration::is_zero) {
            sink.push(node.error("expected a `factor` from 0 to 1000000 and a `half-life` above zero"));
            return None;
        }
        let fall = half_life.map_or(Fall::Ramp(ramp), |length| Fall::HalfLife(length.as_secs_f64()));
        Some(Pulse { at, factor, ramp, hold, fall })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pulse(factor: f64, ramp: f64, hold: f64, fall: Fall) -> PlacedPulse {
        let at = Moment::Offset(SimDuration::from_secs(1000));
        Pulse { at, factor, ramp, hold, fall }.placed(None).unwrap()
    }

    #[test]
    fn phases_are_as_stated() {
        let sale = pulse(4.0, 300.0, 600.0, Fall::Ramp(300.0));
        let at = [999.0, 1000.0, 1150.0, 1300.0, 1899.0, 2050.0, 2200.0, 9e9];
        assert_eq!(at.map(|t| sale.factor(t)), [1.0, 1.0, 2.5, 4.0, 4.0, 2.5, 1.0, 1.0]);
        let flash = pulse(9.0, 0.0, 0.0, Fall::HalfLife(60.0));
        assert_eq!([999.9, 1000.0, 1060.0, 1120.0].map(|t| flash.factor(t)), [1.0, 9.0, 5.0, 3.0]);
    }

    proptest! {
        #[test]
        fn the_bound_bounds(factor in 0.0..9.0f64, ramp in 0.0..50.0f64, hold in 0.0..50.0f64, tail in 1.0..50.0f64,
                            linear: bool, from in 900.0..1200.0f64, width in 0.0..100.0f64, part in 0.0..1.0f64) {
            let fall = if linear { Fall::Ramp(tail) } else { Fall::HalfLife(tail) };
            let pulse = pulse(factor, ramp, hold, fall);
            prop_assert!(pulse.factor(from + part * width) <= pulse.bound(from, from + width) + 1e-12);
        }
    }
}
