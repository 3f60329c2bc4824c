//! Requests that come together: runs whose gaps are short.

use super::super::series::Series;
use super::super::{RequestBatch, TraceError, TraceSource};
use crate::units::{SimDuration, SimTime};

/// The longest gaps within a cluster that are tried, seconds.
const GAPS: [f64; 14] = [0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0];
/// Fewer clusters say nothing of how they are spread.
const FEWEST_CLUSTERS: f64 = 30.0;
/// Smaller clusters are as good as none.
const LEAST_REQUESTS: f64 = 1.1;

/// One way to see clusters.
pub(super) struct Clusters {
    /// First requests of the clusters.
    pub(super) centres: Series,
    /// Mean number of requests of a cluster.
    pub(super) requests: f64,
    /// Mean and coefficient of variation of the gaps within clusters, seconds.
    pub(super) think_mean: f64,
    pub(super) think_cv: f64,
}

/// A source that is looked at for clusters while it is read, one way for each of [`GAPS`].
pub(super) struct Clusterings {
    source: Box<dyn TraceSource>,
    previous: Option<SimTime>,
    ways: Vec<Way>,
}

struct Way {
    longest: f64,
    centres: Series,
    clusters: f64,
    /// Number, sum and sum of squares of the gaps within clusters.
    gaps: [f64; 3],
}

impl Clusterings {
    pub(super) fn new(source: Box<dyn TraceSource>) -> Clusterings {
        let way = |longest| Way { longest, centres: Series::empty(), clusters: 0.0, gaps: [0.0; 3] };
        Clusterings { source, previous: None, ways: GAPS.map(way).into() }
    }

    /// The ways that show enough clusters of enough requests, once the source is read; `all` is the whole series.
    pub(super) fn found(self, all: &Series) -> Vec<Clusters> {
        let requests: f64 = all.counts.iter().sum();
        let is_telling = |way: &Way| way.clusters >= FEWEST_CLUSTERS && requests / way.clusters >= LEAST_REQUESTS;
        let clusters = |way: Way| {
            let [n, sum, squares] = way.gaps;
            let mean = sum / n;
            let cv = (squares / n / (mean * mean) - 1.0).max(0.0).sqrt();
            let centres = way.centres.beside(all);
            Clusters { centres, requests: requests / way.clusters, think_mean: mean, think_cv: cv }
        };
        self.ways.into_iter().filter(is_telling).map(clusters).filter(|found| found.think_mean > 0.0).collect()
    }
}

impl Way {
    fn add(&mut self, time: SimTime, gap: Option<f64>) {
        match gap.filter(|gap| *gap <= self.longest) {
            Some(gap) => self.gaps = [self.gaps[0] + 1.0, self.gaps[1] + gap, self.gaps[2] + gap * gap],
            None => {
                self.clusters += 1.0;
                self.centres.spread(time.as_nanos(), 1, 1.0);
            }
        }
    }
}

impl TraceSource for Clusterings {
    fn fill(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError> {
        let before = batch.len();
        self.source.fill(batch)?;
        for time in &batch.arrivals[before..] {
            let gap = self.previous.replace(*time).map(|previous| time.since(previous).as_secs_f64());
            self.ways.iter_mut().for_each(|way| way.add(*time, gap));
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
