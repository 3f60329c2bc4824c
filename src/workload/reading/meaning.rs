//! Determines the kind of a table's rows if its columns are unambiguous, and asks the user otherwise.
//!
//! A table of counts read as one request per row would be wrong by orders of magnitude, so nothing is assumed that
//! names and cells do not state.

use super::header::{Header, listed};
use super::open::TraceInput;
use super::options::{Columns, TraceOptions, Values};
use crate::config::advice;
use crate::workload::error::TraceError;

/// Column names that certainly mean a count of requests, as normalised by [`plain`].
pub(super) const COUNT_NAMES: [&str; 10] = [
    "count",
    "counts",
    "requests",
    "invocations",
    "hits",
    "events",
    "request count",
    "requestcount",
    "total requests",
    "n",
];
/// Column names that certainly mean requests per second.
const RATE_NAMES: [&str; 12] = [
    "requests/s",
    "request/s",
    "reqs/s",
    "req/s",
    "hits/s",
    "requests per second",
    "requests/sec",
    "req/sec",
    "rps",
    "qps",
    "reqps",
    "rate rps",
];
/// Names of times that only a request has.
const ARRIVAL_NAMES: [&str; 3] = ["arrival", "arrived at", "arrival time"];
/// The methods of HTTP (RFC 9110, section 9, and RFC 5789).
pub(super) const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

/// A name without the differences between writers.
pub(super) fn plain(name: &str) -> String {
    let spaced: String =
        name.chars().map(|c| if c == '_' || c == '-' { ' ' } else { c.to_ascii_lowercase() }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The options completed from the table's names and cells, and a note on the interpretation if the options did not
/// state it.
pub(super) struct Settled {
    pub(super) options: TraceOptions,
    pub(super) note: Option<String>,
}

/// Fills in the kind of rows.
///
/// # Errors
/// If the table is ambiguous, or contradicts the options.
pub(super) fn settle(input: &TraceInput, options: &TraceOptions, header: &Header) -> Result<Settled, TraceError> {
    let question = Question { input, header, options };
    if options.metric.is_some() || options.values.is_some() {
        return question.metric();
    }
    let columns = &options.columns;
    if options.one_request_per_row && columns.name_values() {
        return Err(question
            .error("`rows: requests` says that each row is a request, and columns name counts or levels")
            .help("keep one of the two"));
    }
    let as_said = || Ok(Settled { options: options.clone(), note: None });
    if columns.name_values() || columns.name_requests() || options.one_request_per_row {
        return as_said();
    }
    let time = header.time_column(input, options)?;
    let others: Vec<usize> = (0..header.names.len()).filter(|column| *column != time).collect();
    let arrival = header.names.get(time).is_some_and(|name| ARRIVAL_NAMES.contains(&plain(name).as_str()));
    if others.is_empty() || arrival || others.iter().any(|column| is_of_requests(header, *column)) {
        return as_said();
    }
    let known = |names: &[&str]| -> Vec<usize> {
        let fits = |column: &&usize| names.contains(&plain(&header.names[**column]).as_str());
        others.iter().filter(fits).copied().filter(|column| header.is_numeric(*column)).collect()
    };
    match (known(&COUNT_NAMES).as_slice(), known(&RATE_NAMES).as_slice()) {
        ([count], _) => Ok(question.taken(*count, time, "requests per interval", |columns| &mut columns.count)),
        ([], [rate]) => Ok(question.taken(*rate, time, "requests per second", |columns| &mut columns.rate)),
        _ => Err(question.ask(&others)),
    }
}

/// Whether every cell is an HTTP method, or a request line that begins with one.
fn is_of_requests(header: &Header, column: usize) -> bool {
    let mut cells = header.cells(column).peekable();
    let method = |text: &str| METHODS.contains(&text.split(' ').next().unwrap_or_default());
    cells.peek().is_some() && cells.all(method)
}

struct Question<'a> {
    input: &'a TraceInput,
    header: &'a Header,
    options: &'a TraceOptions,
}

impl Question<'_> {
    fn error(&self, message: impl Into<String>) -> TraceError {
        TraceError::new(self.input.name.as_str(), message).line(self.header.comments as u64 + 1)
    }

    /// Interprets the column `column` by its name.
    fn taken(
        &self,
        column: usize,
        time: usize,
        what: &str,
        role: impl FnOnce(&mut Columns) -> &mut Vec<String>,
    ) -> Settled {
        let name = &self.header.names[column];
        let mut options = self.options.clone();
        role(&mut options.columns).push(name.clone());
        let unused = |other: &usize| *other != column && *other != time && self.header.is_numeric(*other);
        let unused: Vec<String> =
            (0..self.header.names.len()).filter(unused).map(|other| self.header.names[other].clone()).collect();
        let left = if unused.is_empty() { String::new() } else { format!("; not used: {}", listed(&unused)) };
        Settled { options, note: Some(format!("column `{name}` is read as {what}, by its name{left}")) }
    }

    /// The possible meanings, and how to state them.
    fn ask(&self, others: &[usize]) -> TraceError {
        let names = &self.header.names;
        let numeric: Vec<String> = others
            .iter()
            .filter(|column| self.header.is_numeric(**column))
            .map(|column| names[*column].clone())
            .collect();
        if let ([name], 2) = (numeric.as_slice(), names.len()) {
            let message = format!("the column `{name}` may hold counts of requests or levels; state which one");
            let rate = format!("`columns: {{ rate: {name} }}` for requests per second");
            let count = format!("`columns: {{ count: {name} }}` for requests per interval");
            let first = if plain(name).contains("rate") { [rate, count] } else { [count, rate] };
            return self.error(message).help(format!("{}, `level:` for a value at an instant", first.join(", ")));
        }
        let message = "the kind of its rows is not clear: each may be one request, or hold counts or levels";
        let mut help = vec![format!("columns: {}", listed(names))];
        if !numeric.is_empty() {
            let shown = if numeric.len() > 4 { "'*'".to_string() } else { numeric.join(", ") };
            let list = if numeric.len() == 1 { shown } else { format!("[{shown}]") };
            help.push(format!("`columns: {{ count: {list} }}` for requests per interval (several columns add up)"));
            help.push("`rate:` per second, `level:` for a value at an instant".to_string());
        }
        if let Some((_, step)) = OF_A_DAY.iter().find(|(columns, _)| *columns == numeric.len()) {
            help.push(format!("with `across: {step}` where the columns are the parts of a day"));
        }
        help.push("`rows: requests` if each row is one request".to_string());
        self.error(message).help(help.join("; "))
    }

    /// `metric:` and `values:` for a table: the value column and its kind.
    fn metric(&self) -> Result<Settled, TraceError> {
        if self.options.columns.name_values() || self.options.one_request_per_row {
            return Err(self
                .error("`metric:` or `values:` and `columns:` say twice what the values are")
                .help("keep one of the two"));
        }
        let time = self.header.time_column(self.input, self.options)?;
        let names = &self.header.names;
        let numeric: Vec<usize> =
            (0..names.len()).filter(|column| *column != time && self.header.is_numeric(*column)).collect();
        let column = match (&self.options.metric, numeric.as_slice()) {
            (Some(name), _) => self.header.find(name).ok_or_else(|| {
                let error = self.error(format!("has no column `{name}` for `metric:`"));
                error.help(advice(name, names.iter().map(String::as_str), &format!("columns: {}", listed(names))))
            })?,
            (None, [one]) => *one,
            (None, _) => {
                return Err(self
                    .error("`values:` does not state the column")
                    .help(format!("name it with `metric:`; columns: {}", listed(names))));
            }
        };
        let name = names[column].clone();
        let values = super::samples::meaning(self.input, self.options, &name, super::samples::by_name(&name))?;
        let mut options = TraceOptions { metric: None, values: None, ..self.options.clone() };
        let columns = &mut options.columns;
        match values {
            Values::Counter => columns.counter.push(name),
            Values::Count => columns.count.push(name),
            Values::Rate => columns.rate.push(name),
            Values::Level => columns.level.push(name),
        }
        Ok(Settled { options, note: None })
    }
}

/// Numbers of the columns that are parts of a day, and the length of each part.
const OF_A_DAY: [(usize, &str); 6] = [(24, "1h"), (48, "30m"), (96, "15m"), (144, "10m"), (288, "5m"), (1440, "1m")];
