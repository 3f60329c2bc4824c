//! Requests in the system, stored as small plain records in a slab.

use super::causes::ScalingState;
use crate::serving::Work;

/// Index of no job.
pub(super) const NIL: u32 = u32::MAX;

/// The state of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JobState {
    /// The record is free.
    Free,
    /// Waiting in a replica's queue.
    Waiting,
    /// In service.
    Running,
    /// Its own work is done; it keeps its slot until its calls are answered.
    Calling,
    /// Dropped, but still linked in a queue or scheduled as a completion; freed when its turn comes.
    Dropped,
}

impl JobState {
    /// Whether the attempt is at a replica.
    pub(super) fn is_present(self) -> bool {
        matches!(self, JobState::Waiting | JobState::Running | JobState::Calling)
    }
}

/// One attempt of a request, in one cache line. All times are nanoseconds since the start.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct Job {
    /// First arrival of the request.
    pub arrival: u64,
    /// When this attempt reached the replica.
    pub offered: u64,
    /// When service started; while it waits, when it joined the queue.
    pub started: u64,
    /// What it asks of the replica.
    pub work: Work,
    /// Index of the request in its service; random numbers are keyed by it.
    pub ordinal: u64,
    /// Next job in the replica's queue, or next free record.
    pub next: u32,
    /// Seat of the replica that holds it.
    pub seat: u32,
    /// Incremented each time the record is reused, so that stale deadlines can be recognised.
    pub generation: u32,
    /// Attempt number, from 0.
    pub attempt: u8,
    /// Current state.
    pub state: JobState,
    /// Whether the client has given up.
    pub abandoned: bool,
    /// Scaling state of the service when the attempt arrived.
    pub scaling_state: ScalingState,
}

const _: () = assert!(size_of::<Job>() == 64, "a request is one cache line");

/// The slab of jobs.
#[derive(Debug)]
pub(super) struct Jobs {
    records: Vec<Job>,
    free: u32,
    live: u32,
}

impl Jobs {
    pub(super) fn new() -> Self {
        Jobs { records: Vec::new(), free: NIL, live: 0 }
    }

    /// The number of records in use.
    pub(super) fn live(&self) -> u32 {
        self.live
    }

    /// Stores a job and returns its index. The caller ensures that fewer than [`NIL`] records are in use.
    #[inline]
    pub(super) fn insert(&mut self, mut job: Job) -> u32 {
        self.live += 1;
        if self.free == NIL {
            let number = self.records.len() as u32;
            self.records.push(job);
            return number;
        }
        let number = self.free;
        let record = &mut self.records[number as usize];
        self.free = record.next;
        job.generation = record.generation.wrapping_add(1);
        *record = job;
        number
    }

    /// Frees a record.
    #[inline]
    pub(super) fn remove(&mut self, number: u32) {
        let record = &mut self.records[number as usize];
        record.state = JobState::Free;
        record.next = self.free;
        self.free = number;
        self.live -= 1;
    }

    #[inline]
    pub(super) fn get(&self, number: u32) -> &Job {
        &self.records[number as usize]
    }

    #[inline]
    pub(super) fn get_mut(&mut self, number: u32) -> &mut Job {
        &mut self.records[number as usize]
    }

    /// Iterates over the records in use, with their indices.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Job)> {
        self.records.iter().enumerate().filter(|(_, job)| job.state != JobState::Free).map(|(n, job)| (n as u32, job))
    }
}
