//! `summary.md`: the answer, the table and the bill for a wiki or a pull request.

use std::fmt::Write;

use crate::experiment::Outcome;
use crate::report::table::{TableStyle, escape_markdown, label, markdown_row, table};
use crate::report::{Artifact, ReportError, Reporter, ReporterPlugin, bill, forecast, text, verdict};

/// The entry in the list.
pub(super) const PLUGIN: ReporterPlugin = ReporterPlugin {
    name: "summary.md",
    summary: "the answer, the table and the bill for a wiki or a pull request",
    source: "GitHub Flavored Markdown",
    build: &SummaryMd,
};

struct SummaryMd;

impl Reporter for SummaryMd {
    fn report(&self, outcome: &Outcome) -> Result<Vec<Artifact>, ReportError> {
        Ok(vec![Artifact::new(PLUGIN.name, page(outcome))])
    }
}

fn page(outcome: &Outcome) -> String {
    let mut page = format!("# {}\n\n", escape_markdown(&outcome.title));
    let verdict = verdict(outcome);
    let _ = writeln!(page, "**{}**\n", escape_markdown(&verdict.answer));
    push_list(&mut page, &verdict.details);
    if !outcome.description.is_empty() {
        let _ = writeln!(page, "{}\n", escape_markdown(&outcome.description));
    }
    for warning in &outcome.warnings {
        let _ = writeln!(page, "> Warning: {}\n", escape_markdown(warning));
    }
    if !outcome.runs.is_empty() {
        let _ = writeln!(page, "## Policies side by side\n\n{}", table(outcome, TableStyle::Markdown));
        page += &forecast::markdown(outcome);
        let _ = writeln!(page, "## Bill\n\n{}", bills(outcome));
    }
    if !outcome.assumptions.is_empty() {
        page += "## Assumptions\n\n";
        push_list(&mut page, &outcome.assumptions);
    }
    page + &origin(outcome)
}

fn push_list(page: &mut String, items: &[String]) {
    for item in items {
        let _ = writeln!(page, "- {}", escape_markdown(item));
    }
    if !items.is_empty() {
        page.push('\n');
    }
}

fn bills(outcome: &Outcome) -> String {
    let header = ["Policy", "What", "Leases", "Billed", "Price", "Cost"].map(str::to_owned);
    let mut table = markdown_row(&header) + "|---|---|---:|---:|---:|---:|\n";
    for run in &outcome.runs {
        for line in bill(&run.leases) {
            table += &markdown_row(&[
                label(run),
                line.what,
                text::count(line.leases),
                text::hours(line.billed),
                line.price.to_string(),
                text::exact_dollars(line.cost),
            ]);
        }
        let blank = String::new;
        table += &markdown_row(&[label(run), "total".into(), blank(), blank(), blank(), text::exact_dollars(run.cost)]);
    }
    table
}

fn origin(outcome: &Outcome) -> String {
    let mut section = String::from("## How to repeat this\n\n");
    let command = outcome.command.replace(['\n', '\r'], " ");
    let _ = writeln!(section, "```sh\n{command}\n```\n");
    let _ = writeln!(section, "Plimsoll {}, seed {}.", escape_markdown(&outcome.version), outcome.seed);
    if !outcome.price_date.is_empty() {
        let _ = writeln!(section, "Prices of {}.", escape_markdown(&outcome.price_date));
    }
    if !outcome.inputs.is_empty() {
        section += "\n| Input | What it is | Checksum |\n|---|---|---|\n";
        for input in &outcome.inputs {
            section += &markdown_row(&[input.name.clone(), input.detail.clone(), input.checksum.clone()]);
        }
    }
    section
}
