//! Access logs of Caddy.

use super::super::json_logs::JsonLog;
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::workload::time::text::TimeFormat;

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "caddy",
    summary: "Caddy access log, JSON or console: one request per line, arrival = ts - duration",
    source: "Caddy, How Logging Works (access log entries: ts, duration in seconds, request, status); encoders json and console",
    build: FormatBuilder {
        recognise: |input, options| JSON.recognise(input, options),
        open: |input, options| JSON.open(input, options),
    },
};

const JSON: JsonLog = JsonLog {
    has: &["ts", "duration", "request.uri", "status"],
    mark: "request",
    times: &["ts"],
    duration: "duration",
    unit: TimeFormat::Seconds,
    at_end: true,
};
