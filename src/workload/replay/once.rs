//! Rows that together are one arrival: the lines of an order, the parts of a page.

use std::collections::VecDeque;

use crate::workload::error::TraceError;
use crate::workload::reading::rows::{RowCounts, RowFacts, RowReader, Rows};

/// Number of sessions remembered: rows of this many may be interleaved.
const REMEMBERED: usize = 64;

/// Reads only the first of a session's nearby rows; the others count as skipped.
pub(super) struct OncePerSession {
    inner: Box<dyn RowReader>,
    file: String,
    tally: RowCounts,
    merged: u64,
    /// The most recent sessions, newest last.
    recent: VecDeque<u64>,
    all: Rows,
    first: Vec<u32>,
}

impl OncePerSession {
    pub(super) fn new(inner: Box<dyn RowReader>, file: &str) -> Self {
        let (tally, all) = (inner.tally().clone(), Rows::default());
        OncePerSession { inner, file: file.into(), tally, merged: 0, recent: VecDeque::new(), all, first: Vec::new() }
    }

    /// Marks in `first` the rows that start a session.
    fn find_first(&mut self) {
        self.first.clear();
        for (index, session) in self.all.sessions.iter().enumerate() {
            if self.recent.back() == Some(session) {
                continue;
            }
            match self.recent.iter().position(|known| known == session) {
                // Seen again: it becomes the newest.
                Some(place) => drop(self.recent.remove(place)),
                None => self.first.push(index as u32),
            }
            self.recent.push_back(*session);
            if self.recent.len() > REMEMBERED {
                self.recent.pop_front();
            }
        }
        self.merged += (self.all.len() - self.first.len()) as u64;
    }
}

impl RowReader for OncePerSession {
    fn facts(&self) -> RowFacts {
        RowFacts { interval: None, ..self.inner.facts() }
    }

    /// Reads until a session starts or the file ends, because an empty result would mean the end.
    fn read(&mut self, rows: &mut Rows) -> Result<(), TraceError> {
        rows.clear();
        while rows.is_empty() {
            self.inner.read(&mut self.all)?;
            if self.all.is_empty() {
                break;
            }
            if self.all.sessions.len() != self.all.len() {
                let error = TraceError::new(self.file.as_str(), "has no columns, so `once-per` cannot be used");
                return Err(error.help("`once-per` is for tables, JSON Lines and Parquet"));
            }
            if self.all.lines.is_empty() {
                self.all.lines = (0..self.all.len()).map(|index| self.all.place(index)).collect();
            }
            self.find_first();
            rows.gather(&self.all, &self.first);
        }
        self.tally = self.inner.tally().clone();
        self.tally.rows -= self.merged;
        self.tally.skipped += self.merged;
        Ok(())
    }

    fn tally(&self) -> &RowCounts {
        &self.tally
    }

    fn class_names(&self) -> &[String] {
        self.inner.class_names()
    }
}
