//! What a learning policy tells apart, and what it may do.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::step::Step;
use crate::units::{SimDuration, SimTime};

/// The most states that a table may have.
pub const MOST_STATES: usize = 1_000_000;

/// The states and actions of a table. A table learned under one design means nothing under another.
///
/// A quantity is told apart by *cuts* in rising order: with n of them it has n + 1 classes, and class k holds what is above k of
/// them. The state is the classes of all quantities together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Design {
    /// The actions.
    pub actions: Vec<Step>,
    /// Requests per second that one replica serves when all of it is busy.
    pub capacity: f64,
    /// Cuts of the offered load: the rate shown, over what the replicas asked for serve when all busy.
    pub load: Vec<f64>,
    /// Cuts of the trend: the rate shown over the one shown `trend_over` earlier.
    pub trend: Vec<f64>,
    /// How far back the trend looks.
    pub trend_over: SimDuration,
    /// Cuts of the share of the replicas asked for that are not ready.
    pub starting: Vec<f64>,
    /// Cuts of the requests waiting per replica asked for.
    pub waiting: Vec<f64>,
    /// Length of a season.
    pub season: SimDuration,
    /// Equal parts of a season that are told apart; with 1 the time plays no part.
    pub parts: u32,
    /// Time between two decisions.
    pub sync_period: SimDuration,
}

/// What a policy makes of an observation, before it is put into classes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sight {
    /// When.
    pub now: SimTime,
    /// Offered load over the replicas asked for.
    pub load: f64,
    /// Rate over the earlier rate; 1 where there is none to compare with.
    pub trend: f64,
    /// Share of the replicas asked for that are not ready.
    pub starting: f64,
    /// Requests waiting per replica asked for.
    pub waiting: f64,
}

/// The class of a value: how many cuts lie below it.
fn class(cuts: &[f64], value: f64) -> usize {
    cuts.partition_point(|cut| *cut < value)
}

impl Design {
    /// How many states there are; `None` if more than can be counted.
    pub fn states(&self) -> Option<usize> {
        let cuts = [&self.load, &self.trend, &self.starting, &self.waiting];
        cuts.iter().try_fold(self.parts as usize, |states, cuts| states.checked_mul(cuts.len() + 1))
    }

    /// The part of the season that `now` lies in.
    fn part(&self, now: SimTime) -> usize {
        let into = u128::from(now.as_nanos()) % u128::from(self.season.as_nanos().max(1));
        (into * u128::from(self.parts) / u128::from(self.season.as_nanos().max(1))) as usize
    }

    /// The number of the state that a sight is in.
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

    /// The step that leads nearest to `wanted` replicas from `size`, the first of equals.
    pub fn nearest(&self, size: u32, wanted: u32, bounded: impl Fn(u32) -> u32) -> usize {
        let miss = |index: &usize| bounded(self.actions[*index].from(size)).abs_diff(wanted);
        (0..self.actions.len()).min_by_key(miss).unwrap_or(0)
    }

    /// The first thing in which two designs differ, in words.
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
    /// The sight in words.
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
