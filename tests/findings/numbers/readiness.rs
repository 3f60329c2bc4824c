//! Item 6: the Ready condition of a pod keeps the time of its last transition while its status does not change.

use super::super::world::{record_with, rescales};

/// 8 requests per second until 200 s, then 5, of 0.1 s each; a replica is ready eleven minutes after its order.
fn decisions(start_up: &str) -> Vec<(u64, u32, u32)> {
    let early = (0..1600).map(|i| f64::from(i) / 8.0);
    let late = (0..3500).map(|i| 200.0 + f64::from(i) / 5.0);
    let rows: Vec<String> = early.chain(late).map(|at| format!("{at:.3},0.1")).collect();
    let trace = format!("t,d\n{}\n", rows.join("\n"));
    let scenario = format!(
        "name: d3
duration: 15m
workload: {{ trace: d3.csv, columns: {{ time: t, demand: d }} }}
service:
  replicas: 1
  concurrency: 10
  service-time: 100ms
  resources: {{ requests: {{ cpu: 1 }} }}
  cpu-per-request: 100ms
  start-up: {start_up}
policies:
  p: {{ hpa: {{ min: 1, max: 10, target: {{ cpu: 50% }}, downscale-stabilization: 60s }} }}
"
    );
    rescales(&record_with(&[("scenario.yaml", &scenario), ("d3.csv", &trace)]).services[0])
}

#[test]
fn a_pod_that_was_never_ready_is_left_out_however_long_its_image_takes() {
    // Before, with a pull of 60 s, the replica ordered at 30 s was removed at 390 s, five minutes before it was ready.
    let (d3, d4) = (decisions("{ image-pull: 60s, ready: 10m }"), decisions("{ image-pull: 29s, ready: 631s }"));
    let until_ready = |told: &[(u64, u32, u32)]| told.iter().copied().filter(|(at, ..)| *at < 690).collect::<Vec<_>>();
    assert_eq!(until_ready(&d3), [(30, 1, 2)]);
    assert_eq!(d3, d4);
}
