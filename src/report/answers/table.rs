//! The table of policies side by side: one grid of figures, printed in several styles.

use comfy_table::{CellAlignment, ContentArrangement, Table};

use super::gap;
use super::verdict::{is_clairvoyant, meets_objectives, objectives, winner};
use crate::engine::{Cause, ObjectiveRecord, RunRecord, ServiceRecord};
use crate::experiment::{Metric, Outcome};
use crate::report::printing::causes::{cause_words, share_text};
use crate::report::printing::expense::{self, Ranking};
use crate::report::printing::style::{RULES, escape_markdown, markdown_row};
use crate::report::printing::text;
use crate::units::{SimDuration, Usd};

/// Marks the best value of a row.
const BEST: &str = "*";
/// How far in the label of a detail stands.
const INDENT: &str = "  ";
/// Columns that the terminal's first column and each policy's column need.
const LABEL_WIDTH: u16 = 30;
const CELL_WIDTH: u16 = 17;
/// Letters after which a label is broken: two policies beside it fit into 80 columns.
const LONGEST_LABEL: usize = 38;

/// What distinguishes a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Every objective is met.
    Met,
    /// Some objective is missed.
    Missed,
    /// The best value of its row.
    Best,
}

/// The figure of one policy.
pub(crate) struct Cell {
    text: String,
    /// What distinguishes it.
    pub(crate) mark: Option<Mark>,
}

impl Cell {
    /// The figure with its mark.
    pub(crate) fn shown(&self) -> String {
        let text = &self.text;
        match self.mark {
            None => text.clone(),
            Some(Mark::Met) => format!("✓ {text}"),
            Some(Mark::Missed) => format!("✗ {text}"),
            Some(Mark::Best) => format!("{text} {BEST}"),
        }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell { text, mark: None }
    }
}

/// A row of the grid: one figure of every policy.
pub(crate) struct Row {
    /// What the figure is.
    pub(crate) label: String,
    /// Whether it says more about the row above it.
    pub(crate) is_detail: bool,
    /// One cell per policy; none in a heading.
    pub(crate) cells: Vec<Cell>,
}

impl Row {
    fn new(label: impl Into<String>, cells: impl IntoIterator<Item = impl Into<Cell>>) -> Row {
        Row { label: label.into(), is_detail: false, cells: cells.into_iter().map(Into::into).collect() }
    }

    /// The row as a detail of the one above it.
    fn detail(self) -> Row {
        Row { is_detail: true, ..self }
    }

    /// Whether this row only names the rows below it.
    pub(crate) fn is_heading(&self) -> bool {
        self.cells.is_empty()
    }

    /// The label as it stands in a column of labels.
    fn indented(&self) -> String {
        format!("{}{}", if self.is_detail { INDENT } else { "" }, self.label)
    }
}

/// The policy's name, marked if it knows the trace.
pub(crate) fn label(run: &RunRecord) -> String {
    if is_clairvoyant(run) { format!("{} (clairvoyant)", run.policy) } else { run.policy.clone() }
}

/// The columns of the table, as indices of runs: the policy that the answer names first, the others as the scenario states them.
pub(crate) fn order(outcome: &Outcome) -> Vec<usize> {
    let first = winner(outcome);
    first.into_iter().chain((0..outcome.runs.len()).filter(|index| Some(*index) != first)).collect()
}

/// What the rows mean, for who meets them first.
pub(crate) fn legend() -> String {
    "p50, p95 and p99: the latency that 50%, 95% and 99% of the requests do not exceed. Error budget: the bad requests that an objective \
     allows. Utilization of slots: requests in service, as a share of replicas (ready or draining) times their concurrency. Flaps: changes of \
     direction, from scaling up to scaling down or back."
        .into()
}

/// What the marks in the grid mean; one sentence each.
pub(crate) fn notes(outcome: &Outcome) -> Vec<String> {
    let real = outcome.runs.iter().filter(|run| !is_clairvoyant(run)).count();
    let mut notes = Vec::new();
    if real > 1 {
        let compared = if expense::is_priced(outcome) { "cost is" } else { "replica-hours are" };
        notes.push(format!(
            "{BEST} best of its row among policies that could be run in production; {compared} compared only among those \
             that meet every objective."
        ));
    }
    if real < outcome.runs.len() {
        notes.push(
            "Clairvoyant policies know the trace: they are a yardstick (their plans are approximations), not a choice."
                .to_owned(),
        );
    }
    // A bound of nothing, where all that must be kept lies beyond the end, says nothing.
    if let Some(bound) = outcome.bound.as_ref().filter(|bound| bound.cost > Usd::ZERO) {
        notes.push(format!(
            "No policy that keeps “{}” costs less than the lower bound of {}. The bound knows the trace, keeps \
             replicas fully busy within intervals of {}, holds none in reserve and leaves out the warm-up: no policy reaches it, and \
             the gap is not all waste. A policy below it misses the objective.",
            bound.objective,
            text::dollars(bound.cost),
            text::latency(bound.interval)
        ));
        notes.extend(gap::explained(outcome));
    }
    notes
}

pub(crate) fn terminal(outcome: &Outcome, width: u16) -> String {
    let rows = rows(outcome);
    let per_block = usize::from((width.saturating_sub(LABEL_WIDTH) / CELL_WIDTH).max(1));
    let mut text = String::new();
    let policies = order(outcome);
    for block in policies.chunks(per_block) {
        let mut table = Table::new();
        table.load_style(RULES).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        let names = block.iter().map(|i| match is_clairvoyant(&outcome.runs[*i]) {
            true => format!("{}\nCLAIRVOYANT", outcome.runs[*i].policy),
            false => outcome.runs[*i].policy.clone(),
        });
        table.set_header(std::iter::once(String::new()).chain(names));
        for row in &rows {
            let cells = block.iter().map(|i| row.cells.get(*i).map_or_else(String::new, Cell::shown));
            table.add_row(std::iter::once(hanging(&row.indented())).chain(cells));
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        text += &table.to_string();
        text.push('\n');
    }
    for note in notes(outcome) {
        text += &note;
        text.push('\n');
    }
    text
}

/// A label broken where it is long, each line as far in as the first: the table itself would begin it at the left.
fn hanging(label: &str) -> String {
    let indent = &label[..label.len() - label.trim_start().len()];
    let mut lines: Vec<String> = Vec::new();
    for word in label.split_whitespace() {
        match lines.last_mut().filter(|line| line.chars().count() + 1 + word.chars().count() <= LONGEST_LABEL) {
            Some(line) => *line += &format!(" {word}"),
            None => lines.push(format!("{indent}{word}")),
        }
    }
    lines.join("\n")
}

pub(crate) fn colored(plain: &str) -> String {
    plain
        .replace('✓', "\x1b[32m✓\x1b[0m")
        .replace('✗', "\x1b[31m✗\x1b[0m")
        .replace("CLAIRVOYANT", "\x1b[33mCLAIRVOYANT\x1b[0m")
}

pub(crate) fn markdown(outcome: &Outcome) -> String {
    let mut header = vec![String::new()];
    let order = order(outcome);
    header.extend(order.iter().map(|index| label(&outcome.runs[*index])));
    let mut text = markdown_row(&header);
    text += &format!("|---|{}\n", "---:|".repeat(outcome.runs.len()));
    for row in rows(outcome) {
        let label = escape_markdown(&row.indented());
        let label = if row.is_heading() { format!("**{label}**") } else { label };
        let cell =
            |index: &usize| row.cells.get(*index).map_or_else(String::new, |cell| escape_markdown(&cell.shown()));
        let cells: Vec<String> = order.iter().map(cell).collect();
        text += &format!("| {label} | {} |\n", cells.join(" | "));
    }
    for note in notes(outcome).into_iter().chain([legend()]) {
        text += &format!("\n{}\n", escape_markdown(&note));
    }
    text
}

/// The grid: costs and verdicts first, then each service.
pub(crate) fn rows(outcome: &Outcome) -> Vec<Row> {
    let runs = &outcome.runs;
    let judge = Judge::new(runs);
    let mut rows = Vec::new();
    if runs.is_empty() {
        return rows;
    }
    // Under the title the unit of replica-hours says itself.
    let expense = |run: &RunRecord| match run.cost {
        Some(cost) => Some((text::dollars(cost), cost.as_f64())),
        None => Some((expense::number(run.replica_hours()), run.replica_hours())),
    };
    let title = Ranking::for_outcome(outcome).title;
    rows.push(judge.row(title, Best::LowestOfMeeting, runs.iter().map(expense).collect()));
    rows.extend(regret_rows(outcome));
    rows.push(Row::new("Objectives met", runs.iter().map(objectives_met)));
    let services = runs.iter().map(|run| run.services.len()).max().unwrap_or(0);
    for index in 0..services {
        let records: Vec<Option<&ServiceRecord>> = runs.iter().map(|run| run.services.get(index)).collect();
        if services > 1 {
            let name = records.iter().flatten().next().map(|service| service.name.clone());
            rows.push(Row::new(format!("Service {}", name.unwrap_or_default()), Vec::<Cell>::new()));
        }
        rows.extend(service_rows(&judge, &records));
    }
    rows
}

/// How much each policy costs above the lower bound, and above the cheapest clairvoyant plan that keeps the objectives.
fn regret_rows(outcome: &Outcome) -> Vec<Row> {
    let row = |label: String, of: &dyn Fn(&RunRecord) -> Option<String>| {
        let cell = |run: &RunRecord| of(run).unwrap_or_else(|| text::MISSING.into());
        Row::new(label, outcome.runs.iter().map(cell)).detail()
    };
    let signed = |share: f64| format!("{}{}", if share < 0.0 { "" } else { "+" }, text::percent(share));
    // Only who misses an objective can cost less than the bound (I9), and then there is no distance to speak of.
    let above = |run: &RunRecord, least: f64| match regret(run, least)? {
        share if share >= 0.0 => Some(signed(share)),
        _ if meets_objectives(run) == Some(false) => Some("misses".into()),
        _ => Some(signed(0.0)),
    };
    let bound = outcome.bound.as_ref().filter(|bound| bound.cost > Usd::ZERO).map(|bound| {
        let label = format!("over the lower bound, {}", text::dollars(bound.cost));
        row(label, &|run| above(run, bound.cost.as_f64()))
    });
    let plan = clairvoyant_cost(outcome)
        .map(|cost| row("over the clairvoyant plan".into(), &|run| regret(run, cost).map(signed)));
    bound.into_iter().chain(plan).collect()
}

/// Cost of the cheapest clairvoyant run that meets every objective, dollars.
pub(crate) fn clairvoyant_cost(outcome: &Outcome) -> Option<f64> {
    let plans = outcome.runs.iter().filter(|run| is_clairvoyant(run) && meets_objectives(run) != Some(false));
    plans.filter_map(|run| Some(run.cost?.as_f64())).reduce(f64::min)
}

/// The share by which a run costs more than `least`; `None` if nothing is charged.
pub(crate) fn regret(run: &RunRecord, least: f64) -> Option<f64> {
    run.cost.filter(|_| least > 0.0).map(|cost| cost.as_f64() / least - 1.0)
}

fn objectives_met(run: &RunRecord) -> Cell {
    let (met, all) =
        objectives(run).fold((0, 0), |(met, all), objective| (met + usize::from(objective.met()), all + 1));
    match all {
        0 => Cell::from(text::MISSING.to_owned()),
        _ => Cell { text: format!("{met} of {all}"), mark: Some(if met == all { Mark::Met } else { Mark::Missed }) },
    }
}

fn service_rows(judge: &Judge, records: &[Option<&ServiceRecord>]) -> Vec<Row> {
    type Figure = Option<(String, f64)>;
    let figures = |of: &dyn Fn(&ServiceRecord) -> Figure| -> Vec<Figure> {
        records.iter().map(|record| record.and_then(of)).collect()
    };
    let plain =
        |of: &dyn Fn(&ServiceRecord) -> String| -> Vec<Figure> { figures(&|service| Some((of(service), f64::NAN))) };
    // A figure of the list, with its title and its direction.
    let row = |metric: Metric, best: Best, show: &dyn Fn(f64) -> String| {
        judge.row(&metric.title(), best, figures(&|service| metric.of_service(service, None).map(|v| (show(v), v))))
    };
    let latency =
        |seconds: f64| SimDuration::from_secs_f64(seconds).map_or_else(|_| text::MISSING.into(), text::latency);
    let mut rows: Vec<Row> = [50, 95, 99].map(|q| row(Metric::Latency(q), Best::Lowest, &latency)).into();
    let objectives = records.iter().flatten().map(|service| service.objectives.len()).max().unwrap_or(0);
    for index in 0..objectives {
        let of = |service: &ServiceRecord| service.objectives.get(index).filter(|o| o.total > 0).cloned();
        let words = records.iter().flatten().find_map(|service| service.objectives.get(index)).map(|o| o.text.clone());
        let figure = |show: fn(&ObjectiveRecord) -> (String, f64)| figures(&move |s| of(s).map(|o| show(&o)));
        let attained = figure(|o| (text::attainment(o.attainment()), o.attainment()));
        let budget = figure(|o| (text::percent(o.budget_used()), o.budget_used()));
        let violation = figure(|o| (text::minutes(o.violation), o.violation.as_secs_f64()));
        rows.push(judge.row(&format!("SLO: {}", words.unwrap_or_default()), Best::Highest, attained));
        rows.push(judge.row("error budget used", Best::Lowest, budget).detail());
        rows.push(judge.row("time in violation", Best::Lowest, violation).detail());
        rows.extend(cause_rows(records, index));
        rows.extend(unanswered_rows(judge, records, index));
    }
    rows.push(row(Metric::Lost, Best::Lowest, &|lost| text::count(lost as u64)));
    rows.extend([Metric::Utilization, Metric::CpuUtilization].map(|metric| row(metric, Best::None, &text::percent)));
    rows.push(judge.row(
        "Ready replicas, mean / max",
        Best::None,
        plain(&|s| format!("{} / {}", text::number(s.mean_ready, 1), s.max_ready)),
    ));
    let actions = |s: &ServiceRecord| format!("{} up, {} down", s.elasticity.scale_ups, s.elasticity.scale_downs);
    rows.push(judge.row("Scaling actions", Best::None, plain(&actions)));
    // Not marked: a policy that never scales has the fewest.
    rows.push(row(Metric::Flaps, Best::None, &|flaps| text::number(flaps, 2)));
    rows
}

/// Why requests were bad by objective number `index`: a row for each cause that some policy has.
fn cause_rows(records: &[Option<&ServiceRecord>], index: usize) -> Vec<Row> {
    let judged = |record: &Option<&ServiceRecord>| record.and_then(|service| service.objectives.get(index)).cloned();
    let causes = |record: &Option<&ServiceRecord>| judged(record).map(|objective| objective.causes);
    let named = |cause: Cause| {
        records.iter().find_map(judged).map_or(cause.words(), |objective| cause_words(cause, &objective))
    };
    let row = |cause: Cause| {
        let cell = |record| causes(record).and_then(|causes| share_text(&causes, cause));
        let cells = records.iter().map(|record| cell(record).unwrap_or_else(|| text::MISSING.into()));
        Row::new(format!("bad: {}", named(cause)), cells).detail()
    };
    let is_met = |cause: &Cause| records.iter().filter_map(causes).any(|causes| causes.of(*cause) > 0);
    Cause::ALL.into_iter().filter(is_met).map(row).collect()
}

/// What became of requests without an answer at the end, by objective number `index`: a row for each fate that some policy has.
fn unanswered_rows(judge: &Judge, records: &[Option<&ServiceRecord>], index: usize) -> Vec<Row> {
    type Count = fn(&ObjectiveRecord) -> u64;
    let fates: [(&str, Count); 2] = [
        ("unanswered, past the limit", |objective| objective.overdue),
        ("left out: still within the limit at the end", |objective| objective.left_out),
    ];
    let counts = |of: Count| records.iter().map(move |record| record.and_then(|s| s.objectives.get(index)).map(of));
    let some = fates.into_iter().filter(|(_, of)| counts(*of).flatten().any(|count| count > 0));
    some.map(|(label, of)| {
        let counts = counts(of).map(|count| count.map(|n| (text::count(n), n as f64)));
        judge.row(label, Best::None, counts.collect()).detail()
    })
    .collect()
}

/// Which value of a row is marked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Best {
    None,
    Lowest,
    Highest,
    LowestOfMeeting,
}

/// Who competes for the mark: policies that could be run, and of these those that meet the objectives.
struct Judge {
    real: Vec<bool>,
    meeting: Vec<bool>,
}

impl Judge {
    fn new(runs: &[RunRecord]) -> Judge {
        let real: Vec<bool> = runs.iter().map(|run| !is_clairvoyant(run)).collect();
        let meets = |(run, real): (&RunRecord, &bool)| *real && meets_objectives(run) != Some(false);
        let meeting = runs.iter().zip(&real).map(meets).collect();
        Judge { real, meeting }
    }

    /// A row of (text, value to compare); equal values are all marked, unless all that compete are equal.
    fn row(&self, label: &str, best: Best, figures: Vec<Option<(String, f64)>>) -> Row {
        let sign = if best == Best::Highest { -1.0 } else { 1.0 };
        let competitors = match best {
            Best::None => &[][..],
            Best::Lowest | Best::Highest => &self.real[..],
            Best::LowestOfMeeting => &self.meeting[..],
        };
        let value = |i: usize| figures[i].as_ref().map(|(_, value)| sign * value).filter(|value| !value.is_nan());
        let candidates: Vec<f64> = (0..competitors.len()).filter(|i| competitors[*i]).filter_map(value).collect();
        let lowest = candidates.iter().copied().fold(f64::INFINITY, f64::min);
        let marks = self.real.iter().filter(|real| **real).count() > 1
            && (candidates.iter().any(|candidate| *candidate > lowest) || best == Best::LowestOfMeeting);
        let cell = |i: usize| match &figures[i] {
            None => Cell::from(text::MISSING.to_owned()),
            Some((text, _)) => {
                let best = marks && competitors.get(i) == Some(&true) && value(i) == Some(lowest);
                Cell { text: text.clone(), mark: best.then_some(Mark::Best) }
            }
        };
        Row::new(label, (0..figures.len()).map(cell))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_labels_are_broken_as_far_in_as_they_begin() {
        assert_eq!(hanging("  error budget used"), "  error budget used");
        assert_eq!(
            hanging("  left out: still within the limit at the end"),
            "  left out: still within the limit at\n  the end"
        );
        assert_eq!(hanging(""), "");
    }
}
