//! Chooses the replicas in turn.

use super::{Dispatcher, DispatcherPlugin};
use crate::random::Draw;

pub(super) const PLUGIN: DispatcherPlugin = DispatcherPlugin {
    name: "round-robin",
    summary: "one ready replica after the other (nginx default, kube-proxy in IPVS mode)",
    source: "nginx upstream module, default method",
    build: || Box::new(RoundRobin::default()),
};

/// Cycles through the open replicas in order of their seats.
#[derive(Debug, Default)]
pub struct RoundRobin {
    /// Open seats in ascending order.
    open: Vec<u32>,
    /// Index of the next one.
    next: usize,
}

impl Dispatcher for RoundRobin {
    fn open(&mut self, seat: u32, _load: u32, _weight: f64) {
        if let Err(at) = self.open.binary_search(&seat) {
            if self.next >= self.open.len() {
                self.next = 0;
            }
            // The next seat stays the same.
            if at <= self.next && !self.open.is_empty() {
                self.next += 1;
            }
            self.open.insert(at, seat);
        }
    }

    fn close(&mut self, seat: u32, _load: u32) {
        if let Ok(at) = self.open.binary_search(&seat) {
            self.open.remove(at);
            if at < self.next {
                self.next -= 1;
            }
        }
    }

    #[inline]
    fn load_changed(&mut self, _seat: u32, _from: u32, _to: u32) {}

    #[inline]
    fn choose(&mut self, _draw: &mut Draw) -> Option<u32> {
        if self.next >= self.open.len() {
            self.next = 0;
        }
        let seat = *self.open.get(self.next)?;
        self.next += 1;
        Some(seat)
    }
}
