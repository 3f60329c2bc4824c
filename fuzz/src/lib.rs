//! What the fuzz targets share: a directory for the file under test.

use std::path::PathBuf;
use std::sync::OnceLock;

use tempfile::TempDir;

/// Writes `content` as `name` into a directory that lives as long as the process.
///
/// # Panics
/// If the file cannot be written.
pub fn file(name: &str, content: &[u8]) -> PathBuf {
    static PLACE: OnceLock<TempDir> = OnceLock::new();
    let place = PLACE.get_or_init(|| TempDir::new().expect("a temporary directory"));
    let path = place.path().join(name);
    std::fs::write(&path, content).expect("a temporary file");
    path
}
