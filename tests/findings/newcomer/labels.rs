//! Figures, sentences and times are what their labels say.

use serde_json::Value;

use crate::findings::trial::Trial;

/// CPU is the ceiling: half a core carries one request at full speed, and the concurrency is eight.
const CPU: &str = "\
seed: 1
workload: { poisson: { rate: 40/s, for: 20m } }
service:
  resources: { requests: { cpu: 500m, memory: 1Gi }, limits: { cpu: 500m } }
  concurrency: 8
  service-time: 80ms
  cpu-per-request: 40ms
  price: $0.03/h
objectives: [ { latency: { within: 500ms, target: 99% } } ]
policies:
  static-5: { static: { replicas: 5 } }
";

fn column(header: &csv::StringRecord, name: &str) -> usize {
    header.iter().position(|of| of == name).unwrap_or_else(|| panic!("{name} in {header:?}"))
}

#[test]
fn utilization_of_slots_is_of_slots() {
    let trial = Trial::new(&[("s.yaml", CPU)]);
    let summary = trial.summary("s.yaml", "");
    let service = &summary["policies"][0]["services"][0];
    let of = |name: &str| service[name].as_f64().unwrap();
    let timeline = trial.read("out/s/timeline.csv");
    let mut rows = csv::Reader::from_reader(timeline.as_bytes());
    let header = rows.headers().unwrap().clone();
    let (mut busy, mut slots) = (0.0, 0.0);
    for row in rows.records().map(Result::unwrap) {
        let value = |name: &str| row[column(&header, name)].parse::<f64>().unwrap();
        let share = value("busy_slots") / (value("ready_replicas") * 8.0);
        assert!((value("utilization_ratio") - share).abs() < 1e-9, "{row:?}");
        busy += value("busy_slots") * value("length_s");
        slots += value("ready_replicas") * 8.0 * value("length_s");
    }
    assert!((of("utilization_ratio") - busy / slots).abs() < 1e-9, "{service}: {busy} of {slots}");
    // 1.6 cores of work on 2.5: CPU is used at 64%, slots far less.
    assert!((of("cpu_utilization_ratio") - 0.64).abs() < 0.03 && of("utilization_ratio") < 0.4, "{service}");
}

/// An autoscaler on `slot-use` sees the same share as the report: of `concurrency`, not of what the CPU can keep at full speed.
#[test]
fn the_metric_of_slots_is_of_slots_too() {
    let scenario = CPU.replace(
        "static-5: { static: { replicas: 5 } }",
        "hpa: { hpa: { min: 1, max: 5, target: { slot-use: 90% } } }",
    );
    let trial = Trial::new(&[("s.yaml", &scenario)]);
    trial.summary("s.yaml", "");
    let decisions = trial.read("out/s/decisions.csv");
    let mut rows = csv::Reader::from_reader(decisions.as_bytes());
    let details = rows.records().map(|row| row.unwrap().iter().next_back().unwrap().to_string());
    let told = |detail: String| detail.split_once("slot-use ")?.1.split_once(' ')?.0.parse::<f64>().ok();
    let shares: Vec<f64> = details.filter_map(told).collect();
    assert!(shares.len() > 1 && shares.iter().all(|share| *share <= 1.0), "{shares:?} in {decisions}");
    assert!(shares.iter().any(|share| *share > 0.9), "{shares:?}");
}

#[test]
fn nodes_alone_have_no_bound_for_no_objective() {
    let scenario = "\
seed: 1
workload: { poisson: { rate: 4/s, for: 20m } }
service: { concurrency: 4, service-time: 100ms, resources: { requests: { cpu: 500m, memory: 1Gi } } }
nodes: { instance: m5.large, count: 2 }
objectives: [ { latency: { within: 500ms, target: 99% } } ]
policies:
  one: { static: { replicas: 1 } }
  two: { static: { replicas: 2 } }
";
    let trial = Trial::new(&[("s.yaml", scenario)]);
    let shown = trial.expect("run s.yaml --out out --quiet", 0);
    let summary = trial.read("out/s/summary.json");
    for text in [&shown, &summary, &trial.read("out/s/summary.md"), &trial.read("out/s/report.html")] {
        for wrong in ["keeps “”", "keeps \"\"", "keep “”", "keep \\\"\\\"", "No policy that keeps"] {
            assert!(!text.contains(wrong), "{wrong}: {text}");
        }
    }
    let parsed: Value = serde_json::from_str(&summary).unwrap();
    assert!(parsed["policies"][0]["cost_usd"].as_f64().unwrap() > 0.0, "{summary}");
}

#[test]
fn unlimited_cpu_is_said_by_every_advice() {
    let scenario = CPU.replace(", limits: { cpu: 500m }", "").replace("40/s, for: 20m", "5/s, for: 2m");
    let trial = Trial::new(&[("s.yaml", &scenario)]);
    let words = "Nothing limits the CPU of a replica of service (no CPU limit, no priced size, no nodes)";
    for command in [
        "check s.yaml",
        "plan s.yaml --replications 2 --out out",
        "plan s.yaml --replications 2 --out out --format json",
        "compare s.yaml --replications 2 --out out",
        "compare s.yaml --replications 2 --out out --as-is --format json",
        "capacity s.yaml --replications 2 --out out",
    ] {
        let shown = trial.expect(command, 0);
        let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(shown.contains(words), "{command}: {shown}");
    }
    let shown = trial.expect("plan s.yaml --replications 2 --quiet --out out", 0);
    assert!(shown.contains("Headroom: the factor on the load"), "{shown}");
}

#[test]
fn equal_assumptions_of_many_services_are_said_once() {
    let service = |i: usize| {
        format!(
            "  - {{ name: s{i}, workload: {{ poisson: {{ rate: 1/s, for: 5m }} }}, concurrency: 4, service-time: 100ms, \
             resources: {{ requests: {{ cpu: 500m }} }} }}\n"
        )
    };
    let services: String = (0..40).map(service).collect();
    let scenario = format!("seed: 1\nservices:\n{services}policies:\n  one: {{ static: {{ replicas: 1 }} }}\n");
    let shown = Trial::new(&[("s.yaml", &scenario)]).expect("check s.yaml", 0);
    assert_eq!(shown.matches("Nothing limits the CPU of a replica of 40 services").count(), 1, "{shown}");
    assert_eq!(shown.matches("`cpu-per-request` of 40 services not stated").count(), 1, "{shown}");
}

#[test]
fn plans_of_programs_are_called_approximations() {
    let trial = Trial::new(&[("s.yaml", CPU)]);
    let listed = trial.expect("list policies", 0);
    assert!(listed.contains("computes an approximately cheapest plan"), "{listed}");
    assert!(!listed.contains("the cheapest plan"), "{listed}");
    trial.expect("optimize provision s.yaml --out out --quiet", 0);
    let directory = std::fs::read_dir(trial.path("out/s")).unwrap().map(|entry| entry.unwrap().path());
    for path in directory.filter(|path| path.extension().is_some_and(|of| of == "svg")) {
        let text = std::fs::read_to_string(path).unwrap();
        assert!(!text.to_lowercase().contains(">the cheapest plan"), "{text}");
    }
}

/// A dated trace, in Berlin: times in tables are those of the charts.
#[test]
fn times_of_decisions_are_those_of_the_charts() {
    let mut trace = String::from("time,requests\n");
    for minute in 0..30 {
        trace += &format!("2026-03-28T11:{minute:02}:00Z,{}\n", if (10..25).contains(&minute) { 600 } else { 60 });
    }
    let workload = "workload: { poisson: { rate: 40/s, for: 20m } }";
    let scenario = CPU
        .replace(workload, "time-zone: Europe/Berlin\nworkload: { trace: w.csv }")
        .replace("static-5: { static: { replicas: 5 } }", "hpa: { hpa: { min: 2, max: 12, target: { cpu: 50% } } }");
    let trial = Trial::new(&[("s.yaml", &scenario), ("w.csv", &trace)]);
    trial.summary("s.yaml", "");
    let decisions = trial.read("out/s/decisions.csv");
    assert!(decisions.starts_with("policy,service,at_s,at_time,metrics_age_s,"), "{decisions}");
    assert!(decisions.lines().nth(1).unwrap().contains(",2026-03-28T12:"), "{decisions}");
    assert!(decisions.lines().nth(1).unwrap().contains("+01:00,"), "{decisions}");
    let timeline = trial.read("out/s/timeline.csv");
    assert!(timeline.starts_with("policy,service,start_s,start_time,length_s,"), "{timeline}");
    assert!(timeline.contains(",60,2026-03-28T12:01:00+01:00,") || timeline.contains(",2026-03-28T12:01:00+01:00,"));
    let page = trial.read("out/s/report.html");
    let table = page.split("id=\"decisions\"").nth(1).unwrap();
    assert!(table.contains("<th scope=\"row\" class=\"moment\">28 Mar 12:"), "{table}");
    // Without a date, or where it is not asked for, there is no time of day.
    let elapsed = trial.run("run s.yaml --quiet --out elapsed --axis elapsed");
    assert!(elapsed.status.code().is_some_and(|code| code < 2));
    assert!(trial.read("elapsed/s/decisions.csv").starts_with("policy,service,at_s,metrics_age_s,"));
}

#[test]
fn quiet_holds_for_every_command() {
    let counts: String = (0..60).map(|minute| format!("{},{}\n", minute * 60, 100 + minute)).collect();
    let table = format!("time,requests\n{counts}oops,1\n");
    let trial = Trial::new(&[("s.yaml", CPU), ("c.csv", &table)]);
    for command in [
        "trace inspect c.csv --quiet",
        "trace fit c.csv -q --max-bad-rows 5%",
        "trace plot c.csv --out charts --quiet --max-bad-rows 5%",
        "trace convert c.csv d.csv --quiet --max-bad-rows 5%",
        "--quiet trace convert c.csv e.csv --max-bad-rows 5%",
        "forecast c.csv --step 1m --horizon 3m --model naive --quiet --max-bad-rows 5%",
        "list policies --quiet",
        "new shop --quiet",
        "check s.yaml --quiet",
        "--quiet run s.yaml",
        "-q whatif s.yaml --scale 2x --replications 2",
    ] {
        let output = trial.run(command);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{command}: {said}");
    }
}

#[test]
fn a_dash_is_standard_output_or_refused() {
    let trial = Trial::new(&[("s.yaml", CPU), ("c.csv", "time,requests\n0,3\n60,4\n120,5\n")]);
    let converted = trial.run("trace convert c.csv -");
    let text = String::from_utf8(converted.stdout).unwrap();
    trial.expect("trace convert c.csv d.csv", 0);
    assert_eq!(text, trial.read("d.csv"));
    let made = trial.run("trace synth poisson --set rate=5/s --duration 1m -o -");
    assert!(made.status.success() && made.stdout.iter().filter(|byte| **byte == b'\n').count() > 200);
    let refused = trial.expect("run s.yaml --out -", 2);
    assert!(refused.contains("`-` is no directory") && !trial.path("-").exists(), "{refused}");
    let kinds: Value = serde_json::from_str(&trial.expect("list --format json", 0)).unwrap();
    let names: Vec<&str> = kinds["entries"].as_array().unwrap().iter().map(|of| of["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"policies") && names.contains(&"instances"), "{kinds}");
}

#[test]
fn a_dash_is_read_or_refused_in_words() {
    let trial = Trial::new(&[("s.yaml", CPU), ("k8s.yaml", DEPLOYMENT)]);
    trial.expect("run s.yaml --quiet --out out", 0);
    let stored = std::fs::File::open(trial.path("out/s/result.jsonl.gz")).unwrap();
    let reported = trial.run_with("report - --out again --quiet", stored);
    assert!(reported.status.success(), "{}", String::from_utf8_lossy(&reported.stderr));
    assert_eq!(trial.read("out/s/summary.md"), trial.read("again/summary.md"));
    let printed = trial.run("new shop --out -");
    let text = String::from_utf8(printed.stdout).unwrap();
    assert!(text.contains("plimsoll run shop.yaml") && !text.contains("wrote"), "{text}");
    for (command, why) in [
        ("new from-manifests -", "kubectl kustomize DIR > manifests.yaml"),
        ("sweep s.yaml --vary seed=1,2 --out -", "read again later"),
        ("whatif s.yaml --scale 2x --out - --replications 2", "`-` is no directory"),
        ("list policies --format json --quiet", "\"version\""),
    ] {
        let output = trial.run(command);
        let shown = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(shown.contains(why), "{command}: {shown}");
    }
    let scenario = std::fs::File::open(trial.path("s.yaml")).unwrap();
    let refused = trial.run_with("test - --bless --replications 2", scenario);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("no place beside it"), "{refused:?}");
    assert!(!trial.path("-").exists() && !trial.path("-.baseline.json").exists());
}

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: { name: cart }
spec:
  replicas: 3
  selector: { matchLabels: { app: cart } }
  template:
    metadata: { labels: { app: cart } }
    spec: { containers: [ { name: cart, image: cart, resources: { requests: { cpu: 500m, memory: 1Gi } } } ] }
";

#[test]
fn manifests_are_found_below_and_kustomizations_are_named() {
    let below = Trial::new(&[]);
    std::fs::create_dir_all(below.path("shop/apps")).unwrap();
    std::fs::write(below.path("shop/apps/cart.yaml"), DEPLOYMENT).unwrap();
    below.expect("new from-manifests shop", 0);
    assert!(below.read("shop/cart.scenario.yaml").contains("manifest: \"apps/cart.yaml\""));
    below.expect("check shop/cart.scenario.yaml", 0);
    below.expect("new from-manifests shop/apps/cart.yaml --quiet", 0);
    below.expect("check shop/apps/cart.scenario.yaml", 0);

    let overlays = Trial::new(&[]);
    for directory in ["shop/base", "shop/overlays/prod"] {
        std::fs::create_dir_all(overlays.path(directory)).unwrap();
        std::fs::write(overlays.path(directory).join("kustomization.yaml"), "resources: [ cart.yaml ]\n").unwrap();
    }
    std::fs::write(overlays.path("shop/base/cart.yaml"), DEPLOYMENT).unwrap();
    let patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: cart }\nspec: { replicas: 9 }\n";
    std::fs::write(overlays.path("shop/overlays/prod/cart.yaml"), patch).unwrap();
    for named in ["shop", "shop/overlays/prod"] {
        let shown = overlays.expect(&format!("new from-manifests {named}"), 2);
        assert!(shown.contains("`kubectl kustomize shop/overlays/prod > manifests.yaml`"), "{named}: {shown}");
    }
}
