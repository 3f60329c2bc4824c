//! Pools of nodes during a run: ordered, booted, drained, given back, and what is paid for them.

use super::calendar::Event;
use super::fleet::Shared;
use super::record::{LeaseRecord, PoolDecision, PoolInterval, PoolRecord};
use super::simulation::{Service, Simulation};
use super::spec::NodeLease;
use crate::billing::LeaseId;
use crate::cluster::{Node, NodeId, NodePhase, NodePool, Nodes, PodRequest, ReplicaPhase};
use crate::policy::NodePolicy;
use crate::policy::nodes::{NodeDecision, NodeView, PendingPod, PoolObservation, fixed::Fixed};
use crate::random::Purpose;
use crate::stats::TimeWeighted;
use crate::units::{SimDuration, SimTime, Usd};

/// All pools.
#[derive(Default)]
pub(super) struct Pools {
    pools: Vec<Pool>,
    paid: Paid,
    /// Whether any node has a price.
    pub priced: bool,
    /// When the node policies decide next; events at other times are stale.
    due: Option<SimTime>,
    /// Changes of nodes and of pods that the node policies have seen.
    seen: (u64, u64),
}

/// One pool.
struct Pool {
    lease: Option<NodeLease>,
    policy: Box<dyn NodePolicy>,
    can_change: bool,
    /// The nodes that are not gone, by id.
    members: Vec<Member>,
    present: TimeWeighted,
    ready: TimeWeighted,
    /// Integrals of both at the end of the last interval, and that time.
    marks: (SimTime, u128, u128),
    launched: u64,
    removed: u64,
    /// Every lease ever opened.
    leases: Vec<LeaseId>,
    timeline: Vec<PoolInterval>,
    decisions: Vec<PoolDecision>,
}

/// A node that is not gone.
#[derive(Debug, Clone, Copy)]
struct Member {
    id: NodeId,
    /// Its number among all nodes ever started in the pool.
    nth: u32,
    lease: Option<LeaseId>,
    empty_since: Option<SimTime>,
    /// Incremented when a boot is interrupted.
    generation: u32,
}

/// The integrals of the nodes leased and of their prices since the last interval ended.
#[derive(Debug, Clone, Copy, Default)]
struct Paid {
    count: u64,
    /// Nano-dollars per hour.
    spending: u128,
    since: SimTime,
    areas: NodesPaid,
}

/// What was paid for nodes in an interval.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct NodesPaid {
    /// Leased nodes times nanoseconds.
    pub count: u128,
    /// Nano-dollars per hour times nanoseconds. Node prices come from the catalogue and a pool has at most 100,000
    /// nodes, so that an interval's stays below 2^127.
    pub spending: u128,
    /// Whether any node has a price.
    pub priced: bool,
}

impl NodesPaid {
    /// Leased nodes, averaged over an interval of this length. A constant number comes out exactly.
    pub(super) fn mean(&self, length: SimDuration) -> f64 {
        let nanos = u128::from(length.as_nanos().max(1));
        (self.count / nanos) as f64 + (self.count % nanos) as f64 / nanos as f64
    }
}

impl Paid {
    fn settle(&mut self, now: SimTime) {
        let nanos = u128::from(now.since(self.since).as_nanos());
        self.areas.count += u128::from(self.count) * nanos;
        self.areas.spending += self.spending * nanos;
        self.since = now;
    }

    fn open(&mut self, lease: &NodeLease, now: SimTime) {
        self.settle(now);
        self.count += 1;
        self.spending += u128::from(lease.price.as_nanos());
    }

    fn close(&mut self, lease: &NodeLease, now: SimTime) {
        self.settle(now);
        self.count -= 1;
        self.spending -= u128::from(lease.price.as_nanos());
    }
}

impl Pools {
    /// The pools of `shared.nodes`. Their first nodes are leased from the start.
    pub(super) fn new(leases: Vec<NodeLease>, policies: Vec<Box<dyn NodePolicy>>, shared: &mut Shared) -> Pools {
        let mut pools = Pools::default();
        let Some(nodes) = &shared.nodes else { return pools };
        let (mut leases, mut policies) = (leases.into_iter(), policies.into_iter());
        for (spec, number) in nodes.pools().iter().zip(0..) {
            let mut pool = Pool {
                lease: leases.next(),
                policy: policies.next().unwrap_or_else(|| Box::new(Fixed)),
                can_change: spec.can_change(),
                members: Vec::new(),
                present: TimeWeighted::new(u64::from(spec.count), SimTime::ZERO),
                ready: TimeWeighted::new(u64::from(spec.count), SimTime::ZERO),
                marks: (SimTime::ZERO, 0, 0),
                launched: 0,
                removed: 0,
                leases: Vec::new(),
                timeline: Vec::new(),
                decisions: Vec::new(),
            };
            for ((id, _), nth) in nodes.present_in(number).zip(0..) {
                let lease = pool.lease.as_ref().map(|lease| {
                    pools.paid.open(lease, SimTime::ZERO);
                    shared.leases.open(&lease.what, SimTime::ZERO, lease.price, lease.billing)
                });
                pool.leases.extend(lease);
                pool.members.push(Member { id, nth, lease, empty_since: None, generation: 0 });
            }
            pools.priced |= pool.lease.is_some() && (spec.count > 0 || spec.most > 0);
            pools.pools.push(pool);
        }
        pools
    }

    /// Whether the number of nodes of any pool can change.
    fn can_change(&self) -> bool {
        self.pools.iter().any(|pool| pool.can_change)
    }

    /// Ends the current interval: adds a row to each pool's timeline and returns what was paid for nodes.
    pub(super) fn close_interval(&mut self, now: SimTime) -> NodesPaid {
        for pool in &mut self.pools {
            let (start, nodes, ready) = pool.marks;
            pool.marks = (now, pool.present.area(now), pool.ready.area(now));
            let length = now.since(start);
            if !length.is_zero() {
                let mean = |from: u128, to: u128| (to - from) as f64 / length.as_nanos() as f64;
                let (nodes, ready) = (mean(nodes, pool.marks.1), mean(ready, pool.marks.2));
                pool.timeline.push(PoolInterval { start, length, nodes, ready });
            }
        }
        self.paid.settle(now);
        NodesPaid { priced: self.priced, ..std::mem::take(&mut self.paid.areas) }
    }

    /// The records, given the settled leases and the end of the run. Asserts I5 for the nodes: what the pools cost is
    /// what their leases cost, each counted once.
    pub(super) fn records(self, nodes: Option<&Nodes>, leases: &[LeaseRecord], end: SimTime) -> Vec<PoolRecord> {
        let specs = nodes.map_or(&[][..], Nodes::pools);
        let mut paid = vec![false; leases.len()];
        let record = |(pool, spec): (Pool, &NodePool)| {
            let once = pool.leases.iter().all(|lease| !std::mem::replace(&mut paid[*lease], true));
            assert!(once, "I5: a lease of pool {} is counted twice", spec.name);
            let started = u64::from(spec.count) + pool.launched;
            let present = pool.members.len() as u64;
            let all = present + pool.removed == started && present == pool.present.level();
            assert!(all, "I5: of {started} nodes of {}, {present} are left and {} gone", spec.name, pool.removed);
            PoolRecord {
                name: spec.name.clone(),
                instance: spec.instance.clone(),
                mean_nodes: pool.present.area(end) as f64 / end.as_nanos().max(1) as f64,
                max_nodes: pool.present.max() as u32,
                launched: pool.launched,
                removed: pool.removed,
                cost: pool.lease.map(|_| pool.leases.iter().map(|lease| leases[*lease].cost).sum::<Usd>()),
                timeline: pool.timeline,
                decisions: pool.decisions,
            }
        };
        self.pools.into_iter().zip(specs).map(record).collect()
    }
}

impl Simulation {
    /// Lets the node policies decide at the end of this instant if a node or pod has changed since they last did.
    pub(super) fn watch_nodes(&mut self, now: SimTime) {
        if self.pools.can_change() && self.pools.seen != changes(&self.shared) {
            self.schedule_nodes(now);
        }
    }

    fn schedule_nodes(&mut self, at: SimTime) {
        if self.pools.due.is_none_or(|due| at < due) {
            self.pools.due = Some(at);
            self.shared.calendar.push(at, Event::DecideNodes);
        }
    }

    /// The node policies decide, pool after pool.
    pub(super) fn decide_nodes(&mut self, now: SimTime) {
        if self.pools.due != Some(now) {
            return;
        }
        self.pools.due = None;
        let mut next: Option<SimTime> = None;
        for number in 0..self.pools.pools.len() {
            if !self.pools.pools[number].can_change {
                continue;
            }
            self.give_back_empty(number, now);
            let pods = pending(&self.services, &self.shared, number as u32);
            let Some(nodes) = &self.shared.nodes else { return };
            let pool = &mut self.pools.pools[number];
            let views = pool.views(nodes, now);
            let decision = pool.policy.decide(&PoolObservation::new(now, number as u32, nodes, &pods, &views));
            next = [next, decision.next.filter(|next| *next > now)].into_iter().flatten().min();
            self.carry_out(number, decision, now);
        }
        // What they have just ordered is no news to them.
        self.pools.seen = changes(&self.shared);
        if let Some(next) = next {
            self.schedule_nodes(next);
        }
    }

    /// Orders and drains nodes, within the bounds of the pool.
    fn carry_out(&mut self, number: usize, decision: NodeDecision, now: SimTime) {
        let Some(nodes) = &mut self.shared.nodes else { return };
        let (least, most) = (nodes.pools()[number].least as usize, nodes.pools()[number].most as usize);
        let before = self.pools.pools[number].members.len();
        let staying = |node: &NodeId| {
            let is_its = |node: &&Node| node.pool == number as u32;
            let node = nodes.nodes().get(*node as usize).filter(is_its);
            node.is_some_and(|node| !matches!(node.phase(), NodePhase::Draining | NodePhase::Gone))
        };
        let stay = self.pools.pools[number].members.iter().filter(|member| staying(&member.id)).count();
        let mut drain = decision.drain;
        drain.retain(staying);
        drain.truncate(stay.saturating_sub(least));
        drain.iter().for_each(|node| nodes.enter(*node, NodePhase::Draining));
        self.give_back_empty(number, now);
        let room = most.saturating_sub(self.pools.pools[number].members.len());
        let wanted = (decision.launch as usize).min(room);
        let launched = (0..wanted).take_while(|_| self.launch(number, now)).count();
        if launched > 0 || !drain.is_empty() {
            self.pools.pools[number].decisions.push(PoolDecision {
                at: now,
                nodes: before as u32,
                launched: launched as u32,
                drained: drain.len() as u32,
                detail: decision.reason.into_owned(),
            });
        }
    }

    /// Orders a node. Returns `false` if all zones of the pool are known to be lost.
    fn launch(&mut self, number: usize, now: SimTime) -> bool {
        let Some(nodes) = &mut self.shared.nodes else { return false };
        let zones = &self.shared.zones;
        let Some(id) = nodes.order(number as u32, |zone| !zones.is_noticed(zone)) else { return false };
        self.services.iter_mut().for_each(|service| service.fleet.powers.add_node(number as u32));
        let nth = nodes.started(number as u32) - 1;
        let pool = &mut self.pools.pools[number];
        pool.members.push(Member { id, nth, lease: None, empty_since: None, generation: 0 });
        pool.launched += 1;
        pool.present.set(pool.members.len() as u64, now);
        self.boot(number, id, now);
        true
    }

    /// Starts the machine of an ordered node, unless its zone is lost. The lease begins with the first start.
    fn boot(&mut self, number: usize, id: NodeId, now: SimTime) {
        let Shared { nodes: Some(nodes), leases, streams, zones, calendar, .. } = &mut self.shared else { return };
        if zones.is_lost(nodes.zone(id)) {
            return;
        }
        nodes.enter(id, NodePhase::Booting);
        let pool = &mut self.pools.pools[number];
        let Some(member) = pool.members.iter_mut().find(|member| member.id == id) else { return };
        if let (Some(lease), None) = (&pool.lease, member.lease) {
            self.pools.paid.open(lease, now);
            let opened = leases.open(&lease.what, now, lease.price, lease.billing);
            member.lease = Some(opened);
            pool.leases.push(opened);
        }
        let mut draw = streams.keyed(Purpose::NodeBoot, number as u64, u64::from(member.nth));
        let length = nodes.pools()[number].boot.sample_duration(&mut draw);
        calendar.push(now.saturating_add(length), Event::NodeBooted { node: id, generation: member.generation });
    }

    /// A node has booted and takes pods; its images are still to be pulled.
    pub(super) fn node_booted(&mut self, id: NodeId, generation: u32, now: SimTime) {
        let Some(nodes) = &mut self.shared.nodes else { return };
        let pool = &mut self.pools.pools[nodes.nodes()[id as usize].pool as usize];
        let current = pool.members.iter().any(|member| member.id == id && member.generation == generation);
        if current && nodes.nodes()[id as usize].phase() == NodePhase::Booting {
            nodes.enter(id, NodePhase::Ready);
            pool.ready.set(pool.ready.level() + 1, now);
            self.place_pending(now);
        }
    }

    /// The machines of a zone are lost: those that boot there will start anew.
    pub(super) fn lose_nodes(&mut self, zone: u32) {
        let Some(nodes) = &mut self.shared.nodes else { return };
        for member in self.pools.pools.iter_mut().flat_map(|pool| &mut pool.members) {
            let node = &nodes.nodes()[member.id as usize];
            if node.zone == zone && node.phase() == NodePhase::Booting {
                member.generation += 1;
                nodes.enter(member.id, NodePhase::Ordered);
            }
        }
    }

    /// A zone has recovered: what was ordered there starts.
    pub(super) fn regain_nodes(&mut self, zone: u32, now: SimTime) {
        for number in 0..self.pools.pools.len() {
            let Some(nodes) = &self.shared.nodes else { return };
            let waits = |node: &Node| node.zone == zone && node.phase() == NodePhase::Ordered;
            let ordered: Vec<NodeId> =
                nodes.present_in(number as u32).filter(|(_, node)| waits(node)).map(|(id, _)| id).collect();
            ordered.into_iter().for_each(|id| self.boot(number, id, now));
        }
    }

    /// Gives back the draining nodes of a pool that have no pod (any more). Their leases end.
    fn give_back_empty(&mut self, number: usize, now: SimTime) {
        let Shared { nodes: Some(nodes), leases, .. } = &mut self.shared else { return };
        let pool = &mut self.pools.pools[number];
        let Pool { members, lease, removed, .. } = pool;
        members.retain(|member| {
            let node = &nodes.nodes()[member.id as usize];
            if node.phase() != NodePhase::Draining || node.pods() > 0 {
                return true;
            }
            nodes.enter(member.id, NodePhase::Gone);
            *removed += 1;
            if let (Some(lease), Some(open)) = (&*lease, member.lease) {
                leases.close(open, now);
                self.pools.paid.close(lease, now);
            }
            false
        });
        pool.present.set(pool.members.len() as u64, now);
        pool.count_ready(nodes, now);
    }
}

impl Pool {
    fn count_ready(&mut self, nodes: &Nodes, now: SimTime) {
        let ready = |member: &&Member| nodes.nodes()[member.id as usize].phase() == NodePhase::Ready;
        self.ready.set(self.members.iter().filter(ready).count() as u64, now);
    }

    /// The nodes as a node policy sees them; notes which have become empty or are so no more.
    fn views(&mut self, nodes: &Nodes, now: SimTime) -> Vec<NodeView> {
        let view = |member: &mut Member| {
            let node = &nodes.nodes()[member.id as usize];
            let is_empty = node.phase() == NodePhase::Ready && node.pods() == 0;
            member.empty_since = is_empty.then(|| member.empty_since.unwrap_or(now));
            NodeView { id: member.id, phase: node.phase(), pods: node.pods(), empty_since: member.empty_since }
        };
        self.members.iter_mut().map(view).collect()
    }
}

/// How often nodes and pods have changed.
fn changes(shared: &Shared) -> (u64, u64) {
    (shared.nodes.as_ref().map_or(0, Nodes::changes), shared.pod_changes)
}

/// The pods that wait for a node and that an empty node of the pool has room for, by service and age.
fn pending(services: &[Service], shared: &Shared, pool: u32) -> Vec<PendingPod> {
    let Some(nodes) = &shared.nodes else { return Vec::new() };
    let mut pods = Vec::new();
    for fleet in services.iter().map(|service| &service.fleet).filter(|fleet| fleet.has_pending()) {
        let request = PodRequest::of(fleet.service, &fleet.spec);
        let waiting = fleet.replicas.iter().filter(|replica| replica.phase == ReplicaPhase::Pending);
        pods.extend(waiting.map(|replica| PendingPod { since: replica.created, request, awaited: false }));
    }
    let awaited = nodes.awaited(pods.iter().map(|pod| &pod.request));
    pods.iter_mut().zip(awaited).for_each(|(pod, awaited)| pod.awaited = awaited);
    pods.retain(|pod| nodes.could_hold(pool, &pod.request));
    pods
}
