//! Scales the traffic of a scenario.

use std::sync::Arc;

use crate::config::{Diagnostic, Diagnostics, SourceFile, parse_single};
use crate::scenario::Scenario;
use crate::units::SimDuration;
use crate::workload::{Opening, Recipe, RequestBatch, TRANSFORMS, TraceError, TraceSource, Transform, WorkloadSpec};

/// The maximum factor: each copy of a generator is a stream of its own.
pub const MAX_SCALE: f64 = 1000.0;

/// The scenario with `factor` times as many requests to every service. A generator is superposed with independent
/// copies of itself, which is exact; a recorded trace is scaled like by the transform `scale-rate` (counts and levels
/// before they are converted to requests); a closed loop gets that many times the users. Demands keep their order.
///
/// `None` unless the factor is above 0 and at most [`MAX_SCALE`].
pub fn scaled(scenario: &Scenario, factor: f64) -> Option<Scenario> {
    if !(factor > 0.0 && factor <= MAX_SCALE) {
        return None;
    }
    let mut scenario = scenario.clone();
    for service in &mut scenario.services {
        if let Some(workload) = service.workload.with_users(factor) {
            service.workload = workload;
            continue;
        }
        let is_trace = service.workload.is_recorded();
        let whole = if is_trace { 0 } else { factor.floor() as u64 };
        // Counts and levels are multiplied before they are converted to requests.
        if let Some(recipe) = service.workload.recipe().scaled(factor).filter(|_| is_trace) {
            service.workload = service.workload.with_recipe(recipe);
            continue;
        }
        let share = if is_trace { factor } else { factor.fract() };
        let step = u16::try_from(service.workload.steps().len() + 1).unwrap_or(u16::MAX);
        let rest = if share > 0.0 { Some((scale_rate(share)?, step)) } else { None };
        let recipe = Scaled { base: service.workload.clone(), whole, rest };
        service.workload = service.workload.with_recipe(Arc::new(recipe));
    }
    Some(scenario)
}

/// The scenario with a transform appended to the workload of every service, built for that workload.
///
/// # Errors
/// Those of `built`, and, for example, that a closed loop cannot be reshaped.
pub(super) fn reshaped(
    scenario: &Scenario,
    built: impl Fn(&WorkloadSpec) -> Result<Arc<dyn Transform>, Diagnostics>,
) -> Result<Scenario, Diagnostics> {
    let mut scenario = scenario.clone();
    for service in &mut scenario.services {
        if service.workload.clients().is_some() {
            let mut found = Diagnostics::new();
            found.push(Diagnostic::error(format!(
                "the users of {} wait for responses (a closed loop): an event cannot change their rate",
                service.spec.name
            )));
            return Err(found);
        }
        let transform = built(&service.workload)?;
        let step = u16::try_from(service.workload.steps().len() + 1).unwrap_or(u16::MAX);
        let recipe = Scaled { base: service.workload.clone(), whole: 0, rest: Some((transform, step)) };
        service.workload = service.workload.with_recipe(Arc::new(recipe));
    }
    Ok(scenario)
}

/// The transform as available in scenarios.
fn scale_rate(factor: f64) -> Option<Arc<dyn Transform>> {
    let plugin = TRANSFORMS.iter().find(|plugin| plugin.name == "scale-rate")?;
    let node = parse_single(&SourceFile::new("--scale", factor.to_string())).ok()?;
    (plugin.build)(&node, std::path::Path::new("."), &mut Diagnostics::new())
}

/// A number of independent copies of a workload, and a share of another.
#[derive(Debug)]
struct Scaled {
    base: WorkloadSpec,
    whole: u64,
    rest: Option<(Arc<dyn Transform>, u16)>,
}

/// A complete workload as the input of a further transform.
#[derive(Debug)]
struct Behind(WorkloadSpec);

impl Recipe for Behind {
    fn open(&self, opening: Opening) -> Result<Box<dyn TraceSource>, TraceError> {
        self.0.open(opening.streams, opening.service)
    }
}

impl Recipe for Scaled {
    fn open(&self, opening: Opening) -> Result<Box<dyn TraceSource>, TraceError> {
        // Service numbers that no scenario uses keep the copies independent of each other and of every service.
        let copy = |number: u64| Opening { service: opening.service | number << 32, ..opening };
        let mut parts = Vec::new();
        for number in 0..self.whole {
            let copy = copy(number);
            parts.push(self.base.open(copy.streams, copy.service)?);
        }
        if let Some((transform, step)) = &self.rest {
            let behind: Arc<dyn Recipe> = Arc::new(Behind(self.base.clone()));
            parts.push(transform.open(&behind, *step, copy(self.whole))?);
        }
        Ok(match parts.len() {
            1 => parts.remove(0),
            _ => Box::new(Superposed { parts: parts.into_iter().map(Part::new).collect() }),
        })
    }
}

/// Several sources merged in order of arrival, with ties in the order of the sources.
struct Superposed {
    parts: Vec<Part>,
}

struct Part {
    source: Box<dyn TraceSource>,
    batch: RequestBatch,
    next: usize,
}

impl Part {
    fn new(source: Box<dyn TraceSource>) -> Part {
        Part { source, batch: RequestBatch::default(), next: 0 }
    }

    /// Refills empty batches.
    fn refill(&mut self) -> Result<(), TraceError> {
        if self.next == self.batch.len() {
            self.batch.clear();
            self.next = 0;
            self.source.fill(&mut self.batch)?;
        }
        Ok(())
    }
}

impl TraceSource for Superposed {
    fn fill(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError> {
        let wanted = batch.len() + RequestBatch::TARGET_LEN;
        while batch.len() < wanted {
            for part in &mut self.parts {
                part.refill()?;
            }
            let first = |part: &&mut Part| part.batch.arrivals.get(part.next).copied();
            let ready = self.parts.iter_mut().filter(|part| first(part).is_some());
            let Some(part) = ready.min_by_key(first) else { break };
            batch.append_range(&part.batch, part.next..part.next + 1);
            part.next += 1;
        }
        Ok(())
    }

    fn extent(&self) -> Option<SimDuration> {
        let extents: Option<Vec<SimDuration>> = self.parts.iter().map(|part| part.source.extent()).collect();
        extents?.into_iter().max()
    }
}
