//! How tables are printed: for a terminal, as Markdown or as JSON.

use comfy_table::{LineStyle, TableStyle as Rules};

/// How the table is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableStyle {
    /// For a terminal of so many columns; `color` adds ANSI colours to the marks.
    Terminal {
        /// Columns.
        width: u16,
        /// Whether to add ANSI colours.
        color: bool,
    },
    /// A Markdown table.
    Markdown,
    /// The text of `summary.json`.
    Json,
}

/// Rules around the header and below; none between rows, which come in groups.
pub(crate) const RULES: Rules = Rules::new()
    .top_border(LineStyle::none().fill('─').junction('─'))
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .bottom_border(LineStyle::none().fill('─').junction('─'));

/// A row of a Markdown table.
pub(crate) fn markdown_row(cells: &[String]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| escape_markdown(cell)).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// Takes the meaning from signs that Markdown or HTML in it would interpret, and line breaks away.
pub fn escape_markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '#' => escaped.extend(['\\', c]),
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

/// As [`escape_markdown`], but what stands between backticks stays code.
pub(crate) fn markdown_prose(text: &str) -> String {
    let parts = code_spans(text);
    let shown = |(is_code, part): (bool, &str)| match is_code {
        true => format!("`{}`", part.replace(|c: char| c.is_control(), " ")),
        false => escape_markdown(part),
    };
    parts.into_iter().map(shown).collect()
}

/// A text in parts, each with whether it stood between backticks; backticks without a second one are text.
pub(crate) fn code_spans(text: &str) -> Vec<(bool, &str)> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, code, after)) = rest
        .split_once('`')
        .and_then(|(before, inner)| inner.split_once('`').map(|(code, after)| (before, code, after)))
    {
        parts.extend([(false, before), (!code.is_empty(), code)]);
        rest = after;
    }
    parts.push((false, rest));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn code_stays_code_and_all_else_is_escaped() {
        assert_eq!(markdown_prose("`a_b` of *x* not stated: `c|d"), "`a_b` of \\*x\\* not stated: \\`c\\|d");
        assert_eq!(code_spans("a``b"), [(false, "a"), (false, ""), (false, "b")]);
    }
}
