//! The time integral of a step function.

use crate::units::SimTime;

/// An integer level that changes in steps, integrated over time without rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TimeWeighted {
    level: u64,
    since: SimTime,
    /// The integral up to `since`, level times nanoseconds.
    area: u128,
    max: u64,
}

impl TimeWeighted {
    /// A level of `level` from `start` on.
    pub fn new(level: u64, start: SimTime) -> Self {
        TimeWeighted { level, since: start, area: 0, max: level }
    }

    /// Changes the level at `now`.
    #[inline]
    pub fn set(&mut self, level: u64, now: SimTime) {
        self.area += u128::from(self.level) * u128::from(now.since(self.since).as_nanos());
        self.since = now;
        self.level = level;
        self.max = self.max.max(level);
    }

    /// The current level.
    pub fn level(&self) -> u64 {
        self.level
    }

    /// The highest level so far.
    pub fn max(&self) -> u64 {
        self.max
    }

    /// The integral up to `now` in level times nanoseconds, exact.
    pub fn area(&self, now: SimTime) -> u128 {
        self.area + u128::from(self.level) * u128::from(now.since(self.since).as_nanos())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integrates_steps() {
        let mut level = TimeWeighted::new(2, SimTime::from_nanos(10));
        level.set(5, SimTime::from_nanos(20));
        level.set(0, SimTime::from_nanos(24));
        assert_eq!(level.area(SimTime::from_nanos(100)), 2 * 10 + 5 * 4);
        assert_eq!(level.max(), 5);
    }
}
