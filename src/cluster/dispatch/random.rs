//! Chooses uniformly among the open replicas.

use super::{Dispatcher, DispatcherPlugin, seats::OpenSeats};
use crate::random::Draw;

pub(super) const PLUGIN: DispatcherPlugin = DispatcherPlugin {
    name: "random",
    summary: "every ready replica equally likely (kube-proxy in iptables mode)",
    source: "kube-proxy iptables mode: statistic match with equal probabilities",
    build: || Box::new(Random::default()),
};

/// Chooses uniformly at random. Splits a Poisson stream into independent Poisson streams.
#[derive(Debug, Default)]
pub struct Random {
    seats: OpenSeats,
}

impl Dispatcher for Random {
    fn open(&mut self, seat: u32, _load: u32, _weight: f64) {
        self.seats.insert(seat);
    }

    fn close(&mut self, seat: u32, _load: u32) {
        self.seats.remove(seat);
    }

    #[inline]
    fn load_changed(&mut self, _seat: u32, _from: u32, _to: u32) {}

    #[inline]
    fn choose(&mut self, draw: &mut Draw) -> Option<u32> {
        let open = self.seats.len();
        (open > 0).then(|| self.seats.get(draw.index(open)))
    }
}
