//! `agones`: fleet autoscalers of game servers.

pub mod cron;
mod policy;
pub mod schedule;
pub mod sizes;

pub use policy::{BufferPolicy, PLUGIN};
