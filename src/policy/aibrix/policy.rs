//! Runs the autoscaler inside a simulation.

use std::collections::VecDeque;

use super::algorithm::{Limits, Proposed, Windows, apa, cooled_down, kpa};
use crate::policy::{
    Compared, Decision, Gauge, Measure, Measures, Observation, Reason, ReasonCode, ScalingPolicy, Scrape, Weighed,
};
use crate::units::{SimDuration, SimTime};

/// Which algorithm proposes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// By the use of each replica.
    Apa,
    /// By totals over two windows.
    Kpa,
}

/// The settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Which algorithm proposes.
    pub strategy: Strategy,
    /// Fewest replicas.
    pub min: u32,
    /// Most replicas.
    pub max: u32,
    /// The metric's name.
    pub metric: String,
    /// What it measures.
    pub measure: Measure,
    /// Its target for each replica.
    pub target: f64,
    /// Tolerances and rates.
    pub limits: Limits,
    /// How far back proposals count on the way up.
    pub up_window: SimDuration,
    /// How far back proposals count on the way down.
    pub down_window: SimDuration,
    /// Window of KPA.
    pub stable_window: SimDuration,
    /// Its window for panic.
    pub panic_window: SimDuration,
    /// How many times the stable value is panic.
    pub panic_threshold: f64,
    /// Time between two decisions.
    pub sync_period: SimDuration,
}

/// The `aibrix` policy.
#[derive(Debug, Clone)]
pub struct Aibrix {
    settings: Settings,
    /// Totals of the scrapes within the stable window.
    totals: VecDeque<(SimTime, f64)>,
    /// Proposals within the longer cool-down.
    proposals: VecDeque<Proposed>,
    weighed: Option<Weighed>,
}

impl Aibrix {
    /// A policy with these settings.
    pub fn new(settings: Settings) -> Self {
        Aibrix { settings, totals: VecDeque::new(), proposals: VecDeque::new(), weighed: None }
    }

    /// The value of each replica at the newest scrape.
    fn per_replica(&self, scrape: &Scrape) -> Option<f64> {
        let values = scrape.replicas.iter().map(|replica| replica.values[self.settings.measure]);
        let count = scrape.replicas.len();
        (count > 0).then(|| values.sum::<f64>() / count as f64)
    }

    /// Takes the newest scrape in and forgets old ones.
    fn remember(&mut self, now: SimTime, scrape: &Scrape) {
        let total = scrape.replicas.iter().map(|replica| replica.values[self.settings.measure]).sum();
        if self.totals.back().is_none_or(|(at, _)| *at < scrape.taken_at) {
            self.totals.push_back((scrape.taken_at, total));
        }
        while self.totals.len() > 1 && self.totals.front().is_some_and(|(at, _)| self.is_old(*at, now)) {
            self.totals.pop_front();
        }
    }

    fn is_old(&self, at: SimTime, now: SimTime) -> bool {
        now.since(at) > self.settings.stable_window.max(self.settings.panic_window)
    }

    /// The average total of a window; that of the newest scrape if none is in it.
    fn average(&self, now: SimTime, window: SimDuration) -> f64 {
        let within = self.totals.iter().filter(|(at, _)| now.since(*at) <= window).map(|(_, total)| *total);
        let (sum, count) = within.fold((0.0, 0.0), |(sum, count), total| (sum + total, count + 1.0));
        if count > 0.0 { sum / count } else { self.totals.back().map_or(0.0, |(_, total)| *total) }
    }

    /// The proposal for `current` replicas, and the figures behind it.
    fn propose(&self, now: SimTime, current: i64, per_replica: f64) -> (i64, String) {
        let Settings { metric, target, limits, .. } = &self.settings;
        match self.settings.strategy {
            Strategy::Apa => (
                apa(current, per_replica, *target, limits),
                format!("{metric} {per_replica:.2} of {target} per replica"),
            ),
            Strategy::Kpa => {
                let windows = Windows {
                    stable: self.average(now, self.settings.stable_window),
                    panic: self.average(now, self.settings.panic_window),
                    target: *target,
                };
                let is_panic = windows.is_panic(self.settings.panic_threshold);
                // The peak is not kept from one decision to the next.
                let mut peak = 0;
                let size = kpa(current, &windows, is_panic.then_some(&mut peak), 1, limits);
                let panic = if is_panic { ", in panic" } else { "" };
                let (stable, short) = (windows.stable, windows.panic);
                (size, format!("{metric} {stable:.2} and lately {short:.2}, {target} per replica{panic}"))
            }
        }
    }

    /// What the cool-down leaves of a proposal, which it remembers.
    fn cool_down(&mut self, now: SimTime, proposal: i64, current: i64) -> i64 {
        let now_s = now.as_secs_f64();
        let windows = (self.settings.up_window.as_secs_f64(), self.settings.down_window.as_secs_f64());
        let longest = windows.0.max(windows.1);
        while self.proposals.front().is_some_and(|past| now_s - past.time_s >= longest) {
            self.proposals.pop_front();
        }
        let history: Vec<Proposed> = self.proposals.iter().copied().collect();
        self.proposals.push_back(Proposed { time_s: now_s, replicas: proposal });
        cooled_down(&history, now_s, proposal, current, windows.0, windows.1)
    }

    fn within(&self, size: i64) -> i64 {
        size.min(i64::from(self.settings.max)).max(i64::from(self.settings.min))
    }
}

impl ScalingPolicy for Aibrix {
    fn sync_period(&self) -> SimDuration {
        self.settings.sync_period
    }

    fn decide(&mut self, observation: &Observation<'_>) -> Decision {
        let (now, current) = (observation.now, i64::from(observation.desired));
        let to = |size: i64, reason: Reason| match u32::try_from(size) {
            Ok(size) if size != observation.desired => Decision::scale_to(size, reason),
            _ => Decision::hold(reason),
        };
        if self.within(current) != current {
            let size = self.within(current);
            return to(size, Reason::new(ReasonCode::Bounded, format!("{current} is outside the bounds: {size}")));
        }
        let scrape = observation.scrape_of(&[self.settings.measure]);
        let Some((scrape, per_replica)) = scrape.and_then(|scrape| Some((scrape, self.per_replica(scrape)?))) else {
            let words = format!("{}: no replica reports", self.settings.metric);
            return Decision::hold(Reason::new(ReasonCode::NoData, words));
        };
        self.remember(now, scrape);
        let (wanted, figures) = self.propose(now, current, per_replica);
        let proposal = self.within(wanted);
        let cooled = self.cool_down(now, proposal, current);
        let size = self.within(cooled);
        let moved = if size == current { format!("{current} stays") } else { format!("{current} -> {size}") };
        self.weighed = Some(weighed(&self.settings, per_replica, proposal, size));
        let (code, words) = if size != proposal {
            (ReasonCode::Stabilized, format!("cool-down takes {size} for {proposal}, {figures}: {moved}"))
        } else if proposal != wanted {
            (ReasonCode::Bounded, format!("held at the bound of {proposal}, {figures} wants {wanted}"))
        } else if size == current {
            (ReasonCode::WithinTolerance, format!("{figures}: {moved}"))
        } else {
            (ReasonCode::Target, format!("{figures}: {moved}"))
        };
        to(size, Reason::new(code, words))
    }

    fn weighed(&self) -> Option<Weighed> {
        self.weighed.clone()
    }

    fn measures(&self) -> Measures {
        Measures::NONE.with(self.settings.measure)
    }

    /// By a lower target, which the manifest could state as well.
    fn set_headroom(&mut self, factor: f64) -> bool {
        self.settings.target /= factor;
        true
    }

    fn scale_up_tolerance(&self) -> Option<f64> {
        Some(self.settings.limits.up_tolerance)
    }
}

fn weighed(settings: &Settings, per_replica: f64, wanted: i64, stabilized: i64) -> Weighed {
    let Settings { target, limits, .. } = settings;
    let compared = Compared {
        name: settings.metric.clone(),
        gauge: Gauge::Number,
        per_pod: true,
        value: Some(per_replica),
        target: *target,
        tolerated: (target * (1.0 - limits.down_tolerance), target * (1.0 + limits.up_tolerance)),
    };
    let size = |size: i64| u32::try_from(size).ok();
    Weighed { metrics: vec![compared], wanted: size(wanted), stabilized: size(stabilized) }
}
