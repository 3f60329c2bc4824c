//! A4 and A8 on the command line: gaps, absent seasons, intervals of zero width.

use std::fmt::Write as _;

use serde_json::Value;

use super::super::trial::Trial;

/// Counts per five minutes without the rows for which `there` is false.
fn counts(rows: usize, value: impl Fn(usize) -> u64, there: impl Fn(usize) -> bool) -> String {
    let mut text = "time,count\n".to_string();
    for t in (0..rows).filter(|t| there(*t)) {
        writeln!(text, "{},{}", 300 * t, value(t)).unwrap();
    }
    text
}

fn forecast(trial: &Trial, more: &str) -> Value {
    let columns = "--time time --count count --interval 5m --step 5m";
    let output = trial.run(&format!("forecast c.csv {columns} --format json {more}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A4: 59 rows are missing from a constant series; they do not mean zero requests.
#[test]
fn missing_rows_are_used_neither_for_fitting_nor_for_evaluation() {
    let trial = Trial::new(&[("c.csv", &counts(400, |_| 100, |t| !(250..309).contains(&t)))]);
    let plan = "--model naive --horizon 50m --train 1000m --every 50m";
    let figures = |gaps: &str| {
        let told = forecast(&trial, &format!("{plan} {gaps}"));
        let model = &told["models"][0];
        (model["wape_percent"].as_f64().unwrap(), model["values"].as_u64().unwrap(), told["missing_steps"].as_u64())
    };
    assert_eq!(figures(""), (0.0, 200 - 59, Some(59)));
    assert_eq!(figures("--gaps interpolate"), (0.0, 200, Some(0)));
    let (wape, values, _) = figures("--gaps zero");
    assert!(wape > 5.0 && values == 200, "{wape} {values}");
}

/// A4: an outage of the monitoring system does not lower the forecast.
#[test]
fn a_gap_in_the_history_is_not_zero_traffic() {
    let trial = Trial::new(&[("c.csv", &counts(300, |t| 100 + (t as u64 * 7) % 5, |t| !(100..199).contains(&t)))]);
    let told = forecast(&trial, "--model ets --model regression --model moving-average --horizon 30m --train 1000m");
    for model in told["models"].as_array().unwrap() {
        assert!(model["wape_percent"].as_f64().unwrap() < 3.0, "{model}");
    }
}

/// Files that have rows only for nonempty steps have no gaps.
#[test]
fn a_file_without_rows_of_zero_but_with_rows_of_one_counts_what_is_missing_as_zero() {
    let trial = Trial::new(&[("c.csv", &counts(400, |t| 1 + (t as u64 / 2) % 3, |t| t % 2 == 0))]);
    let told = forecast(&trial, "--model naive --horizon 50m");
    assert_eq!((told["missing_steps"].as_u64(), told["models"][0]["values"].as_u64()), (Some(0), Some(200)));
    assert!(forecast(&trial, "--model naive --horizon 50m --gaps missing")["missing_steps"].as_u64() > Some(150));
}

/// A8: hourly data need not have daily and weekly seasons.
#[test]
fn seasons_can_be_switched_off() {
    let trial = Trial::new(&[("c.csv", &counts(700, |t| 100 + (t as u64 * 7) % 5, |_| true))]);
    let seasons =
        |more: &str| forecast(&trial, &format!("--model naive --horizon 1h --train 50h {more}"))["seasons_s"].clone();
    assert_eq!(seasons(""), serde_json::json!([86400.0]));
    assert_eq!(seasons("--season none"), serde_json::json!([]));
    let refused = trial.expect("forecast c.csv --step 5m --horizon 1h --model naive --season none --season 1d", 2);
    assert!(refused.contains("excludes other seasons"), "{refused}");
    let refused = trial.expect("forecast c.csv --step 5m --horizon 1h --model naive --season never", 2);
    assert!(refused.contains("`none`"), "{refused}");
}

/// A8: an interval of zero width around a constant contains the constant.
#[test]
fn a_constant_lies_within_its_interval() {
    let trial = Trial::new(&[("c.csv", &counts(900, |_| 100, |_| true))]);
    let told = forecast(&trial, r#"--model {"conformal":{"around":"mstl"}} --horizon 1h --train 50h --every 5h"#);
    let model = &told["models"][0];
    assert_eq!(
        (model["in_interval_80_share"].as_f64(), model["in_interval_90_share"].as_f64()),
        (Some(1.0), Some(1.0)),
        "{model}"
    );
}
