//! Optimal provisioning of scenarios: plans cover the needs, cost what they state, and report infeasible requirements.

use plimsoll::catalog::Catalog;
use plimsoll::config::Diagnostics;
use plimsoll::experiment::{Provision, Terms, provision};
use plimsoll::optimize::SolveOptions;
use plimsoll::scenario::Scenario;
use plimsoll::units::{Fraction, SimDuration};
use rstest::rstest;

/// Four load levels of half an hour, for a service that requests a core and a GiB per replica of two slots.
const SCENARIO: &str = r#"
seed: 7
workload:
  nhpp: { for: 2h, steps: [ { at: 0s, rate: 10/s }, { at: 30m, rate: 60/s }, { at: 1h, rate: 25/s }, { at: 90m, rate: 5/s } ] }
service:
  name: shop
  replicas: 4
  resources: { requests: { cpu: 1, memory: 1Gi } }
  concurrency: 2
  service-time: { exponential: { mean: 100ms } }
  start-up: { ready: 40s }
  price: $0.06/h
objectives:
  - latency: { within: 500ms, target: 95% }
policies:
  fixed: { static: { replicas: 4 } }
"#;

fn scenario(changes: &[(&str, &str)]) -> Scenario {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("scenario.yaml");
    let text = changes.iter().fold(SCENARIO.to_string(), |text, (from, to)| {
        assert!(text.contains(from), "{from} is not in the scenario");
        text.replace(from, to)
    });
    std::fs::write(&path, text).unwrap();
    let mut found = Diagnostics::new();
    let scenario = Scenario::read(&path, &[], &mut found);
    scenario.unwrap_or_else(|| panic!("{found:?}"))
}

fn terms(instances: &[&str]) -> Terms<'static> {
    let instances = instances.iter().map(|name| Catalog::builtin().instance(name, None).unwrap()).collect();
    // Enough for a plan; it need not be proved optimal.
    let options = SolveOptions { time_limit: Some(5.0), ..SolveOptions::default() };
    Terms { interval: SimDuration::from_secs(300), instances, options, ..Terms::default() }
}

fn fraction(share: f64) -> Fraction {
    Fraction::new(share).unwrap()
}

/// The cost of the plan by its own series: running time at list price, plus start-up time.
fn priced(plan: &Provision, price: f64, offer: usize) -> f64 {
    let lead = plan.leads[offer].as_nanos().div_ceil(plan.interval.as_nanos()) as f64;
    let ready: f64 = plan.plan.ready[offer].iter().sum();
    let starts: f64 = plan.plan.starts[offer].iter().sum();
    price * plan.interval.as_secs_f64() / 3600.0 * (ready + lead * starts)
}

#[test]
fn replicas_follow_the_load_and_cost_what_they_are_charged() {
    let plans = provision(&scenario(&[]), &terms(&[])).unwrap();
    let [plan] = &plans[..] else { panic!("one service, one plan") };
    let needs = &plan.needs[0];
    assert_eq!((plan.intervals(), needs.out_of_reach, plan.plan.proven), (24, false, true));
    for interval in 0..plan.intervals() {
        assert!(plan.running(0, interval) >= f64::from(needs.replicas[interval]), "interval {interval} is short");
        // Two slots of 100 ms serve 20 requests a second.
        assert!(f64::from(needs.replicas[interval]) > needs.rate[interval] / 20.0);
    }
    assert!((plan.plan.cost - priced(plan, 0.06, 0)).abs() < 1e-9);
    let peak = f64::from(*needs.replicas.iter().max().unwrap());
    assert!((plan.fixed - peak * 0.06 * 2.0).abs() < 1e-9, "{} for {peak} replicas", plan.fixed);
    assert!(plan.plan.cost < plan.fixed);
}

#[rstest]
#[case::one_type(&["m6i.large"], false)]
#[case::two_types(&["m6i.large", "c6i.xlarge"], false)]
#[case::every_way_of_buying(&["m6i.large", "c6i.xlarge"], true)]
fn instances_have_room_for_every_replica(#[case] instances: &[&str], #[case] ways: bool) {
    let terms = match ways {
        false => terms(instances),
        true => Terms {
            reserved_discount: Some(fraction(0.37)),
            spot: Some((fraction(0.65), fraction(0.05))),
            spot_share: Some(fraction(0.5)),
            ..terms(instances)
        },
    };
    let plans = provision(&scenario(&[]), &terms).unwrap();
    let plan = &plans[0];
    for interval in 0..plan.intervals() {
        let fit = |offer: usize| {
            let has = &terms.instances[offer].allocatable;
            let replicas = (has.cpu.get() / 1000).min(has.memory.get() >> 30) as f64;
            replicas * (plan.running(offer, interval) - 0.05 * plan.spot(offer, interval))
        };
        let room: f64 = (0..instances.len()).map(fit).sum();
        assert!(room >= f64::from(plan.needs[0].replicas[interval]) - 1e-6, "interval {interval} has room for {room}");
    }
    assert!(plan.relaxed <= plan.plan.cost + 1e-9 && plan.plan.cost <= plan.fixed + 1e-9, "{plan:?}");
    let whole = plan.plan.ready.iter().chain(&plan.plan.spot).flatten().chain(&plan.plan.reserved);
    assert!(whole.into_iter().all(|count| count.fract() == 0.0));
    if !ways {
        let by_price = (0..instances.len()).map(|i| priced(plan, terms.instances[i].price.as_f64(), i)).sum::<f64>();
        let before = plan.leads[0].as_nanos().div_ceil(plan.interval.as_nanos()) as usize;
        // Starts before the beginning of the trace are paid for as well, and are not in the series.
        let first: f64 = (0..instances.len())
            .map(|i| (plan.plan.ready[i][0] - plan.plan.starts[i][0]) * terms.instances[i].price.as_f64() / 12.0)
            .sum();
        assert!(
            (plan.plan.cost - by_price - first * before as f64).abs() < 1e-6,
            "{} is not {by_price}",
            plan.plan.cost
        );
    }
}

/// Additional purchase options never increase the cost.
#[test]
fn a_choice_never_costs_more() {
    let scenario = scenario(&[]);
    let cost = |terms: &Terms<'_>| provision(&scenario, terms).unwrap()[0].relaxed;
    let alone = cost(&terms(&["m6i.large"]));
    assert!(cost(&terms(&["m6i.large", "c6i.xlarge"])) <= alone + 1e-9);
    assert!(cost(&Terms { reserved_discount: Some(fraction(0.37)), ..terms(&["m6i.large"]) }) < alone);
}

#[rstest]
#[case::no_price(&[("  price: $0.06/h\n", "")], &[], "shop has no price to plan by")]
#[case::no_requests(&[("  resources: { requests: { cpu: 1, memory: 1Gi } }\n", "")], &["m6i.large"], "requests neither CPU nor memory")]
#[case::too_large(&[("cpu: 1,", "cpu: 3,")], &["m6i.large"], "a replica of shop does not fit on m6i.large")]
fn what_cannot_be_planned_is_said(#[case] changes: &[(&str, &str)], #[case] instances: &[&str], #[case] words: &str) {
    let error = provision(&scenario(changes), &terms(instances)).unwrap_err().to_string();
    assert!(error.contains(words), "{error}");
}

#[rstest]
#[case::replicas(&[])]
#[case::instances(&["m6i.large"])]
fn a_limit_that_cannot_be_kept_is_named_with_by_how_much(#[case] instances: &[&str]) {
    let terms = Terms { most: Some(2), ..terms(instances) };
    let error = provision(&scenario(&[]), &terms).unwrap_err().to_string();
    assert!(error.contains("no plan meets every requirement"), "{error}");
    assert!(error.contains("by "), "{error}");
}

/// An objective below the service time only leaves the stability of queues to plan for.
#[test]
fn an_objective_out_of_reach_is_reported() {
    let plans = provision(&scenario(&[("within: 500ms", "within: 50ms")]), &terms(&[])).unwrap();
    assert!(plans[0].needs[0].out_of_reach);
}
