//! The less loaded of two replicas chosen at random.

use super::{Dispatcher, DispatcherPlugin, seats::OpenSeats};
use crate::random::Draw;

pub(super) const PLUGIN: DispatcherPlugin = DispatcherPlugin {
    name: "power-of-two",
    summary: "the less loaded of two ready replicas chosen at random (Envoy LEAST_REQUEST, nginx random two)",
    source: "Mitzenmacher 2001, The power of two choices in randomized load balancing",
    build: || Box::new(PowerOfTwo::default()),
};

/// Draws two distinct open replicas and takes the one with fewer requests, or the first drawn if they are equal.
#[derive(Debug, Default)]
pub struct PowerOfTwo {
    seats: OpenSeats,
    loads: Vec<u32>,
}

impl Dispatcher for PowerOfTwo {
    fn open(&mut self, seat: u32, load: u32, _weight: f64) {
        self.seats.insert(seat);
        if seat as usize >= self.loads.len() {
            self.loads.resize(seat as usize + 1, 0);
        }
        self.loads[seat as usize] = load;
    }

    fn close(&mut self, seat: u32, _load: u32) {
        self.seats.remove(seat);
    }

    #[inline]
    fn load_changed(&mut self, seat: u32, _from: u32, to: u32) {
        self.loads[seat as usize] = to;
    }

    #[inline]
    fn choose(&mut self, draw: &mut Draw) -> Option<u32> {
        let open = self.seats.len();
        if open < 2 {
            return (open == 1).then(|| self.seats.get(0));
        }
        let first = draw.index(open);
        // Drawn among the others, so that the two are distinct.
        let second = (first + 1 + draw.index(open - 1)) % open;
        let (a, b) = (self.seats.get(first), self.seats.get(second));
        Some(if self.loads[b as usize] < self.loads[a as usize] { b } else { a })
    }
}
