//! The page `newcomer` of the findings.

mod percentages;
mod plans;
mod pods;
