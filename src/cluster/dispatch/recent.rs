//! Among the replicas with a free slot, the one that was used last, the one that has rested longest, or any.

use super::seats::OpenSeats;
use super::{Dispatcher, DispatcherPlugin};
use crate::random::Draw;

/// The entry of [`MostRecent`] in the list of dispatchers.
pub(super) const MOST: DispatcherPlugin = DispatcherPlugin {
    name: "most-recent",
    summary: "of the replicas with a free slot, the one that was used last, so that the others can be let go",
    source: "AWS Lambda, as measured by Wang et al. 2018 (USENIX ATC), section 5",
    build: || Box::new(MostRecent::default()),
};

/// The entry of [`LeastRecent`] in the list of dispatchers.
pub(super) const LEAST: DispatcherPlugin = DispatcherPlugin {
    name: "least-recent",
    summary: "of the replicas with a free slot, the one that has rested longest",
    source: "least recently used, as OpenWhisk's free pool",
    build: || Box::new(LeastRecent::default()),
};

/// The entry of [`RandomFree`] in the list of dispatchers.
pub(super) const ANY: DispatcherPlugin = DispatcherPlugin {
    name: "random-free",
    summary: "of the replicas with a free slot, one at random",
    source: "uniform choice, independent of the past",
    build: || Box::new(RandomFree::default()),
};

/// The dispatchers that choose nobody where all slots are taken, by name: for requests that wait for a slot at an ingress.
pub const FREE_SLOTS: [&str; 3] = [MOST.name, LEAST.name, ANY.name];

/// No seat.
const NONE: u32 = u32::MAX;

/// A seat's place in a list.
#[derive(Debug, Clone, Copy)]
struct Link {
    before: u32,
    after: u32,
    /// Whether it is in a list.
    listed: bool,
    /// Whether its replica is open.
    open: bool,
    /// Number of the list.
    list: u8,
}

const APART: Link = Link { before: NONE, after: NONE, listed: false, open: false, list: 1 };

/// The seats with a free slot in the order in which they got it, preferred ones apart. All operations take constant time.
#[derive(Debug)]
struct Rested {
    links: Vec<Link>,
    /// First and last seat of both lists: preferred seats and the others.
    ends: [(u32, u32); 2],
    slots: u32,
}

impl Default for Rested {
    fn default() -> Self {
        Rested { links: Vec::new(), ends: [(NONE, NONE); 2], slots: 1 }
    }
}

impl Rested {
    fn link(&mut self, seat: u32) -> &mut Link {
        let index = seat as usize;
        if index >= self.links.len() {
            self.links.resize(index + 1, APART);
        }
        &mut self.links[index]
    }

    fn prefer(&mut self, seat: u32) {
        self.link(seat).list = 0;
    }

    fn open(&mut self, seat: u32, load: u32) {
        self.link(seat).open = true;
        if load < self.slots {
            self.push(seat);
        }
    }

    fn close(&mut self, seat: u32) {
        self.remove(seat);
        *self.link(seat) = APART;
    }

    fn load_changed(&mut self, seat: u32, from: u32, to: u32) {
        if to >= self.slots {
            self.remove(seat);
        } else if from >= self.slots {
            self.push(seat);
        }
    }

    fn push(&mut self, seat: u32) {
        let Link { listed, open, list, .. } = *self.link(seat);
        if listed || !open {
            return;
        }
        let (first, last) = &mut self.ends[usize::from(list)];
        let before = std::mem::replace(last, seat);
        if before == NONE {
            *first = seat;
        } else {
            self.links[before as usize].after = seat;
        }
        self.links[seat as usize] = Link { before, after: NONE, listed: true, open, list };
    }

    fn remove(&mut self, seat: u32) {
        let Link { before, after, listed, open, list } = *self.link(seat);
        if !listed {
            return;
        }
        let (first, last) = &mut self.ends[usize::from(list)];
        match before {
            NONE => *first = after,
            before => self.links[before as usize].after = after,
        }
        match after {
            NONE => *last = before,
            after => self.links[after as usize].before = before,
        }
        self.links[seat as usize] = Link { before: NONE, after: NONE, listed: false, open, list };
    }

    /// The first seat, preferred ones before others.
    fn oldest(&self) -> Option<u32> {
        self.ends.iter().map(|(first, _)| *first).find(|seat| *seat != NONE)
    }

    /// The last seat, preferred ones before others.
    fn newest(&self) -> Option<u32> {
        self.ends.iter().map(|(_, last)| *last).find(|seat| *seat != NONE)
    }
}

macro_rules! by_rest {
    ($name:ident, $choice:ident, $what:literal) => {
        #[doc = $what]
        #[derive(Debug, Default)]
        pub struct $name(Rested);

        impl Dispatcher for $name {
            fn limit(&mut self, slots: u32) {
                self.0.slots = slots;
            }

            fn prefer(&mut self, seat: u32) {
                self.0.prefer(seat);
            }

            fn open(&mut self, seat: u32, load: u32, _weight: f64) {
                self.0.open(seat, load);
            }

            fn close(&mut self, seat: u32, _load: u32) {
                self.0.close(seat);
            }

            #[inline]
            fn load_changed(&mut self, seat: u32, from: u32, to: u32) {
                self.0.load_changed(seat, from, to);
            }

            #[inline]
            fn choose(&mut self, _draw: &mut Draw) -> Option<u32> {
                self.0.$choice()
            }
        }
    };
}

by_rest!(MostRecent, newest, "The replica with a free slot that was used last; `None` if all are full.");
by_rest!(LeastRecent, oldest, "The replica with a free slot that has rested longest; `None` if all are full.");

/// A replica with a free slot, at random; `None` if all are full.
#[derive(Debug)]
pub struct RandomFree {
    free: OpenSeats,
    open: Vec<bool>,
    slots: u32,
}

impl Default for RandomFree {
    fn default() -> Self {
        RandomFree { free: OpenSeats::default(), open: Vec::new(), slots: 1 }
    }
}

impl RandomFree {
    fn set_open(&mut self, seat: u32, open: bool) {
        let index = seat as usize;
        if index >= self.open.len() {
            self.open.resize(index + 1, false);
        }
        self.open[index] = open;
    }
}

impl Dispatcher for RandomFree {
    fn limit(&mut self, slots: u32) {
        self.slots = slots;
    }

    fn open(&mut self, seat: u32, load: u32, _weight: f64) {
        self.set_open(seat, true);
        if load < self.slots {
            self.free.insert(seat);
        }
    }

    fn close(&mut self, seat: u32, _load: u32) {
        self.set_open(seat, false);
        self.free.remove(seat);
    }

    fn load_changed(&mut self, seat: u32, _from: u32, to: u32) {
        if to >= self.slots {
            self.free.remove(seat);
        } else if self.open[seat as usize] {
            self.free.insert(seat);
        }
    }

    fn choose(&mut self, draw: &mut Draw) -> Option<u32> {
        match self.free.len() {
            0 => None,
            free => Some(self.free.get(draw.index(free))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Streams};

    fn draw() -> Draw {
        Streams::new(1, 0).running(Purpose::Dispatch, 0)
    }

    #[test]
    fn the_last_used_comes_first() {
        let mut most = MostRecent::default();
        (0..3).for_each(|seat| most.open(seat, 0, 1.0));
        for (busy, chosen) in [(None, Some(2)), (Some(2), Some(1)), (Some(1), Some(0)), (Some(0), None)] {
            if let Some(seat) = busy {
                most.load_changed(seat, 0, 1);
            }
            assert_eq!(most.choose(&mut draw()), chosen);
        }
        for seat in [1, 0, 2] {
            most.load_changed(seat, 1, 0);
        }
        assert_eq!(most.choose(&mut draw()), Some(2));
        most.close(2, 0);
        assert_eq!(most.choose(&mut draw()), Some(0));
    }

    #[test]
    fn the_longest_rested_comes_first() {
        let mut least = LeastRecent::default();
        (0..3).for_each(|seat| least.open(seat, 0, 1.0));
        least.load_changed(0, 0, 1);
        assert_eq!(least.choose(&mut draw()), Some(1));
        least.load_changed(0, 1, 0);
        least.load_changed(1, 0, 1);
        assert_eq!(least.choose(&mut draw()), Some(2));
        least.close(2, 0);
        assert_eq!(least.choose(&mut draw()), Some(0));
    }

    #[test]
    fn preferred_seats_come_before_all_others() {
        let mut most = MostRecent::default();
        most.prefer(0);
        (0..3).for_each(|seat| most.open(seat, 0, 1.0));
        assert_eq!(most.choose(&mut draw()), Some(0));
        most.load_changed(0, 0, 1);
        assert_eq!(most.choose(&mut draw()), Some(2));
        most.load_changed(0, 1, 0);
        assert_eq!(most.choose(&mut draw()), Some(0));
        // The next replica in the seat is not preferred.
        most.close(0, 0);
        most.open(0, 0, 1.0);
        most.load_changed(2, 0, 1);
        most.load_changed(2, 1, 0);
        assert_eq!(most.choose(&mut draw()), Some(2));
    }

    #[test]
    fn any_free_one_is_chosen() {
        let (mut any, mut draw) = (RandomFree::default(), draw());
        (0..4).for_each(|seat| any.open(seat, 0, 1.0));
        any.load_changed(1, 0, 1);
        any.close(3, 0);
        let mut chosen = [0; 4];
        (0..1000).for_each(|_| chosen[any.choose(&mut draw).unwrap() as usize] += 1);
        assert!(chosen[0] > 400 && chosen[2] > 400 && chosen[1] + chosen[3] == 0, "{chosen:?}");
        any.load_changed(1, 1, 0);
        any.close(0, 0);
        any.load_changed(2, 0, 1);
        assert_eq!(any.choose(&mut draw), Some(1));
    }

    #[test]
    fn a_seat_with_several_slots_is_free_until_all_are_taken() {
        let mut most = MostRecent::default();
        most.limit(2);
        most.open(0, 0, 1.0);
        most.load_changed(0, 0, 1);
        assert_eq!(most.choose(&mut draw()), Some(0));
        most.load_changed(0, 1, 2);
        assert_eq!(most.choose(&mut draw()), None);
    }
}
