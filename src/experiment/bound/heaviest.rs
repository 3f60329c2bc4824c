//! The sum of the largest of many numbers, in memory that does not grow with their count.

use std::ops::RangeInclusive;

/// Right shift from the bits of a number to its cell, 64 cells per doubling: positive binary64 numbers sort like their bits.
const CELL_BITS: u32 = 46;

/// Counts and sums of nonnegative numbers in narrow cells. The numbers themselves are not kept.
#[derive(Debug, Clone)]
pub(super) struct Heaviest {
    cells: Vec<Cell>,
    count: u64,
}

#[derive(Debug, Clone, Copy)]
struct Cell {
    count: u64,
    sum: f64,
    least: f64,
    greatest: f64,
}

impl Default for Cell {
    fn default() -> Self {
        Cell { count: 0, sum: 0.0, least: f64::INFINITY, greatest: 0.0 }
    }
}

/// The sum of the largest numbers, as far as the cells determine it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Top {
    /// The sum.
    Known(f64),
    /// The sum of the numbers in all higher cells; the `more` largest numbers of one cell have to be added by a second
    /// pass over the numbers.
    Within {
        /// The sum of the higher cells, in the unit of the numbers.
        above: f64,
        /// How many of the cell's numbers are among the largest.
        more: usize,
        /// Index of the cell.
        cell: usize,
    },
}

impl Heaviest {
    pub(super) fn new() -> Self {
        Heaviest { cells: Vec::new(), count: 0 }
    }

    /// The cell of a number.
    pub(super) fn cell(value: f64) -> usize {
        (value.to_bits() >> CELL_BITS) as usize
    }

    /// Adds a nonnegative number.
    pub(super) fn add(&mut self, value: f64) {
        let cell = Self::cell(value);
        if cell >= self.cells.len() {
            self.cells.resize(cell + 1, Cell::default());
        }
        let cell = &mut self.cells[cell];
        cell.count += 1;
        cell.sum += value;
        cell.least = cell.least.min(value);
        cell.greatest = cell.greatest.max(value);
        self.count += 1;
    }

    /// The sum of the `most` largest numbers, as far as it is known.
    pub(super) fn top(&self, most: u64) -> Top {
        let mut left = most.min(self.count);
        let mut above = 0.0;
        for (index, cell) in self.cells.iter().enumerate().rev() {
            if left == 0 {
                break;
            }
            if cell.count > left {
                if cell.least == cell.greatest {
                    return Top::Known(above + cell.greatest * left as f64);
                }
                return Top::Within { above, more: left as usize, cell: index };
            }
            above += cell.sum;
            left -= cell.count;
        }
        Top::Known(above)
    }
}

/// The numbers of a few cells, in the order in which they came: those around the cell that a share of the largest ends
/// in, as far as that can be told from the first of them.
#[derive(Debug, Clone)]
pub(super) struct Around {
    /// The share of the numbers that are among the largest.
    share: f64,
    /// The cells kept; all of them at first.
    cells: RangeInclusive<usize>,
    /// The numbers kept; `None` if they are too many.
    kept: Option<Vec<f64>>,
}

/// The numbers by which the cells are chosen.
const FIRST: u64 = 1 << 16;
/// Cells kept on either side.
const REACH: usize = 4;
/// The most numbers kept: 32 MB.
const MOST_KEPT: usize = 4_000_000;

impl Around {
    pub(super) fn new(share: f64) -> Self {
        Around { share, cells: 0..=usize::MAX, kept: Some(Vec::new()) }
    }

    /// Adds a number that was just added to `all`.
    pub(super) fn add(&mut self, value: f64, all: &Heaviest) {
        let Some(kept) = &mut self.kept else { return };
        let cell = Heaviest::cell(value);
        if self.cells.contains(&cell) {
            kept.push(value);
        }
        if all.count == FIRST {
            self.narrow(all);
        } else if kept.len() > MOST_KEPT {
            self.kept = None;
        }
    }

    /// Chooses the cells.
    fn narrow(&mut self, all: &Heaviest) {
        match (all.top((self.share * all.count as f64) as u64), &mut self.kept) {
            (Top::Within { cell, .. }, Some(kept)) => {
                self.cells = cell.saturating_sub(REACH)..=cell.saturating_add(REACH);
                kept.retain(|value| self.cells.contains(&Heaviest::cell(*value)));
            }
            _ => self.kept = None,
        }
    }

    /// The numbers of a cell, in the order in which they came, if they were kept.
    pub(super) fn of(&self, cell: usize) -> Option<Vec<f64>> {
        let kept = self.kept.as_ref().filter(|_| self.cells.contains(&cell))?;
        Some(kept.iter().copied().filter(|value| Heaviest::cell(*value) == cell).collect())
    }
}

/// The sum of the `most` largest of the numbers.
pub(super) fn sum_of_largest(mut values: Vec<f64>, most: usize) -> f64 {
    if most < values.len() && most > 0 {
        values.select_nth_unstable_by(most, |a, b| b.total_cmp(a));
    }
    values.iter().take(most).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What is kept of a cell is what a second pass would find, whether or not the values drift.
    #[test]
    fn the_numbers_around_the_end_of_the_largest_are_kept() {
        for (drift, told) in [(0.0, true), (1e-5, false)] {
            let mut state = 1u64;
            let mut next = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 11) as f64 / (1u64 << 53) as f64
            };
            let values: Vec<f64> = (0..200_000).map(|n| (1.0 + drift * f64::from(n)) * (0.1 - next().ln())).collect();
            let (mut all, mut around) = (Heaviest::new(), Around::new(0.01));
            for value in &values {
                all.add(*value);
                around.add(*value, &all);
            }
            let Top::Within { cell, .. } = all.top(2_000) else { panic!("a cell is divided") };
            let found = around.of(cell);
            let second: Vec<f64> = values.into_iter().filter(|value| Heaviest::cell(*value) == cell).collect();
            assert_eq!(found, told.then_some(second), "drift {drift}");
            assert!(around.kept.unwrap().len() < 20_000);
        }
        let mut few = (Heaviest::new(), Around::new(0.5));
        for value in [3.0, 1.0, 3.01, 2.0] {
            few.0.add(value);
            few.1.add(value, &few.0);
        }
        assert_eq!(few.1.of(Heaviest::cell(3.0)), Some(vec![3.0, 3.01]));
    }

    proptest! {
        #[test]
        fn the_largest_add_up(values in prop::collection::vec(prop_oneof![0.0..3.0f64, Just(0.5), 1e-9..1e9f64], 0..200), most in 0u64..220) {
            let mut heaviest = Heaviest::new();
            values.iter().for_each(|value| heaviest.add(*value));
            let exact = sum_of_largest(values.clone(), most as usize);
            let found = match heaviest.top(most) {
                Top::Known(sum) => sum,
                Top::Within { above, more, cell } => {
                    let within = values.iter().copied().filter(|value| Heaviest::cell(*value) == cell);
                    above + sum_of_largest(within.collect(), more)
                }
            };
            prop_assert!((found - exact).abs() <= 1e-12 * exact, "{} beside {}", found, exact);
        }
    }
}
