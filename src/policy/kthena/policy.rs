//! Runs the autoscaler inside a simulation.

use std::collections::BTreeMap;

use super::algorithm::{Behavior, Recommendation, Remembered, corrected};
use super::window::Window;
use crate::policy::{
    Compared, Decision, Gauge, Measure, Measures, Observation, Phase, Reason, ReasonCode, ScalingPolicy, Scrape,
    Weighed,
};
use crate::units::{SimDuration, SimTime};

/// A metric with its target.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// What it measures.
    pub measure: Measure,
    /// Its target.
    pub target: f64,
}

/// The settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Fewest and most replicas.
    pub bounds: (u32, u32),
    /// The metrics.
    pub metrics: Vec<Metric>,
    /// Share by which a ratio may differ from 1.
    pub tolerance: f64,
    /// The limits of steps.
    pub behavior: Behavior,
    /// Stabilization windows, down and up.
    pub stabilization: (SimDuration, SimDuration),
    /// Periods of the limits, down, up and in panic.
    pub periods: (SimDuration, SimDuration, SimDuration),
    /// From how many per cent of the size a recommendation is panic.
    pub panic_threshold_percent: u32,
    /// How long panic lasts; 0 for never.
    pub panic_hold: SimDuration,
    /// Time between two decisions.
    pub sync_period: SimDuration,
}

/// The `kthena` policy.
#[derive(Debug, Clone)]
pub struct Kthena {
    settings: Settings,
    recommended_down: Window,
    recommended_up: Window,
    size_down: Window,
    size_up: Window,
    size_in_panic: Window,
    panic_until: Option<SimTime>,
    weighed: Option<Weighed>,
}

impl Kthena {
    /// A policy with these settings.
    pub fn new(settings: Settings) -> Self {
        let (down, up, panic) = settings.periods;
        Kthena {
            recommended_down: Window::new(settings.stabilization.0),
            recommended_up: Window::new(settings.stabilization.1),
            size_down: Window::new(down),
            size_up: Window::new(up),
            size_in_panic: Window::new(panic),
            panic_until: None,
            weighed: None,
            settings,
        }
    }

    /// What is recommended. The controller sums each metric over the ready replicas and passes the sums as if they were one
    /// replica, so the tolerance is that of a sum against the target of one.
    fn recommend(&self, observation: &Observation<'_>, current: i64) -> Option<i64> {
        let (least, most) = self.settings.bounds;
        let unready = observation
            .replicas
            .iter()
            .filter(|replica| matches!(replica.phase, Phase::Pending | Phase::Starting | Phase::Unready));
        let all: Vec<Measure> = self.settings.metrics.iter().map(|metric| metric.measure).collect();
        let sums = observation.scrape_of(&all).map(|scrape| self.sums(scrape));
        let recommendation = Recommendation {
            bounds: (i64::from(least), i64::from(most)),
            current,
            tolerance: self.settings.tolerance,
            targets: self.settings.metrics.iter().map(|metric| (metric.name.clone(), metric.target)).collect(),
            unready: unready.count() as i64,
            ready_metrics: sums.into_iter().collect(),
            external: BTreeMap::new(),
        };
        recommendation.size()
    }

    fn sums(&self, scrape: &Scrape) -> BTreeMap<String, f64> {
        let reported = self.settings.metrics.iter().filter(|_| !scrape.replicas.is_empty());
        let sum = |metric: &Metric| scrape.replicas.iter().map(|replica| replica.values[metric.measure]).sum();
        reported.map(|metric| (metric.name.clone(), sum(metric))).collect()
    }

    /// Whether there is panic at `now`, after a recommendation.
    fn is_panic(&mut self, now: SimTime, recommended: i64, current: i64) -> bool {
        let hold = self.settings.panic_hold;
        if hold.is_zero() {
            return false;
        }
        if recommended.saturating_mul(100) >= current.saturating_mul(i64::from(self.settings.panic_threshold_percent)) {
            self.panic_until = Some(now.saturating_add(hold));
        }
        self.panic_until.is_some_and(|until| now <= until)
    }

    fn remembered(&self, now: SimTime) -> Remembered {
        Remembered {
            max_recommendation: self.recommended_down.recorded(now).max(),
            min_recommendation: self.recommended_up.recorded(now).min(),
            max_corrected: self.size_down.held(now).max(),
            min_corrected: self.size_up.held(now).min(),
            min_corrected_in_panic: self.size_in_panic.held(now).min(),
        }
    }

    fn remember(&mut self, now: SimTime, recommended: i64, size: i64) {
        self.recommended_down.push(now, recommended);
        self.recommended_up.push(now, recommended);
        self.size_down.push(now, size);
        self.size_up.push(now, size);
        self.size_in_panic.push(now, size);
    }

    /// The sums against their targets, in words and as figures.
    fn figures(&self, observation: &Observation<'_>) -> (String, Vec<Compared>) {
        let sums = observation.scrape.map(|scrape| self.sums(scrape)).unwrap_or_default();
        let words = |metric: &Metric| match sums.get(&metric.name) {
            Some(sum) => format!("{} {sum:.2} in all of {}", metric.name, metric.target),
            None => format!("{} is missing", metric.name),
        };
        let words: Vec<String> = self.settings.metrics.iter().map(words).collect();
        let compared = self.settings.metrics.iter().map(|metric| Compared {
            name: format!("{} in all", metric.name),
            gauge: Gauge::Number,
            per_pod: false,
            value: sums.get(&metric.name).copied(),
            target: metric.target,
            tolerated: (
                metric.target * (1.0 - self.settings.tolerance),
                metric.target * (1.0 + self.settings.tolerance),
            ),
        });
        (words.join(", "), compared.collect())
    }
}

impl ScalingPolicy for Kthena {
    fn sync_period(&self) -> SimDuration {
        self.settings.sync_period
    }

    fn decide(&mut self, observation: &Observation<'_>) -> Decision {
        let (now, current) = (observation.now, i64::from(observation.desired));
        let (figures, metrics) = self.figures(observation);
        let Some(recommended) = self.recommend(observation, current) else {
            self.weighed = Some(Weighed { metrics, ..Weighed::default() });
            return Decision::hold(Reason::new(ReasonCode::NoData, format!("{figures}: skipped")));
        };
        let is_panic = self.is_panic(now, recommended, current);
        let bounds = (i64::from(self.settings.bounds.0), i64::from(self.settings.bounds.1));
        let past = self.remembered(now);
        let size = corrected(recommended, current, bounds, is_panic, &self.settings.behavior, &past);
        self.remember(now, recommended, size);
        let of = |size: i64| u32::try_from(size).ok();
        self.weighed = Some(Weighed { metrics, wanted: of(recommended), stabilized: of(size) });
        let panic = if is_panic { " in panic" } else { "" };
        let moved = if size == current { format!("{current} stays") } else { format!("{current} -> {size}") };
        let (code, words) = if current < bounds.0 || current > bounds.1 {
            (ReasonCode::Bounded, format!("{current} is outside the bounds{panic}: {moved}"))
        } else if size != recommended {
            (ReasonCode::Stabilized, format!("{figures} wants {recommended}, held by past sizes{panic}: {moved}"))
        } else if size == current {
            (ReasonCode::WithinTolerance, format!("{figures}: {moved}"))
        } else {
            (ReasonCode::Target, format!("{figures}{panic}: {moved}"))
        };
        let reason = Reason::new(code, words);
        match of(size) {
            Some(size) if size != observation.desired => Decision::scale_to(size, reason),
            _ => Decision::hold(reason),
        }
    }

    fn weighed(&self) -> Option<Weighed> {
        self.weighed.clone()
    }

    fn measures(&self) -> Measures {
        self.settings.metrics.iter().fold(Measures::NONE, |all, metric| all.with(metric.measure))
    }

    /// By lower targets, which the manifest could state as well.
    fn set_headroom(&mut self, factor: f64) -> bool {
        self.settings.metrics.iter_mut().for_each(|metric| metric.target /= factor);
        true
    }
}
