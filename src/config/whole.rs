//! Files and directories appear whole or not at all.
//!
//! A file is written under a temporary name, brought to the disk and renamed. A report directory is made anew beside the old one and
//! exchanged with it, so that nobody ever sees half of two reports (`directory`). Writers of the same place wait for each other: they
//! lock the directory around it, and what a killed writer left there is then known to be nobody's.

mod directory;
mod leftovers;

pub use directory::{Part, replace_files};
pub use leftovers::remove_temporaries;

use std::fmt;
use std::fs::{self, File};
use std::io::{Error, Write};
use std::path::{Path, PathBuf};

use leftovers::{Temporary, sweep};

/// What could not be written, and why.
#[derive(Debug)]
pub struct WriteError {
    /// The file or directory.
    pub path: PathBuf,
    /// What the file system says.
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

/// Writes `bytes` under a temporary name beside `path`, in a directory that is made if it is missing, and renames the file once
/// it is complete and on the disk.
///
/// # Errors
/// As the file system says.
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

/// Finds out whether files can be written into `directory` by writing an empty one. Where the directory is missing, it is tried inside
/// a temporary one that stands in its place, so that nothing is left behind by what is refused later.
///
/// # Errors
/// As the file system says.
pub fn try_directory(directory: &Path) -> Result<(), WriteError> {
    let fail = of(directory);
    let there = directory.ancestors().find(|path| fs::symlink_metadata(or_here(path)).is_ok()).unwrap_or(directory);
    let standing = or_here(there);
    if !standing.is_dir() {
        return Err(fail(std::io::ErrorKind::NotADirectory.into()));
    }
    // Another process that tidies up does not take what is tried here for something left over.
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

/// The directory in which a path stands.
fn around(path: &Path) -> &Path {
    path.parent().map_or(Path::new("."), or_here)
}

/// A path, or the working directory where it is empty.
fn or_here(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

/// Writes a file's content, for all to read, and waits until it is on the disk.
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

/// Brings the names in a directory to the disk, where the system can.
fn settle(directory: &Path) {
    let _ = File::open(directory).and_then(|directory| directory.sync_all());
}

/// Locks a directory until the file is dropped, waiting for whoever has; `None` where directories cannot be locked.
fn lock(directory: &Path) -> Option<File> {
    loop {
        let file = File::open(directory).ok()?;
        file.lock().ok()?;
        // Another report may have taken the place of the one that was opened.
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
