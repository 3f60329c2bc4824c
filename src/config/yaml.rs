//! Parses YAML to [`Yaml`] nodes with serde-saphyr: duplicate keys are rejected, merge keys applied, aliases limited by
//! a budget.

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Options, Spanned};

use super::diagnostic::Diagnostic;
use super::node::{Key, Value, Yaml};
use super::source::{SourceFile, Span};

/// Maximum size of a YAML file (a rendered chart of thousands of manifests is far below).
pub const MAX_YAML_BYTES: u64 = 64 << 20;

/// Reads every document of a multi-document YAML text; empty documents are left out.
///
/// # Errors
/// The first syntax error, duplicate key or exceeded budget, with its place.
pub fn parse_documents(source: &Arc<SourceFile>) -> Result<Vec<Yaml>, Box<Diagnostic>> {
    let parsed: Vec<Spanned<Raw>> = serde_saphyr::from_multiple_with_options(source.text(), options())
        .map_err(|error| Box::new(syntax_error(source, &error)))?;
    Ok(parsed.into_iter().map(|raw| node(source, raw)).filter(|node| !node.is_null()).collect())
}

/// Parses a text that must contain exactly one document.
///
/// # Errors
/// Those of [`parse_documents`]; also if there is no document or more than one.
pub fn parse_single(source: &Arc<SourceFile>) -> Result<Yaml, Box<Diagnostic>> {
    let mut documents = parse_documents(source)?;
    match documents.len() {
        0 => Err(Box::new(Diagnostic::error(format!("{}: the file is empty", source.name())))),
        1 => Ok(documents.remove(0)),
        n => Err(Box::new(documents[1].error(format!("expected one YAML document, found {n}")))),
    }
}

/// Budgets: `helm template` output can exceed the default of 1,024 documents; the expansion of aliases stays limited,
/// so that a "billion laughs" file is rejected at once.
fn options() -> Options {
    let mut options = Options::default();
    options.with_snippet = false;
    options.alias_limits.max_total_replayed_events = 100_000;
    if let Some(budget) = options.budget.as_mut() {
        budget.max_documents = 100_000;
        budget.max_nodes = 4_000_000;
        budget.max_events = 10_000_000;
    }
    options
}

fn syntax_error(source: &Arc<SourceFile>, error: &serde_saphyr::Error) -> Diagnostic {
    let text = error.without_snippet().to_string();
    let message = text.lines().next().unwrap_or("not valid YAML").trim().to_string();
    let message = without_location(&message);
    let twice = error.location().filter(|_| message.to_lowercase().starts_with("duplicate"));
    if let Some(location) = twice {
        let span = span_of(source, &location);
        let key: String = source.slice(span).chars().take_while(|c| !matches!(c, ':' | '\n')).collect();
        let key = key.trim().trim_matches(['"', '\'']);
        let message = format!("duplicate key: `{key}` stands twice in one mapping");
        return Diagnostic::error(message).at(source, span).help("keep one of the two");
    }
    if let Some(span) = error.location().filter(|_| message.contains("tab")).and_then(|at| tab_near(source, &at)) {
        let diagnostic = Diagnostic::error(format!("not valid YAML: {message}")).at(source, span).label("a tab");
        return diagnostic.help("indent with spaces: YAML allows no tabs there");
    }
    let diagnostic = Diagnostic::error(format!("not valid YAML: {message}"));
    let diagnostic = match error.location() {
        Some(location) => diagnostic.at(source, span_of(source, &location)),
        None => Diagnostic { message: format!("{}: {}", source.name(), diagnostic.message), ..diagnostic },
    };
    if source.text().contains("{{") {
        return diagnostic.help("this looks like a Helm or Go template; render it first with `helm template`");
    }
    diagnostic
}

/// The tab that the parser complains about: it points behind a tab, or at the beginning of the text that one ends.
fn tab_near(source: &SourceFile, location: &serde_saphyr::Location) -> Option<Span> {
    let text = source.text();
    let at = span_of(source, location).start.min(text.len());
    let line = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let indent =
        text[line..].find(|c: char| c != ' ').map(|more| line + more).filter(|at| text[*at..].starts_with('\t'));
    let start = indent.or_else(|| text[at..].find('\t').map(|more| at + more)).or_else(|| text[..at].rfind('\t'))?;
    Some(Span { start, end: start + 1 })
}

/// The parser's own "at line X, column Y" is dropped: the place is shown with the caret.
fn without_location(message: &str) -> &str {
    let cut = [" at line ", ", line "].iter().filter_map(|mark| message.rfind(mark)).min();
    cut.map_or(message, |at| message[..at].trim_end_matches([',', ' ']))
}

/// A location as a span of bytes; if the parser only knows line and column, the rest of that line.
fn span_of(source: &SourceFile, location: &serde_saphyr::Location) -> Span {
    let span = location.span();
    if let (Some(start), Some(len)) = (span.byte_offset(), span.byte_len()) {
        return Span { start: start as usize, end: (start + len) as usize };
    }
    let line = location.line().max(1) as usize;
    let start = source.line_start(line);
    let rest = source.text()[start..].lines().next().unwrap_or("");
    let offset = rest.char_indices().nth((location.column().max(1) - 1) as usize).map_or(rest.len(), |(i, _)| i);
    Span { start: start + offset, end: start + rest.len() }
}

fn node(source: &Arc<SourceFile>, raw: Spanned<Raw>) -> Yaml {
    let span = span_of(source, &raw.referenced);
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Text(text) => Value::Scalar(text),
        // A number or boolean is kept as written, not as interpreted by YAML (`1e3`, `0777`, `yes`).
        Raw::Typed => Value::Scalar(source.slice(span_of(source, &raw.defined)).trim().to_string()),
        Raw::Sequence(items) => Value::Sequence(items.into_iter().map(|item| node(source, item)).collect()),
        Raw::Mapping(entries) => {
            Value::Mapping(entries.into_iter().map(|(k, v)| (key(source, k), node(source, v))).collect())
        }
    };
    Yaml { value, span, source: Arc::clone(source) }
}

fn key(source: &Arc<SourceFile>, raw: Spanned<Raw>) -> Key {
    let key = node(source, raw);
    let text = key.as_text().map_or_else(|| source.slice(key.span).trim().to_string(), str::to_string);
    Key { text, span: key.span }
}

/// The untyped value passed by serde.
enum Raw {
    Null,
    Text(String),
    Typed,
    Sequence(Vec<Spanned<Raw>>),
    Mapping(Vec<(Spanned<Raw>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_string()))
    }

    fn visit_bytes<E>(self, _: &[u8]) -> Result<Raw, E> {
        Ok(Raw::Typed)
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        Raw::deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        Raw::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut found = Vec::new();
        while let Some(item) = items.next_element()? {
            found.push(item);
        }
        Ok(Raw::Sequence(found))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut found = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            found.push(entry);
        }
        Ok(Raw::Mapping(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn single(text: &str) -> Yaml {
        parse_single(&SourceFile::new("test.yaml", text)).unwrap()
    }

    #[test]
    fn scalars_keep_their_text_and_place() {
        let root = single("a: 1e3\nb: yes\nc: \"x\\ty\"\nd: 250m\ne: ~\nf: 0x1F\n");
        assert_eq!(root.get("a").unwrap().as_text(), Some("1e3"));
        assert_eq!(root.get("b").unwrap().as_text(), Some("yes"));
        assert_eq!(root.get("c").unwrap().as_text(), Some("x\ty"));
        assert_eq!(root.get("d").unwrap().as_text(), Some("250m"));
        assert!(root.get("e").unwrap().is_null());
        assert_eq!(root.get("f").unwrap().as_text(), Some("0x1F"));
        let d = root.get("d").unwrap();
        assert_eq!(d.source.slice(d.span), "250m");
        assert_eq!(d.source.line_column(d.span.start), (4, 4));
    }

    /// K15: the line and column of the tab itself.
    #[test]
    fn tabs_are_shown_where_they_stand() {
        for (text, place) in [
            ("seed: 1\nservice:\n\tconcurrency: 4\n", "t.yaml:3:1"),
            ("service:\n  concurrency: 4\n  \tx: 1\n", "t.yaml:3:3"),
        ] {
            let shown = parse_single(&SourceFile::new("t.yaml", text)).unwrap_err().to_string();
            assert!(shown.contains(place) && shown.contains("a tab") && shown.contains("spaces"), "{text:?}: {shown}");
        }
    }

    #[test]
    fn duplicate_keys_are_refused_with_a_place() {
        let error = parse_single(&SourceFile::new("test.yaml", "a: 1\na: 2\n")).unwrap_err();
        let shown = error.to_string();
        assert!(shown.contains("test.yaml:2"), "{shown}");
        assert!(shown.contains("duplicate"), "{shown}");
    }

    #[test]
    fn anchors_and_merge_keys_are_applied() {
        let root = single("base: &b {x: 15, y: 2}\nuse:\n  <<: *b\n  y: 3\n");
        let used = root.get("use").unwrap();
        assert_eq!(used.get("x").unwrap().as_text(), Some("15"));
        assert_eq!(used.get("y").unwrap().as_text(), Some("3"));
    }

    #[test]
    fn a_billion_laughs_ends_in_an_error() {
        let mut text = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
        for level in 1..12 {
            let alias = format!("*a{}", level - 1);
            text += &format!("a{level}: &a{level} [{}]\n", vec![alias; 9].join(","));
        }
        assert!(parse_single(&SourceFile::new("laughs.yaml", text)).is_err());
    }

    #[test]
    fn several_documents_and_flow_style() {
        let source = SourceFile::new("multi.yaml", "---\na: 1\n---\n---\n{ \"b\": [1, 2,], }\n");
        let documents = parse_documents(&source).unwrap();
        assert_eq!(documents.len(), 2);
        assert!(matches!(&documents[1].get("b").unwrap().value, Value::Sequence(items) if items.len() == 2));
    }
}
