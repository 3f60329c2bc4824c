//! The page `house` of the findings.
mod crashes;
mod readers;

mod gpus;
