//! Google Cloud Run: instances with many requests at once, added when no slot is free or as the last minute's concurrency asks for.

use super::list_price::{Prices, limit_of};
use super::on_demand::{
    Rules, Standing, Target, at_least_one, dispatcher, of_a_file, opened, read_keep, read_start_up, standing_of,
};
use super::{Form, ListPrice, PlatformPlugin, Stated};
use crate::billing::{Item, UseTariff};
use crate::catalog::{Billing, function_rules};
use crate::config::{Diagnostics, Fields, Plugin, Yaml, one_of};
use crate::random::Distribution;
use crate::units::{Bytes, Millicores, SimDuration, UsdPerHour, Utilization};

/// The entry in the list of platforms.
pub(super) const PLUGIN: PlatformPlugin = Plugin {
    name: "cloud-run",
    summary: "Google Cloud Run: instances with up to 1,000 requests at once, kept for 15 minutes; billed per request or per instance",
    source: "Google Cloud documentation: Cloud Run autoscaling, quotas and pricing, read 2026-11",
    build: read,
};

/// An instance without requests is kept up to 15 minutes.
const KEEP: f64 = 900.0;
/// The share of the slots that are to be used, over a minute.
const TARGET: Utilization = Utilization::from_percent(60);
/// How often the autoscaler looks.
const REVIEW: SimDuration = SimDuration::from_secs(5);

/// What is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Paid {
    /// Time in which an instance has requests.
    Requests,
    /// Time in which an instance is there.
    Instances,
}

fn read(parameters: &Yaml, sink: &mut Diagnostics) -> Option<Stated> {
    let node = opened(parameters);
    let fields = Fields::open(&node, PLUGIN.name, sink)?;
    of_a_file(&fields);
    let cpu: Millicores = fields.or("cpu", Millicores::new(1000), sink);
    let memory: Bytes = fields.or("memory", Bytes::from_mib(512), sink);
    let slots = at_least_one(&fields, "concurrency", limit_of("cloud-run", "concurrency per instance", 80), sink);
    let limit = function_rules().limit("cloud-run", "concurrency per instance");
    if let (Some(limit), Some(node)) =
        (limit.filter(|limit| !limit.allowed.allows(slots.into())), fields.node_of("concurrency"))
    {
        let error = node.error(format!("an instance has {} requests at once, not {slots}", limit.allowed.words()));
        sink.push(error.note(limit.origin()));
    }
    let start_up = read_start_up(&fields, sink);
    let keep = read_keep(&fields, Distribution::Constant { value: KEEP }, None, sink);
    let least: u32 = fields.or("min-instances", 0, sink);
    let most = at_least_one(&fields, "max-instances", 100, sink);
    fields.default_is("billing", "request".to_string());
    let paid = match fields.node_of("billing") {
        Some(node) => {
            one_of(node, "a kind of billing", &[("request", Paid::Requests), ("instance", Paid::Instances)], sink)?
        }
        None => Paid::Requests,
    };
    let gpu = match fields.node_of("gpu") {
        Some(node) => Some(one_of(node, "a GPU of Cloud Run", &[("l4", "GPU L4, no zonal redundancy")], sink)?),
        None => None,
    };
    check(&fields, (cpu, memory), (least, paid, gpu), sink);
    let hold =
        (at_least_one(&fields, "hold", u32::MAX, sink), fields.or("hold-for", SimDuration::from_secs(300), sink));
    let prices = Prices::read(&fields, ("gcp", "cloud-run"), "us-central1", sink);
    fields.finish(sink);
    let rules = Rules {
        hold,
        bound: false,
        throttles: false,
        most,
        pace: None,
        keep,
        cancels: false,
        standing: Standing::Fixed(least),
        slots,
        target: Some(Target { share: TARGET, slots }),
        review: Some(REVIEW),
        title: format!("Cloud Run, instances of {cpu} vCPU and {memory} with {slots} requests at once"),
    };
    let price = list_price(prices?, (cpu, memory), paid, gpu);
    if price.is_none() {
        sink.push(node.error("the catalogue lacks a price of cloud-run there"));
    }
    let form = Form {
        concurrency: Some(slots),
        cpu: Some(cpu),
        memory: Some(memory),
        stretch: None,
        start_up: Some(start_up?),
        standing: Some(standing_of(&rules)),
        dispatch: Some(dispatcher("least-loaded")),
        price: price?,
    };
    Some(Stated { factory: rules.into_factory(), form })
}

/// Reports what Cloud Run does not offer together.
fn check(
    fields: &Fields<'_>,
    (cpu, memory): (Millicores, Bytes),
    (least, paid, gpu): (u32, Paid, Option<&str>),
    sink: &mut Diagnostics,
) {
    let at = |name: &str| fields.node().get(name).unwrap_or(fields.node());
    if least > 0 && paid == Paid::Requests {
        let error = at("min-instances")
            .error("the price of an idle instance under request-based billing is not in the catalogue");
        sink.push(error.help("set `billing: instance`"));
    }
    if gpu.is_some() && paid == Paid::Requests {
        sink.push(at("gpu").error("GPUs are billed by instance only").help("add `billing: instance`"));
    }
    if gpu.is_some() && (cpu < Millicores::new(4000) || memory < Bytes::from_mib(16 * 1024)) {
        sink.push(
            at("gpu")
                .error("an instance with a GPU has at least 4 vCPU and 16 GiB")
                .help("set `cpu: 4` and `memory: 16Gi`"),
        );
    }
}

/// CPU and memory while an instance has requests, in steps of 100 ms, and requests; or every instance for as long as it is there.
fn list_price(
    mut prices: Prices,
    (cpu, memory): (Millicores, Bytes),
    paid: Paid,
    gpu: Option<&str>,
) -> Option<ListPrice> {
    let step = Billing { granularity: SimDuration::from_millis(100), minimum: SimDuration::ZERO };
    if paid == Paid::Instances {
        let gib = memory.get() as f64 / (1u64 << 30) as f64;
        let mut nanos = prices.per_hour("CPU, instance-based (always allocated)", cpu.as_cores())?.as_nanos()
            + prices.per_hour("memory, instance-based", gib)?.as_nanos();
        if let Some(meter) = gpu {
            nanos += prices.per_hour(meter, 1.0)?.as_nanos();
        }
        let lease = Some((UsdPerHour::from_nanos(nanos), step));
        return Some(ListPrice { standing: lease, extra: lease, usage: None, rows: prices.used });
    }
    let charges = vec![
        prices.charge("requests", Item::Requests, 0)?,
        prices.charge("CPU, request-based", Item::VcpuSeconds, 0)?,
        prices.charge("memory, request-based", Item::GibSeconds, 0)?,
    ];
    let usage = UseTariff { charges, rounding: step, by_activity: true, starts: true, memory, cpu };
    Some(ListPrice { standing: None, extra: None, usage: Some(usage), rows: prices.used })
}
