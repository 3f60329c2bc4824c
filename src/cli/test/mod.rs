//! `plimsoll test`.

mod command;
mod draw;
pub(super) mod find;
mod forms;

pub(super) use command::{TestArguments, test};
