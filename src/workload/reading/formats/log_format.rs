//! Access logs whose lines follow a stated nginx `log_format` or Apache `LogFormat`.

use memchr::memmem::Finder;

use super::super::cells::{RowMaker, RowValues};
use super::super::lines::{RowFault, TextReader};
use super::super::rows::Rows;
use super::super::table::{ByLayout, Layout};
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::workload::error::TraceError;
use crate::workload::reading::header::Header;
use crate::workload::reading::open::{TraceInput, head_lines};
use crate::workload::reading::options::{Columns, TraceOptions};

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "log-format",
    summary: "access log whose nginx `log_format` (with $request_time, arrival = time - that) or Apache `LogFormat` is stated as \
              `log-format:`",
    source: "nginx ngx_http_log_module (log_format) and ngx_http_core_module (variables); Apache httpd mod_log_config",
    build: FormatBuilder {
        recognise: |_, options| options.log_format.is_some(),
        open: |input, options| Ok(Box::new(open(input, options)?)),
    },
};

fn open(input: &TraceInput, options: &TraceOptions) -> Result<TextReader<LogLines>, TraceError> {
    let fail = |message: String| TraceError::new(input.name.as_str(), message);
    let Some(text) = &options.log_format else {
        return Err(fail("how its lines are written is not said".into())
            .help("copy it from nginx.conf (`log-format: '$remote_addr [$time_local] ...'`) or httpd.conf ('%h %l %u %t ...')"));
    };
    let pattern =
        Pattern::of(text).map_err(|message| fail(message).help("copy it from nginx.conf or httpd.conf as it is"))?;
    let rows = head_lines(input, 200).filter_map(|line| pattern.texts(line)).collect();
    let header = Header { comments: 0, names: pattern.names.clone(), rows };
    let layout = Layout { quoted: false, ..Layout::of_fields(input, &reading(&pattern, options), &header)? };
    let maker = layout.maker(options);
    TextReader::open(input, options, 0, LogLines { pattern, layout, maker })
}

/// Whether the first line matches the stated format.
pub(in crate::workload) fn fits(input: &TraceInput, options: &TraceOptions) -> bool {
    let pattern = options.log_format.as_deref().and_then(|text| Pattern::of(text).ok());
    let line = head_lines(input, 20).find(|line| !line.is_empty());
    pattern.zip(line).is_some_and(|(pattern, line)| pattern.texts(line).is_some())
}

/// nginx logs a request when it ends: if the line states its duration, the arrival was that much earlier.
fn reading(pattern: &Pattern, options: &TraceOptions) -> TraceOptions {
    let mut columns: Columns = options.columns.clone();
    let has = |name: &str| pattern.names.iter().any(|known| known == name);
    if columns.time.is_empty() {
        let usual = ["msec", "time_iso8601", "time_local"];
        columns.time = usual.into_iter().find(|name| has(name)).map(str::to_string).into_iter().collect();
    }
    if columns.elapsed.is_none() && has("request_time") {
        columns.elapsed = Some("request_time".into());
    }
    TraceOptions { columns, ..options.clone() }
}

/// Converts Apache's `LogFormat` to nginx's notation: `%t`, which is in brackets, becomes `[$time_local]`, and other
/// directives keep their letter (`%>s` becomes `${s}`, `%{Referer}i` becomes `${Referer_i}`). Apache's `%t` is the
/// arrival time.
fn of_apache(text: &str) -> Result<String, String> {
    let text = text.replace("\\\"", "\"");
    let mut own = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('%') {
        own.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            own.push('%');
            rest = after;
            continue;
        }
        // Conditions on the status (`%!200,304`), and the choice of the original or final request (`<`, `>`).
        let after = after.trim_start_matches(|c: char| c.is_ascii_digit() || "!,<>".contains(c));
        let (argument, after) = match after.strip_prefix('{') {
            Some(braced) => braced.split_once('}').ok_or("a `%{` of the log format is not closed")?,
            None => ("", after),
        };
        let letters = if after.starts_with('^') { 3 } else { 1 };
        let directive = after.get(..letters).filter(|d| d.chars().all(|c| c.is_ascii_alphabetic() || c == '^'));
        let directive = directive.ok_or("a `%` of the log format names no directive")?;
        own.push_str(&match (argument, directive) {
            ("", "t") => "[${time_local}]".to_string(),
            ("sec" | "msec" | "usec" | "begin:sec" | "begin:msec" | "begin:usec", "t") => "${msec}".to_string(),
            (_, "t") => "${time_iso8601}".to_string(),
            ("", directive) => format!("${{{directive}}}"),
            (argument, directive) => format!("${{{argument}_{directive}}}"),
        });
        rest = &after[letters..];
    }
    own.push_str(rest);
    Ok(own)
}

/// A `log_format`: text, and variables with the text after each.
pub(in crate::workload) struct Pattern {
    lead: Vec<u8>,
    /// Names of the variables, without `$`.
    names: Vec<String>,
    /// The text after each variable; an empty one after the last means the end of the line.
    behind: Vec<Finder<'static>>,
}

impl Pattern {
    /// Parses a `log_format`, or an Apache `LogFormat`, which has `%` and no `$`. An error describes the mistake.
    pub(in crate::workload) fn of(text: &str) -> Result<Pattern, String> {
        let own = if text.contains('%') && !text.contains('$') { of_apache(text)? } else { text.to_string() };
        let mut parts = own.split('$');
        let lead = parts.next().unwrap_or_default().as_bytes().to_vec();
        let (mut names, mut texts) = (Vec::new(), Vec::new());
        for part in parts {
            let (name, behind) = match part.strip_prefix('{') {
                Some(braced) => braced.split_once('}').ok_or("a `${` of the log format is not closed")?,
                None => {
                    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
                    part.split_at(part.find(|c| !is_name(c)).unwrap_or(part.len()))
                }
            };
            if name.is_empty() {
                return Err("a `$` of the log format names no variable".into());
            }
            names.push(name.to_string());
            texts.push(behind.as_bytes());
        }
        match texts.split_last() {
            None => Err("the log format names no variable such as `$time_local`".into()),
            Some((_, before)) => match before.iter().position(|text| text.is_empty()) {
                Some(index) => Err(format!("there is no text between `${}` and `${}`", names[index], names[index + 1])),
                None => {
                    let behind = texts.iter().map(|text| Finder::new(text).into_owned()).collect();
                    Ok(Pattern { lead, names, behind })
                }
            },
        }
    }

    /// The fields of a line in order, with their offsets; an error is the offset at which expected text is missing.
    fn fields<'a>(&'a self, line: &'a [u8]) -> impl Iterator<Item = Result<(usize, &'a [u8]), usize>> {
        let mut at = if line.starts_with(&self.lead) { Some(self.lead.len()) } else { None };
        self.behind.iter().map(move |behind| {
            let start = at.ok_or(0usize)?;
            let rest = &line[start..];
            let length = if behind.needle().is_empty() { Some(rest.len()) } else { behind.find(rest) };
            let length = length.ok_or(start)?;
            at = Some(start + length + behind.needle().len());
            Ok((start, &rest[..length]))
        })
    }

    fn texts(&self, line: &[u8]) -> Option<Vec<String>> {
        let text = |field: Result<(usize, &[u8]), usize>| Some(String::from_utf8_lossy(field.ok()?.1).into_owned());
        self.fields(line).map(text).collect()
    }
}

struct LogLines {
    pattern: Pattern,
    layout: Layout,
    maker: RowMaker,
}

impl ByLayout for LogLines {
    fn parse(&mut self, line: &[u8], rows: &mut Rows) -> Result<(), RowFault> {
        if line.is_empty() {
            return Ok(());
        }
        if !self.layout.checks.is_empty() {
            let cells: Vec<&[u8]> =
                self.pattern.fields(line).map_while(|field| field.ok().map(|(_, text)| text)).collect();
            if self.layout.checks.leave_out(cells.into_iter()) {
                return Ok(());
            }
        }
        let mut row = RowValues::default();
        let mut wanted = self.layout.wanted.iter().peekable();
        for (column, field) in self.pattern.fields(line).enumerate() {
            let (at, text) = field.map_err(|at| RowFault { at, expected: "a line as the log format says" })?;
            while let Some((_, role)) = wanted.next_if(|(wanted, _)| *wanted == column) {
                self.maker.cell(*role, text, &mut row).map_err(|expected| RowFault { at, expected })?;
            }
            if wanted.peek().is_none() {
                break;
            }
        }
        self.maker.push(row, &self.layout.wanted, rows).map_err(|expected| RowFault { at: 0, expected })
    }

    fn form(&self) -> (&Layout, &RowMaker) {
        (&self.layout, &self.maker)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_takes_a_line_apart() {
        let pattern = Pattern::of("$remote_addr [$time_local] \"$request\" ${status}x$request_time").unwrap();
        let fields = pattern.texts(b"::1 [16/Nov/2023:18:15:46 +0000] \"GET / [a] HTTP/1.1\" 200x0.250").unwrap();
        assert_eq!(fields, ["::1", "16/Nov/2023:18:15:46 +0000", "GET / [a] HTTP/1.1", "200", "0.250"]);
        assert_eq!(pattern.texts(b"::1 - no brackets"), None);
    }

    #[test]
    fn apache_directives_are_understood() {
        let pattern = Pattern::of(r#"%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" %D"#).unwrap();
        assert_eq!(pattern.names, ["h", "l", "u", "time_local", "r", "s", "b", "Referer_i", "D"]);
        let line = br#"::1 - frank [16/Nov/2023:18:15:46 +0000] "GET / HTTP/1.1" 200 17 "-" 1543"#;
        let fields = pattern.texts(line).unwrap();
        assert_eq!((fields[3].as_str(), fields[8].as_str()), ("16/Nov/2023:18:15:46 +0000", "1543"));
        assert_eq!(Pattern::of("%{msec}t %!200,304s 100%%").unwrap().names, ["msec", "s"]);
        assert!(Pattern::of("%t%{x").is_err() && Pattern::of("%t %").is_err() && Pattern::of("%h%t").is_ok());
    }

    #[test]
    fn a_pattern_that_cannot_be_taken_apart_is_refused() {
        for (text, message) in [
            ("no variables", "names no variable"),
            ("$a$b", "there is no text between `$a` and `$b`"),
            ("${a", "not closed"),
            ("$a $ $b", "names no variable"),
        ] {
            assert!(Pattern::of(text).is_err_and(|error| error.contains(message)), "{text}");
        }
    }
}
