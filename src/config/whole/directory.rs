//! A directory of files, replaced as a whole.
//!
//! The new directory is created next to the old one under a temporary name: the new files are written, and files to be
//! kept are linked from the old one (without copying). Both are then exchanged in one step, and the old one is removed.
//! All files that this program did not write are kept: the hidden file [`LIST`] records those that it wrote, by part (a
//! command) and checksum, and only files of the same part with unchanged content are left out.
//!
//! A directory is not exchanged but written file by file, after all files were prepared in it, if it is in use, if it
//! contains anything but plain files and the reports of this program, or if the file system does not support links.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::leftovers::{NEW, PREFIX, Temporary, remove, sweep, undisturbed};
use super::{WriteError, around, fill, lock, of, settle};
use crate::config::slug;

/// The list of written files: part, checksum and name in each line.
const LIST: &str = ".plimsoll-files";
/// Subdirectories of a report that this program creates.
const OWN_DIRECTORIES: [&str; 1] = ["compare"];
/// A directory with more entries than this is not a report: its entries stay where they are.
const MAX_ENTRIES: usize = 5_000;

/// Files of a directory that belong together.
pub struct Part<'a> {
    /// Name of the part: files that it wrote before and does not write again are removed.
    pub name: &'a str,
    /// Names and contents.
    pub files: Vec<(&'a str, &'a [u8])>,
    /// Whether the directory is in use, for example as the working directory of this process: then it is not exchanged.
    pub is_worked_in: bool,
}

/// Replaces the files of a part in `directory`, which is created if missing: afterwards it contains all of them, and
/// nothing else of the part; if the process is interrupted before, the directory is unchanged.
///
/// # Errors
/// The first file or directory that cannot be written; the directory is then unchanged, unless it could not be
/// exchanged.
pub fn replace_files(directory: &Path, part: &Part<'_>) -> Result<(), WriteError> {
    let target = resolved(directory).map_err(of(directory))?;
    let parent = around(&target).to_path_buf();
    let outer = lock(&parent);
    let aside = beside(&target, ".old");
    if outer.is_some() {
        sweep(&parent);
        // A process was killed between two renames: the report is restored.
        if !target.exists() && aside.is_dir() {
            fs::rename(&aside, &target).map_err(of(&target))?;
        }
        remove(&aside);
    }
    fs::create_dir_all(&target).map_err(of(directory))?;
    let _inner = lock(&target);
    let held = Held::of(&target, part);
    if outer.is_some() && !part.is_worked_in && held.can_move {
        let fresh = beside(&target, NEW);
        let listed = Temporary::listed(&fresh);
        let made = make(&fresh, &target, part, &held);
        let done = made.and_then(|whole| if whole { exchange(&fresh, &target, &aside) } else { Ok(false) });
        remove(&fresh);
        drop(listed);
        if done? {
            settle(&parent);
            return Ok(());
        }
    }
    in_place(&target, part, &held)
}

/// The directory itself, with symbolic links resolved and missing parents created.
fn resolved(directory: &Path) -> std::io::Result<PathBuf> {
    if directory.exists() {
        return fs::canonicalize(directory);
    }
    fs::create_dir_all(around(directory))?;
    let name = directory.file_name().ok_or(std::io::ErrorKind::NotFound)?;
    Ok(fs::canonicalize(around(directory))?.join(name))
}

/// A temporary name next to a directory, always the same.
fn beside(target: &Path, ending: &str) -> PathBuf {
    let name = target.file_name().unwrap_or(OsStr::new("root")).to_string_lossy().into_owned();
    around(target).join(format!("{PREFIX}{}{ending}", slug(&name)))
}

fn checksum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The previous content of a directory.
struct Held {
    /// Entries to keep, by name.
    stays: Vec<std::ffi::OsString>,
    /// Unchanged files written by the same part.
    goes: Vec<String>,
    /// The new list.
    list: String,
    /// Whether all of it can be linked into another directory.
    can_move: bool,
}

impl Held {
    fn of(target: &Path, part: &Part<'_>) -> Held {
        let is_new = |name: &str| part.files.iter().any(|(new, _)| *new == name);
        let before = fs::read_to_string(target.join(LIST)).unwrap_or_default();
        let (mut goes, mut list) = (Vec::new(), String::new());
        for line in before.lines() {
            let mut cells = line.splitn(3, '\t');
            let (Some(owner), Some(sum), Some(name)) = (cells.next(), cells.next(), cells.next()) else { continue };
            let plain = !name.contains(['/', '\\']) && name != "..";
            if owner != part.name && !is_new(name) {
                list += &format!("{line}\n");
            } else if !is_new(name) && plain && is_still(&target.join(name), sum) {
                goes.push(name.to_string());
            }
        }
        part.files.iter().for_each(|(name, bytes)| list += &format!("{}\t{}\t{name}\n", part.name, checksum(bytes)));
        let mut held = Held { stays: Vec::new(), goes, list, can_move: target.file_name().is_some() };
        let entries: Vec<_> = fs::read_dir(target).into_iter().flatten().flatten().take(MAX_ENTRIES + 1).collect();
        held.can_move &= entries.len() <= MAX_ENTRIES;
        for entry in entries {
            let name = entry.file_name();
            let text = name.to_string_lossy();
            let own = OWN_DIRECTORIES.contains(&text.as_ref());
            let fits =
                entry.file_type().is_ok_and(|kind| kind.is_file() || kind.is_dir() && own && is_flat(&entry.path()));
            held.can_move &= fits;
            let stays = !is_new(&text) && !held.goes.iter().any(|gone| *gone == text) && text != LIST;
            if stays && !(text.starts_with(PREFIX) && text.ends_with(super::leftovers::FILE)) {
                held.stays.push(name);
            }
        }
        held
    }
}

/// Whether a file is unchanged since it was written. Only files of a size that reports have are checked.
fn is_still(path: &Path, sum: &str) -> bool {
    let plain = fs::symlink_metadata(path).is_ok_and(|found| found.is_file() && found.len() <= 1 << 30);
    plain && fs::read(path).is_ok_and(|bytes| checksum(&bytes) == sum)
}

/// Whether a directory contains only files, and not too many.
fn is_flat(directory: &Path) -> bool {
    let Ok(entries) = fs::read_dir(directory) else { return false };
    let kinds: Vec<bool> = entries
        .take(MAX_ENTRIES + 1)
        .map(|entry| entry.and_then(|entry| entry.file_type()).is_ok_and(|kind| kind.is_file()))
        .collect();
    kinds.len() <= MAX_ENTRIES && kinds.into_iter().all(|plain| plain)
}

/// Creates the new directory; `false` if an entry to keep cannot be linked into it.
fn make(fresh: &Path, target: &Path, part: &Part<'_>, held: &Held) -> Result<bool, WriteError> {
    if fs::create_dir(fresh).is_err() {
        // The parent directory may belong to another user.
        return Ok(false);
    }
    let mode = fs::metadata(target).map(|found| found.permissions());
    if !mode.is_ok_and(|mode| fs::set_permissions(fresh, mode).is_ok()) {
        return Ok(false);
    }
    for name in &held.stays {
        if link(&target.join(name), &fresh.join(name)).is_err() {
            return Ok(false);
        }
    }
    for (name, bytes) in part.files.iter().copied().chain([(LIST, held.list.as_bytes())]) {
        // Errors name the final path.
        File::create_new(fresh.join(name)).and_then(|file| fill(&file, bytes)).map_err(of(&target.join(name)))?;
    }
    settle(fresh);
    Ok(true)
}

/// Links a file, or the files of a directory, to another place.
fn link(from: &Path, to: &Path) -> std::io::Result<()> {
    if !fs::symlink_metadata(from)?.is_dir() {
        return fs::hard_link(from, to);
    }
    fs::create_dir(to)?;
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::hard_link(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Moves the new directory to the place of the old one, which is at `fresh` afterwards; `false` if that is not
/// possible.
fn exchange(fresh: &Path, target: &Path, aside: &Path) -> Result<bool, WriteError> {
    // Undisturbed, because an interruption removes the directory at `fresh`: if it were exchanged in the middle of that,
    // the report would lose its files.
    undisturbed(|| {
        if swapped(fresh, target) {
            return Ok(true);
        }
        if fs::rename(target, aside).is_err() {
            return Ok(false);
        }
        if let Err(error) = fs::rename(fresh, target) {
            let _ = fs::rename(aside, target);
            return Err(of(target)(error));
        }
        remove(aside);
        Ok(true)
    })
}

/// In one step, if the system supports it.
#[cfg(any(target_os = "linux", target_os = "macos"))]
fn swapped(one: &Path, other: &Path) -> bool {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).is_ok()
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn swapped(_: &Path, _: &Path) -> bool {
    false
}

/// Prepares all files under temporary names, then renames them one by one.
fn in_place(target: &Path, part: &Part<'_>, held: &Held) -> Result<(), WriteError> {
    sweep(target);
    let mut ready = Vec::new();
    for (name, bytes) in part.files.iter().copied().chain([(LIST, held.list.as_bytes())]) {
        let path = target.join(name);
        let file = tempfile::Builder::new().prefix(PREFIX).suffix(super::leftovers::FILE).tempfile_in(target);
        let file = file.map_err(of(target))?;
        let listed = Temporary::listed(file.path());
        fill(file.as_file(), bytes).map_err(of(&path))?;
        ready.push((file, path, listed));
    }
    undisturbed_by_signals(ready)?;
    held.goes.iter().for_each(|name| remove(&target.join(name)));
    settle(target);
    Ok(())
}

fn undisturbed_by_signals(ready: Vec<(tempfile::NamedTempFile, PathBuf, Temporary)>) -> Result<(), WriteError> {
    let mut listed = Vec::new();
    let result = undisturbed(|| {
        for (file, path, temporary) in ready {
            listed.push(temporary);
            file.persist(&path).map_err(|error| of(&path)(error.error))?;
        }
        Ok(())
    });
    // Removed from the list only now, because the list is locked above.
    drop(listed);
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn part<'a>(files: &[(&'a str, &'a [u8])]) -> Part<'a> {
        Part { name: "report", files: files.to_vec(), is_worked_in: false }
    }

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Files of this part that are not written again are removed; changed files, and files of other parts or of the
    /// user, are kept.
    #[test]
    fn only_own_files_are_removed() {
        for is_worked_in in [false, true] {
            let dir = TempDir::new().unwrap();
            let out = dir.path().join("out");
            replace_files(&out, &part(&[("a", b"1"), ("b", b"1"), ("c", b"1")])).unwrap();
            replace_files(&out, &Part { name: "plan", ..part(&[("p", b"1")]) }).unwrap();
            fs::write(out.join("mine.txt"), "mine").unwrap();
            fs::write(out.join("b"), "changed").unwrap();
            fs::create_dir(out.join("compare")).unwrap();
            fs::write(out.join("compare/x"), "x").unwrap();
            replace_files(&out, &Part { is_worked_in, ..part(&[("a", b"2")]) }).unwrap();
            assert_eq!(names(&out), [LIST, "a", "b", "compare", "mine.txt", "p"]);
            assert_eq!(fs::read_to_string(out.join("a")).unwrap(), "2");
            assert_eq!(fs::read_to_string(out.join("b")).unwrap(), "changed");
            assert_eq!(fs::read_to_string(out.join("compare/x")).unwrap(), "x");
            assert_eq!(names(dir.path()), ["out"]);
        }
    }

    /// If a file cannot be written, the directory is unchanged.
    #[test]
    fn nothing_changes_if_one_file_cannot_be_written() {
        let dir = TempDir::new().unwrap();
        let out = dir.path().join("out");
        replace_files(&out, &part(&[("a", b"1")])).unwrap();
        let long = "x".repeat(300);
        let error = replace_files(&out, &part(&[("a", b"2"), (&long, b"2")])).unwrap_err();
        assert!(error.path.ends_with(&long), "{error}");
        assert_eq!((names(&out), fs::read(out.join("a")).unwrap()), (vec![LIST.into(), "a".into()], b"1".to_vec()));
        assert_eq!(names(dir.path()), ["out"]);
    }

    /// Files left by a killed process are removed, and a report that it had moved aside is restored.
    #[test]
    fn leftovers_are_swept_up() {
        let dir = TempDir::new().unwrap();
        let out = dir.path().join("out");
        fs::create_dir_all(dir.path().join(".plimsoll-out.old")).unwrap();
        fs::write(dir.path().join(".plimsoll-out.old/mine"), "mine").unwrap();
        fs::create_dir_all(dir.path().join(".plimsoll-out.new/x")).unwrap();
        fs::write(dir.path().join(".plimsoll-7.tmp"), "half").unwrap();
        replace_files(&out, &part(&[("a", b"1")])).unwrap();
        assert_eq!(
            (names(dir.path()), names(&out)),
            (vec!["out".into()], vec![LIST.into(), "a".into(), "mine".into()])
        );
    }

    /// Directories and links of the user are not moved, and are kept.
    #[cfg(unix)]
    #[test]
    fn files_of_others_are_kept() {
        let dir = TempDir::new().unwrap();
        let out = dir.path().join("out");
        fs::create_dir_all(out.join("notes/deep")).unwrap();
        std::os::unix::fs::symlink("/", out.join("root")).unwrap();
        let place = |path: &Path| std::os::unix::fs::MetadataExt::ino(&fs::metadata(path).unwrap());
        let before = place(&out);
        replace_files(&out, &part(&[("a", b"1")])).unwrap();
        assert_eq!(place(&out), before);
        assert_eq!(names(&out), [LIST, "a", "notes", "root"]);
    }
}
