//! Tests on sequences of observations.

use super::super::{Decision, Measure, Observation, Reason, ReasonCode, ScalingPolicy};
use super::lead::Lead;
use super::*;
use crate::forecast::Forecaster;
use crate::forecast::{Gaps, Naive, SeasonalNaive};
use crate::policy::{Measurements, Phase, ReplicaView, Scrape};
use crate::units::{SimDuration, SimTime};
use std::sync::Arc;

fn settings(forecaster: impl Forecaster + 'static) -> Settings {
    Settings {
        name: "test".into(),
        forecaster: Arc::new(forecaster),
        min: 2,
        max: 20,
        max_buffer: None,
        capacity: 10.0,
        quantile: 0.5,
        lead: Some(SimDuration::from_secs(60)),
        look_ahead: SimDuration::ZERO,
        step: SimDuration::from_secs(60),
        seasons: vec![6],
        gaps: Gaps::Missing,
        history: 100,
        warm_up: 12,
        refit: SimDuration::from_secs(3600),
        reforecast: SimDuration::from_secs(60),
        horizon: None,
        scale_in: true,
        calendar: Calendar::default(),
        sync_period: SimDuration::from_secs(60),
    }
}

/// Decides at the end of minute `minute`, in which the rate was `rate`.
fn step(policy: &mut Predictive, minute: u64, size: u32, rate: f64) -> Decision {
    let now = SimTime::from_secs(60 * (minute + 1));
    let totals = Measurements::ZERO.with(Measure::RequestRate, rate);
    let scrape = Scrape { taken_at: now, window: SimDuration::from_secs(60), totals, ..Scrape::default() };
    policy.decide(&Observation { scrape: Some(&scrape), ..Observation::new(now, size) })
}

/// A load with a period of six minutes: five quiet ones and a busy one.
fn wave(minute: u64) -> f64 {
    if minute % 6 == 5 { 100.0 } else { 30.0 }
}

#[test]
fn capacity_is_ordered_before_it_is_needed() {
    let mut policy = Predictive::new(settings(SeasonalNaive::default()), None);
    for minute in 0..12 {
        let decision = step(&mut policy, minute, 5, wave(minute));
        assert_eq!((decision.replicas, decision.reason.code), (None, ReasonCode::NoData), "{decision:?}");
    }
    // At the end of minute 15 the current step is 16 and, a minute ahead, 17, the busy one.
    let sizes: Vec<Option<u32>> = (12..19).map(|minute| step(&mut policy, minute, 5, wave(minute)).replicas).collect();
    assert_eq!(sizes, [Some(3), Some(3), Some(3), Some(10), Some(10), Some(3), Some(3)]);
    let decision = step(&mut policy, 21, 3, wave(21));
    assert_eq!(decision.reason.detail, "test 50% quantile 100.0/s within 1m: 3 -> 10");
    assert_eq!(decision.reason.code, ReasonCode::Forecast);
}

#[test]
fn an_event_is_served_by_the_calendar_and_not_learned() {
    let event = |from, to| Event { from: SimTime::from_secs(from), to: SimTime::from_secs(to), times: 2.0, add: 10.0 };
    let mut policy = Predictive::new(settings(Naive), None);
    policy.settings.calendar = Calendar::new(vec![event(15 * 60, 16 * 60)]);
    let sizes: Vec<Option<u32>> =
        (0..18).map(|minute| step(&mut policy, minute, 7, if minute == 15 { 500.0 } else { 30.0 }).replicas).collect();
    // Twice 30 and 10: seven replicas, which exist. The 500 of the event do not affect later forecasts.
    assert_eq!(sizes[12..], [Some(3), None, None, Some(3), Some(3), Some(3)]);
}

#[test]
fn the_lead_is_learned_from_start_ups() {
    let mut lead = Lead::new(None);
    let replica = |id, ready: Option<u64>| ReplicaView {
        id,
        phase: if ready.is_some() { Phase::Ready } else { Phase::Unready },
        ordered: SimTime::ZERO,
        accepted: Some(SimTime::ZERO),
        started: Some(SimTime::ZERO),
        readiness_changed: ready.map(SimTime::from_secs),
    };
    let mut see = |now, replicas: &[ReplicaView]| {
        lead.see(&Observation { replicas, ..Observation::new(SimTime::from_secs(now), 1) });
        lead.get()
    };
    assert_eq!(see(15, &[replica(0, Some(0))]), UNKNOWN_LEAD, "nobody saw the first one ordered");
    assert_eq!(see(30, &[replica(0, Some(0)), replica(1, None)]), UNKNOWN_LEAD);
    assert_eq!(see(90, &[replica(0, Some(0)), replica(1, Some(70))]), SimDuration::from_secs(55));
    assert_eq!(see(105, &[replica(0, Some(0)), replica(1, Some(70))]), SimDuration::from_secs(55), "counted once");
}

const UNKNOWN_LEAD: SimDuration = SimDuration::from_secs(120);

/// Always asks for the same size.
struct Always(u32);

impl ScalingPolicy for Always {
    fn sync_period(&self) -> SimDuration {
        SimDuration::from_secs(60)
    }

    fn decide(&mut self, _: &Observation<'_>) -> Decision {
        Decision::scale_to(self.0, Reason::new(ReasonCode::Target, "always"))
    }
}

#[test]
fn only_the_floor_decides_at_first_and_it_stays_a_lower_limit() {
    let mut policy = Predictive::new(settings(SeasonalNaive::default()), Some(Box::new(Always(6))));
    let first = step(&mut policy, 0, 3, 30.0);
    assert_eq!(first.replicas, Some(6));
    assert!(first.reason.detail.starts_with("learning: 0 of 12 steps of 1m seen; floor: always"), "{first:?}");
    (1..12).for_each(|minute| drop(step(&mut policy, minute, 6, wave(minute))));
    let sizes: Vec<Option<u32>> = (12..17).map(|minute| step(&mut policy, minute, 6, wave(minute)).replicas).collect();
    assert_eq!(sizes, [None, None, None, Some(10), Some(10)]);
}

#[test]
fn bounds_hold_unless_a_buffer_raises_the_maximum() {
    let run = |max_buffer, scale_in| {
        let mut policy = Predictive::new(Settings { max_buffer, scale_in, ..settings(Naive) }, None);
        (0..11).for_each(|minute| drop(step(&mut policy, minute, 4, 5.0)));
        (11..14).map(|m| step(&mut policy, m, 4, if m < 13 { 5.0 } else { 300.0 })).collect::<Vec<_>>()
    };
    let held = run(None, true);
    assert_eq!([&held[1], &held[2]].map(|d| d.replicas), [Some(2), Some(2)], "a step is known when the next begins");
    let kept = run(None, false);
    assert_eq!(kept[1].replicas, None, "never in on a forecast");
    let mut policy = Predictive::new(Settings { max_buffer: Some(0.1), ..settings(Naive) }, None);
    (0..14).for_each(|minute| drop(step(&mut policy, minute, 4, 300.0)));
    assert_eq!(step(&mut policy, 14, 4, 300.0).replicas, Some(30));
    policy.settings.max_buffer = None;
    let bounded = step(&mut policy, 15, 4, 300.0);
    assert_eq!((bounded.replicas, bounded.reason.code), (Some(20), ReasonCode::Bounded));
}
