//! Compares the engine with the crate `desque`, the fastest discrete-event library measured, on W1 and W2 in one run.
//!
//! `cargo bench --locked --bench versus_desque -- [REQUESTS]` prints CPU time per request for both and the ratio. The
//! desque models are written here the way a user of that crate would: boxed events, a histogram of waiting and sojourn
//! time, a scan for the least loaded replica. They record less than the engine does (no intervals, no objectives, no
//! metrics pipeline).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use desque::serial::{Event, Simulation};
use plimsoll::experiment::workloads::WORKLOADS;
use plimsoll::random::{Draw, Purpose, Streams};
use plimsoll::stats::LatencyHistogram;
use plimsoll::units::SimDuration;

/// A service's replicas in desque.
struct Pool {
    slots: u32,
    replicas: Vec<Replica>,
    arrivals: Draw,
    demands: Draw,
    rate: fn(u64) -> f64,
    elastic: bool,
    left: u64,
    busy: u64,
    busy_area: u64,
    changed: u64,
    waiting: LatencyHistogram,
    sojourn: LatencyHistogram,
}

#[derive(Clone, Default)]
struct Replica {
    running: u32,
    queue: VecDeque<u64>,
    ready: bool,
    starting: bool,
}

impl desque::SimState<u64> for Pool {
    fn is_complete(&self, _now: &u64) -> bool {
        self.left == 0
    }
}

#[derive(Debug)]
struct Arrival;
#[derive(Debug)]
struct Departure {
    replica: usize,
    arrived: u64,
}
#[derive(Debug)]
struct Resize;
#[derive(Debug)]
struct Ready(usize);

type Sim = Simulation<Pool, u64>;

fn start(sim: &mut Sim, replica: usize, arrived: u64, now: u64) -> desque::Result {
    let pool = sim.state_mut();
    pool.waiting.record(SimDuration::from_nanos(now - arrived));
    pool.busy_area += pool.busy * (now - pool.changed);
    pool.changed = now;
    pool.busy += 1;
    pool.replicas[replica].running += 1;
    let demand = (pool.demands.exponential() * 1e8) as u64;
    sim.schedule(Departure { replica, arrived }, now + demand)
}

impl Event<Pool, u64> for Arrival {
    fn execute(&mut self, sim: &mut Sim) -> desque::Result {
        let now = *sim.current_time();
        let pool = sim.state_mut();
        let gap = pool.arrivals.exponential() * 1e9 / (pool.rate)(now / 1_000_000_000);
        pool.left -= 1;
        let load = |r: &Replica| r.running as usize + r.queue.len();
        let open = pool.replicas.iter().enumerate().filter(|(_, replica)| replica.ready);
        let chosen = open.min_by_key(|(_, replica)| load(replica)).map_or(0, |(index, _)| index);
        let idle = pool.replicas[chosen].running < pool.slots;
        if idle {
            start(sim, chosen, now, now)?;
        } else {
            pool.replicas[chosen].queue.push_back(now);
        }
        sim.schedule(Arrival, now + gap as u64)
    }
}

impl Event<Pool, u64> for Departure {
    fn execute(&mut self, sim: &mut Sim) -> desque::Result {
        let now = *sim.current_time();
        let pool = sim.state_mut();
        pool.sojourn.record(SimDuration::from_nanos(now - self.arrived));
        pool.busy_area += pool.busy * (now - pool.changed);
        pool.changed = now;
        pool.busy -= 1;
        let replica = &mut pool.replicas[self.replica];
        replica.running -= 1;
        match replica.queue.pop_front() {
            Some(arrived) => start(sim, self.replica, arrived, now),
            None => Ok(()),
        }
    }
}

impl Event<Pool, u64> for Ready {
    fn execute(&mut self, sim: &mut Sim) -> desque::Result {
        let replica = &mut sim.state_mut().replicas[self.0];
        if std::mem::take(&mut replica.starting) {
            replica.ready = true;
        }
        Ok(())
    }
}

impl Event<Pool, u64> for Resize {
    fn execute(&mut self, sim: &mut Sim) -> desque::Result {
        let now = *sim.current_time();
        let pool = sim.state_mut();
        pool.busy_area += pool.busy * (now - pool.changed);
        pool.changed = now;
        let ready = pool.replicas.iter().filter(|replica| replica.ready).count();
        let area = std::mem::take(&mut pool.busy_area);
        let ratio = area as f64 / (f64::from(pool.slots) * ready as f64 * 15e9) / 0.7;
        let mut new = Vec::new();
        if (ratio - 1.0).abs() > 0.1 {
            let desired = ((ready as f64 * ratio).ceil() as usize).clamp(2, 200);
            let present = pool.replicas.iter().filter(|replica| replica.ready || replica.starting).count();
            let unused = |r: &Replica| !r.ready && !r.starting && r.running == 0 && r.queue.is_empty();
            for _ in present..desired {
                let index = pool.replicas.iter().position(unused).unwrap_or_else(|| {
                    pool.replicas.push(Replica::default());
                    pool.replicas.len() - 1
                });
                pool.replicas[index].starting = true;
                new.push(index);
            }
            let mut surplus = present.saturating_sub(desired);
            for starting in [true, false] {
                for replica in pool.replicas.iter_mut().rev().filter(|r| if starting { r.starting } else { r.ready }) {
                    if surplus > 0 {
                        (replica.starting, replica.ready) = (false, false);
                        surplus -= 1;
                    }
                }
            }
        }
        for index in new {
            sim.schedule(Ready(index), now + 60_000_000_000)?;
        }
        sim.schedule(Resize, now + 15_000_000_000)
    }
}

fn desque_run(name: &str, requests: u64) -> Pool {
    let elastic = name == "W2";
    let (replicas, slots) = if elastic { (72, 4) } else { (1, 50) };
    let streams = Streams::new(1, 0);
    let rate: fn(u64) -> f64 = if elastic {
        |second| 2000.0 * (1.0 + 0.5 * (std::f64::consts::TAU * second as f64 / 1200.0).sin())
    } else {
        |_| 400.0
    };
    let pool = Pool {
        slots,
        replicas: vec![Replica { ready: true, ..Replica::default() }; replicas],
        arrivals: streams.running(Purpose::Arrival, 0),
        demands: streams.running(Purpose::Demand, 0),
        rate,
        elastic,
        left: requests,
        busy: 0,
        busy_area: 0,
        changed: 0,
        waiting: LatencyHistogram::new(),
        sojourn: LatencyHistogram::new(),
    };
    let mut sim = Simulation::new(pool, 0);
    let scheduled = sim.schedule(Arrival, 0).and_then(|()| match sim.state().elastic {
        true => sim.schedule(Resize, 15_000_000_000),
        false => Ok(()),
    });
    scheduled.and_then(|()| sim.run()).expect("the desque model runs");
    std::mem::replace(sim.state_mut(), desque_empty())
}

fn desque_empty() -> Pool {
    let draw = || Streams::new(0, 0).running(Purpose::Arrival, 0);
    Pool {
        slots: 0,
        replicas: Vec::new(),
        arrivals: draw(),
        demands: draw(),
        rate: |_| 0.0,
        elastic: false,
        left: 0,
        busy: 0,
        busy_area: 0,
        changed: 0,
        waiting: LatencyHistogram::new(),
        sojourn: LatencyHistogram::new(),
    }
}

fn timed<T>(run: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let value = run();
    (value, start.elapsed())
}

fn main() {
    let requests = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(5_000_000);
    println!("workload  engine ns  desque ns  ratio  mean wait ms (engine, desque)  mean sojourn ms");
    for workload in WORKLOADS {
        let mut rounds = Vec::new();
        let mut means = None;
        // Interleaved, so that load on the machine affects both alike; the median ratio counts.
        for _ in 0..5 {
            let (record, ours) = timed(|| {
                let simulation = plimsoll::engine::Simulation::new((workload.build)(requests, 1));
                simulation.and_then(|simulation| simulation.run(&mut |_| {})).expect("the engine runs")
            });
            let (pool, theirs) = timed(|| desque_run(workload.name, requests));
            let service = &record.services[0];
            rounds.push((
                ours.as_secs_f64() * 1e9 / service.counts.arrived as f64,
                theirs.as_secs_f64() * 1e9 / requests as f64,
            ));
            let millis = |h: &LatencyHistogram| h.mean_secs().unwrap_or(0.0) * 1e3;
            means = Some([&service.waiting, &pool.waiting, &service.sojourn, &pool.sojourn].map(millis));
        }
        rounds.sort_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
        let (ours, theirs) = rounds[rounds.len() / 2];
        let [wait, their_wait, sojourn, their_sojourn] = means.unwrap_or_default();
        println!(
            "{:8}  {ours:9.1}  {theirs:9.1}  {:5.2}  {wait:.4} {their_wait:.4}  {sojourn:.2} {their_sojourn:.2}",
            workload.name,
            ours / theirs
        );
    }
}
