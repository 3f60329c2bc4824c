//! The file of a sweep's results: appended point by point, taken up again where it ends, read back for the summary.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::Value;

use crate::cli::Failure;
use crate::experiment::{Figure, PointResult, Points, Replicated, SweepTable};

/// Form of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FileFormat {
    Csv,
    Jsonl,
}

impl FileFormat {
    /// The form that a file's name asks for.
    pub(super) fn of(path: &Path) -> FileFormat {
        let lines = path.extension().is_some_and(|ending| ending == "jsonl" || ending == "ndjson");
        if lines { FileFormat::Jsonl } else { FileFormat::Csv }
    }
}

/// What decides the rows of a journal.
pub(super) struct Contents<'a> {
    pub points: &'a Points,
    pub figures: &'a [Figure],
    pub policies: usize,
    /// Names this very sweep in every row.
    pub identity: String,
}

/// The open file. A point is there when all its rows are, to the last line break.
pub(super) struct Journal<'a> {
    path: PathBuf,
    file: File,
    format: FileFormat,
    contents: Contents<'a>,
    /// Points that are whole.
    pub(super) done: usize,
}

impl<'a> Journal<'a> {
    /// Opens the file, takes away what a killed sweep left half written, and counts the points that are whole.
    pub(super) fn open(path: &Path, format: FileFormat, contents: Contents<'a>) -> Result<Journal<'a>, Failure> {
        let fail = |error: std::io::Error| Failure::Input(format!("error: {}: {error}", path.display()));
        let file = OpenOptions::new().create(true).read(true).append(true).open(path).map_err(fail)?;
        let mut journal = Journal { path: path.to_path_buf(), file, format, contents, done: 0 };
        let whole = journal.whole()?;
        journal.file.set_len(whole).map_err(fail)?;
        if whole == 0 {
            let header = journal.header();
            journal.file.write_all(header.as_bytes()).map_err(fail)?;
        }
        Ok(journal)
    }

    fn fail(&self, error: &dyn std::fmt::Display) -> Failure {
        Failure::Input(format!("error: {}: {error}", self.path.display()))
    }

    /// Bytes that hold whole points, which are counted.
    fn whole(&mut self) -> Result<u64, Failure> {
        let other = "the file holds the results of something else; name another with --out";
        let mut lines = BufReader::new(&self.file);
        let header = self.header();
        let (mut line, mut done) = (Vec::new(), 0);
        if !header.is_empty() {
            lines.read_until(b'\n', &mut line).map_err(|error| self.fail(&error))?;
            if line != header.as_bytes() {
                // A sweep that was killed at once may have written part of its header.
                return if header.as_bytes().starts_with(&line) { Ok(0) } else { Err(self.fail(&other)) };
            }
        }
        let (mut end, mut whole) = (line.len() as u64, line.len() as u64);
        for row in 1.. {
            line.clear();
            lines.read_until(b'\n', &mut line).map_err(|error| self.fail(&error))?;
            if !line.ends_with(b"\n") {
                break;
            }
            if !line.starts_with(self.row_start((row - 1) / self.contents.policies).as_bytes()) {
                return Err(self.fail(&other));
            }
            end += line.len() as u64;
            if row % self.contents.policies == 0 {
                (whole, done) = (end, row / self.contents.policies);
            }
        }
        self.done = done;
        Ok(whole)
    }

    /// The first line of a CSV file; nothing in JSON Lines.
    fn header(&self) -> String {
        if self.format == FileFormat::Jsonl {
            return String::new();
        }
        let mut names = vec!["sweep".to_string(), "point".to_string()];
        names.extend(self.contents.points.axes.iter().map(|axis| csv_field(&axis.path)));
        names.extend(["policy".to_string(), "replications".to_string()]);
        for figure in self.contents.figures {
            names.extend([figure.name.clone(), format!("{}_half_width", figure.name)]);
        }
        names.join(",") + "\n"
    }

    /// How every row of a point begins.
    fn row_start(&self, point: usize) -> String {
        match self.format {
            FileFormat::Csv => format!("{},{point},", self.contents.identity),
            FileFormat::Jsonl => format!("{{\"sweep\":\"{}\",\"point\":{point},", self.contents.identity),
        }
    }

    /// Appends the rows of a point in one write and waits until they are on the disk.
    pub(super) fn append(&mut self, (point, result): &PointResult) -> Result<(), Failure> {
        if result.arms.len() != self.contents.policies {
            return Err(Failure::Input("error: every point of a sweep must have the same policies".into()));
        }
        let rows: String = (0..result.arms.len()).map(|arm| self.row(*point, result, arm)).collect();
        self.file.write_all(rows.as_bytes())?;
        Ok(self.file.sync_data()?)
    }

    fn row(&self, point: usize, result: &Replicated, arm: usize) -> String {
        let samples = &result.arms[arm];
        let numbers = (0..self.contents.figures.len()).map(|index| {
            let half = samples.interval(index, result.level).map(|interval| interval.half_width);
            [samples.mean(index), half]
        });
        let (start, replications) = (self.row_start(point), result.replications);
        match self.format {
            FileFormat::Csv => {
                let values = self.contents.points.point(point);
                let mut cells: Vec<String> = values.iter().map(|value| csv_field(value.unwrap_or(""))).collect();
                cells.extend([csv_field(&samples.label), replications.to_string()]);
                cells.extend(numbers.flatten().map(|value| value.map(|v| v.to_string()).unwrap_or_default()));
                format!("{start}{}\n", cells.join(","))
            }
            FileFormat::Jsonl => {
                let text = |text: &str| Value::from(text).to_string();
                let set = self.contents.points.set(point);
                let set: Vec<String> = set.iter().map(|(path, v)| format!("{}:{}", text(path), text(v))).collect();
                let shown = |value: Option<f64>| value.map_or_else(|| "null".into(), |value| value.to_string());
                let cells = self.contents.figures.iter().zip(numbers).map(|(figure, [mean, half])| {
                    format!("{}:{{\"mean\":{},\"half_width\":{}}}", text(&figure.name), shown(mean), shown(half))
                });
                let cells: Vec<String> = cells.collect();
                let (set, label, cells) = (set.join(","), text(&samples.label), cells.join(","));
                format!("{start}\"set\":{{{set}}},\"policy\":{label},\"replications\":{replications},{cells}}}\n")
            }
        }
    }

    /// Reads every row into `table`.
    pub(super) fn read_into(mut self, table: &mut SweepTable) -> Result<(), Failure> {
        self.file.rewind()?;
        match self.format {
            FileFormat::Csv => self.read_csv(table),
            FileFormat::Jsonl => self.read_json_lines(table),
        }
    }

    fn read_csv(&self, table: &mut SweepTable) -> Result<(), Failure> {
        let first = self.contents.points.axes.len() + 4;
        let mut rows = csv::Reader::from_reader(BufReader::new(&self.file));
        for (number, row) in rows.records().enumerate() {
            let row = row.map_err(|error| self.fail(&error))?;
            let mean = |figure: usize| row.get(first + 2 * figure).and_then(|cell| cell.parse().ok());
            let means: Vec<Option<f64>> = (0..self.contents.figures.len()).map(mean).collect();
            table.enter(number / self.contents.policies, number % self.contents.policies, &means);
        }
        Ok(())
    }

    fn read_json_lines(&self, table: &mut SweepTable) -> Result<(), Failure> {
        for (number, line) in BufReader::new(&self.file).lines().enumerate() {
            let row: Value = serde_json::from_str(&line?).map_err(|error| self.fail(&error))?;
            let means: Vec<Option<f64>> =
                self.contents.figures.iter().map(|figure| row[figure.name.as_str()]["mean"].as_f64()).collect();
            table.enter(number / self.contents.policies, number % self.contents.policies, &means);
        }
        Ok(())
    }
}

/// A cell of a CSV file (RFC 4180).
fn csv_field(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"").replace(['\n', '\r'], " ")),
        false => text.to_string(),
    }
}
