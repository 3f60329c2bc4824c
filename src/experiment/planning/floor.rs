//! How far the target of an autoscaler can be raised before no replica can reach it.

use crate::cluster::{Ceiling, ServiceSpec};
use crate::engine::{RunError, ServiceRun};
use crate::policy::hpa::spec::{MetricSpec, Resource, Target};
use crate::scenario::Scenario;

/// The smallest headroom that the targets of a policy can express.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Floor {
    /// Factor on the stated headroom, without unit.
    pub factor: f64,
    /// The reason, in a sentence.
    pub why: String,
}

/// The smallest factor on a policy's headroom at which a replica under full load still exceeds the CPU targets of its
/// autoscalers by their tolerance; below it they would never scale up. `None` if nothing limits the CPU of a replica or
/// no target is about CPU.
///
/// # Errors
/// If a trace cannot be opened.
pub(super) fn floor(scenario: &Scenario, policy: usize) -> Result<Option<Floor>, RunError> {
    let services = scenario.run_spec(policy, 0)?.services;
    let floors = services.iter().filter_map(|own| of_service(scenario, own));
    Ok(floors.max_by(|a, b| a.factor.total_cmp(&b.factor)))
}

fn of_service(scenario: &Scenario, own: &ServiceRun) -> Option<Floor> {
    let (spec, autoscaler) = (&own.spec, own.policy.autoscaler()?);
    let ceiling = highest_ceiling(scenario, spec)?;
    let tolerance = own.policy.scale_up_tolerance()?;
    let of_metric = |metric: &MetricSpec| {
        let (request, target) = match metric {
            MetricSpec::Resource { resource: Resource::Cpu, target } => (spec.cpu_request, target),
            MetricSpec::ContainerResource { resource: Resource::Cpu, container, target } => {
                let serving = spec.pod.containers.get(spec.pod.serving)?;
                let is_serving = serving.name.is_empty() || serving.name == *container;
                (serving.cpu.filter(|_| is_serving), target)
            }
            _ => return None,
        };
        let (cores, most) = match target {
            Target::Utilization(percentage) => {
                let request = request?.as_cores();
                let most = percent(ceiling.cpu.as_cores() / request);
                (f64::from(*percentage) / 100.0 * request, format!("{most} of its request"))
            }
            Target::AverageValue(value) => {
                (value.millis() as f64 / 1000.0, format!("{} cores", ceiling.cpu.as_cores()))
            }
            Target::Value(_) | Target::Missing => return None,
        };
        let factor = cores * (1.0 + tolerance) / ceiling.cpu.as_cores();
        let why = format!(
            "a replica of {} uses at most {most} ({}), and a CPU target has to stay below that by the tolerance of {}",
            spec.name,
            ceiling.bound.words(),
            percent(tolerance)
        );
        factor.is_finite().then_some(Floor { factor, why })
    };
    autoscaler.metrics.iter().filter_map(of_metric).max_by(|a, b| a.factor.total_cmp(&b.factor))
}

/// The highest CPU limit of a replica over the nodes it may run on; `None` if it is unlimited on some of them.
fn highest_ceiling(scenario: &Scenario, spec: &ServiceSpec) -> Option<Ceiling> {
    if scenario.pools.is_empty() {
        return spec.ceiling(None);
    }
    let all: Option<Vec<Ceiling>> = spec.hosts(&scenario.pools).map(|pool| spec.ceiling(Some(pool.cores))).collect();
    all?.into_iter().max_by_key(|ceiling| ceiling.cpu)
}

/// A share in per cent, rounded to a tenth, without trailing zeros.
fn percent(share: f64) -> String {
    format!("{:.1}%", 100.0 * share).replace(".0%", "%")
}
