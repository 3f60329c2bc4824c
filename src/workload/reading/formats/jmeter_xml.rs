//! JMeter results as XML.

use std::io::{self, BufRead, BufReader, Read};

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::super::cells::{RowMaker, RowValues};
use super::super::known::{named, names};
use super::super::rows::{BadRow, RowCounts, RowFacts, RowReader, Rows};
use super::super::table::Layout;
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::workload::error::TraceError;
use crate::workload::reading::header::Header;
use crate::workload::reading::open::TraceInput;
use crate::workload::reading::options::{Columns, TraceOptions};
use crate::workload::time::text::TimeFormat;

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "jmeter-xml",
    summary: "JMeter results (JTL, XML): one request per sample that holds no others, arrival = `ts` (the start), demand = `t`",
    source: "Apache JMeter User's Manual, Listeners (XML log format 2.1); jmeter.properties (sampleresult.timestamp.start)",
    build: FormatBuilder {
        recognise: |input, _| {
            let head = input.head.trim_ascii_start();
            let holds = |text: &[u8]| memchr::memmem::find(head, text).is_some();
            head.starts_with(b"<") && (holds(b"<testResults") || holds(b"<httpSample ") || holds(b"<sample "))
        },
        open: |input, options| Ok(Box::new(ResultsReader::open(input, options)?)),
    },
};

/// The attributes of a sample, and their names in the CSV form of the results.
const FIELDS: [(&str, &str); 9] = [
    ("ts", "timeStamp"),
    ("t", "elapsed"),
    ("lb", "label"),
    ("rc", "responseCode"),
    ("rm", "responseMessage"),
    ("tn", "threadName"),
    ("dt", "dataType"),
    ("s", "success"),
    ("by", "bytes"),
];
/// Maximum nesting depth of samples.
const MAX_DEPTH: usize = 64;
/// Maximum length of a piece of XML between two tags, such as a stored response, or of a tag.
const MAX_PIECE: usize = 16 << 20;
/// Number of rows per call.
const ROWS: usize = 8192;

/// A stream that returns at most [`MAX_PIECE`] bytes until it is told that a piece has ended.
struct Pieces {
    inner: BufReader<Box<dyn Read + Send>>,
    left: usize,
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(into)?;
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for Pieces {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self.left {
            0 => Err(io::Error::other("a piece of XML is longer than 16 MiB")),
            _ => self.inner.fill_buf(),
        }
    }

    fn consume(&mut self, n: usize) {
        self.left = self.left.saturating_sub(n);
        self.inner.consume(n);
    }
}

/// A sample whose end was not read yet.
#[derive(Default)]
struct Sample {
    cells: [Vec<u8>; FIELDS.len()],
    /// Whether it contains other samples: a transaction, a request with redirects, a page with its resources.
    parent: bool,
}

/// Reads the samples that contain no others.
struct ResultsReader {
    file: String,
    xml: Reader<Pieces>,
    buffer: Vec<u8>,
    open: Vec<Sample>,
    /// Number of the last sample read.
    number: u64,
    finished: bool,
    layout: Layout,
    maker: RowMaker,
    tally: RowCounts,
    max_bad_share: f64,
}

impl ResultsReader {
    fn open(input: &TraceInput, options: &TraceOptions) -> Result<Self, TraceError> {
        let header = Header { comments: 0, names: FIELDS.map(|(_, name)| name.to_string()).to_vec(), rows: Vec::new() };
        let known = Columns { time: names("timeStamp"), demand: named("elapsed"), ..Columns::default() };
        let columns = options.columns.clone().or(known);
        let time_format = options.time_format.or(Some(TimeFormat::Millis));
        let read = TraceOptions { columns, time_format, demand_unit: TimeFormat::Millis, ..options.clone() };
        let layout = Layout::of_fields(input, &read, &header)?;
        let maker = layout.maker(&read);
        let notes = vec![
            "samples that hold others (transactions, redirects, files of a page) are passed over for those in them"
                .into(),
        ];
        Ok(ResultsReader {
            file: input.name.clone(),
            xml: Reader::from_reader(Pieces {
                inner: BufReader::with_capacity(128 << 10, input.stream()?),
                left: MAX_PIECE,
            }),
            buffer: Vec::new(),
            open: Vec::new(),
            number: 0,
            finished: false,
            layout,
            maker,
            tally: RowCounts { notes, ..RowCounts::default() },
            max_bad_share: options.max_bad_rows.get(),
        })
    }

    fn error(&self, message: String) -> TraceError {
        let at = self.xml.buffer_position();
        TraceError::new(self.file.as_str(), message)
            .column(format!("byte {at}"))
            .help("expected JMeter's results in XML (JTL)")
    }

    /// Reads up to the next tag; a sample that has ended and contains no others becomes a row.
    fn step(&mut self, rows: &mut Rows) -> Result<(), TraceError> {
        self.buffer.clear();
        self.xml.get_mut().left = MAX_PIECE;
        let mut buffer = std::mem::take(&mut self.buffer);
        let event = self.xml.read_event_into(&mut buffer).map_err(|error| self.error(error.to_string()))?;
        match event {
            Event::Start(tag) if is_sample(&tag) => self.begin(&tag)?,
            Event::Empty(tag) if is_sample(&tag) => {
                self.begin(&tag)?;
                self.end(rows)?;
            }
            Event::End(tag) if matches!(tag.name().as_ref(), "sample" | "httpSample") => self.end(rows)?,
            Event::Eof => {
                self.finished = true;
                self.tally.weigh(&self.file, self.max_bad_share)?;
            }
            _ => {}
        }
        self.buffer = buffer;
        Ok(())
    }

    fn begin(&mut self, tag: &BytesStart<'_>) -> Result<(), TraceError> {
        if self.open.len() >= MAX_DEPTH {
            return Err(self.error(format!("samples hold others more than {MAX_DEPTH} deep")));
        }
        if let Some(parent) = self.open.last_mut() {
            parent.parent = true;
        }
        let mut sample = Sample::default();
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|error| self.error(error.to_string()))?;
            let Some(field) = FIELDS.iter().position(|(name, _)| *name == attribute.key.as_ref()) else { continue };
            let text =
                attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| self.error(error.to_string()))?;
            sample.cells[field] = text.as_bytes().to_vec();
        }
        self.open.push(sample);
        Ok(())
    }

    fn end(&mut self, rows: &mut Rows) -> Result<(), TraceError> {
        let Some(sample) = self.open.pop() else { return Ok(()) };
        self.number += 1;
        if sample.parent {
            self.tally.skipped += 1;
            return Ok(());
        }
        if !self.layout.checks.is_empty() && self.layout.checks.leave_out(sample.cells.iter().map(Vec::as_slice)) {
            self.tally.skipped += 1;
            return Ok(());
        }
        match self.row(&sample, rows) {
            Ok(()) => {
                self.tally.rows += 1;
                rows.lines.push(self.number);
            }
            Err(expected) => {
                let label = String::from_utf8_lossy(&sample.cells[2]).chars().take(40).collect::<String>();
                let message = format!("expected {expected} in sample {} (`{}`)", self.number, label.escape_debug());
                self.tally.fault(BadRow { line: self.number, column: 1, message });
            }
        }
        Ok(())
    }

    fn row(&mut self, sample: &Sample, rows: &mut Rows) -> Result<(), &'static str> {
        let mut row = RowValues::default();
        for (column, role) in &self.layout.wanted {
            let cell = sample.cells.get(*column).map(Vec::as_slice).unwrap_or_default();
            self.maker.cell(*role, cell, &mut row)?;
        }
        self.maker.push(row, &self.layout.wanted, rows)
    }
}

fn is_sample(tag: &BytesStart<'_>) -> bool {
    matches!(tag.name().as_ref(), "sample" | "httpSample")
}

impl RowReader for ResultsReader {
    fn facts(&self) -> RowFacts {
        RowFacts { kind: self.layout.kind, unordered: true, ..RowFacts::DATED }
    }

    fn read(&mut self, rows: &mut Rows) -> Result<(), TraceError> {
        rows.clear();
        while rows.len() < ROWS && !self.finished {
            self.step(rows)?;
        }
        self.layout.checks.account(&mut self.tally);
        self.maker.account(&mut self.tally);
        Ok(())
    }

    fn tally(&self) -> &RowCounts {
        &self.tally
    }

    fn class_names(&self) -> &[String] {
        self.maker.class_names()
    }
}
