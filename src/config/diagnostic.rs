//! What is wrong with an input, where, and what to do about it.

use std::fmt;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use super::names::visible;
use super::source::{SourceFile, Span};

/// Whether a diagnostic stops the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The input is usable, but something in it is ignored or probably not meant.
    Warning,
    /// The input is not usable.
    Error,
}

/// One message about an input: what is wrong, where it stands, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether the run can go on.
    pub severity: Severity,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// The text it stands in and the place, where there is one.
    pub place: Option<(Arc<SourceFile>, Span)>,
    /// A few words shown beside the caret.
    pub label: Option<String>,
    /// Further facts, one line each.
    pub notes: Vec<String>,
    /// What to do.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error without a place yet.
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

    /// A warning without a place yet.
    pub fn warning(message: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(message) }
    }

    /// Points to `span` in `source`.
    pub fn at(mut self, source: &Arc<SourceFile>, span: Span) -> Self {
        self.place = Some((Arc::clone(source), span));
        self
    }

    /// Adds a few words beside the caret.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Adds a further fact.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Says what to do.
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
                let mut annotation = AnnotationKind::Primary.span(start..end);
                if let Some(label) = &self.label {
                    annotation = annotation.label(visible(label).into_owned());
                }
                let snippet = Snippet::source(source.text()).path(source.name()).line_start(1).annotation(annotation);
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

/// All that was found wrong so far, and the files that were read on the way.
#[derive(Debug, Clone, Default)]
pub struct Diagnostics {
    items: Vec<Diagnostic>,
    files: Vec<Arc<SourceFile>>,
}

impl Diagnostics {
    /// Nothing found yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one, unless the same was said before: a manifest may be read by a service and by its policies.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if !self.items.contains(&diagnostic) {
            self.items.push(diagnostic);
        }
    }

    /// Takes the last error with this message back.
    pub(super) fn retract(&mut self, message: &str) {
        if let Some(index) = self.items.iter().rposition(|d| d.message == message && d.severity == Severity::Error) {
            self.items.remove(index);
        }
    }

    /// Adds all of `other`.
    pub fn extend(&mut self, other: Diagnostics) {
        other.items.into_iter().for_each(|diagnostic| self.push(diagnostic));
        self.files.extend(other.files);
    }

    /// Notes that a file beside the scenario (a manifest) was read: what it says decides the result.
    pub fn note_file(&mut self, source: &Arc<SourceFile>) {
        self.files.push(Arc::clone(source));
    }

    /// The files noted so far, in order; one that was read twice is there twice.
    pub fn files(&self) -> &[Arc<SourceFile>] {
        &self.files
    }

    /// Whether any of them is an error.
    pub fn has_errors(&self) -> bool {
        self.items.iter().any(|d| d.severity == Severity::Error)
    }

    /// How many errors there are.
    pub fn errors(&self) -> usize {
        self.items.iter().filter(|d| d.severity == Severity::Error).count()
    }

    /// The diagnostics in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.items.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Diagnostics { items: vec![diagnostic], files: Vec::new() }
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, item) in self.items.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n\n" };
            write!(f, "{gap}{item}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}
