//! Results to bytes: tables, charts, pages.
//!
//! A [`Reporter`] is a pure function from an [`Outcome`](crate::experiment::Outcome) to files; the program writes them. To add one: write
//! `src/report/data/NAME.rs` (or `pages/`) with a unit type, the trait and a `PLUGIN` constant, and add it to [`REPORTERS`]. Figures that
//! several reports show are computed once, in `answers`; how they are printed is in `printing`.

mod answers;
mod artifact;
#[cfg(feature = "charts")]
mod charts;
mod data;
mod pages;
mod pictures;
mod policy_tests;
mod printing;
mod studies;
mod write;

pub use data::results;

pub use answers::bill::{BillLine, bill};
pub use answers::comparison::{comparison, figure_title, interval_text, value_text, verdict_text};
pub use answers::level::{level_answer, same_level};
pub use answers::plan::{plan_answer, plan_table, plan_trials};
pub(crate) use answers::words::list;
pub use artifact::{Artifact, ReportError, Reporter, ReporterPlugin};
pub use data::result::{RESULT_FILE, check_result, read_result};
pub use data::summary_json::SCHEMA_VERSION;
pub use pages::reporters::{REPORTERS, artifacts};
pub use pages::table::table;
pub use pictures::{pngs, recorded, run_charts, story_charts};
pub use policy_tests::{
    COMMENT_TAG, Case, Held, Tested, changes_grid, comment, diff, github_annotations, gitlab_code_quality, junit,
    policy_tests,
};
pub use printing::grid::Grid;
pub use printing::style::{TableStyle, escape_markdown};
pub use printing::text::count;
pub use studies::capacity::{capacity, capacity_files};
pub use studies::learning::{LearningTrial, learning_answer, learning_artifacts, learning_curve, learning_trial};
pub use studies::provision::{provision_files, provision_tables};
pub use studies::rewrite::{Rewritten, RewrittenFile, rewrite};
pub use studies::search::{search_answer, search_artifacts, search_curve, search_numbers};
pub use studies::sweep::{artifacts as sweep_artifacts, summary as sweep_summary};
pub use studies::trace::{portraits, sparkline};

pub use answers::variations::{variations, variations_csv, variations_text};
pub use answers::verdict::{Verdict, meets_objectives, verdict};
pub use answers::words::{Words, words};
pub use write::{check_names, write_artifacts};
