//! The Standard Workload Format of the Parallel Workloads Archive.

use super::super::cells::RowMaker;
use super::super::known::{named, names};
use super::super::lines::{RowFault, TextReader};
use super::super::rows::{RowReader, Rows};
use super::super::table::{ByLayout, Layout};
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::units::NANOS_PER_SECOND;
use crate::workload::error::TraceError;
use crate::workload::reading::header::Header;
use crate::workload::reading::open::{TraceInput, head_lines};
use crate::workload::reading::options::{Columns, TraceOptions};
use crate::workload::time::text::{TimeFormat, integer};

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "swf",
    summary: "Standard Workload Format: one arrival per job, at its submission; demand = run time x processors",
    source: "Feitelson, The Standard Workload Format (Parallel Workloads Archive), version 2.2",
    build: FormatBuilder { recognise: |input, _| is_swf(input), open },
};

/// The 18 fields of a job; the last name is not a field of the file.
const FIELDS: [&str; 19] = [
    "job",
    "submit",
    "wait",
    "run",
    "processors",
    "cpu",
    "memory",
    "requested-processors",
    "requested-time",
    "requested-memory",
    "status",
    "user",
    "group",
    "executable",
    "queue",
    "partition",
    "preceding",
    "think",
    "processor-seconds",
];
const OF_FILE: usize = FIELDS.len() - 1;
const EXPECTED: &str = "the 18 numbers of a job";

fn fields(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty())
}

/// The number after `; NAME:` in the comments.
fn stated(input: &TraceInput, name: &str) -> Option<u64> {
    head_lines(input, 500).take_while(|line| line.is_empty() || line.starts_with(b";")).find_map(|line| {
        let text = std::str::from_utf8(line).ok()?.trim_start_matches([';', ' ', '\t']);
        let value = text.strip_prefix(name)?.trim_start().strip_prefix(':')?;
        value.split_whitespace().next()?.parse().ok()
    })
}

fn is_number(field: &[u8]) -> bool {
    std::str::from_utf8(field).is_ok_and(|text| text.parse::<f64>().is_ok_and(f64::is_finite))
}

/// Eighteen numbers in the first line that is not a comment.
fn is_swf(input: &TraceInput) -> bool {
    let line = head_lines(input, 2000).find(|line| !line.is_empty() && !line.starts_with(b";")).unwrap_or_default();
    fields(line).count() == OF_FILE && fields(line).all(is_number)
}

/// The processors that a job got or, if unknown, requested.
fn processors(cells: &[&[u8]]) -> Option<u64> {
    [4, 7].into_iter().find_map(|column| integer(cells.get(column)?).filter(|number| *number > 0))
}

/// Run time in seconds times number of processors, as text; `None` if one of them is not known.
fn processor_seconds(cells: &[&[u8]]) -> Option<String> {
    let run: f64 = std::str::from_utf8(cells.get(3)?).ok()?.parse().ok()?;
    (run >= 0.0).then_some(())?;
    let work = run * processors(cells)? as f64;
    // A duration too long for a demand is a bad row.
    Some(work.to_string())
}

fn open(input: &TraceInput, options: &TraceOptions) -> Result<Box<dyn RowReader>, TraceError> {
    let mut rows = Vec::new();
    for line in head_lines(input, 2000).filter(|line| !line.is_empty() && !line.starts_with(b";")).take(200) {
        let cells: Vec<&[u8]> = fields(line).collect();
        if cells.len() == OF_FILE {
            let work = processor_seconds(&cells).unwrap_or_default();
            let cells = cells.iter().map(|cell| String::from_utf8_lossy(cell).into_owned());
            rows.push(cells.chain([work]).collect());
        }
    }
    let header = Header { comments: 0, names: FIELDS.map(str::to_string).to_vec(), rows };
    let known = Columns { time: names("submit"), demand: named("processor-seconds"), ..Columns::default() };
    let columns = options.columns.clone().or(known);
    let read = TraceOptions { columns, time_format: Some(TimeFormat::Seconds), ..options.clone() };
    let mut layout = Layout::of_fields(input, &read, &header)?;
    layout.zero_epoch_ns = stated(input, "UnixStartTime").and_then(|start| start.checked_mul(NANOS_PER_SECOND));
    layout.quoted = false;
    layout.notes.push(match read.columns.demand.as_deref() {
        Some("processor-seconds") => {
            "the demand of a job is its run time x its processors (`columns: { demand: run }` for the run time alone)"
                .into()
        }
        _ => "the processors of a job count for nothing unless its demand is `processor-seconds`".into(),
    });
    layout.notes.push("jobs of which run time or processors are not known are passed over".into());
    let maker = layout.maker(&read);
    Ok(Box::new(TextReader::open(input, &read, 0, Jobs { layout, maker })?))
}

/// Reads the jobs; comments and jobs that never ran are skipped.
struct Jobs {
    layout: Layout,
    maker: RowMaker,
}

impl ByLayout for Jobs {
    fn parse(&mut self, line: &[u8], rows: &mut Rows) -> Result<(), RowFault> {
        if line.trim_ascii_start().is_empty() || line.starts_with(b";") {
            return Ok(());
        }
        let mut cells = [&b""[..]; FIELDS.len()];
        let mut given = fields(line);
        for cell in &mut cells[..OF_FILE] {
            *cell = given.next().ok_or(RowFault { at: line.len(), expected: EXPECTED })?;
        }
        if given.next().is_some() || !cells[..5].iter().all(|cell| is_number(cell)) {
            return Err(RowFault { at: 0, expected: EXPECTED });
        }
        let Some(work) = processor_seconds(&cells[..OF_FILE]) else { return Ok(()) };
        cells[OF_FILE] = work.as_bytes();
        self.layout.push(&mut self.maker, &cells, rows).map_err(|expected| RowFault { at: 0, expected })
    }

    fn form(&self) -> (&Layout, &RowMaker) {
        (&self.layout, &self.maker)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_works_on_all_its_processors() {
        let work = |line: &str| processor_seconds(&fields(line.as_bytes()).collect::<Vec<_>>());
        assert_eq!(work("1 0 5 100 8 -1 -1 16 -1 -1 1 3 1 -1 1 -1 -1 -1").as_deref(), Some("800"));
        assert_eq!(work("1 0 5 2.5 -1 -1 -1 16 -1 -1 1 3 1 -1 1 -1 -1 -1").as_deref(), Some("40"));
        assert_eq!(work("1 0 5 -1 8 -1 -1 16 -1 -1 5 3 1 -1 1 -1 -1 -1"), None, "cancelled before it ran");
        assert_eq!(work("1 0 5 100 -1 -1 -1 -1 -1 -1 5 3 1 -1 1 -1 -1 -1"), None, "no processors known");
    }
}
