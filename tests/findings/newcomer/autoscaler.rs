//! Items 2, 6 and 20: a target without a unit, the reason of a metric that fails, and a story that runs to the maximum.

use super::super::trial::Trial;

const SERVICE: &str = "workload: { poisson: { rate: 20/s, for: 2m } }\nservice: { name: web, service-time: 50ms, concurrency: 4, \
    cpu-per-request: 20ms, resources: { requests: { cpu: 1 } } }\n";

#[test]
fn sixty_is_not_sixty_cores() {
    let checked = |target: &str, code| {
        let policy = format!("{SERVICE}policies: {{ h: {{ hpa: {{ min: 2, max: 10, target: {{ {target} }} }} }} }}\n");
        Trial::new(&[("s.yaml", &policy)]).expect("check s.yaml", code)
    };
    assert!(checked("cpu: 60", 2).contains("write `60%`, or `60000m`"));
    assert!(checked("memory: 80", 2).contains("write `80%`, or `80Mi`"));
    checked("cpu: 60%", 0);
    checked("cpu: 60000m", 0);
    // In a story, too.
    let story = "story: s\npolicy: { hpa: { min: 1, max: 9, target: { cpu: 60% } } }\nservice: { resources: { requests: { cpu: 1 } } }\n\
        steps: [{ at: 0s, metrics: { cpu: 60 }, expect: 1 }]\n";
    assert!(Trial::new(&[("s.yaml", story)]).expect("check s.yaml", 2).contains("write `60%`"));
}

#[test]
fn missing_metrics_are_reported_before_the_first_scrape_only() {
    let decisions = |more: &str| {
        let policy = format!(
            "{SERVICE}metrics: {{ interval: 15s, first: 60s }}\npolicies: {{ h: {{ hpa: {{ min: 1, max: 10, target: {{ {more} }} }} }} }}\n"
        );
        let trial = Trial::new(&[("s.yaml", &policy)]);
        trial.summary("s.yaml", "");
        trial.read("out/s/decisions.csv")
    };
    let cpu = decisions("cpu: 60%");
    assert!(cpu.contains(",15,") && cpu.contains("cpu: no metrics yet (FailedGetResourceMetric)"), "{cpu}");
    let custom = decisions("in-flight: 3");
    assert!(custom.contains("in-flight: no metrics yet (FailedGetPodsMetric)"), "{custom}");
}

#[test]
fn a_constant_utilization_that_runs_to_the_maximum_is_remarked_upon() {
    let story = |metrics: &str| {
        format!(
            "story: s\npolicy: {{ hpa: {{ min: 1, max: 9, target: {{ cpu: 50% }} }} }}\nservice: {{ resources: {{ requests: {{ cpu: 1 }} }} \
             }}\nsteps:\n  - {{ at: 0s, metrics: {{ cpu: {metrics} }}, expect: 1.. }}\n  - {{ at: 5m, expect: 1.. }}\n"
        )
    };
    let remark = "s.yaml:5: cpu of each pod stays what this step says however many pods come";
    let constant = Trial::new(&[("s.yaml", &story("100%"))]);
    assert!(constant.expect("check s.yaml", 0).contains(remark));
    assert!(constant.expect("test s.yaml", 0).contains("`cpu: { total: 4 }`"));
    let shared = Trial::new(&[("s.yaml", &story("{ total: 2 }"))]);
    assert!(!shared.expect("check s.yaml", 0).contains("however many"));
}
