//! The event loop of one run.

use std::ops::ControlFlow;

use super::calendar::{Entry, Event, EventCalendar, Rank};
use super::calls::Message;
use super::causes::ScalingState;
use super::error::{Answer, MAX_REPLICAS, RunError};
use super::fault::{LostNodes, ZoneOutage, Zones};
use super::fleet::{Fleet, Shared};
use super::lane::{Horizon, LaneControl, LaneSpec, LaneStop, LaneTotals, build_lane};
use super::meter::{Meter, Reading, ServiceReading};
use super::objective::Ended;
use super::pools::{NodesPaid, Pools};
use super::powers::{PowerMarks, Powers};
use super::record::{DecisionRecord, Interval, LeaseRecord, RunRecord};
use super::spec::{RunSpec, ServiceRun};
use super::tally::Tally;
use crate::billing::{ChargeLine, Contract, LeaseBook, UseTariff};
use crate::platform::{Activity, Order, Reply};
use crate::policy::{ForecastPoint, Foresight, Measures, Observation, Reason, ReasonCode, Reserved, ScalingPolicy};
use crate::stats::TimeWeighted;
use crate::units::{SimDuration, SimTime, Usd};

/// One service of a running simulation.
pub(super) struct Service {
    pub lane: Box<dyn LaneControl>,
    pub fleet: Fleet,
    policy: Box<dyn ScalingPolicy>,
    /// What its requests cost.
    pub tariff: Option<UseTariff>,
    /// What they have cost up to the end of the last interval.
    charged: Usd,
    meter: Meter,
    pub timeline: Vec<Interval>,
    /// Good requests by interval, one row per objective.
    pub interval_good: Vec<Vec<u64>>,
    /// Requests that arrived after the warm-up, by the interval in which they ended, and how many of them were bad: one
    /// row per objective.
    pub interval_counted: Vec<Vec<Ended>>,
    pub decisions: Vec<DecisionRecord>,
    pub forecasts: Vec<ForecastPoint>,
    /// The kind of the last reason; for missing data also its text, which names what is missing.
    last_reason: Option<(ReasonCode, Option<String>)>,
    /// Attempts up to the last review of the platform.
    reviewed: u64,
    /// Totals at the end of the last interval, and at the end of the warm-up.
    marks: Marks,
    pub warm_marks: Marks,
}

/// Integrals at one point in time; the difference of two gives averages.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Marks {
    pub at: SimTime,
    pub totals: LaneTotals,
    pub wanted: u128,
    pub ready: u128,
    pub serving: u128,
    pub starting: u128,
    pub leased: u128,
    pub powers: PowerMarks,
    pub present: u128,
}

/// A run in progress.
pub struct Simulation {
    pub(super) spec: RunSettings,
    pub(super) services: Vec<Service>,
    pub(super) shared: Shared,
    pub(super) pools: Pools,
    now: SimTime,
    /// Whether services call each other, and room for what they send.
    linked: bool,
    sent: Vec<Message>,
}

/// What became of a lane that was to run up to a horizon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reached {
    /// It got there.
    Horizon,
    /// It sent something to another lane, which may have events before the horizon now.
    Sent,
    /// Replicas changed, which may have caused control events before the horizon.
    Changed,
}

/// The parameters of the run that are still needed once its services are built.
pub(super) struct RunSettings {
    pub scenario: String,
    pub policy: String,
    pub end: SimTime,
    pub warm_up: SimTime,
    pub interval: SimDuration,
    pub metrics: super::meter::MetricsSpec,
    pub objectives: Vec<super::objective::Objective>,
    pub reference_utilization: f64,
    pub outages: Vec<ZoneOutage>,
    /// Whether anything has a price.
    pub priced: bool,
    /// Commitments, fees and credits.
    pub contract: Contract,
}

impl RunSettings {
    /// Rows of a service's timeline.
    fn rows(&self) -> usize {
        self.end.as_nanos().div_ceil(self.interval.as_nanos().max(1)) as usize
    }
}

impl Simulation {
    /// Builds the cluster and schedules the first control events.
    ///
    /// # Errors
    /// If the beginning of a trace cannot be read.
    pub fn new(spec: RunSpec) -> Result<Self, RunError> {
        let limits: Vec<u64> = spec.objectives.iter().map(|objective| objective.limit_nanos()).collect();
        let mut shared = Shared {
            calendar: EventCalendar::default(),
            nodes: spec.nodes,
            leases: LeaseBook::default(),
            streams: spec.streams,
            zones: Zones::new(spec.zones as usize),
            pod_changes: 0,
        };
        for (outage, number) in spec.outages.iter().zip(0..) {
            shared.calendar.push(outage.at, Event::ZoneLost { zone: outage.zone, outage: number });
            shared.calendar.push(outage.at + outage.length, Event::ZoneBack { zone: outage.zone });
        }
        let pools = Pools::new(spec.node_leases, spec.node_policies, &mut shared);
        let settings = RunSettings {
            scenario: spec.scenario,
            policy: spec.policy,
            end: spec.end,
            warm_up: spec.warm_up,
            interval: spec.interval,
            metrics: spec.metrics,
            objectives: spec.objectives,
            reference_utilization: spec.reference_utilization.get(),
            outages: spec.outages,
            priced: pools.priced
                || !spec.contract.is_empty()
                || spec.services.iter().any(|service| service.lease.is_some() || service.usage.is_some()),
            contract: spec.contract,
        };
        let mut services = Vec::new();
        let linked = linked(&spec.services);
        for ((number, run), linked) in spec.services.into_iter().enumerate().zip(&linked) {
            let tally = Tally::new(settings.warm_up, limits.clone());
            services.push(Service::build((number as u32, *linked), run, tally, &settings, &mut shared)?);
        }
        let linked = linked.contains(&true);
        let mut simulation =
            Simulation { spec: settings, services, shared, pools, now: SimTime::ZERO, linked, sent: Vec::new() };
        simulation.schedule_first();
        simulation.watch_nodes(SimTime::ZERO);
        Ok(simulation)
    }

    fn schedule_first(&mut self) {
        let calendar = &mut self.shared.calendar;
        calendar.push(SimTime::ZERO + self.spec.interval, Event::IntervalEnd);
        if self.spec.warm_up > SimTime::ZERO {
            calendar.push(self.spec.warm_up, Event::WarmUpEnd);
        }
        calendar.push(SimTime::ZERO + self.spec.metrics.first, Event::Scrape);
        for (number, service) in self.services.iter().enumerate() {
            for (rollout, which) in service.fleet.spec.update.rollouts.iter().zip(0..) {
                calendar.push(rollout.at, Event::Rollout { service: number as u32, number: which });
            }
            for (restart, which) in service.fleet.spec.restarts.iter().zip(0..) {
                calendar.push(restart.at, Event::Restart { service: number as u32, number: which });
            }
            if let Some(period) = service.fleet.platform.review_period() {
                calendar.push(SimTime::ZERO + period, Event::Review { service: number as u32 });
            }
            let first = self.spec.metrics.first_decision.unwrap_or(service.policy.sync_period());
            calendar.push(SimTime::ZERO + first, Event::Decide { service: number as u32 });
        }
    }

    /// Runs to the end and returns the record. `progress` is called with the simulated time at the end of each
    /// interval, and may cancel the run there.
    ///
    /// # Errors
    /// If a trace cannot be read; [`RunError::Cancelled`].
    ///
    /// # Panics
    /// If an invariant of the engine does not hold, which is a bug.
    pub fn run<A: Answer>(self, progress: &mut dyn FnMut(SimTime) -> A) -> Result<RunRecord, RunError> {
        self.run_while(&mut |now| progress(now).flow())
    }

    fn run_while(mut self, progress: &mut dyn FnMut(SimTime) -> ControlFlow<()>) -> Result<RunRecord, RunError> {
        let end = self.spec.end;
        loop {
            let next = self.shared.calendar.peek().filter(|entry| entry.time < end);
            let (time, rank) = next.map_or((end, Rank::Boundary), |entry| (entry.time, entry.rank));
            if self.advance_lanes(time, rank)? {
                // The drained replica may have caused events before this one, or before the end.
                continue;
            }
            let Some(entry) = next else { break };
            self.shared.calendar.pop();
            assert!(entry.time >= self.now, "I2: the clock went back");
            self.now = entry.time;
            self.handle(entry, progress)?;
            self.deliver();
            self.watch_nodes(entry.time);
            self.services.iter_mut().for_each(Service::publish_scaling_state);
        }
        self.now = end;
        match progress(end) {
            ControlFlow::Continue(()) => Ok(self.finish()),
            ControlFlow::Break(()) => Err(RunError::Cancelled),
        }
    }

    /// Delivers what the lanes have sent to each other.
    fn deliver(&mut self) {
        if !self.linked {
            return;
        }
        (0..self.services.len()).for_each(|number| self.deliver_from(number));
    }

    /// Delivers what one lane has sent.
    fn deliver_from(&mut self, number: usize) {
        self.services[number].lane.exchange_outbox(&mut self.sent);
        for message in self.sent.drain(..) {
            self.services[message.to as usize].lane.take_in(&message);
        }
    }

    /// Runs every lane up to an event of `rank` at `time`. Returns `true` early if replicas have changed.
    fn advance_lanes(&mut self, time: SimTime, rank: Rank) -> Result<bool, RunError> {
        let nanos = time.as_nanos();
        let whole = Horizon {
            completions: if rank == Rank::Boundary { nanos } else { nanos.saturating_add(1) },
            arrivals: if rank <= Rank::Transition { nanos } else { nanos.saturating_add(1) },
        };
        let may_stop = |service: &Service| service.fleet.is_draining() || service.lane.may_starve();
        if self.linked || self.services.len() > 1 && self.services.iter().any(may_stop) {
            return self.advance_in_turns(whole);
        }
        Ok(self.advance_all(whole)? == Reached::Changed)
    }

    fn advance_lane(&mut self, number: usize, horizon: Horizon) -> Result<Reached, RunError> {
        let service = &mut self.services[number];
        let stop = service.lane.run(horizon)?;
        match stop {
            LaneStop::Horizon => return Ok(Reached::Horizon),
            LaneStop::Sent => {
                self.deliver_from(number);
                return Ok(Reached::Sent);
            }
            LaneStop::Drained { seat, at } => {
                service.fleet.drained(seat, at, &mut *service.lane, &mut self.shared);
                self.place_pending(at);
                self.roll_on(number as u32, at);
                self.watch_nodes(at);
            }
            LaneStop::Expired { seat, at } => {
                service.fleet.expired(seat, at, &mut *service.lane, &mut self.shared);
                self.place_pending(at);
                self.watch_nodes(at);
            }
            LaneStop::Relieved { at } => {
                let held = service.lane.held();
                service.fleet.cancel_starts(held, at, &mut *service.lane, &mut self.shared);
                self.place_pending(at);
            }
            LaneStop::Starved { at } if service.lane.pulls() => {
                self.answer(number, at)?;
                self.watch_nodes(at);
            }
            LaneStop::Starved { at } => {
                let order = service.fleet.platform.starved(service.fleet.wanted.level() as u32, at);
                self.follow(number as u32, order, at)?;
                self.watch_nodes(at);
            }
        }
        self.deliver();
        self.services.iter_mut().for_each(Service::publish_scaling_state);
        Ok(Reached::Changed)
    }

    /// Carries out the platform's answer to a request that has found no slot.
    fn answer(&mut self, number: usize, now: SimTime) -> Result<(), RunError> {
        let service = &mut self.services[number];
        let crowd = service.fleet.crowd(service.lane.held());
        let (fleet, lane) = (&mut service.fleet, &mut *service.lane);
        let bound = match fleet.platform.no_slot(crowd, now) {
            Reply::Wait => return Ok(()),
            Reply::Throttle => {
                lane.throttle();
                return Ok(());
            }
            Reply::Order(order) => return self.follow(number as u32, Some(order), now),
            Reply::Start => false,
            Reply::StartForIt => true,
        };
        check_replica_count(crowd.replicas + 1, now, &fleet.spec.name)?;
        fleet.start_extra(bound, now, lane, &mut self.shared);
        Ok(())
    }

    /// Carries out what a platform orders by itself.
    fn follow(&mut self, number: u32, order: Option<Order>, now: SimTime) -> Result<(), RunError> {
        let Some(Order { replicas, reason }) = order else { return Ok(()) };
        let service = &mut self.services[number as usize];
        service.record_decision(now, None, replicas, reason);
        self.resize(number, replicas, now)
    }

    /// Changes the desired size of a service.
    fn resize(&mut self, number: u32, replicas: u32, now: SimTime) -> Result<(), RunError> {
        let service = &mut self.services[number as usize];
        check_replica_count(replicas, now, &service.fleet.spec.name)?;
        service.fleet.resize(replicas, now, &mut *service.lane, &mut self.shared);
        self.place_pending(now);
        self.roll_on(number, now);
        Ok(())
    }

    /// Lets the platform of a service review its traffic.
    fn review(&mut self, number: u32, now: SimTime) -> Result<(), RunError> {
        let service = &mut self.services[number as usize];
        let attempts = service.lane.totals(now).attempts;
        let arrived = attempts - std::mem::replace(&mut service.reviewed, attempts);
        let activity = Activity { arrived, present: service.lane.attempts_present() };
        let order = service.fleet.platform.review(activity, now);
        if service.lane.pulls() {
            let crowd = service.fleet.crowd(service.lane.held());
            let more = service.fleet.platform.catch_up(crowd, activity, now);
            check_replica_count(crowd.replicas.saturating_add(more), now, &service.fleet.spec.name)?;
            (0..more).for_each(|_| service.fleet.start_extra(false, now, &mut *service.lane, &mut self.shared));
        }
        if let Some(period) = service.fleet.platform.review_period() {
            let next = now + period.max(SimDuration::from_millis(1));
            self.shared.calendar.push(next, Event::Review { service: number });
        }
        self.follow(number, order, now)
    }

    /// While a replica drains, its end may free room for another service at that very instant, and a request that is held may
    /// order a replica that takes the room. The lanes therefore take turns, each running no further than the next event of
    /// the others. So do lanes that call each other, of which none may run past a call that another has yet to make.
    fn advance_in_turns(&mut self, whole: Horizon) -> Result<bool, RunError> {
        loop {
            let (number, first, turn) = self.next_turn();
            if first >= whole.completions.max(whole.arrivals) {
                return Ok(false);
            }
            let up_to = |completions: u64, arrivals: u64| Horizon {
                completions: whole.completions.min(completions),
                arrivals: whole.arrivals.min(arrivals),
            };
            let after = first.saturating_add(1);
            let mut reached = if first < turn {
                self.advance_lane(number, up_to(turn, turn))?
            } else {
                // At the same instant, capacity is freed in every lane before it is requested in any.
                match self.advance_all(up_to(after, first))? {
                    Reached::Horizon => self.advance_all(up_to(after, after))?,
                    early => early,
                }
            };
            if reached == Reached::Horizon && self.services[number].lane.next_event() == first {
                // Beyond its own horizon (an arrival at the instant of a transition), and so are all later events.
                reached = self.advance_all(whole)?;
                if reached == Reached::Horizon {
                    return Ok(false);
                }
            }
            if reached == Reached::Changed {
                return Ok(true);
            }
        }
    }

    /// The lane with the earliest next event, the time of that, and the time of the earliest next event of the others.
    fn next_turn(&self) -> (usize, u64, u64) {
        let (mut number, mut first, mut turn) = (0, u64::MAX, u64::MAX);
        for (n, service) in self.services.iter().enumerate() {
            let next = service.lane.next_event();
            if next < first {
                (number, first, turn) = (n, next, first);
            } else {
                turn = turn.min(next);
            }
        }
        (number, first, turn)
    }

    /// Runs one lane after the other, until one does not reach the horizon.
    fn advance_all(&mut self, horizon: Horizon) -> Result<Reached, RunError> {
        for number in 0..self.services.len() {
            let reached = self.advance_lane(number, horizon)?;
            if reached != Reached::Horizon {
                return Ok(reached);
            }
        }
        Ok(Reached::Horizon)
    }

    fn handle(&mut self, entry: Entry, progress: &mut dyn FnMut(SimTime) -> ControlFlow<()>) -> Result<(), RunError> {
        let now = entry.time;
        match entry.event {
            Event::IntervalEnd => {
                self.close_interval(now);
                if progress(now).is_break() {
                    return Err(RunError::Cancelled);
                }
                self.shared.calendar.push(now + self.spec.interval, Event::IntervalEnd);
            }
            Event::WarmUpEnd => self.services.iter_mut().for_each(|service| service.warm_marks = service.marks(now)),
            Event::Scrape => {
                self.services.iter_mut().for_each(|service| service.scrape(now));
                self.shared.calendar.push(now + self.spec.metrics.interval, Event::Scrape);
            }
            Event::Decide { service } => self.decide(service, now),
            Event::Actuate { service, replicas } => {
                self.resize(service, replicas, now)?;
            }
            Event::Review { service } => self.review(service, now)?,
            Event::Rollout { service, number } => {
                self.services[service as usize].fleet.begin_rollout(number, now, &mut self.shared);
                self.roll_on(service, now);
            }
            Event::Available { service } => self.roll_on(service, now),
            Event::Restart { service, number } => self.restart(service, number, now),
            Event::Phase { .. } | Event::GraceEnd { .. } | Event::Crash { .. } => self.change_replica(entry.event, now),
            Event::ZoneLost { zone, outage } => self.lose_zone(zone, outage, now),
            Event::ZoneBack { zone } => self.regain_zone(zone, now),
            Event::ZoneNoticed { zone, episode } => self.notice_zone(zone, episode, now),
            Event::ZoneEvicted { zone, episode } => self.evict_zone(zone, episode, now),
            Event::NodeBooted { node, generation } => self.node_booted(node, generation, now),
            Event::DecideNodes => self.decide_nodes(now),
        }
        Ok(())
    }

    /// Moves a replica to its next phase, unless the event is stale.
    fn change_replica(&mut self, event: Event, now: SimTime) {
        let (Event::Phase { service, replica, generation }
        | Event::GraceEnd { service, replica, generation }
        | Event::Crash { service, replica, generation }) = event
        else {
            return;
        };
        let target = &mut self.services[service as usize];
        let Some(index) = target.fleet.find(replica, generation) else { return };
        let (fleet, lane) = (&mut target.fleet, &mut *target.lane);
        match event {
            Event::GraceEnd { .. } => {
                fleet.grace_over(index, now, lane, &mut self.shared);
                self.place_pending(now);
            }
            Event::Crash { .. } => {
                fleet.crash(index, now, lane, &mut self.shared);
                target.meter.forget(replica);
            }
            _ => fleet.enter_next_phase(index, now, lane, &mut self.shared),
        }
        self.roll_on(service, now);
    }

    /// Executes the n-th planned restart of a service's containers.
    fn restart(&mut self, service: u32, number: u32, now: SimTime) {
        let target = &mut self.services[service as usize];
        for replica in target.fleet.restarting(number, now) {
            if let Some(index) = target.fleet.index_of(replica) {
                target.fleet.crash(index, now, &mut *target.lane, &mut self.shared);
                target.meter.forget(replica);
            }
        }
        self.roll_on(service, now);
    }

    /// Advances a rollout as far as possible; pending replicas take the room it frees.
    fn roll_on(&mut self, service: u32, now: SimTime) {
        let target = &mut self.services[service as usize];
        if target.fleet.roll_on(now, &mut *target.lane, &mut self.shared) {
            self.place_pending(now);
        }
    }

    /// Retries placement of all pending replicas, ordered by service and age, after room may have been freed.
    pub(super) fn place_pending(&mut self, now: SimTime) {
        for service in &mut self.services {
            if service.fleet.has_pending() {
                service.fleet.retry_pending(now, &mut self.shared);
            }
        }
    }

    /// A zone's machines are lost; the control plane will notice that its nodes are silent.
    fn lose_zone(&mut self, zone: u32, outage: u32, now: SimTime) {
        let Some(episode) = self.shared.zones.lose(zone) else { return };
        let LostNodes { noticed_after, evicted_after } = self.spec.outages[outage as usize].response;
        let noticed = now.saturating_add(noticed_after);
        self.shared.calendar.push(noticed, Event::ZoneNoticed { zone, episode });
        self.shared.calendar.push(noticed.saturating_add(evicted_after), Event::ZoneEvicted { zone, episode });
        self.lose_nodes(zone);
        for service in &mut self.services {
            service.fleet.lose_zone(zone, now, &mut *service.lane, &mut self.shared);
        }
        self.place_pending(now);
    }

    /// A zone recovers: replicas that were not evicted restart.
    fn regain_zone(&mut self, zone: u32, now: SimTime) {
        if !self.shared.zones.regain(zone) {
            return;
        }
        if let Some(nodes) = &mut self.shared.nodes {
            nodes.set_lost(zone, false);
        }
        self.regain_nodes(zone, now);
        for service in &mut self.services {
            let again = service.fleet.regain_zone(zone, now, &mut *service.lane, &mut self.shared);
            again.into_iter().for_each(|replica| service.meter.forget(replica));
        }
        self.place_pending(now);
    }

    /// The control plane marks the nodes of a lost zone as not ready.
    fn notice_zone(&mut self, zone: u32, episode: u32, now: SimTime) {
        if !self.shared.zones.notice(zone, episode) {
            return;
        }
        if let Some(nodes) = &mut self.shared.nodes {
            nodes.set_lost(zone, true);
        }
        for service in &mut self.services {
            service.fleet.notice_zone(zone, now, &mut *service.lane);
        }
        (0..self.services.len()).for_each(|service| self.roll_on(service as u32, now));
    }

    /// Evicts the pods of a lost zone: those of every service before any is replaced.
    fn evict_zone(&mut self, zone: u32, episode: u32, now: SimTime) {
        if !self.shared.zones.is_in(zone, episode) {
            return;
        }
        for service in &mut self.services {
            service.fleet.evict_zone(zone, now, &mut *service.lane, &mut self.shared);
        }
        self.place_pending(now);
        for service in &mut self.services {
            service.fleet.replace_lost(now, &mut *service.lane, &mut self.shared);
        }
        (0..self.services.len()).for_each(|service| self.roll_on(service as u32, now));
    }

    fn decide(&mut self, number: u32, now: SimTime) {
        let service = &mut self.services[number as usize];
        let replicas = service.decide(now, &self.spec.metrics);
        let period = service.policy.sync_period();
        if let Some(replicas) = replicas {
            self.shared.calendar.push(now, Event::Actuate { service: number, replicas });
        }
        self.shared.calendar.push(now + period.max(SimDuration::from_millis(1)), Event::Decide { service: number });
    }

    /// Ends the current interval of every service at `now`.
    pub(super) fn close_interval(&mut self, now: SimTime) {
        let sharers = self.services.len() as u64;
        let paid = self.pools.close_interval(now);
        for service in &mut self.services {
            service.close_interval(now, paid, sharers, &self.spec);
        }
    }

    /// The lease records, settled at the end of the run, and the lines of what covers them.
    pub(super) fn settle_leases(&mut self) -> (Vec<LeaseRecord>, Vec<ChargeLine>) {
        let mut settled = self.shared.leases.settle(self.spec.end);
        let commitments = self.spec.contract.cover(&mut settled, self.spec.end);
        let records: Vec<LeaseRecord> = settled
            .into_iter()
            .map(|lease| LeaseRecord {
                what: lease.what,
                start: lease.start,
                end: lease.end,
                billed: lease.billed,
                covered: lease.covered,
                price: lease.price,
                cost: lease.cost,
            })
            .collect();
        (records, commitments)
    }
}

/// Which services call others or are called.
fn linked(services: &[ServiceRun]) -> Vec<bool> {
    let mut linked: Vec<bool> = services.iter().map(|service| !service.calls.is_empty()).collect();
    let calls = services.iter().flat_map(|service| service.calls.iter().flatten());
    calls.for_each(|call| linked[call.to as usize] = true);
    linked
}

/// Rejects sizes that would exhaust the machine.
fn check_replica_count(wanted: u32, at: SimTime, service: &str) -> Result<(), RunError> {
    match wanted > MAX_REPLICAS {
        true => Err(RunError::TooManyReplicas { at, service: service.to_string(), wanted }),
        false => Ok(()),
    }
}

impl Service {
    /// Builds service `number`; `linked` says whether it calls others or is called.
    fn build(
        (number, linked): (u32, bool),
        run: ServiceRun,
        tally: Tally,
        settings: &RunSettings,
        shared: &mut Shared,
    ) -> Result<Service, RunError> {
        let spec = &run.spec;
        let lane_spec = LaneSpec {
            service: u64::from(number),
            name: spec.name.clone(),
            queue_limit: spec.queue_limit,
            demand: spec.demand.clone(),
            timeout: spec.timeout,
            retry: spec.retry,
            ingress: run.platform.ingress(),
            keep_alive: run.platform.keep_alive(),
            cancels: run.platform.cancels(),
            streams: shared.streams,
            calls: linked.then_some(run.calls),
        };
        let powers = Powers::new(spec, shared.nodes.as_ref());
        let lane = build_lane(lane_spec, spec, powers.slow, run.source, tally)?;
        let initial = run.platform.size(run.policy.initial_replicas(spec.replicas));
        check_replica_count(initial, SimTime::ZERO, &spec.name)?;
        let mut service = Service {
            lane,
            fleet: Fleet::new(number, run.spec, run.lease, run.platform, powers),
            policy: run.policy,
            tariff: run.usage,
            charged: Usd::ZERO,
            meter: Meter::new(&settings.metrics),
            timeline: Vec::with_capacity(settings.rows().min(1_024)),
            interval_good: vec![Vec::new(); settings.objectives.len()],
            interval_counted: vec![Vec::new(); settings.objectives.len()],
            decisions: Vec::new(),
            forecasts: Vec::new(),
            last_reason: None,
            reviewed: 0,
            marks: Marks::default(),
            warm_marks: Marks::default(),
        };
        service.fleet.leases_extra = run.leases_extra;
        let declared = settings.metrics.names.iter().map(|(_, measure)| *measure).collect();
        if service.policy.measures().and(declared).has_latency() {
            service.lane.tally().watch_answers();
        }
        if let Some(tariff) = &service.tariff {
            service.lane.tally().watch_usage(tariff.rounding, tariff.by_activity);
            service.fleet.bills_starts = tariff.starts;
        }
        service.fleet.populate(initial, &mut *service.lane, shared);
        service.publish_scaling_state();
        Ok(service)
    }

    /// Passes the scaling state to the request path, which needs it for the causes of bad requests.
    fn publish_scaling_state(&mut self) {
        let state = match self.fleet.is_starting() {
            _ if self.fleet.has_pending() => ScalingState::Pending,
            true => ScalingState::Starting,
            false if self.fleet.has_lost() => ScalingState::Lost,
            false => ScalingState::Nothing,
        };
        self.lane.set_scaling_state(state);
    }

    fn scrape(&mut self, now: SimTime) {
        let spec = &self.fleet.spec;
        let (mut held, mut inside) = (self.lane.held(), 0);
        let mut readings = Vec::with_capacity(self.fleet.replicas.len());
        for replica in &self.fleet.replicas {
            use crate::cluster::ReplicaPhase::{Draining, Ready, Warming};
            if !matches!(replica.phase, Warming | Ready | Draining) {
                continue;
            }
            // With unlimited concurrency, the requests that all progress at full speed.
            let slots = match spec.concurrency {
                u32::MAX => self.fleet.powers.of(replica.node).full,
                concurrency => f64::from(concurrency),
            };
            let since = replica.running_since.unwrap_or(now);
            let mut reading = Reading {
                id: replica.id,
                since,
                cpu: 0.0,
                arrived: 0,
                busy: 0,
                waiting: 0,
                held: 0,
                slots,
                memory: 0.0,
                cache: 0.0,
            };
            if let Some(number) = replica.seat {
                reading.cpu = self.lane.work_done(number, now) * spec.cpu_per_busy_second;
                let seat = self.lane.seat(number);
                (reading.arrived, reading.busy, reading.waiting) = (seat.arrived, seat.busy_area(now), seat.waiting);
                reading.held = seat.running + seat.waiting;
                let gauges = self.lane.gauges(number);
                (reading.waiting, reading.cache) = (reading.waiting + gauges.waiting, gauges.cache);
                inside += u64::from(gauges.waiting);
            }
            let burned = spec.pod.start_cpu.filter(|_| replica.burns).map_or(0.0, |start| {
                let length = start.burned(since, replica.became_ready, now).as_nanos() as f64;
                length * (start.cpu.as_cores() - spec.cpu_idle)
            });
            reading.cpu += spec.cpu_idle * now.since(since).as_nanos() as f64 + burned;
            reading.memory =
                spec.memory_base.get() as f64 + spec.memory_per_request.get() as f64 * f64::from(reading.held);
            held += u64::from(reading.held);
            // A policy sees what it orders.
            if !replica.extra {
                readings.push(reading);
            }
        }
        if let Some(times) = self.lane.tally().take_answers() {
            self.meter.answered(now, times);
        }
        let totals = self.lane.totals(now);
        let service =
            ServiceReading { arrived: totals.attempts, busy: totals.busy, waiting: totals.waiting_now + inside, held };
        self.meter.scrape(now, &readings, service);
    }

    /// Asks the policy for a decision. Returns the new size if it differs from the current one.
    fn decide(&mut self, now: SimTime, metrics: &super::meter::MetricsSpec) -> Option<u32> {
        let replicas = self.fleet.views();
        let wanted = self.fleet.wanted.level() as u32;
        let outage = metrics.out_at(now);
        let scrape = self.meter.visible(now).filter(|_| outage != Measures::ALL);
        let observation = Observation {
            now,
            desired: wanted,
            present: self.fleet.replicas.iter().filter(|replica| replica.is_active() && !replica.extra).count() as u32,
            replicas: &replicas,
            reserved: Reserved { cpu: self.fleet.spec.cpu_request, memory: self.fleet.spec.memory_request },
            scrape,
            metric_names: &metrics.names,
            outage,
        };
        let metrics_age = observation.age();
        assert!(metrics_age.is_none_or(|age| age >= metrics.lag), "I8: metrics younger than the lag");
        let decision = self.policy.decide(&observation);
        self.forecasts.extend(self.policy.forecasts());
        let to = self.fleet.platform.size(decision.replicas.unwrap_or(wanted));
        self.record_decision(now, metrics_age, to, decision.reason);
        (to != wanted).then_some(to)
    }

    /// Records a decision on the size `to`, unless it changes neither the size nor the kind of reason.
    fn record_decision(&mut self, now: SimTime, metrics_age: Option<SimDuration>, to: u32, reason: Reason) {
        let (from, code) = (self.fleet.wanted.level() as u32, reason.code);
        let kind = (code, (code == ReasonCode::NoData).then(|| reason.detail.to_string()));
        if to == from && self.last_reason.as_ref() == Some(&kind) {
            return;
        }
        self.last_reason = Some(kind);
        let (ready, detail) = (self.fleet.ready.level() as u32, reason.detail.into_owned());
        self.decisions.push(DecisionRecord { at: now, metrics_age, from, to, ready, code, detail });
    }

    /// What the policy knows that a real controller could not.
    pub(super) fn foresight(&self) -> Foresight {
        self.policy.foresight()
    }

    /// The integrals at `now`.
    pub(super) fn marks(&mut self, now: SimTime) -> Marks {
        let area = |level: &TimeWeighted| level.area(now);
        let fleet = &self.fleet;
        let wanted = area(&fleet.wanted) + area(&fleet.extra);
        let (ready, starting) = (area(&fleet.ready), area(&fleet.starting));
        let serving = area(&fleet.serving);
        let (leased, present) = (area(&fleet.leased), area(&fleet.present));
        let powers = fleet.powers.marks(now);
        Marks { at: now, totals: self.lane.totals(now), wanted, ready, serving, starting, leased, present, powers }
    }

    /// What requests have cost since the last call: the difference of two totals, so that intervals add up to the bill.
    fn charge_more(&mut self) -> Usd {
        let Some(tariff) = &self.tariff else { return Usd::ZERO };
        let charged = tariff.cost(&self.lane.tally().usage());
        charged - std::mem::replace(&mut self.charged, charged)
    }

    /// Ends the current interval. Each of `sharers` services bears an equal part of the cost of the nodes.
    fn close_interval(&mut self, now: SimTime, nodes: NodesPaid, sharers: u64, settings: &RunSettings) {
        let (before, after) = (self.marks, self.marks(now));
        let length = now.since(before.at);
        if length.is_zero() {
            return;
        }
        let tally = self.lane.tally().take_interval();
        let first_latency = settings.objectives.iter().position(|objective| objective.within.is_some());
        let nanos = length.as_nanos() as f64;
        let mean = |from: u128, to: u128| (to - from) as f64 / nanos;
        let powers = &self.fleet.powers;
        let slots = powers.slots_of_one(before.powers, after.powers, (after.serving - before.serving) as f64);
        let work = powers.work_of_one(before.powers, after.powers, (after.ready - before.ready) as f64);
        let (busy, ready) = (mean(before.totals.busy, after.totals.busy), mean(before.ready, after.ready));
        let serving = mean(before.serving, after.serving);
        let used = used_slots(powers.slow, &before.totals, &after.totals) / nanos;
        let node_share = nodes.spending / u128::from(sharers);
        let used_more = self.charge_more();
        let leased = self.fleet.is_priced() || nodes.priced;
        let priced = leased || self.tariff.is_some();
        self.timeline.push(Interval {
            start: before.at,
            length,
            arrived: tally.arrived,
            attempts: after.totals.attempts - before.totals.attempts,
            completed: tally.completed,
            lost: tally.lost,
            good: first_latency.map_or(tally.completed, |number| tally.good[number]),
            // Set at the end of the run.
            overdue: 0,
            waiting: tally.waiting,
            sojourn: tally.sojourn,
            wanted: mean(before.wanted, after.wanted),
            ready,
            starting: mean(before.starting, after.starting),
            queued: mean(before.totals.waiting, after.totals.waiting),
            busy,
            utilization: self.fleet.spec.share_of_slots(busy, serving),
            load: (serving > 0.0).then(|| used / (serving * slots)),
            needed: tally.demand as f64 / nanos / (work * settings.reference_utilization),
            leased: leased.then(|| mean(before.leased, after.leased) + nodes.mean(length) / sharers as f64),
            cost: priced.then(|| self.fleet.price().accrued(after.leased - before.leased, node_share) + used_more),
        });
        self.interval_good.iter_mut().zip(&tally.good).for_each(|(row, good)| row.push(*good));
        let from = before.at.max(settings.warm_up);
        if now > from {
            let ended = |good: &u64| Ended { from, to: now, requests: tally.counted, bad: tally.counted - good };
            self.interval_counted.iter_mut().zip(&tally.counted_good).for_each(|(row, good)| row.push(ended(good)));
        }
        self.marks = after;
    }
}

/// Slot-nanoseconds used between two points in time: busy slot time or, if requests slow each other down, the work
/// done.
pub(super) fn used_slots(slow: bool, from: &LaneTotals, to: &LaneTotals) -> f64 {
    if slow { to.worked_since(from) } else { (to.busy - from.busy) as f64 }
}
