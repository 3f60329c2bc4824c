//! Files that can only be read once: standard input, named `-`, and pipes.
//!
//! Readers read the beginning of a file and then start over, some of them several times. A source that can only be read
//! once is therefore copied to a temporary file on first use; that file has no name, so nothing is left behind, and it
//! takes no memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Standard input, as a path.
pub const STANDARD_INPUT: &str = "-";

/// The copies made so far. A process has only one standard input.
static COPIES: Mutex<BTreeMap<PathBuf, Arc<File>>> = Mutex::new(BTreeMap::new());

/// Whether `path` can only be read once.
pub fn is_stream(path: &Path) -> bool {
    path == Path::new(STANDARD_INPUT) || is_pipe(path)
}

#[cfg(unix)]
fn is_pipe(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_fifo())
}

#[cfg(not(unix))]
fn is_pipe(_: &Path) -> bool {
    false
}

/// The base directory of the paths in a file: its own, or the current one if it has none.
pub fn directory_of(path: &Path) -> PathBuf {
    if is_stream(path) { PathBuf::new() } else { path.parent().unwrap_or(Path::new("")).to_path_buf() }
}

/// A path in a file whose paths start from `directory`.
pub fn path_from(directory: &Path, text: &str) -> PathBuf {
    if text == STANDARD_INPUT { PathBuf::from(text) } else { directory.join(text) }
}

/// The name of a path in messages.
pub fn name_of(path: &Path) -> String {
    if path == Path::new(STANDARD_INPUT) { "standard input".into() } else { path.display().to_string() }
}

/// A new stream of the content of `path`, from its beginning, as often as requested. A pipe is read to its end first.
///
/// # Errors
/// If it cannot be opened, or cannot be copied to a temporary file.
pub fn open(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    if !is_stream(path) {
        return Ok(Box::new(File::open(path)?));
    }
    Ok(Box::new(Positioned { file: copy_of(path)?, at: 0 }))
}

/// A file with its own position and the content of `path`.
///
/// # Errors
/// Those of [`open`].
pub fn open_file(path: &Path) -> io::Result<File> {
    if !is_stream(path) {
        return File::open(path);
    }
    let mut file = tempfile::tempfile()?;
    io::copy(&mut open(path)?, &mut file)?;
    io::Seek::rewind(&mut file)?;
    Ok(file)
}

/// The copy of the content of `path`, made on first use.
fn copy_of(path: &Path) -> io::Result<Arc<File>> {
    let mut copies = COPIES.lock().unwrap_or_else(PoisonError::into_inner);
    // Numbers of open pipes are reused; a name that was read keeps its content.
    if let Some(copy) = copies.get(path) {
        return Ok(Arc::clone(copy));
    }
    let mut source: Box<dyn Read> =
        if path == Path::new(STANDARD_INPUT) { Box::new(io::stdin().lock()) } else { Box::new(File::open(path)?) };
    let mut file = tempfile::tempfile()?;
    io::copy(&mut source, &mut file)?;
    file.flush()?;
    let copy = Arc::new(file);
    copies.insert(path.to_path_buf(), Arc::clone(&copy));
    Ok(copy)
}

/// A reader of a shared file with its own position.
struct Positioned {
    file: Arc<File>,
    at: u64,
}

impl Read for Positioned {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        #[cfg(unix)]
        let n = std::os::unix::fs::FileExt::read_at(&*self.file, buffer, self.at)?;
        #[cfg(windows)]
        let n = std::os::windows::fs::FileExt::seek_read(&*self.file, buffer, self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}
