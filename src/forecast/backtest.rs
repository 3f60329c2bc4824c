//! Rolling-origin evaluation: fit to the past, forecast, compare, advance.

use super::{FitError, Fitted, Forecast, Forecaster, Series};

/// The origins, the training window and the horizon of a backtest.
#[derive(Debug, Clone, PartialEq)]
pub struct Backtest {
    /// The origins: indices of the first value forecast. Origins with fewer than `train` values before them, or with
    /// less than a whole horizon after them, are left out.
    pub origins: Vec<usize>,
    /// Number of values before the origin to fit to.
    pub train: usize,
    /// Number of steps forecast.
    pub horizon: usize,
    /// First step that counts, from 1: capacity takes time to start, so the next step may be too near to matter.
    pub first_step: usize,
    /// Quantile levels to evaluate.
    pub levels: Vec<f64>,
    /// Season in steps of the naive forecast in the denominator of the scaled error.
    pub season: usize,
    /// Lower limit of all forecasts; counts and rates are not negative.
    pub floor: Option<f64>,
    /// When the model is fitted again.
    pub refit: Refit,
}

/// When the model is fitted again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refit {
    /// At each origin, including its structure (orders, components).
    Everything,
    /// The parameters at each origin, the structure only at the first.
    Parameters,
    /// Never: after the first origin the model is only updated with new values.
    Never,
}

/// Relative tolerance by which a value may exceed a quantile and still count as within it: an interval of zero width
/// would otherwise miss values that differ by rounding only.
const ROUNDING: f64 = 1e-9;

impl Backtest {
    /// Origins every `every` values, from the first with `train` values before it to the last with a whole horizon
    /// after it.
    pub fn every(series: &Series, every: usize, train: usize, horizon: usize) -> Self {
        let origins = (train..).step_by(every.max(1)).take_while(|o| o + horizon <= series.len()).collect();
        Backtest {
            origins,
            train,
            horizon,
            first_step: 1,
            levels: vec![0.1, 0.5, 0.9],
            season: series.seasons().first().copied().unwrap_or(1),
            floor: Some(0.0),
            refit: Refit::Parameters,
        }
    }

    fn usable_origins<'a>(&'a self, series: &'a Series) -> impl Iterator<Item = usize> + 'a {
        let inside = |o: &usize| *o >= self.train && *o + self.horizon <= series.len();
        self.origins.iter().copied().filter(inside)
    }

    /// Forecasts from every origin.
    ///
    /// # Errors
    /// The error of the first fit that failed.
    pub fn run(&self, forecaster: &dyn Forecaster, series: &Series) -> Result<Evaluation, FitError> {
        let mut forecasts = Vec::new();
        let mut model: Option<(usize, Box<dyn Fitted>)> = None;
        for origin in self.usable_origins(series) {
            let known = series.window(origin - self.train, origin);
            let fitted = match (model, self.refit) {
                (None, _) | (_, Refit::Everything) => forecaster.fit(&known)?,
                (Some((at, mut earlier)), Refit::Parameters) => {
                    // A method that weighs members by recent errors is updated with those since the last origin.
                    earlier.update(&series.values()[at..origin]);
                    earlier.refit(&known)?
                }
                (Some((at, mut earlier)), Refit::Never) => {
                    earlier.update(&series.values()[at..origin]);
                    earlier
                }
            };
            forecasts.push(self.hold(fitted.forecast(self.horizon, &self.levels)));
            model = Some((origin, fitted));
        }
        let description = model.map_or_else(String::new, |(_, fitted)| fitted.describe());
        Ok(self.evaluate(series, forecasts, description))
    }

    fn hold(&self, forecast: Forecast) -> Forecast {
        match self.floor {
            Some(floor) => forecast.at_least(floor),
            None => forecast,
        }
    }

    /// The share of values between the quantiles of two levels, ends included; `None` if a level was not requested or
    /// nothing was observed. A count of zero is within an interval that begins at zero, whatever its level.
    pub fn interval_coverage(&self, series: &Series, evaluation: &Evaluation, low: f64, high: f64) -> Option<f64> {
        let (mut inside, mut seen) = (0u64, 0u64);
        for (origin, forecast) in evaluation.origins.iter().zip(&evaluation.forecasts) {
            let (lower, upper) = (forecast.quantile(low)?, forecast.quantile(high)?);
            let came = series.values()[*origin..].iter().zip(lower.iter().zip(upper));
            for (value, (lower, upper)) in came.skip(self.first_step.max(1) - 1).filter(|(v, _)| v.is_finite()) {
                let slack = ROUNDING * value.abs();
                seen += 1;
                inside += u64::from(*lower <= value + slack && value - slack <= *upper);
            }
        }
        (seen > 0).then(|| inside as f64 / seen as f64)
    }

    /// Evaluates forecasts, one for each usable origin in order.
    pub fn evaluate(&self, series: &Series, forecasts: Vec<Forecast>, description: String) -> Evaluation {
        let mut sums = Sums::new(self.levels.len());
        let origins: Vec<usize> = self.usable_origins(series).take(forecasts.len()).collect();
        for (origin, forecast) in origins.iter().zip(&forecasts) {
            let known = &series.values()[origin - self.train..*origin];
            let came = &series.values()[*origin..origin + self.horizon];
            let judged = self.first_step.max(1) - 1;
            sums.add(forecast, came, judged, [typical_change(known, self.season), typical_change(known, 1)]);
        }
        let scores = sums.scores();
        Evaluation { scores, origins, forecasts, description }
    }
}

/// Mean absolute difference between values `lag` apart; `None` if there is no such pair or the series is constant.
fn typical_change(values: &[f64], lag: usize) -> Option<f64> {
    let pairs = values.iter().zip(values.get(lag..).unwrap_or_default());
    let changes: Vec<f64> = pairs.map(|(a, b)| (b - a).abs()).filter(|c| c.is_finite()).collect();
    let mean = changes.iter().sum::<f64>() / changes.len() as f64;
    (mean > 0.0).then_some(mean)
}

/// Accuracy of a set of forecasts. A measure is `None` if it is undefined (nothing was observed, or every value is
/// zero).
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// Mean absolute error divided by that of the seasonal naive forecast on the training values, averaged over the
    /// origins (Hyndman and Koehler 2006). Below 1 is better than repeating the last season.
    pub mase: Option<f64>,
    /// The same relative to the last value.
    pub mase_naive: Option<f64>,
    /// Symmetric mean absolute percentage error: mean of 200 |e| / (|forecast| + |value|), in per cent. Zero if both
    /// are zero.
    pub smape: Option<f64>,
    /// Sum of absolute errors divided by the sum of values, in per cent.
    pub wape: Option<f64>,
    /// For each level, the sum of pinball losses divided by the sum of values, in per cent.
    pub pinball: Vec<Option<f64>>,
    /// For each level, the share of values at or below the quantile.
    pub coverage: Vec<Option<f64>>,
    /// Number of evaluated values.
    pub values: usize,
}

/// The outcome of a backtest.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Accuracy of the forecasts.
    pub scores: Scores,
    /// The origins for which there is a forecast.
    pub origins: Vec<usize>,
    /// The forecasts; each records whether a simpler method was used instead.
    pub forecasts: Vec<Forecast>,
    /// Short description of the last model.
    pub description: String,
}

impl Evaluation {
    /// The forecasts for which a simpler method was used.
    pub fn fallbacks(&self) -> usize {
        self.forecasts.iter().filter(|forecast| forecast.fallback.is_some()).count()
    }
}

/// Running sums of a backtest.
struct Sums {
    absolute: f64,
    symmetric: f64,
    values: f64,
    pinball: Vec<f64>,
    covered: Vec<f64>,
    /// Per scale: sum of ratios and their number.
    scaled: [(f64, f64); 2],
    count: usize,
}

impl Sums {
    fn new(levels: usize) -> Self {
        let zero = vec![0.0; levels];
        let scaled = [(0.0, 0.0); 2];
        Sums { absolute: 0.0, symmetric: 0.0, values: 0.0, pinball: zero.clone(), covered: zero, scaled, count: 0 }
    }

    fn add(&mut self, forecast: &Forecast, came: &[f64], from: usize, scales: [Option<f64>; 2]) {
        let (mut errors, mut seen) = (0.0, 0);
        for (h, value) in came.iter().enumerate().skip(from).filter(|(_, v)| v.is_finite()) {
            let (mean, error) = (forecast.mean[h], (value - forecast.mean[h]).abs());
            let size = mean.abs() + value.abs();
            errors += error;
            seen += 1;
            self.symmetric += if size > 0.0 { 200.0 * error / size } else { 0.0 };
            self.values += value;
            for (index, (level, row)) in forecast.levels.iter().zip(&forecast.quantiles).enumerate() {
                let above = value - row[h];
                self.pinball[index] += (level * above).max((level - 1.0) * above);
                self.covered[index] += if above <= ROUNDING * value.abs() { 1.0 } else { 0.0 };
            }
        }
        self.absolute += errors;
        self.count += seen;
        for (sum, scale) in self.scaled.iter_mut().zip(scales) {
            if let Some(scale) = scale.filter(|_| seen > 0) {
                sum.0 += errors / seen as f64 / scale;
                sum.1 += 1.0;
            }
        }
    }

    fn scores(self) -> Scores {
        let count = self.count as f64;
        let ratio = |above: f64, below: f64| (below > 0.0).then(|| above / below);
        Scores {
            mase: ratio(self.scaled[0].0, self.scaled[0].1),
            mase_naive: ratio(self.scaled[1].0, self.scaled[1].1),
            smape: ratio(self.symmetric, count),
            wape: ratio(100.0 * self.absolute, self.values),
            pinball: self.pinball.iter().map(|loss| ratio(100.0 * loss, self.values)).collect(),
            coverage: self.covered.iter().map(|covered| ratio(*covered, count)).collect(),
            values: self.count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Naive, SeasonalNaive};
    use super::*;
    use crate::units::SimDuration;
    use rstest::rstest;

    fn series() -> Series {
        let wave = (0..60).map(|t| [1.0, 5.0, 9.0][t % 3] + if t == 40 { f64::NAN } else { 0.0 });
        Series::new(wave, SimDuration::from_secs(60)).with_seasons([3])
    }

    #[test]
    fn the_scores_are_those_of_the_definitions() {
        let series = Series::new([2.0, 4.0, 2.0, 4.0, 3.0, 5.0], SimDuration::from_secs(60));
        let plan = Backtest { levels: vec![0.9], ..Backtest::every(&series, 1, 4, 2) };
        let evaluation = plan.run(&Naive, &series).unwrap();
        // One origin: forecast 4, 4; actual 3, 5. Typical change 2.
        assert_eq!(evaluation.origins, [4]);
        let scores = &evaluation.scores;
        assert_eq!((scores.wape, scores.mase, scores.values), (Some(25.0), Some(0.5), 2));
        assert!((scores.smape.unwrap() - (200.0 / 7.0 + 200.0 / 9.0) / 2.0).abs() < 1e-12);
        // Quantiles 4 + 1.2816 * 2 * sqrt(h) lie above both values: the loss is a tenth of the distance.
        let (first, second) = (4.0 + 1.281_551_6 * 2.0, 4.0 + 1.281_551_6 * 8.0f64.sqrt());
        let loss = 100.0 * 0.1 * (first - 3.0 + second - 5.0) / 8.0;
        assert!((scores.pinball[0].unwrap() - loss).abs() < 1e-5);
        assert_eq!(scores.coverage, [Some(1.0)]);
    }

    #[test]
    fn intervals_include_their_ends() {
        let series = Series::new([2.0, 2.0, 2.0, 2.0, 2.0, 5.0], SimDuration::from_secs(60));
        let plan = Backtest::every(&series, 1, 4, 2);
        let evaluation = plan.run(&Naive, &series).unwrap();
        // The series never changed: the interval is the point 2.
        assert_eq!(plan.interval_coverage(&series, &evaluation, 0.1, 0.9), Some(0.5));
        assert_eq!(plan.interval_coverage(&series, &evaluation, 0.2, 0.9), None);
    }

    #[test]
    fn rounding_puts_no_value_outside_of_an_interval_without_width() {
        let series = Series::new([0.3; 8], SimDuration::from_secs(60));
        let plan = Backtest { levels: vec![0.1, 0.9], floor: None, ..Backtest::every(&series, 2, 4, 2) };
        let row = vec![0.1 + 0.2; 2];
        let forecast = Forecast {
            mean: row.clone(),
            levels: vec![0.1, 0.9],
            quantiles: vec![row.clone(), row.iter().map(|v| v - 1e-16).collect()],
            fallback: None,
        };
        let evaluation = plan.evaluate(&series, vec![forecast; 2], String::new());
        assert_eq!(plan.interval_coverage(&series, &evaluation, 0.1, 0.9), Some(1.0));
        assert_eq!(evaluation.scores.coverage, [Some(1.0), Some(1.0)]);
    }

    #[rstest]
    #[case(Refit::Everything)]
    #[case(Refit::Parameters)]
    #[case(Refit::Never)]
    fn a_perfect_forecast_scores_zero(#[case] refit: Refit) {
        let plan = Backtest { refit, ..Backtest::every(&series(), 4, 30, 6) };
        let evaluation = plan.run(&SeasonalNaive::default(), &series()).unwrap();
        assert_eq!(evaluation.origins, [30, 34, 38, 42, 46, 50, 54]);
        assert_eq!((evaluation.scores.wape, evaluation.fallbacks()), (Some(0.0), 0));
        assert_eq!(evaluation.scores.values, 6 * 7 - 1);
    }
}
