//! Finding 16: a sweep that cannot run writes no files, and can vary values that are stated in a manifest.

use super::super::trial::Trial;

const HPA: &str = "apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: web }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: web }
  minReplicas: 1
  maxReplicas: 10
  metrics: [ { type: Resource, resource: { name: cpu, target: { type: Utilization, averageUtilization: 60 } } } ]
";

const SCENARIO: &str = "duration: 10m
workload: { poisson: { rate: 20/s } }
service: { name: web, replicas: 2, concurrency: 8, service-time: 50ms, cpu-per-request: 20ms, resources: { requests: { cpu: 500m } }, price: $1/h }
objectives: [ { latency: { within: 500ms, target: 99% } } ]
policies: { ours: { hpa: { manifest: hpa.yaml } } }
";

fn trial() -> Trial {
    Trial::new(&[("hpa.yaml", HPA), ("s.yaml", SCENARIO)])
}

#[test]
fn an_invalid_sweep_leaves_no_file() {
    let trial = trial();
    for vary in ["policies.ours.hpa.maxx=5,6", "policies.ours.hpa.max=5,zero", "service.concurrency=2,-1"] {
        trial.expect(&format!("sweep s.yaml --vary {vary} --replications 1 --quiet"), 2);
        assert!(!trial.path("sweep.csv").exists(), "{vary}");
    }
    trial.expect("sweep s.yaml --vary policies.ours.hpa.max=1,6 --replications 1 --quiet", 0);
}

#[test]
fn a_misspelt_path_is_shown_where_it_was_written() {
    let said = trial().expect("sweep s.yaml --vary policies.ours.hpa.maxx=5,6 --replications 1 --quiet", 2);
    assert!(said.contains("has no field `maxx`") && said.contains("--vary policies.ours.hpa.maxx:1:1"), "{said}");
}

#[test]
fn a_manifest_is_varied_like_the_scenario() {
    let trial = trial();
    let run = |set: &str| {
        let more = if set.is_empty() { String::new() } else { format!("--set {set}") };
        let summary = trial.summary("s.yaml", &more);
        summary["policies"][0]["replica_hours"].as_f64().unwrap()
    };
    let as_it_is = run("");
    assert_eq!(run("policies.ours.hpa.target.cpu=60%"), as_it_is, "what it says already");
    assert_ne!(run("policies.ours.hpa.min=5"), as_it_is);
    assert_ne!(run("policies.ours.hpa.target.cpu=20%"), as_it_is);
    let said = trial.expect("check s.yaml --set policies.ours.hpa.target.memory=20%", 2);
    assert!(said.contains("does not scale on `memory`") && said.contains("it scales on cpu"), "{said}");
    assert!(trial.expect("check s.yaml --set policies.ours.hpa.max=0", 2).contains("below the minimum"));
}
