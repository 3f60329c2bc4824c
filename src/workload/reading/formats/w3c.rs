//! Extended logs of the W3C, whose `#Fields:` line names their columns: IIS, CloudFront and others.

use super::super::cells::{RowMaker, RowValues};
use super::super::lines::{RowFault, TextReader};
use super::super::rows::Rows;
use super::super::table::{ByLayout, Layout};
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::workload::error::TraceError;
use crate::workload::reading::cells::Role;
use crate::workload::reading::header::{Cells, Header};
use crate::workload::reading::open::{TraceInput, head_lines};
use crate::workload::reading::options::{Columns, TraceOptions};
use crate::workload::time::text::TimeFormat;

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "w3c",
    summary: "W3C extended log (IIS): one request per line, arrival = date and time - time-taken",
    source: "W3C Extended Log File Format (WD-logfile); Microsoft, IIS W3C logging (time-taken in milliseconds)",
    build: FormatBuilder {
        recognise: |input, _| {
            fields(input).is_some_and(|names| ["date", "time"].iter().all(|part| names.iter().any(|name| name == part)))
        },
        open: |input, options| {
            // IIS writes milliseconds, unless the options state another unit.
            let seconds = options.demand_unit == TimeFormat::Seconds;
            let demand_unit = if seconds { TimeFormat::Millis } else { options.demand_unit };
            Ok(Box::new(open(input, &TraceOptions { demand_unit, ..options.clone() }, b' ')?))
        },
    },
};

const FIELDS: &[u8] = b"#Fields:";
/// Name of a field that is not in the file: date and time combined.
const INSTANT: &str = "date and time";

/// The names in the first `#Fields:` line.
pub(super) fn fields(input: &TraceInput) -> Option<Vec<String>> {
    let line = head_lines(input, 20).find_map(|line| line.strip_prefix(FIELDS))?;
    Some(String::from_utf8_lossy(line).split_whitespace().map(str::to_string).collect())
}

/// Opens a log with fields separated by `delimiter`.
pub(super) fn open(
    input: &TraceInput,
    options: &TraceOptions,
    delimiter: u8,
) -> Result<TextReader<ExtendedLog>, TraceError> {
    let fail = |message: &str| TraceError::new(input.name.as_str(), message).help("expected a W3C extended log");
    let mut names = fields(input).ok_or_else(|| fail("has no line `#Fields:`"))?;
    let find = |name: &str| names.iter().position(|known| known == name);
    let (Some(date), Some(time)) = (find("date"), find("time")) else {
        return Err(fail("its `#Fields:` do not name `date` and `time`"));
    };
    // A request is logged when it ends: its arrival was earlier by the time taken.
    let elapsed = options.columns.elapsed.clone().or_else(|| find("time-taken").map(|_| "time-taken".into()));
    let columns = Columns { time: vec![INSTANT.into()], elapsed, ..options.columns.clone() };
    let rows = head_lines(input, 200).filter(|line| !line.starts_with(b"#")).filter_map(|line| {
        let mut cells: Vec<String> =
            Cells::new(line, delimiter).map(|(_, cell)| String::from_utf8_lossy(cell).into_owned()).collect();
        cells.truncate(names.len());
        let instant = format!("{} {}", cells.get(date)?, cells.get(time)?);
        cells.resize(names.len(), String::new());
        cells.push(instant);
        Some(cells)
    });
    let rows = rows.collect();
    names.push(INSTANT.into());
    let header = Header { comments: 0, names, rows };
    let fields = Layout::of_fields(input, &TraceOptions { columns, ..options.clone() }, &header)?;
    let layout = Layout { quoted: false, ..fields };
    let maker = layout.maker(options);
    TextReader::open(input, options, 0, ExtendedLog { delimiter, date, time, layout, maker })
}

/// Lines with a date and a time of day in separate columns.
pub(super) struct ExtendedLog {
    delimiter: u8,
    /// Column indices of the date and the time of day.
    date: usize,
    time: usize,
    layout: Layout,
    maker: RowMaker,
}

impl ExtendedLog {
    const EXPECTED: &str = "a date and a time such as `2023-11-16` and `18:15:46`";
}

impl ByLayout for ExtendedLog {
    fn parse(&mut self, line: &[u8], rows: &mut Rows) -> Result<(), RowFault> {
        if line.is_empty() || line.starts_with(b"#") {
            return Ok(());
        }
        let cells = Cells::new(line, self.delimiter).map(|(_, cell)| cell);
        if !self.layout.checks.is_empty() && self.layout.checks.leave_out(cells) {
            return Ok(());
        }
        let mut row = RowValues::default();
        let mut instant = *b"yyyy-mm-dd hh:mm:ss";
        let mut found = 0;
        for (column, (at, cell)) in Cells::new(line, self.delimiter).enumerate() {
            let part = match column {
                column if column == self.date => Some(0..10),
                column if column == self.time => Some(11..19),
                _ => None,
            };
            if let Some(part) = part {
                if cell.len() != part.len() {
                    return Err(RowFault { at, expected: Self::EXPECTED });
                }
                instant[part].copy_from_slice(cell);
                found += 1;
            }
            for (_, role) in self.layout.wanted.iter().filter(|(wanted, _)| *wanted == column) {
                // The combined time is a column after the last one, so it cannot be confused with a cell of the file.
                if *role != Role::Time {
                    self.maker.cell(*role, cell, &mut row).map_err(|expected| RowFault { at, expected })?;
                    found += 1;
                }
            }
        }
        if found != self.layout.wanted.len() + 1 {
            return Err(RowFault { at: line.len(), expected: "more columns, as `#Fields:` has" });
        }
        self.maker.cell(Role::Time, &instant, &mut row).map_err(|_| RowFault { at: 0, expected: Self::EXPECTED })?;
        self.maker.push(row, &self.layout.wanted, rows).map_err(|expected| RowFault { at: 0, expected })
    }

    fn form(&self) -> (&Layout, &RowMaker) {
        (&self.layout, &self.maker)
    }
}
