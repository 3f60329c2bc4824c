//! Item 4, and D1 of the page `house`: an image is present on a node when its pull has ended.

use super::super::world::{ready, record, record_with, rescales};

/// One replica on the small node; from 15 s on four more, all on the large one.
fn scale_out(start_up: &str, most: u32) -> String {
    format!(
        "name: f
duration: 10m
interval: 5s
workload: {{ constant: {{ rate: 10/s, for: 10m }} }}
nodes: [{{ instance: m6i.large, region: us-east-1, count: 1 }}, {{ instance: m6i.4xlarge, region: us-east-1, count: 1 }}]
placement: most-allocated
service:
  replicas: 1
  concurrency: 1
  queue-limit: 100
  service-time: 1s
  resources: {{ requests: {{ cpu: 1800m, memory: 256Mi }} }}
  start-up: {start_up}
policies: {{ p: {{ hpa: {{ min: {most}, max: {most}, target: {{ cpu: 50% }} }} }} }}
"
    )
}

#[test]
fn replicas_that_come_during_a_pull_wait_for_its_end() {
    let found = record(&scale_out("{ image-pull: 60s, ready: 5s }", 5));
    let service = &found.services[0];
    // Before, three of the four were ready at 20 s.
    assert_eq!([15, 20, 70, 75].map(|second| ready(service, second)), [1.0; 4]);
    assert_eq!(ready(service, 80), 5.0);
}

#[test]
fn a_late_replica_waits_for_the_rest_of_the_pull() {
    // Eight at once, as far as the node has room; seven were ready at 20 s.
    let found = record(&scale_out("{ image-pull: 100s, ready: 5s }", 9));
    let service = &found.services[0];
    assert_eq!([20, 110, 115].map(|second| ready(service, second)), [1.0; 3]);
    assert_eq!(ready(service, 120), 9.0);
}

#[test]
fn a_fresh_node_is_no_faster_for_eight_than_for_one() {
    // D1: two nodes, spread, from 1 to 9: eight were ready at once. Those on the first replica's node still are.
    let text = scale_out("{ image-pull: 60s, ready: 0s }", 9).replace("most-allocated", "spread");
    let text = text.replace("instance: m6i.large", "instance: m6i.4xlarge");
    let found = record(&text);
    let service = &found.services[0];
    let early = ready(service, 20);
    assert!((4.0..=5.0).contains(&early), "{early} ready where the image is");
    assert_eq!(ready(service, 70), early);
    assert_eq!(ready(service, 75), 9.0);
}

#[test]
fn a_pull_continues_when_its_replica_is_removed() {
    // Two requests per second, half a request from 30 s to 45 s; the target is one per second and pod: a second replica
    // is ordered at 30 s, removed at 45 s and ordered again at 60 s. The pull that started at 30 s ends at 90 s.
    let rate = |second: u32| if (30..45).contains(&second) { 0.5 } else { 2.0 };
    let times = (0..240u32).filter(|half| rate(half / 2) > 1.0 || half % 4 == 0).map(|half| f64::from(half) / 2.0);
    let rows: Vec<String> = times.map(|at| format!("{at:.1},0.01")).collect();
    let trace = format!("t,d\n{}\n", rows.join("\n"));
    let scenario = "name: f
duration: 2m
interval: 5s
workload: { trace: t.csv, columns: { time: t, demand: d } }
nodes: [{ instance: m6i.large, region: us-east-1, count: 1 }, { instance: m6i.4xlarge, region: us-east-1, count: 1 }]
placement: most-allocated
service:
  replicas: 1
  concurrency: 1
  service-time: 10ms
  resources: { requests: { cpu: 1800m, memory: 256Mi } }
  start-up: { image-pull: 60s }
policies: { p: { hpa: { min: 1, max: 2, downscale-stabilization: 0s, target: { request-rate: 1 } } } }
";
    let found = record_with(&[("scenario.yaml", scenario), ("t.csv", &trace)]);
    let service = &found.services[0];
    assert_eq!(rescales(service), [(30, 1, 2), (45, 2, 1), (60, 1, 2)]);
    assert_eq!([30, 75, 85, 90].map(|second| ready(service, second)), [1.0, 1.0, 1.0, 2.0]);
}
