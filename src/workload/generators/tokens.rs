//! Joint lengths of prompts and responses.

use crate::config::{Diagnostics, Fields, FromNode, Yaml};
use crate::random::{Distribution, Draw};

/// Input and output tokens with jointly normal logarithms (a Gaussian copula with lognormal margins): the lengths in
/// published traces of language models are approximately lognormal, and the lengths of prompts and responses are
/// correlated (Wang et al. 2024, BurstGPT; Xiang et al. 2025, ServeGen).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TokenModel {
    input: Lognormal,
    output: Lognormal,
    /// Correlation of the logarithms.
    correlation: f64,
    /// Maximum number of input tokens, and of output tokens.
    max: u32,
}

/// A lognormal length: mean and standard deviation of its logarithm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Lognormal {
    mu: f64,
    sigma: f64,
}

impl Lognormal {
    /// With this mean and coefficient of variation.
    pub(super) fn new(mean: f64, cv: f64) -> Self {
        match Distribution::lognormal(mean, cv) {
            Distribution::Lognormal { mu, sigma } => Lognormal { mu, sigma },
            _ => Lognormal { mu: mean.ln(), sigma: 0.0 },
        }
    }

    /// The number of tokens, at least 1, for the normal variate `z`.
    fn at(self, z: f64, max: u32) -> u32 {
        ((self.mu + self.sigma * z).exp().round() as u32).clamp(1, max)
    }
}

impl TokenModel {
    /// With these margins and correlation of the logarithms.
    pub(super) fn new(input: Lognormal, output: Lognormal, correlation: f64, max: u32) -> Self {
        TokenModel { input, output, correlation, max }
    }

    /// Input and output tokens of one request.
    pub(super) fn sample(&self, draw: &mut Draw) -> (u32, u32) {
        let z = draw.normal();
        let other = self.correlation * z + (1.0 - self.correlation * self.correlation).sqrt() * draw.normal();
        (self.input.at(z, self.max), self.output.at(other, self.max))
    }
}

impl FromNode for Lognormal {
    /// `{ mean: 900, cv: 1.2 }`, or just the mean with a coefficient of variation of 1.
    fn from_node(node: &Yaml, sink: &mut Diagnostics) -> Option<Self> {
        let (mean, cv) = if node.as_text().is_some() {
            (f64::from_node(node, sink)?, 1.0)
        } else {
            let fields = Fields::open(node, "lengths", sink)?;
            let mean = fields.required("mean", sink);
            let cv = fields.or("cv", 1.0, sink);
            fields.finish(sink);
            (mean?, cv)
        };
        let usable = (1.0..=1e9).contains(&mean) && (0.0..=1e3).contains(&cv);
        if !usable {
            sink.push(node.error("expected a mean of 1 to 1e9 tokens and a `cv` of 0 to 1000"));
        }
        usable.then(|| Lognormal::new(mean, cv))
    }
}

impl FromNode for TokenModel {
    fn from_node(node: &Yaml, sink: &mut Diagnostics) -> Option<Self> {
        let fields = Fields::open(node, "tokens", sink)?;
        let (input, output) = (fields.required("input", sink), fields.required("output", sink));
        let correlation: f64 = fields.or("correlation", 0.0, sink);
        let max = fields.or("max", 1 << 20, sink);
        fields.finish(sink);
        if !(-1.0..=1.0).contains(&correlation) || max == 0 {
            sink.push(node.error("expected a `correlation` of -1 to 1 and a `max` of at least 1"));
            return None;
        }
        Some(TokenModel::new(input?, output?, correlation, max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Streams};

    #[test]
    fn margins_and_correlation_are_as_stated() {
        let model = TokenModel::new(Lognormal::new(900.0, 0.8), Lognormal::new(300.0, 1.2), -0.4, u32::MAX);
        let mut draw = Streams::new(3, 0).running(Purpose::Attribute, 0);
        let n = 200_000;
        let pairs: Vec<(f64, f64)> =
            (0..n).map(|_| model.sample(&mut draw)).map(|(a, b)| (a.into(), b.into())).collect();
        let mean = |of: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / f64::from(n);
        assert!((mean(&|p| p.0) / 900.0 - 1.0).abs() < 0.01, "{}", mean(&|p| p.0));
        assert!((mean(&|p| p.1) / 300.0 - 1.0).abs() < 0.02, "{}", mean(&|p| p.1));
        let (a, b) = (mean(&|p| p.0.ln()), mean(&|p| p.1.ln()));
        let covariance = mean(&|p| (p.0.ln() - a) * (p.1.ln() - b));
        let spread = (mean(&|p| (p.0.ln() - a).powi(2)) * mean(&|p| (p.1.ln() - b).powi(2))).sqrt();
        assert!((covariance / spread + 0.4).abs() < 0.01, "{}", covariance / spread);
    }
}
