//! `plimsoll new`: a commented scenario to begin with.

mod command;
mod manifests;

use command::{Destination, tell_next_steps};
pub(super) use command::{NewArguments, new};
