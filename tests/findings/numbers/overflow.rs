//! Numbers 2: a long queue over a long time overflowed the integrals of a replica.

use crate::findings::trial::Trial;

/// 10/s against 1/s for 18 hours: 2.1e10 request-seconds wait at one replica, more than 2^64 nanoseconds.
#[test]
fn a_queue_that_grows_all_day_ends_in_a_result() {
    let trial = Trial::new(&[(
        "ov.yaml",
        "name: ov\nduration: 18h\nworkload: { constant: { rate: 10/s, for: 18h } }\n\
         service: { replicas: 1, concurrency: 1, service-time: 1s }\npolicies: { a: { static: { replicas: 1 } } }\n",
    )]);
    let summary = trial.summary("ov.yaml", "");
    let text = summary.to_string();
    assert!(text.contains("\"arrived\":648000") && text.contains("\"completed\":64799"), "{text}");
}

const TEN_YEARS: &str = "\
name: years
duration: 3650d
warm-up: 100d
interval: 10d
metrics: { interval: 1d }
workload: { constant: { rate: 2/h, for: 3650d } }
service: { replicas: 1, concurrency: 1, service-time: 1h, price: $0.1/h }
objectives: [ { latency: { within: 3h, target: 95% } } ]
policies: { a: { static: { replicas: 3 } } }
";

/// Ten years. With twice the load, 1/h more arrive than three replicas serve: 29,200 wait at each of them at the end,
/// and the area of each queue is 250 times the range of 64 bits.
#[test]
fn ten_years_of_overload_end_in_a_result() {
    let trial = Trial::new(&[("years.yaml", TEN_YEARS)]);
    let shown = trial.run("whatif years.yaml --quiet --scale 2x --replications 1");
    let text = String::from_utf8_lossy(&[shown.stdout, shown.stderr].concat()).into_owned();
    assert!(matches!(shown.status.code(), Some(0 | 1)), "{text}");
    let doubled = TEN_YEARS.replace("2/h", "4/h");
    let trial = Trial::new(&[("years.yaml", &doubled)]);
    let summary = trial.summary("years.yaml", "").to_string();
    // Three replicas for 87,600 hours; after the first 100 days 4 requests arrive and 3 complete per hour.
    assert!(summary.contains("26280"), "{summary}");
    assert!(summary.contains("\"arrived\":340800"), "{summary}");
}
