//! Azure LLM inference traces of 2023 and 2024: arrival and token counts of each request.

use super::super::table::Layout;
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::workload::reading::header::Header;
use crate::workload::reading::open::TraceInput;
use crate::workload::reading::options::{Columns, TraceOptions};

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "azure-llm",
    summary: "Azure LLM inference trace: TIMESTAMP,ContextTokens,GeneratedTokens",
    source: "Azure/AzurePublicDataset, AzureLLMInferenceDataset2023.md and 2024.md (Patel et al., Splitwise, ISCA 2024)",
    build: FormatBuilder {
        recognise: |input, _| is_azure(input),
        open: |input, options| {
            let options = TraceOptions { columns: columns(), ..options.clone() };
            Layout::of(input, &options, b',')?.open(input, &options)
        },
    },
};

fn is_azure(input: &TraceInput) -> bool {
    let header = Header::of(input, b',');
    ["TIMESTAMP", "ContextTokens", "GeneratedTokens"].iter().all(|name| header.find(name).is_some())
}

fn columns() -> Columns {
    Columns {
        time: vec!["TIMESTAMP".into()],
        tokens_in: Some("ContextTokens".into()),
        tokens_out: Some("GeneratedTokens".into()),
        ..Columns::default()
    }
}
