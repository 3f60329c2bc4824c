//! Laws of every run, checked from its record only.
//!
//! The engine checks itself while it runs (ARCHITECTURE.md, I1 to I10). Here the same laws, and others that follow from
//! the meaning of the record, are checked from outside on random scenarios, from inputs and outputs.

use plimsoll::cluster::DISPATCHERS;
use plimsoll::engine::{Cause, DecisionRecord, Fate, Interval, RunRecord, ServiceRecord};
use plimsoll::stats::LatencyHistogram;
use plimsoll::units::{SimDuration, SimTime};
use proptest::prelude::*;

use crate::random_scenario::{Case, Demand, PolicyCase, ServiceCase, millis, wild_case};

type Checked = Result<(), TestCaseError>;

/// One service of one run with its inputs.
struct Seen<'a> {
    case: &'a Case,
    put_in: &'a ServiceCase,
    policy: &'a PolicyCase,
    arrivals: Vec<SimTime>,
    record: &'a ServiceRecord,
}

/// Equal up to rounding errors of sums.
fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()) + 1e-6
}

/// At most, up to rounding errors.
fn within(a: f64, b: f64) -> bool {
    a <= b || close(a, b)
}

impl Seen<'_> {
    fn warm_up(&self) -> SimTime {
        SimTime::ZERO + millis(self.case.warm_up)
    }

    /// The integral of a level of the timeline in units times nanoseconds.
    fn area(&self, level: fn(&Interval) -> f64) -> f64 {
        self.record.timeline.iter().map(|row| level(row) * row.length.as_nanos() as f64).sum()
    }

    fn total(&self, count: fn(&Interval) -> u64) -> u64 {
        self.record.timeline.iter().map(count).sum()
    }

    /// Replicas run at the reference speed, and each request has its own slot.
    fn plain(&self) -> bool {
        let (case, machines) = (self.put_in, self.case.machines());
        let need = f64::from(case.concurrency) * case.share_millis as f64 + 1e3 * case.cpu_idle;
        let enough = |cores| case.ceiling_millis(cores).is_none_or(|ceiling| need <= ceiling as f64);
        let bare = !machines.is_empty() || enough(None);
        bare && machines.iter().all(|machine| machine.speed == 1.0 && enough(Some(machine.core_millis)))
    }

    /// I1: the arrivals are those of the trace, and each request has exactly one fate.
    fn requests_are_conserved(&self) -> Checked {
        let counts = &self.record.counts;
        let counted = self.arrivals.iter().filter(|time| **time >= self.warm_up()).count() as u64;
        prop_assert_eq!(counts.arrived, counted, "arrived");
        let fates = counts.accounted();
        prop_assert_eq!(counts.arrived, fates, "{:?}", counts);
        if self.put_in.timeout.is_none() {
            prop_assert_eq!(counts[Fate::TimedOut], 0);
        }
        let most = self.put_in.retry.map_or(0, |retry| u64::from(retry.attempts) - 1);
        prop_assert!(counts.retries <= most * counts.arrived, "{} retries", counts.retries);
        if let (Some(retry), 0) = (&self.put_in.retry, self.case.warm_up) {
            let share = u64::from(retry.budget_percent);
            prop_assert!(100 * counts.retries <= share * counts.arrived, "{} of {}", counts.retries, counts.arrived);
        }
        for histogram in [&self.record.waiting, &self.record.service, &self.record.sojourn] {
            prop_assert_eq!(histogram.count(), counts[Fate::Completed], "a latency for every answer");
            prop_assert_eq!(histogram.buckets().map(|(_, count)| count).sum::<u64>(), counts[Fate::Completed]);
        }
        prop_assert!(self.record.warm_requests <= counts[Fate::Completed], "{} warm", self.record.warm_requests);
        Ok(())
    }

    /// I2: no wait is negative, no service is longer than the run, and no request is answered after the end.
    fn latencies_fit(&self) -> Checked {
        let ServiceRecord { waiting, service, sojourn, counts, .. } = self.record;
        let parts = waiting.sum_nanos() + service.sum_nanos();
        prop_assert!(parts <= sojourn.sum_nanos(), "waiting and service last longer than both");
        if counts.retries == 0 {
            prop_assert_eq!(parts, sojourn.sum_nanos(), "without retries the parts are the whole");
        }
        let longest = millis(self.case.end) - millis(self.case.warm_up);
        prop_assert!(sojourn.max().is_none_or(|most| most < longest), "{:?} in a run of {longest}", sojourn.max());
        for histogram in [waiting, service, sojourn] {
            let steps = [0.0, 0.1, 0.5, 0.9, 0.99, 1.0].map(|q| histogram.quantile(q));
            prop_assert!(steps.windows(2).all(|pair| pair[0] <= pair[1]), "percentiles fall: {:?}", steps);
            prop_assert!(histogram.min() <= steps[0] && steps[5] <= histogram.max());
        }
        if let (Demand::Listed(demands), true, true) = (&self.put_in.demand, self.plain(), counts[Fate::Completed] > 0)
        {
            let (least, most) = (demands.iter().min(), demands.iter().max());
            prop_assert!(service.min() >= least.map(|ms| millis(*ms)), "served faster than the least demand");
            prop_assert!(service.max() <= most.map(|ms| millis(*ms)), "served longer than the greatest demand");
        }
        Ok(())
    }

    /// A utilization up to one. If CPU is shared, the number of requests at full speed is a fraction with a denominator
    /// of at most 2^18, which limits the accuracy of the utilization.
    fn possible(&self, utilization: Option<f64>) -> bool {
        let slack = if self.plain() { 1e-9 } else { 0.5_f64.powi(18) };
        utilization.is_none_or(|share| (0.0..=1.0 + slack).contains(&share))
    }

    /// The timeline covers the run without gap or overlap, and its rows add up to the totals.
    fn the_timeline_is_whole(&self) -> Checked {
        let mut now = SimTime::ZERO;
        let (mut arrived, mut gone) = (0, 0);
        for row in &self.record.timeline {
            prop_assert_eq!(row.start, now, "a gap or an overlap");
            prop_assert!(row.length <= millis(self.case.interval) && !row.length.is_zero());
            now = row.start + row.length;
            let inside = self.arrivals.iter().filter(|time| (row.start..now).contains(*time)).count() as u64;
            prop_assert_eq!(row.arrived, inside, "arrived in the row from {}", row.start);
            arrived += row.arrived;
            gone += row.completed + row.lost;
            prop_assert!(gone <= arrived, "more requests left than came until {}", now);
            prop_assert!(row.good <= row.completed);
            prop_assert!(within(row.ready, f64::from(self.record.max_ready)), "{} ready", row.ready);
            prop_assert!(self.possible(row.utilization), "{:?}", row.utilization);
            prop_assert_eq!(row.sojourn.is_some(), row.completed > 0);
            if let (Some(waiting), Some(sojourn)) = (row.waiting, row.sojourn) {
                let order = |p: [SimDuration; 3]| p[0] <= p[1] && p[1] <= p[2];
                prop_assert!(order(waiting) && order(sojourn));
            }
            let levels = [row.wanted, row.starting, row.queued, row.busy, row.needed, row.leased.unwrap_or(0.0)];
            prop_assert!(levels.iter().all(|level| level.is_finite() && *level >= 0.0), "{:?}", levels);
        }
        prop_assert_eq!(now, SimTime::ZERO + millis(self.case.end), "the rows end with the run");
        let counts = &self.record.counts;
        let lost = counts.lost();
        prop_assert!(self.total(|row| row.completed) >= counts[Fate::Completed] && self.total(|row| row.lost) >= lost);
        if self.case.warm_up == 0 {
            prop_assert_eq!(self.total(|row| row.completed), counts[Fate::Completed]);
            prop_assert_eq!(self.total(|row| row.lost), lost);
        }
        Ok(())
    }

    /// I10, Little's law: the area under the number of requests is the sum of their sojourn times.
    fn areas_are_sums_of_times(&self) -> Checked {
        let ServiceRecord { counts, waiting, service, .. } = self.record;
        let (queued, busy) = (self.area(|row| row.queued), self.area(|row| row.busy));
        let (waited, served) = (waiting.sum_nanos() as f64, service.sum_nanos() as f64);
        prop_assert!(within(waited, queued) && within(served, busy), "{waited} of {queued}, {served} of {busy}");
        let ready = self.area(|row| row.ready);
        let whole = millis(self.case.end).as_nanos() as f64;
        if self.case.warm_up == 0 {
            prop_assert!(close(self.record.mean_in_system * whole, queued + busy), "requests in the system");
            prop_assert!(close(self.record.mean_ready * whole, ready), "ready replicas");
            if counts[Fate::Completed] == counts.arrived && counts.retries == 0 {
                prop_assert!(close(waited, queued) && close(served, busy), "{waited} of {queued}, {served} of {busy}");
            }
        }
        Ok(())
    }

    /// Replicas: at most as many as a policy asked for, and only events that were scheduled.
    fn replicas_keep_their_bounds(&self) -> Checked {
        let record = self.record;
        let most = self.policy.most(self.put_in.replicas);
        prop_assert!(record.max_ready <= most, "{} ready of at most {most}", record.max_ready);
        prop_assert!(record.timeline.iter().all(|row| within(row.wanted, f64::from(most))));
        prop_assert!(record.timeline.iter().all(|row| within(row.ready + row.starting, f64::from(most))));
        prop_assert!(self.put_in.crash.is_some() || record.crashes == 0);
        prop_assert!(self.possible(record.utilization), "utilization {:?}", record.utilization);
        let machines = self.case.machines();
        let ceilings: Vec<Option<u64>> = match &machines[..] {
            [] => vec![self.put_in.ceiling_millis(None)],
            all => all.iter().map(|machine| self.put_in.ceiling_millis(Some(machine.core_millis))).collect(),
        };
        if let Some(most) = ceilings.into_iter().max().flatten() {
            // Idle CPU above the ceiling, which scenarios reject, leaves almost nothing for requests.
            let most = (most as f64 / 1e3).max(self.put_in.cpu_idle + 1e-5);
            let used = record.cpu_utilization.unwrap_or(0.0) * self.put_in.cpu_millis as f64 / 1e3;
            prop_assert!(within(used, most), "{used} cores a replica, at most {most}");
        }
        prop_assert!(record.mean_ready <= f64::from(record.max_ready) + 1e-9);
        if let Some(nodes) = &self.case.nodes {
            let fit = |pool: &crate::random_scenario::PoolCase| {
                u64::from(pool.most())
                    * pool
                        .cpu_millis
                        .checked_div(self.put_in.cpu_millis)
                        .map_or(pool.pods.into(), |fit| fit.min(pool.pods.into()))
            };
            let room: u64 = nodes.pools.iter().map(fit).sum();
            prop_assert!(u64::from(record.max_ready) <= room, "{} ready, room for {room}", record.max_ready);
        }
        if matches!(self.policy, PolicyCase::Static(_)) {
            prop_assert!(record.elasticity.scale_ups + record.elasticity.scale_downs == 0);
        }
        Ok(())
    }

    /// Decisions are consecutive, at the policy's times, with metrics of the stated age (I8).
    fn decisions_are_sound(&self) -> Checked {
        let decisions = &self.record.decisions;
        let moves = |decision: &&DecisionRecord| decision.from != decision.to;
        for pair in decisions.windows(2) {
            prop_assert!(pair[0].at < pair[1].at, "two decisions at {}", pair[1].at);
            prop_assert_eq!(pair[0].to, pair[1].from, "a size changed without a decision");
        }
        for decision in decisions {
            prop_assert!(decision.at < SimTime::ZERO + millis(self.case.end), "a decision after the end");
            prop_assert!(decision.metrics_age.is_none_or(|age| age >= millis(self.case.metrics.lag)), "I8");
            prop_assert!(decision.ready <= self.record.max_ready);
            prop_assert!(!decision.detail.is_empty());
        }
        let elasticity = &self.record.elasticity;
        let ups = decisions.iter().filter(moves).filter(|decision| decision.to > decision.from).count() as u64;
        let downs = decisions.iter().filter(moves).count() as u64 - ups;
        prop_assert_eq!((elasticity.scale_ups, elasticity.scale_downs), (ups, downs));
        prop_assert!((0.0..=1.0).contains(&elasticity.under_share));
        prop_assert!(elasticity.under_provisioned >= 0.0 && elasticity.over_provisioned >= 0.0);
        let counted = |row: &Interval| (row.start + row.length).since(row.start.max(self.warm_up())).as_secs_f64();
        let area =
            |level: fn(&Interval) -> f64| self.record.timeline.iter().map(|r| level(r) * counted(r)).sum::<f64>();
        let needed = area(|row| row.needed) + elasticity.over_provisioned;
        let ready = area(|row| row.ready) + elasticity.under_provisioned;
        prop_assert!(close(needed, ready), "what is short and what is over explain the difference");
        Ok(())
    }

    /// Objectives evaluate each completed or lost request, by the recorded latencies.
    fn objectives_are_fair(&self) -> Checked {
        let counts = &self.record.counts;
        for (objective, limit) in self.record.objectives.iter().zip(&self.case.objectives) {
            prop_assert_eq!(objective.total, counts.arrived - counts[Fate::InFlight] + objective.overdue);
            prop_assert_eq!(
                objective.overdue + objective.left_out,
                counts[Fate::InFlight],
                "whoever has no answer has one fate"
            );
            let unanswered = Cause::ALL.map(|cause| objective.causes.get(cause, Fate::InFlight));
            prop_assert_eq!(unanswered.iter().sum::<u64>(), objective.overdue);
            if let Some(limit) = limit.map(millis) {
                // A request that arrived early enough for its limit to pass is eligible; so is one that arrived after
                // the warm-up and was answered.
                let end = SimTime::ZERO + millis(self.case.end);
                let due = |time: &&SimTime| **time >= SimTime::ZERO + millis(self.case.warm_up) && **time + limit < end;
                prop_assert!(objective.total >= self.arrivals.iter().filter(due).count() as u64, "due and not judged");
            }
            let (least, most) = match limit {
                Some(limit) => around(&self.record.sojourn, millis(*limit)),
                None => (counts[Fate::Completed], counts[Fate::Completed]),
            };
            prop_assert!((least..=most).contains(&objective.good), "{} of {least} to {most}", objective.good);
            prop_assert_eq!(objective.causes.total(), objective.total - objective.good, "causes add up");
            prop_assert!(objective.violation <= millis(self.case.end));
            prop_assert!((0.0..=1.0).contains(&objective.attainment()) && objective.peak_burn_rate >= 0.0);
        }
        let first = self.case.objectives.iter().flatten().next();
        let latency = self.case.objectives.iter().position(Option::is_some);
        match latency.filter(|_| self.case.warm_up == 0).map(|number| &self.record.objectives[number]) {
            Some(objective) => prop_assert_eq!(self.total(|row| row.good), objective.good, "within {:?} ms", first),
            None if latency.is_none() => {
                prop_assert_eq!(self.total(|row| row.good), self.total(|row| row.completed));
            }
            None => {}
        }
        Ok(())
    }

    fn check(&self) -> Checked {
        self.requests_are_conserved()?;
        self.latencies_fit()?;
        self.the_timeline_is_whole()?;
        self.areas_are_sums_of_times()?;
        self.replicas_keep_their_bounds()?;
        self.decisions_are_sound()?;
        self.objectives_are_fair()
    }
}

/// The minimum and maximum number of recorded durations up to `limit`: those in its bucket are uncertain.
fn around(histogram: &LatencyHistogram, limit: SimDuration) -> (u64, u64) {
    let sure: u64 = histogram.buckets().filter(|(end, _)| *end <= limit).map(|(_, count)| count).sum();
    let doubtful = histogram.buckets().find(|(end, _)| *end > limit).map_or(0, |(_, count)| count);
    (sure, sure + doubtful)
}

/// I5: every lease is within the run, its cost is exact, and the bill is their sum.
fn the_bill_adds_up(case: &Case, record: &RunRecord) -> Checked {
    let nanos_per_hour = 3_600_000_000_000_u128;
    let mut sum = 0_i128;
    for lease in &record.leases {
        prop_assert!(lease.start <= lease.end && lease.end <= record.end, "{:?}", lease);
        let used = lease.end.since(lease.start);
        prop_assert!(lease.billed >= used);
        let product = u128::from(lease.price.as_nanos()) * u128::from(lease.billed.as_nanos());
        prop_assert_eq!(lease.cost.as_nanos() as u128, (product + nanos_per_hour / 2) / nanos_per_hour, "{:?}", lease);
        sum += lease.cost.as_nanos();
    }
    let priced = case.nodes.is_some() || case.services.iter().any(|service| service.lease.is_some());
    let bill = record.cost.map(|cost| cost.as_nanos());
    prop_assert_eq!(bill, priced.then_some(sum), "the bill is the sum of its lines");
    prop_assert!(record.leases.windows(2).all(|pair| pair[0].start <= pair[1].start), "in order of start");
    if let [service] = &case.services[..] {
        let lines: Vec<_> = record.leases.iter().filter(|lease| lease.what == "replica").collect();
        prop_assert!(service.lease.is_some() || lines.is_empty());
        for (lease, line) in service.lease.iter().flat_map(|lease| lines.iter().map(move |line| (lease, line))) {
            prop_assert_eq!(line.price.as_nanos(), lease.price);
            prop_assert_eq!(line.billed, lease.billing().billed(line.end.since(line.start)));
        }
    }
    Ok(())
}

/// Replicas are paid for from placement to end. The cost accrued in the intervals equals the bill, up to granularity,
/// minimum and rounding.
fn leases_are_lives(case: &Case, record: &RunRecord) -> Checked {
    let used: u128 = record.leases.iter().map(|lease| u128::from(lease.end.since(lease.start).as_nanos())).sum();
    let area = |level: fn(&Interval) -> f64| -> f64 {
        let rows = record.services.iter().flat_map(|service| &service.timeline);
        rows.map(|row| level(row) * row.length.as_nanos() as f64).sum()
    };
    prop_assert!(
        close(area(|row| row.leased.unwrap_or(0.0)), used as f64),
        "{} leased, {used} on the bill",
        area(|row| row.leased.unwrap_or(0.0))
    );
    if case.nodes.is_none() && case.services.iter().all(|service| service.lease.is_some()) {
        let present = area(|row| row.ready + row.starting);
        prop_assert!(within(present, used as f64), "{present} present, {used} on the bill");
    }
    // Replica-hours are the same with and without a price.
    let hours: f64 = record.services.iter().map(|service| service.replica_hours).sum();
    let replicas = record.leases.iter().filter(|lease| lease.what == "replica");
    let leased: u128 = replicas.map(|lease| u128::from(lease.end.since(lease.start).as_nanos())).sum();
    if case.services.iter().all(|service| service.lease.is_some()) {
        prop_assert!(close(hours * 3.6e12, leased as f64), "{hours} replica-hours, {leased} ns of leases");
    }
    let exact: u128 = record
        .leases
        .iter()
        .map(|lease| u128::from(lease.price.as_nanos()) * u128::from(lease.end.since(lease.start).as_nanos()))
        .sum();
    let rows: i128 =
        record.services.iter().flat_map(|s| &s.timeline).filter_map(|row| Some(row.cost?.as_nanos())).sum();
    let count = record.services.iter().map(|service| service.timeline.len()).sum::<usize>() as f64;
    let exact = exact as f64 / 3.6e12;
    prop_assert!((rows as f64 - exact).abs() <= count + 1e-9 * exact, "the rows cost {rows}, the leases {exact}");
    Ok(())
}

/// I4: the requests of the replicas on nodes never exceed the capacity of all nodes.
fn nodes_hold_what_they_carry(case: &Case, record: &RunRecord) -> Checked {
    let (Some(nodes), [service]) = (&case.nodes, &case.services[..]) else { return Ok(()) };
    let has: u64 = nodes.pools.iter().map(|pool| u64::from(pool.most()) * pool.cpu_millis).sum();
    let pods: u64 = nodes.pools.iter().map(|pool| u64::from(pool.most()) * u64::from(pool.pods)).sum();
    let lines: Vec<_> = record.leases.iter().filter(|lease| lease.what == "replica").collect();
    for lease in &lines {
        let now = lease.start;
        let present = lines.iter().filter(|other| other.start <= now && now < other.end).count() as u64;
        prop_assert!(present * service.cpu_millis <= has && present <= pods, "{present} replicas at {now}");
    }
    Ok(())
}

/// A pool keeps its bounds, is paid for as long as its nodes are there, and changes no sooner than its policy waits.
fn pools_keep_their_bounds(case: &Case, record: &RunRecord) -> Checked {
    let pools = case.nodes.iter().flat_map(|nodes| &nodes.pools);
    prop_assert_eq!(record.pools.len(), pools.clone().count());
    for (number, (pool, seen)) in pools.zip(&record.pools).enumerate() {
        let name = format!("node {number}");
        let leases: Vec<_> = record.leases.iter().filter(|lease| lease.what == name).collect();
        prop_assert_eq!(leases.len() as u64, u64::from(pool.count) + seen.launched, "a lease for each node");
        prop_assert_eq!(seen.cost, Some(leases.iter().map(|lease| lease.cost).sum()));
        let used: u128 = leases.iter().map(|lease| u128::from(lease.end.since(lease.start).as_nanos())).sum();
        let area: f64 = seen.timeline.iter().map(|row| row.nodes * row.length.as_nanos() as f64).sum();
        prop_assert!(close(area, used as f64), "{area} of nodes, {used} on the bill");
        let least = f64::from(pool.steps.map_or(pool.count, |steps| steps.least));
        prop_assert!(seen.max_nodes <= pool.most(), "{} nodes of at most {}", seen.max_nodes, pool.most());
        for row in &seen.timeline {
            prop_assert!(within(least, row.nodes) && within(row.ready, row.nodes), "{row:?}");
        }
        let ordered: u64 = seen.decisions.iter().map(|decision| u64::from(decision.launched)).sum();
        let drained: u64 = seen.decisions.iter().map(|decision| u64::from(decision.drained)).sum();
        prop_assert_eq!((ordered, drained), (seen.launched, seen.removed), "only empty nodes are given back");
        let Some(steps) = pool.steps else {
            prop_assert!(seen.decisions.is_empty() && seen.launched == 0);
            continue;
        };
        prop_assert!(leases[pool.count as usize..].iter().all(|l| l.start >= SimTime::ZERO + millis(steps.add_after)));
        for lease in leases.iter().filter(|lease| lease.end < record.end) {
            let boots = if lease.start > SimTime::ZERO { steps.boot } else { 0 };
            prop_assert!(lease.end.since(lease.start) >= millis(steps.remove_after + boots), "{lease:?}");
        }
    }
    Ok(())
}

fn check(case: &Case, variant: usize) -> Checked {
    let record = case.run(variant);
    prop_assert_eq!(record.services.len(), case.services.len());
    for (number, service) in record.services.iter().enumerate() {
        let seen = Seen {
            case,
            put_in: &case.services[number],
            policy: &case.variants[variant][number],
            arrivals: case.arrivals(number),
            record: service,
        };
        let dispatcher = DISPATCHERS[seen.put_in.dispatch].name;
        seen.check().map_err(|error| TestCaseError::fail(format!("service {number} ({dispatcher}): {error}")))?;
    }
    the_bill_adds_up(case, &record)?;
    leases_are_lives(case, &record)?;
    pools_keep_their_bounds(case, &record)?;
    nodes_hold_what_they_carry(case, &record)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn every_run_obeys_the_laws(case in wild_case()) {
        for variant in 0..case.variants.len() {
            check(&case, variant)?;
        }
    }
}
