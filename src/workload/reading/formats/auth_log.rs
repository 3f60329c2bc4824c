//! Login attempts in the authentication log of a Unix host.

use super::super::lines::{RowFault, RowParser, TextReader};
use super::super::rows::{RowCounts, Rows};
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::units::SimTime;
use crate::workload::error::TraceError;
use crate::workload::reading::open::{TraceInput, head_lines};
use crate::workload::reading::options::TraceOptions;
use crate::workload::time::text::{TimeFormat, TimeReader, integer};

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "auth-log",
    summary: "BSD syslog auth.log: one request per sshd login attempt (accepted or failed); needs `year:`",
    source: "RFC 3164 (BSD syslog), OpenSSH auth.c messages, rsyslog's `message repeated N times`",
    build: FormatBuilder {
        recognise: |input, _| {
            let mut parser = AuthLog { times: TimeReader::new(TimeFormat::Syslog, None) };
            let mut lines = head_lines(input, 20).filter(|line| !line.is_empty()).peekable();
            lines.peek().is_some() && lines.all(|line| parser.time(line).is_ok())
        },
        open: |input, options| Ok(Box::new(open(input, options)?)),
    },
};

/// Maximum number of logins in a repeated message; syslog daemons write one out long before.
const MAX_REPEATS: u64 = 1_000_000;

fn open(input: &TraceInput, options: &TraceOptions) -> Result<TextReader<AuthLog>, TraceError> {
    let Some(year) = options.year else {
        return Err(TraceError::new(input.name.as_str(), "syslog times have no year")
            .help("state the year of its first line, for example `year: 2017`"));
    };
    TextReader::open(
        input,
        options,
        0,
        AuthLog { times: TimeReader::new(TimeFormat::Syslog, Some(year)).in_zone(options.time_zone) },
    )
}

struct AuthLog {
    times: TimeReader,
}

impl AuthLog {
    #[inline]
    fn time(&mut self, line: &[u8]) -> Result<SimTime, RowFault> {
        self.times.syslog_prefix(line).ok_or(RowFault { at: 0, expected: TimeFormat::Syslog.example() })
    }
}

impl RowParser for AuthLog {
    /// A login attempt is one check of a credential: sshd writes "Accepted ..." or "Failed ..." for each. A repeated
    /// message counts as that many at its own time, because the times of the others are not written.
    fn parse(&mut self, line: &[u8], rows: &mut Rows) -> Result<(), RowFault> {
        if line.is_empty() {
            return Ok(());
        }
        let time = self.time(line)?;
        let Some(process) = memchr::memmem::find(line, b" sshd[") else { return Ok(()) };
        let Some(colon) = memchr::memmem::find(&line[process..], b"]: ") else { return Ok(()) };
        let message = &line[process + colon + 3..];
        let (message, times) = match message.strip_prefix(b"message repeated ") {
            Some(rest) => {
                let digits = rest.iter().take_while(|c| c.is_ascii_digit()).count();
                let times = integer(&rest[..digits]).filter(|times| (1..=MAX_REPEATS).contains(times));
                let fault = RowFault { at: process + colon + 20, expected: "a number of repetitions up to 1000000" };
                let times = times.ok_or(fault)?;
                (rest[digits..].strip_prefix(b" times: [ ").ok_or(fault)?, times)
            }
            None => (message, 1),
        };
        if message.starts_with(b"Accepted ") || message.starts_with(b"Failed ") {
            rows.requests.arrivals.extend(std::iter::repeat_n(time, times as usize));
        }
        Ok(())
    }

    fn account(&self, tally: &mut RowCounts) {
        tally.moved = self.times.moved();
        tally.repeated = self.times.repeated();
    }
}
