//! Requests in the system, as small plain records in a slab.

use super::causes::Ordered;

/// No job.
pub(super) const NIL: u32 = u32::MAX;

/// What a job is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JobState {
    /// The record is free.
    Free,
    /// In a replica's queue.
    Waiting,
    /// In service.
    Running,
    /// Dropped, but still linked in a queue or announced as a completion; freed when it comes up.
    Dropped,
}

/// One attempt of one request, in 56 bytes. All times are nanoseconds since the start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Job {
    /// First arrival of the request.
    pub arrival: u64,
    /// When this attempt reached the replica.
    pub offered: u64,
    /// When service started.
    pub started: u64,
    /// Service demand.
    pub demand: u64,
    /// The service's n-th request; random numbers are keyed by it.
    pub ordinal: u64,
    /// Next in the replica's queue, or next free record.
    pub next: u32,
    /// Seat of the replica.
    pub seat: u32,
    /// Counts the uses of this record, so that a deadline of an earlier use is recognised.
    pub generation: u32,
    /// Attempt, from 0.
    pub attempt: u8,
    /// What it is doing.
    pub state: JobState,
    /// Whether the client has given up on it.
    pub abandoned: bool,
    /// What the service was doing about its size when the attempt came.
    pub ordered: Ordered,
}

/// The slab.
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

    /// Records in use.
    pub(super) fn live(&self) -> u32 {
        self.live
    }

    /// Stores a job and returns its number. The caller sees to it that fewer than [`NIL`] are in use.
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

    /// Every record that is in use, with its number.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Job)> {
        self.records.iter().enumerate().filter(|(_, job)| job.state != JobState::Free).map(|(n, job)| (n as u32, job))
    }
}
