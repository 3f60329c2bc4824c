//! Figures without a value test so far, computed by hand for ten minutes of even load.

use std::fmt::Write;
use std::fs;
use std::sync::Arc;

use plimsoll::config::{Diagnostics, Fields, Yaml};
use plimsoll::engine::ServiceRecord;
use plimsoll::experiment;
use plimsoll::policy::{
    Decision, Observation, PolicyContext, PolicyFactory, PolicyPlugin, Reason, ReasonCode, ScalingPolicy,
};
use plimsoll::scenario::Scenario;
use plimsoll::units::SimDuration;
use tempfile::TempDir;

/// Sizes chosen at 1 min, 2 min and so on.
const SIZES: [u32; 9] = [1, 3, 3, 1, 3, 2, 2, 2, 2];

struct Sizes(usize);

impl ScalingPolicy for Sizes {
    fn sync_period(&self) -> SimDuration {
        SimDuration::from_secs(60)
    }

    fn decide(&mut self, _: &Observation<'_>) -> Decision {
        self.0 += 1;
        Decision::scale_to(SIZES[self.0 - 1], Reason::new(ReasonCode::Plan, "next of the list"))
    }
}

const PLUGIN: PolicyPlugin = PolicyPlugin { name: "sizes", summary: "given sizes", source: "this test", build };

fn build(node: &Yaml, _: &PolicyContext<'_>, sink: &mut Diagnostics) -> Option<PolicyFactory> {
    Fields::open(node, "policy `sizes`", sink)?.finish(sink);
    Some(Arc::new(|_| Box::new(Sizes(0))))
}

/// Two requests of 200 ms per second for ten minutes; ten per second in the third and fourth minute.
fn trace() -> String {
    let mut csv = String::from("t,d\n");
    for half in 0..1200u32 {
        let each = if (240..480).contains(&half) { 5 } else { 1 };
        for n in 0..each {
            writeln!(csv, "{},0.2", f64::from(half) / 2.0 + 0.1 * f64::from(n)).unwrap();
        }
    }
    csv
}

fn run(service: &str, policy: &str, calm: bool) -> ServiceRecord {
    let place = TempDir::new().unwrap();
    let path = place.path().join("s.yaml");
    let traffic = if calm {
        "{ constant: { rate: 2/s, for: 10m } }"
    } else {
        "{ trace: t.csv, columns: { time: t, demand: d } }"
    };
    fs::write(place.path().join("t.csv"), trace()).unwrap();
    let text = format!(
        "duration: 10m\ninterval: 1m\nworkload: {traffic}\npolicies: {{ p: {policy} }}\n\
         service: {{ replicas: 1, concurrency: 1, service-time: 200ms, {service} }}\n"
    );
    fs::write(&path, text).unwrap();
    let mut sink = Diagnostics::new();
    let scenario = Scenario::read_with(&path, &[], &[PLUGIN.into()], &mut sink).unwrap_or_else(|| panic!("{sink}"));
    experiment::run(&scenario, "", 1, &|_, _| {}).unwrap().runs.remove(0).services.remove(0)
}

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{found} is not {expected}");
}

#[test]
fn time_to_capacity_is_from_the_order_to_the_readiness() {
    // Scale-ups to three at 2 min and at 5 min are complete 40 s later; a scale-down waits for nothing.
    let record = run("start-up: 40s", "{ sizes: {} }", true);
    close(record.elasticity.time_to_capacity.unwrap(), 40.0);
    assert_eq!(run("start-up: 40s", "{ static: { replicas: 1 } }", true).elasticity.time_to_capacity, None);
    // Up, down, up, down: three reversals in ten minutes.
    let elasticity = record.elasticity;
    assert_eq!((elasticity.scale_ups, elasticity.scale_downs), (2, 2));
    close(elasticity.flaps_per_hour, 18.0);
    // One replica for ten minutes; two more from 2 to 4 min and from 5 to 6 min, one more from 6 to 10 min: 10 + 4 + 2 + 4 minutes.
    close(record.replica_hours, 20.0 / 60.0);
}

#[test]
fn cpu_utilization_is_work_and_idling_over_the_request() {
    // 0.4 busy slots at half a core each, plus 50m idle CPU: 0.25 of 0.5 cores.
    let cpu = "resources: { requests: { cpu: 500m } }, cpu-per-request: 100ms, cpu-idle: 50m";
    let record = run(cpu, "{ static: { replicas: 1 } }", true);
    close(record.cpu_utilization.unwrap(), 0.5);
    close(record.utilization.unwrap(), 0.4);
    let record = run(cpu, "{ static: { replicas: 2 } }", true);
    close(record.cpu_utilization.unwrap(), 0.3);
}

#[test]
fn under_and_over_provisioning_by_minute() {
    let record = run("queue-limit: 100000", "{ static: { replicas: 1 } }", false);
    let (calm, busy) = (0.4 / 0.7, 2.0 / 0.7);
    let elasticity = record.elasticity;
    close(elasticity.under_share, 0.2);
    close(elasticity.under_provisioned, 120.0 * (busy - 1.0));
    close(elasticity.over_provisioned, 480.0 * (1.0 - calm));
}

#[test]
fn what_cannot_be_computed_is_absent() {
    // No CPU request is stated, so CPU use has no reference.
    let record = run("queue-limit: 10", "{ static: { replicas: 1 } }", true);
    assert_eq!(record.cpu_utilization, None);
    assert!(record.utilization.is_some());
    // Without replicas there are no slots either.
    let record =
        run("queue-limit: 10, resources: { requests: { cpu: 1 } }, start-up: 1h", "{ static: { replicas: 0 } }", true);
    assert_eq!((record.utilization, record.cpu_utilization), (None, None));
}
