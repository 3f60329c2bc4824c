//! `serverless.yml` of the Serverless Framework, provider `aws`. Variables (`${...}`) are not looked up.

use super::cloudformation::intrinsic;
use super::definition::{EventKind, FunctionDefinition, FunctionPlatform, Provisioned, ScheduledAction, Stated};
use super::limits::FunctionRules;
use super::sam::{ARCHITECTURES, event};
use super::values::{Known, Part, Resolve, almost, check_lambda, entries, items, key_text, near_misses};
use crate::config::{Diagnostic, Diagnostics, FromNode, Key, Value, Yaml, one_of};
use crate::units::{Bytes, SimDuration};

/// Memory in MB and time-out in seconds where a file states none: the framework's own defaults, not Lambda's
/// (serverless.com/framework/docs/providers/aws/guide/functions).
const DEFAULT_MEMORY: u64 = 1024;
const DEFAULT_TIMEOUT: u64 = 6;

/// Names at the top of the file.
pub(super) const TOP: [&str; 27] = [
    "app",
    "build",
    "configValidationMode",
    "console",
    "constructs",
    "custom",
    "deprecationNotificationMode",
    "disabledDeprecations",
    "frameworkVersion",
    "functions",
    "layers",
    "org",
    "outputs",
    "package",
    "params",
    "plugins",
    "projectDir",
    "provider",
    "provision",
    "resources",
    "service",
    "services",
    "stages",
    "state",
    "tenant",
    "useDotenv",
    "variablesResolutionMode",
];

/// Names under `provider`.
const PROVIDER: [&str; 57] = [
    "alb",
    "apiGateway",
    "apiKeys",
    "apiName",
    "architecture",
    "cfnRole",
    "cloudFront",
    "credentials",
    "deploymentBucket",
    "deploymentMethod",
    "deploymentPrefix",
    "disableRollback",
    "ecr",
    "endpointType",
    "environment",
    "eventBridge",
    "httpApi",
    "iam",
    "iamManagedPolicies",
    "iamRoleStatements",
    "kmsKeyArn",
    "lambdaHashingVersion",
    "layers",
    "logDataProtectionPolicy",
    "logRetentionInDays",
    "logs",
    "maxPreviousDeploymentArtifacts",
    "memorySize",
    "name",
    "notificationArns",
    "profile",
    "region",
    "resolver",
    "resourcePolicy",
    "role",
    "rolePermissionsBoundary",
    "rollbackConfiguration",
    "runtime",
    "runtimeManagement",
    "s3",
    "snapStart",
    "stackName",
    "stackParameters",
    "stackPolicy",
    "stackTags",
    "stage",
    "tags",
    "timeout",
    "tracing",
    "usagePlan",
    "versionFunctions",
    "vpc",
    "vpcEndpointIds",
    "websocket",
    "websocketsApiName",
    "websocketsApiRouteSelectionExpression",
    "websocketsDescription",
];

/// Names of a function.
const FUNCTION: [&str; 36] = [
    "architecture",
    "awsKmsKeyArn",
    "concurrencyAutoscaling",
    "condition",
    "dependsOn",
    "description",
    "destinations",
    "disableLogs",
    "environment",
    "ephemeralStorageSize",
    "events",
    "fileSystemConfig",
    "handler",
    "iamRoleStatements",
    "image",
    "kmsKeyArn",
    "layers",
    "logRetentionInDays",
    "logs",
    "maximumEventAge",
    "maximumRetryAttempts",
    "memorySize",
    "name",
    "onError",
    "package",
    "provisionedConcurrency",
    "reservedConcurrency",
    "role",
    "runtime",
    "runtimeManagement",
    "snapStart",
    "tags",
    "timeout",
    "tracing",
    "url",
    "vpc",
];

/// Events.
const EVENTS: [(&str, EventKind); 21] = [
    ("activemq", EventKind::Queue),
    ("alb", EventKind::Http),
    ("alexaSkill", EventKind::Http),
    ("alexaSmartHome", EventKind::Http),
    ("cloudFront", EventKind::Http),
    ("cloudwatchEvent", EventKind::Asynchronous),
    ("cloudwatchLog", EventKind::Asynchronous),
    ("cognitoUserPool", EventKind::Http),
    ("eventBridge", EventKind::Asynchronous),
    ("http", EventKind::Http),
    ("httpApi", EventKind::Http),
    ("iot", EventKind::Asynchronous),
    ("kafka", EventKind::Stream),
    ("msk", EventKind::Stream),
    ("rabbitmq", EventKind::Queue),
    ("s3", EventKind::Asynchronous),
    ("schedule", EventKind::Schedule),
    ("sns", EventKind::Asynchronous),
    ("sqs", EventKind::Queue),
    ("stream", EventKind::Stream),
    ("websocket", EventKind::Http),
];

/// Variables and references of the framework.
struct Variables;

impl Resolve for Variables {
    fn resolve<'a>(&'a self, node: &'a Yaml) -> Known<'a> {
        if let Some((name, argument)) = intrinsic(node) {
            let nothing = name == "Ref" && argument.as_text() == Some("AWS::NoValue");
            return if nothing { Known::Absent } else { Known::Elsewhere(format!("`!{name}`")) };
        }
        match node.as_text().filter(|text| text.contains("${")) {
            Some(text) => Known::Elsewhere(format!("the variable `{text}`, which is not looked up")),
            None => Known::Literal(node),
        }
    }
}

/// Reads every function of the file `root`.
pub(super) fn read(root: &Yaml, rules: &FunctionRules, sink: &mut Diagnostics) -> Vec<FunctionDefinition> {
    near_misses(root, &TOP, "serverless.yml", sink);
    let provider = root.get("provider");
    let cloud = provider.map(|provider| provider.get("name").unwrap_or(provider));
    if let Some((node, name)) = cloud.and_then(|node| Some((node, node.as_text()?))).filter(|(_, name)| *name != "aws")
    {
        let error = node.error(format!("functions of the provider `{name}` are not read from serverless.yml"));
        sink.push(error.near(name, ["aws"]).note("known: aws"));
        return Vec::new();
    }
    let of = |layers, owner: String| Part {
        layers,
        owner,
        service: FunctionPlatform::AwsLambda.service(),
        rules,
        resolve: &Variables,
    };
    let provider = provider.filter(|provider| matches!(provider.value, Value::Mapping(_)));
    let shared = of(provider.into_iter().collect(), "the provider".into());
    shared.near_misses(&PROVIDER, sink);
    let region = shared.literal("region", sink).and_then(|node| rules.region("aws", node, sink));
    let mut functions = Vec::new();
    for (key, node) in written(root, sink) {
        let title = format!("function `{}`", key.text);
        if !matches!(node.value, Value::Mapping(_)) {
            sink.push(match Variables.resolve(node) {
                Known::Elsewhere(what) => node.warning(format!("{title} depends on {what}")).label("left out"),
                _ => node.error(format!("{title} must be a mapping, not {}", node.kind())),
            });
            continue;
        }
        near_misses(node, &FUNCTION, &title, sink);
        let part = of(std::iter::once(node).chain(provider).collect(), title.clone());
        let mut function = read_function(key_text(key, node), node, &part, sink);
        let own = of(vec![node], title);
        read_own(&mut function, &own, sink);
        function.region = region.clone();
        check_lambda(&function, sink);
        functions.push(function);
    }
    functions
}

/// The entries under `functions`, which may be a list of mappings.
fn written<'a>(root: &'a Yaml, sink: &mut Diagnostics) -> Vec<&'a (Key, Yaml)> {
    let Some(functions) = root.get("functions") else { return Vec::new() };
    match &functions.value {
        Value::Mapping(entries) => entries.iter().collect(),
        Value::Sequence(list) => {
            for node in list.iter().filter(|node| node.as_text().is_some_and(|text| text.contains("${"))) {
                let text = node.as_text().unwrap_or("");
                let warning =
                    node.warning(format!("functions depend on the variable `{text}`, which is not looked up"));
                sink.push(warning.label("left out"));
            }
            list.iter().flat_map(entries).collect()
        }
        Value::Scalar(text) => {
            let warning = format!("functions depend on the variable `{text}`, which is not looked up");
            sink.push(functions.warning(warning).label("left out"));
            Vec::new()
        }
        Value::Null => Vec::new(),
    }
}

/// What a function may leave to the provider.
fn read_function(name: Stated<String>, node: &Yaml, part: &Part<'_>, sink: &mut Diagnostics) -> FunctionDefinition {
    let mut function = FunctionDefinition::new(name);
    function.platform = Some(function.name.with(FunctionPlatform::AwsLambda));
    function.memory = match part.states("memorySize") {
        true => part.megabytes("memorySize", "memory", sink),
        false => Some(Stated::assumed(Bytes::from_mib(DEFAULT_MEMORY), node)),
    };
    function.timeout = match part.states("timeout") {
        true => part.seconds("timeout", "time-out", sink),
        false => Some(Stated::assumed(SimDuration::from_secs(DEFAULT_TIMEOUT), node)),
    };
    function.runtime = part.text("runtime", sink);
    function.architecture = part.literal("architecture", sink).and_then(|node| {
        let found = one_of(node, "an architecture of Lambda", &ARCHITECTURES, sink)?;
        Some(Stated::new(found, node))
    });
    function.snap_start = part.flag("snapStart", sink);
    function
}

/// What only a function itself states.
fn read_own(function: &mut FunctionDefinition, part: &Part<'_>, sink: &mut Diagnostics) {
    function.deployed_name = part.quiet("name").and_then(|node| Some(Stated::new(node.as_text()?.to_string(), node)));
    function.ephemeral_storage = part.megabytes("ephemeralStorageSize", "ephemeral storage", sink);
    function.reserved_concurrency = part.count("reservedConcurrency", "", sink);
    let count = part.count("provisionedConcurrency", "provisioned concurrency", sink);
    function.provisioned = count.map(|count| Provisioned { count: Some(count), ..Provisioned::default() });
    read_autoscaling(function, &part.under("concurrencyAutoscaling", sink), sink);
    function.retries.attempts = part.count("maximumRetryAttempts", "asynchronous retries", sink);
    function.retries.event_age = part.seconds("maximumEventAge", "asynchronous event age", sink);
    if let Some(url) = part.literal("url", sink).filter(|url| url.as_text() != Some("false")) {
        function.events.push(event(EventKind::Http, Stated::new("url".into(), url)));
    }
    for item in part.literal("events", sink).map_or(&[][..], items) {
        read_event(function, item, part, sink);
    }
}

/// `concurrencyAutoscaling` of the plug-in serverless-provisioned-concurrency-autoscaling.
fn read_autoscaling(function: &mut FunctionDefinition, part: &Part<'_>, sink: &mut Diagnostics) {
    let enabled = part.flag("enabled", sink).is_none_or(|enabled| enabled.value);
    if part.layers.is_empty() || !enabled {
        return;
    }
    let actions = part.literal("scheduledActions", sink).map_or(&[][..], items);
    let schedule = actions.iter().filter_map(|node| {
        let action = Part { layers: vec![node], owner: part.owner.clone(), ..*part };
        let bounds = action.under("action", sink);
        Some(ScheduledAction {
            when: action.text("schedule", sink)?,
            time_zone: action.text("timezone", sink),
            minimum: bounds.count("minimum", "", sink),
            maximum: bounds.count("maximum", "", sink),
        })
    });
    let schedule = schedule.collect();
    let target = part.literal("usage", sink).and_then(|node| {
        let value = f64::from_node(node, sink)?;
        if value > 0.0 && value <= 1.0 {
            return Some(Stated::new(value, node));
        }
        let message = format!("`usage` of {} is a utilization from 0 to 1, not {value}", part.owner);
        sink.push(node.error(message).label("allowed: more than 0, at most 1"));
        None
    });
    let provisioned = function.provisioned.get_or_insert_default();
    provisioned.minimum = part.count("minimum", "", sink);
    provisioned.maximum = part.count("maximum", "", sink);
    provisioned.target = target;
    provisioned.schedule = schedule;
}

/// One event: a mapping with the kind as its key, or the kind alone.
fn read_event(function: &mut FunctionDefinition, item: &Yaml, part: &Part<'_>, sink: &mut Diagnostics) {
    let (name, settings) = match (item.as_text(), entries(item).first()) {
        (Some(text), _) => (Stated::new(text.to_string(), item), None),
        (None, Some((key, value))) => (key_text(key, value), Some(value)),
        _ => return,
    };
    let Some((_, kind)) = EVENTS.iter().find(|(known, _)| *known == name.value) else {
        let known: Vec<&str> = EVENTS.iter().map(|(known, _)| *known).collect();
        if let Some(near) = almost(&name.value, &known) {
            let error: Diagnostic = name.error(format!("{} has no event `{}`", part.owner, name.value));
            sink.push(error.meant(near));
        }
        return;
    };
    let mut found = event(*kind, name);
    if let Some(settings) = settings {
        let owner = format!("event `{}` of {}", found.name.value, part.owner);
        let of = Part { layers: vec![settings], owner, ..*part };
        of.near_misses(&["batchSize", "maximumBatchingWindow", "batchWindow", "maximumConcurrency", "rate"], sink);
        found.batch_size = of.count("batchSize", "batch size", sink);
        let window = if settings.get("batchWindow").is_some() { "batchWindow" } else { "maximumBatchingWindow" };
        found.batching_window = of.seconds(window, "batching window", sink);
        found.maximum_concurrency = of.count("maximumConcurrency", "maximum concurrency of a queue", sink);
        let rate = settings.get("rate").map_or(settings, |rate| items(rate).first().unwrap_or(rate));
        if *kind == EventKind::Schedule {
            found.schedule = rate.as_text().map(|text| Stated::new(text.to_string(), rate));
        }
    }
    function.events.push(found);
}
