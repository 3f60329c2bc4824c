//! Many runs: compare, replicate, sweep, plan, test.

mod assumptions;
mod baseline;
mod bound;
mod capacity;
mod compare;
mod confirm;
mod during;
mod expectation;
mod explain;
mod figure;
mod level;
mod memory;
mod merge;
mod metric;
mod misses;
mod outcome;
mod plan;
mod pool;
mod provision;
mod reach;
mod reachable;
mod replicate;
mod run;
mod scale;
mod story;
mod sweep;
mod train;
mod transient;
mod vary;
mod volume;

pub use assumptions::{assumed_cpu, of as assumptions, unlimited_cpu, without_ceiling};
pub use baseline::{Baseline, Change};
pub use bound::{CostBound, cost_bound};
pub use capacity::{Edge, Limit, capacity};
pub use compare::{Difference, Finding, differences, differences_from_chosen, family_differences};
pub use confirm::{Confirmation, FRESH_TO_COMPARE, MIN_SHARE_KEPT, confirm};
pub use during::{CALM, During, Window};
pub use expectation::{Check, Expectation, expectation, expectations, judge};
pub use explain::{Explained, explain};
pub use figure::{Figure, figures, figures_of_variations};
pub use level::{LevelObjective, SameLevel, Trial, Tuned, at_headroom, at_same_level, tune, tune_policy};
pub use memory::{Need, memory_needed};
pub use merge::merge;
pub use metric::{Better, Definition, Metric, Unit};
pub use misses::{Charge, Direction, ForecastPrice, JudgedStep, Miss};
pub use outcome::{CalendarStart, Fault, InputFact, Outcome, Traffic, TrafficSource};
pub use plan::{Candidate, Planned, plan_search};
pub use provision::{Provision, ProvisionError, ServiceNeeds, Terms, provision};
pub use reach::{OutOfReach, out_of_reach, out_of_reach_by_distribution};
pub use replicate::{Arm, Replicated, ReplicationPlan, Samples, Told, replicate, replicate_figures};
pub use run::{Progress, run, run_replication};
pub use scale::{MAX_SCALE, scaled};
pub use story::{StepCheck, Story, Stretch, Telling};
pub use sweep::{Axis, Cells, Design, Influence, PointResult, Points, SweepTable, sweep};
pub use train::{
    Episode, Generation, Refusal, Searched, TRAINING_REPLICATIONS, Trained, Training, Worth, fingerprint,
    learning_settings, search, search_settings, train, with_found, with_learned,
};
pub use transient::{Transient, settle, transients};
pub use vary::{Variation, busiest_moment, together};
pub use volume::{requests_per_run, runs_of_capacity, runs_of_plan, runs_of_tuning};
