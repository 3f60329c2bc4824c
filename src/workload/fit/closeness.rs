//! The figures by which a synthetic trace is compared with a recorded one.

use crate::random::Streams;
use crate::units::{NANOS_PER_SECOND, SimDuration};
use crate::workload::describe::portrait::Portrait;
use crate::workload::error::TraceError;
use crate::workload::shape::series::ScaledCounts;
use crate::workload::spec::WorkloadSpec;

/// One figure of both traces.
#[derive(Debug, Clone, PartialEq)]
pub struct Closeness {
    /// Its name.
    pub name: String,
    /// Value of the recorded trace.
    pub recorded: f64,
    /// Median over the generator's traces of the same length.
    pub synthetic: f64,
    /// Minimum over them.
    pub least: f64,
    /// Maximum over them.
    pub most: f64,
}

/// Time scales of the comparison in seconds: not shorter than the resolution of the trace, and with at least ten
/// intervals each.
pub(super) struct Scales {
    /// For the figures shown.
    shown: Vec<u64>,
    /// Step of the autocorrelation.
    step: u64,
}

/// Lags of the autocorrelation, in steps.
const LAGS: [usize; 3] = [1, 10, 60];

impl Scales {
    /// Lags for a recorded series with rows that far apart.
    pub(super) fn of(recorded: &ScaledCounts, resolution: Option<SimDuration>) -> Scales {
        let length = recorded.counts.len() as f64 * recorded.seconds();
        let finest = resolution.map_or(0.0, SimDuration::as_secs_f64).max(recorded.seconds());
        let told = |seconds: &u64| *seconds as f64 >= finest && length >= 10.0 * *seconds as f64;
        Scales { shown: [1, 10, 60, 600, 3600, 86_400].into_iter().filter(told).collect(), step: finest.ceil() as u64 }
    }
}

/// The compared figures of one trace.
pub(super) struct Figures {
    portrait: Portrait,
    /// Figures that are shown, by name.
    shown: Vec<(String, f64)>,
    /// The autocorrelations at [`LAGS`].
    autocorrelation: Vec<f64>,
}

impl Figures {
    pub(super) fn of(spec: &WorkloadSpec, streams: Streams, scales: &Scales) -> Result<Figures, TraceError> {
        let (mut portrait, series) = Portrait::with_series(spec, streams)?;
        portrait.dispersion.retain(|(seconds, _)| *seconds >= scales.step as f64);
        let mut shown = vec![("mean per second".to_string(), series.mean() / series.seconds())];
        let mut counts = series.clone();
        for seconds in &scales.shown {
            let scale = SimDuration::from_nanos(seconds * NANOS_PER_SECOND);
            counts = series.at_scale_beyond(&counts, *seconds);
            shown.push((format!("peak per {scale}"), counts.peak()));
            shown.push((format!("index of dispersion over {scale}"), counts.dispersion()));
            if *seconds != scales.step {
                shown.push((format!("autocorrelation over {scale}"), counts.autocorrelation(1)));
            }
        }
        let steps = series.at_scale(scales.step);
        let lags = LAGS.into_iter().filter(|lag| steps.counts.len() >= 10 * lag);
        let autocorrelation: Vec<f64> = lags.clone().map(|lag| steps.autocorrelation(lag)).collect();
        let step = SimDuration::from_nanos(scales.step * NANOS_PER_SECOND);
        let told = lags.zip(&autocorrelation);
        shown.extend(told.map(|(lag, value)| (format!("autocorrelation, {lag} x {step} apart"), *value)));
        for (side, name) in ["input", "output"].into_iter().enumerate().filter(|_| series.tokens.n > 0.0) {
            shown.push((format!("mean {name} tokens (lognormal)"), series.tokens.fitted().0[side].0));
        }
        Ok(Figures { portrait, shown, autocorrelation })
    }

    /// The [distance](Portrait::distance) of the portraits, plus the mean difference of the autocorrelations at lags 1,
    /// 10 and 60.
    pub(super) fn distance(&self, other: &Figures) -> f64 {
        let pairs = self.autocorrelation.iter().zip(&other.autocorrelation);
        let apart: f64 = pairs.map(|(a, b)| (a - b).abs()).sum();
        self.portrait.distance(&other.portrait) + apart / self.autocorrelation.len().max(1) as f64
    }
}

/// Each figure of the recorded trace with the median of the synthetic ones.
pub(super) fn compare(recorded: &Figures, synthetic: &[Figures]) -> Vec<Closeness> {
    let row = |(place, (name, value)): (usize, &(String, f64))| {
        let mut values: Vec<f64> =
            synthetic.iter().filter_map(|trace| trace.shown.get(place)).map(|(_, value)| *value).collect();
        values.sort_by(f64::total_cmp);
        let middle = values.len() / 2;
        let median = if values.len().is_multiple_of(2) {
            f64::midpoint(values[middle - 1], values[middle])
        } else {
            values[middle]
        };
        Closeness {
            name: name.clone(),
            recorded: *value,
            synthetic: median,
            least: values[0],
            most: values[values.len() - 1],
        }
    };
    recorded.shown.iter().enumerate().map(row).collect()
}
