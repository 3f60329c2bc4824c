//! Requests that arrive in batches.

use super::plugin::GeneratorPlugin;
use super::process::{Envelope, Model, Process, Request, Synthetic};
use super::steady::positive_rate;
use crate::config::{Diagnostics, Fields, FromNode, Yaml};
use crate::random::{Draw, Purpose};
use crate::workload::recipe::Opening;

/// The entry in the list.
pub const PLUGIN: GeneratorPlugin = GeneratorPlugin {
    name: "batch",
    summary: "batches at Poisson moments of mean `rate`; `size: 5`, `{ geometric: 5 }`, or `{ weights: [..] }` of sizes 1, 2, ..",
    source: "compound Poisson process (batch arrivals, M^X in Kendall's notation)",
    build: |node, sink| {
        let fields = Fields::open(node, "batch", sink)?;
        let envelope = Envelope::read(&fields, sink);
        let rate = positive_rate(&fields, "rate", sink);
        let size = fields.required("size", sink);
        fields.finish(sink);
        Some(Synthetic::recipe(Batches { rate: rate?, size: size? }, envelope))
    },
};

/// The number of requests in a batch.
#[derive(Debug, Clone, PartialEq)]
enum Size {
    Fixed(u32),
    /// Geometric on 1, 2, ... with this mean.
    Geometric(f64),
    /// Cumulative probabilities of 1, 2, ...
    Weights(Vec<f64>),
}

impl FromNode for Size {
    fn from_node(node: &Yaml, sink: &mut Diagnostics) -> Option<Self> {
        let size = if node.as_text().is_some() {
            Size::Fixed(u32::from_node(node, sink)?)
        } else {
            let fields = Fields::open(node, "size", sink)?;
            let mean: Option<f64> = fields.optional("geometric", sink);
            let weights: Option<Vec<f64>> = fields.optional("weights", sink);
            fields.finish(sink);
            match (mean, weights) {
                (Some(mean), None) => Size::Geometric(mean),
                (None, Some(weights)) => Size::Weights(weights),
                _ => Size::Fixed(0),
            }
        };
        let usable = match &size {
            Size::Fixed(size) => (1..=1 << 20).contains(size),
            Size::Geometric(mean) => (1.0..=1e6).contains(mean),
            Size::Weights(weights) => weights.iter().all(|w| *w >= 0.0) && weights.iter().sum::<f64>() > 0.0,
        };
        if !usable {
            sink.push(
                node.error("expected a size of at least 1: a number, `{ geometric: MEAN }` or `{ weights: [..] }`"),
            );
        }
        usable.then(|| size.cumulated())
    }
}

impl Size {
    fn cumulated(self) -> Self {
        let Size::Weights(weights) = self else { return self };
        let (total, mut running) = (weights.iter().sum::<f64>(), 0.0);
        let add = |weight: &f64| {
            running += weight / total;
            running
        };
        Size::Weights(weights.iter().map(add).collect())
    }

    fn sample(&self, draw: &mut Draw) -> u32 {
        match self {
            Size::Fixed(size) => *size,
            Size::Geometric(mean) => geometric(*mean, draw),
            Size::Weights(cumulative) => {
                let u = draw.uniform();
                1 + cumulative.partition_point(|c| *c <= u).min(cumulative.len() - 1) as u32
            }
        }
    }
}

/// A geometric variate on 1, 2, ... with the given mean, by inversion.
pub(super) fn geometric(mean: f64, draw: &mut Draw) -> u32 {
    if mean <= 1.0 {
        return 1;
    }
    // P(N > n) = (1 - 1/mean)^n; an exponential over -ln(1 - 1/mean) is rounded down.
    let rate = -(-1.0 / mean).ln_1p();
    1 + (draw.exponential() / rate) as u32
}

/// The index of dispersion of counts is E[size^2] / E[size].
#[derive(Debug, Clone)]
struct Batches {
    rate: f64,
    size: Size,
}

impl Model for Batches {
    fn process(&self, opening: Opening) -> Box<dyn Process> {
        let sizes = opening.draw(Purpose::Modulation, 0);
        Box::new(Clumps { model: self.clone(), draw: opening.draw(Purpose::Arrival, 0), sizes, at: 0.0, left: 0 })
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(Batches { rate: self.rate * factor, size: self.size.clone() })
    }
}

struct Clumps {
    model: Batches,
    draw: Draw,
    sizes: Draw,
    at: f64,
    left: u32,
}

impl Process for Clumps {
    fn next(&mut self) -> Option<Request> {
        if self.left == 0 {
            self.at += self.draw.exponential() / self.model.rate;
            self.left = self.model.size.sample(&mut self.sizes);
        }
        self.left -= 1;
        Some(Request::at(self.at))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Counts, recipe};
    use rstest::rstest;

    #[rstest]
    #[case("5", 5.0, 5.0)]
    #[case("{ geometric: 4 }", 4.0, 7.0)]
    #[case("{ weights: [1, 0, 0, 1] }", 2.5, 3.4)]
    fn agrees_with_theory(#[case] size: &str, #[case] mean: f64, #[case] index: f64) {
        let counts = Counts::of(&*recipe(&format!("batch: {{ rate: 10/s, size: {size}, for: 50000s }}")), 5.0);
        assert!((counts.mean() / (50.0 * mean) - 1.0).abs() < 0.01, "{}", counts.mean());
        assert!((counts.index_of_dispersion() / index - 1.0).abs() < 0.05, "{}", counts.index_of_dispersion());
        assert!(counts.autocorrelation(1).abs() < 0.04);
    }
}
