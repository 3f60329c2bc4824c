//! A named text, and places in it.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::diagnostic::Diagnostic;
use super::spool;

/// A half-open range of bytes in a source text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// A text with its name in messages (a path as stated by the user, or `--set`).
#[derive(Debug, PartialEq, Eq)]
pub struct SourceFile {
    name: String,
    /// Directory of the file; `None` for a text in memory or from a stream.
    directory: Option<PathBuf>,
    text: String,
    /// Offset of each line.
    lines: Vec<usize>,
}

impl SourceFile {
    /// Wraps a text that is already in memory.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        let text = text.into();
        let breaks = memchr::memchr_iter(b'\n', text.as_bytes());
        let lines = std::iter::once(0).chain(breaks.map(|at| at + 1)).collect();
        Arc::new(SourceFile { name: name.into(), directory: None, text, lines })
    }

    /// Base directory of relative paths in the text: its own directory, or `other` if it is not in a file.
    pub fn directory_or<'a>(&'a self, other: &'a Path) -> &'a Path {
        self.directory.as_deref().unwrap_or(other)
    }

    /// Reads a UTF-8 file of at most `limit` bytes, without a byte-order mark.
    ///
    /// # Errors
    /// One diagnostic: missing, not a file, unreadable, too large, or not UTF-8 (with the line of the first bad byte).
    pub fn read(path: &Path, limit: u64) -> Result<Arc<Self>, Box<Diagnostic>> {
        let name = spool::name_of(path);
        let fail = |what: String| Box::new(Diagnostic::error(format!("{name}: {what}")));
        if !spool::is_stream(path) && std::fs::metadata(path).map_err(|e| fail(io_words(&e)))?.is_dir() {
            return Err(Box::new(fail("is a directory, not a file".into()).help("give the path of one file")));
        }
        let mut bytes = Vec::new();
        let file = spool::open(path).map_err(|e| fail(io_words(&e)))?;
        file.take(limit + 1).read_to_end(&mut bytes).map_err(|e| fail(io_words(&e)))?;
        if bytes.len() as u64 > limit {
            return Err(fail(format!("is larger than {} MiB, too large for this kind of file", limit >> 20)));
        }
        match String::from_utf8(bytes) {
            Ok(text) => {
                let mut source = SourceFile::new(name, text.strip_prefix('\u{feff}').unwrap_or(&text));
                if let Some(source) = Arc::get_mut(&mut source).filter(|_| !spool::is_stream(path)) {
                    source.directory = Some(spool::directory_of(path));
                }
                Ok(source)
            }
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let line = error.as_bytes()[..valid].iter().filter(|b| **b == b'\n').count() + 1;
                Err(fail(format!("is not UTF-8 text (first bad byte on line {line})")))
            }
        }
    }

    /// The name shown in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text of `span`, empty if the span is not on character boundaries of the text.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.start..span.end).unwrap_or("")
    }

    /// Line and column (both from 1, columns in characters) of byte `offset`.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let mut at = offset.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        let line = self.lines.partition_point(|start| *start <= at);
        (line, self.text[self.lines[line - 1]..at].chars().count() + 1)
    }

    /// Offset of the line with this number, from 1; the end of the text if there is none.
    pub fn line_start(&self, line: usize) -> usize {
        self.lines.get(line.max(1) - 1).copied().unwrap_or(self.text.len())
    }
}

/// An input/output error in words that do not depend on the platform in common cases.
fn io_words(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file".into(),
        std::io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ => error.to_string(),
    }
}
