//! One-line variations of a scenario.

use crate::config::Diagnostics;
use crate::engine::scenario::Scenario;
use crate::engine::{RunError, ZoneOutage};
use crate::random::Distribution;
use crate::units::{SimDuration, SimTime};

use super::scale::{MOST_SCALE, scaled};

/// What is changed.
#[derive(Debug, Clone, PartialEq)]
pub enum Variation {
    /// So many times the requests.
    Scale(f64),
    /// So many seconds more until a replica is ready; less if negative.
    StartUp(f64),
    /// A zone that is lost: its name, when, and for how long.
    LoseZone(String, SimTime, SimDuration),
    /// A value of the scenario: path and YAML.
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
            Variation::Set(path, value) => format!("{path}={value}"),
        }
    }

    /// The scenario so varied; `base` was read with the values `set`.
    ///
    /// # Errors
    /// What is wrong with the variation.
    pub fn apply(&self, base: &Scenario, set: &[(String, String)]) -> Result<Scenario, Diagnostics> {
        match self {
            Variation::Scale(factor) => scaled(base, *factor).ok_or_else(|| {
                refusal(format!("{factor} cannot scale the traffic: expected above 0 and up to {MOST_SCALE}"))
            }),
            Variation::StartUp(seconds) => started_later(base, *seconds),
            Variation::LoseZone(name, at, length) => {
                let zone =
                    base.zones.iter().position(|zone| zone == name).ok_or_else(|| {
                        refusal(format!("there is no zone `{name}`; zones: {}", base.zones.join(", ")))
                    })?;
                let mut scenario = base.clone();
                scenario.outages.push(ZoneOutage { zone: zone as u32, at: *at, length: *length });
                Ok(scenario)
            }
            Variation::Set(path, value) => {
                let mut set = set.to_vec();
                set.push((path.clone(), value.clone()));
                let mut found = Diagnostics::new();
                let mut scenario = Scenario::read(&base.path, &set, &mut found).ok_or(found)?;
                if path != "seed" {
                    scenario.seed = base.seed;
                }
                Ok(scenario)
            }
        }
    }
}

/// The start of the interval in which most requests arrive, of those in which requests count: when a loss hurts most.
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
    // Of equals the first.
    Ok(counted.into_iter().rev().max_by_key(|(_, requests)| *requests).map_or(SimTime::ZERO, |(start, _)| start))
}

fn refusal(message: String) -> Diagnostics {
    let mut found = Diagnostics::new();
    found.push(crate::config::Diagnostic::error(message));
    found
}

/// The delay goes into a phase that always takes equally long, so that what is drawn stays as it is.
fn started_later(base: &Scenario, seconds: f64) -> Result<Scenario, Diagnostics> {
    let mut scenario = base.clone();
    for service in &mut scenario.services {
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
