//! The table of policies in every style.

use crate::experiment::Outcome;
use crate::report::answers::table::{colored, markdown, terminal};
use crate::report::data::summary_json;
use crate::report::printing::style::TableStyle;

/// The table of an outcome. Same outcome and style, same text.
pub fn table(outcome: &Outcome, style: TableStyle) -> String {
    match style {
        TableStyle::Terminal { width, color } => {
            let plain = terminal(outcome, width);
            if color { colored(&plain) } else { plain }
        }
        TableStyle::Markdown => markdown(outcome),
        TableStyle::Json => summary_json::text(outcome),
    }
}
