//! Access logs of Envoy and of service meshes based on it: the default text formats, and JSON.

use std::ops::Range;

use super::super::json_logs::JsonLog;
use super::super::lines::RowFault;
use super::super::split_lines::{Split, Words, any_fits};
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::workload::time::text::{TimeFormat, TimeReader};

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "envoy",
    summary: "Envoy or Istio access log, default text or JSON: arrival = start time, duration in milliseconds",
    source: "Envoy, Access logging (default format string, command operators); Istio, Envoy Access Logs (default format)",
    build: FormatBuilder {
        recognise: |input, options| JSON.recognise(input, options) || any_fits(&EnvoyLine, input),
        open: |input, options| JSON.open_or_text(input, options, ("start_time", &FIELDS), EnvoyLine),
    },
};

const JSON: JsonLog = JsonLog {
    has: &["start_time", "duration", "response_code"],
    mark: "response_code",
    times: &["start_time"],
    duration: "duration",
    unit: TimeFormat::Millis,
    at_end: false,
};

const FIELDS: [&str; 11] = [
    "start_time",
    "request",
    "response_code",
    "response_flags",
    "bytes_received",
    "bytes_sent",
    "duration",
    "upstream_service_time",
    "user_agent",
    "authority",
    "upstream_host",
];
const EXPECTED: &str = "`[2016-04-15T20:17:00.310Z] \"GET /path HTTP/2\" 204 - 154 0 226 100 ...`";

struct EnvoyLine;

impl Split for EnvoyLine {
    fn split(&self, line: &[u8], fields: &mut Vec<Range<usize>>) -> Result<bool, RowFault> {
        let fault = |at: usize| RowFault { at: at.min(line.len()), expected: EXPECTED };
        let mut words = Words::new(line, 0);
        let time = words.next().filter(|_| line.first() == Some(&b'[')).ok_or_else(|| fault(0))?;
        if TimeReader::new(TimeFormat::Iso, None).read(&line[time.clone()]).is_none() {
            return Err(RowFault { at: 1, expected: TimeFormat::Iso.example() });
        }
        let mut next = || words.next().ok_or_else(|| fault(line.len()));
        let (request, code, flags) = (next()?, next()?, next()?);
        if request.start < 2 || line[request.start - 1] != b'"' {
            return Err(fault(request.start));
        }
        let mut received = next()?;
        // Istio adds details of the response, of its termination and of the transport failure in between.
        if !is_number(&line[received.clone()]) {
            next()?;
            next()?;
            received = next()?;
        }
        let (sent, duration, upstream) = (next()?, next()?, next()?);
        let numbers = [&code, &received, &sent, &duration];
        if let Some(other) = numbers.into_iter().find(|field| !is_number(&line[(*field).clone()])) {
            return Err(fault(other.start));
        }
        fields.extend([time, request, code, flags, received, sent, duration, upstream]);
        // Forwarded-for, user agent, request id, authority, host.
        let mut rest = Words::new(line, words.at()).skip(1);
        fields.extend(rest.next());
        fields.extend(rest.skip(1).take(2));
        Ok(true)
    }
}

/// Whether it is a number, or `-` for none.
fn is_number(text: &[u8]) -> bool {
    text == b"-" || (!text.is_empty() && text.iter().all(u8::is_ascii_digit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::reading::split_lines::texts;

    #[test]
    fn both_text_formats_are_taken_apart() {
        let own = br#"[2016-04-15T20:17:00.310Z] "POST /api/v1/locations HTTP/2" 204 - 154 0 226 100 "10.0.35.28" "nsq2http" "cc21d9b0" "locations" "tcp://10.0.2.1:80""#;
        let istio = br#"[2021-08-06T06:04:36.912Z] "GET /details/0 HTTP/1.1" 200 - via_upstream - "-" 0 178 43 42 "-" "Mozilla/5.0 (X11)" "4825" "details:9080" "172.17.0.17:9080" outbound|9080||details 172.17.0.11:45422 10.101.207.55:9080 172.17.0.11:1 - default"#;
        let picked =
            |line: &[u8]| texts(&EnvoyLine, line).map(|f| [1, 2, 6, 7, 8, 9, 10].map(|at| f[at].clone())).unwrap();
        assert_eq!(
            picked(own),
            ["POST /api/v1/locations HTTP/2", "204", "226", "100", "nsq2http", "locations", "tcp://10.0.2.1:80"]
        );
        assert_eq!(
            picked(istio),
            ["GET /details/0 HTTP/1.1", "200", "43", "42", "Mozilla/5.0 (X11)", "details:9080", "172.17.0.17:9080"]
        );
    }

    #[test]
    fn other_lines_are_refused() {
        for line in [
            "[2016-04-15T20:17:00.310Z] \"GET / HTTP/2\" 204 - 154 0",
            "[info] \"GET / HTTP/2\" 204 - 154 0 226 100",
            "[2016-04-15T20:17:00.310Z] GET 204 - 154 0 226 100",
            "[2016-04-15T20:17:00.310Z][1][info] initializing",
            "[",
        ] {
            assert_eq!(texts(&EnvoyLine, line.as_bytes()), None, "{line}");
        }
    }
}
