//! One-line variations of a scenario.

use crate::config::{Diagnostics, SourceFile, parse_single};
use crate::engine::{RunError, ZoneOutage};
use crate::random::Distribution;
use crate::scenario::Scenario;
use crate::units::{SimDuration, SimTime};
use crate::workload::TRANSFORMS;

use super::scale::{MAX_SCALE, reshaped, scaled};

/// A variation.
#[derive(Debug, Clone, PartialEq)]
pub enum Variation {
    /// Factor on the number of requests.
    Scale(f64),
    /// Seconds added to the start-up time; negative to shorten it.
    StartUp(f64),
    /// Loss of a zone: its name, start and duration.
    LoseZone(String, SimTime, SimDuration),
    /// An event on top of the traffic: the fields of the transform `overlay`, as `at=20:00,factor=5,for=1h`.
    Event(String),
    /// A field of the scenario: path and YAML value.
    Set(String, String),
}

impl Variation {
    /// Its name in a table.
    pub fn label(&self) -> String {
        match self {
            Variation::Scale(factor) => format!("scale {factor}x"),
            Variation::StartUp(seconds) => format!("startup {seconds:+}s"),
            Variation::LoseZone(zone, at, length) => {
                format!("zone {zone} lost after {} for {length}", at.since(SimTime::ZERO))
            }
            Variation::Event(text) => format!("event {text}"),
            Variation::Set(path, value) => format!("{path}={value}"),
        }
    }

    /// The varied scenario.
    ///
    /// # Errors
    /// If the variation is invalid.
    pub fn apply(&self, base: &Scenario) -> Result<Scenario, Diagnostics> {
        together(std::slice::from_ref(self), base)
    }

    /// Applies the variation to a scenario in which fields of the scenario file are already set.
    fn change(&self, scenario: &Scenario) -> Result<Scenario, Diagnostics> {
        match self {
            Variation::Scale(factor) => scaled(scenario, *factor).ok_or_else(|| {
                refusal(format!("{factor} cannot scale the traffic: expected above 0 and up to {MAX_SCALE}"))
            }),
            Variation::StartUp(seconds) => started_later(scenario, *seconds),
            Variation::LoseZone(name, at, length) => {
                let zone = scenario.zones.iter().position(|zone| zone == name).ok_or_else(|| {
                    refusal(format!("there is no zone `{name}`; zones: {}", scenario.zones.join(", ")))
                })?;
                let mut scenario = scenario.clone();
                let response = scenario.lost_nodes;
                scenario.outages.push(ZoneOutage { zone: zone as u32, at: *at, length: *length, response });
                Ok(scenario)
            }
            Variation::Event(text) => with_event(scenario, text),
            Variation::Set(..) => Ok(scenario.clone()),
        }
    }
}

/// The scenario with several variations at once. Fields of the scenario file are set first.
///
/// # Errors
/// If a variation is invalid.
pub fn together(all: &[Variation], base: &Scenario) -> Result<Scenario, Diagnostics> {
    let stated = |variation: &Variation| match variation {
        Variation::Set(path, value) => Some((path.clone(), value.clone())),
        _ => None,
    };
    let values: Vec<(String, String)> = all.iter().filter_map(stated).collect();
    let mut scenario = base.clone();
    if !values.is_empty() {
        scenario = base.with(&values)?;
    }
    for variation in all {
        scenario = variation.change(&scenario)?;
    }
    Ok(scenario)
}

/// Every variation alone and, if there are several, all of them together, each with its label.
///
/// # Errors
/// If a variation is invalid.
pub fn varied(all: &[Variation], base: &Scenario) -> Result<Vec<(String, Scenario)>, Diagnostics> {
    let mut scenarios = Vec::new();
    for variation in all {
        scenarios.push((variation.label(), variation.apply(base)?));
    }
    if all.len() > 1 {
        scenarios.push(("all together".to_string(), together(all, base)?));
    }
    Ok(scenarios)
}

/// Applies the event `at=20:00,factor=5,for=1h,ramp=5m` to the requests of every service, like the transform `overlay`: times of
/// day and dates are in the time zone of each workload.
fn with_event(scenario: &Scenario, text: &str) -> Result<Scenario, Diagnostics> {
    let fields: Vec<String> = text.split(',').map(|field| field.replacen('=', ": ", 1)).collect();
    let source = SourceFile::new("--event", format!("[{{ {} }}]", fields.join(", ")));
    let node = parse_single(&source).map_err(|error| refusal(error.to_string()))?;
    let plugin = TRANSFORMS.iter().find(|plugin| plugin.name == "overlay");
    reshaped(scenario, |workload| {
        let mut found = Diagnostics::new();
        let node = workload.placed(&node);
        let overlay = plugin.and_then(|plugin| (plugin.build)(&node, std::path::Path::new("."), &mut found));
        let Some(overlay) = overlay.filter(|_| !found.has_errors()) else { return Err(found) };
        match overlay.outside(&workload.recipe(), scenario.duration).as_slice() {
            [] => Ok(overlay),
            [message, ..] => {
                let period = workload.period(scenario.duration).map_or(String::new(), |period| format!("; {period}"));
                Err(refusal(format!("{message}{period}")))
            }
        }
    })
}

/// The start of the interval with the most arrivals after the warm-up: the worst time for a fault.
///
/// # Errors
/// Those of a run.
pub fn busiest_moment(scenario: &Scenario) -> Result<SimTime, RunError> {
    let record = scenario.simulation(0, 0)?.run(&mut |_| ())?;
    let mut arrived: Vec<(SimTime, u64)> = Vec::new();
    for service in &record.services {
        for (index, interval) in service.timeline.iter().enumerate() {
            match arrived.get_mut(index) {
                Some((_, requests)) => *requests += interval.arrived,
                None => arrived.push((interval.start, interval.arrived)),
            }
        }
    }
    let counted: Vec<(SimTime, u64)> = arrived.into_iter().filter(|(start, _)| *start >= record.warm_up).collect();
    // The first of equals.
    Ok(counted.into_iter().rev().max_by_key(|(_, requests)| *requests).map_or(SimTime::ZERO, |(start, _)| start))
}

fn refusal(message: String) -> Diagnostics {
    let mut found = Diagnostics::new();
    found.push(crate::config::Diagnostic::error(message));
    found
}

/// The delay is added to a phase of constant length, so that random draws stay the same.
fn started_later(base: &Scenario, seconds: f64) -> Result<Scenario, Diagnostics> {
    let mut scenario = base.clone();
    let variants = scenario.policies.iter_mut().filter_map(|variant| variant.service.as_deref_mut());
    for service in scenario.services.iter_mut().chain(variants) {
        let start_up = &mut service.spec.start_up;
        let phases = [&mut start_up.started, &mut start_up.scheduled, &mut start_up.ready];
        let fitting = phases.into_iter().find_map(|phase| match phase {
            Distribution::Constant { value } if *value + seconds >= 0.0 => Some(value),
            _ => None,
        });
        let Some(value) = fitting else {
            return Err(refusal(format!(
                "no start-up phase of {} is constant and long enough to change by {seconds:+}s",
                service.spec.name
            )));
        };
        *value += seconds;
    }
    Ok(scenario)
}
