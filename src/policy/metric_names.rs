//! The names under which scenarios refer to measures, and hints for unknown names.

use std::sync::LazyLock;

use serde::Deserialize;

use super::measure::Measure;
use crate::config::{Diagnostic, Diagnostics, Value, Yaml, check_label, did_you_mean, not_one_of};

/// Metric names exported by common servers, brokers and platforms, one per row: what each is, where that is documented,
/// and the measure that it corresponds to in the same unit, if there is one. prometheus-adapter's default rules turn a
/// counter into a rate and drop its `_total` suffix.
const EXPORTED: &str = include_str!("exported_metrics.csv");

static KNOWN: LazyLock<Vec<ExportedMetric>> = LazyLock::new(|| rows(EXPORTED).filter_map(Result::ok).collect());

/// A metric name that a known server exports.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportedMetric {
    /// The name.
    pub name: String,
    /// The name of the measure that it corresponds to; empty if there is none.
    measure: String,
    /// Who exports it.
    pub server: String,
    /// What it is.
    pub what: String,
    /// The page that documents it.
    pub source: String,
}

impl ExportedMetric {
    /// The measure that it corresponds to; `None` if there is none in the same unit.
    pub fn measure(&self) -> Option<Measure> {
        Measure::find(&self.measure)
    }
}

/// The rows of a table. A unit test checks that the built-in one has no bad row.
fn rows(table: &str) -> impl Iterator<Item = Result<ExportedMetric, csv::Error>> {
    csv::Reader::from_reader(table.as_bytes()).into_deserialize()
}

/// All metric names of known servers.
pub fn exported_metrics() -> &'static [ExportedMetric] {
    &KNOWN
}

/// The measure that `name` refers to: one of the `declared` names, a measure's own name, or one exported by a known
/// server.
pub fn measure_named(name: &str, declared: &[(String, Measure)]) -> Option<Measure> {
    let declared = declared.iter().find(|(known, _)| known == name).map(|(_, measure)| *measure);
    declared.or_else(|| Measure::find(name)).or_else(|| exported(name))
}

/// The measure that a known server exports under `name`.
pub fn exported(name: &str) -> Option<Measure> {
    known(name)?.measure()
}

fn known(name: &str) -> Option<&'static ExportedMetric> {
    exported_metrics().iter().find(|metric| metric.name == name)
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
            "the use of accelerators and caches is not modelled, except for an LLM engine's (`cache-use`): leave the metric out, or \
             declare it as `slot-use` (share of busy slots, 0 to 1) if that is close enough, with a target in that unit",
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
    if let Some(ExportedMetric { server, what, .. }) = known(name) {
        return error.note(format!(
            "{server} exports it: {what}. That is not modelled: leave the metric out, or declare it as the measure that is close \
             enough, with a target in its unit: `metrics: {{ custom: {{ {name}: MEASURE }} }}`"
        )).note(available());
    }
    let own = Measure::ALL.map(Measure::name).into_iter();
    if let Some(question) = did_you_mean(name, own.chain(declared.iter().map(|(name, _)| name.as_str()))) {
        return error.label(question);
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
    error.note(available())
}

/// The measures that a custom metric may refer to.
fn available() -> String {
    let custom = Measure::ALL.into_iter().filter(|measure| !measure.is_resource());
    let known: Vec<String> = custom.map(|measure| format!("`{}` ({})", measure.name(), measure.words())).collect();
    format!("available measures: {}", known.join(", "))
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
        if let Some(measure) = Measure::find(text) {
            names.push((key.text.clone(), measure));
            continue;
        }
        sink.push(not_one_of(node, text, "a measure", &known));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{SourceFile, parse_single};
    use rstest::rstest;

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
    #[case("vllm:num_preemptions", "vLLM exports it: requests preempted. That is not modelled")]
    #[case("nv_gpu_utilization", "Triton exports it: share of time that the GPU is busy. That is not modelled")]
    #[case("InvocationsPerInstance", "SageMaker exports it: requests per minute and instance")]
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

    #[test]
    fn the_table_of_exported_names_is_well_formed() {
        let read: Vec<ExportedMetric> = rows(EXPORTED).map(Result::unwrap).collect();
        assert_eq!(read, exported_metrics());
        for metric in &read {
            assert_eq!(read.iter().filter(|other| other.name == metric.name).count(), 1, "{}", metric.name);
            assert!(metric.measure.is_empty() || metric.measure().is_some(), "{}: {}", metric.name, metric.measure);
            let stated = [&metric.server, &metric.what].iter().all(|text| !text.is_empty());
            assert!(stated && metric.source.starts_with("https://"), "{metric:?}");
        }
        for server in ["vLLM", "Triton", "Ray Serve", "SageMaker"] {
            assert!(read.iter().any(|metric| metric.server == server && metric.measure().is_some()), "{server}");
        }
    }
}
