//! The forms that the result of a test is written in.

use std::path::PathBuf;

use clap::ValueEnum;

use super::super::terminal::without_commands;
use crate::report::{self, TableStyle, Tested};

/// A form of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// A table for people.
    Table,
    /// The table as JSON.
    Json,
    /// A comment for a pull or merge request, with a hidden tag by which it is found again.
    Markdown,
    /// JUnit XML.
    Junit,
    /// GitHub's workflow commands: annotations in the pull request.
    Github,
    /// GitLab's Code Quality report: findings in the merge request.
    Gitlab,
    /// What changed against the baselines and stories, as a plain diff.
    Diff,
}

/// `junit=junit.xml`.
pub(super) fn form_and_file(text: &str) -> Result<(Form, PathBuf), String> {
    let (form, file) = text.split_once('=').ok_or("expected FORM=FILE, such as `junit=junit.xml`")?;
    if file.is_empty() {
        return Err("the name of the file is missing".into());
    }
    let form = Form::from_str(form.trim(), true).map_err(|_| {
        let known: Vec<String> = Form::value_variants()
            .iter()
            .filter_map(|form| Some(form.to_possible_value()?.get_name().to_string()))
            .collect();
        format!("`{form}` is no form; known: {}", known.join(", "))
    })?;
    Ok((form, PathBuf::from(file)))
}

/// The result in a form. Where baselines are written the table also tells what changed.
pub(super) fn rendered(tested: &[Tested], form: Form, blessing: bool) -> String {
    let grid = report::policy_tests(tested);
    match form {
        Form::Table => {
            let style = TableStyle::Terminal { width: crate::cli::terminal::terminal_width(), color: false };
            let mut changes = report::changes_grid(tested);
            if !blessing {
                return grid.text(style);
            }
            let notes = std::mem::take(&mut changes.notes);
            let changed = if changes.rows.is_empty() { String::new() } else { changes.text(style) };
            format!("{}\n{changed}{}\n", grid.text(style), notes.join("\n"))
        }
        Form::Json => report::results::results_text(&report::results::test_results(tested)),
        Form::Markdown => report::comment(tested),
        Form::Junit => report::junit(tested),
        Form::Github => {
            format!("{}{}", report::github_annotations(tested), without_commands(&grid.notes.join("\n")))
        }
        Form::Gitlab => report::gitlab_code_quality(tested),
        Form::Diff => report::diff(tested),
    }
}
