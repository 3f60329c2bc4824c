//! Compares forecasts with actual values.

use std::collections::VecDeque;

use super::Fitted;

/// The forecasts of the last origins whose steps have not all been observed.
#[derive(Debug, Clone, Default)]
pub(super) struct Pending {
    /// Mean forecasts, newest origin first.
    made: VecDeque<Vec<f64>>,
}

impl Pending {
    /// The errors (value - forecast) of one new value, by index of the step (0: one step ahead).
    pub fn errors(&self, value: f64) -> impl Iterator<Item = (usize, f64)> {
        let error = move |(index, made): (usize, &Vec<f64>)| made.get(index).map(|f| (index, value - f));
        self.made.iter().enumerate().filter_map(error).filter(|(_, e)| e.is_finite())
    }

    /// Stores a model's forecast of the next `horizon` values.
    pub fn note(&mut self, fitted: &dyn Fitted, horizon: usize) {
        self.made.push_front(fitted.forecast(horizon, &[]).mean);
        self.made.truncate(horizon);
    }
}

/// Updates a model with `values` one at a time and reports the errors of its forecasts.
pub(super) fn walk(
    fitted: &mut dyn Fitted,
    pending: &mut Pending,
    values: &[f64],
    horizon: usize,
    mut each: impl FnMut(usize, f64),
) {
    for value in values {
        pending.errors(*value).for_each(|(step, error)| each(step, error));
        fitted.update(&[*value]);
        pending.note(fitted, horizon);
    }
}

/// Number of values at the end of a series to hold back for calibration: a quarter, but at most `most`.
pub(super) fn held_back(length: usize, most: usize) -> usize {
    (length / 4).min(most)
}

#[cfg(test)]
mod tests {
    use super::super::{Forecaster, Naive, Series};
    use super::*;
    use crate::units::SimDuration;

    #[test]
    fn errors_meet_the_forecasts_of_their_own_origin() {
        let mut fitted = Naive.fit(&Series::new([10.0], SimDuration::from_secs(60))).unwrap();
        let (mut pending, mut seen) = (Pending::default(), Vec::new());
        pending.note(fitted.as_ref(), 2);
        walk(fitted.as_mut(), &mut pending, &[11.0, f64::NAN, 14.0], 2, |step, error| seen.push((step, error)));
        // 11 against 10; 14 against 11, forecast at the gap and before it.
        assert_eq!(seen, [(0, 1.0), (0, 3.0), (1, 3.0)]);
    }
}
