//! JMeter results as CSV.

use super::super::filter::{Condition, RowFilter};
use super::super::header::delimiter;
use super::super::known::{Known, named, names};
use super::super::rows::RowReader;
use super::super::table::Layout;
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::workload::error::TraceError;
use crate::workload::reading::header::Header;
use crate::workload::reading::open::TraceInput;
use crate::workload::reading::options::{Columns, TraceOptions};
use crate::workload::time::text::TimeFormat;

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "jmeter",
    summary: "JMeter results (JTL, CSV): one request per row, arrival = `timeStamp` (the start), demand = `elapsed`; transactions are \
              passed over where their requests are there",
    source: "Apache JMeter User's Manual, Listeners (CSV log format); jmeter.properties (sampleresult.timestamp.start)",
    build: FormatBuilder {
        recognise: |input, options| {
            let header = Header::of(input, delimiter(input, options));
            !input.is_parquet() && ["timeStamp", "elapsed", "label"].iter().all(|name| header.find(name).is_some())
        },
        open,
    },
};

/// The message that a transaction controller writes for its own sample.
pub(super) const TRANSACTION: &str = "Number of samples in transaction*";
const MESSAGE: &str = "responseMessage";

fn open(input: &TraceInput, options: &TraceOptions) -> Result<Box<dyn RowReader>, TraceError> {
    let delimiter = delimiter(input, options);
    let header = Header::of(input, delimiter);
    let known = Columns { time: names("timeStamp"), demand: named("elapsed"), ..Columns::default() };
    let seconds = options.demand_unit == TimeFormat::Seconds;
    let read = TraceOptions {
        columns: options.columns.clone().or(known),
        demand_unit: if seconds { TimeFormat::Millis } else { options.demand_unit },
        ..options.clone()
    };
    let layout = Layout::of(input, &read, delimiter)?;
    let mut known = Known { unordered: true, ..Known::default() };
    let messages = header.find(MESSAGE).filter(|_| !options.filter.names(MESSAGE));
    let transaction = |text: &str| text.starts_with(TRANSACTION.trim_end_matches('*'));
    let (mut some, mut all) = (false, true);
    for text in messages.into_iter().flat_map(|column| header.cells(column)) {
        some |= transaction(text);
        all &= transaction(text);
    }
    if some && all {
        known
            .notes
            .push("each row is a transaction: the requests in it are not written (`Generate parent sample`)".into());
    } else if messages.is_some() {
        known.rows = RowFilter { include: Vec::new(), exclude: vec![Condition::one_of(MESSAGE, &[TRANSACTION])] };
        if some {
            known
                .notes
                .push("rows of transactions are passed over: the requests in them have rows of their own".into());
        }
    }
    known.open(input, &read, layout, &header)
}
