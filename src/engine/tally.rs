//! The counts of a lane: streaming, in constant memory, without a list of requests.

use super::causes::{Cause, Causes, of_late};
use super::fate::{Fate, RequestCounts};
use super::jobs::Job;
use crate::billing::Usage;
use crate::catalog::Billing;
use crate::serving::Work;
use crate::stats::LatencyHistogram;
use crate::units::{SimDuration, SimTime};

/// The counts of one interval, taken and reset at its end.
#[derive(Debug, Clone, Default)]
pub struct IntervalTally {
    /// Requests that arrived.
    pub arrived: u64,
    /// Requests answered.
    pub completed: u64,
    /// Requests lost for good.
    pub lost: u64,
    /// Demand that arrived, in nanoseconds of service.
    pub demand: u128,
    /// Good requests by objective.
    pub good: Vec<u64>,
    /// Requests that ended in this interval and arrived after the warm-up.
    pub counted: u64,
    /// The good ones among them, by objective.
    pub counted_good: Vec<u64>,
    /// Waiting time p50, p95, p99.
    pub waiting: Option<[SimDuration; 3]>,
    /// Sojourn time p50, p95, p99.
    pub sojourn: Option<[SimDuration; 3]>,
}

/// The answered requests of one interval: either those in the statistics, or those that arrived during the warm-up.
#[derive(Debug)]
struct Window {
    completed: u64,
    waiting: LatencyHistogram,
    sojourn: LatencyHistogram,
    good: Vec<u64>,
}

impl Window {
    fn new(objectives: usize) -> Self {
        let (waiting, sojourn) = (LatencyHistogram::new(), LatencyHistogram::new());
        Window { completed: 0, waiting, sojourn, good: vec![0; objectives] }
    }

    #[inline(always)]
    fn record(&mut self, waiting: u64, sojourn: u64, limits: &[u64]) {
        self.completed += 1;
        self.waiting.record(SimDuration::from_nanos(waiting));
        self.sojourn.record(SimDuration::from_nanos(sojourn));
        for (limit, good) in limits.iter().zip(&mut self.good) {
            *good += u64::from(sojourn <= *limit);
        }
    }

    fn merge(&mut self, other: &Window) {
        self.completed += other.completed;
        self.waiting.merge(&other.waiting);
        self.sojourn.merge(&other.sojourn);
        self.good.iter_mut().zip(&other.good).for_each(|(mine, theirs)| *mine += theirs);
    }

    fn clear(&mut self) {
        self.completed = 0;
        self.waiting.clear();
        self.sojourn.clear();
        self.good.fill(0);
    }
}

/// What only some runs record about each attempt that ends; the others pay one comparison for all of it.
#[derive(Debug, Default)]
struct Watched {
    /// Response times since the last scrape, if a policy uses latencies.
    answers: Option<LatencyHistogram>,
    /// What is charged for by use, and how the time of each attempt is rounded.
    usage: Option<(Usage, Billing)>,
    /// Whether the time is that in which a replica has any requests, and not the sum of theirs.
    by_activity: bool,
}

/// All counts of a lane.
#[derive(Debug)]
pub(super) struct Tally {
    /// Requests that arrive earlier are not counted in the totals.
    pub warm_up: u64,
    /// Totals after the warm-up. Completed requests are added at the end of each interval.
    pub counts: RequestCounts,
    total: Window,
    /// Service times of the completed requests that arrived after the warm-up. No row of the timeline has them.
    service: LatencyHistogram,
    present: Window,
    early: Window,
    interval_arrived: u64,
    interval_lost: u64,
    /// The lost requests that arrived after the warm-up.
    interval_lost_counted: u64,
    interval_demand: u128,
    /// Latency limit of each objective in nanoseconds; `u64::MAX` for availability.
    limits: Vec<u64>,
    /// The shortest limit: an answer within it is good by every objective.
    strictest: u64,
    /// Bad requests by cause, for each objective.
    causes: Vec<Causes>,
    /// Time that attempts spent at replicas, in nanoseconds: up to the last settlement, and since.
    residence: u128,
    residence_since: u64,
    watched: Option<Box<Watched>>,
}

impl Watched {
    fn charge_time(&mut self, nanos: u64, standing: bool) {
        if let Some((usage, rounding)) = &mut self.usage {
            usage.add_time(rounding.billed(SimDuration::from_nanos(nanos)), standing);
        }
    }

    /// Counts an attempt that ended after `nanos` at its replica and `served` in service. Not part of the request path of runs
    /// that record none of this.
    #[inline(never)]
    fn answered(&mut self, nanos: u64, served: u64, tokens: [u32; 2], standing: bool) {
        if let Some(answers) = &mut self.answers {
            answers.record(SimDuration::from_nanos(nanos));
        }
        self.charge(served, tokens, standing);
    }

    fn charge(&mut self, served: u64, [input, output]: [u32; 2], standing: bool) {
        if let Some((usage, rounding)) = &mut self.usage {
            usage.add(input, output);
            if !self.by_activity {
                usage.add_time(rounding.billed(SimDuration::from_nanos(served)), standing);
            }
        }
    }
}

/// Totals over a run.
#[derive(Debug)]
pub(super) struct Totals {
    pub waiting: LatencyHistogram,
    pub service: LatencyHistogram,
    pub sojourn: LatencyHistogram,
    /// Good requests by objective.
    pub good: Vec<u64>,
    /// Bad requests by objective and cause.
    pub causes: Vec<Causes>,
}

const PERCENTILES: [f64; 3] = [0.50, 0.95, 0.99];

impl Tally {
    pub(super) fn new(warm_up: SimTime, limits: Vec<u64>) -> Self {
        Tally {
            warm_up: warm_up.as_nanos(),
            counts: RequestCounts::default(),
            total: Window::new(limits.len()),
            service: LatencyHistogram::new(),
            present: Window::new(limits.len()),
            early: Window::new(limits.len()),
            interval_arrived: 0,
            interval_lost: 0,
            interval_lost_counted: 0,
            interval_demand: 0,
            strictest: limits.iter().copied().min().unwrap_or(u64::MAX),
            causes: vec![Causes::default(); limits.len()],
            limits,
            residence: 0,
            residence_since: 0,
            watched: None,
        }
    }

    #[inline]
    pub(super) fn arrived(&mut self, now: u64, demand: u64) {
        self.interval_arrived += 1;
        self.interval_demand += u128::from(demand);
        self.counts.arrived += u64::from(now >= self.warm_up);
    }

    /// Counts an answered attempt. `alone` returns how many nanoseconds its work takes in its replica without other requests.
    #[inline(always)]
    pub(super) fn completed(&mut self, job: &Job, now: u64, alone: impl FnOnce(Work) -> u64) {
        let counts = job.arrival >= self.warm_up;
        let sojourn = now - job.arrival;
        let window = if counts {
            self.service.record(SimDuration::from_nanos(now - job.started));
            &mut self.present
        } else {
            &mut self.early
        };
        window.record(job.started - job.offered, sojourn, &self.limits);
        if sojourn > self.strictest && counts {
            self.late(job, alone(job.work), now);
        }
    }

    /// Counts an answer that is too late for some objective. `alone` as in [`of_late`].
    #[cold]
    fn late(&mut self, job: &Job, alone: u64, now: u64) {
        for (limit, causes) in self.limits.iter().zip(&mut self.causes) {
            if now - job.arrival > *limit {
                causes.add(of_late(job, alone, now, *limit), Fate::Completed, 1);
            }
        }
    }

    /// Counts a request that ended without an answer.
    pub(super) fn lost(&mut self, arrival: u64, fate: Fate, cause: Cause) {
        self.interval_lost += 1;
        if arrival >= self.warm_up {
            self.interval_lost_counted += 1;
            self.causes.iter_mut().for_each(|causes| causes.add(cause, fate, 1));
            self.counts[fate] += 1;
        }
    }

    pub(super) fn retried(&mut self, arrival: u64) {
        self.counts.retries += u64::from(arrival >= self.warm_up);
    }

    /// Counts an attempt that left its replica after `nanos`.
    #[inline]
    pub(super) fn left(&mut self, nanos: u64) {
        let (sum, overflow) = self.residence_since.overflowing_add(nanos);
        self.residence_since = sum;
        if overflow {
            self.residence += 1 << 64;
        }
    }

    /// Starts recording response times for the scrapes.
    pub(super) fn watch_answers(&mut self) {
        self.watched.get_or_insert_default().answers = Some(LatencyHistogram::new());
    }

    /// Starts summing what is charged for by use.
    pub(super) fn watch_usage(&mut self, rounding: Billing, by_activity: bool) {
        let watched = self.watched.get_or_insert_default();
        (watched.usage, watched.by_activity) = (Some((Usage::default(), rounding)), by_activity);
    }

    /// Counts a time, from its start to its end, in which a replica had requests, and that is charged for until `charged` already.
    /// Returns until when it is charged for now: the minimum and the rounding of one time cover the next as far as they reach, so
    /// that no moment is charged for twice.
    pub(super) fn was_active(&mut self, (from, to): (u64, u64), charged: u64, standing: bool) -> u64 {
        let Some(watched) = self.watched.as_mut().filter(|watched| watched.by_activity) else { return charged };
        let Some((usage, rounding)) = &mut watched.usage else { return charged };
        let (from, rule) = match from < charged {
            true => (charged, Billing { minimum: SimDuration::ZERO, ..*rounding }),
            false => (from, *rounding),
        };
        if to < from || (to == from && rule.minimum.is_zero()) {
            return charged;
        }
        let billed = rule.billed(SimDuration::from_nanos(to - from));
        usage.add_time(billed, standing);
        from + billed.as_nanos()
    }

    /// Counts the start of a replica, which is charged for like a request of this length, but is none.
    pub(super) fn started_up(&mut self, nanos: u64) {
        if let Some(watched) = &mut self.watched {
            watched.charge_time(nanos, false);
        }
    }

    /// Counts an attempt that was served to the end, whether its client still waits or not. The replica is `standing` if it is
    /// there whether requests come or not.
    #[inline(always)]
    pub(super) fn answered(&mut self, job: &Job, now: u64, standing: bool) {
        if let Some(watched) = &mut self.watched {
            watched.answered(now - job.offered, now - job.started, [job.work.input, job.work.output], standing);
        }
    }

    /// Counts an attempt that ended while it was served: its client gave up, or its replica was lost.
    pub(super) fn cut_short(&mut self, job: &Job, now: u64, standing: bool) {
        if let Some(watched) = &mut self.watched {
            watched.charge(now - job.started, [job.work.input, job.work.output], standing);
        }
    }

    /// The response times since the last call; `None` if they are not recorded.
    pub(super) fn take_answers(&mut self) -> Option<LatencyHistogram> {
        self.watched.as_mut().and_then(|watched| watched.answers.as_mut()).map(std::mem::take)
    }

    /// What has been used so far; nothing if it is not summed.
    pub(super) fn usage(&self) -> Usage {
        self.watched.as_ref().and_then(|watched| watched.usage).map_or(Usage::default(), |(usage, _)| usage)
    }

    /// Time spent at replicas by attempts that have left.
    pub(super) fn residence(&self) -> u128 {
        self.residence + u128::from(self.residence_since)
    }

    /// Closes the current interval.
    pub(super) fn take_interval(&mut self) -> IntervalTally {
        self.total.merge(&self.present);
        self.counts[Fate::Completed] += self.present.completed;
        let counted = self.present.completed + std::mem::take(&mut self.interval_lost_counted);
        let counted_good = self.present.good.clone();
        if self.early.completed > 0 {
            self.present.merge(&self.early);
        }
        let percentiles = |histogram: &LatencyHistogram| {
            let [p50, p95, p99] = PERCENTILES.map(|q| histogram.quantile(q));
            Some([p50?, p95?, p99?])
        };
        let tally = IntervalTally {
            arrived: std::mem::take(&mut self.interval_arrived),
            completed: self.present.completed,
            lost: std::mem::take(&mut self.interval_lost),
            demand: std::mem::take(&mut self.interval_demand),
            good: self.present.good.clone(),
            counted,
            counted_good,
            waiting: percentiles(&self.present.waiting),
            sojourn: percentiles(&self.present.sojourn),
        };
        self.present.clear();
        self.early.clear();
        tally
    }

    /// The totals. The last interval must have been taken.
    pub(super) fn totals(&mut self) -> Totals {
        let total = std::mem::replace(&mut self.total, Window::new(self.limits.len()));
        Totals {
            waiting: total.waiting,
            service: std::mem::take(&mut self.service),
            sojourn: total.sojourn,
            good: total.good,
            causes: self.causes.clone(),
        }
    }
}
