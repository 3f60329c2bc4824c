//! Runs the autoscaler inside a simulation: an observation takes the place of the metric collector and the API server.
//!
//! Knative asks its proxies every second. Here the newest scrape that the metrics pipeline lets through counts for every
//! second until the next one; concurrency is what is in service (averaged over the scrape's window) and what waits.

use super::buckets::Buckets;
use super::config::Config;
use super::decider::{Decided, Decider, Published, Seen, TICK};
use super::scaler::{Activity, Applied, PROGRESS_DEADLINE, Revision, apply};
use super::target::{Annotations, Metric, Reachability};
use crate::policy::{Compared, Decision, Gauge, Measure, Observation, Reason, ReasonCode, ScalingPolicy, Weighed};
use crate::units::{NANOS_PER_SECOND, SimDuration, SimTime};

/// The granule of the windows.
const GRANULE: SimDuration = SimDuration::from_secs(1);
const REACHABLE: Reachability = Reachability::Reachable;

/// The `knative` policy.
#[derive(Debug, Clone)]
pub struct KnativePolicy {
    config: Config,
    annotations: Annotations,
    /// What it is given more than it would take, as a factor.
    headroom: f64,
    /// Created at the first decision, which is when the size is known.
    decider: Option<Decider>,
    stable: Buckets,
    panic: Buckets,
    /// The last second for which a value was recorded.
    recorded: Option<SimTime>,
    published: Option<Published>,
    activity: (Activity, SimTime),
    is_initialized: bool,
    /// Since when requests go through the activators.
    proxied: Option<SimTime>,
    last: Option<Decided>,
}

impl KnativePolicy {
    /// Creates the policy of a revision with `annotations` in a cluster with `config`.
    pub fn new(config: Config, annotations: Annotations) -> Self {
        let window = |length: SimDuration| Buckets::new(length, GRANULE);
        KnativePolicy {
            stable: window(annotations.stable_window(&config)),
            panic: window(annotations.panic_window(&config)),
            config,
            annotations,
            headroom: 1.0,
            decider: None,
            recorded: None,
            published: None,
            activity: (Activity::Activating, SimTime::ZERO),
            is_initialized: false,
            proxied: None,
            last: None,
        }
    }

    fn measures_of(&self) -> &'static [Measure] {
        match self.annotations.metric {
            Metric::Concurrency => &[Measure::InFlight, Measure::QueueLength],
            Metric::Rps => &[Measure::RequestRate],
        }
    }

    /// Records the value of the newest scrape for each second since the last.
    fn record(&mut self, observation: &Observation<'_>) {
        let now = observation.now;
        let Some(scrape) = observation.scrape_of(self.measures_of()) else { return };
        if observation.age().is_some_and(|age| age > self.annotations.stable_window(&self.config)) {
            return;
        }
        let value = self.measures_of().iter().map(|measure| scrape.totals[*measure]).sum();
        let second = |time: SimTime| time.as_nanos() / NANOS_PER_SECOND;
        let earliest = now.saturating_sub(self.annotations.stable_window(&self.config));
        let from = self.recorded.map_or(second(now), |last| second(last) + 1).max(second(earliest));
        for at in from..=second(now) {
            self.stable.record(SimTime::from_secs(at), value);
            self.panic.record(SimTime::from_secs(at), value);
        }
        self.recorded = Some(now);
    }

    fn seen(&self, observation: &Observation<'_>) -> Seen {
        let now = observation.now;
        let has_data = !self.stable.is_empty(now) && !self.panic.is_empty(now);
        let ready = observation.replicas.iter().filter(|replica| replica.is_ready()).count();
        Seen {
            values: has_data.then(|| (self.stable.average(now), self.panic.average(now))),
            ready: u32::try_from(ready).ok(),
        }
    }

    /// Takes over a decision, and returns what is applied.
    fn applied(&mut self, made: Option<Decided>, observation: &Observation<'_>) -> Applied {
        let now = observation.now;
        let Some(decider) = &self.decider else { return Applied::default() };
        let published = self.published.get_or_insert_with(|| Published::first(decider.spec()));
        if let Some(made) = made {
            published.update(made.desired, made.excess);
        }
        let published = *published;
        let revision = Revision {
            activity: self.activity.0,
            for_time: now.since(self.activity.1),
            is_initialized: self.is_initialized,
            reachability: REACHABLE,
            is_proxied: self.proxied.is_some(),
            proxied_for: self.proxied.map_or(SimDuration::ZERO, |since| now.since(since)),
            replicas: i32::try_from(observation.desired).unwrap_or(i32::MAX),
        };
        // The activators of a simulation always answer.
        let applied = apply(&revision, published.desired, &self.annotations, &self.config, PROGRESS_DEADLINE, true);
        let ready = observation.replicas.iter().filter(|replica| replica.is_ready()).count();
        self.follow(applied.desired, i32::try_from(ready).unwrap_or(i32::MAX), now);
        let is_proxied = applied.desired == 0 || published.excess < 0;
        self.proxied = if is_proxied { self.proxied.or(Some(now)) } else { None };
        applied
    }

    /// The revision's condition Active after `wanted` replicas were asked for and `ready` are.
    fn follow(&mut self, wanted: i32, ready: i32, now: SimTime) {
        let least = self.annotations.bounds(&self.config, REACHABLE).0;
        let first = if self.is_initialized { 1 } else { self.annotations.initial_scale(&self.config) };
        let needed = least.max(first);
        let next = if wanted == 0 || needed == 0 {
            Activity::Inactive
        } else if wanted < 0 && self.activity.0 == Activity::Inactive {
            return;
        } else if ready >= needed {
            self.is_initialized = true;
            Activity::Active
        } else {
            Activity::Activating
        };
        if next != self.activity.0 {
            self.activity = (next, now);
        }
    }

    /// Why `applied` follows from `made`.
    fn reason(&self, made: Option<Decided>, applied: &Applied, observation: &Observation<'_>) -> Reason {
        let Some(made) = made else {
            return Reason::new(ReasonCode::NoData, "no metrics within the windows: the last decision stays");
        };
        let Some(spec) = self.decider.as_ref().map(Decider::spec) else {
            return Reason::new(ReasonCode::NoData, "no metrics yet");
        };
        let name = if spec.metric == Metric::Rps { "requests/s" } else { "concurrency" };
        let panic = self.annotations.panic_window(&self.config);
        let figures = format!(
            "{name} {} over {} and {} over {panic} at {} a replica want {} and {}",
            short(made.values.0),
            spec.stable_window,
            short(made.values.1),
            short(spec.target),
            made.sizes.0,
            made.sizes.1
        );
        let raw = made.sizes.0.max(if made.is_panicking { made.sizes.1 } else { 0 });
        let size = applied.desired;
        let (code, because) = if made.desired == 0 && size != 0 && applied.look_again.is_some() {
            (ReasonCode::Stabilized, format!("idle, the last replica stays for {}", spec.stable_window))
        } else if made.desired == 0 && size == 0 && !applied.is_set && observation.desired > 0 {
            (ReasonCode::Stabilized, format!("inactive, the last replica stays for {}", self.config.grace_period))
        } else if size != made.desired {
            (ReasonCode::Bounded, format!("bounded to {size}"))
        } else if made.desired != made.before_delay {
            (ReasonCode::Stabilized, format!("held at {size} by the scale-down delay"))
        } else if made.is_panicking && made.before_delay > raw {
            (ReasonCode::Stabilized, format!("panics: the peak of {size} stays"))
        } else if f64::from(raw) >= made.reach.0 && (made.values.0 / spec.target).ceil() > made.reach.0 {
            (ReasonCode::RateLimited, format!("scale-up limited to {size}"))
        } else if f64::from(raw) <= made.reach.1 && (made.values.0 / spec.target).ceil() < made.reach.1 {
            (ReasonCode::RateLimited, format!("scale-down limited to {size}"))
        } else {
            let panics = if made.is_panicking { "panics: " } else { "" };
            (ReasonCode::Target, format!("{panics}{} -> {size}", observation.desired))
        };
        Reason::new(code, format!("{figures}; {because}"))
    }
}

fn short(value: f64) -> String {
    // A difference of sums may be a hair below zero.
    let text = format!("{:.2}", (value * 100.0).round() / 100.0 + 0.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl ScalingPolicy for KnativePolicy {
    fn sync_period(&self) -> SimDuration {
        TICK
    }

    fn decide(&mut self, observation: &Observation<'_>) -> Decision {
        self.record(observation);
        let seen = self.seen(observation);
        let (now, headroom) = (observation.now, self.headroom);
        let decider = self.decider.get_or_insert_with(|| {
            let mut spec = self.annotations.decider(&self.config, REACHABLE);
            spec.target /= headroom;
            spec.total /= headroom;
            Decider::new(spec, seen.ready, now)
        });
        let made = decider.decide(now, seen);
        if made.is_some() {
            self.last = made;
        }
        let applied = self.applied(made, observation);
        let reason = self.reason(made, &applied, observation);
        match u32::try_from(applied.desired) {
            Ok(size) if applied.is_set && size != observation.desired => Decision::scale_to(size, reason),
            _ => Decision::hold(reason),
        }
    }

    fn weighed(&self) -> Option<Weighed> {
        let (made, spec) = (self.last?, self.decider.as_ref()?.spec());
        let name = if spec.metric == Metric::Rps { "request-rate" } else { "concurrency" };
        let compared = Compared {
            name: name.to_owned(),
            gauge: Gauge::Number,
            per_pod: false,
            value: Some(made.values.0),
            target: spec.target,
            tolerated: (spec.target, spec.target),
        };
        let size = |size: i32| u32::try_from(size).ok();
        Some(Weighed {
            metrics: vec![compared],
            wanted: size(made.sizes.0.max(made.sizes.1)),
            stabilized: size(made.desired),
        })
    }

    fn initial_replicas(&self, configured: u32) -> u32 {
        match self.annotations.initial_scale {
            Some(stated) => u32::try_from(stated).unwrap_or(configured),
            None => configured,
        }
    }

    /// A lower target, which an annotation could state as well.
    fn set_headroom(&mut self, factor: f64) -> bool {
        self.headroom *= factor;
        true
    }

    fn effective(&self) -> Vec<(String, String)> {
        let (target, total) = self.annotations.target(&self.config);
        let target = target / self.headroom;
        let name = if self.annotations.metric == Metric::Rps { "requests per second" } else { "concurrency" };
        let threshold = self.annotations.panic_threshold_percentage.unwrap_or(self.config.panic_threshold_percentage);
        vec![
            ("target".to_owned(), format!("{} of {} {name} a replica", short(target), short(total / self.headroom))),
            ("stable window".to_owned(), self.annotations.stable_window(&self.config).to_string()),
            (
                "panic".to_owned(),
                format!(
                    "at {}% of the ready replicas, over {}",
                    short(threshold),
                    self.annotations.panic_window(&self.config)
                ),
            ),
        ]
    }
}
