//! The CPU ceiling of a service's replicas, once price and nodes are known.

use crate::cluster::{Bought, CpuUse, NodePool, ServiceSpec};
use crate::config::{Diagnostics, Yaml};
use crate::serving::{CpuUnderLoad, Serving};
use crate::units::Millicores;

/// Sets in `spec` the CPU that its price pays for and, if nothing is stated about CPU, a CPU use that no ceiling slows
/// down. Reports it if a full replica would need more than its ceiling.
pub(super) fn settle(
    node: &Yaml,
    spec: &mut ServiceSpec,
    bought: Option<Bought>,
    pools: &[NodePool],
    sink: &mut Diagnostics,
) {
    spec.cpu_bought = bought;
    let place = |name: &str| node.get(name).unwrap_or(node);
    let cores: Vec<Option<Millicores>> = match pools {
        [] => vec![None],
        pools => spec.hosts(pools).map(|pool| Some(pool.cores)).collect(),
    };
    let ceilings = cores.into_iter().filter_map(|cores| spec.ceiling(cores));
    let Some(least) = ceilings.min_by_key(|ceiling| ceiling.cpu) else {
        if spec.model.cpu() == CpuUnderLoad::All {
            let error = place("service-model")
                .error("processor sharing needs CPU to share, but nothing limits a replica's CPU");
            sink.push(error.help("add `resources: { limits: { cpu: 1 } }`, a price by size, or `nodes:`"));
        }
        return;
    };
    let (cpu, words) = (least.cpu.as_cores(), least.bound.words());
    if spec.cpu_idle >= cpu {
        let message = format!("an idle replica uses {} cores but has at most {cpu} ({words})", spec.cpu_idle);
        sink.push(place("cpu-idle").error(message).help("no CPU is left for requests"));
        return;
    }
    if spec.pod.cpu_use == CpuUse::OneCore {
        let most = (cpu - spec.cpu_idle) / f64::from(spec.concurrency);
        spec.cpu_per_busy_second = spec.cpu_per_busy_second.min(most);
    }
    let full = (cpu - spec.cpu_idle) / spec.cpu_per_busy_second;
    if spec.model.cpu() == CpuUnderLoad::Part && full < f64::from(spec.concurrency) * (1.0 - 1e-6) {
        let need = spec.full_need();
        let message = format!("a full replica would use {need:.3} cores but has at most {cpu} ({words})");
        let help = if full < 1.0 {
            "even a single request is slowed down: give the replica more CPU, or check `cpu-per-request` and `service-time`"
                .to_string()
        } else {
            let full = (full * 1e3).floor() / 1e3;
            format!("with more than {full} requests in service, all are slowed down: lower the concurrency or add CPU")
        };
        sink.push(place("concurrency").warning(message).help(help));
    }
}
