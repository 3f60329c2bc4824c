//! The engine compared with a second, slow simulation written from the rules only: the same requests must have the same
//! fate, to the nanosecond.

mod reference;

use plimsoll::engine::{ObjectiveRecord, ServiceRecord};
use plimsoll::stats::LatencyHistogram;
use plimsoll::units::SimDuration;
use proptest::prelude::*;

use crate::random_scenario::{Case, exact_case};
use reference::{Expected, Judged};

/// A histogram by its content; the last bucket ends with the maximum.
fn contents(histogram: &LatencyHistogram) -> (u128, Option<SimDuration>, Vec<(SimDuration, u64)>) {
    (histogram.sum_nanos(), histogram.min(), histogram.buckets().collect())
}

fn same(found: &ServiceRecord, expected: &Expected) -> Result<(), TestCaseError> {
    let rows: Vec<[u64; 3]> = found.timeline.iter().map(|row| [row.arrived, row.completed, row.lost]).collect();
    prop_assert_eq!(&rows, &expected.rows, "arrived, completed, lost");
    prop_assert_eq!(found.counts, expected.counts);
    let judged = |o: &ObjectiveRecord| Judged {
        good: o.good,
        total: o.total,
        overdue: o.overdue,
        left_out: o.left_out,
        violation: o.violation.as_nanos(),
    };
    let judged: Vec<Judged> = found.objectives.iter().map(judged).collect();
    prop_assert_eq!(&judged, &expected.judged, "judged");
    prop_assert_eq!(contents(&found.waiting), contents(&expected.waiting), "waiting");
    prop_assert_eq!(contents(&found.service), contents(&expected.service), "service");
    prop_assert_eq!(contents(&found.sojourn), contents(&expected.sojourn), "sojourn");
    let replicas = (found.replica_starts, found.crashes, found.max_ready);
    prop_assert_eq!(
        replicas,
        (expected.replica_starts, expected.crashes, expected.max_ready),
        "starts, crashes, ready"
    );
    prop_assert_eq!(found.warm_requests, expected.warm_requests, "warm requests");
    let area = |level: fn(&plimsoll::engine::Interval) -> f64| -> f64 {
        found.timeline.iter().map(|row| level(row) * row.length.as_nanos() as f64).sum()
    };
    let areas = [area(|row| row.ready), area(|row| row.busy), area(|row| row.queued)];
    for (found, expected) in areas.iter().zip(expected.areas) {
        prop_assert!((found - expected as f64).abs() <= 1e-9 * expected as f64 + 1.0, "{areas:?} for {expected}");
    }
    Ok(())
}

fn agree(case: &Case) -> Result<(), TestCaseError> {
    let record = case.run(0);
    let (services, leases) = reference::run(case);
    for (found, expected) in record.services.iter().zip(&services) {
        same(found, expected)?;
    }
    let replicas = record.leases.iter().filter(|lease| lease.what == "replica");
    let found: Vec<(u64, u64)> = replicas.map(|lease| (lease.start.as_nanos(), lease.end.as_nanos())).collect();
    prop_assert_eq!(found, leases, "leases");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_agrees_with_a_simulation_written_for_clarity(case in exact_case()) {
        agree(&case)?;
    }
}
