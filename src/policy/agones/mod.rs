//! `agones`: fleet autoscalers of game servers.

mod policy;
pub mod schedule;
pub mod sizes;

pub use policy::{BufferPolicy, PLUGIN};
