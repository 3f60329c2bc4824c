//! Finding 17: what commands print as JSON are numbers, in forms that a committed schema describes.

use plimsoll::report::results::{RESULTS_VERSION, Results, results_schema};
use serde_json::Value;

use super::super::trial::Trial;

const SCENARIO: &str = "name: s
duration: 5m
workload: { poisson: { rate: 20/s } }
service: { name: web, replicas: 2, concurrency: 4, service-time: 50ms, resources: { requests: { cpu: 500m, memory: 1Gi } }, price: $1/h }
objectives: [ { latency: { within: 500ms, target: 99% } } ]
policies: { two: { static: { replicas: 2 } }, three: { static: { replicas: 3 } } }
expect: [ p99 < 500ms, policy.two.cost < $9 ]
";

/// The committed file is what the program makes.
#[test]
fn the_schema_is_committed() {
    let committed = std::fs::read_to_string("schema/results.schema.json").unwrap();
    let made = format!("{:#}\n", results_schema());
    assert!(committed == made, "run `plimsoll schema results > schema/results.schema.json`");
}

/// Every output is read back into the types that the schema is made of, which refuse a field too many or too few.
#[test]
fn every_output_is_as_the_schema_says() {
    let trial = Trial::new(&[("s.yaml", SCENARIO)]);
    for (command, code) in [
        ("whatif s.yaml --scale 2x --kill-zone a@1m+1m --replications 2", 0),
        ("capacity s.yaml --replications 2 --policy two --out out", 0),
        ("plan s.yaml --replications 2 --out out --no-scenario", 0),
        ("plan s.yaml --replications 2 --out out --no-scenario --set objectives.0.latency.within=10ms", 1),
        ("test s.yaml --replications 2", 0),
        ("compare s.yaml --replications 2 --out out", 0),
        ("compare s.yaml --replications 2 --as-is --out out", 0),
        ("check s.yaml --explain", 0),
        ("list policies", 0),
        ("sweep s.yaml --vary service.concurrency=2,4 --replications 2 --out out/sweep.csv", 0),
        ("optimize provision s.yaml --out out", 0),
        ("optimize mix m6i.large --cpu 4 --memory 8Gi", 0),
    ] {
        let quiet = if command.starts_with("list") { "" } else { " --quiet" };
        let output = trial.run(&format!("{command} --format json{quiet}"));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{command}: {text}{errors}");
        let results: Results = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{command}: {error}\n{text}"));
        let again = serde_json::to_value(&results).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value, again, "{command}");
        assert_eq!(value["version"], RESULTS_VERSION, "{command}");
        let words: Vec<&str> = command.split_whitespace().collect();
        let name = value["command"].as_str().unwrap();
        assert!(words[0] == name || format!("{}-{}", words[0], words[1]) == name, "{name}");
        assert!(errors.is_empty(), "{command} --quiet leaves only results: {errors}");
        assert!(!text.contains("\"\":"), "no empty key: {text}");
    }
}

#[test]
fn verdicts_are_numbers() {
    let trial = Trial::new(&[("s.yaml", SCENARIO)]);
    let output = trial.run("test s.yaml --replications 2 --format json --quiet");
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    let case = &value["files"][0]["cases"][0];
    assert!(case["found"].as_f64().unwrap() > 0.04 && case["limit"] == 0.5 && case["unit"] == "s", "{case}");
    assert_eq!((value["passed"].as_u64(), value["failed"].as_u64()), (Some(3), Some(0)));
}
