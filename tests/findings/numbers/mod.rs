//! The page `numbers` of the findings.

mod back_off;
mod capacity;
mod image_pull;
mod one_request;
mod overflow;
mod readiness;
mod retries;
mod small;
mod trace_inspect;
mod unanswered;
mod windows;
mod young_pods;
