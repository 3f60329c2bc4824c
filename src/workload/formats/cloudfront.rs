//! Standard access logs of AWS CloudFront.

use super::super::cells::{RowMaker, RowValues};
use super::super::lines::{RowFault, RowParser, TextReader};
use super::super::rows::{Rows, SeriesKind};
use super::super::table::{Cells, Header, Layout, Role};
use super::super::{Columns, TraceError, TraceInput, TraceOptions};
use super::{FormatBuilder, FormatPlugin, head_lines};

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "cloudfront",
    summary: "AWS CloudFront standard log: one request per line, arrival = date and time - time-taken",
    source: "AWS, CloudFront standard logging reference; W3C Extended Log File Format (WD-logfile)",
    build: FormatBuilder {
        recognise: |input, _| fields(input).is_some_and(|names| names.iter().any(|name| name == "x-edge-location")),
        open: |input, options| Ok(Box::new(open(input, options)?)),
    },
};

const FIELDS: &[u8] = b"#Fields:";
/// The name of a field that the file does not have: date and time together.
const INSTANT: &str = "date and time";

/// The names in the first `#Fields:` line.
fn fields(input: &TraceInput) -> Option<Vec<String>> {
    let line = head_lines(input, 20).find_map(|line| line.strip_prefix(FIELDS))?;
    Some(String::from_utf8_lossy(line).split_whitespace().map(str::to_string).collect())
}

fn open(input: &TraceInput, options: &TraceOptions) -> Result<TextReader<CloudFront>, TraceError> {
    let fail = |message: &str| TraceError::new(input.name.as_str(), message).help("expected a CloudFront standard log");
    let mut names = fields(input).ok_or_else(|| fail("has no line `#Fields:`"))?;
    let find = |name: &str| names.iter().position(|known| known == name);
    let (Some(date), Some(time)) = (find("date"), find("time")) else {
        return Err(fail("its `#Fields:` do not name `date` and `time`"));
    };
    // A request is written when it has ended: it came by the time taken earlier.
    let elapsed = options.columns.elapsed.clone().or_else(|| find("time-taken").map(|_| "time-taken".into()));
    let columns = Columns { time: Some(INSTANT.into()), elapsed, ..options.columns.clone() };
    let rows = head_lines(input, 200).filter(|line| !line.starts_with(b"#")).filter_map(|line| {
        let mut cells: Vec<String> =
            Cells::new(line, b'\t').map(|(_, cell)| String::from_utf8_lossy(cell).into_owned()).collect();
        cells.truncate(names.len());
        let instant = format!("{} {}", cells.get(date)?, cells.get(time)?);
        cells.resize(names.len(), String::new());
        cells.push(instant);
        Some(cells)
    });
    let rows = rows.collect();
    names.push(INSTANT.into());
    let header = Header { comments: 0, names, rows };
    let layout = Layout::of_fields(input, &TraceOptions { columns, ..options.clone() }, &header)?;
    let maker = layout.maker(options);
    TextReader::open(input, options, 0, CloudFront { date, time, layout, maker })
}

struct CloudFront {
    /// Columns of the date and the time of day.
    date: usize,
    time: usize,
    layout: Layout,
    maker: RowMaker,
}

impl CloudFront {
    const EXPECTED: &str = "a date and a time such as `2023-11-16` and `18:15:46`";
}

impl RowParser for CloudFront {
    fn parse(&mut self, line: &[u8], rows: &mut Rows) -> Result<(), RowFault> {
        if line.is_empty() || line.starts_with(b"#") {
            return Ok(());
        }
        let mut row = RowValues::default();
        let mut instant = *b"yyyy-mm-dd hh:mm:ss";
        let mut found = 0;
        for (column, (at, cell)) in Cells::new(line, b'\t').enumerate() {
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
                // The instant is a column behind the last one: no cell of the file is taken for it.
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
        self.maker.push(row, &self.layout.wanted, rows);
        Ok(())
    }

    fn kind(&self) -> SeriesKind {
        self.layout.kind
    }

    fn class_names(&self) -> &[String] {
        self.maker.class_names()
    }
}
