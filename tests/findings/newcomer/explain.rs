//! `check --explain` names every field of the schema, with its value or as not stated.

use std::path::Path;

use plimsoll::cli::scenario_schema;
use plimsoll::config::Diagnostics;
use plimsoll::experiment::{Explained, explain};
use plimsoll::scenario::Scenario;
use serde_json::Value;

use crate::findings::trial::Trial;

/// Fields that are no values: `extends` names the file that is merged before anything is read.
const NO_VALUES: [&str; 1] = ["extends"];

/// Whether an absent field is an alternative to one that is stated, so that there is nothing to say of it: another policy,
/// another kind of service time, another parameter of the same distribution, the options of a trace beside a generator.
fn is_alternative(path: &str, name: &str, stated: &serde_json::Map<String, Value>) -> bool {
    let has = |other: &str| stated.contains_key(other);
    match path.rsplit('.').next().unwrap_or("") {
        _ if path.matches('.').count() == 1 && path.starts_with("policies.") => name != "headroom",
        "service-time" => ["from-trace", "per-token"].contains(&name) && !stated.is_empty(),
        "lognormal" => ["p50", "p99"].contains(&name) && has("mean"),
        "workload" => !has("trace") && !["time-zone", "transforms"].contains(&name),
        _ => false,
    }
}

/// Nearly every mapping that a scenario may have.
const FULL: &str = "\
title: all of it
time-zone: Europe/Berlin
duration: 2h
warm-up: 1m
kubernetes: \"1.37\"
lost-nodes: { noticed-after: 50s }
workload:
  nhpp: { sinusoid: { mean: 20/s, amplitude: 0.5, period: 1h }, for: 2h }
  transforms: [ scale-rate: 2, overlay: [ { at: 20m, factor: 2, for: 10m } ] ]
service:
  resources: { requests: { cpu: 500m, memory: 512Mi }, limits: { cpu: 1 } }
  concurrency: 8
  service-time: { lognormal: { mean: 80ms, cv: 1 } }
  cpu-per-request: 20ms
  memory: { base: 100Mi }
  start-up: { ready: 10s }
  timeout: 5s
  retry: { attempts: 3 }
  crash-after: { exponential: { mean: 4h } }
metrics: { interval: 15s, custom: { jobs: queue-length } }
nodes: [ { instance: m5.xlarge, count: 6, zones: [ a, b ] } ]
faults:
  - zone-outage: { zone: a, at: 30m, for: 5m }
  - metrics-outage: { from: 50m, for: 2m }
  - restart: { at: 70m }
objectives: [ { latency: { within: 500ms, target: 99% } }, { availability: 99.9% } ]
expect: [ p99 < 2s ]
policies:
  four: { static: { replicas: 4 } }
  hpa: { headroom: 1.1, hpa: { min: 2, max: 12, target: { cpu: 60% } } }
  ahead: { predictive: { min: 2, max: 12, capacity: 40/s, forecaster: naive, seasons: 1h } }
";

fn rows(path: &Path) -> Vec<Explained> {
    let mut found = Diagnostics::recording();
    let scenario = Scenario::read(path, &[], &mut found).unwrap_or_else(|| panic!("{found}"));
    let root = Scenario::tree(path, &[], &mut Diagnostics::new()).unwrap();
    explain(&scenario, &root, found.mappings()).unwrap()
}

/// Whether there is a row of a field, of a part of it, or one that lists it among the fields that are not stated.
fn is_explained(rows: &[Explained], path: &str, name: &str) -> bool {
    let full = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
    let around = if path.is_empty() { "scenario" } else { path };
    rows.iter().any(|row| {
        let listed = row.what == around
            && row.value.strip_prefix("not stated: ").is_some_and(|all| all.split(", ").any(|of| of == name));
        listed || row.what.strip_prefix(&full).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', ':']))
    })
}

/// Goes through schema and document side by side; returns the fields that no row explains.
fn unexplained(schema: &Value, document: &Value, path: &str, rows: &[Explained], missing: &mut Vec<String>) {
    let below = |name: &str| if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
    if let (Some(fields), Some(stated)) = (schema["properties"].as_object(), document.as_object()) {
        let one_of_many = schema["maxProperties"] == 1;
        for (name, field) in
            fields.iter().filter(|(name, _)| !NO_VALUES.contains(&name.as_str()) && !name.contains('/'))
        {
            match stated.get(name) {
                Some(value) => unexplained(field, value, &below(name), rows, missing),
                None if one_of_many || is_alternative(path, name, stated) => continue,
                None => {}
            }
            if !is_explained(rows, path, name) {
                missing.push(below(name));
            }
        }
    }
    for alternative in schema["anyOf"].as_array().into_iter().flatten() {
        unexplained(alternative, document, path, rows, missing);
    }
    for (at, item) in document.as_array().into_iter().flatten().enumerate() {
        unexplained(&schema["items"], item, &below(&at.to_string()), rows, missing);
    }
    for (name, value) in
        document.as_object().into_iter().flatten().filter(|_| schema["additionalProperties"].is_object())
    {
        if schema["properties"].get(name).is_none() {
            unexplained(&schema["additionalProperties"], value, &below(name), rows, missing);
        }
    }
}

fn check(path: &Path) {
    let document: Value = serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut missing = Vec::new();
    unexplained(&scenario_schema(), &document, "", &rows(path), &mut missing);
    missing.sort();
    missing.dedup();
    assert!(missing.is_empty(), "{}: no row of {missing:?}", path.display());
}

#[test]
fn every_field_of_the_schema_is_explained() {
    let trial = Trial::new(&[("full.yaml", FULL)]);
    check(&trial.path("full.yaml"));
    for name in ["shop-peak", "llm-chat", "fraud-burst", "first"] {
        check(Path::new(&format!("scenarios/{name}.yaml")));
    }
}

#[test]
fn what_is_stated_has_its_line_and_what_is_not_its_default() {
    let trial = Trial::new(&[("full.yaml", FULL)]);
    let rows = rows(&trial.path("full.yaml"));
    let found = |what: &str| -> (String, String) {
        let row = rows.iter().find(|row| row.what == what).unwrap_or_else(|| panic!("{what}: {rows:?}"));
        let origin = row.origin.rsplit('/').next().unwrap().to_string();
        (row.value.clone(), origin)
    };
    let is = |what: &str, value: &str, origin: &str| assert_eq!(found(what), (value.into(), origin.into()), "{what}");
    is("workload.nhpp.sinusoid.mean", "20/s", "full.yaml:8");
    is("workload.transforms.1.overlay.0.factor", "2", "full.yaml:9");
    is("objectives.0.latency.target", "99%", "full.yaml:26");
    is("faults.0.zone-outage.zone", "a", "full.yaml:23");
    is("nodes.0.count", "6", "full.yaml:21");
    is("service.crash-after.exponential.mean", "4h", "full.yaml:19");
    is("service.retry.reserve", "100", "default");
    is("service.retry.budget", "20%", "default");
    is("service.service-model", "slots", "default");
    is("service.start-up.ready", "always 10 s", "full.yaml:16");
    is("metrics.first", "15s", "default: metrics.interval");
    is("metrics.custom.jobs", "queue-length", "full.yaml:20");
    is("time-zone", "Europe/Berlin", "full.yaml:2");
    is("kubernetes", "1.37", "full.yaml:5");
    is("policies.four.static.replicas", "4", "full.yaml:29");
    is("policies.ahead.predictive.seasons", "1h", "full.yaml:31");
    is("policies.hpa.hpa.downscale-stabilization", "5m", "default");
}

/// Two autoscalers of one Deployment in two files: each policy's values come from the file that it names.
#[test]
fn values_of_an_autoscaler_are_those_of_its_own_file() {
    let hpa = |max: u32| {
        format!(
            "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {{ name: h }}\nspec:\n  scaleTargetRef: {{ apiVersion: \
             apps/v1, kind: Deployment, name: service }}\n  maxReplicas: {max}\n  metrics: [ {{ type: Resource, resource: {{ name: cpu, \
             target: {{ type: Utilization, averageUtilization: 60 }} }} }} ]\n"
        )
    };
    let (start, _) = FULL.split_once("  four:").unwrap();
    let scenario =
        format!("{start}  one: {{ hpa: {{ manifest: one.yaml }} }}\n  two: {{ hpa: {{ manifest: two.yaml }} }}\n");
    let trial = Trial::new(&[("s.yaml", &scenario), ("one.yaml", &hpa(7)), ("two.yaml", &hpa(9))]);
    let rows = rows(&trial.path("s.yaml"));
    for (policy, file, value) in [("one", "one.yaml:6", "1 to 7"), ("two", "two.yaml:6", "1 to 9")] {
        let row = rows.iter().find(|row| row.what == format!("policies.{policy}: replicas")).unwrap();
        assert!(row.value == value && row.origin.ends_with(file), "{row:?}");
    }
}
