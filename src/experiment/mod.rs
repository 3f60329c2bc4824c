//! Many runs: compare, replicate, sweep, plan, test.

mod outcome;
pub mod workloads;

pub use outcome::{InputFact, Outcome};
