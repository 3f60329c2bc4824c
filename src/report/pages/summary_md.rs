//! `summary.md`: the report for a wiki or a pull request, in the order of the page.

use std::fmt::Write;

use super::table::table;
use super::{forecast, html};
use crate::experiment::Outcome;
use crate::report::answers::bill::{bill, charge_cells, usage_cells};
use crate::report::answers::comparison;
use crate::report::answers::level::{level_answer, same_level};
use crate::report::answers::table::label;
use crate::report::answers::words::{Words, words};
use crate::report::artifact::{Artifact, ReportError, Reporter, ReporterPlugin};
use crate::report::printing::style::{TableStyle, escape_markdown, markdown_prose, markdown_row};
use crate::report::printing::{expense, text};

/// The entry in the list.
pub(crate) const PLUGIN: ReporterPlugin = ReporterPlugin {
    name: "summary.md",
    summary: "the report for a wiki or a pull request: words, tables, charts as links, bill, assumptions, checksums",
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
    if !outcome.description.is_empty() {
        let _ = writeln!(page, "{}\n", escape_markdown(&outcome.description));
    }
    page += &in_words(outcome);
    if !outcome.runs.is_empty() {
        page += &figures(outcome);
        page += &charts(outcome);
        page += &causes(outcome);
        page += &forecast::markdown(outcome);
        if expense::is_priced(outcome) {
            let _ = writeln!(page, "## Bill\n\n{}", bills(outcome));
        }
    }
    if !outcome.assumptions.is_empty() {
        page += "## Assumptions\n\n";
        push_list(&mut page, &outcome.assumptions);
    }
    page + &origin(outcome)
}

fn in_words(outcome: &Outcome) -> String {
    let Words { asked, verdict, sure } = words(outcome);
    let mut section = String::from("## What was asked\n\n");
    push_list(&mut section, &asked);
    let _ = writeln!(section, "## The answer\n\n**{}**\n", escape_markdown(&verdict.answer));
    push_list(&mut section, &verdict.details);
    if !sure.is_empty() || !outcome.warnings.is_empty() {
        section += "## How sure it is\n\n";
    }
    push_list(&mut section, &sure);
    for warning in &outcome.warnings {
        let _ = writeln!(section, "> Warning: {}\n", escape_markdown(warning));
    }
    section
}

/// The tables: at the same level and with intervals where there are such, and the run.
fn figures(outcome: &Outcome) -> String {
    let mut section = String::from("## Policies side by side\n\n");
    if let Some(level) = &outcome.level {
        let table = same_level(level).text(TableStyle::Markdown);
        let _ = writeln!(section, "{}\n\n{table}", escape_markdown(&level_answer(level)));
    }
    if let Some([figures, verdicts]) = comparison::grids(outcome) {
        let (figures, verdicts) = (figures.text(TableStyle::Markdown), verdicts.text(TableStyle::Markdown));
        let _ = writeln!(section, "### Figures with intervals\n\n{figures}\n### Paired differences\n\n{verdicts}");
        let _ = writeln!(section, "### One run in full\n\n{}\n", html::one_of(outcome));
    }
    section + &table(outcome, TableStyle::Markdown) + "\n"
}

/// The charts by name, with the figures behind each.
#[cfg(feature = "charts")]
fn charts(outcome: &Outcome) -> String {
    let mut section = String::from("## Charts\n\n");
    let pictures =
        crate::report::charts::frontier_figures(outcome).into_iter().chain(crate::report::charts::figures(outcome));
    for picture in pictures.chain(crate::report::charts::forecast_figures(outcome)) {
        let [name, title, caption, data] = picture.texts();
        let (title, caption) = (escape_markdown(title), escape_markdown(caption));
        let _ = writeln!(section, "![{title}]({name}.svg)\n\n{caption} Figures: [{data}]({data}).\n");
    }
    let timelines = crate::report::charts::Timelines::names(outcome);
    let links = timelines.iter().map(|(name, title)| format!("[{}]({name}.svg)", escape_markdown(title)));
    let links = links.collect::<Vec<_>>().join(", ");
    if !links.is_empty() {
        let _ = writeln!(section, "Timelines: {links}. Figures: [timeline.csv](timeline.csv).\n");
    }
    section
}

#[cfg(not(feature = "charts"))]
fn charts(_: &Outcome) -> String {
    String::new()
}

/// Why requests were bad; empty where none was.
fn causes(outcome: &Outcome) -> String {
    let several = outcome.runs.iter().any(|run| run.services.len() > 1);
    let all: Vec<_> = outcome.runs.iter().flat_map(|run| html::violations(run, several)).collect();
    let rows: String = all.iter().flat_map(html::Violation::cause_rows).map(|row| markdown_row(&row)).collect();
    if rows.is_empty() {
        return rows;
    }
    let header = ["Policy", "Objective", "Cause", "Share", "Requests"].map(str::to_owned);
    format!("## Why requests were bad\n\n{}|---|---|---|---:|---:|\n{rows}\n", markdown_row(&header))
}

fn push_list(page: &mut String, items: &[String]) {
    for item in items {
        let _ = writeln!(page, "- {}", markdown_prose(item));
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
        let more = run.usage.iter().map(usage_cells).chain(run.charges.iter().map(charge_cells));
        for [what, leases, billed, price, cost] in more {
            table += &markdown_row(&[label(run), what, leases, billed, price, cost]);
        }
        let blank = String::new;
        table += &markdown_row(&[label(run), "total".into(), blank(), blank(), blank(), expense::exact(run.cost)]);
    }
    table
}

fn origin(outcome: &Outcome) -> String {
    let mut section = String::from("## How to repeat this\n\n");
    let command = outcome.command.replace(['\n', '\r'], " ");
    let _ = writeln!(section, "```sh\n{command}\n```\n");
    let _ = writeln!(section, "Plimsoll {}, seed {}.", escape_markdown(&outcome.version), outcome.seed);
    if !outcome.price_date.is_empty() {
        let _ = writeln!(section, "List prices as of {}.", escape_markdown(&outcome.price_date));
    }
    if !outcome.inputs.is_empty() {
        section += "\n### Checksums\n\n| Input | What it is | Checksum |\n|---|---|---|\n";
        for input in &outcome.inputs {
            section += &markdown_row(&[input.name.clone(), input.detail.clone(), input.checksum.clone()]);
        }
    }
    section
}
