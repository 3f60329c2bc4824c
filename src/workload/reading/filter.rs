//! Filters rows by the content of their cells: `include:` and `exclude:`.

use std::str::FromStr;

use super::header::{Header, listed};
use super::open::TraceInput;
use super::rows::RowCounts;
use crate::config::{Diagnostics, Value, Yaml, advice};
use crate::workload::error::TraceError;

/// The rows that count: those that meet every condition of `include` and none of `exclude`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RowFilter {
    /// Conditions that must all be met.
    pub include: Vec<Condition>,
    /// Conditions of which none may be met.
    pub exclude: Vec<Condition>,
}

/// A column, and alternatives for its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    field: String,
    any: Vec<Test>,
    /// The alternatives as stated.
    texts: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Test {
    /// The text matches a pattern with `*` and `?`.
    Like(glob::Pattern),
    /// The number satisfies a comparison.
    Compared(Comparison, f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Less,
    AtMost,
    More,
    AtLeast,
    Other,
}

/// The comparison operators, longer ones first.
const SIGNS: [(&str, Comparison); 5] = [
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("!=", Comparison::Other),
    ("<", Comparison::Less),
    (">", Comparison::More),
];

impl Test {
    /// The alternatives of a condition: one, or several statuses between commas.
    fn all_of(field: &str, text: &str) -> Result<Vec<Test>, String> {
        let is_status = STATUSES.iter().any(|name| name.eq_ignore_ascii_case(field));
        match is_status && text.contains(',') {
            true => text.split(',').map(Test::of).collect(),
            false => Test::of(text).map(|test| vec![test]),
        }
    }

    fn of(text: &str) -> Result<Test, String> {
        let text = text.trim();
        if let Some((sign, comparison)) = SIGNS.iter().find(|(sign, _)| text.starts_with(sign)) {
            let number = text[sign.len()..].trim();
            let limit = number.parse().map_err(|_| format!("`{number}` after `{sign}` is not a number"))?;
            return Ok(Test::Compared(*comparison, limit));
        }
        // A class of status codes in the usual notation.
        let digits = match text.as_bytes() {
            [first @ b'1'..=b'5', b'x' | b'X', b'x' | b'X'] => format!("{}??", *first as char),
            _ => text.to_string(),
        };
        glob::Pattern::new(&digits).map(Test::Like).map_err(|error| format!("`{text}` is not a pattern: {error}"))
    }

    fn fits(&self, text: &str) -> bool {
        match self {
            Test::Like(pattern) => pattern.matches(text),
            Test::Compared(comparison, limit) => f64::from_str(text).is_ok_and(|value| match comparison {
                Comparison::Less => value < *limit,
                Comparison::AtMost => value <= *limit,
                Comparison::More => value > *limit,
                Comparison::AtLeast => value >= *limit,
                Comparison::Other => value != *limit,
            }),
        }
    }
}

impl Condition {
    /// A condition from a command-line argument: `path=/api/*`, `status>=500`.
    ///
    /// # Errors
    /// If the condition is invalid: the reason.
    pub fn of(text: &str) -> Result<Condition, String> {
        let at =
            text.find(['=', '<', '>', '!']).ok_or("expected a condition such as `path=/healthz` or `status>=500`")?;
        let (field, value) = text.split_at(at);
        let value = value.strip_prefix('=').unwrap_or(value);
        if field.trim().is_empty() {
            return Err("the condition does not name a column".into());
        }
        let field = field.trim();
        let any = Test::all_of(field, value)?;
        Ok(Condition { field: field.to_string(), any, texts: vec![value.trim().to_string()] })
    }

    /// The condition as it is stated in a scenario.
    fn told(&self, exclude: bool) -> String {
        let (list, field) = (if exclude { "exclude" } else { "include" }, &self.field);
        match self.texts.as_slice() {
            [text] => format!("`{list}: {{ {field}: {text} }}`"),
            texts => format!("`{list}: {{ {field}: [{}] }}`", texts.join(", ")),
        }
    }
}

impl Condition {
    /// Whether a cell matches one of these patterns.
    pub(super) fn one_of(field: &str, any: &[&str]) -> Condition {
        let tests = any.iter().filter_map(|text| Test::of(text).ok()).collect();
        let texts = any.iter().map(ToString::to_string).collect();
        Condition { field: field.to_string(), any: tests, texts }
    }
}

impl RowFilter {
    /// Whether a condition refers to this column.
    pub(super) fn names(&self, field: &str) -> bool {
        self.include.iter().chain(&self.exclude).any(|condition| condition.field.eq_ignore_ascii_case(field))
    }

    /// Whether no row is filtered out.
    pub fn is_empty(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }

    /// Conditions on the same column are alternatives if they are given separately.
    pub fn of_arguments(include: &[Condition], exclude: &[Condition]) -> RowFilter {
        let mut joined: Vec<Condition> = Vec::new();
        for condition in include {
            match joined.iter_mut().find(|known| known.field == condition.field) {
                Some(known) => {
                    known.any.extend(condition.any.iter().cloned());
                    known.texts.extend(condition.texts.iter().cloned());
                }
                None => joined.push(condition.clone()),
            }
        }
        RowFilter { include: joined, exclude: exclude.to_vec() }
    }
}

/// Reads `{ path: [/healthz, /static/*], status: '>= 500' }`.
pub(super) fn conditions(node: &Yaml, sink: &mut Diagnostics) -> Vec<Condition> {
    let Value::Mapping(entries) = &node.value else {
        let error = node.error("expected columns and what they hold");
        sink.push(error.help("for example `{ path: [/healthz, /static/*], status: 4xx }`"));
        return Vec::new();
    };
    let mut found = Vec::new();
    for (key, value) in entries {
        let items: Vec<&Yaml> = match &value.value {
            Value::Sequence(items) => items.iter().collect(),
            _ => vec![value],
        };
        let mut any = Vec::new();
        for item in &items {
            match item.as_text().map(|text| Test::all_of(&key.text, text)) {
                Some(Ok(tests)) => any.extend(tests),
                Some(Err(message)) => sink.push(item.error(message)),
                None => {
                    sink.push(item.error("expected a value, a pattern with `*`, or a comparison such as `'>= 500'`"))
                }
            }
        }
        let texts = items.iter().filter_map(|item| item.as_text()).map(str::to_string).collect();
        found.push(Condition { field: key.text.clone(), any, texts });
    }
    found
}

/// The part of a cell that is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    /// The method of a request line.
    Method,
    /// The path of a request line or an address, without its query.
    Path,
}

impl Part {
    fn of(self, text: &str) -> &str {
        match self {
            Part::Whole => text,
            Part::Method => text.split(' ').next().unwrap_or_default(),
            Part::Path => {
                // `GET /a?b HTTP/1.1`, `https://host/a?b`, `/a?b`.
                let address = text.split(' ').find(|word| word.contains('/')).unwrap_or(text);
                let path = match address.split_once("://") {
                    Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
                    None => address,
                };
                path.split(['?', '#']).next().unwrap_or_default()
            }
        }
    }
}

/// Names of request columns in logs, for the three names that filters share; the last ones hold the whole request line.
const PATHS: [&str; 14] = [
    "request.uri",
    "req.url",
    "path",
    "uri",
    "url",
    "request_path",
    "request_uri",
    "cs-uri-stem",
    "RequestPath",
    "http.path",
    "url.path",
    "httpRequest.requestUrl",
    "request",
    "r",
];
const METHODS: [&str; 12] = [
    "request.method",
    "req.method",
    "method",
    "request_method",
    "cs-method",
    "RequestMethod",
    "http.method",
    "http.request.method",
    "verb",
    "httpRequest.requestMethod",
    "request",
    "r",
];
const STATUSES: [&str; 13] = [
    "status",
    "sc-status",
    "status_code",
    "elb_status_code",
    "response_code",
    "DownstreamStatus",
    "http.status_code",
    "http.response.status_code",
    "httpRequest.status",
    "responseCode",
    "code",
    "response",
    "s",
];

/// The only column that is a field `name` of a nested object: `data.tags.status`.
fn inner(header: &Header, name: &str) -> Option<usize> {
    let is_named = |column: &usize| header.names[*column].rsplit_once('.').is_some_and(|(_, last)| last == name);
    let mut found = (0..header.names.len()).filter(is_named);
    found.next().filter(|_| found.next().is_none())
}

/// The conditions on the cells of one file.
#[derive(Debug, Clone, Default)]
pub(super) struct Checks {
    /// Column, part of its cell, condition, and whether the row is left out if it is met.
    list: Vec<(usize, Part, Condition, bool)>,
    /// How many rows met each condition.
    met: Vec<u64>,
    left_out: u64,
}

impl Checks {
    /// The conditions by columns of a header; `class` is the class column.
    ///
    /// # Errors
    /// If a condition refers to a column that does not exist.
    pub(super) fn of(
        input: &TraceInput,
        filter: &RowFilter,
        header: &Header,
        class: Option<&str>,
    ) -> Result<Checks, TraceError> {
        let column_of = |field: &str| -> Option<(usize, Part)> {
            if let Some(column) = header.find(field) {
                let part = if field == "path" { Part::Path } else { Part::Whole };
                return Some((column, part));
            }
            let (names, part): (&[&str], Part) = match field {
                "path" => (&PATHS, Part::Path),
                "method" => (&METHODS, Part::Method),
                "status" => (&STATUSES, Part::Whole),
                "class" => return class.and_then(|class| header.find(class)).map(|column| (column, Part::Whole)),
                other => {
                    let position = other.parse().ok().filter(|number| (1..=header.names.len()).contains(number));
                    let found = position.map(|number: usize| number - 1).or_else(|| inner(header, other));
                    return found.map(|column| (column, Part::Whole));
                }
            };
            names
                .iter()
                .find_map(|name| header.find(name))
                .or_else(|| inner(header, field))
                .map(|column| (column, part))
        };
        let mut list = Vec::new();
        let include = filter.include.iter().map(|condition| (condition, false));
        for (condition, exclude) in include.chain(filter.exclude.iter().map(|condition| (condition, true))) {
            let (column, part) = column_of(&condition.field).ok_or_else(|| {
                let message = format!("has no column `{}` for `include:` or `exclude:`", condition.field);
                let names = header.names.iter().map(String::as_str);
                let columns = format!("columns: {}", listed(&header.names));
                TraceError::new(input.name.as_str(), message).help(advice(&condition.field, names, &columns))
            })?;
            list.push((column, part, condition.clone(), exclude));
        }
        Ok(Checks { met: vec![0; list.len()], list, left_out: 0 })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether a row with these cells is left out; counts it if so.
    pub(super) fn leave_out<'a>(&mut self, cells: impl Iterator<Item = &'a [u8]>) -> bool {
        let mut out = false;
        for (number, cell) in cells.enumerate() {
            for ((column, part, condition, exclude), met) in self.list.iter().zip(&mut self.met) {
                if *column == number {
                    let text = String::from_utf8_lossy(cell.trim_ascii());
                    let text = part.of(&text);
                    let is_met = condition.any.iter().any(|test| test.fits(text));
                    *met += u64::from(is_met);
                    out |= is_met == *exclude;
                }
            }
        }
        self.left_out += u64::from(out);
        out
    }

    pub(super) fn account(&self, tally: &mut RowCounts) {
        tally.left_out = self.left_out;
        let met = self.list.iter().zip(&self.met);
        tally.met = met.map(|((_, _, condition, exclude), met)| (condition.told(*exclude), *met)).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_judged_by_pattern_and_number() {
        let fits = |test: &str, text: &str| Test::of(test).unwrap().fits(text);
        assert!(fits("/static/*", "/static/a/b.css") && !fits("/static/*", "/api"));
        assert!(fits("5xx", "503") && !fits("5xx", "404") && fits("429", "429"));
        assert!(fits(">= 500", "500") && !fits("< 500", "500") && fits("!=0", "1") && !fits(">1", "x"));
        assert!(Test::of("> many").is_err() && Condition::of("path").is_err() && Condition::of("=1").is_err());
    }

    #[test]
    fn paths_and_methods_come_out_of_request_lines() {
        assert_eq!(Part::Path.of("GET /a/b?c=d HTTP/1.1"), "/a/b");
        assert_eq!(Part::Path.of("https://example.org/a?b"), "/a");
        assert_eq!(Part::Path.of("https://example.org"), "/");
        assert_eq!((Part::Method.of("GET /a HTTP/1.1"), Part::Path.of("/a#b")), ("GET", "/a"));
    }
}
