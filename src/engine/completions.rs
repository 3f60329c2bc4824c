//! The completion queue. Completions are the only events of a run that are queued in large numbers.
//!
//! A calendar queue (Brown 1988) whose bucket width is a power of two and adapts to the load. A two-level bitmap finds
//! the next non-empty bucket, and only the bucket at the front is sorted. Events beyond the wheel wait in a heap.
//! Events are ordered by (time, entity, sequence), where the sequence is the order of insertion.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::units::SimTime;

/// Index of no node.
const NIL: u32 = u32::MAX;
const MIN_BUCKETS: usize = 1 << 8;
const MAX_BUCKETS: usize = 1 << 18;
/// Number of inserts between two checks of whether bucket width and count still fit the load.
const REVIEW_PERIOD: u32 = 1 << 13;
/// The wheel spans this many mean lead times; an exponential lead exceeds it with probability e^-8.
const SPAN_IN_LEADS: u64 = 8;
/// The sorted front accepts earlier events up to this length; beyond it, it is returned to the wheel.
const FRONT_LIMIT: usize = 24;

/// An event: something of `entity` ends at `time`; `tag` says what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Completion {
    /// When it happens.
    pub time: SimTime,
    /// The replica.
    pub entity: u32,
    /// Insertion order among equals. Wraps after 2^32 insertions, long after any neighbouring event is gone.
    sequence: u32,
    /// Opaque value, passed back to the inserter when the event is due.
    pub tag: u32,
}

/// An event in a bucket, and the index of the next node of the same bucket.
#[derive(Debug, Clone, Copy)]
struct Entry {
    event: Completion,
    next: u32,
}

/// Placeholder in an empty bucket; never read as an event.
const NOTHING: Completion = Completion { time: SimTime::MAX, entity: 0, sequence: 0, tag: 0 };
const EMPTY: Entry = Entry { event: NOTHING, next: NIL };

/// The completion queue.
#[derive(Debug)]
pub struct CompletionQueue {
    /// One node per bucket: most buckets hold one event, which then touches no other memory.
    buckets: Vec<Entry>,
    /// Overflow nodes of buckets that hold more than one event.
    nodes: Vec<Entry>,
    free: u32,
    /// One bit per bucket, and one bit per word of those bits.
    filled: Vec<u64>,
    summary: Vec<u64>,
    /// A bucket spans 2^shift nanoseconds.
    shift: u32,
    /// Day (time >> shift) of the last event removed. Buckets hold only the days floor+1 ..= floor + number of buckets
    /// - 1.
    floor: u64,
    /// Day of the bucket last moved to the front. All events of this day and before are in the front.
    day: u64,
    /// The next events, latest first.
    front: Vec<Completion>,
    far: BinaryHeap<Reverse<Completion>>,
    len: usize,
    sequence: u32,
    until_review: u32,
    lead_sum: u64,
}

impl Default for CompletionQueue {
    fn default() -> Self {
        Self::new()
    }
}

impl CompletionQueue {
    /// Creates an empty queue.
    pub fn new() -> Self {
        CompletionQueue {
            buckets: vec![EMPTY; MIN_BUCKETS],
            nodes: Vec::new(),
            free: NIL,
            filled: vec![0; MIN_BUCKETS / 64],
            summary: vec![0; MIN_BUCKETS.div_ceil(64 * 64)],
            shift: 20,
            floor: 0,
            day: 0,
            front: Vec::with_capacity(64),
            far: BinaryHeap::new(),
            len: 0,
            sequence: 0,
            until_review: REVIEW_PERIOD,
            lead_sum: 0,
        }
    }

    /// The number of queued events.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the queue is empty.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The time of the next event, or [`SimTime::MAX`] if there is none.
    #[inline]
    pub fn next_time(&self) -> SimTime {
        // The front is empty only if the whole queue is.
        self.front.last().map_or(SimTime::MAX, |event| event.time)
    }

    /// Queues an event at `time`, which must not be before `now`.
    #[inline(always)]
    pub fn insert(&mut self, now: SimTime, time: SimTime, entity: u32, tag: u32) {
        let event = Completion { time, entity, sequence: self.sequence, tag };
        self.sequence = self.sequence.wrapping_add(1);
        self.len += 1;
        // Saturates: an event at the end of time must not overflow the mean.
        self.lead_sum = self.lead_sum.saturating_add(time.as_nanos() - now.as_nanos());
        self.until_review -= 1;
        if self.until_review == 0 {
            self.review(now);
        }
        self.put(event);
        if self.front.is_empty() {
            self.advance();
        }
    }

    /// Removes and returns the next event.
    #[inline(always)]
    pub fn pop(&mut self) -> Option<Completion> {
        let event = self.front.pop()?;
        self.len -= 1;
        self.floor = event.time.as_nanos() >> self.shift;
        if self.front.is_empty() && self.len > 0 {
            self.advance();
        }
        Some(event)
    }

    #[inline(always)]
    fn put(&mut self, event: Completion) {
        let day = event.time.as_nanos() >> self.shift;
        if day > self.day {
            if day - self.floor < self.buckets.len() as u64 {
                self.link(day, event);
            } else {
                self.far.push(Reverse(event));
            }
        } else if day == self.day || self.front.len() < FRONT_LIMIT {
            self.put_front(event);
        } else {
            self.hand_back(day);
            self.put_front(event);
        }
    }

    #[inline(always)]
    fn put_front(&mut self, event: Completion) {
        let mut at = self.front.len();
        while at > 0 && self.front[at - 1] < event {
            at -= 1;
        }
        self.front.insert(at, event);
    }

    /// Returns the front to the wheel, so that a new front can begin at the earlier `day`.
    #[cold]
    fn hand_back(&mut self, day: u64) {
        self.day = day;
        let mut kept = 0;
        for index in 0..self.front.len() {
            let event = self.front[index];
            let its_day = event.time.as_nanos() >> self.shift;
            if its_day <= day {
                self.front[kept] = event;
                kept += 1;
            } else if its_day - self.floor < self.buckets.len() as u64 {
                self.link(its_day, event);
            } else {
                self.far.push(Reverse(event));
            }
        }
        self.front.truncate(kept);
    }

    #[inline(always)]
    fn link(&mut self, day: u64, event: Completion) {
        let bucket = day as usize & (self.buckets.len() - 1);
        let (word, bit) = (bucket >> 6, 1 << (bucket & 63));
        if self.filled[word] & bit == 0 {
            self.buckets[bucket] = Entry { event, next: NIL };
            self.filled[word] |= bit;
            self.summary[word >> 6] |= 1 << (word & 63);
        } else {
            self.link_further(bucket, event);
        }
    }

    /// Adds an event to a bucket that already holds one.
    fn link_further(&mut self, bucket: usize, event: Completion) {
        let node = Entry { event, next: self.buckets[bucket].next };
        let index = self.free;
        if index == NIL {
            self.buckets[bucket].next = self.nodes.len() as u32;
            self.nodes.push(node);
        } else {
            self.free = self.nodes[index as usize].next;
            self.nodes[index as usize] = node;
            self.buckets[bucket].next = index;
        }
    }

    /// Moves the next non-empty bucket to the front and sorts it.
    fn advance(&mut self) {
        let next = self.next_filled_day();
        if self.far.is_empty() {
            let Some(day) = next else { return };
            self.day = day;
            self.unlink_bucket(day as usize & (self.buckets.len() - 1));
        } else {
            self.advance_with_far(next);
        }
        if self.front.len() > 1 {
            self.front.sort_unstable_by(|a, b| b.cmp(a));
        }
    }

    /// Like `advance`, for when the next events may be beyond the wheel.
    fn advance_with_far(&mut self, next: Option<u64>) {
        let far = self.far.peek().map_or(u64::MAX, |Reverse(event)| event.time.as_nanos() >> self.shift);
        self.day = next.map_or(far, |near| near.min(far));
        if next == Some(self.day) {
            self.unlink_bucket(self.day as usize & (self.buckets.len() - 1));
        }
        while self.far.peek().is_some_and(|Reverse(event)| event.time.as_nanos() >> self.shift <= self.day) {
            self.front.extend(self.far.pop().map(|Reverse(event)| event));
        }
    }

    #[inline(always)]
    fn unlink_bucket(&mut self, bucket: usize) {
        let Entry { event, next: mut index } = self.buckets[bucket];
        self.front.push(event);
        while index != NIL {
            let node = self.nodes[index as usize];
            self.front.push(node.event);
            self.nodes[index as usize].next = self.free;
            self.free = index;
            index = node.next;
        }
        let word = bucket >> 6;
        self.filled[word] &= !(1 << (bucket & 63));
        if self.filled[word] == 0 {
            self.summary[word >> 6] &= !(1 << (word & 63));
        }
    }

    /// The first day at or after the floor with a non-empty bucket.
    fn next_filled_day(&self) -> Option<u64> {
        let mask = self.buckets.len() - 1;
        let start = self.floor as usize & mask;
        let bucket = self.filled_from(start).or_else(|| self.filled_from(0))?;
        Some(self.floor + ((bucket.wrapping_sub(start)) & mask) as u64)
    }

    /// The first non-empty bucket with index `start` or above, without wrapping around.
    fn filled_from(&self, start: usize) -> Option<usize> {
        let word = start >> 6;
        let here = self.filled[word] & (u64::MAX << (start & 63));
        if here != 0 {
            return Some((word << 6) + here.trailing_zeros() as usize);
        }
        let (mut block, mut mask) = ((word + 1) >> 6, u64::MAX.checked_shl(((word + 1) & 63) as u32).unwrap_or(0));
        while block < self.summary.len() {
            let words = self.summary[block] & mask;
            if words != 0 {
                let word = (block << 6) + words.trailing_zeros() as usize;
                return Some((word << 6) + self.filled[word].trailing_zeros() as usize);
            }
            block += 1;
            mask = u64::MAX;
        }
        None
    }

    /// Adapts bucket width and count to the recent lead times.
    #[cold]
    fn review(&mut self, now: SimTime) {
        let lead = (self.lead_sum / u64::from(REVIEW_PERIOD)).max(1);
        self.until_review = REVIEW_PERIOD;
        self.lead_sum = 0;
        let buckets = (self.len * 2).next_power_of_two().clamp(MIN_BUCKETS, MAX_BUCKETS);
        let width = (lead.saturating_mul(SPAN_IN_LEADS) / buckets as u64).max(1);
        let shift = width.ilog2();
        let suits =
            shift.abs_diff(self.shift) <= 1 && buckets <= self.buckets.len() && buckets * 4 >= self.buckets.len();
        if !suits {
            self.rebuild(now, shift, buckets, &|_| true);
        }
    }

    /// Removes all events of an entity. Takes time linear in the size of the queue.
    #[cold]
    pub fn forget(&mut self, now: SimTime, entity: u32) {
        self.rebuild(now, self.shift, self.buckets.len(), &|event| event.entity != entity);
    }

    fn rebuild(&mut self, now: SimTime, shift: u32, buckets: usize, kept: &dyn Fn(&Completion) -> bool) {
        let mut events: Vec<Completion> = std::mem::take(&mut self.front);
        events.extend(self.far.drain().map(|Reverse(event)| event));
        for bucket in 0..self.buckets.len() {
            if self.filled[bucket >> 6] & (1 << (bucket & 63)) != 0 {
                self.unlink_bucket(bucket);
            }
        }
        events.append(&mut self.front);
        let before = events.len();
        events.retain(kept);
        self.len -= before - events.len();
        self.nodes.clear();
        self.free = NIL;
        self.buckets = vec![EMPTY; buckets];
        self.filled = vec![0; buckets / 64];
        self.summary = vec![0; buckets.div_ceil(64 * 64)];
        self.shift = shift;
        self.floor = now.as_nanos() >> shift;
        self.day = self.floor;
        events.into_iter().for_each(|event| self.put(event));
        if self.front.is_empty() {
            self.advance();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Replays inserts and pops against a sorted list; both must give the same order.
    fn agrees_with_a_sorted_list(steps: &[(bool, u64)]) -> Result<(), TestCaseError> {
        let mut queue = CompletionQueue::new();
        let mut model: Vec<(u64, u32, u32)> = Vec::new();
        let mut now = 0;
        for (number, (insert, lead)) in steps.iter().enumerate() {
            if *insert || model.is_empty() {
                let (time, entity) = (now + lead, (lead % 7) as u32);
                queue.insert(SimTime::from_nanos(now), SimTime::from_nanos(time), entity, number as u32);
                model.push((time, entity, number as u32));
            } else {
                let next = model.iter().copied().min().unwrap();
                prop_assert_eq!(queue.next_time(), SimTime::from_nanos(next.0));
                model.retain(|event| *event != next);
                let popped = queue.pop().unwrap();
                prop_assert_eq!((popped.time.as_nanos(), popped.entity, popped.tag), next);
                now = next.0;
                if lead % 31 == 0 {
                    queue.forget(SimTime::from_nanos(now), (lead % 7) as u32);
                    model.retain(|event| event.1 != (lead % 7) as u32);
                }
            }
            prop_assert_eq!(queue.len(), model.len());
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn gives_events_in_order(steps in prop::collection::vec(
            (any::<bool>(), prop_oneof![0u64..10, 0u64..50_000_000, 0u64..3_000_000_000, 0u64..1 << 50]), 0..400)) {
            agrees_with_a_sorted_list(&steps)?;
        }
    }

    #[test]
    fn adapts_to_a_load_a_thousand_times_denser() {
        let mut queue = CompletionQueue::new();
        let mut state = 1u64;
        let mut last = 0;
        for round in 0..300_000u64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let scale = if round < 100_000 { 1_000_000_000 } else { 1_000_000 };
            let time = last + (state >> 33) % scale;
            queue.insert(SimTime::from_nanos(last), SimTime::from_nanos(time), 0, round as u32);
            if queue.len() > 5_000 || round % 3 == 0 {
                let popped = queue.pop().unwrap().time.as_nanos();
                assert!(popped >= last);
                last = popped;
            }
        }
        while let Some(event) = queue.pop() {
            assert!(event.time.as_nanos() >= last);
            last = event.time.as_nanos();
        }
        assert!(queue.is_empty() && queue.next_time() == SimTime::MAX);
    }
}
