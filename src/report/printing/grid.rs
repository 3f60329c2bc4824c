//! A plain table of texts, printed for a terminal, as Markdown, as CSV or as JSON.

use comfy_table::{CellAlignment, ContentArrangement, Table};
use serde::Serialize;

use super::style::{RULES, TableStyle, markdown_row};

/// A table of texts with notes below it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Grid {
    /// Heads of the columns.
    pub header: Vec<String>,
    /// Rows, each as long as the header.
    pub rows: Vec<Vec<String>>,
    /// Sentences below the table.
    pub notes: Vec<String>,
}

impl Grid {
    /// The table as text.
    pub fn text(&self, style: TableStyle) -> String {
        match style {
            TableStyle::Terminal { width, .. } => self.terminal(width),
            TableStyle::Markdown => self.markdown(),
            TableStyle::Json => self.json(),
        }
    }

    fn terminal(&self, width: u16) -> String {
        let mut table = Table::new();
        table.load_style(RULES).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        table.set_header(&self.header);
        for row in &self.rows {
            table.add_row(row);
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        let notes: Vec<String> = self.notes.iter().map(|note| format!("{note}\n")).collect();
        format!("{table}\n{}", notes.concat())
    }

    fn markdown(&self) -> String {
        let mut text = markdown_row(&self.header);
        text += &format!("|---|{}\n", "---:|".repeat(self.header.len().saturating_sub(1)));
        self.rows.iter().for_each(|row| text += &markdown_row(row));
        for note in &self.notes {
            text += &format!("\n{}\n", super::style::escape_markdown(note));
        }
        text
    }

    /// Each row as an object under the heads of its columns.
    fn json(&self) -> String {
        let row = |row: &Vec<String>| -> serde_json::Value {
            self.header
                .iter()
                .cloned()
                .zip(row.iter().map(|cell| cell.as_str().into()))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        let rows: Vec<serde_json::Value> = self.rows.iter().map(row).collect();
        format!("{:#}\n", serde_json::json!({ "rows": rows, "notes": self.notes }))
    }
}
