//! Changes the mix of classes.

use std::sync::Arc;

use super::scale_rate::{Factor, scaled_by};
use super::transform::{Transform, TransformPlugin};
use crate::config::{Fields, FromNode};
use crate::workload::error::TraceError;
use crate::workload::recipe::{Opening, Recipe};
use crate::workload::source::TraceSource;

/// The entry in the list.
pub const PLUGIN: TransformPlugin = TransformPlugin {
    name: "mix-classes",
    summary: "more or fewer requests of each class: `{ checkout: 2, browse: 0.5 }`; classes not named stay, `0` leaves one out",
    source: "independent thinning and superposition of the marks (Daley and Vere-Jones 2003, ch. 11)",
    build: |node, _, sink| {
        let fields = Fields::open(node, "transform `mix-classes`", sink)?;
        let read = |(key, value): &(crate::config::Key, crate::config::Yaml)| {
            let factor = f64::from_node(value, sink)?;
            if !(0.0..=1e6).contains(&factor) {
                sink.push(value.error("expected a factor from 0 to 1000000"));
                return None;
            }
            Some((key.text.clone(), factor))
        };
        let factors: Option<Vec<(String, f64)>> = fields.entries().iter().map(read).collect();
        Some(Arc::new(MixClasses { factors: factors? }))
    },
};

/// Additional requests of a class arrive near existing ones, as with `scale-rate`.
#[derive(Debug, Clone)]
struct MixClasses {
    factors: Vec<(String, f64)>,
}

impl Transform for MixClasses {
    fn open(&self, inner: &Arc<dyn Recipe>, step: u16, opening: Opening) -> Result<Box<dyn TraceSource>, TraceError> {
        let by_class = ByClass { factors: self.factors.clone(), of_class: Vec::new() };
        scaled_by(inner, by_class, None, step, opening)
    }
}

struct ByClass {
    factors: Vec<(String, f64)>,
    /// Factors by class number, as far as names are known.
    of_class: Vec<f64>,
}

impl Factor for ByClass {
    fn at(&self, _: u64, class: Option<u16>) -> f64 {
        class.and_then(|class| self.of_class.get(usize::from(class))).copied().unwrap_or(1.0)
    }

    fn bound(&self, _: u64, _: u64) -> f64 {
        self.factors.iter().map(|(_, factor)| *factor).fold(1.0, f64::max)
    }

    fn learn(&mut self, classes: &[String]) {
        for name in &classes[self.of_class.len().min(classes.len())..] {
            let factor = self.factors.iter().find(|(known, _)| known == name);
            self.of_class.push(factor.map_or(1.0, |(_, factor)| *factor));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::generators::testing::{recipe, requests};

    #[test]
    fn each_class_has_its_factor() {
        let fraud = "fraud: { rate: 20/s, for: 2h, waves: [{ at: 1h, for: 30m, rate: 30/s }] }";
        let by_class = |text: &str| {
            let all = requests(&*recipe(text));
            [0, 1].map(|class| all.classes.iter().filter(|c| **c == class).count() as f64)
        };
        let before = by_class(fraud);
        let after = by_class(&format!("{fraud}\ntransforms: [{{ mix-classes: {{ attack: 2.5, ordinary: 0.5 }} }}]"));
        assert!((after[0] / before[0] - 0.5).abs() < 0.01, "{before:?} {after:?}");
        assert!((after[1] / before[1] - 2.5).abs() < 0.02, "{before:?} {after:?}");
        let without = by_class(&format!("{fraud}\ntransforms: [{{ mix-classes: {{ attack: 0 }} }}]"));
        assert_eq!(without, [before[0], 0.0]);
    }
}
