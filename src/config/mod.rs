//! Source text, spans and diagnostics, and the plug-in lists that name what a text may refer to.
//!
//! A YAML file becomes a tree of [`Node`]s, each with its place in the text. Readers take nodes apart with [`Fields`] and
//! leave everything they object to in [`Diagnostics`], so that one run of `plimsoll check` shows all that is wrong.

mod diagnostic;
mod fields;
pub mod kubernetes;
mod node;
mod plugin;
mod source;
mod whole;
mod yaml;

pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use fields::{Fields, FromNode, parse_text, suggest};
pub use node::{Key, Node, Value};
pub use plugin::Plugin;
pub use source::{SourceFile, Span};
pub use whole::write_whole;
pub use yaml::{MAX_YAML_BYTES, parse_documents, parse_single};
