//! The files of a trace: found, drawn and written.

use std::path::{Path, PathBuf};

use super::reading::Printed;
use crate::cli::arguments::TimeAxis;
use crate::cli::failure::Failure;
use crate::cli::files;
use crate::cli::output::say;
use crate::cli::terminal::note;
use crate::report;
use crate::report::results::{RESULTS_VERSION, Results, TraceWrittenResults, results_text};
use crate::workload::{Converted, Portrait, TraceFiles};

/// The files that arguments name, from the current directory on.
pub(crate) fn found(paths: &[PathBuf]) -> Result<TraceFiles, Failure> {
    let texts: Vec<String> = paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    TraceFiles::find(Path::new(""), &texts).map_err(Failure::input)
}

/// Draws traces and says where.
pub(crate) fn draw(traces: &[(String, Portrait)], directory: &Path, axis: TimeAxis) -> Result<Vec<PathBuf>, Failure> {
    let artifacts = report::portraits(traces, axis == TimeAxis::Calendar).map_err(Failure::input)?;
    let written = files::write_all(directory, &artifacts)?;
    note(&format!("{}: {} files", directory.display(), artifacts.len()));
    Ok(written)
}

/// Writes a trace into a file by `write`; for `-`, as CSV to standard output.
pub(super) fn to_file(
    out: &Path,
    write: impl FnOnce(&Path) -> Result<Converted, Failure>,
) -> Result<Converted, Failure> {
    if !files::is_output(out) {
        return write(out);
    }
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("trace.csv");
    let done = write(&file)?;
    let mut stdout = std::io::stdout().lock();
    std::io::copy(&mut std::fs::File::open(&file)?, &mut stdout)?;
    std::io::Write::flush(&mut stdout)?;
    Ok(done)
}

/// Says what was written, by the command whose results these are.
pub(crate) fn written(
    to: &Path,
    done: &Converted,
    printed: Printed,
    command: fn(TraceWrittenResults) -> Results,
) -> Result<(), Failure> {
    done.tally.notices().iter().for_each(|notice| note(notice));
    // Standard output is the trace itself.
    if files::is_output(to) {
        return Ok(());
    }
    if printed == Printed::Json {
        return say(&results_text(&command(TraceWrittenResults {
            version: RESULTS_VERSION,
            file: to.display().to_string(),
            kind: done.kind.name().into(),
            rows: done.rows,
            requests: done.requests,
            span_s: done.extent.as_secs_f64(),
            bytes: done.bytes,
        })));
    }
    let (kind, rows, bytes) = (done.kind.name(), done.rows, done.bytes);
    say(&format!("{}: {rows} rows of {kind} over {}, {bytes} bytes", to.display(), done.extent))
}
