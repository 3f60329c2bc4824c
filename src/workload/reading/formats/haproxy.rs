//! Logs of HAProxy: `option httplog`, `option tcplog`, with or without a syslog header.

use std::ops::Range;

use super::super::lines::RowFault;
use super::super::split_lines::{Split, Timing, Words, any_fits, open};
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::workload::time::text::TimeFormat;

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "haproxy",
    summary: "HAProxy HTTP or TCP log, with or without syslog's head: arrival = the date in brackets, duration = the last timer",
    source: "HAProxy configuration manual, sections 8.2.2 (TCP log format), 8.2.3 (HTTP log format) and 8.4 (timing events)",
    build: FormatBuilder {
        recognise: |input, _| any_fits(&HaproxyLine, input),
        open: |input, options| {
            let timing = Timing { time: "accept_date", duration: Some(("Ta", TimeFormat::Millis)), at_end: false };
            let names = FIELDS.iter().map(|name| name.to_string()).collect();
            let unzoned =
                "HAProxy writes local times without their zone; they are read as UTC (`time-zone:` states another)";
            let notes = if options.time_zone.is_none() { vec![unzoned.to_string()] } else { Vec::new() };
            Ok(Box::new(open(input, options, &timing, names, notes, HaproxyLine)?))
        },
    },
};

/// The fields of a line by their names in the manual. A TCP log has no timers of request and response, no status and no
/// request.
const FIELDS: [&str; 15] = [
    "client",
    "accept_date",
    "frontend",
    "backend",
    "server",
    "TR",
    "Tw",
    "Tc",
    "Tr",
    "Ta",
    "status",
    "bytes_read",
    "termination_state",
    "request",
    "captures",
];
const EXPECTED: &str = "`client:port [06/Feb/2009:12:14:14.655] frontend backend/server 10/0/30/69/109 200 2750 ...`";
/// Length in bytes of a date, `06/Feb/2009:12:14:14.655`.
const DATE: usize = 24;
/// Beginnings of messages that are not about a connection.
const MESSAGES: [&[u8]; 14] = [
    b"Proxy ",
    b"Server ",
    b"Backup Server ",
    b"Health check ",
    b"Connect from ",
    b"Stopping ",
    b"Pausing ",
    b"Enabling ",
    b"backend ",
    b"New worker ",
    b"Loading ",
    b"Exiting ",
    b"[NOTICE]",
    b"[WARNING]",
];

/// Offset of the first digit of the date in brackets.
fn date_at(line: &[u8]) -> Option<usize> {
    let starts = memchr::memchr_iter(b'[', line).map(|at| at + 1);
    starts.into_iter().find(|at| {
        let date = line.get(*at..at + DATE + 2).unwrap_or_default();
        matches!(date, [_, _, b'/', .., b']', b' ']) && date[20] == b'.' && date[11] == b':'
    })
}

/// Whether the line reports that something started, stopped or failed.
fn is_message(line: &[u8]) -> bool {
    let process =
        memchr::memmem::find(line, b"haproxy").and_then(|at| Some(at + memchr::memmem::find(&line[at..], b": ")? + 2));
    [Some(0), process].into_iter().flatten().any(|at| MESSAGES.iter().any(|message| line[at..].starts_with(message)))
}

struct HaproxyLine;

impl Split for HaproxyLine {
    fn split(&self, line: &[u8], fields: &mut Vec<Range<usize>>) -> Result<bool, RowFault> {
        let Some(date) = date_at(line) else {
            return if is_message(line) { Ok(false) } else { Err(RowFault { at: 0, expected: EXPECTED }) };
        };
        let client = line[..date - 1].trim_ascii_end().len();
        let client = memchr::memrchr(b' ', &line[..client]).map_or(0, |at| at + 1)..client;
        let mut words = Words::new(line, date + DATE + 1);
        let fault = |words: &Words| RowFault { at: words.at().min(line.len()), expected: EXPECTED };
        let frontend = words.next().ok_or_else(|| fault(&words))?;
        let servers = words.next().ok_or_else(|| fault(&words))?;
        let slash = memchr::memchr(b'/', &line[servers.clone()]).map(|at| servers.start + at);
        let slash = slash.ok_or(RowFault { at: servers.start, expected: EXPECTED })?;
        let timers = words.next().ok_or_else(|| fault(&words))?;
        fields.extend([client, date..date + DATE, frontend, servers.start..slash, slash + 1..servers.end]);
        let http = split_timers(line, timers, fields)?;
        let status = if http { words.next().ok_or_else(|| fault(&words))? } else { 0..0 };
        let bytes = words.next().ok_or_else(|| fault(&words))?;
        let state = if http { words.nth(2) } else { words.next() }.ok_or_else(|| fault(&words))?;
        // Connections and queues.
        let rest = words.nth(1).map_or(line.len(), |_| words.at());
        let quote = memchr::memchr(b'"', &line[rest..]).map(|at| rest + at).filter(|_| http);
        let end = |quote: usize| words.closed(quote + 1, b'"').unwrap_or(line.len());
        let request = quote.map_or(0..0, |quote| quote + 1..end(quote));
        fields.extend([status, bytes, state, request, rest..quote.unwrap_or(line.len())]);
        Ok(true)
    }
}

/// `TR/Tw/Tc/Tr/Ta` of requests, `Tw/Tc/Tt` of connections; true for requests.
fn split_timers(line: &[u8], timers: Range<usize>, fields: &mut Vec<Range<usize>>) -> Result<bool, RowFault> {
    let fault =
        RowFault { at: timers.start, expected: "timers such as `10/0/30/69/109`, or `0/0/5007` of a connection" };
    let mut parts = Vec::with_capacity(5);
    let mut at = timers.start;
    for part in line[timers.clone()].split(|c| *c == b'/') {
        let number = part.strip_prefix(b"+").or(part.strip_prefix(b"-")).unwrap_or(part);
        if number.is_empty() || !number.iter().all(u8::is_ascii_digit) {
            return Err(fault);
        }
        parts.push(at..at + part.len());
        at += part.len() + 1;
    }
    match parts.as_slice() {
        [.., _, _, _, _, _] if parts.len() == 5 => fields.extend(parts),
        [wait, connect, total] => fields.extend([0..0, wait.clone(), connect.clone(), 0..0, total.clone()]),
        _ => return Err(fault),
    }
    Ok(fields.len() == 10 && !fields[5].is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::reading::split_lines::texts;

    #[test]
    fn a_request_is_taken_apart() {
        let line = b"Feb  6 12:14:14 lb1 haproxy[14389]: 10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/+109 200 +2750 - - ---- 1/1/1/1/0 0/0 {shop.example|x y} {} \"GET /index.html?a=\\\"b HTTP/1.1\"";
        let fields = texts(&HaproxyLine, line).unwrap();
        assert_eq!(
            fields,
            [
                "10.0.1.2:33317",
                "06/Feb/2009:12:14:14.655",
                "http-in",
                "static",
                "srv1",
                "10",
                "0",
                "30",
                "69",
                "+109",
                "200",
                "+2750",
                "----",
                "GET /index.html?a=\\\"b HTTP/1.1",
                " {shop.example|x y} {} "
            ]
        );
        // Truncated by syslog.
        let cut = &line[..line.len() - 4];
        assert_eq!(texts(&HaproxyLine, cut).unwrap()[13], "GET /index.html?a=\\\"b HTTP/");
    }

    #[test]
    fn a_connection_is_taken_apart() {
        let line = b"10.0.1.2:33313 [06/Feb/2009:12:12:51.443] fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/3 0/0";
        let fields = texts(&HaproxyLine, line).unwrap();
        assert_eq!(
            (fields[9].as_str(), fields[10].as_str(), fields[11].as_str(), fields[12].as_str()),
            ("5007", "", "212", "--")
        );
        assert_eq!(fields[13], "");
    }

    #[test]
    fn other_lines_are_passed_over_or_refused() {
        let of = |line: &str| HaproxyLine.split(line.as_bytes(), &mut Vec::new());
        assert_eq!(of("Mar  2 10:00:00 lb1 haproxy[1]: Proxy http-in started."), Ok(false));
        assert_eq!(of("Server static/srv1 is DOWN, reason: Layer4 timeout"), Ok(false));
        assert!(
            of("10.0.1.2:1 [06/Feb/2009:12:12:51.443] fnt bck 0/0/5 1 -- 0/0/0/0/3 0/0")
                .is_err_and(|fault| fault.at == 42)
        );
        assert!(of("10.0.1.2:1 [06/Feb/2009:12:12:51.443] fnt b/s 0/0 1 -- 0/0/0/0/3 0/0").is_err());
        assert!(of("anything else").is_err() && of("[06/Feb/2009:12:12:51.443] ").is_err() && of("").is_err());
    }
}
