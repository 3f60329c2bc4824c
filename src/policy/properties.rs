//! Properties of every policy in the list.

use proptest::prelude::*;
use std::path::Path;

use super::*;
use crate::config::kubernetes::Release;
use crate::config::{Diagnostics, SourceFile, parse_single};
use crate::units::{Bytes, Millicores, SimDuration, SimTime};

/// Parameters to try. Every policy accepts at least one of them and then stays within 2 to 10 replicas.
const PARAMETERS: &[&str] = &[
    "{ replicas: 3 }",
    "{ min: 2, max: 10, target: { cpu: 70%, memory: 80%, in-flight: 4 } }",
    "{ min: 2, max: 10, target: { cpu: 500m }, behavior: { scaleDown: { stabilizationWindowSeconds: 0 } } }",
    "{ min: 2, max: 10, capacity: 4/s, step: 30s, warm-up: 1m, floor: { hpa: { min: 1, max: 30, target: { cpu: 70% } } } }",
    "{ min: 2, max: 10, capacity: 4/s, parts: 4 }",
    "{ min: 2, max: 10, capacity: 4/s, season: 10m, season-weight: 70%, trend: 100%, cool-down: 2m }",
    "{ min_replicas: 2, max_replicas: 10, upscale_delay_s: 60, downscale_to_zero_delay_s: 5, upscaling_factor: 3 }",
    "{ minReplicas: 2, maxReplicas: 10, targetMetric: outstanding, targetValue: 3, scalingStrategy: KPA }",
    "{ minReplicas: 2, maxReplicas: 10, metrics: [{ metricName: in-flight, targetValue: 3 }], behavior: { scaleUp: { panicPolicy: { percent: 50, panicModeHold: 1m } } } }",
    "{ bufferSize: 20%, minReplicas: 2, maxReplicas: 10 }",
    "{ interval: 1m }",
    "{ min-scale: 2, max-scale: 10, target: 4, activation-scale: 3, scale-down-delay: 20s }",
    "{ min-scale: 2, max-scale: 10, metric: rps, window: 6s, config: { max-scale-up-rate: \"1.5\" } }",
    "{ minReplicaCount: 2, maxReplicaCount: 10, fallback: { failureThreshold: 1, replicas: 6 }, triggers: [{ type: rabbitmq, metadata: { value: \"5\" } }] }",
    "{ minReplicaCount: 2, maxReplicaCount: 10, advanced: { scalingModifiers: { formula: \"max(a, b)\", target: \"3\" } }, triggers: [{ type: kafka, name: a }, { type: cron, name: b, metadata: { timezone: Europe/Berlin, start: 0 8 * * *, end: 0 18 * * *, desiredReplicas: \"4\" } }] }",
    "{ min: 2, max: 10, target: { cpu: 50%, request-rate: 20/s }, warm-up: 30s, scale-in-alarm: { evaluation-periods: 2, period: 30s } }",
    "{ min: 2, max: 10, warm-up: 1m, scale-out: { threshold: 70%, evaluation-periods: 1, adjustment-type: percent, steps: [{ lower: 0, upper: 20, adjustment: 10 }, { lower: 20, adjustment: 30 }] }, scale-in: { threshold: 30%, steps: [{ upper: 0, adjustment: -1 }] } }",
    "{ min: 2, max: 10, metric: request-rate, cooldown: 1m, scale-out: { threshold: 20/s, period: 10s, adjustment: 2 }, scale-in: { threshold: 5, adjustment-type: exact, adjustment: 3 } }",
];
const BOUNDS: std::ops::RangeInclusive<u32> = 2..=10;

/// Every policy with every set of parameters that it accepts.
fn factories() -> Vec<(&'static str, PolicyFactory)> {
    let context = PolicyContext {
        base_dir: Path::new("."),
        service: "web",
        pod: None,
        metric_names: &[],
        release: Release::default(),
        own: &[],
    };
    let mut found = Vec::new();
    for policy in POLICIES {
        let before = found.len();
        for text in PARAMETERS.iter().copied() {
            let node = parse_single(&SourceFile::new("parameters", text)).unwrap();
            let mut sink = Diagnostics::new();
            let factory = (policy.build)(&node, &context, &mut sink);
            assert_eq!(factory.is_none(), sink.has_errors(), "{}: {sink}", policy.name);
            found.extend(factory.map(|factory| (policy.name, factory)));
        }
        assert!(found.len() > before, "{} accepts none of the parameters tried", policy.name);
    }
    found
}

/// The inputs of one decision.
#[derive(Debug, Clone)]
struct Moment {
    after_s: u64,
    size: u32,
    present: u32,
    replicas: Vec<ReplicaView>,
    reserved: Reserved,
    scrape: Option<Scrape>,
    outage: Measures,
}

fn replica(id: u32) -> impl Strategy<Value = ReplicaView> {
    let phase = prop_oneof![
        1 => Just(Phase::Pending),
        1 => Just(Phase::Starting),
        1 => Just(Phase::Unready),
        6 => Just(Phase::Ready),
        1 => Just(Phase::Draining)
    ];
    let time = || proptest::option::of((0_u64..2000).prop_map(SimTime::from_secs));
    (phase, time(), time(), time()).prop_map(move |(phase, accepted, started, readiness_changed)| {
        let ordered = accepted.unwrap_or(SimTime::ZERO);
        ReplicaView { id, phase, ordered, accepted, started, readiness_changed }
    })
}

fn reserved() -> impl Strategy<Value = Reserved> {
    let cpu = proptest::option::weighted(0.95, (0_u64..4000).prop_map(Millicores::new));
    let memory = proptest::option::weighted(0.95, (0_u64..4096).prop_map(Bytes::from_mib));
    (cpu, memory).prop_map(|(cpu, memory)| Reserved { cpu, memory })
}

fn scrape() -> impl Strategy<Value = Scrape> {
    let value = || prop_oneof![Just(0.0), 0.0..4.0, 0.0..1e12];
    let values = || {
        proptest::collection::vec(value(), Measure::COUNT)
            .prop_map(|all| Measurements::of(|measure| all[measure as usize]))
    };
    let replicas = proptest::collection::btree_map(0_u32..24, values(), 0..20);
    (0_u64..2000, 0_u64..120, replicas, values()).prop_map(|(taken_at, window, replicas, totals)| Scrape {
        taken_at: SimTime::from_secs(taken_at),
        window: SimDuration::from_secs(window),
        replicas: replicas.into_iter().map(|(id, values)| ReplicaSample { id, values }).collect(),
        fresh: Vec::new(),
        totals,
    })
}

fn moment() -> impl Strategy<Value = Moment> {
    let replicas = (0_u32..20).prop_flat_map(|count| (0..count).map(replica).collect::<Vec<_>>());
    let size = || prop_oneof![8 => 0_u32..20, 1 => Just(u32::MAX)];
    let none = Measures::NONE;
    let outage = prop_oneof![8 => Just(none), 1 => Just(Measures::ALL), 1 => Just(none.with(Measure::Cpu))];
    (0_u64..400, size(), size(), replicas, reserved(), proptest::option::weighted(0.9, scrape()), outage).prop_map(
        |(after_s, size, present, replicas, reserved, scrape, outage)| Moment {
            after_s,
            size,
            present,
            replicas,
            reserved,
            scrape,
            outage,
        },
    )
}

/// The decisions at all times, in order.
fn decisions(policy: &mut dyn ScalingPolicy, moments: &[Moment]) -> Vec<Decision> {
    let mut now = SimTime::from_secs(300);
    let decide = |moment: &Moment| {
        now += SimDuration::from_secs(moment.after_s);
        policy.decide(&Observation {
            present: moment.present,
            replicas: &moment.replicas,
            reserved: moment.reserved,
            scrape: moment.scrape.as_ref(),
            outage: moment.outage,
            ..Observation::new(now, moment.size)
        })
    };
    moments.iter().map(decide).collect()
}

#[test]
fn names_are_unique_and_found() {
    for policy in POLICIES {
        assert_eq!(POLICIES.iter().filter(|other| other.name == policy.name).count(), 1);
        assert_eq!(find(policy.name).map(|found| found.name), Some(policy.name));
        assert!(!policy.summary.is_empty() && !policy.source.is_empty());
    }
    assert!(find("no-such-policy").is_none());
}

#[test]
fn wrong_parameters_are_refused_with_a_diagnostic() {
    let context = PolicyContext {
        base_dir: Path::new("."),
        service: "web",
        pod: None,
        metric_names: &[],
        release: Release::default(),
        own: &[],
    };
    for policy in POLICIES {
        for text in ["{ no-such-parameter: 1 }", "[1, 2]", "text"] {
            let node = parse_single(&SourceFile::new("parameters", text)).unwrap();
            let mut sink = Diagnostics::new();
            assert!((policy.build)(&node, &context, &mut sink).is_none(), "{} takes {text}", policy.name);
            assert!(sink.has_errors(), "{} accepts {text}", policy.name);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn decisions_are_bounded_reasoned_and_repeatable(moments in proptest::collection::vec(moment(), 1..8)) {
        for (name, factory) in factories() {
            holds(name, &factory, &moments)?;
        }
    }
}

/// Checks the properties of one policy's decisions.
fn holds(name: &str, factory: &PolicyFactory, moments: &[Moment]) -> Result<(), TestCaseError> {
    let policy = factory(&Prospect::unknown());
    prop_assert!(!policy.sync_period().is_zero(), "{name} has no sync period");
    let first = decisions(&mut *factory(&Prospect::unknown()), moments);
    for (decision, moment) in first.iter().zip(moments) {
        prop_assert!(!decision.reason.detail.is_empty(), "{name} gives no reason");
        if let Some(size) = decision.replicas {
            prop_assert!(BOUNDS.contains(&size), "{name}: {size} replicas, {:?}", decision.reason);
            prop_assert_ne!(size, moment.size, "{} returns the current size", name);
        }
    }
    // A new policy shares no state with the other, so only the observations determine the decisions.
    prop_assert_eq!(&first, &decisions(&mut *factory(&Prospect::unknown()), moments), "{} is not repeatable", name);
    Ok(())
}

/// Checks a policy that cannot be built from the parameters in this file. It must stay within 2 to 10 replicas.
pub(super) fn hold_for(name: &str, factory: &PolicyFactory) {
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(256));
    let moments = proptest::collection::vec(moment(), 1..8);
    let tried = runner.run(&moments, |moments| holds(name, factory, &moments));
    tried.unwrap_or_else(|error| panic!("{error}"));
}
