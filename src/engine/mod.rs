//! One run: calendar, event loop, scraping, recording.
//!
//! [`Simulation`] merges two kinds of event streams. Requests run in lanes, one per service, which are independent of
//! each other between two control events unless they call each other. Control events (replica phases, scrapes, decisions, ends of recording
//! intervals) are rare and kept in a small calendar. Lanes of services that call each other take turns, each running no
//! further than the next event of the others. The result is a [`RunRecord`] of plain values.

mod calendar;
mod calls;
mod causes;
mod completions;
mod demand;
mod error;
mod fate;
mod fault;
mod finish;
mod fleet;
mod jobs;
mod lane;
mod meter;
mod objective;
mod pools;
mod powers;
mod record;
mod simulation;
mod spec;
mod tally;
mod unanswered;

pub use calendar::Rank;
pub use calls::{Call, MOST_CALLS, Stages, requests_per_request};
pub use causes::{Cause, Causes};
pub use completions::{Completion, CompletionQueue};
pub(crate) use demand::{complete, demand_draw, each_request};
pub use error::{Answer, MAX_REPLICAS, RunError};
pub use fate::{Fate, RequestCounts};
pub use fault::{LostNodes, MetricsOutage, ZoneOutage};
pub use meter::MetricsSpec;
pub use objective::Objective;
pub use record::{
    DecisionRecord, Elasticity, Expense, Interval, LeaseRecord, ObjectiveRecord, PoolDecision, PoolInterval,
    PoolRecord, RunRecord, ServiceRecord, UsageRecord,
};
pub use simulation::Simulation;
pub(crate) use spec::REFERENCE_UTILIZATION;
pub use spec::{NodeLease, ReplicaLease, RunSpec, ServiceRun};
