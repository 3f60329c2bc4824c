//! What a file states about a function, whatever the format.

use std::sync::Arc;

use crate::config::{Diagnostic, SourceFile, Span, Yaml};
use crate::units::{Bytes, Millicores, SimDuration};

/// A value and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated<T> {
    /// The value.
    pub value: T,
    /// Whether it is the format's own default rather than written in the file; its place is then the function's.
    pub assumed: bool,
    /// The source text.
    pub source: Arc<SourceFile>,
    /// The place in it.
    pub span: Span,
}

impl<T> Stated<T> {
    /// A value that stands at `node`.
    pub fn new(value: T, node: &Yaml) -> Self {
        Stated { value, assumed: false, source: Arc::clone(&node.source), span: node.span }
    }

    /// The value that holds because the function at `node` states none.
    pub fn assumed(value: T, node: &Yaml) -> Self {
        Stated { assumed: true, ..Stated::new(value, node) }
    }

    /// The same place with another value.
    pub fn with<U>(&self, value: U) -> Stated<U> {
        Stated { value, assumed: self.assumed, source: Arc::clone(&self.source), span: self.span }
    }

    /// Another value computed from this one, at the same place.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Stated<U> {
        Stated { value: convert(self.value), assumed: self.assumed, source: self.source, span: self.span }
    }

    /// An error that points to it.
    pub fn error(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(message).at(&self.source, self.span)
    }

    /// A warning that points to it.
    pub fn warning(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::warning(message).at(&self.source, self.span)
    }
}

/// A function platform or one of its plans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionPlatform {
    /// AWS Lambda.
    AwsLambda,
    /// Azure Functions, Consumption plan.
    AzureConsumption,
    /// Azure Functions, Flex Consumption plan.
    AzureFlex,
    /// Azure Functions, Premium plan.
    AzurePremium,
    /// Google Cloud Run.
    CloudRun,
}

impl FunctionPlatform {
    /// Its name in a scenario.
    pub const fn name(self) -> &'static str {
        match self {
            FunctionPlatform::AwsLambda => "aws-lambda",
            FunctionPlatform::AzureConsumption => "azure-functions-consumption",
            FunctionPlatform::AzureFlex => "azure-functions-flex",
            FunctionPlatform::AzurePremium => "azure-functions-premium",
            FunctionPlatform::CloudRun => "cloud-run",
        }
    }

    /// The service whose limits apply.
    pub const fn service(self) -> &'static str {
        match self {
            FunctionPlatform::AwsLambda => "lambda",
            FunctionPlatform::AzureConsumption => "functions-consumption",
            FunctionPlatform::AzureFlex => "functions-flex",
            FunctionPlatform::AzurePremium => "functions-premium",
            FunctionPlatform::CloudRun => "cloud-run",
        }
    }
}

/// A processor architecture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// `x86_64`.
    X86,
    /// `arm64`.
    Arm,
}

/// What calls a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// A caller that waits: an HTTP API, a function URL, a load balancer.
    Http,
    /// A queue that is polled (SQS, Azure storage queues, Service Bus).
    Queue,
    /// A stream or log that is polled (Kinesis, DynamoDB, Kafka, Event Hubs).
    Stream,
    /// A timer.
    Schedule,
    /// Something that does not wait for the answer: a topic, an event bus, a bucket.
    Asynchronous,
}

/// One event source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSource {
    /// What kind it is.
    pub kind: EventKind,
    /// The name that the format has for it (`SQS`, `httpApi`).
    pub name: Stated<String>,
    /// Number of records that a call receives at most.
    pub batch_size: Option<Stated<u32>>,
    /// How long records are gathered.
    pub batching_window: Option<Stated<SimDuration>>,
    /// Number of calls at the same time at most.
    pub maximum_concurrency: Option<Stated<u32>>,
    /// When a timer calls, as written (`rate(5 minutes)`).
    pub schedule: Option<Stated<String>>,
}

/// Provisioned concurrency and how it is scaled.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Provisioned {
    /// The number of environments.
    pub count: Option<Stated<u32>>,
    /// Least number, if it is scaled.
    pub minimum: Option<Stated<u32>>,
    /// Greatest number, if it is scaled.
    pub maximum: Option<Stated<u32>>,
    /// The utilization that target tracking keeps, from 0 to 1.
    pub target: Option<Stated<f64>>,
    /// Changes of the bounds by the clock.
    pub schedule: Vec<ScheduledAction>,
}

/// A change of the bounds of provisioned concurrency.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduledAction {
    /// When, as written (`cron(0 8 * * ? *)`).
    pub when: Stated<String>,
    /// Time zone of `when`, if stated.
    pub time_zone: Option<Stated<String>>,
    /// Least number from then on.
    pub minimum: Option<Stated<u32>>,
    /// Greatest number from then on.
    pub maximum: Option<Stated<u32>>,
}

/// Instances of a group of functions that are always ready (Flex Consumption).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlwaysReady {
    /// The group (`http`, `blob`, `durable`, `function:NAME`).
    pub group: Stated<String>,
    /// Number of instances.
    pub instances: Stated<u32>,
}

/// What happens to an asynchronous call that fails.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Retries {
    /// Retries at most.
    pub attempts: Option<Stated<u32>>,
    /// Age at which an event is given up.
    pub event_age: Option<Stated<SimDuration>>,
}

/// A function as a file states it. `None` is not stated, or depends on something outside the file.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionDefinition {
    /// Its name in the file: logical identifier, key, resource or service.
    pub name: Stated<String>,
    /// The name that it has when deployed, if the file states another.
    pub deployed_name: Option<Stated<String>>,
    /// The platform; `None` for a `host.json` without the template of its plan.
    pub platform: Option<Stated<FunctionPlatform>>,
    /// The region.
    pub region: Option<Stated<String>>,
    /// Memory of an instance. Providers write MB but count in powers of two.
    pub memory: Option<Stated<Bytes>>,
    /// CPU of an instance, where it is stated apart from memory (Cloud Run, Premium plans).
    pub cpu: Option<Stated<Millicores>>,
    /// Time after which a call is ended.
    pub timeout: Option<Stated<SimDuration>>,
    /// The runtime as written (`python3.12`, `node 20`).
    pub runtime: Option<Stated<String>>,
    /// Architecture.
    pub architecture: Option<Stated<Architecture>>,
    /// Scratch space of an instance.
    pub ephemeral_storage: Option<Stated<Bytes>>,
    /// Concurrency reserved for the function, which is also its limit.
    pub reserved_concurrency: Option<Stated<u32>>,
    /// Provisioned concurrency.
    pub provisioned: Option<Provisioned>,
    /// Whether it runs on instances that Lambda manages (a capacity provider) rather than in environments of its own.
    pub managed_instances: Option<Stated<bool>>,
    /// Whether environments start from a snapshot (SnapStart).
    pub snap_start: Option<Stated<bool>>,
    /// Requests that an instance serves at the same time.
    pub concurrency: Option<Stated<u32>>,
    /// Requests that an instance holds, served or waiting (`maxOutstandingRequests` of `host.json`).
    pub outstanding: Option<Stated<u32>>,
    /// Least number of instances.
    pub min_instances: Option<Stated<u32>>,
    /// Greatest number of instances.
    pub max_instances: Option<Stated<u32>>,
    /// Instances that are always ready, by group (Flex Consumption).
    pub always_ready: Vec<AlwaysReady>,
    /// Instances kept warm ahead of the load (Premium).
    pub pre_warmed: Option<Stated<u32>>,
    /// Whether an instance is billed for its whole life rather than for its requests (Cloud Run without CPU throttling).
    pub instance_billing: Option<Stated<bool>>,
    /// Whether CPU is boosted at start-up (Cloud Run).
    pub startup_boost: Option<Stated<bool>>,
    /// Type of the GPU (Cloud Run: `nvidia-l4`).
    pub gpu: Option<Stated<String>>,
    /// What calls it.
    pub events: Vec<EventSource>,
    /// What happens to asynchronous calls that fail.
    pub retries: Retries,
}

impl FunctionDefinition {
    /// A function of which nothing but the name is stated.
    pub fn new(name: Stated<String>) -> Self {
        FunctionDefinition {
            name,
            deployed_name: None,
            platform: None,
            region: None,
            memory: None,
            cpu: None,
            timeout: None,
            runtime: None,
            architecture: None,
            ephemeral_storage: None,
            reserved_concurrency: None,
            provisioned: None,
            managed_instances: None,
            snap_start: None,
            concurrency: None,
            outstanding: None,
            min_instances: None,
            max_instances: None,
            always_ready: Vec::new(),
            pre_warmed: None,
            instance_billing: None,
            startup_boost: None,
            gpu: None,
            events: Vec::new(),
            retries: Retries::default(),
        }
    }

    /// Its name for messages ("function `shop`").
    pub fn title(&self) -> String {
        format!("function `{}`", self.name.value)
    }
}
