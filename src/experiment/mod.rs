//! Many runs: compare, replicate, sweep, plan, test.

mod outcome;

pub use outcome::{InputFact, Outcome};
