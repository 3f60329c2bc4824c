//! The schema of a scenario, field by field, and the command that prints schemas.

use super::{policies, serving, traffic};
use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use super::definitions::with_definitions;
use super::markdown::reference;
use super::story::story_schema;
use super::traffic::distribution;

use super::super::failure::Failure;
use super::super::output::say;
use crate::catalog::Purchase;
use crate::cluster::{DISPATCHERS, PLACEMENTS};
use crate::config::kubernetes::Release;
use crate::policy::{MEASURES, NODE_POLICIES, POLICIES};
use crate::workload::{Absent, FORMATS, GENERATORS, TRANSFORMS, Values};

/// Arguments of `schema`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plimsoll schema > scenario.schema.json
  plimsoll schema story > story.schema.json
  plimsoll schema results > results.schema.json
  plimsoll schema --markdown > reference.md")]
pub(crate) struct SchemaArguments {
    /// Which kind of file.
    #[arg(value_enum, default_value_t = Kind::Scenario)]
    kind: Kind,
    /// Print every field of both kinds as a page to read: type, default, example and meaning.
    #[arg(long, conflicts_with = "kind")]
    markdown: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Scenario,
    Story,
    /// What commands print with --format json.
    Results,
}

/// Prints the schema.
pub(crate) fn schema(arguments: &SchemaArguments) -> Result<(), Failure> {
    if arguments.markdown {
        return say(&reference());
    }
    let schema = match arguments.kind {
        Kind::Scenario => with_definitions(&scenario_schema()),
        Kind::Story => with_definitions(&story_schema()),
        Kind::Results => crate::report::results::results_schema(),
    };
    say(&format!("{schema:#}"))
}

/// The JSON Schema (draft 2020-12) of a scenario file.
pub fn scenario_schema() -> Value {
    let mut root = object(
        "A Plimsoll scenario: traffic, services and the policies to compare.",
        &[
            ("extends", text("Path of the scenario that this one extends.")),
            ("name", text("Name, also used for the report's directory; the file's name by default.")),
            ("title", text("Title.")),
            ("description", text("Description.")),
            ("seed", json!({ "type": "integer", "minimum": 0, "description": "Random seed; 1 by default." })),
            (
                "duration",
                quantity(
                    "Length of the run; that of the workload by default (for a recorded trace, until its last request is answered).",
                    "6h",
                ),
            ),
            ("time-zone", text("Time zone of times of day and dates: an IANA name or an offset; UTC by default.")),
            (
                "warm-up",
                quantity(
                    "Requests arriving earlier are not counted; `auto` determines how long the initial transient lasts.",
                    "10m",
                ),
            ),
            ("interval", quantity("Length of an interval of the timeline; 1m by default.", "1m")),
            (
                "reference-utilization",
                quantity("Utilization at which the number of needed replicas is computed; 70% by default.", "70%"),
            ),
            ("workload", workload()),
            ("service", service()),
            ("services", json!({ "type": "array", "items": service(), "description": "Several services." })),
            ("prices", prices()),
            ("today", text("Prices more than a year older than this date are marked in the bill, with a warning.")),
            ("savings-plan", savings_plan()),
            ("fees", json!({ "type": "array", "items": fee(), "description": "Fixed fees by the hour." })),
            ("sla-credits", sla_credits()),
            ("nodes", json!({ "type": "array", "items": node_pool(), "description": "Pools of nodes." })),
            (
                "zones",
                json!({
                    "type": "array",
                    "items": { "type": "string" },
                    "description": "Zones that replicas without nodes are spread over; a, b and c by default.",
                }),
            ),
            ("lost-nodes", lost_nodes()),
            ("faults", json!({ "type": "array", "items": fault(), "description": "Planned faults." })),
            ("placement", names("How nodes are chosen for replicas.", PLACEMENTS.iter().map(|p| p.name))),
            ("metrics", metrics()),
            ("kubernetes", release()),
            (
                "objectives",
                json!({ "type": "array", "items": objective(), "description": "Service level objectives." }),
            ),
            (
                "expect",
                json!({ "type": "array", "items": text("A comparison, such as `p99 < 250ms`."), "description": "Expectations of `plimsoll test`." }),
            ),
            ("policies", policies()),
        ],
    );
    root["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    root["title"] = json!("Plimsoll scenario");
    root
}

fn prices() -> Value {
    json!({
        "type": ["array", "string"],
        "items": { "type": "string" },
        "description": "Price lists over the catalogue, later ones over earlier ones: Plimsoll's, OpenCost's or SkyPilot's.",
    })
}

pub(super) fn object(description: &str, fields: &[(&str, Value)]) -> Value {
    let properties: Map<String, Value> = fields.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
    json!({ "type": "object", "description": description, "properties": properties, "additionalProperties": false })
}

pub(super) fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

/// A number with a unit, which YAML may also read as a plain number.
pub(super) fn quantity(description: &str, example: &str) -> Value {
    json!({ "type": ["string", "number"], "description": description, "examples": [example] })
}

pub(super) fn count(description: &str) -> Value {
    json!({ "type": "integer", "minimum": 0, "description": description })
}

/// A whole number of at least one.
pub(super) fn at_least_one(description: &str) -> Value {
    range(description, 1, None)
}

/// A whole number within the bounds that its reader keeps.
pub(super) fn range(description: &str, least: u32, most: Option<u32>) -> Value {
    let mut value = json!({ "type": "integer", "minimum": least, "description": description });
    if let Some(most) = most {
        value["maximum"] = json!(most);
    }
    value
}

pub(super) fn names<'a>(description: &str, list: impl Iterator<Item = &'a str>) -> Value {
    json!({ "enum": list.collect::<Vec<_>>(), "description": description })
}

/// A mapping with one key out of a list of plug-ins, each with parameters of its own.
pub(super) fn one_of<'a>(
    description: &str,
    list: impl Iterator<Item = (&'a str, &'a str)>,
    parameters: impl Fn(&str) -> Value,
) -> Value {
    let one = |(name, summary): (&str, &str)| {
        let mut value = parameters(name);
        if !summary.is_empty() {
            value["description"] = json!(summary);
        }
        (name.to_string(), value)
    };
    let properties: Map<String, Value> = list.map(one).collect();
    json!({
        "type": "object",
        "description": description,
        "properties": properties,
        "additionalProperties": false,
        "minProperties": 1,
        "maxProperties": 1,
    })
}

/// A number without a unit.
pub(super) fn number(description: &str) -> Value {
    json!({ "type": "number", "description": description })
}

pub(super) fn flag(description: &str) -> Value {
    json!({ "type": "boolean", "description": description })
}

pub(super) fn list(description: &str, items: Value) -> Value {
    json!({ "type": "array", "items": items, "description": description })
}

pub(super) fn choice(description: &str, values: &[&str]) -> Value {
    names(description, values.iter().copied())
}

/// A mapping whose keys are the user's.
pub(super) fn free(description: &str, values: Value) -> Value {
    json!({ "type": "object", "description": description, "additionalProperties": values })
}

/// The name of a plug-in, or a mapping with it as the one key.
pub(super) fn named(description: &str, example: &str) -> Value {
    let parameters = free("With its parameters.", json!({}));
    json!({ "description": description, "examples": [example], "anyOf": [text("The name alone."), parameters] })
}

/// The value with one that its reader takes; what is required stands in it.
pub(super) fn example(value: Value, one: Value) -> Value {
    examples(value, vec![one])
}

pub(super) fn examples(mut value: Value, several: Vec<Value>) -> Value {
    value["examples"] = Value::Array(several);
    value
}

/// Columns of a trace and what they hold.
fn conditions(description: &str) -> Value {
    let values = text_or_list("Values, patterns with `*`, or comparisons such as `>= 500`.");
    json!({ "description": description, "type": "object", "additionalProperties": values })
}

/// One text, or a list of them.
fn text_or_list(description: &str) -> Value {
    let one = json!({ "type": ["string", "number"] });
    json!({ "description": description, "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
}

fn workload() -> Value {
    let transforms = one_of("A transform.", TRANSFORMS.iter().map(|p| (p.name, p.summary)), traffic::transform);
    let mut fields = trace_fields();
    fields.push(("transforms", list("Transforms, applied in order.", transforms)));
    for generator in GENERATORS {
        let mut value = traffic::generator(generator.name);
        value["description"] = json!(generator.summary);
        fields.push((generator.name, value));
    }
    object("Requests: a trace or a generator, and transforms.", &fields)
}

/// A trace and how it is read.
pub(super) fn trace_fields() -> Vec<(&'static str, Value)> {
    let columns = [
        "time",
        "count",
        "rate",
        "counter",
        "level",
        "demand",
        "elapsed",
        "tokens-in",
        "tokens-out",
        "class",
        "session",
        "once-per",
    ];
    let several = ["time", "count", "rate", "counter", "level"];
    let of_column = |name: &&'static str| match several.contains(name) {
        true => (*name, text_or_list("Name of the column, or a list of columns whose values are added.")),
        false => (*name, text("Name of the column.")),
    };
    let columns: Vec<(&str, Value)> = columns.iter().map(of_column).collect();
    vec![
        (
            "trace",
            text_or_list(
                "Path of a trace relative to the scenario, a pattern that matches several files, `-` for standard input, or a list.",
            ),
        ),
        ("format", names("Format of the trace; detected from the content by default.", FORMATS.iter().map(|p| p.name))),
        ("columns", object("The meaning of the columns.", &columns)),
        ("log-format", text("Line format of an access log, as in nginx's `log_format` or Apache's `LogFormat`.")),
        ("rows", names("What each row of a table is, if the columns do not tell.", ["requests"].into_iter())),
        ("across", quantity("The value columns are consecutive intervals of this length.", "1h")),
        ("separator", names("Field separator of a table.", [";", ",", "|", "tab"].into_iter())),
        ("decimal", names("Decimal mark.", [",", "."].into_iter())),
        ("include", conditions("Keep only rows whose columns have one of these values.")),
        ("exclude", conditions("Drop rows whose columns have one of these values.")),
        ("metric", text("The metric to use from a monitoring system's response, or the column of a table.")),
        ("values", names("What the metric's values mean.", Values::ALL.iter().map(|values| values.name()))),
        ("time-format", text("Format of times; detected by default.")),
        ("time-zone", text("Time zone of times without one: an IANA name or an offset; UTC by default.")),
        ("demand-unit", text("Unit of the demand and elapsed columns.")),
        ("interval", quantity("Length of a counted interval.", "1m")),
        ("expand", names("How counts are converted to arrivals.", ["poisson", "even"].into_iter())),
        ("requests-per-unit", quantity("Request rate per unit of a level.", "0.2/s")),
        (
            "sessions",
            object(
                "A level of sessions, each of which is one arrival.",
                &[("duration", quantity("Length of a session.", "20m"))],
            ),
        ),
        ("max-gap", quantity("Maximum time for which a level is assumed to hold.", "15m")),
        (
            "gaps",
            names(
                "What steps without a row of counts or rates stand for; `zero` if left out.",
                Absent::ALL.iter().map(|absent| absent.name()),
            ),
        ),
        ("start", text("Start of the time to use (ISO 8601).")),
        ("end", text("End of the time to use (ISO 8601, exclusive).")),
        ("reorder", quantity("How far out of order rows may be, or `all`.", "1h")),
        ("max-bad-rows", quantity("Maximum share of unusable rows.", "1%")),
        ("year", range("Year in which a syslog begins.", 1970, Some(2500))),
    ]
}

/// Requests and limits of a replica.
pub(super) fn resources() -> Value {
    let pair = |description: &str| {
        let fields = [("cpu", quantity("CPU.", "500m")), ("memory", quantity("Memory.", "512Mi"))];
        let mut value = object(description, &fields);
        value["properties"]["nvidia.com/gpu"] = count("Accelerators.");
        value["patternProperties"] = json!({ "/": count("Any other extended resource.") });
        value
    };
    let fields = [("requests", pair("Reserved by the scheduler.")), ("limits", pair("Maximum use."))];
    object("Requests and limits of a replica.", &fields)
}

fn service() -> Value {
    let memory = [
        ("base", quantity("Of an idle replica.", "400Mi")),
        ("per-request", quantity("Per request in the replica.", "4Mi")),
    ];
    object(
        "A service: a Deployment and its clients.",
        &[
            ("name", text("Name.")),
            ("manifest", text("Path of the manifest of a Deployment, StatefulSet, ReplicaSet or Argo Rollout.")),
            ("workload", workload()),
            ("replicas", at_least_one("Initial number of replicas.")),
            ("resources", resources()),
            (
                "concurrency",
                at_least_one(
                    "Maximum number of requests in service in a replica; they run at full speed as long as its CPU suffices.",
                ),
            ),
            ("queue-limit", count("Maximum number of requests waiting at a replica; further ones are rejected.")),
            ("service-time", service_time()),
            ("service-model", serving::service_model()),
            ("platform", super::platforms::platform()),
            ("calls", calls()),
            ("cpu-per-request", quantity("CPU time of an average request, part of its service time.", "30ms")),
            ("cpu-idle", quantity("CPU of an idle replica.", "20m")),
            ("memory", object("Memory use.", &memory)),
            ("start-up", start_up()),
            ("grace-period", quantity("Maximum drain time of a terminating replica; 30s by default.", "30s")),
            ("dispatch", names("Load balancing: which replica gets a request.", DISPATCHERS.iter().map(|p| p.name))),
            ("timeout", timeout()),
            ("retry", retry()),
            (
                "crash-after",
                distribution(
                    "Running time until a crash; containers that crash repeatedly restart after the kubelet's back-off.",
                ),
            ),
            ("price", price()),
        ],
    )
}

fn service_time() -> Value {
    let fields = [
        ("base", quantity("Of a request without tokens.", "30ms")),
        ("input", quantity("Per input token.", "60us")),
        ("output", quantity("Per output token.", "14ms")),
    ];
    let mut per_token = object("Service time computed from tokens.", &[("per-token", object("Times.", &fields))]);
    // One key, or it is read as a distribution.
    per_token["minProperties"] = json!(1);
    let stand_in = distribution("Service time of requests without a duration in the trace.");
    let mut recorded = object(
        "Durations of the trace.",
        &[("from-trace", object("Defaults for missing durations.", &[("otherwise", stand_in)]))],
    );
    recorded["minProperties"] = json!(1);
    let words = "The duration recorded in the trace; an error if any request has none.";
    let whole = json!({ "description": words, "const": "from-trace" });
    json!({
        "description": "Service time of a request, unless the workload provides it.",
        "anyOf": [distribution("A distribution."), per_token, whole, recorded]
    })
}

/// Calls of one service to others.
fn calls() -> Value {
    let fields = [
        ("to", text("Name of the service.")),
        ("share", quantity("Probability that a request makes the call; 100% by default.", "30%")),
        ("count", at_least_one("How many times at once; 1 by default.")),
        ("wait", flag("Whether the slot is kept until it is answered; true by default.")),
        ("network", quantity("Delay of the network, each way; none by default.", "500us")),
    ];
    let mut call = object("A call.", &fields);
    call["required"] = json!(["to"]);
    let mut stage = object("Calls made at once.", &[("together", list("The calls.", call.clone()))]);
    stage["required"] = json!(["together"]);
    let stage = example(stage, json!({ "together": [{ "to": "catalog" }] }));
    let either = json!({ "anyOf": [call, stage] });
    list("Calls that a request makes after its own work, one after the other.", either)
}

fn start_up() -> Value {
    let phases = object(
        "Delays between creation and readiness.",
        &[
            ("scheduled", distribution("Until the kubelet accepts the pod.")),
            (
                "image-pull",
                distribution("Image pull on a node without the image; one pull serves all replicas on the node."),
            ),
            ("started", distribution("Starting the containers.")),
            ("ready", distribution("From running to ready.")),
            (
                "cpu",
                quantity(
                    "CPU that a replica uses while starting, visible in the metrics; the idle CPU by default.",
                    "800m",
                ),
            ),
            ("cpu-for", quantity("How long after its containers start; until it is ready by default.", "3m")),
        ],
    );
    let phases = example(phases, json!({ "image-pull": "15s", "ready": "12s" }));
    json!({ "description": "Start-up delay.", "anyOf": [distribution("From running to ready."), phases] })
}

fn timeout() -> Value {
    let work = ["finish", "cancel", "cancel-waiting"];
    let fields = [
        ("after", quantity("Time-out of one attempt.", "2s")),
        ("work", names("What happens to the request at the server after a time-out.", work.into_iter())),
    ];
    json!({ "anyOf": [quantity("Time-out of one attempt.", "2s"), object("Client time-out.", &fields)] })
}

fn retry() -> Value {
    object(
        "Client retries.",
        &[
            ("attempts", range("Maximum number of attempts, including the first.", 1, Some(100))),
            ("backoff", quantity("Back-off before the first retry; doubles each time.", "100ms")),
            ("max-backoff", quantity("Maximum back-off.", "10s")),
            (
                "jitter",
                json!({ "type": "boolean", "description": "Whether the back-off is drawn uniformly between zero and its value (full jitter)." }),
            ),
            ("budget", quantity("Retry budget: retries never exceed this share of the requests so far.", "20%")),
            ("reserve", at_least_one("Capacity of the budget's token bucket, in retries; 100 by default.")),
        ],
    )
}

fn price() -> Value {
    let fields = [
        ("instance", text("A whole instance per replica.")),
        ("share-of", text("Share of an instance, by the replica's requests.")),
        ("container", text("A container offer, such as fargate.")),
        ("region", text("Region; the provider's default region by default.")),
        ("per-replica", quantity("A replica by time, beside prices by use.", "$0.05/h")),
        ("per-request", use_price("A request that was served.", "$0.20/1M")),
        ("per-gib-second", use_price("Memory of the replica times the time of a request.", "$0.0000166667")),
        ("per-gib-hour", use_price("The same, by the hour.", "$0.06")),
        ("per-vcpu-second", use_price("CPU of the replica times the time of a request.", "$0.000024")),
        ("per-vcpu-hour", use_price("The same, by the hour.", "$0.0864")),
        (
            "granularity",
            quantity("The time of each request is rounded up to a multiple of it; not at all by default.", "1ms"),
        ),
        ("minimum", quantity("Least time of each request that is charged for; none by default.", "100ms")),
        ("free", free_units()),
        ("egress", egress()),
        ("purchase", purchase()),
        ("billed", billed()),
    ];
    json!({ "anyOf": [quantity("Per replica.", "$0.05/h"), object("From the catalogue, or by use.", &fields)] })
}

fn egress() -> Value {
    let fields = [
        ("per-request", quantity("Size of an answer.", "40Ki")),
        ("per-gib", use_price("Price of a gibibyte.", "$0.09")),
        ("free", quantity("Gibibytes that are free in a month.", "100")),
    ];
    object("What answers send out of the provider's network.", &fields)
}

/// How an instance is bought.
fn purchase() -> Value {
    let count = |years: &str| range(&format!("So many are committed to for {years}."), 1, Some(100_000));
    let fields = [
        ("spot", quantity("Spot instances at this price.", "$0.03/h")),
        ("reserved-1y", count("a year")),
        ("reserved-3y", count("three years")),
        ("price", quantity("Effective price of one that is committed to; the catalogue's by default.", "$0.06/h")),
    ];
    let named = names("As many as there are at the start.", Purchase::ALL.iter().map(|purchase| purchase.name()));
    json!({
        "description": "How instances are bought; on demand by default.",
        "anyOf": [named, object("With a number or a price.", &fields)],
    })
}

fn billed() -> Value {
    let fields = [
        ("granularity", quantity("Time is rounded up to a multiple of it.", "1h")),
        ("minimum", quantity("Least time.", "1h")),
    ];
    object("How time is billed, in place of the provider's rule.", &fields)
}

fn savings_plan() -> Value {
    let fields = [
        ("commitment", quantity("What is paid, used or not.", "$2/h")),
        ("discount", quantity("Discount on prices on demand.", "28%")),
    ];
    object("An amount of discounted use by the hour that is committed to.", &fields)
}

fn fee() -> Value {
    let fields = [
        (
            "cluster",
            names(
                "The control plane of this kind of cluster, at the catalogue's price.",
                ["eks", "aks", "gke"].into_iter(),
            ),
        ),
        ("name", text("Name on the bill.")),
        ("price", quantity("Price of one.", "$0.05/h")),
        ("count", range("How many; 1 by default.", 1, Some(1_000_000))),
        ("billed", billed()),
    ];
    object("A fixed fee.", &fields)
}

fn sla_credits() -> Value {
    let tier = [
        ("below", quantity("Availability: the share of requests that were answered.", "99.9%")),
        ("owed", quantity("Share of the revenue.", "10%")),
    ];
    let fields = [
        ("service", text("The service that customers pay for, if there are several.")),
        ("revenue", quantity("What customers pay.", "$40/h")),
        (
            "tiers",
            json!({ "type": "array", "items": object("A tier.", &tier), "description": "From the highest availability to the lowest." }),
        ),
    ];
    object("Credits owed to customers where availability is low, as a cost.", &fields)
}

/// A price per unit: one, or tiers.
fn use_price(what: &str, example: &str) -> Value {
    let tier = [
        ("price", quantity("Price of one.", example)),
        ("up-to", quantity("So many a month cost this, counted after what is free; not stated for the last.", "6e9")),
    ];
    let tiers = json!({ "type": "array", "items": object("A tier.", &tier) });
    json!({ "description": what, "anyOf": [quantity("", example), tiers] })
}

/// What is free in a month.
fn free_units() -> Value {
    let count = |what: &str| quantity(what, "1e6");
    let fields = [
        ("requests", count("Requests.")),
        ("gib-seconds", count("GiB-seconds.")),
        ("gib-hours", count("GiB-hours.")),
        ("vcpu-seconds", count("vCPU-seconds.")),
        ("vcpu-hours", count("vCPU-hours.")),
    ];
    object("What costs nothing in a month of 730 h; a run has its part of it.", &fields)
}

fn fault() -> Value {
    let fields = [
        ("zone", text("Name of the zone.")),
        ("at", quantity("Time since the start, or a time of day or date in `time-zone:`.", "2h")),
        ("for", quantity("Duration.", "30m")),
    ];
    let metrics = [
        (
            "of",
            json!({ "type": "array", "items": { "type": "string" }, "description": "Affected metrics, by their own names or those of measures; all by default." }),
        ),
        ("from", quantity("Time since the start, or a time of day or date in `time-zone:`.", "1h")),
        ("for", quantity("Duration.", "10m")),
    ];
    let zone = object("Loss of a zone with all its replicas.", &fields);
    let metrics = object("Outage of the metrics APIs.", &metrics);
    let share = |what: &str| quantity(what, "25%");
    let rollout = [
        ("at", quantity("Time since the start, or a time of day or date in `time-zone:`.", "2h")),
        ("service", text("The service, if there are several.")),
        (
            "strategy",
            json!({ "enum": ["rolling-update", "recreate"], "description": "Update strategy; the manifest's, or rolling-update, by default." }),
        ),
        (
            "max-surge",
            share("Maximum replicas above the size, a number or a percentage; the manifest's, or 25%, by default."),
        ),
        (
            "max-unavailable",
            share("Maximum unavailable replicas, a number or a percentage; the manifest's, or 25%, by default."),
        ),
        (
            "new-image",
            json!({ "type": "boolean", "description": "Whether the new version has a new image that nodes must pull; true by default." }),
        ),
    ];
    let rollout = object("Rollout of a new version by the Deployment controller's rules.", &rollout);
    let restart = [
        ("at", quantity("Time since the start, or a time of day or date in `time-zone:`.", "2h")),
        ("service", text("The service, if there are several.")),
        ("older-than", quantity("Only containers that have run for at least this long; all by default.", "10m")),
    ];
    let restart = object("Containers restart in place; the requests in them are lost.", &restart);
    let kinds = [("zone-outage", zone), ("metrics-outage", metrics), ("rollout", rollout), ("restart", restart)];
    object("One fault.", &kinds)
}

fn lost_nodes() -> Value {
    let noticed = "Delay until they are marked not ready and their pods get no more requests; 40s by default (`--node-monitor-grace-period`: 40s, \
                   since Kubernetes 1.32 50s).";
    let evicted =
        "Delay from then until their pods are evicted and replaced elsewhere; 5m by default (`tolerationSeconds`).";
    object(
        "How the control plane reacts to nodes that have gone silent.",
        &[("noticed-after", quantity(noticed, "40s")), ("evicted-after", quantity(evicted, "5m"))],
    )
}

fn node_pool() -> Value {
    object(
        "A pool of identical nodes.",
        &[
            ("name", text("Name.")),
            ("instance", text("Instance type from the catalogue.")),
            ("region", text("Region.")),
            ("purchase", purchase()),
            ("billed", billed()),
            ("count", range("Number of nodes at the start; 0 only where a `policy` adds some.", 0, Some(100_000))),
            ("policy", node_policy()),
            ("min", range("The fewest nodes that the `policy` leaves; the `count` by default.", 0, Some(100_000))),
            ("max", range("The most nodes that the `policy` has at once.", 1, Some(100_000))),
            (
                "boot-time",
                distribution("Time from the order of a node to its readiness, images not yet pulled; 1m by default."),
            ),
            (
                "zones",
                json!({ "type": "array", "items": { "type": "string" }, "description": "Zones, assigned to the nodes in turn." }),
            ),
            (
                "speed",
                json!({ "type": "number", "exclusiveMinimum": 0, "description": "Speed of a core relative to the one on which service times were measured." }),
            ),
            (
                "extended",
                json!({
                    "type": "object",
                    "additionalProperties": { "type": "integer", "minimum": 0 },
                    "description": "Extended resources, such as `nvidia.com/gpu: 4`; the catalogue's by default.",
                }),
            ),
        ],
    )
}

pub(super) fn custom_metrics() -> Value {
    let measures = names("The measure that the name refers to.", MEASURES.iter().map(|measure| measure.name));
    json!({ "type": "object", "additionalProperties": measures, "description": "Custom metrics." })
}

pub(super) fn release() -> Value {
    let known = Release::ALL.map(|release| json!(release.name())).to_vec();
    let default = Release::default().name();
    json!({ "enum": known, "description": format!("Kubernetes release whose rules apply; {default} by default.") })
}

fn metrics() -> Value {
    object(
        "The metrics pipeline.",
        &[
            ("interval", quantity("Time between scrapes; 15s by default.", "15s")),
            ("window", quantity("Averaging window of rates and CPU.", "60s")),
            ("lag", quantity("Delay from a scrape until policies see it.", "5s")),
            ("first", quantity("Time of the first scrape.", "15s")),
            ("first-decision", quantity("Time of the first decision.", "15s")),
            ("custom", custom_metrics()),
        ],
    )
}

fn objective() -> Value {
    let latency = [("within", quantity("Limit.", "300ms")), ("target", quantity("Share of requests.", "99.9%"))];
    let fields = [
        ("latency", object("Share of requests answered within a limit.", &latency)),
        ("availability", quantity("Share of requests answered.", "99.9%")),
    ];
    object("One objective.", &fields)
}

/// A policy, with parameters or by its name alone.
pub(super) fn one_policy(description: &str) -> Value {
    let kinds: Vec<&str> = POLICIES.iter().map(|plugin| plugin.name).collect();
    // Parameters are told once, where a scenario's policies are.
    let one = one_of("A policy and its parameters.", POLICIES.iter().map(|p| (p.name, p.summary)), |_| json!({}));
    json!({ "description": description, "anyOf": [one, { "enum": kinds }] })
}

/// How the number of nodes of a pool changes.
fn node_policy() -> Value {
    let kinds: Vec<&str> = NODE_POLICIES.iter().map(|plugin| plugin.name).collect();
    let list = NODE_POLICIES.iter().map(|plugin| (plugin.name, plugin.summary));
    let one = one_of("A node policy and its parameters.", list, policies::of_nodes);
    json!({ "description": "How the number of nodes changes; `fixed` by default.", "anyOf": [one, { "enum": kinds }] })
}

fn policies() -> Value {
    let kinds: Vec<&str> = POLICIES.iter().map(|plugin| plugin.name).collect();
    let mut one = policies::any("A policy and its parameters.");
    // Beside the policy's name may stand its headroom and the service on another platform.
    one["properties"]["with"] = json!({ "description": "Fields of the only service that replace those stated, for this policy: another platform, memory or concurrency.", "examples": [{ "platform": { "aws-lambda": { "memory": "512MB" } } }] });
    one["properties"]["headroom"] = json!({ "type": "number", "minimum": 0.001, "maximum": 1000, "description": "Load factor: the policy provisions for this many times the load (1.3 means 30% more load, not 30% of the capacity kept free); 1 by default." });
    one["maxProperties"] = json!(3);
    one["properties"]["per-service"] = json!({
        "type": "object",
        "description": "A policy for each service by its name; `otherwise` is for the others.",
        "additionalProperties": { "type": ["object", "string"], "description": "A policy and its parameters." },
    });
    json!({
        "type": "object",
        "description": "Policies to compare, each under its own label.",
        "additionalProperties": { "anyOf": [one, { "enum": kinds }] },
    })
}
