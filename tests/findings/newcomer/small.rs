//! Small things that stood in the way: words, hints and places of messages.

use crate::findings::trial::Trial;

const SCENARIO: &str = "\
seed: 1
workload: { poisson: { rate: 40/s, for: 4m } }
service:
  resources: { requests: { cpu: 500m, memory: 1Gi }, limits: { cpu: 500m } }
  concurrency: 8
  service-time: 80ms
  cpu-per-request: 40ms
  price: $0.03/h
objectives: [ { latency: { within: 500ms, target: 99% } } ]
policies:
  five: { static: { replicas: 5 } }
  four: { static: { replicas: 4 } }
";

#[test]
fn searches_say_beforehand_how_much_they_run() {
    let trial = Trial::new(&[("s.yaml", SCENARIO)]);
    let said = |command: &str| String::from_utf8(trial.run(command).stderr).unwrap();
    // 4 minutes at 40/s are 9,600 requests, more or less.
    for (command, runs) in [
        ("plan s.yaml --replications 2", "s: about 48 runs of 9,"),
        ("compare s.yaml --replications 2", "s: about 32 runs of 9,"),
        ("capacity s.yaml --replications 2", "s: about 64 runs of 9,"),
    ] {
        let said = said(command);
        assert!(said.contains(runs), "{command}: {said}");
    }
    let quiet = said("plan s.yaml --replications 2 --quiet");
    assert!(!quiet.contains("runs of"), "{quiet}");
}

#[test]
fn capacity_has_the_causes_of_run() {
    let trial = Trial::new(&[("s.yaml", SCENARIO)]);
    let shown = trial.expect("capacity s.yaml --policy five --replications 2 --format markdown", 0);
    assert!(shown.contains("slowed in service") && shown.contains("took the CPU"), "{shown}");
    assert!(!shown.contains("service time and bursts"), "{shown}");
}

#[test]
fn a_wrong_path_is_shown_where_it_was_written() {
    let trial = Trial::new(&[("s.yaml", SCENARIO)]);
    let varied = trial.expect("sweep s.yaml --vary service.concurency=5,6 --out x.csv", 2);
    assert!(
        varied.contains("--vary service.concurency:1:1") && varied.contains("did you mean `concurrency`?"),
        "{varied}"
    );
    assert_eq!(varied.matches("warning:").count(), 1, "{varied}");
    let set = trial.expect("check s.yaml --set policies.five.static.replica=3", 2);
    assert!(set.contains("--set policies.five.static.replica:1:1"), "{set}");
}

#[test]
fn a_misspelt_command_gets_the_right_one() {
    let trial = Trial::new(&[]);
    for (typed, meant) in [
        ("rnu s.yaml", "'run'"),
        ("trace inpsect x", "'inspect'"),
        ("chekc s.yaml", "'check'"),
        ("optimize provison s", "'provision'"),
    ] {
        let shown = trial.expect(typed, 2);
        assert!(shown.contains("similar subcommand") && shown.contains(meant), "{typed}: {shown}");
    }
}

#[test]
fn compare_takes_policies_by_name() {
    let trial = Trial::new(&[("s.yaml", SCENARIO)]);
    let shown = trial.expect("compare s.yaml --policy four --replications 2 --as-is --quiet", 0);
    assert!(shown.contains("four") && !shown.contains("five"), "{shown}");
    assert!(trial.expect("compare s.yaml --policy foru --replications 2", 2).contains("did you mean `four`?"));
}

/// As a shell expands `tests/*.yaml`: a base scenario without `expect:` beside tests.
#[test]
fn helpers_among_several_files_are_skipped_with_a_word() {
    let test = SCENARIO.to_string() + "expect: [ p99 < 60s ]\n";
    let trial = Trial::new(&[("base.yaml", SCENARIO), ("one.yaml", &test)]);
    let shown = trial.expect("test base.yaml one.yaml --replications 2", 0);
    assert!(shown.contains("base.yaml: skipped, it has neither"), "{shown}");
    assert!(trial.expect("test base.yaml --replications 2", 2).contains("neither `expect:`"));
    std::fs::copy(trial.path("base.yaml"), trial.path("other.yaml")).unwrap();
    assert!(trial.expect("test base.yaml other.yaml", 2).contains("no scenario with `expect:` and no story was found"));
}

#[test]
fn the_warning_about_a_dead_metric_sees_the_one_that_works() {
    let manifests = "\
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
        - { name: web, image: web, resources: { requests: { cpu: 500m, memory: 1Gi } } }
        - { name: log, image: log }
";
    let hpa = "\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: web }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: web }
  maxReplicas: 9
  metrics:
    - { type: Resource, resource: { name: cpu, target: { type: Utilization, averageUtilization: 60 } } }
";
    let container = "    - { type: ContainerResource, containerResource: { name: cpu, container: web, target: { type: Utilization, averageUtilization: 60 } } }\n";
    let scenario = "\
workload: { poisson: { rate: 40/s, for: 4m } }
service: { manifest: k8s.yaml, concurrency: 8, service-time: 80ms, cpu-per-request: 40ms }
policies: { hpa: { hpa: { manifest: hpa.yaml } } }
";
    let both = format!("{hpa}{container}");
    let trial = Trial::new(&[("s.yaml", scenario), ("k8s.yaml", manifests), ("hpa.yaml", hpa), ("both.yaml", &both)]);
    let alone = trial.expect("check s.yaml", 0);
    assert!(
        alone.contains("will never act on cpu") && alone.contains("use a ContainerResource metric of `web`"),
        "{alone}"
    );
    let two = trial.expect("check s.yaml --set policies.hpa.hpa.manifest=both.yaml", 0);
    assert!(two.contains("this metric of cpu always fails, and the autoscaler acts on another one"), "{two}");
    assert!(!two.contains("never act"), "{two}");
}

#[test]
fn availability_has_no_limit_in_its_words() {
    let text = SCENARIO
        .replace("service-time: 80ms", "service-time: { exponential: { mean: 400ms } }\n  timeout: 1s")
        .replace("objectives: [ ", "objectives: [ { availability: 99.9% }, ");
    let trial = Trial::new(&[("s.yaml", &text)]);
    let shown = trial.expect("run s.yaml --quiet --format markdown --policy five", 0);
    let rows: Vec<&str> = shown.lines().filter(|line| line.contains("by itself")).collect();
    assert!(rows.len() == 2 && rows[0].contains("longer than the client's time-out by itself"), "{rows:?}");
    assert!(rows[1].contains("longer than the limit by itself"), "{rows:?}");
}
