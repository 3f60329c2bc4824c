//! Fits a generator to a trace and reports how close it is.

mod cascade;
mod closeness;
mod clusters;
mod cpu;
mod search;
mod season;
mod service_time;
mod text;

pub use closeness::Closeness;
pub(crate) use cpu::cpu_time;
pub use cpu::{CpuFit, cpu_per_request};
pub use search::{Fit, fit};
pub use service_time::{ServiceTime, service_time};
