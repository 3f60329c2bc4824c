//! Plimsoll's own format, as Parquet or as CSV; see [`super::super::own`] for its columns.

use super::super::filter::Checks;
use super::super::numbers::Numbers;
use super::super::own::{CLASS, COUNT, DEMAND, MARK, OFFSET, OwnFacts, TOKENS_IN, TOKENS_OUT, comment_pairs};
use super::super::rows::{RowReader, SeriesKind};
use super::super::table::Layout;
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::units::SimTime;
use crate::workload::error::TraceError;
use crate::workload::reading::cells::{Role, kind_of};
use crate::workload::reading::header::{Header, listed};
use crate::workload::reading::open::TraceInput;
use crate::workload::reading::options::TraceOptions;
use crate::workload::time::text::TimeFormat;

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "plimsoll",
    summary: "Plimsoll's own trace, Parquet or CSV: `offset_ns` with `count`, or with demand, tokens and class",
    source: "this project; columns and keys are described in traces/README.md",
    build: FormatBuilder { recognise: |input, _| recognise(input), open },
};

fn recognise(input: &TraceInput) -> bool {
    if input.is_parquet() {
        return recognise_parquet(input);
    }
    input.head.starts_with(b"offset_ns") || comment_pairs(input).iter().any(|(key, _)| key == MARK)
}

fn open(input: &TraceInput, options: &TraceOptions) -> Result<Box<dyn RowReader>, TraceError> {
    if input.is_parquet() {
        return open_parquet(input, options);
    }
    let pairs = comment_pairs(input);
    let facts = OwnFacts::of_pairs(&input.name, pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())))?;
    let layout = layout(input, &facts, options)?;
    layout.open(input, options)
}

fn layout(input: &TraceInput, facts: &OwnFacts, options: &TraceOptions) -> Result<Layout, TraceError> {
    let header = Header::of(input, b',');
    let roles = [
        (OFFSET, Role::Time),
        (COUNT, Role::Count),
        (DEMAND, Role::Demand),
        (TOKENS_IN, Role::TokensIn),
        (TOKENS_OUT, Role::TokensOut),
        (CLASS, Role::Class),
    ];
    let role = |name: &String| roles.iter().find(|(known, _)| known == name).map(|(_, role)| *role);
    let wanted: Vec<(usize, Role)> =
        header.names.iter().enumerate().filter_map(|(column, name)| Some((column, role(name)?))).collect();
    let fail = |message: String| {
        let help = format!("columns: {}", listed(&header.names));
        Err(TraceError::new(input.name.as_str(), message).line(header.comments as u64 + 1).help(help))
    };
    if wanted.iter().filter(|(_, role)| *role == Role::Time).count() != 1 {
        return fail(format!("expected one column `{OFFSET}`"));
    }
    let kind = kind_of(&wanted);
    if kind != facts.kind && !comment_pairs(input).is_empty() {
        return fail(format!("states that it holds {}, but has the columns of {}", facts.kind.name(), kind.name()));
    }
    Ok(Layout {
        delimiter: b',',
        wanted,
        skip: header.comments + 1,
        quoted: true,
        blank_times: false,
        time_format: TimeFormat::Nanos,
        demand_unit: TimeFormat::Nanos,
        numbers: Numbers::default(),
        width: Some(header.names.len()),
        across: None,
        checks: Checks::of(input, &options.filter, &header, Some(CLASS))?,
        passes: Default::default(),
        unordered: false,
        notes: Vec::new(),
        kind,
        interval: if kind == SeriesKind::Counts { options.interval.or(facts.interval) } else { None },
        origin: Some(SimTime::ZERO),
        zero_epoch_ns: facts.start,
        extent: facts.extent,
    })
}

#[cfg(feature = "tables")]
fn recognise_parquet(input: &TraceInput) -> bool {
    super::super::columnar::is_own(input)
}

#[cfg(feature = "tables")]
fn open_parquet(input: &TraceInput, options: &TraceOptions) -> Result<Box<dyn RowReader>, TraceError> {
    super::super::columnar::open_own(input, options)
}

#[cfg(not(feature = "tables"))]
fn recognise_parquet(_: &TraceInput) -> bool {
    true
}

#[cfg(not(feature = "tables"))]
fn open_parquet(input: &TraceInput, _: &TraceOptions) -> Result<Box<dyn RowReader>, TraceError> {
    Err(TraceError::new(input.name.as_str(), "is Parquet, which this build does not read")
        .help("build with the feature `tables`, or convert the trace to CSV"))
}
