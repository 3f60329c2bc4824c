//! The page `forecast-optimize` of the findings.

mod cpu_fit;
mod forecast_command;
mod forecasts;
mod plans;
mod statistics;
mod trace_fit;
mod unanswered;
