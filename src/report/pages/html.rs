//! `report.html`: one page that needs nothing else.
//!
//! The template and its style sheet are in `assets/`. What the page shows is prepared here as plain values, so that the
//! template only places it; every text is escaped by the template engine, and only the charts, which escape their own
//! texts, are passed as markup.

use base64::prelude::{BASE64_STANDARD as STANDARD, Engine};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, HtmlEscape};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::forecast;
use super::reporters::REPORTERS;
use crate::engine::{Cause, DecisionRecord, ObjectiveRecord, RunRecord, ServiceRecord};
use crate::experiment::Outcome;
use crate::policy::ReasonCode;
use crate::report::answers::level::{self, level_answer, same_level};
use crate::report::answers::table::{self, Mark, label, legend, notes, order, rows};
use crate::report::answers::verdict::{is_clairvoyant, winner};
use crate::report::answers::words::{Words, words};
use crate::report::answers::{bill, comparison};
use crate::report::artifact::{Artifact, ReportError, Reporter, ReporterPlugin};
use crate::report::printing::causes::{cause_words, share_text};
use crate::report::printing::grid::Grid;
use crate::report::printing::moment::Clock;
use crate::report::printing::style::code_spans;
use crate::report::printing::{expense, text};

/// The entry in the list.
pub(crate) const PLUGIN: ReporterPlugin = ReporterPlugin {
    name: "report.html",
    summary: "one self-contained page: answer, table, charts, violations, bill, decisions, assumptions",
    source: "HTML Living Standard",
    build: &ReportHtml,
};

const TEMPLATE: &str = include_str!("../../../assets/report.html");
const MACROS: &str = include_str!("../../../assets/macros.html");
const FORECAST: &str = include_str!("../../../assets/forecast.html");
const STYLE: &str = include_str!("../../../assets/report.css");
#[cfg(feature = "charts")]
const SCRIPT: &str = include_str!("../../../assets/timelines.js");

/// Decisions shown per policy and service, and on the page altogether; all are in `decisions.csv`.
const DECISIONS_EACH: usize = 25;
const DECISIONS: usize = 400;

struct ReportHtml;

impl Reporter for ReportHtml {
    fn report(&self, outcome: &Outcome) -> Result<Vec<Artifact>, ReportError> {
        Ok(vec![Artifact::new(PLUGIN.name, page(outcome).map_err(|e| ReportError::new(PLUGIN.name, e))?)])
    }
}

fn page(outcome: &Outcome) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.add_filter("prose", prose);
    environment.add_template("macros", MACROS)?;
    environment.add_template("report", TEMPLATE)?;
    environment.add_template("forecast", FORECAST)?;
    environment.get_template("report")?.render(Serde(Page::of(outcome)))
}

/// A text as markup in which what stands between backticks is code.
fn prose(text: &str) -> minijinja::Value {
    let part = |(is_code, part): (bool, &str)| {
        let part = HtmlEscape(part);
        if is_code { format!("<code>{part}</code>") } else { part.to_string() }
    };
    minijinja::Value::from_safe_string(code_spans(text).into_iter().map(part).collect())
}

/// What the template sees.
#[derive(Serialize)]
struct Page<'a> {
    /// What a browser may load and run: the style sheet and the script below, by their checksums, and nothing else.
    security: String,
    style: String,
    /// The script that zooms timelines; empty without any.
    script: String,
    scenario: &'a str,
    title: &'a str,
    description: &'a str,
    command: &'a str,
    version: &'a str,
    seed: u64,
    price_date: &'a str,
    assumptions: &'a [String],
    warnings: &'a [String],
    inputs: Vec<[&'a str; 3]>,
    asked: Vec<String>,
    answer: String,
    details: Vec<String>,
    sure: Vec<String>,
    /// Policies at the same service level, with the answer in a sentence.
    level: Option<(String, Grid)>,
    /// Figures with intervals, and differences with verdicts.
    comparison: Option<[Grid; 2]>,
    /// Said of what shows one replication among several.
    one_of: String,
    columns: Vec<Column>,
    rows: Vec<GridRow>,
    notes: Vec<String>,
    frontier: Vec<Picture>,
    figures: Vec<Picture>,
    timelines: Option<Timelines>,
    forecast: forecast::Section,
    violations: Vec<Violation>,
    bills: Vec<Bill>,
    decisions: Vec<Decisions>,
    /// Heads the column of the moments of decisions.
    at: String,
    /// The files beside the page: name and what it holds.
    files: Vec<[&'static str; 2]>,
}

impl<'a> Page<'a> {
    fn of(outcome: &'a Outcome) -> Self {
        let Words { asked, verdict, sure } = words(outcome);
        let [frontier, figures] = figures(outcome);
        let timelines = timelines(outcome);
        let several = outcome.runs.iter().any(|run| run.services.len() > 1);
        let order = order(outcome);
        let (style, script) = (format!("\n{STYLE}\n"), script(&timelines));
        Page {
            security: security(&style, &script),
            style,
            script,
            scenario: &outcome.scenario,
            title: &outcome.title,
            description: &outcome.description,
            command: &outcome.command,
            version: &outcome.version,
            seed: outcome.seed,
            price_date: &outcome.price_date,
            assumptions: &outcome.assumptions,
            warnings: &outcome.warnings,
            inputs: outcome.inputs.iter().map(|i| [&*i.name, &*i.detail, &*i.checksum]).collect(),
            asked,
            answer: verdict.answer,
            details: verdict.details,
            sure,
            level: outcome.level.as_ref().map(|level| (level_answer(level), same_level(level))),
            comparison: comparison::grids(outcome),
            one_of: one_of(outcome),
            columns: order
                .iter()
                .map(|index| Column::of(&outcome.runs[*index], winner(outcome) == Some(*index)))
                .collect(),
            rows: rows(outcome).iter().map(|row| GridRow::of(row, &order)).collect(),
            notes: notes(outcome).into_iter().chain((!outcome.runs.is_empty()).then(legend)).collect(),
            frontier,
            figures,
            timelines,
            forecast: forecast::Section::of(outcome),
            violations: outcome.runs.iter().flat_map(|run| violations(run, several)).collect(),
            bills: outcome.runs.iter().filter(|run| run.cost.is_some()).map(Bill::of).collect(),
            decisions: decisions(outcome, several),
            at: Clock::of(outcome).head("At"),
            files: files(outcome),
        }
    }
}

#[derive(Serialize)]
struct Column {
    name: String,
    clairvoyant: bool,
    /// Whether the answer names it.
    winner: bool,
}

impl Column {
    fn of(run: &RunRecord, winner: bool) -> Column {
        Column { name: run.policy.clone(), clairvoyant: is_clairvoyant(run), winner }
    }
}

#[derive(Serialize)]
struct GridRow {
    label: String,
    heading: bool,
    detail: bool,
    cells: Vec<Cell>,
}

#[derive(Serialize)]
struct Cell {
    text: String,
    class: &'static str,
}

impl GridRow {
    /// The cells of a row in the order of the columns.
    fn of(row: &table::Row, order: &[usize]) -> GridRow {
        let cell = |cell: &table::Cell| {
            let class = match cell.mark {
                Some(Mark::Met) => "met",
                Some(Mark::Missed) => "missed",
                Some(Mark::Best) => "best",
                None => "",
            };
            Cell { text: cell.shown(), class }
        };
        GridRow {
            label: row.label.clone(),
            heading: row.is_heading(),
            detail: row.is_detail,
            cells: order.iter().filter_map(|index| row.cells.get(*index)).map(cell).collect(),
        }
    }
}

#[cfg(feature = "charts")]
use crate::report::charts::{Picture, Timelines};

/// Without charts there is none.
#[cfg(not(feature = "charts"))]
#[derive(Serialize)]
struct Picture {}

/// Without charts there are none.
#[cfg(not(feature = "charts"))]
#[derive(Serialize)]
struct Timelines {}

#[cfg(feature = "charts")]
fn figures(outcome: &Outcome) -> [Vec<Picture>; 2] {
    [crate::report::charts::frontier_figures(outcome), crate::report::charts::figures(outcome)]
}

#[cfg(not(feature = "charts"))]
fn figures(_: &Outcome) -> [Vec<Picture>; 2] {
    [Vec::new(), Vec::new()]
}

#[cfg(feature = "charts")]
fn timelines(outcome: &Outcome) -> Option<Timelines> {
    Some(Timelines::of(outcome)).filter(|timelines| !timelines.is_empty())
}

#[cfg(not(feature = "charts"))]
fn timelines(_: &Outcome) -> Option<Timelines> {
    None
}

#[cfg(feature = "charts")]
fn script(timelines: &Option<Timelines>) -> String {
    if timelines.is_some() { format!("\n{SCRIPT}\n") } else { String::new() }
}

#[cfg(not(feature = "charts"))]
fn script(_: &Option<Timelines>) -> String {
    String::new()
}

/// The page's Content-Security-Policy (CSP level 3): should a text of the scenario ever reach the page as markup, the browser would still
/// load nothing, run nothing and send nothing.
fn security(style: &str, script: &str) -> String {
    let source = |text: &str| match text {
        "" => "'none'".to_string(),
        text => format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text.as_bytes()))),
    };
    let (style, script) = (source(style), source(script));
    format!("default-src 'none'; style-src {style}; script-src {script}; base-uri 'none'; form-action 'none'")
}

/// What is said of tables and pictures that show one replication.
pub(super) fn one_of(outcome: &Outcome) -> String {
    match &outcome.replicated {
        Some(result) if result.replications > 1 => {
            format!("The first of {} replications.", text::count(result.replications))
        }
        _ => String::new(),
    }
}

/// The files beside the page, but for charts, which are named below each.
fn files(outcome: &Outcome) -> Vec<[&'static str; 2]> {
    let is_written = |name: &str| match name {
        "report.html" | "charts" => false,
        "comparison.json" => outcome.replicated.is_some(),
        "frontier.csv" => level::points(outcome).is_some(),
        "bill.csv" => outcome.runs.iter().any(|run| run.cost.is_some()),
        "forecasts.csv" => forecast::is_any(outcome),
        _ => true,
    };
    let written = REPORTERS.iter().filter(|plugin| is_written(plugin.name));
    written.map(|plugin| [plugin.name, plugin.summary]).collect()
}

/// "POLICY" or "POLICY, SERVICE".
fn whose(run: &RunRecord, service: &ServiceRecord, several: bool) -> String {
    if several { format!("{}, {}", label(run), service.name) } else { label(run) }
}

/// An objective that judged requests, and how it was kept.
#[derive(Serialize)]
pub(super) struct Violation {
    policy: String,
    objective: String,
    met: bool,
    figures: [String; 5],
    /// (cause, share of the bad requests, how many).
    causes: Vec<[String; 3]>,
}

impl Violation {
    /// (policy, objective, cause, share of the bad requests, how many) for each cause.
    pub(crate) fn cause_rows(&self) -> impl Iterator<Item = [String; 5]> + '_ {
        self.causes.iter().map(|[cause, share, count]| {
            let of = [&self.policy, &self.objective, cause, share, count];
            of.map(String::clone)
        })
    }
}

/// How each objective of a run was kept; `several` says whether services are named.
pub(super) fn violations(run: &RunRecord, several: bool) -> Vec<Violation> {
    let judged = run.services.iter().flat_map(|s| s.objectives.iter().filter(|o| o.total > 0).map(move |o| (s, o)));
    let row = |(service, objective): (&ServiceRecord, &ObjectiveRecord)| Violation {
        policy: whose(run, service, several),
        objective: objective.text.clone(),
        met: objective.met(),
        figures: [
            text::attainment(objective.attainment()),
            text::count(objective.total.saturating_sub(objective.good)),
            text::percent(objective.budget_used()),
            text::minutes(objective.violation),
            text::number(objective.peak_burn_rate, 1),
        ],
        causes: causes(objective),
    };
    judged.map(row).collect()
}

fn causes(objective: &ObjectiveRecord) -> Vec<[String; 3]> {
    let causes = &objective.causes;
    let met = Cause::ALL.into_iter().filter(|cause| causes.of(*cause) > 0);
    let row = |cause: Cause| {
        let share = share_text(causes, cause).unwrap_or_default();
        [cause_words(cause, objective).to_owned(), share, text::count(causes.of(cause))]
    };
    met.map(row).collect()
}

#[derive(Serialize)]
struct Bill {
    policy: String,
    lines: Vec<[String; 5]>,
    total: String,
}

impl Bill {
    fn of(run: &RunRecord) -> Bill {
        let line = |line: bill::BillLine| {
            [
                line.what,
                text::count(line.leases),
                text::hours(line.billed),
                line.price.to_string(),
                text::exact_dollars(line.cost),
            ]
        };
        Bill {
            policy: label(run),
            lines: bill::bill(&run.leases)
                .into_iter()
                .map(line)
                .chain(run.usage.iter().map(bill::usage_cells))
                .chain(run.charges.iter().map(bill::charge_cells))
                .collect(),
            total: expense::exact(run.cost),
        }
    }
}

#[derive(Serialize)]
struct Decisions {
    whose: String,
    rows: Vec<[String; 6]>,
    more: String,
}

fn decisions(outcome: &Outcome, several: bool) -> Vec<Decisions> {
    let services = outcome.runs.iter().flat_map(|run| run.services.iter().map(move |service| (run, service)));
    let services: Vec<_> = services.collect();
    let each = DECISIONS_EACH.min(DECISIONS / services.len().max(1)).max(3);
    services
        .into_iter()
        .map(|(run, service)| {
            let mut notable: Vec<&DecisionRecord> = service.decisions.iter().filter(|d| is_notable(d)).collect();
            let more = match notable.len().saturating_sub(each) {
                0 => String::new(),
                n => format!(
                    "Shown are those that changed the size most; {} more are notable, and all {} are in",
                    text::count(n as u64),
                    text::count(service.decisions.len() as u64)
                ),
            };
            keep_largest(&mut notable, each);
            Decisions {
                whose: whose(run, service, several),
                rows: notable.iter().map(|decision| decision_row(decision, Clock::of(outcome))).collect(),
                more,
            }
        })
        .filter(|decisions| !decisions.rows.is_empty())
        .collect()
}

/// Keeps so many decisions: those that changed the size most and, of those that changed it alike, some from the whole run.
fn keep_largest(decisions: &mut Vec<&DecisionRecord>, most: usize) {
    let size = |decision: &DecisionRecord| decision.from.abs_diff(decision.to);
    decisions.sort_by_key(|decision| std::cmp::Reverse(size(decision)));
    if let Some(least) = decisions.get(most).map(|first_left_out| size(first_left_out)) {
        let alike = decisions.split_off(decisions.partition_point(|decision| size(decision) > least));
        let alike = &alike[..alike.partition_point(|decision| size(decision) == least)];
        let room = most - decisions.len();
        decisions.extend((0..room).map(|index| alike[index * alike.len() / room]));
    }
    decisions.sort_by_key(|decision| decision.at);
}

/// Whether a decision changed the size or could not do what it wanted.
fn is_notable(decision: &DecisionRecord) -> bool {
    decision.from != decision.to
        || matches!(decision.code, ReasonCode::NoData | ReasonCode::RateLimited | ReasonCode::Bounded)
}

fn decision_row(decision: &DecisionRecord, clock: Clock) -> [String; 6] {
    [
        clock.at(decision.at.as_secs_f64()),
        if decision.from == decision.to {
            format!("stays at {}", decision.to)
        } else {
            format!("{} → {}", decision.from, decision.to)
        },
        decision.ready.to_string(),
        decision.metrics_age.map_or_else(|| text::MISSING.into(), |age| format!("{:.0} s", age.as_secs_f64())),
        decision.code.name().to_owned(),
        decision.detail.clone(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 60 decisions by one over a day, and two by three: the two, and others from the whole day rather than from its morning.
    #[test]
    fn decisions_shown_are_the_largest_and_from_the_whole_run() {
        let decision = |hour: u64, to: u32| DecisionRecord {
            at: crate::units::SimTime::from_secs(600 * hour),
            metrics_age: None,
            from: 2,
            to,
            ready: 2,
            code: ReasonCode::Target,
            detail: String::new(),
        };
        let all: Vec<DecisionRecord> =
            (0..60).map(|hour| decision(hour, if matches!(hour, 7 | 8) { 5 } else { 3 })).collect();
        let mut kept: Vec<&DecisionRecord> = all.iter().collect();
        keep_largest(&mut kept, 12);
        assert_eq!((kept.len(), kept.iter().filter(|decision| decision.to == 5).count()), (12, 2));
        assert!(kept.windows(2).all(|pair| pair[0].at < pair[1].at));
        assert!(kept.iter().filter(|decision| decision.at >= all[30].at).count() >= 5);
        let mut few: Vec<&DecisionRecord> = all.iter().take(3).collect();
        keep_largest(&mut few, 12);
        assert_eq!(few.len(), 3);
    }
}
