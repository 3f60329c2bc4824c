//! Source texts, spans and diagnostics, and plug-in lists with the names that a text may refer to.
//!
//! A YAML file is parsed to a tree of [`Yaml`] nodes, each with its place in the text. Readers extract values with
//! [`Fields`] and report every problem to [`Diagnostics`], so that one run of `plimsoll check` shows all problems.

mod choice;
mod diagnostic;
mod edit;
mod fields;
pub mod functions;
pub mod kubernetes;
mod names;
mod node;
mod plugin;
mod source;
pub mod spool;
mod whole;
mod yaml;

pub use choice::{advice, did_you_mean, near_miss, not_one_of, one_of};
pub use diagnostic::{Diagnostic, Diagnostics, ReadMapping, Severity};
pub use edit::{Edits, Step};
pub use fields::{Fields, FromNode, parse_text, suggest};
pub use names::{
    Line, Lines, Name, as_label, check_label, csv_cell, csv_text, is_hidden, shell_word, slug, visible, visible_lines,
};
pub use node::{Key, Value, Yaml};
pub use plugin::Plugin;
pub use source::{SourceFile, Span};
pub use whole::{Part, WriteError, remove_temporaries, replace_files, try_directory, write_whole};
pub use yaml::{MAX_YAML_BYTES, parse_documents, parse_single};
