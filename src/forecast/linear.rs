//! Symmetric positive definite systems of a few dozen unknowns, and orthonormal bases.

/// The lower Cholesky factor of a symmetric matrix (row-major, `n` by `n`), or `None` if it is not positive definite.
pub(super) fn cholesky(matrix: &[f64], n: usize) -> Option<Vec<f64>> {
    let mut factor = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| factor[i * n + k] * factor[j * n + k]).sum();
            let rest = matrix[i * n + j] - dot;
            if i == j {
                if !(rest > 0.0 && rest.is_finite()) {
                    return None;
                }
                factor[i * n + i] = rest.sqrt();
            } else {
                factor[i * n + j] = rest / factor[j * n + j];
            }
        }
    }
    Some(factor)
}

/// Solves `L L' x = b` for a lower Cholesky factor.
pub(super) fn cholesky_solve(factor: &[f64], n: usize, b: &[f64]) -> Vec<f64> {
    let mut x = b.to_vec();
    for i in 0..n {
        let dot: f64 = (0..i).map(|k| factor[i * n + k] * x[k]).sum();
        x[i] = (x[i] - dot) / factor[i * n + i];
    }
    for i in (0..n).rev() {
        let dot: f64 = (i + 1..n).map(|k| factor[k * n + i] * x[k]).sum();
        x[i] = (x[i] - dot) / factor[i * n + i];
    }
    x
}

/// The inverse of a symmetric positive definite matrix.
pub(super) fn inverse(matrix: &[f64], n: usize) -> Option<Vec<f64>> {
    let factor = cholesky(matrix, n)?;
    let mut inverse = vec![0.0; n * n];
    for j in 0..n {
        let mut unit = vec![0.0; n];
        unit[j] = 1.0;
        for (i, value) in cholesky_solve(&factor, n, &unit).into_iter().enumerate() {
            inverse[i * n + j] = value;
        }
    }
    Some(inverse)
}

/// Sum of products.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// The coefficients that minimise |y - X b|^2 + penalty |b|^2, by the normal equations; the first column is not penalised.
/// `None` if the columns are linearly dependent.
pub(super) fn ridge(columns: &[Vec<f64>], y: &[f64], penalty: f64) -> Option<Vec<f64>> {
    let n = columns.len();
    let mut gram = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            gram[i * n + j] = dot(&columns[i], &columns[j]);
            gram[j * n + i] = gram[i * n + j];
        }
        gram[i * n + i] += if i > 0 { penalty } else { 0.0 };
    }
    let moments: Vec<f64> = columns.iter().map(|column| dot(column, y)).collect();
    let factor = cholesky(&gram, n)?;
    Some(cholesky_solve(&factor, n, &moments)).filter(|b| b.iter().all(|v| v.is_finite()))
}

/// An orthonormal basis of a set of columns, by modified Gram-Schmidt, applied twice for accuracy. A column that
/// depends linearly on the columns before it adds nothing to the basis.
#[derive(Debug, Clone, Default)]
pub(super) struct Basis {
    /// Orthonormal combinations of the columns.
    pub columns: Vec<Vec<f64>>,
    /// `weights[k]`: coefficients of the given columns in basis column `k`.
    pub weights: Vec<Vec<f64>>,
}

impl Basis {
    /// The basis of `columns`.
    pub fn of(columns: &[Vec<f64>]) -> Self {
        let mut basis = Basis::default();
        for (index, column) in columns.iter().enumerate() {
            let mut rest = column.clone();
            let mut weights = vec![0.0; columns.len()];
            weights[index] = 1.0;
            for _ in 0..2 {
                for (q, made) in basis.columns.iter().zip(&basis.weights) {
                    let along = dot(q, &rest);
                    rest.iter_mut().zip(q).for_each(|(r, q)| *r -= along * q);
                    weights.iter_mut().zip(made).for_each(|(w, m)| *w -= along * m);
                }
            }
            let (norm, before) = (dot(&rest, &rest).sqrt(), dot(column, column).sqrt());
            if norm > 1e-9 * before {
                basis.columns.push(rest.into_iter().map(|r| r / norm).collect());
                basis.weights.push(weights.into_iter().map(|w| w / norm).collect());
            }
        }
        basis
    }

    /// Converts coefficients of the basis to coefficients of the given columns.
    pub fn restore(&self, coefficients: &[f64], columns: usize) -> Vec<f64> {
        let mut restored = vec![0.0; columns];
        for (coefficient, weights) in coefficients.iter().zip(&self.weights) {
            restored.iter_mut().zip(weights).for_each(|(r, w)| *r += coefficient * w);
        }
        restored
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_and_inverts() {
        let matrix = [4.0, 2.0, 0.5, 2.0, 5.0, 1.0, 0.5, 1.0, 3.0];
        let factor = cholesky(&matrix, 3).unwrap();
        let x = cholesky_solve(&factor, 3, &[1.0, 2.0, 3.0]);
        for i in 0..3 {
            let product: f64 = (0..3).map(|j| matrix[i * 3 + j] * x[j]).sum();
            assert!((product - (i + 1) as f64).abs() < 1e-12);
        }
        let inverse = inverse(&matrix, 3).unwrap();
        let corner: f64 = (0..3).map(|k| matrix[k] * inverse[k * 3]).sum();
        assert!((corner - 1.0).abs() < 1e-12);
        assert!(cholesky(&[1.0, 2.0, 2.0, 1.0], 2).is_none());
    }

    #[test]
    fn a_dependent_column_is_left_out_of_the_basis() {
        let a = vec![1.0, 1.0, 1.0, 1.0];
        let b = vec![1.0, 2.0, 3.0, 5.0];
        let both: Vec<f64> = a.iter().zip(&b).map(|(x, y)| 2.0 * x + 3.0 * y).collect();
        let basis = Basis::of(&[a.clone(), b.clone(), both]);
        assert_eq!(basis.columns.len(), 2);
        // 5a + 7b expressed in the basis comes back as 5 and 7.
        let target: Vec<f64> = a.iter().zip(&b).map(|(x, y)| 5.0 * x + 7.0 * y).collect();
        let along: Vec<f64> = basis.columns.iter().map(|q| dot(q, &target)).collect();
        let restored = basis.restore(&along, 3);
        assert!((restored[0] - 5.0).abs() < 1e-12 && (restored[1] - 7.0).abs() < 1e-12 && restored[2] == 0.0);
    }
}
