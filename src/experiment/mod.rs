//! Many runs: compare, replicate, sweep, plan, test.

mod outcome;
mod run;
pub mod verify;
pub mod workloads;

pub use outcome::{InputFact, Outcome};
pub use run::{Progress, run};
