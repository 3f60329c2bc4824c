//! The page `numbers` of the findings.
