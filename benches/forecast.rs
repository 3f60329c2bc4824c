//! Speed of fits, selections, updates and forecasts on the reference series.
//!
//! Times of independent programs for the same fits are in the reference files (`other_tools/*/cpu_s`,
//! `results/*/cpu_fit`), in seconds of CPU time on the machine that made them.

use std::hint::black_box;

use divan::Bencher;
use plimsoll::config::{Diagnostics, SourceFile, parse_single};
use plimsoll::forecast::arima::{ArimaSpec, Limits, Order, select};
use plimsoll::forecast::{Arima, Ets, Forecaster, Series, read_forecaster};
use plimsoll::units::SimDuration;
use serde_json::Value;

fn main() {
    divan::main();
}

fn read(name: &str) -> Value {
    let path = format!("{}/tests/reference/forecast/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn numbers(values: &Value) -> Vec<f64> {
    values.as_array().unwrap().iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()
}

/// A week of five-minute request counts.
fn week() -> Series {
    let values = numbers(&read("backtest_nasa_http_5min")["series"]);
    Series::new(values[..2016].iter().copied(), SimDuration::from_secs(300)).with_seasons([288])
}

const FITS: [&str; 5] = [
    "arima_wwwusage_111",
    "arima_airpassengers_log_airline",
    "arima_presidents_300_mean_missing",
    "arima_nab_elb_30min_log",
    "arima_nasa_http_hourly_sarima",
];

#[divan::bench(args = FITS)]
fn fit(bencher: Bencher, name: &str) {
    let case = read(name);
    let order = |name: &str| case["spec"][name].as_u64().unwrap() as usize;
    let order = Order::new(order("p"), order("d"), order("q")).seasonal(order("P"), order("D"), order("Q"), order("s"));
    let spec = ArimaSpec { order, constant: case["spec"]["constant"] != "none" };
    let values = numbers(&case["series"]["values"]);
    bencher.bench(|| spec.fit(black_box(&values), &[]).unwrap());
}

#[divan::bench(args = FITS, sample_count = 10)]
fn choose(bencher: Bencher, name: &str) {
    let case = read(name);
    let values = numbers(&case["series"]["values"]);
    let period = case["series"]["season"].as_u64().map(|s| s as usize);
    bencher.bench(|| select(black_box(&values), &[], period, Limits::default()).unwrap());
}

/// One fit to a week of five-minute counts: plain, and with six daily harmonics.
#[divan::bench(args = [0, 6], sample_count = 20)]
fn week_arima_211(bencher: Bencher, harmonics: usize) {
    let spec = ArimaSpec { order: Order::new(2, 1, 1), constant: false };
    let (method, series) = (Arima { spec: Some(spec), harmonics, ..Arima::default() }, week());
    bencher.bench_local(|| method.fit(black_box(&series)).unwrap().forecast(12, &[0.9]));
}

#[divan::bench(sample_count = 20)]
fn week_choose(bencher: Bencher) {
    let series = week();
    bencher.bench(|| select(black_box(series.values()), &[], None, Limits::default()).unwrap());
}

#[divan::bench(sample_count = 20)]
fn week_smoothing(bencher: Bencher) {
    let (method, series) = (Ets { seasonal: Some(false), ..Ets::default() }, week());
    bencher.bench_local(|| method.fit(black_box(&series)).unwrap().forecast(12, &[0.9]));
}

/// What a policy does between refits: add one value and forecast an hour.
#[divan::bench(args = ["ets", "arima", "fourier-arima", "mstl", "regression", "conformal", "combination"])]
fn update_and_forecast(bencher: Bencher, name: &str) {
    let node = parse_single(&SourceFile::new("bench.yaml", name)).unwrap();
    let method = read_forecaster(&node, &mut Diagnostics::new()).unwrap();
    let mut fitted = method.fit(&week()).unwrap();
    bencher.bench_local(|| {
        fitted.update(&[black_box(150.0)]);
        fitted.forecast(12, &[0.5, 0.9])
    });
}
