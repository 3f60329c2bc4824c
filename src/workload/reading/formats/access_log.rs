//! Access logs of Apache and nginx in the common and the combined format.

use super::super::filter::Checks;
use super::super::header::Header;
use super::super::lines::{RowFault, RowParser, TextReader};
use super::super::rows::{RowCounts, Rows};
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::workload::error::TraceError;
use crate::workload::reading::open::head_lines;
use crate::workload::reading::options::Columns;
use crate::workload::time::text::{TimeFormat, TimeReader};
use crate::workload::time::zone::Zone;

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "access-log",
    summary: "Apache or nginx access log, common or combined: one request per line, times to the second",
    source: "Apache httpd mod_log_config (Common Log Format), nginx ngx_http_log_module (combined)",
    build: FormatBuilder {
        recognise: |input, _| {
            // Some lines of a real log may be broken; one valid line among the first ones is enough.
            let mut parser = AccessLog::new(None, Checks::default());
            head_lines(input, 20).any(|line| !line.is_empty() && parser.time(line).is_ok())
        },
        open: |input, options| {
            if options.columns != Columns::default() {
                return Err(TraceError::new(input.name.as_str(), "is an access log, which has no columns to be named")
                    .help("state `log-format:` to name its variables, or leave `columns:` out"));
            }
            let names = FIELDS.iter().map(|name| name.to_string()).collect();
            let header = Header { comments: 0, names, rows: Vec::new() };
            let checks = Checks::of(input, &options.filter, &header, None)?;
            let mut log = AccessLog::new(options.time_zone, checks);
            let has_zone =
                |line: &[u8]| memchr::memchr(b'[', line).is_some_and(|open| line.get(open + 21) == Some(&b' '));
            if options.time_zone.is_none() && !head_lines(input, 20).any(has_zone) {
                log.notes.push("its times name no zone; they are read as UTC (`time-zone:` states another)".into());
            }
            Ok(Box::new(TextReader::open(input, options, 0, log)?))
        },
    },
};

/// `host ident user [dd/Mon/yyyy:HH:MM:SS +zone] "request" status bytes ...`. Only the time matters; the other fields
/// must be where the format puts them.
struct AccessLog {
    times: TimeReader,
    checks: Checks,
    /// Assumptions about it that the user did not state.
    notes: Vec<String>,
}

/// The fields that conditions may refer to.
const FIELDS: [&str; 4] = ["host", "request", "status", "bytes"];

const EXPECTED: &str = "`host ident user [16/Nov/2023:18:15:46 +0000] \"request\" status bytes`";

impl AccessLog {
    fn new(zone: Option<Zone>, checks: Checks) -> Self {
        AccessLog { times: TimeReader::new(TimeFormat::Clf, None).in_zone(zone), checks, notes: Vec::new() }
    }

    /// Whether conditions leave the line out; a line that does not match the format is kept.
    fn leaves_out(&mut self, line: &[u8]) -> bool {
        let cells = (|| {
            let host = line.split(|c| *c == b' ').next()?;
            let request = memchr::memmem::find(line, b"] \"")? + 3;
            // A quote in the request is escaped with a backslash.
            let quotes = memchr::memchr_iter(b'"', &line[request..]).map(|at| request + at);
            let end = quotes.into_iter().find(|at| line[at - 1] != b'\\')?;
            let mut behind = line[end + 1..].split(|c| *c == b' ').filter(|word| !word.is_empty());
            Some([host, &line[request..end], behind.next()?, behind.next().unwrap_or_default()])
        })();
        cells.is_some_and(|cells| self.checks.leave_out(cells.into_iter()))
    }

    #[inline]
    fn time(&mut self, line: &[u8]) -> Result<crate::units::SimTime, RowFault> {
        let open = memchr::memchr(b'[', line).ok_or(RowFault { at: 0, expected: EXPECTED })?;
        let fault = RowFault { at: open, expected: EXPECTED };
        let rest = &line[open + 1..];
        // Some writers omit the zone.
        let length = if rest.get(20) == Some(&b']') { 20 } else { 26 };
        if open < 2 || rest.len() < length + 4 || rest[length..length + 3] != *b"] \"" {
            return Err(fault);
        }
        self.times.read(&rest[..length]).ok_or(RowFault { at: open + 1, expected: TimeFormat::Clf.example() })
    }
}

impl RowParser for AccessLog {
    #[inline]
    fn parse(&mut self, line: &[u8], rows: &mut Rows) -> Result<(), RowFault> {
        if line.is_empty() {
            return Ok(());
        }
        if !self.checks.is_empty() && self.leaves_out(line) {
            return Ok(());
        }
        let time = self.time(line)?;
        rows.requests.arrivals.push(time);
        Ok(())
    }

    fn filters(&self) -> bool {
        true
    }

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }

    fn account(&self, tally: &mut RowCounts) {
        self.checks.account(tally);
        tally.moved = self.times.moved();
        tally.repeated = self.times.repeated();
        tally.offsets = self.times.offsets();
    }
}
