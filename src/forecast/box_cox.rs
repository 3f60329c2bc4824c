//! Another forecaster on a power of the series, for swings that grow with the level.

use std::sync::Arc;

use super::parameters::{or_empty, read_forecaster};
use super::stl::variance;
use super::{Arima, FitError, Fitted, Forecast, Forecaster, ForecasterPlugin, Ladder, Series};
use crate::config::{Diagnostics, Fields, Yaml};

/// The entry in the list.
pub(super) const PLUGIN: ForecasterPlugin = ForecasterPlugin {
    name: "box-cox",
    summary: "another forecaster on the logarithm or a root of the series: seasons that grow with the level",
    source: "Box and Cox 1964, An analysis of transformations; power by Guerrero 1993",
    build,
};

fn build(node: &Yaml, sink: &mut Diagnostics) -> Option<Arc<dyn Forecaster>> {
    let node = or_empty(node);
    let fields = Fields::open(&node, "box-cox", sink)?;
    let around = match fields.node_of("around") {
        Some(node) => read_forecaster(node, sink)?,
        None => Ladder::under("arima", Arima::default()),
    };
    let power: Option<f64> = fields.optional("power", sink);
    if power.is_some_and(|power| !(0.0..=1.0).contains(&power)) {
        sink.push(
            fields.node_of("power")?.error("`power` must be between 0 (the logarithm) and 1 (the unchanged series)"),
        );
    }
    fields.finish(sink);
    Some(Ladder::under("box-cox", BoxCox { around, power: power.map(|power| power.clamp(0.0, 1.0)), needed: false }))
}

/// Another forecaster on (y^power - 1) / power, or on log y if the power is 0. Its forecast is transformed back value
/// by value: quantiles remain quantiles, and the mean becomes the median.
#[derive(Clone)]
pub struct BoxCox {
    /// The forecaster of the transformed series.
    pub around: Arc<dyn Forecaster>,
    /// The power, from 0 to 1; by default the one that makes swings most equal (Guerrero 1993), 1 if they are equal
    /// already.
    pub power: Option<f64>,
    /// Whether to reject a series whose best power is near 1.
    pub needed: bool,
}

/// Powers tried.
const POWERS: usize = 20;
/// A power above this counts as 1.
const NEARLY_ONE: f64 = 0.85;
/// The minimum power if there are zeros.
const MIN_WITH_ZEROS: f64 = 0.2;
/// Number of groups of values whose swings are compared, and the minimum length of a group.
const MIN_GROUPS: usize = 4;
const SHORTEST_GROUP: usize = 4;

/// The power for which the standard deviations of successive groups, divided by their means to the power of (1 -
/// power), vary least. Groups are one season long.
fn best_power(series: &Series, least: f64) -> f64 {
    let season = series.seasons_seen(MIN_GROUPS).first().copied().unwrap_or(0);
    let length = season.max(SHORTEST_GROUP).max(series.len() / 200);
    let groups: Vec<(f64, f64)> = series
        .values()
        .rchunks(length)
        .map(|group| group.iter().copied().filter(|value| value.is_finite()).collect::<Vec<f64>>())
        .filter(|group| group.len() >= SHORTEST_GROUP && 2 * group.len() >= length)
        .map(|group| (group.iter().sum::<f64>() / group.len() as f64, variance(&group).sqrt()))
        .filter(|(mean, deviation)| *mean > 0.0 && *deviation > 0.0)
        .collect();
    if groups.len() < MIN_GROUPS {
        return 1.0;
    }
    let unlike = |power: f64| {
        let ratios: Vec<f64> = groups.iter().map(|(mean, deviation)| deviation / mean.powf(1.0 - power)).collect();
        let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
        variance(&ratios).sqrt() / mean
    };
    let powers = (0..=POWERS).map(|k| k as f64 / POWERS as f64).filter(|power| *power >= least);
    let scored = powers.map(|power| (unlike(power), power)).filter(|(score, _)| score.is_finite());
    scored.min_by(|a, b| a.0.total_cmp(&b.0)).map_or(1.0, |(_, power)| power)
}

/// The transformation and its inverse.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Power(f64);

impl Power {
    fn of(self, value: f64) -> f64 {
        if self.0 > 0.0 { (value.powf(self.0) - 1.0) / self.0 } else { value.ln() }
    }

    /// Clamped at zero, the lowest value of a power.
    fn back(self, value: f64) -> f64 {
        if self.0 > 0.0 { (self.0 * value + 1.0).max(0.0).powf(1.0 / self.0) } else { value.exp() }
    }
}

impl BoxCox {
    /// The power for a series, and the transformed series.
    fn carry(&self, series: &Series, power: Option<f64>) -> Result<(Power, Series), FitError> {
        let least = series.values().iter().copied().filter(|v| v.is_finite()).fold(f64::INFINITY, f64::min);
        let lowest = match least {
            least if least < 0.0 => return Err(FitError::Unstable("there are values below zero")),
            0.0 => MIN_WITH_ZEROS,
            _ => 0.0,
        };
        let power = power.map_or_else(|| best_power(series, lowest), |power| power.max(lowest));
        if self.needed && power > NEARLY_ONE {
            return Err(FitError::Unstable("its swings do not grow with its level"));
        }
        let power = Power(power);
        Ok((power, series.with_values(series.values().iter().map(|value| power.of(*value)).collect())))
    }
}

impl Forecaster for BoxCox {
    fn fit(&self, series: &Series) -> Result<Box<dyn Fitted>, FitError> {
        let (power, carried) = self.carry(series, self.power)?;
        Ok(Box::new(BoxCoxFit { method: self.clone(), power, inner: self.around.fit(&carried)? }))
    }
}

struct BoxCoxFit {
    method: BoxCox,
    power: Power,
    inner: Box<dyn Fitted>,
}

impl Fitted for BoxCoxFit {
    fn forecast(&self, steps: usize, levels: &[f64]) -> Forecast {
        let mut forecast = self.inner.forecast(steps, levels);
        let values = forecast.mean.iter_mut().chain(forecast.quantiles.iter_mut().flatten());
        values.for_each(|value| *value = self.power.back(*value));
        forecast
    }

    fn update(&mut self, values: &[f64]) {
        // A value without a transform (below zero; zero if there was none before) is missing.
        let carried: Vec<f64> = values.iter().map(|value| super::series::present(self.power.of(*value))).collect();
        self.inner.update(&carried);
    }

    fn refit(&self, series: &Series) -> Result<Box<dyn Fitted>, FitError> {
        let (power, carried) = self.method.carry(series, Some(self.power.0))?;
        let inner = if power == self.power { self.inner.refit(&carried)? } else { self.method.around.fit(&carried)? };
        Ok(Box::new(BoxCoxFit { method: self.method.clone(), power, inner }))
    }

    fn describe(&self) -> String {
        match self.power.0 {
            0.0 => format!("{} of the logarithm", self.inner.describe()),
            1.0 => self.inner.describe(),
            power => format!("{} of the power {power}", self.inner.describe()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::SeasonalNaive;
    use super::*;
    use crate::units::SimDuration;

    fn grown(t: usize) -> f64 {
        100.0 * 1.02f64.powi(t as i32) * [1.0, 1.5, 2.0, 0.5][t % 4]
    }

    #[test]
    fn swings_that_grow_with_the_level_call_for_the_logarithm() {
        let series = |values: Vec<f64>| Series::new(values, SimDuration::from_secs(60)).with_seasons([4]);
        assert!(best_power(&series((0..80).map(grown).collect()), 0.0) <= 0.1);
        let level = series((0..80).map(|t| 10.0 + t as f64 + [0.0, 3.0, 5.0, 1.0][t % 4]).collect());
        let needed = BoxCox { around: Arc::new(SeasonalNaive::default()), power: None, needed: true };
        assert!(needed.fit(&level).is_err());
        let log = BoxCox { power: Some(0.0), needed: false, ..needed };
        let fit = log.fit(&series((0..80).map(grown).collect())).unwrap();
        let forecast = fit.forecast(4, &[0.1, 0.9]);
        for h in 0..4 {
            let (low, high, mean) = (forecast.quantiles[0][h], forecast.quantiles[1][h], forecast.mean[h]);
            assert!((mean / grown(76 + h) - 1.0).abs() < 1e-9);
            assert!((low * high / (mean * mean) - 1.0).abs() < 1e-9, "as far below as above, by factors");
        }
    }

    #[test]
    fn zeros_have_a_power_and_negative_values_have_none() {
        let series = |values: &[f64]| Series::new(values.iter().copied(), SimDuration::from_secs(60));
        let method = BoxCox { around: Arc::new(super::super::Naive), power: Some(0.0), needed: false };
        let mut fit = method.fit(&series(&[0.0, 4.0, 9.0])).unwrap();
        assert!((fit.forecast(1, &[]).mean[0] - 9.0).abs() < 1e-9);
        fit.update(&[0.0, f64::NAN]);
        assert_eq!(fit.forecast(1, &[0.1]).quantiles[0][0], 0.0);
        assert!(method.fit(&series(&[-1.0, 4.0])).is_err());
    }
}
