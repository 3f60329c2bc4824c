//! The interface of a format.

use crate::config::Plugin;
use crate::workload::error::TraceError;
use crate::workload::reading::open::TraceInput;
use crate::workload::reading::options::TraceOptions;
use crate::workload::reading::rows::RowReader;

/// The functions of a format.
#[derive(Debug, Clone, Copy)]
pub struct FormatBuilder {
    /// Whether a file is certainly of this format, judged by its first bytes.
    pub recognise: fn(&TraceInput, &TraceOptions) -> bool,
    /// Opens a reader.
    pub open: FormatOpener,
}

/// Opens a reader of a file with its options.
pub type FormatOpener = fn(&TraceInput, &TraceOptions) -> Result<Box<dyn RowReader>, TraceError>;

/// The entry of a format in the list.
pub type FormatPlugin = Plugin<FormatBuilder>;
