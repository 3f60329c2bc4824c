//! The measures of the simulation, the names under which scenarios refer to them, and hints for unknown names.

use crate::config::{Diagnostic, Diagnostics, Value, Yaml, check_label, suggest};

listed! {
    /// A measure of a replica or a service.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum Measure {
        /// CPU in use, cores, averaged over the resolution window.
        Cpu,
        /// Memory in use, bytes, at the scrape.
        Memory,
        /// Attempts arriving per second, including retries, averaged over the resolution window.
        RequestRate,
        /// Requests in service, averaged over the resolution window.
        InFlight,
        /// Requests waiting in the replica's queue at the scrape.
        QueueLength,
        /// Requests at the replica at the scrape, in service or waiting.
        Outstanding,
        /// Share of busy slots, from 0 to 1, averaged over the resolution window; for a service, the average over its
        /// replicas.
        SlotUse,
        /// Mean response time in seconds, from the arrival of an attempt at a replica to its answer, of attempts
        /// answered within the resolution window; 0 if there were none. Latencies are measured per service; a replica's
        /// are those of its service.
        LatencyMean,
        /// Median response time.
        LatencyP50,
        /// 95th percentile of the response time.
        LatencyP95,
        /// 99th percentile of the response time.
        LatencyP99,
    }
}

impl Measure {
    /// The number of measures.
    pub const COUNT: usize = Measure::ALL.len();

    /// The latencies, in the order of [`Measure::ALL`].
    pub const LATENCIES: [Measure; 4] =
        [Measure::LatencyMean, Measure::LatencyP50, Measure::LatencyP95, Measure::LatencyP99];

    /// The name used in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            Measure::Cpu => "cpu",
            Measure::Memory => "memory",
            Measure::RequestRate => "request-rate",
            Measure::InFlight => "in-flight",
            Measure::QueueLength => "queue-length",
            Measure::Outstanding => "outstanding",
            Measure::SlotUse => "slot-use",
            Measure::LatencyMean => "latency-mean",
            Measure::LatencyP50 => "latency-p50",
            Measure::LatencyP95 => "latency-p95",
            Measure::LatencyP99 => "latency-p99",
        }
    }

    /// A short description.
    pub const fn words(self) -> &'static str {
        match self {
            Measure::Cpu => "cores in use",
            Measure::Memory => "bytes in use",
            Measure::RequestRate => "requests arriving per second",
            Measure::InFlight => "requests in service",
            Measure::QueueLength => "requests waiting",
            Measure::Outstanding => "requests in service and waiting",
            Measure::SlotUse => "share of slots in service, 0 to 1",
            Measure::LatencyMean => "mean latency in seconds",
            Measure::LatencyP50 => "median latency in seconds",
            Measure::LatencyP95 => "95th percentile of latency in seconds",
            Measure::LatencyP99 => "99th percentile of latency in seconds",
        }
    }

    /// Whether it is a latency.
    pub const fn is_latency(self) -> bool {
        matches!(self, Measure::LatencyMean | Measure::LatencyP50 | Measure::LatencyP95 | Measure::LatencyP99)
    }

    /// Whether a service's value is the average over its replicas rather than the sum.
    pub const fn is_average(self) -> bool {
        self.is_latency() || matches!(self, Measure::SlotUse)
    }
}

/// A set of measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Measures(u16);

impl Measures {
    /// No measure.
    pub const NONE: Measures = Measures(0);
    /// Every measure.
    pub const ALL: Measures = Measures((1 << Measure::COUNT) - 1);

    /// Whether the set contains `measure`.
    pub const fn contains(self, measure: Measure) -> bool {
        self.0 & (1 << measure as u16) != 0
    }

    /// The set with `measure` added.
    #[must_use]
    pub const fn with(self, measure: Measure) -> Measures {
        Measures(self.0 | (1 << measure as u16))
    }

    /// The set without `measure`.
    #[must_use]
    pub const fn without(self, measure: Measure) -> Measures {
        Measures(self.0 & !(1 << measure as u16))
    }

    /// The union with `other`.
    #[must_use]
    pub const fn and(self, other: Measures) -> Measures {
        Measures(self.0 | other.0)
    }

    /// Whether the set contains a latency.
    pub fn has_latency(self) -> bool {
        Measure::LATENCIES.into_iter().any(|measure| self.contains(measure))
    }

    /// Iterates over the set in the order of [`Measure::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Measure> {
        Measure::ALL.into_iter().filter(move |measure| self.contains(*measure))
    }
}

impl FromIterator<Measure> for Measures {
    fn from_iter<I: IntoIterator<Item = Measure>>(measures: I) -> Self {
        measures.into_iter().fold(Measures::NONE, Measures::with)
    }
}

/// Metric names exported by common servers and brokers, for metrics that correspond to a measure in the same unit.
///
/// Sources: the metrics pages of vLLM, SGLang, Text Generation Inference, Triton and Envoy, the OpenTelemetry
/// conventions for HTTP servers, RabbitMQ, kafka_exporter, and the walk-through of the Kubernetes autoscaler.
/// prometheus-adapter's default rules turn a counter into a rate and drop its `_total` suffix.
const EXPORTED: [(&str, Measure); 23] = [
    ("vllm:num_requests_waiting", Measure::QueueLength),
    ("vllm_num_requests_waiting", Measure::QueueLength),
    ("sglang:num_queue_reqs", Measure::QueueLength),
    ("sglang_num_queue_reqs", Measure::QueueLength),
    ("tgi_queue_size", Measure::QueueLength),
    ("nv_inference_pending_request_count", Measure::QueueLength),
    ("rabbitmq_queue_messages_ready", Measure::QueueLength),
    ("kafka_consumergroup_lag", Measure::QueueLength),
    ("vllm:num_requests_running", Measure::InFlight),
    ("vllm_num_requests_running", Measure::InFlight),
    ("sglang:num_running_reqs", Measure::InFlight),
    ("sglang_num_running_reqs", Measure::InFlight),
    ("tgi_batch_current_size", Measure::InFlight),
    ("envoy_cluster_upstream_rq_active", Measure::Outstanding),
    ("http_server_active_requests", Measure::Outstanding),
    ("http_requests_in_flight", Measure::Outstanding),
    ("http_requests", Measure::RequestRate),
    ("http_requests_per_second", Measure::RequestRate),
    ("requests_per_second", Measure::RequestRate),
    ("requests-per-second", Measure::RequestRate),
    ("istio_requests", Measure::RequestRate),
    ("istio_requests_per_second", Measure::RequestRate),
    ("nginx_ingress_controller_requests", Measure::RequestRate),
];

/// The measure that `name` refers to: one of the `declared` names, a measure's own name, or one exported by a known
/// server.
pub fn measure_named(name: &str, declared: &[(String, Measure)]) -> Option<Measure> {
    let declared = declared.iter().find(|(known, _)| known == name).map(|(_, measure)| *measure);
    let own = || Measure::ALL.into_iter().find(|measure| measure.name() == name);
    declared.or_else(own).or_else(|| exported(name))
}

/// The measure that a known server exports under `name`.
pub fn exported(name: &str) -> Option<Measure> {
    EXPORTED.iter().find(|(known, _)| *known == name).map(|(_, measure)| *measure)
}

/// What words in a metric name suggest about its meaning, the most specific first.
enum Meaning {
    /// Probably a measure.
    Near(Measure),
    /// Not modelled, with advice.
    NotModelled(&'static str),
}

const MEANINGS: [(&[&str], Meaning); 8] = [
    (
        &["replica", "desired", "wanted", "recommend"],
        Meaning::NotModelled(
            "it looks like a number of replicas computed elsewhere, which is not a measure of load: leave the metric out, or \
             compare with a policy of its own",
        ),
    ),
    (
        &["gpu", "cache", "kv_", "kv-", "dcgm", "accelerator", "duty_cycle", "token"],
        Meaning::NotModelled(
            "the use of accelerators and caches is not modelled: leave the metric out, or declare it as `slot-use` (share of busy \
             slots, 0 to 1) if that is close enough, with a target in that unit",
        ),
    ),
    (&["p50", "median"], Meaning::Near(Measure::LatencyP50)),
    (&["p99"], Meaning::Near(Measure::LatencyP99)),
    (&["latency", "duration", "response_time", "response-time", "p95", "p90"], Meaning::Near(Measure::LatencyP95)),
    (
        &["queue", "waiting", "pending", "backlog", "lag", "depth", "messages", "jobs"],
        Meaning::Near(Measure::QueueLength),
    ),
    (
        &["inflight", "in_flight", "in-flight", "running", "active", "concurren", "busy"],
        Meaning::Near(Measure::InFlight),
    ),
    (
        &["rps", "qps", "per_second", "per-second", "rate", "requests", "throughput", "hits"],
        Meaning::Near(Measure::RequestRate),
    ),
];

/// A diagnostic for an unknown metric `name`, with suggestions based on the words in the name and nothing beyond them.
pub fn not_measured(place: &Yaml, name: &str, declared: &[(String, Measure)]) -> Diagnostic {
    let error = place.error(format!("the metric `{name}` is not measured under this name"));
    let own = Measure::ALL.map(Measure::name).into_iter();
    if let Some(near) = suggest(name, own.chain(declared.iter().map(|(name, _)| name.as_str()))) {
        return error.label(format!("did you mean `{near}`?"));
    }
    let lower = name.to_lowercase();
    let telling = MEANINGS.iter().find(|(words, _)| words.iter().any(|word| lower.contains(word)));
    let error = match telling {
        Some((_, Meaning::NotModelled(why))) => return error.note(*why),
        Some((_, Meaning::Near(measure))) => error.help(format!(
            "if it is {}: `metrics: {{ custom: {{ {name}: {} }} }}`",
            measure.words(),
            measure.name()
        )),
        None => error.help(format!(
            "if it corresponds to one of these measures, map it: `metrics: {{ custom: {{ {name}: MEASURE }} }}`; otherwise leave it out"
        )),
    };
    let custom = Measure::ALL.into_iter().filter(|measure| !matches!(measure, Measure::Cpu | Measure::Memory));
    let known: Vec<String> = custom.map(|measure| format!("`{}` ({})", measure.name(), measure.words())).collect();
    error.note(format!("available measures: {}", known.join(", ")))
}

/// Rejects an amount of CPU or memory without a unit: `cpu: 60` is meant to be 60% and would be 60 cores. Memory from
/// one mebibyte on is unambiguous.
pub fn without_unit(measure: Measure, node: &Yaml) -> Option<Diagnostic> {
    let text = node.as_text()?.trim();
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && *number > 0.0)?;
    let share = if number < 1.0 { format!("{}%", number * 100.0) } else { format!("{text}%") };
    let (words, amount) = match measure {
        Measure::Cpu => ("cores", format!("{}m", (number * 1000.0).round())),
        Measure::Memory if number < 1_048_576.0 => ("that much memory", format!("{text}Mi")),
        _ => return None,
    };
    let error = node.error(format!("`{text}` has no unit: a share of the request, or {words}?"));
    Some(error.help(format!("write `{share}`, or `{amount}` for {words} of each pod")))
}

/// Reads names of custom metrics and the measure that each refers to: `{ http_requests: request-rate }`.
pub fn read_metric_names(node: &Yaml, sink: &mut Diagnostics) -> Vec<(String, Measure)> {
    let Value::Mapping(entries) = &node.value else {
        sink.push(node.error("expected names of metrics, such as `{ http_requests: request-rate }`"));
        return Vec::new();
    };
    let known = Measure::ALL.map(Measure::name);
    let mut names = Vec::new();
    for (key, node) in entries {
        check_label(key, node, sink);
        let text = node.as_text().unwrap_or("");
        if let Some(measure) = Measure::ALL.into_iter().find(|measure| measure.name() == text) {
            names.push((key.text.clone(), measure));
            continue;
        }
        let error = node.error(format!("`{text}` is not a measure")).note(format!("known: {}", known.join(", ")));
        sink.push(match suggest(text, known) {
            Some(near) => error.label(format!("did you mean `{near}`?")),
            None => error,
        });
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{SourceFile, parse_single};
    use rstest::rstest;

    #[test]
    fn a_set_holds_what_was_put_into_it() {
        let set: Measures = [Measure::QueueLength, Measure::LatencyP99].into_iter().collect();
        assert!(set.contains(Measure::QueueLength) && !set.contains(Measure::Cpu) && set.has_latency());
        assert_eq!(set.without(Measure::LatencyP99).iter().collect::<Vec<_>>(), [Measure::QueueLength]);
        assert_eq!(set.and(Measures::ALL), Measure::ALL.into_iter().collect());
        assert_eq!(Measures::ALL.iter().count(), Measure::COUNT);
    }

    #[rstest]
    #[case("gpu_cache_usage_perc", "not modelled")]
    #[case("DCGM_FI_DEV_GPU_UTIL", "not modelled")]
    #[case("worker_desired_replicas", "not a measure of load")]
    #[case("request_duration_p99", "custom: { request_duration_p99: latency-p99 }")]
    #[case("http_request_latency_ms", "latency-p95")]
    #[case("orders_backlog", "orders_backlog: queue-length")]
    #[case("active_sessions", "active_sessions: in-flight")]
    #[case("rpc_handled_per_second", "rpc_handled_per_second: request-rate")]
    #[case("temperature", "map it")]
    fn advice_goes_by_the_words_of_a_name_and_no_further(#[case] name: &str, #[case] words: &str) {
        let place = parse_single(&SourceFile::new("s.yaml", "a: b")).unwrap();
        let mut sink = Diagnostics::new();
        sink.push(not_measured(&place, name, &[]));
        let shown = sink.to_string();
        assert!(shown.contains(words), "{shown}");
        let rate = shown.contains(": request-rate }");
        assert_eq!(rate, words.contains("request-rate"), "{shown}");
    }

    #[test]
    fn declared_names_take_precedence_over_those_of_servers() {
        let name = "vllm:num_requests_waiting";
        assert_eq!(measure_named(name, &[]), Some(Measure::QueueLength));
        assert_eq!(measure_named(name, &[(name.into(), Measure::InFlight)]), Some(Measure::InFlight));
    }
}
