//! What kthena remembers: recommendations of a window, and sizes of a period.

use std::collections::VecDeque;

use crate::units::{SimDuration, SimTime};

/// Values with their times, for a window. A value exactly as old as the window counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    values: VecDeque<(SimTime, i64)>,
    length: SimDuration,
}

impl Window {
    /// An empty window of this length.
    pub fn new(length: SimDuration) -> Self {
        Window { values: VecDeque::new(), length }
    }

    /// Adds a value, and forgets what no window can need: of the values that are too old the last one stays, because it
    /// held when the window began.
    pub fn push(&mut self, now: SimTime, value: i64) {
        self.values.push_back((now, value));
        while self.values.get(1).is_some_and(|(at, _)| now.since(*at) > self.length) {
            self.values.pop_front();
        }
    }

    /// The values recorded within the window.
    pub fn recorded(&self, now: SimTime) -> impl Iterator<Item = i64> {
        self.values.iter().filter(move |(at, _)| now.since(*at) <= self.length).map(|(_, value)| *value)
    }

    /// The values that held at some time within the window: those recorded, and the one before.
    pub fn held(&self, now: SimTime) -> impl Iterator<Item = i64> {
        let first = self.values.iter().position(|(at, _)| now.since(*at) <= self.length).unwrap_or(self.values.len());
        self.values.iter().skip(first.saturating_sub(1)).map(|(_, value)| *value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_before_the_window_held_in_it() {
        let mut window = Window::new(SimDuration::from_secs(60));
        for (at, value) in [(0, 9), (30, 5), (100, 7)] {
            window.push(SimTime::from_secs(at), value);
        }
        let at = SimTime::from_secs(160);
        assert_eq!(window.recorded(at).collect::<Vec<_>>(), [7]);
        assert_eq!(window.held(at).collect::<Vec<_>>(), [5, 7]);
        assert_eq!(window.held(SimTime::from_secs(500)).collect::<Vec<_>>(), [7]);
    }
}
