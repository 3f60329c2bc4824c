//! The end of a run: checks invariants, turns integrals into averages and builds the record.

use super::fate::{Fate, RequestCounts};
use super::objective::{Objective, Seen, judge};
use super::record::{Elasticity, Interval, ObjectiveRecord, RunRecord, ServiceRecord, UsageRecord};
use super::simulation::{Marks, RunSettings, Service, Simulation, used_slots};
use super::tally::Totals;
use super::unanswered::Unanswered;
use crate::units::{Millicores, Usd};

/// Replica-nanoseconds in a replica-hour.
const NANOS_PER_HOUR: f64 = 3.6e12;

impl Simulation {
    /// Settles and checks everything. Must be called once, when every lane has reached the end.
    pub(super) fn finish(mut self) -> RunRecord {
        let end = self.spec.end;
        self.close_interval(end);
        let (leases, mut charges) = self.settle_leases();
        let usage = self.charge();
        let lost = self.lost();
        charges.extend(self.spec.contract.fixed(end, &lost));
        let lines = || {
            let leased = leases.iter().map(|lease| lease.cost);
            leased.chain(usage.iter().map(|record| record.line.cost)).chain(charges.iter().map(|line| line.cost))
        };
        assert!(lines().all(|cost| cost >= Usd::ZERO), "I5: no line has a negative cost");
        let cost = lines().sum::<Usd>();
        let cost = self.spec.priced.then_some(cost);
        if let Some(nodes) = &self.shared.nodes {
            nodes.check();
        }
        let pools = self.pools.records(self.shared.nodes.as_ref(), &leases, end);
        let mut services = Vec::new();
        let mut events = 0;
        let mut foresight = crate::policy::Foresight::None;
        for service in &mut self.services {
            let last = service.marks(end);
            events += last.totals.events;
            foresight = service.foresight().max(foresight);
            services.push(service.record(&last, &self.spec));
        }
        RunRecord {
            scenario: self.spec.scenario,
            policy: self.spec.policy,
            foresight,
            seed: self.shared.streams.seed(),
            replication: self.shared.streams.replication(),
            end,
            warm_up: self.spec.warm_up,
            services,
            pools,
            leases,
            usage,
            charges,
            cost,
            events,
        }
    }
}

impl Simulation {
    /// By service: how many requests ended without an answer, and how many ended.
    fn lost(&mut self) -> Vec<(u64, u64)> {
        let ended = |service: &mut Service| {
            let counts = &service.lane.tally().counts;
            (counts.lost(), counts.lost() + counts[Fate::Completed])
        };
        self.services.iter_mut().map(ended).collect()
    }

    /// The lines of what is charged for by use.
    fn charge(&mut self) -> Vec<UsageRecord> {
        let mut records = Vec::new();
        for service in &mut self.services {
            let Some(tariff) = &service.tariff else { continue };
            let name = &service.fleet.spec.name;
            let lines = tariff.lines(&service.lane.tally().usage());
            records.extend(lines.into_iter().map(|line| UsageRecord { service: name.clone(), line }));
        }
        records
    }
}

impl Service {
    fn record(&mut self, last: &Marks, settings: &RunSettings) -> ServiceRecord {
        let totals = self.lane.tally().totals();
        let mut counts = self.lane.tally().counts;
        let present = self.lane.present(last.at);
        counts[Fate::InFlight] = present.in_flight;
        let name = &self.fleet.spec.name;
        assert!(counts.arrived == counts.accounted(), "I1: requests of {name} were lost or invented: {counts:?}");
        let little = last.totals.busy + last.totals.waiting == present.residence;
        assert!(little, "I10: Little's law fails for {name}: {:?} {present:?}", last.totals);
        let from = &self.warm_marks;
        let nanos = last.at.since(from.at).as_nanos().max(1) as f64;
        let spec = &self.fleet.spec;
        let ready_area = (last.ready - from.ready) as f64;
        let serving_area = (last.serving - from.serving) as f64;
        let powers = &self.fleet.powers;
        let used_area = used_slots(powers.slow, &from.totals, &last.totals);
        let busy_area = (last.totals.busy - from.totals.busy) as f64;
        let slots = powers.slots_of_one(from.powers, last.powers, serving_area);
        // A share of zero is undefined, not zero.
        let share = |part: f64, whole: f64| (whole > 0.0).then(|| part / whole);
        let utilization = spec.share_of_slots(busy_area, serving_area);
        let requested = spec.cpu_request.map(Millicores::as_cores);
        let cpu = last.totals.worked_since(&from.totals) * spec.cpu_per_busy_second + serving_area * spec.cpu_idle;
        let in_system = (last.totals.busy + last.totals.waiting) - (from.totals.busy + from.totals.waiting);
        let objectives = self.judge(counts, &totals, settings);
        let name = &self.fleet.spec.name;
        ServiceRecord {
            name: name.clone(),
            counts,
            utilization,
            load: share(used_area, serving_area * slots),
            cpu_utilization: requested.and_then(|requested| share(cpu, serving_area * requested)),
            replica_hours: last.present as f64 / NANOS_PER_HOUR,
            mean_ready: ready_area / nanos,
            max_ready: self.fleet.ready.max() as u32,
            mean_in_system: in_system as f64 / nanos,
            replica_starts: self.fleet.replica_starts,
            warm_requests: last.totals.warm_requests,
            crashes: self.fleet.crashes,
            objectives,
            elasticity: self.elasticity(settings),
            demand_checksum: last.totals.fingerprint,
            waiting: totals.waiting,
            service: totals.service,
            sojourn: totals.sojourn,
            timeline: std::mem::take(&mut self.timeline),
            decisions: std::mem::take(&mut self.decisions),
            forecasts: std::mem::take(&mut self.forecasts),
        }
    }

    /// Evaluates every objective, including requests unanswered at the end, and adds those to the timeline.
    fn judge(&mut self, counts: RequestCounts, totals: &Totals, settings: &RunSettings) -> Vec<ObjectiveRecord> {
        let objectives = &settings.objectives;
        let timeout = self.fleet.spec.timeout.as_ref().map(|timeout| timeout.after);
        let mut unanswered = Unanswered::new(objectives, timeout, (settings.warm_up, settings.end), settings.interval);
        self.lane.collect_unanswered(&mut unanswered);
        let name = &self.fleet.spec.name;
        let judge = |(number, objective): (usize, &Objective)| {
            let (good, causes, overdue) = (totals.good[number], totals.causes[number], &unanswered.judged[number]);
            let still = overdue.bad + overdue.left_out;
            assert!(still == counts[Fate::InFlight], "I1: {still} requests of {name} are unanswered: {counts:?}");
            let (ended, good_rows) = (counts.arrived - counts[Fate::InFlight], &self.interval_good[number]);
            let counted = &self.interval_counted[number];
            let judged = judge(objective, Seen { good, ended, causes, good_rows, counted, overdue }, &self.timeline);
            let (causes, bad) = (judged.causes, judged.total - good);
            assert!(causes.total() == bad, "I11: causes of {name} do not add up to {bad}: {causes:?}");
            judged
        };
        let records = objectives.iter().enumerate().map(judge).collect();
        let first = objectives.iter().position(|objective| objective.within.is_some()).unwrap_or(0);
        if let Some(overdue) = unanswered.judged.get(first) {
            self.timeline.iter_mut().zip(&overdue.rows).for_each(|(row, overdue)| row.overdue = *overdue);
        }
        records
    }

    /// Areas start at the end of the warm-up; an interval that contains it counts by the part after it. Size changes
    /// are counted over the whole run.
    fn elasticity(&self, settings: &RunSettings) -> Elasticity {
        let mut elasticity = Elasticity { time_to_capacity: self.fleet.to_capacity.mean(), ..Elasticity::default() };
        let (mut short, mut whole) = (0.0, 0.0);
        for Interval { start, length, needed, ready, .. } in &self.timeline {
            let seconds = (*start + *length).since(settings.warm_up.max(*start)).as_secs_f64();
            elasticity.under_provisioned += (needed - ready).max(0.0) * seconds;
            elasticity.over_provisioned += (ready - needed).max(0.0) * seconds;
            short += if ready < needed { seconds } else { 0.0 };
            whole += seconds;
        }
        elasticity.under_share = if whole > 0.0 { short / whole } else { 0.0 };
        let (mut direction, mut flaps) = (None, 0u32);
        for decision in self.decisions.iter().filter(|decision| decision.from != decision.to) {
            let up = decision.to > decision.from;
            if up {
                elasticity.scale_ups += 1;
            } else {
                elasticity.scale_downs += 1;
            }
            flaps += u32::from(direction.is_some_and(|before| before != up));
            direction = Some(up);
        }
        let hours = settings.end.as_secs_f64() / 3600.0;
        elasticity.flaps_per_hour = if hours > 0.0 { f64::from(flaps) / hours } else { 0.0 };
        elasticity
    }
}
