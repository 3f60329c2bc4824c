//! AWS SAM and CloudFormation templates: `AWS::Serverless::Function` and `AWS::Lambda::Function` with the aliases, event
//! source mappings and application-autoscaling resources that belong to them.

use super::cloudformation::{Template, intrinsic, refers_to};
use super::definition::{
    Architecture, EventKind, EventSource, FunctionDefinition, FunctionPlatform, Provisioned, ScheduledAction, Stated,
};
use super::limits::FunctionRules;
use super::values::{Part, almost, check_lambda, entries, items, key_text};
use crate::config::{Diagnostic, Diagnostics, FromNode, Yaml, one_of};
use crate::units::{Bytes, SimDuration};

/// Properties of `AWS::Serverless::Function`.
const SAM_PROPERTIES: [&str; 46] = [
    "Architectures",
    "AssumeRolePolicyDocument",
    "AutoPublishAlias",
    "AutoPublishAliasAllProperties",
    "AutoPublishCodeSha256",
    "CapacityProviderConfig",
    "CodeSigningConfigArn",
    "CodeUri",
    "DeadLetterQueue",
    "DeploymentPreference",
    "Description",
    "DurableConfig",
    "Environment",
    "EphemeralStorage",
    "EventInvokeConfig",
    "Events",
    "FileSystemConfigs",
    "FunctionName",
    "FunctionScalingConfig",
    "FunctionUrlConfig",
    "Handler",
    "ImageConfig",
    "ImageUri",
    "InlineCode",
    "KmsKeyArn",
    "Layers",
    "LoggingConfig",
    "MemorySize",
    "PackageType",
    "PermissionsBoundary",
    "Policies",
    "PropagateTags",
    "ProvisionedConcurrencyConfig",
    "PublishToLatestPublished",
    "RecursiveLoop",
    "ReservedConcurrentExecutions",
    "Role",
    "RolePath",
    "Runtime",
    "RuntimeManagementConfig",
    "SnapStart",
    "SourceKMSKeyArn",
    "Tags",
    "TenancyConfig",
    "Timeout",
    "VpcConfig",
];

/// Further properties of functions that name no other of the list; a template of either kind may have them.
const MORE_PROPERTIES: [&str; 6] =
    ["Tracing", "TracingConfig", "VersionDescription", "VersionDeletionPolicy", "Code", "DeadLetterConfig"];

/// Types of resources in the two families that are read.
const TYPES: [&str; 23] = [
    "AWS::Serverless::Api",
    "AWS::Serverless::Application",
    "AWS::Serverless::CapacityProvider",
    "AWS::Serverless::Connector",
    "AWS::Serverless::Function",
    "AWS::Serverless::GraphQLApi",
    "AWS::Serverless::HttpApi",
    "AWS::Serverless::LayerVersion",
    "AWS::Serverless::SimpleTable",
    "AWS::Serverless::StateMachine",
    "AWS::Serverless::WebSocketApi",
    "AWS::Lambda::Alias",
    "AWS::Lambda::CapacityProvider",
    "AWS::Lambda::CodeSigningConfig",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::LayerVersionPermission",
    "AWS::Lambda::Permission",
    "AWS::Lambda::Url",
    "AWS::Lambda::Version",
    "AWS::Lambda::MicrovmImage",
];

/// Event types of SAM.
const EVENTS: [(&str, EventKind); 19] = [
    ("AlexaSkill", EventKind::Http),
    ("Api", EventKind::Http),
    ("CloudWatchEvent", EventKind::Asynchronous),
    ("CloudWatchLogs", EventKind::Asynchronous),
    ("Cognito", EventKind::Http),
    ("DocumentDB", EventKind::Stream),
    ("DynamoDB", EventKind::Stream),
    ("EventBridgeRule", EventKind::Asynchronous),
    ("HttpApi", EventKind::Http),
    ("IoTRule", EventKind::Asynchronous),
    ("Kinesis", EventKind::Stream),
    ("MQ", EventKind::Queue),
    ("MSK", EventKind::Stream),
    ("S3", EventKind::Asynchronous),
    ("SNS", EventKind::Asynchronous),
    ("SQS", EventKind::Queue),
    ("Schedule", EventKind::Schedule),
    ("ScheduleV2", EventKind::Schedule),
    ("SelfManagedKafka", EventKind::Stream),
];

/// Fields of an event source that are read.
const EVENT_FIELDS: [&str; 7] = [
    "BatchSize",
    "MaximumBatchingWindowInSeconds",
    "ScalingConfig",
    "MaximumConcurrency",
    "Schedule",
    "ScheduleExpression",
    "ParallelizationFactor",
];

/// Architectures as AWS writes them.
pub(super) const ARCHITECTURES: [(&str, Architecture); 2] =
    [("x86_64", Architecture::X86), ("arm64", Architecture::Arm)];

/// Reads every function of the template `root`.
pub(super) fn read(root: &Yaml, rules: &FunctionRules, sink: &mut Diagnostics) -> Vec<FunctionDefinition> {
    let template = Template { root };
    let globals = root.get("Globals").and_then(|globals| globals.get("Function"));
    if let Some(globals) = globals {
        properties_near_misses(globals, "`Globals.Function`", sink);
    }
    let mut functions = Vec::new();
    for (name, kind, resource) in template.resources() {
        if let Some(near) = almost(kind, &TYPES) {
            let kind_node = resource.get("Type").unwrap_or(resource);
            sink.push(kind_node.error(format!("`{kind}` is not a type of resource")).meant(near));
        }
        let layers = match kind {
            "AWS::Serverless::Function" => [resource.get("Properties"), globals],
            "AWS::Lambda::Function" => [resource.get("Properties"), None],
            _ => continue,
        };
        let part = Part {
            layers: layers.into_iter().flatten().collect(),
            owner: format!("function `{name}`"),
            service: FunctionPlatform::AwsLambda.service(),
            rules,
            resolve: &template,
        };
        if let Some(own) = resource.get("Properties") {
            properties_near_misses(own, &part.owner, sink);
        }
        let place = root.get("Resources").and_then(|all| entries(all).iter().find(|(key, _)| key.text == name));
        let Some((key, node)) = place else { continue };
        functions.push(read_function(key_text(key, node), node, &part, kind == "AWS::Serverless::Function", sink));
    }
    for (_, kind, resource) in template.resources() {
        read_beside(kind, resource, &template, rules, &mut functions, sink);
    }
    functions.iter().for_each(|function| check_lambda(function, sink));
    functions
}

fn properties_near_misses(node: &Yaml, owner: &str, sink: &mut Diagnostics) {
    let known: Vec<&str> = SAM_PROPERTIES.iter().chain(&MORE_PROPERTIES).copied().collect();
    super::values::near_misses(node, &known, owner, sink);
}

fn read_function(
    name: Stated<String>,
    node: &Yaml,
    part: &Part<'_>,
    sam: bool,
    sink: &mut Diagnostics,
) -> FunctionDefinition {
    let mut function = FunctionDefinition::new(name);
    let place = part.node().unwrap_or(node);
    let managed = part.quiet("CapacityProviderConfig");
    let service = if managed.is_some() { "lambda-managed-instances" } else { part.service };
    let part = &Part { layers: part.layers.clone(), owner: part.owner.clone(), service, ..*part };
    if let Some(managed) = managed {
        function.managed_instances = Some(Stated::new(true, managed));
        read_managed(&mut function, part, sink);
    }
    function.platform = Some(function.name.with(FunctionPlatform::AwsLambda));
    function.deployed_name = part.quiet("FunctionName").and_then(|of| Some(Stated::new(of.as_text()?.to_string(), of)));
    function.memory = match part.states("MemorySize") {
        true => part.megabytes("MemorySize", "memory", sink),
        false => part.default("memory", place).map(|mb| mb.map(Bytes::from_mib)),
    };
    function.timeout = match part.states("Timeout") {
        true => part.seconds("Timeout", "time-out", sink),
        false => part.default("time-out", place).map(|seconds| seconds.map(SimDuration::from_secs)),
    };
    function.runtime = part.text("Runtime", sink);
    function.architecture = part.literal("Architectures", sink).and_then(|node| {
        let node = items(node).first().unwrap_or(node);
        one_of(node, "an architecture of Lambda", &ARCHITECTURES, sink).map(|found| Stated::new(found, node))
    });
    function.ephemeral_storage = part.under("EphemeralStorage", sink).megabytes("Size", "ephemeral storage", sink);
    function.reserved_concurrency = part.count("ReservedConcurrentExecutions", "", sink);
    function.snap_start = part.under("SnapStart", sink).literal("ApplyOn", sink).and_then(|node| {
        let known = [("PublishedVersions", true), ("None", false)];
        one_of(node, "a setting of SnapStart", &known, sink).map(|on| Stated::new(on, node))
    });
    if sam {
        read_sam_parts(&mut function, part, sink);
    }
    function
}

/// A function on instances that Lambda manages.
fn read_managed(function: &mut FunctionDefinition, part: &Part<'_>, sink: &mut Diagnostics) {
    let config = part.under("CapacityProviderConfig", sink);
    let inner = config.under("LambdaManagedInstancesCapacityProviderConfig", sink);
    let config = if inner.layers.is_empty() { config } else { inner };
    let known = ["PerExecutionEnvironmentMaxConcurrency", "ExecutionEnvironmentMemoryGiBPerVCpu", "Arn"];
    config.near_misses(&known, sink);
    function.concurrency = config.count("PerExecutionEnvironmentMaxConcurrency", "concurrency per instance", sink);
    let scaling = part.under("FunctionScalingConfig", sink);
    scaling.near_misses(&["MinExecutionEnvironments", "MaxExecutionEnvironments"], sink);
    function.min_instances = scaling.count("MinExecutionEnvironments", "", sink);
    function.max_instances = scaling.count("MaxExecutionEnvironments", "", sink);
}

/// What only `AWS::Serverless::Function` states in itself.
fn read_sam_parts(function: &mut FunctionDefinition, part: &Part<'_>, sink: &mut Diagnostics) {
    function.provisioned = read_provisioned(&part.under("ProvisionedConcurrencyConfig", sink), sink);
    let alias = part.layers.iter().any(|layer| layer.get("AutoPublishAlias").is_some());
    if let Some(count) = function.provisioned.as_ref().and_then(|p| p.count.as_ref()).filter(|_| !alias) {
        let message = format!("provisioned concurrency of {} needs `AutoPublishAlias`", part.owner);
        sink.push(count.error(message).help("add `AutoPublishAlias: live`"));
    }
    read_retries(function, &part.under("EventInvokeConfig", sink), sink);
    if let Some(url) = part.literal("FunctionUrlConfig", sink) {
        function.events.push(event(EventKind::Http, Stated::new("FunctionUrlConfig".into(), url)));
    }
    let Some(events) = part.literal("Events", sink) else { return };
    for (key, node) in entries(events) {
        if intrinsic(node).is_some() {
            continue;
        }
        let owner = format!("event `{}` of {}", key.text, part.owner);
        let Some(kind) = node.get("Type") else {
            let error = Diagnostic::error(format!("{owner} has no `Type`")).at(&node.source, key.span);
            sink.push(error.help("add `Type:`"));
            continue;
        };
        let Some(found) = one_of(kind, "a type of event", &EVENTS, sink) else { continue };
        let mut event = event(found, Stated::new(kind.as_text().unwrap_or("").to_string(), kind));
        let layers = node.get("Properties").into_iter().collect();
        read_event(&mut event, &Part { layers, owner, ..*part }, sink);
        function.events.push(event);
    }
}

/// An event source of which nothing else is stated.
pub(super) fn event(kind: EventKind, name: Stated<String>) -> EventSource {
    EventSource { kind, name, batch_size: None, batching_window: None, maximum_concurrency: None, schedule: None }
}

fn read_event(event: &mut EventSource, part: &Part<'_>, sink: &mut Diagnostics) {
    part.near_misses(&EVENT_FIELDS, sink);
    event.batch_size = part.count("BatchSize", "batch size", sink);
    event.batching_window = part.seconds("MaximumBatchingWindowInSeconds", "batching window", sink);
    event.maximum_concurrency =
        part.under("ScalingConfig", sink).count("MaximumConcurrency", "maximum concurrency of a queue", sink);
    part.count("ParallelizationFactor", "shards read in parallel", sink);
    let schedule = part.quiet("Schedule").or_else(|| part.quiet("ScheduleExpression"));
    event.schedule = schedule.and_then(|node| Some(Stated::new(node.as_text()?.to_string(), node)));
}

/// `ProvisionedConcurrencyConfig` of a function, an alias or a version.
fn read_provisioned(part: &Part<'_>, sink: &mut Diagnostics) -> Option<Provisioned> {
    part.near_misses(&["ProvisionedConcurrentExecutions"], sink);
    let count = part.count("ProvisionedConcurrentExecutions", "provisioned concurrency", sink)?;
    Some(Provisioned { count: Some(count), ..Provisioned::default() })
}

fn read_retries(function: &mut FunctionDefinition, part: &Part<'_>, sink: &mut Diagnostics) {
    part.near_misses(&["MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig", "Qualifier"], sink);
    function.retries.attempts = part.count("MaximumRetryAttempts", "asynchronous retries", sink);
    function.retries.event_age = part.seconds("MaximumEventAgeInSeconds", "asynchronous event age", sink);
}

/// Reads a resource that belongs to one of the functions.
fn read_beside(
    kind: &str,
    resource: &Yaml,
    template: &Template<'_>,
    rules: &FunctionRules,
    functions: &mut [FunctionDefinition],
    sink: &mut Diagnostics,
) {
    let Some(properties) = resource.get("Properties") else { return };
    let of = match kind {
        "AWS::Lambda::Alias"
        | "AWS::Lambda::Version"
        | "AWS::Lambda::EventSourceMapping"
        | "AWS::Lambda::EventInvokeConfig" => "FunctionName",
        "AWS::Lambda::Url" => "TargetFunctionArn",
        "AWS::ApplicationAutoScaling::ScalableTarget" => "ResourceId",
        "AWS::ApplicationAutoScaling::ScalingPolicy" => {
            return read_policy(properties, template, rules, functions, sink);
        }
        _ => return,
    };
    let Some(function) = properties.get(of).and_then(|node| owner(node, template, functions)) else { return };
    let part = Part {
        layers: vec![properties],
        owner: function.title(),
        service: FunctionPlatform::AwsLambda.service(),
        rules,
        resolve: template,
    };
    match kind {
        "AWS::Lambda::Url" => function.events.push(event(EventKind::Http, Stated::new("Url".into(), properties))),
        "AWS::Lambda::EventInvokeConfig" => read_retries(function, &part, sink),
        "AWS::Lambda::EventSourceMapping" => {
            let source = properties.get("EventSourceArn");
            let queue = source.and_then(|node| template.referred_type(node)) == Some("AWS::SQS::Queue")
                || source.and_then(Yaml::as_text).is_some_and(|arn| arn.contains(":sqs:"))
                || properties.get("ScalingConfig").is_some();
            let (kind, name) = if queue { (EventKind::Queue, "SQS") } else { (EventKind::Stream, "stream") };
            let mut event = event(kind, Stated::new(name.into(), source.unwrap_or(properties)));
            read_event(&mut event, &part, sink);
            function.events.push(event);
        }
        "AWS::ApplicationAutoScaling::ScalableTarget" => read_target(function, &part, sink),
        _ => {
            let config = part.under("ProvisionedConcurrencyConfig", sink);
            let found = read_provisioned(&config, sink).and_then(|found| found.count);
            if found.is_some() {
                function.provisioned.get_or_insert_default().count = found;
            }
        }
    }
}

/// The function that `node` refers to, directly or through an alias or a version of it.
fn owner<'f>(
    node: &Yaml,
    template: &Template<'_>,
    functions: &'f mut [FunctionDefinition],
) -> Option<&'f mut FunctionDefinition> {
    let named = |function: &FunctionDefinition, node: &Yaml| {
        let deployed = function.deployed_name.as_ref().is_some_and(|name| refers_to(node, &name.value));
        deployed || refers_to(node, &function.name.value)
    };
    let direct = functions.iter().position(|function| named(function, node));
    let through = || {
        let mut aliases = template.resources().filter(|(name, kind, _)| {
            matches!(*kind, "AWS::Lambda::Alias" | "AWS::Lambda::Version") && refers_to(node, name)
        });
        let target = aliases.next()?.2.get("Properties")?.get("FunctionName")?;
        functions.iter().position(|function| named(function, target))
    };
    let index = direct.or_else(through)?;
    functions.get_mut(index)
}

/// The bounds within which application autoscaling keeps provisioned concurrency.
fn read_target(function: &mut FunctionDefinition, part: &Part<'_>, sink: &mut Diagnostics) {
    part.near_misses(&["MinCapacity", "MaxCapacity", "ScheduledActions", "ServiceNamespace"], sink);
    let (minimum, maximum) = (part.count("MinCapacity", "", sink), part.count("MaxCapacity", "", sink));
    if let (Some(least), Some(most)) = (&minimum, &maximum)
        && least.value > most.value
    {
        let message = format!("`MinCapacity` of {} is above `MaxCapacity`, {}", part.owner, most.value);
        sink.push(least.error(message));
    }
    let actions = part.literal("ScheduledActions", sink).map_or(&[][..], items);
    let schedule = actions.iter().filter_map(|node| {
        let action = Part { layers: vec![node], owner: format!("a scheduled action of {}", part.owner), ..*part };
        let when = action.text("Schedule", sink)?;
        let bounds = action.under("ScalableTargetAction", sink);
        let (minimum, maximum) = (bounds.count("MinCapacity", "", sink), bounds.count("MaxCapacity", "", sink));
        Some(ScheduledAction { when, time_zone: action.text("Timezone", sink), minimum, maximum })
    });
    let schedule: Vec<ScheduledAction> = schedule.collect();
    let provisioned = function.provisioned.get_or_insert_default();
    provisioned.minimum = minimum;
    provisioned.maximum = maximum;
    provisioned.schedule = schedule;
}

/// The target that a scaling policy tracks.
fn read_policy(
    properties: &Yaml,
    template: &Template<'_>,
    rules: &FunctionRules,
    functions: &mut [FunctionDefinition],
    sink: &mut Diagnostics,
) {
    let target = properties.get("ScalingTargetId").and_then(|node| {
        let mut targets = template
            .resources()
            .filter(|(name, kind, _)| *kind == "AWS::ApplicationAutoScaling::ScalableTarget" && refers_to(node, name));
        targets.next()?.2.get("Properties")?.get("ResourceId")
    });
    let resource = target.or_else(|| properties.get("ResourceId"));
    let Some(function) = resource.and_then(|node| owner(node, template, functions)) else { return };
    let service = FunctionPlatform::AwsLambda.service();
    let part = Part { layers: vec![properties], owner: function.title(), service, rules, resolve: template };
    let tracking = part.under("TargetTrackingScalingPolicyConfiguration", sink);
    tracking.near_misses(&["TargetValue", "PredefinedMetricSpecification", "CustomizedMetricSpecification"], sink);
    let Some(node) = tracking.literal("TargetValue", sink) else { return };
    let target = f64::from_node(node, sink);
    if let Some(value) = target.filter(|value| !(*value > 0.0 && *value <= 1.0)) {
        let message = format!("`TargetValue` of {} is a utilization from 0 to 1, not {value}", part.owner);
        sink.push(node.error(message).label("allowed: more than 0, at most 1"));
        return;
    }
    function.provisioned.get_or_insert_default().target = target.map(|value| Stated::new(value, node));
}
