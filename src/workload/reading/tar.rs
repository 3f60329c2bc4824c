//! The regular files in a tar archive (POSIX ustar, with the long names of GNU and pax), in the order of the archive.
//! Read as a stream: an archive may be compressed, and longer than memory.

use std::io::{self, Read};

const BLOCK: usize = 512;
/// Maximum length of a name.
const MAX_NAME: u64 = 64 << 10;

/// Whether decompressed content begins like an archive.
pub(super) fn is_archive(head: &[u8]) -> bool {
    head.get(257..262) == Some(b"ustar") && head.get(..BLOCK).is_some_and(checked)
}

/// The checksum of a header: the sum of its bytes, with those of the checksum itself taken as blanks.
fn checked(block: &[u8]) -> bool {
    let sum: u64 =
        block.iter().enumerate().map(|(at, c)| if (148..156).contains(&at) { 32 } else { u64::from(*c) }).sum();
    number(&block[148..156]) == Some(sum)
}

/// A number in octal digits, or in binary if its first bit is set.
fn number(field: &[u8]) -> Option<u64> {
    if field.first().is_some_and(|first| first & 0x80 != 0) {
        return field[1..].iter().try_fold(0u64, |value, c| value.checked_mul(256)?.checked_add(u64::from(*c)));
    }
    let digits: Vec<u8> = field.iter().copied().filter(|c| !matches!(c, 0 | b' ')).collect();
    digits.iter().try_fold(0u64, |value, c| (b'0'..=b'7').contains(c).then(|| value * 8 + u64::from(c - b'0')))
}

/// A file in the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) size: u64,
}

/// An archive that is read file by file.
pub(super) struct Archive<R> {
    stream: R,
    /// Unread bytes of the current file, and of the padding after it.
    left: u64,
    filling: u64,
}

impl<R: Read> Archive<R> {
    pub(super) fn new(stream: R) -> Self {
        Archive { stream, left: 0, filling: 0 }
    }

    /// Advances to the next nonempty regular file; `None` at the end.
    ///
    /// # Errors
    /// If the archive is truncated or damaged.
    pub(super) fn next(&mut self) -> io::Result<Option<Entry>> {
        let mut long_name = None;
        loop {
            skip(&mut self.stream, self.left + self.filling)?;
            let mut block = [0; BLOCK];
            self.stream.read_exact(&mut block)?;
            if block.iter().all(|c| *c == 0) {
                return Ok(None);
            }
            let size = number(&block[124..136]).filter(|_| checked(&block));
            let size = size.ok_or_else(|| io::Error::other("a header of the tar archive is damaged"))?;
            (self.left, self.filling) = (size, (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64);
            let name = text(&block[..100]);
            match block[156] {
                b'L' => long_name = Some(text(&self.small()?)),
                b'x' => long_name = path_of(&self.small()?).or(long_name),
                b'0' | 0 if size > 0 => {
                    let prefix = text(&block[345..500]);
                    let short = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
                    let name = long_name.take().unwrap_or(short);
                    // Metadata that macOS adds to each file.
                    if !name.rsplit('/').next().unwrap_or_default().starts_with("._") {
                        return Ok(Some(Entry { name, size }));
                    }
                }
                _ => long_name = None,
            }
        }
    }

    fn small(&mut self) -> io::Result<Vec<u8>> {
        if self.left > MAX_NAME {
            return Err(io::Error::other("a name in the tar archive is too long"));
        }
        let mut bytes = vec![0; self.left as usize];
        self.stream.read_exact(&mut bytes)?;
        self.left = 0;
        Ok(bytes)
    }
}

impl<R: Read> Read for Archive<R> {
    /// Reads from the current file.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = self.left.min(buffer.len() as u64) as usize;
        if most == 0 {
            return Ok(0);
        }
        match self.stream.read(&mut buffer[..most])? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            n => {
                self.left -= n as u64;
                Ok(n)
            }
        }
    }
}

fn skip(stream: &mut impl Read, bytes: u64) -> io::Result<()> {
    let skipped = io::copy(&mut stream.take(bytes), &mut io::sink())?;
    if skipped < bytes { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
}

fn text(field: &[u8]) -> String {
    let end = field.iter().position(|c| *c == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

/// `LENGTH path=NAME` among the records of a pax header.
fn path_of(records: &[u8]) -> Option<String> {
    let records = String::from_utf8_lossy(records).into_owned();
    records.lines().find_map(|record| Some(record.split_once(" path=")?.1.to_string()))
}
