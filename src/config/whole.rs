//! Files appear whole or not at all.

use std::io::Write;
use std::path::Path;

/// Writes `bytes` under a temporary name beside `path`, in a directory that is made if it is missing, and renames the file once
/// it is complete.
///
/// # Errors
/// As the file system says.
pub fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory)?;
    let mut file = tempfile::Builder::new().prefix(".plimsoll-").suffix(".tmp").tempfile_in(directory)?;
    file.write_all(bytes)?;
    // A temporary file is private to its owner; a report is not.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
    }
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
