//! A Poisson process with a time-varying rate.

use std::sync::Arc;

use super::clusters::{Clusters, Member};
use super::curve::{Curve, read_curve};
use super::plugin::GeneratorPlugin;
use super::process::{Envelope, Model, Process, Request, Synthetic};
use super::visits::{Visits, lead};
use crate::config::{Diagnostics, Fields, FromNode, Yaml};
use crate::random::{Draw, Purpose};
use crate::units::SimDuration;
use crate::workload::recipe::Opening;

/// The entry in the list.
pub const PLUGIN: GeneratorPlugin = GeneratorPlugin {
    name: "nhpp",
    summary: "a Poisson process along a rate curve: one of `steps`, `points`, `sinusoid`, `season`; `noise` makes it a Cox process, \
              `clusters: { requests: 5, think: .. }` lets each arrival bring others",
    source: "thinning (Lewis and Shedler 1979); doubly stochastic Poisson process (Cox 1955); clusters of Neyman and Scott (1958) and Bartlett and Lewis (1963)",
    build: |node, sink| {
        let fields = Fields::open(node, "nhpp", sink)?;
        let before = sink.len();
        let mut envelope = Envelope::read(&fields, sink);
        let curve = read_curve(&fields, &envelope, sink);
        let noise = fields.optional("noise", sink);
        let clusters = fields.optional("clusters", sink);
        fields.finish(sink);
        let curve = curve.filter(|_| sink.len() == before)?;
        envelope.duration = envelope.duration.or(curve.end());
        Some(Synthetic::recipe(Nhpp { curve: Arc::new(curve), noise, clusters }, envelope))
    },
};

#[derive(Debug, Clone)]
struct Nhpp {
    curve: Arc<Curve>,
    noise: Option<Noise>,
    clusters: Option<Clusters>,
}

impl Model for Nhpp {
    fn process(&self, opening: Opening) -> Box<dyn Process> {
        let Some(clusters) = &self.clusters else {
            return Box::new(Thinning::new(&self.curve, self.noise, 0.0, opening));
        };
        let centres = Arc::new(self.curve.scaled(1.0 / clusters.requests));
        let starts = Thinning::new(&centres, self.noise, -lead(clusters.duration()), opening);
        Box::new(Visits::new(starts, Member::new(clusters, opening.draw(Purpose::Modulation, 1))))
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(Nhpp { curve: Arc::new(self.curve.scaled(factor)), ..self.clone() })
    }
}

/// Random swings of the rate: a factor with mean 1 that is constant within each step and whose logarithm is a stationary
/// first-order autoregression, so that cov(X_0, X_k) = exp(sigma^2 phi^k) - 1 with sigma^2 = ln(1 + cv^2) and
/// phi = exp(-step / memory).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Noise {
    /// Coefficient of variation of the factor.
    pub(super) cv: f64,
    /// Seconds until the correlation of the logarithm has fallen to 1/e.
    pub(super) memory: f64,
    /// Seconds for which the factor is constant.
    pub(super) step: f64,
}

impl FromNode for Noise {
    fn from_node(node: &Yaml, sink: &mut Diagnostics) -> Option<Self> {
        let fields = Fields::open(node, "noise", sink)?;
        let cv: Option<f64> = fields.required("cv", sink);
        let memory: Option<SimDuration> = fields.required("memory", sink);
        let step: SimDuration = fields.or("step", SimDuration::from_secs(60), sink);
        fields.finish(sink);
        let (cv, memory) = (cv?, memory?);
        if !(0.0..=100.0).contains(&cv) || step < SimDuration::from_millis(1) {
            sink.push(node.error("expected a `cv` from 0 to 100 and a `step` of at least 1ms"));
            return None;
        }
        Some(Noise { cv, memory: memory.as_secs_f64(), step: step.as_secs_f64() })
    }
}

/// The current factor of the noise.
struct Swings {
    noise: Noise,
    draw: Draw,
    sigma: f64,
    phi: f64,
    /// The logarithm's standard normal state.
    state: f64,
}

impl Swings {
    fn new(noise: Noise, mut draw: Draw) -> Self {
        let state = draw.normal();
        let phi = (-noise.step / noise.memory).exp();
        Swings { noise, draw, sigma: (noise.cv * noise.cv).ln_1p().sqrt(), phi, state }
    }

    fn advance(&mut self) {
        self.state = self.phi * self.state + (1.0 - self.phi * self.phi).sqrt() * self.draw.normal();
    }

    fn factor(&self) -> f64 {
        (self.sigma * self.state - self.sigma * self.sigma / 2.0).exp()
    }
}

/// Maximum time for which one bound of the rate is used, seconds.
const CELL: f64 = 300.0;

/// Arrival times of a Poisson process along a curve. Candidates arrive at the rate of a bound that holds within a cell
/// of time and are accepted with probability rate / bound. At the end of a cell the next interarrival time is drawn
/// anew, because the exponential is memoryless. The method is exact.
pub(super) struct Thinning {
    curve: Arc<Curve>,
    swings: Option<Swings>,
    draw: Draw,
    at: f64,
    /// Start, end and bound of the current cell.
    begins: f64,
    ends: f64,
    bound: f64,
    /// Number of the current cell since the start.
    cell: u64,
    from: f64,
}

impl Thinning {
    /// Starts at `from` seconds, which may be before time zero.
    pub(super) fn new(curve: &Arc<Curve>, noise: Option<Noise>, from: f64, opening: Opening) -> Self {
        let swings = noise.map(|noise| Swings::new(noise, opening.draw(Purpose::Modulation, 0)));
        let draw = opening.draw(Purpose::Arrival, 0);
        let mut process = Thinning {
            curve: Arc::clone(curve),
            swings,
            draw,
            at: from,
            begins: from,
            ends: from,
            bound: 0.0,
            cell: 0,
            from,
        };
        process.set_cell();
        process
    }

    fn width(&self) -> f64 {
        self.swings.as_ref().map_or(CELL, |swings| swings.noise.step)
    }

    /// The cells of noise are its steps; a long step may span several cells of the curve.
    fn set_cell(&mut self) {
        self.begins = self.from + self.cell as f64 * self.width();
        self.ends = self.from + (self.cell + 1) as f64 * self.width();
        self.set_bound();
    }

    fn set_bound(&mut self) {
        let factor = self.swings.as_ref().map_or(1.0, Swings::factor);
        self.bound = self.curve.bound(self.begins, self.part_end()) * factor;
    }

    /// A bound is used for at most one hour.
    fn part_end(&self) -> f64 {
        self.ends.min(self.begins + 3600.0)
    }

    /// Advances to the next stretch of time with one bound.
    fn advance(&mut self) {
        self.at = self.part_end();
        if self.at < self.ends {
            self.begins = self.at;
            self.set_bound();
            return;
        }
        self.cell += 1;
        if let Some(swings) = &mut self.swings {
            swings.advance();
        }
        self.set_cell();
    }

    /// The next arrival time; `None` at the end of representable time.
    pub(super) fn next_moment(&mut self) -> Option<f64> {
        loop {
            let gap = self.draw.exponential() / self.bound;
            if self.at + gap >= self.part_end() {
                self.advance();
                if self.at > 1.9e10 {
                    return None;
                }
                continue;
            }
            self.at += gap;
            let factor = self.swings.as_ref().map_or(1.0, Swings::factor);
            if self.draw.uniform() * self.bound < self.curve.at(self.at) * factor {
                return Some(self.at);
            }
        }
    }
}

impl Process for Thinning {
    fn next(&mut self) -> Option<Request> {
        self.next_moment().map(Request::at)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Counts, recipe};

    #[test]
    fn a_sinusoid_has_its_mean_in_every_eighth() {
        // Integral of 50 (1 + 0.8 cos(2 pi t / 800 s)) over each 100 s; Poisson, so variance equals mean.
        let counts = Counts::of(
            &*recipe("nhpp: { sinusoid: { mean: 50/s, amplitude: 0.8, period: 800s }, for: 80000s }"),
            100.0,
        );
        let tau = std::f64::consts::TAU;
        for eighth in 0..8 {
            let (a, b) = (f64::from(eighth) / 8.0, f64::from(eighth + 1) / 8.0);
            let expected = 5000.0 + 40.0 * 800.0 / tau * ((tau * b).sin() - (tau * a).sin());
            let phase = Counts(counts.0.iter().skip(eighth as usize).step_by(8).copied().collect());
            // 100 cycles: five standard errors of the mean; the index has a standard error of sqrt(2 / 99).
            let error = (expected / 100.0).sqrt();
            assert!((phase.mean() - expected).abs() < 5.0 * error, "{} for {expected}", phase.mean());
            assert!((phase.index_of_dispersion() - 1.0).abs() < 0.6, "{}", phase.index_of_dispersion());
        }
    }

    #[test]
    fn steps_and_points_are_exact_on_average() {
        let steps = "nhpp: { steps: [{ at: 0s, rate: 20/s }, { at: 1000s, rate: 200/s }, { at: 2000s, rate: 0/s }] }";
        let counts = Counts::of(&*recipe(steps), 1000.0);
        assert!((counts.0[0] - 20_000.0).abs() < 5.0 * 20_000f64.sqrt(), "{counts:?}");
        assert!((counts.0[1] - 200_000.0).abs() < 5.0 * 200_000f64.sqrt(), "{counts:?}");
        assert_eq!(counts.0.len(), 2);
        let points = "nhpp: { points: [{ at: 0s, rate: 0/s }, { at: 1000s, rate: 200/s }, { at: 2000s, rate: 0/s }] }";
        let counts = Counts::of(&*recipe(points), 500.0);
        for (count, expected) in counts.0.iter().zip([25_000.0, 75_000.0, 75_000.0, 25_000.0]) {
            assert!((count - expected).abs() < 5.0 * f64::sqrt(expected), "{counts:?}");
        }
    }

    #[test]
    fn a_week_follows_hours_and_weekdays() {
        // Two Mondays from a date; the third day of the week is four times the others.
        let text =
            "nhpp: { season: { rate: 10/s, weekdays: [1, 1, 4, 1, 1, 1, 1], growth: 2 }, start: 2026-11-23, for: 14d }";
        let counts = Counts::of(&*recipe(text), 86_400.0);
        let growth = 2f64.ln() / 7.0;
        for (day, count) in counts.0.iter().enumerate() {
            let factor = if day % 7 == 2 { 2.8 } else { 0.7 };
            let expected =
                864_000.0 * factor * ((growth * (day as f64 + 1.0)).exp() - (growth * day as f64).exp()) / growth;
            assert!((count - expected).abs() < 5.0 * expected.sqrt(), "day {day}: {count} for {expected}");
        }
    }

    #[test]
    fn noise_has_the_stated_covariances() {
        // Counts per step of 60 s at rate 1: mean 60, variance 60 + 60^2 cv^2, covariance 60^2 (exp(s2 phi^k) - 1).
        let text = "nhpp: { steps: [{ at: 0s, rate: 1/s }], noise: { cv: 0.5, memory: 5m, step: 1m }, for: 60000m }";
        let counts = Counts::of(&*recipe(text), 60.0);
        let variance = 60.0 + 3600.0 * 0.25;
        assert!((counts.mean() / 60.0 - 1.0).abs() < 0.03, "{}", counts.mean());
        assert!(
            (counts.index_of_dispersion() / (variance / 60.0) - 1.0).abs() < 0.1,
            "{}",
            counts.index_of_dispersion()
        );
        for lag in [1, 5, 10] {
            let phi = (-(lag as f64) / 5.0).exp();
            let expected = 3600.0 * ((1.25f64.ln() * phi).exp() - 1.0) / variance;
            assert!(
                (counts.autocorrelation(lag) - expected).abs() < 0.03,
                "lag {lag}: {}",
                counts.autocorrelation(lag)
            );
        }
    }
}
