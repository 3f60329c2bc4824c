//! A lower bound on the minimum cost that does not depend on the accuracy of the solver.
//!
//! For rows a_i x >= b_i, <= b_i or = b_i and columns 0 <= x_j <= u_j, take any multipliers y with y_i >= 0 for "at
//! least", y_i <= 0 for "at most" and any sign for "equal". Every x that satisfies rows and limits has
//!
//! ```text
//! c x  =  y A x + (c - y A) x  >=  y b + sum_j u_j min(0, c_j - (y A)_j)
//! ```
//!
//! (weak duality: Gale, Kuhn and Tucker 1951; with limits on the columns Neumaier and Shcherbina 2004). The solver
//! provides good multipliers, the solution of the dual program, but the value is computed here from the rows as
//! written. An inaccurate solver therefore makes the bound weaker, never wrong. Two measures keep the loss small:
//! multipliers are shrunk until no column with a cost and without a limit is over-priced (y = 0 over-prices none), and
//! columns may be given *ceilings* that follow from the rows or from an upper bound on the cost, so that a column
//! without a cost does not spoil the proof by a rounding error of 1e-15.

use super::{Column, Program, Relation};
use crate::optimize::error::Requirement;
use crate::optimize::solver::SolveOptions;

impl Program {
    /// Multipliers of the rows, as good as the solver finds them, and the bound that they prove according to the
    /// solver; `None` if it finds none, for example because the program has no solution.
    pub fn multipliers(&self, options: SolveOptions) -> Option<(Vec<f64>, f64)> {
        // At the true prices: those that break ties would over-price columns.
        let unit = self.unit();
        let mut dual = Program::default();
        let mut terms: Vec<Vec<(Column, f64)>> = vec![Vec::new(); self.columns.len()];
        // Multipliers are written as differences of nonnegative columns; the dual program is a maximization.
        let mut parts: Vec<Vec<(Column, f64)>> = Vec::new();
        for row in &self.rows {
            let signs: &[f64] = match row.relation {
                Relation::AtLeast => &[1.0],
                Relation::AtMost => &[-1.0],
                Relation::Equal => &[1.0, -1.0],
            };
            let of_row: Vec<(Column, f64)> =
                signs.iter().map(|sign| (dual.column(-sign * row.limit, f64::INFINITY, false), *sign)).collect();
            for (column, factor) in &row.terms {
                terms[*column].extend(of_row.iter().map(|(part, sign)| (*part, sign * factor)));
            }
            parts.push(of_row);
        }
        for (column, mut terms) in self.columns.iter().zip(terms) {
            if column.most <= 0.0 {
                continue;
            }
            if column.most.is_finite() {
                terms.push((dual.column(column.most, f64::INFINITY, false), -1.0));
            }
            dual.row(Requirement::Identity, terms, Relation::AtMost, column.cost / unit);
        }
        let found = dual.run(None, options).ok()?;
        let of_row =
            |parts: &Vec<(Column, f64)>| parts.iter().map(|(part, sign)| sign * found.values[*part]).sum::<f64>();
        let multipliers: Vec<f64> = parts.iter().map(|parts| unit * of_row(parts)).collect();
        Some((multipliers, -unit * dual.cost(&found.values)))
    }

    /// The lower bound that `multipliers`, one per row, prove for the cost of every solution whose columns satisfy
    /// `ceilings` in addition to their own limits; at least 0 if no cost is negative. The rounding error of the sum is
    /// subtracted.
    pub fn proven_by(&self, multipliers: &[f64], ceilings: &[f64]) -> f64 {
        let signed = |(row, y): (&super::Row, &f64)| match row.relation {
            _ if !y.is_finite() => 0.0,
            Relation::AtLeast => y.max(0.0),
            Relation::AtMost => y.min(0.0),
            Relation::Equal => *y,
        };
        let multipliers: Vec<f64> = self.rows.iter().zip(multipliers).map(signed).collect();
        let priced = self.charged(&multipliers);
        let mut share: f64 = 1.0;
        for ((column, ceiling), (charge, error)) in self.columns.iter().zip(ceilings).zip(&priced) {
            if column.most.min(*ceiling).is_finite() {
                continue;
            }
            // A column without cost and without limit, or with a charge that is not a number, must be left out.
            share = match charge + error {
                most if most <= column.cost => share,
                most if most.is_finite() && column.cost > 0.0 => share.min(column.cost / most),
                _ => 0.0,
            };
        }
        let (mut value, mut error) = (0.0, 0.0);
        for (row, y) in self.rows.iter().zip(&multipliers) {
            value += share * y * row.limit;
            error += (share * y * row.limit).abs();
        }
        for ((column, ceiling), (charge, doubt)) in self.columns.iter().zip(ceilings).zip(&priced) {
            let most = column.most.min(*ceiling);
            if most.is_finite() {
                let short = (column.cost - share * (charge + doubt)).min(0.0) * most;
                value += short;
                error += short.abs();
            }
        }
        let terms = (self.rows.len() + self.columns.len() + 2) as f64;
        (value - 2.0 * terms * f64::EPSILON * error).max(0.0)
    }

    /// The charge of the rows for one unit of each column at these multipliers, and a bound on its rounding error.
    fn charged(&self, multipliers: &[f64]) -> Vec<(f64, f64)> {
        let mut charged = vec![(0.0, 0.0, 0.0); self.columns.len()];
        for (row, y) in self.rows.iter().zip(multipliers) {
            for (column, factor) in &row.terms {
                let (sum, size, terms) = &mut charged[*column];
                *sum += y * factor;
                *size += (y * factor).abs();
                *terms += 1.0;
            }
        }
        charged.into_iter().map(|(sum, size, terms)| (sum, (terms + 4.0) * f64::EPSILON * size)).collect()
    }
}

mod tests;
