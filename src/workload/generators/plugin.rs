//! The interface of a generator.

use std::sync::Arc;

use crate::config::{Diagnostics, Plugin, Yaml};
use crate::workload::recipe::Recipe;

/// Builds a recipe from the parameters under the generator's name.
pub type GeneratorBuilder = fn(&Yaml, &mut Diagnostics) -> Option<Arc<dyn Recipe>>;

/// The entry of a generator in the list.
pub type GeneratorPlugin = Plugin<GeneratorBuilder>;
