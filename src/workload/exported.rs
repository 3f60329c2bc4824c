//! Series as dashboards and clouds export them: several in one document, each under a name of its own.

use super::samples::{SampleReader, Samples, choose, meaning};
use super::{TraceError, TraceInput, TraceOptions, Values};
use crate::units::{SimDuration, SimTime};

/// One series of an export.
#[derive(Debug, Default)]
pub(super) struct Exported {
    /// What it is called; the first name is shown.
    pub(super) names: Vec<String>,
    /// What its values are, where the export says it.
    pub(super) values: Option<Values>,
    /// Times, `None` where one cannot be read, and values; what is not a number stands for "no value".
    pub(super) points: Vec<(Option<SimTime>, f64)>,
    /// How much later the step ends to which a rate belongs, where the time is that of its beginning.
    pub(super) step: SimDuration,
}

impl Exported {
    fn name(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }

    /// Whether the series goes by this name, or by one that it fits where it has a `*`.
    fn fits(&self, asked: &str) -> bool {
        let pattern = asked.contains('*').then(|| glob::Pattern::new(asked).ok()).flatten();
        self.names.iter().any(|name| name == asked || pattern.as_ref().is_some_and(|pattern| pattern.matches(name)))
    }
}

/// Adds up the series that were asked for: those of one name, or all that a name with `*` fits.
///
/// # Errors
/// If it is not clear which are meant or what their values are, or as [`Samples::into_reader`].
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

/// A name that is there and not empty.
pub(super) fn named(names: impl IntoIterator<Item = Option<String>>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for name in names.into_iter().flatten().filter(|name| !name.is_empty()) {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

/// The question which series is meant, with the answer that all are.
fn or_all(error: TraceError, names: &[String]) -> TraceError {
    match &error.help {
        Some(help) if names.len() > 1 => {
            let help = format!("{help}; `metric: '*'` adds all of them up");
            error.help(help)
        }
        _ => error,
    }
}
