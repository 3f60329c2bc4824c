//! How much of a node is used, by which nodes become candidates for removal
//! (kubernetes/autoscaler `cluster-autoscaler/simulator/utilization`, of 1.36).

/// The resource of GPUs.
pub const GPU: &str = "nvidia.com/gpu";
/// How long after its grace period a pod that is being deleted no longer counts, in seconds.
const LONG_TERMINATING: i64 = 30;
/// The grace period of a pod that states none, in seconds.
const GRACE: i64 = 30;

/// Amounts of the three resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amounts {
    /// Thousandths of a core.
    pub cpu: i64,
    /// Bytes.
    pub memory: i64,
    /// GPUs.
    pub gpu: i64,
}

/// What kind of pod it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PodKind {
    /// Any other.
    Plain,
    /// Of a DaemonSet.
    Daemon,
    /// A mirror of a static pod.
    Mirror,
}

/// A pod on the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pod {
    /// Kind.
    pub kind: PodKind,
    /// Requests.
    pub requests: Amounts,
    /// How long ago it was deleted, in seconds; `None` if it is not.
    pub deleted: Option<i64>,
    /// Its grace period, in seconds; `None` for the default.
    pub grace: Option<i64>,
}

/// What a node has for pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allocatable {
    /// Thousandths of a core.
    pub cpu: i64,
    /// Bytes.
    pub memory: i64,
    /// GPUs of a GPU node, `Some(None)` if it does not offer them (yet); `None` for another node.
    pub gpu: Option<Option<i64>>,
}

/// Which pods are taken off the node instead of counting as use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Skipped {
    /// Those of DaemonSets (`--ignore-daemonsets-utilization`).
    pub daemons: bool,
    /// Mirror pods (`--ignore-mirror-pods-utilization`).
    pub mirrors: bool,
}

/// Shares used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Utilization {
    /// Of CPU; zero for a GPU node.
    pub cpu: f64,
    /// Of memory; zero for a GPU node.
    pub memory: f64,
    /// Of GPUs.
    pub gpu: f64,
    /// The resource that decides.
    pub resource: &'static str,
    /// Its share.
    pub share: f64,
}

/// The utilization of a node: of a GPU node that of its GPUs, else the larger of CPU and memory. `None` if a node has no CPU
/// or no memory. Not a number or infinite if pods that are taken off leave nothing.
pub fn utilization(allocatable: &Allocatable, pods: &[Pod], skipped: Skipped) -> Option<Utilization> {
    if let Some(gpus) = allocatable.gpu {
        let gpu = gpus.and_then(|has| share(has, pods, skipped, |requests| requests.gpu)).unwrap_or(0.0);
        return Some(Utilization { cpu: 0.0, memory: 0.0, gpu, resource: GPU, share: gpu });
    }
    // In thousandths, as upstream divides them.
    let cpu = share(allocatable.cpu, pods, skipped, |requests| requests.cpu)?;
    let memory = share(allocatable.memory, pods, skipped, |requests| requests.memory)?;
    let (resource, share) = if cpu > memory { ("cpu", cpu) } else { ("memory", memory) };
    Some(Utilization { cpu, memory, gpu: 0.0, resource, share })
}

fn share(has: i64, pods: &[Pod], skipped: Skipped, of: fn(&Amounts) -> i64) -> Option<f64> {
    if has == 0 {
        return None;
    }
    let (mut used, mut left) = (0_i64, has);
    for pod in pods {
        let requested = of(&pod.requests);
        let is_gone = |ago: i64| ago > pod.grace.unwrap_or(GRACE).saturating_add(LONG_TERMINATING);
        if matches!((pod.kind, skipped), (PodKind::Daemon, Skipped { daemons: true, .. }))
            || matches!((pod.kind, skipped), (PodKind::Mirror, Skipped { mirrors: true, .. }))
        {
            left = left.saturating_sub(requested);
        } else if !pod.deleted.is_some_and(is_gone) {
            used = used.saturating_add(requested);
        }
    }
    Some(used as f64 / left as f64)
}
