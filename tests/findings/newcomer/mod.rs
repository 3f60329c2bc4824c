//! The page `newcomer` of the findings.
