//! Independent interarrival times of any distribution.

use super::plugin::GeneratorPlugin;
use super::process::{Envelope, Model, Process, Request, Synthetic};
use crate::config::Fields;
use crate::random::{Distribution, Draw, Purpose};
use crate::workload::recipe::Opening;

/// The entry in the list.
pub const PLUGIN: GeneratorPlugin = GeneratorPlugin {
    name: "renewal",
    summary: "independent gaps of any distribution: `gap: { gamma: { shape: 0.5, mean: 20ms } }`",
    source: "renewal process (GI in Kendall's notation; Cox 1962)",
    build: |node, sink| {
        let fields = Fields::open(node, "renewal", sink)?;
        let envelope = Envelope::read(&fields, sink);
        let gap: Option<Distribution> = fields.required("gap", sink);
        let place = fields.node_of("gap").unwrap_or(node);
        fields.finish(sink);
        let gap = gap?;
        if gap.mean() < 1e-9 {
            sink.push(place.error("expected gaps of at least 1ns on average"));
            return None;
        }
        Some(Synthetic::recipe(Renewal { gap }, envelope))
    },
};

/// The first arrival is one interarrival time after time zero. The index of dispersion of counts tends to the squared
/// coefficient of variation of the interarrival times.
#[derive(Debug, Clone)]
struct Renewal {
    gap: Distribution,
}

impl Model for Renewal {
    fn process(&self, opening: Opening) -> Box<dyn Process> {
        Box::new(Gaps { gap: self.gap.clone(), draw: opening.draw(Purpose::Arrival, 0), at: 0.0 })
    }

    fn scaled(&self, _: f64) -> Option<Self> {
        // A renewal process with scaled rate is not a renewal process: thinning and superposition scale it.
        None
    }
}

struct Gaps {
    gap: Distribution,
    draw: Draw,
    at: f64,
}

impl Process for Gaps {
    fn next(&mut self) -> Option<Request> {
        self.at += self.gap.sample(&mut self.draw);
        Some(Request::at(self.at))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Counts, recipe};
    use rstest::rstest;

    #[rstest]
    #[case("{ gamma: { shape: 0.5, mean: 20ms } }", 2.0)]
    #[case("{ gamma: { shape: 4, mean: 20ms } }", 0.25)]
    #[case("{ hyperexponential: { mean: 20ms, cv: 2 } }", 4.0)]
    #[case("{ exponential: { mean: 20ms } }", 1.0)]
    fn agrees_with_theory(#[case] gap: &str, #[case] scv: f64) {
        let counts = Counts::of(&*recipe(&format!("renewal: {{ gap: {gap}, for: 40000s }}")), 5.0);
        assert!((counts.mean() / 250.0 - 1.0).abs() < 0.005, "{}", counts.mean());
        assert!((counts.index_of_dispersion() / scv - 1.0).abs() < 0.06, "{}", counts.index_of_dispersion());
        assert!(counts.autocorrelation(2).abs() < 0.04);
    }
}
