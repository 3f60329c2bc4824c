//! The replica with the fewest requests.

use std::collections::BTreeSet;

use super::{Dispatcher, DispatcherPlugin};
use crate::random::Draw;

pub(super) const PLUGIN: DispatcherPlugin = DispatcherPlugin {
    name: "least-loaded",
    summary: "the ready replica with the fewest requests, waiting or in service (nginx least_conn)",
    source: "join the shortest queue (Winston 1977); nginx least_conn",
    build: || Box::new(LeastLoaded::default()),
};

/// Loads from here on are kept in an ordered set instead of a bitmap each.
const LEVELS: u32 = 256;

/// The seats at one level of load: a bitmap and a bitmap of its non-empty words.
#[derive(Debug, Default, Clone)]
struct Level {
    words: Vec<u64>,
    summary: Vec<u64>,
    count: u32,
}

impl Level {
    #[inline]
    fn insert(&mut self, seat: u32) {
        let word = (seat >> 6) as usize;
        if word >= self.words.len() {
            self.grow(word + 1);
        }
        self.words[word] |= 1 << (seat & 63);
        self.summary[word >> 6] |= 1 << (word & 63);
        self.count += 1;
    }

    #[cold]
    fn grow(&mut self, words: usize) {
        let words = words.next_power_of_two();
        self.words.resize(words, 0);
        self.summary.resize(words.div_ceil(64), 0);
    }

    #[inline]
    fn remove(&mut self, seat: u32) {
        let word = (seat >> 6) as usize;
        self.words[word] &= !(1 << (seat & 63));
        if self.words[word] == 0 {
            self.summary[word >> 6] &= !(1 << (word & 63));
        }
        self.count -= 1;
    }

    #[inline]
    fn first(&self) -> Option<u32> {
        let (block, bits) = self.summary.iter().enumerate().find(|(_, bits)| **bits != 0)?;
        let word = (block << 6) + bits.trailing_zeros() as usize;
        Some((word << 6) as u32 + self.words[word].trailing_zeros())
    }
}

/// Join the shortest queue; among equals the lowest seat. Every operation takes constant time for loads below 256, whatever
/// the size of the pool, and logarithmic time above.
#[derive(Debug)]
pub struct LeastLoaded {
    levels: Vec<Level>,
    /// The lowest non-empty level, `LEVELS` if all are empty.
    lowest: u32,
    /// Open seats with a load of `LEVELS` or more.
    heavy: BTreeSet<(u32, u32)>,
}

impl Default for LeastLoaded {
    fn default() -> Self {
        LeastLoaded { levels: vec![Level::default(); LEVELS as usize], lowest: LEVELS, heavy: BTreeSet::new() }
    }
}

impl LeastLoaded {
    #[inline]
    fn insert(&mut self, seat: u32, load: u32) {
        if load >= LEVELS {
            self.heavy.insert((load, seat));
            return;
        }
        self.levels[load as usize].insert(seat);
        self.lowest = self.lowest.min(load);
    }

    #[inline]
    fn remove(&mut self, seat: u32, load: u32) {
        if load >= LEVELS {
            self.heavy.remove(&(load, seat));
            return;
        }
        self.levels[load as usize].remove(seat);
    }

    #[inline]
    fn settle(&mut self) {
        while self.lowest < LEVELS && self.levels[self.lowest as usize].count == 0 {
            self.lowest += 1;
        }
    }
}

impl Dispatcher for LeastLoaded {
    fn open(&mut self, seat: u32, load: u32, _weight: f64) {
        self.insert(seat, load);
    }

    fn close(&mut self, seat: u32, load: u32) {
        self.remove(seat, load);
        self.settle();
    }

    #[inline]
    fn load_changed(&mut self, seat: u32, from: u32, to: u32) {
        self.remove(seat, from);
        self.insert(seat, to);
        self.settle();
    }

    #[inline]
    fn choose(&mut self, _draw: &mut Draw) -> Option<u32> {
        if self.lowest < LEVELS {
            return self.levels[self.lowest as usize].first();
        }
        self.heavy.first().map(|(_, seat)| *seat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Streams};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn chooses_as_a_scan_would(steps in prop::collection::vec((0u32..150, 0u32..600, any::<bool>()), 1..300)) {
            let mut dispatcher = LeastLoaded::default();
            let mut draw = Streams::new(1, 0).running(Purpose::Dispatch, 0);
            let mut loads: Vec<Option<u32>> = vec![None; 150];
            for (seat, load, close) in steps {
                match loads[seat as usize] {
                    None => dispatcher.open(seat, load, 1.0),
                    Some(from) if close => dispatcher.close(seat, from),
                    Some(from) => dispatcher.load_changed(seat, from, load),
                }
                loads[seat as usize] = if close && loads[seat as usize].is_some() { None } else { Some(load) };
                let scan = loads.iter().enumerate().filter_map(|(s, l)| l.map(|l| (l, s as u32))).min();
                prop_assert_eq!(dispatcher.choose(&mut draw), scan.map(|(_, seat)| seat));
            }
        }
    }
}
