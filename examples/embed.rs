//! Plimsoll inside another program: read a scenario, change a value, run it, read figures, cancel a sweep, and let a
//! policy of your own compete. Everything is imported from the root of the crate.
//!
//! `cargo run --no-default-features --example embed`

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

use plimsoll::{
    CompareSpec, Decision, Design, Error, Measure, Observation, Outcome, Progress, Reason, ReasonCode, Registry,
    ReplicationPlan, ScalingPolicy, ScenarioSource, SimDuration, SweepSpec, Watch, compare, run, sweep,
};

/// A quarter of an hour of a shop with a peak in the middle, and three policies; `by-rate` is the one below.
const SHOP: &str = "
title: A shop at noon
duration: 15m
warm-up: 1m
workload: { nhpp: { points: [ { at: 0s, rate: 20/s }, { at: 5m, rate: 60/s }, { at: 10m, rate: 60/s }, { at: 15m, rate: 20/s } ] } }
service:
  name: shop
  replicas: 3
  concurrency: 4
  service-time: { exponential: { mean: 200ms } }
  start-up: 20s
  price: $0.20/h
objectives: [ { latency: { within: 1s, target: 99% } } ]
policies:
  fixed: { static: { replicas: 6 } }
  requests: { by-rate: { per-replica: 12, least: 2 } }
";

/// One replica for so many requests per second.
struct ByRate {
    per_replica: f64,
    least: u32,
}

impl ScalingPolicy for ByRate {
    fn sync_period(&self) -> SimDuration {
        SimDuration::from_secs(15)
    }

    fn decide(&mut self, seen: &Observation<'_>) -> Decision {
        let Some(scrape) = seen.scrape else {
            return Decision::hold(Reason::new(ReasonCode::NoData, "no metrics yet"));
        };
        let rate = scrape.totals[Measure::RequestRate];
        let size = ((rate / self.per_replica).ceil() as u32).max(self.least);
        Decision::scale_to(size, Reason::new(ReasonCode::Target, format!("{rate:.1} requests per second")))
    }
}

fn main() -> Result<(), Error> {
    let own = Registry::new().add("by-rate", |given| {
        let (per_replica, least) = (given.number("per-replica", 10.0), given.whole("least", 1));
        if per_replica <= 0.0 {
            given.refuse("per-replica", "a replica takes more than no requests");
        }
        move || ByRate { per_replica, least }
    });
    let source = ScenarioSource::text(SHOP, ".").policies(own);

    // A mistake comes with its place and a correction.
    let found = source.clone().set("policies.requests.by-rate.leest", "2").check();
    println!("{found}\n");

    // Read, change a value, run, read figures.
    let scenario = source.set("service.concurrency", "3").read()?;
    let outcome = run(&scenario, &Watch::nobody())?;
    show(&outcome);

    // Both policies at the same service level, over five replications.
    let plan = ReplicationPlan { replications: 5, ..ReplicationPlan::default() };
    let compared = compare(&scenario, &CompareSpec { plan, ..CompareSpec::default() }, &Watch::nobody())?;
    for (policy, arm) in compared.replicated.arms.iter().enumerate() {
        let headroom = compared.headroom(policy).unwrap_or(1.0);
        let cost = compared.replicated.figure("cost").and_then(|cost| arm.mean(cost)).unwrap_or(f64::NAN);
        println!("{} at a headroom of {headroom:.2}: ${cost:.4}", arm.label);
    }

    // A sweep that is cancelled after ten runs.
    let done = AtomicU64::new(0);
    let ten = |progress: Progress<'_>| match progress {
        Progress::Done { .. } if done.fetch_add(1, Ordering::Relaxed) + 1 >= 10 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let vary =
        vec!["service.concurrency=2..6".to_string(), "policies.requests.by-rate.per-replica=8..16/2".to_string()];
    let spec = SweepSpec { vary, design: Design::Grid, points: 0, plan };
    match sweep(&scenario, &spec, &Watch::new(&ten)) {
        Err(Error::Cancelled) => println!("\nthe sweep was cancelled after {} runs", done.load(Ordering::Relaxed)),
        Err(error) => return Err(error),
        Ok(table) => println!("\n{} points", table.points.len()),
    }
    Ok(())
}

/// Figures, the timeline and the decisions of each run.
fn show(outcome: &Outcome) {
    println!("{}, plimsoll {}", outcome.title, outcome.version);
    for run in &outcome.runs {
        let service = &run.services[0];
        let p99 =
            service.sojourn.quantile(0.99).map_or("none".to_string(), |p99| format!("{:.3} s", p99.as_secs_f64()));
        let good = 100.0 * service.objectives[0].attainment();
        let cost = run.cost.map_or("no price".to_string(), |cost| cost.to_string());
        println!("{:10} p99 {p99}, {good:.2}% good, {cost}, {} decisions", run.policy, service.decisions.len());
        let busiest = service.timeline.iter().max_by_key(|interval| interval.arrived);
        if let Some(interval) = busiest {
            println!(
                "{:10} {} requests from {}, {:.1} replicas ready",
                "", interval.arrived, interval.start, interval.ready
            );
        }
    }
    println!();
}
