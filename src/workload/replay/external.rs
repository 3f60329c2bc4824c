//! Sorts a whole trace, on disk if it is too long for memory.
//!
//! Rows are sorted in runs of bounded length; each run except the last is written to a temporary file, and the runs are
//! merged (Knuth, The Art of Computer Programming 3, section 5.4). Rows with equal times keep the order of the file.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};

use super::order::Disorder;
use crate::units::{SimDuration, SimTime};
use crate::workload::error::TraceError;
use crate::workload::reading::rows::{RowReader, Rows};

/// Number of rows in a run: 56 MB in memory.
const RUN_ROWS: usize = 1 << 20;
/// Rows per call.
const ROWS: usize = 8192;
/// Bytes of a row on disk.
const RECORD_BYTES: usize = 42;

/// One row with all possible columns.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Record {
    time: u64,
    value: f64,
    demand: u64,
    tokens_in: u32,
    tokens_out: u32,
    class: u16,
    line: u64,
}

impl Record {
    fn of(rows: &Rows, row: usize) -> Record {
        let requests = &rows.requests;
        Record {
            time: requests.arrivals[row].as_nanos(),
            value: rows.values.get(row).copied().unwrap_or_default(),
            demand: requests.demands.get(row).map_or(0, |demand| demand.as_nanos()),
            tokens_in: requests.tokens_in.get(row).copied().unwrap_or_default(),
            tokens_out: requests.tokens_out.get(row).copied().unwrap_or_default(),
            class: requests.classes.get(row).copied().unwrap_or_default(),
            line: rows.place(row),
        }
    }

    fn write(self, to: &mut impl Write) -> io::Result<()> {
        to.write_all(&self.time.to_le_bytes())?;
        to.write_all(&self.value.to_le_bytes())?;
        to.write_all(&self.demand.to_le_bytes())?;
        to.write_all(&self.tokens_in.to_le_bytes())?;
        to.write_all(&self.tokens_out.to_le_bytes())?;
        to.write_all(&self.class.to_le_bytes())?;
        to.write_all(&self.line.to_le_bytes())
    }

    fn read(bytes: &[u8; RECORD_BYTES]) -> Record {
        let eight = |at: usize| std::array::from_fn(|index| bytes[at + index]);
        let four = |at: usize| std::array::from_fn(|index| bytes[at + index]);
        Record {
            time: u64::from_le_bytes(eight(0)),
            value: f64::from_le_bytes(eight(8)),
            demand: u64::from_le_bytes(eight(16)),
            tokens_in: u32::from_le_bytes(four(24)),
            tokens_out: u32::from_le_bytes(four(28)),
            class: u16::from_le_bytes([bytes[32], bytes[33]]),
            line: u64::from_le_bytes(eight(34)),
        }
    }
}

/// Which columns the rows have.
#[derive(Debug, Clone, Copy, Default)]
struct Shape {
    values: bool,
    demands: bool,
    tokens_in: bool,
    tokens_out: bool,
    classes: bool,
}

impl Shape {
    fn of(rows: &Rows) -> Shape {
        Shape {
            values: !rows.values.is_empty(),
            demands: !rows.requests.demands.is_empty(),
            tokens_in: !rows.requests.tokens_in.is_empty(),
            tokens_out: !rows.requests.tokens_out.is_empty(),
            classes: !rows.requests.classes.is_empty(),
        }
    }

    fn push(self, record: Record, rows: &mut Rows) {
        rows.lines.push(record.line);
        let requests = &mut rows.requests;
        requests.arrivals.push(SimTime::from_nanos(record.time));
        rows.values.extend(self.values.then_some(record.value));
        requests.demands.extend(self.demands.then_some(SimDuration::from_nanos(record.demand)));
        requests.tokens_in.extend(self.tokens_in.then_some(record.tokens_in));
        requests.tokens_out.extend(self.tokens_out.then_some(record.tokens_out));
        requests.classes.extend(self.classes.then_some(record.class));
    }
}

/// A sorted part of the trace.
enum Run {
    Memory(std::vec::IntoIter<Record>),
    Disk(BufReader<File>),
}

impl Run {
    fn next(&mut self) -> io::Result<Option<Record>> {
        match self {
            Run::Memory(records) => Ok(records.next()),
            Run::Disk(file) => {
                let mut bytes = [0; RECORD_BYTES];
                match file.read_exact(&mut bytes) {
                    Ok(()) => Ok(Some(Record::read(&bytes))),
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
                    Err(error) => Err(error),
                }
            }
        }
    }
}

/// All rows of a trace in the order of their times.
pub(super) struct Sorted {
    file: String,
    shape: Shape,
    runs: Vec<Run>,
    /// The first remaining record of each run.
    heads: Vec<Record>,
    /// Times of the first records, earliest first; among equals, the earlier run.
    order: BinaryHeap<Reverse<(u64, usize)>>,
}

impl Sorted {
    /// Reads all rows.
    ///
    /// # Errors
    /// If the trace cannot be read, or a temporary file cannot be written.
    pub(super) fn of(reader: &mut dyn RowReader, file: &str, disorder: &mut Disorder) -> Result<Self, TraceError> {
        Self::in_runs(reader, file, RUN_ROWS, disorder)
    }

    fn in_runs(
        reader: &mut dyn RowReader,
        file: &str,
        run_rows: usize,
        disorder: &mut Disorder,
    ) -> Result<Self, TraceError> {
        let mut sorted = Sorted {
            file: file.to_string(),
            shape: Shape::default(),
            runs: Vec::new(),
            heads: Vec::new(),
            order: BinaryHeap::new(),
        };
        let mut run: Vec<Record> = Vec::new();
        let mut rows = Rows::default();
        loop {
            reader.read(&mut rows)?;
            if rows.is_empty() {
                break;
            }
            rows.requests.arrivals.iter().for_each(|time| disorder.see(*time));
            sorted.shape = Shape::of(&rows);
            run.extend((0..rows.len()).map(|row| Record::of(&rows, row)));
            if run.len() >= run_rows {
                run.sort_by_key(|record| record.time);
                let spilt = spill(&run).map_err(|error| sorted.failed(&error))?;
                sorted.runs.push(Run::Disk(spilt));
                run.clear();
            }
        }
        run.sort_by_key(|record| record.time);
        sorted.runs.push(Run::Memory(run.into_iter()));
        sorted.heads = vec![Record::default(); sorted.runs.len()];
        for index in 0..sorted.runs.len() {
            sorted.advance(index)?;
        }
        Ok(sorted)
    }

    /// Replaces `rows` by the next rows; empty at the end.
    ///
    /// # Errors
    /// If a temporary file cannot be read.
    pub(super) fn read(&mut self, rows: &mut Rows) -> Result<(), TraceError> {
        rows.clear();
        while rows.len() < ROWS {
            let Some(Reverse((_, index))) = self.order.pop() else { break };
            self.shape.push(self.heads[index], rows);
            self.advance(index)?;
        }
        Ok(())
    }

    /// Reads the next record of a run.
    fn advance(&mut self, index: usize) -> Result<(), TraceError> {
        let next = self.runs[index].next().map_err(|error| self.failed(&error))?;
        if let Some(record) = next {
            self.heads[index] = record;
            self.order.push(Reverse((record.time, index)));
        }
        Ok(())
    }

    fn failed(&self, error: &io::Error) -> TraceError {
        TraceError::new(self.file.as_str(), format!("cannot be sorted on disk: {error}"))
            .help("make room in the directory for temporary files, or state a `reorder` window")
    }
}

/// Writes a run to a file that is deleted with the program's end.
fn spill(run: &[Record]) -> io::Result<BufReader<File>> {
    let mut writer = BufWriter::with_capacity(1 << 20, tempfile::tempfile()?);
    for record in run {
        record.write(&mut writer)?;
    }
    let mut file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.rewind()?;
    Ok(BufReader::with_capacity(64 << 10, file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::reading::rows::{RowCounts, RowFacts};
    use proptest::prelude::*;

    /// Returns rows in small batches.
    struct Few {
        rows: Vec<(u64, u32)>,
        tally: RowCounts,
    }

    impl RowReader for Few {
        fn facts(&self) -> RowFacts {
            RowFacts::ARRIVALS
        }

        fn read(&mut self, rows: &mut Rows) -> Result<(), TraceError> {
            rows.clear();
            for (time, tokens) in self.rows.drain(..self.rows.len().min(7)) {
                rows.requests.arrivals.push(SimTime::from_nanos(time));
                rows.requests.tokens_out.push(tokens);
            }
            Ok(())
        }

        fn tally(&self) -> &RowCounts {
            &self.tally
        }
    }

    proptest! {
        #[test]
        fn runs_on_disk_are_merged_as_a_stable_sort(times in proptest::collection::vec(0u64..50, 0..200)) {
            let rows: Vec<(u64, u32)> = times.into_iter().zip(0u32..).collect();
            let mut expected = rows.clone();
            expected.sort_by_key(|(time, _)| *time);
            let mut sorted = Sorted::in_runs(&mut Few { rows, tally: RowCounts::default() }, "x", 20, &mut Disorder::default()).unwrap();
            let (mut found, mut rows) = (Vec::new(), Rows::default());
            loop {
                sorted.read(&mut rows).unwrap();
                if rows.is_empty() {
                    break;
                }
                prop_assert!(rows.values.is_empty() && rows.requests.demands.is_empty());
                let times = rows.requests.arrivals.iter().map(|time| time.as_nanos());
                found.extend(times.zip(rows.requests.tokens_out.iter().copied()));
            }
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn a_record_is_the_same_on_disk(time in any::<u64>(), value in 0.0..1e12, demand in any::<u64>(), a in any::<u32>(), b in any::<u32>(), class in any::<u16>(), line in any::<u64>()) {
            let record = Record { time, value, demand, tokens_in: a, tokens_out: b, class, line };
            let mut bytes = Vec::new();
            record.write(&mut bytes).unwrap();
            prop_assert_eq!(Record::read(&bytes.try_into().unwrap()), record);
        }
    }
}
