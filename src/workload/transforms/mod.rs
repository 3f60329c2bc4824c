//! Transforms of streams of requests: one file each, and the list of all.

mod anonymise;
mod denser;
mod donors;
mod growth;
mod mix_classes;
mod overlay;
mod repeat;
mod scale_rate;
mod splice;
mod spread;
mod time_warp;
mod window;

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Opening, Recipe, TraceError, TraceSource};
use crate::config::{Diagnostics, Plugin, Value, Yaml, suggest};
use crate::units::SimDuration;

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

/// Every transform.
pub const TRANSFORMS: &[TransformPlugin] = &[
    anonymise::PLUGIN,
    growth::PLUGIN,
    mix_classes::PLUGIN,
    overlay::PLUGIN,
    repeat::PLUGIN,
    scale_rate::PLUGIN,
    splice::PLUGIN,
    spread::PLUGIN,
    time_warp::PLUGIN,
    window::PLUGIN,
];

/// Reads the list under `transforms:`; each item is a mapping with one key, the transform's name.
pub(super) fn read_list(node: &Yaml, base_dir: &Path, sink: &mut Diagnostics) -> Vec<Arc<dyn Transform>> {
    let Value::Sequence(items) = &node.value else {
        sink.push(node.error("`transforms` must be a list").help("for example `- scale-rate: 2`"));
        return Vec::new();
    };
    items.iter().filter_map(|item| read_one(item, base_dir, sink)).collect()
}

fn read_one(item: &Yaml, base_dir: &Path, sink: &mut Diagnostics) -> Option<Arc<dyn Transform>> {
    let names: Vec<&str> = TRANSFORMS.iter().map(|plugin| plugin.name).collect();
    let known = format!("known transforms: {}", names.join(", "));
    let Value::Mapping(entries) = &item.value else {
        sink.push(item.error("expected one transform with its parameters").note(known));
        return None;
    };
    let [(key, inner)] = entries.as_slice() else {
        sink.push(item.error("expected one transform per item of the list").help("begin each one with `- `"));
        return None;
    };
    let Some(plugin) = TRANSFORMS.iter().find(|plugin| plugin.name == key.text) else {
        let error = crate::config::Diagnostic::error(format!("`{}` is not a transform", key.text));
        let mut error = error.at(&item.source, key.span).note(known);
        if let Some(near) = suggest(&key.text, names) {
            error = error.label(format!("did you mean `{near}`?"));
        }
        sink.push(error);
        return None;
    };
    (plugin.build)(inner, base_dir, sink)
}

/// A recipe with one more step.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) inner: Arc<dyn Recipe>,
    pub(super) transform: Arc<dyn Transform>,
    /// Position in the chain, from 1.
    pub(super) number: u16,
}

impl Recipe for Step {
    fn open(&self, opening: Opening) -> Result<Box<dyn TraceSource>, TraceError> {
        // Scaling before arrivals are generated is exact, and every transform preserves that: cutting, repeating and
        // stretching treat all arrivals equally.
        if let Some(scaled) = self.transform.rate_factor().and_then(|factor| self.inner.scaled(factor)) {
            return scaled.open(opening);
        }
        self.transform.open(&self.inner, self.number, opening)
    }

    fn scaled(&self, factor: f64) -> Option<Arc<dyn Recipe>> {
        let inner = match self.transform.rate_factor() {
            Some(own) => return self.inner.scaled(factor * own),
            None => self.inner.scaled(factor)?,
        };
        Some(Arc::new(Step { inner, ..self.clone() }))
    }
}
