//! Regression on harmonics of the seasons with ARIMA errors (dynamic harmonic regression).

use std::sync::Arc;

use super::arima::{Arima, read_spec};
use super::parameters::{count, or_empty};
use super::{Forecaster, ForecasterPlugin, Ladder};
use crate::config::{Diagnostics, Fields, Yaml};

/// The entry in the list.
pub(super) const PLUGIN: ForecasterPlugin = ForecasterPlugin {
    name: "fourier-arima",
    summary: "sines and cosines of the seasons, with ARIMA errors",
    source: "Young, Pedregal and Tych 1999, Dynamic harmonic regression; Hyndman and Athanasopoulos, section 10.5",
    build,
};

/// Pairs per season: enough for the shape of a day, few enough to be estimated from a week.
const HARMONICS: usize = 6;

fn build(node: &Yaml, sink: &mut Diagnostics) -> Option<Arc<dyn Forecaster>> {
    let node = or_empty(node);
    let fields = Fields::open(&node, "fourier-arima", sink)?;
    let spec = read_spec(&fields, sink);
    let harmonics = count(&fields, "harmonics", HARMONICS, 1, sink).min(50);
    fields.finish(sink);
    Some(Ladder::under("fourier-arima", Arima { spec, harmonics, ..Arima::default() }))
}
