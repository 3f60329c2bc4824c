//! D8: pods that request GPUs are only placed on nodes with GPUs.

use super::super::world::{read, ready, record, run};

fn scenario(nodes: &str, resources: &str) -> String {
    format!(
        "duration: 10m
interval: 10s
workload: {{ constant: {{ rate: 1/s, for: 10m }} }}
nodes: [{nodes}]
service: {{ replicas: 6, concurrency: 1, service-time: 100ms, resources: {{ requests: {{ cpu: 100m, {resources} }} }} }}
policies: {{ p: {{ static: {{ replicas: 6 }} }} }}
"
    )
}

const PLAIN: &str = "{ instance: m6i.4xlarge, region: us-east-1, count: 3 }";
/// Four A10G GPUs.
const GPUS: &str = "{ instance: g5.12xlarge, region: us-east-1, count: 1 }";

#[test]
fn four_gpus_hold_four_of_six_replicas() {
    let both = format!("{PLAIN}, {GPUS}");
    let found = record(&scenario(&both, "nvidia.com/gpu: 1"));
    assert_eq!(ready(&found.services[0], 300), 4.0);
    // Before, all six were placed, on the emptiest node.
    assert_eq!(ready(&record(&scenario(&both, "memory: 1Gi")).services[0], 300), 6.0);
    assert_eq!(ready(&record(&scenario(&both, "nvidia.com/gpu: 2")).services[0], 300), 2.0);
}

#[test]
fn a_pool_may_state_what_the_catalogue_does_not_know() {
    let pool = PLAIN.replace("count: 3", "count: 3, extended: { example.com/fpga: 1 }");
    assert_eq!(ready(&record(&scenario(&pool, "example.com/fpga: 1")).services[0], 300), 3.0);
}

#[test]
fn a_replica_that_fits_nowhere_is_reported() {
    let (found, said) = read(&[("scenario.yaml", &scenario(PLAIN, "nvidia.com/gpu: 1"))]);
    let reason = "no node can hold a replica of service: 0/3 nodes are available: 3 Insufficient nvidia.com/gpu";
    assert!(said.contains(reason), "{said}");
    assert_eq!(ready(&run(&found.unwrap(), 0).services[0], 300), 0.0);
}
