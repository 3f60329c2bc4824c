//! AWS Lambda, standard functions: one request per environment, which starts for the request that finds none idle.

use super::init::{init, runtimes};
use super::list_price::{Prices, limit_of};
use super::on_demand::{
    Rules, Standing, of_a_file, opened, read_keep, read_reuse, read_standing, standing_of, starting,
};
use super::pace::Pace;
use super::{Form, ListPrice, PlatformPlugin, Stated, Stretch};
use crate::billing::{Item, UseTariff};
use crate::catalog::{Billing, function_rules};
use crate::config::{Diagnostics, Fields, Plugin, Yaml, not_one_of, one_of};
use crate::random::Distribution;
use crate::units::{Bytes, Millicores, SimDuration};

/// The entry in the list of platforms.
pub(super) const PLUGIN: PlatformPlugin = Plugin {
    name: "aws-lambda",
    summary: "AWS Lambda: one request per environment, started by the request that finds none idle; provisioned concurrency; throttles",
    source: "AWS: Lambda scaling behavior, quotas and pricing, 2026-11; init durations: maxday/lambda-perf",
    build: read,
};

/// Memory, in MB, with which a function has one vCPU.
const MB_PER_VCPU: f64 = 1769.0;
/// An idle environment is kept for some minutes; AWS states no figure. Measured: 5 to 7 (Shilkov 2021).
const KEEP: f64 = 360.0;
/// An environment is replaced after about two hours.
const LIFE: SimDuration = SimDuration::from_secs(2 * 3600);
/// Median time to start without any stated runtime: that of Node.js 22.
const RUNTIME: &str = "nodejs22.x";
/// A month's free requests and GB-seconds of an account.
const FREE: (u64, u64) = (1_000_000, 400_000);
/// Provisioned concurrency is charged for in steps of five minutes.
const PROVISIONED: Billing = Billing { granularity: SimDuration::from_secs(300), minimum: SimDuration::from_secs(300) };

/// What the function is.
struct Function {
    memory_mb: u64,
    arm: bool,
    /// vCPUs.
    vcpus: f64,
}

fn read(parameters: &Yaml, sink: &mut Diagnostics) -> Option<Stated> {
    let node = opened(parameters);
    let fields = Fields::open(&node, PLUGIN.name, sink)?;
    of_a_file(&fields);
    let function = read_function(&fields, sink);
    let measured = fields.node_of("measured-at").and_then(|node| memory_of(node, sink));
    let start_up = read_init(&fields, function.as_ref(), sink);
    let keep = read_keep(&fields, Distribution::Constant { value: KEEP }, Some(LIFE), sink);
    let reuse = read_reuse(&fields, sink);
    let standing = read_standing(fields.node_of("provisioned-concurrency"), sink);
    let (most, pace) = read_limits(&fields, standing, sink);
    let prices = Prices::read(&fields, ("aws", "lambda"), "us-east-1", sink);
    let free_tier = fields.or("free-tier", false, sink);
    fields.finish(sink);
    let (function, standing) = (function?, standing?);
    let rules = Rules {
        // A request is bound to its environment or rejected; none waits for another.
        hold: (u32::MAX, SimDuration::MAX),
        bound: true,
        throttles: true,
        most,
        pace: Some(pace),
        keep,
        cancels: false,
        standing,
        slots: 1,
        target: None,
        review: None,
        title: format!("AWS Lambda with {} MB ({:.2} vCPU)", function.memory_mb, function.vcpus),
    };
    let price = list_price(prices?, &function, standing, free_tier);
    if price.is_none() {
        sink.push(node.error("the catalogue lacks a price of such a function there"));
    }
    let form = Form {
        concurrency: Some(1),
        cpu: Some(Millicores::new((function.vcpus * 1000.0).round() as u64)),
        memory: Some(Bytes::from_mib(function.memory_mb)),
        stretch: measured.map(|memory| Stretch { vcpus: function.vcpus, measured: memory as f64 / MB_PER_VCPU }),
        start_up: Some(start_up?),
        standing: Some(standing_of(&rules)),
        dispatch: Some(reuse),
        price: price?,
    };
    Some(Stated { factory: rules.into_factory(), form })
}

fn read_function(fields: &Fields<'_>, sink: &mut Diagnostics) -> Option<Function> {
    let memory = fields.node_of("memory");
    if memory.is_none() {
        let error = fields.node().error("the function's `memory` is missing").help("for example `memory: 512MB`");
        fields.missing(&["memory"], error, sink);
    }
    let memory_mb = memory.and_then(|node| memory_of(node, sink));
    fields.default_is("architecture", "x86_64".to_string());
    let arm = match fields.node_of("architecture") {
        Some(node) => one_of(node, "an architecture", &[("x86_64", false), ("arm64", true)], sink)?,
        None => false,
    };
    let memory_mb = memory_mb?;
    Some(Function { memory_mb, arm, vcpus: memory_mb as f64 / MB_PER_VCPU })
}

/// Reads an amount of memory in MB, which AWS counts as MiB: `1769`, `1769MB` and `1769Mi` are the same.
fn memory_of(node: &Yaml, sink: &mut Diagnostics) -> Option<u64> {
    let text = node.as_text().unwrap_or_default().trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic()).trim_end();
    let number: Option<u64> = digits.parse().ok();
    let unit = text[digits.len()..].trim();
    let mb = match unit {
        "" | "MB" | "Mi" | "MiB" | "M" => number,
        "GB" | "Gi" | "GiB" | "G" => number.and_then(|gb| gb.checked_mul(1024)),
        _ => None,
    };
    let Some(mb) = mb else {
        let error = node.error(format!("`{text}` is no amount of memory of a function"));
        sink.push(error.label("expected whole megabytes, such as `512MB`"));
        return None;
    };
    match function_rules().limit("lambda", "memory").filter(|limit| !limit.allowed.allows(mb)) {
        Some(limit) => {
            let error = node.error(format!("a Lambda function has {} MB of memory, not {mb}", limit.allowed.words()));
            sink.push(error.note(limit.origin()));
            None
        }
        None => Some(mb),
    }
}

/// How an environment starts: by the runtime and package, or restored from a snapshot.
fn read_init(
    fields: &Fields<'_>,
    function: Option<&Function>,
    sink: &mut Diagnostics,
) -> Option<crate::cluster::StartUp> {
    let stated: Option<Distribution> = fields.optional("init", sink);
    let snap_start: Option<Distribution> = fields.optional("snap-start", sink);
    fields.default_is("runtime", RUNTIME.to_string());
    fields.default_is("package", "zip".to_string());
    let runtime = fields.node_of("runtime");
    let package = match fields.node_of("package") {
        Some(node) => one_of(node, "a kind of package", &[("zip", "zip"), ("image", "image")], sink)?,
        None => "zip",
    };
    let function = function?;
    if let (Some(_), Some(node)) = (&stated, fields.node().get("snap-start")) {
        sink.push(node.error("`init` and `snap-start` both say how an environment starts; leave one out"));
        return None;
    }
    if let Some(duration) = snap_start.or(stated) {
        return Some(starting(duration));
    }
    let name = runtime.and_then(Yaml::as_text).unwrap_or(RUNTIME);
    let arch = if function.arm { "arm64" } else { "x86_64" };
    let measured = init(name, package, arch, function.memory_mb as u32);
    if let (None, Some(node)) = (&measured, runtime) {
        let error =
            not_one_of(node, name, &format!("a runtime whose start was measured as {package} on {arch}"), &runtimes());
        sink.push(error.help("state how long it takes: `init: 300ms`"));
    }
    measured.map(starting)
}

/// Concurrency at most, and the pace of starts.
fn read_limits(fields: &Fields<'_>, standing: Option<Standing>, sink: &mut Diagnostics) -> (u32, Pace) {
    let account: u32 = fields.or("account-concurrency", limit_of("lambda", "account concurrency", 1000), sink);
    let reserved: Option<u32> = fields.optional("reserved-concurrency", sink);
    let provisioned = match standing {
        Some(Standing::Fixed(count)) => count,
        Some(Standing::ByPolicy { max, .. }) => max,
        None => 0,
    };
    let most = reserved.unwrap_or(account);
    if let (true, Some(node)) = (provisioned > most, fields.node_of("provisioned-concurrency")) {
        let limit = if reserved.is_some() { "reserved" } else { "account" };
        let error =
            node.error(format!("{provisioned} provisioned environments are more than the {limit} concurrency, {most}"));
        sink.push(error.help(format!("raise `{limit}-concurrency`")));
    }
    fields.default_is("scaling", "per-function".to_string());
    let starts = limit_of("lambda", "environments per 10 s", 1000);
    let now = Pace::Refilled { starts, every: SimDuration::from_secs(10) };
    let old = Pace::Burst { burst: 3000, per_minute: 500 };
    let known = [("per-function", now), ("burst-until-2023", old)];
    let pace =
        fields.node_of("scaling").and_then(|node| one_of(node, "a rule of scaling", &known, sink)).unwrap_or(now);
    (most, pace)
}

/// Duration including init, requests, and provisioned concurrency at list prices.
fn list_price(mut prices: Prices, function: &Function, standing: Standing, free_tier: bool) -> Option<ListPrice> {
    let arch = if function.arm { "arm64" } else { "x86" };
    let free = if free_tier { FREE } else { (0, 0) };
    let gb = function.memory_mb as f64 / 1024.0;
    let mut charges = vec![
        prices.charge("requests", Item::Requests, free.0)?,
        prices.charge(&format!("duration {arch}"), Item::GibSeconds, free.1)?,
    ];
    let mut lease = None;
    if standing != Standing::Fixed(0) {
        let meter = format!("duration under provisioned concurrency {arch}");
        charges.push(prices.charge(&meter, Item::StandingGibSeconds, 0)?);
        lease = Some((prices.per_hour(&format!("provisioned concurrency {arch}"), gb)?, PROVISIONED));
    }
    let millisecond = SimDuration::from_millis(1);
    let usage = UseTariff {
        charges,
        rounding: Billing { granularity: millisecond, minimum: millisecond },
        by_activity: false,
        starts: true,
        memory: Bytes::from_mib(function.memory_mb),
        cpu: Millicores::ZERO,
    };
    Some(ListPrice { standing: lease, extra: None, usage: Some(usage), rows: prices.used })
}
