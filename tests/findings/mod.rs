//! What trials from outside found wrong, one module a page of findings: each test states the value that is right, and failed before it was mended.

mod forecast_optimize;
mod house;
mod newcomer;
mod numbers;
pub mod public_cases;
mod reliability;
mod schema;
mod trial;
mod world;
