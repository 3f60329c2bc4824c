//! A `HorizontalPodAutoscaler` as a manifest for `kubectl apply`.

use std::fmt::Write;

use super::spec::{Amount, HpaSpec, MetricSpec, Resource, RulesSpec, SelectPolicy, Target};
use crate::units::Quantity;

impl HpaSpec {
    /// The specification with every load target divided by `factor`, rounded to the nearest value that a manifest can
    /// express and above zero. Memory is not load and keeps its target.
    pub fn with_headroom(&self, factor: f64) -> HpaSpec {
        let divided = |target: Target| match target {
            Target::Utilization(percent) => {
                Target::Utilization((f64::from(percent) / factor).round().clamp(1.0, f64::from(u32::MAX)) as u32)
            }
            Target::AverageValue(value) => Target::AverageValue(divide(value, factor)),
            Target::Value(value) => Target::Value(divide(value, factor)),
            Target::Missing => Target::Missing,
        };
        let mut spec = self.clone();
        for metric in &mut spec.metrics {
            match metric {
                MetricSpec::Resource { resource: Resource::Memory, .. }
                | MetricSpec::ContainerResource { resource: Resource::Memory, .. }
                | MetricSpec::Unsupported { .. } => {}
                MetricSpec::Resource { target, .. }
                | MetricSpec::ContainerResource { target, .. }
                | MetricSpec::Pods { target, .. }
                | MetricSpec::Object { target, .. }
                | MetricSpec::External { target, .. } => *target = divided(*target),
            }
        }
        spec
    }

    /// An autoscaling/v2 object named `name` that scales the Deployment `name`. `None` if a metric refers to an object
    /// that the simulation does not keep, so that it cannot be written back.
    pub fn manifest(&self, name: &str) -> Option<String> {
        let name = quoted(name);
        let mut text = format!(
            "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata:\n  name: {name}\nspec:\n  scaleTargetRef:\n    \
             apiVersion: apps/v1\n    kind: Deployment\n    name: {name}\n  minReplicas: {}\n  maxReplicas: {}\n",
            self.min_replicas, self.max_replicas
        );
        if !self.metrics.is_empty() {
            text.push_str("  metrics:\n");
        }
        for metric in &self.metrics {
            text.push_str(&metric_text(metric)?);
        }
        if let Some(behavior) = &self.behavior {
            let (up, down) = (rules_text(&behavior.scale_up), rules_text(&behavior.scale_down));
            if !(up.is_empty() && down.is_empty()) {
                text.push_str("  behavior:\n");
            }
            for (name, rules) in [("scaleUp", up), ("scaleDown", down)] {
                if !rules.is_empty() {
                    let _ = write!(text, "    {name}:\n{rules}");
                }
            }
        }
        Some(text)
    }
}

fn divide(value: Quantity, factor: f64) -> Quantity {
    let millis = value.millis() as f64 / factor;
    Quantity::from_millis((millis.round() as i64).max(1))
}

/// A string quoted so that YAML reads it as a string.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn metric_text(metric: &MetricSpec) -> Option<String> {
    let target = |target: &Target| match target {
        Target::Utilization(percent) => format!("{{ type: Utilization, averageUtilization: {percent} }}"),
        Target::AverageValue(value) => format!("{{ type: AverageValue, averageValue: \"{value}\" }}"),
        Target::Value(value) => format!("{{ type: Value, value: \"{value}\" }}"),
        // Only for Object metrics, which are not written.
        Target::Missing => String::new(),
    };
    let metric_of = |name: &str| format!("metric: {{ name: {} }}", quoted(name));
    let (kind, body) = match metric {
        MetricSpec::Resource { resource, target: own } => {
            ("resource", format!("name: {}\n        target: {}", resource.name(), target(own)))
        }
        MetricSpec::ContainerResource { resource, container, target: own } => (
            "containerResource",
            format!(
                "name: {}\n        container: {}\n        target: {}",
                resource.name(),
                quoted(container),
                target(own)
            ),
        ),
        MetricSpec::Pods { metric, target: own } => {
            ("pods", format!("{}\n        target: {}", metric_of(metric), target(own)))
        }
        MetricSpec::External { metric, target: own } => {
            ("external", format!("{}\n        target: {}", metric_of(metric), target(own)))
        }
        MetricSpec::Object { .. } | MetricSpec::Unsupported { .. } => return None,
    };
    Some(format!("    - type: {}\n      {kind}:\n        {body}\n", metric.kind()))
}

fn rules_text(rules: &RulesSpec) -> String {
    let mut text = String::new();
    if let Some(window) = rules.stabilization_window {
        let _ = writeln!(text, "      stabilizationWindowSeconds: {}", window.as_secs_f64().round() as u64);
    }
    if let Some(select) = rules.select_policy {
        let name = match select {
            SelectPolicy::Max => "Max",
            SelectPolicy::Min => "Min",
            SelectPolicy::Disabled => "Disabled",
        };
        let _ = writeln!(text, "      selectPolicy: {name}");
    }
    if let Some(tolerance) = rules.tolerance {
        let _ = writeln!(text, "      tolerance: \"{}\"", Quantity::from_millis((tolerance * 1000.0).round() as i64));
    }
    if let Some(policies) = &rules.policies {
        text.push_str("      policies:\n");
        for policy in policies {
            let (kind, value) = match policy.amount {
                Amount::Pods(pods) => ("Pods", pods),
                Amount::Percent(percent) => ("Percent", percent),
            };
            let seconds = policy.period.as_secs_f64().round() as u64;
            let _ = writeln!(text, "        - {{ type: {kind}, value: {value}, periodSeconds: {seconds} }}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::read_manifest;
    use super::*;
    use crate::config::kubernetes::Manifests;
    use crate::config::{Diagnostics, SourceFile};

    #[test]
    fn what_is_written_is_read_the_same() {
        let text = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: { name: web }\nspec:\n  \
            scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: web }\n  minReplicas: 2\n  maxReplicas: 40\n  metrics:\n  \
            - { type: Resource, resource: { name: cpu, target: { type: Utilization, averageUtilization: 60 } } }\n  \
            - { type: Resource, resource: { name: memory, target: { type: AverageValue, averageValue: 1500Mi } } }\n  \
            - { type: Pods, pods: { metric: { name: request-rate }, target: { type: AverageValue, averageValue: 12500m } } }\n  \
            behavior:\n    scaleUp: { stabilizationWindowSeconds: 30, policies: [ { type: Pods, value: 4, periodSeconds: 60 } ], selectPolicy: Min }\n    \
            scaleDown: { selectPolicy: Disabled, policies: [ { type: Percent, value: 10, periodSeconds: 60 } ] }\n";
        let read = |text: &str| {
            let mut found = Diagnostics::new();
            let manifests = Manifests::parse(&SourceFile::new("hpa.yaml", text), &mut found).unwrap();
            let hpa = read_manifest(&manifests.objects[0], &mut found).unwrap_or_else(|| panic!("{found}"));
            assert!(found.is_empty(), "{found}");
            hpa
        };
        let first = read(text);
        let second = read(&first.spec.manifest("web").unwrap());
        assert_eq!((&second.spec, second.target.as_str()), (&first.spec, "web"));
        let with = first.spec.with_headroom(1.5);
        let cpu = MetricSpec::Resource { resource: Resource::Cpu, target: Target::Utilization(40) };
        assert_eq!((&with.metrics[0], &with.metrics[1]), (&cpu, &first.spec.metrics[1]), "memory is no load");
    }
}
