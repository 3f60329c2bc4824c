//! The platform of a service, and what it settles of the service.

use std::path::Path;

use super::function_file;
use super::price::{Paid, PriceFact, Sources};
use crate::cluster::dispatch::FREE_SLOTS;
use crate::cluster::{DemandModel, ServiceDefaults, ServiceSpec};
use crate::config::{Diagnostics, Fields, Plugin};
use crate::engine::ReplicaLease;
use crate::platform::{Form, PLATFORMS, PlatformFactory};

/// Reads `platform:`. Without one nothing is settled. `on_nodes` says whether the scenario has nodes.
pub(super) fn read(
    fields: &Fields<'_>,
    (base_dir, on_nodes): (&Path, bool),
    sink: &mut Diagnostics,
) -> (Option<PlatformFactory>, Form) {
    fields.default_is("platform", PLATFORMS[0].name.to_string());
    let Some(node) = fields.node_of("platform") else {
        free_slots(fields, sink);
        return (None, Form::default());
    };
    // After an error nothing else is said of what the platform would have settled.
    let mistaken = || (None, Form { concurrency: Some(1), ..Form::default() });
    let Some((plugin, parameters)) = Plugin::stated(PLATFORMS, "platform", node, sink) else { return mistaken() };
    let Some(parameters) = function_file::with_file(plugin.name, &parameters, base_dir, sink) else {
        return mistaken();
    };
    let Some(stated) = (plugin.build)(&parameters, sink) else { return mistaken() };
    let form = stated.form;
    let pulls = (stated.factory)().ingress().pulls();
    if !pulls {
        free_slots(fields, sink);
    }
    if on_nodes && form.standing.is_some() {
        let error = node.error(format!("`{}` needs no nodes, but the scenario has pools of them", plugin.name));
        sink.push(error.help("leave `nodes` out, and price the replicas of a Deployment by `price:`"));
    }
    let settled = [
        ("concurrency", form.concurrency.is_some()),
        ("replicas", form.standing.is_some()),
        ("resources", form.memory.is_some() || form.cpu.is_some()),
        ("start-up", form.start_up.is_some()),
        ("dispatch", form.dispatch.is_some()),
        ("queue-limit", pulls),
        ("service-model", pulls),
    ];
    for (name, _) in settled.iter().filter(|(_, settled)| *settled) {
        let Some(stated) = fields.node().get(name) else { continue };
        let error = stated.error(format!("`{name}` is settled by the platform `{}`", plugin.name));
        sink.push(error.help("leave it out; the platform's parameters are stated below `platform:`"));
    }
    (Some(stated.factory), form)
}

/// Reports a dispatcher that looks for free slots where requests wait at replicas.
fn free_slots(fields: &Fields<'_>, sink: &mut Diagnostics) {
    let Some(node) = fields.node().get("dispatch") else { return };
    if let Some(name) = node.as_text().filter(|name| FREE_SLOTS.contains(name)) {
        let error = node.error(format!("`{name}` looks for a free slot, but here requests wait at the replicas"));
        sink.push(
            error.help("choose `least-loaded`, or a platform on which requests start replicas, such as `on-demand`"),
        );
    }
}

/// The defaults of a service with what its platform settles.
pub(super) fn defaults(given: ServiceDefaults, form: &Form) -> ServiceDefaults {
    ServiceDefaults {
        replicas: form.standing.or(given.replicas),
        concurrency: form.concurrency.or(given.concurrency),
        cpu_request: form.cpu.or(given.cpu_request),
        // The CPU of one request at a time is a matter of speed (`stretch`); several share it.
        cpu_limit: form.cpu.filter(|_| form.concurrency != Some(1)).or(given.cpu_limit),
        memory_request: form.memory.or(given.memory_request),
        start_up: form.start_up.clone().or(given.start_up),
        dispatch: form.dispatch.or(given.dispatch),
        ..given
    }
}

/// Lets the CPU part of the service time take longer or shorter than where it was measured. All of it is CPU time unless
/// `cpu-per-request` says how much.
pub(super) fn stretch(spec: &mut ServiceSpec, form: &Form, cpu_stated: bool) {
    let Some(stretch) = form.stretch else { return };
    let share = match (&spec.demand, cpu_stated) {
        (DemandModel::Drawn(_), true) => spec.cpu_per_busy_second.clamp(0.0, 1.0),
        _ => 1.0,
    };
    spec.speed = stretch.speed(share);
}

/// What the platform costs at list prices.
pub(super) fn paid(form: &Form, spec: &ServiceSpec, sources: &mut Sources) -> Paid {
    let price = &form.price;
    let Some((_, row)) = price.rows.first() else { return Paid::default() };
    let what = format!("{} on {} ({})", spec.name, row.service, row.region);
    for (item, row) in &price.rows {
        sources.facts.push(PriceFact {
            what: item.map_or_else(|| what.clone(), |item| format!("{}, {}", spec.name, item.unit())),
            provider: row.provider.clone(),
            region: row.region.clone(),
            source: row.source.source.clone(),
            date: row.source.date.clone(),
            stale: false,
            policy: None,
        });
    }
    let lease = price.standing.map(|(price, billing)| ReplicaLease { what: what.clone(), price, billing });
    Paid { lease, leases_extra: price.extra.is_some(), bought: None, usage: price.usage.clone() }
}
