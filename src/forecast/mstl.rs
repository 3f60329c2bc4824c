//! Seasons removed by local regression, the rest forecast without them.

use std::sync::Arc;

use super::arima::Arima;
use super::clean::interpolate;
use super::ets::Ets;
use super::parameters::or_empty;
use super::stl::decompose;
use super::{FitError, Fitted, Forecast, Forecaster, ForecasterPlugin, Ladder, Series};
use crate::config::{Diagnostics, Fields, Yaml};

/// The entry in the list.
pub(super) const PLUGIN: ForecasterPlugin = ForecasterPlugin {
    name: "mstl",
    summary: "one or more seasons taken out by local regression, the rest by ARIMA or smoothing",
    source: "Bandara, Hyndman and Bergmeir 2021, MSTL: a seasonal-trend decomposition algorithm",
    build,
};

fn build(node: &Yaml, sink: &mut Diagnostics) -> Option<Arc<dyn Forecaster>> {
    let node = or_empty(node);
    let fields = Fields::open(&node, "mstl", sink)?;
    let rest: Arc<dyn Forecaster> = match fields.optional::<String>("rest", sink).as_deref() {
        None | Some("arima") => Arc::new(Arima { seasonal: false, ..Arima::default() }),
        Some("ets") => Arc::new(Ets { seasonal: Some(false), ..Ets::default() }),
        Some(_) => {
            sink.push(fields.node_of("rest")?.error("`rest` must be one of arima, ets"));
            return None;
        }
    };
    fields.finish(sink);
    Some(Ladder::under("mstl", Mstl { rest }))
}

/// Decomposition by MSTL: every season repeats its last cycle, and the rest is forecast by another method. The interval
/// is that of the rest only, and therefore too narrow if the seasons themselves change; wrap it in `conformal` to
/// correct that.
#[derive(Clone)]
pub struct Mstl {
    /// The forecaster of the series without its seasons.
    pub rest: Arc<dyn Forecaster>,
}

impl Mstl {
    /// Removes the seasons: returns the last cycle of each, and the series without them (missing values stay missing).
    fn adjust(series: &Series) -> Result<(Vec<Vec<f64>>, Series), FitError> {
        let periods = series.seasons_seen(2);
        let longest = *periods.last().ok_or(FitError::NoSeason)?;
        let parts = decompose(&interpolate(series.values(), longest), &periods);
        let mut rest = series.values().to_vec();
        let mut cycles = Vec::new();
        for (component, period) in parts.seasonal.iter().zip(&periods) {
            rest.iter_mut().zip(component).for_each(|(r, s)| *r -= s);
            // Phase k of the cycle is the value at the last time that equals k modulo the period.
            let mut cycle = vec![0.0; *period];
            for (t, value) in component.iter().enumerate().skip(component.len() - period) {
                cycle[t % period] = *value;
            }
            cycles.push(cycle);
        }
        Ok((cycles, series.with_values(rest)))
    }
}

impl Forecaster for Mstl {
    fn fit(&self, series: &Series) -> Result<Box<dyn Fitted>, FitError> {
        let (cycles, rest) = Mstl::adjust(series)?;
        let inner = self.rest.fit(&rest)?;
        Ok(Box::new(MstlFit { method: self.clone(), cycles, time: series.len(), inner }))
    }
}

struct MstlFit {
    method: Mstl,
    /// The last cycle of each season.
    cycles: Vec<Vec<f64>>,
    time: usize,
    inner: Box<dyn Fitted>,
}

impl MstlFit {
    fn season(&self, t: usize) -> f64 {
        self.cycles.iter().map(|cycle| cycle[t % cycle.len()]).sum()
    }
}

impl Fitted for MstlFit {
    fn forecast(&self, steps: usize, levels: &[f64]) -> Forecast {
        self.inner.forecast(steps, levels).shifted(|h| self.season(self.time + h))
    }

    fn update(&mut self, values: &[f64]) {
        let rest: Vec<f64> = values.iter().enumerate().map(|(h, v)| v - self.season(self.time + h)).collect();
        self.inner.update(&rest);
        self.time += values.len();
    }

    fn refit(&self, series: &Series) -> Result<Box<dyn Fitted>, FitError> {
        let (cycles, rest) = Mstl::adjust(series)?;
        let inner = self.inner.refit(&rest)?;
        Ok(Box::new(MstlFit { method: self.method.clone(), cycles, time: series.len(), inner }))
    }

    fn describe(&self) -> String {
        let periods: Vec<String> = self.cycles.iter().map(|cycle| cycle.len().to_string()).collect();
        format!("seasons of {} steps, the rest by {}", periods.join(" and "), self.inner.describe())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::SimDuration;

    #[test]
    fn two_seasons_are_carried_on() {
        let wave = |t: usize| 50.0 + [0.0, 9.0, 3.0, -12.0][t % 4] + if t % 20 < 10 { 15.0 } else { -15.0 };
        let series = Series::new((0..200).map(wave), SimDuration::from_secs(60)).with_seasons([4, 20]);
        let method = Mstl { rest: Arc::new(Ets { seasonal: Some(false), ..Ets::default() }) };
        let mut fit = method.fit(&series).unwrap();
        for start in [200, 203] {
            for (h, value) in fit.forecast(20, &[]).mean.into_iter().enumerate() {
                assert!((value - wave(start + h)).abs() < 1.0, "step {h}: {value} for {}", wave(start + h));
            }
            fit.update(&[wave(200), f64::NAN, wave(202)]);
        }
    }
}
