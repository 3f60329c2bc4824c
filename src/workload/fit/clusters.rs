//! Clusters of requests: sequences with short interarrival times.

use crate::units::{SimDuration, SimTime};
use crate::workload::batch::RequestBatch;
use crate::workload::error::TraceError;
use crate::workload::shape::series::ScaledCounts;
use crate::workload::source::TraceSource;

/// Maximum interarrival times within a cluster that are tried, seconds.
const GAPS: [f64; 14] = [0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0];
/// Minimum number of clusters to estimate how they are spread.
const MIN_CLUSTERS: f64 = 30.0;
/// Minimum mean size of clusters.
const MIN_REQUESTS: f64 = 1.1;
/// Thresholds of this many mean interarrival times or more chain unrelated requests: in a Poisson process, e^2 = 7
/// each.
const MAX_GAPS: f64 = 2.0;
/// Maximum coefficient of variation that a generator accepts.
const MAX_CV: f64 = 50.0;

/// One definition of clusters.
#[derive(Clone)]
pub(super) struct Clusters {
    /// The first requests of the clusters.
    pub(super) centres: ScaledCounts,
    /// Mean number of requests in a cluster.
    pub(super) requests: f64,
    /// Coefficient of variation of that number; `None` for geometric sizes.
    pub(super) size_cv: Option<f64>,
    pub(super) spacing: Spacing,
    /// Alternatives for the same clusters: sizes with their own spread, requests within a duration.
    wide: f64,
    within: Spacing,
}

/// How the requests of a cluster follow its first: mean and coefficient of variation of the interarrival times or of
/// the duration within which all arrive, seconds.
#[derive(Clone, Copy)]
pub(super) enum Spacing {
    Think(f64, f64),
    Within(f64, f64),
}

impl Clusters {
    /// The same clusters with sizes of their own spread, within a duration of their own, and both.
    pub(super) fn variants(&self) -> [Clusters; 3] {
        let wide = Clusters { size_cv: Some(self.wide), ..self.clone() };
        let within = |clusters: &Clusters| Clusters { spacing: self.within, ..clusters.clone() };
        [within(self), within(&wide), wide]
    }
}

/// Number, mean and variance of weighted values.
#[derive(Clone, Copy, Default)]
struct Moments {
    weight: f64,
    sum: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f64, weight: f64) {
        self.weight += weight;
        self.sum += weight * value;
        self.squares += weight * value * value;
    }

    /// Mean and coefficient of variation; `None` if there are no values or only zeros.
    fn told(self) -> Option<(f64, f64)> {
        let mean = self.sum / self.weight;
        let cv = (self.squares / self.weight / (mean * mean) - 1.0).max(0.0).sqrt();
        (mean > 0.0).then_some((mean, cv.clamp(0.01, MAX_CV)))
    }
}

/// A source in which clusters are searched while it is read, one definition for each of [`GAPS`].
pub(super) struct Clusterings {
    source: Box<dyn TraceSource>,
    previous: SimTime,
    ways: Vec<Way>,
}

struct Way {
    longest: f64,
    centres: ScaledCounts,
    /// The current cluster: its first request and its number of requests.
    first: SimTime,
    size: f64,
    sizes: Moments,
    gaps: Moments,
    durations: Moments,
}

impl Clusterings {
    pub(super) fn new(source: Box<dyn TraceSource>) -> Clusterings {
        let none = Moments::default();
        let way = |longest| Way {
            longest,
            centres: ScaledCounts::empty(),
            first: SimTime::ZERO,
            size: 0.0,
            sizes: none,
            gaps: none,
            durations: none,
        };
        Clusterings { source, previous: SimTime::ZERO, ways: GAPS.map(way).into() }
    }

    /// The definitions that give enough clusters of enough requests, after the source was read; `all` is the whole
    /// series.
    pub(super) fn found(mut self, all: &ScaledCounts) -> Vec<Clusters> {
        self.ways.iter_mut().for_each(|way| way.close(self.previous));
        let mean_gap = all.seconds() / all.mean();
        let near = self.ways.into_iter().filter(|way| way.longest < MAX_GAPS * mean_gap);
        near.filter_map(|way| way.told(all)).collect()
    }
}

impl Way {
    fn add(&mut self, time: SimTime, previous: SimTime) {
        let gap = time.since(previous).as_secs_f64();
        if self.size > 0.0 && gap <= self.longest {
            self.gaps.add(gap, 1.0);
            self.size += 1.0;
            return;
        }
        self.close(previous);
        (self.first, self.size) = (time, 1.0);
        self.centres.spread(time.as_nanos(), 1, 1.0);
    }

    /// Adds the cluster whose last request was at `last`.
    fn close(&mut self, last: SimTime) {
        if self.size == 0.0 {
            return;
        }
        self.sizes.add(self.size, 1.0);
        // The last of n - 1 uniform followers is at (n - 1) / n of the duration on average. Followers have equal
        // weight, not clusters, because the positions of requests are to be reproduced.
        let followers = self.size - 1.0;
        if followers > 0.0 {
            self.durations.add(last.since(self.first).as_secs_f64() * self.size / followers, followers);
        }
    }

    fn told(self, all: &ScaledCounts) -> Option<Clusters> {
        let (requests, wide) = self.sizes.told()?;
        if self.sizes.weight < MIN_CLUSTERS || requests < MIN_REQUESTS {
            return None;
        }
        let ((think, think_cv), (within, within_cv)) = (self.gaps.told()?, self.durations.told()?);
        let seen = self.sizes.weight / (all.counts.len() as f64 * all.seconds());
        let requests = apart(requests, seen, think, self.longest);
        if requests < MIN_REQUESTS {
            return None;
        }
        // No number of requests has less spread than one plus a Poisson number of others.
        let least = (requests - 1.0).sqrt() / requests;
        Some(Clusters {
            centres: self.centres.beside(all),
            requests,
            size_cv: None,
            spacing: Spacing::Think(think, think_cv),
            wide: wide.max(least * 1.001),
            within: Spacing::Within(within, within_cv),
        })
    }
}

/// The mean size of clusters that were chained by chance to `requests` on average, with `seen` chains per second.
/// Clusters that start at a rate r and last D seconds until no request follows within `longest` are chained like the
/// customers of a busy period with infinitely many servers, so r exp(-r D) chains are observed (Takacs 1962). D is the
/// length of `requests - 1` interarrival times plus the longest. The chains determine the mean number of all requests,
/// so sizes and rates are inverse. If no rate fits, practically all clusters are one chain, and nothing is corrected.
fn apart(requests: f64, seen: f64, think: f64, longest: f64) -> f64 {
    let all = requests * seen;
    let mut rate = seen;
    for _ in 0..100 {
        let size = (all / rate).max(1.0);
        let next = seen * (rate * ((size - 1.0) * think + longest)).exp();
        if !next.is_finite() || next > all {
            return requests;
        }
        if (next / rate - 1.0).abs() < 1e-9 {
            break;
        }
        rate = next;
    }
    all / rate
}

impl TraceSource for Clusterings {
    fn fill(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError> {
        let before = batch.len();
        self.source.fill(batch)?;
        for time in &batch.arrivals[before..] {
            self.ways.iter_mut().for_each(|way| way.add(*time, self.previous));
            self.previous = *time;
        }
        Ok(())
    }

    fn extent(&self) -> Option<SimDuration> {
        self.source.extent()
    }

    fn start_epoch_ns(&self) -> Option<u64> {
        self.source.start_epoch_ns()
    }
}
