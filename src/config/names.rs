//! Names chosen by users: their valid characters, and safe display of any text on a terminal.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use super::diagnostic::{Diagnostic, Diagnostics};
use super::fields::FromNode;
use super::node::{Key, Yaml};

/// Maximum number of characters in a [`slug`].
const LONGEST_SLUG: usize = 60;

/// Whether a character controls the display instead of being visible: control characters (ESC, BEL, line breaks),
/// separators of lines and paragraphs, and the controls of bidirectional text, which show a text in another order than
/// it has.
pub fn is_hidden(c: char) -> bool {
    let bidi = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || bidi || matches!(c, '\u{2028}' | '\u{2029}')
}

/// The text with every hidden character replaced by a visible one: `␛` for ESC, `<U+202E>` for those without a picture.
pub fn visible(text: &str) -> Cow<'_, str> {
    visible_but(text, |_| false)
}

/// Like [`visible`], for a text of several lines: line feeds and tabs are kept.
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    visible_but(text, |c| matches!(c, '\n' | '\t'))
}

fn visible_but(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(|c| is_hidden(c) && !stays(c)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if !is_hidden(c) || stays(c) => shown.push(c),
            // Unicode's control pictures are in the order of the controls.
            c if c.is_ascii_control() && c != '\u{7f}' => {
                shown.push(char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'));
            }
            '\u{7f}' => shown.push('\u{2421}'),
            c => shown.push_str(&format!("<U+{:04X}>", u32::from(c))),
        }
    }
    Cow::Owned(shown)
}

/// Why a text is not a valid label: empty, or with hidden characters.
fn unfit_label(text: &str) -> Option<String> {
    if text.trim().is_empty() {
        return Some("a name cannot be empty".into());
    }
    unfit_line(text)
}

/// Why a text is not a valid line.
fn unfit_line(text: &str) -> Option<String> {
    let shown = visible(text);
    matches!(shown, Cow::Owned(_)).then(|| format!("`{shown}` holds a character that cannot be seen"))
}

fn refused(node: &Yaml, why: String, sink: &mut Diagnostics) {
    sink.push(node.error(why).help("leave out line breaks and other control characters"));
}

/// The name of a service, a node pool or a Kubernetes object: file names are derived from it, so it must not contain
/// `/` or `\` or start with a dot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(pub String);

impl FromNode for Name {
    fn from_node(node: &Yaml, sink: &mut Diagnostics) -> Option<Self> {
        let text = String::from_node(node, sink)?;
        let path = text.starts_with('.') || text.contains(['/', '\\']);
        let why = unfit_label(&text).or_else(|| path.then(|| format!("`{text}` looks like a path, not like a name")));
        match why {
            None => Some(Name(text)),
            Some(why) => {
                sink.push(node.error(why).help("use letters, digits, - and _"));
                None
            }
        }
    }
}

/// A text of one line, such as a title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line(pub String);

impl FromNode for Line {
    fn from_node(node: &Yaml, sink: &mut Diagnostics) -> Option<Self> {
        let text = String::from_node(node, sink)?;
        match unfit_line(&text) {
            None => Some(Line(text)),
            Some(why) => {
                refused(node, why, sink);
                None
            }
        }
    }
}

/// A text of several lines, such as a description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines(pub String);

impl FromNode for Lines {
    fn from_node(node: &Yaml, sink: &mut Diagnostics) -> Option<Self> {
        let text = String::from_node(node, sink)?.replace("\r\n", "\n");
        match visible_lines(&text) {
            Cow::Borrowed(_) => Some(Lines(text)),
            Cow::Owned(_) => {
                refused(node, "the text holds a character that cannot be seen".into(), sink);
                None
            }
        }
    }
}

/// Reports a key chosen by the user, such as a policy's label, if it is empty or contains hidden characters.
pub fn check_label(key: &Key, node: &Yaml, sink: &mut Diagnostics) {
    if let Some(why) = unfit_label(&key.text) {
        let help = "leave out line breaks and other control characters";
        sink.push(Diagnostic::error(why).at(&node.source, key.span).help(help));
    }
}

/// A part of a file name for anything with a name: lower-case letters, digits and dashes, at most 60 characters. A
/// longer one ends in a few digits of its checksum, so that names with the same beginning get different files.
pub fn slug(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    if name.chars().count() <= LONGEST_SLUG {
        return name.chars().map(plain).collect();
    }
    let start: String = name.chars().take(LONGEST_SLUG - 9).map(plain).collect();
    let sum = Sha256::digest(name.as_bytes()).iter().take(4).fold(0u32, |sum, byte| (sum << 8) | u32::from(*byte));
    format!("{start}-{sum:08x}")
}

/// A word as a shell reads it back.
pub fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.into() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// A text for a cell of a CSV file. A spreadsheet treats a cell that begins with `=`, `+`, `-`, `@`, a tab or a
/// carriage return as a formula and evaluates it; such a text, unless it is a number, gets a leading apostrophe, which
/// spreadsheets do not show.
pub fn csv_text(text: &str) -> Cow<'_, str> {
    let is_number = || text.trim_end_matches('%').parse::<f64>().is_ok_and(f64::is_finite);
    match text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number() {
        true => Cow::Owned(format!("'{text}")),
        false => Cow::Borrowed(text),
    }
}

/// A text as a cell of a CSV file (RFC 4180), quoted if necessary, on one line and never a formula ([`csv_text`]).
pub fn csv_cell(text: &str) -> String {
    let text = csv_text(text);
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"").replace(['\n', '\r'], " ")),
        false => text.into_owned(),
    }
}

/// Checks a label read from a stored file.
///
/// # Errors
/// If it is empty or contains hidden characters, in words.
pub fn as_label(text: &str) -> Result<(), String> {
    unfit_label(text).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{SourceFile, parse_single};
    use rstest::rstest;

    #[rstest]
    #[case("plain ü 東京", "plain ü 東京")]
    #[case("\u{1b}]0;x\u{7}", "␛]0;x␇")]
    #[case("a\nb", "a␊b")]
    #[case("a\u{7f}\u{9b}\u{202e}b", "a␡<U+009B><U+202E>b")]
    fn hidden_characters_are_shown(#[case] text: &str, #[case] shown: &str) {
        assert_eq!(visible(text), shown);
    }

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        assert_eq!(slug("Zürich, 2.5x"), "z-rich--2-5x");
        let (a, b) = (slug(&format!("{}a", "x".repeat(300))), slug(&format!("{}b", "x".repeat(300))));
        assert_eq!((a.len(), b.len()), (60, 60));
        assert_ne!(a, b);
    }

    #[rstest]
    #[case("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0")]
    #[case("@SUM(A1)", "'@SUM(A1)")]
    #[case("-1+1", "'-1+1")]
    #[case("\tx", "'\tx")]
    #[case("-12.5", "-12.5")]
    #[case("+30%", "+30%")]
    #[case("-inf", "'-inf")]
    #[case("hpa = 60", "hpa = 60")]
    fn no_cell_is_a_formula(#[case] text: &str, #[case] cell: &str) {
        assert_eq!(csv_text(text), cell);
    }

    #[rstest]
    #[case("shop", true)]
    #[case("shop front", true)]
    #[case("a.b_c-d", true)]
    #[case("''", false)]
    #[case("../../pwn", false)]
    #[case("/pwn", false)]
    #[case("..", false)]
    #[case("'a\\b'", false)]
    #[case("\"a\\nb\"", false)]
    #[case("\"a\\u202eb\"", false)]
    fn names_are_no_paths(#[case] text: &str, #[case] fits: bool) {
        let root = parse_single(&SourceFile::new("s.yaml", format!("name: {text}\n"))).unwrap();
        let mut sink = Diagnostics::new();
        let name = Name::from_node(root.get("name").unwrap(), &mut sink);
        assert_eq!((name.is_some(), sink.len()), (fits, usize::from(!fits)), "{sink}");
        assert!(fits || sink.to_string().contains("s.yaml:1:7"), "{sink}");
    }
}
