//! The parameters of `predictive` and its presets.
//!
//! ```yaml
//! min: 2
//! max: 40
//! capacity: 40/s                 # of one replica; or { concurrency: 4, service-time: 120ms, utilization: 70% }
//! forecaster: fourier-arima      # `plimsoll list forecasters`, with parameters as there
//! quantile: 90%
//! lead: 90s                      # default: learned from observed start-ups
//! look-ahead: 5m                 # default: one step
//! floor: { hpa: { min: 2, max: 40, target: { cpu: 70% } } }
//! seasons: [1d, 7d]              # or `none`
//! gaps: missing                  # steps without a scrape: missing, zero, or interpolate
//! calendar: [{ from: 30h, to: 34h, times: 3 }]
//! ```

use std::sync::Arc;

use super::presets::Preset;
use super::{Calendar, Predictive, Settings};
use crate::config::{Diagnostics, Fields, FromNode, Value, Yaml};
use crate::forecast::{Gaps, read_forecaster};
use crate::policy::capacity::read_capacity;
use crate::policy::{PolicyContext, PolicyFactory, read_policy};
use crate::units::{Fraction, SimDuration};

/// The maximum number of steps kept; fits to more would slow down the run too much.
const MAX_STEPS: u64 = 20_000;
const DAY: u64 = 86_400;

/// Builds a predictive policy; parameters that are not given come from the preset.
pub(super) fn build(
    preset: &Preset,
    node: &Yaml,
    context: &PolicyContext<'_>,
    sink: &mut Diagnostics,
) -> Option<PolicyFactory> {
    let fields = Fields::open(node, preset.owner, sink)?;
    let errors = sink.errors();
    let floor = fields.node_of("floor").map(|node| read_policy(node, "floor", context, sink));
    let sync_period: Option<SimDuration> = fields.optional("sync-period", sink);
    let settings = settings(preset, &fields, sink);
    fields.finish(sink);
    let (settings, floor) = (settings?, floor.unwrap_or(None));
    if sink.errors() > errors {
        return None;
    }
    Some(Arc::new(move |run| {
        let floor = floor.as_ref().map(|floor| floor(run));
        let own = floor.as_ref().map_or(SimDuration::from_secs(15), |floor| floor.sync_period());
        let settings = Settings { sync_period: sync_period.unwrap_or(own), ..settings.clone() };
        Box::new(Predictive::new(settings, floor))
    }))
}

fn settings(preset: &Preset, fields: &Fields<'_>, sink: &mut Diagnostics) -> Option<Settings> {
    let min: u32 = fields.or("min", 1, sink);
    let max: Option<u32> = fields.required("max", sink);
    let capacity = read_capacity(fields, sink);
    let (name, forecaster) = read_model(preset, fields, sink);
    fields.default_is("forecaster", preset.forecaster.to_string());
    fields.default_is("quantile", Fraction::new(preset.quantile).ok().and_then(|quantile| quantile.words()));
    fields.default_is("lead", preset.lead.and_then(|lead| lead.words()));
    fields.default_is("horizon", preset.horizon.and_then(|horizon| horizon.words()));
    fields.default_is("gaps", Gaps::Missing.name().to_string());
    let quantile = fields.optional("quantile", sink).map_or(preset.quantile, Fraction::get);
    let step = fields.or("step", preset.step, sink);
    let seasons = read_seasons(fields, sink);
    let history: SimDuration = fields.or("history", preset.history, sink);
    let warm_up: SimDuration = fields.or("warm-up", preset.warm_up, sink);
    let max_buffer = fields.optional("max-buffer", sink).map(Fraction::get);
    let settings = Settings {
        name,
        min,
        max: max?,
        max_buffer,
        capacity: capacity?,
        quantile,
        lead: fields.optional("lead", sink).or(preset.lead),
        look_ahead: fields.or("look-ahead", if preset.scale_in { step } else { SimDuration::ZERO }, sink),
        step,
        refit: fields.or("refit", preset.refit, sink),
        reforecast: fields.or("reforecast", preset.reforecast.unwrap_or(step), sink),
        horizon: fields.optional("horizon", sink).or(preset.horizon),
        scale_in: fields.or("scale-in", preset.scale_in, sink),
        calendar: fields.node_of("calendar").and_then(|node| Calendar::read(node, sink)).unwrap_or_default(),
        sync_period: SimDuration::ZERO,
        forecaster: forecaster?,
        gaps: read_gaps(fields, sink),
        seasons: Vec::new(),
        history: 0,
        warm_up: 0,
    };
    let complain = |name: &'static str, words: String, sink: &mut Diagnostics| {
        sink.push(fields.node_of(name).unwrap_or(fields.node()).error(words));
    };
    if settings.max < settings.min {
        complain("max", format!("`max` is below `min`, {}", settings.min), sink);
    }
    if settings.quantile <= 0.0 || settings.quantile >= 1.0 {
        complain("quantile", "`quantile` must be between 0% and 100%".into(), sink);
    }
    if fields.optional::<SimDuration>("sync-period", &mut Diagnostics::new()).is_some_and(SimDuration::is_zero) {
        complain("sync-period", "`sync-period` must be above zero".into(), sink);
    }
    if step < SimDuration::from_secs(1) {
        complain("step", "`step` must be at least 1s".into(), sink);
        return None;
    }
    let steps = |of: SimDuration| of.as_nanos() / step.as_nanos();
    let most = steps(history).clamp(2, MAX_STEPS) as usize;
    Some(Settings {
        seasons: seasons.into_iter().map(|season| steps(season).min(MAX_STEPS) as usize).collect(),
        history: most,
        warm_up: (steps(warm_up).max(2) as usize).min(most),
        ..settings
    })
}

/// Reads the seasons: `none`, a list, or by default a day and a week.
fn read_seasons(fields: &Fields<'_>, sink: &mut Diagnostics) -> Vec<SimDuration> {
    match fields.node_of("seasons").map(Yaml::as_text) {
        Some(Some("none")) => Vec::new(),
        _ => fields.or("seasons", vec![SimDuration::from_secs(DAY), SimDuration::from_secs(7 * DAY)], sink),
    }
}

/// Reads how to fill a step without a scrape.
fn read_gaps(fields: &Fields<'_>, sink: &mut Diagnostics) -> Gaps {
    let Some(name) = fields.optional::<String>("gaps", sink) else { return Gaps::Missing };
    let gaps = Gaps::named(&name);
    if gaps.is_none() {
        let node = fields.node_of("gaps").unwrap_or(fields.node());
        sink.push(node.error("`gaps` must be missing, zero or interpolate"));
    }
    gaps.unwrap_or_default()
}

/// The forecaster and its name.
fn read_model(
    preset: &Preset,
    fields: &Fields<'_>,
    sink: &mut Diagnostics,
) -> (String, Option<Arc<dyn crate::forecast::Forecaster>>) {
    let default = Yaml { value: Value::Scalar(preset.forecaster.into()), ..fields.node().clone() };
    let node = fields.node_of("forecaster").unwrap_or(&default);
    let name = match &node.value {
        Value::Mapping(entries) => entries.first().map(|(key, _)| key.text.clone()).unwrap_or_default(),
        _ => node.as_text().unwrap_or_default().to_string(),
    };
    (name, read_forecaster(node, sink))
}
