//! Azure Functions of 2019: invocations of each function in each minute of a day.

use super::super::lines::{Lines, RowFault, describe};
use super::super::rows::{RowCounts, RowFacts, RowReader, Rows, SeriesKind};
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::units::{SimDuration, SimTime};
use crate::workload::error::TraceError;
use crate::workload::reading::header::{Cells, Header};
use crate::workload::reading::open::TraceInput;
use crate::workload::reading::options::TraceOptions;
use crate::workload::time::text::integer;

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "azure-functions-2019",
    summary: "Azure Functions of 2019, invocations per minute of a day, summed over the functions",
    source: "Azure/AzurePublicDataset, AzureFunctionsDataset2019.md (Shahrad et al., USENIX ATC 2020)",
    build: FormatBuilder { recognise: |input, _| which(input).is_some(), open: |input, options| open(input, options) },
};

const MINUTES: usize = 1440;
/// Number of columns before the first minute.
const IDENTITIES: [&str; 4] = ["HashOwner", "HashApp", "HashFunction", "Trigger"];

/// The files of the dataset.
#[derive(PartialEq)]
enum File {
    Invocations,
    /// Percentiles of duration or memory, without times.
    Percentiles,
}

fn which(input: &TraceInput) -> Option<File> {
    if !input.head.starts_with(b"HashOwner,HashApp") {
        return None;
    }
    let names = Header::of(input, b',').names;
    let minutes = names.get(IDENTITIES.len()..).unwrap_or_default();
    let numbered = minutes.len() == MINUTES && minutes.iter().zip(1u64..).all(|(name, n)| *name == n.to_string());
    match numbered && names[..IDENTITIES.len()] == IDENTITIES {
        true => Some(File::Invocations),
        false => names
            .iter()
            .any(|name| name.contains("_Average") || name.contains("Percentile"))
            .then_some(File::Percentiles),
    }
}

fn open(input: &TraceInput, options: &TraceOptions) -> Result<Box<dyn RowReader>, TraceError> {
    let fail = |message: &str, help: &str| TraceError::new(input.name.as_str(), message).help(help);
    match which(input) {
        Some(File::Invocations) => Ok(Box::new(MinuteReader::read(input, options)?)),
        Some(File::Percentiles) => Err(fail(
            "holds percentiles of durations or memory, not invocations",
            "give the file `invocations_per_function_md.anon.dNN.csv`; `plimsoll trace inspect` of this one prints the `service-time` to state",
        )),
        None => Err(fail(
            "has not the columns HashOwner, HashApp, HashFunction, Trigger, 1 to 1440",
            "give another `format:`",
        )),
    }
}

/// The invocations of a day, minute by minute, summed over the functions: one pass over the file, 1,440 numbers in
/// memory.
struct MinuteReader {
    minutes: Vec<f64>,
    given: bool,
    tally: RowCounts,
}

impl MinuteReader {
    fn read(input: &TraceInput, options: &TraceOptions) -> Result<Self, TraceError> {
        let mut reader = MinuteReader { minutes: vec![0.0; MINUTES], given: false, tally: RowCounts::default() };
        let mut lines = Lines::new(input)?;
        lines.next(false)?;
        let mut functions = 0;
        while let Some((line, record)) = lines.next(false)? {
            if record.is_empty() {
                continue;
            }
            match minutes_of(record) {
                Ok(minutes) => {
                    functions += 1;
                    reader.minutes.iter_mut().zip(minutes).for_each(|(sum, count)| *sum += count as f64);
                }
                Err(fault) => reader.tally.fault(describe(record, fault, line)),
            }
        }
        reader.tally.rows = functions;
        reader.tally.weigh(&input.name, options.max_bad_rows.get())?;
        // From here on, rows are minutes.
        reader.tally.rows = MINUTES as u64;
        Ok(reader)
    }
}

/// Adds the minutes of a function; its identity is ignored.
fn minutes_of(record: &[u8]) -> Result<Vec<u64>, RowFault> {
    let cells = Cells::new(record, b',').skip(IDENTITIES.len());
    let count = |(at, cell): (usize, &[u8])| {
        let count = integer(cell).filter(|count| *count <= 1_000_000_000_000);
        count.ok_or(RowFault { at, expected: "a number of invocations" })
    };
    let minutes: Vec<u64> = cells.map(count).collect::<Result<_, _>>()?;
    match minutes.len() == MINUTES {
        true => Ok(minutes),
        false => Err(RowFault { at: record.len(), expected: "1440 minutes" }),
    }
}

impl RowReader for MinuteReader {
    fn facts(&self) -> RowFacts {
        // Minutes since midnight.
        RowFacts {
            kind: SeriesKind::Counts,
            origin: Some(SimTime::ZERO),
            interval: Some(SimDuration::from_secs(60)),
            extent: Some(SimDuration::from_secs(60 * MINUTES as u64)),
            ..RowFacts::ARRIVALS
        }
    }

    fn read(&mut self, rows: &mut Rows) -> Result<(), TraceError> {
        rows.clear();
        if !std::mem::replace(&mut self.given, true) {
            let times = (0..MINUTES as u64).map(|minute| SimTime::from_secs(minute * 60));
            rows.requests.arrivals.extend(times);
            rows.values.extend(&self.minutes);
            rows.first_row = 1;
        }
        Ok(())
    }

    fn tally(&self) -> &RowCounts {
        &self.tally
    }
}
