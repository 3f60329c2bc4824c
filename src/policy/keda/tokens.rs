//! Takes a formula apart into words, numbers and symbols.

use std::fmt;

/// A part of a formula.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Int(i64),
    Float(f64),
    Text(String),
    Name(String),
    Symbol(String),
}

impl Token {
    pub(super) fn is(&self, symbol: &str) -> bool {
        matches!(self, Token::Symbol(text) if text == symbol)
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Int(value) => write!(f, "{value}"),
            Token::Float(value) => write!(f, "{value}"),
            Token::Text(text) | Token::Name(text) | Token::Symbol(text) => f.write_str(text),
        }
    }
}

/// Symbols of two characters; any other is of one.
const PAIRS: [&str; 8] = ["**", "==", "!=", "<=", ">=", "&&", "||", "??"];
const SINGLES: &str = "+-*/%^<>!?:,.()[]{}#";

/// The parts of `text`.
///
/// # Errors
/// A character that does not belong into a formula, or a text that does not end.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = if first.is_ascii_digit() {
            number(rest)?
        } else if first.is_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            (Token::Name(rest[..end].to_owned()), end)
        } else if matches!(first, '"' | '\'') {
            let end = rest[1..].find(first).ok_or("a text in the formula does not end")?;
            (Token::Text(rest[1..=end].to_owned()), end + 2)
        } else if let Some(pair) = PAIRS.iter().find(|pair| rest.starts_with(**pair)) {
            (Token::Symbol((*pair).to_owned()), pair.len())
        } else if SINGLES.contains(first) {
            (Token::Symbol(first.to_string()), 1)
        } else {
            return Err(format!("`{first}` does not belong into a formula"));
        };
        found.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(found)
}

/// The number at the beginning of `text`, and its length.
fn number(text: &str) -> Result<(Token, usize), String> {
    let digits = |from: usize| {
        let rest = &text[from..];
        from + rest.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(rest.len())
    };
    let mut end = digits(0);
    let mut is_whole = true;
    if text[end..].starts_with('.') && text[end + 1..].starts_with(|c: char| c.is_ascii_digit()) {
        end = digits(end + 1);
        is_whole = false;
    }
    if text[end..].starts_with(['e', 'E']) {
        let sign = usize::from(text[end + 1..].starts_with(['+', '-']));
        if text[end + 1 + sign..].starts_with(|c: char| c.is_ascii_digit()) {
            end = digits(end + 1 + sign);
            is_whole = false;
        }
    }
    let stated = text[..end].replace('_', "");
    let token = if is_whole { stated.parse().map(Token::Int).ok() } else { stated.parse().map(Token::Float).ok() };
    token.map(|token| (token, end)).ok_or_else(|| format!("`{stated}` is not a number"))
}
