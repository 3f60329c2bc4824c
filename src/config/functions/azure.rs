//! Azure Functions: the plan and the limits of function apps from ARM templates and Bicep, and `host.json`.

use super::bicep::{NAME, SYMBOL};
use super::definition::{AlwaysReady, EventKind, FunctionDefinition, FunctionPlatform, Stated};
use super::limits::FunctionRules;
use super::sam::event;
use super::values::{Known, Part, Plain, Resolve, almost, count, items, near_misses};
use crate::config::{Diagnostics, FromNode, Value, Yaml, not_one_of};
use crate::units::{Bytes, Millicores, SimDuration};

/// The documents about Azure in a set of files.
#[derive(Default)]
pub(super) struct Azure {
    /// ARM templates, or Bicep in the same shape.
    pub(super) templates: Vec<Yaml>,
    /// `host.json` files.
    pub(super) hosts: Vec<Yaml>,
}

/// Names at the top of `host.json`.
const HOST: [&str; 29] = [
    "$schema",
    "aggregator",
    "applicationInsights",
    "blobs",
    "concurrency",
    "console",
    "cosmosDb",
    "customHandler",
    "eventHub",
    "eventHubs",
    "extensionBundle",
    "extensions",
    "functions",
    "functionTimeout",
    "healthMonitor",
    "http",
    "isDefaultHostConfig",
    "logging",
    "managedDependency",
    "queues",
    "retry",
    "sendGrid",
    "serviceBus",
    "signalR",
    "singleton",
    "telemetryMode",
    "tracing",
    "version",
    "watchDirectories",
];

/// Names under `extensions` of `host.json`.
const EXTENSIONS: [&str; 13] = [
    "blobs",
    "cosmosDb",
    "cosmosDB",
    "durableTask",
    "eventHubs",
    "http",
    "kafka",
    "mysql",
    "queues",
    "rabbitMQ",
    "sendGrid",
    "serviceBus",
    "signalR",
];

/// Names under `extensions.http`.
const HTTP: [&str; 6] = [
    "customHeaders",
    "dynamicThrottlesEnabled",
    "hsts",
    "maxConcurrentRequests",
    "maxOutstandingRequests",
    "routePrefix",
];

/// Plans of functions: name, tier, platform.
const PLANS: [(&str, &str, FunctionPlatform); 5] = [
    ("Y1", "Dynamic", FunctionPlatform::AzureConsumption),
    ("FC1", "FlexConsumption", FunctionPlatform::AzureFlex),
    ("EP1", "ElasticPremium", FunctionPlatform::AzurePremium),
    ("EP2", "ElasticPremium", FunctionPlatform::AzurePremium),
    ("EP3", "ElasticPremium", FunctionPlatform::AzurePremium),
];

/// Fields of `functionAppConfig.scaleAndConcurrency`.
const SCALE: [&str; 4] = ["alwaysReady", "instanceMemoryMB", "maximumInstanceCount", "triggers"];
/// Fields of `siteConfig` that are read; it has a hundred.
const SITE: [&str; 3] = ["functionAppScaleLimit", "minimumElasticInstanceCount", "preWarmedInstanceCount"];

/// A template whose expressions are looked up in it.
struct Template<'a>(&'a Yaml);

/// What an expression `[...]` says; `[[` stands for a text that begins with a bracket.
fn expression(node: &Yaml) -> Option<&str> {
    let text = node.as_text()?.strip_prefix('[')?;
    if text.starts_with('[') { None } else { text.strip_suffix(']').map(str::trim) }
}

impl Template<'_> {
    /// The parameter or variable that an expression names, and nothing else.
    fn named<'n>(&'n self, text: &str) -> Option<Known<'n>> {
        let (kind, rest) = text.split_once("('")?;
        let name = rest.strip_suffix("')").filter(|name| !name.contains('\''))?;
        let parameter = || self.0.get("parameters").and_then(|all| all.get(name));
        let variable = || self.0.get("variables").and_then(|all| all.get(name));
        let default = |parameter: &'n Yaml| match parameter.get("defaultValue") {
            Some(value) => Known::Literal(value),
            None => Known::Elsewhere(format!("parameter `{name}`, which has no default")),
        };
        match kind {
            "parameters" => parameter().map(default),
            "variables" => variable().map(Known::Literal),
            NAME => parameter().map(default).or_else(|| variable().map(Known::Literal)),
            _ => None,
        }
    }
}

impl Resolve for Template<'_> {
    fn resolve<'n>(&'n self, node: &'n Yaml) -> Known<'n> {
        let mut node = node;
        // A default may itself name a variable; a circle ends after a few steps.
        for _ in 0..8 {
            let Some(text) = expression(node) else { return Known::Literal(node) };
            match self.named(text) {
                Some(Known::Literal(value)) => node = value,
                Some(other) => return other,
                None => return Known::Elsewhere(format!("the expression `{text}`")),
            }
        }
        Known::Elsewhere("a circle of parameters".into())
    }
}

/// The resources of a template: a list, or a mapping with symbolic names.
fn resources(root: &Yaml) -> Vec<&Yaml> {
    match root.get("resources").map(|all| &all.value) {
        Some(Value::Sequence(items)) => items.iter().collect(),
        Some(Value::Mapping(entries)) => entries.iter().map(|(_, node)| node).collect(),
        _ => Vec::new(),
    }
}

fn is_kind(resource: &Yaml, kind: &str) -> bool {
    resource.get("type").and_then(Yaml::as_text).is_some_and(|text| text.eq_ignore_ascii_case(kind))
}

/// Whether `text` names the resource: by its symbolic name, or by its name, literal or as an expression.
fn names(text: &str, resource: &Yaml) -> bool {
    let word = |name: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').any(|word| word == name);
    let symbol = resource.get(SYMBOL).and_then(Yaml::as_text).is_some_and(word);
    let name = resource.get("name");
    let expressed = name.and_then(expression).is_some_and(|inner| text.contains(inner));
    symbol || expressed || name.and_then(Yaml::as_text).is_some_and(word)
}

/// Reads every function app of the templates, with the settings of `host.json`; a `host.json` alone is a function app whose
/// plan is not stated.
pub(super) fn read(azure: &Azure, rules: &FunctionRules, sink: &mut Diagnostics) -> Vec<FunctionDefinition> {
    let mut functions = Vec::new();
    for root in &azure.templates {
        read_template(root, rules, &mut functions, sink);
    }
    if let [_, second, ..] = azure.hosts.as_slice() {
        sink.push(second.error("a second `host.json`").help("name the `host.json` of one function app only"));
        return functions;
    }
    let host = azure.hosts.first();
    if let (Some(host), true) = (host, azure.templates.is_empty()) {
        let name = Stated { value: "function-app".to_string(), ..Stated::assumed(String::new(), host) };
        functions.push(FunctionDefinition::new(name));
    }
    for function in &mut functions {
        read_host(function, host, rules, sink);
    }
    functions
}

fn read_template(root: &Yaml, rules: &FunctionRules, functions: &mut Vec<FunctionDefinition>, sink: &mut Diagnostics) {
    let template = Template(root);
    let all = resources(root);
    for resource in &all {
        let kind = resource.get("type");
        let near = kind.and_then(|kind| almost(kind.as_text()?, &["Microsoft.Web/sites", "Microsoft.Web/serverfarms"]));
        if let (Some(near), Some(kind)) = (near.filter(|near| !is_kind(resource, near)), kind) {
            let text = kind.as_text().unwrap_or("");
            sink.push(kind.error(format!("`{text}` is not a type of resource")).meant(near));
        }
    }
    let plans: Vec<&Yaml> = all.iter().copied().filter(|one| is_kind(one, "Microsoft.Web/serverfarms")).collect();
    for site in all.iter().copied().filter(|one| is_kind(one, "Microsoft.Web/sites")) {
        let plan = plan_of(site, &plans);
        let part = |layers, owner| Part { layers, owner, service: "functions", rules, resolve: &template };
        let properties = part(vec![site], String::new()).under("properties", sink);
        let kind = site.get("kind").and_then(Yaml::as_text).unwrap_or("");
        let config = properties.layers.first().and_then(|own| own.get("functionAppConfig"));
        if !kind.contains("functionapp") && config.is_none() {
            continue;
        }
        let configs: Vec<&Yaml> = all.iter().copied().filter(|one| is_config(one, site)).collect();
        let title = site_name(site, &template);
        let owner = format!("function app `{}`", title.value);
        let Some(platform) = platform(site, plan, config.is_some(), &owner, &template, sink) else { continue };
        let site = part(vec![site], owner.clone());
        let plan = part(plan.into_iter().collect(), format!("the plan of {owner}"));
        let own = Site { own: site, plan, configs };
        functions.push(read_site(title, platform, &own, sink));
    }
}

/// A function app with its plan and the resources that configure it.
struct Site<'a> {
    own: Part<'a>,
    plan: Part<'a>,
    configs: Vec<&'a Yaml>,
}

/// Whether `resource` is the `web` configuration of the site.
fn is_config(resource: &Yaml, site: &Yaml) -> bool {
    let text = |name| resource.get(name).and_then(Yaml::as_text).unwrap_or("");
    let web = text("name").trim_end_matches(['\'', ']', ')']).ends_with("web");
    is_kind(resource, "Microsoft.Web/sites/config") && web && (names(text("parent"), site) || names(text("name"), site))
}

/// The plan that a site names, or the only one.
fn plan_of<'a>(site: &Yaml, plans: &[&'a Yaml]) -> Option<&'a Yaml> {
    let id = site.get("properties").and_then(|properties| properties.get("serverFarmId"));
    let text = id.and_then(Yaml::as_text)?;
    let named = plans.iter().copied().find(|plan| names(text, plan));
    named.or(if let [only] = plans { Some(*only) } else { None })
}

/// The name of a site: the literal, or the symbolic name, or `function-app`.
fn site_name(site: &Yaml, template: &Template<'_>) -> Stated<String> {
    let literal = |node: &Yaml| match template.resolve(node) {
        Known::Literal(found) => found.as_text().map(|text| Stated::new(text.to_string(), node)),
        _ => None,
    };
    let symbol = || site.get(SYMBOL).and_then(|node| Some(Stated::new(node.as_text()?.to_string(), node)));
    let named = site.get("name").and_then(literal).or_else(symbol);
    named.unwrap_or_else(|| Stated::assumed("function-app".to_string(), site.get("name").unwrap_or(site)))
}

/// The platform of a site; `None` if it runs on something else, which is told.
fn platform(
    site: &Yaml,
    plan: Option<&Yaml>,
    flex: bool,
    owner: &str,
    template: &Template<'_>,
    sink: &mut Diagnostics,
) -> Option<Stated<FunctionPlatform>> {
    let place = site.get("kind").or(site.get("type")).unwrap_or(site);
    let Some(plan) = plan else {
        if flex {
            return Some(Stated::assumed(FunctionPlatform::AzureFlex, place));
        }
        if site.get("properties").and_then(|properties| properties.get("serverFarmId")).is_some() {
            let warning = place.warning(format!("the plan of {owner} is not in the files"));
            sink.push(warning.label("left out").help("name the template of the plan as well"));
            return None;
        }
        return Some(Stated::assumed(FunctionPlatform::AzureConsumption, place));
    };
    let sku = plan.get("sku").unwrap_or(plan);
    let literal = |name| sku.get(name).map(|node| (node, template.resolve(node)));
    let found = [literal("name"), literal("tier")].into_iter().flatten().find_map(|(_, known)| match known {
        Known::Literal(node) => Some((node, node.as_text()?)),
        _ => None,
    });
    let Some((node, text)) = found else {
        if flex {
            return Some(Stated::assumed(FunctionPlatform::AzureFlex, place));
        }
        let warning = sku.warning(format!("the plan of {owner} is known only elsewhere"));
        sink.push(warning.label("left out").help("write the name of its `sku` here"));
        return None;
    };
    let known = PLANS.iter().find(|(name, tier, _)| text.eq_ignore_ascii_case(name) || text.eq_ignore_ascii_case(tier));
    if let Some((_, _, platform)) = known {
        return Some(Stated::new(*platform, node));
    }
    if is_dedicated(text) {
        let warning =
            node.warning(format!("{owner} runs on the App Service plan `{text}`, which is not a plan of functions"));
        sink.push(warning.label("left out"));
        return None;
    }
    let names: Vec<&str> = PLANS.iter().map(|(name, _, _)| *name).collect();
    sink.push(not_one_of(node, text, "a plan of Azure Functions", &names));
    None
}

/// Whether a name is that of an App Service plan (`B1`, `S2`, `P1v3`, `P1mv3`, `I2v2`, `WS1`), or of its tier.
fn is_dedicated(text: &str) -> bool {
    let upper = text.to_uppercase();
    let tiers = ["FREE", "SHARED", "BASIC", "STANDARD", "PREMIUM", "ISOLATED", "WORKFLOWSTANDARD"];
    let body = upper.strip_prefix("WS").or_else(|| upper.strip_prefix(['F', 'D', 'B', 'S', 'P', 'I']));
    let sized = body.and_then(|body| body.strip_prefix(|c: char| c.is_ascii_digit()));
    let version = sized.is_some_and(|rest| matches!(rest, "" | "V2" | "V3" | "V4" | "MV2" | "MV3" | "MV4"));
    version || tiers.iter().any(|tier| upper.starts_with(tier))
}

fn read_site(
    name: Stated<String>,
    platform: Stated<FunctionPlatform>,
    site: &Site<'_>,
    sink: &mut Diagnostics,
) -> FunctionDefinition {
    let mut function = FunctionDefinition::new(name);
    let kind = platform.value;
    let location = site.own.quiet("location");
    function.region = location.and_then(|node| site.own.rules.region("azure", node, sink));
    let properties = Part { service: kind.service(), ..site.own.under("properties", sink) };
    match kind {
        FunctionPlatform::AzureFlex => read_flex(&mut function, &properties.under("functionAppConfig", sink), sink),
        _ => read_elastic(&mut function, &platform, &properties, site, sink),
    }
    let version = properties.under("siteConfig", sink).quiet("linuxFxVersion");
    let version = version.and_then(|node| Some(Stated::new(node.as_text()?.replace('|', " ").to_lowercase(), node)));
    function.runtime = function.runtime.take().or(version);
    function.platform = Some(platform);
    function
}

/// Consumption and Premium.
fn read_elastic(
    function: &mut FunctionDefinition,
    platform: &Stated<FunctionPlatform>,
    properties: &Part<'_>,
    site: &Site<'_>,
    sink: &mut Diagnostics,
) {
    let service = platform.value.service();
    let mut config = properties.under("siteConfig", sink);
    let web =
        Part { layers: site.configs.clone(), owner: config.owner.clone(), ..*properties }.under("properties", sink);
    config.layers.extend(web.layers);
    config.near_misses(&SITE, sink);
    // Zero leaves the limit to the plan.
    let limit = config.whole("functionAppScaleLimit", sink).filter(|limit| limit.value > 0);
    let what = format!("`functionAppScaleLimit` of {}", config.owner);
    let limit = limit.filter(|limit| config.rules.check((service, "max instances"), &what, limit, sink));
    function.max_instances = limit.and_then(|limit| count(limit, sink));
    if platform.value == FunctionPlatform::AzureConsumption {
        let memory = config.rules.number(service, "memory").map(Bytes::from_mib);
        function.memory = memory.map(|memory| Stated { assumed: true, ..platform.with(memory) });
        return;
    }
    let plan = Part { service, layers: site.plan.layers.clone(), owner: site.plan.owner.clone(), ..site.plan };
    let settings = plan.under("properties", sink);
    settings.near_misses(&["maximumElasticWorkerCount"], sink);
    let most = settings.count("maximumElasticWorkerCount", "max instances", sink);
    function.max_instances = function.max_instances.take().or(most);
    let least = config.count("minimumElasticInstanceCount", "minimum instances", sink);
    let capacity = plan.under("sku", sink).count("capacity", "", sink);
    function.min_instances = least.or(capacity);
    function.pre_warmed = config.count("preWarmedInstanceCount", "pre-warmed instances", sink);
    let size = plan.under("sku", sink).quiet("name").and_then(Yaml::as_text).unwrap_or("").to_uppercase();
    let number = |name: &str| plan.rules.number(service, &format!("{name} of {size}"));
    function.memory = number("memory").map(|mib| platform.with(Bytes::from_mib(mib)));
    function.cpu = number("cores").map(|cores| platform.with(Millicores::new(cores * 1000)));
}

/// Flex Consumption: `functionAppConfig`.
fn read_flex(function: &mut FunctionDefinition, part: &Part<'_>, sink: &mut Diagnostics) {
    part.near_misses(&["scaleAndConcurrency", "runtime", "deployment"], sink);
    let runtime = part.under("runtime", sink);
    let text = |name| runtime.quiet(name).and_then(Yaml::as_text);
    if let (Some(node), Some(name)) = (runtime.quiet("name"), text("name")) {
        let words = [Some(name), text("version")].into_iter().flatten().collect::<Vec<_>>().join(" ");
        function.runtime = Some(Stated::new(words, node));
    }
    let scale = part.under("scaleAndConcurrency", sink);
    scale.near_misses(&SCALE, sink);
    let default = || part.rules.number(part.service, "memory").map(Bytes::from_mib);
    function.memory = match scale.states("instanceMemoryMB") {
        true => scale.megabytes("instanceMemoryMB", "memory", sink),
        false => default().map(|memory| Stated { assumed: true, ..function.name.with(memory) }),
    };
    function.max_instances = scale.count("maximumInstanceCount", "max instances", sink);
    for node in scale.literal("alwaysReady", sink).map_or(&[][..], items) {
        let ready = Part { layers: vec![node], owner: format!("`alwaysReady` of {}", part.owner), ..*part };
        ready.near_misses(&["name", "instanceCount"], sink);
        let instances = ready.count("instanceCount", "always-ready instances", sink);
        if let (Some(group), Some(instances)) = (ready.text("name", sink), instances) {
            function.always_ready.push(AlwaysReady { group, instances });
        }
    }
    let http = scale.under("triggers", sink).under("http", sink);
    http.near_misses(&["perInstanceConcurrency"], sink);
    function.concurrency = http.count("perInstanceConcurrency", "concurrency per instance", sink);
}

/// The settings of `host.json`, and the time-out that holds without one.
fn read_host(function: &mut FunctionDefinition, host: Option<&Yaml>, rules: &FunctionRules, sink: &mut Diagnostics) {
    let service = function.platform.as_ref().map_or("functions", |platform| platform.value.service());
    let default = rules.number(service, "time-out").map(SimDuration::from_secs);
    function.timeout = default.map(|time| Stated { assumed: true, ..function.name.with(time) });
    let Some(host) = host else { return };
    let owner = "`host.json`";
    near_misses(host, &HOST, owner, sink);
    let part = Part { layers: vec![host], owner: owner.into(), service, rules, resolve: &Plain };
    if let Some(node) = part.literal("functionTimeout", sink) {
        function.timeout = read_time_out(node, &part, sink);
    }
    let dynamic = part.under("concurrency", sink);
    dynamic.near_misses(&["dynamicConcurrencyEnabled", "snapshotPersistenceEnabled"], sink);
    if let Some(flag) = dynamic.flag("dynamicConcurrencyEnabled", sink).filter(|flag| flag.value) {
        sink.push(flag.warning("dynamic concurrency is not modelled: the stated concurrency is kept"));
    }
    let extensions = part.under("extensions", sink);
    extensions.near_misses(&EXTENSIONS, sink);
    let http = extensions.under("http", sink);
    http.near_misses(&HTTP, sink);
    let concurrency = bounded(&http, "maxConcurrentRequests", sink);
    function.concurrency = function.concurrency.take().or(concurrency);
    function.outstanding = bounded(&http, "maxOutstandingRequests", sink);
    read_triggers(function, &extensions, sink);
}

/// The settings of triggers that are polled.
fn read_triggers(function: &mut FunctionDefinition, extensions: &Part<'_>, sink: &mut Diagnostics) {
    let queues = Part { service: "functions", ..extensions.under("queues", sink) };
    queues.near_misses(&["batchSize", "newBatchThreshold", "maxDequeueCount", "maxPollingInterval"], sink);
    if let Some(batch) = queues.count("batchSize", "queue batch size", sink) {
        let mut queue = event(EventKind::Queue, batch.with("queues".to_string()));
        queue.batch_size = Some(batch);
        function.events.push(queue);
    }
    let bus = extensions.under("serviceBus", sink);
    bus.near_misses(&["maxConcurrentCalls", "maxConcurrentSessions", "maxMessageBatchSize", "prefetchCount"], sink);
    if let Some(calls) = bus.count("maxConcurrentCalls", "", sink) {
        let mut queue = event(EventKind::Queue, calls.with("serviceBus".to_string()));
        queue.batch_size = bus.count("maxMessageBatchSize", "", sink);
        queue.maximum_concurrency = Some(calls);
        function.events.push(queue);
    }
    let hubs = extensions.under("eventHubs", sink);
    hubs.near_misses(&["maxEventBatchSize", "batchCheckpointFrequency", "prefetchCount"], sink);
    if let Some(batch) = hubs.count("maxEventBatchSize", "", sink) {
        let mut stream = event(EventKind::Stream, batch.with("eventHubs".to_string()));
        stream.batch_size = Some(batch);
        function.events.push(stream);
    }
}

/// A number of requests; -1 is no limit.
fn bounded(part: &Part<'_>, name: &str, sink: &mut Diagnostics) -> Option<Stated<u32>> {
    let node = part.literal(name, sink)?;
    if node.as_text() == Some("-1") {
        return None;
    }
    part.count(name, "", sink)
}

/// `hh:mm:ss`, `d.hh:mm:ss`, or -1 for no limit.
fn read_time_out(node: &Yaml, part: &Part<'_>, sink: &mut Diagnostics) -> Option<Stated<SimDuration>> {
    let text = String::from_node(node, sink)?;
    let consumption = part.service == FunctionPlatform::AzureConsumption.service();
    let limited = part.rules.limit(part.service, "time-out");
    if matches!(text.as_str(), "-1" | "-00:00:01" | "-1.00:00:00") {
        if let Some(limit) = limited.filter(|_| consumption) {
            let error = node.error("`functionTimeout` of a Consumption plan cannot be without limit");
            let error = error.label(format!("allowed: {} {}", limit.allowed.words(), limit.unit));
            sink.push(error.note(limit.origin()));
        }
        return None;
    }
    let Some(seconds) = clock(&text) else {
        let error = node.error(format!("expected a time as `hh:mm:ss`, found `{text}`"));
        sink.push(error.help("write `00:05:00` for five minutes"));
        return None;
    };
    let what = format!("`functionTimeout` of {}", part.owner);
    let value = Stated::new(seconds, node);
    part.rules.check((part.service, "time-out"), &what, &value, sink).then(|| value.map(SimDuration::from_secs))
}

/// Seconds of `hh:mm:ss` or `d.hh:mm:ss`.
fn clock(text: &str) -> Option<u64> {
    let (days, time) = text.split_once('.').unwrap_or(("0", text));
    let parts: Vec<u64> = time.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let days: u64 = days.parse().ok().filter(|days| *days < 10_000)?;
    match parts[..] {
        [hours @ 0..24, minutes @ 0..60, seconds @ 0..60] => {
            Some(days * 86_400 + hours * 3_600 + minutes * 60 + seconds)
        }
        _ => None,
    }
}
