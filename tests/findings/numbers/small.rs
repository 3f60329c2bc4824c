//! Numbers 11: small findings.

use serde_json::Value;

use plimsoll::cli::{scenario_schema, story_schema};

use crate::findings::trial::Trial;

const ZERO: &str = "\
name: z
duration: 40m
workload: { constant: { rate: 10/s, for: 40m }, transforms: [ { overlay: [ { at: 5m, factor: 0, for: 20m } ] } ] }
service: { replicas: 1, concurrency: 1, service-time: 10ms }
metrics: { custom: { rps: request-rate } }
policies: { a: { hpa: { min: 0, max: 10, metrics: [ { type: External, external: { metric: { name: rps }, target: { type: AverageValue, averageValue: 3 } } } ] } } }
";

/// A total divided by zero pods is not a measurement.
#[test]
fn a_reason_at_zero_replicas_has_no_unmeasured_figure() {
    let trial = Trial::new(&[("z.yaml", ZERO)]);
    trial.summary("z.yaml", "");
    let decisions = trial.read("out/z/decisions.csv");
    assert!(!decisions.contains("9223372036854775"), "{decisions}");
    assert!(decisions.contains("rps above 0 without a pod, 3 per pod: 0 -> "), "{decisions}");
}

/// A scenario that the reader accepts, with each bounded field at a place of its own.
const PLAIN: &str = "\
name: s
duration: 1m
workload: { poisson: { rate: 1/s } }
nodes: [ { instance: m6i.large, region: us-east-1, count: 2, speed: 1, policy: step, max: 100000 } ]
service:
  replicas: 1
  concurrency: 1
  queue-limit: 3
  service-time: 10ms
  resources: { requests: { cpu: 100m } }
  retry: { attempts: 2, reserve: 5 }
policies: { a: { static: { replicas: 1 }, headroom: 1 } }
";

/// The schema's limits of a field are those of the reader: values just inside are accepted, values just outside are
/// rejected.
#[test]
fn the_schema_and_the_reader_have_the_same_ranges() {
    let schema = scenario_schema();
    let trial = Trial::new(&[("s.yaml", PLAIN)]);
    trial.expect("check s.yaml", 0);
    let fields = [
        ("service.replicas", "/properties/service/properties/replicas"),
        ("service.concurrency", "/properties/service/properties/concurrency"),
        ("service.queue-limit", "/properties/service/properties/queue-limit"),
        ("service.retry.attempts", "/properties/service/properties/retry/properties/attempts"),
        ("service.retry.reserve", "/properties/service/properties/retry/properties/reserve"),
        ("nodes.0.count", "/properties/nodes/items/properties/count"),
        ("seed", "/properties/seed"),
        ("policies.a.headroom", "/properties/policies/additionalProperties/anyOf/0/properties/headroom"),
    ];
    for (field, pointer) in fields {
        let stated = schema.pointer(pointer).unwrap_or_else(|| panic!("{pointer}"));
        let step = if stated["type"] == "integer" { 1.0 } else { 0.0005 };
        let mut tried = Vec::new();
        if let Some(least) = stated["minimum"].as_f64() {
            tried.extend([(least, 0), (least - step, 2)]);
        }
        if let Some(most) = stated["maximum"].as_f64() {
            tried.extend([(most, 0), (most + 1.0, 2)]);
        }
        assert!(!tried.is_empty(), "{field}: {stated}");
        for (value, code) in tried {
            trial.expect(&format!("check s.yaml --set {field}={value}"), code);
        }
    }
    trial.expect("check s.yaml --set nodes.0.speed=0", 2);
    // Only a pool that its policy can fill may begin without a node.
    let fixed = Trial::new(&[("s.yaml", &PLAIN.replace(", policy: step, max: 100000", ""))]);
    fixed.expect("check s.yaml --set nodes.0.count=1", 0);
    fixed.expect("check s.yaml --set nodes.0.count=0", 2);
    assert_eq!(schema.pointer("/properties/nodes/items/properties/speed/exclusiveMinimum"), Some(&Value::from(0)));
}

/// A story may expect every kind of reason.
#[test]
fn every_reason_can_be_expected() {
    let schema = story_schema().to_string();
    for code in plimsoll::policy::ReasonCode::ALL {
        assert!(schema.contains(&format!("\"{}\"", code.name())), "{}", code.name());
    }
    assert!(schema.contains("\"learned\""));
    let story = "story: s\npolicy: { static: { replicas: 2 } }\nsteps: [ { at: 15s, expect: { replicas: 2, reason: learned } } ]\n";
    let trial = Trial::new(&[("s.yaml", story)]);
    let shown = trial.expect("test s.yaml", 1);
    assert!(!shown.contains("not a kind of reason"), "{shown}");
}

/// A trace of three requests, the last of which also needs 100 ms.
#[test]
fn the_last_request_of_a_trace_is_answered() {
    let scenario = "name: t\nworkload: { trace: t.csv, columns: { time: t, demand: d } }\n\
                    service: { replicas: 1, concurrency: 1, service-time: 100ms }\n\
                    objectives: [ { latency: { within: 300ms, target: 99% } } ]\n\
                    policies: { a: { static: { replicas: 1 } } }\n";
    let trial = Trial::new(&[("t.yaml", scenario), ("t.csv", "t,d\n0,0.1\n1,0.1\n2.5,0.1\n")]);
    let shown = trial.summary("t.yaml", "").to_string();
    assert!(shown.contains("\"completed\":3") && shown.contains("\"in_flight_at_end\":0"), "{shown}");
    // A stated duration is kept.
    let shown = trial.summary("t.yaml", "--set duration=2500000001ns").to_string();
    assert!(shown.contains("\"in_flight_at_end\":1"), "{shown}");
}

/// Arrivals and demands in milliseconds for one core shared by at most this many requests, and the number of rejected
/// requests, by a simulation in exact fractions (it agrees with floating point in all but one of twelve such cases of
/// 80 requests). A request that ends at the instant of an arrival makes room for it.
#[rstest::rstest]
#[case(4, 1, &[(0, 4), (21, 8), (50, 53), (60, 5), (64, 2), (68, 39), (103, 26), (129, 58), (146, 29), (185, 21), (212, 51)])]
#[case(4, 1, &[(0, 54), (35, 14), (43, 54), (69, 13), (97, 6), (126, 41), (164, 44), (192, 49), (221, 60), (242, 30), (252, 6), (284, 2)])]
#[case(3, 5, &[(0, 58), (35, 38), (39, 59), (58, 14), (58, 11), (68, 44), (92, 39), (127, 55), (152, 5), (192, 53), (224, 32), (231, 1), (245, 23)])]
fn a_completion_at_an_arrival_makes_room(#[case] most: u32, #[case] rejected: u64, #[case] requests: &[(u32, u32)]) {
    let seconds = |ms: &u32| f64::from(*ms) / 1e3;
    let rows: String = requests.iter().map(|(at, demand)| format!("{},{}\n", seconds(at), seconds(demand))).collect();
    let scenario = format!(
        "name: tie\nduration: 1m\nworkload: {{ trace: a.csv, columns: {{ time: t, demand: d }} }}\n\
         service: {{ replicas: 1, concurrency: {most}, queue-limit: 0, service-model: processor-sharing, service-time: 10ms,\n\
         \x20 resources: {{ requests: {{ cpu: 1 }}, limits: {{ cpu: 1 }} }} }}\n\
         policies: {{ a: {{ static: {{ replicas: 1 }} }} }}\n"
    );
    let trial = Trial::new(&[("a.csv", &format!("t,d\n{rows}")), ("tie.yaml", &scenario)]);
    let summary = trial.summary("tie.yaml", "");
    assert_eq!(summary.pointer("/policies/0/services/0/rejected"), Some(&Value::from(rejected)), "{requests:?}");
}
