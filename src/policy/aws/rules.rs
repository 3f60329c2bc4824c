//! `step-scaling` and `simple-scaling`: adjustments that alarms order.

use super::adjust::{AdjustmentType, Step, adjusted, step_at};
use super::alarm::{Alarm, AlarmSpec};
use super::capacity::{Metric, warm};
use super::common::{LOOK, short};
use crate::policy::{Compared, Decision, Gauge, Measures, Observation, Reason, ReasonCode, ScalingPolicy, Weighed};
use crate::units::{SimDuration, SimTime};

/// One policy: an alarm, and what it changes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rule {
    pub alarm: AlarmSpec,
    pub kind: AdjustmentType,
    pub steps: Vec<Step>,
    /// The least absolute change by a percentage.
    pub least: Option<f64>,
}

/// When a policy may act again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// Step scaling: replicas that warm up count as there, and nothing is removed meanwhile.
    WarmUp(SimDuration),
    /// Simple scaling: nothing happens for a time.
    Cooldown(SimDuration),
}

/// Parameters.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Settings {
    pub min: u32,
    pub max: u32,
    pub metric: Metric,
    pub rules: Vec<Rule>,
    pub pace: Pace,
}

/// The policy.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    settings: Settings,
    alarms: Vec<Alarm>,
    seen: Option<SimTime>,
    changed: Option<SimTime>,
    value: Option<f64>,
    last: Weighed,
}

impl Rules {
    pub(super) fn new(settings: Settings) -> Self {
        let alarms = settings.rules.iter().map(|rule| Alarm::new(rule.alarm)).collect();
        Rules { settings, alarms, seen: None, changed: None, value: None, last: Weighed::default() }
    }

    fn warm_up(&self) -> SimDuration {
        match self.settings.pace {
            Pace::WarmUp(time) => time,
            Pace::Cooldown(_) => SimDuration::ZERO,
        }
    }

    /// What one rule makes of `base` replicas, with the figures.
    fn proposal(&self, index: usize, base: u32) -> Option<(f64, String)> {
        let (rule, alarm) = (self.settings.rules.get(index)?, self.alarms.get(index)?);
        let datapoint = alarm.datapoint().filter(|_| alarm.is_off())?;
        let distance = datapoint - rule.alarm.threshold;
        let step = step_at(&rule.steps, distance, rule.alarm.is_above)?;
        let size = adjusted(rule.kind, step.adjustment, f64::from(base), rule.least);
        let change = match rule.kind {
            AdjustmentType::ChangeInCapacity => format!("{:+}", step.adjustment),
            AdjustmentType::PercentChangeInCapacity => format!("{:+}% of {base}", step.adjustment),
            AdjustmentType::ExactCapacity => format!("exactly {}", step.adjustment),
        };
        let (name, unit) = (self.settings.metric.measure.name(), self.settings.metric.unit());
        Some((size, format!("{name} {}{unit} ({}): {change}", short(datapoint), alarm.words())))
    }

    fn within(&self, size: f64) -> u32 {
        (size as u32).clamp(self.settings.min, self.settings.max)
    }

    fn decided(&mut self, observation: &Observation<'_>) -> Decision {
        let (current, now) = (observation.desired, observation.now);
        self.value = self.settings.metric.value(observation, self.warm_up());
        let taken = observation.scrape.map(|scrape| scrape.taken_at);
        let value = self.value.filter(|_| taken.is_some() && taken != self.seen);
        self.seen = taken;
        let ended: Vec<bool> = self.alarms.iter_mut().map(|alarm| alarm.observe(now, value)).collect();
        let Settings { min, max, .. } = self.settings;
        let bounded = current.clamp(min, max);
        if bounded != current {
            let detail = format!("{current} is not from {min} to {max}: {current} -> {bounded}");
            return Decision::scale_to(bounded, Reason::new(ReasonCode::Bounded, detail));
        }
        let warm = u32::try_from(warm(observation, self.warm_up()).count()).unwrap_or(u32::MAX);
        let hold = |code: ReasonCode, words: String| Decision::hold(Reason::new(code, words));
        if let (Pace::Cooldown(time), Some(changed)) = (self.settings.pace, self.changed) {
            let left = time.as_nanos().saturating_sub(now.since(changed).as_nanos());
            if left > 0 {
                let left = SimDuration::from_nanos(left);
                return hold(ReasonCode::Stabilized, format!("cooldown for another {left}: {current} stays"));
            }
        }
        let is_warming = matches!(self.settings.pace, Pace::WarmUp(_)) && warm < current;
        let mut proposals = Vec::new();
        let mut blocked = None;
        for (index, _) in ended.iter().enumerate().filter(|(_, ended)| **ended) {
            let is_above = self.alarms[index].spec().is_above;
            let base = if is_warming && is_above { warm } else { current };
            let Some((size, words)) = self.proposal(index, base) else { continue };
            let size = self.within(size);
            if size < current && is_warming {
                let why = if is_above {
                    "the step is already on its way"
                } else {
                    "nothing is removed while replicas warm up"
                };
                blocked = Some(format!("{words}; {why}: {current} stays"));
            } else {
                proposals.push((size, words));
            }
        }
        let Some((size, words)) = proposals.into_iter().reduce(|a, b| if b.0 > a.0 { b } else { a }) else {
            return match (blocked, self.value) {
                (Some(words), _) => hold(ReasonCode::Stabilized, words),
                (None, None) => hold(ReasonCode::NoData, format!("no data: {current} stays")),
                (None, Some(value)) => {
                    let (name, unit) = (self.settings.metric.measure.name(), self.settings.metric.unit());
                    let off =
                        if self.alarms.iter().any(Alarm::is_off) { "no new datapoint" } else { "no alarm is off" };
                    hold(ReasonCode::WithinTolerance, format!("{name} {}{unit}; {off}: {current} stays", short(value)))
                }
            };
        };
        if size == current {
            let code = if current == max || current == min { ReasonCode::Bounded } else { ReasonCode::WithinTolerance };
            return hold(code, format!("{words}: {current} stays"));
        }
        self.changed = Some(now);
        Decision::scale_to(size, Reason::new(ReasonCode::Target, format!("{words}: {current} -> {size}")))
    }
}

impl ScalingPolicy for Rules {
    fn sync_period(&self) -> SimDuration {
        LOOK
    }

    fn decide(&mut self, observation: &Observation<'_>) -> Decision {
        let decision = self.decided(observation);
        let measure = self.settings.metric.measure;
        let scale = if measure.is_resource() { 100.0 } else { 1.0 };
        let threshold = |is_above: bool| {
            let alarms = self.alarms.iter().map(Alarm::spec).filter(|spec| spec.is_above == is_above);
            alarms.map(|spec| spec.threshold / scale).next()
        };
        let (low, high) = (threshold(false), threshold(true));
        let metrics = low.or(high).map(|target| Compared {
            name: measure.name().to_owned(),
            gauge: if scale > 1.0 { Gauge::Share } else { Gauge::Number },
            per_pod: scale == 1.0,
            value: self.value.map(|value| value / scale),
            target: high.unwrap_or(target),
            tolerated: (low.unwrap_or(0.0), high.unwrap_or(target)),
        });
        let metrics = metrics.into_iter().collect();
        self.last = Weighed { metrics, wanted: decision.replicas, stabilized: decision.replicas };
        decision
    }

    fn weighed(&self) -> Option<Weighed> {
        Some(self.last.clone())
    }

    fn measures(&self) -> Measures {
        Measures::NONE.with(self.settings.metric.measure)
    }
}
