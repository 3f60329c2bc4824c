//! Verdicts of policy tests: a table, JUnit XML, annotations of a pull or merge request, Markdown for a comment, a diff.

mod annotations;
mod comment;
mod diff;
mod junit;
mod tested;

pub use annotations::{github_annotations, gitlab_code_quality};
pub use comment::{COMMENT_TAG, comment};
pub use diff::{changes_grid, diff};
pub use junit::junit;
#[cfg(test)]
use tested::testing;
pub use tested::{Case, Held, Tested, policy_tests};
use tested::{DOUBT, HEADER, cases, failures, row, summary};
