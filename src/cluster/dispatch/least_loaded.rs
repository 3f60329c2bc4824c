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

/// Loads from this value on are kept in an ordered set instead of one bitmap per load.
const LEVELS: u32 = 256;

/// Join the shortest queue, with ties going to the lowest seat. All operations take constant time for loads below 256,
/// whatever the number of seats, and logarithmic time above.
#[derive(Debug)]
pub struct LeastLoaded {
    /// One bitmap of seats per level of load, `words` words each.
    seats: Vec<u64>,
    /// One bitmap of non-empty words per level, `blocks` words each.
    filled: Vec<u64>,
    words: usize,
    blocks: usize,
    /// The lowest level that holds a seat; `LEVELS` if none does.
    lowest: u32,
    /// Open seats with a load of `LEVELS` or more.
    heavy: BTreeSet<(u32, u32)>,
    /// The number of open seats.
    open: u32,
    /// If exactly one seat is open: that seat and its load, which are then in no index.
    only: (u32, u32),
}

impl Default for LeastLoaded {
    fn default() -> Self {
        let levels = LEVELS as usize;
        LeastLoaded {
            seats: vec![0; levels],
            filled: vec![0; levels],
            words: 1,
            blocks: 1,
            lowest: LEVELS,
            heavy: BTreeSet::new(),
            open: 0,
            only: (0, 0),
        }
    }
}

impl LeastLoaded {
    #[cold]
    fn insert_heavy(&mut self, seat: u32, load: u32) {
        self.heavy.insert((load, seat));
    }

    #[cold]
    fn remove_heavy(&mut self, seat: u32, load: u32) {
        self.heavy.remove(&(load, seat));
    }

    #[inline(always)]
    fn insert(&mut self, seat: u32, load: u32) {
        if load >= LEVELS {
            self.insert_heavy(seat, load);
            return;
        }
        let word = (seat >> 6) as usize;
        self.seats[load as usize * self.words + word] |= 1 << (seat & 63);
        self.filled[load as usize * self.blocks + (word >> 6)] |= 1 << (word & 63);
        self.lowest = self.lowest.min(load);
    }

    #[inline(always)]
    fn remove(&mut self, seat: u32, load: u32) {
        if load >= LEVELS {
            self.remove_heavy(seat, load);
            return;
        }
        let word = (seat >> 6) as usize;
        let bits = &mut self.seats[load as usize * self.words + word];
        *bits &= !(1 << (seat & 63));
        if *bits == 0 {
            self.filled[load as usize * self.blocks + (word >> 6)] &= !(1 << (word & 63));
        }
    }

    /// The lowest seat at `load`.
    #[inline]
    fn first(&self, load: u32) -> Option<u32> {
        let level = load as usize;
        let blocks = &self.filled[level * self.blocks..(level + 1) * self.blocks];
        let (block, bits) = blocks.iter().enumerate().find(|(_, bits)| **bits != 0)?;
        let word = (block << 6) + bits.trailing_zeros() as usize;
        Some((word << 6) as u32 + self.seats[level * self.words + word].trailing_zeros())
    }

    /// The open seat with the lowest load (the lowest seat among equals), and its load.
    #[inline]
    fn lightest(&mut self) -> Option<(u32, u32)> {
        while self.lowest < LEVELS {
            if let Some(seat) = self.first(self.lowest) {
                return Some((seat, self.lowest));
            }
            self.lowest += 1;
        }
        self.heavy.first().map(|(load, seat)| (*seat, *load))
    }

    /// Makes room for seats up to `seat` in every level.
    #[cold]
    fn widen(&mut self, seat: u32) {
        let words = ((seat >> 6) as usize + 1).next_power_of_two();
        let blocks = words.div_ceil(64);
        self.seats = spread(&self.seats, self.words, words);
        self.filled = spread(&self.filled, self.blocks, blocks);
        (self.words, self.blocks) = (words, blocks);
    }
}

/// The same rows, with each row widened from `from` to `to` words.
fn spread(rows: &[u64], from: usize, to: usize) -> Vec<u64> {
    let padding = vec![0; to - from];
    rows.chunks(from).flat_map(|row| row.iter().chain(&padding)).copied().collect()
}

impl Dispatcher for LeastLoaded {
    fn open(&mut self, seat: u32, load: u32, _weight: f64) {
        if (seat >> 6) as usize >= self.words {
            self.widen(seat);
        }
        self.open += 1;
        if self.open == 1 {
            self.only = (seat, load);
            return;
        }
        if self.open == 2 {
            let (first, its_load) = self.only;
            self.insert(first, its_load);
        }
        self.insert(seat, load);
    }

    fn close(&mut self, seat: u32, load: u32) {
        self.open -= 1;
        if self.open > 0 {
            self.remove(seat, load);
        }
        if self.open == 1 {
            self.only = self.lightest().unwrap_or_default();
            let (last, its_load) = self.only;
            self.remove(last, its_load);
        }
    }

    #[inline(always)]
    fn load_changed(&mut self, seat: u32, from: u32, to: u32) {
        if self.open == 1 {
            self.only.1 = to;
            return;
        }
        self.remove(seat, from);
        self.insert(seat, to);
    }

    #[inline]
    fn choose(&mut self, _draw: &mut Draw) -> Option<u32> {
        match self.open {
            0 => None,
            1 => Some(self.only.0),
            _ => self.lightest().map(|(seat, _)| seat),
        }
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
