//! Opening a trace file: plain or packed, recognised by its content.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::TraceError;

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    Plain,
    /// gzip (RFC 1952), of one or more members.
    Gzip,
    /// Zstandard (RFC 8878).
    Zstd,
    /// bzip2, of one or more streams.
    Bzip2,
}

impl Packing {
    /// The packing's usual name.
    pub const fn name(self) -> &'static str {
        match self {
            Packing::Plain => "plain",
            Packing::Gzip => "gzip",
            Packing::Zstd => "zstd",
            Packing::Bzip2 => "bzip2",
        }
    }

    /// By the first bytes of the file: the magic numbers of the three formats.
    fn of(magic: &[u8]) -> Packing {
        match magic {
            [0x1f, 0x8b, ..] => Packing::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Packing::Zstd,
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, ..] => Packing::Bzip2,
            _ => Packing::Plain,
        }
    }
}

/// A trace file that exists and whose first bytes have been seen.
#[derive(Debug, Clone)]
pub struct TraceInput {
    /// Where it is.
    pub path: PathBuf,
    /// Its name in messages: the path as the user gave it.
    pub name: String,
    /// How it is packed.
    pub packing: Packing,
    /// The first bytes of the unpacked content, without a byte-order mark; at most [`TraceInput::HEAD_BYTES`].
    pub head: Vec<u8>,
    /// Whether `head` is all there is.
    pub head_is_all: bool,
    /// Why the head ends early: damaged packed data. A reader meets the same error at its place.
    pub damage: Option<TraceError>,
}

impl TraceInput {
    /// How much of the content is looked at to recognise the format.
    pub const HEAD_BYTES: usize = 64 << 10;

    /// Opens `path` and looks at its first bytes.
    ///
    /// # Errors
    /// If it is missing, no regular file, empty, or packed or encoded in a way that cannot be read.
    pub fn probe(path: &Path) -> Result<Self, TraceError> {
        let name = path.display().to_string();
        let fail = |message: String| TraceError::new(name.as_str(), message);
        let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                fail("no such file".into()).help("paths in a scenario start from the scenario's directory")
            }
            io::ErrorKind::PermissionDenied => fail("permission denied".into()),
            _ => fail(error.to_string()),
        })?;
        if metadata.is_dir() {
            return Err(fail("is a directory; expected a trace file".into()).help("give the path of one file in it"));
        }
        if metadata.len() == 0 && metadata.is_file() {
            return Err(fail("is empty; expected a trace".into()));
        }
        let packing = Packing::of(&magic(path).map_err(|error| fail(error.to_string()))?);
        let mut input =
            TraceInput { path: path.into(), name, packing, head: Vec::new(), head_is_all: false, damage: None };
        let mut head = Vec::with_capacity(Self::HEAD_BYTES);
        let stream = input.stream()?;
        let read = stream.take(Self::HEAD_BYTES as u64).read_to_end(&mut head);
        if let Err(error) = read {
            let error = read_error(&input.name, &error);
            if head.is_empty() {
                return Err(error);
            }
            input.damage = Some(error);
        }
        input.head_is_all = head.len() < Self::HEAD_BYTES;
        input.head = head;
        input.check_encoding()?;
        Ok(input)
    }

    /// Whether the content is an Apache Parquet file.
    pub fn is_parquet(&self) -> bool {
        self.head.starts_with(b"PAR1")
    }

    /// A fresh stream of the unpacked content, from its start, without a byte-order mark.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub fn stream(&self) -> Result<Box<dyn Read + Send>, TraceError> {
        let fail = |error: io::Error| TraceError::new(self.name.as_str(), error.to_string());
        let file = File::open(&self.path).map_err(fail)?;
        let taken = Arc::new(AtomicU64::new(0));
        let counted = BufReader::with_capacity(128 << 10, Counted { inner: file, taken: Arc::clone(&taken) });
        let guard = |decoder: Box<dyn Read + Send>| Box::new(Guarded { decoder, taken, given: 0 });
        let unpacked: Box<dyn Read + Send> = match self.packing {
            Packing::Plain => Box::new(counted.into_inner()),
            Packing::Gzip => guard(Box::new(flate2::bufread::MultiGzDecoder::new(counted))),
            Packing::Zstd => guard(Box::new(zstd::stream::read::Decoder::with_buffer(counted).map_err(fail)?)),
            Packing::Bzip2 => guard(Box::new(bzip2::bufread::MultiBzDecoder::new(counted))),
        };
        skip_mark(unpacked).map_err(|error| read_error(&self.name, &error))
    }

    /// Refuses what is surely no text and no Parquet.
    fn check_encoding(&self) -> Result<(), TraceError> {
        let fail = |message: &str, help: &str| Err(TraceError::new(self.name.as_str(), message).help(help));
        if self.is_parquet() {
            return match self.packing {
                Packing::Plain => Ok(()),
                packing => fail("is Parquet inside another packing", &format!("unpack the {} first", packing.name())),
            };
        }
        match self.head.as_slice() {
            [] => return fail("is empty once unpacked; expected a trace", "check how the file was made"),
            [b'P', b'K', 3 | 5, 4 | 6, ..] => {
                return fail("is a ZIP archive; expected a trace", "unpack it and give one of its files");
            }
            [0xfd, b'7', b'z', b'X', b'Z', ..] => {
                return fail("is packed with xz, which is not read", "repack it with gzip, zstd or bzip2");
            }
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
                return fail("is UTF-16 text; expected UTF-8", "convert it: `iconv -f UTF-16 -t UTF-8`");
            }
            _ => {}
        }
        match memchr::memchr(0, &self.head) {
            Some(_) => fail(
                "is binary; expected text or Parquet, plain or packed with gzip, zstd or bzip2",
                "see `plimsoll list formats`",
            ),
            None => Ok(()),
        }
    }
}

fn magic(path: &Path) -> io::Result<Vec<u8>> {
    let mut magic = Vec::new();
    File::open(path)?.take(8).read_to_end(&mut magic)?;
    Ok(magic)
}

/// Drops a UTF-8 byte-order mark.
fn skip_mark(mut stream: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    let mut first = Vec::with_capacity(3);
    stream.by_ref().take(3).read_to_end(&mut first)?;
    if first == [0xef, 0xbb, 0xbf] {
        return Ok(stream);
    }
    Ok(Box::new(io::Cursor::new(first).chain(stream)))
}

/// An input/output error in the words of this module.
pub(super) fn read_error(file: &str, error: &io::Error) -> TraceError {
    if error.get_ref().is_some_and(|inner| inner.is::<Bomb>()) {
        return TraceError::new(file, error.to_string()).help("if it is a real trace, unpack it first");
    }
    if error.kind() == io::ErrorKind::UnexpectedEof || error.to_string().contains("incomplete frame") {
        return TraceError::new(file, "the packed data break off early; expected the end of the archive")
            .help("the file is truncated: copy it again");
    }
    TraceError::new(file, format!("cannot be read on: {error}")).help("the file may be damaged: copy it again")
}

/// Counts what is taken from the packed file.
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

/// Stops a decoder that gives absurdly more than it takes.
struct Guarded {
    decoder: Box<dyn Read + Send>,
    taken: Arc<AtomicU64>,
    given: u64,
}

/// What any file may unpack to, whatever its ratio.
const FREE_BYTES: u64 = 1 << 30;
/// Logs pack 10 to 100 times smaller; a file of zeros 1,000 times with gzip and far more with zstd and bzip2.
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
