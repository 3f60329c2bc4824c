//! The set of open seats, with insertion, removal and choice in constant time.

/// A set of seats in insertion order; a removal moves the last seat into the gap.
#[derive(Debug, Default)]
pub(super) struct OpenSeats {
    list: Vec<u32>,
    /// Index into `list` by seat, `u32::MAX` if the seat is closed.
    place: Vec<u32>,
}

impl OpenSeats {
    pub(super) fn insert(&mut self, seat: u32) {
        let index = seat as usize;
        if index >= self.place.len() {
            self.place.resize(index + 1, u32::MAX);
        }
        if self.place[index] == u32::MAX {
            self.place[index] = self.list.len() as u32;
            self.list.push(seat);
        }
    }

    pub(super) fn remove(&mut self, seat: u32) {
        let Some(place) = self.place.get_mut(seat as usize) else { return };
        let at = std::mem::replace(place, u32::MAX);
        if at == u32::MAX {
            return;
        }
        self.list.swap_remove(at as usize);
        if let Some(moved) = self.list.get(at as usize) {
            self.place[*moved as usize] = at;
        }
    }

    #[inline]
    pub(super) fn len(&self) -> u32 {
        self.list.len() as u32
    }

    #[inline]
    pub(super) fn get(&self, index: u32) -> u32 {
        self.list[index as usize]
    }
}
