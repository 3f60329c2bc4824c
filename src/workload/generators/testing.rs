//! Counts of arrivals per interval, for comparing generators with theory.

use std::path::Path;
use std::sync::Arc;

use crate::config::{Diagnostics, SourceFile, parse_single};
use crate::random::Streams;
use crate::workload::batch::RequestBatch;
use crate::workload::recipe::{Opening, Recipe};
use crate::workload::spec::WorkloadSpec;

/// The workload that `text` states.
pub(in super::super) fn workload(text: &str) -> Result<WorkloadSpec, String> {
    let node = parse_single(&SourceFile::new("w.yaml", text)).unwrap();
    let mut sink = Diagnostics::new();
    WorkloadSpec::from_node(&node, Path::new(""), &mut sink).ok_or(sink.to_string())
}

/// The recipe of the workload that `text` states.
pub(in super::super) fn recipe(text: &str) -> Arc<dyn Recipe> {
    workload(text).unwrap().recipe()
}

/// All requests of a stream with a fixed seed; checks that times are in order and within the stated length.
pub(in super::super) fn requests(recipe: &dyn Recipe) -> RequestBatch {
    let mut source = recipe.open(Opening::new(Streams::new(11, 0), 0)).unwrap();
    let mut all = RequestBatch::default();
    loop {
        let before = all.len();
        source.fill(&mut all).unwrap();
        if all.len() == before {
            break;
        }
    }
    assert!(all.arrivals.is_sorted());
    let end = source.extent().unwrap();
    assert!(all.arrivals.last().is_none_or(|last| last.as_nanos() < end.as_nanos()));
    all
}

/// Arrivals per interval.
#[derive(Debug)]
pub(in super::super) struct Counts(pub(in super::super) Vec<f64>);

impl Counts {
    /// Counts of a stream of stated length, in whole intervals of `width` seconds.
    pub(in super::super) fn of(recipe: &dyn Recipe, width: f64) -> Self {
        let end = recipe.open(Opening::new(Streams::new(11, 0), 0)).unwrap().extent().unwrap().as_secs_f64();
        let mut counts = vec![0.0; (end / width).round() as usize];
        for time in &requests(recipe).arrivals {
            if let Some(count) = counts.get_mut((time.as_secs_f64() / width) as usize) {
                *count += 1.0;
            }
        }
        Counts(counts)
    }

    pub(in super::super) fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    fn covariance(&self, lag: usize) -> f64 {
        let mean = self.mean();
        let pairs = self.0.iter().zip(&self.0[lag..]);
        pairs.map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>() / (self.0.len() - lag) as f64
    }

    /// Variance over mean; 1 for a Poisson process.
    pub(in super::super) fn index_of_dispersion(&self) -> f64 {
        self.covariance(0) / self.mean()
    }

    pub(in super::super) fn autocorrelation(&self, lag: usize) -> f64 {
        self.covariance(lag) / self.covariance(0)
    }
}
