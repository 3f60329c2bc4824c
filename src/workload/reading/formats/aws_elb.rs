//! Access logs of AWS load balancers: Application Load Balancer and Classic Load Balancer.

use super::super::table::Layout;
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::workload::reading::header::{Cells, Header};
use crate::workload::reading::open::{TraceInput, head_lines};
use crate::workload::reading::options::{Columns, TraceOptions};
use crate::workload::time::text::{TimeFormat, TimeReader};

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "aws-elb",
    summary: "AWS ALB or Classic Load Balancer access log: one request per line, at the time it was received",
    source: "AWS, Access logs for your Application Load Balancer; Access logs for your Classic Load Balancer",
    build: FormatBuilder {
        recognise: |input, _| kind_of(input).is_some(),
        open: |input, options| {
            let fields = kind_of(input).unwrap_or(&ALB);
            let header = header(input, fields);
            let options = reading(fields, options);
            let layout = Layout::of_fields(input, &options, &header)?;
            Layout { delimiter: b' ', quoted: false, ..layout }.open(input, &options)
        },
    },
};

/// The fields of an ALB's line. `time` is when it answered; the request arrived at `request_creation_time`.
const ALB: [&str; 22] = [
    "type",
    "time",
    "elb",
    "client:port",
    "target:port",
    "request_processing_time",
    "target_processing_time",
    "response_processing_time",
    "elb_status_code",
    "target_status_code",
    "received_bytes",
    "sent_bytes",
    "request",
    "user_agent",
    "ssl_cipher",
    "ssl_protocol",
    "target_group_arn",
    "trace_id",
    "domain_name",
    "chosen_cert_arn",
    "matched_rule_priority",
    "request_creation_time",
];
/// The fields of a Classic Load Balancer's line, whose `time` is when it received the request.
const CLASSIC: [&str; 12] = [
    "time",
    "elb",
    "client:port",
    "backend:port",
    "request_processing_time",
    "backend_processing_time",
    "response_processing_time",
    "elb_status_code",
    "backend_status_code",
    "received_bytes",
    "sent_bytes",
    "request",
];

/// Which of the two formats a line has, by its times and processing times.
fn kind_of(input: &TraceInput) -> Option<&'static [&'static str]> {
    // The first line may be broken.
    head_lines(input, 20).find_map(kind_of_line)
}

fn kind_of_line(line: &[u8]) -> Option<&'static [&'static str]> {
    let cells: Vec<&[u8]> = Cells::new(line, b' ').map(|(_, cell)| cell).take(ALB.len()).collect();
    let is_time = |column: usize| {
        let text = cells.get(column).copied().unwrap_or_default();
        text.contains(&b'T') && TimeReader::new(TimeFormat::Iso, None).read(text).is_some()
    };
    // -1 if the request was not passed on.
    let is_duration = |column: usize| {
        let text = cells.get(column).and_then(|cell| std::str::from_utf8(cell).ok());
        text.is_some_and(|text| text == "-" || text.parse::<f64>().is_ok())
    };
    if cells.len() == ALB.len() && is_time(1) && is_time(21) && (5..8).all(is_duration) {
        return Some(&ALB);
    }
    (cells.len() >= CLASSIC.len() && is_time(0) && (4..7).all(is_duration)).then_some(&CLASSIC)
}

fn header(input: &TraceInput, fields: &[&str]) -> Header {
    let cells =
        |line: &[u8]| Cells::new(line, b' ').map(|(_, cell)| String::from_utf8_lossy(cell).into_owned()).collect();
    let rows = head_lines(input, 200).filter(|line| !line.is_empty()).map(cells).collect();
    Header { comments: 0, names: fields.iter().map(|name| name.to_string()).collect(), rows }
}

fn reading(fields: &[&str], options: &TraceOptions) -> TraceOptions {
    let time = if fields.len() == ALB.len() { "request_creation_time" } else { "time" };
    let named = &options.columns.time;
    let time = if named.is_empty() { vec![time.to_string()] } else { named.clone() };
    // The time in the target, if durations are requested.
    let target = if fields.len() == ALB.len() { "target_processing_time" } else { "backend_processing_time" };
    let demand = options.columns.demand.clone().or(options.durations.then(|| target.to_string()));
    TraceOptions { columns: Columns { time, demand, ..options.columns.clone() }, ..options.clone() }
}
