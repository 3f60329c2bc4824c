//! The page `forecast-optimize` of the findings.
mod trace_fit;
