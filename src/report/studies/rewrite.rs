//! The user's own manifests with what a plan changes, and nothing else: as files, as a diff and as `kubectl patch`.

use similar::TextDiff;

use crate::cluster::ServiceSpec;
use crate::config::kubernetes::{Deployment, Manifests, Object};
use crate::config::{Diagnostics, Edits, SourceFile, Step, Value, Yaml, slug};
use crate::engine::{RunError, ServiceRun};
use crate::policy::hpa::spec::{MetricSpec, Resource, Target};
use crate::policy::hpa::{HpaSpec, read_manifest};
use crate::scenario::Scenario;

/// A manifest that a plan changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RewrittenFile {
    /// Its path, as the scenario names it.
    pub path: String,
    /// Its text.
    pub before: String,
    /// Its text with the changes.
    pub after: String,
}

/// What a plan changes in the user's manifests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rewritten {
    /// Files with changes.
    pub files: Vec<RewrittenFile>,
    /// New objects, where there is none to change: a name fit for a file, and the text.
    pub added: Vec<(String, String)>,
    /// The changes as commands.
    pub kubectl: Vec<String>,
    /// What has to be done by hand, and why.
    pub by_hand: Vec<String>,
}

impl Rewritten {
    /// All changes as one unified diff.
    pub fn diff(&self) -> String {
        let one = |file: &RewrittenFile| {
            let diff = TextDiff::from_lines(&file.before, &file.after);
            let (a, b) = (format!("a/{}", file.path), format!("b/{}", file.path));
            diff.unified_diff().context_radius(3).header(&a, &b).to_string()
        };
        self.files.iter().map(one).collect()
    }
}

/// A scalar with its form in JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Scalar {
    Number(u64),
    Text(String),
}

impl Scalar {
    fn yaml(&self) -> String {
        match self {
            Scalar::Number(number) => number.to_string(),
            Scalar::Text(text) => text.clone(),
        }
    }

    fn json(&self) -> serde_json::Value {
        match self {
            Scalar::Number(number) => (*number).into(),
            Scalar::Text(text) => text.as_str().into(),
        }
    }
}

/// One manifest while it is being changed.
struct Open {
    source: std::sync::Arc<SourceFile>,
    manifests: Manifests,
    edits: Edits,
}

/// The manifests among the scenario's files with what policy `policy` of `scenario` (with its headroom) needs changed in them.
///
/// # Errors
/// If a trace cannot be opened.
pub fn rewrite(scenario: &Scenario, policy: usize) -> Result<Rewritten, RunError> {
    let mut open: Vec<Open> = Vec::new();
    for source in &scenario.sources {
        let manifests = Manifests::parse(source, &mut Diagnostics::new()).unwrap_or_default();
        if !manifests.objects.is_empty() {
            open.push(Open { source: source.clone(), manifests, edits: Edits::default() });
        }
    }
    let mut found = Rewritten::default();
    let mut stems: Vec<String> = Vec::new();
    for own in scenario.run_spec(policy, 0)?.services {
        let stem = slug(&own.spec.name);
        // Numbered where an earlier service's is the same.
        let stem = if stems.contains(&stem) { format!("{stem}-{}", stems.len() + 1) } else { stem };
        service(&own, &stem, &mut open, &mut found);
        stems.push(stem);
    }
    for file in open.iter().filter(|file| !file.edits.is_empty()) {
        found.files.push(RewrittenFile {
            path: file.source.name().to_string(),
            before: file.source.text().to_string(),
            after: file.edits.apply(file.source.text()),
        });
    }
    Ok(found)
}

/// What one service needs changed.
fn service(own: &ServiceRun, stem: &str, open: &mut [Open], found: &mut Rewritten) {
    let name = &own.spec.name;
    let quiet = &mut Diagnostics::new();
    let mut workload = None;
    let mut autoscaler = None;
    for (number, file) in open.iter().enumerate() {
        for object in &file.manifests.objects {
            match Deployment::read(object, quiet).filter(|deployment| deployment.name == *name) {
                Some(deployment) if workload.is_none() => workload = Some((number, object.clone(), deployment)),
                _ => {}
            }
            let hpa = (object.kind == "HorizontalPodAutoscaler").then(|| read_manifest(object, quiet)).flatten();
            match hpa.filter(|hpa| hpa.target == *name) {
                Some(hpa) if autoscaler.is_none() => autoscaler = Some((number, object.clone(), hpa.spec)),
                _ => {}
            }
        }
    }
    let planned = own.policy.autoscaler();
    match &workload {
        Some((number, object, deployment)) => {
            let mut changes = resources(&own.spec, deployment, found);
            if planned.is_none() {
                let replicas = own.policy.initial_replicas(own.spec.replicas);
                if replicas != deployment.replicas {
                    changes.push((vec![Step::Key("spec"), Step::Key("replicas")], Scalar::Number(replicas.into())));
                }
            }
            change(&mut open[*number].edits, object, &changes, &[], found);
        }
        None => found.added.push((format!("{stem}-deployment.yaml"), deployment_text(own))),
    }
    match (planned, autoscaler) {
        (Some(planned), Some((number, object, stated))) if same_metrics(planned, &stated) => {
            let (changes, patches) = targets(planned, &stated, &object);
            change(&mut open[number].edits, &object, &changes, &patches, found);
        }
        (Some(planned), other) => {
            let text = planned.manifest(name);
            if let (Some((_, object, _)), true) = (&other, text.is_some()) {
                found.by_hand.push(format!("{} is replaced: the plan scales on other metrics", object.title()));
            }
            let title = workload.as_ref().map(|(_, object, _)| object);
            found.added.extend(text.map(|text| (format!("{stem}-hpa.yaml"), of_workload(&text, title))));
        }
        (None, Some((_, object, _))) => {
            let place = namespace(&object);
            found.by_hand.push(format!("{} would undo the size: remove it", object.title()));
            found.kubectl.push(format!("kubectl delete horizontalpodautoscaler {}{place}", shell(&object.name)));
        }
        (None, None) => {}
    }
}

type Change<'a> = (Vec<Step<'a>>, Scalar);

/// The places under a pod's container.
fn of_container<'a>(index: usize, group: &'a str, resource: &'a str) -> Vec<Step<'a>> {
    let mut path = of_pod();
    path.extend([Step::Key("containers"), Step::Item(index), Step::Key("resources"), Step::Key(group)]);
    path.push(Step::Key(resource));
    path
}

fn of_pod<'a>() -> Vec<Step<'a>> {
    ["spec", "template", "spec"].map(Step::Key).to_vec()
}

/// Requests, limits and the grace period that differ. What the pod asks for in all falls to the container that does the work.
fn resources(spec: &ServiceSpec, stated: &Deployment, found: &mut Rewritten) -> Vec<Change<'static>> {
    let mut changes: Vec<Change<'static>> = Vec::new();
    let mut request = |resource: &'static str,
                       new: Option<u64>,
                       old: Option<u64>,
                       own: Option<u64>,
                       whole: bool,
                       text: &dyn Fn(u64) -> String| {
        let Some(new) = new.filter(|new| Some(*new) != old) else { return };
        if whole {
            let mut path = of_pod();
            path.extend(["resources", "requests", resource].map(Step::Key));
            changes.push((path, Scalar::Text(text(new))));
            return;
        }
        let others = old.unwrap_or(0) - own.unwrap_or(0);
        match new.checked_sub(others).filter(|left| *left > 0) {
            Some(left) => changes.push((of_container(stated.serving, "requests", resource), Scalar::Text(text(left)))),
            None => found.by_hand.push(format!(
                "{}: the other containers request more {resource} than the plan gives the pod",
                spec.name
            )),
        }
    };
    let serving = stated.serving();
    let cpu = |millis: u64| crate::units::Millicores::new(millis).to_string();
    let memory = |bytes: u64| crate::units::Bytes::new(bytes).to_string();
    let millis = |of: Option<crate::units::Millicores>| of.map(crate::units::Millicores::get);
    let bytes = |of: Option<crate::units::Bytes>| of.map(crate::units::Bytes::get);
    request(
        "cpu",
        millis(spec.cpu_request),
        millis(stated.cpu_request()),
        millis(serving.and_then(|c| c.cpu_request)),
        stated.whole.cpu_request.is_some(),
        &cpu,
    );
    request(
        "memory",
        bytes(spec.memory_request),
        bytes(stated.memory_request()),
        bytes(serving.and_then(|c| c.memory_request)),
        stated.whole.memory_request.is_some(),
        &memory,
    );
    if let Some(limit) = spec.cpu_limit.filter(|limit| Some(*limit) != stated.cpu_limit()) {
        changes.push((of_container(stated.serving, "limits", "cpu"), Scalar::Text(limit.to_string())));
    }
    if spec.grace_period != stated.termination_grace {
        let mut path = of_pod();
        path.push(Step::Key("terminationGracePeriodSeconds"));
        changes.push((path, Scalar::Number(spec.grace_period.as_secs_f64().round() as u64)));
    }
    changes
}

/// Whether both scale on the same metrics, in the same order.
fn same_metrics(a: &HpaSpec, b: &HpaSpec) -> bool {
    let kind = |metric: &MetricSpec| (metric.kind().to_string(), metric.name().to_string());
    a.metrics.len() == b.metrics.len() && a.metrics.iter().zip(&b.metrics).all(|(a, b)| kind(a) == kind(b))
}

/// The targets and bounds that differ: as places in the object, and as JSON patches of autoscaling/v2, in which the API server keeps it.
fn targets<'a>(planned: &HpaSpec, stated: &HpaSpec, object: &'a Object) -> (Vec<Change<'a>>, Vec<(String, Scalar)>) {
    let (mut changes, mut patches) = (Vec::new(), Vec::new());
    let mut bound = |key: &'static str, new: u32, old: u32| {
        if new != old {
            changes.push((vec![Step::Key("spec"), Step::Key(key)], Scalar::Number(new.into())));
            patches.push((format!("/spec/{key}"), Scalar::Number(new.into())));
        }
    };
    bound("minReplicas", planned.min_replicas, stated.min_replicas);
    bound("maxReplicas", planned.max_replicas, stated.max_replicas);
    let version = object.api_version.rsplit('/').next().unwrap_or("");
    let has_list = object.node.get("spec").and_then(|spec| spec.get("metrics")).is_some();
    for (index, (new, old)) in planned.metrics.iter().zip(&stated.metrics).enumerate() {
        let (Some((kind, target)), Some((_, before))) = (target_of(new), target_of(old)) else { continue };
        if target == before {
            continue;
        }
        let (field, value) = match target {
            Target::Utilization(percent) => ("averageUtilization", Scalar::Number(percent.into())),
            Target::AverageValue(value) => ("averageValue", Scalar::Text(value.to_string())),
            Target::Value(value) => ("value", Scalar::Text(value.to_string())),
            Target::Missing => continue,
        };
        patches.push((format!("/spec/metrics/{index}/{kind}/target/{field}"), value.clone()));
        let mut path = vec![Step::Key("spec")];
        match version {
            "v1" => path.push(Step::Key("targetCPUUtilizationPercentage")),
            // The API server's own metric where none is stated.
            _ if !has_list => {
                let metric = format!(
                    "[{{ type: Resource, resource: {{ name: cpu, target: {{ type: Utilization, averageUtilization: {} }} }} }}]",
                    value.yaml()
                );
                changes.push((vec![Step::Key("spec"), Step::Key("metrics")], Scalar::Text(metric)));
                continue;
            }
            "v2beta1" => {
                let flat = match (field, kind) {
                    ("averageUtilization", _) => "targetAverageUtilization",
                    ("averageValue", "object") => "averageValue",
                    ("averageValue", _) => "targetAverageValue",
                    _ => "targetValue",
                };
                path.extend([Step::Key("metrics"), Step::Item(index), Step::Key(kind), Step::Key(flat)]);
            }
            _ => {
                path.extend([Step::Key("metrics"), Step::Item(index), Step::Key(kind)]);
                path.extend([Step::Key("target"), Step::Key(field)]);
            }
        }
        changes.push((path, value));
    }
    (changes, patches)
}

/// The field of a metric in a manifest, and its target.
fn target_of(metric: &MetricSpec) -> Option<(&'static str, Target)> {
    match metric {
        MetricSpec::Resource { resource: Resource::Cpu | Resource::Memory, target } => Some(("resource", *target)),
        MetricSpec::ContainerResource { target, .. } => Some(("containerResource", *target)),
        MetricSpec::Pods { target, .. } => Some(("pods", *target)),
        MetricSpec::Object { target, .. } => Some(("object", *target)),
        MetricSpec::External { target, .. } => Some(("external", *target)),
        MetricSpec::Unsupported { .. } => None,
    }
}

/// Makes the changes of one object in its text, and says them as a patch; `patches` in place of the places of the text where the API
/// server keeps the object in another version.
fn change(
    edits: &mut Edits,
    object: &Object,
    changes: &[Change<'_>],
    patches: &[(String, Scalar)],
    found: &mut Rewritten,
) {
    let mut operations = Vec::new();
    for (path, value) in changes {
        if let Err(why) = edits.set(&object.node, path, &value.yaml()) {
            found.by_hand.push(format!("{}: set {} to {}: {why}", object.title(), pointer(path), value.yaml()));
            continue;
        }
        if patches.is_empty() {
            operations.extend(guard(&object.node, path));
            operations.push(operation(&object.node, path, value));
        }
    }
    operations.extend(
        patches.iter().map(|(path, value)| serde_json::json!({ "op": "replace", "path": path, "value": value.json() })),
    );
    if operations.is_empty() {
        return;
    }
    operations.dedup();
    let kind = match object.group() {
        "autoscaling" => "horizontalpodautoscaler.v2.autoscaling".to_string(),
        "argoproj.io" => "rollout.argoproj.io".to_string(),
        _ => object.kind.to_lowercase(),
    };
    let patch = serde_json::Value::from(operations).to_string();
    let (name, place) = (shell(&object.name), namespace(object));
    found.kubectl.push(format!("kubectl patch {kind} {name}{place} --type=json -p {}", shell(&patch)));
}

/// A test that the container with a number is the one that is meant.
fn guard(root: &Yaml, path: &[Step<'_>]) -> Option<serde_json::Value> {
    let item = path.iter().position(|step| matches!(step, Step::Item(_)))?;
    let mut node = root;
    for step in &path[..=item] {
        node = match (step, &node.value) {
            (Step::Key(key), _) => node.get(key)?,
            (Step::Item(index), Value::Sequence(items)) => items.get(*index)?,
            _ => return None,
        };
    }
    let name = node.get("name")?.as_text()?;
    Some(serde_json::json!({ "op": "test", "path": format!("{}/name", pointer(&path[..=item])), "value": name }))
}

/// The JSON patch that sets a value: `add` where a part of the path is not there yet.
fn operation(root: &Yaml, path: &[Step<'_>], value: &Scalar) -> serde_json::Value {
    let mut node = Some(root);
    let mut there = 0;
    for step in path {
        node = match (step, node.map(|node| &node.value)) {
            (Step::Key(key), _) => node.and_then(|node| node.get(key)),
            (Step::Item(index), Some(Value::Sequence(items))) => items.get(*index),
            _ => None,
        };
        if node.is_none() {
            break;
        }
        there += 1;
    }
    if there == path.len() {
        return serde_json::json!({ "op": "replace", "path": pointer(path), "value": value.json() });
    }
    let mut json = value.json();
    for step in path[there + 1..].iter().rev() {
        if let Step::Key(key) = step {
            json = serde_json::json!({ *key: json });
        }
    }
    serde_json::json!({ "op": "add", "path": pointer(&path[..=there]), "value": json })
}

/// A path as RFC 6901 writes it.
fn pointer(path: &[Step<'_>]) -> String {
    let part = |step: &Step<'_>| match step {
        Step::Key(key) => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Step::Item(index) => format!("/{index}"),
    };
    path.iter().map(part).collect()
}

/// ` -n NAMESPACE`, where the object states one.
fn namespace(object: &Object) -> String {
    let stated = object.node.get("metadata").and_then(|metadata| metadata.get("namespace")?.as_text());
    stated.map_or_else(String::new, |namespace| format!(" -n {}", shell(namespace)))
}

/// A word as a shell reads it back.
fn shell(word: &str) -> String {
    let plain = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
    if plain && !word.starts_with('-') { word.into() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// A new autoscaler refers to the workload as it is: its kind, version and namespace.
fn of_workload(text: &str, workload: Option<&Object>) -> String {
    let Some(object) = workload else { return text.to_string() };
    let version = if object.group() == "extensions" { "apps/v1" } else { object.api_version.as_str() };
    let text = text.replacen("    apiVersion: apps/v1\n", &format!("    apiVersion: {version}\n"), 1).replacen(
        "    kind: Deployment\n",
        &format!("    kind: {}\n", object.kind),
        1,
    );
    let stated = object.node.get("metadata").and_then(|metadata| metadata.get("namespace")?.as_text());
    match stated {
        Some(namespace) => {
            let namespace = serde_json::Value::from(namespace).to_string();
            text.replacen("\nspec:\n", &format!("\n  namespace: {namespace}\nspec:\n"), 1)
        }
        None => text,
    }
}

/// A Deployment with the planned size and resources, for a service that has no manifest. An autoscaler owns the size.
fn deployment_text(own: &ServiceRun) -> String {
    let spec = &own.spec;
    let name = serde_json::Value::from(spec.name.as_str()).to_string();
    let mut text = String::from(
        "# Fill in your image and the rest of the pod; size and resources are as planned.\napiVersion: apps/v1\nkind: Deployment\n",
    );
    text.push_str(&format!("metadata:\n  name: {name}\nspec:\n"));
    if own.policy.autoscaler().is_none() {
        text.push_str(&format!("  replicas: {}\n", own.policy.initial_replicas(spec.replicas)));
    }
    text.push_str(&format!(
        "  selector: {{ matchLabels: {{ app: {name} }} }}\n  template:\n    metadata: {{ labels: {{ app: {name} }} }}\n    spec:\n"
    ));
    text.push_str(&format!(
        "      terminationGracePeriodSeconds: {}\n",
        spec.grace_period.as_secs_f64().round() as u64
    ));
    text.push_str(&format!("      containers:\n        - name: {name}\n          image: example.org/image:tag\n"));
    let cpu = spec.cpu_request.map(|cpu| format!("cpu: \"{cpu}\""));
    let memory = spec.memory_request.map(|memory| format!("memory: \"{memory}\""));
    let requests: Vec<String> = cpu.into_iter().chain(memory).collect();
    if !requests.is_empty() || spec.cpu_limit.is_some() {
        text.push_str("          resources:\n");
    }
    if !requests.is_empty() {
        text.push_str(&format!("            requests: {{ {} }}\n", requests.join(", ")));
    }
    if let Some(limit) = spec.cpu_limit {
        text.push_str(&format!("            limits: {{ cpu: \"{limit}\" }}\n"));
    }
    text
}
