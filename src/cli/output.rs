//! Standard output.

use std::io::Write;

use super::failure::Failure;
use super::terminal::{coloured_output, visible};

/// Writes to standard output.
pub(crate) fn say(text: &str) -> Result<(), Failure> {
    let fail = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::BrokenPipe => Failure::BrokenPipe,
        _ => Failure::input(format!("standard output: {error}")),
    };
    let mut out = std::io::stdout().lock();
    out.write_all(visible(text, coloured_output()).as_bytes()).map_err(fail)?;
    if !text.ends_with('\n') {
        out.write_all(b"\n").map_err(fail)?;
    }
    out.flush().map_err(fail)
}
