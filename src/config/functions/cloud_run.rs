//! Cloud Run services: a Knative `Service` with Google's annotations.

use super::definition::{EventKind, FunctionDefinition, FunctionPlatform, Stated};
use super::limits::FunctionRules;
use super::sam::event;
use super::values::{Part, Plain, count, entries, items, near_misses};
use crate::config::{Diagnostic, Diagnostics, FromNode, Yaml, one_of};
use crate::units::{Bytes, Millicores, SimDuration};

/// Annotations of a service or a revision.
const ANNOTATIONS: [&str; 27] = [
    "autoscaling.knative.dev/maxScale",
    "autoscaling.knative.dev/minScale",
    "autoscaling.knative.dev/max-scale",
    "autoscaling.knative.dev/min-scale",
    "run.googleapis.com/binary-authorization",
    "run.googleapis.com/client-name",
    "run.googleapis.com/client-version",
    "run.googleapis.com/cloudsql-instances",
    "run.googleapis.com/container-dependencies",
    "run.googleapis.com/cpu-throttling",
    "run.googleapis.com/custom-audiences",
    "run.googleapis.com/description",
    "run.googleapis.com/encryption-key",
    "run.googleapis.com/execution-environment",
    "run.googleapis.com/gpu-zonal-redundancy-disabled",
    "run.googleapis.com/ingress",
    "run.googleapis.com/invoker-iam-disabled",
    "run.googleapis.com/launch-stage",
    "run.googleapis.com/manualInstanceCount",
    "run.googleapis.com/maxScale",
    "run.googleapis.com/minScale",
    "run.googleapis.com/network-interfaces",
    "run.googleapis.com/scalingMode",
    "run.googleapis.com/sessionAffinity",
    "run.googleapis.com/startup-cpu-boost",
    "run.googleapis.com/vpc-access-connector",
    "run.googleapis.com/vpc-access-egress",
];

/// GPUs; limits are known for the first.
const GPUS: [&str; 2] = ["nvidia-l4", "nvidia-rtx-pro-6000"];

/// Fields of a revision.
const REVISION: [&str; 12] = [
    "containerConcurrency",
    "timeoutSeconds",
    "serviceAccountName",
    "containers",
    "volumes",
    "nodeSelector",
    "runtimeClassName",
    "imagePullSecrets",
    "responseStartTimeoutSeconds",
    "idleTimeoutSeconds",
    "enableServiceLinks",
    "initContainers",
];

/// Reads the service `root`.
pub(super) fn read(root: &Yaml, rules: &FunctionRules, sink: &mut Diagnostics) -> Option<FunctionDefinition> {
    let metadata = root.get("metadata");
    let Some(name) = metadata.and_then(|metadata| metadata.get("name")) else {
        sink.push(root.error("the Cloud Run service has no name").help("add `metadata: { name: ... }`"));
        return None;
    };
    let mut service = FunctionDefinition::new(Stated::new(String::from_node(name, sink)?, name));
    service.platform = Some(service.name.with(FunctionPlatform::CloudRun));
    service.events.push(event(EventKind::Http, service.name.with("request".to_string())));
    let of = |layers| Part {
        layers,
        owner: format!("service `{}`", service.name.value),
        service: FunctionPlatform::CloudRun.service(),
        rules,
        resolve: &Plain,
    };
    let labels = metadata.and_then(|metadata| metadata.get("labels"));
    let region = labels.and_then(|labels| labels.get("cloud.googleapis.com/location"));
    let spec = root.get("spec");
    let template = spec.and_then(|spec| spec.get("template"));
    let revision = template.and_then(|template| template.get("spec"));
    let own = metadata.and_then(|metadata| metadata.get("annotations"));
    let inner = template.and_then(|template| template.get("metadata")).and_then(|inner| inner.get("annotations"));
    let annotations = of(inner.into_iter().chain(own).collect());
    annotations.near_misses(&ANNOTATIONS, sink);
    let fields = of(revision.into_iter().collect());
    fields.near_misses(&REVISION, sink);
    let Some(revision) = revision else {
        let error = root.error(format!("service `{}` has no `spec.template.spec`", service.name.value));
        sink.push(error.help("add the revision: `spec: { template: { spec: { containers: [...] } } }`"));
        return None;
    };
    service.region = region.and_then(|node| rules.region("gcp", node, sink));
    read_scaling(&mut service, &annotations, sink);
    service.concurrency = read_concurrency(&fields, revision, sink);
    service.timeout = match fields.states("timeoutSeconds") {
        true => fields.seconds("timeoutSeconds", "time-out", sink),
        false => fields.default("time-out", revision).map(|seconds| seconds.map(SimDuration::from_secs)),
    };
    read_container(&mut service, &fields, revision, sink);
    let gpu = revision.get("nodeSelector").and_then(|selector| selector.get("run.googleapis.com/accelerator"));
    service.gpu = gpu.and_then(|node| {
        let gpu = one_of(node, "a GPU of Cloud Run", &GPUS.map(|name| (name, name)), sink)?;
        Some(Stated::new(gpu.to_string(), node))
    });
    check_together(&service, &fields, sink);
    Some(service)
}

/// Instances, billing and boost, from annotations.
fn read_scaling(service: &mut FunctionDefinition, part: &Part<'_>, sink: &mut Diagnostics) {
    let mut first = |names: [&str; 3], limit: &str| names.iter().find_map(|name| part.count(name, limit, sink));
    let (least, most) = ("minScale", "maxScale");
    let names = |name: &str| [format!("autoscaling.knative.dev/{name}"), format!("run.googleapis.com/{name}")];
    let ([min_own, min_run], [max_own, max_run]) = (names(least), names(most));
    service.min_instances = first([&min_own, "autoscaling.knative.dev/min-scale", &min_run], "");
    service.max_instances = first([&max_own, "autoscaling.knative.dev/max-scale", &max_run], "max instances");
    if let (Some(min), Some(max)) = (&service.min_instances, &service.max_instances)
        && min.value > max.value
    {
        let message = format!("{} cannot have {} instances at least: the most is {}", part.owner, min.value, max.value);
        sink.push(min.error(message));
    }
    let throttling = part.flag("run.googleapis.com/cpu-throttling", sink);
    service.instance_billing = throttling.map(|throttled| throttled.map(|throttled| !throttled));
    service.startup_boost = part.flag("run.googleapis.com/startup-cpu-boost", sink);
}

/// `containerConcurrency`; 0 leaves it to the platform.
fn read_concurrency(part: &Part<'_>, revision: &Yaml, sink: &mut Diagnostics) -> Option<Stated<u32>> {
    let stated = part.whole("containerConcurrency", sink);
    if stated.is_none() && part.states("containerConcurrency") {
        return None;
    }
    let default =
        || part.default("concurrency per instance", revision).and_then(|value| u32::try_from(value.value).ok());
    match stated.filter(|stated| stated.value > 0) {
        None => default().map(|value| Stated::assumed(value, revision)),
        Some(stated) => {
            let what = format!("`containerConcurrency` of {}", part.owner);
            let fine = part.rules.check((part.service, "concurrency per instance"), &what, &stated, sink);
            count(stated, sink).filter(|_| fine)
        }
    }
}

/// CPU and memory of the container that serves: the one with a port, otherwise the first.
fn read_container(service: &mut FunctionDefinition, part: &Part<'_>, revision: &Yaml, sink: &mut Diagnostics) {
    let containers = revision.get("containers").map_or(&[][..], items);
    let serving = containers.iter().find(|container| container.get("ports").is_some()).or(containers.first());
    let Some(container) = serving else {
        sink.push(revision.error(format!("{} has no container", part.owner)).help("add `containers:`"));
        return;
    };
    let resources = container.get("resources");
    resources.into_iter().for_each(|node| near_misses(node, &["limits", "requests"], &part.owner, sink));
    let limits = resources.and_then(|resources| resources.get("limits"));
    if let Some(limits) = limits {
        near_misses(limits, &["cpu", "memory", "nvidia.com/gpu"], &part.owner, sink);
        for (key, node) in entries(limits).iter().filter(|(key, _)| matches!(key.text.as_str(), "CPU" | "Cpu")) {
            let plain = key.text.to_lowercase();
            let error = Diagnostic::error(format!("{} has no limit `{}`", part.owner, key.text));
            sink.push(error.at(&node.source, key.span).meant(&plain));
        }
    }
    let limit = |name: &str| limits.and_then(|limits| limits.get(name)).filter(|node| !node.is_null());
    let owner = &part.owner;
    service.cpu = match limit("cpu") {
        None => part.default("cpu", container).map(|millis| millis.map(Millicores::new)),
        Some(node) => Millicores::from_node(node, sink).and_then(|cpu| {
            let millis = Stated::new(cpu.get(), node);
            let fine = part.rules.check((part.service, "cpu"), &format!("CPU of {owner}"), &millis, sink);
            fine.then_some(millis.with(cpu))
        }),
    };
    service.memory = match limit("memory") {
        None => part.default("memory", container).map(|mib| mib.map(Bytes::from_mib)),
        Some(node) => Bytes::from_node(node, sink).and_then(|memory| {
            let mib = Stated::new(memory.get().div_ceil(1 << 20), node);
            let fine = part.rules.check((part.service, "memory"), &format!("memory of {owner}"), &mib, sink);
            fine.then_some(mib.with(memory))
        }),
    };
}

/// What the rules of Cloud Run say about several values together.
fn check_together(service: &FunctionDefinition, part: &Part<'_>, sink: &mut Diagnostics) {
    let (Some(cpu), Some(memory)) = (&service.cpu, &service.memory) else { return };
    let millis = cpu.value.get();
    let mib = memory.with(memory.value.get().div_ceil(1 << 20));
    let row = match millis {
        0..500 => 80,
        500..1000 => 500,
        other => other,
    };
    let what = format!("memory of {} with {} vCPU", part.owner, cpu.value.as_cores());
    let pointed = if memory.assumed { cpu.with(mib.value) } else { mib };
    part.rules.check((part.service, &format!("memory with {row} millicores")), &what, &pointed, sink);
    if millis < 1000 {
        let many = service.concurrency.as_ref().filter(|many| many.value > 1);
        if let Some(many) = many {
            let place = if many.assumed { cpu.with(many.value) } else { many.clone() };
            let message = format!("{} with {} vCPU serves one request at a time", part.owner, cpu.value.as_cores());
            sink.push(place.error(message).help("write `containerConcurrency: 1`, or give it 1 CPU"));
        }
        if let Some(billing) = service.instance_billing.as_ref().filter(|billing| billing.value) {
            let message = format!("{} with {} vCPU is billed by request", part.owner, cpu.value.as_cores());
            sink.push(billing.error(message).help("leave out `cpu-throttling: false`, or give it 1 CPU"));
        }
    }
    let Some(gpu) = &service.gpu else { return };
    let what = format!("{} with a GPU", part.owner);
    if gpu.value == GPUS[0] {
        part.rules.check((part.service, "cpu with a GPU"), &format!("CPU of {what}"), &cpu.with(millis), sink);
        let mib = memory.with(memory.value.get().div_ceil(1 << 20));
        part.rules.check((part.service, "memory with a GPU"), &format!("memory of {what}"), &mib, sink);
    }
    if service.instance_billing.as_ref().is_none_or(|billing| !billing.value) {
        let message = format!("{what} is billed while its instances are up");
        sink.push(gpu.error(message).help("add the annotation `run.googleapis.com/cpu-throttling: 'false'`"));
    }
}
