//! The page `house` of the findings.
