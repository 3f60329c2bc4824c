//! Issue 12, point 11: containers that end repeatedly wait for the kubelet's back-off before they restart (10 s, 20 s
//! and so on up to 5 min, reset after ten minutes), whether they crash or a fault ends them.

use super::super::world::{ready, record};

fn run(extra: &str, service: &str) -> plimsoll::engine::ServiceRecord {
    let scenario = format!(
        "name: loop
duration: 30m
interval: 10s
workload: {{ poisson: 1/s }}
service:
  replicas: 1
  concurrency: 10
  service-time: 10ms
  start-up: {{ started: 1s }}
{service}
{extra}
policies:
  p: {{ static: {{ replicas: 1 }} }}
"
    );
    record(&scenario).services.remove(0)
}

/// Seconds without readiness from `second` on until it is ready for a whole interval.
fn away(service: &plimsoll::engine::ServiceRecord, second: u64) -> f64 {
    let lost = (second..).step_by(10).map(|at| 1.0 - ready(service, at)).take_while(|lost| *lost > 1e-9);
    lost.map(|lost| lost * 10.0).sum()
}

#[test]
fn each_restart_waits_longer_than_the_one_before() {
    let restarts = "faults: [{ restart: { at: 100s } }, { restart: { at: 200s } }, { restart: { at: 300s } }, { restart: { at: 1000s } }, { restart: { at: 1100s } }]";
    let service = run(restarts, "");
    let away: Vec<f64> = [100, 200, 300, 1000, 1100].map(|at| (away(&service, at) * 100.0).round() / 100.0).to_vec();
    // 1,000 s is 679 s after the start at 320 s, so it counts as the first end again.
    assert_eq!(away, [1.0, 11.0, 21.0, 1.0, 11.0]);
    assert_eq!(service.crashes, 5);
}

#[test]
fn a_crash_loop_ends_in_waits_of_five_minutes() {
    let service = run("", "  crash-after: 20s");
    // It runs for 20 s and is unavailable for 1 s of start-up plus 0, 10, 20, 40, 80, 160, 300, 300 s: the crashes are
    // at 20, 41, 72, 113, 174, 275, 456, 777, 1,098, 1,419 and 1,740 s.
    assert_eq!(service.crashes, 11);
}
