//! Every mistake in a file is one clear error, with its place and what is allowed.

use super::*;

/// The file that a mistake is made in, what it replaces, and the message, the label and the place of the only error.
type Mistake = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str);

const LAMBDA: &str = "allowed: 128 to 10240 MB";
const MISTAKES: &[Mistake] = &[
    // A typo.
    (
        "t.yaml",
        "MemorySize: 1769",
        "MemorySiez: 1769",
        "function `Shop` has no field `MemorySiez`",
        "did you mean `MemorySize`?",
        "MemorySiez",
    ),
    (
        "t.yaml",
        "  Shop:\n    Type: AWS::Serverless::Function",
        "  Shop:\n    Type: AWS::Serverless::Functoin",
        "`AWS::Serverless::Functoin` is not a type of resource",
        "did you mean `AWS::Serverless::Function`?",
        "AWS::Serverless::Functoin",
    ),
    (
        "t.yaml",
        "Resources:",
        "Resorces:",
        "a template has no `Resorces` at the top",
        "did you mean `Resources`?",
        "Resorces",
    ),
    ("t.yaml", "Type: HttpApi", "Type: HtpApi", "`HtpApi` is not a type of event", "did you mean `HttpApi`?", "HtpApi"),
    (
        "s.yml",
        "memorySize: 512",
        "memorysize: 512",
        "function `api` has no field `memorysize`",
        "did you mean `memorySize`?",
        "memorysize",
    ),
    (
        "s.yml",
        "functions:",
        "functoins:",
        "serverless.yml has no field `functoins`",
        "did you mean `functions`?",
        "functoins",
    ),
    (
        "s.yml",
        "- schedule:",
        "- scheduel:",
        "function `api` has no event `scheduel`",
        "did you mean `schedule`?",
        "scheduel",
    ),
    (
        "r.yaml",
        "containerConcurrency",
        "containerConcurency",
        "service `shop` has no field `containerConcurency`",
        "did you mean `containerConcurrency`?",
        "containerConcurency",
    ),
    (
        "r.yaml",
        "cpu-throttling",
        "cpu-throtling",
        "service `shop` has no field `run.googleapis.com/cpu-throtling`",
        "did you mean `run.googleapis.com/cpu-throttling`?",
        "run.googleapis.com/cpu-throtling",
    ),
    (
        "r.yaml",
        "kind: Service",
        "kind: Servce",
        "serving.knative.dev/v1 has no kind `Servce`",
        "did you mean `Service`?",
        "Servce",
    ),
    (
        "m.bicep",
        "instanceMemoryMB",
        "instanceMemoryMb",
        "function app `app` has no field `instanceMemoryMb`",
        "did you mean `instanceMemoryMB`?",
        "instanceMemoryMb",
    ),
    ("m.bicep", "'FC1'", "'FC2'", "`FC2` is not a plan of Azure Functions", "did you mean `FC1`?", "'FC2'"),
    (
        "m.bicep",
        "Web/sites@",
        "Web/site@",
        "`Microsoft.Web/site` is not a type of resource",
        "did you mean `Microsoft.Web/sites`?",
        "Microsoft.Web/site",
    ),
    (
        "host.json",
        "",
        "{\"version\": \"2.0\", \"functionTimout\": \"00:01:00\"}",
        "a file of functions has no `functionTimout` at the top",
        "did you mean `functionTimeout`?",
        "\"functionTimout\"",
    ),
    (
        "host.json",
        "",
        "{\"version\": \"2.0\", \"extensions\": {\"http\": {\"maxConcurentRequests\": 5}}}",
        "`host.json` has no field `maxConcurentRequests`",
        "did you mean `maxConcurrentRequests`?",
        "\"maxConcurentRequests\"",
    ),
    // An unknown region.
    (
        "s.yml",
        "eu-central-1",
        "eu-centrl-1",
        "`eu-centrl-1` is not a region of AWS",
        "did you mean `eu-central-1`?",
        "eu-centrl-1",
    ),
    (
        "r.yaml",
        "europe-west1 ",
        "mars-north7 ",
        "`mars-north7` is not a region of Google Cloud",
        "unknown region",
        "mars-north7",
    ),
    (
        "m.bicep",
        "West Europe",
        "West Eurpe",
        "`West Eurpe` is not a region of Azure",
        "did you mean `westeurope`?",
        "'West Eurpe'",
    ),
    // A memory size that does not exist, and other values beyond the limits.
    ("t.yaml", "MemorySize: 1769", "MemorySize: 64", "`MemorySize` of function `Shop` cannot be 64 MB", LAMBDA, "64"),
    (
        "t.yaml",
        "Default: 512",
        "Default: 20000",
        "`MemorySize` of function `Worker` cannot be 20000 MB",
        LAMBDA,
        "20000",
    ),
    (
        "t.yaml",
        "Timeout: 20",
        "Timeout: 901",
        "`Timeout` of function `Shop` cannot be 901 s",
        "allowed: 1 to 900 s",
        "901",
    ),
    (
        "t.yaml",
        "size: 2048",
        "size: 500",
        "`Size` of function `Shop` cannot be 500 MB",
        "allowed: 512 to 10240 MB",
        "500",
    ),
    (
        "t.yaml",
        "MaximumConcurrency: 8",
        "MaximumConcurrency: 1",
        "`MaximumConcurrency` of event `Queue` of function `Shop` cannot be 1 calls",
        "allowed: 2 to 1000 calls",
        "1",
    ),
    (
        "t.yaml",
        "MemorySize: 1769",
        "MemorySize: 1.5G",
        "expected a whole number, zero or more, found `1.5G`",
        "",
        "1.5G",
    ),
    (
        "t.yaml",
        "ProvisionedConcurrentExecutions: 10",
        "ProvisionedConcurrentExecutions: 0",
        "`ProvisionedConcurrentExecutions` of function `Shop` cannot be 0 environments",
        "allowed: 1 or more environments",
        "0",
    ),
    (
        "t.yaml",
        "MaxCapacity: 50",
        "MaxCapacity: 500",
        "function `Shop` cannot have 500 provisioned environments: its reserved concurrency is 100",
        "",
        "500",
    ),
    (
        "t.yaml",
        "TargetValue: 0.7",
        "TargetValue: 70",
        "`TargetValue` of function `Shop` is a utilization from 0 to 1, not 70",
        "allowed: more than 0, at most 1",
        "70",
    ),
    (
        "t.yaml",
        "      AutoPublishAlias: live\n",
        "",
        "provisioned concurrency of function `Shop` needs `AutoPublishAlias`",
        "",
        "10",
    ),
    (
        "s.yml",
        "memorySize: 512",
        "memorySize: 12800",
        "`memorySize` of function `api` cannot be 12800 MB",
        LAMBDA,
        "12800",
    ),
    (
        "s.yml",
        "name: aws",
        "name: google",
        "functions of the provider `google` are not read from serverless.yml",
        "",
        "google",
    ),
    (
        "r.yaml",
        "memory: 1Gi",
        "memory: 33Gi",
        "memory of service `shop` cannot be 33792 MiB",
        "allowed: 128 to 32768 MiB",
        "33Gi",
    ),
    (
        "r.yaml",
        "memory: 1Gi",
        "memory: 9Gi",
        "memory of service `shop` with 2 vCPU cannot be 9216 MiB",
        "allowed: 128 to 8192 MiB",
        "9Gi",
    ),
    (
        "r.yaml",
        "cpu: 2000m",
        "cpu: 3",
        "CPU of service `shop` cannot be 3000 millicores",
        "allowed: 80 to 1000, 2000, 4000, 6000 or 8000 millicores",
        "3",
    ),
    (
        "r.yaml",
        "containerConcurrency: 20",
        "containerConcurrency: 1001",
        "`containerConcurrency` of service `shop` cannot be 1001 requests",
        "allowed: 1 to 1000 requests",
        "1001",
    ),
    (
        "m.bicep",
        "var memory = 4096",
        "var memory = 1024",
        "`instanceMemoryMB` of function app `app` cannot be 1024 MB",
        "allowed: 512, 2048 or 4096 MB",
        "1024",
    ),
    (
        "m.bicep",
        "most int = 200",
        "most int = 20",
        "`maximumInstanceCount` of function app `app` cannot be 20 instances",
        "allowed: 40 to 1000 instances",
        "20",
    ),
    ("m.bicep", "'West Europe'", "'West Europe", "not valid Bicep: this text has no end", "", "'"),
    (
        "host.json",
        "",
        "{\"version\": \"2.0\", \"functionTimeout\": \"5 min\"}",
        "expected a time as `hh:mm:ss`, found `5 min`",
        "",
        "\"5 min\"",
    ),
    ("x.yaml", "", "hello: there\n", "this states no functions in a format that is read", "", ""),
];

#[test]
fn a_mistake_is_one_clear_error() {
    let sam = SAM.replace("[!Ref AWS::NoValue]", "!Ref AWS::NoValue");
    for (name, from, to, message, label, place) in MISTAKES {
        let text = match *name {
            "t.yaml" => sam.replace(from, to),
            "s.yml" => SERVERLESS.replace(from, to),
            "r.yaml" => CLOUD_RUN.replace(from, to),
            "m.bicep" => FLEX.replace(from, to),
            _ => to.to_string(),
        };
        let found = the_error(name, &text);
        assert_eq!(found, (message.to_string(), label.to_string(), place.to_string()), "{name}: {text}");
    }
}

/// A limit is shown with its place, the allowed values, and where it comes from.
#[test]
fn an_error_shows_the_allowed_values_and_their_source() {
    let (_, sink) =
        read(&[("t.yaml", "Resources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties: { MemorySize: 64 }\n")]);
    let shown = sink.to_string();
    assert_eq!(
        shown,
        "error: `MemorySize` of function `F` cannot be 64 MB\n --> t.yaml:4:31\n  |\n4 |     Properties: { MemorySize: 64 }\n  |                               ^^ allowed: 128 to 10240 MB\n  |\n  = note: memory of lambda: aws.amazon.com/lambda/pricing and docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits (2026-11)"
    );
}
