//! The page `house` of the findings.

mod absent;
mod bench;
mod crashes;
mod gpus;
mod readers;
mod values;
