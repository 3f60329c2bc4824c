//! How requests reach the controller: handles keep samples and report them.
//!
//! `InMemoryMetricsStore`, the timers of `RouterMetricsManager`, and the controller's store of reports (ray-project/ray,
//! `python/ray/serve/_private/{metrics_utils,router,autoscaling_state}.py`).

use std::collections::BTreeMap;

use super::config::AutoscalingConfig;
use super::series::{Point, Summary, total};

/// A handle's samples.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MetricsStore<K: Ord> {
    series: BTreeMap<K, Vec<Point>>,
}

impl<K: Ord + Copy> MetricsStore<K> {
    /// A store without samples.
    pub fn new() -> Self {
        MetricsStore { series: BTreeMap::new() }
    }

    /// Adds a sample of each count. Samples are kept in order of time, later ones of the same time last.
    pub fn add(&mut self, time_s: f64, values: impl IntoIterator<Item = (K, f64)>) {
        for (key, value) in values {
            let points = self.series.entry(key).or_default();
            let place = points.partition_point(|point| point.time_s <= time_s);
            points.insert(place, Point { time_s, value });
        }
    }

    /// Drops samples up to and including `start_s`; a count whose last sample is older than that disappears.
    pub fn prune(&mut self, start_s: f64) {
        self.series.retain(|_, points| points.last().is_some_and(|last| last.time_s >= start_s));
        for points in self.series.values_mut() {
            let gone = points.partition_point(|point| point.time_s <= start_s);
            points.drain(..gone);
        }
    }

    /// All series.
    pub fn series(&self) -> &BTreeMap<K, Vec<Point>> {
        &self.series
    }
}

/// A handle: what it counts now, and what it has sampled.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Handle {
    store: MetricsStore<Option<u32>>,
    queued: f64,
    running: BTreeMap<u32, f64>,
}

/// What a handle reports.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// When it was sent.
    pub sent_s: f64,
    /// When it arrived.
    pub received_s: f64,
    /// Requests queued at the handle.
    pub queued: Vec<Point>,
    /// Requests at each replica.
    pub running: BTreeMap<u32, Vec<Point>>,
}

impl Handle {
    /// Samples `queued` requests and those `running` at each replica, and drops what the look-back period has left
    /// behind.
    pub fn record(&mut self, config: &AutoscalingConfig, now_s: f64, queued: f64, running: BTreeMap<u32, f64>) {
        let counts = running.iter().map(|(replica, count)| (Some(*replica), *count));
        self.store.add(now_s, std::iter::once((None, queued)).chain(counts));
        self.store.prune(now_s - config.look_back_period_s);
        (self.queued, self.running) = (queued, running);
    }

    /// The report at `now_s`. A count without samples is reported as it is now.
    pub fn report(&mut self, config: &AutoscalingConfig, now_s: f64) -> Report {
        self.store.prune(now_s - config.look_back_period_s);
        let series = |key: Option<u32>, value: f64| {
            let stored = self.store.series().get(&key).cloned();
            stored.unwrap_or_else(|| vec![Point { time_s: now_s, value }])
        };
        let running = self.running.iter().map(|(replica, count)| (*replica, series(Some(*replica), *count)));
        Report { sent_s: now_s, received_s: now_s, queued: series(None, self.queued), running: running.collect() }
    }
}

/// The newest report of every handle, by its number.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reports {
    handles: BTreeMap<u32, Report>,
}

impl Reports {
    /// Takes a report unless a newer one is there.
    pub fn accept(&mut self, handle: u32, report: Report) {
        if self.handles.get(&handle).is_none_or(|known| report.sent_s > known.sent_s) {
            self.handles.insert(handle, report);
        }
    }

    /// Forgets handles that have not reported for `timeout_s`, and those of which `is_dead` says so.
    pub fn drop_stale(&mut self, now_s: f64, timeout_s: f64, is_dead: impl Fn(u32) -> bool) {
        self.handles.retain(|handle, report| !is_dead(*handle) && now_s - report.received_s < timeout_s);
    }

    /// The handles known.
    pub fn handles(&self) -> impl Iterator<Item = u32> {
        self.handles.keys().copied()
    }

    /// Ongoing requests at `now_s`, as [`Reports::summary`] has them.
    pub fn ongoing(
        &self,
        config: &AutoscalingConfig,
        now_s: f64,
        is_running: impl Fn(u32) -> bool,
        by_replica: &BTreeMap<u32, Vec<Point>>,
    ) -> f64 {
        self.summary(config, is_running, by_replica).map_or(0.0, |summary| summary.at(now_s))
    }

    /// Ongoing requests: queued at handles, and at replicas that run. Where `by_replica` holds a point of one of these,
    /// replicas count for themselves and what the handles say of them is left out.
    pub fn summary<'s>(
        &'s self,
        config: &AutoscalingConfig,
        is_running: impl Fn(u32) -> bool,
        by_replica: &'s BTreeMap<u32, Vec<Point>>,
    ) -> Option<Summary> {
        let of_running = |(replica, points): (&u32, &'s Vec<Point>)| is_running(*replica).then_some(points.as_slice());
        let mut series: Vec<&[Point]> = by_replica.iter().filter_map(of_running).filter(|s| !s.is_empty()).collect();
        if series.is_empty() {
            series.extend(self.handles.values().flat_map(|report| &report.running).filter_map(of_running));
        }
        series.extend(self.queued_series());
        Summary::of(&series, config.aggregation_function)
    }

    /// Requests queued at handles.
    pub fn queued(&self, config: &AutoscalingConfig, now_s: f64) -> f64 {
        total(&self.queued_series().collect::<Vec<_>>(), config.aggregation_function, now_s)
    }

    fn queued_series(&self) -> impl Iterator<Item = &[Point]> {
        self.handles.values().map(|report| report.queued.as_slice())
    }
}
