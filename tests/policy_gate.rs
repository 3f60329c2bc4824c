//! The gate in CI: the shipped directory of policy tests, valid and with its policy deliberately broken.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A copy of the shipped directory, as a platform team would have it.
struct Repository(TempDir);

impl Repository {
    fn new() -> Repository {
        let repository = Repository(TempDir::new().unwrap());
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("policy-tests");
        copy(&shipped, &repository.path("policy-tests"));
        // Reports about autoscalers in general, which a change of this manifest does not affect.
        fs::remove_dir_all(repository.path("policy-tests/known-behaviour")).unwrap();
        repository
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn replace(&self, name: &str, part: &str, by: &str) {
        let text = self.read(name);
        assert!(text.contains(part), "`{part}` is not in {name}");
        fs::write(self.path(name), text.replace(part, by)).unwrap();
    }

    /// Runs `plimsoll test` and expects the exit code; returns both outputs together.
    fn test(&self, arguments: &str, code: i32) -> String {
        self.run(&format!("test {arguments}"), code)
    }

    fn run(&self, arguments: &str, code: i32) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.args(arguments.split_whitespace()).current_dir(self.0.path()).env("NO_COLOR", "1");
        let output = command.output().unwrap();
        let shown = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments}: {shown}");
        assert!(!shown.contains("internal error"), "{shown}");
        shown
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

const MANIFEST: &str = "policy-tests/manifests/checkout-hpa.yaml";

/// JUnit's failures: the names of the cases.
fn failures(junit: &str) -> Vec<String> {
    let cases = junit.split("<testcase ").skip(1).filter(|case| case.contains("<failure"));
    let name = |case: &str| case.split(" name=\"").nth(1).unwrap().split('"').next().unwrap().replace("&lt;", "<");
    cases.map(name).collect()
}

#[test]
fn the_shipped_tests_hold() {
    let repository = Repository::new();
    let shown = repository.test("--quiet --output junit=junit.xml", 0);
    assert!(shown.contains("expectations hold in 9 files"), "{shown}");
    assert_eq!(failures(&repository.read("junit.xml")), Vec::<String>::new());
    assert!(repository.test("--format diff", 0).starts_with("No figure is other than in its baseline"));
}

/// A change of the manifest, and the checks that must fail.
#[rstest::rstest]
#[case::calmer_target_and_no_window(
    "        target:
          type: Utilization
          averageUtilization: 60
",
    "        target:
          type: Utilization
          averageUtilization: 95
  behavior:
    scaleDown:
      stabilizationWindowSeconds: 0
",
    &["step 2 at 1m", "step 5 at 4m"]
)]
#[case::wrong_metric("name: cpu", "name: memory", &["step 2 at 1m", "p99 [manifest] no worse than the baseline"])]
#[case::capped("minReplicas: 3\n  maxReplicas: 20", "minReplicas: 1\n  maxReplicas: 1",
    &["policy.manifest.p99 < 800ms", "p99 [manifest] no worse than the baseline"])]
#[case::wasteful("minReplicas: 3", "minReplicas: 12",
    &["cost [manifest] no worse than the baseline", "policy.manifest.cost < 0.75 * policy.fixed.cost"])]
fn a_broken_manifest_is_caught(#[case] part: &str, #[case] by: &str, #[case] expected: &[&str]) {
    let repository = Repository::new();
    repository.replace(MANIFEST, part, by);
    repository.test("--quiet --junit junit.xml", 1);
    let junit = repository.read("junit.xml");
    let failures = failures(&junit);
    for name in expected {
        assert!(failures.iter().any(|failure| failure == name), "{name} should fail: {failures:?}\n{junit}");
    }
    // The fixed fleet next to it is unchanged.
    assert!(!failures.iter().any(|failure| failure.contains("[fixed]")), "{failures:?}");
}

#[test]
fn one_run_gives_every_report() {
    let repository = Repository::new();
    repository.replace(MANIFEST, "minReplicas: 3", "minReplicas: 12");
    let outputs = "--quiet --format github --output gitlab=out/quality.json --output markdown=out/comment.md \
                   --output diff=out/changes.diff --output json=out/all.json --output junit=out/junit.xml";
    let annotations = repository.test(outputs, 1);
    assert!(annotations.contains("::error file=policy-tests/checkout.yaml,line="), "{annotations}");
    let quality: Vec<serde_json::Value> = serde_json::from_str(&repository.read("out/quality.json")).unwrap();
    let junit = failures(&repository.read("out/junit.xml"));
    assert_eq!(quality.len(), junit.len());
    assert!(quality.iter().all(|finding| finding["location"]["path"].as_str().unwrap().starts_with("policy-tests/")));
    let comment = repository.read("out/comment.md");
    assert!(comment.starts_with("<!-- plimsoll-test -->\n### ✗ Policy tests: "), "{comment}");
    assert_eq!(repository.read("out/changes.diff").matches("-cost manifest $").count(), 1);
    let all: serde_json::Value = serde_json::from_str(&repository.read("out/all.json")).unwrap();
    assert_eq!(all["failed"].as_u64().unwrap(), junit.len() as u64);
    assert!(all["passed"].as_u64().unwrap() > 0);
    let refused = repository.test("--output xml=out.xml", 2);
    assert!(refused.contains("`xml` is no form; known: table, json, markdown"), "{refused}");
}

#[test]
fn a_blessing_shows_what_changed_and_changes_only_those_lines() {
    let repository = Repository::new();
    let baseline = "policy-tests/checkout.baseline.json";
    let before = repository.read(baseline);
    let calm = repository.test("policy-tests/checkout.yaml --bless", 0);
    assert!(calm.contains("checkout.baseline.json: unchanged") && !calm.contains("wrote"), "{calm}");
    assert_eq!(repository.read(baseline), before);
    repository.replace(MANIFEST, "averageUtilization: 60", "averageUtilization: 55");
    let shown = repository.test("policy-tests/checkout.yaml --bless --quiet", 0);
    assert!(shown.contains("checkout.baseline.json: 1 figure changed"), "{shown}");
    let row = shown.lines().find(|line| line.contains("manifest") && line.contains("cost") && line.contains('%'));
    assert!(row.is_some_and(|row| row.contains('+')), "{shown}");
    let after = repository.read(baseline);
    let changed: Vec<_> = before.lines().zip(after.lines()).filter(|(old, new)| old != new).collect();
    assert_eq!((before.lines().count(), changed.len()), (after.lines().count(), 1), "{changed:?}");
    assert!(changed[0].0.trim_start().starts_with("\"cost\": { \"mean\": 0.0"), "{changed:?}");
    repository.test("policy-tests/checkout.yaml", 0);
}

#[test]
fn a_baseline_edited_by_hand_or_broken_is_refused() {
    let repository = Repository::new();
    let baseline = "policy-tests/checkout.baseline.json";
    let sound = repository.read(baseline);
    let at = sound.find("\"cost\": { \"mean\": 0.0").unwrap() + "\"cost\": { \"mean\": 0.0".len();
    let edited = format!("{}9{}", &sound[..at], &sound[at + 1..]);
    for (text, words) in
        [(edited.as_str(), "is not that of its replications"), ("{", "EOF while parsing"), ("{}", "missing field")]
    {
        fs::write(repository.path(baseline), text).unwrap();
        let said = repository.test("policy-tests/checkout.yaml --replications 2", 2);
        assert!(said.contains(words) && said.contains("--bless writes it anew"), "{said}");
    }
    repository.test("policy-tests/checkout.yaml --bless", 0);
    assert_eq!(repository.read(baseline), sound);
}

#[test]
fn bad_stories_are_bad_input_and_the_others_still_run() {
    let repository = Repository::new();
    repository.replace("policy-tests/morning-rush.yaml", "reason: stabilized", "reason: stabilised");
    let said = repository.test("policy-tests --quiet --replications 2", 2);
    assert!(said.contains("did you mean `stabilized`?") && said.contains("morning-rush.yaml:"), "{said}");
    assert!(said.contains("Metrics are lost"), "{said}");
    let said = repository.run("check policy-tests/metrics-outage.yaml policy-tests/morning-rush.yaml", 2);
    assert!(said.contains("metrics-outage.yaml: ok, a story: Metrics are lost"), "{said}");
    assert!(said.contains("did you mean `stabilized`?"), "{said}");
}
