//! The program as used by a user: exit codes, messages, files.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

/// A small scenario that runs in milliseconds; the broken ones below are this one with a part replaced.
const SOUND: &str = "\
name: small
seed: 7
duration: 4m
warm-up: 20s
interval: 20s
workload: { poisson: { rate: 40/s } }
service:
  name: web
  replicas: 2
  resources: { requests: { cpu: 1, memory: 1Gi }, limits: { cpu: 1 } }
  concurrency: 4
  queue-limit: 20
  service-time: { exponential: { mean: 100ms } }
  cpu-per-request: 25ms
  start-up: { image-pull: 5s, ready: { lognormal: { mean: 4s, cv: 0.5 } } }
  timeout: { after: 2s, work: cancel }
  retry: { attempts: 2, backoff: 50ms }
  price: { share-of: m7i.2xlarge }
metrics: { interval: 15s, window: 30s, lag: 1s }
objectives:
  - latency: { within: 500ms, target: 99% }
  - availability: 99.5%
policies:
  fixed: { static: { replicas: 3 } }
  auto: { hpa: { min: 1, max: 9, target: { cpu: 60% } } }
";

struct Place {
    dir: TempDir,
}

impl Place {
    fn new() -> Place {
        Place { dir: TempDir::new().unwrap() }
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.args(arguments).current_dir(self.dir.path()).env_remove("RUST_BACKTRACE").env("NO_COLOR", "1");
        command.output().unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Files below `dir`, by name.
fn contents(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn a_run_writes_the_same_bytes_for_any_number_of_threads() {
    let place = Place::new();
    place.file("small.yaml", SOUND);
    for (out, threads) in [("one", "1"), ("two", "2"), ("again", "2")] {
        let output = place.run(&["run", "small.yaml", "--out", out, "--threads", threads]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains("Cost"), "{}", text(&output.stdout));
        assert!(text(&output.stderr).contains("auto done"), "{}", text(&output.stderr));
    }
    let one = contents(&place.dir.path().join("one/small"));
    let names: Vec<&str> = one.iter().map(|(name, _)| name.as_str()).collect();
    for expected in ["decisions.csv", "report.html", "summary.json", "summary.md", "timeline.csv"] {
        assert!(names.contains(&expected), "{names:?}");
    }
    assert!(names.iter().all(|name| !name.ends_with(".tmp")), "{names:?}");
    assert_eq!(one, contents(&place.dir.path().join("two/small")));
    assert_eq!(one, contents(&place.dir.path().join("again/small")));
}

#[test]
fn reports_are_made_again_and_merged_without_running() {
    let place = Place::new();
    let scenario = place.file("small.yaml", SOUND);
    for (out, policy) in [("all", "auto"), ("one", "fixed"), ("two", "auto")] {
        let also = if out == "all" { "fixed" } else { policy };
        let run = place.run(&["run", "small.yaml", "--out", out, "--policy", also, "--policy", policy]);
        assert!(run.status.success(), "{}", text(&run.stderr));
    }
    fs::remove_file(scenario).unwrap();
    let output = place.run(&["report", "all/small", "--out", "again"]);
    assert!(output.status.success() && text(&output.stdout).contains("again/report.html"), "{}", text(&output.stderr));
    assert_eq!(contents(&place.dir.path().join("all/small")), contents(&place.dir.path().join("again")));

    let merged = place.run(&["report", "one/small", "two/small/result.jsonl.gz", "--out", "both"]);
    assert!(merged.status.success(), "{}", text(&merged.stderr));
    let csv = |dir: &str| fs::read(place.dir.path().join(dir).join("timeline.csv")).unwrap();
    assert_eq!(csv("both"), csv("all/small"));

    for (arguments, words) in
        [(&["report", "nowhere"][..], "no stored result here"), (&["report", "one/small", "two/small"], "with --out")]
    {
        let output = place.run(arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains(words), "{}", text(&output.stderr));
    }
}

#[test]
fn values_can_be_set_and_policies_chosen() {
    let place = Place::new();
    place.file("small.yaml", SOUND);
    let output = place.run(&[
        "run",
        "small.yaml",
        "--policy",
        "fixed",
        "--set",
        "policies.fixed.static.replicas=5",
        "--seed",
        "9",
        "--format",
        "json",
        "--quiet",
    ]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let shown = summary.to_string();
    assert!(shown.contains("\"fixed\"") && !shown.contains("\"auto\""), "{shown}");
    assert!(shown.contains("\"seed\":9"), "{shown}");

    let output = place.run(&["run", "small.yaml", "--policy", "fixd"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("did you mean `fixed`?"), "{}", text(&output.stderr));
}

#[test]
fn a_missed_objective_fails_only_on_request() {
    let place = Place::new();
    place.file("small.yaml", SOUND);
    let tight = ["run", "small.yaml", "--set", "objectives.0.latency.within=1ms", "--quiet"];
    assert_eq!(place.run(&tight).status.code(), Some(0));
    assert_eq!(place.run(&[&tight[..], &["--fail-on-miss"]].concat()).status.code(), Some(1));
}

#[test]
fn lists_completions_and_help_work() {
    let place = Place::new();
    for kind in
        ["policies", "node-policies", "dispatchers", "placements", "formats", "generators", "transforms", "instances"]
    {
        let output = place.run(&["list", kind, "--format", "json"]);
        let list: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let rows = list["entries"].as_array().unwrap();
        assert!(!rows.is_empty() && rows.iter().all(|row| row["summary"].as_str().is_some_and(|s| !s.is_empty())));
    }
    for arguments in [&["--help"][..], &["run", "--help"], &["list"], &["completions", "bash"], &["schema"]] {
        let output = place.run(arguments);
        assert!(output.status.success() && !output.stdout.is_empty(), "{arguments:?}");
    }
    assert_eq!(place.run(&["rnu"]).status.code(), Some(2));
    assert_eq!(place.run(&[]).status.code(), Some(2));
}

#[test]
fn check_shows_all_mistakes_at_once() {
    let place = Place::new();
    let broken =
        SOUND.replace("concurrency: 4", "concurency: 4").replace("timeout: { after: 2s", "timeout: { after: 2");
    place.file("broken.yaml", broken.replace("target: 99% }", "target: 990% }"));
    let output = place.run(&["check", "broken.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    let shown = text(&output.stderr);
    for expected in ["did you mean `concurrency`?", "write `2ms` or `2s`", "990%", "broken.yaml:11:3"] {
        assert!(shown.contains(expected), "{expected} in {shown}");
    }
}

#[test]
fn the_committed_schema_is_the_programs_and_covers_the_scenarios() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let schema = plimsoll::cli::scenario_schema();
    let committed = root.join("schema/scenario.schema.json");
    if std::env::var_os("PLIMSOLL_BLESS").is_some() {
        fs::write(&committed, format!("{:#}\n", plimsoll::cli::with_definitions(&schema))).unwrap();
    }
    let text = fs::read_to_string(&committed).unwrap_or_default();
    let found: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    // A build without Parquet has one trace format less.
    if cfg!(feature = "tables") {
        assert_eq!(found, plimsoll::cli::with_definitions(&schema), "run the tests with PLIMSOLL_BLESS=1");
    }
    for entry in fs::read_dir(root.join("scenarios")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "yaml") {
            let source = plimsoll::config::SourceFile::read(&path, 1 << 20).unwrap();
            known_fields(&plimsoll::config::parse_single(&source).unwrap(), &schema, &path);
        }
    }
    let small = plimsoll::config::SourceFile::new("small.yaml", SOUND);
    known_fields(&plimsoll::config::parse_single(&small).unwrap(), &schema, Path::new("small.yaml"));
}

#[test]
fn the_committed_schema_of_stories_is_the_programs_and_covers_the_stories() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let schema = plimsoll::cli::story_schema();
    let committed = root.join("schema/story.schema.json");
    if std::env::var_os("PLIMSOLL_BLESS").is_some() {
        fs::write(&committed, format!("{:#}\n", plimsoll::cli::with_definitions(&schema))).unwrap();
    }
    let found: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&committed).unwrap_or_default()).unwrap_or_default();
    assert_eq!(found, plimsoll::cli::with_definitions(&schema), "run the tests with PLIMSOLL_BLESS=1");
    let mut stories = 0;
    let directories =
        ["policy-tests", "policy-tests/known-behaviour"].map(|name| fs::read_dir(root.join(name)).unwrap());
    for entry in directories.into_iter().flatten() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap_or_default();
        if path.extension().is_some_and(|ending| ending == "yaml") && text.contains("\nstory:") {
            let source = plimsoll::config::SourceFile::read(&path, 1 << 20).unwrap();
            known_fields(&plimsoll::config::parse_single(&source).unwrap(), &schema, &path);
            stories += 1;
        }
    }
    assert!(stories >= 44, "{stories} stories");
}

/// Every mapping's fields must be in the schema that describes it.
fn known_fields(node: &plimsoll::config::Yaml, schema: &serde_json::Value, path: &Path) {
    use plimsoll::config::Value;
    match &node.value {
        Value::Sequence(items) => items.iter().for_each(|item| known_fields(item, &schema["items"], path)),
        Value::Mapping(entries) => {
            let variants = schema["anyOf"].as_array().cloned().unwrap_or_else(|| vec![schema.clone()]);
            let fits = |variant: &&serde_json::Value| {
                let known =
                    |key: &str| variant["properties"].get(key).is_some() || variant["additionalProperties"].is_object();
                let open = variant.get("properties").is_none() && variant.get("type").is_none();
                open || entries.iter().all(|(key, _)| known(&key.text))
            };
            let nested: Vec<serde_json::Value> = variants
                .iter()
                .flat_map(|v| v["anyOf"].as_array().cloned().unwrap_or_else(|| vec![v.clone()]))
                .collect();
            let variant = nested.iter().find(fits);
            let variant = variant.unwrap_or_else(|| panic!("{}: no schema for {:?}", path.display(), node.span));
            for (key, value) in entries {
                let inner = variant["properties"].get(&key.text).unwrap_or(&variant["additionalProperties"]);
                known_fields(value, inner, path);
            }
        }
        _ => {}
    }
}

/// A scenario that cannot be run: exit code 2, the expected words, no panic, no output files.
fn refused(place: &Place, file: &str, words: &str) {
    let output = place.run(&["run", file, "--out", "out"]);
    let shown = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{shown}");
    assert!(shown.contains(words), "expected `{words}` in:\n{shown}");
    assert!(!shown.contains("internal error") && !shown.contains("panicked"), "{shown}");
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
    assert!(!place.dir.path().join("out").exists(), "something was written");
}

/// The replaced text, its replacement, and text that the message must contain.
#[rstest::rstest]
#[case("duration: 4m", "duration: 4", "write `4ms` or `4s`")]
#[case("duration: 4m", "duration: -4m", "is negative")]
#[case("duration: 4m", "duration: 0s", "longer than 0s")]
#[case("duration: 4m", "duration: NaN", "has no number")]
#[case("duration: 4m", "duration: 4 fortnights", "is not a unit of time")]
#[case("duration: 4m", "duration: 999999h", "at most ten years")]
#[case("duration: 4m\n", "", "this workload has no end")]
#[case("warm-up: 20s", "warm-up: 4m", "leaves nothing")]
#[case("interval: 20s", "interval: 0s", "too many intervals")]
#[case("interval: 20s", "intervall: 20s", "did you mean `interval`?")]
#[case("seed: 7", "seed: seven", "expected a whole number")]
#[case("seed: 7", "seed: -1", "expected a whole number")]
#[case("name: small", "name: ../escape", "cannot be the name of a directory")]
#[case("name: small", "name: small\nname: twice", "duplicate")]
#[case("name: small", "name: [a, b]", "expected a text")]
#[case("name: small", "name:\t- x", "not valid YAML")]
#[case("name: small", "name: {{ .Values.name }}", "helm template")]
#[case("name: small", "extends: missing.yaml", "no such file")]
#[case("name: small", "extends: broken.yaml", "cycle")]
#[case("rate: 40/s", "rate: 40", "write `40/s`")]
#[case("rate: 40/s", "rate: -40/s", "is negative")]
#[case("rate: 40/s", "rate: inf/s", "has no number")]
#[case("rate: 40/s", "rte: 40/s", "did you mean `rate`?")]
#[case("poisson:", "poison:", "poisson")]
#[case("workload: { poisson: { rate: 40/s } }", "workload: { trace: missing.csv }", "no such file")]
#[case("workload: { poisson: { rate: 40/s } }", "workload: { trace: . }", "directory")]
#[case("workload: { poisson: { rate: 40/s } }", "workload: 40", "must be a mapping")]
#[case("workload: { poisson: { rate: 40/s } }\n", "", "has no workload")]
#[case("  replicas: 2", "  replicas: 0", "must be at least 1")]
#[case("  replicas: 2", "  replicas: 2.5", "expected a whole number")]
#[case("  replicas: 2", "  replicas: many", "expected a whole number")]
#[case("cpu: 1, memory: 1Gi", "cpu: 1, memory: 1GB", "write `1Gi`")]
#[case("cpu: 1, memory: 1Gi", "cpu: 100 m, memory: 1Gi", "write `100m`")]
#[case("cpu: 1, memory: 1Gi", "cpu: 1, memry: 1Gi", "did you mean `memory`?")]
#[case("requests: {", "request: {", "did you mean `requests`?")]
#[case("concurrency: 4", "concurrency: none", "expected a whole number")]
#[case("  concurrency: 4\n", "", "has no `concurrency`")]
#[case("exponential: { mean: 100ms }", "exponental: { mean: 100ms }", "did you mean `exponential`?")]
#[case("exponential: { mean: 100ms }", "exponential: { mean: 0ms }", "more than zero")]
#[case("exponential: { mean: 100ms }", "pareto: { shape: 1.5 }", "has no `min`")]
#[case("exponential: { mean: 100ms }", "lognormal: { p50: 2s, p99: 1s }", "below `p50`")]
#[case("exponential: { mean: 100ms }", "gamma: { shape: .inf, mean: 1s }", "finite")]
#[case("  service-time: { exponential: { mean: 100ms } }\n", "", "has no `service-time`")]
#[case("timeout: { after: 2s, work: cancel }", "timeout: { after: 2s, work: cancle }", "did you mean `cancel`?")]
#[case("timeout: { after: 2s, work: cancel }", "timeout: { work: cancel }", "has no `after`")]
#[case("attempts: 2", "attempts: 0", "from 1 to 100")]
#[case("attempts: 2", "attempts: 2, budget: 150%", "more than 1")]
#[case("share-of: m7i.2xlarge", "share-of: m7i.2xlrge", "m7i.2xlarge")]
#[case("share-of: m7i.2xlarge", "share-of: m7i.2xlarge, region: mars-1", "mars-1")]
#[case("share-of: m7i.2xlarge", "share-of: m7i.2xlarge, instance: g5.xlarge", "exactly one")]
#[case("price: { share-of: m7i.2xlarge }", "price: 0.1", "dollar")]
#[case("lag: 1s", "lag: soon", "has no number")]
#[case("window: 30s", "window: 5s", "at least as long")]
#[case("metrics: { interval: 15s", "metrics: { interval: 0s", "at least 10ms")]
#[case("lag: 1s }", "lag: 1s, custom: { rps: request-rat } }", "did you mean `request-rate`?")]
#[case("target: 99% }", "target: 99 }", "write `99%`")]
#[case("- availability: 99.5%", "- availabilty: 99.5%", "availability")]
#[case("- latency: { within: 500ms, target: 99% }", "- latency: { target: 99% }", "has no `within`")]
#[case("objectives:\n", "objectives: all\nx:\n", "must be a list")]
#[case("static: { replicas: 3 }", "statik: { replicas: 3 }", "did you mean `static`?")]
#[case("static: { replicas: 3 }", "static: { replicas: x }", "expected a whole number")]
#[case("static: { replicas: 3 }", "static: {}", "has no `replicas`")]
#[case("min: 1, max: 9", "min: 10, max: 9", "max")]
#[case("target: { cpu: 60% } }", "target: { cpu: 60% }, maks: 3 }", "maks")]
#[case("hpa: { min: 1, max: 9, target: { cpu: 60% } }", "hpa: { manifest: missing.yaml }", "no such file")]
#[case("hpa: { min: 1, max: 9, target: { cpu: 60% } }", "hpa", "hpa")]
#[case("target: { cpu: 60% }", "target: { in-fligth: 3 }", "did you mean `in-flight`?")]
#[case("target: { cpu: 60% }", "target: { orders: 3 }", "metrics: { custom: { orders: MEASURE } }")]
#[case("service:\n", "services:\n", "must be a list")]
#[case("dispatch: x", "dispatch: x", "")]
fn broken_scenarios_are_refused(#[case] part: &str, #[case] by: &str, #[case] words: &str) {
    let place = Place::new();
    if words.is_empty() {
        // The only field that the valid scenario omits.
        place.file("broken.yaml", SOUND.replace("  replicas: 2\n", "  replicas: 2\n  dispatch: least-load\n"));
        return refused(&place, "broken.yaml", "did you mean `least-loaded`?");
    }
    assert!(SOUND.contains(part), "the sound scenario has `{part}`");
    place.file("broken.yaml", SOUND.replacen(part, by, 1));
    refused(&place, "broken.yaml", words);
}

/// The valid scenario with a trace of this name instead of its generator.
fn with_trace(place: &Place, options: &str) {
    let workload = format!("workload: {{ trace: t.csv{options} }}");
    place.file("broken.yaml", SOUND.replace("workload: { poisson: { rate: 40/s } }", &workload));
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

#[rstest::rstest]
#[case::empty(b"".to_vec(), "", "empty")]
#[case::junk(vec![0u8, 159, 146, 150, 7, 0, 255], "", "t.csv")]
#[case::unsorted(b"time\n100\n200\n50\n".to_vec(), ", format: csv, columns: { time: time }", "reorder")]
#[case::no_such_column(b"time\n100\n".to_vec(), ", format: csv, columns: { time: tiem }", "tiem")]
#[case::not_a_time(b"time\nyesterday\n".to_vec(), ", format: csv, columns: { time: time }", "t.csv")]
#[case::negative_count(b"time,count\n0,5\n60,-3\n".to_vec(), ", format: counts", "t.csv")]
#[case::nan_count(b"time,count\n0,5\n60,NaN\n".to_vec(), ", format: counts", "t.csv")]
#[case::unknown_format(b"time\n1\n".to_vec(), ", format: csvv", "did you mean `csv`?")]
#[case::truncated_gzip(gzip(b"time\n1\n2\n3\n")[..20].to_vec(), ", format: csv, columns: { time: time }", "t.csv")]
#[case::invalid_utf8(b"time\n\xff\xfe\n1\n".to_vec(), ", format: csv, columns: { time: time }", "t.csv")]
fn broken_traces_are_refused(#[case] content: Vec<u8>, #[case] options: &str, #[case] words: &str) {
    let place = Place::new();
    place.file("t.csv", content);
    with_trace(&place, options);
    refused(&place, "broken.yaml", words);
}

#[test]
fn a_line_of_a_gigabyte_is_refused_without_being_read_whole() {
    let place = Place::new();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(b"time\n").unwrap();
    let block = vec![b'7'; 1 << 20];
    // Compression is slow in a debug build; a line is rejected at its first mebibyte anyway.
    for _ in 0..if cfg!(debug_assertions) { 32 } else { 1024 } {
        encoder.write_all(&block).unwrap();
    }
    place.file("t.csv", encoder.finish().unwrap());
    with_trace(&place, ", format: csv, columns: { time: time }");
    refused(&place, "broken.yaml", "t.csv");
}

#[rstest::rstest]
#[case::empty("", "empty")]
#[case::a_list("- a\n- b\n", "must be a mapping")]
#[case::two_documents("a: 1\n---\nb: 2\n", "one YAML document")]
#[case::unclosed("a: [1, 2\n", "not valid YAML")]
#[case::nothing_in_it("title: empty\n", "has no `service`")]
fn broken_files_are_refused(#[case] content: &str, #[case] words: &str) {
    let place = Place::new();
    place.file("broken.yaml", content);
    refused(&place, "broken.yaml", words);
}

#[test]
fn laughs_directories_and_bytes_are_refused() {
    let place = Place::new();
    let mut laughs = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for level in 1..20 {
        laughs += &format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 9].join(","));
    }
    place.file("laughs.yaml", laughs);
    refused(&place, "laughs.yaml", "laughs.yaml");
    refused(&place, ".", "is a directory");
    refused(&place, "nowhere.yaml", "no such file");
    place.file("bytes.yaml", [b'a', b':', b' ', 0xff, 0xfe]);
    refused(&place, "bytes.yaml", "not UTF-8");
}

/// A Deployment and its autoscaler as most people write them; the broken ones are these with a part replaced.
const MANIFESTS: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 20
      containers:
        - name: app
          image: app
          resources: { requests: { cpu: 500m, memory: 1Gi }, limits: { cpu: 1 } }
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: web-hpa }
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: web }
  minReplicas: 1
  maxReplicas: 9
  metrics:
    - type: Resource
      resource: { name: cpu, target: { type: Utilization, averageUtilization: 60 } }
  behavior:
    scaleDown:
      stabilizationWindowSeconds: 60
      selectPolicy: Min
      policies: [{ type: Percent, value: 50, periodSeconds: 15 }]
";

const WITH_MANIFESTS: &str = "\
duration: 2m
workload: { constant: { rate: 10/s } }
service:
  manifest: web.yaml
  concurrency: 4
  service-time: 50ms
  cpu-per-request: 10ms
policies:
  auto: { hpa: { manifest: web.yaml } }
";

#[test]
fn manifests_run_as_they_are() {
    let place = Place::new();
    place.file("web.yaml", MANIFESTS);
    place.file("sound.yaml", WITH_MANIFESTS);
    let output = place.run(&["run", "sound.yaml", "--out", "out"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[rstest::rstest]
#[case("metadata: { name: web-hpa }", "meta: { name: web-hpa }", "did you mean `metadata`?")]
#[case("target: { type", "targer: { type", "did you mean `target`?")]
#[case("kind: HorizontalPodAutoscaler", "kind: HorizontalPodAudoscaler", "HorizontalPodAutoscaler")]
#[case("kind: HorizontalPodAutoscaler", "kind: ScaledObject", "no kind `ScaledObject`")]
#[case("autoscaling/v2\n", "autoscaling/v3\n", "autoscaling/v3")]
#[case("autoscaling/v2\n", "autoscalling/v2\n", "autoscal")]
#[case("name: web }\n  minReplicas", "Name: web }\n  minReplicas", "did you mean `name`?")]
#[case("minReplicas: 1", "minReplicas: -1", "expected a whole number")]
#[case("minReplicas: 1", "minReplicas: 10", "maxReplicas")]
#[case("minReplicas: 1", "minReplica: 1", "did you mean `minReplicas`?")]
#[case("  maxReplicas: 9\n", "", "has no `maxReplicas`")]
#[case("maxReplicas: 9", "maxReplicas: nine", "expected a whole number")]
#[case("maxReplicas: 9", "maxReplicas: 99999999999", "expected a whole number")]
#[case("averageUtilization: 60", "averageUtilization: 60%", "expected a whole number")]
#[case("averageUtilization: 60", "averageUtilization: 0", "averageUtilization")]
#[case("averageUtilization: 60", "agerageUtilization: 60", "did you mean `averageUtilization`?")]
#[case("averageUtilization: 60", "averageUtilization: 60, averageValue: 1", "not both")]
#[case("type: Utilization, averageUtilization: 60", "type: Utilization", "averageUtilization")]
#[case("type: Utilization,", "type: Utilisation,", "did you mean `Utilization`?")]
#[case("type: Utilization, averageUtilization: 60", "type: AverageValue, averageValue: 5GB", "averageValue")]
#[case("type: Resource", "type: Resources", "did you mean `Resource`?")]
#[case("type: Resource", "type: Pods", "pods")]
#[case("type: Resource\n      resource:", "type: Resource\n      resourse:", "did you mean `resource`?")]
#[case("name: cpu,", "name: gpu,", "gpu")]
#[case("  metrics:\n", "metrics:\n", "")]
#[case("selectPolicy: Min", "selectPolicy: Minimum", "Min")]
#[case("stabilizationWindowSeconds: 60", "stabilizationWindowSeconds: 60s", "expected a whole number")]
#[case("stabilizationWindowSeconds: 60", "stabilizationWindowSeconds: 3601", "3600")]
#[case(
    "stabilizationWindowSeconds: 60",
    "stabilisationWindowSeconds: 60",
    "did you mean `stabilizationWindowSeconds`?"
)]
#[case("periodSeconds: 15", "periodSeconds: 0", "periodSeconds")]
#[case("periodSeconds: 15", "periodSeconds: 1801", "1800")]
#[case("type: Percent, value: 50", "type: Percent, value: 0", "value")]
#[case("type: Percent,", "type: Percentage,", "did you mean `Percent`?")]
#[case("scaleDown:", "scaledown:", "did you mean `scaleDown`?")]
#[case("cpu: 500m", "cpu: 500 m", "write `500m`")]
#[case("cpu: 500m", "cpu: half", "has no number")]
#[case("cpu: 500m", "cpu: -1", "negative")]
#[case("memory: 1Gi", "memory: 1GB", "write `1Gi`")]
#[case("cpu: 500m", "cpu: 2", "limit")]
#[case("containers:", "container:", "did you mean `containers`?")]
#[case("replicas: 2", "replicas: two", "expected a whole number")]
#[case("kind: Deployment\nmetadata", "kind: Deploymnt\nmetadata", "did you mean `Deployment`?")]
#[case("kind: Deployment\nmetadata", "kind: DaemonSet\nmetadata", "DaemonSet")]
#[case("apiVersion: apps/v1\nkind", "kind", "apiVersion")]
#[case("terminationGracePeriodSeconds: 20", "terminationGracePeriodSeconds: -5", "expected a whole number")]
#[case("name: web-hpa", "name: {{ .Values.name }}", "helm template")]
#[case("---\n", "---\n- a list\n---\n", "expected a Kubernetes object, found a list")]
#[case("---\n", "---\n&a [*a]\n---\n", "web.yaml")]
#[case("metadata: { name: web-hpa }", "metadata: { name: web-hpa", "not valid YAML")]
fn broken_manifests_are_refused(#[case] part: &str, #[case] by: &str, #[case] words: &str) {
    let place = Place::new();
    assert!(MANIFESTS.contains(part), "`{part}` is not in the sound manifests");
    place.file("web.yaml", MANIFESTS.replacen(part, by, 1));
    place.file("broken.yaml", WITH_MANIFESTS);
    refused(&place, "broken.yaml", words);
    let shown = text(&place.run(&["check", "broken.yaml"]).stderr);
    assert!(shown.contains("web.yaml"), "the file is missing in:\n{shown}");
}

#[test]
fn the_cheapest_mix_is_found_and_misspelt_types_are_refused() {
    let place = Place::new();
    let need = ["--cpu", "40", "--memory", "200Gi", "--headroom", "20%"];
    let mix = |types: &[&str]| place.run(&[&["optimize", "mix"], types, &need].concat());
    let found = mix(&["m6i.large", "c6i.xlarge", "r6i.large"]);
    assert_eq!(found.status.code(), Some(0), "{}", text(&found.stderr));
    let words = text(&found.stdout);
    assert!(words.contains("the least possible in whole instances"), "{words}");
    assert!(words.contains("r6i.large") && !words.contains("c6i.xlarge"), "{words}");
    let wrong = mix(&["m6i.larg"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("did you mean `m6i.large`?"), "{}", text(&wrong.stderr));
}

/// Counts that repeat every six minutes, for two hours: 10, 20, ... requests a minute.
fn wave() -> String {
    let row = |minute: usize| format!("{},{}\n", minute * 60, 10 * (minute % 6 + 1));
    format!("time,count\n{}", (0..120).map(row).collect::<String>())
}

#[test]
fn forecasts_are_judged_side_by_side() {
    let place = Place::new();
    place.file("wave.csv", wave());
    let common = ["forecast", "wave.csv", "--time", "time", "--count", "count", "--interval", "1m", "--step", "1m"];
    let more = ["--horizon", "3m", "--season", "6m", "--model", "naive", "--model", "seasonal-naive", "--auto"];
    let run = |extra: &[&str]| place.run(&[&common[..], &more[..], extra].concat());
    let json = run(&["--format", "json"]);
    assert!(json.status.success(), "{}", text(&json.stderr));
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["steps"], 120);
    let model = |n: usize| &json["models"][n];
    // Steps of 1, 1, 1, 1, 1 and -5 (times ten a minute) and horizons of three: the last value is wrong, the last season right.
    assert_eq!((model(0)["model"].as_str(), model(1)["wape_percent"].as_f64()), (Some("naive"), Some(0.0)));
    assert!(model(0)["wape_percent"].as_f64().unwrap() > 20.0);
    assert_eq!((model(2)["model"].as_str(), model(2)["wape_percent"].as_f64()), (Some("auto"), Some(0.0)));
    let table = text(&run(&[]).stdout);
    assert!(
        table.contains("120 steps of 1m, season 6m") && table.contains("seasonal-naive: value 6 steps ago"),
        "{table}"
    );
    assert!(text(&run(&["--format", "markdown"]).stdout).contains("| seasonal-naive |"));
}

#[test]
fn a_forecast_that_cannot_be_made_is_refused_with_a_reason() {
    let place = Place::new();
    place.file("wave.csv", wave());
    let common = ["forecast", "wave.csv", "--time", "time", "--count", "count", "--interval", "1m", "--horizon", "3m"];
    for (more, words) in [
        (&["--step", "1m"][..], "no model"),
        (&["--step", "1m", "--model", "arma"][..], "did you mean `arima`?"),
        (&["--step", "1h", "--model", "naive"][..], "too few"),
        (&["--step", "0s", "--model", "naive"][..], "must be above zero"),
        (&["--step", "1m", "--model", "naive", "--lead", "3m"][..], "the lead time must be shorter than the horizon"),
    ] {
        let output = place.run(&[&common[..], more].concat());
        assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
        assert!(text(&output.stderr).contains(words), "{words}: {}", text(&output.stderr));
    }
    // A fallback is reported: two seasons of an hour do not fit into twenty minutes.
    let more = ["--step", "1m", "--season", "1h", "--train", "20m", "--model", "holt-winters"];
    let table = text(&place.run(&[&common[..], &more].concat()).stdout);
    assert!(table.contains("in place of holt-winters"), "{table}");
}

#[test]
fn a_trace_is_made_reshaped_inspected_and_fitted() {
    let place = Place::new();
    let said = |arguments: &[&str]| {
        let output = place.run(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let synth = ["trace", "synth", "poisson", "--set", "rate=20/s", "--duration", "1h", "-o", "base.csv"];
    assert!(said(&synth).contains("rows of arrivals over 1h"));
    let event = "overlay: [{ at: 00:30, factor: 3, for: 10m }]";
    said(&["trace", "transform", "base.csv", "--step", event, "--step", "window: { to: 50m }", "-o", "peak.csv"]);
    let text = fs::read_to_string(place.dir.path().join("peak.csv")).unwrap();
    assert!(text.contains("# note: from base.csv, SHA-256 "), "{}", &text[..500]);
    assert!(text.contains("# note: step window: { to: 50m }"), "{}", &text[..500]);
    assert!(said(&["trace", "inspect", "peak.csv"]).contains("(1 for a Poisson process)"));
    let fitted = said(&["trace", "fit", "peak.csv"]);
    // The printed text is a scenario's workload, unchanged.
    let scenario = SOUND.replace("workload: { poisson: { rate: 40/s } }\n", &fitted);
    place.file("fitted.yaml", scenario);
    said(&["check", "fitted.yaml"]);
    said(&["trace", "fit", "peak.csv", "--charts", "fit"]);
    assert!(said(&["trace", "inspect", "peak.csv", "--charts", "one"]).contains("course        "));
    said(&["trace", "plot", "base.csv", "peak.csv", "--out", "both"]);
    let read = |name: &str| fs::read_to_string(place.dir.path().join(name)).unwrap();
    for (directory, traces) in [("fit", 2), ("one", 1), ("both", 2)] {
        // An hour, or fifty minutes, in bins of five seconds.
        let lines = read(&format!("{directory}/rate.csv")).lines().count();
        assert_eq!(lines, 1 + 600 * traces + if directory == "both" { 120 } else { 0 }, "{directory}");
        let svg = place.dir.path().join(directory).join("gap-between-arrivals.svg");
        assert_eq!(svg.exists(), cfg!(feature = "charts"));
    }
    assert!(read("both/dispersion.csv").starts_with("trace,interval_s,index_of_dispersion\nbase.csv,1,"));
    let output = place.run(&["trace", "synth", "shp", "-o", "x.csv"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("did you mean `shop`?"));
}
