//! One run: calendar, event loop, scraping, recording.

mod completions;
mod jobs;
mod lane;
mod record;
mod tally;

pub use completions::{Completion, CompletionQueue};

pub use record::{
    DecisionRecord, Elasticity, Interval, LeaseRecord, ObjectiveRecord, RequestCounts, RunRecord, ServiceRecord,
};
