//! Temporary files and directories: listed while they are there, so that an interrupted process can take them away, and swept up
//! where a killed one could not.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// How the name of everything temporary begins.
pub(super) const PREFIX: &str = ".plimsoll-";
/// How that of a file ends.
pub(super) const FILE: &str = ".tmp";
/// How that of a directory ends that is not yet, or no more, a report.
pub(super) const NEW: &str = ".new";

static LISTED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Something temporary that is listed as long as this lives.
pub(super) struct Temporary(PathBuf);

impl Temporary {
    /// Lists a path.
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

/// Does something that [`remove_temporaries`] waits for.
pub(super) fn undisturbed<T>(what: impl FnOnce() -> T) -> T {
    let _held = LISTED.lock();
    what()
}

/// Removes everything temporary that this process has made and not yet put into its place: for the way out of an interrupted one.
pub fn remove_temporaries() {
    let Ok(mut listed) = LISTED.lock() else { return };
    listed.drain(..).for_each(|path| remove(&path));
}

/// Removes a file or a directory, if it is there.
pub(super) fn remove(path: &Path) {
    let is_directory = fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
    // What cannot be removed now is swept up by a later run.
    let _ = if is_directory { fs::remove_dir_all(path) } else { fs::remove_file(path) };
}

/// Removes what killed processes left in a directory. Whoever calls this has locked it.
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
