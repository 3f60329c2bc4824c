//! `q-learning`: what to do in which situation, learned by trial on simulated weeks.
//!
//! A situation is one of a few thousand *states* ([`Design`]): the offered load per replica asked for, its trend, how many replicas
//! are not ready yet, how many requests wait, and the part of the day. An action is a step of the number of replicas. For each state
//! and action a table ([`Table`]) holds the dollars and the bad requests that are expected to follow within the horizon; the
//! policy takes the step of the least sum, a bad request counted at a price in dollars.
//!
//! The table is learned by `plimsoll train` (`experiment::train`) and saved ([`Learned`]). A trained policy draws nothing and
//! learns nothing any more: its decisions are a function of the file and of what it is shown. In a state that was never met, and
//! without a file everywhere, it takes the step that comes nearest to a stated utilization, and says so.

mod design;
mod learned;
mod parameters;
mod step;
mod table;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::{
    Decision, Measure, Observation, PodPhase, PolicyFactory, PolicyPlugin, Reason, ReasonCode, ScalingPolicy, Scrape,
};
use crate::units::{SimDuration, SimTime};

pub use super::stored::Origin;
pub use design::{Design, Sight};
pub use learned::{LAYOUT, Learned};
pub use step::Step;
pub use table::{Cell, Experience, Rule, Table};

/// The entry in the list of policies.
pub const PLUGIN: PolicyPlugin = PolicyPlugin {
    name: "q-learning",
    summary: "steps of the size by a table learned beforehand on simulated weeks (`plimsoll train`)",
    source: "Watkins 1989, Learning from Delayed Rewards; Sutton and Barto, Reinforcement Learning, chapter 6",
    build: parameters::build,
};

/// Settings of a learning policy.
#[derive(Debug, Clone)]
pub struct Settings {
    /// At least so many replicas.
    pub min: u32,
    /// At most so many replicas.
    pub max: u32,
    /// Utilization that the policy steps towards where nothing was learned.
    pub target: f64,
    /// States and actions.
    pub design: Arc<Design>,
    /// What was learned; `None` before any training.
    pub learned: Option<Arc<Learned>>,
    /// The file as the scenario names it.
    pub trained: Option<String>,
}

impl Settings {
    /// Makes policies with this table in place of what the settings hold.
    pub fn with(&self, learned: Arc<Learned>) -> PolicyFactory {
        let settings = Settings { learned: Some(learned), ..self.clone() };
        Arc::new(move |_| Box::new(QLearning::new(settings.clone())))
    }

    /// Makes policies that learn: each explores as `explorer` says and keeps what it met.
    pub fn exploring(&self, learned: Arc<Learned>, explorer: Explorer) -> PolicyFactory {
        let settings = Settings { learned: Some(learned), ..self.clone() };
        Arc::new(move |_| Box::new(QLearning { explorer: Some(explorer.clone()), ..QLearning::new(settings.clone()) }))
    }

    fn bounded(&self, size: u32) -> u32 {
        size.clamp(self.min, self.max)
    }
}

/// A state that was met while learning, and what was done there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visit {
    /// When.
    pub at: SimTime,
    /// State.
    pub state: u32,
    /// Index of the action.
    pub action: u32,
}

/// Which action to try at the n-th decision, of so many; `None` for the best that is known. It draws from keyed streams, which no
/// policy does by itself.
pub type Choose = Arc<dyn Fn(u64, u32) -> Option<u32> + Send + Sync>;

/// How a policy explores while it learns.
#[derive(Clone)]
pub struct Explorer {
    /// What to try.
    pub choose: Choose,
    /// What was met, in order of time.
    pub trail: Arc<Mutex<Vec<Visit>>>,
}

/// The policy.
pub struct QLearning {
    settings: Settings,
    /// Rates shown, with the times of their scrapes, back to the trend's beginning.
    rates: VecDeque<(SimTime, f64)>,
    explorer: Option<Explorer>,
    /// Decisions made in some state.
    decisions: u64,
}

/// An action and why.
struct Choice {
    action: usize,
    code: ReasonCode,
    why: String,
}

impl QLearning {
    /// A policy that has seen nothing yet.
    pub fn new(settings: Settings) -> Self {
        QLearning { settings, rates: VecDeque::new(), explorer: None, decisions: 0 }
    }

    /// The rate now over the rate shown `trend_over` earlier; 1 while there is none.
    fn trend(&mut self, scrape: &Scrape) -> f64 {
        let rate = scrape.totals[Measure::RequestRate as usize];
        let over = self.settings.design.trend_over;
        let is_old = |at: &SimTime| *at < scrape.taken_at && scrape.taken_at.since(*at) >= over;
        if self.rates.back().is_none_or(|(at, _)| *at < scrape.taken_at) {
            self.rates.push_back((scrape.taken_at, rate));
        }
        // The newest that is old enough stays, what is older goes.
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

    /// What the policy makes of the observation; `spec` is at least 1.
    fn sight(&mut self, observation: &Observation<'_>, scrape: &Scrape, spec: u32) -> Sight {
        let ready = |pod: &&super::PodView| pod.phase == PodPhase::Running && pod.ready == Some(true) && !pod.deleted;
        let ready = observation.pods.iter().filter(ready).count() as f64;
        let spec = f64::from(spec);
        Sight {
            now: observation.now,
            load: scrape.totals[Measure::RequestRate as usize] / self.settings.design.capacity / spec,
            trend: self.trend(scrape),
            starting: (1.0 - ready / spec).max(0.0),
            waiting: scrape.totals[Measure::QueueLength as usize] / spec,
        }
    }

    /// The step to take.
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
        let spec = observation.spec_replicas;
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

    fn learning(&self) -> Option<super::Learning<'_>> {
        Some(super::Learning::Table(&self.settings))
    }
}
