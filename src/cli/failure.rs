//! Why a command did not succeed.

use std::fmt::Display;

use super::terminal::shown;
use crate::config::Diagnostics;
use crate::engine::RunError;

/// Why a command did not succeed.
pub(crate) enum Failure {
    /// Something was judged and found wanting; the words are on standard output.
    Judgement,
    /// Bad input or usage: what to say.
    Input(String),
    /// The reader of our output went away, which is no failure.
    BrokenPipe,
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Failure::BrokenPipe,
            _ => Failure::input(error),
        }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        Failure::input(error)
    }
}

impl Failure {
    /// Bad input or usage, with the word `error` before the problem.
    pub(crate) fn input<P: Display>(problem: P) -> Failure {
        Failure::Input(format!("error: {problem}"))
    }

    /// What is wrong with a scenario or a story.
    pub(crate) fn diagnostics(found: &Diagnostics) -> Failure {
        Failure::Input(shown(found))
    }
}
