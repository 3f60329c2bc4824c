//! `result.jsonl.gz`: a stored outcome, from which every report can be regenerated without running.
//!
//! Two lines of JSON, packed with gzip: a header with the version of the layout and the checksum of the second line, and the
//! outcome. Histograms are stored by their filled buckets, money and time as whole billionths, numbers so that they are read
//! back as they were: reports of a result read back are the same bytes.

use std::io::{BufRead, BufReader, BufWriter, IntoInnerError, Read, Seek, Write};

use flate2::{Compression, GzBuilder, read::GzDecoder};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::config::{as_label, visible};
use crate::experiment::Outcome;
use crate::report::artifact::{Artifact, ReportError, Reporter, ReporterPlugin};

/// The entry in the list.
pub(crate) const PLUGIN: ReporterPlugin = ReporterPlugin {
    name: "result.jsonl.gz",
    summary: "the result itself, for `plimsoll report` to regenerate or merge reports without running again",
    source: "RFC 8259, RFC 1952; its own layout",
    build: &StoredResult,
};

/// Name of the file.
pub const RESULT_FILE: &str = PLUGIN.name;

/// Version of the layout: a reader knows its own alone.
const VERSION: u32 = 6;
const FORMAT: &str = "plimsoll-result";
/// The most bytes that are unpacked.
const MAX_BYTES: u64 = 4 << 30;
/// No header is longer.
const LONGEST_HEADER: u64 = 1 << 10;
/// So many bytes may come of any file, and so many times its size of a larger one.
const FREE_BYTES: u64 = 32 << 20;
const MAX_RATIO: u64 = 200;

#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    version: u32,
    /// Version of the program, for people.
    plimsoll: String,
    /// Of the second line, without its end.
    sha256: String,
}

struct StoredResult;

impl Reporter for StoredResult {
    fn report(&self, outcome: &Outcome) -> Result<Vec<Artifact>, ReportError> {
        let bytes = packed(outcome).map_err(|error| ReportError::new(PLUGIN.name, error))?;
        Ok(vec![Artifact::new(PLUGIN.name, bytes)])
    }
}

fn packed(outcome: &Outcome) -> std::io::Result<Vec<u8>> {
    // The text is written twice, once for its checksum: that of hundreds of services is larger than the run's whole memory.
    let mut sum = BufWriter::new(Checksum(Sha256::new()));
    serde_json::to_writer(&mut sum, outcome)?;
    let Checksum(sum) = sum.into_inner().map_err(IntoInnerError::into_error)?;
    let header =
        Header { format: FORMAT.into(), version: VERSION, plimsoll: outcome.version.clone(), sha256: hexadecimal(sum) };
    // Without a time or a name in its header the file depends on its content alone.
    let mut encoder = GzBuilder::new().write(Vec::new(), Compression::new(4));
    serde_json::to_writer(&mut encoder, &header)?;
    encoder.write_all(b"\n")?;
    let mut buffered = BufWriter::with_capacity(1 << 16, encoder);
    serde_json::to_writer(&mut buffered, outcome)?;
    buffered.write_all(b"\n")?;
    buffered.into_inner().map_err(IntoInnerError::into_error)?.finish()
}

fn hexadecimal(sum: Sha256) -> String {
    sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sums up what is written to it.
struct Checksum(Sha256);

impl Write for Checksum {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The stored outcome, read from the start of `file`, whose packed size is `packed`.
///
/// The header is looked at first; then the second line is read through for its checksum, a piece at a time, and only what has the
/// right one is read a third time and understood. So a file takes no more memory than the outcome that it holds, which is about as
/// much as its text; `allowed` bytes of text are the most.
///
/// # Errors
/// What is wrong with the file, in words: not such a file, another version, cut short, changed, or larger than allowed.
pub fn read_result(mut file: impl Read + Seek, packed: u64, allowed: u64) -> Result<Outcome, String> {
    let allowed = allowed.min(MAX_BYTES);
    file.rewind().map_err(|error| error.to_string())?;
    let mut text = BufReader::new(GzDecoder::new(BufReader::new(&mut file)));
    let header = read_header(&mut text)?;
    let mut sum = Sha256::new();
    let (mut bytes, mut last) = (0u64, None);
    let mut piece = vec![0; 1 << 16];
    loop {
        let length = text.read(&mut piece).map_err(|_| CUT_SHORT)?;
        let Some((end, before)) = piece[..length].split_last() else { break };
        // The line break at the end is none of the checksum's.
        sum.update(last.as_slice());
        sum.update(before);
        last = Some(*end);
        bytes += length as u64;
        if bytes > allowed {
            return Err(format!("holds more than {} MiB, which would take too much memory", allowed >> 20));
        }
        if bytes > FREE_BYTES && bytes / MAX_RATIO > packed {
            return Err("expands far more than any result does: it may be a decompression bomb".into());
        }
    }
    if last != Some(b'\n') {
        return Err(CUT_SHORT.into());
    }
    if hexadecimal(sum) != header.sha256 {
        return Err("was modified after it was written: its checksum does not match".into());
    }
    drop(text);
    file.rewind().map_err(|error| error.to_string())?;
    let mut text = BufReader::with_capacity(1 << 16, GzDecoder::new(BufReader::new(&mut file)));
    read_header(&mut text)?;
    serde_json::from_reader(text).map_err(|error| format!("cannot be understood: {error}"))
}

const CUT_SHORT: &str = "is cut short or damaged: run the scenario again";

/// The first line.
fn read_header(text: &mut impl BufRead) -> Result<Header, String> {
    let alien = || "is not a stored result of plimsoll".to_string();
    let mut line = Vec::new();
    text.take(LONGEST_HEADER).read_until(b'\n', &mut line).map_err(|_| alien())?;
    let header: Header = serde_json::from_slice(&line).map_err(|_| alien())?;
    if header.format != FORMAT {
        return Err(alien());
    }
    if header.version != VERSION {
        let by = visible(&header.plimsoll).into_owned();
        return Err(format!(
            "has version {} of the layout, written by plimsoll {by}; this program reads version {VERSION}: run the scenario again",
            header.version
        ));
    }
    if line.last() != Some(&b'\n') {
        return Err(CUT_SHORT.into());
    }
    Ok(header)
}

/// Refuses what no run of ours has written, whatever its checksum: nothing that was run, or labels with hidden characters.
///
/// # Errors
/// What is wrong, in words.
pub fn check_result(outcome: &Outcome) -> Result<(), String> {
    let services = outcome.runs.iter().flat_map(|run| &run.services);
    if services.clone().next().is_none() {
        return Err("holds no run of any service".into());
    }
    let labels = outcome.runs.iter().map(|run| &run.policy).chain(services.map(|service| &service.name));
    labels.map(String::as_str).try_for_each(as_label)?;
    match outcome.runs.iter().all(|run| run.services.len() == outcome.runs[0].services.len()) {
        true => Ok(()),
        false => Err("holds runs of different services".into()),
    }
}
