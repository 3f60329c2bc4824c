//! Many runs: compare, replicate, sweep, plan, test.

mod outcome;
pub mod recorded;
mod run;
pub mod verify;
pub mod workloads;

pub use outcome::{InputFact, Outcome};
pub use run::{Progress, run};
