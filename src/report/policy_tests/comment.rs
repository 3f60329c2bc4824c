//! Markdown for a comment on a pull or merge request: the verdict, what failed, what changed, and the rest folded away.

use super::diff::changes_grid;
use super::{Case, DOUBT, HEADER, Tested, cases, failures, row, summary};
use crate::report::printing::grid::Grid;
use crate::report::printing::style::{TableStyle, escape_markdown};

/// The first line of the comment: a tag that readers do not see, by which CI finds its comment again to update it.
pub const COMMENT_TAG: &str = "<!-- plimsoll-test -->";

/// Characters that a comment on GitHub holds.
const MAX_CHARACTERS: usize = 65_536;

/// Rows of a table; fewer where the comment would be too long.
const MAX_ROWS: [usize; 5] = [200, 50, 15, 4, 0];

/// The comment, as full as it may be.
pub fn comment(tested: &[Tested]) -> String {
    let texts = MAX_ROWS.iter().map(|most| of_at_most(tested, *most));
    let last = || format!("{COMMENT_TAG}\n### Policy tests\n\n{}\nToo much to show here.\n", summary(tested));
    texts.into_iter().find(|text| text.chars().count() < MAX_CHARACTERS).unwrap_or_else(last)
}

/// The comment with at most so many rows in a table.
fn of_at_most(tested: &[Tested], most: usize) -> String {
    let failed = failures(tested).count();
    let verdict = match failed {
        0 => "✓ Policy tests passed".to_string(),
        1 => "✗ Policy tests: 1 failure".to_string(),
        n => format!("✗ Policy tests: {n} failures"),
    };
    let mut text = format!("{COMMENT_TAG}\n### {verdict}\n\n{}\n", summary(tested));
    if failed > 0 {
        let place = |(one, case): (&Tested, &Case)| {
            format!("- `{}:{}` {}\n", one.path, case.line, escape_markdown(&case.complaint))
        };
        let places: String = failures(tested).take(most).map(place).collect();
        text += &format!("\n{}{}", table(failures(tested), most), folded("Where and why", &places));
    }
    let mut changes = changes_grid(tested);
    let held = !changes.notes.is_empty();
    changes.notes.clear();
    if !changes.rows.is_empty() {
        let title = format!("{} changed against the baseline", figures_text(changes.rows.len()));
        text += &folded(&title, &capped(changes, most));
    } else if held {
        text += "\nNo figure changed against the baseline.\n";
    }
    if cases(tested).count() > failed {
        let mut all = table(cases(tested).filter(|(_, case)| case.passed), most);
        if cases(tested).any(|(_, case)| !case.certain) {
            all += &format!("\n{DOUBT}\n");
        }
        let basis: Vec<String> = tested.iter().take(most).map(|one| format!("`{}`: {}", one.path, one.basis)).collect();
        text += &folded(
            &format!("{} that hold", cases(tested).count() - failed),
            &format!("{all}\n{}\n", basis.join("; ")),
        );
    }
    text
}

fn figures_text(count: usize) -> String {
    if count == 1 { "1 figure".into() } else { format!("{count} figures") }
}

fn table<'a>(cases: impl Iterator<Item = (&'a Tested, &'a Case)>, most: usize) -> String {
    let grid = Grid { header: HEADER.map(str::to_string).into(), rows: cases.map(row).collect(), notes: Vec::new() };
    capped(grid, most) + "\n"
}

/// The table, cut where a comment could not hold it.
fn capped(mut grid: Grid, most: usize) -> String {
    let left_out = grid.rows.len().saturating_sub(most);
    grid.rows.truncate(most);
    if left_out > 0 {
        grid.notes.push(format!("{left_out} more rows are left out here."));
    }
    grid.text(TableStyle::Markdown)
}

fn folded(title: &str, content: &str) -> String {
    format!("\n<details><summary>{title}</summary>\n\n{content}\n</details>\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::policy_tests::testing::tested;

    #[test]
    fn the_verdict_comes_first_and_what_holds_is_folded() {
        let said = comment(&tested());
        assert!(said.starts_with("<!-- plimsoll-test -->\n### ✗ Policy tests: 1 failure\n"), "{said}");
        let place = |words: &str| said.find(words).unwrap_or_else(|| panic!("{words} in {said}"));
        assert!(place("| ✗ ~ | x | cost &lt; $1 \\[a, b\\] |") < place("<details>"));
        assert!(place("1 figure changed") < place("| ✓ | x | p99 &lt; 250ms \\[a\\] |"));
        let mut sound = tested();
        sound[0].cases.truncate(1);
        sound[0].baseline = None;
        assert!(comment(&sound).contains("### ✓ Policy tests passed"));
        let many = vec![sound[0].cases[0].clone(); 3000];
        sound[0].cases = many;
        assert!(comment(&sound).chars().count() < MAX_CHARACTERS);
        // Long names, many failures, many files: still a comment, with the totals.
        let mut long = tested();
        long[0].cases.iter_mut().for_each(|case| (case.passed, case.complaint) = (false, "x".repeat(2000)));
        let long = vec![long[0].clone(); 400];
        let said = comment(&long);
        assert!(said.chars().count() < MAX_CHARACTERS && said.contains("0 of 800 expectations hold"), "{}", said.len());
    }
}
