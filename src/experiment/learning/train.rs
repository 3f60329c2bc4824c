//! Training of a learning policy on replications.
//!
//! An *episode* is one run of the scenario. Episodes run in *rounds* of four with the same table. Three explore: each
//! decision is random with a probability that falls from round to round. One takes the best known actions, like the
//! trained policy. Then their experience is replayed into the table in order, so that the result does not depend on the
//! number of threads.
//!
//! The outcome of an action until the next decision is read from the run's record: the cost in dollars, and the number
//! of *bad* requests, which were lost or slower than the first latency objective. A bad request costs a *penalty* in
//! dollars. If the penalty is not given, it is found as a Lagrange multiplier (Altman 1999, *Constrained Markov
//! Decision Processes*). It starts as the cost of a run divided by the bad requests that the objectives allow. After
//! each round it is raised if the round without exploration used more than 85% of its error budget and lowered if it
//! used less, in steps that shrink.
//!
//! The four tables with the best results in their own rounds, and the last one, are then *validated* on eight further
//! runs each, the same for all. The cheapest one that uses at most 95% of the error budget in the mean is chosen; if
//! there is none, the one that uses least of the budget; with a given penalty, the one with the best reward. Choosing
//! among tables biases the result slightly in favour of the chosen one, so only runs with other seeds show its value:
//! training uses the replications from [`TRAINING_REPLICATIONS`] on, everything else those from 0, and no random number
//! is used twice.

use std::fmt;
use std::sync::{Arc, Mutex};

use rayon::prelude::*;

use crate::engine::{Interval, RunError, RunRecord};
use crate::experiment::pool::in_pool;
use crate::policy::q_learning::{Choose, Experience, Explorer, Learned, Origin, Rule, Settings, Table, Visit};
use crate::random::{Purpose, Streams};
use crate::scenario::Scenario;
use crate::units::{SimDuration, SimTime, Usd};
use crate::workload::sha256_hex;

/// Number of the replication of the first training episode; all other commands count from 0.
pub const TRAINING_REPLICATIONS: u64 = 1 << 32;
/// Exploring episodes per round.
const EXPLORING: u64 = 3;
/// Episodes per round.
const ROUND: u64 = EXPLORING + 1;
/// Probability of a random action in the first and in the last round.
const EXPLORATION: (f64, f64) = (0.4, 0.02);
/// Share of the error budget that the penalty aims at; the rest allows for the demands and start-up times of other
/// seeds.
const AIM: f64 = 0.85;
/// Share of the error budget up to which a table counts as meeting the objectives.
pub(super) const ALLOWED: f64 = 0.95;
/// Share of the (logarithmic) error of the penalty that a round corrects, in the first and in the last round.
const CORRECTION: (f64, f64) = (0.5, 0.1);
/// Number of consecutive rounds with almost no change that ends the training.
const QUIET_ROUNDS: u32 = 10;
/// The largest such change: of the share of visited states with a new best action, and of the penalty (relative).
const QUIET: f64 = 0.01;
/// Number of tables validated besides the last one.
const CANDIDATES: usize = 4;
/// Validation runs per table.
pub(super) const VALIDATION: u64 = 8;
/// Maximum number of intervals of a run.
const MAX_INTERVALS: u64 = 1_000_000;

/// How to train.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Training {
    /// Maximum number of episodes, without validation. Whole rounds of four run (in a search, generations of sixteen),
    /// at least two.
    pub episodes: u64,
    /// Time over which later outcomes of an action are discounted by a factor of e.
    pub horizon: SimDuration,
    /// Dollars per bad request; if `None`, the one that meets the objectives is searched for.
    pub penalty: Option<f64>,
    /// Maximum number of parallel runs; 0 for all cores. Does not affect the result.
    pub threads: usize,
}

impl Default for Training {
    fn default() -> Self {
        Training { episodes: 400, horizon: SimDuration::from_secs(2400), penalty: None, threads: 0 }
    }
}

/// One episode of the learning curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Episode {
    /// Number, from 0.
    pub number: u64,
    /// Probability of a random action; 0 for episodes without exploration.
    pub exploration: f64,
    /// Penalty during the episode, dollars per bad request.
    pub penalty: f64,
    /// Cost of the run in dollars.
    pub cost: f64,
    /// Number of bad requests, including those of the warm-up.
    pub bad: u64,
    /// Largest share of an error budget used, over services and objectives; 0 without objectives.
    pub budget_used: f64,
    /// Share of good requests of each service and objective.
    pub attained: Vec<f64>,
    /// Reward in dollars, which training maximizes: minus the cost, minus the penalty times the bad requests.
    pub reward: f64,
    /// Number of states visited by all earlier episodes.
    pub states: usize,
    /// Share of the round's decisions in states whose best action the round changed.
    pub changed: f64,
}

/// A trained policy and its training.
#[derive(Debug, Clone)]
pub struct Trained {
    /// The policy.
    pub learned: Learned,
    /// Every episode, in order.
    pub curve: Vec<Episode>,
    /// Index of the first episode without exploration that used the chosen table.
    pub chosen: usize,
    /// Validation of the chosen table, on the runs by which it was chosen.
    pub worth: Worth,
    /// Whether training ended because almost nothing changed any more.
    pub settled: bool,
}

impl Trained {
    /// Whether the chosen table met the objectives with at least 5% of the error budget unused.
    pub fn is_met(&self) -> bool {
        self.worth.budget_used <= ALLOWED
    }
}

/// Results of a table or of searched numbers: means over runs without exploration.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Worth {
    /// Cost of a run in dollars.
    pub cost: f64,
    /// Largest share of an error budget used, over services and objectives.
    pub budget_used: f64,
    /// Mean reward with the table's own penalty, dollars.
    pub reward: f64,
}

impl Worth {
    fn of(episodes: &[Episode]) -> Worth {
        let mean = |value: fn(&Episode) -> f64| episodes.iter().map(value).sum::<f64>() / episodes.len().max(1) as f64;
        Worth {
            cost: mean(|episode| episode.cost),
            budget_used: mean(|episode| episode.budget_used),
            reward: mean(|episode| episode.reward),
        }
    }

    /// Sort key of tables; smaller is better.
    pub(super) fn score(&self, penalty_is_given: bool) -> (bool, f64) {
        match penalty_is_given {
            true => (false, -self.reward),
            false if self.budget_used <= ALLOWED => (false, self.cost),
            false => (true, self.budget_used),
        }
    }
}

/// Why a scenario cannot be used for training.
#[derive(Debug)]
pub enum Refusal {
    /// The reason, in words.
    Unfit(String),
    /// A run failed.
    Run(RunError),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Unfit(what) => f.write_str(what),
            Refusal::Run(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Refusal {}

impl From<RunError> for Refusal {
    fn from(error: RunError) -> Self {
        Refusal::Run(error)
    }
}

/// The settings of a policy that learns a table; `None` for other policies.
pub fn learning_settings(scenario: &Scenario, policy: usize) -> Option<Settings> {
    super::settings::settings_for_all(scenario, policy)
}

/// The scenario with a policy's table replaced by a trained one. The table must have been trained with the states and
/// actions that the scenario states.
///
/// # Errors
/// If the policy does not learn a table, or has other states or actions.
pub fn with_learned(scenario: &Scenario, policy: usize, learned: &Learned) -> Result<Scenario, Refusal> {
    let settings = settings_of(scenario, policy)?;
    if let Some(name) = settings.design.difference(&learned.design) {
        let label = &scenario.policies[policy].label;
        return Err(Refusal::Unfit(format!(
            "`{label}` of {} has a different `{name}` than the trained policy",
            scenario.name
        )));
    }
    let mut scenario = scenario.clone();
    let factory = settings.with(Arc::new(learned.clone()));
    scenario.policies[policy].factories.fill(factory);
    Ok(scenario)
}

fn settings_of(scenario: &Scenario, policy: usize) -> Result<Settings, Refusal> {
    learning_settings(scenario, policy).ok_or_else(|| {
        let label = scenario.policies.get(policy).map_or("", |plan| plan.label.as_str());
        Refusal::Unfit(format!("policy `{label}` of {} is not a learning policy", scenario.name))
    })
}

/// A checksum over everything that determines the runs of a scenario: its texts and its traces.
///
/// # Errors
/// If a trace cannot be read.
pub fn fingerprint(scenario: &Scenario) -> Result<String, RunError> {
    let mut all: Vec<String> = scenario.sources.iter().map(|source| sha256_hex(source.text().as_bytes())).collect();
    for service in &scenario.services {
        let files = service.workload.inputs().map_err(|error| RunError::Trace { at: SimTime::ZERO, error })?;
        all.extend(files.into_iter().map(|file| file.sha256));
    }
    Ok(format!("sha256:{}", sha256_hex(all.join("\n").as_bytes())))
}

/// Trains policy number `policy` of the scenario. A pure function of its arguments, for any number of threads. `told`
/// is called with each round's episodes.
///
/// # Errors
/// If the scenario cannot be used for training (no price, no objective and no penalty), and those of a run.
pub fn train(
    scenario: &Scenario,
    policy: usize,
    training: &Training,
    told: &dyn Fn(&[Episode]),
) -> Result<Trained, Refusal> {
    let mut trainer = Trainer::new(scenario, policy, training)?;
    let rounds = (training.episodes / ROUND).max(2);
    let mut settled = false;
    for round in 0..rounds {
        trainer.round(round, round as f64 / (rounds - 1) as f64)?;
        told(trainer.curve.last_chunk::<{ ROUND as usize }>().map_or(&[], |round| round.as_slice()));
        settled = trainer.quiet >= QUIET_ROUNDS;
        if settled {
            break;
        }
    }
    // The table of the last round has not been run yet.
    let last = trainer.run(0.0, 1)?;
    trainer.judge(&last);
    told(trainer.curve.last_chunk::<1>().map_or(&[], |last| last.as_slice()));
    trainer.finish(settled)
}

/// A table whose results are known.
struct Candidate {
    table: Table,
    penalty: f64,
    /// Index of its first episode without exploration.
    episode: usize,
    worth: Worth,
}

struct Trainer<'a> {
    scenario: Scenario,
    policy: usize,
    settings: Settings,
    training: &'a Training,
    fingerprint: String,
    rule: Rule,
    table: Table,
    curve: Vec<Episode>,
    /// The best tables so far, best first.
    best: Vec<Candidate>,
    /// Number of consecutive rounds with almost no change.
    quiet: u32,
}

/// The results of one episode.
struct Ran {
    exploration: f64,
    record: RunRecord,
    /// One list per service.
    experience: Vec<Vec<Experience>>,
}

impl<'a> Trainer<'a> {
    fn new(scenario: &Scenario, policy: usize, training: &'a Training) -> Result<Self, Refusal> {
        let settings = settings_of(scenario, policy)?;
        if let Some(service) = scenario.services.iter().find(|service| service.lease.is_none()) {
            let name = &service.spec.name;
            return Err(Refusal::Unfit(format!("the cost of a replica of {name} is not known; add a `price:`")));
        }
        if scenario.objectives.is_empty() && training.penalty.is_none() {
            let what = "without objectives the cost of a bad request is unknown; state `objectives:` or a penalty";
            return Err(Refusal::Unfit(what.into()));
        }
        let design = &settings.design;
        let decisions = scenario.duration.as_nanos() / design.sync_period.as_nanos().max(1);
        if decisions < 4 {
            let (run, period) = (scenario.duration, design.sync_period);
            return Err(Refusal::Unfit(format!(
                "a run of {run} has too few decisions, one every {period}, to learn from"
            )));
        }
        let discount = (-design.sync_period.as_secs_f64() / training.horizon.as_secs_f64().max(1e-9)).exp();
        let table = Table::new(design.states().unwrap_or(0), design.actions.len());
        let mut scenario = scenario.clone();
        if decisions <= MAX_INTERVALS {
            // The outcome between two decisions is then one row of the timeline.
            scenario.interval = design.sync_period;
        }
        Ok(Trainer {
            fingerprint: fingerprint(&scenario)?,
            scenario,
            policy,
            rule: Rule { discount, penalty: training.penalty.unwrap_or(0.0) },
            settings,
            training,
            table,
            curve: Vec::new(),
            best: Vec::new(),
            quiet: 0,
        })
    }

    /// The table as a policy.
    fn learned(&self) -> Learned {
        Learned {
            origin: Origin {
                scenario: self.scenario.name.clone(),
                fingerprint: self.fingerprint.clone(),
                policy: self.scenario.policies[self.policy].label.clone(),
                seed: self.scenario.seed,
                episodes: self.curve.len() as u64,
                taken_after: self.curve.len() as u64,
            },
            design: self.settings.design.as_ref().clone(),
            penalty: self.rule.penalty,
            horizon: self.training.horizon,
            table: self.table.clone(),
        }
    }

    /// Runs a number of episodes with the current table, the last one without exploration.
    fn run(&self, exploration: f64, episodes: u64) -> Result<Vec<Ran>, RunError> {
        let learned = Arc::new(self.learned());
        let first = self.curve.len() as u64;
        let one = |episode: u64| {
            let exploration = if episode + 1 == episodes { 0.0 } else { exploration };
            self.episode(first + episode, exploration, &learned)
        };
        let numbers: Vec<u64> = (0..episodes).collect();
        let ran: Vec<Result<Ran, RunError>> =
            in_pool(self.training.threads, || numbers.par_iter().map(|episode| one(*episode)).collect());
        ran.into_iter().collect()
    }

    fn episode(&self, number: u64, exploration: f64, learned: &Arc<Learned>) -> Result<Ran, RunError> {
        let replication = TRAINING_REPLICATIONS + number;
        let streams = Streams::new(self.scenario.seed, replication);
        let mut scenario = self.scenario.clone();
        let mut trails = Vec::new();
        for (service, factory) in scenario.policies[self.policy].factories.iter_mut().enumerate() {
            let choose: Choose = Arc::new(move |decision, actions| {
                let mut draw = streams.keyed(Purpose::Exploration, service as u64, decision);
                (draw.uniform() < exploration).then(|| draw.index(actions))
            });
            let trail = Arc::new(Mutex::new(Vec::new()));
            trails.push(Arc::clone(&trail));
            *factory = self.settings.exploring(Arc::clone(learned), Explorer { choose, trail });
        }
        let record = scenario.simulation(self.policy, replication)?.run(&mut |_| {})?;
        let met = |(trail, number): (&Arc<Mutex<Vec<Visit>>>, usize)| match trail.lock() {
            Ok(trail) => experience(&trail, &record.services[number].timeline),
            Err(_) => Vec::new(),
        };
        let experience = trails.iter().zip(0..).map(met).collect();
        Ok(Ran { exploration, record, experience })
    }

    /// Runs one round; `progress` goes from 0 to 1.
    fn round(&mut self, round: u64, progress: f64) -> Result<(), Refusal> {
        let exploration = between(EXPLORATION, progress);
        let ran = self.run(exploration, ROUND)?;
        if round == 0 && self.training.penalty.is_none() {
            self.rule.penalty = first_penalty(&ran[EXPLORING as usize].record);
        }
        self.judge(&ran);
        let before = self.table.clone();
        for experience in ran.iter().flat_map(|ran| &ran.experience) {
            self.table.replay(experience, &self.rule);
        }
        let changed = self.changed(&before, &ran);
        let first = self.curve.len() - ran.len();
        self.curve[first..].iter_mut().for_each(|episode| episode.changed = changed);
        let correction = self.correct_penalty(round, progress);
        let quiet = changed <= QUIET && correction.abs() <= QUIET;
        self.quiet = if quiet { self.quiet + 1 } else { 0 };
        Ok(())
    }

    /// Share of the decisions of a round in states whose best action has changed.
    fn changed(&self, before: &Table, ran: &[Ran]) -> f64 {
        let penalty = self.rule.penalty;
        let met: Vec<u32> = ran.iter().flat_map(|ran| ran.experience.iter().flatten()).map(|step| step.state).collect();
        let other = met.iter().filter(|state| before.best(**state, penalty) != self.table.best(**state, penalty));
        other.count() as f64 / met.len().max(1) as f64
    }

    /// Moves the penalty towards the one that meets the objectives; returns the change of its logarithm.
    fn correct_penalty(&mut self, round: u64, progress: f64) -> f64 {
        let Some(shown) = self.curve.last().filter(|_| self.training.penalty.is_none() && round > 0) else {
            return 0.0;
        };
        let error = (shown.budget_used / AIM).clamp(0.1, 10.0).ln();
        let correction = between(CORRECTION, progress) * error;
        self.rule.penalty = (self.rule.penalty * correction.exp()).clamp(1e-12, 1e6);
        correction
    }

    /// Appends episodes to the curve. Keeps the table if the last of them, without exploration, is among the best so
    /// far.
    fn judge(&mut self, ran: &[Ran]) {
        let states = self.table.met();
        for ran in ran {
            let episode = describe(self.curve.len() as u64, ran, self.rule.penalty, states);
            self.curve.push(episode);
        }
        if states == 0 {
            return;
        }
        self.best.extend(self.candidate());
        let given = self.training.penalty.is_some();
        // The sort is stable, so the earlier one wins ties.
        self.best.sort_by(|a, b| compare(a.worth.score(given), b.worth.score(given)));
        self.best.truncate(CANDIDATES);
    }

    /// The current table with the results of the last episode.
    fn candidate(&self) -> Option<Candidate> {
        let last = self.curve.last()?;
        let worth = Worth::of(std::slice::from_ref(last));
        Some(Candidate { table: self.table.clone(), penalty: self.rule.penalty, episode: self.curve.len() - 1, worth })
    }

    /// Replaces the candidates' single-episode results by means over the validation runs.
    fn validate(&mut self) -> Result<(), RunError> {
        let (mut best, first) = (std::mem::take(&mut self.best), self.curve.len() as u64);
        let last = self.candidate().filter(|last| best.iter().all(|known| known.episode != last.episode));
        best.extend(last);
        for candidate in &mut best {
            let learned = Learned { penalty: candidate.penalty, table: candidate.table.clone(), ..self.learned() };
            let learned = Arc::new(learned);
            let ran: Vec<Result<Ran, RunError>> = in_pool(self.training.threads, || {
                (0..VALIDATION).into_par_iter().map(|n| self.episode(first + n, 0.0, &learned)).collect()
            });
            let ran: Vec<Ran> = ran.into_iter().collect::<Result<_, _>>()?;
            let episodes: Vec<Episode> = ran.iter().map(|ran| describe(first, ran, candidate.penalty, 0)).collect();
            candidate.worth = Worth::of(&episodes);
        }
        self.best = best;
        Ok(())
    }

    fn finish(mut self, settled: bool) -> Result<Trained, Refusal> {
        self.validate()?;
        let (best, given) = (std::mem::take(&mut self.best), self.training.penalty.is_some());
        let best = best.into_iter().min_by(|a, b| compare(a.worth.score(given), b.worth.score(given)));
        let Some(Candidate { table, penalty, episode, worth }) = best.filter(|best| best.table.met() > 0) else {
            return Err(Refusal::Unfit("nothing was learned: the policy never received a measurement".into()));
        };
        (self.table, self.rule.penalty) = (table.rounded(), penalty);
        let mut learned = self.learned();
        learned.origin.taken_after = self.curve[episode].number;
        Ok(Trained { learned, curve: self.curve, chosen: episode, worth, settled })
    }
}

pub(super) fn compare(a: (bool, f64), b: (bool, f64)) -> std::cmp::Ordering {
    a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
}

/// From the first value to the second, in equal ratios.
fn between((from, to): (f64, f64), progress: f64) -> f64 {
    from * (to / from).powf(progress)
}

/// The cost of a run divided by the number of bad requests that the objectives allow in it.
fn first_penalty(record: &RunRecord) -> f64 {
    let objectives = record.services.iter().flat_map(|service| &service.objectives);
    let allowed = objectives.map(|objective| objective.target.complement().get() * objective.total as f64);
    record.expense().value() / allowed.fold(f64::INFINITY, f64::min).max(1.0)
}

fn describe(number: u64, ran: &Ran, penalty: f64, states: usize) -> Episode {
    let intervals = || ran.record.services.iter().flat_map(|service| &service.timeline);
    let objectives = || ran.record.services.iter().flat_map(|service| &service.objectives);
    let dollars: Usd = intervals().filter_map(|interval| interval.cost).sum();
    let bad: u64 = intervals().map(Interval::bad).sum();
    Episode {
        number,
        exploration: ran.exploration,
        penalty,
        cost: ran.record.expense().value(),
        bad,
        budget_used: objectives().map(|objective| objective.budget_used()).fold(0.0, f64::max),
        attained: objectives().map(|objective| objective.attainment()).collect(),
        reward: -dollars.as_f64() - penalty * bad as f64,
        states,
        changed: 0.0,
    }
}

/// The outcome of each decision until the next one: a row of the timeline counts by the part of it that lies between
/// them. The last decision is left out, because its outcome is not known.
fn experience(trail: &[Visit], timeline: &[Interval]) -> Vec<Experience> {
    let mut first = 0;
    let one = |pair: &[Visit]| {
        let (from, to) = (pair[0].at, pair[1].at);
        while timeline.get(first).is_some_and(|row| row.start.saturating_add(row.length) <= from) {
            first += 1;
        }
        let (mut dollars, mut failed) = (0.0, 0.0);
        for row in timeline[first.min(timeline.len())..].iter().take_while(|row| row.start < to) {
            let end = row.start.saturating_add(row.length).min(to);
            let part = end.since(row.start.max(from)).as_secs_f64() / row.length.as_secs_f64().max(1e-9);
            dollars += part * row.cost.map_or(0.0, Usd::as_f64);
            failed += part * row.bad() as f64;
        }
        Experience { state: pair[0].state, action: pair[0].action, dollars, bad: failed, next: Some(pair[1].state) }
    };
    trail.windows(2).map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_between_two_decisions_belong_to_the_first() {
        let row = |minute: u64, cents: i128, completed: u64, good: u64, lost: u64| Interval {
            start: SimTime::from_secs(60 * minute),
            length: SimDuration::from_secs(60),
            completed,
            good,
            lost,
            cost: Some(Usd::from_nanos(cents * 10_000_000)),
            ..Interval::default()
        };
        let timeline = [row(0, 10, 9, 9, 0), row(1, 20, 10, 8, 1), row(2, 40, 5, 5, 2)];
        let visit = |seconds, state| Visit { at: SimTime::from_secs(seconds), state, action: 1 };
        let found = experience(&[visit(30, 7), visit(90, 8), visit(180, 9)], &timeline);
        let shown: Vec<(u32, Option<u32>, f64)> = found.iter().map(|step| (step.state, step.next, step.bad)).collect();
        assert_eq!(shown, [(7, Some(8), 1.5), (8, Some(9), 3.5)]);
        assert!((found[0].dollars - 0.15).abs() < 1e-12 && (found[1].dollars - 0.5).abs() < 1e-12, "{found:?}");
        assert!(experience(&[visit(30, 7)], &timeline).is_empty());
        assert_eq!(between(EXPLORATION, 0.0), EXPLORATION.0);
        assert!((between(EXPLORATION, 1.0) - EXPLORATION.1).abs() < 1e-12);
    }
}
