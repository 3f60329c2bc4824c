//! Every transform, and the reader of their list in a scenario.

use std::path::Path;
use std::sync::Arc;

use super::transform::{Transform, TransformPlugin};
use super::{anonymise, growth, mix_classes, overlay, repeat, scale_rate, splice, spread, time_warp, window};
use crate::config::{Diagnostics, Value, Yaml};

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
pub(crate) fn read_list(node: &Yaml, base_dir: &Path, sink: &mut Diagnostics) -> Vec<Arc<dyn Transform>> {
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
        sink.push(error.at(&item.source, key.span).note(known).near(&key.text, names));
        return None;
    };
    (plugin.build)(inner, base_dir, sink)
}
