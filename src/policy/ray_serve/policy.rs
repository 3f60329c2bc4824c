//! Runs the controller inside a simulation: each scrape is a sample of one handle.

use std::collections::BTreeMap;

use super::config::{AutoscalingConfig, Release};
use super::decision::{Outcome, Wish};
use super::deployment::{Deployment, Registration};
use super::reports::{Handle, Reports};
use super::series::Summary;
use crate::policy::{
    Compared, Decision, Gauge, Measure, Observation, Reason, ReasonCode, ScalingPolicy, Scrape, Weighed,
};
use crate::units::{SimDuration, SimTime};

/// The only handle.
const HANDLE: u32 = 0;

/// The `ray-serve` policy.
#[derive(Debug, Clone)]
pub struct RayServe {
    deployment: Deployment,
    control_loop: SimDuration,
    handle: Handle,
    reports: Reports,
    /// When the newest scrape was taken, and requests that no replica had then.
    sampled: Option<(SimTime, f64)>,
    /// When the handle last reported.
    reported: Option<SimTime>,
    /// The replicas that run, and what is reported of these.
    running: Vec<u32>,
    summary: Option<Summary>,
    weighed: Option<Weighed>,
}

impl RayServe {
    /// A policy with this configuration, under the rules of `release`, whose loop takes `control_loop`.
    pub fn new(config: AutoscalingConfig, release: Release, control_loop: SimDuration) -> Self {
        let registration = Registration { config, target_capacity: None, is_growing: false, version: 1, gang_size: 1 };
        RayServe {
            deployment: Deployment::register(registration, release, config.min_replicas).0,
            control_loop,
            handle: Handle::default(),
            reports: Reports::default(),
            sampled: None,
            reported: None,
            running: Vec::new(),
            summary: None,
            weighed: None,
        }
    }

    /// A scrape that was not seen yet is a sample.
    fn sample(&mut self, scrape: &Scrape) {
        if self.sampled.is_some_and(|(at, _)| scrape.taken_at <= at) {
            return;
        }
        let counts = scrape.replicas.iter().map(|replica| (replica.id, replica.values[Measure::Outstanding]));
        let counts: BTreeMap<u32, f64> = counts.collect();
        let queued = (scrape.totals[Measure::Outstanding] - counts.values().sum::<f64>()).max(0.0);
        let at = scrape.taken_at.as_secs_f64();
        self.handle.record(self.deployment.config(), at, queued, counts);
        self.sampled = Some((scrape.taken_at, queued));
    }

    /// Reports at its interval, and at once when requests wait and nothing runs. Returns whether it did.
    fn report(&mut self, now: SimTime, nothing_runs: bool) -> bool {
        let config = *self.deployment.config();
        let is_due = self.reported.is_none_or(|at| now.since(at).as_secs_f64() >= config.metrics_interval_s);
        let waits = nothing_runs && self.sampled.is_some_and(|(_, queued)| queued > 0.0);
        if self.sampled.is_none() || !(is_due || waits) {
            return false;
        }
        let report = self.handle.report(&config, now.as_secs_f64());
        self.reports.accept(HANDLE, report);
        self.reported = Some(now);
        true
    }

    /// Ongoing requests at `now`.
    fn ongoing(&mut self, observation: &Observation<'_>) -> f64 {
        let running = observation.replicas.iter().filter(|replica| replica.is_ready()).map(|replica| replica.id);
        let running: Vec<u32> = running.collect();
        let now_s = observation.now.as_secs_f64();
        let has_reported = self.report(observation.now, running.is_empty());
        self.reports.drop_stale(now_s, self.deployment.config().handle_timeout_s(), |_| false);
        if has_reported || running != self.running {
            let is_running = |replica: u32| running.binary_search(&replica).is_ok();
            self.summary = self.reports.summary(self.deployment.config(), is_running, &BTreeMap::new());
            self.running = running;
        }
        self.summary.as_ref().filter(|_| self.reports.handles().next().is_some()).map_or(0.0, |sum| sum.at(now_s))
    }

    fn reason(&self, ongoing: f64, target: i64, wish: &Wish, decided: i64) -> Reason {
        let config = self.deployment.config();
        let per_replica = config.target_ongoing_requests;
        let asked = format!("{ongoing:.1} ongoing requests, {per_replica} per replica");
        let moved = if decided == target { format!("{target} stays") } else { format!("{target} -> {decided}") };
        let words = match wish.outcome {
            Outcome::ColdStart => format!("nothing runs and {ongoing:.1} requests wait: {moved}"),
            Outcome::NothingRuns => format!("nothing runs yet, no request waits: {moved}"),
            Outcome::Steady | Outcome::Moved => format!("{asked}: {moved}"),
            Outcome::Waiting { for_s, delay_s } => {
                format!("{asked} want {}, for {for_s:.0}s of {delay_s}s: {moved}", wish.wanted)
            }
        };
        if decided != wish.replicas {
            let bound = if decided < wish.replicas { "maximum" } else { "minimum" };
            return Reason::new(ReasonCode::Bounded, format!("held at the {bound} of {decided}, {words}"));
        }
        let waits = matches!(wish.outcome, Outcome::Waiting { .. });
        Reason::new(if waits { ReasonCode::Stabilized } else { ReasonCode::Target }, words)
    }
}

/// A size of a fleet.
fn size(replicas: i64) -> u32 {
    u32::try_from(replicas.max(0)).unwrap_or(u32::MAX)
}

impl ScalingPolicy for RayServe {
    fn sync_period(&self) -> SimDuration {
        self.control_loop
    }

    fn decide(&mut self, observation: &Observation<'_>) -> Decision {
        let Some(scrape) = observation.scrape_of(&[Measure::Outstanding]) else {
            return Decision::hold(Reason::new(ReasonCode::NoData, "no handle has reported"));
        };
        self.sample(scrape);
        let ongoing = self.ongoing(observation);
        let (running, target) = (self.running.len() as i64, i64::from(observation.desired));
        let wish = self.deployment.wish(observation.now.as_secs_f64(), running, target, ongoing);
        let decided = self.deployment.bounded(wish.replicas);
        let per_replica = self.deployment.config().target_ongoing_requests;
        self.weighed = Some(Weighed {
            metrics: vec![Compared {
                name: "ongoing requests".into(),
                gauge: Gauge::Number,
                per_pod: true,
                value: (running > 0).then(|| ongoing / running as f64),
                target: per_replica,
                tolerated: (per_replica, per_replica),
            }],
            wanted: Some(size(wish.wanted)),
            stabilized: Some(size(wish.replicas)),
        });
        let reason = self.reason(ongoing, target, &wish, decided);
        if decided == target { Decision::hold(reason) } else { Decision::scale_to(size(decided), reason) }
    }

    fn weighed(&self) -> Option<Weighed> {
        self.weighed.clone()
    }

    fn initial_replicas(&self, configured: u32) -> u32 {
        let initial = self.deployment.config().initial_replicas.unwrap_or(i64::from(configured));
        size(self.deployment.bounded(initial))
    }

    /// By a lower target, which the configuration could state as well.
    fn set_headroom(&mut self, factor: f64) -> bool {
        self.deployment.scale_target(factor);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Measurements, Phase, ReplicaSample, ReplicaView};

    /// The size decided at each second, for what `load` gives as ready replicas and requests of the service.
    fn sizes(policy: &mut RayServe, seconds: u64, load: impl Fn(u64, u32) -> (u32, f64)) -> Vec<u32> {
        let (mut size, mut sizes) = (policy.initial_replicas(2), Vec::new());
        for second in 0..seconds {
            let (ready, requests) = load(second, size);
            let now = SimTime::from_secs(second);
            let view = |id| ReplicaView {
                id,
                phase: Phase::Ready,
                ordered: SimTime::ZERO,
                accepted: None,
                started: None,
                readiness_changed: None,
            };
            let views: Vec<ReplicaView> = (0..ready).map(view).collect();
            let share = Measurements::ZERO.with(Measure::Outstanding, requests / f64::from(ready.max(1)));
            let scrape = Scrape {
                taken_at: now,
                replicas: (0..ready).map(|id| ReplicaSample { id, values: share }).collect(),
                totals: Measurements::ZERO.with(Measure::Outstanding, requests),
                ..Scrape::default()
            };
            let observation = Observation { replicas: &views, scrape: Some(&scrape), ..Observation::new(now, size) };
            size = policy.decide(&observation).replicas.unwrap_or(size);
            sizes.push(size);
        }
        sizes
    }

    fn config() -> AutoscalingConfig {
        AutoscalingConfig { min_replicas: 2, max_replicas: 10, upscaling_factor: Some(2.0), ..Default::default() }
    }

    const SECOND: SimDuration = SimDuration::from_secs(1);

    #[test]
    fn a_delay_passes_in_time_or_in_loops() {
        let config = AutoscalingConfig { upscaling_factor: None, ..config() };
        let first = |release| {
            let sizes = sizes(&mut RayServe::new(config, release, SECOND), 400, |_, size| (size, 12.0));
            sizes.iter().position(|size| *size == 6)
        };
        // 30 s; or 301 loops, which take a second each where they should take a tenth.
        assert_eq!(first(Release::V2_55), Some(30));
        assert_eq!(first(Release::V2_54), Some(300));
    }

    #[test]
    fn a_fleet_that_starts_stays_as_it_is_or_runs_away() {
        let of = |release| sizes(&mut RayServe::new(config(), release, SECOND), 5, |_, _| (0, 0.0));
        assert_eq!(of(Release::V2_55), [2; 5]);
        assert_eq!(of(Release::V2_54), [2; 5]);
        assert_eq!(of(Release::Before61731), [4, 8, 10, 10, 10]);
    }

    #[test]
    fn a_request_that_waits_for_the_first_replica_is_seen_at_once() {
        let config = AutoscalingConfig { min_replicas: 0, upscaling_factor: None, ..config() };
        let mut policy = RayServe::new(config, Release::default(), SECOND);
        let before = sizes(&mut policy, 1, |_, _| (0, 0.0));
        assert_eq!(before, [2], "the configured size is the target");
        let mut empty = RayServe { deployment: policy.deployment.clone(), ..policy };
        let observation = Observation {
            scrape: Some(&Scrape {
                taken_at: SimTime::from_secs(3),
                totals: Measurements::ZERO.with(Measure::Outstanding, 1.0),
                ..Scrape::default()
            }),
            ..Observation::new(SimTime::from_secs(3), 0)
        };
        assert_eq!(empty.decide(&observation).replicas, Some(1));
    }
}
