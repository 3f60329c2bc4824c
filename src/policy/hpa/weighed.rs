//! The figures compared in a reconciliation.

use super::calculator::Proposal;
use super::reconcile::{Hpa, ReconcileOutcome, Reconciliation};
use super::spec::{MetricSpec, Resource, Target};
use crate::policy::{Compared, Gauge, Weighed};
use crate::units::Quantity;

/// What a reconciliation compared. If a metric failed on the way down, the proposal of the others is included although
/// it was not applied.
pub(in crate::policy) fn weighed(hpa: &Hpa, run: &Reconciliation) -> Weighed {
    let proposal = |index: usize| run.proposals.get(index).and_then(|proposal| proposal.as_ref().ok().copied());
    let metrics = hpa.spec().metrics.iter().enumerate();
    let metrics = metrics.filter_map(|(index, metric)| compared(hpa, metric, proposal(index))).collect();
    let (wanted, stabilized) = match run.outcome {
        ReconcileOutcome::Evaluated { wanted, stabilized, .. } => (Some(wanted), Some(stabilized)),
        ReconcileOutcome::InvalidMetrics(_) => {
            (run.proposals.iter().filter_map(|p| p.as_ref().ok()).map(|p| p.replicas).max(), None)
        }
        _ => (None, None),
    };
    Weighed { metrics, wanted, stabilized }
}

/// A metric compared with its target; `None` if it has none.
fn compared(hpa: &Hpa, metric: &MetricSpec, proposal: Option<Proposal>) -> Option<Compared> {
    let (target, resource) = match metric {
        MetricSpec::Resource { target, resource } | MetricSpec::ContainerResource { target, resource, .. } => {
            (target, Some(*resource))
        }
        MetricSpec::Pods { target, .. } | MetricSpec::Object { target, .. } | MetricSpec::External { target, .. } => {
            (target, None)
        }
        MetricSpec::Unsupported { .. } => return None,
    };
    let amount = |value: Quantity| value.millis() as f64 / 1000.0;
    // A total divided by zero pods is the largest number, which was never measured.
    let measured = proposal.map(|p| p.value).filter(|value| *value != Quantity::MAX).map(amount);
    let (gauge, per_pod, value, target) = match target {
        Target::Utilization(percent) => {
            let share = proposal.and_then(|p| p.utilization).map(|percent| percent as f64 / 100.0);
            (Gauge::Share, false, share, f64::from(*percent) / 100.0)
        }
        Target::AverageValue(value) | Target::Value(value) => {
            let gauge = if resource == Some(Resource::Memory) { Gauge::Bytes } else { Gauge::Number };
            (gauge, matches!(target, Target::AverageValue(_)), measured, amount(*value))
        }
        Target::Missing => return None,
    };
    let tolerance = hpa.tolerance();
    let tolerated = ((1.0 - tolerance.down) * target, (1.0 + tolerance.up) * target);
    let name = match metric {
        MetricSpec::ContainerResource { container, .. } => format!("{} of {container}", metric.name()),
        _ => metric.name().to_string(),
    };
    Some(Compared { name, gauge, per_pod, value, target, tolerated })
}
