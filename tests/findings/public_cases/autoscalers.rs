//! K5 to K9: manifests that the API server accepts, their interpretation by the controller, and metrics that are
//! missing or have other names.

use super::super::trial::Trial;
use rstest::rstest;

const SCENARIO: &str = "workload: { poisson: { rate: 40/s, for: 5m } }\nservice: { name: web, service-time: 100ms, concurrency: 8, \
    cpu-per-request: 50ms, resources: { requests: { cpu: 1, memory: 1Gi } } }\npolicies: { h: { hpa: { manifest: hpa.yaml } } }\n";

fn autoscaler(reference: &str, metric: &str) -> String {
    format!(
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {{ name: web }}\nspec:\n  \
         scaleTargetRef: {reference}\n  minReplicas: 1\n  maxReplicas: 10\n  metrics: [{metric}]\n"
    )
}

const WEB: &str = "{ apiVersion: apps/v1, kind: Deployment, name: web }";
const CPU: &str = "{ type: Resource, resource: { name: cpu, target: { type: Utilization, averageUtilization: 60 } } }";

/// The output of `check` about an autoscaler, and the decisions of a run with it.
fn tried(hpa: &str) -> (String, String) {
    let trial = Trial::new(&[("s.yaml", SCENARIO), ("hpa.yaml", hpa)]);
    let said = trial.expect("check s.yaml", 0);
    trial.summary("s.yaml", "");
    (said, trial.read("out/s/decisions.csv"))
}

#[rstest]
#[case("Pods", "pods: { metric: { name: request-rate }, target: { type: Value, averageValue: 5 } }", "request-rate")]
#[case("Resource", "resource: { name: cpu, target: { type: AverageValue, averageUtilization: 60 } }", "of 60% target")]
#[case("Resource", "resource: { name: cpu, target: { type: Utilization, averageValue: 500m } }", "of 0.5 per pod")]
#[case(
    "External",
    "external: { metric: { name: request-rate }, target: { type: Value, averageValue: 5 } }",
    "of 5 per pod"
)]
#[case(
    "External",
    "external: { metric: { name: request-rate }, target: { type: Utilization, value: 5 } }",
    "of 5 target"
)]
fn the_controller_goes_by_the_field_of_a_target(#[case] kind: &str, #[case] source: &str, #[case] figure: &str) {
    let (said, decisions) = tried(&autoscaler(WEB, &format!("{{ type: {kind}, {source} }}")));
    assert!(said.contains("the controller uses the field"), "{said}");
    assert!(decisions.contains(figure) && decisions.contains(",1,4,"), "{decisions}");
}

#[test]
fn an_object_metric_whose_type_names_another_field_never_works() {
    let source = "object: { metric: { name: request-rate }, describedObject: { kind: Service, name: web }, target: { type: \
                  Value, averageValue: 5 } }";
    let (said, decisions) = tried(&autoscaler(WEB, &format!("{{ type: Object, {source} }}")));
    assert!(said.contains("looks for `value`, finds nothing"), "{said}");
    assert!(decisions.contains("neither a value target nor an average value target was set (FailedGetObjectMetric)"));
    assert!(!decisions.contains(",1,4,"), "{decisions}");
}

#[rstest]
#[case("{ kind: Deployment, name: web }", "write `apiVersion: apps/v1`")]
#[case("{ apiVersion: extensions/v1beta1, kind: Deployment, name: web }", "write `apiVersion: apps/v1`")]
#[case("{ apiVersion: apps/v1, kind: DaemonSet, name: web }", "a DaemonSet has no scale")]
#[case("{ apiVersion: batch/v1, kind: Job, name: web }", "a Job has no scale")]
#[case("{ apiVersion: apps/v1, kind: Deploymnt, name: web }", "no matches for kind")]
fn a_target_without_a_scale_is_never_scaled(#[case] reference: &str, #[case] words: &str) {
    let (said, decisions) = tried(&autoscaler(reference, CPU));
    assert!(said.contains("FailedGetScale") && said.contains(words), "{said}");
    assert!(
        decisions.contains("no-data,\"FailedGetScale: ") || decisions.contains("no-data,FailedGetScale: "),
        "{decisions}"
    );
    assert!(!decisions.contains(",1,4,"), "{decisions}");
}

#[rstest]
// The controller uses group and kind; it ignores the version.
#[case("{ apiVersion: apps/v1beta2, kind: Deployment, name: web }")]
#[case("{ apiVersion: argoproj.io/v1alpha1, kind: Rollout, name: web }")]
#[case("{ apiVersion: v1, kind: ReplicationController, name: web }")]
fn a_target_with_a_scale_is_scaled(#[case] reference: &str) {
    let (said, decisions) = tried(&autoscaler(reference, CPU));
    assert!(!said.contains("FailedGetScale"), "{said}");
    assert!(decisions.contains(",1,4,"), "{decisions}");
}

#[test]
fn every_percentage_of_memory_comes_back_as_it_was_stated() {
    let steps: Vec<String> = (1..=130)
        .map(|p| format!("  - {{ at: {p}m, metrics: {{ memory: {p}% }}, expect: {{ says: memory {p}% of 80% }} }}"))
        .collect();
    for request in ["1Gi", "300Mi", "777M", "1000000001"] {
        let story = format!(
            "story: s\npolicy: {{ hpa: {{ min: 1, max: 3, target: {{ memory: 80% }} }} }}\nservice: {{ replicas: 1, resources: \
             {{ requests: {{ memory: {request} }} }} }}\nsteps:\n{}\n",
            steps.join("\n")
        );
        Trial::new(&[("s.yaml", &story)]).expect("test s.yaml", 0);
    }
}

#[test]
fn one_missing_metric_of_two_keeps_the_size_from_falling_but_not_from_rising() {
    let story = "story: one metric gone\npolicy: { hpa: { min: 1, max: 9, target: { cpu: 70%, queue-length: 10 } } }\n\
        service: { replicas: 3, resources: { requests: { cpu: 1 } } }\nsteps:\n  \
        - { at: 0s, metrics: { cpu: 60%, queue-length: 28 }, expect: 3 }\n  \
        - { at: 1m, metrics: { cpu: 10%, queue-length: none }, expect: { replicas: 3, reason: no-data, \
            says: 'queue-length: the metrics API does not answer (FailedGetPodsMetric)' } }\n  \
        - { at: 20m, expect: { replicas: 3, reason: no-data } }\n  \
        - { at: 21m, metrics: { cpu: 140% }, expect: { replicas: 6, reason: target, says: does not answer } }\n  \
        - { at: 22m, metrics: { cpu: 10%, queue-length: 1 }, expect: { replicas: 9 } }\n  \
        - { at: 40m, expect: 1 }\n";
    Trial::new(&[("s.yaml", story)]).expect("test s.yaml", 0);
}

#[test]
fn an_outage_of_the_pipeline_is_seen_in_the_decisions_and_ends() {
    let scenario = |of: &str| {
        format!(
            "duration: 30m\nworkload: {{ nhpp: {{ for: 30m, steps: [{{ at: 0s, rate: 60/s }}, {{ at: 6m, rate: 2/s }}] }} }}\nservice: {{ \
             replicas: 6, service-time: 100ms, concurrency: 4, cpu-per-request: 50ms, resources: {{ requests: {{ cpu: 1 }} }} \
             }}\nfaults: [{{ metrics-outage: {{ {of}from: 5m, for: 15m }} }}]\npolicies: {{ h: {{ hpa: {{ min: 1, max: 9, target: \
             {{ cpu: 50%, in-flight: 2 }} }} }} }}\n"
        )
    };
    // (at, to) of the scale-downs.
    let falls = |of: &str| {
        let trial = Trial::new(&[("s.yaml", &scenario(of))]);
        trial.summary("s.yaml", "");
        let decisions = trial.read("out/s/decisions.csv");
        let rows: Vec<Vec<String>> =
            decisions.lines().skip(1).map(|row| row.split(',').map(String::from).collect()).collect();
        let fall = |row: &Vec<String>| row[5].parse::<u32>().unwrap() < row[4].parse::<u32>().unwrap();
        let falls: Vec<u32> = rows.iter().filter(|row| fall(row)).map(|row| row[2].parse().unwrap()).collect();
        (falls, decisions)
    };
    let (all, decisions) = falls("");
    assert!(decisions.contains("cpu: the metrics API does not answer (FailedGetResourceMetric)"), "{decisions}");
    assert!(decisions.contains("300,,6,6,6,no-data"), "from the first second of the outage on: {decisions}");
    assert!(!all.is_empty() && all.iter().all(|at| *at >= 1200), "{all:?}: nothing shrinks before the outage is over");
    let (part, decisions) = falls("of: [in-flight], ");
    assert!(decisions.contains("in-flight: the metrics API does not answer (FailedGetPodsMetric)"), "{decisions}");
    assert!(!part.is_empty() && part.iter().all(|at| *at >= 1200), "{part:?}: one metric is enough to hold the size");
    let trial = Trial::new(&[("s.yaml", &scenario("of: [queue_depth], "))]);
    assert!(trial.expect("check s.yaml", 2).contains("is not measured under this name"));
}

#[test]
fn an_unknown_metric_is_not_interpreted_as_a_request_rate() {
    let metric = |name: &str| {
        format!(
            "{{ type: Pods, pods: {{ metric: {{ name: {name} }}, target: {{ type: AverageValue, averageValue: '50' }} }} }}"
        )
    };
    let said = |name: &str| {
        let files = [("s.yaml", SCENARIO), ("hpa.yaml", &*autoscaler(WEB, &metric(name)))];
        Trial::new(&files).expect("check s.yaml", 2)
    };
    let gpu = said("gpu_cache_usage_perc");
    assert!(gpu.contains("is not modelled") && !gpu.contains(": request-rate }"), "{gpu}");
    assert!(said("orders_queue_depth").contains("{ orders_queue_depth: queue-length }"));
    assert!(said("p99_response").contains("{ p99_response: latency-p99 }"));
    // Metrics of known servers need no declaration.
    let (said, decisions) = tried(&autoscaler(WEB, &metric("'vllm:num_requests_running'")));
    assert!(said.contains("is interpreted as `in-flight`: requests in service"), "{said}");
    assert!(decisions.contains("vllm:num_requests_running"), "{decisions}");
}

#[test]
fn latency_scales_as_it_is_measured() {
    let scenario = "duration: 20m\nworkload: { constant: { rate: 30/s, for: 20m } }\nservice: { replicas: 1, service-time: 200ms, \
        concurrency: 4, queue-limit: 100, service-model: processor-sharing, resources: { requests: { cpu: 4 }, limits: { cpu: 4 } } }\n\
        policies: { h: { hpa: { min: 1, max: 9, metrics: [ { type: External, external: { metric: { name: latency-p95 }, target: { \
        type: Value, value: 500m } } } ] } } }\n";
    let trial = Trial::new(&[("s.yaml", scenario)]);
    trial.summary("s.yaml", "");
    let decisions = trial.read("out/s/decisions.csv");
    // Four slots serve 20/s of the 30/s: after 15 s about 150 wait, at most 100 of them in a queue, and take 5 s at
    // 20/s. With free slots a response takes 200 ms, well below 500 ms, and the size falls until the replicas are
    // overloaded again.
    assert!(decisions.contains("15,0,1,4,1,rate-limited") && decisions.contains("latency-p95 4.8"), "{decisions}");
    assert!(decisions.contains("latency-p95 0.2 of 0.5 target"), "{decisions}");
}
