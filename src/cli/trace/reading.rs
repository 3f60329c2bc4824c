//! How to read a trace, as arguments of `plimsoll trace`.

use clap::Args;

use crate::units::{Fraction, Rate, SimDuration};
use crate::workload::{
    Columns, Condition, FORMATS, RowFilter, TimeFormat, TraceOptions, Values, Zone, decimal_named, parse_instant,
    parse_instant_in, separator_named,
};

/// What is printed of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Printed {
    Table,
    Json,
}

/// How to read the file and print what is found.
#[derive(Debug, Args)]
pub(super) struct TraceReading {
    /// Format of the trace; recognised from its content if left out (`plimsoll list formats`).
    #[arg(long, value_name = "NAME")]
    trace_format: Option<String>,
    /// Output format: `table` or `json`.
    #[arg(long, value_name = "FORM", value_parser = printed, default_value = "table")]
    format: Printed,
    #[command(flatten)]
    reading: Reading,
}

impl TraceReading {
    /// The options that the arguments state.
    pub(crate) fn options(&self) -> TraceOptions {
        self.reading.options(self.trace_format.as_deref())
    }

    /// The form of the result.
    pub(crate) fn printed(&self) -> Printed {
        self.format
    }
}

/// Reads the form of a result; the name of a trace format gets a hint.
pub(crate) fn printed(text: &str) -> Result<Printed, String> {
    match text {
        "table" => Ok(Printed::Table),
        "json" => Ok(Printed::Json),
        name if FORMATS.iter().any(|format| format.name == name) => {
            Err(format!("that is a format of traces: say `--trace-format {name}`"))
        }
        _ => Err("expected `table` or `json`".into()),
    }
}

/// How to read the file; a scenario's `workload:` has the same.
#[derive(Debug, Args)]
pub(crate) struct Reading {
    /// Column of the time (of the date and of the time of day, if given twice).
    #[arg(long, value_name = "COLUMN")]
    time: Vec<String>,
    /// Column of the number of requests per interval (several add up; `*` stands for any text).
    #[arg(long, value_name = "COLUMN")]
    count: Vec<String>,
    /// Column of requests per second (several add up).
    #[arg(long, value_name = "COLUMN")]
    rate: Vec<String>,
    /// Column of a counter: requests since some beginning (several add up).
    #[arg(long, value_name = "COLUMN")]
    counter: Vec<String>,
    /// Column of a level, such as players online (several add up).
    #[arg(long, value_name = "COLUMN")]
    level: Vec<String>,
    /// What each row of a table is, where its columns do not tell: `requests`.
    #[arg(long, value_name = "KIND", value_parser = ["requests"], conflicts_with_all = ["count", "rate", "counter", "level"])]
    rows: Option<String>,
    /// The columns of values are intervals of this length, one after the other: the hours of a day.
    #[arg(long, value_name = "DURATION")]
    across: Option<SimDuration>,
    /// What stands between the fields: `,`, `;`, `|` or `tab`; recognised if left out.
    #[arg(long, value_name = "SIGN", value_parser = separator)]
    separator: Option<u8>,
    /// What stands before the fraction of a number: `.` or `,`; recognised if left out.
    #[arg(long, value_name = "SIGN", value_parser = decimal)]
    decimal: Option<u8>,
    /// Column of the service demand.
    #[arg(long, value_name = "COLUMN")]
    demand: Option<String>,
    /// Column of how long the request had taken by the row's time.
    #[arg(long, value_name = "COLUMN")]
    elapsed: Option<String>,
    /// Unit of the columns of demand and elapsed time, where their values name none: `s`, `ms`, `us` or `ns`.
    #[arg(long, value_name = "UNIT", value_parser = unit)]
    demand_unit: Option<TimeFormat>,
    /// Column of the input tokens.
    #[arg(long, value_name = "COLUMN")]
    tokens_in: Option<String>,
    /// Column of the output tokens.
    #[arg(long, value_name = "COLUMN")]
    tokens_out: Option<String>,
    /// Column of the class.
    #[arg(long, value_name = "COLUMN")]
    class: Option<String>,
    /// Column of the session; only `inspect` tells of sessions.
    #[arg(long, value_name = "COLUMN")]
    session_column: Option<String>,
    /// Column of which equal values close together are one arrival: the lines of an order.
    #[arg(long, value_name = "COLUMN", conflicts_with = "session_column")]
    once_per: Option<String>,
    /// Only rows whose column fits: `path=/api/*`, `status=2xx`, `bytes>=100` (several of one column are alternatives).
    #[arg(long, value_name = "COLUMN=VALUE", value_parser = Condition::of)]
    include: Vec<Condition>,
    /// No rows whose column fits: `path=/healthz`, `status=429`.
    #[arg(long, value_name = "COLUMN=VALUE", value_parser = Condition::of)]
    exclude: Vec<Condition>,
    /// Which metric of a monitoring system's answer, or which column of a table.
    #[arg(long, value_name = "NAME")]
    metric: Option<String>,
    /// What the metric's values are: counter, count, rate or level.
    #[arg(long, value_name = "KIND", value_parser = values)]
    values: Option<Values>,
    /// How times are written: s, ms, us, ns, iso, clf, syslog, or a pattern of strptime (`%d.%m.%Y %H:%M`); recognised if left out.
    #[arg(long, value_name = "FORM", value_parser = time_format)]
    time_format: Option<TimeFormat>,
    /// The zone of times that name none: `Europe/Berlin`, `+01:00`; UTC if left out.
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    time_zone: Option<Zone>,
    /// How the lines of an access log are written, as nginx's `log_format` or Apache's `LogFormat` says.
    #[arg(long, value_name = "TEXT")]
    log_format: Option<String>,
    /// Requests that one unit of the level makes.
    #[arg(long, value_name = "RATE")]
    requests_per_unit: Option<Rate>,
    /// How long one unit of the level stays; each arrives once.
    #[arg(long, value_name = "DURATION", conflicts_with = "requests_per_unit")]
    session: Option<SimDuration>,
    /// Length of a counted interval.
    #[arg(long, value_name = "DURATION")]
    interval: Option<SimDuration>,
    /// The first instant of interest (ISO 8601).
    #[arg(long, value_parser = instant)]
    start: Option<String>,
    /// The end of the interesting part (ISO 8601, exclusive).
    #[arg(long, value_parser = instant)]
    end: Option<String>,
    /// How far rows may go back in time, or `all`.
    #[arg(long, value_name = "DURATION", value_parser = reorder)]
    reorder: Option<SimDuration>,
    /// The largest share of rows that may be unusable.
    #[arg(long, value_name = "SHARE")]
    max_bad_rows: Option<Fraction>,
    /// The year in which a syslog begins.
    #[arg(long)]
    year: Option<u32>,
}

fn instant(text: &str) -> Result<String, String> {
    match parse_instant(text) {
        Some(_) => Ok(text.to_string()),
        None => Err("expected an instant such as `2024-05-12` or `2024-05-12T08:30:00Z`".to_string()),
    }
}

fn zone(text: &str) -> Result<Zone, String> {
    Zone::named(text).ok_or_else(|| "expected a time zone such as `Europe/Berlin` or `+01:00`".to_string())
}

/// The unit of a duration by its name.
fn unit(text: &str) -> Result<TimeFormat, String> {
    let known = TimeFormat::named(text).filter(|format| !format.is_date());
    known.ok_or_else(|| "expected `s`, `ms`, `us` or `ns`".to_string())
}

fn time_format(text: &str) -> Result<TimeFormat, String> {
    let names = TimeFormat::ALL.map(TimeFormat::name).join(", ");
    TimeFormat::named(text).ok_or_else(|| format!("expected one of {names}, or a pattern such as `%d.%m.%Y %H:%M`"))
}

fn separator(text: &str) -> Result<u8, String> {
    separator_named(text).ok_or_else(|| "expected `,`, `;`, `|` or `tab`".to_string())
}

fn decimal(text: &str) -> Result<u8, String> {
    decimal_named(text).ok_or_else(|| "expected `,` or `.`".to_string())
}

fn values(text: &str) -> Result<Values, String> {
    Values::named(text).ok_or_else(|| format!("expected one of {}", Values::ALL.map(Values::name).join(", ")))
}

fn reorder(text: &str) -> Result<SimDuration, String> {
    match text {
        "all" => Ok(SimDuration::MAX),
        text => text.parse().map_err(|error: crate::units::UnitError| error.to_string()),
    }
}

impl Reading {
    /// The options that the arguments state, for a file of the given format.
    pub(crate) fn options(&self, format: Option<&str>) -> TraceOptions {
        let default = TraceOptions::default();
        TraceOptions {
            format: format.map(str::to_string),
            columns: Columns {
                time: self.time.clone(),
                count: self.count.clone(),
                rate: self.rate.clone(),
                counter: self.counter.clone(),
                level: self.level.clone(),
                demand: self.demand.clone(),
                elapsed: self.elapsed.clone(),
                tokens_in: self.tokens_in.clone(),
                tokens_out: self.tokens_out.clone(),
                class: self.class.clone(),
                session: self.session_column.clone(),
                once_per: self.once_per.clone(),
            },
            one_request_per_row: self.rows.is_some(),
            across: self.across,
            separator: self.separator,
            decimal: self.decimal,
            filter: RowFilter::of_arguments(&self.include, &self.exclude),
            time_format: self.time_format,
            time_zone: self.time_zone,
            demand_unit: self.demand_unit.unwrap_or(default.demand_unit),
            log_format: self.log_format.clone(),
            metric: self.metric.clone(),
            values: self.values,
            session: self.session,
            interval: self.interval,
            requests_per_unit: self.requests_per_unit,
            start: self.start.as_deref().and_then(|text| parse_instant_in(text, self.time_zone)),
            end: self.end.as_deref().and_then(|text| parse_instant_in(text, self.time_zone)),
            reorder: self.reorder.unwrap_or(default.reorder),
            max_bad_rows: self.max_bad_rows.unwrap_or(default.max_bad_rows),
            year: self.year,
            ..default
        }
    }
}
