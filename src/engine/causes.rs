//! Why requests were bad. Each bad request has exactly one cause, so the shares add up to the total.
//!
//! The causes are checked in this order; the first that applies counts:
//!
//! 1. *crash*: the replica that held the last attempt crashed or was killed, or its machine was lost;
//! 2. *retry*: the request was answered, and its last attempt alone was within the limit: earlier attempts used up the
//!    time;
//! 3. *service time*: the demand exceeds the limit (for a client that gave up: its patience) even when the request runs
//!    alone in its replica, on its node and within its CPU ceiling. More replicas would not help;
//! 4. *contention*: service took longer than the limit although it would not have alone: other requests took the CPU;
//! 5. *call*: the time until the services that it called had answered was longer than the limit, or one did not answer;
//! 6. *throttled*: the platform was at a limit of concurrency or of starts;
//! 7. *queueing*: the attempt waited or was rejected. The cause then depends on the state of the service when the
//!    attempt arrived: a replica was *waiting for a node*, replicas were *starting up*, some were lost with their
//!    machines and not replaced yet (*crash*), or *too few replicas* were ordered.
//!
//! [`Fate`] distinguishes requests that were rejected or abandoned from those answered too late. A request that is still in
//! the system at the end of the run and older than the limit is classified as if it were answered at that moment; if it
//! is waiting for a retry, the cause is *earlier attempts*.

use serde::{Deserialize, Serialize};

use super::fate::Fate;
use super::jobs::{Job, JobState};

listed! {
    /// Why a request was bad.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Cause {
        /// It queued or was rejected, and no replica was on its way.
        TooFewReplicas,
        /// It queued or was rejected while ordered replicas were starting.
        StartUp,
        /// It queued or was rejected while a replica waited for room on a node.
        NodeWait,
        /// It takes longer than the limit even alone in its replica.
        ServiceTime,
        /// Other requests in the same replica took the CPU and slowed it down.
        Contention,
        /// Earlier attempts used up the time.
        Retry,
        /// Its replica crashed, was killed, or was lost and not replaced yet.
        Crash,
        /// A service that it called was slow, or did not answer.
        Call,
        /// The platform was at a limit and rejected it.
        Throttled,
    }
}

impl Cause {
    /// The cause, as shown in reports.
    pub const fn words(self) -> &'static str {
        match self {
            Cause::TooFewReplicas => "too few replicas ordered",
            Cause::StartUp => "replicas still starting",
            Cause::NodeWait => "replicas waiting for a node",
            Cause::ServiceTime => "longer than the limit by itself",
            Cause::Contention => "slowed in service",
            Cause::Retry => "earlier attempts",
            Cause::Crash => "replica lost",
            Cause::Call => "called service slow or failed",
            Cause::Throttled => "at a limit of the platform",
        }
    }

    /// The name used in files.
    pub const fn name(self) -> &'static str {
        match self {
            Cause::TooFewReplicas => "too_few_replicas",
            Cause::StartUp => "start_up",
            Cause::NodeWait => "node_wait",
            Cause::ServiceTime => "service_time",
            Cause::Contention => "contention",
            Cause::Retry => "retry",
            Cause::Crash => "crash",
            Cause::Call => "call",
            Cause::Throttled => "throttled",
        }
    }
}

/// Bad requests by cause and fate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Causes([[u64; Fate::ALL.len()]; Cause::ALL.len()]);

impl Causes {
    /// The number of bad requests with a cause and a fate.
    pub fn get(&self, cause: Cause, fate: Fate) -> u64 {
        self.0[cause as usize][fate as usize]
    }

    /// The number of bad requests with a cause.
    pub fn of(&self, cause: Cause) -> u64 {
        self.0[cause as usize].iter().sum()
    }

    /// The number of bad requests.
    pub fn total(&self) -> u64 {
        self.0.iter().flatten().sum()
    }

    /// Adds the counts of `other`.
    pub fn merge(&mut self, other: &Causes) {
        self.0.iter_mut().flatten().zip(other.0.iter().flatten()).for_each(|(mine, theirs)| *mine += theirs);
    }

    /// Counts `requests` more bad requests.
    pub fn add(&mut self, cause: Cause, fate: Fate, requests: u64) {
        self.0[cause as usize][fate as usize] += requests;
    }
}

/// Scaling state of a service when a request arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum ScalingState {
    /// No replica is starting.
    #[default]
    Nothing,
    /// Ordered replicas are starting.
    Starting,
    /// A replica waits for a node with room.
    Pending,
    /// Replicas are lost with their machines and not replaced yet.
    Lost,
}

impl ScalingState {
    /// The cause assigned to a request that queues in this state.
    pub(super) fn cause(self) -> Cause {
        match self {
            ScalingState::Nothing => Cause::TooFewReplicas,
            ScalingState::Starting => Cause::StartUp,
            ScalingState::Pending => Cause::NodeWait,
            ScalingState::Lost => Cause::Crash,
        }
    }
}

/// Why a request answered at `now` missed a limit. `alone` is the time that the request takes alone in its replica; both are
/// nanoseconds.
pub(super) fn of_late(job: &Job, alone: u64, now: u64, limit: u64) -> Cause {
    if now - job.offered <= limit {
        Cause::Retry
    } else if alone > limit {
        Cause::ServiceTime
    } else if now - job.started > limit {
        slowed(job)
    } else {
        job.scaling_state.cause()
    }
}

/// Why a request still at a replica at the end of the run, `now`, has passed a limit unanswered. `alone` as in [`of_late`].
pub(super) fn of_unanswered(job: &Job, alone: u64, now: u64, limit: u64) -> Cause {
    match of_late(job, alone, now, limit) {
        // A request that is still waiting was not slowed in service.
        Cause::Contention if job.state == JobState::Waiting => job.scaling_state.cause(),
        cause => cause,
    }
}

/// Why a client gave up on an attempt after `patience` nanoseconds. `alone` as in [`of_late`].
pub(super) fn of_given_up(job: &Job, alone: u64, running: bool, patience: u64) -> Cause {
    let waited = !running || job.started > job.offered;
    if running && alone > patience {
        Cause::ServiceTime
    } else if waited {
        job.scaling_state.cause()
    } else {
        slowed(job)
    }
}

/// Who slowed a request that takes less time alone.
fn slowed(job: &Job) -> Cause {
    match job.state {
        JobState::Calling => Cause::Call,
        _ => Cause::Contention,
    }
}

#[cfg(test)]
mod tests {
    use super::super::jobs::NIL;
    use super::*;
    use crate::serving::Work;
    use rstest::rstest;

    fn job(offered: u64, started: u64, scaling_state: ScalingState) -> Job {
        Job {
            arrival: 0,
            offered,
            started,
            work: Work::default(),
            ordinal: 0,
            next: NIL,
            seat: 0,
            generation: 0,
            attempt: 0,
            state: JobState::Running,
            abandoned: false,
            scaling_state,
        }
    }

    #[rstest]
    #[case::queue(job(0, 80, ScalingState::Nothing), 30, 110, Cause::TooFewReplicas)]
    #[case::queue_while_starting(job(0, 80, ScalingState::Starting), 30, 110, Cause::StartUp)]
    #[case::queue_while_pending(job(0, 80, ScalingState::Pending), 30, 110, Cause::NodeWait)]
    #[case::heavy(job(0, 50, ScalingState::Starting), 101, 151, Cause::ServiceTime)]
    #[case::shared(job(0, 0, ScalingState::Nothing), 60, 120, Cause::Contention)]
    #[case::second_attempt(job(90, 100, ScalingState::Nothing), 60, 160, Cause::Retry)]
    fn late_answers(#[case] job: Job, #[case] alone: u64, #[case] now: u64, #[case] cause: Cause) {
        assert_eq!(of_late(&job, alone, now, 100), cause);
    }

    #[rstest]
    #[case::waiting(job(0, 0, ScalingState::Starting), 60, false, Cause::StartUp)]
    #[case::after_a_wait(job(0, 50, ScalingState::Nothing), 60, true, Cause::TooFewReplicas)]
    #[case::heavy(job(0, 0, ScalingState::Nothing), 101, true, Cause::ServiceTime)]
    #[case::slowed(job(0, 0, ScalingState::Nothing), 60, true, Cause::Contention)]
    fn clients_that_gave_up(#[case] job: Job, #[case] alone: u64, #[case] running: bool, #[case] cause: Cause) {
        assert_eq!(of_given_up(&job, alone, running, 100), cause);
    }

    #[rstest]
    #[case::in_the_queue(0, 60, JobState::Waiting, Cause::StartUp)]
    #[case::heavy_in_the_queue(0, 101, JobState::Waiting, Cause::ServiceTime)]
    #[case::in_service(0, 60, JobState::Running, Cause::Contention)]
    #[case::second_attempt(50, 60, JobState::Waiting, Cause::Retry)]
    fn unanswered(#[case] offered: u64, #[case] alone: u64, #[case] state: JobState, #[case] cause: Cause) {
        let job = Job { state, ..job(offered, offered, ScalingState::Starting) };
        assert_eq!(of_unanswered(&job, alone, 150, 100), cause);
    }

    #[test]
    fn counts_add_up() {
        let mut causes = Causes::default();
        causes.add(Cause::StartUp, Fate::Completed, 3);
        causes.add(Cause::StartUp, Fate::Rejected, 2);
        causes.add(Cause::Crash, Fate::Failed, 1);
        assert_eq!((causes.of(Cause::StartUp), causes.total()), (5, 6));
    }
}
