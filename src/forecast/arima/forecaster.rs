//! ARIMA as a forecaster: with seasonal terms, or with harmonics of the seasons as regressors.

use std::f64::consts::TAU;
use std::sync::Arc;

use super::super::parameters::or_empty;
use super::super::{FitError, Fitted, Forecast, Forecaster, ForecasterPlugin, Ladder, Series};
use super::model::{ArimaFit, ArimaSpec, Order};
use super::select::{Limits, select, select_errors};
use crate::config::{Diagnostics, Fields, Yaml};

/// The entry in the list.
pub(in super::super) const PLUGIN: ForecasterPlugin = ForecasterPlugin {
    name: "arima",
    summary: "(seasonal) ARIMA by exact maximum likelihood; orders given or chosen by AICc",
    source: "Hyndman and Khandakar 2008, Automatic time series forecasting (orders); Harvey 1989 (likelihood)",
    build,
};

fn build(node: &Yaml, sink: &mut Diagnostics) -> Option<Arc<dyn Forecaster>> {
    let node = or_empty(node);
    let fields = Fields::open(&node, "arima", sink)?;
    let spec = read_spec(&fields, sink);
    let seasonal = fields.or("seasonal", true, sink);
    fields.finish(sink);
    Some(Ladder::under("arima", Arima { spec, seasonal, ..Arima::default() }))
}

/// Reads `order`, `seasonal-order`, `season` and `constant`.
pub(in super::super) fn read_spec(fields: &Fields<'_>, sink: &mut Diagnostics) -> Option<ArimaSpec> {
    let constant: Option<bool> = fields.optional("constant", sink);
    let period: Option<u32> = fields.optional("season", sink);
    let seasonal = read_terms(fields, "seasonal-order", [3, 1, 3], sink);
    let [p, d, q] = read_terms(fields, "order", [12, 2, 12], sink)?;
    let mut order = Order::new(p, d, q);
    if let Some([p, d, q]) = seasonal {
        match period {
            Some(period @ 2..=366) => order = order.seasonal(p, d, q, period as usize),
            _ => sink.push(fields.node().error("`seasonal-order` needs a `season` of 2 to 366 steps")),
        }
    }
    // As in R's `arima`: a mean if there is no differencing, no drift unless requested.
    Some(ArimaSpec { order, constant: constant.unwrap_or(order.differenced() == 0) })
}

/// Reads three orders, each up to the stated maximum.
fn read_terms(fields: &Fields<'_>, name: &'static str, most: [usize; 3], sink: &mut Diagnostics) -> Option<[usize; 3]> {
    let given: Vec<u32> = fields.optional(name, sink)?;
    let node = fields.node_of(name)?;
    let Ok(terms) = <[u32; 3]>::try_from(given) else {
        sink.push(node.error(format!("`{name}` must be a list of three numbers, p, d and q")));
        return None;
    };
    let terms = terms.map(|t| t as usize);
    if terms.iter().zip(&most).any(|(t, m)| t > m) {
        sink.push(node.error(format!("the orders must be at most {}, {} and {}", most[0], most[1], most[2])));
        return None;
    }
    Some(terms)
}

/// (Seasonal) ARIMA, or regression on harmonics of the seasons with ARIMA errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arima {
    /// The model; `None` selects it from the series.
    pub spec: Option<ArimaSpec>,
    /// Pairs of sine and cosine per season as regressors; 0 for none.
    pub harmonics: usize,
    /// Whether a selected model may have seasonal terms.
    pub seasonal: bool,
    /// Maximum orders of a selected model.
    pub limits: Limits,
}

impl Default for Arima {
    fn default() -> Self {
        Arima { spec: None, harmonics: 0, seasonal: true, limits: Limits::default() }
    }
}

/// Angular frequencies of the first `harmonics` harmonics of each season, without duplicates.
fn frequencies(seasons: &[usize], harmonics: usize) -> Vec<f64> {
    let mut turns: Vec<(usize, usize)> = Vec::new();
    for season in seasons {
        for k in 1..=harmonics.min(season / 2) {
            // The same frequency k / season in two seasons is one regressor.
            if turns.iter().all(|(j, other)| j * season != k * other) {
                turns.push((k, *season));
            }
        }
    }
    turns.into_iter().map(|(k, season)| TAU * k as f64 / season as f64).collect()
}

/// The regressors at time index `t`.
pub(in super::super) fn waves(frequencies: &[f64], t: usize) -> impl Iterator<Item = f64> {
    frequencies.iter().flat_map(move |f| {
        let (sine, cosine) = (f * t as f64).sin_cos();
        [sine, cosine]
    })
}

impl Arima {
    /// The frequencies of the harmonics that the length of the series allows.
    pub(in super::super) fn frequencies(&self, series: &Series) -> Vec<f64> {
        frequencies(&series.seasons_seen(2), self.harmonics)
    }

    fn fit_from(&self, series: &Series, earlier: Option<&ArimaFit>) -> Result<ArimaForecast, FitError> {
        let frequencies = self.frequencies(series);
        if self.harmonics > 0 && frequencies.is_empty() {
            return Err(FitError::NoSeason);
        }
        let mut regressors = vec![Vec::with_capacity(series.len()); 2 * frequencies.len()];
        for t in 0..series.len() {
            regressors.iter_mut().zip(waves(&frequencies, t)).for_each(|(column, wave)| column.push(wave));
        }
        let values = series.values();
        let fit = match self.spec {
            Some(spec) if earlier.is_some() => spec.fit_from(values, &regressors, earlier)?,
            Some(spec) => spec.fit(values, &regressors)?,
            None if regressors.is_empty() => {
                let period = series.seasons_seen(2).first().copied().filter(|_| self.seasonal);
                select(values, &[], period, self.limits)?
            }
            None => select_errors(values, &regressors, self.limits)?.fit_from(values, &regressors, None)?,
        };
        Ok(ArimaForecast { method: *self, frequencies, fit })
    }
}

impl Forecaster for Arima {
    fn fit(&self, series: &Series) -> Result<Box<dyn Fitted>, FitError> {
        Ok(Box::new(self.fit_from(series, None)?))
    }
}

struct ArimaForecast {
    method: Arima,
    frequencies: Vec<f64>,
    fit: ArimaFit,
}

impl Fitted for ArimaForecast {
    fn forecast(&self, steps: usize, levels: &[f64]) -> Forecast {
        let mut future = vec![Vec::with_capacity(steps); 2 * self.frequencies.len()];
        for h in 0..steps {
            let row = waves(&self.frequencies, self.fit.time + h);
            future.iter_mut().zip(row).for_each(|(column, wave)| column.push(wave));
        }
        let (mean, mut errors) = self.fit.predict(steps, &future);
        let wider = (self.fit.sigma2_unbiased / self.fit.sigma2).sqrt();
        errors.iter_mut().for_each(|e| *e *= wider);
        Forecast::normal(mean, &errors, levels)
    }

    fn update(&mut self, values: &[f64]) {
        for value in values {
            let row: Vec<f64> = waves(&self.frequencies, self.fit.time).collect();
            self.fit.update(*value, &row);
        }
    }

    fn refit(&self, series: &Series) -> Result<Box<dyn Fitted>, FitError> {
        let kept = Arima { spec: Some(self.fit.spec), ..self.method };
        let fitted = kept.fit_from(series, Some(&self.fit))?;
        Ok(Box::new(fitted))
    }

    fn describe(&self) -> String {
        match self.frequencies.len() {
            0 => format!("{}, AICc {:.1}", self.fit.spec, self.fit.aicc()),
            k => format!("{} and {k} harmonics, AICc {:.1}", self.fit.spec, self.fit.aicc()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_harmonic_shared_by_two_seasons_is_taken_once() {
        // The 7th harmonic of a week is the first of a day, the 14th the second.
        assert_eq!(frequencies(&[24, 168], 7).len(), 7 + 6);
        assert_eq!(frequencies(&[4], 9).len(), 2);
    }
}
