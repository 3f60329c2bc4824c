//! Finding 17: JSON output contains numbers, in a form described by a committed schema.

use plimsoll::report::results::{RESULTS_VERSION, Results, results_schema, results_text};
use serde_json::Value;

use super::super::schema::Checked;
use super::super::trial::Trial;

const SCENARIO: &str = "name: s
duration: 5m
workload: { poisson: { rate: 20/s } }
service: { name: web, replicas: 2, concurrency: 4, service-time: 50ms, resources: { requests: { cpu: 500m, memory: 1Gi } }, price: $1/h }
objectives: [ { latency: { within: 500ms, target: 99% } } ]
policies: { two: { static: { replicas: 2 } }, three: { static: { replicas: 3 } } }
expect: [ p99 < 500ms, policy.two.cost < $9 ]
";

/// The committed file equals the program's output.
#[test]
fn the_schema_is_committed() {
    let committed = std::fs::read_to_string("schema/results.schema.json").unwrap();
    let made = format!("{:#}\n", results_schema());
    assert!(committed == made, "run `plimsoll schema results > schema/results.schema.json`");
}

const ACCESS_LOG: &str = r#"10.0.0.1 - - [14/Nov/2026:13:00:01 +0000] "GET /a HTTP/1.1" 200 12 "-" "x"
10.0.0.2 - - [14/Nov/2026:13:00:03 +0000] "GET /b HTTP/1.1" 200 12 "-" "x"
broken
10.0.0.1 - - [14/Nov/2026:13:01:07 +0000] "GET /c HTTP/1.1" 500 12 "-" "x"
"#;

/// Two requests per second in clumps, minute by minute.
fn counts() -> String {
    let row = |minute: usize| format!("{},{}\n", 60 * minute, 100 + 40 * (minute % 6));
    format!("time,count\n{}", (0..120).map(row).collect::<String>())
}

/// Runs the command with `--format json` and compares its output with the committed schema and the types.
fn checked(trial: &Trial, command: &str, code: i32) -> Value {
    let output = trial.run(&format!("{command} --format json"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{command}: {text}{errors}");
    let value: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{command}: {error}\n{text}"));
    let committed = std::fs::read_to_string("schema/results.schema.json").unwrap();
    let schema = Checked::new(serde_json::from_str(&committed).unwrap());
    assert_eq!(schema.problems(&value), Vec::<String>::new(), "{command}: {text}");
    let results: Results = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{command}: {error}\n{text}"));
    let again: Value = serde_json::from_str(&results_text(&results)).unwrap();
    assert_eq!(value, again, "{command}");
    assert_eq!(value["version"], RESULTS_VERSION, "{command}");
    let words: Vec<&str> = command.split_whitespace().collect();
    let name = value["command"].as_str().unwrap();
    assert!(words[0] == name || format!("{}-{}", words[0], words[1]) == name, "{name}");
    assert!(!text.contains("\"\":"), "no empty key: {text}");
    if command.contains("--quiet") {
        assert!(errors.is_empty(), "{command} leaves only results: {errors}");
    }
    value
}

#[test]
fn runs_and_reports_are_as_the_schema_says() {
    let trial = Trial::new(&[("s.yaml", SCENARIO)]);
    let run = checked(&trial, "run s.yaml --policy two --out out --quiet", 0);
    let scenarios = run["scenarios"].as_array().unwrap();
    assert_eq!((scenarios.len(), scenarios[0]["policies"].as_array().unwrap().len()), (1, 1));
    // 2 replicas at $1/h for 5 minutes.
    let cost = scenarios[0]["policies"][0]["cost_usd"].as_f64().unwrap();
    assert!((cost - 2.0 / 12.0).abs() < 1e-8, "{cost}");
    assert_eq!(scenarios[0], serde_json::from_str::<Value>(&trial.read("out/s/summary.json")).unwrap());
    let report = checked(&trial, "report out/s --out again --quiet", 0);
    assert_eq!(report["scenarios"][0], scenarios[0]);
}

#[test]
fn traces_and_forecasts_are_as_the_schema_says() {
    let trial = Trial::new(&[("access.log", ACCESS_LOG), ("c.csv", &counts()), ("z.yaml", SCENARIO)]);
    let log = checked(&trial, "trace inspect access.log --trace-format access-log", 0);
    assert_eq!((log["trace"]["rows"].as_u64(), log["trace"]["bad_rows"].as_u64()), (Some(3), Some(1)));
    assert_eq!((log["trace"]["span_s"].as_f64(), log["trace"]["longest_gap_s"].as_f64()), (Some(66.0), Some(64.0)));
    // 120 minutes of 100 to 300 requests: 200 a minute.
    let table = checked(&trial, "trace inspect c.csv", 0);
    assert_eq!(table["trace"]["values"]["mean"].as_f64(), Some(200.0));
    assert_eq!(table["trace"]["mean_requests_per_s"].as_f64(), Some(200.0 / 60.0));
    let fit = checked(&trial, "trace fit c.csv", 0);
    assert!(fit["workload_yaml"].as_str().unwrap().contains("/s") && !fit["comparison"].as_array().unwrap().is_empty());
    let made = checked(&trial, "trace synth poisson --set rate=5/s --duration 1m -o made.csv", 0);
    assert_eq!(made["file"], "made.csv");
    assert!(checked(&trial, "trace convert c.csv converted.csv", 0)["requests"].as_f64().unwrap() > 23_000.0);
    checked(&trial, "trace transform c.csv --step {\"scale-rate\":{\"factor\":2}} -o double.csv", 0);
    let plots = checked(&trial, "trace plot c.csv --out charts", 0);
    assert!(plots["files"].as_array().unwrap().iter().any(|file| file.as_str().unwrap().ends_with(".csv")));
    let forecast = checked(&trial, "forecast c.csv --step 1m --horizon 3m --model naive", 0);
    assert_eq!(forecast["models"][0]["model"], "naive");
    // The name of a trace format is not mistaken for a result format.
    let refused = trial.expect("trace inspect c.csv --format csv", 2);
    assert!(refused.contains("say `--trace-format csv`"), "{refused}");
}

#[test]
fn training_and_speed_are_as_the_schema_says() {
    let learner = "  four: { policy-search: { min: 1, max: 4, capacity: { concurrency: 4, service-time: 50ms, utilization: 80% } } }\nexpect";
    let scenario = SCENARIO
        .replace(
            "policies: { two: { static: { replicas: 2 } }, three: { static: { replicas: 3 } } }\nexpect",
            &format!("policies:\n  two: {{ static: {{ replicas: 2 }} }}\n{learner}"),
        )
        .replace("expect: [ p99 < 500ms, policy.two.cost < $9 ]\n", "");
    let trial = Trial::new(&[("s.yaml", &scenario)]);
    let trained =
        checked(&trial, "train s.yaml --episodes 8 --penalty $0.01 --replications 2 --out four.json --quiet", 0);
    assert_eq!((trained["kind"].as_str(), trained["numbers"].as_array().unwrap().len()), (Some("policy-search"), 10));
    let bench = checked(&trial, "bench --requests 2000", 0);
    assert_eq!(bench["workloads"][0]["name"], "W1");
}

/// Every output is parsed into the types of the schema, which reject missing and additional fields.
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
        ("sweep s.yaml --vary service.concurrency=2,4 --replications 2 --out made/sweep.csv", 0),
        ("optimize provision s.yaml --out out", 0),
        ("optimize mix m6i.large --cpu 4 --memory 8Gi", 0),
    ] {
        let quiet = if command.starts_with("list") { "" } else { " --quiet" };
        checked(&trial, &format!("{command}{quiet}"), code);
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
