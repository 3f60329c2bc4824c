//! The maximum over the last entries, for the scale-down delay.
//!
//! Source: `pkg/autoscaler/aggregation/max` of knative/serving.

use std::collections::VecDeque;

use crate::units::{NANOS_PER_SECOND, SimDuration, SimTime};

/// The maximum of the values whose index is among the last `size`.
#[derive(Debug, Clone, PartialEq)]
pub struct MaxWindow {
    /// Falling values with their indices: each is the largest of those recorded at or after it.
    maxima: VecDeque<(i64, i32)>,
    size: i64,
}

impl MaxWindow {
    /// An empty window over `size` indices, at least one.
    pub fn new(size: i64) -> Self {
        MaxWindow { maxima: VecDeque::new(), size: size.max(1) }
    }

    /// Records `value` at `index`.
    pub fn record(&mut self, index: i64, value: i32) {
        while self.maxima.back().is_some_and(|(_, last)| *last <= value) {
            self.maxima.pop_back();
        }
        while self.maxima.front().is_some_and(|(first, _)| index.saturating_sub(*first) >= self.size) {
            self.maxima.pop_front();
        }
        self.maxima.push_back((index, value));
    }

    /// The maximum; 0 if nothing was recorded.
    pub fn current(&self) -> i32 {
        self.maxima.front().map_or(0, |(_, value)| *value)
    }
}

/// The maximum over a time, in steps of whole seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct TimedMax {
    window: MaxWindow,
    step: u64,
}

impl TimedMax {
    /// An empty window of `length`, in steps of `step`.
    pub fn new(length: SimDuration, step: SimDuration) -> Self {
        let step = (step.as_nanos() / NANOS_PER_SECOND).max(1);
        let slots = length.as_nanos().div_ceil(step * NANOS_PER_SECOND);
        TimedMax { window: MaxWindow::new(i64::try_from(slots).unwrap_or(i64::MAX)), step }
    }

    /// Records `value` at `time`.
    pub fn record(&mut self, time: SimTime, value: i32) {
        let index = time.as_nanos() / NANOS_PER_SECOND / self.step;
        self.window.record(i64::try_from(index).unwrap_or(i64::MAX), value);
    }

    /// The maximum; 0 if nothing was recorded.
    pub fn current(&self) -> i32 {
        self.window.current()
    }
}
