//! The metrics pipeline: scrapes at an interval, averages over a window, and a lag before a policy sees them.

use std::collections::VecDeque;

use super::fault::MetricsOutage;
use crate::policy::{FreshSample, Measure, Measurements, Measures, ReplicaSample, Scope, Scrape};
use crate::stats::LatencyHistogram;
use crate::units::{SimDuration, SimTime};

/// Minimum container age at the first scrape for metrics-server to average since the container's start
/// (`freshContainerMinMetricsResolution`).
const FRESH_MINIMUM: SimDuration = SimDuration::from_secs(10);

/// How metrics are collected.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricsSpec {
    /// Time between two scrapes.
    pub interval: SimDuration,
    /// Averaging window of CPU and rates. As with Prometheus' `rate()` and metrics-server, averages run from the oldest
    /// reading within the window to the newest, that is, over whole scrape intervals. A replica with fewer than two
    /// scrapes does not report.
    pub window: SimDuration,
    /// Time from a scrape until a policy can see it.
    pub lag: SimDuration,
    /// Time of the first scrape.
    pub first: SimDuration,
    /// Time of the first decision.
    pub first_decision: Option<SimDuration>,
    /// Custom metrics by name.
    pub names: Vec<(String, Measure)>,
    /// Periods in which the metrics APIs do not answer.
    pub outages: Vec<MetricsOutage>,
}

impl MetricsSpec {
    /// The metrics that the metrics APIs do not answer for at `now`.
    pub fn out_at(&self, now: SimTime) -> Measures {
        let out =
            self.outages.iter().filter(|outage| outage.from <= now && now < outage.from.saturating_add(outage.length));
        out.fold(Measures::NONE, |all, outage| all.and(outage.of))
    }
}

impl MetricsSpec {
    /// The actual averaging time once there are enough readings: as many scrape intervals as fit into the window.
    pub fn averaged(&self) -> SimDuration {
        let interval = self.interval.as_nanos().max(1);
        SimDuration::from_nanos(self.window.as_nanos() / interval * interval)
    }
}

impl Default for MetricsSpec {
    /// metrics-server's defaults: a resolution of 15 s, used as the window, and no further lag.
    fn default() -> Self {
        MetricsSpec {
            interval: SimDuration::from_secs(15),
            window: SimDuration::from_secs(15),
            lag: SimDuration::ZERO,
            first: SimDuration::from_secs(15),
            first_decision: None,
            names: Vec::new(),
            outages: Vec::new(),
        }
    }
}

/// A replica's monotonic counters at one scrape.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    /// Id of the replica.
    pub id: u32,
    /// When its containers started.
    pub since: SimTime,
    /// Core-nanoseconds used.
    pub cpu: f64,
    /// Attempts that arrived.
    pub arrived: u64,
    /// Integral of busy slots, slot-nanoseconds.
    pub busy: u128,
    /// Requests waiting now.
    pub waiting: u32,
    /// Requests in service and waiting now.
    pub held: u32,
    /// Requests that it serves at once: its concurrency.
    pub slots: f64,
    /// Memory in use now, bytes.
    pub memory: f64,
    /// Share of an engine's memory for keys and values in use now.
    pub cache: f64,
}

/// A service's own counters at one scrape, as its load balancer keeps them: complete, even if some replicas do not
/// report.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ServiceReading {
    /// Attempts that arrived, including those for which no replica was ready. Like a real load balancer's, this counter
    /// includes retries.
    pub arrived: u64,
    /// Integral of requests in service.
    pub busy: u128,
    /// Requests waiting now.
    pub waiting: u64,
    /// Requests in service and waiting now.
    pub held: u64,
}

/// One replica's recent readings.
#[derive(Debug)]
struct ReplicaReadings {
    id: u32,
    readings: VecDeque<(SimTime, Reading)>,
}

/// The scrapes of one service.
#[derive(Debug)]
pub(super) struct Meter {
    window: SimDuration,
    /// Containers younger than this at their first scrape are averaged since their start: metrics-server's resolution.
    /// Zero unless the window equals the scrape interval, as it does in metrics-server.
    fresh_below: SimDuration,
    lag: SimDuration,
    /// Ordered by replica id.
    series: Vec<ReplicaReadings>,
    service: VecDeque<(SimTime, ServiceReading)>,
    /// Response times between two scrapes, keyed by the later scrape; empty if no policy uses latencies.
    answers: VecDeque<(SimTime, LatencyHistogram)>,
    /// Scrapes that a policy may still see, oldest first.
    scrapes: VecDeque<Scrape>,
}

impl Meter {
    pub(super) fn new(spec: &MetricsSpec) -> Self {
        Meter {
            window: spec.averaged(),
            fresh_below: if spec.averaged() == spec.interval { spec.interval } else { SimDuration::ZERO },
            lag: spec.lag,
            series: Vec::new(),
            service: VecDeque::from([(SimTime::ZERO, ServiceReading::default())]),
            answers: VecDeque::new(),
            scrapes: VecDeque::new(),
        }
    }

    /// Adds the response times since the last scrape. Must be called before the scrape at `now`.
    pub(super) fn answered(&mut self, now: SimTime, times: LatencyHistogram) {
        let horizon = now.saturating_sub(self.window);
        self.answers.retain(|(at, _)| *at > horizon);
        self.answers.push_back((now, times));
    }

    /// What is measured per service from the answers of the window: latencies in seconds. 0 if nothing was answered,
    /// like an adapter that divides zero by zero.
    fn latencies(&self) -> Measurements {
        if self.answers.is_empty() {
            return Measurements::ZERO;
        }
        let mut all = LatencyHistogram::new();
        self.answers.iter().for_each(|(_, times)| all.merge(times));
        let quantile = |share| all.quantile(share).map_or(0.0, SimDuration::as_secs_f64);
        Measurements::ZERO
            .with(Measure::LatencyMean, all.mean_secs().unwrap_or(0.0))
            .with(Measure::LatencyP50, quantile(0.5))
            .with(Measure::LatencyP95, quantile(0.95))
            .with(Measure::LatencyP99, quantile(0.99))
    }

    /// Drops a replica's readings, because its counters restart from zero after a crash.
    pub(super) fn forget(&mut self, id: u32) {
        self.series.retain(|series| series.id != id);
    }

    /// Records a scrape: one reading per running replica, ordered by id, and the service's own counters.
    pub(super) fn scrape(&mut self, now: SimTime, readings: &[Reading], service: ServiceReading) {
        let horizon = now.saturating_sub(self.window);
        let mut scrape = Scrape { taken_at: now, window: self.window, ..Scrape::default() };
        let latencies = self.latencies();
        let mut kept = std::mem::take(&mut self.series).into_iter().peekable();
        for reading in readings {
            while kept.next_if(|series| series.id < reading.id).is_some() {}
            let mut series = kept
                .next_if(|series| series.id == reading.id)
                .unwrap_or_else(|| ReplicaReadings { id: reading.id, readings: VecDeque::new() });
            trim(&mut series.readings, horizon);
            if let Some(mut values) = averages(series.readings.front(), reading, now) {
                values.add(&latencies);
                scrape.totals.add(&values);
                scrape.replicas.push(ReplicaSample { id: reading.id, values });
            } else {
                scrape.fresh.extend(self.fresh(reading, now));
            }
            series.readings.push_back((now, *reading));
            self.series.push(series);
        }
        trim(&mut self.service, horizon);
        if let Some((since, before)) = self.service.front() {
            let nanos = now.since(*since).as_nanos().max(1) as f64;
            scrape.totals[Measure::RequestRate] = (service.arrived - before.arrived) as f64 / nanos * 1e9;
            scrape.totals[Measure::InFlight] = (service.busy - before.busy) as f64 / nanos;
            scrape.totals[Measure::QueueLength] = service.waiting as f64;
            scrape.totals[Measure::Outstanding] = service.held as f64;
        }
        let reporting = scrape.replicas.len().max(1) as f64;
        for measure in Measure::ALL {
            match measure.spec().scope {
                Scope::Sum => {}
                Scope::Average => scrape.totals[measure] /= reporting,
                Scope::Service => scrape.totals[measure] = latencies[measure],
            }
        }
        self.service.push_back((now, service));
        // A policy that never decides must not make them pile up.
        self.drop_superseded(now);
        self.scrapes.push_back(scrape);
    }

    /// How metrics-server handles the first scrape of containers older than 10 s and younger than its resolution
    /// (metrics-server `pkg/storage/pod.go`). The window begins at container creation, slightly before the container
    /// ran. The HPA requires a whole window after the pod became ready, so it treats such a pod as unready during its
    /// CPU initialization period.
    fn fresh(&self, reading: &Reading, now: SimTime) -> Option<FreshSample> {
        let age = now.since(reading.since);
        if age < FRESH_MINIMUM || age >= self.fresh_below {
            return None;
        }
        let cpu = reading.cpu / age.as_nanos() as f64;
        let values = Measurements::ZERO.with(Measure::Cpu, cpu).with(Measure::Memory, reading.memory);
        let created = SimDuration::from_nanos(1);
        Some(FreshSample { sample: ReplicaSample { id: reading.id, values }, window: age + created })
    }

    /// The newest scrape visible at `now`. Older ones are dropped.
    pub(super) fn visible(&mut self, now: SimTime) -> Option<&Scrape> {
        self.drop_superseded(now);
        self.scrapes.front().filter(|scrape| scrape.taken_at + self.lag <= now)
    }

    /// Drops the scrapes that are older than the newest visible one: nobody will see them any more.
    fn drop_superseded(&mut self, now: SimTime) {
        while self.scrapes.get(1).is_some_and(|next| next.taken_at + self.lag <= now) {
            self.scrapes.pop_front();
        }
    }
}

/// Drops readings older than `horizon`, which no average needs any more.
fn trim<T>(readings: &mut VecDeque<(SimTime, T)>, horizon: SimTime) {
    while readings.front().is_some_and(|(at, _)| *at < horizon) {
        readings.pop_front();
    }
}

/// What a replica's counters say since an earlier reading; `None` without one.
fn averages(from: Option<&(SimTime, Reading)>, to: &Reading, now: SimTime) -> Option<Measurements> {
    let (since, from) = from?;
    let nanos = now.since(*since).as_nanos() as f64;
    if nanos == 0.0 {
        return None;
    }
    let rate = (to.arrived - from.arrived) as f64 / (nanos / 1e9);
    let in_flight = (to.busy - from.busy) as f64 / nanos;
    let mut values = Measurements::ZERO;
    values[Measure::Cpu] = (to.cpu - from.cpu) / nanos;
    values[Measure::Memory] = to.memory;
    values[Measure::RequestRate] = rate;
    values[Measure::InFlight] = in_flight;
    values[Measure::QueueLength] = f64::from(to.waiting);
    values[Measure::Outstanding] = f64::from(to.held);
    values[Measure::CacheUse] = to.cache;
    values[Measure::SlotUse] = in_flight / to.slots.max(f64::MIN_POSITIVE);
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(id: u32, cpu_seconds: f64, arrived: u64) -> Reading {
        let since = SimTime::ZERO;
        Reading {
            id,
            since,
            cpu: cpu_seconds * 1e9,
            arrived,
            busy: 0,
            waiting: 3,
            held: 5,
            slots: 4.0,
            memory: 5.0,
            cache: 0.0,
        }
    }

    /// Which replicas report, and which report only to the resource metrics API and with what window, for scrapes every
    /// 60 s of a replica whose containers started at `since`.
    fn reports(interval: u64, window: u64, since: u64, scrapes: [u64; 2]) -> [(usize, Option<f64>); 2] {
        let (interval, window) = (SimDuration::from_secs(interval), SimDuration::from_secs(window));
        let mut meter = Meter::new(&MetricsSpec { interval, window, ..MetricsSpec::default() });
        scrapes.map(|second| {
            let now = SimTime::from_secs(second);
            let since = SimTime::from_secs(since);
            let cpu = now.since(since).as_secs_f64() * 0.2;
            meter.scrape(now, &[Reading { since, ..reading(0, cpu, 0) }], ServiceReading::default());
            let seen = meter.scrapes.back().unwrap();
            let fresh = seen.fresh.first().map(|fresh| fresh.window.as_secs_f64().round());
            let all = seen.replicas.iter().chain(seen.fresh.iter().map(|fresh| &fresh.sample));
            all.for_each(|pod| assert!((pod.values[Measure::Cpu] - 0.2).abs() < 1e-9));
            (seen.replicas.len(), fresh)
        })
    }

    #[test]
    fn scrapes_that_nobody_reads_do_not_pile_up() {
        let lag = SimDuration::from_secs(20);
        let mut meter = Meter::new(&MetricsSpec { lag, ..MetricsSpec::default() });
        (1..1000).for_each(|n| meter.scrape(SimTime::from_secs(15 * n), &[], ServiceReading::default()));
        assert!(meter.scrapes.len() <= 3, "{}", meter.scrapes.len());
        let seen = meter.visible(SimTime::from_secs(15 * 999)).map(|scrape| scrape.taken_at);
        assert_eq!(seen, Some(SimTime::from_secs(15 * 997)));
    }

    #[test]
    fn containers_older_than_10s_and_younger_than_the_resolution_report_at_their_first_scrape() {
        assert_eq!(reports(60, 60, 12, [60, 120]), [(0, Some(48.0)), (1, None)]);
        assert_eq!(reports(60, 60, 50, [60, 120]), [(0, Some(10.0)), (1, None)]);
        assert_eq!(reports(60, 60, 51, [60, 120]), [(0, None), (1, None)]);
        assert_eq!(reports(60, 60, 0, [60, 120]), [(0, None), (1, None)]);
        assert_eq!(reports(15, 15, 3, [15, 30]), [(0, Some(12.0)), (1, None)]);
        // A `rate()` over several scrapes is not metrics-server's.
        assert_eq!(reports(60, 120, 12, [60, 120]), [(0, None), (1, None)]);
    }

    #[test]
    fn averages_over_the_window_and_shows_with_lag() {
        let spec = MetricsSpec {
            window: SimDuration::from_secs(30),
            lag: SimDuration::from_secs(10),
            ..MetricsSpec::default()
        };
        let mut meter = Meter::new(&spec);
        let at = SimTime::from_secs;
        let service = |arrived| ServiceReading { arrived, ..ServiceReading::default() };
        meter.scrape(at(15), &[reading(0, 0.0, 0)], service(0));
        assert_eq!(meter.visible(at(24)), None);
        assert_eq!(meter.visible(at(25)).unwrap().taken_at, at(15));
        meter.scrape(at(30), &[reading(0, 15.0, 150), reading(1, 0.0, 0)], service(150));
        meter.scrape(at(45), &[reading(0, 18.0, 180), reading(1, 3.0, 30)], service(210));
        let seen = meter.visible(at(55)).unwrap();
        assert_eq!(seen.taken_at, at(45));
        // Replica 0 over the last 30 s, replica 1 over the 15 s that it has reported.
        assert!((seen.replicas[0].values[Measure::Cpu] - 18.0 / 30.0).abs() < 1e-12);
        assert!((seen.replicas[1].values[Measure::RequestRate] - 2.0).abs() < 1e-12);
        assert!((seen.totals[Measure::RequestRate] - 7.0).abs() < 1e-12);
        assert_eq!(seen.replicas[0].values[Measure::QueueLength], 3.0);
        assert_eq!(seen.replicas[0].values[Measure::Outstanding], 5.0);
    }

    #[test]
    fn latencies_are_those_of_answers_within_the_window() {
        let mut meter = Meter::new(&MetricsSpec { window: SimDuration::from_secs(30), ..MetricsSpec::default() });
        let at = SimTime::from_secs;
        for (second, millis) in [(15, 900), (30, 100), (45, 300)] {
            let mut times = LatencyHistogram::new();
            (0..100).for_each(|_| times.record(SimDuration::from_millis(millis)));
            meter.answered(at(second), times);
            meter.scrape(at(second), &[reading(0, 0.0, 0)], ServiceReading::default());
        }
        let seen = meter.visible(at(45)).unwrap();
        // The readings of the first 15 s are gone.
        assert!((seen.totals[Measure::LatencyMean] - 0.2).abs() < 1e-12);
        assert!((seen.replicas[0].values[Measure::LatencyP95] - 0.3).abs() < 0.002);
        assert!((seen.replicas[0].values[Measure::LatencyP50] - 0.1).abs() < 0.001);
    }

    #[test]
    fn outages_hide_the_named_metrics_while_they_last() {
        let outage = |from, length, of| MetricsOutage {
            from: SimTime::from_secs(from),
            length: SimDuration::from_secs(length),
            of,
        };
        let queue = Measures::NONE.with(Measure::QueueLength);
        let outages = vec![outage(60, 60, queue), outage(90, 10, Measures::ALL)];
        let spec = MetricsSpec { outages, ..MetricsSpec::default() };
        let out = |second| spec.out_at(SimTime::from_secs(second));
        assert_eq!(
            [out(59), out(60), out(90), out(100), out(120)],
            [Measures::NONE, queue, Measures::ALL, queue, Measures::NONE]
        );
    }
}
