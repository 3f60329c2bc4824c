//! Without `price:` there is no cost anywhere: policies are ranked by replica-hours, and the output says so.

use crate::findings::trial::Trial;

const SCENARIO: &str = "\
duration: 20m
workload: { poisson: { rate: 4/s, for: 20m } }
service: { replicas: 2, concurrency: 1, service-time: 200ms, queue-limit: 50, resources: { requests: { cpu: 1 } } }
objectives: [ { latency: { within: 2s, target: 90% } } ]
policies:
  two: { static: { replicas: 2 } }
  four: { static: { replicas: 4 } }
";

/// Texts about money.
fn is_silent(text: &str) {
    for word in ["$", "cheap", "dear", "costs", "lower bound of", "“”", "\"\"", "cost_usd,", "Cost"] {
        assert!(!text.contains(word), "`{word}` in {text}");
    }
}

fn trial() -> Trial {
    Trial::new(&[("s.yaml", SCENARIO)])
}

#[test]
fn run_ranks_by_replica_hours() {
    let trial = trial();
    let shown = trial.expect("run s.yaml --out out --quiet", 0);
    is_silent(&shown.replace("cost-over-time", ""));
    assert!(shown.contains("Replica-hours") && shown.contains("0.667 *") && shown.contains("1.333"), "{shown}");
    assert!(!shown.contains("cost-over-time"), "no picture of a cost: {shown}");
    let summary = trial.summary("s.yaml", "");
    let policy = &summary["policies"][0];
    assert!(policy["cost_usd"].is_null() && policy["replica_hours"].as_f64() == Some(2.0 / 3.0), "{policy}");
    let verdict = summary["verdict"].as_str().unwrap();
    assert!(
        verdict.starts_with("two takes the fewest replica-hours of the policies that meet every objective"),
        "{verdict}"
    );
    let details = summary["verdict_details"].to_string();
    assert!(details.contains("No price is stated") && summary.get("cost_bound_usd").is_none(), "{summary}");
    for file in ["summary.md", "report.html"] {
        let page = trial.read(&format!("out/s/{file}"));
        let body = page.split("<body").last().unwrap();
        assert!(body.contains("No price is stated") && !body.contains("$0.00") && !body.contains("The bill"), "{file}");
        assert!(!body.contains("## Bill") && !body.contains("cheapest"), "{file}");
    }
    let timeline = trial.read("out/s/timeline.csv");
    assert!(timeline.lines().nth(1).unwrap().ends_with(','), "no cost in a row: {timeline}");
}

/// Nodes have a price, the service has none: there is no bound, and no objective without a name in a sentence about it.
#[test]
fn priced_nodes_alone_give_no_bound() {
    let nodes = "nodes: { count: 2, instance: m7i.2xlarge, region: us-east-1 }\n";
    let trial = Trial::new(&[("s.yaml", &format!("{SCENARIO}{nodes}"))]);
    let shown = trial.expect("run s.yaml --out out --quiet", 0);
    assert!(shown.contains("$0.2688") && !shown.contains("lower bound"), "{shown}");
    let summary = trial.summary("s.yaml", "");
    assert!(summary.get("cost_bound_usd").is_none_or(serde_json::Value::is_null), "{summary}");
    let why = "No lower bound on cost: only nodes have a price, and every policy pays for all of them";
    assert!(trial.read("out/s/summary.md").contains(why), "{}", trial.read("out/s/summary.md"));
    assert!(summary["policies"][0]["cost_usd"].as_f64().is_some_and(|cost| cost > 0.0), "{summary}");
    for file in ["summary.md", "summary.json", "report.html"] {
        let text = trial.read(&format!("out/s/{file}"));
        for wrong in ["“”", "keeps \"\"", "below which no policy keeps", "No policy that keeps"] {
            assert!(!text.contains(wrong), "`{wrong}` in {file}");
        }
    }
}

#[test]
fn replications_and_plans_rank_by_replica_hours() {
    let trial = trial();
    let shown = trial.expect("compare s.yaml --as-is --replications 3 --quiet --out asis", 0);
    is_silent(&shown);
    assert!(shown.contains("Replica-hours"), "{shown}");
    let shown = trial.expect("compare s.yaml --replications 2 --quiet --out out", 0);
    is_silent(&shown.replace("cost-over-time", ""));
    // At the same level both fleets have two replicas.
    let answer = "two (0.667 replica-hours) and four (0.667 replica-hours) take the same";
    assert!(shown.contains(answer) && shown.contains("No price is stated"), "{shown}");
    let shown = trial.expect("plan s.yaml --replications 2 --quiet --out out", 0);
    is_silent(&shown);
    assert!(shown.contains("replica-hours"), "{shown}");
    assert!(trial.read("out/s/plan-trials.csv").starts_with("policy,replications,headroom,replica_hours,"));
}

#[test]
fn variations_have_no_cost_either() {
    let trial = trial();
    for command in [
        "whatif s.yaml --scale 1.5x --replications 2 --quiet",
        "sweep s.yaml --vary policies.two.static.replicas=2,3 --replications 2 --quiet --out out",
        "capacity s.yaml --replications 2 --quiet --out carries",
    ] {
        let shown = trial.expect(command, 0);
        is_silent(&shown);
    }
}

#[test]
fn an_expected_cost_is_refused() {
    let expecting = |what: &str| Trial::new(&[("s.yaml", &format!("{SCENARIO}expect: [ {what} ]\n"))]);
    let shown = expecting("cost < $40").expect("test s.yaml", 2);
    assert!(shown.contains("there is no cost: no price is stated") && shown.contains("replica-hours"), "{shown}");
    let shown = expecting("cost < 1.5 * bound").expect("test s.yaml", 2);
    assert!(shown.contains("no price is stated"), "{shown}");
    expecting("policy.two.replica-hours < 1").expect("test s.yaml", 0);
}
