//! Temporary files and directories: registered while they exist, so that an interrupted process can remove them, and
//! removed later if the process was killed.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Prefix of the names of all temporary files and directories.
pub(super) const PREFIX: &str = ".plimsoll-";
/// Suffix of a temporary file.
pub(super) const FILE: &str = ".tmp";
/// Suffix of a directory that is not a report yet, or not any more.
pub(super) const NEW: &str = ".new";

static LISTED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A temporary file or directory that is registered while this value lives.
pub(super) struct Temporary(PathBuf);

impl Temporary {
    /// Registers a path.
    pub(super) fn listed(path: &Path) -> Temporary {
        if let Ok(mut listed) = LISTED.lock() {
            listed.push(path.to_path_buf());
        }
        Temporary(path.to_path_buf())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Ok(mut listed) = LISTED.lock()
            && let Some(index) = listed.iter().position(|path| *path == self.0)
        {
            listed.swap_remove(index);
        }
    }
}

/// Runs an action that [`remove_temporaries`] waits for.
pub(super) fn undisturbed<T>(what: impl FnOnce() -> T) -> T {
    let _held = LISTED.lock();
    what()
}

/// Removes all temporary files and directories of this process that were not moved to their place yet: for an
/// interrupted process, which must end then, because from now on nothing is moved to its place any more.
pub fn remove_temporaries() {
    let Ok(mut listed) = LISTED.lock() else { return };
    listed.drain(..).for_each(|path| remove(&path));
    // Kept until the process ends: a thread that had prepared files which are now removed must not move the rest.
    std::mem::forget(listed);
}

/// Removes a file or a directory, if it exists.
pub(super) fn remove(path: &Path) {
    let is_directory = fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
    // A later run removes those that cannot be removed now.
    let _ = if is_directory { fs::remove_dir_all(path) } else { fs::remove_file(path) };
}

/// Removes files left in a directory by killed processes. The caller must have locked it.
pub(super) fn sweep(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let kind = entry.file_type();
        let left = name.starts_with(PREFIX)
            && kind.is_ok_and(|kind| kind.is_file() && name.ends_with(FILE) || kind.is_dir() && name.ends_with(NEW));
        if left {
            remove(&entry.path());
        }
    }
}
