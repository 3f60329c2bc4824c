//! The sum of the largest of many numbers, in memory that does not grow with them.

/// Cells of a doubling: the top bits of a positive number in binary64 rise with it.
const CELL_BITS: u32 = 46;

/// Numbers, zero or more, counted and added up in narrow cells; those of one cell can be asked for again.
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

/// What the cells tell of the largest numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Top {
    /// Their sum.
    Known(f64),
    /// The sum of those above one cell, which holds `more` of them: whoever has the numbers adds its largest.
    Within {
        /// The sum above.
        above: f64,
        /// How many of the cell's count.
        more: usize,
        /// The cell.
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

    /// Adds a number, zero or more.
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

    /// What is known of the `most` largest numbers.
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
