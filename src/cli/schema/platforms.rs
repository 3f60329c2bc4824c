//! The schema of `platform:`.

use serde_json::{Value, json};

use super::scenario::{at_least_one, choice, count, example, flag, names, object, one_of, quantity};
use super::traffic::distribution;
use crate::platform::PLATFORMS;

/// Platforms without parameters.
const PLAIN: [&str; 1] = ["deployment"];

/// The name of a platform, or a mapping with its parameters.
pub(super) fn platform() -> Value {
    let alone = names("With its defaults.", PLATFORMS.iter().map(|plugin| plugin.name));
    let with = PLATFORMS.iter().filter(|plugin| !PLAIN.contains(&plugin.name));
    let with = with.map(|plugin| (plugin.name, plugin.summary));
    let description = "What runs the replicas; a Deployment by default.";
    json!({ "description": description, "anyOf": [alone, one_of("With parameters.", with, parameters)] })
}

fn parameters(name: &str) -> Value {
    match name {
        "scale-to-zero" => scale_to_zero(),
        "knative" => knative(),
        "cloud-run" => cloud_run(),
        "aws-lambda" => aws_lambda(),
        "on-demand" => on_demand(),
        plan => azure(plan),
    }
}

fn scale_to_zero() -> Value {
    let fields = [
        ("idle", quantity("Time without requests before it is scaled to zero; 5m by default.", "5m")),
        ("check-every", quantity("Time between two looks at the traffic; 30s by default.", "30s")),
        ("hold", count("Requests that may wait for a replica; 1000 by default.")),
        ("hold-for", quantity("How long a request waits before it is rejected; 5m by default.", "1m")),
    ];
    example(object("When it is scaled to zero.", &fields), json!({ "idle": "1m" }))
}

fn knative() -> Value {
    let fields = [
        ("container-concurrency", count("Requests that a container serves at once; 0, the default, is no limit.")),
        ("hold", at_least_one("Requests that may wait at the activator; 10000 by default.")),
        ("timeout", quantity("How long a request waits before it is rejected; 5m by default.", "1m")),
    ];
    example(object("Containers and activator.", &fields), json!({ "container-concurrency": 10 }))
}

/// How long replicas are kept.
fn keep(default: &str) -> [(&'static str, Value); 2] {
    let idle = format!("How long a replica is kept after its last request; {default} by default.");
    [
        ("keep-alive", distribution(&idle)),
        ("max-age", quantity("Age from which a replica is not used again, checked after each request.", "2h")),
    ]
}

fn hold(longest: &str) -> [(&'static str, Value); 2] {
    let longest = format!("How long a request waits before it is rejected; {longest} by default.");
    [
        ("hold", count("Requests that may wait for a slot; unlimited by default.")),
        ("hold-for", quantity(&longest, "1m")),
    ]
}

/// A file that states the parameters.
fn of_a_file(file: &str) -> [(&'static str, Value); 2] {
    let one = json!({ "type": "string" });
    let from = json!({
        "description": "A file (or several) that states parameters: a SAM or CloudFormation template, serverless.yml, ARM or Bicep, host.json, a Cloud Run service. What stands here wins.",
        "anyOf": [one, { "type": "array", "items": one }],
        "examples": [file],
    });
    let function = json!({ "type": "string", "description": "Which function of the file; the only one by default." });
    [("from", from), ("function", function)]
}

/// A number of replicas, or bounds for the policy.
fn standing(description: &str) -> Value {
    let bounds = [("min", count("At least; 0 by default.")), ("max", count("At most."))];
    let mut by_policy = object("As many as the policy orders.", &bounds);
    by_policy["required"] = json!(["max"]);
    json!({ "description": description, "anyOf": [count("So many."), example(by_policy, json!({ "max": 10 }))] })
}

fn reuse() -> (&'static str, Value) {
    let description = "Which of the replicas with a free slot serves the next request; most-recent by default.";
    ("reuse", choice(description, &["most-recent", "least-recent", "random-free", "least-loaded"]))
}

fn region(default: &str) -> (&'static str, Value) {
    ("region", json!({ "type": "string", "description": format!("Region of the list prices; {default} by default.") }))
}

fn aws_lambda() -> Value {
    let mut fields = vec![
        ("memory", quantity("Memory in MB, 128 to 10240; 1769 MB have one vCPU.", "512MB")),
        ("architecture", choice("x86_64 by default.", &["x86_64", "arm64"])),
        (
            "measured-at",
            quantity(
                "Memory that the service time was measured with; by default that of the function, so that it holds as it is.",
                "1769MB",
            ),
        ),
        (
            "runtime",
            json!({ "type": "string", "description": "Runtime whose measured start an environment takes; nodejs22.x by default.", "examples": ["python3.13"] }),
        ),
        ("package", choice("zip by default.", &["zip", "image"])),
        (
            "init",
            distribution("How long an environment takes to start, in place of the measured time of an empty function."),
        ),
        ("snap-start", distribution("How long the restore of a snapshot takes, in place of the start.")),
        reuse(),
        ("provisioned-concurrency", standing("Environments that are always there; 0 by default.")),
        ("account-concurrency", count("Environments of the account at most; 1000 by default.")),
        ("reserved-concurrency", count("Environments of the function at most; those of the account by default.")),
        (
            "scaling",
            choice(
                "Pace of starts: 1,000 per 10 s and function (default), or the burst of 3,000 and 500 a minute of before.",
                &["per-function", "burst-until-2023"],
            ),
        ),
        region("us-east-1"),
        (
            "free-tier",
            flag("Whether the account's free requests and GB-seconds are this function's; false by default."),
        ),
    ];
    fields.extend(keep("6m"));
    fields.extend(of_a_file("template.yaml"));
    example(
        object("A function on AWS Lambda; `memory` is stated here or in a file.", &fields),
        json!({ "memory": "512MB" }),
    )
}

fn cloud_run() -> Value {
    let mut fields = vec![
        ("cpu", quantity("vCPUs of an instance; 1 by default.", "2")),
        ("memory", quantity("Memory of an instance; 512Mi by default.", "1Gi")),
        ("concurrency", at_least_one("Requests at once in an instance, up to 1000; 80 by default.")),
        ("start-up", distribution("How long an instance takes to start.")),
        ("min-instances", count("Instances that are always there; 0 by default.")),
        ("max-instances", at_least_one("Instances at most; 100 by default.")),
        ("billing", choice("By request (default) or by instance.", &["request", "instance"])),
        ("gpu", choice("A GPU in each instance.", &["l4"])),
        region("us-central1"),
    ];
    fields.extend(keep("15m"));
    fields.extend(hold("5m"));
    fields.extend(of_a_file("service.yaml"));
    let mut schema = object("A service on Cloud Run.", &fields);
    schema["required"] = json!(["start-up"]);
    example(schema, json!({ "start-up": "2s" }))
}

fn azure(plan: &str) -> Value {
    let mut fields = vec![
        ("concurrency", at_least_one("Requests at once in an instance; by default as the plan and size have it.")),
        ("start-up", distribution("How long an instance takes to start.")),
        ("max-instances", at_least_one("Instances at most; by default and at most as many as the plan allows.")),
        ("trigger", choice("What the scale controller looks at; http by default.", &["http", "other", "target-based"])),
        region("eastus"),
    ];
    match plan {
        "azure-functions-flex" => fields.extend([
            ("size", choice("Memory of an instance; 2048MB by default.", &["2048MB", "512MB", "4096MB"])),
            ("always-ready", standing("Instances that are always there; 0 by default.")),
        ]),
        "azure-functions-premium" => fields.extend([
            ("size", choice("Size of an instance; EP1 by default.", &["EP1", "EP2", "EP3"])),
            ("minimum", at_least_one("Instances that are always there; 1 by default.")),
        ]),
        _ => fields.extend([
            ("memory", quantity("Observed memory that is charged for; 1536Mi by default.", "256Mi")),
            ("free-tier", flag("Whether the free executions and GB-seconds are this app's; false by default.")),
        ]),
    }
    fields.extend(keep("20m"));
    fields.extend(hold("230s"));
    fields.extend(of_a_file("main.bicep"));
    let mut schema = object("A function app on Azure Functions.", &fields);
    schema["required"] = json!(["start-up"]);
    example(schema, json!({ "start-up": "2s" }))
}

fn on_demand() -> Value {
    let pace = [
        ("starts", at_least_one("Starts; 1 by default.")),
        ("every", quantity("Per, refilled continuously; 1s by default.", "10s")),
    ];
    let mut fields = vec![
        ("concurrency", at_least_one("Requests at once in a replica; 1 by default.")),
        ("start-up", distribution("How long a replica takes to start; no time by default.")),
        ("bound", flag("Whether a request waits for the replica that it starts, and for no other; false by default.")),
        (
            "throttle",
            flag("Whether a request at a limit is rejected, and does not wait; needs `bound`; false by default."),
        ),
        ("cancel-starts", flag("Whether a start that no request waits for any more is cancelled; false by default.")),
        ("max-replicas", at_least_one("Replicas at most; 1000 by default.")),
        ("pace", object("How fast replicas are started; as fast as requests ask for them by default.", &pace)),
        ("always-there", standing("Replicas that are always there; 0 by default.")),
        reuse(),
    ];
    fields.extend(keep("5m"));
    fields.extend(hold("1h"));
    example(object("Rules of your own.", &fields), json!({ "keep-alive": "10m" }))
}
