//! The page `forecast-optimize` of the findings.

mod cpu_fit;
mod forecast_command;
mod forecasts;
mod peer_table;
mod plans;
mod statistics;
mod trace_fit;
mod unanswered;
