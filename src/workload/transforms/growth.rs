//! Growing traffic.

use std::sync::Arc;

use super::scale_rate::{Factor, scaled_by};
use super::transform::{Transform, TransformPlugin};
use crate::config::Fields;
use crate::random::Purpose;
use crate::units::{Fraction, SimDuration};
use crate::workload::error::TraceError;
use crate::workload::recipe::{Opening, Recipe};
use crate::workload::source::TraceSource;

/// The entry in the list.
pub const PLUGIN: TransformPlugin = TransformPlugin {
    name: "growth",
    summary: "exponential growth: `{ factor: 1.5, per: 365d, ahead: 180d, uncertainty: 10% }`, played as if it were `ahead` later",
    source: "exponential trend with a lognormal error",
    build: |node, _, sink| {
        let fields = Fields::open(node, "transform `growth`", sink)?;
        let factor: Option<f64> = fields.required("factor", sink);
        let per = fields.or("per", SimDuration::from_secs(365 * 86_400), sink).as_secs_f64();
        let ahead = fields.or("ahead", SimDuration::ZERO, sink).as_secs_f64();
        let uncertainty = fields.or("uncertainty", Fraction::default(), sink).get();
        let jitter: Option<SimDuration> = fields.optional("jitter", sink);
        let jitter = jitter.map(SimDuration::as_nanos);
        fields.finish(sink);
        let factor = factor?;
        // Scaling by more than a million is not an extrapolation.
        if !(1e-3..=1e3).contains(&factor) || per <= 0.0 || (factor.ln() * ahead / per).abs() > 1e6f64.ln() {
            sink.push(node.error(
                "expected a `factor` from 0.001 to 1000 `per` a time above zero, and less than a millionfold `ahead`",
            ));
            return None;
        }
        Some(Arc::new(Growth { slope: factor.ln() / per, ahead, uncertainty, jitter }))
    },
};

/// The rate at t is multiplied by factor^((t + ahead) / per), and by one lognormal error of median 1 for the whole run
/// whose logarithm has standard deviation `uncertainty`. Each replication draws its own error, so the spread of the
/// replications' results is the interval of the extrapolation. The season is that of the stream; repeat the stream
/// first if the trace is shorter than the future.
#[derive(Debug, Clone, Copy)]
struct Growth {
    /// Logarithm of the factor per second.
    slope: f64,
    ahead: f64,
    uncertainty: f64,
    jitter: Option<u64>,
}

impl Transform for Growth {
    fn open(&self, inner: &Arc<dyn Recipe>, step: u16, opening: Opening) -> Result<Box<dyn TraceSource>, TraceError> {
        // The same error in every pass of a repeated stream.
        let error = Opening { pass: 0, ..opening }.draw(Purpose::Modulation, step).normal();
        let trend = Trend { slope: self.slope, at_zero: self.slope * self.ahead + self.uncertainty * error };
        scaled_by(inner, trend, self.jitter, step, opening)
    }
}

/// The logarithm of the factor is linear in time.
struct Trend {
    slope: f64,
    at_zero: f64,
}

impl Factor for Trend {
    fn at(&self, at: u64, _: Option<u16>) -> f64 {
        (self.at_zero + self.slope * at as f64 / 1e9).min(1e6f64.ln()).exp()
    }

    fn bound(&self, from: u64, to: u64) -> f64 {
        self.at(from, None).max(self.at(to, None))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::generators::testing::{Counts, recipe};
    use crate::random::Streams;
    use crate::workload::recipe::Opening;

    #[test]
    fn the_rate_grows_exponentially() {
        let text = "poisson: { rate: 20/s, for: 4h }\ntransforms: [{ growth: { factor: 2, per: 2h, ahead: 1h } }]";
        let counts = Counts::of(&*recipe(text), 3600.0);
        for (hour, count) in counts.0.iter().enumerate() {
            let line = |t: f64| f64::exp2((t + 1.0) / 2.0) * 2.0 / std::f64::consts::LN_2;
            let expected = 72_000.0 * (line(hour as f64 + 1.0) - line(hour as f64));
            assert!((count / expected - 1.0).abs() < 0.02, "hour {hour}: {count} for {expected}");
        }
    }

    #[test]
    fn replications_differ_by_the_uncertainty() {
        let recipe =
            recipe("constant: { rate: 10/s, for: 1000s }\ntransforms: [{ growth: { factor: 1, uncertainty: 20% } }]");
        let total = |replication| {
            let mut source = recipe.open(Opening::new(Streams::new(5, replication), 0)).unwrap();
            let mut batch = crate::workload::batch::RequestBatch::default();
            while {
                let before = batch.len();
                source.fill(&mut batch).unwrap();
                batch.len() > before
            } {}
            (batch.len() as f64 / 10_000.0).ln()
        };
        let logs: Vec<f64> = (0..400).map(total).collect();
        let mean = logs.iter().sum::<f64>() / 400.0;
        let spread = (logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / 399.0).sqrt();
        // Standard errors: 0.01 of the mean, 0.007 of the spread.
        assert!(mean.abs() < 0.04 && (spread - 0.2).abs() < 0.03, "{mean} {spread}");
    }
}
