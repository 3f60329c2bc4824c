//! `Deployment` and `StatefulSet`.

use super::fields::{finish_leniently, legal, seconds, unmodelled};
use super::objects::{Manifests, Object};
use super::pods::{Container, ReadinessProbe, containers};
use crate::config::{Diagnostics, Fields, Node, Severity};
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

/// Legal fields of a pod that change nothing that is modelled.
const POD_LEGAL: [&str; 30] = [
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
    "overhead",
    "setHostnameAsFQDN",
    "os",
    "hostUsers",
    "schedulingGates",
    "resourceClaims",
];

/// Fields that decide where a pod may run.
const PLACEMENT: [&str; 6] =
    ["nodeSelector", "affinity", "tolerations", "topologySpreadConstraints", "schedulerName", "priorityClassName"];

/// What keeps the pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkloadKind {
    /// `Deployment`.
    Deployment,
    /// `StatefulSet`.
    StatefulSet,
}

/// A workload that can be scaled: its pods' requests, limits and delays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// Which kind of object it is.
    pub kind: WorkloadKind,
    /// Name.
    pub name: String,
    /// Number of replicas; 1 if not given.
    pub replicas: u32,
    /// Ordinary containers.
    pub containers: Vec<Container>,
    /// Init containers, sidecars included.
    pub init_containers: Vec<Container>,
    /// How long a terminating pod may go on draining; 30 s if not given.
    pub termination_grace: SimDuration,
}

impl Deployment {
    /// Every Deployment and StatefulSet of `manifests`. What is wrong goes into `sink`; objects with errors are left out.
    pub fn all(manifests: &Manifests, sink: &mut Diagnostics) -> Vec<Deployment> {
        manifests.objects.iter().filter_map(|object| Deployment::read(object, sink)).collect()
    }

    /// Reads `object`. What is wrong goes into `sink`; `None` if there is an error, or if the object is of another kind.
    pub fn read(object: &Object, sink: &mut Diagnostics) -> Option<Deployment> {
        let kind = match object.kind.as_str() {
            "Deployment" => WorkloadKind::Deployment,
            "StatefulSet" => WorkloadKind::StatefulSet,
            _ => return None,
        };
        let mut found = Diagnostics::new();
        let deployment = read_spec(object, kind, &mut found);
        let sound = found.iter().all(|d| d.severity != Severity::Error);
        sink.extend(found);
        deployment.filter(|_| sound)
    }

    /// The containers that run for as long as the pod does: ordinary ones and sidecars.
    pub fn running(&self) -> impl Iterator<Item = &Container> {
        self.containers.iter().chain(self.init_containers.iter().filter(|container| container.sidecar))
    }

    /// CPU request of a pod as the HPA sums it; `None` if a running container has none.
    pub fn cpu_request(&self) -> Option<Millicores> {
        self.running().try_fold(Millicores::ZERO, |sum, container| Some(sum + container.cpu_request?))
    }

    /// Memory request of a pod as the HPA sums it; `None` if a running container has none.
    pub fn memory_request(&self) -> Option<Bytes> {
        self.running().try_fold(Bytes::ZERO, |sum, container| Some(sum + container.memory_request?))
    }

    /// CPU limit of a pod; `None` if a running container is not limited.
    pub fn cpu_limit(&self) -> Option<Millicores> {
        self.running().try_fold(Millicores::ZERO, |sum, container| Some(sum + container.cpu_limit?))
    }

    /// Memory limit of a pod; `None` if a running container is not limited.
    pub fn memory_limit(&self) -> Option<Bytes> {
        self.running().try_fold(Bytes::ZERO, |sum, container| Some(sum + container.memory_limit?))
    }

    /// CPU that the scheduler sets aside: the sum over the running containers, or the largest need while init containers
    /// run, where that is more. A container without a request counts nothing.
    pub fn scheduled_cpu(&self) -> Millicores {
        Millicores::new(self.scheduled(|container| container.cpu_request.map_or(0, Millicores::get)))
    }

    /// Memory that the scheduler sets aside, as [`Deployment::scheduled_cpu`].
    pub fn scheduled_memory(&self) -> Bytes {
        Bytes::new(self.scheduled(|container| container.memory_request.map_or(0, Bytes::get)))
    }

    /// Other resources that a pod asks for, such as `nvidia.com/gpu`, summed over the running containers.
    pub fn extended(&self) -> Vec<(String, u64)> {
        let mut totals: Vec<(String, u64)> = Vec::new();
        for (name, amount) in self.running().flat_map(|container| &container.extended) {
            match totals.iter_mut().find(|(known, _)| known == name) {
                Some((_, total)) => *total = total.saturating_add(*amount),
                None => totals.push((name.clone(), *amount)),
            }
        }
        totals.sort();
        totals
    }

    /// The slowest readiness probe among the running containers: a pod is ready when all of them are.
    pub fn readiness(&self) -> Option<ReadinessProbe> {
        self.running()
            .filter_map(|container| container.readiness)
            .max_by_key(|probe| (probe.initial_delay, probe.period))
    }

    /// An init container runs beside the sidecars that stand before it.
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

fn read_spec(object: &Object, kind: WorkloadKind, sink: &mut Diagnostics) -> Option<Deployment> {
    let owner = object.title();
    let fields = Fields::open(object.node.get("spec")?, &owner, sink)?;
    let replicas = fields.or("replicas", 1, sink);
    let template: Option<&Node> = fields.node_of("template");
    match kind {
        WorkloadKind::Deployment => legal(&fields, &DEPLOYMENT_SPEC),
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
    finish_leniently(&fields, &owner, sink);
    let Some(template) = template else {
        sink.push(fields.node().error(format!("{owner} has no `template`")));
        return None;
    };
    let template = Fields::open(template, "template", sink)?;
    legal(&template, &["metadata"]);
    let pod: Option<&Node> = template.node_of("spec");
    finish_leniently(&template, "template", sink);
    let Some(pod) = pod else {
        sink.push(template.node().error("template has no `spec`"));
        return None;
    };
    let pod = Fields::open(pod, "pod", sink)?;
    let ordinary = pod.node_of("containers").map_or_else(Vec::new, |node| containers(node, false, sink));
    if ordinary.is_empty() {
        sink.push(pod.node().error("a pod needs at least one container").help("add `containers:`"));
    }
    let deployment = Deployment {
        kind,
        name: object.name.clone(),
        replicas,
        containers: ordinary,
        init_containers: pod.node_of("initContainers").map_or_else(Vec::new, |node| containers(node, true, sink)),
        termination_grace: seconds(&pod, "terminationGracePeriodSeconds", sink).unwrap_or(SimDuration::from_secs(30)),
    };
    legal(&pod, &POD_LEGAL);
    unmodelled(&pod, &PLACEMENT, "pods may be placed on any node of the pool", sink);
    unmodelled(&pod, &["resources"], "the requests of the containers count", sink);
    finish_leniently(&pod, "pod", sink);
    Some(deployment)
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
        // The sidecar counts, the other init container does not; memory is limited only, so the limit is requested.
        assert_eq!(shop.cpu_request(), Some(Millicores::new(600)));
        assert_eq!(shop.memory_request(), Some(Bytes::from_mib(288)));
        assert_eq!(shop.cpu_limit(), None);
        assert_eq!(shop.scheduled_cpu(), Millicores::new(2000));
        assert_eq!(shop.scheduled_memory(), Bytes::from_mib(288));
        assert_eq!(shop.extended(), [("nvidia.com/gpu".to_string(), 1)]);
        let probe = shop.readiness().unwrap();
        assert_eq!((probe.initial_delay, probe.period), (SimDuration::from_secs(3), SimDuration::from_secs(5)));
    }

    #[test]
    fn lists_and_defaults_are_read() {
        let item = "{ apiVersion: apps/v1, kind: Deployment, metadata: { name: a }, spec: { template: { spec: { containers: \
                    [{ name: c }] } } } }";
        let (found, shown) = read(&format!("apiVersion: v1\nkind: List\nitems:\n- {item}\n- {item}\n"));
        assert_eq!(shown, "");
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].replicas, 1);
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
    #[case("apps/v1", "extensions/v1beta1", "write `apps/v1`")]
    #[case("      containers:", "      zzz: 1\n      containers:", "unknown field, ignored")]
    #[case("      containers:", "      nodeSelector: { a: b }\n      containers:", "not modelled")]
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
