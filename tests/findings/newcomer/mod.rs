//! The page `newcomer` of the findings.

mod pods;
