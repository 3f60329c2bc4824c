//! A moving average that begins with the first value above zero.

use std::collections::VecDeque;

/// The average of the last values, without the zeros at the beginning.
#[derive(Debug, Clone, PartialEq)]
pub struct MovingAverage {
    values: VecDeque<f64>,
    sum: f64,
    size: usize,
    has_begun: bool,
}

impl MovingAverage {
    /// The average of the last `size` values.
    pub fn new(size: usize) -> Self {
        MovingAverage { values: VecDeque::new(), sum: 0.0, size: size.max(1), has_begun: false }
    }

    /// Adds a value; a negative one counts as 0.
    pub fn add(&mut self, value: f64) {
        self.has_begun |= value > 0.0;
        if !self.has_begun {
            return;
        }
        let value = value.max(0.0);
        self.values.push_back(value);
        self.sum += value;
        if self.values.len() > self.size {
            self.sum -= self.values.pop_front().unwrap_or(0.0);
        }
    }

    /// The average; 0 without values.
    pub fn value(&self) -> f64 {
        if self.values.is_empty() { 0.0 } else { self.sum / self.values.len() as f64 }
    }
}
