//! Trained policies as files: JSON with the kind of policy, a version and a checksum.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{PolicyContext, policy_search, q_learning};
use crate::config::{Diagnostics, Node, SourceFile};
use crate::workload::sha256_hex;

/// The most bytes of a file.
const MOST_BYTES: u64 = 256 << 20;

/// The layout of one kind's files.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// The first word of a file.
    pub format: &'static str,
    /// Version of the layout: a reader knows its own alone.
    pub version: u32,
    /// The kind of policy.
    pub kind: &'static str,
}

/// The layouts of all kinds that are trained.
pub const LAYOUTS: [&Layout; 2] = [&q_learning::LAYOUT, &policy_search::LAYOUT];

/// How a file of any kind and version begins.
const HEAD: &[u8; 20] = b"{\"format\":\"plimsoll-";

/// Whether a file begins as a trained policy of plimsoll does, of any version and kind.
pub fn is_trained_policy(mut file: impl std::io::Read) -> bool {
    let mut head = [0; HEAD.len()];
    file.read_exact(&mut head).is_ok() && head == *HEAD
}

/// Where a trained policy comes from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// Name of the scenario.
    pub scenario: String,
    /// Checksum over the scenario, what it reads and its traces.
    pub fingerprint: String,
    /// Label of the policy.
    pub policy: String,
    /// Seed.
    pub seed: u64,
    /// Episodes (runs) of the training.
    pub episodes: u64,
    /// The episode after which it was taken.
    pub taken_after: u64,
}

#[derive(Serialize, Deserialize)]
struct Envelope<T> {
    format: String,
    version: u32,
    /// Version of the program, for people.
    plimsoll: String,
    /// Of `learned`, as it is written without spaces.
    sha256: String,
    learned: T,
}

/// The beginning of any version.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u32,
    plimsoll: String,
}

fn checksum<T: Serialize>(learned: &T) -> Result<String, String> {
    serde_json::to_vec(learned).map(|bytes| sha256_hex(&bytes)).map_err(|error| error.to_string())
}

/// The file.
///
/// # Errors
/// If a value is not finite, which JSON cannot hold.
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

/// What a file holds.
///
/// # Errors
/// What is wrong with it, in words that follow its name: no such file, another kind or version, cut short or changed.
pub(super) fn from_json<T: Serialize + DeserializeOwned>(layout: &Layout, text: &str) -> Result<T, String> {
    let is_ours = |text: &str| LAYOUTS.iter().any(|layout| text.contains(layout.format));
    let alien = |error: serde_json::Error| match text.trim_end() {
        // A number that is cut short is no end of the text to the parser.
        start if error.is_eof() && !start.is_empty() || is_ours(start) && !start.ends_with('}') => {
            "is cut short".to_string()
        }
        _ => "is not a trained policy of plimsoll".into(),
    };
    let head: Head = serde_json::from_str(text).map_err(alien)?;
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
    let envelope = read.map_err(|error| format!("was changed after it was written: {error}"))?;
    if checksum(&envelope.learned)? != envelope.sha256 {
        return Err("was changed after it was written: its checksum is another".into());
    }
    Ok(envelope.learned)
}

/// Reads the file that the scenario's `trained` names with `parse`; `difference` names a parameter in which it differs from the scenario.
pub(super) fn read_trained<T>(
    node: &Node,
    context: &PolicyContext<'_>,
    sink: &mut Diagnostics,
    parse: impl FnOnce(&str) -> Result<T, String>,
    difference: impl FnOnce(&T) -> Option<&'static str>,
) -> Option<T> {
    let Some(text) = node.as_text() else {
        sink.push(node.error("`trained` is the path of one file"));
        return None;
    };
    let path = context.base_dir.join(text);
    let again = "train the policy: `plimsoll train` with this scenario writes the file";
    let source = match SourceFile::read(&path, MOST_BYTES) {
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
        let error = node.error(format!("{} was trained with another `{name}`", path.display()));
        sink.push(error.help(format!("put `{name}` back, or {again}")));
        return None;
    }
    sink.note_file(&source);
    Some(learned)
}
