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
        ("compare s.yaml --replications 2 --as-is", "s: about 4 runs of 9,"),
        ("whatif s.yaml --replications 2 --scale 1.5x", "s: about 8 runs of 9,"),
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

const PODS: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: { name: storefront }
spec:
  replicas: 2
  selector: { matchLabels: { app: storefront } }
  template:
    metadata: { labels: { app: storefront } }
    spec:
      containers:
        - { name: envoy, image: envoy, resources: { requests: { cpu: 100m, memory: 128Mi } } }
        - { name: storefront, image: storefront, resources: { requests: { cpu: 500m, memory: 1Gi } } }
";

#[test]
fn the_container_named_as_its_workload_does_the_work() {
    let trial = Trial::new(&[("k8s.yaml", PODS)]);
    trial.expect("new from-manifests .", 0);
    let summary = trial.summary("storefront.scenario.yaml", "--policy as-it-is --set duration=5m");
    let assumed = summary["assumptions"].to_string();
    assert!(assumed.contains("all CPU and memory use is that of storefront"), "{assumed}");
    let other = PODS.replace("name: storefront,", "name: app,");
    let hpa = "\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: storefront }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: storefront }
  maxReplicas: 9
  metrics: [ { type: ContainerResource, containerResource: { name: cpu, container: app, target: { type: Utilization, averageUtilization: 60 } } } ]
";
    let trial = Trial::new(&[("k8s.yaml", &other), ("hpa.yaml", hpa)]);
    trial.expect("new from-manifests .", 0);
    let shown = trial.expect("check storefront.scenario.yaml", 0);
    assert!(shown.contains("annotate the pod template: `kubectl.kubernetes.io/default-container: app`"), "{shown}");
}

#[test]
fn transforms_keep_the_durations_of_a_log() {
    let rows: String = (0..30)
        .map(|second| {
            format!("10.0.0.1 - - [03/Nov/2026:20:00:{second:02} +0000] \"GET / HTTP/1.1\" 200 12 \"-\" \"x\" 0.2{second:02}\n")
        })
        .collect();
    let trial = Trial::new(&[("a.log", &rows)]);
    let format = "$remote_addr - - [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\" \"$http_user_agent\" $request_time";
    let output = trial.run_words(&[
        "trace",
        "transform",
        "a.log",
        "--log-format",
        format,
        "--step",
        "scale-rate: 1",
        "-o",
        "b.csv",
    ]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let written = trial.read("b.csv");
    assert!(written.contains("demand_ns") && written.contains(",203000000"), "{written}");
}

#[test]
fn long_runs_are_told_without_a_stray_second() {
    let trial = Trial::new(&[(
        "s.yaml",
        &SCENARIO.replace("for: 4m", "for: 2d").replace("seed: 1", "seed: 1\nduration: 172800800ms"),
    )]);
    let shown = trial.expect("check s.yaml", 0);
    assert!(shown.contains("ok, 2d of service") && !shown.contains("2d1s"), "{shown}");
}
