//! Options of a trace file.

use super::filter::{RowFilter, conditions};
use crate::config::{Diagnostics, Fields, FromNode, Value, Yaml};
use crate::units::{Fraction, Rate, SimDuration};
use crate::workload::time::text::{TimeFormat, parse_instant_in};
use crate::workload::time::zone::Zone;

/// Names of columns, or their numbers from 1 in a file without a header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    /// Time of the row; if there are two columns, the first holds the date and the second the time of day.
    pub time: Vec<String>,
    /// Requests in the interval that starts at the row's time; several columns are added up. `*` in a name matches any
    /// text.
    pub count: Vec<String>,
    /// Requests per second during the interval that starts at the row's time; several columns are added up.
    pub rate: Vec<String>,
    /// Requests since some start, at the row's time: a counter, which decreases only when a process restarts. Its
    /// increase up to the next row is the count of the interval between them. The increases of several columns are added
    /// up.
    pub counter: Vec<String>,
    /// Value of a quantity at the row's time (players online); several columns are added up.
    pub level: Vec<String>,
    /// Service demand of the request.
    pub demand: Option<String>,
    /// Time that the request had taken by the row's time; its arrival was that much earlier. For logs that write a
    /// request when it has ended. The unit is that of the demand.
    pub elapsed: Option<String>,
    /// Input tokens.
    pub tokens_in: Option<String>,
    /// Output tokens.
    pub tokens_out: Option<String>,
    /// Class of the request.
    pub class: Option<String>,
    /// Session (visit, user) of the request: `trace inspect` shows statistics of the sessions; nothing else uses it.
    pub session: Option<String>,
    /// A session of which only the first row is an arrival: the lines of one order, the parts of one page. Its rows
    /// must be close together: rows of up to 64 sessions may be interleaved.
    pub once_per: Option<String>,
}

impl Columns {
    /// These columns, completed by those of `others`.
    pub(super) fn or(self, others: Columns) -> Columns {
        Columns {
            time: either(self.time, others.time),
            count: either(self.count, others.count),
            rate: either(self.rate, others.rate),
            counter: either(self.counter, others.counter),
            level: either(self.level, others.level),
            demand: self.demand.or(others.demand),
            elapsed: self.elapsed.or(others.elapsed),
            tokens_in: self.tokens_in.or(others.tokens_in),
            tokens_out: self.tokens_out.or(others.tokens_out),
            class: self.class.or(others.class),
            session: self.session.or(others.session),
            once_per: self.once_per.or(others.once_per),
        }
    }

    /// Whether a column of counts or levels is named.
    pub(super) fn name_values(&self) -> bool {
        [&self.count, &self.rate, &self.counter, &self.level].into_iter().any(|names| !names.is_empty())
    }

    /// Whether a column is named that only requests have.
    pub(super) fn name_requests(&self) -> bool {
        let ones = [
            &self.demand,
            &self.elapsed,
            &self.tokens_in,
            &self.tokens_out,
            &self.class,
            &self.session,
            &self.once_per,
        ];
        ones.into_iter().any(Option::is_some)
    }

    /// Whether only session columns are named: the kind of rows is still to be recognised.
    pub(super) fn name_sessions_only(&self) -> bool {
        Columns { session: None, once_per: None, ..self.clone() } == Columns::default()
    }
}

fn either(names: Vec<String>, others: Vec<String>) -> Vec<String> {
    if names.is_empty() { others } else { names }
}

/// How counts and levels are expanded to arrivals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Expand {
    /// Counts: exactly the counted number, at independent uniform times in the interval, which is a Poisson process
    /// given its counts. Levels: a Poisson process with the model's rate.
    #[default]
    Poisson,
    /// Evenly spaced within each interval; the rounding remainder is carried over to the next interval.
    Even,
}

listed! {
    /// How a replay treats missing steps in a file of counts or rates.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Absent {
        /// Zero requests.
        Zero,
        /// Linear interpolation between the rows before and after.
        Interpolate,
        /// The file is rejected.
        Refuse,
    }
}

impl Absent {
    /// The name in a scenario.
    pub const fn name(self) -> &'static str {
        match self {
            Absent::Zero => "zero",
            Absent::Interpolate => "interpolate",
            Absent::Refuse => "refuse",
        }
    }
}

listed! {
    /// The kind of a metric's values, which its name and type do not always determine.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Values {
        /// A total that increases and is reset to zero at a restart: its increase is a count.
        Counter,
        /// Requests in the step that starts at the value's time.
        Count,
        /// Requests per second in the step before the value's time.
        Rate,
        /// A quantity at the value's time.
        Level,
    }
}

impl Values {
    /// The name in a scenario.
    pub const fn name(self) -> &'static str {
        match self {
            Values::Counter => "counter",
            Values::Count => "count",
            Values::Rate => "rate",
            Values::Level => "level",
        }
    }

    /// The kind of values with this name.
    pub fn named(name: &str) -> Option<Values> {
        Values::ALL.into_iter().find(|values| values.name() == name)
    }
}

/// Options of a trace file; all have defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceOptions {
    /// Name of the format, from [`super::formats::FORMATS`]; `None` recognises it from the content.
    pub format: Option<String>,
    /// Roles of the columns.
    pub columns: Columns,
    /// Format of an access log's lines, as in nginx's `log_format`.
    pub log_format: Option<String>,
    /// Whether each row is one request, if the columns of a table do not determine it.
    pub one_request_per_row: bool,
    /// For a table: the value columns are consecutive intervals of this length from the row's time on, instead of terms
    /// of a sum.
    pub across: Option<SimDuration>,
    /// For a table: the field separator; `None` recognises it.
    pub separator: Option<u8>,
    /// For a table: the decimal mark; `None` recognises it.
    pub decimal: Option<u8>,
    /// Filters rows by the content of their columns.
    pub filter: RowFilter,
    /// Name of the metric in a monitoring system's response, or of the column of a table; may be omitted if there is
    /// only one.
    pub metric: Option<String>,
    /// The kind of the metric's values, if its name and type do not determine it.
    pub values: Option<Values>,
    /// How times are written; `None` recognises it from the first rows.
    pub time_format: Option<TimeFormat>,
    /// Time zone of times that do not state one; `None` means UTC. Also applies to times of day of events and
    /// transforms.
    pub time_zone: Option<Zone>,
    /// Unit of the demand and elapsed columns: seconds, milliseconds, microseconds or nanoseconds.
    pub demand_unit: TimeFormat,
    /// Counts: length of an interval; the smallest step between the first rows if `None`.
    pub interval: Option<SimDuration>,
    /// How counts and levels are expanded to arrivals.
    pub expand: Expand,
    /// Levels: requests per unit of the level (one player, one user) and time; levels without this or `session` are
    /// rejected.
    pub requests_per_unit: Option<Rate>,
    /// Levels: mean time that one unit stays. Each unit is a session that arrives once; by Little's law, the arrival
    /// rate is the level divided by this time.
    pub session: Option<SimDuration>,
    /// Levels: maximum time for which a value holds; the rest of a longer gap has no requests.
    pub max_gap: SimDuration,
    /// Counts and rates: how missing steps are treated; `None` means zero requests.
    pub gaps: Option<Absent>,
    /// Start of the part to read, nanoseconds since 1970; becomes time zero.
    pub start: Option<u64>,
    /// End of the part to read (exclusive), nanoseconds since 1970.
    pub end: Option<u64>,
    /// How far rows may go back in time; they are sorted within this window. [`SimDuration::MAX`] (`all`) sorts the
    /// whole trace, on disk if it is too long for memory.
    pub reorder: SimDuration,
    /// Maximum share of unusable rows.
    pub max_bad_rows: Fraction,
    /// The year in which a syslog begins.
    pub year: Option<u32>,
    /// Whether a request's recorded duration is its demand, even if no demand column is named: set by a service with
    /// `service-time: from-trace`.
    pub durations: bool,
}

impl Default for TraceOptions {
    fn default() -> Self {
        TraceOptions {
            format: None,
            columns: Columns::default(),
            log_format: None,
            one_request_per_row: false,
            across: None,
            separator: None,
            decimal: None,
            filter: RowFilter::default(),
            metric: None,
            values: None,
            time_format: None,
            time_zone: None,
            demand_unit: TimeFormat::Seconds,
            interval: None,
            expand: Expand::Poisson,
            requests_per_unit: None,
            session: None,
            max_gap: SimDuration::from_secs(15 * 60),
            gaps: None,
            start: None,
            end: None,
            reorder: SimDuration::ZERO,
            max_bad_rows: Fraction::new(0.01).unwrap_or_default(),
            year: None,
            durations: false,
        }
    }
}

impl TraceOptions {
    /// Reads the options from the fields of a scenario's `workload:` mapping.
    pub fn from_fields(fields: &Fields<'_>, sink: &mut Diagnostics) -> Self {
        let default = TraceOptions::default();
        // Problems with it are reported when the workload is read.
        let time_zone = fields.optional("time-zone", &mut Diagnostics::new());
        let options = TraceOptions {
            format: fields.optional("format", sink),
            columns: fields.node_of("columns").and_then(|node| columns(node, sink)).unwrap_or_default(),
            log_format: fields.optional("log-format", sink),
            one_request_per_row: rows(fields, sink),
            across: fields.optional("across", sink),
            filter: RowFilter {
                include: fields.node_of("include").map(|node| conditions(node, sink)).unwrap_or_default(),
                exclude: fields.node_of("exclude").map(|node| conditions(node, sink)).unwrap_or_default(),
            },
            separator: sign(fields, "separator", separator_named, "`;`, `,`, `|` or `tab`", sink),
            decimal: sign(fields, "decimal", decimal_named, "`,` or `.`", sink),
            metric: fields.optional("metric", sink),
            values: fields.optional("values", sink),
            time_format: fields.optional("time-format", sink),
            time_zone,
            demand_unit: fields.or("demand-unit", default.demand_unit, sink),
            interval: fields.optional("interval", sink),
            expand: fields.or("expand", default.expand, sink),
            requests_per_unit: fields.optional("requests-per-unit", sink),
            session: fields.node_of("sessions").and_then(|node| session(node, sink)),
            max_gap: fields.or("max-gap", default.max_gap, sink),
            gaps: fields.optional("gaps", sink),
            start: instant(fields, "start", time_zone, sink),
            end: instant(fields, "end", time_zone, sink),
            reorder: match fields.node_of("reorder").and_then(Yaml::as_text) {
                Some("all") => SimDuration::MAX,
                _ => fields.or("reorder", default.reorder, sink),
            },
            max_bad_rows: fields.or("max-bad-rows", default.max_bad_rows, sink),
            year: fields.optional("year", sink),
            durations: false,
        };
        options.check(fields, sink);
        options
    }

    fn check(&self, fields: &Fields<'_>, sink: &mut Diagnostics) {
        if let (Some(node), Some(name)) = (fields.node_of("format"), &self.format)
            && !super::formats::FORMATS.iter().any(|plugin| plugin.name == name)
        {
            let names: Vec<&str> = super::formats::FORMATS.iter().map(|plugin| plugin.name).collect();
            let error = node.error(format!("`{name}` is not a trace format"));
            let error = error.near(name, names.iter().copied());
            sink.push(error.note(format!("known formats: {}", names.join(", "))));
        }
        if let (Some(node), Some(text)) = (fields.node_of("log-format"), &self.log_format)
            && let Err(message) = super::formats::log_format::Pattern::of(text)
        {
            sink.push(node.error(message).help("copy the `log_format` from nginx.conf as it is"));
        }
        if let (Some(start), Some(end), Some(node)) = (self.start, self.end, fields.node_of("end"))
            && end <= start
        {
            sink.push(node.error("`end` is not after `start`"));
        }
        for (name, value) in [("interval", self.interval), ("across", self.across), ("max-gap", Some(self.max_gap))] {
            if let (Some(node), Some(SimDuration::ZERO)) = (fields.node_of(name), value) {
                sink.push(node.error(format!("`{name}` must be above zero")));
            }
        }
        if let (Some(_), Some(_), Some(node)) = (self.requests_per_unit, self.session, fields.node_of("sessions")) {
            let error = node.error("a level is expanded to arrivals by one model, not by two");
            sink.push(error.help("keep `requests-per-unit` or `sessions`"));
        }
        if let Some(node) = fields.node_of("demand-unit")
            && self.demand_unit.is_date()
        {
            sink.push(node.error("the demand unit must be a unit of time: expected `s`, `ms`, `us` or `ns`"));
        }
        if let (Some(year), Some(node)) = (self.year, fields.node_of("year"))
            && !(1970..=2500).contains(&year)
        {
            sink.push(node.error("expected a year from 1970 to 2500"));
        }
    }
}

fn columns(node: &Yaml, sink: &mut Diagnostics) -> Option<Columns> {
    let fields = Fields::open(node, "columns", sink)?;
    let columns = Columns {
        time: names(&fields, "time", sink),
        count: names(&fields, "count", sink),
        rate: names(&fields, "rate", sink),
        counter: names(&fields, "counter", sink),
        level: names(&fields, "level", sink),
        demand: fields.optional("demand", sink),
        elapsed: fields.optional("elapsed", sink),
        tokens_in: fields.optional("tokens-in", sink),
        tokens_out: fields.optional("tokens-out", sink),
        class: fields.optional("class", sink),
        session: fields.optional("session", sink),
        once_per: fields.optional("once-per", sink),
    };
    fields.finish(sink);
    let values = [&columns.count, &columns.rate, &columns.counter, &columns.level];
    if values.into_iter().filter(|names| !names.is_empty()).count() > 1 {
        let error = node.error("a row must be one of a count, a rate, a counter and a level");
        sink.push(error.help("count: requests in an interval; level: a value at an instant, such as players online"));
    }
    Some(columns)
}

/// One name, or a list of them.
fn names(fields: &Fields<'_>, name: &'static str, sink: &mut Diagnostics) -> Vec<String> {
    let Some(node) = fields.node_of(name) else { return Vec::new() };
    let items: Vec<&Yaml> = match &node.value {
        Value::Sequence(items) => items.iter().collect(),
        _ => vec![node],
    };
    let texts: Vec<String> = items.iter().filter_map(|item| item.as_text().map(str::to_string)).collect();
    if texts.len() < items.len() || items.is_empty() {
        sink.push(node.error(format!("`{name}` must be the name of a column, or a list of names")));
    }
    texts
}

/// Field separators, written literally or by name.
pub fn separator_named(text: &str) -> Option<u8> {
    let known = super::header::SEPARATORS.iter().find(|(sign, name)| text.as_bytes() == [*sign] || text == *name);
    known.map(|(sign, _)| *sign)
}

/// Decimal marks, written literally or by name.
pub fn decimal_named(text: &str) -> Option<u8> {
    match text {
        "," | "comma" => Some(b','),
        "." | "point" => Some(b'.'),
        _ => None,
    }
}

/// A character that is written literally or by name.
fn sign(
    fields: &Fields<'_>,
    name: &'static str,
    named: fn(&str) -> Option<u8>,
    expected: &str,
    sink: &mut Diagnostics,
) -> Option<u8> {
    let node = fields.node_of(name)?;
    let found = node.as_text().and_then(named);
    if found.is_none() {
        sink.push(node.error(format!("expected {expected}")));
    }
    found
}

/// `rows: requests`.
fn rows(fields: &Fields<'_>, sink: &mut Diagnostics) -> bool {
    let Some(node) = fields.node_of("rows") else { return false };
    let stated = node.as_text() == Some("requests");
    if !stated {
        let error = node.error("expected `rows: requests`: each row is one request");
        sink.push(error.help("for counts or levels, name their column: `columns: { count: ... }`"));
    }
    stated
}

/// `sessions: { duration: 20m }`.
fn session(node: &Yaml, sink: &mut Diagnostics) -> Option<SimDuration> {
    let fields = Fields::open(node, "sessions", sink)?;
    let duration: Option<SimDuration> = fields.required("duration", sink);
    if let (Some(SimDuration::ZERO), Some(node)) = (duration, fields.node_of("duration")) {
        sink.push(node.error("a session must be longer than zero"));
    }
    fields.finish(sink);
    duration.filter(|duration| !duration.is_zero())
}

fn instant(fields: &Fields<'_>, name: &'static str, zone: Option<Zone>, sink: &mut Diagnostics) -> Option<u64> {
    let node = fields.node_of(name)?;
    let read = node.as_text().and_then(|text| parse_instant_in(text, zone));
    if read.is_none() {
        sink.push(node.error(format!("`{name}` must be an instant such as `2021-04-28 18:00`")));
    }
    read
}

impl FromNode for TimeFormat {
    fn from_node(node: &Yaml, sink: &mut Diagnostics) -> Option<Self> {
        let found = node.as_text().and_then(TimeFormat::named);
        if found.is_none() {
            let names = TimeFormat::ALL.map(TimeFormat::name);
            let error = node.error("expected a time format").near(node.as_text().unwrap_or_default(), names);
            let known = format!("known: {}, or a pattern of strptime such as `%d.%m.%Y %H:%M`", names.join(", "));
            sink.push(error.note(known));
        }
        found
    }

    fn words(&self) -> Option<String> {
        Some(self.name().to_string())
    }
}

impl FromNode for Values {
    fn from_node(node: &Yaml, sink: &mut Diagnostics) -> Option<Self> {
        let found = node.as_text().and_then(Values::named);
        if found.is_none() {
            let names = Values::ALL.map(Values::name);
            sink.push(node.error("expected the kind of values").note(format!("known: {}", names.join(", "))));
        }
        found
    }
}

impl FromNode for Absent {
    fn from_node(node: &Yaml, sink: &mut Diagnostics) -> Option<Self> {
        let text = node.as_text();
        let found = Absent::ALL.into_iter().find(|absent| Some(absent.name()) == text);
        if found.is_none() {
            let error = node.error("expected the meaning of missing steps: `zero`, `interpolate` or `refuse`");
            sink.push(match text {
                Some("missing") => {
                    error.help("a replay must know the number of requests; only a forecast can leave it open")
                }
                _ => error,
            });
        }
        found
    }
}

impl FromNode for Expand {
    fn from_node(node: &Yaml, sink: &mut Diagnostics) -> Option<Self> {
        match node.as_text() {
            Some("poisson") => Some(Expand::Poisson),
            Some("even") => Some(Expand::Even),
            _ => {
                sink.push(node.error("expected `poisson` or `even`"));
                None
            }
        }
    }

    fn words(&self) -> Option<String> {
        Some(if *self == Expand::Poisson { "poisson".into() } else { "even".into() })
    }
}
