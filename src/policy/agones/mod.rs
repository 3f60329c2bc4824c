//! `agones`: fleet autoscalers of game servers.

pub mod cron;
pub mod schedule;
pub mod sizes;
