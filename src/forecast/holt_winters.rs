//! Exponential smoothing with trend and season: the additive method of Holt and Winters.

use std::sync::Arc;

use super::ets::{Ets, Trend};
use super::parameters::{count, or_empty};
use super::{Forecaster, ForecasterPlugin, Ladder};
use crate::config::{Diagnostics, Fields, Yaml};

/// The entry in the list.
pub(super) const PLUGIN: ForecasterPlugin = ForecasterPlugin {
    name: "holt-winters",
    summary: "exponential smoothing of level, slope and season, all additive",
    source: "Winters 1960, Forecasting sales by exponentially weighted moving averages",
    build,
};

fn build(node: &Yaml, sink: &mut Diagnostics) -> Option<Arc<dyn Forecaster>> {
    let node = or_empty(node);
    let fields = Fields::open(&node, "holt-winters", sink)?;
    let season = Some(count(&fields, "season", 0, 2, sink)).filter(|season| *season > 0);
    fields.finish(sink);
    Some(Ladder::under("holt-winters", Ets { trend: Some(Trend::Additive), seasonal: Some(true), season }))
}
