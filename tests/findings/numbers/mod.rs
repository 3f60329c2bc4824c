//! The page `numbers` of the findings.

mod image_pull;
mod readiness;
