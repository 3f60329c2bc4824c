//! What is not as it was: figures beside their baselines, decisions beside what a story expects.

use super::{Held, Tested};
use crate::experiment::{Change, Unit};
use crate::report::answers::comparison::value_text;
use crate::report::printing::grid::Grid;
use crate::report::printing::text;

/// The means before and now. Where both look the same, all digits are shown.
fn means(change: &Change) -> (String, String) {
    let shown = |mean: Option<f64>| mean.map_or_else(|| text::MISSING.into(), |mean| value_text(mean, change.unit));
    let (before, after) = (shown(change.before), shown(change.after));
    if before != after {
        return (before, after);
    }
    // The first decimal in which they differ, and one more, in the unit of the table.
    let (scale, sign, unit) = match change.unit {
        Unit::Share => (100.0, "", "%"),
        Unit::Seconds => (1000.0, "", " ms"),
        Unit::Dollars => (1.0, "$", ""),
        Unit::ReplicaHours | Unit::Number => (1.0, "", ""),
    };
    let precise = |mean: Option<f64>, decimals: usize| match mean {
        Some(mean) => format!("{sign}{:.decimals$}{unit}", mean * scale),
        None => text::MISSING.to_string(),
    };
    let both = |decimals: usize| (precise(change.before, decimals), precise(change.after, decimals));
    let differ = (0..=15).find(|decimals| {
        let (before, after) = both(*decimals);
        before != after
    });
    both(differ.map_or(15, |decimals| decimals + 1))
}

/// "+9.3%"; of a share, in points; nothing where there is nothing to compare.
fn change_text(change: &Change) -> String {
    let signed = |value: f64, unit: &str| {
        // Two significant digits, so that a small change is no zero.
        let decimals = (1.0 - value.abs().log10().floor()).clamp(0.0, 9.0) as usize;
        format!("{value:+.decimals$}{unit}")
    };
    match (change.before, change.after, change.relative()) {
        (None, Some(_), _) => "new".into(),
        (Some(_), None, _) => "gone".into(),
        (Some(before), Some(after), _) if before == after => "in single replications".into(),
        (Some(before), Some(after), _) if change.unit == Unit::Share => signed(100.0 * (after - before), " points"),
        (_, _, Some(share)) => signed(100.0 * share, "%"),
        _ => String::new(),
    }
}

/// A plain diff of everything that changed, in the manner of `diff -u`.
pub fn diff(tested: &[Tested]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for one in tested {
        if let Some(held) = one.baseline.as_ref().filter(|held| !held.changes.is_empty()) {
            lines.extend([format!("--- {}", held.path), format!("+++ {}, {}", one.path, one.basis)]);
            held.changes.iter().for_each(|change| lines.extend(hunk(change)));
        }
        let wrong: Vec<_> = one.cases.iter().filter(|case| !case.passed && one.is_story).collect();
        if !wrong.is_empty() {
            lines.extend([format!("--- {}, expected", one.path), format!("+++ {}, decided", one.path)]);
        }
        for case in wrong {
            lines.push(format!("@@ line {}, {} @@", case.line, case.name));
            lines.extend([format!("-{}", case.limit), format!("+{}", case.found)]);
        }
    }
    if lines.is_empty() {
        lines.push("No figure is other than in its baseline, and no decision other than in its story.".into());
    }
    lines.join("\n") + "\n"
}

fn hunk(change: &Change) -> Vec<String> {
    let (before, after) = means(change);
    let line = |sign: char, mean: &str| format!("{sign}{} {} {mean}", change.figure, change.policy);
    let mut lines = Vec::new();
    if change.before.is_some() {
        lines.push(line('-', &before));
    }
    if change.after.is_some() {
        lines.push(format!("{}  {}", line('+', &after), change_text(change)).trim_end().to_string());
    }
    lines
}

/// The figures that are not what they were in their baselines, for review.
pub fn changes_grid(tested: &[Tested]) -> Grid {
    let header = ["Test", "Policy", "Figure", "Before", "Now", "Change"].map(str::to_string).into();
    let held = || tested.iter().filter_map(|one| Some((one, one.baseline.as_ref()?)));
    let row = |one: &Tested, change: &Change| {
        let (before, after) = means(change);
        vec![one.name.clone(), change.policy.clone(), change.figure.clone(), before, after, change_text(change)]
    };
    let rows = held().flat_map(|(one, held)| held.changes.iter().map(move |change| row(one, change))).collect();
    let note = |held: &Held| match (held.is_new, held.changes.len()) {
        (true, figures) => format!("{}: new, {figures} figures", held.path),
        (false, 0) => format!("{}: unchanged", held.path),
        (false, 1) => format!("{}: 1 figure changed", held.path),
        (false, figures) => format!("{}: {figures} figures changed", held.path),
    };
    Grid { header, rows, notes: held().map(|(_, held)| note(held)).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::policy_tests::testing::tested;

    #[test]
    fn a_diff_tells_before_and_now() {
        let said = diff(&tested());
        let expected = "--- d/x.baseline.json\n+++ ./d/x.yaml, 3 replications\n-cost a $2.00\n+cost a $2.50  +25%\n";
        assert_eq!(said, expected);
        assert!(diff(&[]).starts_with("No figure"));
        let grid = changes_grid(&tested());
        assert_eq!(grid.rows[0][3..], ["$2.00", "$2.50", "+25%"]);
        assert_eq!(grid.notes, ["d/x.baseline.json: 1 figure changed"]);
    }

    #[test]
    fn small_changes_are_not_shown_as_none() {
        let change = |before, after, unit| Change {
            policy: "a".into(),
            figure: "x".into(),
            unit,
            before: Some(before),
            after: Some(after),
        };
        let tiny = change(2.0, 2.000_000_1, Unit::Dollars);
        assert_eq!((means(&tiny).1.as_str(), change_text(&tiny).as_str()), ("$2.00000010", "+0.0000050%"));
        let share = change(0.998_454_620_391_487_1, 0.998_453_786_523_088_2, Unit::Share);
        assert_eq!(
            means(&share),
            ("99.84546%".to_string(), "99.84538%".to_string()),
            "no more digits than tell them apart"
        );
        assert_eq!(change_text(&change(0.999, 0.99, Unit::Share)), "-0.90 points");
        assert_eq!(change_text(&change(0.0, 3.0, Unit::Number)), "");
        assert_eq!(change_text(&Change { before: None, ..tiny }), "new");
    }
}
