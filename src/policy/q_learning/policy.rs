//! The policy: what it sees, chooses and leaves behind for training.

use super::parameters;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::super::{
    Decision, Measure, Observation, PolicyFactory, PolicyPlugin, Reason, ReasonCode, ReplicaView, ScalingPolicy,
    Scrape, Trainable,
};
use crate::units::{SimDuration, SimTime};

use super::design::{Design, Sight};
use super::learned::Learned;
use super::table::Cell;

/// The entry in the list of policies.
pub const PLUGIN: PolicyPlugin = PolicyPlugin {
    name: "q-learning",
    summary: "scaling actions from a table learned beforehand on simulated weeks (`plimsoll train`)",
    source: "Watkins 1989, Learning from Delayed Rewards; Sutton and Barto, Reinforcement Learning, chapter 6",
    build: parameters::build,
};

/// Settings of a learning policy.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Minimum size.
    pub min: u32,
    /// Maximum size.
    pub max: u32,
    /// Target utilization in states that were not learned.
    pub target: f64,
    /// States and actions.
    pub design: Arc<Design>,
    /// The trained table; `None` before any training.
    pub learned: Option<Arc<Learned>>,
    /// Path of the file, as written in the scenario.
    pub trained: Option<String>,
}

impl Trainable for Settings {}

impl Settings {
    /// Creates policies that use this table.
    pub fn with(&self, learned: Arc<Learned>) -> PolicyFactory {
        let settings = Settings { learned: Some(learned), ..self.clone() };
        Arc::new(move |_| Box::new(QLearning::new(settings.clone())))
    }

    /// Creates policies that learn: each explores as directed by `explorer` and records what it visits.
    pub fn exploring(&self, learned: Arc<Learned>, explorer: Explorer) -> PolicyFactory {
        let settings = Settings { learned: Some(learned), ..self.clone() };
        Arc::new(move |_| Box::new(QLearning { explorer: Some(explorer.clone()), ..QLearning::new(settings.clone()) }))
    }

    fn bounded(&self, size: u32) -> u32 {
        size.clamp(self.min, self.max)
    }
}

/// A state visited while learning, and the action taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visit {
    /// Time.
    pub at: SimTime,
    /// State.
    pub state: u32,
    /// Index of the action.
    pub action: u32,
}

/// Chooses the action to try at the n-th decision, out of a number of actions; `None` means the best known one. It
/// draws from keyed streams, which no policy does by itself.
pub type Choose = Arc<dyn Fn(u64, u32) -> Option<u32> + Send + Sync>;

/// How a policy explores while it learns.
#[derive(Clone)]
pub struct Explorer {
    /// Which action to try.
    pub choose: Choose,
    /// Visited states, in order of time.
    pub trail: Arc<Mutex<Vec<Visit>>>,
}

/// The policy.
pub struct QLearning {
    settings: Settings,
    /// Observed rates with the times of their scrapes, over the time of the trend.
    rates: VecDeque<(SimTime, f64)>,
    explorer: Option<Explorer>,
    /// Number of decisions made in some state.
    decisions: u64,
}

/// An action and the reason for it.
struct Choice {
    action: usize,
    code: ReasonCode,
    why: String,
}

impl QLearning {
    /// A policy that has not observed anything yet.
    pub fn new(settings: Settings) -> Self {
        QLearning { settings, rates: VecDeque::new(), explorer: None, decisions: 0 }
    }

    /// The current rate divided by the rate `trend_over` earlier; 1 if there is none.
    pub(super) fn trend(&mut self, scrape: &Scrape) -> f64 {
        let rate = scrape.totals[Measure::RequestRate];
        let over = self.settings.design.trend_over;
        let is_old = |at: &SimTime| *at < scrape.taken_at && scrape.taken_at.since(*at) >= over;
        if self.rates.back().is_none_or(|(at, _)| *at < scrape.taken_at) {
            self.rates.push_back((scrape.taken_at, rate));
        }
        // Keep the newest rate that is old enough, drop all before it.
        while self.rates.get(1).is_some_and(|(at, _)| is_old(at)) {
            self.rates.pop_front();
        }
        match self.rates.front() {
            Some((at, before)) if is_old(at) => match (rate, *before) {
                (rate, before) if before > 0.0 => rate / before,
                (rate, _) if rate > 0.0 => f64::INFINITY,
                _ => 1.0,
            },
            _ => 1.0,
        }
    }

    /// The features of an observation; `spec` is at least 1.
    fn sight(&mut self, observation: &Observation<'_>, scrape: &Scrape, spec: u32) -> Sight {
        let ready = observation.replicas.iter().copied().filter(ReplicaView::is_ready).count() as f64;
        let spec = f64::from(spec);
        Sight {
            now: observation.now,
            load: scrape.totals[Measure::RequestRate] / self.settings.design.capacity / spec,
            trend: self.trend(scrape),
            starting: (1.0 - ready / spec).max(0.0),
            waiting: scrape.totals[Measure::QueueLength] / spec,
        }
    }

    /// The action to take.
    fn choose(&self, sight: &Sight, state: u32, spec: u32) -> Choice {
        let learned = self.settings.learned.as_deref();
        let tried = self.explorer.as_ref().and_then(|explorer| {
            let actions = self.settings.design.actions.len() as u32;
            (explorer.choose)(self.decisions, actions).filter(|action| *action < actions)
        });
        if let Some(action) = tried {
            return Choice { action: action as usize, code: ReasonCode::Learned, why: "tried".into() };
        }
        if let Some(learned) = learned
            && let Some(action) = learned.table.best(state, learned.penalty)
        {
            let Cell { dollars, bad, .. } = learned.table.row(state)[action];
            let why = format!("${dollars:.3} and {bad:.1} bad requests expected over {}", learned.horizon);
            return Choice { action, code: ReasonCode::Learned, why };
        }
        // The cast saturates.
        let wanted = (sight.load * f64::from(spec) / self.settings.target - 1e-9).ceil() as u32;
        let bounded = |size: u32| self.settings.bounded(size);
        let action = self.settings.design.nearest(spec, bounded(wanted), bounded);
        let what = if learned.is_some() { "a state never met in training" } else { "not trained" };
        let why = format!("{what}: nearest to {:.0}% utilization, {wanted}", self.settings.target * 100.0);
        Choice { action, code: ReasonCode::Target, why }
    }
}

impl ScalingPolicy for QLearning {
    fn sync_period(&self) -> SimDuration {
        self.settings.design.sync_period
    }

    fn decide(&mut self, observation: &Observation<'_>) -> Decision {
        let spec = observation.desired;
        let Some(scrape) = observation.scrape_of(&[Measure::RequestRate, Measure::QueueLength]) else {
            return Decision::hold(Reason::new(ReasonCode::NoData, "no measurement yet"));
        };
        let bounded = self.settings.bounded(spec);
        let sight = self.sight(observation, scrape, bounded);
        if bounded != spec {
            let words = format!("{spec} is outside {} to {}", self.settings.min, self.settings.max);
            return Decision::scale_to(bounded, Reason::new(ReasonCode::Bounded, words));
        }
        let state = self.settings.design.state(&sight);
        let Choice { action, code, why } = self.choose(&sight, state, spec);
        self.decisions += 1;
        if let Some(explorer) = &self.explorer
            && let Ok(mut trail) = explorer.trail.lock()
        {
            trail.push(Visit { at: observation.now, state, action: action as u32 });
        }
        let step = self.settings.design.actions[action];
        let wanted = step.from(spec);
        let size = self.settings.bounded(wanted);
        let held = if size == wanted { String::new() } else { format!(", held at {size}") };
        let words = format!("{}: {step} ({why}): {spec} -> {wanted}{held}", sight.words(spec));
        let reason = Reason::new(if size == wanted { code } else { ReasonCode::Bounded }, words);
        if size == spec { Decision::hold(reason) } else { Decision::scale_to(size, reason) }
    }

    fn trainable(&self) -> Option<&(dyn Trainable + 'static)> {
        Some(&self.settings)
    }
}
