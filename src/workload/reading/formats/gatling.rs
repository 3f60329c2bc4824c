//! Gatling's `simulation.log`.

use std::fmt::Write;

use super::super::cells::RowMaker;
use super::super::known::{named, names};
use super::super::lines::{RowFault, TextReader};
use super::super::rows::{RowReader, Rows};
use super::super::table::{ByLayout, Layout};
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::workload::error::TraceError;
use crate::workload::reading::header::Header;
use crate::workload::reading::open::{TraceInput, head_lines};
use crate::workload::reading::options::{Columns, TraceOptions};
use crate::workload::time::text::{TimeFormat, integer};

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "gatling",
    summary: "Gatling `simulation.log` (text, up to 3.11): one request per REQUEST line, arrival = its start, demand = end - start",
    source: "Gatling, LogFileDataWriter of 2.0 to 3.11; gatling/gatling#4596 (binary from 3.12 on)",
    build: FormatBuilder { recognise: |input, _| is_log(input), open },
};

/// The fields of a request by name; the last one is not in the file.
const FIELDS: [&str; 7] = ["group", "name", "start", "end", "status", "message", "duration"];
const EXPECTED: &str = "a start and an end in milliseconds, and `OK` or `KO`";

/// A `RUN` line with tabs or, in files without a header, a line of a user or a request.
fn is_log(input: &TraceInput) -> bool {
    let mut lines = head_lines(input, 50).filter(|line| !line.is_empty());
    let run = |line: &[u8]| line.starts_with(b"RUN\t") || line.split(|c| *c == b'\t').nth(2) == Some(&b"RUN"[..]);
    let first = lines.next().unwrap_or_default();
    (run(first) && first.iter().filter(|c| **c == b'\t').count() >= 3) || Request::of(first).is_some()
}

/// The fields of a line about a request.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Request<'a> {
    group: &'a [u8],
    name: &'a [u8],
    start: &'a [u8],
    end: &'a [u8],
    status: &'a [u8],
    message: &'a [u8],
}

impl<'a> Request<'a> {
    /// Parses a line. Since 3.4 it is `REQUEST group name start end status message`; before, the user's number precedes
    /// the group; in 2.x the scenario precedes that; and in 2.0 and 2.1 there are two more times of the response. In
    /// all versions the status follows the times, and name and group precede them.
    fn of(line: &'a [u8]) -> Option<Request<'a>> {
        let fields: Vec<&[u8]> = line.split(|c| *c == b'\t').collect();
        if !fields.iter().take(3).any(|field| *field == b"REQUEST") {
            return None;
        }
        let status = fields.iter().rposition(|field| matches!(*field, b"OK" | b"KO"))?;
        let is_time = |field: &[u8]| field.len() >= 12 && integer(field).is_some();
        let times = fields[..status].iter().rev().take_while(|field| is_time(field)).take(4).count();
        let (start, end) = match times {
            2 | 3 => (status - 2, status - 1),
            // First and last byte of the request, then of the response.
            4 => (status - 4, status - 1),
            _ => return None,
        };
        Some(Request {
            group: fields[start.checked_sub(2)?],
            name: fields[start - 1],
            start: fields[start],
            end: fields[end],
            status: fields[status],
            message: fields.get(status + 1).copied().unwrap_or_default(),
        })
    }

    /// The fields in the order of [`FIELDS`]; `duration` holds the text of the last one.
    fn cells(self, duration: &'a str) -> [&'a [u8]; 7] {
        [self.group, self.name, self.start, self.end, self.status, self.message.trim_ascii(), duration.as_bytes()]
    }

    /// Milliseconds from start to end.
    fn duration(self) -> Option<u64> {
        integer(self.end)?.checked_sub(integer(self.start)?)
    }
}

fn open(input: &TraceInput, options: &TraceOptions) -> Result<Box<dyn RowReader>, TraceError> {
    let mut rows = Vec::new();
    for request in head_lines(input, 200).filter_map(Request::of) {
        let duration = request.duration().map_or(String::new(), |ms| ms.to_string());
        rows.push(request.cells(&duration).map(|cell| String::from_utf8_lossy(cell).into_owned()).to_vec());
    }
    let header = Header { comments: 0, names: FIELDS.map(str::to_string).to_vec(), rows };
    let known = Columns { time: names("start"), demand: named("duration"), ..Columns::default() };
    let columns = options.columns.clone().or(known);
    let time_format = Some(TimeFormat::Millis);
    let read = TraceOptions { columns, time_format, demand_unit: TimeFormat::Millis, ..options.clone() };
    let layout = Layout::of_fields(input, &read, &header)?;
    let layout = Layout { quoted: false, unordered: true, zero_epoch_ns: Some(0), ..layout };
    let maker = layout.maker(&read);
    Ok(Box::new(TextReader::open(input, &read, 0, SimulationLog { layout, maker, duration: String::new() })?))
}

/// Reads the requests; runs, users, groups and errors are skipped.
struct SimulationLog {
    layout: Layout,
    maker: RowMaker,
    /// The duration of the request, as text.
    duration: String,
}

impl ByLayout for SimulationLog {
    fn parse(&mut self, line: &[u8], rows: &mut Rows) -> Result<(), RowFault> {
        let tag = line.split(|c| *c == b'\t').take(3).any(|field| field == b"REQUEST");
        if !tag {
            return Ok(());
        }
        let fault = RowFault { at: 0, expected: EXPECTED };
        let request = Request::of(line).ok_or(fault)?;
        self.duration.clear();
        write!(self.duration, "{}", request.duration().ok_or(fault)?).map_err(|_| fault)?;
        let cells = request.cells(&self.duration);
        self.layout.push(&mut self.maker, &cells, rows).map_err(|expected| RowFault { at: 0, expected })
    }

    fn form(&self) -> (&Layout, &RowMaker) {
        (&self.layout, &self.maker)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Option<[String; 4]> {
        let request = Request::of(line.as_bytes())?;
        let cells = [request.name, request.start, request.end, request.status];
        Some(cells.map(|cell| String::from_utf8_lossy(cell).into_owned()))
    }

    #[test]
    fn requests_of_every_version_are_understood() {
        let (start, end) = ("1772445600120", "1772445600220");
        for line in [
            format!("REQUEST\t\thome\t{start}\t{end}\tOK\t "),
            format!("REQUEST\t17\tcart\thome\t{start}\t{end}\tOK\t "),
            format!("REQUEST\tbuyers\t17\tcart\thome\t{start}\t{end}\tOK\t "),
            format!("REQUEST\tbuyers\t17\tcart\thome\t{start}\t1772445600121\t1772445600200\t{end}\tOK\t "),
            format!("buyers\t17\tREQUEST\tcart\thome\t{start}\t1772445600121\t1772445600200\t{end}\tOK\t "),
        ] {
            assert_eq!(read(&line), Some(["home", start, end, "OK"].map(String::from)), "{line}");
        }
        for line in ["REQUEST\t\thome\t12\t13\tOK\t", "REQUEST\tOK", "USER\ts\tSTART\t1772445600100", "REQUEST", ""] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
