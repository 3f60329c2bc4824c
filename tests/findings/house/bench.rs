//! `plimsoll bench` reports CPU time and the spread of its rounds, and compares with a stored run.

use std::fs;

use plimsoll::validate::benchmark::WORKLOADS;
use serde_json::Value;

use super::super::trial::Trial;

const FEW: &str = "--workload w1 --workload weighted --requests 2000 --rounds 3";

#[test]
fn a_run_is_compared_with_a_stored_one() {
    let trial = Trial::new(&[]);
    let stored = trial.run(&format!("bench {FEW} --format json")).stdout;
    fs::write(trial.path("before.json"), &stored).unwrap();
    let mut before: Value = serde_json::from_slice(&stored).unwrap();
    let of = &before["workloads"][0];
    assert_eq!((of["name"].as_str(), of["rounds"].as_array().unwrap().len()), (Some("W1"), 3));
    assert!(before["compared"].is_null() && before["workloads"].as_array().unwrap().len() == 2);
    if cfg!(unix) {
        let cpu = |of: &Value| of["cpu_ns_per_request"].as_f64().unwrap();
        let mut rounds: Vec<f64> = of["rounds"].as_array().unwrap().iter().map(cpu).collect();
        rounds.sort_by(f64::total_cmp);
        assert_eq!(cpu(of), rounds[1]);
    }
    let same = trial.expect(&format!("bench {FEW} --compare before.json"), 0);
    assert!(same.contains("ratio (min to max)") && same.contains("CPU ns/request"), "{same}");
    // A hundred times as fast a stored run: slower, beyond any spread of a busy machine.
    for workload in before["workloads"].as_array_mut().unwrap() {
        for round in workload["rounds"].as_array_mut().unwrap() {
            for time in round.as_object_mut().unwrap().values_mut() {
                *time = (time.as_f64().unwrap() / 1e4).into();
            }
        }
    }
    fs::write(trial.path("fast.json"), before.to_string()).unwrap();
    let slower = trial.expect(&format!("bench {FEW} --compare fast.json"), 0);
    assert!(slower.lines().filter(|line| line.ends_with("  slower")).count() == 2, "{slower}");
    let failed = trial.expect(&format!("bench {FEW} --compare fast.json --max-slowdown 50%"), 1);
    assert!(failed.contains("more than --max-slowdown 50% allows"), "{failed}");
}

#[test]
fn a_wrong_file_is_refused_before_anything_is_measured() {
    let stored = r#"{"command":"bench","version":1,"plimsoll":"0.3.0","compared":null,"workloads":[{"name":"W1","summary":"M/M/1","requests":2000,"requests_per_s":1.0,"ns_per_request":1.0,"cpu_ns_per_request":null,"rounds":[{"ns_per_request":1.0,"cpu_ns_per_request":null}],"peak_memory_bytes":null}]}"#;
    let files = [
        ("text.json", "not JSON", "is not JSON"),
        ("other.json", "{}", "holds no results of `plimsoll bench`"),
        ("run.json", r#"{"command":"run","version":1}"#, "holds results of `plimsoll run`, not of `plimsoll bench`"),
        ("newer.json", &stored.replace("\"version\":1", "\"version\":7"), "has version 7 of the layout; expected 1"),
        ("older.json", &stored.replace(r#""rounds":"#, r#""samples":"#), "is of another version of plimsoll"),
        ("changed.json", stored, "its W1 is another workload: M/M/1"),
        ("fewer.json", &stored.replace("W1", "W9"), "has none of the workloads to be measured, only W9"),
    ];
    let written: Vec<(&str, &str)> = files.iter().map(|(name, text, _)| (*name, *text)).collect();
    let trial = Trial::new(&written);
    for (name, _, said) in files {
        let refused = trial.expect(&format!("bench --workload W1 --requests 2000 --rounds 1 --compare {name}"), 2);
        assert!(refused.contains(said) && refused.contains(name), "{name}: {refused}");
    }
    let missing = trial.expect("bench --compare missing.json", 2);
    assert!(missing.contains("missing.json"), "{missing}");
    let alone = trial.expect("bench --max-slowdown 5%", 2);
    assert!(alone.contains("--compare <FILE>"), "{alone}");
    let size = stored.replace("M/M/1", WORKLOADS[0].summary);
    fs::write(trial.path("size.json"), size).unwrap();
    let size = trial.expect("bench --workload W1 --requests 4000 --rounds 1 --compare size.json", 2);
    assert!(size.contains("have 2000 requests, these 40") || size.contains("state the same --requests"), "{size}");
}

#[test]
fn workloads_are_named() {
    let trial = Trial::new(&[]);
    let unknown = trial.expect("bench --workload pool-1000", 2);
    assert!(unknown.contains("similar") && unknown.contains("pool-10000"), "{unknown}");
    let help = trial.expect("bench --help", 0);
    let page = fs::read_to_string("docs/trust.md").unwrap();
    for workload in WORKLOADS {
        assert!(help.contains(&format!("- {}:", workload.name)), "{}: {help}", workload.name);
        assert!(page.contains(&format!("`{}`", workload.name)), "docs/trust.md has no `{}`", workload.name);
    }
}
