//! A recipe with one more transform.

use std::sync::Arc;

use super::transform::Transform;
use crate::workload::error::TraceError;
use crate::workload::recipe::{Opening, Recipe};
use crate::workload::source::TraceSource;

/// A recipe with one more step.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) inner: Arc<dyn Recipe>,
    pub(crate) transform: Arc<dyn Transform>,
    /// Position in the chain, from 1.
    pub(crate) number: u16,
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
