//! Files and directories are written completely or not at all.
//!
//! A file is written under a temporary name, synced to disk and renamed. A report directory is created next to the old
//! one and exchanged with it, so that nobody sees a mix of two reports (`directory`). Writers of the same place wait
//! for each other: they lock the parent directory, so that temporary files found there are known to be left by a killed
//! process.

mod directory;
mod leftovers;

pub use directory::{Part, replace_files};
pub use leftovers::remove_temporaries;

use std::fmt;
use std::fs::{self, File};
use std::io::{Error, Write};
use std::path::{Path, PathBuf};

use leftovers::{Temporary, sweep};

/// A path that could not be written, and the reason.
#[derive(Debug)]
pub struct WriteError {
    /// The file or directory.
    pub path: PathBuf,
    /// The error of the file system.
    pub error: Error,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.error)
    }
}

impl std::error::Error for WriteError {}

/// Attaches a path to an error of the file system.
fn of(path: &Path) -> impl Fn(Error) -> WriteError + '_ {
    |error| WriteError { path: path.to_path_buf(), error }
}

/// Writes `bytes` under a temporary name next to `path`, in a directory that is created if missing, and renames the
/// file once it is complete and on disk.
///
/// # Errors
/// The error of the file system.
pub fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let directory = around(path);
    fs::create_dir_all(directory)?;
    let lock = lock(directory);
    if lock.is_some() {
        sweep(directory);
    }
    let file = tempfile::Builder::new().prefix(leftovers::PREFIX).suffix(leftovers::FILE).tempfile_in(directory)?;
    let _listed = Temporary::listed(file.path());
    fill(file.as_file(), bytes)?;
    file.persist(path).map_err(|error| error.error)?;
    settle(directory);
    Ok(())
}

/// Tests whether files can be written into `directory` by writing an empty one. If the directory is missing, a
/// temporary one in its place is used, so that nothing is left behind if the run is refused later.
///
/// # Errors
/// The error of the file system.
pub fn try_directory(directory: &Path) -> Result<(), WriteError> {
    let fail = of(directory);
    let there = directory.ancestors().find(|path| fs::symlink_metadata(or_here(path)).is_ok()).unwrap_or(directory);
    let standing = or_here(there);
    if !standing.is_dir() {
        return Err(fail(std::io::ErrorKind::NotADirectory.into()));
    }
    // So that another process that cleans up does not treat it as left over.
    let _locked = lock(standing);
    match directory.strip_prefix(there).ok().filter(|missing| !missing.as_os_str().is_empty()) {
        None => try_file(standing),
        Some(missing) => {
            tempfile::Builder::new().prefix(leftovers::PREFIX).suffix(leftovers::NEW).tempdir_in(standing).and_then(
                |place| {
                    let _listed = Temporary::listed(place.path());
                    let inside = place.path().join(missing);
                    fs::create_dir_all(&inside)?;
                    try_file(&inside)?;
                    place.close()
                },
            )
        }
    }
    .map_err(fail)
}

/// Writes an empty file into a directory and removes it.
fn try_file(directory: &Path) -> std::io::Result<()> {
    let file = tempfile::Builder::new().prefix(leftovers::PREFIX).suffix(leftovers::FILE).tempfile_in(directory)?;
    let _listed = Temporary::listed(file.path());
    file.close()
}

/// The parent directory of a path.
fn around(path: &Path) -> &Path {
    path.parent().map_or(Path::new("."), or_here)
}

/// A path, or the working directory if it is empty.
fn or_here(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

/// Writes the content of a file, readable for all, and waits until it is on disk.
fn fill(mut file: &File, bytes: &[u8]) -> std::io::Result<()> {
    file.write_all(bytes)?;
    // A temporary file is private to its owner; a report is not.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(fs::Permissions::from_mode(0o644))?;
    }
    file.sync_all()
}

/// Syncs the names in a directory to disk, if the system can.
fn settle(directory: &Path) {
    let _ = File::open(directory).and_then(|directory| directory.sync_all());
}

/// Locks a directory until the file is dropped, waiting for other processes; `None` if directories cannot be locked.
fn lock(directory: &Path) -> Option<File> {
    loop {
        let file = File::open(directory).ok()?;
        file.lock().ok()?;
        // Another report may have replaced the directory that was opened.
        if is_at(&file, directory) {
            return Some(file);
        }
    }
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let place = |of: fs::Metadata| (of.dev(), of.ino());
    file.metadata().ok().map(place) == fs::metadata(path).ok().map(place)
}

#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}
