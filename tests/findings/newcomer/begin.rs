//! The first minute: scenarios written by the program, and manual pages.

use std::fs;

use crate::findings::trial::Trial;

#[test]
fn each_kind_is_written_checked_and_run_as_it_is() {
    let trial = Trial::new(&[]);
    for kind in ["shop", "llm", "game"] {
        let shown = trial.expect(&format!("new {kind}"), 0);
        assert!(shown.contains(&format!("wrote {kind}.yaml")), "{shown}");
        let text = trial.read(&format!("{kind}.yaml"));
        assert!(text.lines().filter(|line| line.contains("# ")).count() > 12, "few comments:\n{text}");
        let shown = trial.expect(&format!("check {kind}.yaml"), 0);
        assert!(!shown.contains("warning"), "{shown}");
        // Only the first minutes of it: the whole scenario is for a release build.
        let found = trial.summary(&format!("{kind}.yaml"), "--set duration=5m");
        let arrived = found["runs"][0]["services"][0]["requests"]["arrived"].as_u64();
        assert!(arrived.is_none_or(|arrived| arrived > 0), "{found}");
        fs::remove_dir_all(trial.path("out")).unwrap();
    }
}

#[test]
fn existing_files_are_not_overwritten_unasked() {
    let trial = Trial::new(&[("shop.yaml", "precious")]);
    let shown = trial.expect("new shop", 2);
    assert!(shown.contains("shop.yaml: already exists") && shown.contains("--force"), "{shown}");
    assert_eq!(trial.read("shop.yaml"), "precious");
    trial.expect("new shop --out other.yaml", 0);
    assert!(trial.read("other.yaml").contains("plimsoll run other.yaml"));
    trial.expect("new shop --force", 0);
    assert!(trial.read("shop.yaml").contains("flash-sales"));
}

const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata: { name: api }
spec:
  replicas: 3
  selector: { matchLabels: { app: api } }
  template:
    metadata: { labels: { app: api } }
    spec:
      containers:
        - name: api
          image: api:1
          resources: { requests: { cpu: 500m, memory: 256Mi } }
          readinessProbe: { httpGet: { path: /, port: 80 }, initialDelaySeconds: 7 }
";

const STATEFUL_SET: &str = "apiVersion: apps/v1
kind: StatefulSet
metadata: { name: index }
spec:
  replicas: 2
  serviceName: index
  selector: { matchLabels: { app: index } }
  template:
    metadata: { labels: { app: index } }
    spec:
      containers: [ { name: index, image: index:1 } ]
";

const AUTOSCALER: &str = "apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: api-scaler }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: api }
  minReplicas: 3
  maxReplicas: 12
  metrics:
    - { type: Resource, resource: { name: cpu, target: { type: Utilization, averageUtilization: 60 } } }
    - { type: Pods, pods: { metric: { name: jobs_pending }, target: { type: AverageValue, averageValue: '5' } } }
";

#[test]
fn manifests_become_scenarios_beside_them() {
    let files = [
        ("a-deployment.yaml", DEPLOYMENT),
        ("b-index.yml", STATEFUL_SET),
        ("hpa.yaml", AUTOSCALER),
        ("values.yaml", "image: { tag: 1 }\n"),
        ("notes.txt", "{{ nothing }}"),
    ];
    let trial = Trial::new(&files);
    let shown = trial.expect("new from-manifests .", 0);
    assert!(shown.contains("wrote ./api.scenario.yaml") && shown.contains("wrote ./index.scenario.yaml"), "{shown}");
    assert!(shown.contains("values.yaml: left alone"), "{shown}");
    let api = trial.read("api.scenario.yaml");
    for expected in [
        "manifest: \"a-deployment.yaml\"",
        "hpa: { hpa: { manifest: \"hpa.yaml\" } }",
        "static: { replicas: 3 }",
        "\"jobs_pending\": queue-length",
        "ready: 7s",
        "  price: { container: fargate }",
    ] {
        assert!(api.contains(expected), "{expected}:\n{api}");
    }
    assert!(api.matches("ASSUMED").count() >= 8, "{api}");
    let index = trial.read("index.scenario.yaml");
    assert!(index.contains("it states no CPU request: 500m are assumed"), "{index}");
    assert!(index.contains("no autoscaler in the directory scales `index`"), "{index}");
    for name in ["api", "index"] {
        trial.expect(&format!("check {name}.scenario.yaml"), 0);
        trial.summary(&format!("{name}.scenario.yaml"), "--set duration=5m");
        fs::remove_dir_all(trial.path("out")).unwrap();
    }
    // Again: the existing scenarios are not manifests, and are not overwritten.
    let shown = trial.expect("new from-manifests .", 2);
    assert!(shown.contains("already exists"), "{shown}");
    trial.expect("new from-manifests . --only api --out one.yaml", 0);
    assert!(trial.expect("new from-manifests . --only ap", 2).contains("it holds api, index"));
    assert!(trial.expect("new from-manifests . --out one.yaml --force", 2).contains("choose one with --only"));
}

#[test]
fn templates_are_rendered_first() {
    let trial = Trial::new(&[(
        "deployment.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: {{ .Values.name }} }\n",
    )]);
    let shown = trial.expect("new from-manifests .", 2);
    assert!(shown.contains("render it first"), "{shown}");
    let chart = Trial::new(&[("Chart.yaml", "apiVersion: v2\nname: x\n"), ("values.yaml", "a: 1\n")]);
    let shown = chart.expect("new from-manifests .", 2);
    assert!(shown.contains("a Helm chart") && shown.contains("`helm template . > manifests.yaml`"), "{shown}");
    let empty = Trial::new(&[("values.yaml", "a: 1\n")]);
    assert!(empty.expect("new from-manifests .", 2).contains("holds no Deployment or StatefulSet"));
    assert!(empty.expect("new from-manifests nowhere", 2).contains("nowhere"));
}

#[test]
fn manual_pages_of_all_commands() {
    let trial = Trial::new(&[]);
    let output = trial.run("man");
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success());
    assert!(shown.contains(".TH") && shown.contains("Capacity planning by simulation"), "{shown}");
    trial.expect("man --out man1", 0);
    let found: Vec<String> =
        fs::read_dir(trial.path("man1")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    for page in ["plimsoll.1", "plimsoll-run.1", "plimsoll-trace-inspect.1", "plimsoll-new-from-manifests.1"] {
        assert!(found.iter().any(|name| name == page), "{page} is not among {found:?}");
    }
    assert!(
        trial.read("man1/plimsoll-run.1").contains("replications")
            || trial.read("man1/plimsoll-run.1").contains("seed")
    );
}
