//! Planning times: the reference instances with every solver that is compiled in, and a week of minutes of one type.
//!
//! Times of other solvers for the same instances are in docs/optimizing.md.

use std::hint::black_box;

use divan::Bencher;
use plimsoll::optimize::{OneType, SolveOptions, Solver};

#[path = "../tests/reference_optimize/instance.rs"]
#[allow(dead_code)]
mod instance;

fn main() {
    divan::main();
}

const INSTANCES: [&str; 3] = ["lp03_t288_1type_full", "lp05_t288_5types_commit", "lp04_t1440_5types"];

fn each() -> Vec<(Solver, &'static str)> {
    Solver::ALL.iter().flat_map(|solver| INSTANCES.map(|name| (*solver, name))).collect()
}

fn labels() -> Vec<String> {
    each().iter().map(|(solver, name)| format!("{solver} {name}")).collect()
}

/// Solves the linear programs with the solver, whatever their shape.
#[divan::bench(args = labels(), sample_count = 5)]
fn linear(bencher: Bencher, of: &str) {
    let (solver, name) = each().into_iter().find(|(solver, name)| format!("{solver} {name}") == of).unwrap();
    let path = format!("{}/tests/reference/optimize/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let document: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let problem = instance::provisioning(&document["instance"]);
    let options = SolveOptions { solver, ..SolveOptions::default() };
    bencher.bench(|| black_box(&problem).solve(false, options).unwrap());
}

/// A week of minutes with evening peaks and some noise.
fn week(minimum_run: usize) -> OneType {
    let need = |minute: usize| {
        let day = (minute as f64 / 1440.0 * std::f64::consts::TAU).sin();
        (60.0 + 40.0 * day + (minute * 7919 % 13) as f64).round()
    };
    OneType {
        needed: (0..10_080).map(need).collect(),
        price: 0.001,
        start_cost: 0.0005,
        lead: 3,
        minimum_run,
        initial: 80,
        ..OneType::default()
    }
}

#[divan::bench(args = [1, 10], sample_count = 10)]
fn week_of_minutes_by_flow(bencher: Bencher, minimum_run: usize) {
    let problem = week(minimum_run);
    bencher.bench(|| black_box(&problem).whole().unwrap());
}

#[divan::bench(sample_count = 10)]
fn week_of_minutes_by_dynamic_program(bencher: Bencher) {
    let problem = week(1);
    bencher.bench(|| black_box(&problem).dynamic().unwrap());
}
