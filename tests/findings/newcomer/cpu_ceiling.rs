//! CPU has a ceiling, with a limit or without: 4 cores of work do not fit on one vCPU.

use serde_json::Value;

use super::super::trial::Trial;

/// 100 requests per second with 40 ms of CPU each, on pods of half a core.
const CPU: &str = "\
seed: 1
workload: { poisson: { rate: 100/s, for: 20m } }
service:
  resources: { requests: { cpu: 500m, memory: 1Gi } }
  concurrency: 8
  service-time: 80ms
  cpu-per-request: 40ms
  price: { container: fargate }
objectives: [ { latency: { within: 500ms, target: 99% } } ]
policies:
  static-2: { static: { replicas: 2 } }
  static-12: { static: { replicas: 12 } }
";

fn policy<'a>(summary: &'a Value, name: &str) -> &'a Value {
    let policies = summary["policies"].as_array().unwrap();
    &policies.iter().find(|policy| policy["policy"] == name).unwrap()["services"][0]
}

fn attained(service: &Value) -> f64 {
    service["objectives"][0]["attained_ratio"].as_f64().unwrap()
}

#[test]
fn two_half_cores_do_not_carry_four_cores_of_work() {
    let trial = Trial::new(&[("cpu.yaml", CPU)]);
    let said = trial.expect("check cpu.yaml", 0);
    let warning = "a full replica would use 4.000 cores but has at most 0.5 (the vCPU that its price pays for)";
    assert!(said.contains(warning), "{said}");
    let summary = trial.summary("cpu.yaml", "");
    let (two, twelve) = (policy(&summary, "static-2"), policy(&summary, "static-12"));
    assert!(attained(two) < 0.05, "{two}");
    // All of the half core that is paid for, and not more.
    let used = two["cpu_utilization_ratio"].as_f64().unwrap();
    assert!((0.99..=1.0 + 1e-9).contains(&used), "{used}");
    // One request at a time runs at full speed on half a core: 12 replicas carry 8 cores' worth of slots at two thirds.
    assert!(attained(twelve) > 0.99, "{twelve}");
    let used = twelve["cpu_utilization_ratio"].as_f64().unwrap();
    assert!((used - 4.0 / 6.0).abs() < 0.02, "{used}");
}

/// A limit, a price, a node: the same half core slows the same requests in the same way, to the nanosecond.
#[test]
fn limit_price_and_node_bound_alike() {
    let price = "  price: { container: fargate }\n";
    let limited = CPU.replace(price, "  price: $0.05/h\n").replace("1Gi } }", "1Gi }, limits: { cpu: 500m } }");
    let [priced, limited] = [CPU, &limited].map(|text| {
        let summary = Trial::new(&[("same.yaml", text)]).summary("same.yaml", "");
        policy(&summary, "static-12").clone()
    });
    assert_eq!(priced, limited);
    // A limit above the container size has no effect; a share of an instance may use CPU that others leave idle.
    let above = CPU.replace("1Gi } }", "1Gi }, limits: { cpu: 2 } }");
    let shared = above.replace("{ container: fargate }", "{ share-of: m5.large }");
    let trial = Trial::new(&[("above.yaml", &above), ("shared.yaml", &shared)]);
    let said = trial.expect("check above.yaml", 0);
    assert!(said.contains("has at most 0.5 (the vCPU that its price pays for)"), "{said}");
    let said = trial.expect("check shared.yaml", 0);
    assert!(said.contains("has at most 2 (its CPU limit)"), "{said}");
    // Two vCPU of a node serve four requests of half a core at full speed.
    let on_node =
        CPU.replace(price, "").replace("objectives", "nodes: [ { instance: m5.large, count: 1 } ]\nobjectives");
    let trial = Trial::new(&[("node.yaml", &on_node)]);
    let said = trial.expect("check node.yaml", 0);
    assert!(said.contains("has at most 2 (the cores of its node)"), "{said}");
    assert!(said.contains("with more than 4 requests in service, all are slowed"), "{said}");
}

/// Unlimited CPU is reported: by `check`, among the assumptions and in the summary.
#[test]
fn a_missing_ceiling_is_reported() {
    let free = CPU.replace("{ container: fargate }", "$0.05/h");
    let trial = Trial::new(&[("free.yaml", &free)]);
    let words = "Nothing limits the CPU of a replica of service (no CPU limit, no priced size, no nodes)";
    let said = trial.expect("check free.yaml", 0);
    assert!(said.contains(words), "{said}");
    assert!(!said.contains("warning"), "{said}");
    let summary = trial.summary("free.yaml", "");
    assert!(attained(policy(&summary, "static-2")) > 0.99);
    assert!(summary["assumptions"].as_array().unwrap().iter().any(|said| said.as_str().unwrap().contains(words)));
    assert!(trial.read("out/free/summary.md").matches(words).count() >= 2, "in the summary and the assumptions");
}

/// Processor sharing uses the CPU ceiling, whatever its origin; without one there is nothing to share.
#[test]
fn processor_sharing_needs_no_limit() {
    let shared = CPU.replace("  cpu-per-request: 40ms\n", "  service-model: processor-sharing\n");
    let free = shared.replace("{ container: fargate }", "$0.05/h");
    let trial = Trial::new(&[("shared.yaml", &shared), ("free.yaml", &free)]);
    assert!(!trial.expect("check shared.yaml", 0).contains("warning"));
    let refused = trial.expect("check free.yaml", 2);
    assert!(refused.contains("processor sharing needs CPU to share, but nothing limits a replica's CPU"), "{refused}");
}

/// If nothing is stated about CPU, a request is assumed to use so little that no ceiling slows it.
#[test]
fn without_stated_cpu_requests_are_not_slowed() {
    let silent = CPU
        .replace("  resources: { requests: { cpu: 500m, memory: 1Gi } }\n", "")
        .replace("  cpu-per-request: 40ms\n", "");
    let trial = Trial::new(&[("silent.yaml", &silent)]);
    assert!(!trial.expect("check silent.yaml", 0).contains("warning"));
    let summary = trial.summary("silent.yaml", "");
    assert!(attained(policy(&summary, "static-2")) > 0.99);
}

/// The search for a plan leaves out headrooms that the CPU cannot reach.
#[test]
fn plan_stays_within_the_cpu() {
    let text = CPU.replace("  static-12: { static: { replicas: 12 } }\n", "");
    let text = text
        .replace("static-2: { static: { replicas: 2 } }", "hpa-60: { hpa: { min: 1, max: 30, target: { cpu: 60% } } }");
    let text = text.replace("service:\n", "service:\n  replicas: 12\n");
    let trial = Trial::new(&[("plan.yaml", &text)]);
    let said = trial.expect("plan plan.yaml --replications 2 --out out", 0);
    let written = trial.read("out/plan/service-hpa.yaml");
    let (_, target) = written.split_once("averageUtilization: ").unwrap_or_else(|| panic!("{written}"));
    let target: u32 = target.split_whitespace().next().unwrap().parse().unwrap();
    assert!(target <= 100, "{target}%: {said}");
}
