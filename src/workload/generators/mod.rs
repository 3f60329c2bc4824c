//! Synthetic arrivals: one file per generator, and the list of all.

mod batch;
mod cascade;
mod closed_loop;
mod clusters;
mod constant;
mod curve;
mod fraud;
mod game;
mod hawkes;
mod llm_chat;
mod mmpp;
mod nhpp;
mod poisson;
mod process;
mod renewal;
mod shop;
#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod theory;
mod tokens;
mod user_sessions;
mod visits;

use std::sync::Arc;

pub(super) use process::week_phase;

use super::Recipe;
use crate::config::{Diagnostics, Fields, FromNode, Plugin, Yaml};
use crate::units::{Rate, SimDuration};

/// Builds a recipe from the parameters under the generator's name.
pub type GeneratorBuilder = fn(&Yaml, &mut Diagnostics) -> Option<Arc<dyn Recipe>>;

/// The entry of a generator in the list.
pub type GeneratorPlugin = Plugin<GeneratorBuilder>;

/// Every generator.
pub const GENERATORS: &[GeneratorPlugin] = &[
    constant::PLUGIN,
    poisson::PLUGIN,
    nhpp::PLUGIN,
    mmpp::PLUGIN,
    hawkes::PLUGIN,
    batch::PLUGIN,
    cascade::PLUGIN,
    renewal::PLUGIN,
    closed_loop::PLUGIN,
    user_sessions::PLUGIN,
    shop::PLUGIN,
    game::PLUGIN,
    fraud::PLUGIN,
    llm_chat::PLUGIN,
];

/// The parameters of the generators with a steady rate.
#[derive(Debug, Clone, Copy)]
struct Steady {
    rate: Rate,
    /// Length of the stream; `None` if it has no end.
    duration: Option<SimDuration>,
    /// Wall-clock time of time zero, nanoseconds since 1970 (UTC).
    start: Option<u64>,
}

impl Steady {
    /// With the rate scaled; `None` if it would be too high.
    fn scaled(self, factor: f64) -> Option<Steady> {
        Some(Steady { rate: Rate::per_second(self.rate.get() * factor).ok()?, ..self })
    }
}

/// Reads them; the rate may also stand by itself.
fn steady(name: &str, node: &Yaml, sink: &mut Diagnostics) -> Option<Steady> {
    if node.as_text().is_some() {
        let rate = positive(node, Rate::from_node(node, sink)?, sink)?;
        return Some(Steady { rate, duration: None, start: None });
    }
    let fields = Fields::open(node, name, sink)?;
    let rate: Option<Rate> = fields.required("rate", sink);
    let rate = rate.and_then(|rate| positive(fields.node_of("rate")?, rate, sink));
    let envelope = process::Envelope::dated(&fields, sink);
    fields.finish(sink);
    Some(Steady { rate: rate?, duration: envelope.duration, start: envelope.start })
}

/// A required rate above zero, per second.
fn positive_rate(fields: &Fields<'_>, name: &'static str, sink: &mut Diagnostics) -> Option<f64> {
    let rate: Rate = fields.required(name, sink)?;
    positive(fields.node_of(name)?, rate, sink).map(Rate::get)
}

fn positive(node: &Yaml, rate: Rate, sink: &mut Diagnostics) -> Option<Rate> {
    // With more than one request per nanosecond, arrival times would coincide.
    let usable = rate.get() > 0.0 && rate.get() <= 1e9;
    if !usable {
        sink.push(node.error("expected a rate above zero and up to 1e9 requests a second"));
    }
    usable.then_some(rate)
}
