//! Finding 18: the effect of changes, also during the loss of a zone, individually and combined, as a table and as a
//! report.

use serde_json::Value;

use super::super::trial::Trial;

const SHOP: &str = "name: shop
duration: 40m
interval: 1m
workload: { poisson: { rate: 60/s } }
service:
  replicas: 6
  concurrency: 4
  queue-limit: 100
  service-time: 100ms
  start-up: { ready: 30s }
  resources: { requests: { cpu: 1, memory: 1Gi } }
  price: $1/h
objectives: [ { latency: { within: 500ms, target: 99% } } ]
policies: { fixed: { static: { replicas: 6 } } }
";

fn figure<'a>(results: &'a Value, variation: &str, figure: &str) -> &'a Value {
    let all = results["policies"][0]["variations"].as_array().unwrap();
    let found = all.iter().find(|one| one["variation"].as_str().unwrap().starts_with(variation)).unwrap();
    found["figures"].as_array().unwrap().iter().find(|one| one["figure"] == figure).unwrap()
}

fn number(results: &Value, variation: &str, name: &str) -> f64 {
    figure(results, variation, name)["mean"].as_f64().unwrap_or_else(|| panic!("{variation} {name}"))
}

#[test]
fn several_changes_are_made_alone_and_together() {
    let trial = Trial::new(&[("s.yaml", SHOP)]);
    let shown = trial.run(
        "whatif s.yaml --scale 2x --startup +60s --event at=20m,factor=2,for=5m --kill-zone a@10m+8m --replications 2 --quiet --format json",
    );
    let results: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert!(shown.stderr.is_empty(), "{}", String::from_utf8_lossy(&shown.stderr));
    let names: Vec<&str> = results["policies"][0]["variations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v["variation"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "base",
            "scale 2x",
            "startup +60s",
            "event at=20m,factor=2,for=5m",
            "zone a lost after 10m for 8m",
            "all together"
        ]
    );
    let of = |variation: &str, name: &str| number(&results, variation, name);
    // Two of six are lost from 10:00 until their replacements are ready, after 40 + 300 + 30 s, or 40 + 300 + 90 s with
    // the longer start-up.
    let gone = |seconds: f64| 6.0 - 2.0 * seconds / 2400.0;
    assert!((of("zone a", "replicas") - gone(370.0)).abs() < 1e-6, "{}", of("zone a", "replicas"));
    assert!((of("all together", "replicas") - gone(430.0)).abs() < 1e-6);
    assert_eq!((of("base", "replicas-most"), of("zone a", "during-fault.replicas-least")), (6.0, 4.0));
    // Some of the requests sent to the lost third within 40 seconds are lost, and the minute in which their loss is
    // noticed is bad.
    assert!(of("zone a", "during-fault.lost") > 0.0 && of("zone a", "during-fault.attained") < 1.0);
    assert!((of("zone a", "during-fault.lost") - of("zone a", "lost")).abs() < 1e-9);
    assert_eq!(of("base", "recovery"), 0.0);
    assert!(of("all together", "lost") > of("zone a", "lost"));
    // 12 of 24 slots are busy at twice the traffic, but at twice that, with the event, all are.
    assert!(of("all together", "p99") > 2.0 * of("scale 2x", "p99"));
}

#[test]
fn cells_are_short_and_a_report_is_written() {
    let trial = Trial::new(&[("s.yaml", SHOP)]);
    let said = trial.expect("whatif s.yaml --kill-zone a --scale 1.5x --replications 3 --format markdown --out out", 0);
    let cells: Vec<&str> = said.lines().filter(|line| line.starts_with('|')).flat_map(|line| line.split('|')).collect();
    assert!(cells.iter().all(|cell| cell.trim().chars().count() <= 32), "{cells:?}");
    assert!(said.contains("Ready, max") && said.contains("Recovered after"), "{said}");
    for file in
        ["whatif.csv", "whatif.md", "0-base/report.html", "1-scale-1-5x/summary.json", "3-all-together/report.html"]
    {
        assert!(trial.path(&format!("out/shop-whatif/{file}")).is_file(), "{file}");
    }
    let page = trial.read("out/shop-whatif/whatif.md");
    assert!(page.contains("(1-scale-1-5x/report.html)"), "{page}");
    assert!(
        trial
            .read("out/shop-whatif/whatif.csv")
            .lines()
            .next()
            .unwrap()
            .starts_with("policy,variation,figure,unit,mean")
    );
}

#[test]
fn invalid_events_are_reported() {
    let trial = Trial::new(&[("s.yaml", SHOP)]);
    for event in ["at=noon,factor=2", "factor=2", "at=5m,factor=-1", "at"] {
        let said = trial.expect(&format!("whatif s.yaml --event {event} --quiet"), 2);
        assert!(said.contains("error"), "{event}: {said}");
    }
}
