//! The page `newcomer` of the findings.

mod assumptions;
mod autoscaler;
mod axes;
mod begin;
mod clock;
mod cpu_ceiling;
mod events;
mod explain;
mod files;
mod from_trace;
mod jitter;
mod json;
mod labels;
mod no_price;
mod notes;
mod percentages;
mod plan_edit;
mod plans;
mod pods;
mod rows;
mod small;
mod sweeps;
mod tables;
mod whatif;
