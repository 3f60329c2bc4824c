//! Items 2, 14 and 15: requests of a pod with several containers, and how an autoscaler uses them.

use super::super::trial::Trial;
use super::super::world::{read, rescales, run};

const SCENARIO: &str = "name: s
duration: 1h
workload: { poisson: { rate: 300/s, for: 1h } }
service: { manifest: dep.yaml, concurrency: 8, service-time: 120ms, price: { container: fargate } }
objectives: [ { latency: { within: 500ms, target: 99% } } ]
policies: { cpu: { hpa: { min: 3, max: 30, target: { cpu: 65% } } } }
";

/// A Deployment with these containers and further fields of the pod's `spec`.
fn deployment(containers: &str, more: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: 6
  template:
    spec:
      containers: [{containers}]
{more}"
    )
}

const APP: &str = "{name: app, resources: {requests: {cpu: '1', memory: 2Gi}}}";

/// Dollars per replica-hour, and the output.
fn price(containers: &str, more: &str) -> (String, String) {
    let (scenario, said) = read(&[("scenario.yaml", SCENARIO), ("dep.yaml", &deployment(containers, more))]);
    let scenario = scenario.unwrap_or_else(|| panic!("{said}"));
    (scenario.services[0].lease.as_ref().unwrap().price.to_string(), said)
}

#[test]
fn a_sidecar_without_requests_leaves_the_price_as_it_is() {
    let alone = price(APP, "");
    assert_eq!(alone, ("$0.053815/h".to_string(), String::new()));
    // It was $0.0123425/h, the smallest size.
    let (with_sidecar, said) = price(&format!("{APP}, {{name: log-shipper}}"), "");
    assert_eq!(with_sidecar, alone.0);
    assert!(
        said.contains("the autoscaler will never act on cpu: missing request for cpu in container log-shipper"),
        "{said}"
    );
    assert!(said.contains("use a ContainerResource metric of `app`"), "{said}");
    // Only a memory limit, which is its memory request too: 2 GiB + 256 MiB + 256 MiB still fit into 3 GB.
    let (limited, _) = price(&format!("{APP}, {{name: log-shipper, resources: {{limits: {{memory: 256Mi}}}}}}"), "");
    assert_eq!(limited, alone.0);
}

#[test]
fn init_containers_count_by_their_maximum() {
    let init = |what: &str| format!("      initContainers: [{{name: migrate, resources: {{requests: {{{what}}}}}}}]\n");
    // 4 vCPU and 9 GB: 4 x 0.04048 + 9 x 0.004445 (8 GiB and 256 MiB do not fit into 8 GB).
    assert_eq!(price(APP, &init("cpu: 4, memory: 8Gi")).0, "$0.201925/h");
    // 2 vCPU and the smallest memory available with them, 4 GB.
    assert_eq!(price(APP, &init("cpu: 2")).0, "$0.09874/h");
    assert_eq!(price(APP, &init("cpu: 500m")).0, "$0.053815/h");
    // A native sidecar runs next to the others: 1.5 CPU are sold as 2 vCPU.
    let sidecar = init("cpu: 500m").replace("migrate", "proxy, restartPolicy: Always");
    assert_eq!(price(APP, &sidecar).0, "$0.09874/h");
    // The same for a pod's overhead.
    assert_eq!(price(APP, "      overhead: { podFixed: { cpu: 250m, memory: 120Mi } }\n").0, "$0.09874/h");
}

/// Rescales during an hour, and all reasons.
fn decided(hpa: &str) -> (Vec<(u64, u32, u32)>, Vec<String>) {
    let scenario = SCENARIO.replace("target: { cpu: 65% }", hpa);
    let manifest = deployment(&format!("{APP}, {{name: log-shipper}}"), "");
    let (scenario, said) = read(&[("scenario.yaml", &scenario), ("dep.yaml", &manifest)]);
    let record = run(&scenario.unwrap_or_else(|| panic!("{said}")), 0);
    let reasons = record.services[0].decisions.iter().map(|decision| decision.detail.clone()).collect();
    (rescales(&record.services[0]), reasons)
}

#[test]
fn the_reason_names_the_container_without_a_request() {
    let (rescaled, reasons) = decided("target: { cpu: 65% }");
    assert_eq!(rescaled, []);
    let said = "cpu: missing request for cpu in container log-shipper (FailedGetResourceMetric)";
    assert_eq!(reasons.last().unwrap(), said);
}

#[test]
fn a_container_resource_works_where_the_pods_average_fails() {
    let metric = "metrics: [{ type: ContainerResource, containerResource: { name: cpu, container: app, target: { type: \
                  Utilization, averageUtilization: 65 } } }]";
    // 300/s x 120 ms = 36 of 6 x 8 slots, 75% of the request: 7 replicas, as without the sidecar.
    let (rescaled, reasons) = decided(metric);
    assert_eq!(rescaled.first().map(|(_, from, to)| (*from, *to)), Some((6, 7)), "{reasons:?}");
}

#[test]
fn unstated_memory_is_reported_as_zero() {
    let scenario = SCENARIO.replace("cpu: 65%", "memory: 65%");
    let (_, said) = read(&[("scenario.yaml", &scenario), ("dep.yaml", &deployment(APP, ""))]);
    assert!(said.contains("the memory use of replicas is not stated: the autoscaler sees zero"), "{said}");
    let scenario = scenario.replace("concurrency: 8", "concurrency: 8, memory: { base: 500Mi }");
    let (_, said) = read(&[("scenario.yaml", &scenario), ("dep.yaml", &deployment(APP, ""))]);
    assert_eq!(said, "");
}

#[test]
fn check_and_list_state_the_basis_of_figures() {
    let trial = Trial::new(&[("s.yaml", SCENARIO), ("dep.yaml", &deployment(APP, ""))]);
    let said = trial.expect("check s.yaml", 0);
    assert!(
        said.contains("`cpu-per-request` of web not stated: assumed that a full replica uses exactly its CPU request"),
        "{said}"
    );
    assert!(trial.expect("list containers", 0).contains("a pod and the 256Mi that EKS adds to it"));
    let stated = SCENARIO.replace("concurrency: 8", "concurrency: 8, cpu-per-request: 60ms");
    let trial = Trial::new(&[("s.yaml", &stated), ("dep.yaml", &deployment(APP, ""))]);
    assert!(!trial.expect("check s.yaml", 0).contains("assumed that a full replica uses"));
    let summary = trial.summary("s.yaml", "");
    let said = summary["assumptions"].to_string();
    assert!(said.contains("fargate bills a replica of web as 1 vCPU and 3Gi"), "{said}");
}
