//! The page `forecast-optimize` of the findings.
mod trace_fit;

mod forecast_command;
mod forecasts;
mod plans;
mod statistics;
mod unanswered;
