//! Stabilization windows: a log of recommendations keeps a short dip or peak from changing the size.

use crate::units::{SimDuration, SimTime};

/// A recommended size, before stabilization and limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recommendation {
    /// The size.
    pub replicas: u32,
    /// When.
    pub at: SimTime,
}

/// Adds `desired` to the log, replacing the last entry for which `reusable` holds, if any.
fn remember(log: &mut Vec<Recommendation>, desired: u32, now: SimTime, reusable: impl Fn(&Recommendation) -> bool) {
    let entry = Recommendation { replicas: desired, at: now };
    match log.iter().rposition(reusable) {
        Some(slot) => log[slot] = entry,
        None => log.push(entry),
    }
}

/// Without `behavior`: the largest recommendation in the window, both ends included. The log keeps the raw `desired`.
pub fn stabilize(log: &mut Vec<Recommendation>, desired: u32, window: SimDuration, now: SimTime) -> u32 {
    let outside = |entry: &Recommendation| now.since(entry.at) > window;
    let highest = log.iter().filter(|entry| !outside(entry)).map(|entry| entry.replicas).max().unwrap_or(0);
    remember(log, desired, now, outside);
    highest.max(desired)
}

/// With `behavior`: the current size, raised at most to the smallest recommendation in the window `up`, or lowered at
/// most to the largest in the window `down`. An entry exactly as old as the window is outside it. The log keeps the raw
/// `desired`.
pub fn stabilize_with_behavior(
    log: &mut Vec<Recommendation>,
    current: u32,
    desired: u32,
    up: SimDuration,
    down: SimDuration,
    now: SimTime,
) -> u32 {
    let within = |window| log.iter().filter(move |e| now.since(e.at) < window).map(|e| e.replicas);
    let lowest = within(up).fold(desired, u32::min);
    let highest = within(down).fold(desired, u32::max);
    remember(log, desired, now, |entry| now.since(entry.at) > up && now.since(entry.at) > down);
    current.max(lowest).min(highest)
}
