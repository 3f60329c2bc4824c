//! Containers: their requests, and when they become ready.

use super::fields::{finish_leniently, legal, seconds, unmodelled};
use crate::config::{Diagnostics, Fields, FromNode, Name, Value, Yaml};
use crate::units::{Bytes, Millicores, SimDuration};

/// A container of a pod template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// Name.
    pub name: String,
    /// CPU request, or the limit if only that is stated.
    pub cpu_request: Option<Millicores>,
    /// Memory request, or the limit if only that is stated.
    pub memory_request: Option<Bytes>,
    /// CPU limit.
    pub cpu_limit: Option<Millicores>,
    /// Memory limit.
    pub memory_limit: Option<Bytes>,
    /// Other requested resources, such as `nvidia.com/gpu`, ordered by name.
    pub extended: Vec<(String, u64)>,
    /// For an init container: whether it keeps running next to the others (`restartPolicy: Always`, a sidecar).
    pub sidecar: bool,
    /// Readiness probe; without one, a container is ready as soon as it runs.
    pub readiness: Option<ReadinessProbe>,
}

/// A readiness probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadinessProbe {
    /// Time from the container's start to the first probe.
    pub initial_delay: SimDuration,
    /// Time between two probes.
    pub period: SimDuration,
    /// Number of consecutive successes after which the container is ready.
    pub success_threshold: u32,
    /// Number of consecutive failures after which it is unready.
    pub failure_threshold: u32,
}

/// Valid fields of a container that do not affect the model.
const CONTAINER_LEGAL: [&str; 20] = [
    "image",
    "command",
    "args",
    "workingDir",
    "ports",
    "envFrom",
    "env",
    "volumeMounts",
    "volumeDevices",
    "livenessProbe",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "imagePullPolicy",
    "securityContext",
    "stdin",
    "stdinOnce",
    "tty",
    "resizePolicy",
    "restartPolicyRules",
    "lifecycle",
];

impl Container {
    /// Reads a container; init containers may be sidecars.
    pub(super) fn read(node: &Yaml, init: bool, sink: &mut Diagnostics) -> Option<Self> {
        let fields = Fields::open(node, "container", sink)?;
        let name = fields.required("name", sink).map(|Name(name)| name);
        let mut container = Container {
            name: name.clone().unwrap_or_default(),
            cpu_request: None,
            memory_request: None,
            cpu_limit: None,
            memory_limit: None,
            extended: Vec::new(),
            sidecar: false,
            readiness: fields.node_of("readinessProbe").and_then(|probe| readiness(probe, sink)),
        };
        if let Some(resources) = fields.node_of("resources") {
            container.read_resources(resources, sink);
        }
        let restart: Option<String> = fields.optional("restartPolicy", sink);
        container.sidecar = init && restart.as_deref() == Some("Always");
        legal(&fields, &CONTAINER_LEGAL);
        unmodelled(&fields, &["startupProbe"], "the start-up delay of the scenario stands for it", sink);
        if let Some(hook) = fields.node_of("lifecycle").and_then(|l| l.get("preStop")) {
            sink.push(hook.warning("`preStop` is not modelled: draining ends when the last request does"));
        }
        finish_leniently(&fields, "container", sink);
        name.map(|_| container)
    }

    fn read_resources(&mut self, node: &Yaml, sink: &mut Diagnostics) {
        let Some(fields) = Fields::open(node, "resources", sink) else { return };
        let requests = Amounts::read(&fields, "requests", sink);
        let limits = Amounts::read(&fields, "limits", sink);
        legal(&fields, &["claims"]);
        finish_leniently(&fields, "resources", sink);
        let mut compare = |resource: &str, more: bool| {
            if more {
                let message = format!("container `{}` requests more {resource} than its limit", self.name);
                sink.push(fields.node_of("requests").unwrap_or(node).error(message));
            }
        };
        compare("cpu", requests.cpu.zip(limits.cpu).is_some_and(|(request, limit)| request > limit));
        compare("memory", requests.memory.zip(limits.memory).is_some_and(|(request, limit)| request > limit));
        self.cpu_request = requests.cpu.or(limits.cpu);
        self.memory_request = requests.memory.or(limits.memory);
        self.cpu_limit = limits.cpu;
        self.memory_limit = limits.memory;
        self.extended = requests.extended;
        let known = self.extended.clone();
        self.extended.extend(limits.extended.into_iter().filter(|(name, _)| known.iter().all(|(k, _)| k != name)));
        self.extended.sort();
    }
}

/// One half of `resources`.
#[derive(Default)]
pub(super) struct Amounts {
    pub(super) cpu: Option<Millicores>,
    pub(super) memory: Option<Bytes>,
    extended: Vec<(String, u64)>,
}

impl Amounts {
    pub(super) fn read(resources: &Fields<'_>, half: &'static str, sink: &mut Diagnostics) -> Self {
        let mut amounts = Amounts::default();
        let Some(node) = resources.node_of(half) else { return amounts };
        let Some(fields) = Fields::open(node, half, sink) else { return amounts };
        amounts.cpu = fields.optional("cpu", sink);
        amounts.memory = fields.optional("memory", sink);
        legal(&fields, &["ephemeral-storage"]);
        // The name of an extended resource has a domain; one without is misspelt.
        for (key, value) in fields.entries() {
            if key.text.contains('/') || key.text.starts_with("hugepages-") {
                amounts.extended.extend(Bytes::from_node(value, sink).map(|amount| (key.text.clone(), amount.get())));
            }
        }
        let asked = fields.asked();
        let plain = |key: &str| !key.contains('/') && !key.starts_with("hugepages-") && !asked.contains(&key);
        for (key, value) in fields.entries().iter().filter(|(key, _)| plain(&key.text)) {
            let error = value.error(format!("`{}` is not a resource", key.text)).at(&value.source, key.span);
            sink.push(error.label("unknown resource").near(&key.text, asked.iter().copied()));
        }
        amounts
    }
}

fn readiness(node: &Yaml, sink: &mut Diagnostics) -> Option<ReadinessProbe> {
    let fields = Fields::open(node, "readinessProbe", sink)?;
    let probe = ReadinessProbe {
        initial_delay: seconds(&fields, "initialDelaySeconds", sink).unwrap_or(SimDuration::ZERO),
        period: seconds(&fields, "periodSeconds", sink).unwrap_or(SimDuration::from_secs(10)),
        success_threshold: fields.or("successThreshold", 1, sink),
        failure_threshold: fields.or("failureThreshold", 3, sink),
    };
    legal(&fields, &["httpGet", "tcpSocket", "exec", "grpc", "timeoutSeconds", "terminationGracePeriodSeconds"]);
    finish_leniently(&fields, "readinessProbe", sink);
    Some(probe)
}

/// Reads a list of containers.
pub(super) fn containers(node: &Yaml, init: bool, sink: &mut Diagnostics) -> Vec<Container> {
    let Value::Sequence(items) = &node.value else {
        sink.push(node.error(format!("containers must be a list, not {}", node.kind())));
        return Vec::new();
    };
    items.iter().filter_map(|item| Container::read(item, init, sink)).collect()
}
