//! The queue of requests that wait to run.

use super::limits::Order;

/// No request.
const NONE: u32 = u32::MAX;

/// Place of a request in the order of priority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    /// Lowest first.
    pub priority: i32,
    /// Order of arrival.
    pub number: u64,
}

/// Requests by slot: a list in order of arrival, or a heap by rank.
#[derive(Debug)]
pub(super) enum Queue {
    List(List),
    Heap(Heap),
}

impl Queue {
    pub fn new(order: Order) -> Self {
        match order {
            Order::Fcfs => Queue::List(List { head: NONE, tail: NONE, len: 0, links: Vec::new() }),
            Order::Priority => Queue::Heap(Heap { entries: Vec::new(), places: Vec::new() }),
        }
    }

    pub fn len(&self) -> u32 {
        match self {
            Queue::List(list) => list.len,
            Queue::Heap(heap) => heap.entries.len() as u32,
        }
    }

    /// The request that is next.
    pub fn first(&self) -> Option<u32> {
        match self {
            Queue::List(list) => (list.head != NONE).then_some(list.head),
            Queue::Heap(heap) => heap.entries.first().map(|(_, slot)| *slot),
        }
    }

    /// Adds a request that arrives.
    pub fn join(&mut self, slot: u32, rank: Rank) {
        match self {
            Queue::List(list) => list.insert(slot, list.tail, NONE),
            Queue::Heap(heap) => heap.push(slot, rank),
        }
    }

    /// Adds a request that ran before: first, or where its priority puts it.
    pub fn rejoin(&mut self, slot: u32, rank: Rank) {
        match self {
            Queue::List(list) => list.insert(slot, NONE, list.head),
            Queue::Heap(heap) => heap.push(slot, rank),
        }
    }

    /// Removes a request, wherever it is.
    pub fn remove(&mut self, slot: u32) {
        match self {
            Queue::List(list) => list.remove(slot),
            Queue::Heap(heap) => heap.remove(slot),
        }
    }

    /// All requests, first the next one (by priority: in no order). For tests.
    #[doc(hidden)]
    pub fn all(&self) -> Vec<u32> {
        match self {
            Queue::List(list) => {
                let next = |slot: &u32| Some(list.links[*slot as usize].1).filter(|slot| *slot != NONE);
                std::iter::successors(self.first(), next).collect()
            }
            Queue::Heap(heap) => heap.entries.iter().map(|(_, slot)| *slot).collect(),
        }
    }
}

/// A doubly linked list through the slots.
#[derive(Debug)]
pub(super) struct List {
    head: u32,
    tail: u32,
    len: u32,
    /// Slots before and after, by slot.
    links: Vec<(u32, u32)>,
}

impl List {
    fn insert(&mut self, slot: u32, before: u32, after: u32) {
        if self.links.len() <= slot as usize {
            self.links.resize(slot as usize + 1, (NONE, NONE));
        }
        self.links[slot as usize] = (before, after);
        match before {
            NONE => self.head = slot,
            before => self.links[before as usize].1 = slot,
        }
        match after {
            NONE => self.tail = slot,
            after => self.links[after as usize].0 = slot,
        }
        self.len += 1;
    }

    fn remove(&mut self, slot: u32) {
        let (before, after) = self.links[slot as usize];
        match before {
            NONE => self.head = after,
            before => self.links[before as usize].1 = after,
        }
        match after {
            NONE => self.tail = before,
            after => self.links[after as usize].0 = before,
        }
        self.len -= 1;
    }
}

/// A binary heap that knows where each slot is.
#[derive(Debug)]
pub(super) struct Heap {
    entries: Vec<(Rank, u32)>,
    /// Index in `entries` by slot.
    places: Vec<u32>,
}

impl Heap {
    fn push(&mut self, slot: u32, rank: Rank) {
        if self.places.len() <= slot as usize {
            self.places.resize(slot as usize + 1, NONE);
        }
        self.entries.push((rank, slot));
        self.rise(self.entries.len() - 1);
    }

    fn remove(&mut self, slot: u32) {
        let place = self.places[slot as usize] as usize;
        self.entries.swap_remove(place);
        if place < self.entries.len() {
            self.rise(place);
            self.sink(place);
        }
    }

    /// Moves the entry at `place` up to where it belongs.
    fn rise(&mut self, mut place: usize) {
        while place > 0 && self.entries[place].0 < self.entries[(place - 1) / 2].0 {
            self.swap(place, (place - 1) / 2);
            place = (place - 1) / 2;
        }
        self.places[self.entries[place].1 as usize] = place as u32;
    }

    /// Moves the entry at `place` down to where it belongs.
    fn sink(&mut self, mut place: usize) {
        loop {
            let children = (2 * place + 1)..(2 * place + 3).min(self.entries.len());
            let Some(least) = children.min_by_key(|child| self.entries[*child].0) else { break };
            if self.entries[place].0 <= self.entries[least].0 {
                break;
            }
            self.swap(place, least);
            place = least;
        }
        self.places[self.entries[place].1 as usize] = place as u32;
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.entries.swap(a, b);
        for place in [a, b] {
            self.places[self.entries[place].1 as usize] = place as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rank(priority: i32, number: u64) -> Rank {
        Rank { priority, number }
    }

    #[test]
    fn those_that_ran_before_come_first() {
        let mut queue = Queue::new(Order::Fcfs);
        (0..4).for_each(|slot| queue.join(slot, rank(0, slot.into())));
        queue.rejoin(9, rank(0, 9));
        queue.remove(2);
        queue.remove(3);
        queue.join(5, rank(0, 5));
        assert_eq!((queue.all(), queue.len()), (vec![9, 0, 1, 5], 4));
        queue.remove(9);
        assert_eq!(queue.first(), Some(0));
        [0, 1, 5].into_iter().for_each(|slot| queue.remove(slot));
        assert_eq!((queue.first(), queue.len()), (None, 0));
    }

    #[test]
    fn by_priority_the_heap_gives_them_in_order_whatever_leaves() {
        let mut queue = Queue::new(Order::Priority);
        let priority = |slot: u32| (slot as i32 * 7919) % 13;
        for slot in 0..100 {
            let rank = rank(priority(slot), slot.into());
            if slot % 3 == 0 { queue.rejoin(slot, rank) } else { queue.join(slot, rank) }
        }
        (0..100).filter(|slot| slot % 4 == 1).for_each(|slot| queue.remove(slot));
        let mut expected: Vec<u32> = (0..100).filter(|slot| slot % 4 != 1).collect();
        expected.sort_by_key(|slot| (priority(*slot), *slot));
        let mut found = Vec::new();
        while let Some(slot) = queue.first() {
            queue.remove(slot);
            found.push(slot);
        }
        assert_eq!(found, expected);
    }
}
