//! Numbers 7 and 8: the requests counted by a load balancer, and the retries allowed by a budget.

use serde_json::Value;

use crate::findings::trial::Trial;

fn scenario(rate: &str, budget: &str) -> String {
    format!(
        "name: rb\nduration: 100s\nworkload: {{ constant: {{ rate: {rate}, for: 100s }} }}\n\
         service: {{ replicas: 1, concurrency: 1, queue-limit: 0, service-time: 2h, \
         retry: {{ attempts: 3, backoff: 100ms, jitter: false, {budget} }} }}\n\
         policies: {{ a: {{ static: {{ replicas: 1 }} }} }}\n"
    )
}

/// The number after the first `name` in the summary.
fn number(value: &Value, name: &str) -> Option<f64> {
    match value {
        Value::Object(fields) => {
            let own = fields.get(name).and_then(Value::as_f64);
            own.or_else(|| fields.values().find_map(|inner| number(inner, name)))
        }
        Value::Array(items) => items.iter().find_map(|inner| number(inner, name)),
        _ => None,
    }
}

fn retries(rate: &str, budget: &str) -> f64 {
    let trial = Trial::new(&[("rb.yaml", &scenario(rate, budget))]);
    number(&trial.summary("rb.yaml", ""), "retries").unwrap()
}

/// One of 500 is served and 499 are lost: at 10%, one retry for every ten of them, and none at the start.
#[test]
fn retries_are_at_most_the_stated_share() {
    assert_eq!(retries("5/s", "budget: 10%"), 50.0);
    assert_eq!(retries("20/s", "budget: 20%"), 400.0);
    assert_eq!(retries("5/s", "budget: 0%"), 0.0);
}

/// Saving up: with a reserve of one retry, at most one can be made between two new requests.
#[test]
fn the_reserve_can_be_stated() {
    // 100% would allow every second request both of its retries.
    let (unbounded, one) = (retries("5/s", "budget: 100%"), retries("5/s", "budget: 100%, reserve: 1"));
    assert!(unbounded <= 500.0 && one <= 500.0 && one > 0.0, "{unbounded} {one}");
    let trial = Trial::new(&[("rb.yaml", &scenario("5/s", "budget: 10%, reserve: 0"))]);
    assert!(trial.expect("check rb.yaml", 2).contains("`reserve` must be at least 1"));
    trial.summary("rb.yaml", "--set service.retry.reserve=7");
    assert!(
        trial
            .read("out/rb/report.html")
            .contains("the retry budget is 10% of the requests, with a reserve of at most 7")
    );
}

const STORM: &str = "\
name: c
duration: 2m
workload: { constant: { rate: 10/s, for: 2m } }
service:
  replicas: 1
  concurrency: 1
  queue-limit: 0
  service-time: 1s
  retry: { attempts: 3, backoff: 100ms, jitter: false, budget: 100% }
metrics: { custom: { rps: request-rate } }
policies:
  ext: { hpa: { min: 1, max: 20, downscale-stabilization: 0s, metrics: [ { type: External, external: { metric: { name: rps }, target: { type: AverageValue, averageValue: 10 } } } ] } }
  pods: { hpa: { min: 1, max: 20, downscale-stabilization: 0s, metrics: [ { type: Pods, pods: { metric: { name: rps }, target: { type: AverageValue, averageValue: 10 } } } ] } }
";

/// With one pod, the load balancer's count equals that pod's, including retries.
#[test]
fn external_request_rates_count_retries() {
    let trial = Trial::new(&[("c.yaml", STORM)]);
    trial.summary("c.yaml", "");
    let decisions = trial.read("out/c/decisions.csv");
    let is_up = |line: &&str, policy: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        cells[0] == policy && cells[4] == "1" && cells[5] != "1"
    };
    let first = |policy: &str| decisions.lines().find(|line| is_up(line, policy)).map(str::to_string);
    for policy in ["ext", "pods"] {
        let line = first(policy).unwrap_or_else(|| panic!("{policy} never scales: {decisions}"));
        assert!(line.contains(" of 10 per pod"), "{line}");
        let rate: f64 = line.split("rps ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().parse().unwrap();
        // Ten new requests per second, and as many retries as the budget allows.
        assert!((rate - 20.0).abs() < 1.0, "{line}");
    }
}
