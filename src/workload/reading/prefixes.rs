//! Prefixes that container runtimes, kubectl, compose and syslog write before each line of a program.

use std::borrow::Cow;
use std::ops::Range;

use serde::Deserialize;

use super::formats::{FORMATS, log_format, recognise};
use super::lines::MAX_LINE_BYTES;
use super::logfmt::begins_with_pairs;
use super::open::{TraceInput, head_lines};
use super::options::TraceOptions;
use crate::workload::time::text::{TimeFormat, TimeReader};

/// The name of a field that no line has: the time in the prefix.
pub(super) const PREFIX_TIME: &str = "prefix_time";

/// A kind of prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prefix {
    /// `{"log":"...\n","stream":"stdout","time":"..."}` of Docker's json-file driver.
    DockerJson,
    /// `2026-03-02T10:00:00.123456789Z stdout F ` of the Kubernetes container runtime interface; `P` marks a partial
    /// line.
    Cri,
    /// `[pod/web-abc/web] ` of `kubectl logs --prefix`.
    Kubectl,
    /// `web-1  | ` of `docker compose logs`.
    Compose,
    /// `2026/03/02 10:00:00.123<tab>INFO<tab>name<tab>message<tab>` before an object: the console format of zap, used
    /// by Caddy.
    Console,
    /// `<34>1 2026-03-02T10:00:00Z host app pid id - ` (RFC 5424).
    Syslog,
    /// `Mar  2 10:00:00 host proc[pid]: ` (RFC 3164).
    BsdSyslog,
    /// `2026-03-02T10:00:00+00:00 host proc[pid]: ` of rsyslog, without the host of Heroku.
    TimedTag,
    /// `2026-03-02T10:00:00.123456789Z ` of `kubectl logs --timestamps` and `docker logs --timestamps`.
    Time,
}

/// A prefix of a line.
struct Before {
    /// Offset of the line itself.
    end: usize,
    /// Position of the time; empty if there is none.
    time: Range<usize>,
    /// Whether the line continues in the next one of the same stream.
    part: bool,
    /// The stream of the program.
    stream: u8,
}

impl Prefix {
    const ALL: [Prefix; 9] = [
        Prefix::DockerJson,
        Prefix::Cri,
        Prefix::Kubectl,
        Prefix::Compose,
        Prefix::Console,
        Prefix::Syslog,
        Prefix::BsdSyslog,
        Prefix::TimedTag,
        Prefix::Time,
    ];

    /// Its origin, for notes.
    const fn name(self) -> &'static str {
        match self {
            Prefix::DockerJson => "Docker's json-file",
            Prefix::Cri => "CRI (time, stream and F or P)",
            Prefix::Kubectl => "`kubectl logs --prefix`",
            Prefix::Compose => "docker compose",
            Prefix::Console => "zap's console (time, level and message)",
            Prefix::Syslog | Prefix::BsdSyslog | Prefix::TimedTag => "syslog (time, host and process)",
            Prefix::Time => "`--timestamps`",
        }
    }

    /// Whether the prefix is unmistakable.
    const fn is_certain(self) -> bool {
        matches!(self, Prefix::DockerJson | Prefix::Cri)
    }

    fn before(self, line: &[u8]) -> Option<Before> {
        let plain = |end: usize, time: Range<usize>| Some(Before { end, time, part: false, stream: 0 });
        match self {
            Prefix::DockerJson => {
                let docker = DockerLine::of(line)?;
                let part = !docker.log.ends_with('\n');
                Some(Before { end: 0, time: 0..0, part, stream: *docker.stream.as_bytes().last()? })
            }
            Prefix::Cri => behind_cri(line),
            Prefix::Kubectl => {
                let end = memchr::memmem::find(line, b"] ")? + 2;
                let name = line[..end].strip_prefix(b"[pod/")?;
                (!name.contains(&b' ') || memchr::memchr(b' ', name) == Some(name.len() - 1)).then_some(())?;
                plain(end, 0..0)
            }
            Prefix::Compose => {
                let name = line.iter().take_while(|c| c.is_ascii_alphanumeric() || b"-_.".contains(c)).count();
                let blanks = line[name..].iter().take_while(|c| **c == b' ').count();
                let bar = name + blanks;
                let sound = name > 0 && blanks > 0 && line.get(bar) == Some(&b'|');
                let end = if line.get(bar + 1) == Some(&b' ') { bar + 2 } else { bar + 1 };
                if sound { plain(end, 0..0) } else { None }
            }
            Prefix::Console => {
                let time = memchr::memchr(b'\t', line)?;
                TimeFormat::detect(&line[..time]).filter(|format| format.is_date())?;
                let object = memchr::memmem::find(line, b"\t{")? + 1;
                if line[..object].iter().filter(|c| **c == b'\t').count() >= 3 { plain(object, 0..time) } else { None }
            }
            Prefix::Syslog => behind_syslog(line),
            Prefix::BsdSyslog => {
                let open = match line.strip_prefix(b"<") {
                    Some(rest) => memchr::memchr(b'>', rest.get(..4)?)? + 2,
                    None => 0,
                };
                TimeReader::new(TimeFormat::Syslog, None).syslog_prefix(line.get(open..)?)?;
                plain(tag_end(line, open + 16)?, open..open + 15)
            }
            Prefix::TimedTag => {
                let time = time_at(line, 0)?;
                plain(tag_end(line, time + 1)?, 0..time)
            }
            Prefix::Time => {
                let time = time_at(line, 0)?;
                plain((line.get(time) == Some(&b' ')).then_some(time + 1)?, 0..time)
            }
        }
    }
}

/// The prefix of a line in the container runtime interface.
fn behind_cri(line: &[u8]) -> Option<Before> {
    let time = time_at(line, 0)?;
    let stream = line.get(time..)?;
    let end = [&b" stdout "[..], b" stderr "].into_iter().find(|name| stream.starts_with(name))?.len() + time;
    let tag = *line.get(end)?;
    // Tags may follow, separated by colons.
    let space = memchr::memchr(b' ', &line[end..]).map_or(line.len(), |at| end + at);
    let sound = matches!(tag, b'F' | b'P') && (space == end + 1 || line[end + 1] == b':');
    let part = tag == b'P';
    sound.then(|| Before { end: (space + 1).min(line.len()), time: 0..time, part, stream: line[time + 4] })
}

/// The prefix of a syslog line (RFC 5424).
fn behind_syslog(line: &[u8]) -> Option<Before> {
    // Message streams (RFC 6587) start with the length of the message.
    let open = line.iter().take_while(|c| c.is_ascii_digit()).count();
    let open = if open > 0 && line.get(open) == Some(&b' ') { open + 1 } else { 0 };
    let priority = memchr::memchr(b'>', line.get(open..open + 5)?).filter(|_| line[open] == b'<')?;
    let from = open + priority + 1;
    let time = line.get(from..)?.strip_prefix(b"1 ").map(|_| from + 2)?;
    let time = time..time_at(line, time)?;
    // Host, application, process, type of message.
    let mut at = time.end + 1;
    for _ in 0..4 {
        at += memchr::memchr(b' ', line.get(at..)?)? + 1;
    }
    let end = match line.get(at)? {
        b'[' => at + memchr::memmem::find(&line[at..], b"] ")? + 2,
        // Heroku's drains omit the structured data.
        b'-' if matches!(line.get(at + 1), Some(b' ') | None) => (at + 2).min(line.len()),
        _ => at,
    };
    Some(Before { end, time, part: false, stream: 0 })
}

/// End of an RFC 3339 date and time that starts at `from`.
fn time_at(line: &[u8], from: usize) -> Option<usize> {
    let text = line.get(from..)?;
    let end = memchr::memchr(b' ', text.get(..text.len().min(40))?)?;
    let text = &text[..end];
    let sound = text.get(10) == Some(&b'T') && TimeReader::new(TimeFormat::Iso, None).read(text).is_some();
    sound.then_some(from + end)
}

/// Offset of the text after `host process[pid]: ` or `process[pid]: `.
fn tag_end(line: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    for _ in 0..2 {
        let end = at + memchr::memchr(b' ', line.get(at..)?)?;
        if end > at && line[end - 1] == b':' {
            return Some(end + 1);
        }
        at = end + 1;
    }
    None
}

/// A line of Docker's json-file.
#[derive(Deserialize)]
struct DockerLine<'a> {
    #[serde(borrow)]
    log: Cow<'a, str>,
    #[serde(borrow)]
    stream: Cow<'a, str>,
    #[serde(borrow)]
    time: Cow<'a, str>,
}

impl DockerLine<'_> {
    fn of(line: &[u8]) -> Option<DockerLine<'_>> {
        line.starts_with(b"{\"log\":\"").then(|| serde_json::from_slice(line).ok())?
    }
}

/// Offset of the program's text in a line of Docker's json-file.
const DOCKER_TEXT: usize = 8;

/// The column, from 1, in a line of Docker's json-file of byte `at` of its text.
fn docker_column(raw: &[u8], at: usize) -> usize {
    let (mut place, mut passed) = (DOCKER_TEXT, 0);
    while passed < at && place < raw.len() {
        // An escaped byte takes two, a Unicode escape six.
        place += match (raw[place], raw.get(place + 1)) {
            (b'\\', Some(b'u')) => 6,
            (b'\\', _) => 2,
            _ => 1,
        };
        passed += 1;
    }
    place.min(raw.len()) + 1
}

/// How the time in the prefix is inserted into a line that has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Insert {
    /// As the first field of an object, under this name.
    Field(&'static str),
    /// As the first pair of logfmt.
    Pair,
}

/// The prefixes of a file's lines, from left to right, and where their time is inserted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Prefixes {
    stages: Vec<Prefix>,
    insert: Option<Insert>,
}

/// Maximum number of nested prefixes.
const MOST: usize = 3;
/// Formats written by a program itself, before which prefixes are possible; other formats are not searched for
/// prefixes.
const OF_LINES: [&str; 11] =
    ["log-format", "haproxy", "envoy", "traefik", "caddy", "s3", "aws-nlb", "aws-elb", "access-log", "logfmt", "jsonl"];

impl Prefixes {
    /// Notes on how the file was interpreted.
    pub(super) fn note(&self) -> String {
        let names: Vec<&str> = self.stages.iter().map(|stage| stage.name()).collect();
        let names = names.join(" and of ");
        match self.insert {
            Some(Insert::Field("ts")) | None => {
                format!("each line stands behind the prefix of {names}, which is left out")
            }
            Some(_) => format!("the lines have no time of their own: that of the prefix of {names} is taken"),
        }
    }

    /// Whether the time that is used has no year.
    pub(crate) fn takes_time_without_year(&self) -> bool {
        let timed = |stage: &&Prefix| !matches!(stage, Prefix::Kubectl | Prefix::Compose);
        self.insert.is_some() && self.stages.iter().rev().find(timed) == Some(&Prefix::BsdSyslog)
    }

    /// The file without prefixes, if there are prefixes and a format recognises the rest.
    pub(crate) fn taken_off(input: &TraceInput, options: &TraceOptions) -> Option<TraceInput> {
        let mut stages: Vec<Prefix> = Vec::new();
        let (mut current, mut best) = (Cow::Borrowed(input), None);
        while stages.len() < MOST {
            let Some(stage) = first_of(&current) else { break };
            stages.push(stage);
            let own = if stage == Prefix::Console { Some(Insert::Field("ts")) } else { None };
            let bare = behind(input, &stages, own);
            let inserted = || {
                let line = head_lines(&bare, 20).find(|line| !line.is_empty())?;
                let insert = if line.starts_with(b"{") { Insert::Field(PREFIX_TIME) } else { Insert::Pair };
                let fits = line.starts_with(b"{") || begins_with_pairs(&bare);
                fits.then(|| behind(input, &stages, Some(insert))).filter(|input| is_known(input, options))
            };
            if is_known(&bare, options) {
                best = Some(bare.clone());
            } else if let Some(inserted) = inserted() {
                best = Some(inserted);
            }
            current = Cow::Owned(bare);
        }
        best.or_else(|| stages.first().filter(|stage| stage.is_certain()).map(|stage| behind(input, &[*stage], None)))
    }
}

/// The prefix of most of the first lines.
fn first_of(input: &TraceInput) -> Option<Prefix> {
    let lines: Vec<&[u8]> = head_lines(input, 50).filter(|line| !line.is_empty()).collect();
    let most = |prefix: &Prefix| {
        let fitting = lines.iter().filter(|line| prefix.before(line).is_some()).count();
        fitting > 0 && fitting * 5 >= lines.len() * 4
    };
    Prefix::ALL.into_iter().find(most)
}

fn is_known(input: &TraceInput, options: &TraceOptions) -> bool {
    let named = options.format.as_ref();
    let plugin = match named {
        Some(name) => FORMATS.iter().find(|plugin| plugin.name == name).filter(|p| (p.build.recognise)(input, options)),
        None => recognise(input, options),
    };
    plugin.is_some_and(|plugin| {
        OF_LINES.contains(&plugin.name) && (plugin.name != "log-format" || log_format::fits(input, options))
    })
}

/// The file with these prefixes removed.
fn behind(input: &TraceInput, stages: &[Prefix], insert: Option<Insert>) -> TraceInput {
    let prefixes = Prefixes { stages: stages.to_vec(), insert };
    let mut stripper = Stripper::new(&prefixes);
    let mut head = Vec::with_capacity(input.head.len());
    for (number, line) in (1..).zip(head_lines(input, usize::MAX)) {
        match stripper.take(line, number) {
            Taken::Part => continue,
            Taken::Rest(at) => head.extend_from_slice(&line[at..]),
            Taken::Made(_) => head.extend_from_slice(stripper.made()),
        }
        head.push(b'\n');
    }
    let mut taken = input.clone();
    (taken.head, taken.prefixes) = (head, Some(prefixes));
    taken
}

/// The rest of a line.
pub(super) enum Taken {
    /// A part of a line that continues.
    Part,
    /// The text from this offset on.
    Rest(usize),
    /// A joined text, which started on this line.
    Made(u64),
}

/// Removes prefixes from lines.
pub(super) struct Stripper {
    prefixes: Prefixes,
    made: Vec<u8>,
    spare: Vec<u8>,
    /// Parts of lines that continue: stream, first line, text.
    parts: Vec<(u8, u64, Vec<u8>)>,
    /// Offset of the last line's text in the line of the file, and number of characters inserted before it.
    shift: (usize, usize),
}

impl Stripper {
    pub(super) fn new(prefixes: &Prefixes) -> Self {
        let prefixes = prefixes.clone();
        Stripper { prefixes, made: Vec::new(), spare: Vec::new(), parts: Vec::new(), shift: (0, 0) }
    }

    /// The last joined text.
    pub(super) fn made(&self) -> &[u8] {
        &self.made
    }

    /// Converts a column of the last line to the column in the file's line `raw`, both from 1.
    pub(super) fn column(&self, column: u64, raw: &[u8]) -> u64 {
        let (begins, inserted) = self.shift;
        let at = begins + (column.saturating_sub(1) as usize).saturating_sub(inserted);
        let docker = self.prefixes.stages.first() == Some(&Prefix::DockerJson) && raw.starts_with(b"{");
        if docker { docker_column(raw, at) as u64 } else { at as u64 + 1 }
    }

    /// Processes a line of the file; one without the prefix is returned unchanged.
    pub(super) fn take(&mut self, line: &[u8], number: u64) -> Taken {
        self.shift = (0, 0);
        let (mut at, mut time, mut part) = (0, 0..0, None);
        let stages = std::mem::take(&mut self.prefixes.stages);
        let docker = stages.first() == Some(&Prefix::DockerJson);
        let mut inner = Cow::Borrowed(line);
        let mut written = Cow::Borrowed(&b""[..]);
        let mut sound = true;
        for stage in &stages {
            let Some(before) = stage.before(&inner[at..]) else {
                sound = false;
                break;
            };
            if *stage == Prefix::DockerJson {
                let Some(whole) = DockerLine::of(line) else { break };
                written = Cow::Owned(whole.time.as_bytes().to_vec());
                let text = whole.log.trim_end_matches(['\n', '\r']).as_bytes().to_vec();
                inner = Cow::Owned(text);
            } else if !before.time.is_empty() {
                time = at + before.time.start..at + before.time.end;
                written = Cow::Borrowed(&b""[..]);
            }
            if part.is_none() && stage.is_certain() {
                part = Some((before.part, before.stream));
            }
            at += before.end;
        }
        self.prefixes.stages = stages;
        if !sound && at == 0 && !docker {
            return Taken::Rest(0);
        }
        self.shift = (at, 0);
        let (goes_on, stream) = part.unwrap_or((false, 0));
        let held = self.parts.iter().position(|(of, ..)| *of == stream).filter(|_| part.is_some());
        if goes_on || held.is_some() {
            let index = held.unwrap_or_else(|| {
                self.parts.push((stream, number, Vec::new()));
                self.parts.len() - 1
            });
            self.parts[index].2.extend_from_slice(&inner[at..]);
            if goes_on && self.parts[index].2.len() <= MAX_LINE_BYTES {
                return Taken::Part;
            }
            let (_, first, text) = self.parts.swap_remove(index);
            self.spare = text;
            return self.put_together(None, written_or(&written, &inner, time), first);
        }
        if !docker && self.prefixes.insert.is_none() {
            return Taken::Rest(at);
        }
        self.put_together(Some(&inner[at..]), written_or(&written, &inner, time), number)
    }

    /// Parts of lines that were not continued.
    pub(super) fn rest(&mut self) -> Option<u64> {
        let (_, first, text) = self.parts.pop()?;
        self.spare = text;
        self.made.clear();
        self.made.extend_from_slice(&self.spare);
        Some(first)
    }

    /// The text, or the stored one, with the time inserted.
    fn put_together(&mut self, text: Option<&[u8]>, time: &[u8], line: u64) -> Taken {
        let text = text.unwrap_or(&self.spare);
        self.made.clear();
        let object = text.strip_prefix(b"{");
        let rest = match (self.prefixes.insert, object) {
            (Some(Insert::Field(name)), Some(rest)) if !time.is_empty() => {
                let comma = if rest.trim_ascii_start().starts_with(b"}") { "" } else { "," };
                self.made.extend_from_slice(format!("{{\"{name}\":\"").as_bytes());
                self.made.extend_from_slice(time);
                self.made.extend_from_slice(format!("\"{comma}").as_bytes());
                self.shift.1 = self.made.len() - 1;
                rest
            }
            (Some(Insert::Pair), _) if !time.is_empty() => {
                self.made.extend_from_slice(format!("{PREFIX_TIME}=\"").as_bytes());
                self.made.extend_from_slice(time);
                self.made.extend_from_slice(b"\" ");
                self.shift.1 = self.made.len();
                text
            }
            _ => text,
        };
        self.made.extend_from_slice(rest);
        Taken::Made(line)
    }
}

/// The time found by a stage, or its position in the line.
fn written_or<'a>(written: &'a [u8], inner: &'a [u8], time: Range<usize>) -> &'a [u8] {
    if written.is_empty() { inner.get(time).unwrap_or_default() } else { written }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn stripped(stages: &[Prefix], insert: Option<Insert>, lines: &[&str]) -> Vec<(u64, String)> {
        let mut stripper = Stripper::new(&Prefixes { stages: stages.to_vec(), insert });
        let mut found = Vec::new();
        for (number, line) in (1..).zip(lines) {
            match stripper.take(line.as_bytes(), number) {
                Taken::Part => {}
                Taken::Rest(at) => found.push((number, line[at..].to_string())),
                Taken::Made(first) => found.push((first, String::from_utf8(stripper.made().to_vec()).unwrap())),
            }
        }
        found.extend(stripper.rest().map(|line| (line, String::from_utf8(stripper.made().to_vec()).unwrap())));
        found
    }

    #[rstest]
    #[case(Prefix::Cri, "2026-03-02T10:00:00.123456789Z stdout F ")]
    #[case(Prefix::Cri, "2026-03-02T10:00:00.1+01:00 stderr F:x ")]
    #[case(Prefix::Kubectl, "[pod/web-7d4b9c-abcde/nginx] ")]
    #[case(Prefix::Compose, "web-1  | ")]
    #[case(Prefix::Syslog, "<158>1 2026-03-02T10:00:00+00:00 host heroku router - ")]
    #[case(Prefix::Syslog, "83 <40>1 2026-03-02T10:00:00+00:00 host app web.1 - - ")]
    #[case(Prefix::Syslog, "<34>1 2026-03-02T10:00:00.003Z mail su 77 ID47 [a@1 b=\"c\"] ")]
    #[case(Prefix::BsdSyslog, "Mar  2 10:00:00 host proc[1234]: ")]
    #[case(Prefix::BsdSyslog, "<30>Mar 12 10:00:00 proc: ")]
    #[case(Prefix::TimedTag, "2026-03-02T10:00:00.123456+00:00 heroku[router]: ")]
    #[case(Prefix::TimedTag, "2026-03-02T10:00:00.123456+00:00 lb1 nginx: ")]
    #[case(Prefix::Time, "2026-03-02T10:00:00.123456789Z ")]
    fn what_stands_before_lines_is_taken_off(#[case] prefix: Prefix, #[case] before: &str) {
        let line = format!("{before}GET /a");
        assert_eq!(stripped(&[prefix], None, &[&line]), [(1, "GET /a".to_string())]);
        assert_eq!(stripped(&[prefix], None, &["GET /a"]), [(1, "GET /a".to_string())]);
        // Truncated anywhere, it must not panic.
        (0..before.len()).for_each(|end| assert_eq!(stripped(&[prefix], None, &[&before[..end]]).len(), 1));
    }

    #[test]
    fn parts_are_joined_stream_by_stream() {
        let lines = [
            "2026-03-02T10:00:00Z stdout P {\"a\":",
            "2026-03-02T10:00:00Z stderr F oops",
            "2026-03-02T10:00:00Z stdout F 1}",
            "2026-03-02T10:00:00Z stdout P left",
        ];
        let found = stripped(&[Prefix::Cri], None, &lines);
        assert_eq!(found, [(2, "oops".into()), (1, "{\"a\":1}".into()), (4, "left".to_string())]);
    }

    #[test]
    fn docker_lines_are_unescaped_and_joined() {
        let lines = [
            r#"{"log":"{\"a\":\"x\ty\"}\n","stream":"stdout","time":"2026-03-02T10:00:00.5Z"}"#,
            r#"{"log":"first ","stream":"stdout","time":"2026-03-02T10:00:01Z"}"#,
            r#"{"log":"second\r\n","stream":"stdout","time":"2026-03-02T10:00:01Z"}"#,
        ];
        let found = stripped(&[Prefix::DockerJson], None, &lines);
        assert_eq!(found, [(1, "{\"a\":\"x\ty\"}".into()), (2, "first second".to_string())]);
        let found = stripped(&[Prefix::DockerJson], Some(Insert::Field(PREFIX_TIME)), &lines[..1]);
        assert_eq!(found[0].1, "{\"prefix_time\":\"2026-03-02T10:00:00.5Z\",\"a\":\"x\ty\"}");
    }

    #[test]
    fn the_time_goes_into_lines_without_one() {
        let of = |insert: Insert, line: &str| stripped(&[Prefix::Cri], Some(insert), &[line])[0].1.clone();
        let cri = "2026-03-02T10:00:00Z stdout F ";
        assert_eq!(of(Insert::Pair, &format!("{cri}a=1")), "prefix_time=\"2026-03-02T10:00:00Z\" a=1");
        assert_eq!(of(Insert::Field("t"), &format!("{cri}{{}}")), "{\"t\":\"2026-03-02T10:00:00Z\"}");
        assert_eq!(of(Insert::Field("t"), &format!("{cri}x")), "x");
        let two = [Prefix::Kubectl, Prefix::Time];
        let line = "[pod/a/b] 2026-03-02T10:00:00Z a=1";
        assert_eq!(stripped(&two, Some(Insert::Pair), &[line])[0].1, "prefix_time=\"2026-03-02T10:00:00Z\" a=1");
    }

    #[test]
    fn columns_are_those_of_the_file() {
        let mut stripper = Stripper::new(&Prefixes { stages: vec![Prefix::Compose], insert: None });
        assert!(matches!(stripper.take(b"web-1  | abc", 1), Taken::Rest(9)));
        assert_eq!(stripper.column(2, b"web-1  | abc"), 11);
        let docker = br#"{"log":"a\"b c\n","stream":"stdout","time":"2026-03-02T10:00:00Z"}"#;
        let mut stripper = Stripper::new(&Prefixes { stages: vec![Prefix::DockerJson], insert: None });
        assert!(matches!(stripper.take(docker, 1), Taken::Made(1)));
        assert_eq!((stripper.made(), stripper.column(5, docker)), (&b"a\"b c"[..], 14));
        assert_eq!(docker[13], b'c');
    }
}
