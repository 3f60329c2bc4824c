//! The method that did best of late, by rolling origins inside the history.

mod candidate;
mod choice;
mod pool;

use std::sync::Arc;

use super::parameters::{count, or_empty, read_members};
use super::{FitError, Fitted, Forecaster, ForecasterPlugin, Ladder, Series};
use crate::config::{Diagnostics, Fields, Yaml};
use crate::units::Fraction;

/// The entry in the list.
pub(super) const PLUGIN: ForecasterPlugin = ForecasterPlugin {
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
        sink.push(fields.node_of("quantile")?.error("`quantile` lies between 0% and 100%"));
    }
    fields.finish(sink);
    let loss = quantile.map(|quantile| Loss::Quantile(quantile.get()));
    Some(Ladder::under("auto", Auto { members, horizon, first_step: None, loss }))
}

/// What a forecast that errs costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Loss {
    /// The size of the mean's error.
    Absolute,
    /// The pinball loss of the quantile of this level: what capacity ordered for that quantile loses, where a request too
    /// many is (level) / (1 - level) times as dear as one too few.
    Quantile(f64),
}

impl Loss {
    /// The loss where `value` came and `said` was forecast: the mean, or the quantile in question.
    fn of(self, value: f64, said: f64) -> f64 {
        let above = value - said;
        match self {
            Loss::Absolute => above.abs(),
            Loss::Quantile(level) => (level * above).max((level - 1.0) * above),
        }
    }
}

/// What a forecast is used for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Aim {
    /// Steps ahead that count, from 1.
    pub first_step: usize,
    /// The last of them.
    pub horizon: usize,
    /// What an error costs.
    pub loss: Loss,
}

/// Weighs forecasters by the loss that is used.
///
/// Each is fitted to the first two thirds of the series and walked over the last third, forecasting from the values of it (the
/// rolling origin); every update goes on with that, old errors fading. The measure is the mean loss over all values up to
/// `horizon` steps ahead. What is forecast is the mean of those near the best, weighted by one over the fourth power of their
/// measure, each held within a deviation of the median of all, or, where they disagree, near the newest value; a member that does
/// better than this mean by a fifth is taken alone. Intervals are those of the errors that this mean actually made, in units of its own
/// spread (normalised conformal prediction, Papadopoulos, Gammerman and Vovk 2008), wider where errors are few.
#[derive(Clone, Default)]
pub struct Auto {
    /// The forecasters, simplest first; by default those that the series allows (`auto/pool.rs`).
    pub members: Option<Vec<Arc<dyn Forecaster>>>,
    /// Steps over which errors count; 12 unless told what the forecast is for.
    pub horizon: Option<usize>,
    /// The first step that counts, from 1.
    pub first_step: Option<usize>,
    /// What an error costs; its size unless told what the forecast is for.
    pub loss: Option<Loss>,
}

/// Steps over which errors count where nobody says.
const HORIZON: usize = 12;
/// No method is judged more steps ahead: what is best so far ahead is best farther on.
const FARTHEST_JUDGED: usize = 288;
/// Values learned from at most, unless seasons are longer: about fourteen days of minutes, two years of hours.
const MAX_LEARNED: usize = 20_000;
/// Cycles of the longest season that are kept beyond that.
const CYCLES: usize = 3;
/// Most values at the end of the series that are forecast to judge by.
const MAX_JUDGED: usize = 1500;
/// Fewest, where that leaves half of the series to learn from.
const MIN_JUDGED: usize = 40;
/// Origins from which they are forecast, about.
const ORIGINS: usize = 300;

impl Auto {
    fn aim(&self) -> Aim {
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
