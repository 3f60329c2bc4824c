//! Compares the engine with the crate `desque`, the fastest discrete-event library measured, on W1 and W2 in one run.
//!
//! `cargo bench --locked --bench versus_desque` prints CPU time per request for both, the ratio and its spread over the
//! rounds; `-- --check` fails if a ratio is above its limit in `benches/limits.csv`, which says how to set one;
//! `-- --repeat 20` repeats the whole measurement and shows how far its results scatter. The desque models are written
//! here the way a user of that crate would: boxed events, a histogram of waiting and sojourn time, a scan for the least
//! loaded replica. They record less than the engine does (no intervals, no objectives, no metrics pipeline).

use std::collections::VecDeque;
use std::process::ExitCode;
use std::time::Duration;

use desque::serial::{Event, Simulation};
use plimsoll::random::{Draw, Purpose, Streams};
use plimsoll::stats::LatencyHistogram;
use plimsoll::units::SimDuration;
use plimsoll::validate::benchmark::{WORKLOADS, Workload};

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

/// CPU time of this thread: what other programs do on the machine is not in it, except for the caches they share.
#[cfg(unix)]
fn now() -> Duration {
    let at = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(at.tv_sec as u64, at.tv_nsec as u32)
}

/// Without such a clock, the time since the first call.
#[cfg(not(unix))]
fn now() -> Duration {
    static FIRST: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    FIRST.get_or_init(std::time::Instant::now).elapsed()
}

fn timed<T>(run: impl FnOnce() -> T) -> (T, Duration) {
    let start = now();
    let value = run();
    (value, now() - start)
}

/// One measurement of a workload.
///
/// Other programs share the caches and the clock of the processor, so they lengthen CPU time too: by the same time per
/// request on either side, which moves the ratio up. The tenth of the rounds that were disturbed least is steadier than
/// the median of the pairs, by which both sides are disturbed alike but not by the same factor.
struct Measured {
    /// CPU ns per request of the engine and of desque: the tenth percentile of the rounds.
    nanos: [f64; 2],
    /// The engine's CPU time over desque's in each round, ordered.
    ratios: Vec<f64>,
    /// Mean wait and mean sojourn, in ms, of the engine and of desque: that they do the same work.
    means: [f64; 4],
}

impl Measured {
    fn ratio(&self) -> f64 {
        self.nanos[0] / self.nanos[1]
    }
}

fn quantile(ordered: &[f64], at: f64) -> f64 {
    ordered[((ordered.len() - 1) as f64 * at).round() as usize]
}

/// Short runs in turn, so that both sides meet the same quiet moments.
fn measure(workload: &Workload, requests: u64, rounds: usize) -> Measured {
    let (mut ours, mut theirs, mut ratios, mut means) = (Vec::new(), Vec::new(), Vec::new(), [0.0; 4]);
    // The first round only warms up.
    for round in 0..=rounds {
        let engine = || {
            timed(|| {
                let simulation = plimsoll::engine::Simulation::new(workload.run_spec(requests, 1).expect("a run"));
                simulation.and_then(|simulation| simulation.run(&mut |_| {})).expect("the engine runs")
            })
        };
        let desque = || timed(|| desque_run(workload.name, requests));
        let ((record, our_time), (pool, their_time)) = if round % 2 == 0 {
            let first = engine();
            (first, desque())
        } else {
            let first = desque();
            (engine(), first)
        };
        let service = &record.services[0];
        let millis = |histogram: &LatencyHistogram| histogram.mean_secs().unwrap_or(0.0) * 1e3;
        means = [&service.waiting, &pool.waiting, &service.sojourn, &pool.sojourn].map(millis);
        if round > 0 {
            let per = |time: Duration, requests: u64| time.as_secs_f64() * 1e9 / requests as f64;
            let pair = (per(our_time, service.counts.arrived), per(their_time, requests));
            ours.push(pair.0);
            theirs.push(pair.1);
            ratios.push(pair.0 / pair.1);
        }
    }
    [&mut ours, &mut theirs, &mut ratios].into_iter().for_each(|values| values.sort_by(f64::total_cmp));
    Measured { nanos: [ours, theirs].map(|times| quantile(&times, 0.1)), ratios, means }
}

fn show(workload: &Workload, measured: &Measured) {
    let [ours, theirs] = measured.nanos;
    let [wait, their_wait, sojourn, their_sojourn] = measured.means;
    let [low, middle, high] = [0.1, 0.5, 0.9].map(|at| quantile(&measured.ratios, at));
    println!(
        "{:8}  {ours:9.1}  {theirs:9.1}  {:5.3}  {low:.3} {middle:.3} {high:.3}  {wait:.4} {their_wait:.4}  \
         {sojourn:.2} {their_sojourn:.2}",
        workload.name,
        measured.ratio()
    );
}

/// The largest accepted ratio of a workload.
fn limit(workload: &str) -> f64 {
    let lines = include_str!("limits.csv").lines().filter(|line| !line.starts_with('#'));
    let found = lines.filter_map(|line| line.split_once(',')).find(|(name, _)| *name == workload);
    found.and_then(|(_, limit)| limit.parse().ok()).expect("benches/limits.csv has a limit for each workload")
}

/// How often a ratio above the limit is measured again: on a machine that is busy all the time, the first may mislead.
const ATTEMPTS: usize = 3;

fn is_within_limit(workload: &Workload, requests: u64, rounds: usize) -> bool {
    let limit = limit(workload.name);
    let good = (0..ATTEMPTS).any(|_| {
        let measured = measure(workload, requests, rounds);
        show(workload, &measured);
        measured.ratio() <= limit
    });
    let verdict = if good { "is within" } else { "IS ABOVE" };
    println!("{:8}  {verdict} the limit of {limit} (benches/limits.csv)", workload.name);
    good
}

/// The workloads that there is a model of in desque.
fn compared() -> impl Iterator<Item = &'static Workload> {
    WORKLOADS.iter().filter(|workload| ["W1", "W2"].contains(&workload.name))
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    let number = |name: &str, default: u64| {
        let at = words.iter().position(|word| word == name);
        at.and_then(|at| words.get(at + 1)).and_then(|word| word.parse().ok()).unwrap_or(default)
    };
    let (requests, rounds) = (number("--requests", 200_000), number("--rounds", 80) as usize);
    println!(
        "workload  engine ns  desque ns  ratio  p10 p50 p90 of pairs  mean wait ms (engine, desque)  mean sojourn ms"
    );
    if words.iter().any(|word| word == "--check") {
        let good: Vec<bool> = compared().map(|workload| is_within_limit(workload, requests, rounds)).collect();
        return if good.into_iter().all(|good| good) { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    for workload in compared() {
        let mut medians = Vec::new();
        for _ in 0..number("--repeat", 1) {
            let measured = measure(workload, requests, rounds);
            show(workload, &measured);
            medians.push(measured.ratio());
        }
        medians.sort_by(f64::total_cmp);
        let (low, middle, high) = (medians[0], quantile(&medians, 0.5), medians[medians.len() - 1]);
        println!(
            "{:8}  {} measurements: ratio {low:.3} to {high:.3}, median {middle:.3}",
            workload.name,
            medians.len()
        );
    }
    ExitCode::SUCCESS
}
