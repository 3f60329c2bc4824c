//! The states that a learning policy distinguishes, and its actions.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::step::Step;
use crate::units::{SimDuration, SimTime};

/// The maximum number of states of a table.
pub const MAX_STATES: usize = 1_000_000;

/// The states and actions of a table. A table learned under one design is meaningless under another.
///
/// A quantity is divided into classes by ascending *cuts*: n cuts make n + 1 classes, and a value in class k is above k
/// of them. The state is the combination of the classes of all quantities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Design {
    /// The actions.
    pub actions: Vec<Step>,
    /// Requests per second that one fully busy replica serves.
    pub capacity: f64,
    /// Cuts of the offered load: the observed rate divided by the capacity of the desired replicas.
    pub load: Vec<f64>,
    /// Cuts of the trend: the observed rate divided by the rate `trend_over` earlier.
    pub trend: Vec<f64>,
    /// The time over which the trend is measured.
    pub trend_over: SimDuration,
    /// Cuts of the share of desired replicas that are not ready.
    pub starting: Vec<f64>,
    /// Cuts of the waiting requests per desired replica.
    pub waiting: Vec<f64>,
    /// Length of the season.
    pub season: SimDuration,
    /// Number of equal parts into which the season is divided; with 1, the time of day is ignored.
    pub parts: u32,
    /// Time between two decisions.
    pub sync_period: SimDuration,
}

/// The features extracted from an observation, before classification.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sight {
    /// Time.
    pub now: SimTime,
    /// Offered load per desired replica.
    pub load: f64,
    /// Current rate divided by the earlier rate; 1 if there is no earlier rate.
    pub trend: f64,
    /// Share of desired replicas that are not ready.
    pub starting: f64,
    /// Waiting requests per desired replica.
    pub waiting: f64,
}

/// The class of a value: the number of cuts below it.
fn class(cuts: &[f64], value: f64) -> usize {
    cuts.partition_point(|cut| *cut < value)
}

impl Design {
    /// The number of states; `None` on overflow.
    pub fn states(&self) -> Option<usize> {
        let cuts = [&self.load, &self.trend, &self.starting, &self.waiting];
        cuts.iter().try_fold(self.parts as usize, |states, cuts| states.checked_mul(cuts.len() + 1))
    }

    /// The part of the season that contains `now`.
    fn part(&self, now: SimTime) -> usize {
        let into = u128::from(now.as_nanos()) % u128::from(self.season.as_nanos().max(1));
        (into * u128::from(self.parts) / u128::from(self.season.as_nanos().max(1))) as usize
    }

    /// The state number of the features.
    pub fn state(&self, sight: &Sight) -> u32 {
        let places = [
            (&self.load, sight.load),
            (&self.trend, sight.trend),
            (&self.starting, sight.starting),
            (&self.waiting, sight.waiting),
        ];
        let state = places
            .iter()
            .fold(self.part(sight.now), |state, (cuts, value)| state * (cuts.len() + 1) + class(cuts, *value));
        state as u32
    }

    /// The action that leads closest to `wanted` replicas from `size`; the first among equals.
    pub fn nearest(&self, size: u32, wanted: u32, bounded: impl Fn(u32) -> u32) -> usize {
        let miss = |index: &usize| bounded(self.actions[*index].from(size)).abs_diff(wanted);
        (0..self.actions.len()).min_by_key(miss).unwrap_or(0)
    }

    /// The first field in which two designs differ.
    pub fn difference(&self, other: &Design) -> Option<&'static str> {
        let same = [
            (self.actions == other.actions, "actions"),
            (self.capacity == other.capacity, "capacity"),
            (self.load == other.load, "load"),
            (self.trend == other.trend, "trend"),
            (self.trend_over == other.trend_over, "trend-over"),
            (self.starting == other.starting, "starting"),
            (self.waiting == other.waiting, "waiting"),
            (self.season == other.season, "season"),
            (self.parts == other.parts, "parts"),
            (self.sync_period == other.sync_period, "sync-period"),
        ];
        same.into_iter().find(|(same, _)| !same).map(|(_, name)| name)
    }
}

impl Sight {
    /// The features as text.
    pub fn words(&self, spec: u32) -> Cow<'static, str> {
        let trend = match self.trend {
            trend if trend.is_finite() => format!("{:+.0}%", (trend - 1.0) * 100.0),
            _ => "from nothing".into(),
        };
        let mut text = format!("load {:.0}% of {spec}, trend {trend}", self.load * 100.0);
        if self.starting > 0.0 {
            text += &format!(", {:.0}% not ready", self.starting * 100.0);
        }
        if self.waiting > 0.0 {
            text += &format!(", {:.1} waiting each", self.waiting);
        }
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn design() -> Design {
        Design {
            actions: ["-20%", "-1", "0", "+1", "+50%"].map(|text| text.parse().unwrap()).into(),
            capacity: 2.0,
            load: vec![0.5, 0.7],
            trend: vec![0.9, 1.1],
            trend_over: SimDuration::from_secs(600),
            starting: vec![0.0],
            waiting: vec![],
            season: SimDuration::from_secs(86_400),
            parts: 4,
            sync_period: SimDuration::from_secs(60),
        }
    }

    #[test]
    fn every_state_has_a_number_of_its_own() {
        let design = design();
        let mut seen = Vec::new();
        for hours in [0, 6, 12, 23] {
            for load in [0.5, 0.6, 9.0] {
                for trend in [0.5, 1.0, f64::INFINITY] {
                    for starting in [0.0, 0.1] {
                        let now = SimTime::from_secs(86_400 + hours * 3600);
                        seen.push(design.state(&Sight { now, load, trend, starting, waiting: 5.0 }) as usize);
                    }
                }
            }
        }
        assert_eq!(seen, (0..design.states().unwrap()).collect::<Vec<_>>());
    }

    #[test]
    fn the_nearest_step_and_the_first_difference_are_found() {
        let design = design();
        let nearest = |wanted| design.actions[design.nearest(10, wanted, |size| size)].to_string();
        assert_eq!([nearest(3), nearest(9), nearest(10), nearest(40)], ["-20%", "-1", "0", "+50%"]);
        assert_eq!(design.difference(&design.clone()), None);
        assert_eq!(design.difference(&Design { parts: 8, ..design.clone() }), Some("parts"));
    }
}
