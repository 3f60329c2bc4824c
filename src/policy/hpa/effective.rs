//! Effective thresholds: targets combined with their tolerance.

use super::reconcile::Hpa;
use super::spec::{HpaSpec, MetricSpec, Target};
use crate::units::Quantity;

/// What the autoscaler acts on, as (name, value): its bounds, the thresholds beyond which each metric scales, and its
/// timing.
pub(super) fn effective(hpa: &Hpa) -> Vec<(String, String)> {
    let (spec, flags) = (hpa.spec(), hpa.flags());
    let mut all = vec![("replicas".to_string(), format!("{} to {}", spec.min_replicas, spec.max_replicas))];
    let (up, down) = tolerances(spec, flags.tolerance);
    for metric in &spec.metrics {
        let Some(target) = metric.target() else { continue };
        let name = match metric {
            MetricSpec::ContainerResource { container, .. } => format!("{} of container {container}", metric.name()),
            _ => metric.name().to_string(),
        };
        let (at, above, below) = match target {
            Target::Utilization(percent) => (
                format!("{percent}% of the request"),
                format!("{}%", trimmed(f64::from(percent) * (1.0 + up))),
                format!("{}%", trimmed(f64::from(percent) * (1.0 - down))),
            ),
            Target::AverageValue(value) | Target::Value(value) => {
                let scaled =
                    |factor: f64| Quantity::from_millis((value.millis() as f64 * factor).round() as i64).to_string();
                let per = if matches!(target, Target::AverageValue(_)) { " per pod" } else { " in all" };
                (format!("{value}{per}"), scaled(1.0 + up), scaled(1.0 - down))
            }
            Target::Missing => continue,
        };
        all.push((name, format!("target {at}: scales up above {above}, down below {below}")));
    }
    all.push(("tolerance".into(), format!("{}% up, {}% down", trimmed(100.0 * up), trimmed(100.0 * down))));
    all.push(("sync period".into(), flags.sync_period.to_string()));
    let window = spec.behavior.as_ref().and_then(|behavior| behavior.scale_down.stabilization_window);
    all.push(("scale-down window".into(), window.unwrap_or(flags.downscale_stabilization).to_string()));
    all
}

/// The tolerance up and down: that of the direction, else the controller's.
pub(super) fn tolerances(spec: &HpaSpec, usual: f64) -> (f64, f64) {
    let own = spec.behavior.as_ref();
    let up = own.and_then(|behavior| behavior.scale_up.tolerance).unwrap_or(usual);
    let down = own.and_then(|behavior| behavior.scale_down.tolerance).unwrap_or(usual);
    (up, down)
}

fn trimmed(number: f64) -> String {
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}
