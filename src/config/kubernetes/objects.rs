//! Reads the objects of a file: apiVersion, kind, name, and the checks common to all modelled kinds.

use std::path::Path;
use std::sync::Arc;

use super::fields::legal;
use crate::config::{
    Diagnostic, Diagnostics, Fields, Key, MAX_YAML_BYTES, Name, SourceFile, Span, Value, Yaml, parse_documents, suggest,
};

/// One object of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// `apiVersion` (`apps/v1`).
    pub api_version: String,
    /// `kind` (`Deployment`).
    pub kind: String,
    /// `metadata.name`; empty for kinds that are not modelled and have none.
    pub name: String,
    /// The whole object.
    pub node: Yaml,
}

impl Object {
    /// The kind and name for messages ("Deployment `shop`").
    pub fn title(&self) -> String {
        format!("{} `{}`", self.kind, self.name)
    }

    /// The API group; empty for the core group.
    pub fn group(&self) -> &str {
        self.api_version.rsplit_once('/').map_or("", |(group, _)| group)
    }
}

/// The content of a manifest file, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifests {
    /// Kubernetes objects.
    pub objects: Vec<Object>,
    /// Documents that are the values of a Helm chart: mappings with an `autoscaling:` block.
    pub values: Vec<Yaml>,
}

impl Manifests {
    /// Reads the file at `path`. Problems are reported to `sink`; `None` if the file is not valid YAML. Objects with an
    /// invalid envelope may be in the result; the errors in `sink` count.
    pub fn read(path: &Path, sink: &mut Diagnostics) -> Option<Self> {
        match SourceFile::read(path, MAX_YAML_BYTES) {
            Ok(source) => {
                sink.note_file(&source);
                Manifests::parse(&source, sink)
            }
            Err(error) => {
                sink.push(*error);
                None
            }
        }
    }

    /// Like [`Manifests::read`], for the file that `node` names: if it cannot be read, the error points at the node.
    pub fn read_at(node: &Yaml, path: &Path, sink: &mut Diagnostics) -> Option<Self> {
        match SourceFile::read(path, MAX_YAML_BYTES) {
            Ok(source) => {
                sink.note_file(&source);
                Manifests::parse(&source, sink)
            }
            Err(problem) => {
                sink.push(node.error(problem.message));
                None
            }
        }
    }

    /// Reads a text. Problems are reported to `sink`; `None` if it is not YAML.
    pub fn parse(source: &Arc<SourceFile>, sink: &mut Diagnostics) -> Option<Self> {
        let documents = match parse_documents(source) {
            Ok(documents) => documents,
            Err(error) => {
                sink.push(template_line(source).unwrap_or(*error));
                return None;
            }
        };
        // `name: {{ .x }}` is well-formed YAML: a mapping whose key is a mapping.
        if documents.iter().any(has_mapping_as_key)
            && let Some(template) = template_line(source)
        {
            sink.push(template);
            return None;
        }
        if documents.is_empty() {
            sink.push(Diagnostic::error(format!("{}: the file holds no object", source.name())));
        }
        let mut manifests = Manifests::default();
        for document in &documents {
            manifests.add(document, sink);
        }
        Some(manifests)
    }

    /// The objects of kind `kind`.
    pub fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Object> {
        self.objects.iter().filter(move |object| object.kind == kind)
    }

    fn add(&mut self, document: &Yaml, sink: &mut Diagnostics) {
        let Value::Mapping(entries) = &document.value else {
            sink.push(document.error(format!("expected a Kubernetes object, found {}", document.kind())));
            return;
        };
        let (api_version, kind) = (document.get("apiVersion"), document.get("kind"));
        if api_version.is_none() && kind.is_none() && document.get("autoscaling").is_some() {
            self.values.push(document.clone());
            return;
        }
        let (Some(api_version), Some(kind)) = (api_version, kind) else {
            sink.push(no_envelope(document, entries, if kind.is_none() { "kind" } else { "apiVersion" }));
            return;
        };
        if kind.as_text().is_some_and(|kind| kind.ends_with("List"))
            && let Some(Value::Sequence(items)) = document.get("items").map(|items| &items.value)
        {
            for item in items {
                self.add(item, sink);
            }
            return;
        }
        self.objects.extend(object(document, api_version, kind, sink));
    }
}

/// Whether a key anywhere in `node` is itself a flow mapping.
fn has_mapping_as_key(node: &Yaml) -> bool {
    match &node.value {
        Value::Sequence(items) => items.iter().any(has_mapping_as_key),
        Value::Mapping(entries) => {
            entries.iter().any(|(key, value)| key.text.starts_with('{') || has_mapping_as_key(value))
        }
        Value::Null | Value::Scalar(_) => false,
    }
}

/// The first sign of a Helm or Go template: a line that begins with an action (`{{- if ... }}`), or a plain value that
/// is one (`name: {{ .Values.name }}`).
fn template_line(source: &Arc<SourceFile>) -> Option<Diagnostic> {
    let mut start = 0;
    for line in source.text().split_inclusive('\n') {
        let body = line.trim_start();
        let action = body.starts_with("{{") || body.contains(": {{") || body.contains("- {{");
        if action && !body.starts_with('#') {
            let at = start + line.find("{{").unwrap_or(0);
            let end = start + line.find("}}").map_or(line.trim_end().len(), |i| i + 2);
            let span = Span { start: at, end: end.max(at) };
            let message = "this is a Helm or Go template, not a manifest";
            let help = "render it first: `helm template CHART > manifests.yaml`";
            return Some(Diagnostic::error(message).at(source, span).help(help));
        }
        start += line.len();
    }
    None
}

fn no_envelope(document: &Yaml, entries: &[(Key, Yaml)], missing: &str) -> Diagnostic {
    let span = entries.first().map_or(document.span, |(key, _)| key.span);
    let error = Diagnostic::error(format!("not a Kubernetes object: it has no `{missing}`"));
    let near = entries.iter().find(|(key, _)| suggest(&key.text, [missing]).is_some());
    match near {
        Some((key, _)) => error.at(&document.source, key.span).meant(missing),
        None => error.at(&document.source, span).help(format!("add `{missing}:`")),
    }
}

/// The kinds by API group that are read.
const GROUPS: [(&str, &[&str]); 2] = [
    ("apps", &["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ControllerRevision"]),
    ("autoscaling", &["HorizontalPodAutoscaler", "Scale"]),
];

/// The kinds that are read, their versions, and the names under `spec` (such a name next to `spec` is misplaced).
const MODELLED: [(&str, &[&str], &[&str]); 5] = [
    ("Deployment", &["apps/v1"], &super::workload::DEPLOYMENT_SPEC),
    ("StatefulSet", &["apps/v1"], &super::workload::STATEFUL_SET_SPEC),
    ("ReplicaSet", &["apps/v1"], &super::workload::REPLICA_SET_SPEC),
    ("Rollout", &["argoproj.io/v1alpha1"], &super::workload::ROLLOUT_SPEC),
    (
        "HorizontalPodAutoscaler",
        &["autoscaling/v2", "autoscaling/v1", "autoscaling/v2beta2", "autoscaling/v2beta1"],
        &["scaleTargetRef", "minReplicas", "maxReplicas", "metrics", "behavior", "targetCPUUtilizationPercentage"],
    ),
];

/// Versions of workloads that clusters served before Kubernetes 1.16, with the same fields.
const REMOVED: [&str; 3] = ["apps/v1beta1", "apps/v1beta2", "extensions/v1beta1"];

/// Whether objects with this apiVersion are of the kind that their name suggests: `false` for kinds of other groups
/// with the same name (an OpenKruise `StatefulSet`), which are ignored.
fn is_own(version: &str, versions: &[&str]) -> bool {
    let group = |version: &str| version.rsplit_once('/').map_or("", |(group, _)| group).to_string();
    let (own, known) = (group(version), versions.iter().map(|version| group(version)).collect::<Vec<_>>());
    let alike = known.iter().filter(|known| known.contains('.') == own.contains('.'));
    let near = suggest(&own, alike.map(String::as_str)).is_some();
    known.contains(&own) || near || REMOVED.contains(&version) || !own.contains('.')
}

/// Checks the envelope of an object. If the kind or a field of the envelope is misspelt, the object is returned
/// nevertheless, so that other problems are found in the same run.
fn object(document: &Yaml, api_version: &Yaml, kind: &Yaml, sink: &mut Diagnostics) -> Option<Object> {
    let (Some(version), Some(written)) = (api_version.as_text(), kind.as_text()) else {
        sink.push(kind.error("`apiVersion` and `kind` must be texts"));
        return None;
    };
    let name = likely_kind(version, written, kind, sink)?;
    let object = |object_name: &str| Object {
        api_version: version.to_string(),
        kind: name.to_string(),
        name: object_name.to_string(),
        node: document.clone(),
    };
    let Some((_, versions, spec_names)) =
        MODELLED.iter().find(|(modelled, versions, _)| *modelled == name && is_own(version, versions))
    else {
        return Some(object(document.get("metadata").and_then(|m| m.get("name")?.as_text()).unwrap_or("")));
    };
    let removed = REMOVED.contains(&version) && versions == &["apps/v1"];
    if removed {
        let warning = format!("Kubernetes serves no {name} of `{version}` since 1.16; it is read as apps/v1");
        sink.push(api_version.warning(warning).help("write `apiVersion: apps/v1`"));
    }
    if !removed && !versions.contains(&version) {
        let error = api_version.error(format!("a {name} has no apiVersion `{version}`"));
        sink.push(error.help(format!("write {}", versions.map_to_words())));
        return None;
    }
    let title = format!("{name} object");
    let fields = Fields::open(document, &title, sink)?;
    legal(&fields, &["apiVersion", "kind", "status"]);
    let object_name = metadata(&fields, sink);
    if fields.node_of("spec").is_none() {
        sink.push(kind.error(format!("{name} has no `spec`")).help("add `spec:`"));
        return None;
    }
    misplaced(&fields, spec_names, name, sink);
    Some(object(&object_name.unwrap_or_default()))
}

/// The kind that `written` means: itself, or the kind of a modelled API group that it misspells, which is reported.
fn likely_kind<'a>(version: &str, written: &'a str, kind: &Yaml, sink: &mut Diagnostics) -> Option<&'a str> {
    let group = version.rsplit_once('/').map_or("", |(group, _)| group);
    let Some((_, kinds)) = GROUPS.iter().find(|(known, kinds)| *known == group && !kinds.contains(&written)) else {
        return Some(written);
    };
    let error = kind.error(format!("{version} has no kind `{written}`"));
    let near = suggest(written, kinds.iter().copied());
    sink.push(match near {
        Some(near) => error.meant(near),
        None => error.label("unknown kind").note(format!("kinds of {group}: {}", kinds.join(", "))),
    });
    near
}

/// Reports fields next to `spec`: those that belong under it, and misspelt ones.
fn misplaced(fields: &Fields<'_>, spec_names: &[&str], kind: &str, sink: &mut Diagnostics) {
    let asked = fields.asked();
    for (key, node) in fields.entries().iter().filter(|(key, _)| !asked.contains(&key.text.as_str())) {
        let error = Diagnostic::error(format!("{kind} has no field `{}` at this level", key.text));
        let error = error.at(&node.source, key.span);
        let belongs = spec_names.contains(&key.text.as_str());
        sink.push(match belongs {
            true => error.label("belongs under `spec`").help(format!("indent `{}:` under `spec:`", key.text)),
            false => error.label("unknown field").near(&key.text, asked.iter().copied()),
        });
    }
}

/// The name, from `metadata`.
fn metadata(fields: &Fields<'_>, sink: &mut Diagnostics) -> Option<String> {
    let Some(node) = fields.node_of("metadata") else {
        // A misspelt `metadata` is already reported as an unknown field.
        let misspelt = fields.entries().iter().any(|(key, _)| suggest(&key.text, ["metadata"]).is_some());
        if !misspelt {
            let error = fields.node().error("the object has no `metadata`");
            let first = fields.entries().first().map_or(fields.node().span, |(key, _)| key.span);
            sink.push(error.at(&fields.node().source, first).help("add `metadata: { name: ... }`"));
        }
        return None;
    };
    let metadata = Fields::open(node, "metadata", sink)?;
    let name = metadata.required("name", sink).map(|Name(name)| name);
    legal(
        &metadata,
        &[
            "namespace",
            "labels",
            "annotations",
            "generateName",
            "uid",
            "resourceVersion",
            "generation",
            "creationTimestamp",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "ownerReferences",
            "finalizers",
            "managedFields",
            "selfLink",
        ],
    );
    metadata.finish(sink);
    name
}

trait Words {
    fn map_to_words(&self) -> String;
}

impl Words for [&str] {
    /// "`a`, `b` or `c`"
    fn map_to_words(&self) -> String {
        let quoted: Vec<String> = self.iter().map(|word| format!("`{word}`")).collect();
        match quoted.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
            None => String::new(),
        }
    }
}
