//! A realistic outcome without an engine: a day of a shop with an evening peak, under four policies.

use plimsoll::engine::{
    Cause, Causes, DecisionRecord, Elasticity, Fate, Interval, LeaseRecord, ObjectiveRecord, RequestCounts, RunRecord,
    ServiceRecord,
};
use plimsoll::experiment::{InputFact, Outcome, Traffic, TrafficSource};
use plimsoll::policy::{Foresight, ReasonCode};
use plimsoll::stats::LatencyHistogram;
use plimsoll::units::{Fraction, SimDuration, SimTime, Usd, UsdPerHour};

/// Requests per second that one replica carries at the reference utilization.
const PER_REPLICA: f64 = 50.0;
const LIMIT: SimDuration = SimDuration::from_millis(300);
/// Minutes without a request.
const SILENT: std::ops::Range<u64> = 190..215;

/// The size of a synthetic policy: fixed, or the need some minutes ago with a reserve.
#[derive(Clone, Copy)]
pub struct Sizing {
    fixed: Option<f64>,
    reserve: f64,
    lag_minutes: u64,
}

/// A day of 1440 one-minute intervals under four policies, one of them clairvoyant.
pub fn day() -> Outcome {
    let follow = |reserve, lag_minutes| Sizing { fixed: None, reserve, lag_minutes };
    let runs = vec![
        run("static-58", Sizing { fixed: Some(58.0), reserve: 0.0, lag_minutes: 0 }, Foresight::None, 1440),
        run("hpa-cpu-60", follow(1.45, 4), Foresight::None, 1440),
        run("hpa-cpu-80", follow(1.04, 5), Foresight::None, 1440),
        run("lower-bound", follow(1.12, 0), Foresight::Clairvoyant, 1440),
    ];
    Outcome { runs, ..empty() }
}

/// An outcome without any run.
pub fn empty() -> Outcome {
    Outcome {
        scenario: "shop-peak".into(),
        title: "Shop: a sale in the evening".into(),
        description: "One day of a shop's traffic with a sale at 20:00. Is a fixed size cheaper than scaling?".into(),
        command: "plimsoll run scenarios/shop-peak.yaml --seed 7".into(),
        version: "0.1.0".into(),
        seed: 7,
        runs: Vec::new(),
        traffic: vec![Traffic {
            service: "checkout".into(),
            source: TrafficSource::Recorded { file: "shop.csv.zst".into() },
            steps: Vec::new(),
        }],
        faults: Vec::new(),
        replicated: None,
        base: 0,
        level: None,
        calendar: None,
        inputs: vec![
            InputFact {
                name: "traces/shop.csv.zst".into(),
                detail: "trace of 8000 bytes, as it is".into(),
                checksum: "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
            },
            InputFact {
                name: "manifests/checkout-hpa.yaml".into(),
                detail: "HorizontalPodAutoscaler autoscaling/v2".into(),
                checksum: "sha256:60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752".into(),
            },
        ],
        assumptions: vec![
            "A replica's speed does not depend on its neighbours on the node.".into(),
            "Clients do not change their behaviour when answers are slow.".into(),
        ],
        price_date: "2025-06-01".into(),
        prices: Vec::new(),
        bound: None,
        warnings: vec!["The trace has 25 minutes without a request; they are taken as real.".into()],
    }
}

/// Requests per second in a minute of the day.
fn rate(minute: u64) -> f64 {
    if SILENT.contains(&minute) {
        return 0.0;
    }
    let hour = minute as f64 / 60.0;
    let day = 900.0 - 650.0 * ((hour - 2.0) * std::f64::consts::PI / 12.0).cos();
    let sale = 1250.0 * (-((hour - 20.25) / 0.55).powi(2)).exp();
    (day + sale) * (1.0 + 0.12 * (noise(minute) - 0.5))
}

/// A number between 0 and 1, the same for the same key.
fn noise(key: u64) -> f64 {
    let mixed = (key + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((mixed ^ (mixed >> 32)) & 0xffff_ffff) as f64 / f64::from(u32::MAX)
}

fn size(sizing: Sizing, minute: u64) -> f64 {
    match sizing.fixed {
        Some(fixed) => fixed,
        None => {
            let seen = (0..6).map(|i| rate(minute.saturating_sub(sizing.lag_minutes + i))).fold(0.0, f64::max);
            let ahead = if sizing.lag_minutes == 0 { rate(minute + 1).max(rate(minute)) } else { seen };
            (ahead.max(seen * 0.9) / PER_REPLICA * sizing.reserve).ceil().max(2.0)
        }
    }
}

/// One run of `minutes` one-minute intervals.
pub fn run(policy: &str, sizing: Sizing, foresight: Foresight, minutes: u64) -> RunRecord {
    let price = UsdPerHour::from_f64(0.0416).unwrap();
    let minute = SimDuration::from_secs(60);
    let mut service = blank_service();
    let mut leases = Vec::new();
    let mut open: Vec<SimTime> = Vec::new();
    let mut last = 0;
    for index in 0..minutes {
        let now = SimTime::from_secs(60 * index);
        let wanted = size(sizing, index) as u32;
        if wanted != last {
            service.decisions.push(decision(now, last, wanted, open.len() as u32));
            service.elasticity.scale_ups += u64::from(wanted > last);
            service.elasticity.scale_downs += u64::from(wanted < last);
        }
        last = wanted;
        while open.len() < wanted as usize {
            open.push(now);
        }
        while open.len() > wanted as usize {
            leases.push(lease(open.pop().unwrap(), now, price));
        }
        let interval = interval(index, f64::from(wanted), price, &mut service);
        service.timeline.push(interval);
    }
    let end = SimTime::from_secs(60 * minutes);
    leases.extend(open.into_iter().map(|start| lease(start, end, price)));
    leases.sort_by_key(|lease| lease.start);
    finish(&mut service, minute * minutes);
    let cost = Some(leases.iter().map(|lease| lease.cost).sum());
    RunRecord {
        scenario: "shop-peak".into(),
        policy: policy.into(),
        foresight,
        seed: 7,
        replication: 0,
        end,
        warm_up: SimTime::ZERO,
        services: vec![service],
        pools: Vec::new(),
        leases,
        usage: Vec::new(),
        charges: Vec::new(),
        cost,
        events: 2_000_000,
    }
}

fn lease(start: SimTime, end: SimTime, price: UsdPerHour) -> LeaseRecord {
    let billed = end.since(start).max(SimDuration::from_secs(60));
    LeaseRecord {
        what: "general: m7.large".into(),
        start,
        end,
        billed,
        covered: SimDuration::ZERO,
        price,
        cost: price.over(billed),
    }
}

fn decision(at: SimTime, from: u32, to: u32, ready: u32) -> DecisionRecord {
    let detail = format!("cpu 83% of 60% target, {from} -> {to}");
    let code = if to == 2 { ReasonCode::Bounded } else { ReasonCode::Target };
    DecisionRecord { at, metrics_age: Some(SimDuration::from_secs(30)), from, to, ready, code, detail }
}

/// One minute: latency from a load curve, losses above the capacity.
fn interval(index: u64, ready: f64, price: UsdPerHour, service: &mut ServiceRecord) -> Interval {
    let (rate, minute) = (rate(index), SimDuration::from_secs(60));
    let needed = rate / PER_REPLICA;
    let load = needed / ready * 0.75;
    let lost_share = if load > 0.98 { (1.0 - 0.98 / load).min(0.5) } else { 0.0 };
    let arrived = (rate * 60.0) as u64;
    let lost = (arrived as f64 * lost_share) as u64;
    let mean = 0.042 / (1.0 - load.min(0.975));
    let mut good = 0;
    let mut sojourns = LatencyHistogram::new();
    for draw in 0..arrived - lost {
        let heavy = noise(draw * 1440 + index);
        let seconds = 0.012 + mean * 0.35 * -(1.0 - heavy * 0.999_999).ln();
        let sojourn = SimDuration::from_secs_f64(seconds).unwrap();
        good += u64::from(sojourn <= LIMIT);
        sojourns.record(sojourn);
    }
    service.sojourn.merge(&sojourns);
    service.counts.arrived += arrived;
    service.counts[Fate::Completed] += arrived - lost;
    service.counts[Fate::Rejected] += lost;
    let percentiles = sojourns.quantile(0.5).map(|_| [0.5, 0.95, 0.99].map(|q| sojourns.quantile(q).unwrap()));
    Interval {
        start: SimTime::from_secs(60 * index),
        length: minute,
        arrived,
        attempts: arrived,
        completed: arrived - lost,
        lost,
        good,
        overdue: 0,
        waiting: percentiles.map(|p| p.map(|v| v.scale(0.3))),
        sojourn: percentiles,
        wanted: ready,
        ready,
        starting: 0.0,
        queued: mean * rate,
        busy: ready * load,
        utilization: (arrived > 0).then_some(load.min(1.0)),
        load: (arrived > 0).then_some(load.min(1.0)),
        needed,
        leased: Some(ready),
        cost: Some(Usd::from_nanos(price.over(minute).as_nanos() * ready as i128)),
    }
}

fn finish(service: &mut ServiceRecord, length: SimDuration) {
    let minutes = service.timeline.len().max(1) as f64;
    let good = service.timeline.iter().map(|i| i.good).sum();
    let target = Fraction::new(0.999).unwrap();
    let bad = |i: &&Interval| i.arrived > 0 && (i.good as f64) < 0.999 * i.arrived as f64;
    let violated = service.timeline.iter().filter(bad).count() as u64;
    let worst_hour = service.timeline.chunks(60).map(|hour| {
        let (good, all) = hour.iter().fold((0, 0), |(good, all), i| (good + i.good, all + i.arrived));
        if all == 0 { 0.0 } else { (1.0 - good as f64 / all as f64) / 0.001 }
    });
    let available = Fraction::new(0.9995).unwrap();
    let objective = |text: &str, within, target, good| ObjectiveRecord {
        text: text.into(),
        within,
        target,
        good,
        total: service.counts.arrived,
        overdue: 0,
        left_out: 0,
        violation: SimDuration::from_secs(60) * violated,
        peak_burn_rate: 0.0,
        causes: causes(service.counts.arrived - good),
    };
    let mut latency = objective("99.9% within 300 ms", Some(LIMIT), target, good);
    latency.peak_burn_rate = worst_hour.fold(0.0, f64::max);
    let availability = objective("99.95% answered", None, available, service.counts[Fate::Completed]);
    service.objectives = vec![latency, availability];
    service.utilization = Some(service.timeline.iter().filter_map(|i| i.utilization).sum::<f64>() / minutes);
    service.cpu_utilization = service.utilization.map(|share| share * 0.9);
    service.replica_hours = service.timeline.iter().map(|i| i.ready).sum::<f64>() / 60.0;
    service.mean_ready = service.timeline.iter().map(|i| i.ready).sum::<f64>() / minutes;
    service.max_ready = service.timeline.iter().map(|i| i.ready as u32).max().unwrap_or(0);
    let short = service.timeline.iter().filter(|i| i.needed > i.ready);
    service.elasticity.under_share = short.count() as f64 / minutes;
    service.elasticity.flaps_per_hour = service.decisions.len() as f64 / 2.0 / (length.as_secs_f64() / 3600.0).max(1.0);
}

/// A service without any requests.
pub fn blank_service() -> ServiceRecord {
    ServiceRecord {
        demand_checksum: 0,
        name: "checkout".into(),
        counts: RequestCounts::default(),
        waiting: LatencyHistogram::new(),
        service: LatencyHistogram::new(),
        sojourn: LatencyHistogram::new(),
        utilization: None,
        load: None,
        cpu_utilization: None,
        replica_hours: 0.0,
        mean_ready: 0.0,
        max_ready: 0,
        mean_in_system: 0.0,
        replica_starts: 0,
        warm_requests: 0,
        crashes: 0,
        objectives: Vec::new(),
        elasticity: Elasticity::default(),
        timeline: Vec::new(),
        decisions: Vec::new(),
        forecasts: Vec::new(),
    }
}

/// Three quarters of the bad requests by start-up, the rest by too few replicas.
fn causes(bad: u64) -> Causes {
    let mut causes = Causes::default();
    causes.add(Cause::StartUp, Fate::Completed, bad * 3 / 4);
    causes.add(Cause::TooFewReplicas, Fate::Completed, bad - bad * 3 / 4);
    causes
}
