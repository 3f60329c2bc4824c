//! The run of a recorded trace continues until its last request can be evaluated.

use crate::findings::trial::Trial;

const SCENARIO: &str = "\
workload: { trace: t.csv, columns: { time: time, demand: demand } }
service: { replicas: 1, concurrency: 1, service-time: 200ms, SERVICE }
objectives: OBJECTIVES
policies: { one: { static: { replicas: 1 } } }
";

#[rstest::rstest]
#[case::by_the_latency_limit("price: $1/h", "[ { latency: { within: 1s, target: 99% } }, { availability: 99% } ]", 1.0)]
#[case::by_the_time_out("price: $1/h, timeout: 5s", "[ { availability: 99% } ]", 5.0)]
fn a_trace_of_one_request_is_judged(#[case] service: &str, #[case] objectives: &str, #[case] length: f64) {
    let text = SCENARIO.replace("SERVICE", service).replace("OBJECTIVES", objectives);
    let summary = Trial::new(&[("t.csv", "time,demand\n0,0.2\n"), ("s.yaml", &text)]).summary("s.yaml", "");
    let policy = &summary["policies"][0];
    assert!((policy["duration_s"].as_f64().unwrap() - length).abs() < 1e-6, "{policy}");
    assert_eq!(policy["services"][0]["completed"], 1);
    for objective in policy["services"][0]["objectives"].as_array().unwrap() {
        assert_eq!((&objective["judged_requests"], &objective["met"]), (&1.into(), &true.into()), "{objective}");
    }
}
