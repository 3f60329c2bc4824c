//! A second simulation, written from the rules only: one list of events that is searched linearly for the next one,
//! queues that are walked, no derived counters. It uses no random numbers.
//!
//! Order is by (time, rank, entity, sequence). A request takes its demand divided by the speed of its replica's node,
//! and uses its share of a core meanwhile. A replica's CPU has a ceiling, its limit or the cores of its node, whichever
//! is less; when its requests in service need more together, each progresses at ceiling / need of its pace. A request
//! whose work is done releases the CPU to the others at that time, and is answered at the first whole nanosecond that
//! is at most a millionth of a nanosecond earlier. The remaining work of each is kept in fractions of a nanosecond.
//! Each replica has its own FIFO queue. A draining replica finishes its requests; a killed one loses them, oldest
//! request first.

use std::collections::VecDeque;

use plimsoll::cluster::{DISPATCHERS, OnTimeout, PLACEMENTS};
use plimsoll::engine::{Fate as Ending, RequestCounts};
use plimsoll::random::Distribution;
use plimsoll::stats::LatencyHistogram;
use plimsoll::units::SimDuration;

use crate::random_scenario::{Case, Demand, PolicyCase, PoolCase, ServiceCase, target as target_share};

/// Nanoseconds.
type Ns = u64;

/// The compared results of a service.
#[derive(Debug, Default)]
pub struct Expected {
    pub counts: RequestCounts,
    pub waiting: LatencyHistogram,
    pub service: LatencyHistogram,
    pub sojourn: LatencyHistogram,
    pub replica_starts: u64,
    pub crashes: u64,
    pub warm_requests: u64,
    pub max_ready: u32,
    /// Arrived, completed, lost in each interval.
    pub rows: Vec<[u64; 3]>,
    /// The evaluation of each objective.
    pub judged: Vec<Judged>,
    /// Time integrals of ready replicas, busy slots and waiting requests.
    pub areas: [u128; 3],
}

/// Evaluation of the requests after the warm-up by an objective.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub struct Judged {
    pub good: u64,
    pub total: u64,
    pub overdue: u64,
    pub left_out: u64,
    /// Of the whole run.
    pub violation: Ns,
}

/// The life of a request.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Answered {
        at: Ns,
    },
    Lost {
        at: Ns,
    },
    /// The run ended first.
    Open,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    Pending,
    Scheduling,
    Pulling,
    Starting,
    Warming,
    Ready,
    Draining,
}

#[derive(Debug)]
struct Replica {
    id: u32,
    phase: Phase,
    /// Counts phases: events planned in an earlier one are void.
    epoch: u32,
    seat: Option<u32>,
    ready_since: Ns,
    crashes: u32,
    /// When its containers last restarted after a crash, and the number of consecutive crashes.
    started_again: Option<(Ns, u32)>,
    /// Index of its node.
    node: Option<usize>,
    served_before: bool,
    queue: VecDeque<usize>,
    /// In order of their start.
    running: Vec<usize>,
    /// Requests that have left the CPU, in that order.
    through: Vec<usize>,
    /// Time up to which the work on the running requests is accounted for.
    booked: Ns,
    lease: Option<usize>,
}

impl Replica {
    fn load(&self) -> usize {
        self.queue.len() + self.running.len()
    }
}

/// A service's image on a node: not requested yet, being pulled, or present.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Image {
    Absent,
    Coming,
    There,
}

#[derive(Debug, Clone, Copy)]
struct Attempt {
    request: usize,
    number: u8,
    arrival: Ns,
    offered: Ns,
    started: Ns,
    replica: u32,
    /// Remaining work, in fractions of a nanosecond alone on the node.
    left: i128,
    present: bool,
    abandoned: bool,
}

#[derive(Debug, Clone, Copy)]
enum What {
    Done { attempt: usize },
    Deadline { attempt: usize },
    Pulled { node: usize },
    Phase { replica: u32, epoch: u32 },
    GraceEnd { replica: u32, epoch: u32 },
    Crash { replica: u32, epoch: u32 },
    Retry { request: usize, number: u8 },
    Arrive { request: usize },
    Decide { turn: usize },
    Resize { size: u32 },
}

#[derive(Debug, Clone, Copy)]
struct Event {
    /// Time, rank, entity, sequence.
    key: (Ns, u8, u32, u64),
    service: usize,
    what: What,
}

struct Service<'a> {
    case: &'a ServiceCase,
    policy: (Ns, &'a [u32]),
    arrivals: Vec<Ns>,
    replicas: Vec<Replica>,
    attempts: Vec<Attempt>,
    next_id: u32,
    wanted: u32,
    /// By node.
    images: Vec<Image>,
    tokens: u32,
    /// The seat whose turn it is in round robin.
    turn: Option<u32>,
    pending_retries: Vec<Ns>,
    /// Counts of the requests that have arrived.
    fates: Vec<Fate>,
    found: Expected,
}

/// The whole cluster.
pub struct Reference<'a> {
    case: &'a Case,
    now: Ns,
    sequence: u64,
    events: Vec<Event>,
    services: Vec<Service<'a>>,
    /// Start and end of every lease of a replica.
    leases: Vec<(Ns, Option<Ns>)>,
}

const MS: Ns = 1_000_000;
/// Parts of a nanosecond.
const PARTS: i128 = 1 << 50;
const MILLIONTH: i128 = PARTS / 1_000_000;

/// Runs the first variant of `case`; returns the expected results of each service, and of the leases.
pub fn run(case: &Case) -> (Vec<Expected>, Vec<(Ns, Ns)>) {
    let mut reference = Reference {
        case,
        now: 0,
        sequence: 0,
        events: Vec::new(),
        services: (0..case.services.len()).map(|number| Service::new(case, number)).collect(),
        leases: Vec::new(),
    };
    reference.begin();
    while let Some(event) = reference.next() {
        reference.integrate(event.key.0);
        reference.handle(event.service, event.what);
        reference.note_ready();
    }
    reference.integrate(case.end * MS);
    reference.finish()
}

impl<'a> Service<'a> {
    fn new(case: &'a Case, number: usize) -> Self {
        let PolicyCase::Sizes { every, sizes } = &case.variants[0][number] else {
            unreachable!("exact cases list sizes")
        };
        let rows = case.end.div_ceil(case.interval) as usize;
        Service {
            case: &case.services[number],
            policy: (every * MS, sizes),
            arrivals: case.arrivals(number).iter().map(|time| time.as_nanos()).collect(),
            replicas: Vec::new(),
            attempts: Vec::new(),
            next_id: 0,
            wanted: case.services[number].replicas,
            images: vec![Image::Absent; nodes(case).len()],
            tokens: 0,
            turn: None,
            pending_retries: Vec::new(),
            fates: Vec::new(),
            found: Expected { rows: vec![[0; 3]; rows], ..Expected::default() },
        }
    }

    fn demand(&self, request: usize) -> Ns {
        let Demand::Listed(demands) = &self.case.demand else { unreachable!("exact cases list demands") };
        demands[request % demands.len()] * MS
    }

    fn delay(&self, number: usize) -> Ns {
        constant(&self.case.start_up[number])
    }

    fn replica(&mut self, id: u32) -> Option<&mut Replica> {
        self.replicas.iter_mut().find(|replica| replica.id == id)
    }

    /// Seats of the ready replicas, in order.
    fn open_seats(&self) -> Vec<u32> {
        let ready = self.replicas.iter().filter(|replica| replica.phase == Phase::Ready);
        let mut seats: Vec<u32> = ready.filter_map(|replica| replica.seat).collect();
        seats.sort();
        seats
    }

    fn lowest_free_seat(&self) -> u32 {
        (0..).find(|seat| self.replicas.iter().all(|replica| replica.seat != Some(*seat))).unwrap()
    }

    /// The seat after `seat` in round robin.
    fn following(&self, seat: u32) -> Option<u32> {
        let open = self.open_seats();
        open.iter().copied().find(|other| *other > seat).or(open.first().copied())
    }

    /// The replica for the next request.
    fn choose(&mut self) -> Option<&mut Replica> {
        let seat = if DISPATCHERS[self.case.dispatch].name == "round-robin" {
            let seat = self.turn?;
            self.turn = self.following(seat);
            seat
        } else {
            let ready = self.replicas.iter().filter(|replica| replica.phase == Phase::Ready);
            ready.min_by_key(|replica| (replica.load(), replica.seat)).and_then(|replica| replica.seat)?
        };
        self.replicas.iter_mut().find(|replica| replica.seat == Some(seat))
    }

    /// Removes a replica from those that take requests; must be called while it is still ready.
    fn close(&mut self, id: u32) {
        let seat = self.replica(id).and_then(|replica| replica.seat);
        if let Some(seat) = seat.filter(|seat| self.turn == Some(*seat)) {
            self.turn = self.following(seat).filter(|next| *next != seat);
        }
    }
}

fn constant(distribution: &Distribution) -> Ns {
    let Distribution::Constant { value } = distribution else { unreachable!("exact cases have constant delays") };
    SimDuration::from_secs_f64(*value).unwrap().as_nanos()
}

/// The nodes: those of the first pool, then those of the next.
fn nodes(case: &Case) -> Vec<PoolCase> {
    let pools = case.nodes.iter().flat_map(|nodes| &nodes.pools);
    pools.flat_map(|pool| vec![*pool; pool.count as usize]).collect()
}

impl Reference<'_> {
    fn push(&mut self, service: usize, at: Ns, what: What) {
        let (rank, entity) = match what {
            What::Done { attempt } => {
                let id = self.services[service].attempts[attempt].replica;
                (0, self.services[service].replica(id).unwrap().seat.unwrap())
            }
            What::Deadline { .. } => (1, 0),
            What::Pulled { .. } => (2, 0),
            What::Phase { replica, .. } | What::GraceEnd { replica, .. } | What::Crash { replica, .. } => (3, replica),
            What::Retry { .. } => (4, 0),
            What::Arrive { .. } => (5, 0),
            What::Decide { .. } => (6, service as u32),
            What::Resize { .. } => (7, service as u32),
        };
        self.sequence += 1;
        self.events.push(Event { key: (at, rank, entity, self.sequence), service, what });
    }

    fn next(&mut self) -> Option<Event> {
        let first = (0..self.events.len()).min_by_key(|index| self.events[*index].key)?;
        (self.events[first].key.0 < self.case.end * MS).then(|| self.events.swap_remove(first))
    }

    /// Advances time; nothing changes in between.
    fn integrate(&mut self, until: Ns) {
        for service in &mut self.services {
            let count = |of: &dyn Fn(&Replica) -> usize| service.replicas.iter().map(of).sum::<usize>() as u128;
            let levels = [
                count(&|replica| usize::from(replica.phase == Phase::Ready)),
                count(&|replica| replica.running.len()),
                count(&|replica| replica.queue.len()),
            ];
            for (area, level) in service.found.areas.iter_mut().zip(levels) {
                *area += level * u128::from(until - self.now);
            }
        }
        self.now = until;
    }

    fn note_ready(&mut self) {
        for service in &mut self.services {
            service.found.max_ready = service.found.max_ready.max(service.open_seats().len() as u32);
        }
    }

    fn begin(&mut self) {
        for service in 0..self.services.len() {
            for _ in 0..self.services[service].wanted {
                let id = self.create(service);
                if self.place(service, id) {
                    if let Some(node) = self.services[service].replica(id).unwrap().node {
                        self.services[service].images[node] = Image::There;
                    }
                    self.become_ready(service, id);
                }
            }
            self.services[service].found.replica_starts = 0;
            for request in 0..self.services[service].arrivals.len() {
                self.push(service, self.services[service].arrivals[request], What::Arrive { request });
            }
            self.push(service, self.services[service].policy.0, What::Decide { turn: 0 });
        }
        self.note_ready();
    }

    fn handle(&mut self, service: usize, what: What) {
        match what {
            What::Done { attempt } => self.done(service, attempt),
            What::Deadline { attempt } => self.deadline(service, attempt),
            What::Pulled { node } => self.pulled(service, node),
            What::Phase { replica, epoch } if self.valid(service, replica, epoch) => self.next_phase(service, replica),
            What::GraceEnd { replica, epoch } if self.valid(service, replica, epoch) => {
                self.kill(service, replica);
                self.end(service, replica);
                self.place_pending();
            }
            What::Crash { replica, epoch } if self.valid(service, replica, epoch) => self.crash(service, replica),
            What::Phase { .. } | What::GraceEnd { .. } | What::Crash { .. } => {}
            What::Retry { request, number } => {
                let Service { pending_retries, arrivals, .. } = &mut self.services[service];
                let place = pending_retries.iter().position(|arrival| *arrival == arrivals[request]).unwrap();
                pending_retries.swap_remove(place);
                self.offer(service, request, number);
            }
            What::Arrive { request } => {
                let counted = self.counted(self.now);
                let row = self.row();
                let target = &mut self.services[service];
                assert_eq!(target.fates.len(), request, "requests come in order");
                target.fates.push(Fate::Open);
                target.found.rows[row][0] += 1;
                target.found.counts.arrived += counted;
                if let Some(retry) = &target.case.retry {
                    // Hundredths of a retry: each new request adds the budget's share, up to the reserve.
                    target.tokens = (target.tokens + retry.budget_percent).min(100 * retry.reserve);
                }
                self.offer(service, request, 0);
            }
            What::Decide { turn } => {
                let (every, sizes) = self.services[service].policy;
                let size = sizes[turn % sizes.len()];
                if size != self.services[service].wanted {
                    self.push(service, self.now, What::Resize { size });
                }
                self.push(service, self.now + every, What::Decide { turn: turn + 1 });
            }
            What::Resize { size } => self.resize(service, size),
        }
    }

    fn counted(&self, arrival: Ns) -> u64 {
        u64::from(arrival >= self.case.warm_up * MS)
    }

    fn row(&self) -> usize {
        (self.now / (self.case.interval * MS)) as usize
    }

    fn valid(&mut self, service: usize, id: u32, epoch: u32) -> bool {
        self.services[service].replica(id).is_some_and(|replica| replica.epoch == epoch)
    }

    // Requests.

    fn offer(&mut self, service: usize, request: usize, number: u8) {
        let now = self.now;
        let target = &mut self.services[service];
        let (arrival, attempt, case) = (target.arrivals[request], target.attempts.len(), target.case);
        let Some(replica) = target.choose() else { return self.lose(service, request, number, Ending::Rejected) };
        let free = replica.running.len() < case.concurrency as usize;
        if !free && replica.queue.len() >= case.queue_limit as usize {
            return self.lose(service, request, number, Ending::Rejected);
        }
        let id = replica.id;
        replica.queue.push_back(attempt);
        let blank = Attempt {
            request,
            number,
            arrival,
            offered: now,
            started: now,
            replica: id,
            left: 0,
            present: true,
            abandoned: false,
        };
        target.attempts.push(blank);
        self.start_waiting(service, id);
        if let Some((after, _)) = case.timeout {
            self.push(service, now + after * MS, What::Deadline { attempt });
        }
    }

    /// Starts every request that can start.
    fn start_waiting(&mut self, service: usize, id: u32) {
        let target = &mut self.services[service];
        let concurrency = target.case.concurrency as usize;
        let replica = target.replica(id).unwrap();
        if replica.running.len() == concurrency || replica.queue.is_empty() {
            return;
        }
        self.book(service, id);
        let target = &mut self.services[service];
        let replica = target.replica(id).unwrap();
        let attempt = replica.queue.pop_front().unwrap();
        replica.running.push(attempt);
        target.attempts[attempt].started = self.now;
        let demand = target.demand(target.attempts[attempt].request);
        let speed = self.machine(service, id).map_or(1.0, |machine| machine.speed);
        self.services[service].attempts[attempt].left = (demand as f64 / speed).round() as i128 * PARTS;
        self.plan_end(service, id);
    }

    fn machine(&self, service: usize, id: u32) -> Option<PoolCase> {
        let node = self.services[service].replicas.iter().find(|replica| replica.id == id)?.node?;
        Some(self.case.machines()[node])
    }

    /// Runs the CPU of a replica for a number of fractions of a nanosecond.
    fn compute(&mut self, service: usize, id: u32, mut time: i128) {
        let ceiling =
            self.services[service].case.ceiling_millis(self.machine(service, id).map(|machine| machine.core_millis));
        let share = i128::from(self.services[service].case.share_millis);
        let Service { replicas, attempts, .. } = &mut self.services[service];
        let replica = replicas.iter_mut().find(|replica| replica.id == id).unwrap();
        loop {
            let busy: Vec<usize> = replica.running.iter().copied().filter(|n| !replica.through.contains(n)).collect();
            let Some(first) = busy.iter().copied().min_by_key(|attempt| attempts[*attempt].left) else { return };
            let need = busy.len() as i128 * share;
            let (pace, of) = match ceiling.map(i128::from) {
                Some(ceiling) if need > ceiling => (ceiling, need),
                _ => (1, 1),
            };
            let (left, takes) = (attempts[first].left, (attempts[first].left * of + pace - 1) / pace);
            if takes > time + MILLIONTH {
                busy.iter().for_each(|attempt| attempts[*attempt].left -= time * pace / of);
                return;
            }
            busy.iter().for_each(|attempt| attempts[*attempt].left -= left);
            replica.through.push(first);
            time = (time - takes).max(0);
        }
    }

    /// Accounts for the work since the last change of a replica.
    fn book(&mut self, service: usize, id: u32) {
        let now = self.now;
        let replica = self.services[service].replica(id).unwrap();
        let time = i128::from(now - std::mem::replace(&mut replica.booked, now)) * PARTS;
        if time > 0 {
            self.compute(service, id, time);
        }
    }

    /// Plans the next completion of a replica, replacing the planned one.
    fn plan_end(&mut self, service: usize, id: u32) {
        let attempts = &self.services[service].attempts;
        self.events.retain(|event| match event.what {
            What::Done { attempt } => event.service != service || attempts[attempt].replica != id,
            _ => true,
        });
        // A finished request is answered now; otherwise the time of the next completion is tried.
        let replica = self.services[service].replica(id).unwrap();
        if let Some(attempt) = replica.through.first().copied() {
            return self.push(service, self.now, What::Done { attempt });
        }
        let running = replica.running.clone();
        let case = self.services[service].case;
        let attempts = &self.services[service].attempts;
        let Some(attempt) = running.iter().copied().min_by_key(|attempt| attempts[*attempt].left) else { return };
        let need = running.len() as i128 * i128::from(case.share_millis);
        let ceiling = case.ceiling_millis(self.machine(service, id).map(|machine| machine.core_millis));
        let takes = match ceiling.map(i128::from) {
            Some(ceiling) if need > ceiling => (attempts[attempt].left * need + ceiling - 1) / ceiling,
            _ => attempts[attempt].left,
        };
        let wait = ((takes - MILLIONTH).max(0) + PARTS - 1) / PARTS;
        self.push(service, self.now + wait as Ns, What::Done { attempt });
    }

    /// Removes an attempt from its replica.
    fn remove(&mut self, service: usize, attempt: usize) {
        let target = &mut self.services[service];
        let id = target.attempts[attempt].replica;
        target.attempts[attempt].present = false;
        self.book(service, id);
        let replica = self.services[service].replica(id).unwrap();
        replica.queue.retain(|other| *other != attempt);
        replica.running.retain(|other| *other != attempt);
        replica.through.retain(|other| *other != attempt);
        self.plan_end(service, id);
    }

    /// After an attempt has left: the next one starts, or the replica has drained.
    fn go_on(&mut self, service: usize, id: u32) {
        self.start_waiting(service, id);
        let replica = self.services[service].replica(id).unwrap();
        if replica.phase == Phase::Draining && replica.load() == 0 {
            self.end(service, id);
            self.place_pending();
        }
    }

    fn done(&mut self, service: usize, attempt: usize) {
        let job = self.services[service].attempts[attempt];
        if !job.present {
            return;
        }
        self.remove(service, attempt);
        let (row, counted) = (self.row(), self.counted(job.arrival));
        let target = &mut self.services[service];
        let replica = target.replica(job.replica).unwrap();
        let warm = std::mem::replace(&mut replica.served_before, true);
        if !job.abandoned {
            target.fates[job.request] = Fate::Answered { at: self.now };
            target.found.rows[row][1] += 1;
            target.found.counts[Ending::Completed] += counted;
            target.found.warm_requests += counted * u64::from(warm);
            if counted == 1 {
                let of = SimDuration::from_nanos;
                target.found.waiting.record(of(job.started - job.offered));
                target.found.service.record(of(self.now - job.started));
                target.found.sojourn.record(of(self.now - job.arrival));
            }
        }
        self.go_on(service, job.replica);
    }

    fn deadline(&mut self, service: usize, attempt: usize) {
        let job = self.services[service].attempts[attempt];
        let waits = self.services[service].replica(job.replica).is_some_and(|r| r.queue.contains(&attempt));
        let work = self.services[service].case.timeout.unwrap().1;
        if !job.present || (work == OnTimeout::CancelWaiting && !waits) {
            return;
        }
        if work == OnTimeout::Finish {
            self.services[service].attempts[attempt].abandoned = true;
        } else {
            self.remove(service, attempt);
            self.go_on(service, job.replica);
        }
        self.lose(service, job.request, job.number, Ending::TimedOut);
    }

    fn lose(&mut self, service: usize, request: usize, number: u8, ending: Ending) {
        let (row, counted) = (self.row(), self.counted(self.services[service].arrivals[request]));
        let target = &mut self.services[service];
        match target.case.retry {
            Some(retry) if number + 1 < retry.attempts && target.tokens >= 100 => {
                target.tokens -= 100;
                target.found.counts.retries += counted;
                target.pending_retries.push(target.arrivals[request]);
                let backoff = (retry.backoff << number).min(retry.max_backoff) * MS;
                self.push(service, self.now + backoff, What::Retry { request, number: number + 1 });
            }
            _ => {
                target.fates[request] = Fate::Lost { at: self.now };
                target.found.rows[row][2] += 1;
                target.found.counts[ending] += counted;
            }
        }
    }

    // Replicas.

    fn create(&mut self, service: usize) -> u32 {
        let target = &mut self.services[service];
        let id = target.next_id;
        target.next_id += 1;
        target.replicas.push(Replica {
            id,
            phase: Phase::Pending,
            epoch: 0,
            seat: None,
            ready_since: 0,
            crashes: 0,
            started_again: None,
            node: None,
            served_before: false,
            queue: VecDeque::new(),
            running: Vec::new(),
            through: Vec::new(),
            booked: 0,
            lease: None,
        });
        id
    }

    /// Places a pending replica on a node, if one has room for it.
    fn place(&mut self, service: usize, id: u32) -> bool {
        let node = self.choose_node(service);
        if self.case.nodes.is_some() && node.is_none() {
            return false;
        }
        self.leases.push((self.now, None));
        let lease = self.leases.len() - 1;
        let replica = self.services[service].replica(id).unwrap();
        replica.lease = Some(lease);
        replica.node = node;
        self.enter(service, id, Phase::Scheduling);
        true
    }

    /// Of the nodes with room, the one with the highest score, the first among equals. The score is the mean of the
    /// whole per cent of CPU and of memory that would be free with the pod or, for bin packing, allocated.
    fn choose_node(&self, service: usize) -> Option<usize> {
        let packs = self.case.nodes.as_ref().is_some_and(|nodes| PLACEMENTS[nodes.placement].name == "most-allocated");
        let mut best: Option<(usize, u64)> = None;
        for (number, node) in nodes(self.case).iter().enumerate() {
            let (mut pods, mut cpu) = (1, self.services[service].case.cpu_millis);
            for other in &self.services {
                let here = other.replicas.iter().filter(|replica| replica.node == Some(number)).count() as u64;
                pods += here;
                cpu += here * other.case.cpu_millis;
            }
            if pods > u64::from(node.pods) || cpu > node.cpu_millis {
                continue;
            }
            // 64 MiB of a tebibyte for each.
            let shares = [(cpu, node.cpu_millis), (pods * 64, 1 << 20)].map(|(taken, whole)| match packs {
                true => taken * 100 / whole,
                false => (whole - taken) * 100 / whole,
            });
            let score = (shares[0] + shares[1]) / 2;
            if best.is_none_or(|(_, most)| score > most) {
                best = Some((number, score));
            }
        }
        best.map(|(number, _)| number)
    }

    /// The image has arrived on a node: all replicas that wait for it there proceed.
    fn pulled(&mut self, service: usize, node: usize) {
        let target = &mut self.services[service];
        target.images[node] = Image::There;
        let waits = |replica: &&Replica| replica.phase == Phase::Pulling && replica.node == Some(node);
        let waiting: Vec<(u32, u32)> = target.replicas.iter().filter(waits).map(|r| (r.id, r.epoch)).collect();
        for (replica, epoch) in waiting {
            self.push(service, self.now, What::Phase { replica, epoch });
        }
    }

    /// Enters a phase of starting up and plans its end.
    fn enter(&mut self, service: usize, id: u32, phase: Phase) {
        let target = &mut self.services[service];
        let delays = [0, 1, 2, 3].map(|number| target.delay(number));
        let replica = target.replica(id).unwrap();
        replica.phase = phase;
        replica.epoch += 1;
        let epoch = replica.epoch;
        let node = replica.node;
        let delay = match (phase, node) {
            // Without nodes each replica is on a fresh machine.
            (Phase::Pulling, None) => delays[1],
            (Phase::Pulling, Some(node)) => match std::mem::replace(&mut target.images[node], Image::Coming) {
                Image::Absent => return self.push(service, self.now + delays[1], What::Pulled { node }),
                Image::Coming => return,
                Image::There => {
                    target.images[node] = Image::There;
                    0
                }
            },
            (Phase::Scheduling, _) => delays[0],
            (Phase::Starting, _) => delays[2],
            (Phase::Warming, _) => delays[3],
            (Phase::Pending | Phase::Ready | Phase::Draining, _) => return,
        };
        self.push(service, self.now + delay, What::Phase { replica: id, epoch });
    }

    fn next_phase(&mut self, service: usize, id: u32) {
        let phase = self.services[service].replica(id).unwrap().phase;
        match phase {
            Phase::Scheduling => self.enter(service, id, Phase::Pulling),
            Phase::Pulling => self.enter(service, id, Phase::Starting),
            Phase::Starting => self.enter(service, id, Phase::Warming),
            _ => self.become_ready(service, id),
        }
    }

    fn become_ready(&mut self, service: usize, id: u32) {
        self.enter(service, id, Phase::Ready);
        let (now, target) = (self.now, &mut self.services[service]);
        let seat = target.lowest_free_seat();
        target.found.replica_starts += 1;
        target.turn = target.turn.or(Some(seat));
        let replica = target.replica(id).unwrap();
        replica.seat = Some(seat);
        replica.ready_since = now;
        replica.served_before = false;
        let epoch = replica.epoch;
        if let Some(crash) = &target.case.crash {
            let at = now + constant(crash);
            self.push(service, at, What::Crash { replica: id, epoch });
        }
    }

    fn resize(&mut self, service: usize, size: u32) {
        self.services[service].wanted = size;
        let active = |replica: &&Replica| replica.phase != Phase::Draining;
        let present = self.services[service].replicas.iter().filter(active).count();
        for _ in present..size as usize {
            let id = self.create(service);
            self.place(service, id);
        }
        // Removed first: without a node, not yet running, running but not ready, ready; then the one with the most
        // active replicas of the service on its node; of ready ones the one that became ready last; then the one that
        // crashed more often, then the newest.
        let mut candidates: Vec<&Replica> = self.services[service].replicas.iter().filter(active).collect();
        let nodes: Vec<usize> = candidates.iter().filter_map(|replica| replica.node).collect();
        candidates.sort_by_key(|replica| {
            let together = nodes.iter().filter(|node| replica.node == Some(**node)).count();
            let class = match replica.phase {
                Phase::Pending => 0,
                Phase::Ready => 3,
                Phase::Warming => 2,
                _ => 1 + u8::from(replica.crashes > 0),
            };
            let ready_since = if class == 3 { replica.ready_since } else { 0 };
            std::cmp::Reverse((3 - class, together, ready_since, replica.crashes, replica.id))
        });
        let surplus = present.saturating_sub(size as usize);
        let doomed: Vec<u32> = candidates.iter().take(surplus).map(|replica| replica.id).collect();
        doomed.into_iter().for_each(|id| self.give_up(service, id));
        self.place_pending();
    }

    fn give_up(&mut self, service: usize, id: u32) {
        let now = self.now;
        let target = &mut self.services[service];
        if target.replica(id).unwrap().phase != Phase::Ready {
            return self.end(service, id);
        }
        target.close(id);
        self.enter(service, id, Phase::Draining);
        let target = &mut self.services[service];
        let grace = target.case.grace * MS;
        let replica = target.replica(id).unwrap();
        let epoch = replica.epoch;
        if replica.load() == 0 {
            self.end(service, id);
        } else {
            self.push(service, now + grace, What::GraceEnd { replica: id, epoch });
        }
    }

    fn kill(&mut self, service: usize, id: u32) {
        let target = &mut self.services[service];
        if target.replica(id).unwrap().phase == Phase::Ready {
            target.close(id);
        }
        let attempts = &target.attempts;
        let mut held: Vec<usize> =
            (0..attempts.len()).filter(|n| attempts[*n].present && attempts[*n].replica == id).collect();
        held.sort_by_key(|attempt| attempts[*attempt].request);
        held.iter().for_each(|attempt| self.remove(service, *attempt));
        for attempt in held {
            let job = self.services[service].attempts[attempt];
            if !job.abandoned {
                self.lose(service, job.request, job.number, Ending::Failed);
            }
        }
    }

    fn crash(&mut self, service: usize, id: u32) {
        self.kill(service, id);
        let (now, target) = (self.now, &mut self.services[service]);
        target.found.crashes += 1;
        let replica = target.replica(id).unwrap();
        replica.crashes += 1;
        replica.seat = None;
        // The kubelet restarts it at once, unless it crashed within ten minutes of such a restart: the n-th crash in a
        // row waits 10 s, 20 s, 40 s and so on, at most 5 min.
        const SECOND: Ns = 1_000_000_000;
        let in_a_row = replica.started_again.filter(|(at, _)| now - at <= 600 * SECOND).map_or(0, |(_, n)| n + 1);
        let wait = [0, 10, 20, 40, 80, 160].get(in_a_row as usize).copied().unwrap_or(300) * SECOND;
        replica.started_again = Some((now + wait, in_a_row));
        (replica.phase, replica.epoch) = (Phase::Starting, replica.epoch + 1);
        let epoch = replica.epoch;
        let started = now + wait + target.delay(2);
        self.push(service, started, What::Phase { replica: id, epoch });
    }

    fn end(&mut self, service: usize, id: u32) {
        let replicas = &mut self.services[service].replicas;
        let index = replicas.iter().position(|replica| replica.id == id).unwrap();
        if let Some(lease) = replicas.remove(index).lease {
            self.leases[lease].1 = Some(self.now);
        }
    }

    /// Retries the placement of pending replicas, in order of service and age.
    fn place_pending(&mut self) {
        for service in 0..self.services.len() {
            let pending = |replica: &&Replica| replica.phase == Phase::Pending;
            let ids: Vec<u32> =
                self.services[service].replicas.iter().filter(pending).map(|replica| replica.id).collect();
            for id in ids {
                self.place(service, id);
            }
        }
    }

    /// A request answered in time is good; a request lost or answered late is bad at that time. An unanswered request
    /// is bad if it is older than a limit, at the time when it passed the limit; younger ones are not counted. For a
    /// latency objective it is that limit, for availability the longest of the latency limits and the client's
    /// time-out.
    fn judge(&self, service: usize, limit: Option<u64>) -> Judged {
        let (end, length) = (self.case.end * MS, self.case.interval * MS);
        let target = &self.services[service];
        let patience = target.case.timeout.map(|(after, _)| after);
        let longest = self.case.objectives.iter().flatten().copied().chain(patience).max();
        let waits = limit.or(longest).map(|ms| ms * MS);
        let mut judged = Judged::default();
        // Good and bad requests of each interval.
        let mut rows = vec![(0, 0); target.found.rows.len()];
        for (request, fate) in target.fates.iter().enumerate() {
            let arrival = target.arrivals[request];
            let counted = self.counted(arrival);
            let (good, at) = match *fate {
                Fate::Answered { at } => (limit.is_none_or(|ms| at - arrival <= ms * MS), at),
                Fate::Lost { at } => (false, at),
                Fate::Open => match waits.map(|waits| arrival + waits).filter(|stopped| *stopped < end) {
                    Some(stopped) => {
                        judged.overdue += counted;
                        (false, stopped)
                    }
                    None => {
                        judged.left_out += counted;
                        continue;
                    }
                },
            };
            judged.total += counted;
            judged.good += counted * u64::from(good);
            let row = &mut rows[(at / length) as usize];
            if good { row.0 += 1 } else { row.1 += 1 }
        }
        let share = target_share(limit);
        for (number, (good, bad)) in rows.into_iter().enumerate() {
            let start = number as u64 * length;
            if good + bad > 0 && f64::from(good) / f64::from(good + bad) < share {
                judged.violation += length.min(end - start);
            }
        }
        judged
    }

    fn finish(mut self) -> (Vec<Expected>, Vec<(Ns, Ns)>) {
        let (warm_up, end) = (self.case.warm_up * MS, self.case.end * MS);
        for service in 0..self.services.len() {
            let judged = self.case.objectives.iter().map(|limit| self.judge(service, *limit)).collect();
            self.services[service].found.judged = judged;
        }
        for service in &mut self.services {
            let live = service.attempts.iter().filter(|attempt| attempt.present && !attempt.abandoned);
            let waiting = service.pending_retries.iter().copied();
            let in_flight = live.map(|attempt| attempt.arrival).chain(waiting).filter(|arrival| *arrival >= warm_up);
            service.found.counts[Ending::InFlight] = in_flight.count() as u64;
        }
        let leases = self.leases.iter().map(|(start, lease_end)| (*start, lease_end.unwrap_or(end))).collect();
        (self.services.into_iter().map(|service| service.found).collect(), leases)
    }
}
