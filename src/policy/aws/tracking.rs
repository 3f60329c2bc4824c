//! `target-tracking`: the size that brings a metric to its target, after alarms above and below it.

use std::sync::Arc;

use super::adjust::{largest, round_tracking};
use super::alarm::{Alarm, AlarmSpec};
use super::capacity::{Metric, warm};
use super::common::{LOOK, Periods, read_bounds, short};
use crate::config::{Diagnostics, Fields, FromNode, Yaml};
use crate::policy::{
    Compared, Decision, Gauge, Observation, PolicyContext, PolicyFactory, PolicyPlugin, Reason, ReasonCode,
    ScalingPolicy, Weighed,
};
use crate::units::{Fraction, Rate, SimDuration, SimTime};

/// The entry in the list of policies.
pub const PLUGIN: PolicyPlugin = PolicyPlugin {
    name: "target-tracking",
    summary: "AWS target tracking by its documented rules: `{ min: 2, max: 40, target: { cpu: 50% } }`",
    source: "Amazon EC2 Auto Scaling user guide",
    build,
};

/// The share of the target below which it scales in: not documented, observed in practice.
const SCALE_IN_BELOW: f64 = 0.9;

/// One policy: a metric and its target.
#[derive(Debug, Clone)]
struct Tracked {
    metric: Metric,
    target: f64,
    high: Alarm,
    low: Alarm,
    value: Option<f64>,
}

/// Parameters.
#[derive(Debug, Clone, Copy)]
struct Settings {
    min: u32,
    max: u32,
    high: Periods,
    low: Periods,
    low_share: f64,
    warm_up: SimDuration,
    out_cooldown: SimDuration,
    in_cooldown: SimDuration,
    scales_in: bool,
}

/// The policy.
#[derive(Debug, Clone)]
struct TargetTracking {
    settings: Settings,
    targets: Vec<(Metric, f64)>,
    tracked: Vec<Tracked>,
    seen: Option<SimTime>,
    /// The last scale-out: when, and the size before.
    scaled_out: Option<(SimTime, u32)>,
    scaled_in: Option<SimTime>,
    last: Weighed,
}

fn build(node: &Yaml, context: &PolicyContext<'_>, sink: &mut Diagnostics) -> Option<PolicyFactory> {
    let fields = Fields::open(node, "policy `target-tracking`", sink)?;
    let errors = sink.errors();
    let (min, max) = read_bounds(&fields, sink);
    let targets = match fields.node_of("target") {
        Some(node) => read_targets(node, context, sink),
        None => {
            let error = fields.node().error("`target` is missing: what is kept at which value?");
            fields.missing(&["target"], error.help("write `target: { cpu: 50% }`"), sink);
            Vec::new()
        }
    };
    let mut periods = |name: &'static str, usual: u32| {
        let plain = Periods { period: SimDuration::from_secs(60), periods: usual, datapoints: usual };
        let Some(node) = fields.node_of(name) else { return Some(plain) };
        let alarm = Fields::open(node, name, sink)?;
        let read = Periods::read(&alarm, usual, sink);
        alarm.finish(sink);
        Some(read)
    };
    let (high, low) = (periods("scale-out-alarm", 3), periods("scale-in-alarm", 15));
    let settings = Settings {
        min,
        max,
        high: high?,
        low: low?,
        low_share: fields.optional("scale-in-below", sink).map_or(SCALE_IN_BELOW, Fraction::get),
        warm_up: fields.or("warm-up", SimDuration::from_secs(300), sink),
        out_cooldown: fields.or("scale-out-cooldown", SimDuration::ZERO, sink),
        in_cooldown: fields.or("scale-in-cooldown", SimDuration::ZERO, sink),
        scales_in: !fields.or("disable-scale-in", false, sink),
    };
    fields.finish(sink);
    (sink.errors() == errors)
        .then(|| -> PolicyFactory { Arc::new(move |_| Box::new(TargetTracking::new(settings, targets.clone()))) })
}

fn read_targets(node: &Yaml, context: &PolicyContext<'_>, sink: &mut Diagnostics) -> Vec<(Metric, f64)> {
    let Some(fields) = Fields::open(node, "target", sink) else { return Vec::new() };
    if fields.entries().is_empty() {
        sink.push(node.error("`target` names no metric").help("write `target: { cpu: 50% }`"));
    }
    let mut targets = Vec::new();
    for (key, value) in fields.entries() {
        let place = Yaml { span: key.span, ..node.clone() };
        let target = read_value(value, sink);
        let metric = Metric::read(&key.text, &place, context, sink);
        let (Some(metric), Some(target)) = (metric, target) else { continue };
        if target <= 0.0 {
            sink.push(value.error("a target must be above zero"));
        }
        targets.push((metric, target));
    }
    targets
}

/// A number, a percentage (of what is reserved), or a rate.
pub(super) fn read_value(node: &Yaml, sink: &mut Diagnostics) -> Option<f64> {
    let text = node.as_text().unwrap_or("").trim();
    if let Some(percent) = text.strip_suffix('%') {
        let percent = percent.trim().parse::<f64>().ok().filter(|percent| percent.is_finite() && *percent >= 0.0);
        if percent.is_none() {
            sink.push(node.error(format!("expected a percentage, found `{text}`")));
        }
        return percent;
    }
    if text.contains('/') { Rate::from_node(node, sink).map(Rate::get) } else { f64::from_node(node, sink) }
}

impl TargetTracking {
    fn new(settings: Settings, targets: Vec<(Metric, f64)>) -> Self {
        let mut policy = TargetTracking {
            settings,
            targets,
            tracked: Vec::new(),
            seen: None,
            scaled_out: None,
            scaled_in: None,
            last: Weighed::default(),
        };
        policy.arm();
        policy
    }

    /// Creates the alarms of the targets.
    fn arm(&mut self) {
        let Settings { high, low, low_share, .. } = self.settings;
        let alarm = |is_above: bool, threshold: f64, periods: Periods| {
            let Periods { period, periods, datapoints } = periods;
            Alarm::new(AlarmSpec { is_above, threshold, or_equal: false, period, periods, datapoints })
        };
        let tracked = self.targets.iter().map(|(metric, target)| Tracked {
            metric: *metric,
            target: *target,
            high: alarm(true, *target, high),
            low: alarm(false, target * low_share, low),
            value: None,
        });
        self.tracked = tracked.collect();
    }

    /// Feeds the alarms; whether a period of one above or below has ended.
    fn observe(&mut self, observation: &Observation<'_>) -> (bool, bool) {
        let taken = observation.scrape.map(|scrape| scrape.taken_at);
        let is_new = taken.is_some() && taken != self.seen;
        self.seen = taken;
        let mut ended = (false, false);
        for tracked in &mut self.tracked {
            tracked.value = tracked.metric.value(observation, self.settings.warm_up);
            let value = tracked.value.filter(|_| is_new);
            ended.0 |= tracked.high.observe(observation.now, value);
            ended.1 |= tracked.low.observe(observation.now, value);
        }
        ended
    }

    /// The size that brings a metric to its target, from `capacity`.
    fn wanted(tracked: &Tracked, datapoint: f64, capacity: u32) -> f64 {
        let capacity = f64::from(capacity);
        capacity + round_tracking(capacity * (datapoint / tracked.target - 1.0))
    }

    fn within(&self, size: f64) -> u32 {
        (size as u32).clamp(self.settings.min, self.settings.max)
    }

    fn scale_out(&self, observation: &Observation<'_>, warm: u32) -> Option<(f64, String)> {
        let cooling = self.scaled_out.filter(|(at, _)| observation.now.since(*at) < self.settings.out_cooldown);
        let capacity = cooling.map_or(warm, |(_, before)| before.min(warm.max(1)));
        let off = self.tracked.iter().filter(|tracked| tracked.high.is_off());
        let proposals = off.filter_map(|tracked| {
            let datapoint = tracked.high.datapoint()?;
            let (name, unit, target) = (tracked.metric.measure.name(), tracked.metric.unit(), short(tracked.target));
            let (value, alarm) = (short(datapoint), tracked.high.words());
            let words = format!("{name} {value}{unit} of {target}{unit} target ({alarm}), {capacity} warm");
            Some((Self::wanted(tracked, datapoint, capacity), words))
        });
        proposals.reduce(|a, b| if b.0 > a.0 { b } else { a })
    }

    fn scale_in(&self, observation: &Observation<'_>, warm: u32) -> Option<(f64, String)> {
        let current = observation.desired;
        let since = |at: SimTime| observation.now.since(at);
        let cools_out = self.scaled_out.is_some_and(|(at, _)| since(at) < self.settings.out_cooldown);
        let cools_in = self.scaled_in.is_some_and(|at| since(at) < self.settings.in_cooldown);
        let all_low = !self.tracked.is_empty() && self.tracked.iter().all(|tracked| tracked.low.is_off());
        if !self.settings.scales_in || !all_low || warm < current || cools_out || cools_in {
            return None;
        }
        let proposals = self.tracked.iter().filter_map(|tracked| {
            let datapoint = tracked.low.datapoint()?;
            Some(Self::wanted(tracked, datapoint, current))
        });
        let size = largest(proposals)?;
        let words: Vec<String> = self
            .tracked
            .iter()
            .map(|tracked| {
                let datapoint = tracked.low.datapoint().map_or_else(|| "none".to_owned(), short);
                format!(
                    "{} {datapoint} of {} target ({})",
                    tracked.metric.measure.name(),
                    short(tracked.target),
                    tracked.low.words()
                )
            })
            .collect();
        Some((size, words.join(", ")))
    }

    fn figures(&self) -> String {
        let figure = |tracked: &Tracked| {
            let value = tracked.value.map_or_else(|| "none".to_owned(), short);
            let (unit, target) = (tracked.metric.unit(), short(tracked.target));
            format!("{} {value}{unit} of {target}{unit} target", tracked.metric.measure.name())
        };
        self.tracked.iter().map(figure).collect::<Vec<_>>().join(", ")
    }

    fn decided(&mut self, observation: &Observation<'_>) -> Decision {
        let (current, now) = (observation.desired, observation.now);
        let ended = self.observe(observation);
        let bounded = current.clamp(self.settings.min, self.settings.max);
        if bounded != current {
            let Settings { min, max, .. } = self.settings;
            let detail = format!("{current} is not from {min} to {max}: {current} -> {bounded}");
            return Decision::scale_to(bounded, Reason::new(ReasonCode::Bounded, detail));
        }
        let warm = u32::try_from(warm(observation, self.settings.warm_up).count()).unwrap_or(u32::MAX);
        let change = match ended {
            (true, _) => self.scale_out(observation, warm).filter(|(size, _)| self.within(*size) > current),
            _ => None,
        };
        if let Some((size, words)) = change {
            let size_bounded = self.within(size);
            self.scaled_out = Some((now, current));
            self.scaled_in = None;
            self.last.wanted = Some(size as u32);
            return Decision::scale_to(
                size_bounded,
                Reason::new(ReasonCode::Target, format!("{words}: {current} -> {size_bounded}")),
            );
        }
        let change = match ended {
            (_, true) => self.scale_in(observation, warm).filter(|(size, _)| self.within(*size) < current),
            _ => None,
        };
        if let Some((size, words)) = change {
            let size = self.within(size);
            self.scaled_in = Some(now);
            self.last.wanted = Some(size);
            return Decision::scale_to(size, Reason::new(ReasonCode::Target, format!("{words}: {current} -> {size}")));
        }
        let (code, why) = if self.tracked.iter().all(|tracked| tracked.value.is_none()) {
            (ReasonCode::NoData, "no data: nothing changes")
        } else if self.tracked.iter().any(|tracked| tracked.high.is_off()) {
            (ReasonCode::Stabilized, "what was ordered, or the maximum, is enough")
        } else if warm < current && self.tracked.iter().all(|tracked| tracked.low.is_off()) {
            (ReasonCode::Stabilized, "nothing is removed while replicas warm up")
        } else {
            (ReasonCode::WithinTolerance, "no alarm is off")
        };
        Decision::hold(Reason::new(code, format!("{}; {why}: {current} stays", self.figures())))
    }
}

impl ScalingPolicy for TargetTracking {
    fn sync_period(&self) -> SimDuration {
        LOOK
    }

    fn decide(&mut self, observation: &Observation<'_>) -> Decision {
        let decision = self.decided(observation);
        let share = self.settings.low_share;
        let metrics = self.tracked.iter().map(|tracked| {
            let scale = if tracked.metric.measure.is_resource() { 100.0 } else { 1.0 };
            let target = tracked.target / scale;
            Compared {
                name: tracked.metric.measure.name().to_owned(),
                gauge: if scale > 1.0 { Gauge::Share } else { Gauge::Number },
                per_pod: scale == 1.0,
                value: tracked.value.map(|value| value / scale),
                target,
                tolerated: (share * target, target),
            }
        });
        self.last = Weighed { metrics: metrics.collect(), wanted: decision.replicas, stabilized: decision.replicas };
        decision
    }

    fn weighed(&self) -> Option<Weighed> {
        Some(self.last.clone())
    }

    /// Lower targets, which a policy could state as well.
    fn set_headroom(&mut self, factor: f64) -> bool {
        self.targets.iter_mut().for_each(|(_, target)| *target /= factor);
        self.arm();
        true
    }

    fn measures(&self) -> crate::policy::Measures {
        self.targets.iter().map(|(metric, _)| metric.measure).collect()
    }
}
