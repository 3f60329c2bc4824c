//! A process in which every arrival makes further ones more likely.

use super::plugin::GeneratorPlugin;
use super::process::{Envelope, Model, Process, Request, Synthetic};
use super::steady::positive_rate;
use crate::config::Fields;
use crate::random::{Draw, Purpose};
use crate::units::SimDuration;
use crate::workload::recipe::Opening;

/// The entry in the list.
pub const PLUGIN: GeneratorPlugin = GeneratorPlugin {
    name: "hawkes",
    summary: "a self-exciting process of mean `rate`: each arrival brings `branching` further ones, on average after `delay`",
    source: "Hawkes 1971, exponential kernel; simulated by Ogata 1981",
    build: |node, sink| {
        let fields = Fields::open(node, "hawkes", sink)?;
        let envelope = Envelope::read(&fields, sink);
        let rate = positive_rate(&fields, "rate", sink);
        let branching: Option<f64> = fields.required("branching", sink);
        let delay: Option<SimDuration> = fields.required("delay", sink);
        let place = fields.node_of("branching").unwrap_or(node);
        fields.finish(sink);
        let (rate, branching, delay) = (rate?, branching?, delay?);
        if !(0.0..=0.99).contains(&branching) || delay.is_zero() {
            sink.push(place.error("expected a `branching` from 0 to 0.99 and a `delay` above zero"));
            return None;
        }
        let decay = 1.0 / delay.as_secs_f64();
        Some(Synthetic::recipe(Hawkes { baseline: rate * (1.0 - branching), branching, decay }, envelope))
    },
};

/// Intensity per second: baseline + sum over past arrivals of branching * decay * e^(-decay age). The mean rate is
/// baseline / (1 - branching), and the index of dispersion of counts tends to 1 / (1 - branching)^2.
#[derive(Debug, Clone)]
struct Hawkes {
    baseline: f64,
    branching: f64,
    decay: f64,
}

impl Model for Hawkes {
    fn process(&self, opening: Opening) -> Box<dyn Process> {
        // The memory decays with rate decay (1 - branching); after twenty time constants the start is forgotten to one
        // part in 1e8.
        let lead = 20.0 / (self.decay * (1.0 - self.branching));
        Box::new(Excited { model: self.clone(), draw: opening.draw(Purpose::Arrival, 0), excess: 0.0, at: -lead })
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        // For integer factors this is the superposition of independent copies.
        Some(Hawkes { baseline: self.baseline * factor, ..self.clone() })
    }
}

struct Excited {
    model: Hawkes,
    draw: Draw,
    /// Intensity above the baseline at `at`.
    excess: f64,
    at: f64,
}

impl Process for Excited {
    fn next(&mut self) -> Option<Request> {
        let Hawkes { baseline, branching, decay } = self.model;
        loop {
            // The intensity falls between arrivals, so the current one is an upper bound.
            let bound = baseline + self.excess;
            let gap = self.draw.exponential() / bound;
            self.at += gap;
            self.excess *= (-decay * gap).exp();
            if self.draw.uniform() * bound < baseline + self.excess {
                self.excess += branching * decay;
                return Some(Request::at(self.at));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Counts, recipe};

    #[test]
    fn agrees_with_theory() {
        // Variance of counts: Da Fonseca and Zaatour 2014; the covariance follows from the exponential covariance density.
        let (rate, n, delay, width) = (10.0, 0.6, 2.0, 5.0);
        let counts = Counts::of(&*recipe("hawkes: { rate: 10/s, branching: 0.6, delay: 2s, for: 300000s }"), width);
        assert!((counts.mean() / (rate * width) - 1.0).abs() < 0.01, "{}", counts.mean());
        let (beta, alpha) = (1.0 / delay, n / delay);
        let (gone, kappa2) = (1.0 - f64::exp(-(beta - alpha) * width), 1.0 / f64::powi(1.0 - n, 2));
        let variance = rate * (width * kappa2 + (1.0 - kappa2) * gone / (beta - alpha));
        let index = variance / (rate * width);
        assert!((counts.index_of_dispersion() / index - 1.0).abs() < 0.03, "{} {index}", counts.index_of_dispersion());
        for lag in 1..4 {
            let apart = (lag as f64 - 1.0) * width;
            let covariance = rate * alpha * (2.0 * beta - alpha) * gone * gone / (2.0 * f64::powi(beta - alpha, 3))
                * f64::exp(-(beta - alpha) * apart);
            let expected = covariance / variance;
            assert!(
                (counts.autocorrelation(lag) - expected).abs() < 0.015,
                "lag {lag}: {} {expected}",
                counts.autocorrelation(lag)
            );
        }
    }

    #[test]
    fn without_branching_it_is_poisson() {
        let counts = Counts::of(&*recipe("hawkes: { rate: 10/s, branching: 0, delay: 2s, for: 100000s }"), 10.0);
        assert!((counts.mean() / 100.0 - 1.0).abs() < 0.005);
        assert!((counts.index_of_dispersion() - 1.0).abs() < 0.06, "{}", counts.index_of_dispersion());
    }
}
