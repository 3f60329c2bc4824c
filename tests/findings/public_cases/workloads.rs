//! K10, K11, K15: workloads of other kinds and versions, and duplicate keys.

use super::super::trial::Trial;

const POD: &str = "template: { metadata: { labels: { a: w } }, spec: { containers: [{ name: c, image: i, resources: \
                   { requests: { cpu: 250m, memory: 256Mi } } }] } }";

const SCENARIO: &str = "workload: { poisson: { rate: 1/s, for: 1m } }
service: { name: web, manifest: web.yaml, service-time: 10ms, concurrency: 4 }
policies: { s: { static: { replicas: 2 } } }
";

fn check(manifest: &str, code: i32) -> String {
    Trial::new(&[("s.yaml", SCENARIO), ("web.yaml", manifest)]).expect("check s.yaml", code)
}

fn object(version: &str, kind: &str, more: &str) -> String {
    format!(
        "apiVersion: {version}\nkind: {kind}\nmetadata: {{ name: web }}\nspec: {{ replicas: 3, selector: {{ matchLabels: {{ a: w }} }}, \
         {POD}{more} }}\n"
    )
}

#[test]
fn rollouts_and_replica_sets_are_services() {
    let canary = ", strategy: { canary: { maxSurge: 1, maxUnavailable: 0, steps: [{ setWeight: 20 }] } }";
    let said = check(&object("argoproj.io/v1alpha1", "Rollout", canary), 0);
    assert!(said.contains("the steps of a canary are not modelled"), "{said}");
    let said =
        check(&object("argoproj.io/v1alpha1", "Rollout", ", strategy: { blueGreen: { activeService: web } }"), 0);
    assert!(!said.contains("warning"), "{said}");
    let said = check(&object("apps/v1", "ReplicaSet", ""), 0);
    assert!(!said.contains("warning"), "{said}");
}

#[test]
fn the_pods_of_a_rollout_may_be_somebody_elses() {
    let said = check(
        "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: { name: web }\nspec: { workloadRef: { kind: Deployment, name: web } }\n",
        2,
    );
    assert!(said.contains("name that Deployment's manifest"), "{said}");
}

#[test]
fn a_replica_set_of_a_deployment_is_not_one_more_service() {
    let both = format!(
        "{}---\n{}",
        object("apps/v1", "Deployment", ""),
        object("apps/v1", "ReplicaSet", "")
            .replace("{ name: web }\nspec", "{ name: web-5d4, ownerReferences: [{ kind: Deployment }] }\nspec")
    );
    let scenario = SCENARIO.replace("name: web, ", "");
    Trial::new(&[("s.yaml", &scenario), ("web.yaml", &both)]).expect("check s.yaml", 0);
}

#[test]
fn removed_versions_are_read_with_a_warning() {
    for version in ["apps/v1beta1", "apps/v1beta2", "extensions/v1beta1"] {
        let said = check(&object(version, "Deployment", ""), 0);
        assert!(said.contains("since 1.16") && said.contains("write `apiVersion: apps/v1`"), "{said}");
    }
}

#[test]
fn an_old_deployment_does_not_hide_the_autoscaler_beside_it() {
    let both = format!(
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {{ name: web }}\nspec:\n  scaleTargetRef: {{ apiVersion: \
         apps/v1, kind: Deployment, name: web }}\n  maxReplicas: 10\n---\n{}",
        object("apps/v1beta1", "Deployment", "")
    );
    let scenario = SCENARIO
        .replace("manifest: web.yaml, ", "resources: { requests: { cpu: 1 } }, ")
        .replace("s: { static: { replicas: 2 } }", "h: { hpa: { manifest: web.yaml } }");
    let said = Trial::new(&[("s.yaml", &scenario), ("web.yaml", &both)]).expect("check s.yaml", 0);
    assert!(said.contains("apps/v1beta1"), "{said}");
}

#[test]
fn kinds_of_other_groups_that_share_a_name_are_left_alone() {
    let both = format!(
        "{}---\n{}",
        object("apps/v1", "Deployment", ""),
        object("apps.kruise.io/v1beta1", "StatefulSet", "").replace("{ name: web }", "{ name: other }")
    );
    check(&both, 0);
    // A misspelt group is still a group.
    assert!(check(&object("app/v1", "Deployment", ""), 2).contains("write `apps/v1`"));
}

#[test]
fn a_duplicate_key_is_named() {
    let said = check("apiVersion: apps/v1\nkind: Deployment\nkind: Deployment\n", 2);
    assert!(said.contains("`kind` stands twice in one mapping") && said.contains("web.yaml:3:1"), "{said}");
    assert!(!said.contains("DuplicateKeyPolicy"), "{said}");
}
