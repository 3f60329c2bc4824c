//! Access logs of Apache and nginx in the common and the combined format.

use super::super::lines::{RowFault, RowParser, TextReader};
use super::super::rows::Rows;
use super::super::time_text::{TimeFormat, TimeReader};
use super::{FormatBuilder, FormatPlugin, head_lines};

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "access-log",
    summary: "Apache or nginx access log, common or combined: one request per line, times to the second",
    source: "Apache httpd mod_log_config (Common Log Format), nginx ngx_http_log_module (combined)",
    build: FormatBuilder {
        recognise: |input, _| {
            // Some lines of a real log may be broken; one whole line among the first is enough.
            let mut parser = AccessLog::new();
            head_lines(input, 20).any(|line| !line.is_empty() && parser.time(line).is_ok())
        },
        open: |input, options| Ok(Box::new(TextReader::open(input, options, 0, AccessLog::new())?)),
    },
};

/// `host ident user [dd/Mon/yyyy:HH:MM:SS +zone] "request" status bytes ...`. Only the time matters; what stands around
/// it must be where the format puts it.
struct AccessLog {
    times: TimeReader,
}

const EXPECTED: &str = "`host ident user [16/Nov/2023:18:15:46 +0000] \"request\" status bytes`";

impl AccessLog {
    fn new() -> Self {
        AccessLog { times: TimeReader::new(TimeFormat::Clf, None) }
    }

    #[inline]
    fn time(&mut self, line: &[u8]) -> Result<crate::units::SimTime, RowFault> {
        let open = memchr::memchr(b'[', line).ok_or(RowFault { at: 0, expected: EXPECTED })?;
        let fault = RowFault { at: open, expected: EXPECTED };
        let rest = &line[open + 1..];
        if open < 2 || rest.len() < 30 || rest[26..29] != *b"] \"" {
            return Err(fault);
        }
        self.times.read(&rest[..26]).ok_or(RowFault { at: open + 1, expected: TimeFormat::Clf.example() })
    }
}

impl RowParser for AccessLog {
    #[inline]
    fn parse(&mut self, line: &[u8], rows: &mut Rows) -> Result<(), RowFault> {
        if line.is_empty() {
            return Ok(());
        }
        let time = self.time(line)?;
        rows.requests.arrivals.push(time);
        Ok(())
    }
}
