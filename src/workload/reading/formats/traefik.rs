//! Access logs of Traefik: the Common Log Format with additional fields, and JSON.

use std::ops::Range;

use super::super::json_logs::JsonLog;
use super::super::lines::RowFault;
use super::super::split_lines::{Split, Words, any_fits};
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::workload::time::text::TimeFormat;

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "traefik",
    summary: "Traefik access log, common or JSON: arrival = the request's start (StartUTC), duration beside it",
    source: "Traefik, Access Logs (Common Log Format; JSON fields: StartUTC, Duration in nanoseconds)",
    build: FormatBuilder {
        recognise: |input, options| JSON.recognise(input, options) || any_fits(&TraefikLine, input),
        open: |input, options| JSON.open_or_text(input, options, ("time", &FIELDS), TraefikLine),
    },
};

const JSON: JsonLog = JsonLog {
    has: &["Duration", "DownstreamStatus"],
    mark: "DownstreamStatus",
    times: &["StartUTC", "StartLocal"],
    duration: "Duration",
    unit: TimeFormat::Nanos,
    at_end: false,
};

const FIELDS: [&str; 13] = [
    "host",
    "ident",
    "user",
    "time",
    "request",
    "status",
    "bytes",
    "referer",
    "user_agent",
    "request_count",
    "router",
    "server",
    "duration",
];

struct TraefikLine;

impl Split for TraefikLine {
    fn split(&self, line: &[u8], fields: &mut Vec<Range<usize>>) -> Result<bool, RowFault> {
        let before = fields.len();
        fields.extend(Words::new(line, 0).take(FIELDS.len() + 1));
        let fields = &fields[before..];
        let sound = fields.len() == FIELDS.len()
            && line[fields[3].start - 1] == b'['
            && line[fields[4].start - 1] == b'"'
            && line[fields[12].clone()].ends_with(b"ms");
        let expected =
            "`host - user [time] \"request\" status bytes \"referer\" \"agent\" count \"router\" \"server\" 12ms`";
        if sound { Ok(true) } else { Err(RowFault { at: 0, expected }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::reading::split_lines::texts;

    #[test]
    fn a_line_is_taken_apart() {
        let line = br#"192.0.2.7 - - [02/Mar/2026:10:00:00 +0000] "GET /whoami HTTP/1.1" 200 394 "-" "curl/8.5.0" 41 "whoami@docker" "http://172.18.0.3:80" 12ms"#;
        let fields = texts(&TraefikLine, line).unwrap();
        assert_eq!((fields[3].as_str(), fields[12].as_str()), ("02/Mar/2026:10:00:00 +0000", "12ms"));
        assert_eq!((fields[10].as_str(), fields[11].as_str()), ("whoami@docker", "http://172.18.0.3:80"));
        let combined = br#"::1 - - [02/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 394 "-" "curl/8.5.0""#;
        assert_eq!(texts(&TraefikLine, combined), None);
    }
}
