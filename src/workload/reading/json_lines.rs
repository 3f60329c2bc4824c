//! JSON Lines: one object per line, with fields named in `columns:`, possibly as dotted paths (`request.size`).

use std::fmt::{self, Write};

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::cells::{Role, RowMaker, RowValues};
use super::filter::{Checks, RowFilter};
use super::header::Header;
use super::lines::{Division, RowFault, TextReader, first_object};
use super::meaning::settle;
use super::open::{TraceInput, head_lines};
use super::options::{Columns, TraceOptions};
use super::rows::Rows;
use super::table::{ByLayout, Layout};
use super::took::took;
use crate::workload::error::TraceError;
use crate::workload::time::text::TimeFormat;

/// The expected line, if a line is not an object.
const OBJECT: &str = "a JSON object";
/// The expected line, if a field is missing.
const WHOLE: &str = "an object with every field that was named";

/// The names of the fields at the beginning of the file and their values as text; `None` if it does not have one object
/// per line.
pub(super) fn header(input: &TraceInput) -> Option<Header> {
    let mut names: Vec<String> = Vec::new();
    let mut objects = Vec::new();
    let records: Vec<&[u8]> = match division(input)? {
        Division::Objects => whole_objects(&input.head),
        _ => head_lines(input, LOOKED_AT).filter(|line| !line.is_empty()).collect(),
    };
    let lines = records.into_iter();
    for (number, line) in lines.enumerate() {
        let Ok(serde_json::Value::Object(object)) = serde_json::from_slice(line) else {
            // The reader counts bad lines; a bad first line means another format.
            if number == 0 {
                return None;
            }
            continue;
        };
        let mut fields = Vec::new();
        flatten("", &serde_json::Value::Object(object), &mut fields);
        names.extend(
            fields.iter().filter(|(name, _)| !names.contains(name)).map(|(name, _)| name.clone()).collect::<Vec<_>>(),
        );
        objects.push(fields);
    }
    let text = |fields: &Vec<(String, String)>, name: &String| {
        fields.iter().find(|(known, _)| known == name).map_or(String::new(), |(_, text)| text.clone())
    };
    let rows = objects.iter().map(|fields| names.iter().map(|name| text(fields, name)).collect()).collect();
    Some(Header { comments: 0, names, rows })
}

/// Maximum number of objects read to find the fields.
const LOOKED_AT: usize = 200;

/// Whether the file has one object per line, or objects over several lines or in a list; `None` if it begins with
/// neither.
fn division(input: &TraceInput) -> Option<Division> {
    let head = input.head.trim_ascii_start();
    let list = head.strip_prefix(b"[").is_some_and(|rest| rest.trim_ascii_start().starts_with(b"{"));
    let line = head_lines(input, LOOKED_AT).find(|line| !line.trim_ascii().is_empty())?;
    let whole = || serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok();
    match head.first()? {
        b'[' if list => Some(Division::Objects),
        // A bad first line is a bad line, unless an object continues after it.
        b'{' if !whole() && line.trim_ascii().len() < 2 => Some(Division::Objects),
        b'{' => Some(Division::Lines),
        _ => None,
    }
}

/// The complete objects in a text.
fn whole_objects(mut text: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    while let (true, Some((from, Some(to)))) = (found.len() < LOOKED_AT, first_object(text)) {
        found.push(&text[from..to]);
        text = &text[to..];
    }
    found
}

/// All fields of an object that are numbers or strings, with their paths.
fn flatten(path: &str, value: &serde_json::Value, fields: &mut Vec<(String, String)>) {
    match value {
        serde_json::Value::Object(object) => {
            for (key, value) in object {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                flatten(&path, value, fields);
            }
        }
        serde_json::Value::String(text) => fields.push((path.to_string(), text.clone())),
        serde_json::Value::Array(_) | serde_json::Value::Null => {}
        scalar => fields.push((path.to_string(), scalar.to_string())),
    }
}

/// Opens a reader of the fields named in the options.
///
/// # Errors
/// If a field does not exist in the first lines, or the roles of fields are ambiguous.
pub(super) fn open(input: &TraceInput, options: &TraceOptions) -> Result<TextReader<JsonLines>, TraceError> {
    open_known(input, options, &Known::default())
}

/// Knowledge of a format about its objects.
#[derive(Default)]
pub(super) struct Known {
    /// The field that every row has, if any; objects without it are not rows.
    pub(super) mark: Option<&'static str>,
    /// Which objects are rows; others are skipped.
    pub(super) rows: RowFilter,
    /// A text that every row contains; objects without it need not be parsed.
    pub(super) holds: Option<String>,
    /// Whether rows are in another order than their arrivals.
    pub(super) unordered: bool,
    /// Notes on how the file was interpreted.
    pub(super) notes: Vec<String>,
}

/// Like [`open`], for a format that knows which objects are rows.
///
/// # Errors
/// Those of [`open`].
pub(super) fn open_known(
    input: &TraceInput,
    options: &TraceOptions,
    known: &Known,
) -> Result<TextReader<JsonLines>, TraceError> {
    let header = header(input).ok_or_else(|| {
        TraceError::new(input.name.as_str(), "does not begin with a JSON object on a line of its own")
            .line(1)
            .help("write one object per line (`jq -c .`)")
    })?;
    let settled = settle(input, options, &header)?;
    let is_known = known.mark.is_some() || known.holds.is_some() || !known.rows.is_empty();
    let (timed, note) = if is_known { (settled.options, None) } else { took_by(&settled.options, &header) };
    let mut layout = Layout { quoted: false, ..Layout::of_fields(input, &timed, &header)? };
    layout.notes.extend(settled.note.into_iter().chain(note).chain(known.notes.iter().cloned()));
    layout.passes = Checks::of(input, &known.rows, &header, None)?;
    layout.unordered |= known.unordered;
    let names: Vec<Wanted> = layout
        .wanted
        .iter()
        .map(|(column, role)| Wanted { path: header.names[*column].clone(), role: *role })
        .collect();
    let maker = layout.maker(options);
    let division = division(input).unwrap_or(Division::Lines);
    let parser = JsonLines {
        division,
        names,
        mark: known.mark,
        fields: header.names,
        holds: known.holds.clone(),
        layout,
        maker,
        path: String::new(),
        text: String::new(),
    };
    TextReader::open(input, options, 0, parser)
}

/// The meaning of durations in a log if the options do not state it: nginx writes `request_time` when a request has
/// ended. For other logs it is not known whether their time is the start or the end of a request; a note says so.
fn took_by(options: &TraceOptions, header: &Header) -> (TraceOptions, Option<String>) {
    let columns = Columns { time: Vec::new(), ..options.columns.clone() };
    let Some(found) = took(header).filter(|_| columns.name_sessions_only()) else { return (options.clone(), None) };
    let name = found.name;
    if name != "request_time" || options.demand_unit != TimeFormat::Seconds {
        let told = format!(
            "`{name}` seems to say how long a request took and is not used: `columns: {{ demand: {name} }}` takes it, and \
             `elapsed: {name}` beside it moves arrivals back where the time is when the request ended"
        );
        return (options.clone(), Some(told));
    }
    let columns = Columns { elapsed: Some(name), ..options.columns.clone() };
    let told = "nginx writes a request when it has ended: it came by `request_time` earlier, which `service-time: from-trace` takes".to_string();
    (TraceOptions { columns, ..options.clone() }, Some(told))
}

struct Wanted {
    path: String,
    role: Role,
}

/// Reads the rows.
pub(super) struct JsonLines {
    names: Vec<Wanted>,
    /// The field that every row has, if any.
    mark: Option<&'static str>,
    /// All fields at the beginning of the file, for conditions on them.
    fields: Vec<String>,
    /// A text that every row contains, if the format has one.
    holds: Option<String>,
    division: Division,
    layout: Layout,
    maker: RowMaker,
    /// Current position in the object.
    path: String,
    /// The last value read, as text.
    text: String,
}

impl JsonLines {
    /// Whether the object is not a row, or left out by a filter; `false` for an object that cannot be parsed.
    fn leaves_out(&mut self, record: &[u8]) -> bool {
        if self.holds.as_ref().is_some_and(|text| memchr::memmem::find(record, text.as_bytes()).is_none()) {
            return true;
        }
        if self.layout.passes.is_empty() && self.layout.checks.is_empty() {
            return false;
        }
        let Ok(object) = serde_json::from_slice::<serde_json::Value>(record) else { return false };
        let mut fields = Vec::new();
        flatten("", &object, &mut fields);
        let text = |name: &String| fields.iter().find(|(known, _)| known == name).map_or("", |(_, text)| text.as_str());
        let cells: Vec<&str> = self.fields.iter().map(text).collect();
        let cells = || cells.iter().map(|cell| cell.as_bytes());
        self.layout.passes.leave_out(cells()) || self.layout.checks.leave_out(cells())
    }
}

impl ByLayout for JsonLines {
    fn parse(&mut self, record: &[u8], rows: &mut Rows) -> Result<(), RowFault> {
        if record.trim_ascii().is_empty() {
            return Ok(());
        }
        if self.leaves_out(record) {
            return Ok(());
        }
        let mut row = RowValues::default();
        let marked = self.mark.is_none();
        let mut reading = Reading { lines: self, row: &mut row, seen: 0, marked, fault: None };
        reading.lines.path.clear();
        let mut json = serde_json::Deserializer::from_slice(record);
        let read = Object(&mut reading).deserialize(&mut json).and_then(|()| json.end());
        let (seen, marked, fault) = (reading.seen, reading.marked, reading.fault);
        if let Err(error) = read {
            // The parser is positioned after the value that it could not parse.
            let after = error.column().min(record.len());
            let at = fault.map_or(after.saturating_sub(1), |_| after.saturating_sub(self.text.len() + 1));
            return Err(RowFault { at, expected: fault.unwrap_or(OBJECT) });
        }
        if !marked {
            return Ok(());
        }
        if seen.count_ones() as usize != self.names.len() {
            return Err(RowFault { at: 0, expected: WHOLE });
        }
        self.maker.push(row, &self.layout.wanted, rows).map_err(|expected| RowFault { at: 0, expected })
    }

    fn form(&self) -> (&Layout, &RowMaker) {
        (&self.layout, &self.maker)
    }

    fn division(&self) -> Division {
        self.division
    }
}

/// State while reading one object.
struct Reading<'a> {
    lines: &'a mut JsonLines,
    row: &'a mut RowValues,
    /// One bit for each name that was found.
    seen: u64,
    /// Whether the field that marks a row was found.
    marked: bool,
    fault: Option<&'static str>,
}

/// An object: the line itself, or a nested one on a dotted path.
struct Object<'a, 'b>(&'a mut Reading<'b>);

impl<'de> DeserializeSeed<'de> for Object<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(OBJECT)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let inside = self.0.lines.path.len();
        loop {
            self.0.lines.path.truncate(inside);
            if map.next_key_seed(Text(&mut self.0.lines.path))?.is_none() {
                return Ok(());
            }
            let path = self.0.lines.path.as_str();
            self.0.marked |= self.0.lines.mark == Some(path);
            let leads_on = |name: &Wanted| name.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
            if self.0.lines.names.iter().any(|name| name.path == path) {
                map.next_value_seed(Scalar(self.0))?;
            } else if self.0.lines.names.iter().any(leads_on) {
                self.0.lines.path.push('.');
                map.next_value_seed(Object(self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
    }
}

/// A string or a number that is appended to a string unchanged.
struct Text<'a>(&'a mut String);

impl<'de> DeserializeSeed<'de> for Text<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Text<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.0.push_str(text);
        Ok(())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        write!(self.0, "{number}").map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        write!(self.0, "{number}").map_err(E::custom)
    }

    /// The shortest decimal representation of a number: for times in seconds since 1970, exact to the microsecond.
    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        write!(self.0, "{number}").map_err(E::custom)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        write!(self.0, "{value}").map_err(E::custom)
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(A::Error::custom("a list"))
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(A::Error::custom("an object"))
    }
}

/// A value of a requested field.
struct Scalar<'a, 'b>(&'a mut Reading<'b>);

impl<'de> DeserializeSeed<'de> for Scalar<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        let reading = self.0;
        let lines = &mut *reading.lines;
        lines.text.clear();
        reading.fault = Some("a number or a text");
        Text(&mut lines.text).deserialize(json)?;
        for (index, name) in lines.names.iter().enumerate().filter(|(_, name)| name.path == lines.path) {
            let taken = lines.maker.cell(name.role, lines.text.as_bytes(), reading.row);
            taken.map_err(|expected| {
                reading.fault = Some(expected);
                D::Error::custom(expected)
            })?;
            reading.seen |= 1 << index;
        }
        reading.fault = None;
        Ok(())
    }
}
