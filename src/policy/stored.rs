//! Files of trained policies: JSON with the kind of policy, a version and a checksum.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{PolicyContext, policy_search, q_learning};
use crate::config::{Diagnostics, SourceFile, Yaml};
use crate::workload::sha256_hex;

/// The maximum size of a file in bytes.
const MAX_BYTES: u64 = 256 << 20;

/// The file layout of one kind of policy.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// The format name at the start of the file.
    pub format: &'static str,
    /// Version of the layout; a reader accepts only its own.
    pub version: u32,
    /// The kind of policy.
    pub kind: &'static str,
}

/// The layouts of all kinds of trained policies.
pub const LAYOUTS: [&Layout; 2] = [&q_learning::LAYOUT, &policy_search::LAYOUT];

/// The first bytes of a file of any kind and version.
const HEAD: &[u8; 20] = b"{\"format\":\"plimsoll-";

/// Whether a file starts like a trained policy of Plimsoll, of any version and kind.
pub fn is_trained_policy(mut file: impl std::io::Read) -> bool {
    let mut head = [0; HEAD.len()];
    file.read_exact(&mut head).is_ok() && head == *HEAD
}

/// Origin of a trained policy.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// Name of the scenario.
    pub scenario: String,
    /// Checksum over the scenario, the files it reads, and its traces.
    pub fingerprint: String,
    /// Label of the policy.
    pub policy: String,
    /// Seed.
    pub seed: u64,
    /// Episodes (runs) of the training.
    pub episodes: u64,
    /// The episode whose result was kept.
    pub taken_after: u64,
}

#[derive(Serialize, Deserialize)]
struct Envelope<T> {
    format: String,
    version: u32,
    /// Version of the program, for information.
    plimsoll: String,
    /// Checksum of `learned`, serialized without spaces.
    sha256: String,
    learned: T,
}

/// The fields common to all versions.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u32,
    plimsoll: String,
}

fn checksum<T: Serialize>(learned: &T) -> Result<String, String> {
    serde_json::to_vec(learned).map(|bytes| sha256_hex(&bytes)).map_err(|error| error.to_string())
}

/// Serializes the file.
///
/// # Errors
/// If a value is not finite, which JSON cannot represent.
pub(super) fn to_json<T: Serialize>(layout: &Layout, learned: T) -> Result<String, String> {
    let envelope = Envelope {
        format: layout.format.into(),
        version: layout.version,
        plimsoll: env!("CARGO_PKG_VERSION").into(),
        sha256: checksum(&learned)?,
        learned,
    };
    serde_json::to_string(&envelope).map(|text| text + "\n").map_err(|error| error.to_string())
}

/// Parses a file.
///
/// # Errors
/// A description that completes a sentence starting with the file's name: no such file, another kind or version,
/// truncated or modified.
pub(super) fn from_json<T: Serialize + DeserializeOwned>(layout: &Layout, text: &str) -> Result<T, String> {
    let is_ours = |text: &str| LAYOUTS.iter().any(|layout| text.contains(layout.format));
    let not_ours = |error: serde_json::Error| match text.trim_end() {
        // The parser does not report a truncated number as the end of input.
        start if error.is_eof() && !start.is_empty() || is_ours(start) && !start.ends_with('}') => {
            "is cut short".to_string()
        }
        _ => "is not a trained policy of plimsoll".into(),
    };
    let head: Head = serde_json::from_str(text).map_err(not_ours)?;
    if head.format != layout.format {
        let other = LAYOUTS.iter().find(|layout| layout.format == head.format);
        return Err(other.map_or_else(
            || "is not a trained policy of plimsoll".into(),
            |other| format!("holds a policy of the kind `{}`, not `{}`", other.kind, layout.kind),
        ));
    }
    if head.version != layout.version {
        let Layout { version, .. } = layout;
        return Err(format!(
            "has version {} of the layout, written by plimsoll {}; this program reads version {version}",
            head.version, head.plimsoll
        ));
    }
    let read: Result<Envelope<T>, _> = serde_json::from_str(text);
    let envelope = read.map_err(|error| format!("was modified after it was written: {error}"))?;
    if checksum(&envelope.learned)? != envelope.sha256 {
        return Err("was modified after it was written: its checksum does not match".into());
    }
    Ok(envelope.learned)
}

/// Reads the file named by the scenario's `trained` with `parse`. `difference` returns a parameter in which the file
/// differs from the scenario.
pub(super) fn read_trained<T>(
    node: &Yaml,
    context: &PolicyContext<'_>,
    sink: &mut Diagnostics,
    parse: impl FnOnce(&str) -> Result<T, String>,
    difference: impl FnOnce(&T) -> Option<&'static str>,
) -> Option<T> {
    let Some(text) = node.as_text() else {
        sink.push(node.error("`trained` must be the path of one file"));
        return None;
    };
    let path = node.source.directory_or(context.base_dir).join(text);
    let again = "train the policy: `plimsoll train` with this scenario writes the file";
    let source = match SourceFile::read(&path, MAX_BYTES) {
        Ok(source) => source,
        Err(diagnostic) => {
            sink.push(node.error(diagnostic.message).help(again));
            return None;
        }
    };
    let learned = match parse(source.text()) {
        Ok(learned) => learned,
        Err(what) => {
            sink.push(node.error(format!("{} {what}", path.display())).help(again));
            return None;
        }
    };
    if let Some(name) = difference(&learned) {
        let error = node.error(format!("{} was trained with a different `{name}`", path.display()));
        sink.push(error.help(format!("put `{name}` back, or {again}")));
        return None;
    }
    sink.note_file(&source);
    Some(learned)
}
