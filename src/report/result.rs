//! `result.jsonl.gz`: an outcome put by, from which every report can be made again without running.
//!
//! Two lines of JSON, packed with gzip: a header with the version of the layout and the checksum of the second line, and the
//! outcome. Histograms are stored by their filled buckets, money and time as whole billionths, numbers so that they are read
//! back as they were: reports of a result read back are the same bytes.

use std::io::{Read, Write};

use flate2::{Compression, GzBuilder, read::GzDecoder};
use serde::{Deserialize, Serialize};

use crate::experiment::Outcome;
use crate::report::{Artifact, ReportError, Reporter, ReporterPlugin};
use crate::workload::sha256_hex;

/// The entry in the list.
pub(super) const PLUGIN: ReporterPlugin = ReporterPlugin {
    name: "result.jsonl.gz",
    summary: "the result itself, for `plimsoll report` to make or merge reports without running again",
    source: "RFC 8259, RFC 1952; its own layout",
    build: &StoredResult,
};

/// Name of the file.
pub const RESULT_FILE: &str = PLUGIN.name;

/// Version of the layout: a reader knows its own alone.
const VERSION: u32 = 6;
const FORMAT: &str = "plimsoll-result";
/// The most bytes that are unpacked.
const MOST_BYTES: u64 = 4 << 30;

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
    let body = serde_json::to_vec(outcome)?;
    let header = Header {
        format: FORMAT.into(),
        version: VERSION,
        plimsoll: outcome.version.clone(),
        sha256: sha256_hex(&body),
    };
    // Without a time or a name in its header the file depends on its content alone.
    let mut encoder = GzBuilder::new().write(Vec::new(), Compression::new(4));
    serde_json::to_writer(&mut encoder, &header)?;
    encoder.write_all(b"\n")?;
    encoder.write_all(&body)?;
    encoder.write_all(b"\n")?;
    encoder.finish()
}

/// The outcome that was put by.
///
/// # Errors
/// What is wrong with the bytes, in words: not such a file, another version, cut short or changed.
pub fn read_result(bytes: &[u8]) -> Result<Outcome, String> {
    let mut text = Vec::new();
    let read = GzDecoder::new(bytes).take(MOST_BYTES).read_to_end(&mut text);
    let alien = || "is not a stored result of plimsoll".to_string();
    if read.is_err() && text.is_empty() {
        return Err(alien());
    }
    let end = text.iter().position(|byte| *byte == b'\n').ok_or_else(alien)?;
    let header: Header = serde_json::from_slice(&text[..end]).map_err(|_| alien())?;
    if header.format != FORMAT {
        return Err(alien());
    }
    if header.version != VERSION {
        return Err(format!(
            "has version {} of the layout, written by plimsoll {}; this program reads version {VERSION}: run the scenario again",
            header.version, header.plimsoll
        ));
    }
    let body = text[end + 1..].strip_suffix(b"\n").filter(|_| read.is_ok());
    let body = body.ok_or("is cut short or damaged: run the scenario again")?;
    if sha256_hex(body) != header.sha256 {
        return Err("was changed after it was written: its checksum is another".into());
    }
    serde_json::from_slice(body).map_err(|error| format!("cannot be understood: {error}"))
}
