//! Tables downloaded from cloud consoles: some rows of labels, then rows with a time and the value of each series.

use super::super::exported::{self, Exported};
use super::super::header::is_blank;
use super::super::lines::Lines;
use super::super::numbers::Numbers;
use super::super::samples::{MAX_SAMPLES, SampleReader};
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::units::SimTime;
use crate::workload::error::TraceError;
use crate::workload::reading::header::Cells;
use crate::workload::reading::open::{TraceInput, head_lines};
use crate::workload::reading::options::TraceOptions;
use crate::workload::time::text::{TimeFormat, TimeReader};

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "console",
    summary: "CSV downloads of the CloudWatch and Google Cloud consoles: rows of labels, then a time and a value per series (`metric:` by \
              any label, `values:`)",
    source: "AWS, CloudWatch console, Download as .csv; Google Cloud console, Metrics Explorer, Download CSV",
    build: FormatBuilder {
        recognise: |input, _| Block::of(input).is_some_and(|block| block.is_of_console()),
        open: |input, options| Ok(Box::new(open(input, options)?)),
    },
};

/// Maximum number of rows of labels.
const MAX_LABELS: usize = 100;
/// The text before the labels of the first row.
const FIRST_LABELS: [&str; 5] = ["full label", "label", "timeseries id", "time series id", "metric label"];

fn cells(line: &[u8]) -> Vec<String> {
    Cells::new(line, b',').map(|(_, cell)| String::from_utf8_lossy(cell).trim().to_string()).collect()
}

/// The rows above the first time, and the format of that time.
struct Block {
    labels: Vec<Vec<String>>,
    form: Form,
}

#[derive(Clone, Copy, PartialEq)]
enum Form {
    Usual(TimeFormat),
    /// A date as JavaScript shows it: `Wed Mar 17 2021 10:30:00 GMT-0400 (Eastern Daylight Time)`.
    Script,
}

impl Block {
    fn of(input: &TraceInput) -> Option<Block> {
        if input.is_parquet() {
            return None;
        }
        let mut labels = Vec::new();
        for line in head_lines(input, MAX_LABELS) {
            let row = cells(line);
            let first = row.first().map(String::as_str).unwrap_or_default();
            let usual = TimeFormat::detect(first.as_bytes()).filter(|format| format.is_date() || first.len() >= 9);
            let script = script_date(first).map(|_| Form::Script);
            if let Some(form) = script.or(usual.map(Form::Usual)) {
                return Some(Block { labels, form }).filter(|_| row.len() > 1);
            }
            labels.push(row);
        }
        None
    }

    fn is_of_console(&self) -> bool {
        let first = self.labels.first().and_then(|row| row.first()).map(|cell| cell.to_ascii_lowercase());
        let known = first.is_some_and(|cell| FIRST_LABELS.contains(&cell.as_str()));
        known || (self.form == Form::Script && !self.labels.is_empty())
    }

    /// The labels of a column, from the first row on.
    fn names(&self, column: usize) -> Vec<String> {
        exported::named(self.labels.iter().map(|row| row.get(column).cloned()))
    }
}

/// The date in ISO 8601.
fn script_date(text: &str) -> Option<String> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.split_whitespace();
    let (weekday, month, day, year, time, zone) =
        (words.next()?, words.next()?, words.next()?, words.next()?, words.next()?, words.next()?);
    let month = MONTHS.iter().position(|known| *known == month)? + 1;
    let zone = zone.strip_prefix("GMT")?;
    let plain = weekday.len() == 3 && day.len() == 2 && year.len() == 4 && zone.len() == 5 && zone.is_ascii();
    plain.then(|| format!("{year}-{month:02}-{day}T{time}{}:{}", &zone[..3], &zone[3..]))
}

fn open(input: &TraceInput, options: &TraceOptions) -> Result<SampleReader, TraceError> {
    let fail = |message: &str| {
        TraceError::new(input.name.as_str(), message).help("expected rows of labels, then rows that begin with a time")
    };
    let block = Block::of(input).ok_or_else(|| fail("has no row that begins with a time among its first ones"))?;
    let width = block.labels.iter().map(Vec::len).max().unwrap_or_default();
    if !(2..=4_096).contains(&width) {
        return Err(fail("has no row of labels above its values, or more than 4,095 series"));
    }
    let mut series: Vec<Exported> =
        (1..width).map(|column| Exported { names: block.names(column), ..Exported::default() }).collect();
    let head: Vec<Vec<String>> = head_lines(input, 200).skip(block.labels.len()).map(cells).collect();
    let numbers =
        Numbers::of(head.iter().flat_map(|row| row.iter().skip(1)).map(String::as_str), options.decimal, b',', false);
    let numbers = numbers.map_err(|example| {
        fail(&format!("`{example}` is ambiguous: a fraction, or a thousands separator (`decimal:`)"))
    })?;
    let format = match (options.time_format, block.form) {
        (Some(stated), _) | (None, Form::Usual(stated)) => stated,
        (None, Form::Script) => TimeFormat::Iso,
    };
    let mut times = TimeReader::new(format, options.year).in_zone(options.time_zone);
    let mut lines = Lines::new(input)?;
    let mut held = 0;
    for _ in 0..block.labels.len() {
        lines.next(true)?;
    }
    while let Some((_, line)) = lines.next(true)? {
        let row = cells(line);
        let Some(first) = row.first().filter(|first| !first.is_empty()) else { continue };
        let time: Option<SimTime> = match script_date(first) {
            Some(date) => times.read(date.as_bytes()),
            None => times.read(first.as_bytes()),
        };
        for (series, text) in series.iter_mut().zip(&row[1..]) {
            held += 1;
            let value = if is_blank(text.as_bytes()) { Some(f64::NAN) } else { numbers.value(text.as_bytes(), true) };
            // Values that are not numbers are skipped, like rows without a time.
            series.points.push((time.filter(|_| value.is_some()), value.unwrap_or(f64::NAN)));
        }
        if held > MAX_SAMPLES {
            return Err(fail("holds more samples than are read: 4,194,304"));
        }
    }
    exported::read(input, options, &series, Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_a_script_name_their_zone() {
        let read = |text: &str| script_date(text);
        assert_eq!(
            read("Wed Mar 17 2021 10:30:00 GMT-0400 (Eastern Daylight Time)").as_deref(),
            Some("2021-03-17T10:30:00-04:00")
        );
        assert_eq!(read("Wed Mar 17 2021 10:30:00"), None);
        assert_eq!(read("Wed Mar 17 2021 10:30:00 GMT\u{e9}\u{e9}\u{e9}"), None);
    }
}
