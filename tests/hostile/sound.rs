//! A small valid file of each kind, generated once.

use std::sync::LazyLock;

use plimsoll::config::Diagnostics;
use plimsoll::experiment::{learning_settings, run};
use plimsoll::policy::q_learning::{Cell, Experience, Learned, Origin, Rule, Table};
use plimsoll::report::{REPORTERS, RESULT_FILE};
use plimsoll::scenario::Scenario;
use plimsoll::units::SimDuration;

use super::Reader;

pub const SCENARIO: &str = "\
name: sound
title: A sound scenario
seed: 3
duration: 20s
interval: 10s
warm-up: 1s
workload: { poisson: { rate: 5/s } }
service:
  name: web
  replicas: 2
  resources: { requests: { cpu: 500m, memory: 512Mi }, limits: { cpu: 1 } }
  concurrency: 4
  queue-limit: 40
  service-time: { lognormal: { mean: 50ms, cv: 1 } }
  cpu-per-request: 30ms
  cpu-idle: 10m
  memory: { base: 100Mi, per-request: 1Mi }
  start-up: { scheduled: 1s, image-pull: 8s, ready: 6s }
  grace-period: 10s
  timeout: { after: 3s, work: finish }
  retry: { attempts: 2, backoff: 100ms }
  crash-after: { exponential: { mean: 10d } }
  price: { container: fargate }
metrics: { interval: 5s, window: 10s, lag: 2s, first-decision: 5s }
objectives:
  - latency: { within: 800ms, target: 99% }
  - availability: 99.9%
faults:
  - zone-outage: { zone: a, at: 12s, for: 3s }
expect: [ lost < 10 ]
policies:
  fixed: { static: { replicas: 4 } }
  auto: { hpa: { min: 2, max: 10, target: { cpu: 60% } } }
";

pub const MANIFEST: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: { name: web, labels: { app: web } }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  strategy: { type: RollingUpdate, rollingUpdate: { maxSurge: 25%, maxUnavailable: 0 } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 30
      containers:
        - name: web
          image: x
          resources: { requests: { cpu: 500m, memory: 512Mi }, limits: { cpu: 1 } }
";

pub const WITH_MANIFEST: &str = "\
duration: 20s
workload: { poisson: { rate: 5/s } }
service: { manifest: FILE, concurrency: 4, service-time: 50ms }
policies: { fixed: { static: { replicas: 4 } } }
";

pub const WITH_TRAINED: &str = "\
duration: 20s
workload: { poisson: { rate: 5/s } }
service: { name: web, concurrency: 4, service-time: 50ms }
policies: { learned: { q-learning: { trained: FILE, max: 4, capacity: 10/s } } }
";

pub const TRACE: &str = "\
time,demand,class
2024-05-20T00:00:00Z,0.010,a
2024-05-20T00:00:01Z,0.020,b
2024-05-20T00:00:02Z,0.015,a
2024-05-20T00:00:04Z,0.030,a
2024-05-20T00:00:05Z,0.010,b
";

pub const STORY: &str = "\
story: a rush
every: 15s
service: { name: web, replicas: 2, resources: { requests: { cpu: 500m } } }
metrics: { window: 15s }
policy: { hpa: { min: 2, max: 10, target: { cpu: 60% } } }
steps:
  - { at: 15s, metrics: { cpu: 90% }, expect: 3 }
  - { at: 60s, replicas: 3, pods: { not-ready: 1 }, metrics: { cpu: 60% }, expect: 2..4 }
";

pub const BASELINE: &str = "\
{
  \"seed\": 3,
  \"policies\": {
    \"fixed\": {
      \"cost\": { \"mean\": 1.5, \"replications\": [1, 2] },
      \"p99\": { \"mean\": null, \"replications\": [null, 0.2] }
    }
  }
}
";

fn read(text: &str) -> Scenario {
    let dir = tempfile::TempDir::new().unwrap();
    let path = dir.path().join("s.yaml");
    std::fs::write(&path, text).unwrap();
    let mut found = Diagnostics::new();
    Scenario::read(&path, &[], &mut found).unwrap_or_else(|| panic!("{found}"))
}

/// The stored result of the valid scenario.
static RESULT: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut scenario = read(SCENARIO);
    scenario.policies.truncate(1);
    let outcome = run(&scenario, "plimsoll run s.yaml", 1, &|_, _| {}).unwrap();
    let all = REPORTERS.iter().find(|plugin| plugin.name == RESULT_FILE).map(|plugin| plugin.build);
    all.unwrap().report(&outcome).unwrap().remove(0).bytes
});

/// A trained policy with one visited state.
static TRAINED: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let scenario = read(&WITH_TRAINED.replace("trained: FILE, ", ""));
    let design = learning_settings(&scenario, 0).unwrap().design.as_ref().clone();
    let mut table = Table::new(design.states().unwrap(), design.actions.len());
    let step = Experience { state: 0, action: 0, dollars: 1.0, bad: 2.0, next: None };
    table.replay(&[step], &Rule { discount: 0.9, penalty: 1.0 });
    assert_ne!(table.row(0)[0], Cell::default());
    let horizon = SimDuration::from_secs(60);
    let learned = Learned { origin: Origin::default(), design, penalty: 1.0, horizon, table };
    learned.to_json().unwrap().into_bytes()
});

/// The bytes of a valid file.
pub fn bytes(reader: Reader) -> Vec<u8> {
    match reader {
        Reader::Scenario => SCENARIO.into(),
        Reader::Manifest => MANIFEST.into(),
        Reader::Trace => TRACE.into(),
        Reader::Story => STORY.into(),
        Reader::Baseline => BASELINE.into(),
        Reader::StoredResult => RESULT.clone(),
        Reader::TrainedPolicy => TRAINED.clone(),
    }
}
