//! Diagnostics: an error or warning about an input, its place, and advice.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::names::visible;
use super::source::{SourceFile, Span};

/// Severity of a diagnostic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The input is usable, but part of it is ignored or probably not intended.
    Warning,
    /// The input is not usable.
    Error,
}

/// A message about an input: the problem, its place, and the correction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its severity.
    #[doc(hidden)]
    pub severity: Severity,
    /// The problem, in one sentence without a full stop.
    pub message: String,
    /// The source text and the place in it, if known.
    #[doc(hidden)]
    pub place: Option<(Arc<SourceFile>, Span)>,
    /// A short label next to the caret.
    pub label: Option<String>,
    /// Further facts, one line each.
    pub notes: Vec<String>,
    /// Advice.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error without a place.
    pub fn error(message: impl Into<String>) -> Self {
        Diagnostic {
            severity: Severity::Error,
            message: message.into(),
            place: None,
            label: None,
            notes: Vec::new(),
            help: None,
        }
    }

    /// A warning without a place.
    pub fn warning(message: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(message) }
    }

    /// Whether it is an error; else it is a warning.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The file, line and column, if the place is known; lines and columns count from 1.
    pub fn location(&self) -> Option<(&str, usize, usize)> {
        let (source, span) = self.place.as_ref()?;
        let (line, column) = source.line_column(span.start);
        Some((source.name(), line, column))
    }

    /// Points to `span` in `source`.
    #[doc(hidden)]
    pub fn at(mut self, source: &Arc<SourceFile>, span: Span) -> Self {
        self.place = Some((Arc::clone(source), span));
        self
    }

    /// Adds a short label next to the caret.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Adds a further fact.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Adds advice.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The message as a compiler shows it: file, line, column, the line itself with a caret, notes and help.
    pub fn render(&self, colour: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = visible(&self.message).into_owned();
        let mut group = match &self.place {
            Some((source, span)) => {
                let end = span.end.clamp(span.start, source.text().len());
                let start = span.start.min(end);
                // Only the relevant lines are passed to the renderer: a text may be long and have many problems.
                let line = source.line_column(start).0;
                let (from, to) = (source.line_start(line), source.line_start(source.line_column(end).0 + 1));
                let mut annotation = AnnotationKind::Primary.span(start - from..end - from);
                if let Some(label) = &self.label {
                    annotation = annotation.label(visible(label).into_owned());
                }
                let snippet = Snippet::source(&source.text()[from..to]).path(visible(source.name()).into_owned());
                let snippet = snippet.line_start(line).annotation(annotation);
                level.primary_title(title).element(snippet)
            }
            None => annotate_snippets::Group::with_title(level.primary_title(title)),
        };
        for note in &self.notes {
            group = group.element(Level::NOTE.message(note.as_str()));
        }
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostic {}

/// Maximum number of diagnostics kept per kind; the others are only counted.
const MAX_OF_A_KIND: usize = 20;
/// Maximum number of diagnostics kept in total.
const MOST: usize = 400;

/// What a reader asked for in one mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadMapping {
    /// Name of the source that the mapping stands in.
    pub source: String,
    /// Its place.
    pub span: Span,
    /// Every field that was asked for, in order, with the value that it has if it is absent, where it has one.
    pub fields: Vec<(&'static str, Option<String>)>,
}

/// All diagnostics so far, and the files that were read.
///
/// Messages that differ only in quoted text and numbers are of one kind, of which the first twenty are kept.
#[derive(Debug, Clone, Default)]
pub struct Diagnostics {
    items: Vec<Diagnostic>,
    files: Vec<Arc<SourceFile>>,
    /// Number of diagnostics by kind.
    kinds: BTreeMap<String, usize>,
    /// Hashes of those that are not kept, each with whether it is an error.
    left_out: BTreeMap<u64, bool>,
    /// The mappings that were read, if they are recorded.
    mappings: Option<Box<Record>>,
}

/// The mappings that were read.
#[derive(Debug, Clone, Default)]
struct Record(Vec<ReadMapping>);

impl Diagnostics {
    /// No diagnostics.
    pub fn new() -> Self {
        Self::default()
    }

    /// No diagnostics; the mappings that are read will be recorded.
    #[doc(hidden)]
    pub fn recording() -> Self {
        Diagnostics { mappings: Some(Box::default()), ..Self::default() }
    }

    /// No diagnostics; records mappings if `self` does. To be added with [`Diagnostics::extend`].
    #[doc(hidden)]
    pub fn beside(&self) -> Self {
        Diagnostics { mappings: self.mappings.as_ref().map(|_| Box::default()), ..Self::default() }
    }

    /// Records a mapping that was read, if mappings are recorded.
    pub(super) fn note_mapping(&mut self, read: impl FnOnce() -> ReadMapping) {
        if let Some(mappings) = &mut self.mappings {
            mappings.0.push(read());
        }
    }

    /// The mappings that were read while they were recorded, possibly several times.
    #[doc(hidden)]
    pub fn mappings(&self) -> &[ReadMapping] {
        self.mappings.as_deref().map_or(&[], |record| &record.0)
    }

    /// Adds one, unless the same was added before: a manifest may be read by a service and by its policies.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        let kind = kind(&diagnostic);
        let known = self.kinds.get(&kind).copied().unwrap_or(0);
        if known > 0 && self.items.contains(&diagnostic) {
            return;
        }
        if known < MAX_OF_A_KIND && self.items.len() < MOST {
            self.kinds.insert(kind, known + 1);
            self.items.push(diagnostic);
        } else {
            self.left_out.entry(mark(&diagnostic)).or_insert(diagnostic.severity == Severity::Error);
        }
    }

    /// Number of diagnostics that are not kept.
    pub fn left_out(&self) -> usize {
        self.left_out.len()
    }

    /// Removes the last error with this message.
    pub(super) fn retract(&mut self, message: &str) {
        if let Some(index) = self.items.iter().rposition(|d| d.message == message && d.severity == Severity::Error) {
            let retracted = self.items.remove(index);
            if let Some(count) = self.kinds.get_mut(&kind(&retracted)) {
                *count = count.saturating_sub(1);
            }
        }
    }

    /// Adds all of `other`.
    pub fn extend(&mut self, other: Diagnostics) {
        other.items.into_iter().for_each(|diagnostic| self.push(diagnostic));
        self.left_out.extend(other.left_out);
        self.files.extend(other.files);
        if let Some(mappings) = &mut self.mappings {
            mappings.0.extend(other.mappings.map(|record| record.0).unwrap_or_default());
        }
    }

    /// Records that a file next to the scenario (a manifest) was read: it affects the result.
    #[doc(hidden)]
    pub fn note_file(&mut self, source: &Arc<SourceFile>) {
        self.files.push(Arc::clone(source));
    }

    /// The files recorded so far, in order, possibly with duplicates.
    #[doc(hidden)]
    pub fn files(&self) -> &[Arc<SourceFile>] {
        &self.files
    }

    /// Whether any of them is an error.
    pub fn has_errors(&self) -> bool {
        self.left_out.values().any(|is_error| *is_error) || self.items.iter().any(|d| d.severity == Severity::Error)
    }

    /// The same without the warnings, which were told before.
    pub fn without_warnings(mut self) -> Self {
        self.items.retain(|diagnostic| diagnostic.severity == Severity::Error);
        self
    }

    /// Number of errors.
    pub fn errors(&self) -> usize {
        let left_out = self.left_out.values().filter(|is_error| **is_error).count();
        left_out + self.items.iter().filter(|d| d.severity == Severity::Error).count()
    }

    /// The kept diagnostics in order.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.items.iter()
    }

    /// All kept diagnostics as shown on standard error.
    pub fn render(&self, colour: bool) -> String {
        let mut shown: Vec<String> = self.items.iter().map(|diagnostic| diagnostic.render(colour)).collect();
        shown.extend((self.left_out() > 0).then(|| more_words(self.left_out())));
        shown.join("\n\n")
    }

    /// Number of diagnostics.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are no diagnostics.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

/// The message about those that are not kept.
fn more_words(more: usize) -> String {
    let digits = more.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("and {grouped} more of the same kinds")
}

/// The kind of a diagnostic: its message without quoted text and numbers.
fn kind(diagnostic: &Diagnostic) -> String {
    let mut kind = String::from(if diagnostic.severity == Severity::Error { "e" } else { "w" });
    for (index, part) in diagnostic.message.split('`').enumerate() {
        if index % 2 == 0 {
            kind.extend(part.chars().filter(|c| !c.is_ascii_digit()));
        }
    }
    kind
}

/// A hash that identifies a diagnostic without keeping it.
fn mark(diagnostic: &Diagnostic) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    diagnostic.message.hash(&mut hasher);
    if let Some((source, span)) = &diagnostic.place {
        (source.name(), span.start, span.end).hash(&mut hasher);
    }
    hasher.finish()
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        let mut all = Diagnostics::new();
        all.push(diagnostic);
        all
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Fields, SourceFile, parse_single};

    /// Of thousands of one kind the first are shown, the others counted, and none is shown twice.
    #[test]
    fn many_of_a_kind_are_counted() {
        let text: String = (0..3_000).map(|number| format!("key-{number}: 1\n")).collect();
        let source = SourceFile::new("s.yaml", text);
        let root = parse_single(&source).unwrap();
        let mut sink = Diagnostics::new();
        for _ in 0..2 {
            Fields::open(&root, "service", &mut sink).unwrap().finish(&mut sink);
        }
        sink.push(root.error("something else"));
        assert_eq!((sink.len(), sink.left_out(), sink.errors()), (MAX_OF_A_KIND + 1, 2_980, 3_001));
        let shown = sink.to_string();
        assert!(shown.contains("s.yaml:20:1") && shown.ends_with("and 2,980 more of the same kinds"), "{shown}");
        let mut all = Diagnostics::from(root.error("first"));
        all.extend(sink);
        assert_eq!((all.errors(), all.len()), (3_002, MAX_OF_A_KIND + 2));
    }

    /// A place in the middle of a long text is shown as in a short one.
    #[test]
    fn places_are_those_of_the_whole_text() {
        let source = SourceFile::new("s.yaml", "a: 1\nb: 2\nünï: x\nd: 4\n");
        let root = parse_single(&source).unwrap();
        let shown = root.get("ünï").unwrap().error("wrong").label("here").render(false);
        assert!(shown.contains("s.yaml:3:6") && shown.contains("3 | ünï: x\n  |      ^ here"), "{shown}");
        assert!(!shown.contains("b: 2") && !shown.contains("d: 4"), "{shown}");
    }
}
