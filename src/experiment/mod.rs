//! Many runs: compare, replicate, sweep, plan, test.
//!
//! The core is flat: a run of every policy (`run`), replications of it (`replicate`), the figures kept of each (`figure`,
//! `metric`), what is compared (`compare`, `expectation`, `baseline`) and the result (`outcome`). The rooms build on it:
//! `planning` searches for what to buy, `learning` trains policies, `sweep` lays out points, `explain` says where the
//! values of a scenario come from. `story` needs no run at all: it shows a policy a course of observations.

mod assumptions;
mod baseline;
mod bound;
mod compare;
mod during;
mod expectation;
mod explain;
mod figure;
mod learning;
mod memory;
mod merge;
mod metric;
mod misses;
mod outcome;
mod planning;
mod pool;
mod replicate;
mod run;
mod same_level;
mod shared;
mod story;
mod study;
mod sweep;
mod transient;
mod watch;

pub use assumptions::{assumed_cpu, of as assumptions, unlimited_cpu, without_ceiling};
pub use baseline::{Baseline, Change};
pub use bound::{CostBound, cost_bound};
pub use compare::{Difference, Finding, differences, differences_from_chosen, family_differences};
pub use during::{CALM, During, Window};
pub use expectation::{Check, Expectation, expectation, expectations, judge};
pub use explain::{Explained, explain};
pub use figure::{Figure, figures, figures_of_variations};
pub use learning::search::{Generation, Searched, search, search_settings, with_found};
pub use learning::train::{
    Episode, Refusal, TRAINING_REPLICATIONS, Trained, Training, Worth, fingerprint, learning_settings, train,
    with_learned,
};
pub use memory::{Need, memory_needed};
pub use merge::merge;
pub use metric::{Better, Definition, Metric, Unit};
pub use misses::{Charge, Direction, ForecastPrice, JudgedStep, Miss};
pub use outcome::{CalendarStart, Fault, InputFact, Outcome, Traffic, TrafficSource};
pub use planning::capacity::{Edge, Limit, capacity};
pub use planning::confirm::{FRESH_TO_COMPARE, MIN_SHARE_KEPT, confirm};
pub use planning::level::{at_headroom, at_same_level, tune, tune_policy};
pub use planning::plan::{Candidate, Planned, plan_search};
pub use planning::provision::{Provision, ProvisionError, ServiceNeeds, Terms, provision};
pub use planning::reach::{OutOfReach, out_of_reach, out_of_reach_by_distribution};
pub use planning::scale::{MAX_SCALE, scaled};
pub use planning::vary::{Variation, busiest_moment, varied};
pub use planning::volume::{requests_per_run, runs_of_capacity, runs_of_plan, runs_of_tuning};
pub use replicate::{Arm, Replicated, ReplicationPlan, Samples, Told, arms, replicate, replicate_figures};
pub use run::{RunProgress, run, run_replication};
pub use same_level::{Confirmation, LevelObjective, SameLevel, Trial, Tuned};
pub use story::{StepCheck, Story, Stretch, Telling};
pub use study::{CompareSpec, Compared, WhatifSpec, compare, run_watched, whatif};
pub use sweep::{Axis, Cells, Design, Influence, PointResult, Points, SweepTable, sweep};
pub use transient::{Transient, settle, transients};
pub use watch::{Progress, Watch, Watcher};
