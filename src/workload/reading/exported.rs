//! Series exported by dashboards and clouds: several in one document, each with a name.

use super::open::TraceInput;
use super::options::{TraceOptions, Values};
use super::samples::{SampleReader, Samples, choose, meaning};
use crate::units::{SimDuration, SimTime};
use crate::workload::error::TraceError;

/// One series of an export.
#[derive(Debug, Default)]
pub(super) struct Exported {
    /// Its names; the first is shown.
    pub(super) names: Vec<String>,
    /// The kind of values, if the export states it.
    pub(super) values: Option<Values>,
    /// Times (`None` if invalid) and values; anything that is not a number means "no value".
    pub(super) points: Vec<(Option<SimTime>, f64)>,
    /// Offset from the stated time to the end of the step that a rate belongs to, if the stated time is its start.
    pub(super) step: SimDuration,
}

impl Exported {
    fn name(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }

    /// Whether one of the series' names matches `name`, which may contain `*`.
    fn fits(&self, asked: &str) -> bool {
        let pattern = asked.contains('*').then(|| glob::Pattern::new(asked).ok()).flatten();
        self.names.iter().any(|name| name == asked || pattern.as_ref().is_some_and(|pattern| pattern.matches(name)))
    }
}

/// Adds up the selected series: those with one name, or all that match a name with `*`.
///
/// # Errors
/// If the selection or the kind of values is ambiguous, and those of [`Samples::into_reader`].
pub(super) fn read(
    input: &TraceInput,
    options: &TraceOptions,
    series: &[Exported],
    notes: Vec<String>,
) -> Result<SampleReader, TraceError> {
    let mut names: Vec<String> = series.iter().map(|series| series.name().to_string()).collect();
    names.sort_unstable();
    names.dedup();
    let asked = match &options.metric {
        Some(asked) if series.iter().any(|series| series.fits(asked)) => asked.clone(),
        _ => choose(input, options, &names).map_err(|error| or_all(error, &names))?.to_string(),
    };
    let chosen: Vec<&Exported> = series.iter().filter(|series| series.fits(&asked)).collect();
    let known = chosen.first().and_then(|first| first.values);
    let known = known.filter(|values| chosen.iter().all(|series| series.values == Some(*values)));
    let shown = if asked.is_empty() { "the query" } else { &asked };
    let values = meaning(input, options, shown, known)?;
    let mut samples = Samples::default();
    if chosen.len() > 1 {
        samples.note(format!("{} series of `{shown}` are added up", chosen.len()));
    }
    notes.into_iter().for_each(|note| samples.note(note));
    for series in chosen {
        let number = samples.begin();
        let later = if values == Values::Rate { series.step } else { SimDuration::ZERO };
        for (time, value) in &series.points {
            match time {
                Some(time) => samples.add(input, number, *time + later, *value)?,
                None => {
                    let number = samples.number();
                    samples.spoilt(number, 1, "expected a time from 1970 to 2500".into());
                }
            }
        }
    }
    samples.into_reader(input, options, values)
}

/// A name, unless it is missing or empty.
pub(super) fn named(names: impl IntoIterator<Item = Option<String>>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for name in names.into_iter().flatten().filter(|name| !name.is_empty()) {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

/// The error that asks which series is meant, with the option to add up all.
fn or_all(error: TraceError, names: &[String]) -> TraceError {
    match &error.help {
        Some(help) if names.len() > 1 => {
            let help = format!("{help}; `metric: '*'` adds all of them up");
            error.help(help)
        }
        _ => error,
    }
}
