//! Ridge regression on past values and the calendar.

use std::sync::Arc;

use super::arima::{Arima, psi_weights, waves};
use super::clean::interpolate;
use super::linear::ridge;
use super::parameters::{count, or_empty};
use super::{FitError, Fitted, Forecast, Forecaster, ForecasterPlugin, Ladder, Series};
use crate::config::{Diagnostics, Fields, Yaml};

/// The entry in the list.
pub(super) const PLUGIN: ForecasterPlugin = ForecasterPlugin {
    name: "regression",
    summary: "ridge regression on past values and the place in each season",
    source: "Hoerl and Kennard 1970, Ridge regression: biased estimation for nonorthogonal problems",
    build,
};

fn build(node: &Yaml, sink: &mut Diagnostics) -> Option<Arc<dyn Forecaster>> {
    let node = or_empty(node);
    let fields = Fields::open(&node, "regression", sink)?;
    let default = Regression::default();
    let lags: Option<Vec<u32>> = fields.optional("lags", sink);
    let penalty = fields.or("penalty", default.penalty, sink);
    if penalty < 0.0 {
        sink.push(fields.node_of("penalty")?.error("`penalty` must not be negative"));
    }
    let harmonics = count(&fields, "harmonics", default.harmonics, 0, sink).min(50);
    fields.finish(sink);
    let lags = lags.map(|lags| lags.into_iter().map(|lag| lag as usize).filter(|lag| *lag > 0).collect());
    Some(Ladder::under("regression", Regression { lags, penalty: penalty.max(0.0), harmonics }))
}

/// Linear regression with a penalty on the size of the coefficients. The features are past values and harmonics of each
/// season. Several steps ahead, forecasts replace the values that are not known yet, and the interval is that of the
/// autoregression formed by the lags.
#[derive(Debug, Clone, PartialEq)]
pub struct Regression {
    /// The lags; by default the last three values, and for each season the value one season ago and the one next to it.
    pub lags: Option<Vec<usize>>,
    /// The penalty in units of one observation; 0 is ordinary least squares.
    pub penalty: f64,
    /// Pairs of sine and cosine per season.
    pub harmonics: usize,
}

impl Default for Regression {
    fn default() -> Self {
        Regression { lags: None, penalty: 1.0, harmonics: 4 }
    }
}

impl Regression {
    fn lags(&self, series: &Series) -> Vec<usize> {
        let seasons = series.seasons_seen(3);
        let mut lags = self
            .lags
            .clone()
            .unwrap_or_else(|| [1, 2, 3].into_iter().chain(seasons.into_iter().flat_map(|s| [s, s + 1])).collect());
        lags.sort_unstable();
        lags.dedup();
        lags
    }
}

impl Forecaster for Regression {
    fn fit(&self, series: &Series) -> Result<Box<dyn Fitted>, FitError> {
        let lags = self.lags(series);
        let frequencies = Arima { harmonics: self.harmonics, ..Arima::default() }.frequencies(series);
        let longest = lags.last().copied().unwrap_or(0);
        let features = lags.len() + 2 * frequencies.len() + 1;
        let need = longest + features + 2;
        let values = interpolate(series.values(), series.seasons_seen(2).last().copied().unwrap_or(0));
        // Rows with a missing target are left out.
        let rows: Vec<usize> = (longest..values.len()).filter(|t| series.values()[*t].is_finite()).collect();
        if rows.len() < features + 2 {
            return Err(FitError::TooShort { have: series.observed(), need });
        }
        let mut fit = RegressionFit {
            method: self.clone(),
            lags,
            frequencies,
            coefficients: Vec::new(),
            variance: 0.0,
            past: values[values.len() - longest..].to_vec(),
            time: values.len(),
        };
        fit.estimate(&values, &rows, self.penalty)?;
        Ok(Box::new(fit))
    }
}

struct RegressionFit {
    method: Regression,
    lags: Vec<usize>,
    frequencies: Vec<f64>,
    /// Intercept, lags, harmonics.
    coefficients: Vec<f64>,
    variance: f64,
    /// The last values, up to the longest lag.
    past: Vec<f64>,
    time: usize,
}

impl RegressionFit {
    /// The features at time index `t` without the intercept, given all values before it.
    fn features<'a>(&'a self, before: &'a [f64], t: usize) -> impl Iterator<Item = f64> + 'a {
        let lagged = self.lags.iter().map(|lag| before[before.len() - lag]);
        lagged.chain(waves(&self.frequencies, t))
    }

    /// Least squares on columns standardised to mean zero and variance one, so that the penalty means the same for
    /// each.
    fn estimate(&mut self, values: &[f64], rows: &[usize], penalty: f64) -> Result<(), FitError> {
        let n = rows.len() as f64;
        let count = self.lags.len() + 2 * self.frequencies.len();
        let mut columns = vec![Vec::with_capacity(rows.len()); count];
        for t in rows {
            columns.iter_mut().zip(self.features(&values[..*t], *t)).for_each(|(column, x)| column.push(x));
        }
        let mut scales = Vec::with_capacity(count);
        for column in &mut columns {
            let mean = column.iter().sum::<f64>() / n;
            let deviation = super::stl::variance(column).sqrt();
            let scale = if deviation > 1e-12 * mean.abs() { deviation } else { f64::INFINITY };
            column.iter_mut().for_each(|x| *x = (*x - mean) / scale);
            scales.push((mean, scale));
        }
        let targets: Vec<f64> = rows.iter().map(|t| values[*t]).collect();
        columns.insert(0, vec![1.0; rows.len()]);
        // A constant column is all zero here; a minimal penalty keeps the system solvable.
        let solved =
            ridge(&columns, &targets, penalty.max(1e-9 * n)).ok_or(FitError::Unstable("no unique solution"))?;
        let mut intercept = solved[0];
        let mut coefficients = vec![0.0];
        for (b, (mean, scale)) in solved[1..].iter().zip(&scales) {
            coefficients.push(b / scale);
            intercept -= b / scale * mean;
        }
        coefficients[0] = intercept;
        let mut squares = 0.0;
        for (row, target) in targets.iter().enumerate() {
            let fitted: f64 = columns.iter().zip(&solved).map(|(column, b)| column[row] * b).sum();
            squares += (target - fitted) * (target - fitted);
        }
        self.coefficients = coefficients;
        self.variance = squares / (n - count as f64 - 1.0).max(1.0);
        Ok(())
    }

    fn next(&self, before: &[f64], t: usize) -> f64 {
        let slopes = self.features(before, t).zip(&self.coefficients[1..]).map(|(x, b)| x * b);
        self.coefficients[0] + slopes.sum::<f64>()
    }
}

impl Fitted for RegressionFit {
    fn forecast(&self, steps: usize, levels: &[f64]) -> Forecast {
        let mut values = self.past.clone();
        for h in 0..steps {
            values.push(self.next(&values, self.time + h));
        }
        let mut ar = vec![0.0; self.past.len()];
        self.lags.iter().zip(&self.coefficients[1..]).for_each(|(lag, b)| ar[lag - 1] = *b);
        let mut sum = 0.0;
        let squares = psi_weights(&ar, &[], steps).into_iter().map(|w| w * w);
        let errors = squares.map(|w| {
            sum += w;
            (self.variance * sum).sqrt()
        });
        Forecast::normal(values.split_off(self.past.len()), &errors.collect::<Vec<_>>(), levels)
    }

    fn update(&mut self, values: &[f64]) {
        for value in values {
            // A missing value is replaced by its forecast.
            let known = if value.is_finite() { *value } else { self.next(&self.past, self.time) };
            self.past.push(known);
            self.past.remove(0);
            self.time += 1;
        }
    }

    fn refit(&self, series: &Series) -> Result<Box<dyn Fitted>, FitError> {
        Regression { lags: Some(self.lags.clone()), ..self.method.clone() }.fit(series)
    }

    fn describe(&self) -> String {
        let lags: Vec<String> = self.lags.iter().map(usize::to_string).collect();
        format!("regression on lags {} and {} harmonics", lags.join(", "), self.frequencies.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::SimDuration;

    #[test]
    fn finds_the_coefficients_of_a_recursion() {
        let mut values = vec![1.0, 2.0];
        for t in 2..300 {
            let wave = (t as f64 * std::f64::consts::TAU / 12.0).sin();
            values.push(3.0 + 0.5 * values[t - 1] - 0.3 * values[t - 2] + 2.0 * wave);
        }
        let series = Series::new(values[..280].iter().copied(), SimDuration::from_secs(60)).with_seasons([12]);
        let method = Regression { lags: Some(vec![1, 2]), penalty: 0.0, harmonics: 1 };
        let mut fit = method.fit(&series).unwrap();
        fit.update(&values[280..285]);
        for (h, value) in fit.forecast(15, &[]).mean.into_iter().enumerate() {
            assert!((value - values[285 + h]).abs() < 1e-3, "step {h}: {value} for {}", values[285 + h]);
        }
    }
}
