//! Fits and backtests compared with independent implementations, within the tolerances stated in each file.
//!
//! The files are in `tests/reference/forecast` and, if the environment variable is set, in
//! `$PLIMSOLL_REFERENCE/forecast`.
//! A file of an unknown kind is a failure.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use plimsoll::forecast::arima::{ArimaFit, ArimaSpec, Limits, Order, select};
use plimsoll::forecast::backtest::{Backtest, Refit};
use plimsoll::forecast::{Arima, Ets, Forecast, Forecaster, Mstl, Naive, SeasonalNaive, Series, Smoothing, Trend};
use plimsoll::units::SimDuration;
use serde_json::Value;

/// Every reference file, those of the environment after the committed ones; a file found in both places is read once.
fn files() -> Vec<PathBuf> {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/forecast");
    let given = std::env::var_os("PLIMSOLL_REFERENCE").map(|root| Path::new(&root).join("forecast"));
    let mut files: Vec<PathBuf> = Vec::new();
    for directory in std::iter::once(committed).chain(given) {
        let entries = fs::read_dir(&directory).unwrap_or_else(|e| panic!("{}: {e}", directory.display()));
        let mut found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        found.retain(|path| path.extension().is_some_and(|e| e == "json"));
        found.retain(|path| files.iter().all(|known| known.file_name() != path.file_name()));
        found.sort();
        files.extend(found);
    }
    files
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn number(value: &Value, path: &str) -> f64 {
    value.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("no number at {path}"))
}

/// The numbers of a list; `null` is NaN.
fn numbers(value: &Value, path: &str) -> Vec<f64> {
    let list = value.pointer(path).and_then(Value::as_array).unwrap_or_else(|| panic!("no list at {path}"));
    list.iter().map(|v| v.as_f64().unwrap_or(f64::NAN)).collect()
}

/// The differences, in words.
#[derive(Default)]
struct Complaints(Vec<String>);

impl Complaints {
    fn check(&mut self, what: &str, ours: f64, reference: f64, tolerance: f64) {
        let off = (ours - reference).abs();
        if off > tolerance || off.is_nan() {
            self.0.push(format!("{what}: {ours} where the reference has {reference} (tolerance {tolerance:.3e})"));
        }
    }
}

impl Complaints {
    fn at_most(&mut self, what: &str, ours: f64, bar: f64) {
        if ours > bar || ours.is_nan() {
            self.0.push(format!("{what}: {ours} where at most {bar} is allowed"));
        }
    }
}

fn spec_of(case: &Value) -> ArimaSpec {
    let count = |name: &str| number(case, &format!("/spec/{name}")) as usize;
    let order = Order::new(count("p"), count("d"), count("q")).seasonal(count("P"), count("D"), count("Q"), count("s"));
    ArimaSpec { order, constant: case.pointer("/spec/constant").and_then(Value::as_str) != Some("none") }
}

fn arima_fit(case: &Value) -> Complaints {
    let regressors = |name: &str| match &case["spec"][name] {
        Value::Null => Vec::new(),
        _ => vec![numbers(case, &format!("/spec/{name}"))],
    };
    let values = numbers(case, "/series/values");
    let fit = spec_of(case).fit_with_errors(&values, &regressors("exog")).unwrap();
    let mut complaints = Complaints::default();
    check_estimates(case, &fit, &mut complaints);
    check_forecast(case, &fit, &regressors("exog_future"), &mut complaints);
    check_selection(case, &values, &mut complaints);
    complaints
}

fn check_estimates(case: &Value, fit: &ArimaFit, complaints: &mut Complaints) {
    let tolerance = |name: &str| number(case, &format!("/tolerance/{name}"));
    let reference = |name: &str| number(case, &format!("/reference/{name}"));
    let shortfall = reference("loglik") - fit.log_likelihood;
    complaints.check(
        "log-likelihood below the reference by",
        shortfall.max(0.0),
        0.0,
        tolerance("loglik_below_ref_max"),
    );
    complaints.check("log-likelihood", fit.log_likelihood, reference("loglik"), tolerance("loglik_diffuse_kalman_abs"));
    for (name, ours) in [("aic", fit.aic()), ("aicc", fit.aicc()), ("bic", fit.bic())] {
        complaints.check(name, ours, reference(name), tolerance("aic_abs"));
    }
    for (name, ours) in [("sigma2_ml", fit.sigma2), ("sigma2_unbiased", fit.sigma2_unbiased)] {
        complaints.check(name, ours, reference(name), reference(name) * tolerance("sigma2_rel"));
    }
    complaints.check("values used", fit.used as f64, reference("n_used"), 0.0);
    complaints.check("parameters", fit.parameters() as f64, reference("n_params_incl_sigma2"), 0.0);
    for (name, value) in case.pointer("/reference/params").and_then(Value::as_object).unwrap() {
        let error = number(case, &format!("/reference/se/{name}"));
        match fit.coefficients.iter().find(|c| c.name == *name) {
            Some(ours) => {
                let allowed = error * tolerance("param_se_units");
                complaints.check(name, ours.value, value.as_f64().unwrap(), allowed);
                // No tolerance is stated for standard errors; both are numerical second derivatives.
                let ours = ours.standard_error.unwrap_or(f64::NAN);
                complaints.check(&format!("standard error of {name}"), ours, error, 0.02 * error);
            }
            None => complaints.0.push(format!("no coefficient {name}")),
        }
    }
}

fn check_forecast(case: &Value, fit: &ArimaFit, regressors: &[Vec<f64>], complaints: &mut Complaints) {
    let tolerance = |name: &str| number(case, &format!("/tolerance/{name}"));
    let list = |name: &str| numbers(case, &format!("/reference/forecast/{name}"));
    let (means, errors) = (list("mean"), list("se"));
    let (our_means, our_errors) = fit.predict(means.len(), regressors);
    let (mean_allowed, error_allowed) = (tolerance("forecast_mean_se_units"), tolerance("forecast_se_rel"));
    for (h, (mean, error)) in means.iter().zip(&errors).enumerate() {
        complaints.check(&format!("forecast {}", h + 1), our_means[h], *mean, mean_allowed * error);
        complaints.check(&format!("forecast error {}", h + 1), our_errors[h], *error, error_allowed * error);
    }
    for (name, z) in
        [("lo80", -1.281_551_565_5), ("hi80", 1.281_551_565_5), ("lo95", -1.959_963_984_5), ("hi95", 1.959_963_984_5)]
    {
        for (h, bound) in list(name).into_iter().enumerate() {
            let allowed = (mean_allowed + 1.96 * error_allowed) * errors[h];
            complaints.check(&format!("{name} {}", h + 1), our_means[h] + z * our_errors[h], bound, allowed);
        }
    }
}

/// The selected orders: other implementations differ among themselves, so the criterion is an AICc at most 2 above that
/// of R's selection if both use the same differencing.
fn check_selection(case: &Value, values: &[f64], complaints: &mut Complaints) {
    let period = number(case, "/auto/R_auto_arima/period") as usize;
    let chosen = select(values, &[], Some(period), Limits::default()).unwrap();
    let order = numbers(case, "/auto/R_auto_arima/default/order");
    let theirs = number(case, "/auto/R_auto_arima/default/aicc");
    let ours = chosen.spec.order;
    println!("  {} chose {} AICc {:.2}; R {order:?} {theirs:.2}", case["id"], chosen.spec, chosen.aicc());
    let alike = ours.d == order[1] as usize && ours.seasonal_d == order.get(4).map_or(0, |d| *d as usize);
    if alike && chosen.aicc() > theirs + 2.0 {
        complaints.0.push(format!("chose {} with AICc {} where R reaches {theirs}", chosen.spec, chosen.aicc()));
    }
}

/// Cases recorded from statsmodels: model, values and regressors (as columns) of one.
fn recorded(case: &Value) -> (ArimaSpec, Vec<f64>, Vec<Vec<f64>>) {
    let input = &case["input"];
    (spec_of(input), numbers(input, "/series/values"), columns(&input["spec"]["exog"]))
}

/// Rows of regressors, converted to columns.
fn columns(rows: &Value) -> Vec<Vec<f64>> {
    let rows = rows.as_array().map(Vec::as_slice).unwrap_or_default();
    let width = rows.first().and_then(Value::as_array).map_or(0, Vec::len);
    (0..width).map(|k| rows.iter().map(|row| row[k].as_f64().unwrap()).collect()).collect()
}

/// The coefficients of a case in our order: ar, ma, sar, sma, constant, regressors.
fn coefficients(spec: ArimaSpec, params: &Value) -> Vec<f64> {
    let order = spec.order;
    let terms = [("ar", order.p), ("ma", order.q), ("sar", order.seasonal_p), ("sma", order.seasonal_q)];
    let names = terms.into_iter().flat_map(|(name, count)| (1..=count).map(move |k| format!("{name}{k}")));
    let names = names.chain(["mean", "drift", "x1", "x2"].map(String::from));
    names.filter_map(|name| params.get(name).and_then(Value::as_f64)).collect()
}

/// Likelihood and forecast at stated parameters: relative difference up to 1e-6.
fn arima_loglik(case: &Value) -> Complaints {
    let (spec, values, regressors) = recorded(case);
    let given = coefficients(spec, &case["input"]["params"]);
    let sigma2 = number(case, "/input/params/sigma2");
    let fit = spec.with_coefficients(&values, &regressors, &given, Some(sigma2)).unwrap();
    let best = spec.with_coefficients(&values, &regressors, &given, None).unwrap();
    let mut complaints = Complaints::default();
    complaints.check("values used", fit.used as f64, number(case, "/expected/n_used"), 0.0);
    for (what, ours, name) in
        [("log-likelihood", &fit, "loglik"), ("log-likelihood at the best variance", &best, "loglik_profiled_sigma2")]
    {
        let reference = number(case, &format!("/expected/{name}"));
        complaints.check(what, ours.log_likelihood, reference, 1e-6 * reference.abs());
    }
    recorded_forecast(case, "/expected/forecast_y", &fit, 1e-6, &mut complaints);
    complaints
}

/// Forecasts of a recorded case, means and standard errors to `allowed` standard errors.
fn recorded_forecast(case: &Value, path: &str, fit: &ArimaFit, allowed: f64, complaints: &mut Complaints) {
    let (means, errors) = (numbers(case, &format!("{path}/mean")), numbers(case, &format!("{path}/se")));
    let (our_means, our_errors) = fit.predict(means.len(), &columns(&case["input"]["spec"]["exog_future"]));
    for h in 0..means.len() {
        let slack = allowed * errors[h] + 1e-9 * means[h].abs();
        complaints.check(&format!("forecast {}", h + 1), our_means[h], means[h], slack);
        complaints.check(&format!("forecast error {}", h + 1), our_errors[h], errors[h], allowed * errors[h]);
    }
}

/// Fits: a likelihood at most 0.005 below the reference's, which is the best of five starts; if it is the same maximum,
/// the same parameters and forecasts.
fn recorded_fit(case: &Value) -> Complaints {
    let (spec, values, regressors) = recorded(case);
    let fit = spec.fit(&values, &regressors).unwrap();
    let mut complaints = Complaints::default();
    let reference = number(case, "/expected/loglik");
    complaints.at_most("log-likelihood below the reference by", reference - fit.log_likelihood, 0.005);
    complaints.check("values used", fit.used as f64, number(case, "/expected/n_used"), 0.0);
    let parameters = number(case, "/expected/n_params_incl_sigma2");
    complaints.check("parameters", fit.parameters() as f64, parameters, 0.0);
    if fit.log_likelihood < reference + 0.005 {
        complaints.check("aicc", fit.aicc(), number(case, "/expected/aicc"), 0.02);
        recorded_forecast(case, "/expected/forecast", &fit, 0.02, &mut complaints);
    }
    complaints
}

/// Every case of a recorded file, by its kind; the number passed and the total.
fn recorded_file(file: &Value, passed: &mut [usize; 2]) -> Complaints {
    let mut all = Complaints::default();
    for case in file["cases"].as_array().unwrap() {
        let complaints = match case["kind"].as_str() {
            Some("arima_loglik") => arima_loglik(case),
            Some("arima_fit") => recorded_fit(case),
            Some("ets_known_state") => ets_known_state(case),
            kind => Complaints(vec![format!("unknown kind {kind:?}")]),
        };
        passed[1] += 1;
        passed[0] += usize::from(complaints.0.is_empty());
        all.0.extend(complaints.0.into_iter().map(|complaint| format!("{}: {complaint}", case["name"])));
    }
    all
}

/// Smoothing from a known state with known weights: fitted values, the state at the end, forecasts, likelihood.
fn ets_known_state(case: &Value) -> Complaints {
    let input = &case["input"];
    let weight = |name: &str| input["params"][name].as_f64();
    let trend = match (input["trend"].as_str(), input["damped"].as_bool()) {
        (None, _) => Trend::None,
        (Some(_), Some(true)) => Trend::Damped,
        (Some(_), _) => Trend::Additive,
    };
    let phases = if input["initial_seasonal"].is_null() { Vec::new() } else { numbers(input, "/initial_seasonal") };
    let start = Smoothing {
        trend,
        compound: input["trend"] == "mul",
        alpha: weight("smoothing_level").unwrap(),
        beta: weight("smoothing_trend").unwrap_or(0.0),
        gamma: weight("smoothing_seasonal").unwrap_or(0.0),
        phi: weight("damping_trend").unwrap_or(1.0),
        level: number(input, "/initial_level"),
        slope: input["initial_trend"].as_f64().unwrap_or(0.0),
        phases,
    };
    let relative = input["error"] == "mul";
    let run = start.run(&numbers(input, "/values"), relative);
    let mut complaints = Complaints::default();
    let close = |reference: f64| 1e-8 * reference.abs().max(1.0);
    for (name, ours) in [("loglik", run.log_likelihood), ("sse", run.squares), ("level_last", run.end.level)] {
        let reference = number(case, &format!("/expected/{name}"));
        complaints.check(name, ours, reference, close(reference));
    }
    if let Some(slope) = case["expected"]["trend_last"].as_f64() {
        complaints.check("trend_last", run.end.slope, slope, close(slope));
    }
    for (name, ours) in [("fitted", &run.fitted), ("forecast", &run.end.forecast(48))] {
        for (t, reference) in numbers(case, &format!("/expected/{name}")).into_iter().enumerate() {
            complaints.check(&format!("{name} {t}"), ours[t], reference, close(reference));
        }
    }
    complaints
}

/// The protocol of a backtest file.
fn plan_of(case: &Value) -> (Series, Backtest) {
    let count = |name: &str| number(case, &format!("/protocol/{name}")) as usize;
    let day = count("day");
    let series = Series::new(numbers(case, "/series"), SimDuration::from_secs(86_400 / day as u64)).with_seasons([day]);
    let plan = Backtest {
        origins: numbers(case, "/protocol/origins").into_iter().map(|o| o as usize).collect(),
        train: count("train"),
        horizon: count("horizon"),
        // From 10 minutes on at five-minute steps.
        first_step: if day == 288 { 2 } else { 1 },
        levels: vec![0.9],
        season: day,
        floor: Some(0.0),
        refit: Refit::Everything,
    };
    (series, plan)
}

/// Our measures of the reference's own forecasts equal the reference's measures, and our methods reach the stated
/// limits.
fn backtest(case: &Value) -> Complaints {
    let mut complaints = Complaints::default();
    let (series, plan) = plan_of(case);
    let rows = |method: &str, what: &str| -> Vec<Vec<f64>> {
        (0..plan.origins.len()).map(|i| numbers(case, &format!("/forecasts/{method}/{what}/{i}"))).collect()
    };
    for method in case["forecasts"].as_object().unwrap().keys() {
        let pairs = rows(method, "mean").into_iter().zip(rows(method, "q90"));
        let forecast =
            |(mean, q90)| Forecast { mean, levels: vec![0.9], quantiles: vec![q90], fallback: None }.at_least(0.0);
        let theirs = plan.evaluate(&series, pairs.map(forecast).collect(), String::new()).scores;
        let measures = [
            ("mase_day", theirs.mase),
            ("mase_naive", theirs.mase_naive),
            ("smape", theirs.smape),
            ("wape", theirs.wape),
            ("pinball90_rel", theirs.pinball[0]),
            ("cover90", theirs.coverage[0]),
        ];
        for (name, ours) in measures {
            let reference = number(case, &format!("/results/{method}/{name}"));
            // The forecasts are printed with four decimals.
            complaints.check(&format!("{name} of {method}"), ours.unwrap(), reference, 1e-4 * reference);
        }
    }
    check_bars(case, &series, &plan, &mut complaints);
    complaints
}

/// The limits: plain ARIMA within 1.05 of the automatic one, with Fourier terms within 1.03 of R's, MSTL with smoothing
/// within 1.03; the share below the 90% quantile at least 0.85.
fn check_bars(case: &Value, series: &Series, plan: &Backtest, complaints: &mut Complaints) {
    let ets = Ets { seasonal: Some(false), ..Ets::default() };
    let fixed = Arima { spec: Some(ArimaSpec { order: Order::new(2, 1, 1), constant: false }), ..Arima::default() };
    let methods: [(&str, &dyn Forecaster, &str, f64); 7] = [
        ("ARIMA", &Arima::default(), "auto_arima_nonseasonal", 1.05),
        ("ARIMA(2,1,1)", &fixed, "arima_211_fixed", 1.03),
        ("Fourier ARIMA", &Arima { harmonics: 6, ..Arima::default() }, "dhr_fourier6_arima", 1.03),
        ("MSTL and smoothing", &Mstl { rest: Arc::new(ets) }, "mstl_auto_ets", 1.03),
        ("smoothing", &ets, "auto_ets_nonseasonal", 1.05),
        ("naive", &Naive, "naive", 1.001),
        ("seasonal naive", &SeasonalNaive::default(), "snaive_day", 1.001),
    ];
    for (name, method, peer, slack) in methods {
        let plan = Backtest { refit: Refit::Parameters, ..plan.clone() };
        let started = std::time::Instant::now();
        let evaluation = plan.run(method, series).unwrap();
        let seconds = started.elapsed().as_secs_f64() / plan.origins.len() as f64;
        let scores = &evaluation.scores;
        let (wape, pinball, cover) = (scores.wape.unwrap(), scores.pinball[0].unwrap(), scores.coverage[0].unwrap());
        let theirs = |what: &str| number(case, &format!("/results/{peer}/{what}"));
        println!(
            "  {:24} {name:18} WAPE {wape:.2} ({:.2}) pinball {pinball:.2} ({:.2}) cover {cover:.2} ({:.2}) {:.4} s a fit ({:.4}) {}",
            case["id"].as_str().unwrap(),
            theirs("wape"),
            theirs("pinball90_rel"),
            theirs("cover90"),
            seconds,
            theirs("cpu_fit"),
            evaluation.description
        );
        complaints.at_most(&format!("WAPE of {name}"), wape, slack * theirs("wape"));
        complaints.at_most(&format!("pinball loss of {name}"), pinball, slack * theirs("pinball90_rel"));
        complaints.at_most(&format!("values above the 90 % quantile of {name}"), 1.0 - cover, 0.15);
    }
}

#[test]
fn agrees_with_every_reference() {
    let files = files();
    let (mut failed, mut recorded) = (Vec::new(), [0, 0]);
    for path in &files {
        let case = read(path);
        let complaints = match case["kind"].as_str() {
            _ if case["cases"].is_array() => recorded_file(&case, &mut recorded),
            Some("arima_fit") => arima_fit(&case),
            Some("forecast_backtest") => backtest(&case),
            kind => Complaints(vec![format!("unknown kind {kind:?}")]),
        };
        if !complaints.0.is_empty() {
            failed.push(format!("{}: {}", path.file_name().unwrap().display(), complaints.0.join("; ")));
        }
    }
    println!("forecast: passed {} of {}", files.len() - failed.len(), files.len());
    println!("forecast: passed {} of {} recorded cases", recorded[0], recorded[1]);
    assert!(files.len() >= 16 && recorded[1] >= 109, "only {} reference files were found", files.len());
    assert!(failed.is_empty(), "failed:\n{}", failed.join("\n"));
}
