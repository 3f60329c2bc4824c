//! `Deployment`, `StatefulSet`, `ReplicaSet` and Argo's `Rollout`.

use std::collections::BTreeSet;

use super::fields::{finish_leniently, legal, seconds, unmodelled};
use super::objects::{Manifests, Object};
use super::pods::{Amounts, Container, ReadinessProbe, containers};
use crate::config::{Diagnostics, Fields, Severity, Yaml};
use crate::units::{Bytes, Millicores, SimDuration};

/// Names under `spec` of a Deployment.
pub(super) const DEPLOYMENT_SPEC: [&str; 8] = [
    "replicas",
    "template",
    "selector",
    "strategy",
    "minReadySeconds",
    "revisionHistoryLimit",
    "paused",
    "progressDeadlineSeconds",
];

/// Names under `spec` of a StatefulSet.
pub(super) const STATEFUL_SET_SPEC: [&str; 11] = [
    "replicas",
    "template",
    "selector",
    "serviceName",
    "podManagementPolicy",
    "updateStrategy",
    "revisionHistoryLimit",
    "volumeClaimTemplates",
    "minReadySeconds",
    "persistentVolumeClaimRetentionPolicy",
    "ordinals",
];

/// Names under `spec` of a ReplicaSet.
pub(super) const REPLICA_SET_SPEC: [&str; 4] = ["replicas", "template", "selector", "minReadySeconds"];

/// Names under `spec` of an Argo Rollout.
pub(super) const ROLLOUT_SPEC: [&str; 13] = [
    "replicas",
    "template",
    "selector",
    "strategy",
    "minReadySeconds",
    "revisionHistoryLimit",
    "paused",
    "progressDeadlineSeconds",
    "progressDeadlineAbort",
    "workloadRef",
    "analysis",
    "restartAt",
    "rollbackWindow",
];

/// Valid fields of a pod that do not affect the model.
const POD_LEGAL: [&str; 29] = [
    "volumes",
    "ephemeralContainers",
    "restartPolicy",
    "activeDeadlineSeconds",
    "dnsPolicy",
    "serviceAccountName",
    "serviceAccount",
    "automountServiceAccountToken",
    "nodeName",
    "hostNetwork",
    "hostPID",
    "hostIPC",
    "shareProcessNamespace",
    "securityContext",
    "imagePullSecrets",
    "hostname",
    "subdomain",
    "hostAliases",
    "priority",
    "dnsConfig",
    "readinessGates",
    "runtimeClassName",
    "enableServiceLinks",
    "preemptionPolicy",
    "setHostnameAsFQDN",
    "os",
    "hostUsers",
    "schedulingGates",
    "resourceClaims",
];

/// Fields that restrict where a pod may run.
const PLACEMENT: [&str; 6] =
    ["nodeSelector", "affinity", "tolerations", "topologySpreadConstraints", "schedulerName", "priorityClassName"];

/// The kind of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkloadKind {
    /// `Deployment`.
    Deployment,
    /// `StatefulSet`.
    StatefulSet,
    /// `ReplicaSet`.
    ReplicaSet,
    /// Argo's `Rollout`.
    Rollout,
}

/// A scalable workload: its pods' requests, limits and delays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// Kind of the object.
    pub kind: WorkloadKind,
    /// Name.
    pub name: String,
    /// Number of replicas; 1 if not stated.
    pub replicas: u32,
    /// Regular containers.
    pub containers: Vec<Container>,
    /// Init containers, including sidecars.
    pub init_containers: Vec<Container>,
    /// Time that a terminating pod may drain; 30 s if not stated.
    pub termination_grace: SimDuration,
    /// Resources that the pod occupies on a node besides its containers (`overhead: { podFixed: ... }`).
    pub overhead: (Millicores, Bytes),
    /// Pod-level requests and limits, which replace those of its containers (`spec.resources`).
    pub whole: PodResources,
    /// Its update strategy.
    pub update: Update,
    /// Index of the regular container that does the service's work: the one named by
    /// `kubectl.kubernetes.io/default-container`, otherwise the one named as the workload, otherwise the first.
    pub serving: usize,
}

/// Update strategy of a workload (`strategy`, `updateStrategy`, `minReadySeconds`); fields that are not stated are
/// `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Update {
    /// Whether all old pods end before any new one starts.
    pub recreate: bool,
    /// Maximum number of pods above the size, absolute or in per cent.
    pub surge: Option<(u32, bool)>,
    /// Maximum number of unavailable pods, absolute or in per cent.
    pub unavailable: Option<(u32, bool)>,
    /// How long a pod must have been ready to count as available.
    pub min_ready: SimDuration,
}

/// Pod-level requests and limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PodResources {
    /// CPU request, or the limit if only that is stated.
    pub cpu_request: Option<Millicores>,
    /// Memory request, or the limit if only that is stated.
    pub memory_request: Option<Bytes>,
    /// CPU limit.
    pub cpu_limit: Option<Millicores>,
    /// Memory limit.
    pub memory_limit: Option<Bytes>,
}

impl Deployment {
    /// Reads every Deployment, StatefulSet, ReplicaSet and Rollout of `manifests`. Problems are reported to `sink`;
    /// objects with errors are left out.
    pub fn all(manifests: &Manifests, sink: &mut Diagnostics) -> Vec<Deployment> {
        manifests.objects.iter().filter_map(|object| Deployment::read(object, sink)).collect()
    }

    /// Reads `object`. Problems are reported to `sink`; `None` if there is an error, or if the object is of another
    /// kind.
    pub fn read(object: &Object, sink: &mut Diagnostics) -> Option<Deployment> {
        let kind = match (object.group(), object.kind.as_str()) {
            ("apps" | "extensions", "Deployment") => WorkloadKind::Deployment,
            ("apps" | "extensions", "StatefulSet") => WorkloadKind::StatefulSet,
            // A ReplicaSet owned by a Deployment is managed by that Deployment.
            ("apps" | "extensions", "ReplicaSet") if !is_owned(object) => WorkloadKind::ReplicaSet,
            ("argoproj.io", "Rollout") => WorkloadKind::Rollout,
            _ => return None,
        };
        let mut found = Diagnostics::new();
        let deployment = read_spec(object, kind, &mut found);
        let sound = found.iter().all(|d| d.severity != Severity::Error);
        sink.extend(found);
        deployment.filter(|_| sound)
    }

    /// The containers that run as long as the pod does: regular ones and sidecars.
    pub fn running(&self) -> impl Iterator<Item = &Container> {
        self.containers.iter().chain(self.init_containers.iter().filter(|container| container.sidecar))
    }

    /// CPU requested by a pod's running containers: the pod-level request if there is one, otherwise the sum over the
    /// containers that state one; `None` if none does.
    pub fn cpu_request(&self) -> Option<Millicores> {
        let stated = self.running().filter_map(|container| container.cpu_request);
        self.whole.cpu_request.or_else(|| stated.reduce(|sum, request| sum + request))
    }

    /// Memory requested by a pod's running containers, like [`Deployment::cpu_request`].
    pub fn memory_request(&self) -> Option<Bytes> {
        let stated = self.running().filter_map(|container| container.memory_request);
        self.whole.memory_request.or_else(|| stated.reduce(|sum, request| sum + request))
    }

    /// The container that does the service's work.
    pub fn serving(&self) -> Option<&Container> {
        self.containers.get(self.serving)
    }

    /// CPU limit of the container that does the work, or of the whole pod if only that is stated.
    pub fn cpu_limit(&self) -> Option<Millicores> {
        let own = self.serving().and_then(|container| container.cpu_limit);
        own.into_iter().chain(self.whole.cpu_limit).min()
    }

    /// CPU reserved by the scheduler (`PodRequests` in kubernetes `component-helpers/resource`): the sum over the
    /// running containers, or the maximum while init containers run if that is more; the pod-level request instead, if
    /// there is one; plus overhead. A container without a request counts as zero.
    pub fn scheduled_cpu(&self) -> Millicores {
        let containers = Millicores::new(self.scheduled(|container| container.cpu_request.map_or(0, Millicores::get)));
        self.whole.cpu_request.unwrap_or(containers) + self.overhead.0
    }

    /// Memory reserved by the scheduler, like [`Deployment::scheduled_cpu`].
    pub fn scheduled_memory(&self) -> Bytes {
        let containers = Bytes::new(self.scheduled(|container| container.memory_request.map_or(0, Bytes::get)));
        self.whole.memory_request.unwrap_or(containers) + self.overhead.1
    }

    /// Other resources reserved by the scheduler, such as `nvidia.com/gpu`, ordered by name.
    pub fn extended(&self) -> Vec<(String, u64)> {
        let all = || self.containers.iter().chain(&self.init_containers).flat_map(|container| &container.extended);
        let names: BTreeSet<&String> = all().map(|(name, _)| name).collect();
        let amount = |name: &String, container: &Container| {
            container.extended.iter().find(|(known, _)| known == name).map_or(0, |(_, amount)| *amount)
        };
        let total = |name: &String| (name.clone(), self.scheduled(|container| amount(name, container)));
        names.into_iter().map(total).collect()
    }

    /// The slowest readiness probe of the running containers: a pod is ready when all of them are.
    pub fn readiness(&self) -> Option<ReadinessProbe> {
        self.running()
            .filter_map(|container| container.readiness)
            .max_by_key(|probe| (probe.initial_delay, probe.period))
    }

    /// An init container runs next to the sidecars listed before it.
    fn scheduled(&self, request: impl Fn(&Container) -> u64) -> u64 {
        let running = self.running().map(&request).fold(0, u64::saturating_add);
        let (mut sidecars, mut peak) = (0_u64, 0_u64);
        for container in &self.init_containers {
            let need = sidecars.saturating_add(request(container));
            peak = peak.max(need);
            if container.sidecar {
                sidecars = need;
            }
        }
        running.max(peak)
    }
}

/// Whether another object owns it.
fn is_owned(object: &Object) -> bool {
    object.node.get("metadata").is_some_and(|metadata| metadata.get("ownerReferences").is_some())
}

fn read_spec(object: &Object, kind: WorkloadKind, sink: &mut Diagnostics) -> Option<Deployment> {
    let owner = object.title();
    let fields = Fields::open(object.node.get("spec")?, &owner, sink)?;
    let replicas = fields.or("replicas", 1, sink);
    let template: Option<&Yaml> = fields.node_of("template");
    let min_ready = seconds(&fields, "minReadySeconds", sink).unwrap_or(SimDuration::ZERO);
    let strategy = fields.node_of(match kind {
        WorkloadKind::StatefulSet => "updateStrategy",
        _ => "strategy",
    });
    let update = strategy.map_or_else(Update::default, |node| match kind {
        WorkloadKind::Rollout => read_argo_strategy(node, sink),
        _ => read_update(node, sink),
    });
    match kind {
        WorkloadKind::Deployment => legal(&fields, &DEPLOYMENT_SPEC),
        WorkloadKind::ReplicaSet => legal(&fields, &REPLICA_SET_SPEC),
        WorkloadKind::Rollout => {
            if let Some(reference) = fields.node_of("workloadRef").filter(|_| template.is_none()) {
                let error = reference.error(format!("the pods of {owner} are those of the workload it refers to"));
                sink.push(error.help("name that Deployment's manifest in place of the Rollout"));
                return None;
            }
            legal(&fields, &ROLLOUT_SPEC);
        }
        WorkloadKind::StatefulSet => {
            legal(&fields, &STATEFUL_SET_SPEC);
            let policy: Option<String> = fields.optional("podManagementPolicy", sink);
            if policy.as_deref() != Some("Parallel") {
                let note =
                    "pods of a StatefulSet are modelled as starting in parallel (`podManagementPolicy: Parallel`)";
                sink.push(fields.node().warning(note));
            }
        }
    }
    if template.is_none() {
        fields.missing(&["template"], fields.node().error(format!("{owner} has no `template`")), sink);
    }
    finish_leniently(&fields, &owner, sink);
    let template = Fields::open(template?, "template", sink)?;
    let chosen = template.node_of("metadata").and_then(default_container);
    let pod: Option<&Yaml> = template.node_of("spec");
    if pod.is_none() {
        template.missing(&["spec"], template.node().error("template has no `spec`"), sink);
    }
    finish_leniently(&template, "template", sink);
    let pod = Fields::open(pod?, "pod", sink)?;
    let ordinary = pod.node_of("containers").map_or_else(Vec::new, |node| containers(node, false, sink));
    if ordinary.is_empty() {
        sink.push(pod.node().error("a pod needs at least one container").help("add `containers:`"));
    }
    let deployment = Deployment {
        kind,
        name: object.name.clone(),
        replicas,
        update: Update { min_ready, ..update },
        overhead: pod.node_of("overhead").map_or_else(Default::default, |node| overhead(node, sink)),
        whole: pod.node_of("resources").map_or_else(PodResources::default, |node| whole(node, sink)),
        serving: serving(&ordinary, chosen, &object.name),
        containers: ordinary,
        init_containers: pod.node_of("initContainers").map_or_else(Vec::new, |node| containers(node, true, sink)),
        termination_grace: seconds(&pod, "terminationGracePeriodSeconds", sink).unwrap_or(SimDuration::from_secs(30)),
    };
    legal(&pod, &POD_LEGAL);
    unmodelled(&pod, &PLACEMENT, "pods may be placed on any node of the pool", sink);
    finish_leniently(&pod, "pod", sink);
    Some(deployment)
}

/// `strategy: { type: RollingUpdate, rollingUpdate: { maxSurge: 25%, maxUnavailable: 1 } }`
fn read_update(node: &Yaml, sink: &mut Diagnostics) -> Update {
    let Some(fields) = Fields::open(node, "strategy", sink) else { return Update::default() };
    let kind: Option<String> = fields.optional("type", sink);
    let mut update = Update { recreate: kind.as_deref() == Some("Recreate"), ..Update::default() };
    if let Some(kind) = kind.filter(|kind| !["RollingUpdate", "Recreate", "OnDelete"].contains(&kind.as_str())) {
        let place = fields.node_of("type").unwrap_or(node);
        sink.push(place.error(format!("`{kind}` is not a strategy")).note("known: RollingUpdate, Recreate"));
    }
    if let Some(rolling) = fields.node_of("rollingUpdate").and_then(|node| Fields::open(node, "rollingUpdate", sink)) {
        update.surge = rolling.node_of("maxSurge").and_then(|node| share(node, sink));
        update.unavailable = rolling.node_of("maxUnavailable").and_then(|node| share(node, sink));
        legal(&rolling, &["partition"]);
        finish_leniently(&rolling, "rollingUpdate", sink);
    }
    finish_leniently(&fields, "strategy", sink);
    update
}

/// `strategy: { canary: { maxSurge: 25%, steps: [...] } }` or `{ blueGreen: { ... } }`. Delays by steps and analyses
/// are not modelled; blue-green starts all new pods next to the old ones.
fn read_argo_strategy(node: &Yaml, sink: &mut Diagnostics) -> Update {
    if node.get("blueGreen").is_some() {
        return Update { surge: Some((100, true)), unavailable: Some((0, false)), ..Update::default() };
    }
    let Some(canary) = node.get("canary").filter(|canary| !canary.is_null()) else { return Update::default() };
    if let Some(steps) = canary.get("steps") {
        sink.push(
            steps.warning("the steps of a canary are not modelled: a rollout goes on as fast as pods become ready"),
        );
    }
    let mut amount = |name: &str| canary.get(name).and_then(|node| share(node, sink));
    let (surge, unavailable) = (amount("maxSurge"), amount("maxUnavailable"));
    Update { surge, unavailable, ..Update::default() }
}

/// A number of pods, or a percentage (`true`).
pub fn share(node: &Yaml, sink: &mut Diagnostics) -> Option<(u32, bool)> {
    let text = node.as_text().unwrap_or("").trim();
    let percent = text.ends_with('%');
    let number = text.trim_end_matches('%').parse::<u32>().ok();
    if number.is_none() {
        sink.push(node.error(format!("expected a number of pods or per cent, such as `1` or `25%`, found `{text}`")));
    }
    Some((number?, percent))
}

/// Index of the container that does the work: the annotated one, otherwise the one named as the workload, otherwise the first.
fn serving(containers: &[Container], annotated: Option<&str>, workload: &str) -> usize {
    let position = |wanted: &str| containers.iter().position(|container| container.name == wanted);
    annotated.and_then(position).or_else(|| position(workload)).unwrap_or(0)
}

/// The default container of `kubectl`, by its annotation.
fn default_container(metadata: &Yaml) -> Option<&str> {
    metadata.get("annotations")?.get("kubectl.kubernetes.io/default-container")?.as_text()
}

/// `overhead: { podFixed: { cpu: 250m, memory: 120Mi } }`
fn overhead(node: &Yaml, sink: &mut Diagnostics) -> (Millicores, Bytes) {
    let Some(fields) = Fields::open(node, "overhead", sink) else { return Default::default() };
    let fixed = Amounts::read(&fields, "podFixed", sink);
    finish_leniently(&fields, "overhead", sink);
    (fixed.cpu.unwrap_or_default(), fixed.memory.unwrap_or_default())
}

/// `resources:` of the pod itself.
fn whole(node: &Yaml, sink: &mut Diagnostics) -> PodResources {
    let Some(fields) = Fields::open(node, "resources", sink) else { return PodResources::default() };
    let (requests, limits) = (Amounts::read(&fields, "requests", sink), Amounts::read(&fields, "limits", sink));
    legal(&fields, &["claims"]);
    finish_leniently(&fields, "resources", sink);
    PodResources {
        cpu_request: requests.cpu.or(limits.cpu),
        memory_request: requests.memory.or(limits.memory),
        cpu_limit: limits.cpu,
        memory_limit: limits.memory,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SourceFile;
    use rstest::rstest;

    const SHOP: &str = "apiVersion: apps/v1
kind: Deployment
metadata: { name: shop, labels: { app: shop } }
spec:
  replicas: 3
  selector: { matchLabels: { app: shop } }
  template:
    metadata: { labels: { app: shop } }
    spec:
      terminationGracePeriodSeconds: 45
      initContainers:
      - { name: migrate, image: m, resources: { requests: { cpu: '2', memory: 64Mi } } }
      - { name: proxy, image: p, restartPolicy: Always, resources: { requests: { cpu: 100m, memory: 32Mi } } }
      containers:
      - name: web
        image: web:1
        resources:
          requests: { cpu: 500m }
          limits: { cpu: 1, memory: 256Mi, nvidia.com/gpu: 1 }
        readinessProbe: { httpGet: { path: / }, initialDelaySeconds: 3, periodSeconds: 5 }
";

    fn read(text: &str) -> (Vec<Deployment>, String) {
        let mut sink = Diagnostics::new();
        let manifests = Manifests::parse(&SourceFile::new("d.yaml", text), &mut sink).unwrap_or_default();
        (Deployment::all(&manifests, &mut sink), sink.to_string())
    }

    #[test]
    fn requests_limits_and_delays_are_read() {
        let (mut found, shown) = read(SHOP);
        assert_eq!(shown, "");
        let shop = found.remove(0);
        assert_eq!((shop.name.as_str(), shop.replicas), ("shop", 3));
        assert_eq!(shop.termination_grace, SimDuration::from_secs(45));
        // The sidecar counts, the other init container does not; only memory is limited, so the limit is the request.
        assert_eq!(shop.cpu_request(), Some(Millicores::new(600)));
        assert_eq!(shop.memory_request(), Some(Bytes::from_mib(288)));
        // The limit is that of the serving container; the sidecar has none.
        assert_eq!(shop.cpu_limit(), Some(Millicores::new(1000)));
        assert_eq!(shop.scheduled_cpu(), Millicores::new(2000));
        assert_eq!(shop.scheduled_memory(), Bytes::from_mib(288));
        assert_eq!(shop.extended(), [("nvidia.com/gpu".to_string(), 1)]);
        let probe = shop.readiness().unwrap();
        assert_eq!((probe.initial_delay, probe.period), (SimDuration::from_secs(3), SimDuration::from_secs(5)));
    }

    #[rstest]
    #[case("{ type: Recreate }", Update { recreate: true, ..Update::default() })]
    #[case("{ rollingUpdate: { maxSurge: 1 } }", Update { surge: Some((1, false)), ..Update::default() })]
    #[case(
        "{ type: RollingUpdate, rollingUpdate: { maxSurge: 50%, maxUnavailable: 0 } }",
        Update { surge: Some((50, true)), unavailable: Some((0, false)), ..Update::default() }
    )]
    fn the_strategy_is_read(#[case] strategy: &str, #[case] update: Update) {
        let (found, shown) =
            read(&SHOP.replace("  replicas: 3\n", &format!("  replicas: 3\n  strategy: {strategy}\n")));
        assert_eq!((shown.as_str(), &found[0].update), ("", &update));
    }

    /// A pod with init containers (CPU, whether it is a sidecar), regular ones and further fields of its `spec`.
    fn scheduled(init: &[(&str, bool)], ordinary: &[&str], more: &str) -> Deployment {
        let container = |number: usize, cpu: &str, rest: &str| {
            let resources =
                if cpu.is_empty() { String::new() } else { format!(", resources: {{ requests: {{ {cpu} }} }}") };
            format!("{{ name: c{number}{rest}{resources} }}")
        };
        let sidecar = |always: bool| if always { ", restartPolicy: Always" } else { "" };
        let init: Vec<String> =
            init.iter().enumerate().map(|(n, (cpu, always))| container(n, cpu, sidecar(*always))).collect();
        let ordinary: Vec<String> = ordinary.iter().enumerate().map(|(n, cpu)| container(n + 50, cpu, "")).collect();
        let (mut found, shown) = read(&format!(
            "{{ apiVersion: apps/v1, kind: Deployment, metadata: {{ name: a }}, spec: {{ template: {{ spec: {{ initContainers: \
             [{}], containers: [{}]{more} }} }} }} }}",
            init.join(", "),
            ordinary.join(", ")
        ));
        assert_eq!(shown, "");
        found.remove(0)
    }

    /// The sums of upstream's `PodRequests`: regular containers and sidecars, or an init container with the sidecars
    /// before it.
    #[rstest]
    #[case(&[], &["cpu: 1", ""], "", 1000)]
    #[case(&[("cpu: 2", false)], &["cpu: 500m"], "", 2000)]
    #[case(&[("cpu: 400m", false), ("cpu: 300m", false)], &["cpu: 500m"], "", 500)]
    #[case(&[("cpu: 300m", true)], &["cpu: 500m"], "", 800)]
    #[case(&[("cpu: 300m", true), ("cpu: 600m", false)], &["cpu: 500m"], "", 900)]
    #[case(&[("cpu: 600m", false), ("cpu: 300m", true)], &["cpu: 500m"], "", 800)]
    #[case(&[("cpu: 200m", true), ("cpu: 1", false), ("cpu: 400m", true)], &["cpu: 500m"], "", 1200)]
    #[case(&[("cpu: 200m", true), ("cpu: 700m", true)], &["cpu: 50m"], "", 950)]
    #[case(&[], &["cpu: 1"], ", overhead: { podFixed: { cpu: 250m, memory: 120Mi } }", 1250)]
    #[case(&[("cpu: 3", false)], &["cpu: 1"], ", resources: { requests: { cpu: 2 } }", 2000)]
    #[case(&[], &["cpu: 1"], ", resources: { limits: { cpu: 2 } }", 2000)]
    fn the_scheduler_sums_a_pod(
        #[case] init: &[(&str, bool)],
        #[case] ordinary: &[&str],
        #[case] more: &str,
        #[case] millis: u64,
    ) {
        assert_eq!(scheduled(init, ordinary, more).scheduled_cpu(), Millicores::new(millis));
    }

    #[test]
    fn extended_resources_are_summed_like_the_others() {
        let gpus = "nvidia.com/gpu: 2, cpu: 1";
        let pod = scheduled(&[("nvidia.com/gpu: 1", false)], &[gpus, "nvidia.com/gpu: 1", "example.com/fpga: 1"], "");
        assert_eq!(pod.extended(), [("example.com/fpga".to_string(), 1), ("nvidia.com/gpu".to_string(), 3)]);
        assert_eq!(scheduled(&[("nvidia.com/gpu: 4", false)], &[gpus], "").extended()[0].1, 4);
    }

    #[test]
    fn a_container_without_requests_does_not_hide_those_of_others() {
        let pod = scheduled(&[], &["cpu: 1, memory: 2Gi", ""], "");
        assert_eq!(
            (pod.cpu_request(), pod.memory_request()),
            (Some(Millicores::new(1000)), Some(Bytes::from_mib(2048)))
        );
        assert_eq!(pod.serving().map(|container| container.name.as_str()), Some("c50"));
        assert_eq!(scheduled(&[], &["", ""], "").cpu_request(), None);
    }

    #[test]
    fn lists_and_defaults_are_read() {
        let item = "{ apiVersion: apps/v1, kind: Deployment, metadata: { name: a }, spec: { template: { spec: { containers: \
                    [{ name: c }] } } } }";
        let (found, shown) = read(&format!("apiVersion: v1\nkind: List\nitems:\n- {item}\n- {item}\n"));
        assert_eq!(shown, "");
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].replicas, 1);
        assert_eq!(found[0].update, Update::default());
        assert_eq!(found[0].termination_grace, SimDuration::from_secs(30));
        assert_eq!(found[0].cpu_request(), None);
        assert_eq!(found[0].scheduled_cpu(), Millicores::ZERO);
    }

    #[rstest]
    #[case("  replicas: 3", "  replica: 3", "did you mean `replicas`?")]
    #[case("  replicas: 3\n", "", "")]
    #[case("  template:", "  templat:", "did you mean `template`?")]
    #[case("terminationGracePeriodSeconds", "terminationGracePeriod", "did you mean `terminationGracePeriodSeconds`?")]
    #[case("      containers:", "      container:", "did you mean `containers`?")]
    #[case("cpu: 500m", "cpus: 500m", "did you mean `cpu`?")]
    #[case("cpu: 500m", "cpu: 1500m", "requests more cpu than its limit")]
    #[case("memory: 256Mi", "memory: 256mb", "write `256Mi`")]
    #[case("resources:\n", "resource:\n", "did you mean `resources`?")]
    #[case("kind: Deployment", "kind: Deploymnt", "did you mean `Deployment`?")]
    #[case("apps/v1", "extensions/v1beta1", "write `apiVersion: apps/v1`")]
    #[case("apps/v1", "apps/v3", "write `apps/v1`")]
    #[case("      containers:", "      zzz: 1\n      containers:", "unknown field, ignored")]
    #[case("      containers:", "      nodeSelector: { a: b }\n      containers:", "not modelled")]
    #[case("  replicas: 3", "  replicas: 3\n  strategy: { type: Rolling }", "`Rolling` is not a strategy")]
    #[case("  replicas: 3", "  replicas: 3\n  strategy: { rollingUpdate: { maxSurge: few } }", "such as `1` or `25%`")]
    #[case("kind: Deployment", "kind: StatefulSet", "starting in parallel")]
    #[case("metadata: { name: shop", "metadata: { nam: shop", "did you mean `name`?")]
    fn mistakes_are_explained(#[case] from: &str, #[case] to: &str, #[case] words: &str) {
        let (_, shown) = read(&SHOP.replacen(from, to, 1));
        assert!(shown.contains(words), "{shown}");
        assert_eq!(shown.is_empty(), words.is_empty(), "{shown}");
    }

    #[rstest]
    #[case("", "holds no object")]
    #[case("[1, 2]", "expected a Kubernetes object, found a list")]
    #[case("apiVersion: v1\nkin: List\n", "did you mean `kind`?")]
    #[case("a: 1\n", "it has no `kind`")]
    #[case("{{- if .Values.on }}\nkind: X\n{{- end }}\n", "render it first")]
    fn what_is_no_manifest_is_refused(#[case] text: &str, #[case] words: &str) {
        let (found, shown) = read(text);
        assert!(found.is_empty());
        assert!(shown.contains(words), "{shown}");
    }

    #[test]
    fn templates_inside_a_text_are_left_alone() {
        let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: c }\ndata:\n  alert: |\n    {{ define \"x\" }}\n    a: {{ .b }}\n";
        assert_eq!(read(text).1, "");
    }
}
