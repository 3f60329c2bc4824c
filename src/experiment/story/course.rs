//! The course of a story: what a chart of it shows.

use crate::policy::Weighed;
use crate::units::SimTime;

/// A stretch of time in which every decision came out the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Stretch {
    /// The first of its decisions.
    pub from: SimTime,
    /// When the next decision is due after the last of them.
    pub until: SimTime,
    /// The size decided.
    pub size: u32,
    /// Of these, the pods that are ready.
    pub ready: u32,
    /// What the policy compared; empty of a policy that follows no target.
    pub weighed: Weighed,
}

impl Stretch {
    /// Takes its place at the end of a course.
    pub(super) fn join(self, course: &mut Vec<Stretch>) {
        match course.last_mut() {
            Some(last) if last.ends_as(&self) => last.until = self.until,
            _ => course.push(self),
        }
    }

    /// Whether nothing but time tells `next` apart.
    fn ends_as(&self, next: &Stretch) -> bool {
        (self.until, self.size, self.ready) == (next.from, next.size, next.ready) && self.weighed == next.weighed
    }
}
