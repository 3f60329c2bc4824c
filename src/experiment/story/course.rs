//! The course of a story, as shown in a chart.

use crate::policy::Weighed;
use crate::units::SimTime;

/// A time span in which all decisions were the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Stretch {
    /// Time of the first decision.
    pub from: SimTime,
    /// When the decision after the last one is due.
    pub until: SimTime,
    /// The size decided.
    pub size: u32,
    /// The number of ready pods among them.
    pub ready: u32,
    /// What the policy compared; empty if it has no targets.
    pub weighed: Weighed,
}

impl Stretch {
    /// Appends to a course, merging with the last entry if possible.
    pub(super) fn join(self, course: &mut Vec<Stretch>) {
        match course.last_mut() {
            Some(last) if last.ends_as(&self) => last.until = self.until,
            _ => course.push(self),
        }
    }

    /// Whether `next` differs only in time.
    fn ends_as(&self, next: &Stretch) -> bool {
        (self.until, self.size, self.ready) == (next.from, next.size, next.ready) && self.weighed == next.weighed
    }
}
