//! Runs KEDA inside a simulation: its polls, and the HPA that it hands over to above zero.

use std::collections::BTreeMap;

use super::executor::{Active, Polled, Ready, Requested, request_scale};
use super::fallback::{Behavior, COMPOSITE, Failures, Reported, Target, Workload};
use super::formula::{Formula, as_float, trigger_value};
use super::scaled_object::ScaledObject;
use super::triggers::{Source, Trigger};
use crate::cluster::PodSpec;
use crate::policy::hpa::reconcile::Reconciliation;
use crate::policy::hpa::spec::{ControllerFlags, HpaSpec, MetricSpec};
use crate::policy::hpa::{Hpa, reason, reconcile_with, weighed};
use crate::policy::{Decision, Measures, Observation, Reason, ReasonCode, ScalingPolicy, Weighed};
use crate::units::{Quantity, SimDuration, SimTime};

/// A ScaledObject with what it scales on.
#[derive(Debug, Clone)]
pub struct Scaling {
    /// The specification.
    pub object: ScaledObject,
    /// The triggers.
    pub triggers: Vec<Trigger>,
    /// The formula of the scaling modifiers.
    pub formula: Option<Formula>,
    /// The HPA that KEDA creates.
    pub hpa: HpaSpec,
    /// Seconds since 1970 at the beginning of the run.
    pub epoch: i64,
}

/// The `keda` policy.
#[derive(Debug, Clone)]
pub struct KedaPolicy {
    scaling: Scaling,
    hpa: Hpa,
    pod: PodSpec,
    tick: SimDuration,
    failures: Failures,
    created: Option<SimTime>,
    last_active: Option<SimTime>,
    next_poll: SimTime,
    next_sync: SimTime,
    last: Option<Reconciliation>,
}

impl KedaPolicy {
    /// Creates the policy.
    pub fn new(scaling: Scaling, flags: ControllerFlags, pod: PodSpec) -> Self {
        KedaPolicy {
            hpa: Hpa::new(scaling.hpa.clone(), flags),
            tick: common(scaling.object.polling, flags.sync_period),
            scaling,
            pod,
            failures: Failures::default(),
            created: None,
            last_active: None,
            next_poll: SimTime::ZERO,
            next_sync: SimTime::ZERO,
            last: None,
        }
    }

    /// The value of a trigger in thousandths; `None` if it fails.
    fn raw(&self, trigger: &Trigger, observation: &Observation<'_>) -> Option<i64> {
        match &trigger.source {
            Source::Cron(cron) => {
                let now = i64::try_from(observation.now.as_nanos() / 1_000_000_000).unwrap_or(i64::MAX);
                Some(cron.value(self.scaling.epoch.saturating_add(now)).saturating_mul(1000))
            }
            Source::Measured(measure) => {
                let total = observation.scrape_of(&[*measure])?.totals[*measure];
                // A negative value counts as zero.
                Some((total * 1000.0).round().max(0.0) as i64)
            }
            Source::Resource(_) => None,
        }
    }

    /// The values of all external triggers as they are reported, by metric.
    fn values(&mut self, observation: &Observation<'_>) -> Vec<(Trigger, Reported)> {
        let ready = observation.replicas.iter().filter(|replica| replica.is_ready()).count();
        let whole = |count: u64| i32::try_from(count).unwrap_or(i32::MAX);
        let workload = Workload { replicas: whole(u64::from(observation.present)), ready: whole(ready as u64) };
        let external = |trigger: &&Trigger| !matches!(trigger.source, Source::Resource(_));
        let triggers: Vec<Trigger> = self.scaling.triggers.iter().filter(external).cloned().collect();
        let values = triggers.into_iter().map(|trigger| {
            let value = self.raw(&trigger, observation);
            let target = Target { milli: trigger.target, is_value: trigger.is_value };
            let object = &self.scaling.object;
            let (fallback, modifiers) = (object.fallback.as_ref(), object.modifiers.as_ref());
            let reported = self.failures.report(&trigger.metric, value, fallback, modifiers, target, workload);
            (trigger, reported)
        });
        values.collect()
    }

    /// The metric that the formula makes, in thousandths; an error is why there is none.
    fn composite(&self, formula: &Formula, values: &[(Trigger, Reported)]) -> Result<i64, String> {
        if let Some((_, stand_in)) = values.iter().find(|(_, reported)| reported.is_fallback) {
            return stand_in.milli.ok_or_else(|| "no replica is ready".to_owned());
        }
        let object = &self.scaling.object;
        let fallback = object.fallback.filter(|fallback| fallback.behavior == Behavior::ScalingModifiers);
        let mut triggers = BTreeMap::new();
        for (trigger, reported) in values {
            let failures = self.failures.health.get(&trigger.metric).map(|health| health.failures);
            let value = reported.milli.ok_or_else(|| format!("trigger {} fails", trigger.name))?;
            triggers
                .insert(trigger.name.clone(), trigger_value(as_float(value), fallback.map(|f| f.threshold), failures));
        }
        let target = object.modifiers.as_ref().and_then(|modifiers| modifiers.target.parse::<f64>().ok());
        formula.milli(&triggers, fallback.zip(target).map(|(fallback, target)| f64::from(fallback.replicas) * target))
    }

    /// What the HPA is answered, by metric; and whether a trigger is active, and whether one failed.
    fn answers(&mut self, observation: &Observation<'_>) -> (BTreeMap<String, Option<Quantity>>, bool, bool) {
        let values = self.values(observation);
        let quantity = |milli: i64| Quantity::from_millis(milli);
        if let Some(formula) = &self.scaling.formula {
            let value = self.composite(formula, &values).ok();
            let modifiers = self.scaling.object.modifiers.as_ref();
            let activation = modifiers.and_then(|stated| stated.activation_target.parse::<f64>().ok()).unwrap_or(0.0);
            let is_active = value.is_some_and(|milli| milli as f64 / 1000.0 > activation);
            let is_error = value.is_none();
            return (BTreeMap::from([(COMPOSITE.to_owned(), value.map(quantity))]), is_active, is_error);
        }
        let above = |(trigger, reported): &(Trigger, Reported)| {
            reported.milli.is_some_and(|milli| milli as f64 / 1000.0 > trigger.activation)
        };
        // With triggers of cpu and memory alone it is always active.
        let is_active = values.is_empty() || values.iter().any(above);
        let is_error = values.iter().any(|(_, reported)| reported.milli.is_none());
        let answers = values.into_iter().map(|(trigger, reported)| (trigger.metric, reported.milli.map(quantity)));
        (answers.collect(), is_active, is_error)
    }

    /// One poll.
    fn poll(&mut self, is_active: bool, is_error: bool, observation: &Observation<'_>) -> Requested {
        let polled = Polled {
            is_active,
            is_error,
            replicas: i32::try_from(observation.desired).unwrap_or(i32::MAX),
            last_active: self.last_active,
            created: self.created,
            now: observation.now,
        };
        let requested = request_scale(&self.scaling.object, &polled);
        if requested.sets_last_active {
            self.last_active = Some(observation.now);
        }
        requested
    }

    /// Why a poll sets a size.
    fn why(&self, requested: &Requested, size: i32, current: u32) -> Reason {
        let object = &self.scaling.object;
        match requested.active {
            Some(Active::Yes) => {
                Reason::new(ReasonCode::Activated, format!("a trigger is active: {current} -> {size}"))
            }
            _ if requested.event.is_some() => {
                let time = if self.last_active.is_some() { object.cooldown } else { object.initial_cooldown };
                Reason::new(ReasonCode::Idle, format!("no trigger active for {time}: {current} -> {size}"))
            }
            _ => Reason::new(ReasonCode::Bounded, format!("below the minimum of {size}: {current} -> {size}")),
        }
    }

    /// What a poll says where it does not set a size, and the HPA has no say.
    fn idle(&self, requested: Option<&Requested>, current: u32) -> Reason {
        let object = &self.scaling.object;
        match requested {
            _ if object.is_paused() => Reason::new(ReasonCode::Disabled, format!("paused: {current} stays")),
            Some(Requested { ready: Ready::No, .. }) => {
                Reason::new(ReasonCode::NoData, format!("a trigger fails, and there is no fallback: {current} stays"))
            }
            Some(Requested { active: Some(Active::Cooldown), .. }) => {
                let time = object.cooldown;
                Reason::new(ReasonCode::Stabilized, format!("no trigger active, cooldown of {time}: {current} stays"))
            }
            _ => Reason::new(ReasonCode::Disabled, format!("no trigger active: {current} stays")),
        }
    }
}

/// The longest time of which both are multiples.
fn common(a: SimDuration, b: SimDuration) -> SimDuration {
    let (mut a, mut b) = (a.as_nanos(), b.as_nanos());
    while b > 0 {
        (a, b) = (b, a % b);
    }
    SimDuration::from_nanos(a.max(1_000_000))
}

impl ScalingPolicy for KedaPolicy {
    fn sync_period(&self) -> SimDuration {
        self.tick
    }

    fn decide(&mut self, observation: &Observation<'_>) -> Decision {
        let (now, current) = (observation.now, observation.desired);
        self.created.get_or_insert(now);
        let (polls, syncs) = (now >= self.next_poll, now >= self.next_sync);
        if !polls && (!syncs || current == 0) {
            return Decision::hold(Reason::new(
                ReasonCode::WithinTolerance,
                format!("between two polls: {current} stays"),
            ));
        }
        let (answers, is_active, is_error) = self.answers(observation);
        let mut requested = None;
        if polls {
            self.next_poll = now.saturating_add(self.scaling.object.polling);
            let made = self.poll(is_active, is_error, observation);
            let size = made.scale_to.and_then(|size| u32::try_from(size).ok());
            if let Some(size) = size.filter(|size| *size != current) {
                let reason = self.why(&made, i32::try_from(size).unwrap_or(i32::MAX), current);
                return Decision::scale_to(size, reason);
            }
            requested = Some(made);
        }
        if current == 0 || self.scaling.object.is_paused() || !syncs {
            let waits = current > 0 && !self.scaling.object.is_paused();
            return Decision::hold(match waits {
                true => {
                    Reason::new(ReasonCode::WithinTolerance, format!("between two syncs of the HPA: {current} stays"))
                }
                false => self.idle(requested.as_ref(), current),
            });
        }
        self.next_sync = now.saturating_add(self.hpa.flags().sync_period);
        let run = reconcile_with(&mut self.hpa, observation, &self.pod, &answers);
        let mut reason = reason(&self.hpa, &run, &self.pod);
        if let Some(Requested { active: Some(Active::Cooldown), .. }) = requested {
            reason.detail =
                format!("{}; no trigger active, cooldown of {}", reason.detail, self.scaling.object.cooldown).into();
        }
        let decision = match run.rescaled {
            true => Decision::scale_to(run.desired, reason),
            false => Decision::hold(reason),
        };
        self.last = Some(run);
        decision
    }

    fn weighed(&self) -> Option<Weighed> {
        self.last.as_ref().map(|run| weighed(&self.hpa, run))
    }

    /// Lower targets, which triggers could state as well.
    fn set_headroom(&mut self, factor: f64) -> bool {
        self.hpa = Hpa::new(self.hpa.spec().with_headroom(factor), *self.hpa.flags());
        true
    }

    fn measures(&self) -> Measures {
        let measured = |trigger: &Trigger| match trigger.source {
            Source::Measured(measure) => Some(measure),
            _ => None,
        };
        self.scaling.triggers.iter().filter_map(measured).collect()
    }

    fn effective(&self) -> Vec<(String, String)> {
        let object = &self.scaling.object;
        let mut all = vec![
            ("polling interval".to_owned(), object.polling.to_string()),
            ("cooldown".to_owned(), object.cooldown.to_string()),
        ];
        let named = |metric: &MetricSpec| metric.name().to_owned();
        let metrics = self.hpa.spec().metrics.iter().map(named).collect::<Vec<_>>().join(", ");
        let (min, max) = (self.hpa.spec().min_replicas, self.hpa.spec().max_replicas);
        all.push(("HPA".to_owned(), format!("{min} to {max} replicas by {metrics}")));
        all
    }
}
