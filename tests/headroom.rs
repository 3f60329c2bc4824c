//! Headroom divides the target of an autoscaler by the factor, and multiplies a fixed fleet by it.

use plimsoll::config::Diagnostics;
use plimsoll::engine::RunRecord;
use plimsoll::experiment::{ReplicationPlan, Watch, tune};
use plimsoll::scenario::Scenario;

fn read(policies: &str) -> Scenario {
    let text = format!(
        "duration: 40m\ninterval: 1m\nworkload: {{ nhpp: {{ sinusoid: {{ mean: 80/s, amplitude: 0.7, period: 20m }} }} }}\n\
         service:\n  replicas: 4\n  concurrency: 4\n  queue-limit: 50\n  resources: {{ requests: {{ cpu: 500m, memory: 1Gi }} }}\n  \
         service-time: {{ exponential: {{ mean: 100ms }} }}\n  cpu-per-request: 50ms\n  start-up: {{ ready: 20s }}\n  price: $1/h\n\
         objectives: [ {{ latency: {{ within: 400ms, target: 97% }} }} ]\npolicies:\n{policies}"
    );
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("scenario.yaml");
    std::fs::write(&path, text).unwrap();
    let mut found = Diagnostics::new();
    Scenario::read(&path, &[], &mut found).unwrap_or_else(|| panic!("{found}"))
}

fn run(scenario: &Scenario, policy: usize) -> RunRecord {
    scenario.simulation(policy, 0).unwrap().run(&mut |_| ()).unwrap()
}

#[test]
fn an_autoscaler_with_headroom_has_a_lower_target() {
    let scenario = read(
        "  plain: { hpa: { min: 1, max: 40, target: { cpu: 40% } } }\n  \
           headroom: { hpa: { min: 1, max: 40, target: { cpu: 60% } }, headroom: 1.5 }\n",
    );
    let [plain, headroom] = [0, 1].map(|policy| run(&scenario, policy));
    assert_eq!((plain.cost, &plain.services[0].timeline), (headroom.cost, &headroom.services[0].timeline));
    let mean = |record: &RunRecord| record.services[0].mean_ready;
    let sixty = run(&read("  sixty: { hpa: { min: 1, max: 40, target: { cpu: 60% } } }\n"), 0);
    assert!(mean(&headroom) > 1.2 * mean(&sixty), "{}", mean(&sixty));
    assert!(plain.services[0].elasticity.scale_ups > 5, "the fleet has to move");
    assert!(
        (plain.cost.unwrap().as_f64() / headroom.cost.unwrap().as_f64() - 1.0).abs() < 0.01,
        "{:?} {:?}",
        plain.cost,
        headroom.cost
    );
}

#[test]
fn tuning_finds_the_smallest_fleet_that_meets_the_objective() {
    let scenario = read("  fleet: { static: { replicas: 10 } }\n");
    let plan = ReplicationPlan { replications: 3, ..ReplicationPlan::default() };
    let tuned = tune(&scenario, &plan, &Watch::nobody()).unwrap();
    let chosen = &tuned[0].trials[tuned[0].chosen.unwrap()];
    let size = (10.0 * chosen.headroom).ceil() as u32;
    let attained = |size: u32| {
        let scenario = read(&format!("  fleet: {{ static: {{ replicas: {size} }} }}\n"));
        (0..3)
            .map(|n| {
                scenario.simulation(0, n).unwrap().run(&mut |_| ()).unwrap().services[0].objectives[0].attainment()
            })
            .fold(1.0, f64::min)
    };
    assert!(attained(size) >= 0.97, "{size}");
    assert!(attained(size - 1) < 0.97, "{size} is not the smallest");
    let cost = chosen.cost() / f64::from(size);
    assert!((cost - 40.0 / 60.0).abs() < 1e-9, "{cost} for a replica");
}

#[test]
fn infeasible_objectives_are_reported() {
    let scenario = read("  bounded: { hpa: { min: 1, max: 3, target: { cpu: 60% } } }\n");
    let tuned =
        tune(&scenario, &ReplicationPlan { replications: 2, ..ReplicationPlan::default() }, &Watch::nobody()).unwrap();
    assert_eq!(tuned[0].chosen, None);
    assert!(tuned[0].best().is_some() && !tuned[0].as_it_is().unwrap().met);
}
