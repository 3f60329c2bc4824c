//! What is remembered of containers: samples of CPU, and the memory peak of each interval.
//!
//! Source: `vertical-pod-autoscaler/pkg/recommender/model/{container,aggregate_container_state}.go` of kubernetes/autoscaler.

use super::amounts::{cores, scaled};
use super::histogram::{Buckets, Checkpoint, Histogram};
use crate::units::{SimDuration, SimTime};

/// The weight of a CPU sample.
const CPU_WEIGHT: f64 = 0.1;
const DAY: SimDuration = SimDuration::from_secs(86_400);

/// How samples are aggregated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Aggregation {
    /// Half-life of CPU samples.
    pub cpu_half_life: SimDuration,
    /// Half-life of memory peaks.
    pub memory_half_life: SimDuration,
    /// The time of which one memory peak is kept.
    pub interval: SimDuration,
    /// Intervals after which what is not sampled is forgotten.
    pub intervals: u32,
    /// By which factor memory grows after a kill.
    pub oom_ratio: f64,
    /// By how many bytes it grows at least.
    pub oom_least: f64,
}

impl Default for Aggregation {
    fn default() -> Self {
        Aggregation {
            cpu_half_life: DAY,
            memory_half_life: DAY,
            interval: DAY,
            intervals: 8,
            oom_ratio: 1.2,
            oom_least: 100.0 * 1024.0 * 1024.0,
        }
    }
}

/// What is remembered of all instances of a container.
#[derive(Debug, Clone, PartialEq)]
pub struct Aggregate {
    /// CPU in cores.
    pub cpu: Histogram,
    /// Memory peaks in bytes.
    pub memory: Histogram,
    /// The first CPU sample.
    pub first: Option<SimTime>,
    /// The last CPU sample.
    pub last: Option<SimTime>,
    /// The number of CPU samples.
    pub samples: u64,
    /// When it was created.
    pub created: SimTime,
    aggregation: Aggregation,
}

impl Aggregate {
    /// Remembers nothing yet.
    pub fn new(aggregation: Aggregation, created: SimTime) -> Self {
        Aggregate {
            cpu: Histogram::new(Buckets::of_cpu(), Some(aggregation.cpu_half_life)),
            memory: Histogram::new(Buckets::of_memory(), Some(aggregation.memory_half_life)),
            first: None,
            last: None,
            samples: 0,
            created,
            aggregation,
        }
    }

    /// Adds a CPU sample, in millicores.
    pub fn add_cpu(&mut self, millicores: i64, time: SimTime) {
        self.cpu.add(cores(millicores), CPU_WEIGHT, time);
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.last = Some(self.last.map_or(time, |last| last.max(time)));
        self.samples += 1;
    }

    /// Adds all that another remembers.
    pub fn merge(&mut self, other: &Aggregate) {
        self.cpu.merge(&other.cpu);
        self.memory.merge(&other.memory);
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = self.last.max(other.last);
        self.samples += other.samples;
    }

    /// Whether it is forgotten at `now`.
    pub fn is_expired(&self, now: SimTime) -> bool {
        let kept = self.aggregation.interval.as_nanos().saturating_mul(u64::from(self.aggregation.intervals));
        let since = self.last.filter(|_| self.samples > 0).unwrap_or(self.created);
        now.since(since).as_nanos() >= kept
    }

    /// Stores it.
    pub fn save(&self) -> (Checkpoint, Checkpoint) {
        (self.cpu.save(), self.memory.save())
    }

    /// A new one that remembers what was stored of this one.
    ///
    /// # Errors
    /// If a checkpoint does not fit its histogram.
    pub fn reloaded(&self) -> Result<Aggregate, String> {
        let (cpu, memory) = self.save();
        let mut next = Aggregate::new(self.aggregation, self.created);
        next.cpu.load(&cpu)?;
        next.memory.load(&memory)?;
        Ok(Aggregate { first: self.first, last: self.last, samples: self.samples, ..next })
    }
}

/// A change of the memory peaks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PeakChange {
    /// Whether a peak is added; otherwise it is taken off.
    pub is_added: bool,
    /// The peak, in bytes.
    pub bytes: i64,
    /// The end of its interval.
    pub time: SimTime,
}

/// One running container.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Instance {
    aggregation: Aggregation,
    last_cpu: Option<SimTime>,
    /// The peak of the current interval: by usage, and by kills.
    peaks: (i64, i64),
    /// The end of the current interval.
    window_end: Option<SimTime>,
    last_memory: Option<SimTime>,
}

impl Instance {
    /// A container without samples.
    pub fn new(aggregation: Aggregation) -> Self {
        Instance { aggregation, last_cpu: None, peaks: (0, 0), window_end: None, last_memory: None }
    }

    /// The end of the current memory interval.
    pub fn window_end(&self) -> Option<SimTime> {
        self.window_end
    }

    /// Whether a CPU sample is taken in: not a negative one, and none that is not later than the last.
    pub fn takes_cpu(&mut self, millicores: i64, time: SimTime) -> bool {
        let taken = millicores >= 0 && self.last_cpu.is_none_or(|last| time > last);
        if taken {
            self.last_cpu = Some(time);
        }
        taken
    }

    /// Takes in a memory sample. `None` if it is refused, otherwise what changes.
    pub fn takes_memory(&mut self, bytes: i64, time: SimTime, is_kill: bool) -> Option<Vec<PeakChange>> {
        if bytes < 0 || (!is_kill && self.last_memory.is_some_and(|last| time < last)) {
            return None;
        }
        self.last_memory = Some(time);
        let mut end = self.window_end.unwrap_or(time);
        let mut changes = Vec::new();
        if time < end {
            let old = self.peaks.0.max(self.peaks.1);
            if old == 0 || bytes <= old {
                return Some(changes);
            }
            changes.push(PeakChange { is_added: false, bytes: old, time: end });
        } else {
            let interval = self.aggregation.interval.as_nanos().max(1);
            let passed = time.since(end).as_nanos() / interval + 1;
            end = end.saturating_add(SimDuration::from_nanos(passed.saturating_mul(interval)));
            self.peaks = (0, 0);
        }
        self.window_end = Some(end);
        changes.push(PeakChange { is_added: true, bytes, time: end });
        if is_kill {
            self.peaks.1 = bytes;
        } else {
            self.peaks.0 = bytes;
        }
        Some(changes)
    }

    /// Takes in that a container with a request of `requested` bytes was killed for its memory. `None` if that is too
    /// long ago.
    pub fn takes_kill(&mut self, requested: i64, time: SimTime) -> Option<Vec<PeakChange>> {
        let earliest = self.last_memory.map(|last| last.saturating_sub(self.aggregation.interval));
        if earliest.is_some_and(|earliest| time < earliest) {
            return None;
        }
        let used = requested.max(self.peaks.0);
        let least = used.saturating_add(self.aggregation.oom_least as i64);
        self.takes_memory(least.max(scaled(used, self.aggregation.oom_ratio)), time, true)
    }
}

impl Aggregate {
    /// Applies changes of the memory peaks.
    pub fn apply(&mut self, changes: &[PeakChange]) {
        for change in changes {
            let bytes = change.bytes as f64;
            if change.is_added {
                self.memory.add(bytes, 1.0, change.time);
            } else {
                self.memory.subtract(bytes, 1.0, change.time);
            }
        }
    }
}
