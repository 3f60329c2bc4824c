//! Results for people: the HTML page, its Markdown, and the list of all reporters.

pub(super) mod forecast;
pub(super) mod html;
pub(super) mod reporters;
pub(super) mod summary_md;
pub(super) mod table;
