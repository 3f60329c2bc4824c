//! What happens to a request inside a replica once it is in service.

use crate::units::{SimDuration, SimTime};

/// Something that will happen inside a replica: at `time`, call [`ServiceModel::due`] with `tag`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// When.
    pub time: SimTime,
    /// What the model wants to know then.
    pub tag: u32,
}

/// What came of a due event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished {
    /// The job that is done; `None` if the event was overtaken by a change of plan.
    pub job: Option<u32>,
    /// The next event of this replica, where this one is followed by another.
    pub next: Option<Due>,
}

/// What came of taking a job out before it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evicted {
    /// Whether the job will still be reported by a due event, so that its number must not be used again before.
    pub lingers: bool,
    /// The next event of this replica, if the eviction changed it.
    pub next: Option<Due>,
}

/// How the jobs in service share a replica. Waiting for a free slot is not the model's business: it is offered only jobs
/// that may start.
pub trait ServiceModel: Send {
    /// A new replica takes `seat`; its node works at `speed` times the reference speed, and its CPU lets `full` requests, above zero
    /// and not whole as a rule, run at that speed at once.
    fn open(&mut self, seat: u32, speed: f64, full: f64);

    /// Starts `job`, which needs `demand` of service at the reference speed.
    fn start(&mut self, seat: u32, job: u32, demand: SimDuration, now: SimTime) -> Option<Due>;

    /// An event announced earlier has come due.
    fn due(&mut self, seat: u32, tag: u32, now: SimTime) -> Finished;

    /// Takes a job out before it is done.
    fn evict(&mut self, seat: u32, job: u32, now: SimTime) -> Evicted;

    /// Time that `seat` has worked so far, in slot- or core-nanoseconds on its own node, given the time its slots were busy in
    /// nanoseconds. CPU use is proportional to this: a faster node is done sooner and so uses less of its cores. Looking
    /// changes nothing, not even a rounding.
    fn work_done(&self, seat: u32, busy_nanos: u128, now: SimTime) -> f64;

    /// The time that a request of `demand` takes in `seat` without neighbours.
    fn alone(&self, seat: u32, demand: SimDuration) -> SimDuration;
}
