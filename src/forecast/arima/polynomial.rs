//! Lag polynomials: stationarity by partial autocorrelations, products, autocovariances, weights.
//!
//! Autoregressive coefficients are those of 1 - a1 B - a2 B^2 ..., moving-average ones those of 1 + b1 B + b2 B^2 ...

/// The autoregressive coefficients with the given partial autocorrelations (Durbin-Levinson recursion). Stationary if
/// and only if every partial autocorrelation lies in (-1, 1) (Barndorff-Nielsen and Schou 1973; Monahan 1984).
pub(super) fn from_partial(partial: &[f64]) -> Vec<f64> {
    let mut coefficients: Vec<f64> = Vec::with_capacity(partial.len());
    for &last in partial {
        let before = coefficients.clone();
        let order = before.len();
        for i in 0..order {
            coefficients[i] = before[i] - last * before[order - 1 - i];
        }
        coefficients.push(last);
    }
    coefficients
}

/// The coefficients of the best predictors of all orders up to the given one: the Durbin-Levinson recursion in reverse.
/// The last entry of `orders[k - 1]` is the k-th partial autocorrelation. `None` if the polynomial is not stationary.
fn lower_orders(coefficients: &[f64]) -> Option<Vec<Vec<f64>>> {
    let mut orders = vec![coefficients.to_vec()];
    for order in (1..coefficients.len()).rev() {
        let above = &orders[orders.len() - 1];
        let last = above[order];
        let rest = 1.0 - last * last;
        if rest <= 0.0 || rest.is_nan() {
            return None;
        }
        orders.push((0..order).map(|i| (above[i] + last * above[order - 1 - i]) / rest).collect());
    }
    orders.reverse();
    let inside = orders.iter().all(|order| order.last().is_none_or(|last| last.abs() < 1.0));
    inside.then_some(orders)
}

/// Whether every root of the autoregressive polynomial is outside the circle of `radius`, that is, whether the
/// polynomial with its argument scaled by `radius` is stationary.
pub(super) fn stationary(coefficients: &[f64], radius: f64) -> bool {
    let stretched: Vec<f64> = coefficients.iter().enumerate().map(|(i, c)| c * radius.powi(i as i32 + 1)).collect();
    // Zero coefficients at the end have no roots.
    let order = stretched.iter().rposition(|c| *c != 0.0).map_or(0, |last| last + 1);
    order == 0 || lower_orders(&stretched[..order]).is_some()
}

/// The partial autocorrelations of an autoregression, or `None` if it is not stationary.
pub(super) fn to_partial(coefficients: &[f64]) -> Option<Vec<f64>> {
    if coefficients.is_empty() {
        return Some(Vec::new());
    }
    let orders = lower_orders(coefficients)?;
    Some(orders.iter().filter_map(|order| order.last().copied()).collect())
}

/// The product (1 - sum a_i B^i)(1 - sum s_k B^(k period)) as autoregressive coefficients.
pub(super) fn seasonal_product(coefficients: &[f64], seasonal: &[f64], period: usize) -> Vec<f64> {
    let mut product = vec![0.0; coefficients.len() + seasonal.len() * period];
    product[..coefficients.len()].copy_from_slice(coefficients);
    for (k, s) in seasonal.iter().enumerate() {
        let at = (k + 1) * period;
        product[at - 1] += s;
        for (i, a) in coefficients.iter().enumerate() {
            product[at + i] -= a * s;
        }
    }
    product
}

/// The coefficients g of (1-B)^d (1-B^s)^D = 1 - sum g_j B^j.
pub(super) fn differencing(d: usize, seasonal_d: usize, period: usize) -> Vec<f64> {
    let unit = |times: usize| (0..times).fold(Vec::new(), |product, _| seasonal_product(&product, &[1.0], 1));
    (0..seasonal_d).fold(unit(d), |product, _| seasonal_product(&product, &[1.0], period))
}

/// The weights psi_0 = 1, psi_1, ... of the moving average of infinite order that equals the autoregressive
/// moving average (Box and Jenkins 1976, section 4.2.3).
pub(in super::super) fn psi_weights(ar: &[f64], ma: &[f64], count: usize) -> Vec<f64> {
    let mut weights = Vec::with_capacity(count);
    for k in 0..count {
        let direct = if k == 0 { 1.0 } else { ma.get(k - 1).copied().unwrap_or(0.0) };
        let carried: f64 = (0..k.min(ar.len())).map(|j| ar[j] * weights[k - 1 - j]).sum();
        weights.push(direct + carried);
    }
    weights
}

/// Autocovariances at lags 0..count of an autoregression with innovations of variance one, or `None` if it is not
/// stationary. Lag 0 is the product of 1 / (1 - r_k^2) over the partial autocorrelations r_k; each further lag is the
/// prediction by the coefficients of that order.
fn ar_autocovariances(ar: &[f64], count: usize) -> Option<Vec<f64>> {
    let orders = if ar.is_empty() { Vec::new() } else { lower_orders(ar)? };
    let shrink: f64 = orders.iter().filter_map(|order| order.last()).map(|r| 1.0 - r * r).product();
    let mut values = vec![1.0 / shrink];
    for lag in 1..count.max(1) {
        let value = match orders.get(lag.min(orders.len()).wrapping_sub(1)) {
            Some(order) => order.iter().enumerate().map(|(j, a)| a * values[lag - 1 - j]).sum(),
            None => 0.0,
        };
        values.push(value);
    }
    values[0].is_finite().then_some(values)
}

/// Autocovariances at lags 0..count of an autoregressive moving average with innovations of variance one, or `None` if
/// it is not stationary: the autoregression's, filtered by the autocorrelation of the moving-average weights.
pub(super) fn autocovariances(ar: &[f64], ma: &[f64], count: usize) -> Option<Vec<f64>> {
    let inner = ar_autocovariances(ar, count + ma.len())?;
    if ma.is_empty() {
        return Some(inner);
    }
    let weight = |i: usize| if i == 0 { 1.0 } else { ma[i - 1] };
    let products: Vec<f64> =
        (0..=ma.len()).map(|m| (m..=ma.len()).map(|i| weight(i) * weight(i - m)).sum::<f64>()).collect();
    let value = |lag: usize| {
        let sides = |m: usize| inner[lag + m] + inner[lag.abs_diff(m)];
        products[0] * inner[lag] + (1..=ma.len()).map(|m| products[m] * sides(m)).sum::<f64>()
    };
    Some((0..count).map(value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_autocorrelations_go_there_and_back() {
        let partial = [0.9, -0.5, 0.3, 0.99];
        let back = to_partial(&from_partial(&partial)).unwrap();
        assert!(partial.iter().zip(&back).all(|(a, b)| (a - b).abs() < 1e-12), "{back:?}");
        assert!(to_partial(&[0.5, 0.6]).is_none());
        assert!(stationary(&[0.9], 1.1) && !stationary(&[0.9], 1.2) && stationary(&[], 2.0));
    }

    #[test]
    fn products_multiply_out() {
        // (1 - 0.5 B)(1 - 0.3 B^4) = 1 - 0.5 B - 0.3 B^4 + 0.15 B^5
        assert_eq!(seasonal_product(&[0.5], &[0.3], 4), [0.5, 0.0, 0.0, 0.3, -0.15]);
        // (1 - B)^2 = 1 - 2 B + B^2; (1 - B)(1 - B^4) = 1 - B - B^4 + B^5
        assert_eq!(differencing(2, 0, 1), [2.0, -1.0]);
        assert_eq!(differencing(1, 1, 4), [1.0, 0.0, 0.0, 1.0, -1.0]);
        assert!(differencing(0, 0, 12).is_empty());
    }

    #[test]
    fn autocovariances_agree_with_the_weights() {
        let (ar, ma) = (from_partial(&[0.6, -0.4]), [0.5, 0.2, -0.3]);
        let weights = psi_weights(&ar, &ma, 400);
        for (lag, value) in autocovariances(&ar, &ma, 6).unwrap().into_iter().enumerate() {
            let sum: f64 = (lag..400).map(|k| weights[k] * weights[k - lag]).sum();
            assert!((sum - value).abs() < 1e-10, "lag {lag}: {value} and {sum}");
        }
    }
}
