//! Findings of external trials, one module per page of findings: each test states the correct value, and failed before
//! the fix.

mod forecast_optimize;
mod house;
mod newcomer;
mod numbers;
pub mod public_cases;
mod reliability;
mod schema;
pub mod trial;
pub mod world;
