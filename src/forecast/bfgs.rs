//! Unconstrained minimisation by the BFGS method (Nocedal and Wright 2006, algorithm 6.1), with gradients by central
//! differences.

/// The result of a search.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Minimum {
    /// The point.
    pub point: Vec<f64>,
    /// The value at the point.
    pub value: f64,
}

/// Step of the central differences; the parameters are scaled to order one.
const DIFFERENCE: f64 = 1e-4;
/// Fraction of the predicted decrease that a step must achieve (Armijo).
const DECREASE: f64 = 1e-4;

/// Minimises `function` from `start`. Ends when a step gains less than `tolerance` twice in a row, after `budget`
/// iterations, or if no step along the gradient gains anything. A value that is not finite counts as infinite.
pub(super) fn minimise(
    mut function: impl FnMut(&[f64]) -> f64,
    start: &[f64],
    tolerance: f64,
    budget: usize,
) -> Minimum {
    let n = start.len();
    let mut call = |point: &[f64]| {
        let value = function(point);
        if value.is_finite() { value } else { f64::INFINITY }
    };
    let mut point = start.to_vec();
    let mut value = call(&point);
    if n == 0 || value.is_infinite() {
        return Minimum { point, value };
    }
    let mut gradient = differentiate(&mut call, &point);
    let mut curvature = identity(n);
    let (mut idle, mut fresh) = (0, true);
    for _ in 0..budget {
        let mut direction: Vec<f64> = (0..n).map(|i| -row_dot(&curvature, i, &gradient)).collect();
        let mut slope: f64 = direction.iter().zip(&gradient).map(|(d, g)| d * g).sum();
        if slope >= 0.0 || slope.is_nan() {
            curvature = identity(n);
            direction = gradient.iter().map(|g| -g).collect();
            slope = -gradient.iter().map(|g| g * g).sum::<f64>();
            fresh = true;
        }
        if slope > -1e-18 {
            break;
        }
        let longest = direction.iter().fold(0.0f64, |m, d| m.max(d.abs()));
        // The first step has no scale of its own; no step may leave the region of meaningful parameters.
        let first = if fresh { (0.25 / longest).min(1.0) } else { (2.0 / longest).min(1.0) };
        let Some((next, next_value)) = search(&mut call, &point, value, &direction, slope, first) else {
            if fresh {
                break;
            }
            curvature = identity(n);
            fresh = true;
            continue;
        };
        let next_gradient = differentiate(&mut call, &next);
        let step: Vec<f64> = next.iter().zip(&point).map(|(a, b)| a - b).collect();
        let change: Vec<f64> = next_gradient.iter().zip(&gradient).map(|(a, b)| a - b).collect();
        update(&mut curvature, &step, &change, fresh);
        idle = if value - next_value < tolerance { idle + 1 } else { 0 };
        (point, value, gradient, fresh) = (next, next_value, next_gradient, false);
        if idle == 2 {
            break;
        }
    }
    Minimum { point, value }
}

/// Shortens the step until it decreases the function enough; the next length is chosen by quadratic interpolation.
fn search(
    call: &mut impl FnMut(&[f64]) -> f64,
    point: &[f64],
    value: f64,
    direction: &[f64],
    slope: f64,
    first: f64,
) -> Option<(Vec<f64>, f64)> {
    let mut length = first;
    for _ in 0..30 {
        let next: Vec<f64> = point.iter().zip(direction).map(|(p, d)| p + length * d).collect();
        let next_value = call(&next);
        if next_value <= value + DECREASE * length * slope {
            return Some((next, next_value));
        }
        let parabola = -slope * length * length / (2.0 * (next_value - value - slope * length));
        length = if parabola.is_finite() { parabola.clamp(0.1 * length, 0.5 * length) } else { 0.1 * length };
    }
    None
}

fn differentiate(call: &mut impl FnMut(&[f64]) -> f64, point: &[f64]) -> Vec<f64> {
    let mut moved = point.to_vec();
    (0..point.len())
        .map(|i| {
            moved[i] = point[i] + DIFFERENCE;
            let above = call(&moved);
            moved[i] = point[i] - DIFFERENCE;
            let below = call(&moved);
            moved[i] = point[i];
            let slope = (above - below) / (2.0 * DIFFERENCE);
            if slope.is_finite() { slope } else { 0.0 }
        })
        .collect()
}

/// The BFGS update of the inverse Hessian; skipped if the curvature along the step is not positive.
fn update(inverse: &mut [f64], step: &[f64], change: &[f64], fresh: bool) {
    let n = step.len();
    let along: f64 = step.iter().zip(change).map(|(s, y)| s * y).sum();
    let size: f64 = change.iter().map(|y| y * y).sum();
    if along <= 1e-14 * size || !along.is_finite() {
        return;
    }
    if fresh {
        inverse.iter_mut().for_each(|h| *h *= along / size);
    }
    let turned: Vec<f64> = (0..n).map(|i| row_dot(inverse, i, change)).collect();
    let bend: f64 = change.iter().zip(&turned).map(|(y, t)| y * t).sum();
    for i in 0..n {
        for j in 0..n {
            inverse[i * n + j] +=
                (1.0 + bend / along) * step[i] * step[j] / along - (turned[i] * step[j] + step[i] * turned[j]) / along;
        }
    }
}

fn identity(n: usize) -> Vec<f64> {
    (0..n * n).map(|k| if k % (n + 1) == 0 { 1.0 } else { 0.0 }).collect()
}

fn row_dot(matrix: &[f64], row: usize, vector: &[f64]) -> f64 {
    let n = vector.len();
    matrix[row * n..(row + 1) * n].iter().zip(vector).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_bottom_of_rosenbrocks_valley() {
        let valley = |x: &[f64]| 100.0 * (x[1] - x[0] * x[0]).powi(2) + (1.0 - x[0]).powi(2);
        let found = minimise(valley, &[-1.2, 1.0], 1e-14, 200);
        assert!((found.point[0] - 1.0).abs() < 1e-4 && (found.point[1] - 1.0).abs() < 1e-4, "{found:?}");
    }

    #[test]
    fn handles_infinite_and_constant_values() {
        let wall = |x: &[f64]| if x[0] < 0.5 { f64::NAN } else { (x[0] - 0.6).powi(2) };
        assert!((minimise(wall, &[3.0], 1e-12, 100).point[0] - 0.6).abs() < 1e-4);
        assert_eq!(minimise(|_| 7.0, &[1.0, 2.0], 1e-9, 100).point, [1.0, 2.0]);
        assert_eq!(minimise(|_| 7.0, &[], 1e-9, 100).value, 7.0);
    }
}
