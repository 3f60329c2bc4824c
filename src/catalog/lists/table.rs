//! CSV with the place of every cell.

use std::str::FromStr;
use std::sync::Arc;

use crate::catalog::price::is_date;
use crate::config::{Diagnostic, Diagnostics, SourceFile, Span, advice, visible};
use crate::units::{Bytes, Millicores, UsdPerHour};

/// The largest instance: a million vCPUs.
const MOST_CPUS: f64 = 1e6;
/// And a pebibyte, in mebibytes.
const MOST_MIB: f64 = (1u64 << 30) as f64;
/// The longest text of a cell, in bytes.
const LONGEST: usize = 200;

/// A cell: its text without quotes and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    pub text: String,
    pub span: Span,
}

/// A file with a header and rows of as many cells.
pub(super) struct Table<'a> {
    pub source: &'a Arc<SourceFile>,
    pub header: Vec<Cell>,
    pub rows: Vec<Vec<Cell>>,
}

impl<'a> Table<'a> {
    /// Reads a whole file. Empty lines and lines that begin with `#` are left out, as OpenCost does.
    pub(super) fn read(source: &'a Arc<SourceFile>, sink: &mut Diagnostics) -> Option<Table<'a>> {
        let mut lines = records(source, sink)?.into_iter();
        let Some(header) = lines.next() else {
            sink.push(Diagnostic::error(format!("{} has no line with the names of columns", source.name())));
            return None;
        };
        let mut table = Table { source, header, rows: Vec::new() };
        for row in lines {
            if row.len() == table.header.len() {
                table.rows.push(row);
                continue;
            }
            let place = Span { start: row[0].span.start, end: row[row.len() - 1].span.end };
            let message = format!("this line has {} cells, the header {}", row.len(), table.header.len());
            sink.push(table.error(place, message));
        }
        Some(table)
    }

    pub(super) fn error(&self, place: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(message).at(self.source, place)
    }

    /// The column of this name.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|cell| cell.text == name)
    }

    /// Reports columns that are not among `known`, and those that stand twice.
    pub(super) fn check_columns(&self, known: &[&str], sink: &mut Diagnostics) {
        for (number, cell) in self.header.iter().enumerate() {
            if !known.contains(&cell.text.as_str()) {
                let error = self.error(cell.span, format!("a price list has no column `{}`", visible(&cell.text)));
                let list = format!("its columns are {}", known.join(", "));
                sink.push(error.help(advice(&cell.text, known.iter().copied(), &list)));
            } else if self.header[..number].iter().any(|before| before.text == cell.text) {
                sink.push(self.error(cell.span, format!("the column `{}` stands twice", cell.text)));
            }
        }
    }
}

/// A row with its columns by name.
pub(super) struct Row<'a> {
    pub table: &'a Table<'a>,
    pub cells: &'a [Cell],
}

impl<'a> Row<'a> {
    /// The cell of a column, unless it is empty or there is no such column.
    pub(super) fn cell(&self, name: &str) -> Option<&'a Cell> {
        self.table.column(name).map(|column| &self.cells[column]).filter(|cell| !cell.text.is_empty())
    }

    /// The text of a column; empty if there is none.
    pub(super) fn text(&self, name: &str, sink: &mut Diagnostics) -> String {
        let Some(cell) = self.cell(name) else { return String::new() };
        if cell.text.len() > LONGEST || cell.text.chars().any(char::is_control) {
            let error = self.table.error(cell.span, format!("`{name}` must be one line of {LONGEST} bytes at most"));
            sink.push(error);
            return String::new();
        }
        cell.text.clone()
    }

    /// The text of a column that must not be empty.
    pub(super) fn required(&self, name: &str, sink: &mut Diagnostics) -> Option<String> {
        let text = self.text(name, sink);
        if text.is_empty() && self.cell(name).is_none() {
            let place = self.table.column(name).map_or(self.cells[0].span, |column| self.cells[column].span);
            sink.push(self.table.error(place, format!("this line has no `{name}`")));
        }
        (!text.is_empty()).then_some(text)
    }

    /// A number from zero to `most`.
    pub(super) fn number(&self, name: &str, most: f64, sink: &mut Diagnostics) -> Option<f64> {
        let cell = self.cell(name)?;
        let number = f64::from_str(&cell.text).ok().filter(|number| (0.0..=most).contains(number));
        if number.is_none() {
            let message = format!("`{name}` must be a number from 0 to {most}, not `{}`", visible(&cell.text));
            sink.push(self.table.error(cell.span, message));
        }
        number
    }

    /// A whole number from zero to `most`; `4.0` is one.
    pub(super) fn count(&self, name: &str, most: u32, sink: &mut Diagnostics) -> Option<u32> {
        let number = self.number(name, f64::from(most), sink)?;
        if number.fract() != 0.0
            && let Some(cell) = self.cell(name)
        {
            sink.push(self.table.error(cell.span, format!("`{name}` must be a whole number, not `{}`", cell.text)));
            return None;
        }
        Some(number as u32)
    }

    /// Dollars per hour.
    pub(super) fn price(&self, name: &str, sink: &mut Diagnostics) -> Option<UsdPerHour> {
        let cell = self.cell(name)?;
        let price = f64::from_str(&cell.text).ok().and_then(|dollars| UsdPerHour::from_f64(dollars).ok());
        if price.is_none() {
            let message = format!("`{name}` must be dollars per hour such as `0.096`, not `{}`", visible(&cell.text));
            sink.push(self.table.error(cell.span, message));
        }
        price
    }

    /// vCPUs.
    pub(super) fn cpu(&self, name: &str, sink: &mut Diagnostics) -> Option<Millicores> {
        self.number(name, MOST_CPUS, sink).map(|cpus| Millicores::new((cpus * 1000.0).round() as u64))
    }

    /// Memory in units of `mib` mebibytes.
    pub(super) fn memory(&self, name: &str, mib: f64, sink: &mut Diagnostics) -> Option<Bytes> {
        let units = self.number(name, MOST_MIB / mib, sink)?;
        Some(Bytes::new((units * mib * f64::from(1 << 20)).round() as u64))
    }

    /// A date, `YYYY-MM-DD` and anything after a blank or `T`; empty if there is none.
    pub(super) fn date(&self, name: &str, sink: &mut Diagnostics) -> String {
        let Some(cell) = self.cell(name) else { return String::new() };
        let day = cell.text.split([' ', 'T']).next().unwrap_or("");
        if !is_date(day) {
            let message = format!("`{name}` must be a date such as `2026-07-20`, not `{}`", visible(&cell.text));
            sink.push(self.table.error(cell.span, message));
            return String::new();
        }
        day.to_string()
    }
}

/// The cells of every line that is neither empty nor a comment.
fn records(source: &Arc<SourceFile>, sink: &mut Diagnostics) -> Option<Vec<Vec<Cell>>> {
    let text = source.text();
    let (mut all, mut at) = (Vec::new(), 0);
    while at < text.len() {
        let line = &text[at..];
        let end = line.find('\n').map_or(text.len(), |length| at + length + 1);
        if line.starts_with('#') || text[at..end].trim().is_empty() {
            at = end;
            continue;
        }
        let mut row = Vec::new();
        loop {
            let (cell, next) = match cell(text, at) {
                Ok(read) => read,
                Err(message) => {
                    sink.push(Diagnostic::error(message).at(source, Span { start: at, end: at + 1 }));
                    return None;
                }
            };
            row.push(cell);
            at = next;
            match text.as_bytes().get(at) {
                Some(b',') => at += 1,
                Some(_) => {
                    at += 1;
                    break;
                }
                None => break,
            }
        }
        all.push(row);
    }
    Some(all)
}

/// The cell that begins at `start`, and where it ends: at a comma, at the end of the line, or at that of the text.
fn cell(text: &str, start: usize) -> Result<(Cell, usize), &'static str> {
    let ends = |from: usize| text[from..].find([',', '\n']).map_or(text.len(), |length| from + length);
    let Some(quoted) = text[start..].strip_prefix('"') else {
        let end = ends(start);
        let plain = text[start..end].trim();
        let from = start + text[start..end].find(plain).unwrap_or(0);
        return Ok((Cell { text: plain.to_string(), span: Span { start: from, end: from + plain.len() } }, end));
    };
    let (mut content, mut at) = (String::new(), start + 1);
    let mut rest = quoted;
    loop {
        let close = rest.find('"').ok_or("this quotation mark is never closed")?;
        content.push_str(&rest[..close]);
        at += close + 1;
        rest = &text[at..];
        match rest.strip_prefix('"') {
            Some(after) => {
                content.push('"');
                (at, rest) = (at + 1, after);
            }
            None => break,
        }
    }
    let end = ends(at);
    if !text[at..end].trim().is_empty() {
        return Err("after the closing quotation mark of this cell, a comma or the end of the line must follow");
    }
    Ok((Cell { text: content, span: Span { start, end: at } }, end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Vec<Vec<String>>, String> {
        let mut sink = Diagnostics::new();
        let source = SourceFile::new("p.csv", text);
        let found = records(&source, &mut sink).ok_or_else(|| sink.to_string())?;
        Ok(found.into_iter().map(|row| row.into_iter().map(|cell| cell.text).collect()).collect())
    }

    #[test]
    fn cells_are_read_as_rfc_4180_has_them() {
        let rows = read("# note, with comma\na,b\r\n\n\"x,\"\"y\"\"\", 2 \n,\n\"two\nlines\",é").unwrap();
        let expected = [["a", "b"], ["x,\"y\"", "2"], ["", ""], ["two\nlines", "é"]];
        assert_eq!(rows, expected.map(|row| row.map(String::from).to_vec()));
        let said = read("a,b\n\"open,2\n").unwrap_err();
        assert!(said.contains("p.csv:2:1") && said.contains("never closed"), "{said}");
        assert!(read("a,\"b\"c\n").unwrap_err().contains("p.csv:1:3"));
    }

    proptest! {
        /// What is written with quotes where they are needed is read back, at the place where it stands.
        #[test]
        fn written_cells_are_read_back(rows in prop::collection::vec(prop::collection::vec("[a-z\",\n é]{0,6}", 2..4), 1..6)) {
            let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
            let text: Vec<String> = rows.iter().map(|row| row.iter().map(quoted).collect::<Vec<_>>().join(",")).collect();
            prop_assert_eq!(read(&text.join("\n")).unwrap(), rows);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[a,\"\n\r#é ]{0,60}") {
            let source = SourceFile::new("p.csv", text.as_str());
            let mut sink = Diagnostics::new();
            let read = records(&source, &mut sink);
            prop_assert_eq!(read.is_none(), sink.has_errors());
            for cell in read.iter().flatten().flatten() {
                prop_assert!(text.get(cell.span.start..cell.span.end).is_some());
            }
        }
    }
}
