//! Load balancing: which replica gets the next request.
//!
//! A dispatcher is notified of every change of load and maintains its own index; it never scans all replicas. Replicas
//! are identified by their seat, a small number that is reused after the replica ends.

mod least_loaded;
mod power_of_two;
mod random;
mod recent;
mod round_robin;
mod seats;
mod weighted;

pub use least_loaded::LeastLoaded;
pub use power_of_two::PowerOfTwo;
pub use random::Random;
pub use recent::{FREE_SLOTS, LeastRecent, MostRecent, RandomFree};
pub use round_robin::RoundRobin;
pub use weighted::Weighted;

use crate::config::Plugin;
use crate::random::Draw;

/// Chooses a replica for each request.
pub trait Dispatcher: Send {
    /// Every replica has this many slots. Only a dispatcher that looks for free slots needs to know.
    fn limit(&mut self, _slots: u32) {}

    /// The replica that is opened next in `seat` is to be chosen before others that are as good.
    fn prefer(&mut self, _seat: u32) {}

    /// Adds the replica in `seat`, which holds `load` requests and has the relative speed `weight`.
    fn open(&mut self, seat: u32, load: u32, weight: f64);

    /// Removes the replica in `seat`, which holds `load` requests.
    fn close(&mut self, seat: u32, load: u32);

    /// The load of an open replica (requests waiting and in service) changed.
    fn load_changed(&mut self, seat: u32, from: u32, to: u32);

    /// Chooses the seat for the next request; `None` if no replica is open.
    fn choose(&mut self, draw: &mut Draw) -> Option<u32>;
}

impl<D: Dispatcher + ?Sized> Dispatcher for Box<D> {
    fn limit(&mut self, slots: u32) {
        (**self).limit(slots);
    }

    fn prefer(&mut self, seat: u32) {
        (**self).prefer(seat);
    }

    fn open(&mut self, seat: u32, load: u32, weight: f64) {
        (**self).open(seat, load, weight);
    }

    fn close(&mut self, seat: u32, load: u32) {
        (**self).close(seat, load);
    }

    fn load_changed(&mut self, seat: u32, from: u32, to: u32) {
        (**self).load_changed(seat, from, to);
    }

    fn choose(&mut self, draw: &mut Draw) -> Option<u32> {
        (**self).choose(draw)
    }
}

/// An entry in the list of dispatchers.
pub type DispatcherPlugin = Plugin<fn() -> Box<dyn Dispatcher>>;

/// Receives a dispatcher as a type, so that the code that asks it is compiled for it alone.
pub trait WithDispatcher {
    /// What is made of it.
    type Output;

    /// Makes it.
    fn with<D: Dispatcher + 'static>(self, dispatcher: D) -> Self::Output;
}

/// Declares the list of dispatchers, and the choice among their types.
macro_rules! dispatchers {
    ($($module:ident::$dispatcher:ident = $plugin:ident),* $(,)?) => {
        /// All dispatchers; the first is the default.
        pub const DISPATCHERS: &[DispatcherPlugin] = &[$($module::$plugin),*];

        /// Passes a new dispatcher of the list to `with` by its type; one that is not in the list, as a trait object.
        pub fn with_dispatcher<W: WithDispatcher>(plugin: &DispatcherPlugin, with: W) -> W::Output {
            $(
                if plugin.name == $module::$plugin.name {
                    return with.with($dispatcher::default());
                }
            )*
            with.with((plugin.build)())
        }
    };
}

dispatchers![
    least_loaded::LeastLoaded = PLUGIN,
    round_robin::RoundRobin = PLUGIN,
    random::Random = PLUGIN,
    power_of_two::PowerOfTwo = PLUGIN,
    weighted::Weighted = PLUGIN,
    recent::MostRecent = MOST,
    recent::LeastRecent = LEAST,
    recent::RandomFree = ANY,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Streams};
    use rstest::rstest;

    /// Properties of every dispatcher: it chooses only open seats, and eventually all of them.
    #[rstest]
    fn every_dispatcher_chooses_among_the_open(#[values(0, 1, 2, 3, 4)] which: usize) {
        let plugin = &DISPATCHERS[which];
        let mut dispatcher = (plugin.build)();
        let mut draw = Streams::new(5, 0).running(Purpose::Dispatch, 0);
        assert_eq!(dispatcher.choose(&mut draw), None);
        let mut loads = [0u32; 200];
        (0..200).for_each(|seat| dispatcher.open(seat, 0, 1.0));
        (0..100).for_each(|seat| dispatcher.close(seat * 2, 0));
        dispatcher.open(4, 7, 1.0);
        loads[4] = 7;
        let mut chosen = [0u32; 200];
        for _ in 0..20_000 {
            let seat = dispatcher.choose(&mut draw).unwrap();
            chosen[seat as usize] += 1;
            let load = &mut loads[seat as usize];
            dispatcher.load_changed(seat, *load, *load + 1);
            *load += 1;
        }
        for (seat, count) in chosen.iter().enumerate() {
            let open = seat % 2 == 1 || seat == 4;
            assert_eq!(*count > 0, open, "{}: seat {seat} chosen {count} times", plugin.name);
        }
        dispatcher.close(4, loads[4]);
        (0..100).for_each(|seat| dispatcher.close(seat * 2 + 1, loads[(seat * 2 + 1) as usize]));
        assert_eq!(dispatcher.choose(&mut draw), None, "{}", plugin.name);
    }
}
