//! The page `numbers` of the findings.

mod image_pull;
mod overflow;
mod readiness;
mod retries;
mod small;
mod trace_inspect;
mod windows;
mod unanswered;
mod one_request;
