//! Google's cluster traces of 2011 and 2019: submitted jobs and tasks.

use super::super::filter::{Condition, RowFilter};
use super::super::json_lines;
use super::super::known::{Known, names};
use super::super::rows::RowReader;
use super::super::table::Layout;
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::units::NANOS_PER_SECOND;
use crate::workload::error::TraceError;
use crate::workload::reading::header::{Cells, Header};
use crate::workload::reading::open::{TraceInput, head_lines};
use crate::workload::reading::options::{Columns, TraceOptions};
use crate::workload::time::text::{TimeFormat, integer};

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "google-cluster",
    summary: "Google cluster traces, task events of 2011 (CSV) and collection or instance events of 2019 (CSV, JSON Lines): one arrival \
              per SUBMIT",
    source: "google/cluster-data: ClusterData2011_2 (format and schema, v2.1), ClusterData2019 (v3)",
    build: FormatBuilder { recognise: |input, _| Edition::of(input).is_some(), open },
};

/// The fields of a line of `task_events`, which has no header.
const TASK_EVENTS: [&str; 13] = [
    "time",
    "missing_info",
    "job_id",
    "task_index",
    "machine_id",
    "event_type",
    "user",
    "scheduling_class",
    "priority",
    "cpu_request",
    "memory_request",
    "disk_space_request",
    "different_machines",
];
/// Time zero of the 2011 trace is ten minutes before Sunday, May 1, 2011, 19:00 in New York; seconds since 1970.
const ZERO_OF_2011: u64 = 1_304_290_200;

enum Edition {
    Of2011,
    Csv2019,
    Json2019,
}

impl Edition {
    fn of(input: &TraceInput) -> Option<Edition> {
        if input.is_parquet() {
            return None;
        }
        let of_2019 = |header: &Header| {
            let has = |name: &str| header.names.iter().any(|known| known == name);
            ["time", "type", "collection_id"].into_iter().all(has)
        };
        if input.head.starts_with(b"{") {
            memchr::memmem::find(&input.head, b"\"collection_id\"")?;
            return json_lines::header(input).is_some_and(|header| of_2019(&header)).then_some(Edition::Json2019);
        }
        if of_2019(&Header::of(input, b',')) {
            return Some(Edition::Csv2019);
        }
        let mut lines = head_lines(input, 20).filter(|line| !line.is_empty()).peekable();
        lines.peek()?;
        lines.all(is_task_event).then_some(Edition::Of2011)
    }
}

/// Thirteen fields: a time, ids, an event from 0 to 8, a class from 0 to 3, a priority, shares and a flag.
fn is_task_event(line: &[u8]) -> bool {
    let cells: Vec<&[u8]> = Cells::new(line, b',').map(|(_, cell)| cell).collect();
    let whole = |column: usize, most: u64| {
        cells.get(column).and_then(|cell| integer(cell)).is_some_and(|number| number <= most)
    };
    let share = |column: usize| {
        let text = cells.get(column).and_then(|cell| std::str::from_utf8(cell).ok());
        text.is_some_and(|text| text.is_empty() || text.parse().is_ok_and(|share: f64| (0.0..=1.0).contains(&share)))
    };
    let flag = |column: usize| matches!(cells.get(column), Some(&b"" | &b"0" | &b"1"));
    cells.len() == TASK_EVENTS.len()
        && whole(0, i64::MAX as u64)
        && whole(2, u64::MAX)
        && whole(5, 8)
        && whole(7, 3)
        && whole(8, 11)
        && (9..12).all(share)
        && flag(12)
}

/// Events of this type that are neither before nor after the trace (those have the times 0 and 2^63 - 1).
fn submitted(event: &str) -> RowFilter {
    let exclude = vec![Condition::one_of("time", &["0", "9223372036854775807"])];
    RowFilter { include: vec![Condition::one_of(event, &["0", "SUBMIT"])], exclude }
}

fn open(input: &TraceInput, options: &TraceOptions) -> Result<Box<dyn RowReader>, TraceError> {
    let edition = Edition::of(input).ok_or_else(|| {
        TraceError::new(input.name.as_str(), "is not a table of task, collection or instance events")
            .help("expected `task_events` of 2011, or `collection_events` or `instance_events` of 2019 with their columns named")
    })?;
    let columns = options.columns.clone().or(Columns { time: names("time"), ..Columns::default() });
    let time_format = Some(TimeFormat::Micros);
    let read = TraceOptions { columns, time_format, one_request_per_row: true, ..options.clone() };
    let said = "each SUBMIT is an arrival; what was submitted before the trace, and all other events, are passed over; the demand is not known".to_string();
    let mut known = Known { notes: vec![said], ..Known::default() };
    if let Edition::Of2011 = edition {
        let row =
            |line: &[u8]| Cells::new(line, b',').map(|(_, cell)| String::from_utf8_lossy(cell).into_owned()).collect();
        let rows = head_lines(input, 200).filter(|line| !line.is_empty()).map(row).collect();
        let header = Header { comments: 0, names: TASK_EVENTS.map(str::to_string).to_vec(), rows };
        let layout = Layout::of_fields(input, &read, &header)?;
        let zero_epoch_ns = Some(ZERO_OF_2011 * NANOS_PER_SECOND);
        known.rows = submitted("event_type");
        return known.open(input, &read, Layout { zero_epoch_ns, ..layout }, &header);
    }
    let header = match edition {
        Edition::Json2019 => json_lines::header(input),
        _ => Some(Header::of(input, b',')),
    };
    let header = header.ok_or_else(|| TraceError::new(input.name.as_str(), "has no columns"))?;
    known.rows = submitted("type");
    if header.find("collection_type").is_some() && !options.filter.names("collection_type") {
        known.rows.exclude.push(Condition::one_of("collection_type", &["1", "ALLOC_SET"]));
        known.notes.push("alloc sets, which reserve room and do no work, are passed over".into());
    }
    if let Edition::Json2019 = edition {
        let known = json_lines::Known { rows: known.rows, notes: known.notes, ..json_lines::Known::default() };
        return Ok(Box::new(json_lines::open_known(input, &read, &known)?));
    }
    let layout = Layout::of(input, &read, b',')?;
    known.open(input, &read, Layout { zero_epoch_ns: None, ..layout }, &header)
}
