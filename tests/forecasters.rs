//! Requirements on every forecaster of the list, and what ARIMA must estimate for series from known models.

use plimsoll::config::{Diagnostics, SourceFile, parse_single};
use plimsoll::forecast::arima::{ArimaSpec, Limits, Order, select};
use plimsoll::forecast::backtest::{Backtest, Refit};
use plimsoll::forecast::{
    Arima, Conformal, Ets, FORECASTERS, FitError, Fitted, Forecast, Forecaster, Series, Trend, read_forecaster,
};
use plimsoll::random::{Purpose, Streams};
use plimsoll::units::SimDuration;
use proptest::prelude::*;
use rstest::rstest;
use std::sync::Arc;

fn built(name: &str) -> Arc<dyn Forecaster> {
    let mut sink = Diagnostics::new();
    let node = parse_single(&SourceFile::new("f.yaml", name)).unwrap();
    let forecaster = read_forecaster(&node, &mut sink);
    forecaster.unwrap_or_else(|| panic!("{name}: {sink}"))
}

fn series(values: impl IntoIterator<Item = f64>, seasons: &[usize]) -> Series {
    Series::new(values, SimDuration::from_secs(300)).with_seasons(seasons.iter().copied())
}

const LEVELS: [f64; 3] = [0.1, 0.5, 0.9];

/// A valid forecast: of the requested length, finite, with quantiles in order.
fn sound(name: &str, forecast: &Forecast, steps: usize) {
    assert_eq!((forecast.mean.len(), forecast.quantiles.len()), (steps, LEVELS.len()), "{name}");
    for h in 0..steps {
        let row: Vec<f64> = forecast.quantiles.iter().map(|q| q[h]).collect();
        assert!(forecast.mean[h].is_finite() && row.iter().all(|q| q.is_finite()), "{name}: step {h}: {row:?}");
        assert!(row[0] <= row[1] && row[1] <= row[2], "{name}: quantiles cross at step {h}: {row:?}");
    }
}

/// Fits, forecasts, updates and refits; whatever the series, every forecast must be valid, unless nothing was observed.
fn exercise(name: &str, series: &Series, news: &[f64]) -> Option<Box<dyn Fitted>> {
    let forecaster = built(name);
    let mut fitted = match forecaster.fit(series) {
        Ok(fitted) => fitted,
        Err(error) => {
            assert_eq!((error, series.observed()), (FitError::NoData, 0), "{name}");
            return None;
        }
    };
    sound(name, &fitted.forecast(10, &LEVELS), 10);
    sound(name, &fitted.forecast(0, &LEVELS), 0);
    fitted.update(news);
    sound(name, &fitted.forecast(30, &LEVELS), 30);
    let again = fitted.refit(series).unwrap_or_else(|e| panic!("{name} cannot be refitted: {e}"));
    sound(name, &again.forecast(10, &LEVELS), 10);
    assert!(!again.describe().is_empty());
    Some(fitted)
}

/// A value as delivered by monitoring.
fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        8 => 0.0..1000.0f64,
        2 => Just(0.0),
        2 => Just(f64::NAN),
        1 => -5.0..5.0f64,
        1 => (0u32..40).prop_map(|e| 10f64.powi(e as i32 * 10 - 200)),
        1 => Just(f64::INFINITY),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn no_series_makes_a_forecaster_panic_or_lose_its_numbers(
        values in prop::collection::vec(value(), 0..70),
        news in prop::collection::vec(value(), 0..8),
        seasons in prop::collection::vec(0usize..16, 0..3),
        level in prop_oneof![Just(0.0), Just(1e6), Just(-40.0)],
    ) {
        let series = series(values.into_iter().map(|v| v + level), &seasons);
        for plugin in FORECASTERS {
            exercise(plugin.name, &series, &news);
        }
    }

    #[test]
    fn a_forecaster_follows_the_units_of_the_series(values in prop::collection::vec(1.0..100.0f64, 20..60)) {
        // Requests per second or per hour: the forecast is the same up to the factor.
        for plugin in FORECASTERS {
            let forecaster = built(plugin.name);
            let plain = forecaster.fit(&series(values.iter().copied(), &[])).unwrap().forecast(5, &LEVELS);
            let scaled = forecaster.fit(&series(values.iter().map(|v| v * 1024.0), &[])).unwrap().forecast(5, &LEVELS);
            for (a, b) in plain.mean.iter().zip(&scaled.mean) {
                prop_assert!((a * 1024.0 - b).abs() <= 0.02 * b.abs().max(1024.0), "{}: {a} and {b}", plugin.name);
            }
        }
    }
}

/// Series that have broken forecasters before.
fn awkward(kind: &str) -> Vec<f64> {
    let day = |t: usize| 100.0 + 50.0 * (t as f64 * std::f64::consts::TAU / 24.0).sin();
    let noise = |t: usize| ((t * 7919 + t * t * 31) % 101) as f64 / 10.0;
    let regular = (0..240).map(|t| day(t) + noise(t));
    match kind {
        "constant" => vec![42.0; 240],
        "zeros" => vec![0.0; 240],
        "one value" => vec![7.0],
        "two values" => vec![7.0, 9.0],
        "straight line" => (0..240).map(|t| 5.0 + 3.0 * t as f64).collect(),
        "level shift" => regular.enumerate().map(|(t, v)| if t < 150 { v } else { 10.0 * v }).collect(),
        "outlier" => regular.enumerate().map(|(t, v)| if t == 200 { 1e9 } else { v }).collect(),
        "long gap" => regular.enumerate().map(|(t, v)| if (100..180).contains(&t) { f64::NAN } else { v }).collect(),
        "gap at the end" => regular.enumerate().map(|(t, v)| if t > 200 { f64::NAN } else { v }).collect(),
        "gap at the start" => regular.enumerate().map(|(t, v)| if t < 130 { f64::NAN } else { v }).collect(),
        "mostly gaps" => regular.enumerate().map(|(t, v)| if t % 7 == 0 { v } else { f64::NAN }).collect(),
        "rare events" => (0..240).map(|t| if t % 61 == 60 { 1000.0 } else { 0.0 }).collect(),
        "alternating" => (0..240).map(|t| f64::from(t % 2)).collect(),
        "explosive" => (0..240).map(|t| 1.3f64.powi(t)).collect(),
        "pure season" => (0..240).map(day).collect(),
        _ => unreachable!("{kind}"),
    }
}

#[rstest]
fn awkward_series_are_survived(
    #[values(
        "constant",
        "zeros",
        "one value",
        "two values",
        "straight line",
        "level shift",
        "outlier",
        "long gap",
        "gap at the end",
        "gap at the start",
        "mostly gaps",
        "rare events",
        "alternating",
        "explosive",
        "pure season"
    )]
    kind: &str,
) {
    for plugin in FORECASTERS {
        for seasons in [&[][..], &[24], &[24, 168], &[500]] {
            exercise(plugin.name, &series(awkward(kind), seasons), &[50.0, f64::NAN, 0.0, 60.0]);
        }
    }
}

#[test]
fn a_constant_is_forecast_as_it_is_by_all() {
    for plugin in FORECASTERS {
        let fitted = built(plugin.name).fit(&series(awkward("constant"), &[24])).unwrap();
        let forecast = fitted.forecast(12, &LEVELS);
        let all = forecast.mean.iter().chain(forecast.quantiles.iter().flatten());
        assert!(all.clone().all(|v| (v - 42.0).abs() < 1e-3), "{}: {all:?}", plugin.name);
    }
}

#[test]
fn after_a_level_shift_the_adaptive_methods_are_at_the_new_level() {
    for name in ["naive", "moving-average", "ets", "arima", "fourier-arima", "mstl", "combination"] {
        let values = awkward("level shift");
        let fitted = built(name).fit(&series(values.iter().copied(), &[24])).unwrap();
        let mean = fitted.forecast(24, &[]).mean.iter().sum::<f64>() / 24.0;
        assert!((500.0..2500.0).contains(&mean), "{name}: {mean}, {}", fitted.describe());
    }
}

#[test]
fn a_fallback_reports_itself() {
    for plugin in FORECASTERS.iter().filter(|p| ["seasonal-naive", "holt-winters", "mstl"].contains(&p.name)) {
        let fitted = built(plugin.name).fit(&series((0..40).map(f64::from), &[])).unwrap();
        let fallback = fitted.forecast(3, &LEVELS).fallback.expect("a method without its season");
        assert_eq!((fallback.wanted, fallback.used), (plugin.name, "simple exponential smoothing"));
        assert!(fallback.reason.contains("season"), "{fallback}");
        assert_eq!(fitted.fallbacks(), [fallback]);
    }
}

#[test]
fn the_list_names_each_method_once_and_says_where_it_is_from() {
    for (index, plugin) in FORECASTERS.iter().enumerate() {
        assert!(FORECASTERS[..index].iter().all(|other| other.name != plugin.name), "{} twice", plugin.name);
        assert!(!plugin.summary.is_empty() && plugin.source.len() > 10, "{}", plugin.name);
    }
}

/// A series from a seasonal ARMA recursion, without its first 300 values, integrated `d` times.
fn simulate(entity: u64, n: usize, ar: &[f64], ma: &[f64], d: usize) -> Vec<f64> {
    let mut draw = Streams::new(2024, 0).running(Purpose::Measurement, entity);
    let (mut values, mut errors): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    for t in 0..n + 300 {
        let error = draw.normal();
        let past: f64 = ar.iter().enumerate().filter(|(i, _)| *i < t).map(|(i, a)| a * values[t - 1 - i]).sum();
        let shocks: f64 = ma.iter().enumerate().filter(|(i, _)| *i < t).map(|(i, b)| b * errors[t - 1 - i]).sum();
        values.push(past + shocks + error);
        errors.push(error);
    }
    let mut values = values.split_off(300);
    for _ in 0..d {
        let mut sum = 0.0;
        values.iter_mut().for_each(|v| {
            sum += *v;
            *v = sum;
        });
    }
    values
}

#[rstest]
#[case(Order::new(1, 0, 0), &[0.7], &[], &[0.7])]
#[case(Order::new(0, 0, 1), &[], &[-0.6], &[-0.6])]
#[case(Order::new(2, 0, 1), &[1.2, -0.5], &[0.4], &[1.2, -0.5, 0.4])]
#[case(Order::new(1, 1, 1), &[0.5], &[0.3], &[0.5, 0.3])]
#[case(Order::new(1, 0, 0).seasonal(1, 0, 0, 4), &[0.5, 0.0, 0.0, 0.4, -0.2], &[], &[0.5, 0.4])]
#[case(Order::new(0, 0, 1).seasonal(0, 0, 1, 4), &[], &[0.5, 0.0, 0.0, -0.4, -0.2], &[0.5, -0.4])]
fn the_coefficients_of_simulated_series_are_recovered(
    #[case] order: Order,
    #[case] ar: &[f64],
    #[case] ma: &[f64],
    #[case] truth: &[f64],
) {
    // Over 40 series the mean estimate is within 4 standard errors of the true value (and the standard errors within a
    // third of the actual scatter).
    const SERIES: usize = 40;
    let spec = ArimaSpec { order, constant: false };
    let mut estimates = vec![Vec::new(); truth.len()];
    let mut claimed = vec![0.0; truth.len()];
    for entity in 0..SERIES {
        let fit = spec.fit_with_errors(&simulate(entity as u64, 500, ar, ma, order.d), &[]).unwrap();
        for (index, coefficient) in fit.coefficients.iter().enumerate() {
            estimates[index].push(coefficient.value);
            claimed[index] += coefficient.standard_error.unwrap() / SERIES as f64;
        }
    }
    for ((estimates, truth), claimed) in estimates.iter().zip(truth).zip(claimed) {
        let mean = estimates.iter().sum::<f64>() / SERIES as f64;
        let scatter = (estimates.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / (SERIES - 1) as f64).sqrt();
        // Estimates are biased by about 1 / n.
        let allowed = 4.0 * scatter / (SERIES as f64).sqrt() + 2.0 / 500.0;
        assert!((mean - truth).abs() < allowed, "{order}: {mean} for {truth}, allowed {allowed}");
        assert!((0.67..1.5).contains(&(claimed / scatter)), "{order}: claimed {claimed}, scatter {scatter}");
    }
}

#[test]
fn gaps_do_not_bias_the_estimates() {
    let spec = ArimaSpec { order: Order::new(1, 1, 1), constant: false };
    let mut sums = [0.0; 2];
    for entity in 0..40 {
        let mut values = simulate(entity, 500, &[0.6], &[0.3], 1);
        values
            .iter_mut()
            .enumerate()
            .filter(|(t, _)| t % 9 == 5 || (200..215).contains(t))
            .for_each(|(_, v)| *v = f64::NAN);
        let fit = spec.fit(&values, &[]).unwrap();
        fit.coefficients.iter().zip(&mut sums).for_each(|(c, sum)| *sum += c.value / 40.0);
    }
    assert!((sums[0] - 0.6).abs() < 0.05 && (sums[1] - 0.3).abs() < 0.05, "{sums:?}");
}

#[test]
fn the_chosen_model_is_about_as_good_as_the_true_one() {
    let (ar, ma) = ([1.2, -0.5], [0.4]);
    let mut worse = 0;
    for entity in 0..30 {
        let values = simulate(entity, 300, &ar, &ma, 0);
        let truth = ArimaSpec { order: Order::new(2, 0, 1), constant: true }.fit(&values, &[]).unwrap();
        let chosen = select(&values, &[], None, Limits::default()).unwrap();
        worse += usize::from(chosen.spec.order.d == 0 && chosen.aicc() > truth.aicc() + 1e-3);
    }
    // The stepwise search may end next to the best model, but rarely.
    assert!(worse <= 3, "{worse} of 30");
}

/// The share of values at or below the quantiles over many origins of one long series, forecast `steps` ahead.
fn coverage(forecaster: &dyn Forecaster, values: Vec<f64>, train: usize, levels: &[f64]) -> Vec<f64> {
    let series = series(values, &[]);
    let plan =
        Backtest { levels: levels.to_vec(), floor: None, refit: Refit::Never, ..Backtest::every(&series, 7, train, 6) };
    let evaluation = plan.run(forecaster, &series).unwrap();
    evaluation.scores.coverage.into_iter().map(Option::unwrap).collect()
}

#[rstest]
#[case::arima(Arima { spec: Some(ArimaSpec { order: Order::new(2, 0, 1), constant: true }), ..Arima::default() }, 0)]
#[case::integrated(Arima { spec: Some(ArimaSpec { order: Order::new(2, 1, 1), constant: false }), ..Arima::default() }, 1)]
fn intervals_cover_at_the_nominal_rate(#[case] method: Arima, #[case] d: usize) {
    let levels = [0.025, 0.1, 0.5, 0.9, 0.975];
    let values = simulate(7, 21_000, &[1.2, -0.5], &[0.4], d);
    let covered = coverage(&method, values, 2000, &levels);
    for (level, share) in levels.iter().zip(&covered) {
        // About 2,700 origins whose errors overlap a little; four standard errors are at most 0.04.
        let allowed = 4.0 * (level * (1.0 - level) / 2700.0).sqrt() + 0.004;
        assert!((share - level).abs() < allowed, "{level}: {share}, allowed {allowed}");
    }
}

#[test]
fn smoothing_covers_a_local_level_and_conformal_intervals_cover_what_is_not_normal() {
    let mut draw = Streams::new(99, 0).running(Purpose::Measurement, 0);
    let mut level = 100.0;
    let local: Vec<f64> = (0..15_000)
        .map(|_| {
            level += 0.3 * draw.normal();
            level + draw.normal()
        })
        .collect();
    let smoothing = Ets { trend: Some(Trend::None), seasonal: Some(false), season: None };
    let covered = coverage(&smoothing, local, 1500, &[0.1, 0.9]);
    assert!((covered[0] - 0.1).abs() < 0.03 && (covered[1] - 0.9).abs() < 0.03, "{covered:?}");

    // Exponential errors: normal quantiles are off by 0.03 to 0.1, empirical ones are not.
    let skewed: Vec<f64> = (0..15_000).map(|_| 50.0 + 20.0 * draw.exponential()).collect();
    let mean = Arima { spec: Some(ArimaSpec { order: Order::new(0, 0, 0), constant: true }), ..Arima::default() };
    let normal = coverage(&mean, skewed.clone(), 2000, &[0.05, 0.95]);
    let conformal = Conformal { around: Arc::new(mean), horizon: 6, errors: 500 };
    let covered = coverage(&conformal, skewed, 2000, &[0.05, 0.95]);
    assert!(normal[0] < 0.01, "a normal quantile lies below every exponential value: {normal:?}");
    assert!((covered[0] - 0.05).abs() < 0.02 && (covered[1] - 0.95).abs() < 0.02, "{covered:?}");
}

#[test]
fn an_update_is_a_fit_without_the_estimation() {
    // Updating with values one by one gives the forecast of a fit to all of them with the same coefficients.
    let values = simulate(3, 400, &[0.8], &[0.2], 1);
    let spec = ArimaSpec { order: Order::new(1, 1, 1), constant: false };
    let whole = spec.fit(&values, &[]).unwrap();
    let mut early = spec.fit(&values[..300], &[]).unwrap();
    values[300..].iter().for_each(|v| early.update(*v, &[]));
    let ((a, _), (b, _)) = (whole.predict(10, &[]), early.predict(10, &[]));
    // The estimates of the two fits differ by about a standard error, hence the forecasts differ a little.
    assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 0.5), "{a:?} {b:?}");
    // With missing values among the new ones the state remains valid and the interval widens.
    let before = early.predict(1, &[]).1[0];
    (0..5).for_each(|_| early.update(f64::NAN, &[]));
    assert!(early.predict(1, &[]).1[0] > 1.5 * before);
    early.update(a[0], &[]);
    early.update(a[0], &[]);
    assert!((early.predict(1, &[]).1[0] / before - 1.0).abs() < 0.2);
}
