//! Reliability and security: hostile input and bad luck.

mod directories;
mod names;
#[cfg(feature = "tables")]
mod parquet;
mod sweeps;
mod training;

/// A small valid scenario.
const BASE: &str = "\
name: base
duration: 2m
interval: 10s
workload: { poisson: { rate: 20/s } }
service:
  name: web
  replicas: 3
  resources: { requests: { cpu: 500m, memory: 512Mi }, limits: { cpu: 1 } }
  concurrency: 4
  queue-limit: 40
  service-time: { lognormal: { mean: 120ms, cv: 1 } }
  cpu-per-request: 30ms
  start-up: { image-pull: 8s, ready: 6s }
  timeout: 3s
  price: { container: fargate }
objectives:
  - latency: { within: 800ms, target: 99% }
policies:
  fixed: { static: { replicas: 4 } }
  auto: { hpa: { min: 2, max: 10, target: { cpu: 60% } } }
";
