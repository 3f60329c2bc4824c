//! The policy: its numbers at work.

use super::parameters;
use std::collections::VecDeque;
use std::sync::Arc;

use super::super::{
    Decision, Measure, Observation, PolicyFactory, PolicyPlugin, Reason, ReasonCode, ScalingPolicy, Trainable,
};
use crate::units::{SimDuration, SimTime};

use super::found::{Design, Found};
use super::numbers::place;
use super::numbers::{COUNT, NUMBERS};
use super::outlook::{Memory, Outlook};

/// The entry in the list of policies.
pub const PLUGIN: PolicyPlugin = PolicyPlugin {
    name: "policy-search",
    summary: "a rule with ten numbers (utilization, lead, cool-down ...) found beforehand by search (`plimsoll train`)",
    source: "own rule, square-root staffing after Halfin and Whitt 1981; search by CMA-ES, Hansen 2016",
    build: parameters::build,
};

/// Settings of the policy.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Minimum size.
    pub min: u32,
    /// Maximum size.
    pub max: u32,
    /// The design that the numbers are valid for.
    pub design: Arc<Design>,
    /// The numbers, in the order of [`NUMBERS`].
    pub numbers: [f64; COUNT],
    /// Which numbers the scenario states; a search does not change them.
    pub stated: [bool; COUNT],
    /// Whether the numbers come from a search.
    pub is_trained: bool,
}

impl Trainable for Settings {}

impl Settings {
    /// Creates policies with these numbers instead of the current ones; numbers stated in the scenario are kept.
    pub fn with(&self, numbers: [f64; COUNT]) -> PolicyFactory {
        let mut settings = Settings { is_trained: true, ..self.clone() };
        for (place, number) in numbers.into_iter().enumerate() {
            if !self.stated[place] {
                settings.numbers[place] = number;
            }
        }
        Arc::new(move |_| Box::new(PolicySearch::new(settings.clone())))
    }

    /// The first number for which the two scenarios state different values.
    pub fn other_number(&self, other: &Settings) -> Option<&'static str> {
        let stated = |settings: &Settings, place: usize| settings.stated[place].then_some(settings.numbers[place]);
        (0..COUNT).find(|place| stated(self, *place) != stated(other, *place)).map(|place| NUMBERS[place].name)
    }

    /// The first field in which a stored result differs from the scenario.
    pub fn difference(&self, found: &Found) -> Option<&'static str> {
        let stated = || (0..COUNT).find(|place| self.stated[*place] && self.numbers[*place] != found.numbers[*place]);
        self.design.difference(&found.design).or_else(|| stated().map(|place| NUMBERS[place].name))
    }
}

/// The policy.
pub struct PolicySearch {
    settings: Settings,
    memory: Memory,
    /// Sizes desired within the cool-down that no later one exceeds, with their times; the first is the largest.
    wanted: VecDeque<(SimTime, u32)>,
}

/// The desired size and the reason.
struct Proposal {
    size: u32,
    words: String,
}

impl PolicySearch {
    /// A policy that has not observed anything yet.
    pub fn new(settings: Settings) -> Self {
        PolicySearch { memory: Memory::new(settings.design.season), settings, wanted: VecDeque::new() }
    }

    fn number(&self, place: usize) -> f64 {
        self.settings.numbers[place]
    }

    /// The desired size for an outlook and a number of waiting requests.
    fn propose(&self, outlook: &Outlook, waiting: f64) -> Proposal {
        let capacity = self.settings.design.capacity;
        let load = outlook.most / capacity;
        let need = load / self.number(place::UTILIZATION) + self.number(place::SPREAD) * load.sqrt();
        let backlog = waiting / (capacity * self.number(place::DRAIN));
        let floor = self.number(place::FLOOR) * outlook.mean / capacity;
        // The cast saturates.
        let size = ((need + backlog).max(floor) - 1e-9).ceil() as u32;
        let mut words = format!("load {:.1}, {load:.1} to come", outlook.now / capacity);
        if outlook.season.abs() >= 0.05 * capacity {
            words += &format!(" (season {:+.1})", outlook.season / capacity);
        }
        if backlog >= 0.05 {
            words += &format!(", {waiting:.0} waiting");
        }
        if floor > need + backlog {
            words += &format!(", floor {floor:.1}");
        }
        Proposal { size, words }
    }

    /// The largest size desired within the cool-down, including the current `size`.
    fn held(&mut self, now: SimTime, size: u32) -> u32 {
        let over = SimDuration::from_secs_f64(self.number(place::COOL_DOWN)).unwrap_or(SimDuration::MAX);
        while self.wanted.front().is_some_and(|(at, _)| now.since(*at) >= over) {
            self.wanted.pop_front();
        }
        while self.wanted.back().is_some_and(|(_, wanted)| *wanted <= size) {
            self.wanted.pop_back();
        }
        self.wanted.push_back((now, size));
        self.wanted.front().map_or(size, |(_, wanted)| *wanted)
    }

    /// The smallest size that one decision may go down to from `spec`; at least one replica is removed.
    fn lowest(&self, spec: u32) -> u32 {
        let share = self.number(place::STEP_DOWN).min(1.0);
        let taken = (f64::from(spec) * share + 1e-9).floor().max(1.0);
        (f64::from(spec) - taken).max(0.0) as u32
    }
}

impl ScalingPolicy for PolicySearch {
    fn sync_period(&self) -> SimDuration {
        self.settings.design.sync_period
    }

    fn decide(&mut self, observation: &Observation<'_>) -> Decision {
        let (now, spec) = (observation.now, observation.desired);
        let Some(scrape) = observation.scrape_of(&[Measure::RequestRate, Measure::QueueLength]) else {
            return Decision::hold(Reason::new(ReasonCode::NoData, "no measurement yet"));
        };
        let numbers = self.settings.numbers;
        self.memory.see(scrape.taken_at, scrape.totals[Measure::RequestRate], &numbers);
        let Some(outlook) = self.memory.outlook(now, &numbers) else {
            return Decision::hold(Reason::new(ReasonCode::NoData, "no measurement yet"));
        };
        let Proposal { size: wanted, mut words } = self.propose(&outlook, scrape.totals[Measure::QueueLength]);
        let mut code = if self.settings.is_trained { ReasonCode::Learned } else { ReasonCode::Target };
        words += &format!(": {spec} -> {wanted}");
        let mut size = wanted;
        let held = self.held(now, wanted);
        if wanted < spec && held > wanted {
            (size, code) = (held.min(spec), ReasonCode::Stabilized);
            words += &format!(", {held} wanted within the cool-down");
        }
        let lowest = self.lowest(spec);
        if size < lowest {
            (size, code) = (lowest, ReasonCode::RateLimited);
            words += &format!(", at most {} fewer at once", spec - lowest);
        }
        let bounded = size.clamp(self.settings.min, self.settings.max);
        if bounded != size {
            code = ReasonCode::Bounded;
            words += &format!(", held at {bounded}");
        }
        let reason = Reason::new(code, words);
        if bounded == spec { Decision::hold(reason) } else { Decision::scale_to(bounded, reason) }
    }

    fn trainable(&self) -> Option<&(dyn Trainable + 'static)> {
        Some(&self.settings)
    }
}
