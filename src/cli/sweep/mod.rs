//! `plimsoll sweep`.

mod command;
mod journal;

pub(super) use command::{SweepArguments, sweep};
