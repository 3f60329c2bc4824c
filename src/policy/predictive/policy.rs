//! The policy: what it forecasts, and the size it proposes.

use super::plan;
use std::sync::Arc;

use super::super::{Decision, ForecastPoint, Measure, Measures, Observation, Reason, ReasonCode, ScalingPolicy};
use crate::forecast::{Aim, Fitted, Forecast, Forecaster, Gaps, Loss};
use crate::units::{SimDuration, SimTime};

use super::calendar::Calendar;
use super::history::History;
use super::lead::Lead;

/// Settings of a predictive policy.
#[derive(Clone)]
pub struct Settings {
    /// Name of the forecaster in reasons.
    pub name: String,
    /// The forecaster.
    pub forecaster: Arc<dyn Forecaster>,
    /// Minimum size.
    pub min: u32,
    /// Maximum size.
    pub max: u32,
    /// Share by which a forecast may exceed the maximum, up to max(`max`, forecast (1 + share)). `None` enforces the
    /// maximum.
    pub max_buffer: Option<f64>,
    /// Requests per second that one replica serves.
    pub capacity: f64,
    /// Forecast quantile that capacity is ordered for.
    pub quantile: f64,
    /// Time from order to readiness; `None` learns it from observed start-ups.
    pub lead: Option<SimDuration>,
    /// Additional time for which the capacity must suffice.
    pub look_ahead: SimDuration,
    /// Length of a step of the series.
    pub step: SimDuration,
    /// Seasons, in steps.
    pub seasons: Vec<usize>,
    /// How to fill a step without a scrape.
    pub gaps: Gaps,
    /// Number of steps kept.
    pub history: usize,
    /// Number of observed steps before the forecast is used.
    pub warm_up: usize,
    /// Interval between re-estimations of the model.
    pub refit: SimDuration,
    /// Interval between forecasts.
    pub reforecast: SimDuration,
    /// Horizon of the approximately cheapest plan for the forecast, which is computed at each decision and whose first order is
    /// executed (`lp-mpc`); `None` orders for the largest value within the lead.
    pub horizon: Option<SimDuration>,
    /// Whether the forecast alone may scale in.
    pub scale_in: bool,
    /// One-off events.
    pub calendar: Calendar,
    /// Time between two decisions.
    pub sync_period: SimDuration,
}

/// Maximum number of steps forecast at once.
const MAX_AHEAD: u64 = 10_000;

/// The policy.
pub struct Predictive {
    pub(super) settings: Settings,
    floor: Option<Box<dyn ScalingPolicy>>,
    history: History,
    lead: Lead,
    model: Option<Model>,
    made: Option<Made>,
    /// Forecasts that were not collected yet, and the first step without a recorded forecast.
    forecasts: Vec<ForecastPoint>,
    next_unrecorded: Option<u64>,
}

/// A fitted model and the time of its estimation.
struct Model {
    fitted: Box<dyn Fitted>,
    at: SimTime,
}

/// A forecast, the time it was made, and its first step.
struct Made {
    forecast: Forecast,
    at: SimTime,
    first: u64,
}

/// The size that the forecast asks for, or why there is none.
type Proposal = Result<(u32, String), String>;

impl Predictive {
    /// A policy that has not learned anything yet, with an optional reactive floor.
    pub fn new(settings: Settings, floor: Option<Box<dyn ScalingPolicy>>) -> Self {
        let history = History::new(settings.step, settings.history).taking(settings.gaps);
        let lead = Lead::new(settings.lead);
        Predictive {
            settings,
            floor,
            history,
            lead,
            model: None,
            made: None,
            forecasts: Vec::new(),
            next_unrecorded: None,
        }
    }

    /// Adds the scrape to the history. Steps during a calendar event count as missing.
    fn learn(&mut self, observation: &Observation<'_>) {
        let Some(scrape) = observation.scrape_of(&[Measure::RequestRate]) else { return };
        let new_steps = self.history.see(scrape.taken_at, scrape.window, scrape.totals[Measure::RequestRate]);
        if new_steps == 0 {
            return;
        }
        let end = self.history.next_step();
        for number in end - new_steps as u64..end {
            if self.settings.calendar.touches(self.span(number)) {
                self.history.forget(number);
            }
        }
        if let Some(model) = &mut self.model {
            model.fitted.update(self.history.last(new_steps));
        }
    }

    /// Start and end of step `number`.
    fn span(&self, number: u64) -> (SimTime, SimTime) {
        let at = |number: u64| SimTime::from_nanos(number.saturating_mul(self.settings.step.as_nanos()));
        (at(number), at(number.saturating_add(1)))
    }

    /// The step that contains `at`.
    fn step_of(&self, at: SimTime) -> u64 {
        at.as_nanos() / self.settings.step.as_nanos()
    }

    /// The span to forecast: from now to the end of the time that is ordered for. The last completed step is older than
    /// now.
    fn aim(&self) -> Aim {
        let ahead = self.lead.get().as_nanos().saturating_add(self.settings.look_ahead.as_nanos());
        let ahead = self.settings.horizon.map_or(ahead, |horizon| horizon.as_nanos().max(ahead));
        let steps = ahead.div_ceil(self.settings.step.as_nanos()) as usize + 1;
        Aim { first_step: 1, horizon: steps, loss: Loss::Quantile(self.settings.quantile) }
    }

    /// Estimates the model if due.
    fn estimate(&mut self, now: SimTime) -> Result<(), String> {
        let due = |model: &Model| now >= model.at.saturating_add(self.settings.refit);
        if self.model.as_ref().is_some_and(|model| !due(model)) {
            return Ok(());
        }
        let series = self.history.series().with_seasons(self.settings.seasons.iter().copied());
        let fitted = match &self.model {
            Some(model) => model.fitted.refit(&series),
            None => match self.settings.forecaster.aimed(self.aim()) {
                Some(aimed) => aimed.fit(&series),
                None => self.settings.forecaster.fit(&series),
            },
        };
        let fitted = fitted.map_err(|error| format!("{} cannot be fitted: {error}", self.settings.name))?;
        self.model = Some(Model { fitted, at: now });
        self.made = None;
        Ok(())
    }

    /// Makes a forecast if due, up to the end of its use.
    fn update_forecast(&mut self, now: SimTime, until: SimTime) {
        let last = self.step_of(until);
        let covers = |made: &Made| last < made.first + made.forecast.mean.len() as u64;
        let fresh = |made: &Made| now < made.at.saturating_add(self.settings.reforecast);
        if self.made.as_ref().is_some_and(|made| fresh(made) && covers(made)) {
            return;
        }
        let first = self.history.next_step();
        let end = self.step_of(until.saturating_add(self.settings.reforecast));
        let steps = (end.saturating_sub(first) + 1).min(MAX_AHEAD);
        if let Some(model) = &self.model {
            let [low, high] = ForecastPoint::LEVELS;
            let forecast = model.fitted.forecast(steps as usize, &[self.settings.quantile, low, high]).at_least(0.0);
            self.made = Some(Made { forecast, at: now, first });
        }
    }

    /// Records the forecast for each step that an order placed now could be ready for; each step once.
    fn record_forecasts(&mut self, now: SimTime) {
        let Some(made) = &self.made else { return };
        let last = self.step_of(now.saturating_add(self.lead.get()));
        let first = self.next_unrecorded.unwrap_or(last).max(made.first);
        for number in first..=last.min(first.saturating_add(MAX_AHEAD)) {
            let span = self.span(number);
            let rate = |row: &[f64]| {
                row.get((number - made.first) as usize).map(|rate| self.settings.calendar.apply(*rate, span))
            };
            let quantile = |index: usize| made.forecast.quantiles.get(index).and_then(|row| rate(row));
            let (Some(mean), Some(planned)) = (rate(&made.forecast.mean), quantile(0)) else { break };
            let (low, high) = (quantile(1).unwrap_or(mean), quantile(2).unwrap_or(mean));
            let (from, to) = span;
            self.forecasts.push(ForecastPoint {
                at: now,
                from,
                to,
                mean,
                low,
                high,
                planned,
                capacity: self.settings.capacity,
            });
        }
        self.next_unrecorded = Some(self.next_unrecorded.unwrap_or(0).max(last.saturating_add(1)));
    }

    /// The size that the forecast asks for, given a current size of `spec`.
    fn propose(&mut self, now: SimTime, spec: u32) -> Proposal {
        let (have, need) = (self.history.observed(), self.settings.warm_up);
        if have < need {
            return Err(format!("learning: {have} of {need} steps of {} seen", self.settings.step));
        }
        let ahead = self.lead.get().as_nanos().saturating_add(self.settings.look_ahead.as_nanos());
        let ahead = SimDuration::from_nanos(ahead);
        let ahead = self.settings.horizon.map_or(ahead, |horizon| horizon.max(ahead));
        let until = now.saturating_add(ahead);
        self.estimate(now)?;
        self.update_forecast(now, until);
        self.record_forecasts(now);
        let Some(made) = &self.made else { return Err("no forecast".into()) };
        let rates = made.forecast.quantiles.first().unwrap_or(&made.forecast.mean);
        // Beyond the last forecast step (after a long metrics outage) its value is repeated.
        let value = |number: u64| {
            let place = number.saturating_sub(made.first).min(rates.len().saturating_sub(1) as u64) as usize;
            let rate = rates.get(place).copied().unwrap_or(0.0);
            self.settings.calendar.apply(rate, self.span(number))
        };
        let (from, to) = (self.step_of(now), self.step_of(until));
        let rates: Vec<f64> = (from..=to.min(from + MAX_AHEAD)).map(value).collect();
        let most = rates.iter().copied().fold(0.0, f64::max);
        // The cast saturates.
        let size = |rate: f64| (rate / self.settings.capacity - 1e-9).ceil() as u32;
        let (replicas, planned) = match self.settings.horizon {
            None => (size(most), ""),
            Some(_) => (
                self.first_order(rates.iter().map(|rate| size(*rate)), spec)?,
                ", first order of an approximately cheapest plan",
            ),
        };
        let stands_in = made.forecast.fallback.as_ref().map(|fallback| format!(" ({fallback})")).unwrap_or_default();
        let Settings { name, quantile, .. } = &self.settings;
        let level = format!("{}%", (quantile * 1e4).round() / 100.0);
        Ok((replicas, format!("{name} {level} quantile {most:.1}/s within {ahead}{planned}{stands_in}")))
    }

    /// The first order of an approximately cheapest plan for the sizes needed from now on.
    fn first_order(&self, sizes: impl Iterator<Item = u32>, spec: u32) -> Result<u32, String> {
        let (min, max) = (self.settings.min, self.settings.max);
        let needed = sizes.map(|size| f64::from(size.clamp(min, max))).collect();
        let lead = self.lead.get().as_nanos().div_ceil(self.settings.step.as_nanos());
        plan::first_order(needed, lead as usize, spec.clamp(min, max))
    }

    /// Clamps the size to the bounds.
    fn bounded(&self, size: u32, forecast: u32) -> u32 {
        let raised = self.settings.max_buffer.map_or(0, |share| (f64::from(forecast) * (1.0 + share)).ceil() as u32);
        size.clamp(self.settings.min, self.settings.max.max(raised).max(self.settings.min))
    }

    /// The decision for `size`, which `reason` asks for.
    fn settle(&self, spec: u32, size: u32, forecast: u32, reason: Reason) -> Decision {
        let bounded = self.bounded(size, forecast);
        let reason = match bounded == size {
            true => Reason::new(reason.code, format!("{}: {spec} -> {size}", reason.detail)),
            false => Reason::new(ReasonCode::Bounded, format!("held at {bounded}, {} wants {size}", reason.detail)),
        };
        if bounded == spec { Decision::hold(reason) } else { Decision::scale_to(bounded, reason) }
    }
}

impl ScalingPolicy for Predictive {
    fn forecasts(&mut self) -> Vec<ForecastPoint> {
        std::mem::take(&mut self.forecasts)
    }

    fn sync_period(&self) -> SimDuration {
        self.settings.sync_period
    }

    fn measures(&self) -> Measures {
        self.floor.as_ref().map_or(Measures::NONE, |floor| floor.measures())
    }

    fn decide(&mut self, observation: &Observation<'_>) -> Decision {
        let spec = observation.desired;
        self.lead.see(observation);
        self.learn(observation);
        let proposal = self.propose(observation.now, spec);
        let floor = self.floor.as_mut().map(|floor| floor.decide(observation));
        match (proposal, floor) {
            (Err(why), None) => Decision::hold(Reason::new(ReasonCode::NoData, why)),
            (Err(why), Some(floor)) => {
                let reason = Reason::new(floor.reason.code, format!("{why}; floor: {}", floor.reason.detail));
                match floor.replicas {
                    Some(size) => self.settle(spec, size, 0, reason),
                    None => Decision::hold(reason),
                }
            }
            (Ok((size, words)), Some(floor)) => match floor.replicas.unwrap_or(spec) {
                above if above > size => {
                    let detail = format!("floor: {}; {words} wants {size}", floor.reason.detail);
                    self.settle(spec, above, size, Reason::new(floor.reason.code, detail))
                }
                _ => self.settle(spec, size, size, Reason::new(ReasonCode::Forecast, words)),
            },
            (Ok((size, words)), None) => {
                let least = if self.settings.scale_in { 0 } else { spec };
                self.settle(spec, size.max(least), size, Reason::new(ReasonCode::Forecast, words))
            }
        }
    }
}
