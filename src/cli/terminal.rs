//! What may reach a terminal or the log of a workflow: text to be read, never to be obeyed.

use std::borrow::Cow;
use std::io::{IsTerminal, Write};
use std::sync::OnceLock;

use crate::config::{Diagnostics, visible_lines};

/// The text with control characters made visible. Where output is coloured our own colours (`ESC [ 1 ; 31 m`) stay; a name that
/// holds such a sequence can change a colour and nothing else.
pub(super) fn visible(text: &str, coloured: bool) -> Cow<'_, str> {
    if !coloured {
        return visible_lines(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        shown.push_str(&visible_lines(&rest[..at]));
        let length = colour(&rest[at..]);
        // No colour: the ESC alone, made visible.
        let (sequence, after) = rest[at..].split_at(length.unwrap_or(1));
        match length {
            Some(_) => shown.push_str(sequence),
            None => shown.push_str(&visible_lines(sequence)),
        }
        rest = after;
    }
    shown.push_str(&visible_lines(rest));
    Cow::Owned(shown)
}

/// The length of the colour that a text begins with.
fn colour(text: &str) -> Option<usize> {
    let digits = text.strip_prefix("\u{1b}[")?;
    let end = digits.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    digits[end..].starts_with('m').then_some(end + 3)
}

/// The text without commands to GitHub's runner, which obeys any line that begins with `::` and any `##[` (both are taken apart by
/// a blank).
pub(super) fn without_commands(text: &str) -> Cow<'_, str> {
    if !text.contains("::") && !text.contains("##[") {
        return Cow::Borrowed(text);
    }
    let plain = |line: &str| {
        let start = line.len() - line.trim_start().len();
        let line = match line[start..].starts_with("::") {
            true => format!("{}: :{}", &line[..start], &line[start + 2..]),
            false => line.to_string(),
        };
        line.replace("##[", "## [")
    };
    Cow::Owned(text.split('\n').map(plain).collect::<Vec<_>>().join("\n"))
}

/// Diagnostics as standard error should show them.
pub(crate) fn shown(found: &Diagnostics) -> String {
    found.render(coloured())
}

/// Whether standard error may be coloured.
pub(crate) fn coloured() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Writes a line to standard error, where nobody may be listening.
pub(crate) fn remark(text: &str) {
    let shown = visible(text, coloured());
    let _ = writeln!(std::io::stderr(), "{}", without_commands(&shown));
}

/// Whether --quiet was said.
static QUIET: OnceLock<bool> = OnceLock::new();

/// As [`remark`], for what --quiet leaves out.
pub(crate) fn note(text: &str) {
    if !QUIET.get().copied().unwrap_or(false) {
        remark(text);
    }
}

/// States whether --quiet was said.
pub(crate) fn be_quiet(quiet: bool) {
    let _ = QUIET.set(quiet);
}

/// Columns of the terminal, or those that `COLUMNS` states; 100 where standard output is no terminal.
pub(super) fn terminal_width() -> u16 {
    let stated = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let own = || terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| width.0);
    stated.or_else(own).filter(|columns| *columns >= 40).unwrap_or(100)
}

/// Whether standard output may be coloured.
pub(super) fn coloured_output() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("a\u{1b}[1;31mb\u{1b}[0m", true, "a\u{1b}[1;31mb\u{1b}[0m")]
    #[case("a\u{1b}[1;31mb", false, "a␛[1;31mb")]
    #[case("\u{1b}]0;title\u{7}\u{1b}[2J\u{1b}", true, "␛]0;title␇␛[2J␛")]
    #[case("a\tb\nc\r", true, "a\tb\nc␍")]
    fn only_colours_reach_a_terminal(#[case] text: &str, #[case] coloured: bool, #[case] seen: &str) {
        assert_eq!(visible(text, coloured), seen);
    }

    #[rstest]
    #[case("a::b", "a::b")]
    #[case("x\n  ::set-env name=X::y\n", "x\n  : :set-env name=X::y\n")]
    #[case("a ##[command]b", "a ## [command]b")]
    fn workflow_commands_are_taken_apart(#[case] text: &str, #[case] plain: &str) {
        assert_eq!(without_commands(text), plain);
    }
}
