//! CMA-ES: the evolution strategy with covariance matrix adaptation (Hansen 2016, *The CMA Evolution Strategy: A
//! Tutorial*, figure 6, with positive weights only).
//!
//! Points lie in the unit box; a point drawn outside it is reflected at its faces. Only the ranking of the points is
//! used, so any increasing transformation of the objective gives the same search. The result is a function of the
//! random numbers passed in.

use crate::random::Draw;

/// The search distribution: normal, with a mean, a size and a shape.
#[derive(Debug, Clone)]
pub(super) struct Evolution {
    mean: Vec<f64>,
    /// Size of a step.
    sigma: f64,
    /// Shape: the covariance of a step of size 1, row by row.
    shape: Vec<Vec<f64>>,
    /// Principal axes of the shape (columns), and the standard deviations along them.
    axes: Vec<Vec<f64>>,
    spreads: Vec<f64>,
    /// Evolution paths of the shape and of the size.
    path: Vec<f64>,
    size_path: Vec<f64>,
    generation: u32,
    rule: Rule,
}

/// Learning rates and weights, from table 1 of the tutorial.
#[derive(Debug, Clone)]
struct Rule {
    weights: Vec<f64>,
    /// Variance effective selection mass.
    mass: f64,
    path_rate: f64,
    size_rate: f64,
    rank_one: f64,
    rank_many: f64,
    damping: f64,
    /// Expected length of a standard normal vector.
    length: f64,
}

impl Rule {
    fn new(dimensions: usize, population: usize) -> Rule {
        let n = dimensions as f64;
        let raw: Vec<f64> =
            (1..=population / 2).map(|rank| ((population as f64 + 1.0) / 2.0).ln() - (rank as f64).ln()).collect();
        let sum: f64 = raw.iter().sum();
        let weights: Vec<f64> = raw.iter().map(|weight| weight / sum).collect();
        let mass = 1.0 / weights.iter().map(|weight| weight * weight).sum::<f64>();
        let size_rate = (mass + 2.0) / (n + mass + 5.0);
        let rank_one = 2.0 / ((n + 1.3).powi(2) + mass);
        Rule {
            mass,
            path_rate: (4.0 + mass / n) / (n + 4.0 + 2.0 * mass / n),
            size_rate,
            rank_one,
            rank_many: (1.0 - rank_one).min(2.0 * (mass - 2.0 + 1.0 / mass) / ((n + 2.0).powi(2) + mass)),
            damping: 1.0 + 2.0 * (((mass - 1.0) / (n + 1.0)).sqrt() - 1.0).max(0.0) + size_rate,
            length: n.sqrt() * (1.0 - 1.0 / (4.0 * n) + 1.0 / (21.0 * n * n)),
            weights,
        }
    }
}

impl Evolution {
    /// A search that starts at `start`, with steps of size `sigma` along each axis of the unit box and `population`
    /// points per generation, at least four.
    pub fn new(start: &[f64], sigma: f64, population: usize) -> Self {
        let n = start.len();
        let identity: Vec<Vec<f64>> =
            (0..n).map(|row| (0..n).map(|column| f64::from(u8::from(row == column))).collect()).collect();
        Evolution {
            mean: start.to_vec(),
            sigma,
            shape: identity.clone(),
            axes: identity,
            spreads: vec![1.0; n],
            path: vec![0.0; n],
            size_path: vec![0.0; n],
            generation: 0,
            rule: Rule::new(n, population),
        }
    }

    /// The mean.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The largest standard deviation along an axis of the box.
    pub fn widest(&self) -> f64 {
        (0..self.mean.len()).map(|i| self.sigma * self.shape[i][i].max(0.0).sqrt()).fold(0.0, f64::max)
    }

    /// A point of the current generation.
    pub fn ask(&self, draw: &mut Draw) -> Vec<f64> {
        let n = self.mean.len();
        let along: Vec<f64> = (0..n).map(|axis| self.spreads[axis] * draw.normal()).collect();
        let step = |row: usize| (0..n).map(|axis| self.axes[row][axis] * along[axis]).sum::<f64>();
        (0..n).map(|row| mirrored(self.mean[row] + self.sigma * step(row))).collect()
    }

    /// Updates the distribution with the points of a generation, best first.
    pub fn tell(&mut self, ranked: &[Vec<f64>]) {
        let (n, rule) = (self.mean.len(), self.rule.clone());
        self.generation += 1;
        let steps: Vec<Vec<f64>> = ranked
            .iter()
            .take(rule.weights.len())
            .map(|point| (0..n).map(|i| (point[i] - self.mean[i]) / self.sigma).collect())
            .collect();
        let weighted = |i: usize| rule.weights.iter().zip(&steps).map(|(weight, step)| weight * step[i]).sum::<f64>();
        let moved: Vec<f64> = (0..n).map(weighted).collect();
        (0..n).for_each(|i| self.mean[i] = mirrored(self.mean[i] + self.sigma * moved[i]));
        self.follow(&moved);
        let long = norm(&self.size_path)
            / (1.0 - (1.0 - rule.size_rate).powi(2 * self.generation as i32)).sqrt()
            / rule.length;
        let is_steady = long < 1.4 + 2.0 / (n as f64 + 1.0);
        let kept = if is_steady { (rule.path_rate * (2.0 - rule.path_rate) * rule.mass).sqrt() } else { 0.0 };
        (0..n).for_each(|i| self.path[i] = (1.0 - rule.path_rate) * self.path[i] + kept * moved[i]);
        let lost = if is_steady { 0.0 } else { rule.rank_one * rule.path_rate * (2.0 - rule.path_rate) };
        for row in 0..n {
            for column in 0..n {
                let one = self.path[row] * self.path[column];
                let many: f64 =
                    rule.weights.iter().zip(&steps).map(|(weight, step)| weight * step[row] * step[column]).sum();
                let old = self.shape[row][column] * (1.0 + lost - rule.rank_one - rule.rank_many);
                self.shape[row][column] = old + rule.rank_one * one + rule.rank_many * many;
            }
        }
        let growth = (rule.size_rate / rule.damping) * (norm(&self.size_path) / rule.length - 1.0);
        // At most as wide as the box.
        self.sigma = (self.sigma * growth.min(1.0).exp()).clamp(1e-12, 1.0);
        let (values, axes) = eigen(&self.shape);
        (self.spreads, self.axes) = (values.iter().map(|value| value.max(1e-20).sqrt()).collect(), axes);
    }

    /// Updates the path of the size with a step that is scaled to equal length along all axes of the shape.
    fn follow(&mut self, moved: &[f64]) {
        let (n, rule) = (self.mean.len(), &self.rule);
        let along = |axis: usize| (0..n).map(|row| self.axes[row][axis] * moved[row]).sum::<f64>() / self.spreads[axis];
        let along: Vec<f64> = (0..n).map(along).collect();
        let kept = (rule.size_rate * (2.0 - rule.size_rate) * rule.mass).sqrt();
        for row in 0..n {
            let white: f64 = (0..n).map(|axis| self.axes[row][axis] * along[axis]).sum();
            self.size_path[row] = (1.0 - rule.size_rate) * self.size_path[row] + kept * white;
        }
    }
}

fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|value| value * value).sum::<f64>().sqrt()
}

/// A coordinate reflected into 0 to 1.
fn mirrored(value: f64) -> f64 {
    let folded = value.rem_euclid(2.0);
    if folded > 1.0 { 2.0 - folded } else { folded }
}

/// Eigenvalues and eigenvectors (columns) of a symmetric matrix, by Jacobi's rotations (Golub and Van Loan, *Matrix Computations*, 8.5).
fn eigen(matrix: &[Vec<f64>]) -> (Vec<f64>, Vec<Vec<f64>>) {
    let n = matrix.len();
    let mut a = matrix.to_vec();
    let mut v: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    // A dozen sweeps are enough for matrices of this size.
    for _ in 0..50 {
        let off: f64 = (0..n).flat_map(|p| (p + 1..n).map(move |q| (p, q))).map(|(p, q)| a[p][q] * a[p][q]).sum();
        let all: f64 = a.iter().flatten().map(|value| value * value).sum();
        if off <= 1e-30 * all {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                rotate(&mut a, &mut v, p, q);
            }
        }
    }
    ((0..n).map(|i| a[i][i]).collect(), v)
}

/// Rotates the plane of axes p and q so that the entry (p, q) vanishes.
fn rotate(a: &mut [Vec<f64>], v: &mut [Vec<f64>], p: usize, q: usize) {
    if a[p][q] == 0.0 {
        return;
    }
    let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
    let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let c = 1.0 / (t * t + 1.0).sqrt();
    let s = t * c;
    for row in a.iter_mut().chain(v) {
        (row[p], row[q]) = (c * row[p] - s * row[q], s * row[p] + c * row[q]);
    }
    let (row_p, row_q) = (a[p].clone(), a[q].clone());
    a[p] = row_p.iter().zip(&row_q).map(|(x, y)| c * x - s * y).collect();
    a[q] = row_p.iter().zip(&row_q).map(|(x, y)| s * x + c * y).collect();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Streams};

    fn minimise(start: &[f64], generations: u64, value: impl Fn(&[f64]) -> f64) -> Evolution {
        let mut evolution = Evolution::new(start, 0.3, 10);
        for generation in 0..generations {
            let draw = |n| Streams::new(1, generation).keyed(Purpose::Design, 0, n);
            let mut points: Vec<Vec<f64>> = (0..10).map(|n| evolution.ask(&mut draw(n))).collect();
            points.sort_by(|a, b| value(a).total_cmp(&value(b)));
            evolution.tell(&points);
        }
        evolution
    }

    /// A narrow slanted valley: axes of 1 to 1,000, rotated.
    #[test]
    fn the_bottom_of_a_slanted_valley_is_found() {
        let valley = |x: &[f64]| {
            let (a, b, c) = (x[0] + x[1] - 1.0, x[0] - x[1] - 0.2, x[2] - 0.9);
            a * a + 1000.0 * b * b + 10.0 * c * c
        };
        let found = minimise(&[0.1, 0.9, 0.5], 120, valley);
        for (value, exact) in found.mean().iter().zip([0.6, 0.4, 0.9]) {
            assert!((value - exact).abs() < 1e-4, "{:?}", found.mean());
        }
        assert!(found.widest() < 1e-3, "{}", found.widest());
    }

    /// Rosenbrock's function, whose minimum 0 is at (1, 1), here at (0.75, 0.75).
    #[test]
    fn a_bent_valley_is_followed_to_its_end() {
        let value = |x: &[f64]| {
            let (x, y) = (4.0 * x[0] - 2.0, 4.0 * x[1] - 2.0);
            (1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2)
        };
        let found = minimise(&[0.1, 0.1], 150, value);
        assert!(found.mean().iter().all(|value| (value - 0.75).abs() < 1e-3), "{:?}", found.mean());
    }

    #[test]
    fn a_minimum_in_a_corner_of_the_box_is_found() {
        let found = minimise(&[0.5, 0.5, 0.5], 80, |x| x[0] - x[1] + (x[2] - 0.5).abs());
        assert!(found.mean()[0] < 0.01 && found.mean()[1] > 0.99, "{:?}", found.mean());
        assert_eq!([mirrored(-0.25), mirrored(1.25), mirrored(2.5), mirrored(0.5)], [0.25, 0.75, 0.5, 0.5]);
    }

    #[test]
    fn a_matrix_is_its_axes_and_spreads() {
        let matrix = vec![vec![4.0, 1.0, 0.5], vec![1.0, 3.0, -0.2], vec![0.5, -0.2, 1.0]];
        let (values, axes) = eigen(&matrix);
        for row in 0..3 {
            for column in 0..3 {
                let sum: f64 = (0..3).map(|k| axes[row][k] * values[k] * axes[column][k]).sum();
                assert!((sum - matrix[row][column]).abs() < 1e-12, "{values:?} {axes:?}");
            }
        }
    }
}
