//! The forecasters tried by default.

use std::sync::Arc;

use super::super::arima::Limits;
use super::super::{
    Arima, BoxCox, Ets, FitError, Fitted, Forecaster, Gaps, Mstl, Naive, Regression, SeasonalNaive, Series,
};

/// Maximum season length for which seasonal ARIMA is tried; the cost of the search grows with its square.
const LONGEST_ARIMA_SEASON: usize = 24;
/// Number of cycles of the season that such a model is fitted to.
const ARIMA_CYCLES: usize = 40;
/// Number of values that ARIMA and smoothing without season are fitted to; older values have no influence.
const MAX_RECENT: usize = 5000;

/// Maximum orders: a smaller search than that of `arima` itself, because several models of the pool run it.
const LIMITS: Limits = Limits { terms: 3, seasonal_terms: 2, differences: 2, period: 60, models: 40 };

/// The forecasters that the series allows, simplest first.
pub(super) fn members(series: &Series) -> Vec<Arc<dyn Forecaster>> {
    let seasons = series.seasons_seen(2);
    let smoothing = Ets { seasonal: Some(false), ..Ets::default() };
    let arima = Arima { seasonal: false, limits: LIMITS, ..Arima::default() };
    let mut members: Vec<Arc<dyn Forecaster>> = vec![Arc::new(Naive)];
    for season in &seasons {
        members.push(Arc::new(SeasonalNaive { season: Some(*season) }));
    }
    members.push(recent(smoothing, MAX_RECENT));
    members.push(Arc::new(Regression::default()));
    members.push(recent(arima, MAX_RECENT));
    let Some(shortest) = seasons.first().copied() else { return members };
    let seasonal = Ets { seasonal: Some(true), season: Some(shortest), trend: None };
    let terms = |around: Arima| -> Arc<dyn Forecaster> {
        Arc::new(Recent { around: Arc::new(around), values: ARIMA_CYCLES * shortest, gaps: Gaps::Interpolate })
    };
    members.push(Arc::new(seasonal));
    members.push(Arc::new(Mstl { rest: Arc::new(smoothing) }));
    members.push(Arc::new(Mstl { rest: Arc::new(arima) }));
    members.push(Arc::new(Arima { harmonics: 6, limits: LIMITS, ..Arima::default() }));
    if shortest <= LONGEST_ARIMA_SEASON {
        let seasonal = Arima { limits: LIMITS, ..Arima::default() };
        members.push(terms(seasonal));
        members.push(grown(terms(seasonal)));
    }
    members.push(grown(Arc::new(seasonal)));
    members.push(grown(Arc::new(Mstl { rest: Arc::new(smoothing) })));
    members
}

/// `around` on a power of the series, if its swings grow with its level.
fn grown(around: Arc<dyn Forecaster>) -> Arc<dyn Forecaster> {
    Arc::new(BoxCox { around, power: None, needed: true })
}

/// Another forecaster on the last values only, with gaps filled beforehand: exact filtering over gaps is expensive if
/// the state contains seasons.
struct Recent {
    around: Arc<dyn Forecaster>,
    values: usize,
    gaps: Gaps,
}

fn recent(around: impl Forecaster + 'static, values: usize) -> Arc<dyn Forecaster> {
    Arc::new(Recent { around: Arc::new(around), values, gaps: Gaps::Missing })
}

fn last(series: &Series, values: usize, gaps: Gaps) -> Series {
    gaps.filled(series.window(series.len().saturating_sub(values), series.len()))
}

impl Forecaster for Recent {
    fn fit(&self, series: &Series) -> Result<Box<dyn Fitted>, FitError> {
        let inner = self.around.fit(&last(series, self.values, self.gaps))?;
        Ok(Box::new(RecentFit { inner, values: self.values, gaps: self.gaps }))
    }
}

struct RecentFit {
    inner: Box<dyn Fitted>,
    values: usize,
    gaps: Gaps,
}

impl Fitted for RecentFit {
    fn forecast(&self, steps: usize, levels: &[f64]) -> super::super::Forecast {
        self.inner.forecast(steps, levels)
    }

    fn update(&mut self, values: &[f64]) {
        self.inner.update(values);
    }

    fn refit(&self, series: &Series) -> Result<Box<dyn Fitted>, FitError> {
        let inner = self.inner.refit(&last(series, self.values, self.gaps))?;
        Ok(Box::new(RecentFit { inner, values: self.values, gaps: self.gaps }))
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}
