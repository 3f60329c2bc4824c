//! The service discipline inside a replica.

use crate::units::{SimDuration, SimTime};

/// What a request asks of a replica.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Work {
    /// Service time at the reference speed, alone in a replica.
    pub demand: SimDuration,
    /// Tokens of the prompt; zero unless the model counts tokens.
    pub input: u32,
    /// Tokens of the answer, like `input`.
    pub output: u32,
}

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

/// The requests that wait at a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// How many.
    pub count: u32,
    /// Since when the first of them waits.
    pub since: SimTime,
    /// Whether no more will come, because the replica is draining.
    pub last: bool,
}

/// Which of the waiting requests start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gathered {
    /// How many, first come first served. Each is started before anything else happens in the replica.
    pub start: u32,
    /// When to look again if nothing has changed before.
    pub wake: Option<Due>,
}

/// What an engine inside a replica says of itself at a scrape, besides what the replica's queue shows.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Gauges {
    /// Of the requests in service, those that the engine lets wait.
    pub waiting: u32,
    /// Share of its memory for keys and values in use, 0 to 1.
    pub cache: f64,
}

/// How the jobs in service share a replica. Queueing is not part of the model: it is given only jobs that may start.
pub trait ServiceModel: Send {
    /// Whether it looks at the tokens of a request. They are then read from the trace; otherwise [`Work`] has none.
    const COUNTS_TOKENS: bool = false;
    /// Whether it decides itself when requests start and how many together. Every request then joins the queue, and
    /// [`ServiceModel::gather`] is asked after each change; otherwise a request starts as soon as a slot is free.
    const GATHERS: bool = false;

    /// Adds a replica in `seat`. Its node runs at `speed` times the reference speed, and its CPU lets `full` requests
    /// (above zero, usually not an integer) run at that speed at once.
    fn open(&mut self, seat: u32, speed: f64, full: f64);

    /// Starts `job`.
    fn start(&mut self, seat: u32, job: u32, work: Work, now: SimTime) -> Option<Due>;

    /// Handles a scheduled event.
    fn due(&mut self, seat: u32, tag: u32, now: SimTime) -> Finished;

    /// Evicts a job before it completes.
    fn evict(&mut self, seat: u32, job: u32, now: SimTime) -> Evicted;

    /// Work done by `seat` so far, in slot- or core-nanoseconds on its own node, given the total busy time of its slots
    /// in nanoseconds. CPU use is proportional to it: a faster node finishes sooner and so uses fewer core-seconds.
    /// Reading it changes no state, not even by rounding.
    fn work_done(&self, seat: u32, busy_nanos: u128, now: SimTime) -> f64;

    /// The time that a request takes in `seat` without other requests.
    fn alone(&self, seat: u32, work: Work) -> SimDuration;

    /// What the engine in `seat` says of itself now.
    fn gauges(&self, _seat: u32) -> Gauges {
        Gauges::default()
    }

    /// Chooses the waiting requests that start now.
    fn gather(&mut self, _seat: u32, _waiting: Waiting, _now: SimTime) -> Gathered {
        Gathered::default()
    }

    /// Requests that may wait in `seat` besides those that the queue limit allows, because they will start together.
    fn room(&self, _seat: u32) -> u32 {
        0
    }
}
