//! The commands that answer a planner's questions, run as by a user.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

const SCENARIO: &str = "\
name: small
seed: 7
duration: 90s
warm-up: 10s
interval: 10s
workload: { poisson: { rate: 40/s } }
service:
  name: web
  replicas: 2
  resources: { requests: { cpu: 1, memory: 1Gi }, limits: { cpu: 1 } }
  concurrency: 4
  queue-limit: 20
  service-time: { exponential: { mean: 100ms } }
  cpu-per-request: 25ms
  start-up: { ready: 4s }
  price: $1/h
metrics: { interval: 15s, window: 30s, lag: 1s }
objectives:
  - latency: { within: 500ms, target: 95% }
policies:
  fixed: { static: { replicas: 3 } }
  auto: { hpa: { min: 1, max: 9, target: { cpu: 60% } } }
";

struct Place(TempDir);

impl Place {
    fn new(scenario: &str) -> Place {
        let place = Place(TempDir::new().unwrap());
        fs::write(place.path("small.yaml"), scenario).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.args(arguments.split_whitespace()).current_dir(self.0.path()).env("NO_COLOR", "1");
        command.output().unwrap()
    }

    /// Runs the program and expects the exit code; returns both outputs together.
    fn expect(&self, arguments: &str, code: i32) -> String {
        let output = self.run(arguments);
        let shown = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments}: {shown}");
        assert!(!shown.contains("internal error"), "{shown}");
        shown
    }
}

#[test]
fn a_comparison_is_the_same_for_any_number_of_threads_and_names_its_base() {
    let place = Place::new(SCENARIO);
    let one =
        place.expect("compare small.yaml --as-is --base auto --replications 4 --format json --quiet --threads 1", 0);
    assert_eq!(
        one,
        place.expect("compare small.yaml --as-is --base auto --replications 4 --format json --quiet --threads 2", 0)
    );
    let alone = place.run("compare small.yaml --as-is --base auto --replications 4 --format json");
    let result: serde_json::Value = serde_json::from_slice(&alone.stdout).unwrap();
    assert_eq!(result["base"], "auto");
    let cost = &result["policies"][0]["figures"][0];
    assert_eq!((cost["figure"].as_str(), cost["better"].as_bool()), (Some("cost"), Some(false)), "{cost}");
    assert!(cost["verdict"].as_str().unwrap().starts_with("dearer by"), "{cost}");
    assert!(place.expect("compare small.yaml --as-is --base atuo", 2).contains("did you mean `auto`?"));
    assert!(place.expect("compare small.yaml --as-is --precision 0%", 2).contains("never reached"));
}

/// Fixed fleets differ only by their size: at the same level they are the same fleet, the smallest that meets the
/// objective.
#[test]
fn at_the_same_level_equal_policies_cost_the_same() {
    let policies = "policies:\n  three: { static: { replicas: 3 } }\n  seven: { static: { replicas: 7 } }\n  auto: { hpa: { min: 1, max: 9, target: { cpu: 60% } } }\n";
    let place = Place::new(&format!("{}{policies}", &SCENARIO[..SCENARIO.find("policies:").unwrap()]));
    let one = place.expect("compare small.yaml --replications 3 --threads 1 --format json --out out", 0);
    let stdout = |arguments: &str| String::from_utf8(place.run(arguments).stdout).unwrap();
    let again = stdout("compare small.yaml --replications 3 --threads 2 --format json --out out");
    assert!(one.starts_with(&again), "{one}\n{again}");
    let results: serde_json::Value = serde_json::from_str(&again).unwrap();
    let cost = |policy: &str| {
        let rows = results["same_level"].as_array().unwrap();
        rows.iter().find(|row| row["policy"] == policy).unwrap()["cost_usd"].as_f64().unwrap()
    };
    assert_eq!(cost("three"), cost("seven"));
    let csv = fs::read_to_string(place.path("out/small/compare/frontier.csv")).unwrap();
    assert!(csv.lines().filter(|line| line.contains("true,true")).count() >= 2, "{csv}");
    assert_eq!(place.path("out/small/compare/frontier.svg").exists(), cfg!(feature = "charts"));
    let shown = place.expect("compare small.yaml --replications 3 --out out", 0);
    assert!(shown.contains("At the same service level") && shown.contains("beside"), "{shown}");
    // The report is stored, and regenerated without a run, byte by byte the same.
    let page = fs::read(place.path("out/small/compare/report.html")).unwrap();
    place.expect("report out/small/compare --out again", 0);
    assert_eq!(fs::read(place.path("again/report.html")).unwrap(), page);
    assert!(String::from_utf8(page).unwrap().contains("plimsoll compare small.yaml --replications 3"));
}

#[test]
fn a_plan_finds_the_cheapest_and_writes_it_back() {
    let place = Place::new(SCENARIO);
    let plan = "plan small.yaml --replications 4 --vary service.concurrency=4,8 --out out --quiet";
    let shown = place.expect(plan, 0);
    assert!(shown.contains("meets 95% of requests within 500ms with 95% confidence over 4 replications"), "{shown}");
    assert!(shown.contains("✓ the winner") && shown.contains("costs as much"), "{shown}");
    assert_eq!(shown, place.expect(&format!("{plan} --threads 1"), 0), "the same for any number of threads");
    // The scenario written by the search runs as in the search, and its manifests state the same.
    let csv = fs::read_to_string(place.path("out/small/plan-trials.csv")).unwrap();
    let chosen = csv.lines().find(|line| line.contains(",true,true,")).unwrap();
    let cost: f64 = chosen.split(',').nth(4).unwrap().parse().unwrap();
    let cost_of = |file: &str| {
        let json =
            String::from_utf8(place.run(&format!("compare {file} --as-is --replications 4 --format json")).stdout)
                .unwrap();
        let result: serde_json::Value = serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"));
        assert_eq!(result["policies"].as_array().unwrap().len(), 1, "only the winner is left");
        result["policies"][0]["figures"][0]["mean"].as_f64().unwrap()
    };
    assert!((cost_of("out/small/plan.yaml") / cost - 1.0).abs() < 1e-9, "{cost} {}", cost_of("out/small/plan.yaml"));
    let deployment = fs::read_to_string(place.path("out/small/web-deployment.yaml")).unwrap();
    assert!(deployment.contains("kind: Deployment"), "{deployment}");
    if place.path("out/small/web-hpa.yaml").exists() {
        let by_manifest = "extends: out/small/plan.yaml\npolicies: { auto: null, manifest: { hpa: { manifest: out/small/web-hpa.yaml } } }\n";
        fs::write(place.path("by-manifest.yaml"), by_manifest).unwrap();
        assert!((cost_of("by-manifest.yaml") / cost - 1.0).abs() < 1e-9);
    }
    // A policy that costs three times as much is marked as more expensive, in every row.
    let priced =
        "plan small.yaml --replications 4 --vary service.price=$1/h,$3/h --no-scenario --out out --format markdown";
    let shown = place.expect(priced, 0);
    let dear: Vec<&str> = shown.lines().filter(|line| line.starts_with('|') && line.contains("$3/h")).collect();
    assert!(dear.len() == 2 && dear.iter().all(|row| row.contains("dearer")), "{shown}");
    assert!(place.expect("plan small.yaml --set objectives=[] --out out", 2).contains("needs objectives"));
    let hopeless =
        "plan small.yaml --replications 2 --set service.service-time=2s --no-scenario --out out --format markdown";
    assert!(place.expect(hopeless, 1).contains("no fleet can keep \"95% of requests within 500ms\""));
}

#[test]
fn variations_stand_beside_their_base() {
    let place = Place::new(SCENARIO);
    let arguments = "whatif small.yaml --scale 3x --startup +60s --set service.price=$2/h --policy fixed \
                     --replications 3 --format markdown";
    let shown = place.expect(arguments, 0);
    for expected in ["| fixed | base |", "| fixed | scale 3x |", "startup +60s", "$0.1500 ✗ +100.0%"] {
        assert!(shown.contains(expected), "{expected} in {shown}");
    }
    let shown =
        place.expect("whatif small.yaml --kill-zone a@40s+20s --policy fixed --replications 3 --format markdown", 0);
    assert!(shown.contains("| fixed | zone a lost after 40s for 20s |"), "{shown}");
    assert!(
        place
            .expect("whatif small.yaml --kill-zone a --policy fixed --replications 2 --format json", 0)
            .contains("for 30m")
    );
    assert!(place.expect("whatif small.yaml --kill-zone d", 2).contains("zones: a, b, c"));
    assert!(place.expect("whatif small.yaml --kill-zone a@x", 2).contains("expected ZONE"));
    assert!(place.expect("whatif small.yaml", 2).contains("nothing to vary"));
    assert!(place.expect("whatif small.yaml --scale 0x", 2).contains("expected a factor"));
    assert!(place.expect("whatif small.yaml --startup -60s", 2).contains("no start-up phase"));
}

/// Twelve slots of 100 ms answer 120 requests per second at most.
#[test]
fn the_capacity_of_a_station_is_that_of_its_slots() {
    let place = Place::new(&SCENARIO.replace("latency: { within: 500ms, target: 95% }", "availability: 99%"));
    let shown = place.run("capacity small.yaml --policy fixed --replications 3 --format json");
    let result: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    let row = &result["limits"][0];
    assert!((105.0..135.0).contains(&row["requests_per_s"].as_f64().unwrap()), "{row}");
    assert!(row["factor_low"].as_f64() <= row["factor"].as_f64(), "{row}");
    assert_eq!(row["bottlenecks"][0]["what"], "too few replicas ordered", "{row}");
}

#[rstest::rstest]
#[case("s.csv")]
#[case("s.jsonl")]
fn a_sweep_goes_on_where_it_was_killed(#[case] file: &str) {
    let place = Place::new(SCENARIO);
    let vary = "sweep small.yaml --vary service.concurrency=2..4 --vary metrics.lag=1s,5s --replications 2";
    place.expect(&format!("{vary} --out {file}"), 0);
    let whole = fs::read(place.path(file)).unwrap();
    assert_eq!(whole.iter().filter(|byte| **byte == b'\n').count(), 12 + usize::from(file.ends_with("csv")));
    // Wherever the run was interrupted: within the header, within a row, between the rows of a point, after the end.
    for cut in [0, 5, whole.len() / 7, whole.len() / 2, whole.len() - 1, whole.len()] {
        let torn = format!("torn-{file}");
        fs::write(place.path(&torn), &whole[..cut]).unwrap();
        place.expect(&format!("{vary} --out {torn} --threads 1"), 0);
        assert!(fs::read(place.path(&torn)).unwrap() == whole, "cut at {cut}");
    }
    assert!(place.expect(&format!("{vary} --seed 8 --out {file}"), 2).contains("something else"));
    assert_eq!(fs::read(place.path(file)).unwrap(), whole, "a refused sweep leaves the file alone");
}

#[rstest::rstest]
#[case("random")]
#[case("latin-hypercube")]
fn a_sampled_sweep_is_a_function_of_scenario_and_seed(#[case] design: &str) {
    let place = Place::new(SCENARIO);
    let vary = format!(
        "sweep small.yaml --vary service.concurrency=1..8 --vary metrics.lag=1s..30s --replications 2 --design {design} \
         --points 12"
    );
    let shown = place.expect(&format!("{vary} --threads 1 --out a.csv"), 0);
    assert!(shown.contains("Spearman"), "{shown}");
    place.expect(&format!("{vary} --threads 2 --out b.csv"), 0);
    let whole = fs::read(place.path("a.csv")).unwrap();
    assert!(whole == fs::read(place.path("b.csv")).unwrap());
    assert_eq!(whole.iter().filter(|byte| **byte == b'\n').count(), 12 * 2 + 1);
    let torn = &whole[..whole.len() / 2];
    fs::write(place.path("b.csv"), torn).unwrap();
    place.expect(&format!("{vary} --out b.csv"), 0);
    assert!(whole == fs::read(place.path("b.csv")).unwrap());
}

#[test]
fn a_sweep_says_what_matters_and_draws_it() {
    let place = Place::new(SCENARIO);
    let one = "sweep small.yaml --vary service.concurrency=1..4 --vary metrics.lag=1s..5s --replications 2 --design one-at-a-time";
    let shown = place.expect(&format!("{one} --format markdown"), 0);
    assert!(shown.contains("| auto | concurrency |") && shown.contains("| fixed | lag |"), "{shown}");
    assert!(shown.contains("throughout"), "a fixed fleet does not feel the metrics' lag: {shown}");
    // The unchanged scenario, two ends of concurrency, two of the lag.
    assert_eq!(fs::read_to_string(place.path("sweep.csv")).unwrap().lines().count(), 1 + 5 * 2);
    assert_eq!(place.path("sweep.parquet").exists(), cfg!(feature = "tables"));
    assert_eq!(place.path("sweep-charts/tornado-cost.svg").exists(), cfg!(feature = "charts"));
    let refused = place.expect("sweep small.yaml --vary service.concurrency=0.5..2 --out x.csv", 2);
    assert!(refused.contains("needs a step") && !place.path("x.csv").exists(), "{refused}");
    assert!(place.expect("sweep small.yaml --vary seed=1,2 --out x.parquet", 2).contains("beside it as Parquet"));
}

#[test]
fn a_changed_manifest_makes_another_sweep() {
    let place = Place::new(&format!("{SCENARIO}  manifest: {{ hpa: {{ manifest: hpa.yaml }} }}\n"));
    let hpa = |most: u32| {
        let text = format!(
            "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {{ name: small }}\nspec:\n  \
             scaleTargetRef: {{ apiVersion: apps/v1, kind: Deployment, name: small }}\n  minReplicas: 1\n  maxReplicas: {most}\n  \
             metrics: [{{ type: Resource, resource: {{ name: cpu, target: {{ type: Utilization, averageUtilization: 60 }} }} }}]\n"
        );
        fs::write(place.path("hpa.yaml"), text).unwrap();
    };
    let sweep = "sweep small.yaml --vary service.concurrency=2..3 --replications 2 --quiet";
    hpa(10);
    place.expect(sweep, 0);
    place.expect(sweep, 0);
    hpa(11);
    assert!(place.expect(sweep, 2).contains("something else"));
}

#[test]
fn a_sweep_survives_the_kill_itself() {
    let place = Place::new(SCENARIO);
    let vary = "sweep small.yaml --vary service.concurrency=1..40 --replications 2 --quiet --out";
    place.expect(&format!("{vary} whole.csv"), 0);
    let mut child = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(format!("{vary} killed.csv").split_whitespace())
        .current_dir(place.0.path())
        .spawn()
        .unwrap();
    // Killed once there is some output; if it finished earlier, nothing is left to do, which is correct as well.
    while fs::read(place.path("killed.csv")).unwrap_or_default().len() < 3000 && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    let _ = child.kill();
    child.wait().unwrap();
    place.expect(&format!("{vary} killed.csv"), 0);
    assert!(fs::read(place.path("whole.csv")).unwrap() == fs::read(place.path("killed.csv")).unwrap());
}

fn with_expectations(lines: &str) -> Place {
    Place::new(&format!("{SCENARIO}expect:\n{lines}"))
}

#[test]
fn expectations_decide_the_exit_code() {
    let good = "  - p50 < 500ms\n  - cost < $40\n  - flaps/h <= 60\n  - policy.auto.cost < 2 * policy.fixed.cost\n  - attainment > 50%\n";
    let place = with_expectations(good);
    assert!(place.expect("test small.yaml --replications 3", 0).contains("9 of 9 expectations hold"));
    let place = with_expectations("  - policy.fixed.cost < $0.01\n  - policy.auto.cost > $0\n");
    let shown = place.expect("test . --replications 3 --format github --junit j.xml", 1);
    assert!(shown.contains("::error file=small.yaml,line=24,"), "{shown}");
    let xml = fs::read_to_string(place.path("j.xml")).unwrap();
    assert!(xml.contains("tests=\"2\" failures=\"1\""), "{xml}");
}

#[rstest::rstest]
#[case("p99 < 250", "compares a time with a plain number")]
#[case("p98 < 250ms", "is not a figure")]
#[case("policy.fixd.cost < $1", "did you mean `fixed`?")]
#[case("cost = $1", "is not a comparison")]
#[case("$1 < $2", "contains no figure")]
#[case("bound < $2", "contains no figure")]
#[case("p99 < 2 * bound", "compares a time with dollars")]
#[case("cost < 2 * bond", "did you mean `bound`?")]
#[case("x * cost < $2", "no number before")]
#[case("[a, b]", "expected a comparison")]
fn expectations_that_make_no_sense_are_refused(#[case] line: &str, #[case] words: &str) {
    let place = with_expectations(&format!("  - {line}\n"));
    for command in ["test small.yaml", "check small.yaml"] {
        let shown = place.expect(command, 2);
        assert!(shown.contains(words) && shown.contains("small.yaml:24:5"), "{shown}");
    }
}

/// The distance to the lower bound is computed in each replication, and a missing bound is reported.
#[test]
fn costs_are_held_against_the_lower_bound() {
    let shown = |lines: &str, code: i32, more: &str| {
        with_expectations(lines).expect(&format!("test small.yaml --replications 3 {more}"), code)
    };
    assert!(shown("  - cost > bound\n  - 20 * bound > policy.auto.cost\n", 0, "").contains("3 of 3 expectations hold"));
    let close = shown("  - policy.auto.cost < 1.01 * bound\n", 1, "");
    assert!(close.contains("small.yaml:24: expected policy.auto.cost < 1.01 * bound; found $"), "{close}");
    let objectives = ["  - latency: { within: 500ms, target: 95% }\n", "objectives:"];
    let place = with_expectations("  - cost < 2 * bound\n");
    let text = fs::read_to_string(place.path("small.yaml")).unwrap();
    assert!(objectives.iter().all(|part| text.contains(part)), "{text}");
    fs::write(place.path("small.yaml"), text.replace(objectives[0], "")).unwrap();
    for command in ["test small.yaml", "check small.yaml"] {
        let said = place.expect(command, 2);
        assert!(
            said.contains("no lower bound on cost here: there is no latency objective") && said.contains("23:5"),
            "{said}"
        );
    }
    let closed = text.replace("{ poisson: { rate: 40/s } }", "{ closed-loop: { users: 20, think: 1s } }");
    assert_ne!(closed, text);
    fs::write(place.path("small.yaml"), closed).unwrap();
    assert!(place.expect("check small.yaml", 2).contains("a closed loop depend on the policy"));
}

#[test]
fn a_regression_is_held_against_the_baseline() {
    let place = Place::new(SCENARIO);
    assert!(place.expect("test small.yaml", 2).contains("neither `expect:` nor `story:` nor a baseline"));
    place.expect("test small.yaml --bless --replications 4", 0);
    place.expect("test small.yaml --replications 4", 0);
    place.expect("test small.yaml --replications 4 --set service.price=$1.01/h", 0);
    let dearer = place.expect("test small.yaml --replications 4 --set service.price=$1.03/h", 1);
    assert!(dearer.contains("no worse than the baseline"), "{dearer}");
    place.expect("test small.yaml --replications 4 --set service.price=$1.03/h --margin 4%", 0);
    assert!(place.expect("test small.yaml --seed 8", 2).contains("the baseline has seed 7"));
    assert!(place.expect("test small.yaml --replications 1", 2).contains("fewer than two replications"));
}

/// The difference between the lower bound and the cheapest policy is explained, and the parts add up to the cent.
#[test]
fn the_gap_to_the_bound_adds_up() {
    let place = Place::new(SCENARIO);
    let text = place.expect("run small.yaml --format markdown", 0);
    let line = text.lines().find(|line| line.starts_with("Of the ")).unwrap_or_else(|| panic!("no gap in {text}"));
    let dollars = |text: &str| -> Vec<f64> {
        let amounts = text.split('$').skip(1);
        amounts.map(|rest| rest.split([' ', ',']).next().unwrap().parse().unwrap()).collect()
    };
    let (parts, less) = line.split_once("; less ").unwrap_or((line, ""));
    let (all, less) = (dollars(parts), dollars(less).iter().sum::<f64>());
    let sum = all[1..].iter().sum::<f64>() - less;
    // Parts below half a percent are left out, and each is rounded.
    assert!((sum / all[0] - 1.0).abs() < 0.02, "{sum} of {} in {line}", all[0]);
    assert!(line.contains("in the warm-up") && line.contains("for idle slots"), "{line}");
}
