//! A policy that leaves half of its requests waiting for a retry meets no objective, and is not below the lower bound.

use crate::findings::trial::Trial;

const RETRIES: &str = "\
workload: { constant: { rate: 10/s, for: 30m } }
duration: 30m
service:
  concurrency: 1
  service-time: 1s
  queue-limit: 0
  retry: { attempts: 8, backoff: 10m, max-backoff: 10h, budget: 100%, jitter: false }
  price: $1/h
  resources: { requests: { cpu: 1, memory: 1Gi } }
objectives: [ { latency: { within: 2s, target: 99% } }, { availability: 99% } ]
policies: { s5: { static: { replicas: 5 } }, s10: { static: { replicas: 10 } } }
";

#[test]
fn retries_that_wait_beyond_the_end_are_bad_by_both_objectives() {
    let trial = Trial::new(&[("retries.yaml", RETRIES)]);
    let summary = trial.summary("retries.yaml", "");
    let s5 = &summary["policies"][0];
    assert_eq!(s5["meets_objectives"], false);
    for objective in s5["services"][0]["objectives"].as_array().unwrap() {
        let attained = objective["attained_ratio"].as_f64().unwrap();
        assert!((0.49..0.51).contains(&attained), "{objective}");
        // Each was rejected and waits for its next attempt.
        assert_eq!(objective["bad_requests"]["retry"]["unanswered"], objective["overdue_requests"]);
        assert!(objective["overdue_requests"].as_u64().unwrap() > 8_900, "{objective}");
    }
    assert_eq!(summary["policies"][1]["meets_objectives"], true);
    let said = summary.to_string();
    assert!(!said.contains("-47") && said.contains("s10 is the only policy that meets every objective"), "{said}");
}

/// Three requests per second for five replicas with three seconds each: the queue grows to the end, and abandoned
/// requests wait for a retry.
const TIMEOUTS: &str = "\
workload: { constant: { rate: 3/s, for: 300s } }
duration: 300s
service: { replicas: 5, concurrency: 1, service-time: 3s, queue-limit: 1000, price: $0.36/h, LOSSES }
objectives: [ { latency: { within: 120s, target: TARGET } } ]
policies: { s5: { static: { replicas: 5 } } }
";

#[rstest::rstest]
#[case("timeout: 120s, retry: { attempts: 3 }", "99%")]
#[case("timeout: 2h", "89%")]
fn the_queue_at_the_end_counts(#[case] losses: &str, #[case] target: &str) {
    let text = TIMEOUTS.replace("LOSSES", losses).replace("TARGET", target);
    let summary = Trial::new(&[("s.yaml", &text)]).summary("s.yaml", "");
    let objective = &summary["policies"][0]["services"][0]["objectives"][0];
    // 540 arrive early enough for their limit to be within the run; 444 of them are answered within it.
    let (good, judged) = (objective["good_requests"].as_u64().unwrap(), objective["judged_requests"].as_u64().unwrap());
    assert!(judged >= 540 && (0.80..0.86).contains(&(good as f64 / judged as f64)), "{objective}");
    assert_eq!(objective["met"], false);
}
