//! The page `house` of the findings.

mod absent;
mod crashes;
mod gpus;
mod readers;
mod values;
