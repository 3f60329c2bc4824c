//! The interface of a transform.

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::{Diagnostics, Plugin, Yaml};
use crate::units::SimDuration;
use crate::workload::error::TraceError;
use crate::workload::recipe::{Opening, Recipe};
use crate::workload::source::TraceSource;

/// A transform.
pub trait Transform: Debug + Send + Sync {
    /// Opens the reshaped stream of `inner`; `step` is the position in the chain, from 1, and keys its random numbers.
    ///
    /// # Errors
    /// If `inner` cannot be opened.
    fn open(&self, inner: &Arc<dyn Recipe>, step: u16, opening: Opening) -> Result<Box<dyn TraceSource>, TraceError>;

    /// Files that the transform reads besides the stream.
    fn files(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    /// The transform's assumption about the stream `inner`, in a sentence, if readers should know it.
    fn assumption(&self, inner: &Arc<dyn Recipe>) -> Option<String> {
        let _ = inner;
        None
    }

    /// How clock times in the transform were resolved in the stream `inner`; a sentence each.
    fn moments(&self, inner: &Arc<dyn Recipe>) -> Vec<String> {
        let _ = inner;
        Vec::new()
    }

    /// The events of the transform that do nothing in a run of this length on the stream `inner`, because they are
    /// before or after it: a sentence each.
    fn outside(&self, inner: &Arc<dyn Recipe>, length: SimDuration) -> Vec<String> {
        let _ = (inner, length);
        Vec::new()
    }

    /// Whether requests keep their times, so that a time in the stream is the same time in the run.
    fn keeps_times(&self) -> bool {
        true
    }

    /// The transform's distortion of the stream `inner`, in a sentence; may read the whole stream.
    ///
    /// # Errors
    /// If `inner` cannot be read completely.
    fn distortion(&self, inner: &Arc<dyn Recipe>, step: u16) -> Result<Option<String>, TraceError> {
        let _ = (inner, step);
        Ok(None)
    }

    /// The factor on the number of requests, if scaling is the transform's only effect.
    fn rate_factor(&self) -> Option<f64> {
        None
    }
}

/// Builds a transform from the parameters under its name; relative paths start from the given directory.
pub type TransformBuilder = fn(&Yaml, &Path, &mut Diagnostics) -> Option<Arc<dyn Transform>>;

/// The entry of a transform in the list.
pub type TransformPlugin = Plugin<TransformBuilder>;
