//! Correction for multiple comparisons.

/// Adjusts the p-values of a family of tests by Holm's step-down procedure (Scandinavian Journal of Statistics 6,
/// 1979). If every difference with an adjusted value of at most alpha is called significant, the probability of any
/// false positive in the family is at most alpha, however the tests depend on each other.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]).then(a.cmp(b)));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut least = 0.0f64;
    for (rank, test) in order.iter().enumerate() {
        let remaining = (p_values.len() - rank) as f64;
        // An adjusted value is never below that of a smaller p-value.
        least = least.max((remaining * p_values[*test]).min(1.0));
        adjusted[*test] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_definition() {
        // R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm").
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (found, exact) in adjusted.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((found - exact).abs() < 1e-12, "{adjusted:?}");
        }
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
        assert!(holm(&[]).is_empty());
    }
}
