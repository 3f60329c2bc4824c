//! The sum of the largest of many numbers, in memory that does not grow with their count.

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
