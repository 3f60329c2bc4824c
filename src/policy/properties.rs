//! Properties of every policy in the list.

use proptest::prelude::*;
use std::path::Path;

use super::*;
use crate::config::{SourceFile, parse_single};

/// Parameters to try. Every policy accepts at least one of them and then stays within 2 to 10 replicas.
const PARAMETERS: [&str; 7] = [
    "{ replicas: 3 }",
    "{ min: 2, max: 10, target: { cpu: 70%, memory: 80%, in-flight: 4 } }",
    "{ min: 2, max: 10, target: { cpu: 500m }, behavior: { scaleDown: { stabilizationWindowSeconds: 0 } } }",
    "{ min: 2, max: 10, capacity: 4/s, step: 30s, warm-up: 1m, floor: { hpa: { min: 1, max: 30, target: { cpu: 70% } } } }",
    "{ min: 2, max: 10, capacity: 4/s, parts: 4 }",
    "{ min: 2, max: 10, capacity: 4/s, season: 10m, season-weight: 70%, trend: 100%, cool-down: 2m }",
    "{}",
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
        for text in PARAMETERS {
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
    status: u32,
    pods: Vec<PodView>,
    scrape: Option<Scrape>,
    outage: Measures,
}

fn pod(id: u32) -> impl Strategy<Value = PodView> {
    let phase = prop_oneof![
        1 => Just(PodPhase::Pending),
        6 => Just(PodPhase::Running),
        1 => Just(PodPhase::Succeeded),
        1 => Just(PodPhase::Failed)
    ];
    let time = || proptest::option::of((0_u64..2000).prop_map(SimTime::from_secs));
    let cpu = proptest::option::weighted(0.95, (0_u64..4000).prop_map(Millicores::new));
    let memory = proptest::option::weighted(0.95, (0_u64..4096).prop_map(Bytes::from_mib));
    (phase, any::<Option<bool>>(), time(), time(), proptest::bool::weighted(0.1), cpu, memory).prop_map(
        move |(phase, ready, ready_transition, start_time, deleted, cpu_request, memory_request)| PodView {
            id,
            phase,
            ready,
            ready_transition,
            start_time,
            deleted,
            cpu_request,
            memory_request,
        },
    )
}

fn scrape() -> impl Strategy<Value = Scrape> {
    let value = || prop_oneof![Just(0.0), 0.0..4.0, 0.0..1e12];
    let values = || std::array::from_fn::<_, { Measure::COUNT }, _>(|_| value());
    let pods = proptest::collection::btree_map(0_u32..24, values(), 0..20);
    (0_u64..2000, 0_u64..120, pods, values()).prop_map(|(taken_at, window, pods, totals)| Scrape {
        taken_at: SimTime::from_secs(taken_at),
        window: SimDuration::from_secs(window),
        pods: pods.into_iter().map(|(id, values)| PodSample { id, values }).collect(),
        fresh: Vec::new(),
        totals,
    })
}

fn moment() -> impl Strategy<Value = Moment> {
    let pods = (0_u32..20).prop_flat_map(|count| (0..count).map(pod).collect::<Vec<_>>());
    let size = || prop_oneof![8 => 0_u32..20, 1 => Just(u32::MAX)];
    let none = Measures::NONE;
    let outage = prop_oneof![8 => Just(none), 1 => Just(Measures::ALL), 1 => Just(none.with(Measure::Cpu))];
    (0_u64..400, size(), size(), pods, proptest::option::weighted(0.9, scrape()), outage).prop_map(
        |(after_s, size, status, pods, scrape, outage)| Moment { after_s, size, status, pods, scrape, outage },
    )
}

/// The decisions at all times, in order.
fn decisions(policy: &mut dyn ScalingPolicy, moments: &[Moment]) -> Vec<Decision> {
    let mut now = SimTime::from_secs(300);
    let decide = |moment: &Moment| {
        now += SimDuration::from_secs(moment.after_s);
        policy.decide(&Observation {
            now,
            spec_replicas: moment.size,
            status_replicas: moment.status,
            pods: &moment.pods,
            scrape: moment.scrape.as_ref(),
            metric_names: &[],
            outage: moment.outage,
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
