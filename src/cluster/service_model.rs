//! The service discipline inside a replica.

use crate::units::{SimDuration, SimTime};

/// A future event inside a replica: at `time`, call [`ServiceModel::due`] with `tag`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// When.
    pub time: SimTime,
    /// Opaque to the caller.
    pub tag: u32,
}

/// The result of a due event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished {
    /// The job that completed; `None` if the event is stale.
    pub job: Option<u32>,
    /// The next event of this replica, if there is one.
    pub next: Option<Due>,
}

/// The result of evicting a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evicted {
    /// Whether a due event will still report the job, so that its number must not be reused before.
    pub lingers: bool,
    /// The next event of this replica, if the eviction changed it.
    pub next: Option<Due>,
}

/// How the jobs in service share a replica. Queueing is not part of the model: it is given only jobs that may start.
pub trait ServiceModel: Send {
    /// Adds a replica in `seat`. Its node runs at `speed` times the reference speed, and its CPU lets `full` requests
    /// (above zero, usually not an integer) run at that speed at once.
    fn open(&mut self, seat: u32, speed: f64, full: f64);

    /// Starts `job`, which needs `demand` of service at the reference speed.
    fn start(&mut self, seat: u32, job: u32, demand: SimDuration, now: SimTime) -> Option<Due>;

    /// Handles a scheduled event.
    fn due(&mut self, seat: u32, tag: u32, now: SimTime) -> Finished;

    /// Evicts a job before it completes.
    fn evict(&mut self, seat: u32, job: u32, now: SimTime) -> Evicted;

    /// Work done by `seat` so far, in slot- or core-nanoseconds on its own node, given the total busy time of its slots
    /// in nanoseconds. CPU use is proportional to it: a faster node finishes sooner and so uses fewer core-seconds.
    /// Reading it changes no state, not even by rounding.
    fn work_done(&self, seat: u32, busy_nanos: u128, now: SimTime) -> f64;

    /// The time that a request of `demand` takes in `seat` without other requests.
    fn alone(&self, seat: u32, demand: SimDuration) -> SimDuration;
}
