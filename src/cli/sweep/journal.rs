//! The file of a sweep's results: appended point by point, taken up again where it ends, read back for the summary.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::Value;

use crate::cli::failure::Failure;
use crate::config::{csv_cell, csv_text, visible};
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
    /// Labels of the policies, in order.
    pub policies: Vec<String>,
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
        let fail = |error: std::io::Error| Failure::input(format!("{}: {error}", path.display()));
        if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
            std::fs::create_dir_all(directory).map_err(|error| match error.kind() {
                ErrorKind::AlreadyExists => Failure::input(format!("{}: not a directory", directory.display())),
                _ => fail(error),
            })?;
        }
        let file = OpenOptions::new().create(true).read(true).append(true).open(path).map_err(fail)?;
        if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            let help = "help: wait for it, or write into another file with --out";
            return Err(Failure::input(format!("{}: another sweep writes this file\n{help}", path.display())));
        }
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
        Failure::input(format!("{}: {error}", self.path.display()))
    }

    /// Bytes that hold whole points, which are counted.
    fn whole(&mut self) -> Result<u64, Failure> {
        let other = "the file holds the results of something else; name another with --out";
        let mut lines = BufReader::new(&self.file);
        let header = self.header();
        let policies = self.contents.policies.len().max(1);
        let (mut line, mut done) = (Vec::new(), 0);
        if !header.is_empty() {
            let most = header.len() as u64 + 1;
            lines.by_ref().take(most).read_until(b'\n', &mut line).map_err(|error| self.fail(&error))?;
            if line != header.as_bytes() {
                // A sweep that was killed at once may have written part of its header.
                return if header.as_bytes().starts_with(&line) { Ok(0) } else { Err(self.fail(&other)) };
            }
        }
        let (mut end, mut whole) = (line.len() as u64, line.len() as u64);
        for row in 1.. {
            line.clear();
            lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(|error| self.fail(&error))?;
            if line.len() as u64 == LONGEST_LINE {
                return Err(self.fail(&other));
            }
            if !line.ends_with(b"\n") {
                break;
            }
            let number = row - 1 + usize::from(!header.is_empty()) + 1;
            if row > self.contents.points.len() * policies {
                let most = self.contents.points.len() * policies;
                return Err(
                    self.fail(&format!("line {number}: the sweep has {most} rows, and this is one more{REMEDY}"))
                );
            }
            let (point, policy) = ((row - 1) / policies, (row - 1) % policies);
            if !line.starts_with(self.row_start(point).as_bytes()) {
                return Err(self.fail(&if row == 1 { other.to_string() } else { format!("line {number}: {other}") }));
            }
            self.means(&line, policy).map_err(|what| self.fail(&format!("line {number}: {what}{REMEDY}")))?;
            end += line.len() as u64;
            if row % policies == 0 {
                (whole, done) = (end, row / policies);
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
        names.extend(self.contents.points.axes.iter().map(|axis| csv_cell(&axis.path)));
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
        let labels = || result.arms.iter().map(|arm| &arm.label);
        if !labels().eq(&self.contents.policies) {
            return Err(Failure::input("every point of a sweep must have the same policies"));
        }
        let rows: String = (0..result.arms.len()).map(|arm| self.row(*point, result, arm)).collect();
        let written = self.file.write_all(rows.as_bytes()).and_then(|()| self.file.sync_data());
        written.map_err(|error| self.fail(&error))
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
                let mut cells: Vec<String> = values.iter().map(|value| csv_cell(value.unwrap_or(""))).collect();
                cells.extend([csv_cell(&samples.label), replications.to_string()]);
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
        self.file.rewind().map_err(|error| self.fail(&error))?;
        let mut lines = BufReader::new(&self.file);
        let (policies, mut line) = (self.contents.policies.len().max(1), Vec::new());
        if self.format == FileFormat::Csv {
            lines.read_until(b'\n', &mut line).map_err(|error| self.fail(&error))?;
        }
        for row in 0..self.contents.points.len() * policies {
            line.clear();
            lines.read_until(b'\n', &mut line).map_err(|error| self.fail(&error))?;
            let means = self.means(&line, row % policies).map_err(|what| self.fail(&what))?;
            table.enter(row / policies, row % policies, &means);
        }
        Ok(())
    }

    /// The means in a row of the given policy; what is wrong with the row otherwise.
    fn means(&self, line: &[u8], policy: usize) -> Result<Vec<Option<f64>>, String> {
        let label = &self.contents.policies[policy];
        let fits = |found: &str, expected: &str| match found == expected {
            true => Ok(()),
            false => Err(format!("the row of policy `{label}` belongs here, not of `{}`", visible(found))),
        };
        match self.format {
            FileFormat::Csv => {
                let mut rows = csv::ReaderBuilder::new().has_headers(false).from_reader(line);
                let row = rows.records().next().ok_or("an empty row")?.map_err(|error| error.to_string())?;
                let first = self.contents.points.axes.len() + 4;
                if row.len() != first + 2 * self.contents.figures.len() {
                    return Err(format!("{} cells in place of {}", row.len(), first + 2 * self.contents.figures.len()));
                }
                fits(&row[first - 2], &csv_text(label))?;
                let figures = self.contents.figures.iter().enumerate();
                figures.map(|(index, figure)| mean(&row[first + 2 * index], &figure.name)).collect()
            }
            FileFormat::Jsonl => {
                let row: Value = serde_json::from_slice(line).map_err(|error| error.to_string())?;
                fits(row["policy"].as_str().unwrap_or_default(), label)?;
                let mean = |figure: &Figure| match row.get(&figure.name).and_then(|cell| cell.get("mean")) {
                    Some(Value::Null) => Ok(None),
                    Some(Value::Number(number)) => Ok(number.as_f64()),
                    _ => Err(format!("no mean of `{}`", figure.name)),
                };
                self.contents.figures.iter().map(mean).collect()
            }
        }
    }
}

/// What to do about a damaged file.
const REMEDY: &str =
    "; the file was changed or written by two at once: take the line away, or name another file with --out";
/// No row is as long.
const LONGEST_LINE: u64 = 1 << 20;

/// A mean as a cell states it: empty where there is none, and else a finite number.
fn mean(cell: &str, figure: &str) -> Result<Option<f64>, String> {
    match cell.parse::<f64>() {
        _ if cell.is_empty() => Ok(None),
        Ok(value) if value.is_finite() => Ok(Some(value)),
        _ => Err(format!("`{}` is no mean of `{figure}`", visible(cell))),
    }
}
