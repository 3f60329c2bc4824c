//! Why requests were bad: each is attributed to one cause, so that the shares add up to the whole.
//!
//! The cause is what would have had to be otherwise, in this order:
//!
//! 1. *crash*: the replica that held the last attempt crashed or was killed, or its machine was gone;
//! 2. *retry*: the request was answered, and the last attempt alone would have been within the limit: earlier ones took the time;
//! 3. *service time*: alone in its replica, on its node and within its CPU ceiling, the request takes longer than the limit (for a
//!    client that gave up: its patience), however many replicas there are;
//! 4. *contention*: service took longer than the limit though alone it would not: neighbours took the CPU;
//! 5. *queueing*: the attempt waited, or found no room. Then it counts what the service was doing when the attempt came: a replica
//!    *waited for a node*, or replicas were ordered and *starting up*, or some were lost with their machines and not replaced yet
//!    (*crash*), or *too few replicas* were ordered.
//!
//! A request that was turned away or given up is told apart from one that was answered too late ([`Outcome`]). A request that
//! is still in the system at the end, older than the limit, is asked the same questions as if it were answered at that
//! moment: waiting for a retry, it is *earlier attempts* that took the time.

use serde::{Deserialize, Serialize};

use super::jobs::{Job, JobState};
use super::tally::Loss;

listed! {
    /// Why a request was bad.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Cause {
        /// It queued, or found no room, and no further replica was ordered.
        TooFewReplicas,
        /// It queued, or found no room, while replicas that had been ordered were starting.
        StartUp,
        /// It queued, or found no room, while a replica waited for room on a node.
        NodeWait,
        /// Alone in its replica it takes longer than the limit.
        ServiceTime,
        /// It was slowed in service by its neighbours, who took the CPU.
        Contention,
        /// Earlier attempts took the time.
        Retry,
        /// Its replica crashed or was killed, or is lost and not replaced yet.
        Crash,
    }
}

impl Cause {
    /// The cause in words.
    pub const fn words(self) -> &'static str {
        match self {
            Cause::TooFewReplicas => "too few replicas ordered",
            Cause::StartUp => "replicas still starting",
            Cause::NodeWait => "replicas waiting for a node",
            Cause::ServiceTime => "longer than the limit by itself",
            Cause::Contention => "slowed in service",
            Cause::Retry => "earlier attempts",
            Cause::Crash => "replica lost",
        }
    }

    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Cause::TooFewReplicas => "too_few_replicas",
            Cause::StartUp => "start_up",
            Cause::NodeWait => "node_wait",
            Cause::ServiceTime => "service_time",
            Cause::Contention => "contention",
            Cause::Retry => "retry",
            Cause::Crash => "crash",
        }
    }
}

listed! {
    /// How a bad request ended.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Outcome {
        /// Answered, too late for the objective.
        Late,
        /// Refused for lack of room.
        Rejected,
        /// Given up by its client.
        TimedOut,
        /// Lost with its replica.
        Failed,
        /// Still without an answer at the end, older than the limit.
        Unanswered,
    }
}

impl Outcome {
    /// The name in files, which is also the word.
    pub const fn name(self) -> &'static str {
        match self {
            Outcome::Late => "late",
            Outcome::Rejected => "rejected",
            Outcome::TimedOut => "timed_out",
            Outcome::Failed => "failed",
            Outcome::Unanswered => "unanswered",
        }
    }
}

/// Bad requests by cause and outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Causes([[u64; Outcome::ALL.len()]; Cause::ALL.len()]);

impl Causes {
    /// Bad requests of a cause and an outcome.
    pub fn get(&self, cause: Cause, outcome: Outcome) -> u64 {
        self.0[cause as usize][outcome as usize]
    }

    /// Bad requests of a cause.
    pub fn of(&self, cause: Cause) -> u64 {
        self.0[cause as usize].iter().sum()
    }

    /// All bad requests.
    pub fn total(&self) -> u64 {
        self.0.iter().flatten().sum()
    }

    /// Adds those of `other`.
    pub fn merge(&mut self, other: &Causes) {
        self.0.iter_mut().flatten().zip(other.0.iter().flatten()).for_each(|(mine, theirs)| *mine += theirs);
    }

    /// Counts `requests` more.
    pub fn add(&mut self, cause: Cause, outcome: Outcome, requests: u64) {
        self.0[cause as usize][outcome as usize] += requests;
    }
}

/// What a service is doing about its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Ordered {
    /// No replica is on its way.
    #[default]
    Nothing,
    /// Replicas are starting.
    Starting,
    /// A replica waits for room on a node.
    Pending,
    /// Replicas are lost with their machines and not replaced yet.
    Lost,
}

impl Ordered {
    /// The cause of a queue that formed meanwhile.
    pub(super) fn cause(self) -> Cause {
        match self {
            Ordered::Nothing => Cause::TooFewReplicas,
            Ordered::Starting => Cause::StartUp,
            Ordered::Pending => Cause::NodeWait,
            Ordered::Lost => Cause::Crash,
        }
    }
}

/// Why a request that was answered at `now` missed a limit (nanoseconds). The job's demand is the time that it takes alone in its
/// replica.
pub(super) fn of_late(job: &Job, now: u64, limit: u64) -> Cause {
    if now - job.offered <= limit {
        Cause::Retry
    } else if job.demand > limit {
        Cause::ServiceTime
    } else if now - job.started > limit {
        Cause::Contention
    } else {
        job.ordered.cause()
    }
}

/// Why a request that is at a replica at the end, at `now`, has passed a limit (nanoseconds) without an answer; the job's demand
/// as in [`of_late`].
pub(super) fn of_unanswered(job: &Job, now: u64, limit: u64) -> Cause {
    match of_late(job, now, limit) {
        // One that still waits has not been slowed in service.
        Cause::Contention if job.state == JobState::Waiting => job.ordered.cause(),
        cause => cause,
    }
}

/// Why a client gave up on an attempt after `patience` nanoseconds; the job's demand as in [`of_late`].
pub(super) fn of_given_up(job: &Job, running: bool, patience: u64) -> Cause {
    let waited = !running || job.started > job.offered;
    if running && job.demand > patience {
        Cause::ServiceTime
    } else if waited {
        job.ordered.cause()
    } else {
        Cause::Contention
    }
}

impl From<Loss> for Outcome {
    fn from(loss: Loss) -> Outcome {
        match loss {
            Loss::Rejected => Outcome::Rejected,
            Loss::TimedOut => Outcome::TimedOut,
            Loss::Failed => Outcome::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::jobs::NIL;
    use super::*;
    use rstest::rstest;

    fn job(offered: u64, started: u64, demand: u64, ordered: Ordered) -> Job {
        Job {
            arrival: 0,
            offered,
            started,
            demand,
            ordinal: 0,
            next: NIL,
            seat: 0,
            generation: 0,
            attempt: 0,
            state: JobState::Running,
            abandoned: false,
            ordered,
        }
    }

    #[rstest]
    #[case::queue(job(0, 80, 30, Ordered::Nothing), 110, Cause::TooFewReplicas)]
    #[case::queue_while_starting(job(0, 80, 30, Ordered::Starting), 110, Cause::StartUp)]
    #[case::queue_while_pending(job(0, 80, 30, Ordered::Pending), 110, Cause::NodeWait)]
    #[case::heavy(job(0, 50, 101, Ordered::Starting), 151, Cause::ServiceTime)]
    #[case::shared(job(0, 0, 60, Ordered::Nothing), 120, Cause::Contention)]
    #[case::second_attempt(job(90, 100, 60, Ordered::Nothing), 160, Cause::Retry)]
    fn late_answers(#[case] job: Job, #[case] now: u64, #[case] cause: Cause) {
        assert_eq!(of_late(&job, now, 100), cause);
    }

    #[rstest]
    #[case::waiting(job(0, 0, 60, Ordered::Starting), false, Cause::StartUp)]
    #[case::after_a_wait(job(0, 50, 60, Ordered::Nothing), true, Cause::TooFewReplicas)]
    #[case::heavy(job(0, 0, 101, Ordered::Nothing), true, Cause::ServiceTime)]
    #[case::slowed(job(0, 0, 60, Ordered::Nothing), true, Cause::Contention)]
    fn clients_that_gave_up(#[case] job: Job, #[case] running: bool, #[case] cause: Cause) {
        assert_eq!(of_given_up(&job, running, 100), cause);
    }

    #[rstest]
    #[case::in_the_queue(0, 60, JobState::Waiting, Cause::StartUp)]
    #[case::heavy_in_the_queue(0, 101, JobState::Waiting, Cause::ServiceTime)]
    #[case::in_service(0, 60, JobState::Running, Cause::Contention)]
    #[case::second_attempt(50, 60, JobState::Waiting, Cause::Retry)]
    fn unanswered(#[case] offered: u64, #[case] demand: u64, #[case] state: JobState, #[case] cause: Cause) {
        let job = Job { state, ..job(offered, offered, demand, Ordered::Starting) };
        assert_eq!(of_unanswered(&job, 150, 100), cause);
    }

    #[test]
    fn counts_add_up() {
        let mut causes = Causes::default();
        causes.add(Cause::StartUp, Outcome::Late, 3);
        causes.add(Cause::StartUp, Outcome::Rejected, 2);
        causes.add(Cause::Crash, Outcome::Failed, 1);
        assert_eq!((causes.of(Cause::StartUp), causes.total()), (5, 6));
    }
}
