//! B1: our side of the table of peers in docs/forecasting.md is what the program computes.

use std::fs;
use std::path::Path;

use rstest::rstest;
use serde_json::Value;

use super::super::trial::Trial;

fn file(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

fn series(name: &str) -> Vec<f64> {
    if name != "airpassengers" {
        return file(&format!("tests/reference/peers/{name}.txt")).lines().map(|line| line.parse().unwrap()).collect();
    }
    let logs: Value =
        serde_json::from_str(&file("tests/reference/forecast/arima_airpassengers_log_airline.json")).unwrap();
    logs["series"]["values"].as_array().unwrap().iter().map(|log| log.as_f64().unwrap().exp().round()).collect()
}

/// The cells of the row whose first one begins with `name`.
fn row(name: &str) -> Vec<String> {
    let page = file("docs/forecasting.md");
    let line = page.lines().find(|line| line.starts_with(&format!("| {name} ("))).unwrap();
    line.trim_matches('|').split('|').map(|cell| cell.trim().to_string()).collect()
}

/// Whether a printed figure is `value` rounded to its digits.
fn is_printed(cell: &str, value: f64) {
    let digits = cell.split_once('.').map_or(0, |(_, part)| part.len());
    let half = 0.5 * 10f64.powi(-(digits as i32));
    let printed: f64 = cell.parse().unwrap();
    assert!((printed - value).abs() <= half * 1.001, "{printed} is printed, {value} computed");
}

/// As `benches/peers/auto_peers.py` measures it: everything refitted at each origin, from the values before it.
#[rstest]
#[case("nile", "none", 60, 5, 1)]
#[case("sunspots", "none", 150, 6, 5)]
#[cfg_attr(not(debug_assertions), case("airpassengers", "12d", 96, 12, 1))]
fn auto_has_the_printed_figures(
    #[case] name: &str,
    #[case] season: &str,
    #[case] train: u32,
    #[case] horizon: u32,
    #[case] every: u32,
) {
    let values = series(name);
    let most = values.iter().copied().fold(0.0, f64::max);
    let factor = 10f64.powi(4 - most.log10().ceil() as i32);
    let rows: String = values.iter().zip(0..).map(|(v, day)| format!("{},{}\n", 86_400 * day, v * factor)).collect();
    let trial = Trial::new(&[("s.csv", &format!("time,count\n{rows}"))]);
    let output = trial.run(&format!(
        "forecast s.csv --time time --count count --interval 1d --step 1d --gaps missing --format json --auto \
         --train {train}d --horizon {horizon}d --every {every}d --season {season}"
    ));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let figure = |name: &str| told["models"][0][name].as_f64().unwrap();
    let losses: Vec<f64> =
        told["models"][0]["pinball_percent"].as_array().unwrap().iter().map(|loss| loss.as_f64().unwrap()).collect();
    let pinball = losses.iter().sum::<f64>() / losses.len() as f64;
    let cells = row(name);
    let number = |cell: usize| cells[cell].parse::<f64>().unwrap();
    is_printed(&cells[3], figure("wape_percent"));
    is_printed(&cells[4], figure("wape_percent") / number(2));
    is_printed(&cells[6], pinball);
    is_printed(&cells[7], pinball / number(5));
    let inside: Vec<&str> = cells[8].split('/').collect();
    is_printed(inside[0], 100.0 * figure("in_interval_80_share"));
    is_printed(inside[1], 100.0 * figure("in_interval_90_share"));
}
