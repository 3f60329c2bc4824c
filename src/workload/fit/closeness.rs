//! The figures by which a synthetic trace is held against a recorded one.

use super::super::portrait::Portrait;
use super::super::series::ScaledCounts;
use super::super::{TraceError, WorkloadSpec};
use crate::random::Streams;
use crate::units::{NANOS_PER_SECOND, SimDuration};

/// One figure of both traces.
#[derive(Debug, Clone, PartialEq)]
pub struct Closeness {
    /// What it is.
    pub name: String,
    /// Of the trace.
    pub recorded: f64,
    /// The median of the generator's traces of the same length.
    pub synthetic: f64,
    /// The least of them.
    pub least: f64,
    /// The most of them.
    pub most: f64,
}

/// At what lengths of time traces are compared: seconds, none shorter than what the trace resolves, and such that there are at least ten.
pub(super) struct Scales {
    /// For figures that are shown.
    shown: Vec<u64>,
    /// A step of the autocorrelation.
    step: u64,
}

/// Steps over which an autocorrelation is told.
const LAGS: [usize; 3] = [1, 10, 60];

impl Scales {
    /// Those of a recorded series whose rows are so far apart.
    pub(super) fn of(recorded: &ScaledCounts, resolution: Option<SimDuration>) -> Scales {
        let length = recorded.counts.len() as f64 * recorded.seconds();
        let finest = resolution.map_or(0.0, SimDuration::as_secs_f64).max(recorded.seconds());
        let told = |seconds: &u64| *seconds as f64 >= finest && length >= 10.0 * *seconds as f64;
        Scales { shown: [1, 10, 60, 600, 3600, 86_400].into_iter().filter(told).collect(), step: finest.ceil() as u64 }
    }
}

/// What is compared of one trace.
pub(super) struct Figures {
    portrait: Portrait,
    /// What is shown, by name.
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

    /// The [distance](Portrait::distance) of the portraits, plus the mean difference of the autocorrelations at 1, 10 and 60 steps.
    pub(super) fn distance(&self, other: &Figures) -> f64 {
        let pairs = self.autocorrelation.iter().zip(&other.autocorrelation);
        let apart: f64 = pairs.map(|(a, b)| (a - b).abs()).sum();
        self.portrait.distance(&other.portrait) + apart / self.autocorrelation.len().max(1) as f64
    }
}

/// Each figure of the recorded trace beside the median of the synthetic ones.
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
