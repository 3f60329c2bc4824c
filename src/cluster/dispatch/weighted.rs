//! Weighted round robin.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{Dispatcher, DispatcherPlugin};
use crate::random::Draw;

pub(super) const PLUGIN: DispatcherPlugin = DispatcherPlugin {
    name: "weighted",
    summary: "shares in proportion to the speed of each replica's node, evenly interleaved (Envoy weighted round robin)",
    source: "earliest-deadline-first weighted round robin, as in Envoy's EdfScheduler",
    build: || Box::new(Weighted::default()),
};

/// A turn of an open replica, ordered by deadline, then seat.
#[derive(Debug, PartialEq)]
struct Turn {
    deadline: f64,
    seat: u32,
    /// Counts the openings of the seat; a turn from an earlier opening is stale.
    opening: u32,
}

impl Eq for Turn {}

impl PartialOrd for Turn {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Turn {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.deadline.total_cmp(&other.deadline).then(self.seat.cmp(&other.seat))
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Weight {
    open: bool,
    opening: u32,
    stride: f64,
}

/// Each open replica has a deadline. The earliest deadline is chosen, and its next one is 1/weight later.
#[derive(Debug, Default)]
pub struct Weighted {
    turns: BinaryHeap<Reverse<Turn>>,
    weights: Vec<Weight>,
    /// Deadline of the last turn: the current virtual time.
    present: f64,
}

impl Dispatcher for Weighted {
    fn open(&mut self, seat: u32, _load: u32, weight: f64) {
        if seat as usize >= self.weights.len() {
            self.weights.resize(seat as usize + 1, Weight::default());
        }
        let entry = &mut self.weights[seat as usize];
        *entry = Weight { open: true, opening: entry.opening + 1, stride: 1.0 / weight.max(1e-9) };
        let deadline = self.present + entry.stride;
        self.turns.push(Reverse(Turn { deadline, seat, opening: entry.opening }));
    }

    fn close(&mut self, seat: u32, _load: u32) {
        if let Some(entry) = self.weights.get_mut(seat as usize) {
            entry.open = false;
        }
    }

    #[inline]
    fn load_changed(&mut self, _seat: u32, _from: u32, _to: u32) {}

    fn choose(&mut self, _draw: &mut Draw) -> Option<u32> {
        while let Some(Reverse(turn)) = self.turns.pop() {
            let weight = self.weights[turn.seat as usize];
            if weight.open && weight.opening == turn.opening {
                self.present = turn.deadline;
                self.turns.push(Reverse(Turn { deadline: turn.deadline + weight.stride, ..turn }));
                return Some(turn.seat);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Streams};

    #[test]
    fn shares_follow_the_weights() {
        let mut dispatcher = Weighted::default();
        [(0, 1.0), (1, 2.0), (2, 0.5)].into_iter().for_each(|(seat, weight)| dispatcher.open(seat, 0, weight));
        let mut draw = Streams::new(1, 0).running(Purpose::Dispatch, 0);
        let mut chosen = [0u32; 3];
        (0..3500).for_each(|_| chosen[dispatcher.choose(&mut draw).unwrap() as usize] += 1);
        assert!(chosen[0].abs_diff(1000) <= 1 && chosen[1].abs_diff(2000) <= 1 && chosen[2].abs_diff(500) <= 1);
    }
}
