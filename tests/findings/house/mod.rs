//! The page `house` of the findings.

mod gpus;
mod absent;
mod crashes;
mod readers;
mod values;
