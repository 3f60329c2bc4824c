//! A figure that cannot be computed is absent from every report.

use crate::findings::trial::Trial;

#[test]
fn no_cpu_request_no_utilization_of_cpu() {
    let text = "\
workload: { constant: { rate: 2/s, for: 10m } }
service: { replicas: 1, concurrency: 1, service-time: 200ms, price: $1/h }
policies: { p: { static: { replicas: 1 } } }
";
    let trial = Trial::new(&[("s.yaml", text)]);
    let shown = trial.expect("run s.yaml --quiet --out out", 0);
    let row = shown.lines().find(|line| line.contains("Utilization of CPU")).unwrap();
    assert!(row.trim_end().ends_with('–'), "{row}");
    let summary = trial.summary("s.yaml", "");
    let service = &summary["policies"][0]["services"][0];
    assert!(
        service["cpu_utilization_ratio"].is_null() && service["utilization_ratio"].as_f64() == Some(0.4),
        "{service}"
    );
}

/// Without eligible requests, the time in violation is absent, not zero.
#[test]
fn without_eligible_requests_nothing_is_reported() {
    let text = "\
duration: 1m
workload: { constant: { rate: 1/s, for: 1m } }
service: { replicas: 1, concurrency: 1, service-time: 2h, price: $1/h }
objectives: [ { latency: { within: 1h, target: 99% } } ]
policies: { p: { static: { replicas: 1 } } }
";
    let summary = Trial::new(&[("s.yaml", text)]).summary("s.yaml", "");
    let objective = &summary["policies"][0]["services"][0]["objectives"][0];
    for name in ["attained_ratio", "met", "error_budget_used_ratio", "violation_min", "peak_burn_rate"] {
        assert!(objective[name].is_null(), "{name}: {objective}");
    }
    assert_eq!(objective["left_out_requests"], 60);
}
