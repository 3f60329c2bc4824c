mod mistakes;

use std::path::Path;

use super::*;
use crate::config::{Diagnostics, SourceFile, parse_single};
use crate::units::{Bytes, Millicores, SimDuration};
use proptest::prelude::*;

/// The tables of the catalogue, which is a row above.
fn rules() -> FunctionRules {
    let limits = include_str!("../../catalog/functions/limits.csv");
    FunctionRules::read(limits, include_str!("../../catalog/functions/regions.csv")).unwrap()
}

fn read(files: &[(&str, &str)]) -> (Vec<FunctionDefinition>, Diagnostics) {
    let sources: Vec<_> = files.iter().map(|(name, text)| SourceFile::new(*name, *text)).collect();
    let mut sink = Diagnostics::new();
    let functions = read_functions(&sources, &rules(), &mut sink);
    (functions, sink)
}

/// The functions of texts without a mistake, and what is warned about.
fn sound(files: &[(&str, &str)]) -> (Vec<FunctionDefinition>, Vec<String>) {
    let (functions, sink) = read(files);
    assert!(!sink.has_errors(), "{sink}");
    (functions, sink.iter().map(|diagnostic| diagnostic.message.clone()).collect())
}

/// The one error of a text: its message, its label, and what it points to.
fn the_error(name: &str, text: &str) -> (String, String, String) {
    let (_, sink) = read(&[(name, text)]);
    let errors: Vec<_> = sink.iter().filter(|diagnostic| diagnostic.is_error()).collect();
    assert_eq!(errors.len(), 1, "{sink}");
    let (source, span) = errors[0].place.as_ref().unwrap();
    (errors[0].message.clone(), errors[0].label.clone().unwrap_or_default(), source.slice(*span).to_string())
}

fn value<T: Clone>(stated: &Option<Stated<T>>) -> Option<T> {
    stated.as_ref().map(|stated| stated.value.clone())
}

fn text<T>(stated: &Option<Stated<T>>) -> &str {
    stated.as_ref().map_or("", |stated| stated.source.slice(stated.span))
}

const SAM: &str = "\
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Parameters:
  Size: { Type: Number, Default: 512 }
  Reserved: { Type: Number }
  Stage: { Type: String, Default: prod }
Mappings:
  Scratch: { prod: { size: 2048 }, test: { size: 512 } }
Globals:
  Function:
    Runtime: python3.12
    Timeout: 20
    MemorySize: !Ref Size
    Architectures: [arm64]
    EventInvokeConfig: { MaximumRetryAttempts: 1 }
Resources:
  Jobs: { Type: AWS::SQS::Queue }
  Shop:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: !Sub \"${AWS::StackName}-shop\"
      Handler: app.handler
      MemorySize: 1769
      AutoPublishAlias: live
      ReservedConcurrentExecutions: 100
      EphemeralStorage: { Size: !FindInMap [Scratch, !Ref Stage, size] }
      ProvisionedConcurrencyConfig: { ProvisionedConcurrentExecutions: 10 }
      EventInvokeConfig: { MaximumEventAgeInSeconds: 3600 }
      Events:
        Api: { Type: HttpApi }
        Queue: { Type: SQS, Properties: { Queue: !GetAtt Jobs.Arn, BatchSize: 5, ScalingConfig: { MaximumConcurrency: 8 } } }
        Tick: { Type: Schedule, Properties: { Schedule: rate(5 minutes) } }
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      Timeout: !If [IsProd, 60, 5]
      ReservedConcurrentExecutions: { Ref: Reserved }
      Architectures: [!Ref AWS::NoValue]
      SnapStart: { ApplyOn: PublishedVersions }
  Target:
    Type: AWS::ApplicationAutoScaling::ScalableTarget
    Properties:
      ServiceNamespace: lambda
      ResourceId: !Sub function:${Shop}:live
      MinCapacity: 5
      MaxCapacity: 50
      ScheduledActions:
        - { Schedule: cron(0 8 * * ? *), Timezone: Europe/Berlin, ScalableTargetAction: { MinCapacity: 20 } }
  Policy:
    Type: AWS::ApplicationAutoScaling::ScalingPolicy
    Properties:
      ScalingTargetId: !Ref Target
      TargetTrackingScalingPolicyConfiguration: { TargetValue: 0.7 }
";

#[test]
fn sam_is_read_with_globals_parameters_and_autoscaling() {
    let (functions, warnings) = sound(&[("template.yaml", &SAM.replace("[!Ref AWS::NoValue]", "!Ref AWS::NoValue"))]);
    let [shop, worker] = &functions[..] else { panic!("{functions:?}") };
    assert_eq!((shop.name.value.as_str(), shop.platform.as_ref().unwrap().value.name()), ("Shop", "aws-lambda"));
    assert_eq!((value(&shop.memory), text(&shop.memory)), (Some(Bytes::from_mib(1769)), "1769"));
    assert_eq!((value(&shop.timeout), text(&shop.timeout)), (Some(SimDuration::from_secs(20)), "20"));
    assert_eq!(
        (value(&shop.runtime).as_deref(), value(&shop.architecture)),
        (Some("python3.12"), Some(Architecture::Arm))
    );
    assert_eq!(value(&shop.ephemeral_storage), Some(Bytes::from_mib(2048)));
    assert_eq!((value(&shop.reserved_concurrency), &shop.deployed_name), (Some(100), &None));
    let provisioned = shop.provisioned.as_ref().unwrap();
    let bounds = [&provisioned.count, &provisioned.minimum, &provisioned.maximum].map(value);
    assert_eq!((bounds, value(&provisioned.target)), ([Some(10), Some(5), Some(50)], Some(0.7)));
    let action = &provisioned.schedule[0];
    assert_eq!(
        (action.when.value.as_str(), value(&action.minimum), &action.maximum),
        ("cron(0 8 * * ? *)", Some(20), &None)
    );
    assert_eq!(value(&action.time_zone).as_deref(), Some("Europe/Berlin"));
    assert_eq!(
        shop.events.iter().map(|event| event.kind).collect::<Vec<_>>(),
        [EventKind::Http, EventKind::Queue, EventKind::Schedule]
    );
    assert_eq!((value(&shop.events[1].batch_size), value(&shop.events[1].maximum_concurrency)), (Some(5), Some(8)));
    assert_eq!(value(&shop.events[2].schedule).as_deref(), Some("rate(5 minutes)"));
    // Maps of the globals and of the function are merged.
    let retries = (value(&shop.retries.attempts), value(&shop.retries.event_age));
    assert_eq!(retries, (Some(1), Some(SimDuration::from_secs(3600))));
    // The default of a parameter is taken where it stands; what has none is not stated.
    assert_eq!((value(&worker.memory), text(&worker.memory)), (Some(Bytes::from_mib(512)), "512"));
    assert_eq!((&worker.timeout, &worker.reserved_concurrency, value(&worker.snap_start)), (&None, &None, Some(true)));
    assert_eq!(value(&worker.architecture), Some(Architecture::Arm));
    assert_eq!(
        warnings,
        [
            "`Timeout` of function `Worker` depends on `!If`",
            "`ReservedConcurrentExecutions` of function `Worker` depends on parameter `Reserved`, which has no default",
        ]
    );
}

#[test]
fn cloudformation_is_read_with_what_stands_beside_a_function() {
    let template = r#"{"Resources": {
        "Fn": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "shop", "Runtime": "java21"}},
        "Live": {"Type": "AWS::Lambda::Alias", "Properties": {"FunctionName": {"Ref": "Fn"},
            "ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": "7"}}},
        "Events": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {"FunctionName": {"Fn::GetAtt": ["Fn", "Arn"]},
            "EventSourceArn": {"Fn::GetAtt": ["Log", "Arn"]}, "BatchSize": 100, "MaximumBatchingWindowInSeconds": 2}},
        "Log": {"Type": "AWS::Kinesis::Stream"},
        "Async": {"Type": "AWS::Lambda::EventInvokeConfig", "Properties": {"FunctionName": "shop", "Qualifier": "$LATEST",
            "MaximumRetryAttempts": 0}},
        "Target": {"Type": "AWS::ApplicationAutoScaling::ScalableTarget", "Properties": {"ResourceId":
            {"Fn::Join": [":", ["function", {"Ref": "Live"}]]}, "MinCapacity": 1, "MaxCapacity": 9}}
    }}"#;
    let (functions, warnings) = sound(&[("stack.json", template)]);
    let [function] = &functions[..] else { panic!("{functions:?}") };
    assert!(warnings.is_empty(), "{warnings:?}");
    // Lambda's own defaults.
    let memory = function.memory.as_ref().unwrap();
    assert_eq!((memory.value, memory.assumed), (Bytes::from_mib(128), true));
    assert_eq!(value(&function.timeout), Some(SimDuration::from_secs(3)));
    let provisioned = function.provisioned.as_ref().unwrap();
    assert_eq!(
        [&provisioned.count, &provisioned.minimum, &provisioned.maximum].map(value),
        [Some(7), Some(1), Some(9)]
    );
    assert_eq!((function.events[0].kind, value(&function.events[0].batch_size)), (EventKind::Stream, Some(100)));
    assert_eq!(value(&function.events[0].batching_window), Some(SimDuration::from_secs(2)));
    assert_eq!(value(&function.retries.attempts), Some(0));
}

#[test]
fn what_stands_for_a_value_is_not_taken_for_one() {
    let of = |value: &str| {
        let template = format!(
            "Parameters:\n  Stored: {{ Type: 'AWS::SSM::Parameter::Value<Number>', Default: /size }}\nResources:\n  F:\n    \
             Type: AWS::Serverless::Function\n    Properties:\n      MemorySize: {value}\n"
        );
        let (functions, warnings) = sound(&[("t.yaml", &template)]);
        (self::value(&functions[0].memory).map(|memory| memory.get() >> 20), warnings)
    };
    let named = |what: &str| vec![format!("`MemorySize` of function `F` depends on {what}")];
    assert_eq!(of("!Ref Stored"), (None, named("parameter `Stored`, whose value is stored elsewhere")));
    assert_eq!(of("!Sub ${Size}"), (None, named("`!Sub`")));
    assert_eq!(of("!Sub '256'"), (Some(256), vec![]));
    assert_eq!(of("!ImportValue 512"), (None, named("`!ImportValue`")));
    assert_eq!(of("!Sub |\n        ${x}"), (None, named("`!Sub`")));
    assert_eq!(of("'{{resolve:ssm:size}}'"), (None, named("a dynamic reference")));
    assert_eq!(of("{ 'Fn::If': [A, 128, 256] }"), (None, named("`!If`")));
    assert_eq!(of("!Select [0, [128]]"), (None, named("`!Select`")));
    assert_eq!(of("!Ref AWS::NoValue"), (Some(128), vec![]));
    assert_eq!(
        of("&size !Ref Missing\n      Timeout: *size"),
        (
            None,
            vec![
                "`MemorySize` of function `F` depends on `!Ref Missing`".to_string(),
                "`Timeout` of function `F` depends on `!Ref Missing`".to_string(),
            ]
        )
    );
    // A tag in a comment or in a text is none.
    assert_eq!(of("512 # !Ref Size"), (Some(512), vec![]));
    assert_eq!(of("512\n      Description: use !Ref\n      Timeout: 4"), (Some(512), vec![]));
}

#[test]
fn managed_instances_have_limits_of_their_own() {
    let template = "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      MemorySize: 32768\n      \
                    CapacityProviderConfig: { Arn: !GetAtt P.Arn, PerExecutionEnvironmentMaxConcurrency: 64 }\n      \
                    FunctionScalingConfig: { MinExecutionEnvironments: 3, MaxExecutionEnvironments: 30 }\n";
    let function = &sound(&[("t.yaml", template)]).0[0];
    assert_eq!((value(&function.managed_instances), value(&function.concurrency)), (Some(true), Some(64)));
    assert_eq!((value(&function.min_instances), value(&function.max_instances)), (Some(3), Some(30)));
    assert_eq!(value(&function.memory), Some(Bytes::from_mib(32_768)));
    let beyond = template.replace("32768", "32769");
    assert_eq!(the_error("t.yaml", &beyond).1, "allowed: 128 to 32768 MB");
}

const SERVERLESS: &str = "\
service: shop
frameworkVersion: '3'
provider:
  name: aws
  region: eu-central-1
  runtime: nodejs20.x
  stage: ${opt:stage, 'dev'}
  architecture: arm64
  timeout: 10
functions:
  api:
    handler: a.b
    memorySize: 512
    provisionedConcurrency: ${self:custom.warm}
    reservedConcurrency: 50
    events:
      - http: { path: /, method: get }
      - sqs: { arn: !GetAtt [Q, Arn], batchSize: 10, maximumConcurrency: 4 }
      - schedule: rate(2 hours)
      - unheardOf: 1
  batch:
    handler: c.d
    timeout: 900
    ephemeralStorageSize: 10240
    maximumRetryAttempts: 0
    maximumEventAge: 60
    url: true
    provisionedConcurrency: 2
    concurrencyAutoscaling: { enabled: true, minimum: 2, maximum: 20, usage: 0.75 }
resources:
  Resources:
    Q: { Type: AWS::SQS::Queue }
";

#[test]
fn serverless_yml_is_read_and_variables_are_warned_about() {
    let (functions, warnings) = sound(&[("serverless.yml", SERVERLESS)]);
    let [api, batch] = &functions[..] else { panic!("{functions:?}") };
    assert_eq!(
        (value(&api.memory), value(&api.timeout)),
        (Some(Bytes::from_mib(512)), Some(SimDuration::from_secs(10)))
    );
    assert_eq!(
        (value(&api.region).as_deref(), value(&api.architecture)),
        (Some("eu-central-1"), Some(Architecture::Arm))
    );
    assert_eq!((value(&api.runtime).as_deref(), value(&api.reserved_concurrency)), (Some("nodejs20.x"), Some(50)));
    assert_eq!(
        api.events.iter().map(|event| event.kind).collect::<Vec<_>>(),
        [EventKind::Http, EventKind::Queue, EventKind::Schedule]
    );
    assert_eq!((value(&api.events[1].batch_size), value(&api.events[1].maximum_concurrency)), (Some(10), Some(4)));
    assert_eq!(value(&api.events[2].schedule).as_deref(), Some("rate(2 hours)"));
    assert!(api.provisioned.is_none());
    let expected = "`provisionedConcurrency` of function `api` depends on the variable `${self:custom.warm}`, which is not \
                    looked up";
    assert_eq!(warnings, [expected]);
    // 1,024 MB is the framework's default, not Lambda's.
    let memory = batch.memory.as_ref().unwrap();
    assert_eq!((memory.value, memory.assumed), (Bytes::from_mib(1024), true));
    assert_eq!(
        (value(&batch.timeout), value(&batch.ephemeral_storage)),
        (Some(SimDuration::from_secs(900)), Some(Bytes::from_mib(10240)))
    );
    assert_eq!(
        (value(&batch.retries.attempts), value(&batch.retries.event_age)),
        (Some(0), Some(SimDuration::from_secs(60)))
    );
    let provisioned = batch.provisioned.as_ref().unwrap();
    assert_eq!(
        [&provisioned.count, &provisioned.minimum, &provisioned.maximum].map(value),
        [Some(2), Some(2), Some(20)]
    );
    assert_eq!((value(&provisioned.target), batch.events[0].kind), (Some(0.75), EventKind::Http));
}

const CLOUD_RUN: &str = "\
apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: shop
  labels: { cloud.googleapis.com/location: europe-west1 }
  annotations: { run.googleapis.com/ingress: all }
spec:
  template:
    metadata:
      annotations:
        autoscaling.knative.dev/minScale: '1'
        autoscaling.knative.dev/maxScale: '40'
        run.googleapis.com/cpu-throttling: 'false'
        run.googleapis.com/startup-cpu-boost: 'true'
    spec:
      containerConcurrency: 20
      timeoutSeconds: 60
      containers:
      - image: side
      - image: shop
        ports: [{ containerPort: 8080 }]
        resources: { limits: { cpu: 2000m, memory: 1Gi } }
";

#[test]
fn cloud_run_services_are_read() {
    let (functions, warnings) = sound(&[("service.yaml", CLOUD_RUN)]);
    let [shop] = &functions[..] else { panic!("{functions:?}") };
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!((shop.name.value.as_str(), value(&shop.region).as_deref()), ("shop", Some("europe-west1")));
    assert_eq!((value(&shop.cpu), value(&shop.memory)), (Some(Millicores::new(2000)), Some(Bytes::from_mib(1024))));
    assert_eq!((value(&shop.concurrency), value(&shop.timeout)), (Some(20), Some(SimDuration::from_secs(60))));
    assert_eq!((value(&shop.min_instances), value(&shop.max_instances)), (Some(1), Some(40)));
    assert_eq!((value(&shop.instance_billing), value(&shop.startup_boost)), (Some(true), Some(true)));
    // What Cloud Run does without a statement.
    let bare = "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: { name: s }\nspec: { template: { spec: { \
                containerConcurrency: 0, containers: [{ image: i }] } } }\n";
    let (functions, _) = sound(&[("s.yaml", bare)]);
    let [bare] = &functions[..] else { panic!("{functions:?}") };
    let (cpu, memory) = (bare.cpu.as_ref().unwrap(), bare.memory.as_ref().unwrap());
    assert_eq!((cpu.value, memory.value, cpu.assumed), (Millicores::new(1000), Bytes::from_mib(512), true));
    assert_eq!((value(&bare.concurrency), value(&bare.timeout)), (Some(80), Some(SimDuration::from_secs(300))));
    assert_eq!((&bare.instance_billing, &bare.gpu), (&None, &None));
    let gpu = CLOUD_RUN
        .replace("cpu: 2000m, memory: 1Gi", "cpu: 4, memory: 16Gi")
        .replace("containers:", "nodeSelector: { run.googleapis.com/accelerator: nvidia-l4 }\n      containers:");
    assert_eq!(value(&sound(&[("gpu.yaml", &gpu)]).0[0].gpu).as_deref(), Some("nvidia-l4"));
}

/// Objects of other kinds in the same file pass unread.
#[test]
fn other_objects_beside_a_service_pass() {
    let both = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: x }}\n---\n{CLOUD_RUN}");
    assert_eq!(sound(&[("both.yaml", &both)]).0.len(), 1);
}

const FLEX: &str = "\
// A plan and its app.
@description('Region')
param location string = 'West Europe'
@minValue(40)
param most int = 200
param appName string
param sizes object = {
  small: 512
}
var memory = 4096
/* a block
   of comment */
resource storage 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: 'x${uniqueString(resourceGroup().id)}'
}
resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: 'plan-${appName}'
  location: location
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}
resource app 'Microsoft.Web/sites@2024-04-01' = if (deploy == 'yes') {
  name: appName
  location: location
  kind: 'functionapp,linux'
  tags: union(tags, {
    a: 'b'
  })
  properties: {
    serverFarmId: plan.id
    functionAppConfig: {
      deployment: { storage: { value: '${storage.properties.primaryEndpoints.blob}c' } }
      runtime: { name: 'python', version: '3.11' }
      scaleAndConcurrency: {
        instanceMemoryMB: memory
        maximumInstanceCount: most
        alwaysReady: [
          { name: 'http', instanceCount: 2 }
          {
            name: 'function:clean'
            instanceCount: 1
          }
        ]
        triggers: { http: { perInstanceConcurrency: isProd
          ? 16
          : 4 } }
      }
    }
  }
  resource settings 'config' = {
    name: 'appsettings'
  }
}
output name string = app.name
";

#[test]
fn bicep_states_plan_and_limits() {
    let host = r#"{"version": "2.0", "functionTimeout": "01:00:00", "extensions": {"http": {"maxConcurrentRequests": 30,
        "maxOutstandingRequests": -1}, "queues": {"batchSize": 8}}}"#;
    let (functions, warnings) = sound(&[("main.bicep", FLEX), ("host.json", host)]);
    let [app] = &functions[..] else { panic!("{functions:?}") };
    let platform = app.platform.as_ref().unwrap();
    assert_eq!((app.name.value.as_str(), platform.value.name()), ("app", "azure-functions-flex"));
    assert_eq!(platform.source.slice(platform.span), "'FC1'");
    assert_eq!((value(&app.memory), text(&app.memory)), (Some(Bytes::from_mib(4096)), "4096"));
    assert_eq!((value(&app.max_instances), value(&app.region).as_deref()), (Some(200), Some("westeurope")));
    assert_eq!(value(&app.runtime).as_deref(), Some("python 3.11"));
    let ready: Vec<_> = app.always_ready.iter().map(|r| (r.group.value.as_str(), r.instances.value)).collect();
    assert_eq!(ready, [("http", 2), ("function:clean", 1)]);
    assert_eq!((value(&app.timeout), value(&app.concurrency)), (Some(SimDuration::from_secs(3600)), Some(30)));
    assert_eq!((&app.outstanding, value(&app.events[0].batch_size)), (&None, Some(8)));
    let [warning] = &warnings[..] else { panic!("{warnings:?}") };
    assert!(
        warning.starts_with("`perInstanceConcurrency` of function app `app` depends on the expression `isProd"),
        "{warning}"
    );
}

#[test]
fn arm_templates_state_plan_and_limits() {
    let template = r#"{"$schema": "x", "contentVersion": "1.0.0.0",
      "parameters": {"sku": {"type": "string", "defaultValue": "EP2"}, "location": {"type": "string", "defaultValue": "[resourceGroup().location]"}},
      "variables": {"plan": "[concat('p', uniqueString(resourceGroup().id))]", "app": "shop"},
      "resources": [
        {"type": "Microsoft.Web/serverfarms", "apiVersion": "2022-03-01", "name": "[variables('plan')]", "location": "[parameters('location')]",
         "sku": {"tier": "ElasticPremium", "name": "[parameters('sku')]", "capacity": 2}, "properties": {"maximumElasticWorkerCount": 20}},
        {"type": "Microsoft.Web/serverfarms", "apiVersion": "2022-03-01", "name": "other", "sku": {"name": "Y1"}},
        {"type": "Microsoft.Web/sites", "apiVersion": "2022-03-01", "name": "[variables('app')]", "kind": "functionapp", "location": "northeurope",
         "properties": {"serverFarmId": "[resourceId('Microsoft.Web/serverfarms', variables('plan'))]",
           "siteConfig": {"minimumElasticInstanceCount": 3, "preWarmedInstanceCount": 2, "functionAppScaleLimit": 0, "linuxFxVersion": "Node|20"}}},
        {"type": "Microsoft.Web/sites", "name": "small", "kind": "functionapp,linux",
         "properties": {"serverFarmId": "[resourceId('Microsoft.Web/serverfarms', 'other')]"}},
        {"type": "Microsoft.Web/sites/config", "name": "[format('{0}/{1}', 'small', 'web')]", "properties": {"functionAppScaleLimit": 7}},
        {"type": "Microsoft.Web/sites", "name": "web", "kind": "app", "properties": {}}
      ]}"#;
    let (functions, warnings) = sound(&[("azuredeploy.json", template)]);
    let [shop, small] = &functions[..] else { panic!("{functions:?}") };
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!(
        (shop.name.value.as_str(), shop.platform.as_ref().unwrap().value),
        ("shop", FunctionPlatform::AzurePremium)
    );
    assert_eq!((value(&shop.memory), value(&shop.cpu)), (Some(Bytes::from_mib(7168)), Some(Millicores::new(2000))));
    assert_eq!((value(&shop.min_instances), value(&shop.max_instances)), (Some(3), Some(20)));
    assert_eq!((value(&shop.pre_warmed), value(&shop.runtime).as_deref()), (Some(2), Some("node 20")));
    assert_eq!(
        (value(&shop.region).as_deref(), value(&shop.timeout)),
        (Some("northeurope"), Some(SimDuration::from_secs(1800)))
    );
    assert_eq!(small.platform.as_ref().unwrap().value.name(), "azure-functions-consumption");
    assert_eq!(
        (value(&small.memory), value(&small.timeout)),
        (Some(Bytes::from_mib(1536)), Some(SimDuration::from_secs(300)))
    );
    assert_eq!(value(&small.max_instances), Some(7));
}

#[test]
fn a_host_json_alone_is_an_app_without_a_plan() {
    let (functions, _) = sound(&[("host.json", "{\"version\": \"2.0\", \"functionTimeout\": \"00:05:00\"}")]);
    let [app] = &functions[..] else { panic!("{functions:?}") };
    assert_eq!((&app.platform, value(&app.timeout)), (&None, Some(SimDuration::from_secs(300))));
}

/// Nothing but near misses of what is read is refused: templates hold much else.
#[test]
fn what_is_not_read_passes() {
    let (functions, warnings) = sound(&[(
        "t.yaml",
        "Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Metadata: { BuildMethod: esbuild }\n    Properties:\n      \
         Brand: new\n      VpcConfig: !Ref Vpc\n      Policies: [!Sub x]\n  T: { Type: Custom::Functions }\n",
    )]);
    assert_eq!((functions.len(), warnings.len()), (1, 0), "{warnings:?}");
    let plugins = SERVERLESS
        .replace("  stage: ${opt:stage, 'dev'}\n", "  stackTags: { a: b }\n  tags: { a: b }\n")
        .replace("    memorySize: 512\n", "    memorySize: 512\n    timeoutAlarm: 3\n    warmup: true\n");
    assert_eq!(sound(&[("serverless.yml", &plugins)]).1.len(), 1);
}

#[test]
fn a_function_is_picked_by_name() {
    let (functions, _) = sound(&[("serverless.yml", SERVERLESS)]);
    let place = parse_single(&SourceFile::new("scenario.yaml", "manifests: serverless.yml\n")).unwrap();
    let pick = |of: &[FunctionDefinition], name: Option<&str>| {
        let mut sink = Diagnostics::new();
        let found = pick_function(of, name, place.get("manifests").unwrap(), &mut sink);
        (found.map(|function| function.name.value.clone()), sink.to_string())
    };
    assert_eq!(pick(&functions, Some("batch")).0.as_deref(), Some("batch"));
    assert_eq!(pick(&functions[..1], None).0.as_deref(), Some("api"));
    let (none, said) = pick(&functions, None);
    assert!(
        none.is_none() && said.contains("2 functions are stated here; name one") && said.contains("api, batch"),
        "{said}"
    );
    let (none, said) = pick(&functions, Some("bacth"));
    assert!(none.is_none() && said.contains("did you mean `batch`?") && said.contains("scenario.yaml:1:12"), "{said}");
}

#[test]
fn a_function_stated_twice_is_refused() {
    let (_, sink) = read(&[("a.yaml", CLOUD_RUN), ("b.yaml", CLOUD_RUN)]);
    assert_eq!(sink.errors(), 1);
    assert!(sink.to_string().contains("function `shop` is stated twice"), "{sink}");
}

/// The files that publishers ship, where they are beside the project.
#[test]
fn published_files_are_read() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/examples/serverless");
    let open = |name: &str| SourceFile::read(&directory.join(name), 1 << 20).ok();
    let names = ["sam-function-concurrency.yaml", "sam-alias-provisioned.yaml", "serverless-framework.yml"];
    let [Some(concurrency), Some(alias), Some(serverless)] = names.map(open) else {
        eprintln!("NOT TESTED: no published files of functions in {}", directory.display());
        return;
    };
    let read = |source| {
        let mut sink = Diagnostics::new();
        let functions = read_functions(&[source], &rules(), &mut sink);
        assert!(!sink.has_errors(), "{sink}");
        (functions, sink.len())
    };
    let (functions, warnings) = read(concurrency);
    assert_eq!((functions.len(), value(&functions[0].reserved_concurrency), warnings), (2, Some(100), 1));
    assert_eq!(functions[1].reserved_concurrency, None);
    let (functions, warnings) = read(alias);
    assert_eq!((functions.len(), warnings), (4, 0));
    assert_eq!(
        (value(&functions[2].timeout), value(&functions[2].ephemeral_storage)),
        (Some(SimDuration::from_secs(1)), Some(Bytes::from_mib(1024)))
    );
    assert_eq!(value(&functions[2].architecture), Some(Architecture::X86));
    let (functions, warnings) = read(serverless);
    assert_eq!((functions.len(), value(&functions[0].memory), warnings), (2, Some(Bytes::from_mib(256)), 0));
    assert_eq!(
        (value(&functions[1].region).as_deref(), functions[1].events[0].kind),
        (Some("us-east-1"), EventKind::Http)
    );
}

/// Pieces that texts of these formats are made of.
const PIECES: [&str; 34] = [
    "Resources:\n",
    "  F:\n",
    "    Type: AWS::Serverless::Function\n",
    "    Properties:\n",
    "      MemorySize: ",
    "!Ref ",
    "!Sub ",
    "!If [a, ",
    "{Ref: X}",
    "Parameters: {X: {Default: ",
    "}",
    "]",
    "[",
    "'",
    "\n",
    "512",
    "*a",
    "&a ",
    "resource x 'Microsoft.Web/sites@1' = {\n",
    "param p int = ",
    "${",
    "'''",
    "properties: {\n",
    "serverFarmId: p\n",
    "functions:\n",
    "  f: {memorySize: 1}\n",
    "provider: {name: aws}\n",
    "apiVersion: serving.knative.dev/v1\nkind: Service\n",
    "spec: {template: {spec: {containers: [{}]}}}\n",
    "[parameters('p')]",
    "contentVersion: 1\n",
    "for x in y: ",
    "? 1 : 2",
    "é",
];

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,120}", bicep: bool) {
        let (_, sink) = read(&[(if bicep { "x.bicep" } else { "x.yaml" }, &text)]);
        let _ = sink.to_string();
    }

    #[test]
    fn no_pieces_of_templates_panic(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..30), bicep: bool) {
        let (_, sink) = read(&[(if bicep { "x.bicep" } else { "x.yaml" }, &pieces.concat())]);
        let _ = sink.to_string();
    }

    /// Whatever is cut out of a sound file: errors, no panic.
    #[test]
    fn no_damaged_file_panics(which in 0..4usize, from: prop::sample::Index, length in 0..40usize) {
        let whole = [SAM, SERVERLESS, CLOUD_RUN, FLEX][which];
        let start = from.index(whole.len());
        let end = (start + length).min(whole.len());
        let damaged = format!("{}{}", &whole[..start], &whole[end..]);
        let (_, sink) = read(&[(if which == 3 { "x.bicep" } else { "x.yaml" }, &damaged)]);
        let _ = sink.to_string();
    }

    /// A memory size is taken exactly if Lambda has it.
    #[test]
    fn memory_is_within_the_limits(mb in 0..20_000u64) {
        let template = format!("Resources: {{F: {{Type: 'AWS::Lambda::Function', Properties: {{MemorySize: {mb}}}}}}}");
        let (functions, sink) = read(&[("t.yaml", &template)]);
        let fits = (128..=10_240).contains(&mb);
        prop_assert_eq!(value(&functions[0].memory), fits.then(|| Bytes::from_mib(mb)));
        prop_assert_eq!(sink.errors(), usize::from(!fits));
    }
}

/// Nesting ends in an error, not in a full stack.
#[test]
fn deep_nesting_is_refused() {
    for open in ["[", "{a: ", "'${", "("] {
        let text = format!("resource x 'Microsoft.Web/sites@1' = {{\n a: {}", open.repeat(100_000));
        let (_, sink) = read(&[("x.bicep", &text)]);
        assert!(sink.has_errors(), "{open}");
    }
}
