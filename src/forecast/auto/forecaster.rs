//! The forecaster that chooses among others.

use super::choice;
use std::sync::Arc;

use super::super::parameters::{count, or_empty, read_members};
use super::super::{FitError, Fitted, Forecaster, ForecasterPlugin, Ladder, Series};
use crate::config::{Diagnostics, Fields, Yaml};
use crate::units::Fraction;

/// The entry in the list.
pub(crate) const PLUGIN: ForecasterPlugin = ForecasterPlugin {
    name: "auto",
    summary: "several forecasters weighed by their recent errors, or by the loss of the quantile that is ordered for",
    source: "Tashman 2000, Out-of-sample tests of forecasting accuracy (rolling origin); weights by Bates and Granger 1969",
    build,
};

fn build(node: &Yaml, sink: &mut Diagnostics) -> Option<Arc<dyn Forecaster>> {
    let node = or_empty(node);
    let fields = Fields::open(&node, "auto", sink)?;
    let members = match fields.node_of("members") {
        None => None,
        Some(node) => Some(read_members(node, sink)?),
    };
    let horizon = fields.node_of("horizon").map(|_| count(&fields, "horizon", HORIZON, 1, sink).min(2000));
    let quantile: Option<Fraction> = fields.optional("quantile", sink);
    if quantile.is_some_and(|quantile| quantile.get() <= 0.0 || quantile.get() >= 1.0) {
        sink.push(fields.node_of("quantile")?.error("`quantile` must be between 0% and 100%"));
    }
    fields.finish(sink);
    let loss = quantile.map(|quantile| Loss::Quantile(quantile.get()));
    Some(Ladder::under("auto", Auto { members, horizon, first_step: None, loss }))
}

/// The loss by which forecasts are evaluated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Loss {
    /// Absolute error of the mean.
    Absolute,
    /// Pinball loss of the quantile at this level: the loss of capacity ordered for that quantile if a missing request
    /// costs level / (1 - level) times as much as a surplus one.
    Quantile(f64),
}

impl Loss {
    /// The loss of the prediction `said`, a mean or a quantile, for the actual `value`.
    pub(super) fn of(self, value: f64, said: f64) -> f64 {
        let above = value - said;
        match self {
            Loss::Absolute => above.abs(),
            Loss::Quantile(level) => (level * above).max((level - 1.0) * above),
        }
    }
}

/// The use of a forecast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Aim {
    /// First step that counts, from 1.
    pub first_step: usize,
    /// The last step that counts.
    pub horizon: usize,
    /// The loss.
    pub loss: Loss,
}

/// Weighs forecasters by the relevant loss.
///
/// Each forecaster is fitted to the first two thirds of the series and forecasts from origins in the last third
/// (rolling origin evaluation). Updates continue this, with decaying weights. The measure is the mean loss over all
/// values up to `horizon` steps ahead. The forecast is the mean of the members near the best one, weighted by the
/// inverse fourth power of their measure. Each is clamped to one deviation around the median of all or, if they
/// disagree, near the newest value. A member that is better than this mean by a fifth is used by itself. Intervals are
/// those of the errors that this mean actually made, in units of its own spread (normalised conformal prediction,
/// Papadopoulos, Gammerman and Vovk 2008), and wider if there are few errors.
#[derive(Clone, Default)]
pub struct Auto {
    /// The forecasters, simplest first; by default those that the series allows (`auto/pool.rs`).
    pub members: Option<Vec<Arc<dyn Forecaster>>>,
    /// Steps over which errors count; default 12, unless the use of the forecast is known.
    pub horizon: Option<usize>,
    /// The first step that counts, from 1.
    pub first_step: Option<usize>,
    /// The loss; default absolute error, unless the use of the forecast is known.
    pub loss: Option<Loss>,
}

/// Default number of steps over which errors count.
const HORIZON: usize = 12;
/// Maximum horizon of the evaluation: the best method at this distance is also used beyond it.
const FARTHEST_JUDGED: usize = 288;
/// Maximum number of values to fit to, unless seasons are longer: about fourteen days of minutes, two years of hours.
const MAX_LEARNED: usize = 20_000;
/// Cycles of the longest season kept in addition to that.
const CYCLES: usize = 3;
/// Maximum number of values at the end of the series used for evaluation.
const MAX_JUDGED: usize = 1500;
/// Minimum number, if that leaves half of the series to fit to.
const MIN_JUDGED: usize = 40;
/// Approximate number of origins.
pub(super) const ORIGINS: usize = 300;

impl Auto {
    pub(super) fn aim(&self) -> Aim {
        let horizon = self.horizon.unwrap_or(HORIZON).clamp(1, FARTHEST_JUDGED);
        let first_step = self.first_step.unwrap_or(1).clamp(1, horizon);
        Aim { first_step, horizon, loss: self.loss.unwrap_or(Loss::Absolute) }
    }
}

impl Forecaster for Auto {
    fn fit(&self, series: &Series) -> Result<Box<dyn Fitted>, FitError> {
        let longest = series.seasons().last().copied().unwrap_or(0);
        let most = MAX_LEARNED.max(CYCLES * longest);
        let series = series.window(series.len().saturating_sub(most), series.len());
        let wished = (series.len() / 3).max(MIN_JUDGED.min(series.len() / 2));
        let judged = wished.min(MAX_JUDGED.max(self.aim().horizon));
        choice::fit(self, &series, judged).map(|fit| Box::new(fit) as Box<dyn Fitted>)
    }

    fn aimed(&self, aim: Aim) -> Option<Arc<dyn Forecaster>> {
        Some(Arc::new(Auto {
            members: self.members.clone(),
            horizon: self.horizon.or(Some(aim.horizon)),
            first_step: self.first_step.or(Some(aim.first_step)),
            loss: self.loss.or(Some(aim.loss)),
        }))
    }
}
