//! Issue 12, point 11: how the resource metrics API reports young pods if metrics-server has a resolution of 30 or 60
//! s, with the timing of two recorded runs of a real HPA: 4 pods use 200% of their request, and the load ends their
//! containers at 101 s.

use plimsoll::engine::ServiceRecord;

use super::super::world::{record, rescales};

fn run(interval: &str, first: &str, first_decision: &str, faults: &str) -> ServiceRecord {
    let scenario = format!(
        "name: young
duration: 6m
workload: {{ poisson: 1/s }}
service:
  replicas: 4
  concurrency: 10
  service-time: 10ms
  cpu-per-request: 1ms
  cpu-idle: 200m
  resources: {{ requests: {{ cpu: 100m }}, limits: {{ cpu: 1 }} }}
  start-up: {{ started: 3s, ready: 500ms }}
metrics: {{ interval: {interval}, first: {first}, first-decision: {first_decision} }}
faults: {faults}
policies:
  p: {{ hpa: {{ min: 4, max: 24, target: {{ cpu: 60% }} }} }}
"
    );
    record(&scenario).services.remove(0)
}

/// When the controller first reported a missing metric with another reason than before: second, words.
fn blind(service: &ServiceRecord) -> Vec<(u64, &str)> {
    let none = service.decisions.iter().filter(|decision| decision.detail.starts_with("cpu: no metrics"));
    let words = |detail: &'static str, found: &str| found.starts_with(detail).then_some(&detail["cpu: ".len()..]);
    let known = ["cpu: no metrics yet", "cpu: no metrics of ready pods", "cpu: no metrics returned"];
    none.map(|d| (d.at.as_nanos() / 1_000_000_000, known.iter().find_map(|k| words(k, &d.detail)).unwrap_or("?")))
        .collect()
}

const RESTART: &str = "[{ restart: { at: 101s, older-than: 100s } }]";

#[test]
fn at_60s_a_pod_is_unready_at_its_first_scrape_and_counts_at_its_second() {
    let service = run("60s", "46500ms", "10600ms", RESTART);
    // The recorded controller reported `did not receive metrics for targeted pods (pods might be unready)` four times,
    // from 55 s on, and `no metrics returned from resource metrics API` before that and, with new containers, from 115
    // s on. It scaled first at 175 s and reached the maximum at 300 s.
    let expected = [(10, "no metrics yet"), (55, "no metrics of ready pods"), (115, "no metrics returned")];
    assert_eq!(blind(&service), expected);
    assert_eq!(rescales(&service), [(175, 4, 8), (190, 8, 14), (295, 14, 24)]);
    assert_eq!(service.crashes, 4);
}

#[test]
fn without_the_restart_the_second_scrape_is_enough() {
    assert_eq!(rescales(&run("60s", "46500ms", "10600ms", "[]"))[0], (115, 4, 8));
}

#[test]
fn at_30s_as_well() {
    let service = run("30s", "17100ms", "9800ms", RESTART);
    assert_eq!(blind(&service), [(9, "no metrics yet"), (24, "no metrics of ready pods")]);
    // Recorded at 55 s and 70 s, and at 145 s: one scrape later than here.
    assert_eq!(rescales(&service), [(54, 4, 8), (69, 8, 14), (114, 14, 24)]);
}

#[test]
fn a_restart_needs_an_existing_service() {
    let text = "name: two\nduration: 1m\nservices:\n  - { name: a, workload: { poisson: 1/s }, service-time: 10ms, concurrency: 1 }\n  - { name: b, workload: { poisson: 1/s }, service-time: 10ms, concurrency: 1 }\nfaults: [{ restart: { at: 10s } }]\npolicies: { p: { static: { replicas: 1 } } }\n";
    let (_, said) = super::super::world::read(&[("scenario.yaml", text)]);
    assert!(said.contains("which service is the restart for?") && said.contains("services: a, b"), "{said}");
}
