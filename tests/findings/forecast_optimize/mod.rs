//! The page `forecast-optimize` of the findings.
