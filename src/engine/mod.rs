//! One run: calendar, event loop, scraping, recording.

mod record;

pub use record::{
    DecisionRecord, Elasticity, Interval, LeaseRecord, ObjectiveRecord, RequestCounts, RunRecord, ServiceRecord,
};
