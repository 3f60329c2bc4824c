//! What was tested, and the table of it.

use super::super::answers::comparison::value_text;
use super::super::printing::grid::Grid;
use super::super::printing::text;
use crate::experiment::{Change, Check, Replicated, Story, Telling, Unit};
use crate::units::SimTime;

/// A scenario or story that was tested.
#[derive(Debug, Clone, PartialEq)]
pub struct Tested {
    /// Its name.
    pub name: String,
    /// Its file, as the user named it.
    pub path: String,
    /// What the verdicts rest on, in words ("10 replications").
    pub basis: String,
    /// Whether it is a story.
    pub is_story: bool,
    /// What was looked at.
    pub cases: Vec<Case>,
    /// What its baseline is, and what is not as it says; `None` without one.
    pub baseline: Option<Held>,
    /// How long it took, in seconds of the clock, as far as whoever ran it has measured that.
    pub seconds: f64,
}

/// A scenario beside its baseline.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// The baseline's file.
    pub path: String,
    /// Figures that are not what they were.
    pub changes: Vec<Change>,
    /// Whether there was no baseline before this one.
    pub is_new: bool,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// Which: an expectation and the policy, or a step of a story.
    pub name: String,
    /// Line of the file, from 1.
    pub line: usize,
    /// Whether it is as expected.
    pub passed: bool,
    /// Whether more replications could not change the verdict.
    pub certain: bool,
    /// What was found.
    pub found: String,
    /// What was allowed or expected.
    pub limit: String,
    /// Both as numbers in a unit; `None` for a step of a story.
    pub measured: Option<(Option<f64>, Option<f64>, Unit)>,
    /// What a failure says.
    pub complaint: String,
}

impl Case {
    /// An expectation that was judged.
    pub fn of(check: &Check) -> Case {
        let shown =
            |value: Option<f64>| value.map_or_else(|| text::MISSING.into(), |value| value_text(value, check.unit));
        let (found, limit) = (shown(check.found), shown(check.limit));
        let complaint = format!("expected {}; found {found}, limit {limit}", check.name);
        let Check { name, line, passed, certain, unit, .. } = check;
        let measured = Some((check.found, check.limit, *unit));
        Case { name: name.clone(), line: *line, passed: *passed, certain: *certain, found, limit, measured, complaint }
    }
}

impl Tested {
    /// A scenario that was replicated and judged.
    pub fn scenario(name: &str, path: &str, result: &Replicated, checks: &[Check], baseline: Option<Held>) -> Tested {
        let basis = match result.replications {
            1 => "1 replication".into(),
            n => format!("{n} replications"),
        };
        let cases = checks.iter().map(Case::of).collect();
        Tested { name: name.into(), path: path.into(), basis, is_story: false, cases, baseline, seconds: 0.0 }
    }

    /// A story that was told.
    pub fn story(story: &Story, telling: &Telling) -> Tested {
        let case = |check: &crate::experiment::StepCheck| {
            let name = format!("step {} at {}", check.step, check.at.since(SimTime::ZERO));
            let (expected, decided, reason) = (&check.expected, &check.decided, &check.reason);
            Case {
                complaint: format!("{name}: expected {expected}; decided {decided} ({reason})"),
                name,
                line: check.line,
                passed: check.passed,
                certain: true,
                found: decided.clone(),
                limit: expected.clone(),
                measured: None,
            }
        };
        let basis = format!("{} decisions", telling.decided);
        let cases = telling.checks.iter().map(case).collect();
        let (name, path) = (story.title.clone(), story.path.clone());
        Tested { name, path, basis, is_story: true, cases, baseline: None, seconds: 0.0 }
    }
}

/// Everything looked at, with where it stands.
pub(super) fn cases(tested: &[Tested]) -> impl Iterator<Item = (&Tested, &Case)> {
    tested.iter().flat_map(|one| one.cases.iter().map(move |case| (one, case)))
}

pub(super) fn failures(tested: &[Tested]) -> impl Iterator<Item = (&Tested, &Case)> {
    cases(tested).filter(|(_, case)| !case.passed)
}

pub(super) const HEADER: [&str; 5] = ["", "Test", "Expected", "Found", "Limit"];

pub(super) fn row((tested, case): (&Tested, &Case)) -> Vec<String> {
    vec![mark(case), tested.name.clone(), case.name.clone(), case.found.clone(), case.limit.clone()]
}

fn mark(case: &Case) -> String {
    let doubt = if case.certain { "" } else { " ~" };
    format!("{}{doubt}", if case.passed { "✓" } else { "✗" })
}

/// How many expectations hold, and of what.
pub(super) fn summary(tested: &[Tested]) -> String {
    let (all, failed) = (cases(tested).count(), failures(tested).count());
    let files = if tested.len() == 1 { "1 file".into() } else { format!("{} files", tested.len()) };
    format!("{} of {all} expectations hold in {files}.", all - failed)
}

pub(super) const DOUBT: &str = "~ the confidence interval reaches over the limit: more --replications would tell.";

/// The table of all cases, then what failed, with its place.
pub fn policy_tests(tested: &[Tested]) -> Grid {
    let rows = cases(tested).map(row).collect();
    let mut notes: Vec<String> =
        failures(tested).map(|(one, case)| format!("{}:{}: {}", one.path, case.line, case.complaint)).collect();
    notes.push(summary(tested));
    if cases(tested).any(|(_, case)| !case.certain) {
        notes.push(DOUBT.into());
    }
    Grid { header: HEADER.map(str::to_string).into(), rows, notes }
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;

    /// Two expectations, one of which fails without certainty, beside a baseline that one figure left.
    pub fn tested() -> Vec<Tested> {
        let good = Check {
            name: "p99 < 250ms [a]".into(),
            line: 4,
            passed: true,
            certain: true,
            found: Some(0.2),
            limit: Some(0.25),
            unit: Unit::Seconds,
        };
        let bad = Check { name: "cost < $1 [a, b]".into(), line: 5, passed: false, certain: false, ..good.clone() };
        let change = Change {
            policy: "a".into(),
            figure: "cost".into(),
            unit: Unit::Dollars,
            before: Some(2.0),
            after: Some(2.5),
        };
        let held = Held { path: "d/x.baseline.json".into(), changes: vec![change], is_new: false };
        let cases = vec![Case::of(&good), Case::of(&bad)];
        vec![Tested {
            name: "x".into(),
            path: "./d/x.yaml".into(),
            basis: "3 replications".into(),
            is_story: false,
            cases,
            baseline: Some(held),
            seconds: 0.5,
        }]
    }

    #[test]
    fn the_table_ends_with_what_failed() {
        let notes = policy_tests(&tested()).notes;
        assert_eq!(notes[0], "./d/x.yaml:5: expected cost < $1 [a, b]; found 200 ms, limit 250 ms");
        assert_eq!(notes[1..], ["1 of 2 expectations hold in 1 file.".to_string(), DOUBT.into()]);
    }
}
