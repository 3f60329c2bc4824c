//! Distributions of non-negative quantities: service times, start-up delays, inter-arrival times, sizes.

use super::Draw;
use crate::config::{Diagnostics, Fields, FromNode, Value, Yaml};
use crate::units::SimDuration;

/// The distribution of a non-negative quantity. Durations are in seconds.
#[derive(Debug, Clone, PartialEq)]
pub enum Distribution {
    /// Always `value`.
    Constant {
        /// The value.
        value: f64,
    },
    /// Uniform on [low, high).
    Uniform {
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
    },
    /// Exponential.
    Exponential {
        /// Mean.
        mean: f64,
    },
    /// Lognormal: the logarithm is normal.
    Lognormal {
        /// Mean of the logarithm.
        mu: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
    /// Weibull with cumulative distribution 1 - exp(-(x / scale)^shape).
    Weibull {
        /// Shape.
        shape: f64,
        /// Scale.
        scale: f64,
    },
    /// Gamma; with a whole-numbered shape this is the Erlang distribution.
    Gamma {
        /// Shape.
        shape: f64,
        /// Scale; the mean is shape times scale.
        scale: f64,
    },
    /// Pareto: 1 - (min / x)^shape above `min`; truncated at `max` if that is finite (bounded Pareto).
    Pareto {
        /// Tail index.
        shape: f64,
        /// Smallest value.
        min: f64,
        /// Largest value; infinity for the unbounded distribution.
        max: f64,
    },
    /// A mixture of exponentials: with probability `weights[i]` one with mean `means[i]`.
    Hyperexponential {
        /// Cumulative probabilities, the last is 1.
        cumulative: Vec<f64>,
        /// Means.
        means: Vec<f64>,
    },
    /// One of the given values with equal probability.
    Empirical {
        /// The values, sorted.
        values: Vec<f64>,
    },
}

impl Distribution {
    /// The constant `duration`.
    pub fn constant(duration: SimDuration) -> Self {
        Distribution::Constant { value: duration.as_secs_f64() }
    }

    /// Exponential with mean `mean`.
    pub fn exponential(mean: SimDuration) -> Self {
        Distribution::Exponential { mean: mean.as_secs_f64() }
    }

    /// Lognormal with the given mean and coefficient of variation (standard deviation / mean):
    /// sigma^2 = ln(1 + cv^2), mu = ln(mean) - sigma^2 / 2.
    pub fn lognormal(mean: f64, cv: f64) -> Self {
        let variance = (1.0 + cv * cv).ln();
        Distribution::Lognormal { mu: mean.ln() - variance / 2.0, sigma: variance.sqrt() }
    }

    /// Two exponentials with balanced means and the given mean and squared coefficient of variation (at least 1):
    /// p = (1 + sqrt((c2 - 1) / (c2 + 1))) / 2, means m / 2p and m / 2(1 - p) (Whitt 1982).
    pub fn hyperexponential_balanced(mean: f64, scv: f64) -> Self {
        let p = 0.5 * (1.0 + ((scv - 1.0) / (scv + 1.0)).max(0.0).sqrt());
        let means = vec![mean / (2.0 * p), mean / (2.0 * (1.0 - p))];
        Distribution::Hyperexponential { cumulative: vec![p, 1.0], means }
    }

    /// Draws a sample; never negative or NaN.
    #[inline]
    pub fn sample(&self, draw: &mut Draw) -> f64 {
        match self {
            Distribution::Exponential { mean } => mean * draw.exponential(),
            Distribution::Constant { value } => *value,
            Distribution::Lognormal { mu, sigma } => (mu + sigma * draw.normal()).exp(),
            other => other.sample_rare(draw),
        }
    }

    /// The rarely used distributions, kept out of the caller's loop.
    fn sample_rare(&self, draw: &mut Draw) -> f64 {
        match self {
            Distribution::Uniform { low, high } => low + (high - low) * draw.uniform(),
            Distribution::Weibull { shape, scale } => scale * draw.exponential().powf(1.0 / shape),
            Distribution::Gamma { shape, scale } => match rand_distr::Gamma::new(*shape, *scale) {
                Ok(gamma) => draw.sample(&gamma),
                Err(_) => 0.0,
            },
            Distribution::Pareto { shape, min, max } => {
                // Inversion. For the bounded distribution the uniform number is scaled to the probability below `max`.
                let mass = 1.0 - (min / max).powf(*shape);
                min * (1.0 - mass * draw.uniform()).powf(-1.0 / shape)
            }
            Distribution::Hyperexponential { cumulative, means } => {
                let u = draw.uniform();
                let branch = cumulative.partition_point(|c| *c <= u).min(means.len() - 1);
                means[branch] * draw.exponential()
            }
            Distribution::Empirical { values } => values[draw.index(values.len() as u32) as usize],
            Distribution::Exponential { .. } | Distribution::Constant { .. } | Distribution::Lognormal { .. } => {
                self.sample(draw)
            }
        }
    }

    /// Draws a duration from a distribution in seconds, rounded to the nearest nanosecond.
    #[inline]
    pub fn sample_duration(&self, draw: &mut Draw) -> SimDuration {
        // `as` saturates, which caps samples beyond 584 years.
        SimDuration::from_nanos((self.sample(draw) * 1e9 + 0.5) as u64)
    }

    /// The infimum: no sample is below it.
    pub fn least(&self) -> f64 {
        match self {
            Distribution::Constant { value } => *value,
            Distribution::Uniform { low, .. } => *low,
            Distribution::Pareto { min, .. } => *min,
            Distribution::Empirical { values } => values.iter().copied().reduce(f64::min).unwrap_or(0.0),
            Distribution::Exponential { .. }
            | Distribution::Lognormal { .. }
            | Distribution::Weibull { .. }
            | Distribution::Gamma { .. }
            | Distribution::Hyperexponential { .. } => 0.0,
        }
    }

    /// The probability of exceeding `x`. Normal and gamma tails are accurate to about 1e-10.
    pub fn exceeds(&self, x: f64) -> f64 {
        let certain = |yes: bool| f64::from(u8::from(yes));
        match self {
            Distribution::Constant { value } => certain(*value > x),
            Distribution::Empirical { values } => {
                values.iter().filter(|value| **value > x).count() as f64 / values.len().max(1) as f64
            }
            _ if x <= 0.0 => 1.0,
            Distribution::Uniform { low, high } if high > low => ((high - x) / (high - low)).clamp(0.0, 1.0),
            Distribution::Uniform { high, .. } => certain(*high > x),
            Distribution::Exponential { mean } => (-x / mean).exp(),
            Distribution::Lognormal { mu, sigma } if *sigma > 0.0 => {
                statrs::function::erf::erfc((x.ln() - mu) / sigma * std::f64::consts::FRAC_1_SQRT_2) / 2.0
            }
            Distribution::Lognormal { mu, .. } => certain(mu.exp() > x),
            Distribution::Weibull { shape, scale } => (-(x / scale).powf(*shape)).exp(),
            Distribution::Gamma { shape, scale } => {
                statrs::function::gamma::checked_gamma_ur(*shape, x / scale).unwrap_or(0.0)
            }
            Distribution::Pareto { min, .. } if x < *min => 1.0,
            Distribution::Pareto { shape, min, max } => {
                let beyond = (min / max).powf(*shape);
                (((min / x).powf(*shape) - beyond) / (1.0 - beyond)).max(0.0)
            }
            Distribution::Hyperexponential { cumulative, means } => {
                let mut before = 0.0;
                let weight = |c: &f64| c - std::mem::replace(&mut before, *c);
                cumulative.iter().map(weight).zip(means).map(|(weight, mean)| weight * (-x / mean).exp()).sum()
            }
        }
    }

    /// The distribution as text ("lognormal with mean 120 ms and standard deviation 60 ms"), to three digits.
    pub fn words(&self) -> String {
        let time = shown_seconds;
        match self {
            Distribution::Constant { value } => format!("always {}", time(*value)),
            Distribution::Uniform { low, high } => format!("uniform between {} and {}", time(*low), time(*high)),
            Distribution::Exponential { mean } => format!("exponential with mean {}", time(*mean)),
            Distribution::Lognormal { sigma, .. } => {
                let cv = ((sigma * sigma).exp() - 1.0).sqrt();
                format!("lognormal with mean {} and standard deviation {}", time(self.mean()), time(cv * self.mean()))
            }
            Distribution::Weibull { shape, .. } => format!("Weibull with shape {shape} and mean {}", time(self.mean())),
            Distribution::Gamma { shape, .. } => format!("gamma with shape {shape} and mean {}", time(self.mean())),
            Distribution::Pareto { shape, min, max } if max.is_infinite() => {
                format!("Pareto with tail index {shape} from {}", time(*min))
            }
            Distribution::Pareto { shape, min, max } => {
                format!("Pareto with tail index {shape} from {} to {}", time(*min), time(*max))
            }
            Distribution::Hyperexponential { means, .. } => {
                format!("a mixture of {} exponentials with mean {}", means.len(), time(self.mean()))
            }
            Distribution::Empirical { values } => {
                format!("one of {} measured values with mean {}", values.len(), time(self.mean()))
            }
        }
    }

    /// The mean; infinite for a Pareto tail index up to 1.
    pub fn mean(&self) -> f64 {
        match self {
            Distribution::Constant { value } => *value,
            Distribution::Uniform { low, high } => f64::midpoint(*low, *high),
            Distribution::Exponential { mean } => *mean,
            Distribution::Lognormal { mu, sigma } => (mu + sigma * sigma / 2.0).exp(),
            Distribution::Weibull { shape, scale } => scale * statrs::function::gamma::gamma(1.0 + 1.0 / shape),
            Distribution::Gamma { shape, scale } => shape * scale,
            Distribution::Pareto { shape, min, max } => pareto_mean(*shape, *min, *max),
            Distribution::Hyperexponential { cumulative, means } => {
                let mut before = 0.0;
                cumulative.iter().zip(means).map(|(c, m)| (c - std::mem::replace(&mut before, *c)) * m).sum()
            }
            Distribution::Empirical { values } => values.iter().sum::<f64>() / values.len() as f64,
        }
    }
}

/// Seconds with three significant digits, in a suitable unit.
pub fn shown_seconds(seconds: f64) -> String {
    let (value, unit) = match seconds {
        0.0 => return "0 s".into(),
        s if s < 0.9995e-3 => (s * 1e6, "µs"),
        s if s < 0.9995 => (s * 1e3, "ms"),
        s if s < 600.0 => (s, "s"),
        s if s < 36_000.0 => (s / 60.0, "min"),
        s => (s / 3600.0, "h"),
    };
    let decimals = (2.0 - value.abs().log10().floor()).clamp(0.0, 2.0) as usize;
    let text = format!("{value:.decimals$}");
    let short = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{short} {unit}")
}

fn pareto_mean(shape: f64, min: f64, max: f64) -> f64 {
    if max.is_infinite() {
        return if shape > 1.0 { shape * min / (shape - 1.0) } else { f64::INFINITY };
    }
    let mass = 1.0 - (min / max).powf(shape);
    if (shape - 1.0).abs() < 1e-12 {
        return min / mass * (max / min).ln();
    }
    shape * min.powf(shape) / (mass * (shape - 1.0)) * (min.powf(1.0 - shape) - max.powf(1.0 - shape))
}

/// The names of duration distributions in scenarios.
pub const NAMES: [&str; 9] =
    ["constant", "uniform", "exponential", "lognormal", "weibull", "gamma", "pareto", "hyperexponential", "empirical"];

impl FromNode for Distribution {
    fn words(&self) -> Option<String> {
        Some(Distribution::words(self))
    }

    /// Reads a distribution of durations: `250ms` (constant), or a mapping whose only key is its name, such as `{
    /// lognormal: { mean: 120ms, cv: 0.8 } }`.
    fn from_node(node: &Yaml, sink: &mut Diagnostics) -> Option<Self> {
        let entries = match &node.value {
            Value::Scalar(_) => return SimDuration::from_node(node, sink).map(Distribution::constant),
            Value::Mapping(entries) if entries.len() == 1 => entries,
            _ => {
                let error = node.error("expected a duration or one distribution");
                sink.push(error.help("for example `120ms`, or `exponential: { mean: 120ms }`"));
                return None;
            }
        };
        let (key, inner) = &entries[0];
        let name = NAMES.iter().find(|name| **name == key.text);
        let Some(name) = name else {
            let error = node.error(format!("`{}` is not a distribution", key.text));
            let error = error.note(format!("known distributions: {}", NAMES.join(", ")));
            sink.push(error.near(&key.text, NAMES));
            return None;
        };
        read_named(name, inner, sink)
    }
}

fn read_named(name: &str, node: &Yaml, sink: &mut Diagnostics) -> Option<Distribution> {
    if name == "constant" {
        return SimDuration::from_node(node, sink).map(Distribution::constant);
    }
    if name == "empirical" {
        return read_empirical(node, sink);
    }
    let fields = Fields::open(node, name, sink)?;
    let before = sink.len();
    let read = match name {
        "uniform" => read_uniform(&fields, sink),
        "exponential" => seconds(&fields, "mean", sink).map(|mean| Distribution::Exponential { mean }),
        "lognormal" => read_lognormal(&fields, sink),
        "weibull" => {
            let shape = positive(&fields, "shape", sink);
            let mean = seconds(&fields, "mean", sink);
            shape.zip(mean).map(|(shape, mean)| Distribution::Weibull {
                shape,
                scale: mean / statrs::function::gamma::gamma(1.0 + 1.0 / shape),
            })
        }
        "gamma" => {
            let shape = positive(&fields, "shape", sink);
            let mean = seconds(&fields, "mean", sink);
            shape.zip(mean).map(|(shape, mean)| Distribution::Gamma { shape, scale: mean / shape })
        }
        "pareto" => read_pareto(&fields, sink),
        _ => read_hyperexponential(&fields, sink),
    };
    fields.finish(sink);
    read.filter(|_| sink.len() == before)
}

/// Reads a required duration above zero, in seconds.
fn seconds(fields: &Fields<'_>, name: &'static str, sink: &mut Diagnostics) -> Option<f64> {
    let value = fields.required::<SimDuration>(name, sink)?;
    if value.is_zero() {
        sink.push(fields.node_of(name)?.error(format!("`{name}` must be more than zero")));
        return None;
    }
    Some(value.as_secs_f64())
}

/// Reads a required number above zero.
fn positive(fields: &Fields<'_>, name: &'static str, sink: &mut Diagnostics) -> Option<f64> {
    let value = fields.required::<f64>(name, sink)?;
    if value <= 0.0 {
        sink.push(fields.node_of(name)?.error(format!("`{name}` must be more than zero, not {value}")));
        return None;
    }
    Some(value)
}

fn read_uniform(fields: &Fields<'_>, sink: &mut Diagnostics) -> Option<Distribution> {
    let low = fields.required::<SimDuration>("min", sink)?.as_secs_f64();
    let high = seconds(fields, "max", sink)?;
    if high < low {
        sink.push(fields.node().error("`max` is below `min`"));
        return None;
    }
    Some(Distribution::Uniform { low, high })
}

fn read_lognormal(fields: &Fields<'_>, sink: &mut Diagnostics) -> Option<Distribution> {
    if fields.node().get("p50").is_some() || fields.node().get("p99").is_some() {
        let (p50, p99) = (seconds(fields, "p50", sink)?, seconds(fields, "p99", sink)?);
        if p99 < p50 {
            sink.push(fields.node().error("`p99` is below `p50`"));
            return None;
        }
        // The 99th percentile of the standard normal distribution.
        return Some(Distribution::Lognormal { mu: p50.ln(), sigma: (p99 / p50).ln() / 2.326_347_874_040_841 });
    }
    let (mean, cv) = (seconds(fields, "mean", sink), positive(fields, "cv", sink));
    mean.zip(cv).map(|(mean, cv)| Distribution::lognormal(mean, cv))
}

fn read_pareto(fields: &Fields<'_>, sink: &mut Diagnostics) -> Option<Distribution> {
    let shape = positive(fields, "shape", sink)?;
    let min = seconds(fields, "min", sink)?;
    let max = match fields.optional::<SimDuration>("max", sink) {
        Some(max) => max.as_secs_f64(),
        None => f64::INFINITY,
    };
    if max <= min {
        sink.push(fields.node().error("`max` must be above `min`"));
        return None;
    }
    Some(Distribution::Pareto { shape, min, max })
}

fn read_hyperexponential(fields: &Fields<'_>, sink: &mut Diagnostics) -> Option<Distribution> {
    if fields.node().get("weights").is_none() {
        let (mean, cv) = (seconds(fields, "mean", sink)?, positive(fields, "cv", sink)?);
        if cv < 1.0 {
            let error = fields.node_of("cv")?.error("a hyperexponential distribution has a `cv` of at least 1");
            sink.push(error.help("use `gamma` or `weibull` for less variation"));
            return None;
        }
        return Some(Distribution::hyperexponential_balanced(mean, cv * cv));
    }
    let weights: Vec<f64> = fields.required("weights", sink)?;
    let means: Vec<SimDuration> = fields.required("means", sink)?;
    let total: f64 = weights.iter().sum();
    if weights.len() != means.len() || weights.iter().any(|w| *w < 0.0) || total <= 0.0 {
        sink.push(fields.node().error("`weights` and `means` must be lists of equal length, weights not negative"));
        return None;
    }
    let mut running = 0.0;
    let mut cumulative: Vec<f64> = weights
        .iter()
        .map(|w| {
            running += w / total;
            running
        })
        .collect();
    *cumulative.last_mut()? = 1.0;
    Some(Distribution::Hyperexponential { cumulative, means: means.iter().map(|m| m.as_secs_f64()).collect() })
}

fn read_empirical(node: &Yaml, sink: &mut Diagnostics) -> Option<Distribution> {
    let durations = Vec::<SimDuration>::from_node(node, sink)?;
    if durations.is_empty() {
        sink.push(node.error("an empirical distribution needs at least one value"));
        return None;
    }
    let mut values: Vec<f64> = durations.iter().map(|d| d.as_secs_f64()).collect();
    values.sort_by(f64::total_cmp);
    Some(Distribution::Empirical { values })
}

#[cfg(test)]
mod tests {
    use super::super::{Purpose, Streams};
    use super::*;
    use crate::config::{SourceFile, parse_single};
    use rstest::rstest;

    fn read(text: &str) -> Result<Distribution, String> {
        let node = parse_single(&SourceFile::new("d.yaml", text)).unwrap();
        let mut sink = Diagnostics::new();
        Distribution::from_node(&node, &mut sink).filter(|_| sink.is_empty()).ok_or(sink.to_string())
    }

    #[rstest]
    #[case("120ms", 0.12)]
    #[case("exponential: { mean: 120ms }", 0.12)]
    #[case("lognormal: { mean: 120ms, cv: 0.8 }", 0.12)]
    #[case("weibull: { shape: 0.7, mean: 120ms }", 0.12)]
    #[case("gamma: { shape: 3, mean: 120ms }", 0.12)]
    #[case("pareto: { shape: 2.5, min: 72ms }", 0.12)]
    #[case("pareto: { shape: 1.5, min: 10ms, max: 1s }", 0.027)]
    #[case("hyperexponential: { mean: 120ms, cv: 2 }", 0.12)]
    #[case("hyperexponential: { weights: [1, 3], means: [60ms, 140ms] }", 0.12)]
    #[case("empirical: [100ms, 110ms, 150ms]", 0.12)]
    #[case("uniform: { min: 80ms, max: 160ms }", 0.12)]
    fn samples_have_the_stated_mean(#[case] text: &str, #[case] mean: f64) {
        let distribution = read(text).unwrap();
        assert!((distribution.mean() - mean).abs() < 2e-4 * mean.max(1.0), "{} for {text}", distribution.mean());
        let mut draw = Streams::new(1, 0).running(Purpose::Demand, 0);
        let n = 400_000;
        let total: f64 = (0..n).map(|_| distribution.sample(&mut draw)).sum();
        assert!((total / f64::from(n) / distribution.mean() - 1.0).abs() < 0.03, "{text}");
    }

    #[rstest]
    #[case("0s", "always 0 s")]
    #[case("1250ms", "always 1.25 s")]
    #[case("90s", "always 90 s")]
    #[case("exponential: { mean: 120ms }", "exponential with mean 120 ms")]
    #[case("lognormal: { mean: 40ms, cv: 0.6 }", "lognormal with mean 40 ms and standard deviation 24 ms")]
    #[case("weibull: { shape: 0.7, mean: 1h }", "Weibull with shape 0.7 and mean 60 min")]
    #[case("gamma: { shape: 3, mean: 1234us }", "gamma with shape 3 and mean 1.23 ms")]
    #[case("pareto: { shape: 1.5, min: 10ms, max: 1s }", "Pareto with tail index 1.5 from 10 ms to 1 s")]
    #[case("pareto: { shape: 0.5, min: 10us }", "Pareto with tail index 0.5 from 10 µs")]
    #[case("hyperexponential: { mean: 120ms, cv: 2 }", "a mixture of 2 exponentials with mean 120 ms")]
    #[case("empirical: [100ms, 200ms]", "one of 2 measured values with mean 150 ms")]
    #[case("uniform: { min: 80ms, max: 160ms }", "uniform between 80 ms and 160 ms")]
    fn words_are_plain(#[case] text: &str, #[case] words: &str) {
        assert_eq!(read(text).unwrap().words(), words);
    }

    #[rstest]
    #[case("expnential: { mean: 1s }", "did you mean `exponential`?")]
    #[case("exponential: { men: 1s }", "did you mean `mean`?")]
    #[case("exponential: {}", "exponential has no `mean`")]
    #[case("exponential: { mean: 0s }", "must be more than zero")]
    #[case("gamma: { shape: -1, mean: 1s }", "must be more than zero")]
    #[case("hyperexponential: { mean: 1s, cv: 0.5 }", "at least 1")]
    #[case("pareto: { shape: 2, min: 2s, max: 1s }", "must be above")]
    #[case("empirical: []", "at least one value")]
    #[case("[1s]", "expected a duration or one distribution")]
    fn bad_ones_are_refused(#[case] text: &str, #[case] message: &str) {
        let shown = read(text).unwrap_err();
        assert!(shown.contains(message), "{shown}");
    }
}
