//! A shop: daily and weekly seasons, campaigns, flash sales, and orders that are retried.

use std::sync::Arc;

use super::curve::{Curve, DayShape, Season};
use super::plugin::GeneratorPlugin;
use super::process::{Envelope, Model, Process, Request, Synthetic};
use super::steady::positive_rate;
use super::visits::{Visitor, Visits, lead, starts};
use crate::config::{Diagnostics, Fields, FromNode, Yaml};
use crate::random::{Draw, Purpose};
use crate::units::{Fraction, SimDuration};
use crate::workload::recipe::Opening;
use crate::workload::shape::pulse::Pulse;

/// The entry in the list.
pub const PLUGIN: GeneratorPlugin = GeneratorPlugin {
    name: "shop",
    summary: "a shop of mean `rate` with an evening peak; `campaigns`, `flash-sales: [{ at, factor, half-life }]` and `retries`",
    source: "season: von Mises curve; flash crowds: Ari et al. 2003 (phases), instant onset with exponential decay",
    build: |node, sink| {
        let fields = Fields::open(node, "shop", sink)?;
        let before = sink.len();
        let envelope = Envelope::read(&fields, sink);
        let rate = positive_rate(&fields, "rate", sink);
        let season = Season::read(&fields, rate.unwrap_or(1.0), &DayShape::bell(20.0 * 3600.0, 6.0), sink);
        let mut events: Vec<Pulse> = fields.or("campaigns", Vec::new(), sink);
        events.extend(fields.or::<Vec<Pulse>>("flash-sales", Vec::new(), sink));
        let retries = fields.optional("retries", sink);
        fields.finish(sink);
        let season = season.filter(|_| sink.len() == before)?;
        let curve = Arc::new(Curve::seasonal(season, &events, &envelope));
        Some(Synthetic::recipe(Shop { curve, retries }, envelope))
    },
};

/// Retried requests: each attempt fails with probability `share` and is repeated after an exponential time of mean
/// `after`, up to `attempts` attempts. One request becomes (1 - share^attempts) / (1 - share) on average.
#[derive(Debug, Clone, Copy)]
struct Retries {
    share: f64,
    after: f64,
    attempts: u32,
}

impl FromNode for Retries {
    fn from_node(node: &Yaml, sink: &mut Diagnostics) -> Option<Self> {
        let fields = Fields::open(node, "retries", sink)?;
        let share: Option<Fraction> = fields.required("share", sink);
        let after = fields.or("after", SimDuration::from_secs(10), sink);
        let attempts = fields.or("attempts", 3, sink);
        fields.finish(sink);
        if !(1..=100).contains(&attempts) {
            sink.push(node.error("expected 1 to 100 `attempts`"));
            return None;
        }
        Some(Retries { share: share?.get(), after: after.as_secs_f64(), attempts })
    }
}

/// The rate is that of first attempts, averaged over a week without events.
#[derive(Debug, Clone)]
struct Shop {
    curve: Arc<Curve>,
    retries: Option<Retries>,
}

impl Model for Shop {
    fn process(&self, opening: Opening) -> Box<dyn Process> {
        let Some(retries) = self.retries else {
            return Box::new(starts(&self.curve, 0.0, opening));
        };
        let lead = lead(retries.after * f64::from(retries.attempts));
        let cart = Cart { retries, draw: opening.draw(Purpose::Modulation, 1) };
        Box::new(Visits::new(starts(&self.curve, lead, opening), cart))
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(Shop { curve: Arc::new(self.curve.scaled(factor)), retries: self.retries })
    }
}

struct Cart {
    retries: Retries,
    draw: Draw,
}

impl Visitor for Cart {
    fn visit(&mut self, start: f64, requests: &mut Vec<Request>) {
        let mut at = start;
        requests.push(Request::at(at));
        for _ in 1..self.retries.attempts {
            if self.draw.uniform() >= self.retries.share {
                break;
            }
            at += self.retries.after * self.draw.exponential();
            requests.push(Request::at(at));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Counts, recipe};

    #[test]
    fn the_season_has_its_mean_and_its_peak() {
        let counts = Counts::of(&*recipe("shop: { rate: 10/s, weekend: 1.4, for: 7d }"), 3600.0);
        assert!((counts.mean() / 36_000.0 - 1.0).abs() < 0.005, "{}", counts.mean());
        // Six times the trough twelve hours earlier; hours are centred half an hour off, on both sides alike.
        let ratio = counts.0[19..=20].iter().sum::<f64>() / counts.0[7..=8].iter().sum::<f64>();
        assert!((ratio - 6.0).abs() < 0.25, "{ratio}");
        let days: Vec<f64> = counts.0.chunks(24).map(|day| day.iter().sum()).collect();
        assert!((days[5] / days[2] - 1.4).abs() < 0.02, "{days:?}");
    }

    #[test]
    fn a_flash_sale_begins_at_once_and_halves() {
        let text =
            "shop: { rate: 100/s, peak-to-trough: 1, flash-sales: [{ at: 2h, factor: 9, half-life: 10m }], for: 4h }";
        let counts = Counts::of(&*recipe(text), 600.0);
        let near =
            |count: f64, expected: f64| assert!((count - expected).abs() < 5.0 * expected.sqrt(), "{count} {expected}");
        near(counts.0[11], 60_000.0);
        // Integral of 8 * 2^(-t/600) over the first and the second ten minutes: 600 * 8 * (1/2, 1/4) / ln 2.
        near(counts.0[12], 60_000.0 + 100.0 * 2400.0 / std::f64::consts::LN_2);
        near(counts.0[13], 60_000.0 + 100.0 * 1200.0 / std::f64::consts::LN_2);
    }

    #[test]
    fn retries_multiply_and_cluster() {
        let text =
            "shop: { rate: 20/s, peak-to-trough: 1, retries: { share: 50%, after: 1s, attempts: 3 }, for: 100000s }";
        let counts = Counts::of(&*recipe(text), 200.0);
        // Sizes 1, 2, 3 with 1/2, 1/4, 1/4: mean 1.75, second moment 3.75.
        assert!((counts.mean() / 7000.0 - 1.0).abs() < 0.005, "{}", counts.mean());
        let index = 3.75 / 1.75;
        assert!((counts.index_of_dispersion() / index - 1.0).abs() < 0.2, "{}", counts.index_of_dispersion());
    }
}
