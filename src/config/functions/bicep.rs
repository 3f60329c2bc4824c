//! Bicep, as far as it states plans and limits: parameters and variables with literal values, and resources. The result has
//! the shape of an ARM template, so that both are read alike; an expression becomes `[...]` as it does there.

use std::sync::Arc;

use crate::config::{Diagnostic, Diagnostics, Key, SourceFile, Span, Value, Yaml};

/// How deep objects and lists may be nested.
const DEEPEST: usize = 64;

/// Whether a text is Bicep: by its name, or because a line declares a resource of Azure.
pub(super) fn is_bicep(source: &SourceFile) -> bool {
    let declares = |line: &str| line.starts_with("resource ") && line.contains(" 'Microsoft.");
    source.name().ends_with(".bicep") || source.text().lines().any(declares)
}

/// Reads a text of Bicep; `None` if it cannot be read, which is reported.
pub(super) fn parse(source: &Arc<SourceFile>, sink: &mut Diagnostics) -> Option<Yaml> {
    let mut parser = Parser { source, text: source.text(), at: 0, depth: 0 };
    let mut found = Found::default();
    match parser.file(&mut found) {
        Ok(()) => Some(found.template(&parser)),
        Err(error) => {
            sink.push(*error);
            None
        }
    }
}

/// The declarations of a file.
#[derive(Default)]
struct Found {
    parameters: Vec<(Key, Yaml)>,
    variables: Vec<(Key, Yaml)>,
    resources: Vec<Yaml>,
}

impl Found {
    fn template(self, parser: &Parser<'_>) -> Yaml {
        let whole = Span { start: 0, end: 0 };
        let entry = |name: &str, value| (Key { text: name.into(), span: whole }, parser.node(value, whole));
        let entries = vec![
            entry("parameters", Value::Mapping(self.parameters)),
            entry("variables", Value::Mapping(self.variables)),
            entry("resources", Value::Sequence(self.resources)),
        ];
        parser.node(Value::Mapping(entries), whole)
    }
}

type Parsed<T> = Result<T, Box<Diagnostic>>;

struct Parser<'s> {
    source: &'s Arc<SourceFile>,
    text: &'s str,
    at: usize,
    depth: usize,
}

impl<'s> Parser<'s> {
    fn node(&self, value: Value, span: Span) -> Yaml {
        Yaml { value, span, source: Arc::clone(self.source) }
    }

    fn rest(&self) -> &'s str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn step(&mut self) {
        self.at += self.peek().map_or(0, char::len_utf8);
    }

    fn takes(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn open(&self, start: usize, what: &str) -> Box<Diagnostic> {
        let error = Diagnostic::error(format!("not valid Bicep: this {what} has no end"));
        Box::new(error.at(self.source, Span { start, end: start + 1 }))
    }

    /// Skips blanks and comments, with `lines` also the ends of lines.
    fn blanks(&mut self, lines: bool) {
        loop {
            match self.peek() {
                Some('\n') if !lines => return,
                Some(c) if c.is_whitespace() => self.step(),
                Some('/') if self.rest().starts_with("//") => {
                    self.at += self.rest().find('\n').unwrap_or(self.rest().len())
                }
                Some('/') if self.rest().starts_with("/*") => {
                    self.at += self.rest().find("*/").map_or(self.rest().len(), |end| end + 2);
                }
                _ => return,
            }
        }
    }

    fn word(&mut self) -> (&'s str, Span) {
        let start = self.at;
        let rest = self.rest();
        let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        self.at += length;
        (&rest[..length], Span { start, end: self.at })
    }

    fn file(&mut self, found: &mut Found) -> Parsed<()> {
        loop {
            self.blanks(true);
            if self.at >= self.text.len() {
                return Ok(());
            }
            let (word, _) = self.word();
            self.blanks(false);
            match word {
                "param" | "var" => self.value_declaration(word == "param", found)?,
                "resource" => self.resource(found)?,
                _ => {
                    let start = self.at;
                    self.skip(start)?;
                    // Something that no declaration begins with.
                    if self.at == start {
                        self.step();
                    }
                }
            }
        }
    }

    /// `param NAME TYPE = VALUE`, `var NAME = VALUE`.
    fn value_declaration(&mut self, parameter: bool, found: &mut Found) -> Parsed<()> {
        let (name, span) = self.word();
        let start = self.at;
        let sign = self.until_equals()?;
        let value = match sign {
            true => self.value()?,
            false => self.node(Value::Null, Span { start, end: start }),
        };
        let key = Key { text: name.to_string(), span };
        match parameter {
            true => {
                let default = Key { text: "defaultValue".into(), span };
                let entry = Value::Mapping(if sign { vec![(default, value)] } else { Vec::new() });
                let node = self.node(entry, span);
                found.parameters.push((key, node));
            }
            false => found.variables.push((key, value)),
        }
        Ok(())
    }

    /// Moves behind the next `=` of this declaration; whether there is one.
    fn until_equals(&mut self) -> Parsed<bool> {
        let start = self.at;
        self.scan(start, |c| c == '=')?;
        let found = self.takes("=");
        self.blanks(false);
        Ok(found)
    }

    /// `resource SYMBOL 'TYPE@VERSION' [existing] = [if (...)] { ... }`.
    fn resource(&mut self, found: &mut Found) -> Parsed<()> {
        let (symbol, symbol_span) = self.word();
        self.blanks(false);
        let start = self.at;
        if self.peek() != Some('\'') {
            return self.skip(start);
        }
        let kind = self.string()?.unwrap_or_default();
        let name = kind.split('@').next().unwrap_or("");
        let written = self.text.get(start + 1..self.at - 1).unwrap_or("");
        let kind_span = Span { start: start + 1, end: start + 1 + written.find('@').unwrap_or(written.len()) };
        self.blanks(false);
        if self.rest().starts_with("existing") || !self.until_equals()? {
            return self.skip(start);
        }
        if self.takes("if") {
            self.blanks(false);
            let open = self.at;
            self.group(open)?;
            self.blanks(true);
        }
        let body = self.value()?;
        let Value::Mapping(mut entries) = body.value else { return Ok(()) };
        let kind_node = self.node(Value::Scalar(name.to_string()), kind_span);
        let symbol_node = self.node(Value::Scalar(symbol.to_string()), symbol_span);
        entries.push((Key { text: "type".into(), span: kind_span }, kind_node));
        entries.push((Key { text: SYMBOL.into(), span: symbol_span }, symbol_node));
        found.resources.push(self.node(Value::Mapping(entries), symbol_span));
        Ok(())
    }

    fn value(&mut self) -> Parsed<Yaml> {
        self.depth += 1;
        if self.depth > DEEPEST {
            let error = Diagnostic::error("not valid Bicep: nested too deeply");
            return Err(Box::new(error.at(self.source, Span { start: self.at, end: self.at })));
        }
        let start = self.at;
        let literal = match self.peek() {
            Some('{') => Some(self.object()?),
            Some('[') => self.list()?,
            Some('\'') => self.string()?.map(|text| match text.starts_with('[') {
                true => Value::Scalar(format!("[{text}")),
                false => Value::Scalar(text),
            }),
            _ => None,
        };
        self.depth -= 1;
        let end = self.at;
        // What follows a literal on its line makes an expression of it.
        let behind = self.expression(start)?;
        let value = match literal {
            Some(value) if behind <= end => value,
            _ => self.simple(start, behind),
        };
        Ok(self.node(value, Span { start, end: behind.max(end) }))
    }

    /// A number, a truth value, a name, or an expression.
    fn simple(&self, start: usize, end: usize) -> Value {
        let text = self.text.get(start..end).unwrap_or("").trim();
        let plain = text.chars().all(|c| c.is_alphanumeric() || c == '_');
        match text {
            "" | "null" => Value::Null,
            "true" | "false" => Value::Scalar(text.to_string()),
            _ if text.strip_prefix('-').unwrap_or(text).chars().all(|c| c.is_ascii_digit()) => {
                Value::Scalar(text.into())
            }
            _ if plain => Value::Scalar(format!("[{NAME}('{text}')]")),
            _ => Value::Scalar(format!("[{text}]")),
        }
    }

    /// Moves to the end of an expression and returns where its text ends.
    fn expression(&mut self, start: usize) -> Parsed<usize> {
        loop {
            self.scan(start, |_| false)?;
            let end = self.text[..self.at].trim_end().len();
            // A conditional expression may go on in the next line.
            let mark = self.at;
            self.blanks(true);
            if !matches!(self.peek(), Some('?' | ':')) {
                self.at = mark;
                return Ok(end);
            }
            self.step();
        }
    }

    /// Skips the rest of a declaration.
    fn skip(&mut self, start: usize) -> Parsed<()> {
        self.expression(start).map(|_| ())
    }

    /// Moves to the end of the line, to a comma or closing bracket, or to what `stop` accepts, outside strings and brackets.
    fn scan(&mut self, start: usize, stop: impl Fn(char) -> bool) -> Parsed<()> {
        loop {
            self.blanks(false);
            match self.peek() {
                None | Some('\n' | ',' | '}' | ']' | ')') => return Ok(()),
                Some(c) if stop(c) => return Ok(()),
                Some('\'') => {
                    self.string()?;
                }
                Some('{' | '[' | '(') => self.group(start.max(self.at))?,
                Some(_) => self.step(),
            }
        }
    }

    /// Moves behind the bracket that closes the one here.
    fn group(&mut self, start: usize) -> Parsed<()> {
        let mut open: usize = 0;
        loop {
            self.blanks(true);
            match self.peek() {
                None => return Err(self.open(start, "bracket")),
                Some('\'') => {
                    self.string()?;
                    continue;
                }
                Some('{' | '[' | '(') => open += 1,
                Some('}' | ']' | ')') => open = open.saturating_sub(1),
                Some(_) => {}
            }
            self.step();
            if open == 0 {
                return Ok(());
            }
        }
    }

    /// Reads a string; `None` if it is put together (`'${a}-b'`).
    fn string(&mut self) -> Parsed<Option<String>> {
        let start = self.at;
        if self.takes("'''") {
            let length = self.rest().find("'''").ok_or_else(|| self.open(start, "text"))?;
            let text = self.rest()[..length].to_string();
            self.at += length + 3;
            return Ok(Some(text));
        }
        self.step();
        let (mut text, mut whole) = (String::new(), true);
        loop {
            match self.peek() {
                None | Some('\n') => return Err(self.open(start, "text")),
                Some('\'') => break,
                Some('\\') => {
                    self.step();
                    text.extend(self.peek());
                    if self.peek() != Some('\n') {
                        self.step();
                    }
                }
                Some('$') if self.rest().starts_with("${") => {
                    whole = false;
                    self.depth += 1;
                    if self.depth > DEEPEST {
                        return Err(self.open(start, "text"));
                    }
                    self.step();
                    let open = self.at;
                    self.group(open)?;
                    self.depth -= 1;
                }
                Some(c) => {
                    text.push(c);
                    self.step();
                }
            }
        }
        self.step();
        Ok(whole.then_some(text))
    }

    fn object(&mut self) -> Parsed<Value> {
        let start = self.at;
        self.step();
        let mut entries = Vec::new();
        loop {
            self.blanks(true);
            match self.peek() {
                None => return Err(self.open(start, "object")),
                Some('}') => {
                    self.step();
                    return Ok(Value::Mapping(entries));
                }
                Some(',') => self.step(),
                Some(_) => entries.extend(self.entry()?),
            }
        }
    }

    /// `NAME: VALUE`; a nested resource or a spread is skipped.
    fn entry(&mut self) -> Parsed<Option<(Key, Yaml)>> {
        let start = self.at;
        let (text, span) = match self.peek() {
            Some('\'') => {
                let text = self.string()?.unwrap_or_default();
                (text, Span { start, end: self.at })
            }
            _ => {
                let (word, span) = self.word();
                (word.to_string(), span)
            }
        };
        self.blanks(false);
        if self.takes(":") {
            self.blanks(true);
            let value = self.value()?;
            return Ok(Some((Key { text, span }, value)));
        }
        self.skip(start)?;
        if self.at == start || matches!(self.peek(), Some(']' | ')')) {
            self.step();
        }
        Ok(None)
    }

    /// A list of values; `None` for one that is made by `for`.
    fn list(&mut self) -> Parsed<Option<Value>> {
        let start = self.at;
        self.step();
        self.blanks(true);
        if self.rest().starts_with("for ") {
            self.at = start;
            self.group(start)?;
            return Ok(None);
        }
        let mut items = Vec::new();
        loop {
            self.blanks(true);
            match self.peek() {
                None => return Err(self.open(start, "list")),
                Some(']') => {
                    self.step();
                    return Ok(Some(Value::Sequence(items)));
                }
                Some(',' | '}' | ')') => self.step(),
                Some(_) => items.push(self.value()?),
            }
        }
    }
}

/// The field under which a resource keeps the name that the file has for it.
pub(super) const SYMBOL: &str = "symbolic name";
/// How a name that stands alone is written as an expression.
pub(super) const NAME: &str = "name";
