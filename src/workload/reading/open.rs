//! Opens a trace file, plain or compressed; the compression is recognised from its content.

use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::prefixes::Prefixes;
use super::tar;
use crate::config::spool;
use crate::workload::error::TraceError;

/// The compression of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// None.
    Plain,
    /// gzip (RFC 1952), of one or more members.
    Gzip,
    /// Zstandard (RFC 8878).
    Zstd,
    /// bzip2, of one or more streams.
    Bzip2,
}

impl Packing {
    /// The usual name of the compression.
    pub const fn name(self) -> &'static str {
        match self {
            Packing::Plain => "plain",
            Packing::Gzip => "gzip",
            Packing::Zstd => "zstd",
            Packing::Bzip2 => "bzip2",
        }
    }

    /// Decompresses a stream.
    fn unpack(self, stream: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
        if self == Packing::Plain {
            return Ok(stream);
        }
        let taken = Arc::new(AtomicU64::new(0));
        let counted = BufReader::with_capacity(128 << 10, Counted { inner: stream, taken: Arc::clone(&taken) });
        let decoder: Box<dyn Read + Send> = match self {
            Packing::Plain => Box::new(counted),
            Packing::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(counted)),
            Packing::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(counted)?),
            Packing::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(counted)),
        };
        Ok(Box::new(Guarded { decoder, taken, given: 0 }))
    }

    /// Recognises the compression by the magic numbers of the formats.
    fn of(magic: &[u8]) -> Packing {
        match magic {
            [0x1f, 0x8b, ..] => Packing::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Packing::Zstd,
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, ..] => Packing::Bzip2,
            _ => Packing::Plain,
        }
    }
}

/// A file in an archive: its index among the nonempty files, and its own compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Member {
    number: usize,
    packing: Packing,
}

/// The beginning of a binary `simulation.log`: a zero, then the version as a string preceded by its length in four
/// bytes.
fn is_gatling(head: &[u8]) -> bool {
    let [0, 0, 0, 0, length @ 3..=40, rest @ ..] = head else { return false };
    let version = rest.get(..usize::from(*length)).unwrap_or_default();
    version.first().is_some_and(u8::is_ascii_digit)
        && version.contains(&b'.')
        && version.iter().all(u8::is_ascii_graphic)
}

/// Maximum number of files in an archive: each is searched from the beginning of the archive.
const MAX_MEMBERS: usize = 1_000;

/// A trace file that exists and whose first bytes were read.
#[derive(Debug, Clone)]
pub struct TraceInput {
    /// Its path.
    pub path: PathBuf,
    /// Its name in messages: the path as the user gave it.
    pub name: String,
    /// Its compression.
    pub packing: Packing,
    /// The file in an archive, if it is one.
    member: Option<Member>,
    /// The first bytes of the decompressed content, without a byte-order mark; at most [`TraceInput::HEAD_BYTES`].
    pub head: Vec<u8>,
    /// Whether `head` is the complete content.
    pub head_is_all: bool,
    /// Removes the prefix of each line, from `head` and in readers of lines.
    pub(crate) prefixes: Option<Prefixes>,
    /// Error at which the head ends early: damaged compressed data. A reader meets the same error at that position.
    pub damage: Option<TraceError>,
}

impl TraceInput {
    /// Number of bytes read to recognise the format.
    pub const HEAD_BYTES: usize = 64 << 10;

    /// Opens `path` and reads its first bytes; for an archive, those of the single file in it.
    ///
    /// # Errors
    /// If it is missing, not a regular file, empty, or compressed or encoded in an unsupported way; also for an archive
    /// of several files.
    pub fn probe(path: &Path) -> Result<Self, TraceError> {
        let mut inputs = Self::probe_all(path)?;
        match inputs.len() {
            1 => Ok(inputs.swap_remove(0)),
            several => {
                Err(TraceError::new(spool::name_of(path), format!("is an archive of {several} files; expected one"))
                    .help("unpack it and give one of its files"))
            }
        }
    }

    /// Opens `path` and reads its first bytes; for an archive, those of each file in it.
    ///
    /// # Errors
    /// Those of [`TraceInput::probe`].
    pub fn probe_all(path: &Path) -> Result<Vec<Self>, TraceError> {
        let name = spool::name_of(path);
        check_file(path, &name)?;
        let fail = |error: io::Error| TraceError::new(name.as_str(), error.to_string());
        let packing = Packing::of(&magic(path).map_err(fail)?);
        let path = path.to_path_buf();
        let mut input = TraceInput {
            path,
            name,
            packing,
            member: None,
            head: Vec::new(),
            head_is_all: false,
            prefixes: None,
            damage: None,
        };
        input.look()?;
        if tar::is_archive(&input.head) {
            return input.members();
        }
        input.check_encoding()?;
        Ok(vec![input])
    }

    /// Reads the first bytes of the content.
    fn look(&mut self) -> Result<(), TraceError> {
        let mut head = Vec::with_capacity(Self::HEAD_BYTES);
        let read = self.stream()?.take(Self::HEAD_BYTES as u64).read_to_end(&mut head);
        if let Err(error) = read {
            let error = read_error(&self.name, &error);
            if head.is_empty() {
                return Err(error);
            }
            self.damage = Some(error);
        }
        self.head_is_all = head.len() < Self::HEAD_BYTES;
        self.head = head;
        Ok(())
    }

    /// The files of the archive.
    fn members(&self) -> Result<Vec<Self>, TraceError> {
        let mut archive = tar::Archive::new(self.unpacked()?);
        let failed = |error: io::Error| read_error(&self.name, &error);
        let mut found = Vec::new();
        while let Some(entry) = archive.next().map_err(failed)? {
            let mut magic = Vec::new();
            archive.by_ref().take(8).read_to_end(&mut magic).map_err(failed)?;
            let member = Member { number: found.len(), packing: Packing::of(&magic) };
            let name = format!("{}/{}", self.name, entry.name);
            found.push(TraceInput { name, member: Some(member), head: Vec::new(), damage: None, ..self.clone() });
            if found.len() > MAX_MEMBERS {
                return Err(TraceError::new(self.name.as_str(), "is an archive of more than 1,000 files")
                    .help("unpack it and name them by a pattern"));
            }
        }
        for input in &mut found {
            input.look()?;
            input.check_encoding()?;
        }
        if found.is_empty() {
            return Err(TraceError::new(self.name.as_str(), "is an archive without a file that holds anything"));
        }
        Ok(found)
    }

    /// Whether the content is an Apache Parquet file.
    pub fn is_parquet(&self) -> bool {
        self.head.starts_with(b"PAR1")
    }

    /// A new stream of the decompressed content, from its start, without a byte-order mark.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub fn stream(&self) -> Result<Box<dyn Read + Send>, TraceError> {
        let unpacked = self.unpacked()?;
        let failed = |error: io::Error| read_error(&self.name, &error);
        let Some(member) = self.member else { return skip_mark(unpacked).map_err(failed) };
        let mut archive = tar::Archive::new(unpacked);
        for _ in 0..=member.number {
            if archive.next().map_err(failed)?.is_none() {
                return Err(TraceError::new(self.name.as_str(), "is not in the archive any more"));
            }
        }
        let unpacked = member.packing.unpack(Box::new(archive)).map_err(failed)?;
        skip_mark(unpacked).map_err(failed)
    }

    /// The file itself, decompressed.
    fn unpacked(&self) -> Result<Box<dyn Read + Send>, TraceError> {
        let fail = |error: io::Error| TraceError::new(self.name.as_str(), error.to_string());
        let file = spool::open(&self.path).map_err(fail)?;
        self.packing.unpack(file).map_err(fail)
    }

    /// Rejects content that is certainly neither text nor Parquet.
    fn check_encoding(&self) -> Result<(), TraceError> {
        let fail = |message: &str, help: &str| Err(TraceError::new(self.name.as_str(), message).help(help));
        if self.is_parquet() {
            return match (self.packing, self.member) {
                (Packing::Plain, None) => Ok(()),
                (packing, None) => {
                    fail("is Parquet inside another packing", &format!("unpack the {} first", packing.name()))
                }
                _ => fail("is Parquet inside an archive", "unpack the archive first"),
            };
        }
        match self.head.as_slice() {
            [] if self.packing == Packing::Plain => return fail("is empty; expected a trace", "check what writes it"),
            [] => return fail("is empty once unpacked; expected a trace", "check how the file was made"),
            [b'P', b'K', 3, 4, ..] if memchr::memmem::find(&self.head, b"[Content_Types].xml").is_some() => {
                return fail("is a workbook of a spreadsheet; expected a trace", "save its sheet as CSV");
            }
            [b'P', b'K', 3 | 5, 4 | 6, ..] => {
                return fail("is a ZIP archive; expected a trace", "unpack it and give one of its files");
            }
            [0xfd, b'7', b'z', b'X', b'Z', ..] => {
                return fail("is compressed with xz, which is not supported", "repack it with gzip, zstd or bzip2");
            }
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
                return fail("is UTF-16 text; expected UTF-8", "convert it: `iconv -f UTF-16 -t UTF-8`");
            }
            _ => {}
        }
        match memchr::memchr(0, &self.head) {
            Some(_) if is_gatling(&self.head) => fail(
                "is a binary log of Gatling (3.12 or later), which only Gatling reads",
                "turn it into a table with a converter built on Gatling's own reader, such as gatling-log-parser, and name the table's \
                 columns: `columns: { time: ..., demand: ... }`",
            ),
            Some(_) => fail(
                "is binary; expected text or Parquet, plain or packed with gzip, zstd or bzip2",
                "see `plimsoll list formats`",
            ),
            None => Ok(()),
        }
    }
}

/// Rejects a path that is not a file.
fn check_file(path: &Path, name: &str) -> Result<(), TraceError> {
    if spool::is_stream(path) {
        return Ok(());
    }
    let fail = |message: String| TraceError::new(name, message);
    let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            fail("no such file".into()).help("paths in a scenario start from the scenario's directory")
        }
        io::ErrorKind::PermissionDenied => fail("permission denied".into()),
        _ => fail(error.to_string()),
    })?;
    if metadata.is_dir() {
        return Err(fail("is a directory; expected a trace file".into())
            .help("give the path of one file in it, or a pattern such as `access.log*`"));
    }
    if metadata.len() == 0 && metadata.is_file() {
        return Err(fail("is empty; expected a trace".into()));
    }
    Ok(())
}

fn magic(path: &Path) -> io::Result<Vec<u8>> {
    let mut magic = Vec::new();
    spool::open(path)?.take(8).read_to_end(&mut magic)?;
    Ok(magic)
}

/// Removes a UTF-8 byte-order mark.
fn skip_mark(mut stream: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    let mut first = Vec::with_capacity(3);
    stream.by_ref().take(3).read_to_end(&mut first)?;
    if first == [0xef, 0xbb, 0xbf] {
        return Ok(stream);
    }
    Ok(Box::new(io::Cursor::new(first).chain(stream)))
}

/// Converts an input/output error to a trace error.
pub(super) fn read_error(file: &str, error: &io::Error) -> TraceError {
    if error.get_ref().is_some_and(|inner| inner.is::<Bomb>()) {
        return TraceError::new(file, error.to_string()).help("if it is a real trace, unpack it first");
    }
    if error.kind() == io::ErrorKind::UnexpectedEof || error.to_string().contains("incomplete frame") {
        return TraceError::new(file, "the compressed data end early; expected the end of the archive")
            .help("the file is truncated: copy it again");
    }
    TraceError::new(file, format!("cannot be read further: {error}")).help("the file may be damaged: copy it again")
}

/// Counts the bytes read from the compressed file.
struct Counted<R> {
    inner: R,
    taken: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.taken.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// Stops decompression with an extreme ratio.
struct Guarded {
    decoder: Box<dyn Read + Send>,
    taken: Arc<AtomicU64>,
    given: u64,
}

/// Size to which any file may decompress, whatever its ratio.
const FREE_BYTES: u64 = 1 << 30;
/// Logs compress 10 to 100 times; a file of zeros 1,000 times with gzip and far more with zstd and bzip2.
const MAX_RATIO: u64 = 500;

impl Read for Guarded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.decoder.read(buffer)?;
        self.given += n as u64;
        if self.given > FREE_BYTES && self.given / MAX_RATIO > self.taken.load(Ordering::Relaxed) {
            return Err(io::Error::other(Bomb));
        }
        Ok(n)
    }
}

#[derive(Debug)]
struct Bomb;

impl std::fmt::Display for Bomb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "unpacks to more than {MAX_RATIO} times its size and more than 1 GiB; expected a trace")
    }
}

impl std::error::Error for Bomb {}

/// The complete lines at the beginning.
pub(super) fn head_lines(input: &TraceInput, most: usize) -> impl Iterator<Item = &[u8]> {
    let whole = match memchr::memrchr(b'\n', &input.head) {
        Some(last) if !input.head_is_all => &input.head[..last],
        _ => &input.head[..],
    };
    whole.split(|c| *c == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)).take(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `given` bytes through the guard of a file of which `taken` bytes were read.
    fn unpack(taken: u64, given: u64) -> io::Result<u64> {
        let decoder = Box::new(io::repeat(b'\n').take(given));
        let mut guarded = Guarded { decoder, taken: Arc::new(AtomicU64::new(taken)), given: 0 };
        io::copy(&mut guarded, &mut io::sink())
    }

    #[test]
    fn a_bomb_is_stopped_and_a_well_packed_log_is_not() {
        let gib = 1 << 30;
        assert!(unpack(1, gib).is_ok(), "small files may unpack to anything");
        assert!(unpack(gib / 100, gib + gib / 2).is_ok(), "a hundredfold is nothing unusual");
        let error = read_error("x.gz", &unpack(gib / 1000, gib + gib / 2).unwrap_err());
        assert!(error.message.contains("unpacks to more than 500 times"), "{error}");
    }
}
