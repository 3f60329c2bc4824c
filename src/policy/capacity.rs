//! Reads the `capacity` of one replica, for policies that work with request rates.

use crate::config::{Diagnostics, Fields, FromNode};
use crate::units::{Rate, SimDuration, Utilization};

/// Requests per second that one replica serves: given directly, or as utilization * concurrency / service time
/// (Little's law).
pub(super) fn read_capacity(fields: &Fields<'_>, sink: &mut Diagnostics) -> Option<f64> {
    let Some(node) = fields.node_of("capacity") else {
        let error = fields.node().error("`capacity` is missing: how many requests does one replica serve?");
        sink.push(
            error.help("add `capacity: 40/s` or `capacity: { concurrency: 4, service-time: 120ms, utilization: 70% }`"),
        );
        return None;
    };
    let capacity = if node.as_text().is_some() {
        Rate::from_node(node, sink)?.get()
    } else {
        let fields = Fields::open(node, "capacity", sink)?;
        let concurrency: Option<u32> = fields.required("concurrency", sink);
        let service_time: Option<SimDuration> = fields.required("service-time", sink);
        let utilization: Option<Utilization> = fields.required("utilization", sink);
        fields.finish(sink);
        utilization?.get() * f64::from(concurrency?) / service_time?.as_secs_f64()
    };
    if capacity > 0.0 && capacity.is_finite() {
        return Some(capacity);
    }
    sink.push(node.error("the capacity of a replica must be positive and finite"));
    None
}
