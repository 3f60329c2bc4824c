//! Logs in logfmt: `key=value` pairs, one request per line.

use super::super::header::{Header, TIME_NAMES};
use super::super::logfmt::{KeyedLine, Pairs, begins_with_pairs};
use super::super::meaning::{METHODS, settle};
use super::super::prefixes::PREFIX_TIME;
use super::super::rows::RowReader;
use super::super::split_lines::{open_settled, texts};
use super::super::took::{Took, took};
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::workload::error::TraceError;
use crate::workload::reading::open::{TraceInput, head_lines};
use crate::workload::reading::options::{Columns, TraceOptions};
use crate::workload::time::text::TimeFormat;

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "logfmt",
    summary: "logfmt (`time=... method=GET path=/ duration=12ms`), Heroku's router too: arrival = time - duration",
    source: "logfmt as Heroku, Go kit and Grafana write it; Heroku, HTTP Routing (router logs: connect, service in milliseconds)",
    build: FormatBuilder {
        recognise: |input, options| {
            let stated = !options.columns.time.is_empty();
            begins_with_pairs(input) && (stated || time_key(&head(input)).is_some())
        },
        open,
    },
};

/// Keys of times that tables do not have.
const MORE_TIMES: [&str; 2] = ["t", "at"];
/// Keys of the method.
const METHOD_KEYS: [&str; 5] = ["method", "http_method", "request_method", "http.method", "verb"];

/// The keys of the first lines with their values.
fn head(input: &TraceInput) -> Header {
    let mut names: Vec<String> = Vec::new();
    for line in head_lines(input, 200) {
        for (key, _) in Pairs::new(line) {
            let key = String::from_utf8_lossy(&line[key]).into_owned();
            if !names.contains(&key) && names.len() < 256 {
                names.push(key);
            }
        }
    }
    let split = KeyedLine { names, marks: Vec::new() };
    let rows = head_lines(input, 200).filter_map(|line| texts(&split, line)).collect();
    Header { comments: 0, rows, names: split.names }
}

/// The key with times as values; Heroku's `at=info` is not one.
fn time_key(header: &Header) -> Option<String> {
    let is_time = |name: &&str| {
        let column = header.names.iter().position(|known| known == *name)?;
        // An invalid one is a bad row.
        let mut texts = header.cells(column).filter(|text| !text.is_empty()).take(20);
        texts.find_map(|text| TimeFormat::detect(text.as_bytes())).map(|_| ())
    };
    let keys = TIME_NAMES.iter().copied().filter(|name| *name != PREFIX_TIME).chain(MORE_TIMES).chain([PREFIX_TIME]);
    keys.into_iter().find(|name| is_time(name).is_some()).map(str::to_string)
}

/// The key that marks a line as a request: that of the method, if its values are methods.
fn mark(header: &Header) -> Option<usize> {
    let column = METHOD_KEYS.iter().find_map(|name| header.names.iter().position(|known| known == name))?;
    let mut filled = header.cells(column).filter(|text| !text.is_empty());
    filled.all(|text| METHODS.contains(&text.to_ascii_uppercase().as_str())).then_some(column)
}

fn open(input: &TraceInput, options: &TraceOptions) -> Result<Box<dyn RowReader>, TraceError> {
    let mut header = head(input);
    if header.names.is_empty() {
        let error = TraceError::new(input.name.as_str(), "holds no pairs of logfmt; expected `key=value` pairs");
        return Err(error.line(1));
    }
    let mut options = options.clone();
    if options.columns.time.is_empty() {
        options.columns.time = time_key(&header).into_iter().collect();
    }
    let mark = mark(&header).filter(|_| !options.one_request_per_row && !options.columns.name_values());
    let (mut marks, mut notes, mut also_elapsed) = (Vec::from_iter(mark), Vec::new(), None);
    let nothing_said = Columns { time: Vec::new(), ..options.columns.clone() }.name_sessions_only();
    options.one_request_per_row |= mark.is_some();
    let settled = settle(input, &options, &header)?;
    notes.extend(settled.note);
    options = settled.options;
    // Other lines are not about requests.
    header.rows.retain(|row| marks.iter().all(|mark| row.get(*mark).is_some_and(|text| !text.is_empty())));
    if nothing_said && ["connect", "service"].iter().all(|name| header.has(name)) {
        // Heroku's router connects to a dyno and then forwards until the response has ended, when it writes the line.
        (options.columns.elapsed, also_elapsed) = (Some("service".into()), Some("connect"));
        options.columns.demand = Some("service".into()).filter(|_| options.durations);
        notes.push(
            "the router writes a line when the answer has ended: it came by `connect` and `service` earlier; `service-time: from-trace` takes `service`".into(),
        );
    } else if nothing_said
        && !options.columns.name_values()
        && let Some(found) = took(&header)
    {
        let name = found.name.clone();
        notes.push(format!("a line is written when its request has ended: it came by `{name}` earlier, which `service-time: from-trace` takes"));
        options.demand_unit = unit_of(input, &options, &header, &found)?;
        marks.extend(header.find(&name).filter(|_| mark.is_some()));
        options.columns.elapsed = Some(name);
    }
    if mark.is_some() {
        let names: Vec<String> = marks.iter().map(|mark| format!("`{}`", header.names[*mark])).collect();
        notes.push(format!("lines without {} are no requests and are passed over", names.join(" and ")));
    }
    let split = KeyedLine { names: header.names.clone(), marks };
    Ok(Box::new(open_settled(input, &options, header, also_elapsed, notes, split)?))
}

/// The unit of a duration field, from its name, its values or the options.
fn unit_of(
    input: &TraceInput,
    options: &TraceOptions,
    header: &Header,
    found: &Took,
) -> Result<TimeFormat, TraceError> {
    let stated = (options.demand_unit != TimeFormat::Seconds).then_some(options.demand_unit);
    let name = &found.name;
    found.unit.or(stated).ok_or_else(|| {
        let example = header.find(name).and_then(|column| header.cells(column).find(|text| !text.is_empty()));
        let message = format!("`{name}={}` has no unit; state it", example.unwrap_or_default());
        TraceError::new(input.name.as_str(), message).line(1).help(format!(
            "`columns: {{ elapsed: {name}, demand: {name} }}` with `demand-unit: ms` or `s`; without `elapsed` where the time is when the request came"
        ))
    })
}
