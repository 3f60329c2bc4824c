//! The progress of a study, and its cancellation.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use crate::engine::{RunError, RunRecord, Simulation};

/// How far a study is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress<'a> {
    /// A run of the study is at the end of an interval of simulated time.
    Running,
    /// A piece of work is done.
    Done {
        /// What is counted, such as "runs"; of several policies one after the other, the policy.
        what: &'a str,
        /// How many of them are done.
        done: u64,
        /// How many there will be, if that is known.
        all: Option<u64>,
    },
}

/// Called from any thread; `Break` cancels the study.
pub type Watcher<'a> = &'a (dyn Fn(Progress<'_>) -> ControlFlow<()> + Sync);

/// The caller of a study, as its parts see it: told of progress, and asked whether to go on. Once cancelled, every part
/// stops at the end of the interval that it simulates, with [`RunError::Cancelled`].
pub struct Watch<'a> {
    watcher: Watcher<'a>,
    done: AtomicU64,
    cancelled: AtomicBool,
}

impl<'a> Watch<'a> {
    /// A watch that tells `watcher`.
    pub fn new(watcher: Watcher<'a>) -> Self {
        Watch { watcher, done: AtomicU64::new(0), cancelled: AtomicBool::new(false) }
    }

    /// A watch that tells nobody and is never cancelled.
    pub fn nobody() -> Watch<'static> {
        Watch::new(&|_| ControlFlow::Continue(()))
    }

    fn tell(&self, progress: Progress<'_>) -> ControlFlow<()> {
        if !self.cancelled.load(Relaxed) && (self.watcher)(progress).is_break() {
            self.cancelled.store(true, Relaxed);
        }
        if self.cancelled.load(Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Tells that a run is under way.
    pub(super) fn running(&self) -> ControlFlow<()> {
        self.tell(Progress::Running)
    }

    /// Runs a simulation to its end, or until the study is cancelled.
    ///
    /// # Errors
    /// Those of the run, and [`RunError::Cancelled`].
    pub(super) fn run(&self, simulation: Simulation) -> Result<RunRecord, RunError> {
        simulation.run(&mut |_| self.running())
    }

    /// Tells that `done` of `all` are done.
    ///
    /// # Errors
    /// [`RunError::Cancelled`].
    pub(super) fn done(&self, what: &str, done: u64, all: Option<u64>) -> Result<(), RunError> {
        match self.tell(Progress::Done { what, done, all }) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(RunError::Cancelled),
        }
    }

    /// Tells that one more is done.
    ///
    /// # Errors
    /// [`RunError::Cancelled`].
    pub(super) fn one_more(&self, what: &str) -> Result<(), RunError> {
        self.done(what, self.done.fetch_add(1, Relaxed) + 1, None)
    }
}
