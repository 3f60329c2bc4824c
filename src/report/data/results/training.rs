//! The form of what `train` prints, and from what it is made.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::types::CompareResults;
use super::{RESULTS_VERSION, Results, of};
use crate::experiment::{Searched, Trained, Worth};
use crate::policy::policy_search::NUMBERS;
use crate::policy::stored::Origin;
use crate::report::studies::learning::LearningTrial;

/// `plimsoll train`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrainResults {
    /// Version of this layout.
    pub version: u32,
    /// The file that was written.
    pub file: String,
    /// Its kind: `q-learning` or `policy-search`.
    pub kind: String,
    /// The policy.
    pub policy: String,
    /// The scenario.
    pub scenario: String,
    /// Checksum over the scenario, what it reads and its traces.
    pub fingerprint: String,
    /// Seed.
    pub seed: u64,
    /// Runs of the scenario (episodes).
    pub runs: u64,
    /// Episodes or generations of the curve.
    pub rounds: usize,
    /// The run after which the policy was taken.
    pub taken_after: u64,
    /// Whether training ended because next to nothing changed any more.
    pub settled: bool,
    /// Whether the objectives were kept in training, with a twentieth of the error budget to spare.
    pub met_in_training: bool,
    /// Mean cost in the runs by which it was chosen; null without prices.
    pub training_cost_usd: Option<f64>,
    /// Mean replica-hours in these runs where nothing has a price.
    pub training_replica_hours: Option<f64>,
    /// Largest share of an error budget used in these runs.
    pub training_budget_used_share: f64,
    /// What a bad request counts as: dollars, or replica-hours without prices.
    pub penalty: f64,
    /// `q-learning`: states that were met.
    pub states: Option<usize>,
    /// `q-learning`: the time over which sums are discounted.
    pub horizon_s: Option<f64>,
    /// `policy-search`: its numbers.
    pub numbers: Vec<NumberResult>,
    /// The policy beside the others on replications that no training used.
    pub trials: Vec<TrialResult>,
}

/// A number of a policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NumberResult {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: f64,
    /// Its value with its unit.
    pub text: String,
    /// Whether it was searched; it was stated otherwise.
    pub searched: bool,
}

/// The policies of one scenario beside each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrialResult {
    /// The scenario.
    pub scenario: String,
    /// Whether the policy was trained on its trace, if with other seeds.
    pub trained_on: bool,
    /// The comparison.
    pub comparison: CompareResults,
}

fn trials(trials: &[LearningTrial<'_>]) -> Vec<TrialResult> {
    let of = |trial: &LearningTrial<'_>| TrialResult {
        scenario: trial.scenario.name.clone(),
        trained_on: trial.is_trained_on,
        comparison: of::compared(&trial.result, trial.learner, None),
    };
    trials.iter().map(of).collect()
}

fn common(origin: &Origin, file: &str, worth: &Worth, priced: bool) -> TrainResults {
    TrainResults {
        version: RESULTS_VERSION,
        file: file.into(),
        kind: String::new(),
        policy: origin.policy.clone(),
        scenario: origin.scenario.clone(),
        fingerprint: origin.fingerprint.clone(),
        seed: origin.seed,
        runs: origin.episodes,
        rounds: 0,
        taken_after: origin.taken_after,
        settled: false,
        met_in_training: false,
        training_cost_usd: priced.then_some(worth.cost),
        training_replica_hours: (!priced).then_some(worth.cost),
        training_budget_used_share: worth.budget_used,
        penalty: 0.0,
        states: None,
        horizon_s: None,
        numbers: Vec::new(),
        trials: Vec::new(),
    }
}

/// `plimsoll train` of a `q-learning` policy, written to `file`.
pub fn learning_results(trained: &Trained, shown: &[LearningTrial<'_>], file: &str) -> Results {
    let learned = &trained.learned;
    Results::Train(TrainResults {
        kind: crate::policy::q_learning::PLUGIN.name.into(),
        rounds: trained.curve.len(),
        settled: trained.settled,
        met_in_training: trained.is_met(),
        penalty: learned.penalty,
        states: Some(learned.table.met()),
        horizon_s: Some(learned.horizon.as_secs_f64()),
        trials: trials(shown),
        ..common(&learned.origin, file, &trained.worth, true)
    })
}

/// `plimsoll train` of a `policy-search` policy, written to `file`.
pub fn search_results(searched: &Searched, shown: &[LearningTrial<'_>], file: &str) -> Results {
    let found = &searched.found;
    let number = |place: usize| NumberResult {
        name: NUMBERS[place].name.into(),
        value: found.numbers[place],
        text: NUMBERS[place].text(found.numbers[place]),
        searched: searched.free[place],
    };
    Results::Train(TrainResults {
        kind: crate::policy::policy_search::PLUGIN.name.into(),
        rounds: searched.curve.len(),
        settled: searched.settled,
        met_in_training: searched.is_met(),
        penalty: found.penalty,
        numbers: (0..NUMBERS.len()).map(number).collect(),
        trials: trials(shown),
        ..common(&found.origin, file, &searched.worth, searched.priced)
    })
}
