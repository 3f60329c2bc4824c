//! Triggers: what they measure, their targets, and from when they are active.

use super::cron::Cron;
use crate::config::{Diagnostics, Fields, FromNode, Key, Yaml, not_one_of};
use crate::policy::hpa::spec::{MetricSpec, Resource, Target};
use crate::policy::{Measure, PolicyContext, measure_named};
use crate::units::Quantity;

/// What is known of a type of trigger.
#[derive(Debug, Clone, Copy)]
pub struct TriggerKind {
    /// Its name.
    pub name: &'static str,
    /// Keys of its metadata that may state the target, the first that is given counting.
    pub targets: &'static [&'static str],
    /// The key that states from when it is active.
    pub activation: &'static str,
    /// The target where none is stated; `None` if it must be.
    pub usual: Option<f64>,
    /// What it stands for in a simulation; `None` if its query says so, or `measures:`.
    pub measure: Option<Measure>,
}

/// The types of triggers that are measured, besides `cron`, `cpu` and `memory`.
pub const TRIGGERS: &[TriggerKind] = &[
    kind("activemq", &["targetQueueSize"], "activationTargetQueueSize", Some(10.0), Some(Measure::Outstanding)),
    kind("artemis-queue", &["queueLength"], "activationQueueLength", Some(10.0), Some(Measure::Outstanding)),
    kind("aws-cloudwatch", &["targetMetricValue"], "activationTargetMetricValue", None, None),
    kind("aws-sqs-queue", &["queueLength"], "activationQueueLength", Some(5.0), Some(Measure::Outstanding)),
    kind("azure-queue", &["queueLength"], "activationQueueLength", Some(5.0), Some(Measure::QueueLength)),
    kind("azure-servicebus", &["messageCount"], "activationMessageCount", Some(5.0), Some(Measure::QueueLength)),
    kind("datadog", &["targetValue", "queryValue"], "activationQueryValue", None, None),
    kind("gcp-pubsub", &["value", "subscriptionSize"], "activationValue", Some(10.0), Some(Measure::Outstanding)),
    kind("graphite", &["threshold"], "activationThreshold", None, None),
    kind("kafka", &["lagThreshold"], "activationLagThreshold", Some(10.0), Some(Measure::Outstanding)),
    kind("loki", &["threshold"], "activationThreshold", None, None),
    kind("metrics-api", &["targetValue"], "activationTargetValue", None, None),
    kind("nats-jetstream", &["lagThreshold"], "activationLagThreshold", Some(10.0), Some(Measure::Outstanding)),
    kind("new-relic", &["threshold"], "activationThreshold", None, None),
    kind("prometheus", &["threshold"], "activationThreshold", None, None),
    kind("pulsar", &["msgBacklogThreshold"], "activationMsgBacklogThreshold", Some(10.0), Some(Measure::Outstanding)),
    kind("rabbitmq", &["value", "queueLength"], "activationValue", Some(20.0), Some(Measure::Outstanding)),
    kind("redis", &["listLength"], "activationListLength", Some(5.0), Some(Measure::QueueLength)),
    kind(
        "redis-streams",
        &["pendingEntriesCount", "lagCount"],
        "activationLagCount",
        Some(5.0),
        Some(Measure::Outstanding),
    ),
];

const fn kind(
    name: &'static str,
    targets: &'static [&'static str],
    activation: &'static str,
    usual: Option<f64>,
    measure: Option<Measure>,
) -> TriggerKind {
    TriggerKind { name, targets, activation, usual, measure }
}

/// Where the value of a trigger comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A measure of the service.
    Measured(Measure),
    /// A schedule.
    Cron(Cron),
    /// A resource metric of the HPA.
    Resource(MetricSpec),
}

/// A trigger.
#[derive(Debug, Clone)]
pub struct Trigger {
    /// Its name, or its metric's name where it has none.
    pub name: String,
    /// The name of its metric (`s0-prometheus`).
    pub metric: String,
    /// Where its value comes from.
    pub source: Source,
    /// The target, in thousandths.
    pub target: i64,
    /// Whether the target is a `Value`; otherwise an `AverageValue`.
    pub is_value: bool,
    /// From which value it is active, strictly.
    pub activation: f64,
}

impl Trigger {
    /// The metric that the HPA is given.
    pub fn spec(&self) -> MetricSpec {
        let target = Quantity::from_millis(self.target);
        match &self.source {
            Source::Resource(spec) => spec.clone(),
            _ => MetricSpec::External {
                metric: self.metric.clone(),
                target: if self.is_value { Target::Value(target) } else { Target::AverageValue(target) },
            },
        }
    }
}

/// What a trigger states.
struct Stated<'a> {
    kind: String,
    name: Option<String>,
    metric_type: Option<String>,
    metadata: &'a [(Key, Yaml)],
    node: &'a Yaml,
}

impl<'a> Stated<'a> {
    fn value(&self, key: &str) -> Option<&'a Yaml> {
        self.metadata.iter().find(|(known, _)| known.text == key).map(|(_, node)| node)
    }

    fn text(&self, key: &str, sink: &mut Diagnostics) -> Option<String> {
        self.value(key).and_then(|node| String::from_node(node, sink))
    }

    fn number(&self, key: &str, sink: &mut Diagnostics) -> Option<f64> {
        let node = self.value(key)?;
        let number =
            node.as_text().and_then(|text| text.trim().parse::<f64>().ok()).filter(|number| number.is_finite());
        if number.is_none() {
            sink.push(node.error(format!("`{key}` must be a number")));
        }
        number
    }
}

/// Reads a trigger, the one with this `index`. `measures` says what triggers stand for, by name or by metric name.
pub fn read_trigger(
    node: &Yaml,
    index: usize,
    measures: &[(String, Measure)],
    context: &PolicyContext<'_>,
    sink: &mut Diagnostics,
) -> Option<Trigger> {
    let fields = Fields::open(node, "trigger", sink)?;
    let kind: Option<String> = fields.required("type", sink);
    let name = fields.optional("name", sink);
    let metric_type: Option<String> = fields.optional("metricType", sink);
    let _: Option<bool> = fields.optional("useCachedMetrics", sink);
    let _ = fields.node_of("authenticationRef");
    let metadata = fields.node_of("metadata");
    fields.finish(sink);
    let metadata = metadata.map_or(Some(&[][..]), |node| Fields::open(node, "metadata", sink).map(|f| f.entries()))?;
    let stated = Stated { kind: kind?, name, metric_type, metadata, node };
    match stated.kind.as_str() {
        "cron" => cron(&stated, index, sink),
        "cpu" | "memory" => resource(&stated, index, sink),
        _ => measured(&stated, index, measures, context, sink),
    }
}

fn metric_name(stated: &Stated<'_>, index: usize) -> String {
    format!("s{index}-{}", stated.kind)
}

fn cron(stated: &Stated<'_>, index: usize, sink: &mut Diagnostics) -> Option<Trigger> {
    let mut text = |key: &str| {
        let text = stated.text(key, sink);
        if text.is_none() {
            sink.push(stated.node.error(format!("a cron trigger needs `{key}`")));
        }
        text
    };
    let (zone, start, end) = (text("timezone"), text("start"), text("end"));
    let replicas = stated.number("desiredReplicas", sink).filter(|replicas| *replicas >= 0.0);
    if replicas.is_none() {
        sink.push(stated.node.error("a cron trigger needs `desiredReplicas`"));
    }
    match Cron::parse(&start?, &end?, &zone?, replicas? as i64) {
        Ok(cron) => {
            let metric = metric_name(stated, index);
            let name = stated.name.clone().unwrap_or_else(|| metric.clone());
            Some(Trigger { name, metric, source: Source::Cron(cron), target: 1000, is_value: false, activation: 0.0 })
        }
        Err(why) => {
            sink.push(stated.node.error(why));
            None
        }
    }
}

fn resource(stated: &Stated<'_>, index: usize, sink: &mut Diagnostics) -> Option<Trigger> {
    let resource = if stated.kind == "cpu" { Resource::Cpu } else { Resource::Memory };
    let kind = stated.metric_type.clone().or_else(|| stated.text("type", sink));
    let Some(value) = stated.value("value") else {
        sink.push(stated.node.error(format!("a {} trigger needs `value`", stated.kind)));
        return None;
    };
    let target = match kind.as_deref() {
        Some("AverageValue") => Target::AverageValue(Quantity::from_node(value, sink)?),
        None | Some("Utilization") => Target::Utilization(u32::from_node(value, sink).filter(|percent| *percent > 0)?),
        Some(other) => {
            sink.push(stated.node.error(format!("`{other}` is not a metric type of a {} trigger", stated.kind)));
            return None;
        }
    };
    let spec = match stated.text("containerName", sink) {
        Some(container) => MetricSpec::ContainerResource { resource, container, target },
        None => MetricSpec::Resource { resource, target },
    };
    let metric = metric_name(stated, index);
    let name = stated.name.clone().unwrap_or_else(|| metric.clone());
    Some(Trigger { name, metric, source: Source::Resource(spec), target: 0, is_value: false, activation: 0.0 })
}

fn measured(
    stated: &Stated<'_>,
    index: usize,
    measures: &[(String, Measure)],
    context: &PolicyContext<'_>,
    sink: &mut Diagnostics,
) -> Option<Trigger> {
    let Some(known) = TRIGGERS.iter().find(|known| known.name == stated.kind) else {
        let names: Vec<&str> = TRIGGERS.iter().map(|known| known.name).chain(["cron", "cpu", "memory"]).collect();
        sink.push(not_one_of(stated.node, &stated.kind, "a type of trigger that is modelled", &names));
        return None;
    };
    let metric = metric_name(stated, index);
    let name = stated.name.clone().unwrap_or_else(|| metric.clone());
    let by_name = measures.iter().find(|(own, _)| *own == name || *own == metric).map(|(_, measure)| *measure);
    let by_query = || stated.text("query", &mut sink.beside()).and_then(|query| in_query(&query, context));
    let Some(measure) = by_name.or(known.measure).or_else(by_query) else {
        let error = stated.node.error(format!("what trigger `{name}` measures is not known"));
        sink.push(error.help(format!("add `measures: {{ {name}: request-rate }}` (`plimsoll list measures`)")));
        return None;
    };
    let target = known.targets.iter().find_map(|key| stated.number(key, sink)).or(known.usual);
    let Some(target) = target.filter(|target| *target > 0.0) else {
        let keys = known.targets.join("` or `");
        sink.push(stated.node.error(format!("a {} trigger needs `{keys}` above zero", stated.kind)));
        return None;
    };
    let is_value = match stated.metric_type.as_deref() {
        None | Some("AverageValue") => false,
        Some("Value") => true,
        Some(other) => {
            sink.push(stated.node.error(format!("`{other}` is not a metric type of a {} trigger", stated.kind)));
            return None;
        }
    };
    let activation = stated.number(known.activation, sink).unwrap_or(0.0);
    let target = (target * 1000.0).round() as i64;
    Some(Trigger { name, metric, source: Source::Measured(measure), target, is_value, activation })
}

/// The measure that a query is about: the first name in it that a real server exports for one.
fn in_query(query: &str, context: &PolicyContext<'_>) -> Option<Measure> {
    let names = query.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':' && c != '-');
    names.filter(|name| !name.is_empty()).find_map(|name| measure_named(name, context.metric_names))
}
