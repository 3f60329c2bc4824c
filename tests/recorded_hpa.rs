//! Recorded runs of a real HPA, open loop: at each recorded step our HPA is given the recorded size and metric and has
//! to decide the recorded size.
//!
//! The recordings (`validation/hpa/kind` in the directory named by `PLIMSOLL_REFERENCE`; their source has no licence,
//! so they are not part of the project) contain the HPA's status every 5 s: `currentReplicas`, `desiredReplicas` and
//! the metric, all written by the same run of the controller, so the metric's value at a decision is certain. Two
//! things are not recorded and have to be inferred:
//!
//! * *When* the controller ran. It runs every 15 s, so steps are assumed to be multiples of 15 s apart.
//! * *How many pods had a metric.* New pods count as zero until they are measured, so the decision depends on it. The
//!   request-rate runs record the total next to the average per pod, and the quotient is the number. It was sampled
//!   independently of the status, so either neighbouring sample is accepted. The CPU runs record nothing of the kind;
//!   for them the number is unknown, and the test is that *one non-decreasing number* explains every step of the run,
//!   rescales and holds alike. A wrong rule is still detected: between two rescales dozens of holds have to fit.

use std::path::PathBuf;

use plimsoll::policy::hpa::{ControllerFlags, HpaPolicy};
use plimsoll::policy::{
    Measure, Measurements, Observation, Phase, ReplicaSample, ReplicaView, Reserved, ScalingPolicy, Scrape,
};
use plimsoll::units::{SimDuration, SimTime};
use plimsoll::validate::recorded::{Measured, RecordedRun, Status, WITHIN, compare, read_runs};

use crate::support::{announce, reference_directory};

/// The recordings' directory, if there is one; otherwise prints that nothing is tested.
fn recordings() -> Option<PathBuf> {
    let directory = reference_directory().map(|d| d.join("validation/hpa/kind")).filter(|d| d.is_dir());
    if directory.is_none() {
        announce("recorded HPA: ABSENT, nothing tested (set PLIMSOLL_REFERENCE to the directory of reference data)");
    }
    directory
}

fn runs() -> Vec<RecordedRun> {
    let found = recordings().map(|directory| read_runs(&directory).expect("recorded runs")).unwrap_or_default();
    for (name, lacking) in &found.left_out {
        announce(&format!("recorded HPA: LEFT OUT {name}: {lacking}"));
    }
    found.runs
}

#[test]
fn recorded_rescales_follow_from_the_recorded_metrics() {
    let runs = runs();
    if runs.is_empty() {
        return;
    }
    let (mut rescales, mut reproduced, mut inferred, mut steps, mut misses) = (0, 0, 0, 0, Vec::new());
    for run in &runs {
        let result = replay(run);
        inferred += if run.measured == Measured::Cpu { result.rescales } else { 0 };
        steps += result.steps;
        rescales += result.rescales;
        reproduced += result.rescales - result.missed_rescales;
        misses.extend(result.misses);
    }
    announce(&format!("recorded HPA: reproduced {reproduced} of {rescales} rescales"));
    announce(&format!("recorded HPA: {} of {steps} steps in all, holds included", steps - misses.len()));
    announce(&format!("recorded HPA: {inferred} of the rescales with the number of measured pods inferred"));
    for miss in &misses {
        announce(&format!("recorded HPA: NOT REPRODUCED {miss}"));
    }
    assert!(rescales > 0, "the recordings hold no rescale");
    assert!(misses.is_empty(), "{} of {steps} steps do not follow:\n{}", misses.len(), misses.join("\n"));
}

struct Replay {
    steps: usize,
    rescales: usize,
    missed_rescales: usize,
    misses: Vec<String>,
}

fn replay(run: &RecordedRun) -> Replay {
    let mut result = Replay { steps: 0, rescales: 0, missed_rescales: 0, misses: Vec::new() };
    let mut policy = HpaPolicy::new(run.spec.clone(), ControllerFlags::default());
    let (mut now, mut measured) = (SimTime::from_secs(1000), 1);
    let mut last: Option<Status> = None;
    for row in &run.status {
        let since = last.map_or(15, |last| row.at - last.at);
        let same = last.is_some_and(|last| Status { at: row.at, ..last } == *row);
        if same && since < 15 {
            continue;
        }
        now += SimDuration::from_secs(u64::from((since + 7) / 15 * 15).max(15));
        last = Some(*row);
        let candidates: Vec<u32> =
            if run.measured == Measured::Cpu { (measured..=row.current).collect() } else { measured_near(run, row.at) };
        result.steps += 1;
        let rescale = row.desired != row.current;
        result.rescales += usize::from(rescale);
        let tries = candidates.iter().map(|count| (*count, decide(&policy, run, row, *count, now)));
        let mut found = None;
        let mut sizes = Vec::new();
        for (count, (after, size)) in tries {
            sizes.push(format!("{size} with {count} measured"));
            if size == row.desired {
                found = Some((count, after));
                break;
            }
        }
        match found {
            Some((count, after)) => {
                measured = count;
                policy = after;
            }
            None => {
                result.missed_rescales += usize::from(rescale);
                let Status { at, current, desired, metric } = row;
                let metric = metric.unwrap_or(f64::NAN);
                let line = format!("{} at {at} s: {current} -> {desired}, metric {metric}", run.name);
                result.misses.push(format!("{line}: ours {}", sizes.join(", ")));
            }
        }
    }
    result
}

/// One decision of a copy of `policy`, with the metric of `row` on `count` pods and no metric on the others.
fn decide(policy: &HpaPolicy, run: &RecordedRun, row: &Status, count: u32, now: SimTime) -> (HpaPolicy, u32) {
    let replicas: Vec<ReplicaView> = (0..row.current)
        .map(|id| ReplicaView {
            id,
            phase: Phase::Ready,
            ordered: SimTime::ZERO,
            accepted: Some(SimTime::ZERO),
            started: Some(SimTime::ZERO),
            readiness_changed: Some(SimTime::ZERO),
        })
        .collect();
    let scrape = row.metric.map(|metric| {
        let values = match run.measured {
            Measured::Cpu => Measurements::ZERO.with(Measure::Cpu, metric / 100.0 * run.request.as_cores()),
            _ => Measurements::ZERO.with(Measure::RequestRate, metric),
        };
        Scrape {
            taken_at: now,
            window: SimDuration::from_secs(15),
            replicas: (0..count.min(row.current)).map(|id| ReplicaSample { id, values }).collect(),
            fresh: Vec::new(),
            totals: Measurements::ZERO,
        }
    });
    let observation = Observation {
        replicas: &replicas,
        reserved: Reserved { cpu: Some(run.request), memory: None },
        scrape: scrape.as_ref(),
        ..Observation::new(now, row.current)
    };
    let mut copy = policy.clone();
    let size = copy.decide(&observation).replicas.unwrap_or(row.current);
    (copy, size)
}

/// The numbers of measured pods (total rate divided by the average per pod) in the samples around `at`: the last
/// before, and the first at or after it.
fn measured_near(run: &RecordedRun, at: u32) -> Vec<u32> {
    let known = run.rates.iter().filter(|(_, _, average)| *average > 0.0);
    let counts: Vec<(u32, u32)> = known.map(|(at, total, average)| (*at, (total / average).round() as u32)).collect();
    let next = counts.partition_point(|(before, _)| *before < at);
    let around = counts[next.saturating_sub(1)..(next + 1).min(counts.len())].iter();
    let mut near: Vec<u32> = around.map(|(_, count)| *count).collect();
    near.dedup();
    near
}

#[test]
fn closed_loop_makes_the_recorded_rescales() {
    let (mut rescales, mut matched, mut same_size) = (0, 0, 0);
    let runs = runs();
    for run in &runs {
        let found = compare(run).expect("a run");
        let list = |of: &[plimsoll::validate::recorded::Rescale]| {
            of.iter().map(|r| format!("{:.0} s: {} -> {}", r.at, r.from, r.to)).collect::<Vec<_>>().join(", ")
        };
        announce(&format!(
            "recorded HPA, closed loop, {}: {} of {} rescales within {WITHIN} s, {} to the same size, {:.0}% over all phases; mean replicas {:.2} recorded, {:.2} simulated",
            found.name,
            found.matched,
            found.recorded.len(),
            found.same_size,
            found.matched_in_any_phase * 100.0,
            found.mean_replicas[0],
            found.mean_replicas[1]
        ));
        announce(&format!("  recorded  {}", list(&found.recorded)));
        announce(&format!("  simulated {}", list(&found.simulated)));
        rescales += found.recorded.len();
        matched += found.matched;
        same_size += found.same_size;
    }
    if !runs.is_empty() {
        // 18 of 21 are expected; docs/hpa.md describes those that are missed.
        assert!(matched * 20 >= rescales * 17, "{matched} of {rescales} rescales match");
        assert!(same_size * 10 >= rescales * 9, "{same_size} of {rescales} rescales come to the same size");
        announce(&format!("recorded HPA, closed loop: passed {matched} of {rescales} rescales, {same_size} in size"));
    }
}
