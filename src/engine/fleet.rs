//! The replicas of one service and their life cycle: created, placed, started, ready, drained, crashed, ended.

use super::calendar::{Event, EventCalendar};
use super::fault::Zones;
use super::lane::{LOBBY, LaneControl};
use super::powers::Powers;
use super::spec::ReplicaLease;
use crate::billing::LeaseBook;
use crate::cluster::{Nodes, PodRequest, Replica, ReplicaPhase, ReplicaSets, ServiceSpec};
use crate::platform::{Candidate, Crowd, Platform};
use crate::policy::ReplicaView;
use crate::random::{Purpose, Streams};
use crate::stats::TimeWeighted;
use crate::units::{SimDuration, SimTime, UsdPerHour};

/// Minimum time from readiness to a crash. Without it, start-ups that take no time could keep the clock from advancing.
const SHORTEST_LIFE: SimDuration = SimDuration::from_millis(1);

/// State shared by the fleets of all services.
pub(super) struct Shared {
    pub calendar: EventCalendar,
    /// The node pools; `None` where replicas are leased without nodes.
    pub nodes: Option<Nodes>,
    pub leases: LeaseBook,
    pub streams: Streams,
    /// Zones, and which of them are lost.
    pub zones: Zones,
    /// Incremented whenever a pod is created or ends.
    pub pod_changes: u64,
}

/// The replicas of one service.
pub(super) struct Fleet {
    pub service: u32,
    pub spec: ServiceSpec,
    lease: Option<ReplicaLease>,
    /// What runs the replicas.
    pub platform: Box<dyn Platform>,
    /// Whether the starts that requests cause are charged for.
    pub bills_starts: bool,
    /// Whether replicas that requests start are leased too.
    pub leases_extra: bool,
    /// Current replicas, ordered by id.
    pub replicas: Vec<Replica>,
    /// The power of a replica, by node.
    pub powers: Powers,
    next_id: u32,
    /// The desired number of replicas of each version.
    sets: ReplicaSets,
    /// The image of each version.
    images: Vec<u32>,
    free_seats: Vec<u32>,
    seats: u32,
    pub wanted: TimeWeighted,
    /// Replicas that were started for requests, beyond the desired size.
    pub extra: TimeWeighted,
    pub ready: TimeWeighted,
    /// Replicas that may hold requests: ready or draining.
    pub serving: TimeWeighted,
    pub starting: TimeWeighted,
    pub leased: TimeWeighted,
    /// Replicas from placement to end, whether priced or not.
    pub present: TimeWeighted,
    pub replica_starts: u64,
    pub crashes: u64,
    /// Current number of replicas: ready, draining, starting, leased.
    now_ready: u64,
    now_draining: u64,
    now_starting: u64,
    /// Starting replicas that wait for a node.
    now_pending: u64,
    now_lost: u64,
    now_leased: u64,
    /// Replicas in each zone, if they do not run on nodes.
    in_zone: Vec<u32>,
    /// Scale-ups in progress: (desired size, since).
    scale_ups_in_progress: Vec<(u32, SimTime)>,
    /// Duration in seconds of completed scale-ups.
    pub to_capacity: crate::stats::Running,
}

impl Fleet {
    pub(super) fn new(
        service: u32,
        spec: ServiceSpec,
        lease: Option<ReplicaLease>,
        platform: Box<dyn Platform>,
        powers: Powers,
    ) -> Self {
        // Held requests have a seat of their own.
        let seats = if platform.ingress().hold().is_none() { 0 } else { LOBBY + 1 };
        Fleet {
            service,
            spec,
            powers,
            lease,
            platform,
            bills_starts: false,
            leases_extra: true,
            replicas: Vec::new(),
            next_id: 0,
            sets: ReplicaSets::new(0),
            images: vec![0],
            free_seats: Vec::new(),
            seats,
            wanted: TimeWeighted::default(),
            extra: TimeWeighted::default(),
            ready: TimeWeighted::default(),
            serving: TimeWeighted::default(),
            starting: TimeWeighted::default(),
            leased: TimeWeighted::default(),
            present: TimeWeighted::default(),
            replica_starts: 0,
            crashes: 0,
            now_ready: 0,
            now_draining: 0,
            now_starting: 0,
            now_pending: 0,
            now_lost: 0,
            now_leased: 0,
            in_zone: Vec::new(),
            scale_ups_in_progress: Vec::new(),
            to_capacity: crate::stats::Running::new(),
        }
    }

    /// Creates the initial replicas. They are ready at once if a node has room; the others wait and start up like any
    /// other replica.
    pub(super) fn populate(&mut self, count: u32, lane: &mut dyn LaneControl, shared: &mut Shared) {
        self.wanted = TimeWeighted::new(u64::from(count), SimTime::ZERO);
        self.sets = ReplicaSets::new(count);
        for _ in 0..count {
            let index = self.create(0, SimTime::ZERO, shared);
            self.replicas[index].burns = false;
            let delays = std::mem::replace(&mut self.replicas[index].delays, [SimDuration::ZERO; 4]);
            if self.place(index, SimTime::ZERO, shared) {
                while self.replicas[index].phase != ReplicaPhase::Ready {
                    self.enter_next_phase(index, SimTime::ZERO, lane, shared);
                }
            } else {
                self.replicas[index].delays = delays;
                self.replicas[index].burns = true;
            }
        }
        self.replica_starts = 0;
        self.count(SimTime::ZERO);
    }

    /// Changes the desired size: creates missing replicas, removes surplus ones.
    pub(super) fn resize(&mut self, wanted: u32, now: SimTime, lane: &mut dyn LaneControl, shared: &mut Shared) {
        if u64::from(wanted) > self.wanted.level() {
            self.scale_ups_in_progress.push((wanted, now));
        } else {
            self.scale_ups_in_progress.retain(|(target, _)| *target <= wanted);
        }
        self.wanted.set(u64::from(wanted), now);
        self.sets.resize(wanted);
        self.follow_sets(now, lane, shared);
        self.count(now);
    }

    /// The price of a replica while it is leased.
    pub(super) fn price(&self) -> UsdPerHour {
        self.lease.as_ref().map_or(UsdPerHour::ZERO, |lease| lease.price)
    }

    /// Creates missing and removes surplus replicas of each version. Returns whether anything changed.
    fn follow_sets(&mut self, now: SimTime, lane: &mut dyn LaneControl, shared: &mut Shared) -> bool {
        let mut changed = false;
        for set in self.sets.sets().to_vec() {
            let active = self.active_of(set.version);
            changed |= active != set.size;
            for _ in active..set.size {
                let index = self.create(set.version, now, shared);
                self.place(index, now, shared);
            }
            if active > set.size {
                self.shrink(set.version, (active - set.size) as usize, now, lane, shared);
            }
        }
        changed
    }

    /// The number of replicas of a version that count towards the desired size.
    fn active_of(&self, version: u32) -> u32 {
        let counts = |replica: &&Replica| replica.version == version && replica.is_active() && !replica.extra;
        self.replicas.iter().filter(counts).count() as u32
    }

    /// Begins the n-th planned rollout.
    pub(super) fn begin_rollout(&mut self, number: u32, now: SimTime, shared: &mut Shared) {
        let Some(rollout) = self.spec.update.rollouts.get(number as usize) else { return };
        let version = self.sets.begin(rollout.strategy) as usize;
        let newest = self.images.last().copied().unwrap_or(0);
        self.images.resize(version + 1, newest + u32::from(rollout.new_image));
        if !self.spec.update.min_ready.is_zero() {
            shared.calendar.push(now + self.spec.update.min_ready, Event::Available { service: self.service });
        }
    }

    /// Advances a rollout as far as possible at `now`. Returns whether anything changed.
    pub(super) fn roll_on(&mut self, now: SimTime, lane: &mut dyn LaneControl, shared: &mut Shared) -> bool {
        if !self.sets.is_rolling() {
            return false;
        }
        let mut changed = false;
        loop {
            changed |= self.follow_sets(now, lane, shared);
            let available: Vec<u32> = self.sets.sets().iter().map(|set| self.available_of(set.version, now)).collect();
            if !self.sets.step(&available, !self.replicas.is_empty()) {
                break;
            }
        }
        self.count(now);
        changed
    }

    /// The number of replicas of a version that are available: ready for at least `minReadySeconds`.
    fn available_of(&self, version: u32, now: SimTime) -> u32 {
        let since = |replica: &Replica| replica.ready_transition.unwrap_or(now) + self.spec.update.min_ready;
        let available = |replica: &&Replica| replica.version == version && replica.is_listed && since(replica) <= now;
        self.replicas.iter().filter(available).count() as u32
    }

    fn create(&mut self, version: u32, now: SimTime, shared: &mut Shared) -> usize {
        let mut replica = Replica::new(self.next_id, now);
        replica.version = version;
        let mut draw = shared.streams.keyed(Purpose::StartUp, u64::from(self.service), u64::from(replica.id));
        let start_up = &self.spec.start_up;
        replica.delays = [&start_up.scheduled, &start_up.pulled, &start_up.started, &start_up.ready]
            .map(|delay| delay.sample_duration(&mut draw));
        self.next_id += 1;
        shared.pod_changes += 1;
        self.replicas.push(replica);
        self.now_starting += 1;
        self.now_pending += 1;
        self.replicas.len() - 1
    }

    /// Places a replica on a node. Returns `false`, and leaves the replica pending, if no node has room.
    fn place(&mut self, index: usize, now: SimTime, shared: &mut Shared) -> bool {
        if shared.nodes.is_none() {
            let Some(zone) = shared.zones.emptiest(&self.in_zone) else { return false };
            self.replicas[index].zone = Some(zone);
            let zone = zone as usize;
            self.in_zone.resize(self.in_zone.len().max(zone + 1), 0);
            self.in_zone[zone] += 1;
        }
        let replica = &mut self.replicas[index];
        if let Some(nodes) = shared.nodes.as_mut() {
            let Some(node) = nodes.place(&PodRequest::of(self.service, &self.spec)) else { return false };
            replica.node = Some(node);
            replica.zone = Some(nodes.zone(node));
        }
        if let Some(lease) = self.lease.as_ref().filter(|_| self.leases_extra || !replica.extra) {
            replica.lease = Some(shared.leases.open(&lease.what, now, lease.price, lease.billing));
            self.now_leased += 1;
        }
        self.enter(index, ReplicaPhase::Scheduling, now);
        if self.replicas[index].zone.is_some_and(|zone| shared.zones.is_lost(zone)) {
            // The control plane does not know yet that the machine is gone.
            self.enter(index, ReplicaPhase::Lost, now);
        } else {
            self.announce(index, now, 0, shared);
        }
        true
    }

    /// Schedules the end of the current phase after the replica's delay number `delay`.
    fn announce(&self, index: usize, now: SimTime, delay: usize, shared: &mut Shared) {
        let replica = &self.replicas[index];
        let event = Event::Phase { service: self.service, replica: replica.id, generation: replica.generation };
        shared.calendar.push(now + replica.delays[delay], event);
    }

    /// The index of a replica if it is still in `generation`.
    pub(super) fn find(&self, id: u32, generation: u32) -> Option<usize> {
        let index = self.index_of(id)?;
        (self.replicas[index].generation == generation).then_some(index)
    }

    /// Ends the current phase of a starting replica.
    pub(super) fn enter_next_phase(
        &mut self,
        index: usize,
        now: SimTime,
        lane: &mut dyn LaneControl,
        shared: &mut Shared,
    ) {
        let replica = &mut self.replicas[index];
        let (next, delay) = match replica.phase {
            ReplicaPhase::Scheduling => (ReplicaPhase::Pulling, Some(1)),
            ReplicaPhase::Pulling => (ReplicaPhase::Starting, Some(2)),
            ReplicaPhase::Starting => (ReplicaPhase::Warming, Some(3)),
            _ => (ReplicaPhase::Ready, None),
        };
        if next == ReplicaPhase::Pulling {
            replica.accepted = Some(now);
            if let (Some(nodes), Some(node)) = (shared.nodes.as_mut(), replica.node) {
                let image = (self.service, self.images[replica.version as usize]);
                let there = nodes.image_there_at(node, image, now, replica.delays[1]);
                replica.delays[1] = there.max(now).since(now);
            }
        }
        self.enter(index, next, now);
        match delay {
            Some(delay) => self.announce(index, now, delay, shared),
            None => self.become_ready(index, now, lane, shared),
        }
        self.count(now);
    }

    fn become_ready(&mut self, index: usize, now: SimTime, lane: &mut dyn LaneControl, shared: &mut Shared) {
        // A request may wait in its seat already.
        let seat = self.replicas[index].seat.unwrap_or_else(|| self.take_seat());
        let pulls = self.platform.ingress().pulls();
        let replica = &mut self.replicas[index];
        replica.seat = Some(seat);
        // A restart after a crash is no start that a request caused.
        if replica.extra && self.bills_starts && replica.crashes == 0 {
            lane.tally().started_up(now.since(replica.created).as_nanos());
        }
        lane.open(seat, self.spec.concurrency, self.powers.of(replica.node), pulls && !replica.extra, now);
        self.replica_starts += 1;
        if self.sets.is_rolling() && !self.spec.update.min_ready.is_zero() {
            shared.calendar.push(now + self.spec.update.min_ready, Event::Available { service: self.service });
        }
        if let Some(crash) = &self.spec.crash {
            let key = (u64::from(replica.crashes) << 32) | u64::from(replica.id);
            let mut draw = shared.streams.keyed(Purpose::Crash, u64::from(self.service), key);
            let event = Event::Crash { service: self.service, replica: replica.id, generation: replica.generation };
            let running = crash.sample_duration(&mut draw).max(SHORTEST_LIFE);
            shared.calendar.push(now + running, event);
        }
    }

    /// Starts a replica for requests, beyond the desired size. If it is `bound`, the first request that is held waits for it.
    pub(super) fn start_extra(&mut self, bound: bool, now: SimTime, lane: &mut dyn LaneControl, shared: &mut Shared) {
        let index = self.create(0, now, shared);
        self.replicas[index].extra = true;
        self.extra.set(self.extra.level() + 1, now);
        if bound {
            let seat = self.take_seat();
            self.replicas[index].seat = Some(seat);
            lane.bind(seat);
        }
        if self.place(index, now, shared) {
            while self.takes_no_time(index) {
                self.enter_next_phase(index, now, lane, shared);
            }
        }
        self.count(now);
    }

    /// Whether the phase of a starting replica ends at once.
    fn takes_no_time(&self, index: usize) -> bool {
        let replica = &self.replicas[index];
        let delay = match replica.phase {
            ReplicaPhase::Scheduling => 0,
            ReplicaPhase::Pulling => 1,
            ReplicaPhase::Starting => 2,
            ReplicaPhase::Warming => 3,
            _ => return false,
        };
        replica.delays[delay].is_zero()
    }

    /// What the platform is told when a request finds no slot.
    pub(super) fn crowd(&self, held: u64) -> Crowd {
        let for_any = |replica: &&Replica| class_of(replica.phase)[2] == 1 && replica.seat.is_none();
        let starting = match self.now_starting {
            0 => 0,
            _ => self.replicas.iter().filter(for_any).count() as u32,
        };
        Crowd { held: held.min(u64::from(u32::MAX)) as u32, starting, replicas: self.replicas.len() as u32 }
    }

    /// Cancels starts, the newest first, so that no more slots are on their way than requests wait.
    pub(super) fn cancel_starts(&mut self, held: u64, now: SimTime, lane: &mut dyn LaneControl, shared: &mut Shared) {
        let needed = held.div_ceil(u64::from(self.spec.concurrency)) as usize;
        let for_any = |replica: &&Replica| replica.extra && class_of(replica.phase)[2] == 1 && replica.seat.is_none();
        let starting: Vec<u32> = self.replicas.iter().filter(for_any).map(|replica| replica.id).collect();
        for id in starting.into_iter().skip(needed) {
            if let Some(index) = self.index_of(id) {
                self.end(index, now, lane, shared);
            }
        }
        self.count(now);
    }

    /// Handles the end of a replica's keep-alive.
    pub(super) fn expired(&mut self, seat: u32, now: SimTime, lane: &mut dyn LaneControl, shared: &mut Shared) {
        let Some(index) = self.replicas.iter().position(|replica| replica.seat == Some(seat)) else { return };
        self.enter(index, ReplicaPhase::Draining, now);
        assert!(lane.drain(seat, now), "a replica that is let go is empty");
        self.end(index, now, lane, shared);
        self.count(now);
    }

    fn take_seat(&mut self) -> u32 {
        self.free_seats.pop().unwrap_or_else(|| {
            self.seats += 1;
            self.seats - 1
        })
    }

    fn free_seat(&mut self, seat: u32) {
        // Kept in descending order so that the lowest seat is taken first: dispatchers use it to break ties.
        let at = self.free_seats.partition_point(|free| *free > seat);
        self.free_seats.insert(at, seat);
    }

    /// Removes `surplus` replicas of a version, least valuable first. Replicas per node are counted over all versions.
    fn shrink(&mut self, version: u32, surplus: usize, now: SimTime, lane: &mut dyn LaneControl, shared: &mut Shared) {
        let active = || self.replicas.iter().filter(|replica| replica.is_active());
        let mut on_node = std::collections::BTreeMap::new();
        active().filter_map(|replica| replica.node).for_each(|node| *on_node.entry(node).or_insert(0) += 1);
        let together = |replica: &Replica| replica.node.map_or(0, |node| on_node[&node]);
        let of_version = active().filter(|replica| replica.version == version && !replica.extra);
        let mut candidates: Vec<Candidate<'_>> =
            of_version.map(|replica| Candidate { replica, together: together(replica) }).collect();
        self.platform.removal_order(&mut candidates);
        let victims: Vec<u32> = candidates.iter().take(surplus).map(|candidate| candidate.replica.id).collect();
        for id in victims {
            let Ok(index) = self.replicas.binary_search_by_key(&id, |replica| replica.id) else { continue };
            if self.replicas[index].phase == ReplicaPhase::Lost {
                self.kill(index, now, lane);
            }
            let Some(seat) = self.replicas[index].seat else {
                self.end(index, now, lane, shared);
                continue;
            };
            self.enter(index, ReplicaPhase::Draining, now);
            if lane.drain(seat, now) {
                self.end(index, now, lane, shared);
                continue;
            }
            let replica = &self.replicas[index];
            let event = Event::GraceEnd { service: self.service, replica: replica.id, generation: replica.generation };
            shared.calendar.push(now + self.spec.grace_period, event);
        }
    }

    /// Handles the end of draining of the replica in `seat`.
    pub(super) fn drained(&mut self, seat: u32, now: SimTime, lane: &mut dyn LaneControl, shared: &mut Shared) {
        if let Some(index) = self.replicas.iter().position(|replica| replica.seat == Some(seat)) {
            self.end(index, now, lane, shared);
            self.count(now);
        }
    }

    /// Handles the end of a draining replica's grace period: the requests it still holds are lost.
    pub(super) fn grace_over(&mut self, index: usize, now: SimTime, lane: &mut dyn LaneControl, shared: &mut Shared) {
        self.kill(index, now, lane);
        self.end(index, now, lane, shared);
        self.count(now);
    }

    /// Drops all requests of a replica and closes its seat.
    fn kill(&mut self, index: usize, now: SimTime, lane: &mut dyn LaneControl) {
        if let Some(seat) = self.replicas[index].seat.take() {
            lane.kill(seat, now);
            self.free_seat(seat);
        }
    }

    /// Handles a crash: requests in the replica are lost and its containers restart in place when the platform says.
    pub(super) fn crash(&mut self, index: usize, now: SimTime, lane: &mut dyn LaneControl, shared: &mut Shared) {
        self.crashes += 1;
        let wait = self.platform.crashed(&mut self.replicas[index], now);
        self.start_again(index, wait, now, lane, shared);
    }

    fn start_again(
        &mut self,
        index: usize,
        wait: SimDuration,
        now: SimTime,
        lane: &mut dyn LaneControl,
        shared: &mut Shared,
    ) {
        self.kill(index, now, lane);
        let replica = &mut self.replicas[index];
        replica.crashes += 1;
        let key = (u64::from(replica.crashes) << 32) | u64::from(replica.id);
        let mut draw = shared.streams.keyed(Purpose::StartUp, u64::from(self.service), key);
        let started = self.spec.start_up.started.sample_duration(&mut draw);
        replica.delays[2] = wait + started;
        replica.delays[3] = self.spec.start_up.ready.sample_duration(&mut draw);
        self.enter(index, ReplicaPhase::Starting, now);
        self.announce(index, now, 2, shared);
        self.count(now);
    }

    /// The replicas whose containers the n-th planned restart affects: those running and old enough.
    pub(super) fn restarting(&self, number: u32, now: SimTime) -> Vec<u32> {
        let Some(restart) = self.spec.restarts.get(number as usize) else { return Vec::new() };
        let old = |since: SimTime| since + restart.older_than <= now;
        let hit = |r: &&Replica| {
            matches!(r.phase, ReplicaPhase::Warming | ReplicaPhase::Ready) && r.running_since.is_some_and(old)
        };
        self.replicas.iter().filter(hit).map(|replica| replica.id).collect()
    }

    /// The index of a replica.
    pub(super) fn index_of(&self, id: u32) -> Option<usize> {
        self.replicas.binary_search_by_key(&id, |replica| replica.id).ok()
    }

    /// Indices, in descending order, of the replicas in a zone for which `which` holds.
    fn in_zone(&self, zone: u32, which: impl Fn(&Replica) -> bool) -> Vec<usize> {
        let found =
            |(index, replica): (usize, &Replica)| (replica.zone == Some(zone) && which(replica)).then_some(index);
        self.replicas.iter().enumerate().rev().filter_map(found).collect()
    }

    /// The machines of a zone are lost. Requests that its replicas hold, or are sent before the loss is noticed, hang.
    /// Draining replicas end.
    pub(super) fn lose_zone(&mut self, zone: u32, now: SimTime, lane: &mut dyn LaneControl, shared: &mut Shared) {
        for index in self.in_zone(zone, |replica| replica.phase != ReplicaPhase::Lost) {
            if self.replicas[index].phase == ReplicaPhase::Draining {
                self.kill(index, now, lane);
                self.end(index, now, lane, shared);
                continue;
            }
            if let Some(seat) = self.replicas[index].seat {
                lane.silence(seat, now);
            }
            self.enter(index, ReplicaPhase::Lost, now);
        }
        self.count(now);
    }

    /// The nodes of a lost zone are marked not ready: its replicas leave the endpoints and requests hanging there fail.
    pub(super) fn notice_zone(&mut self, zone: u32, now: SimTime, lane: &mut dyn LaneControl) {
        for index in self.in_zone(zone, |replica| replica.phase == ReplicaPhase::Lost) {
            self.kill(index, now, lane);
            self.replicas[index].list(false, now);
        }
        self.count(now);
    }

    /// Evicts the pods of a lost zone.
    pub(super) fn evict_zone(&mut self, zone: u32, now: SimTime, lane: &mut dyn LaneControl, shared: &mut Shared) {
        for index in self.in_zone(zone, |replica| replica.phase == ReplicaPhase::Lost) {
            self.kill(index, now, lane);
            self.end(index, now, lane, shared);
        }
        self.count(now);
    }

    /// The zone recovers before its pods were evicted: their containers restart in place and their counters start from
    /// zero. Returns the ids of the affected replicas.
    pub(super) fn regain_zone(
        &mut self,
        zone: u32,
        now: SimTime,
        lane: &mut dyn LaneControl,
        shared: &mut Shared,
    ) -> Vec<u32> {
        let mut again = Vec::new();
        for index in self.in_zone(zone, |replica| replica.phase == ReplicaPhase::Lost) {
            if self.replicas[index].running_since.is_some() {
                self.start_again(index, SimDuration::ZERO, now, lane, shared);
            } else {
                self.enter(index, ReplicaPhase::Scheduling, now);
                self.announce(index, now, 0, shared);
            }
            again.push(self.replicas[index].id);
        }
        self.count(now);
        again
    }

    /// Replaces lost replicas, as the Deployment controller does at once.
    pub(super) fn replace_lost(&mut self, now: SimTime, lane: &mut dyn LaneControl, shared: &mut Shared) {
        self.follow_sets(now, lane, shared);
        self.count(now);
    }

    fn end(&mut self, index: usize, now: SimTime, lane: &mut dyn LaneControl, shared: &mut Shared) {
        self.uncount(index);
        shared.pod_changes += 1;
        let mut replica = self.replicas.remove(index);
        if replica.extra {
            self.extra.set(self.extra.level() - 1, now);
        }
        if let Some(count) = replica.zone.and_then(|zone| self.in_zone.get_mut(zone as usize)) {
            *count -= 1;
        }
        if let Some(seat) = replica.seat.take() {
            lane.release(seat, now);
            self.free_seat(seat);
        }
        if let (Some(nodes), Some(node)) = (shared.nodes.as_mut(), replica.node) {
            nodes.release(node, &PodRequest::of(self.service, &self.spec));
        }
        if let Some(lease) = replica.lease {
            shared.leases.close(lease, now);
            self.now_leased -= 1;
        }
    }

    /// Retries placement of pending replicas.
    pub(super) fn retry_pending(&mut self, now: SimTime, shared: &mut Shared) {
        for index in 0..self.replicas.len() {
            if self.replicas[index].phase == ReplicaPhase::Pending && !self.place(index, now, shared) {
                break;
            }
        }
        self.count(now);
    }

    /// Whether any replica is ordered and not ready yet.
    pub(super) fn is_starting(&self) -> bool {
        self.now_starting > 0
    }

    /// Whether any replica waits for a node.
    pub(super) fn has_pending(&self) -> bool {
        self.now_pending > 0
    }

    /// Whether any replica is lost with its machine and not replaced yet.
    pub(super) fn has_lost(&self) -> bool {
        self.now_lost > 0
    }

    /// Whether any replica is draining.
    pub(super) fn is_draining(&self) -> bool {
        self.now_draining > 0
    }

    /// Moves a replica to `phase` and updates the counts.
    fn enter(&mut self, index: usize, phase: ReplicaPhase, now: SimTime) {
        self.uncount(index);
        self.replicas[index].enter(phase, now);
        let [ready, draining, starting, pending] = class_of(phase);
        self.now_lost += u64::from(phase == ReplicaPhase::Lost);
        self.now_ready += ready;
        self.now_draining += draining;
        self.now_starting += starting;
        self.now_pending += pending;
        self.powers.count(self.replicas[index].node, ready, draining);
    }

    fn uncount(&mut self, index: usize) {
        let [ready, draining, starting, pending] = class_of(self.replicas[index].phase);
        self.now_lost -= u64::from(self.replicas[index].phase == ReplicaPhase::Lost);
        self.now_ready -= ready;
        self.now_draining -= draining;
        self.now_starting -= starting;
        self.now_pending -= pending;
        self.powers.uncount(self.replicas[index].node, ready, draining);
    }

    /// Updates the time-weighted levels.
    fn count(&mut self, now: SimTime) {
        let ready = self.now_ready;
        self.ready.set(ready, now);
        self.serving.set(ready + self.now_draining, now);
        self.starting.set(self.now_starting, now);
        self.powers.settle(now);
        self.leased.set(self.now_leased, now);
        self.present.set(ready + self.now_draining + self.now_starting - self.now_pending, now);
        if self.scale_ups_in_progress.iter().any(|(wanted, _)| ready >= u64::from(*wanted)) {
            let (met, open): (Vec<_>, Vec<_>) =
                self.scale_ups_in_progress.iter().partition(|(wanted, _)| ready >= u64::from(*wanted));
            met.iter().for_each(|(_, since)| self.to_capacity.push(now.since(*since).as_secs_f64()));
            self.scale_ups_in_progress = open;
        }
    }

    /// Whether the service's replicas are priced individually.
    pub(super) fn is_priced(&self) -> bool {
        self.lease.is_some()
    }

    /// The replicas that the policy orders, as the control plane shows them.
    pub(super) fn views(&self) -> Vec<ReplicaView> {
        self.replicas.iter().filter(|replica| !replica.extra).map(ReplicaView::of).collect()
    }
}

/// Whether a phase counts as ready, draining, starting, and pending (a part of starting).
fn class_of(phase: ReplicaPhase) -> [u64; 4] {
    match phase {
        ReplicaPhase::Ready => [1, 0, 0, 0],
        ReplicaPhase::Draining => [0, 1, 0, 0],
        ReplicaPhase::Lost | ReplicaPhase::Ended => [0, 0, 0, 0],
        ReplicaPhase::Pending => [0, 0, 1, 1],
        _ => [0, 0, 1, 0],
    }
}
