//! Reading a forecaster from a scenario: a name, or a name with its parameters.

use std::sync::Arc;

use super::{FORECASTERS, Forecaster};
use crate::config::{Diagnostics, Value, Yaml, did_you_mean};

/// Reads `arima`, or `arima: {order: [2, 1, 1]}`.
pub fn read_forecaster(node: &Yaml, sink: &mut Diagnostics) -> Option<Arc<dyn Forecaster>> {
    let nothing = Yaml { value: Value::Null, span: node.span, source: Arc::clone(&node.source) };
    let (name, parameters) = match &node.value {
        Value::Scalar(name) => (name, &nothing),
        Value::Mapping(entries) if entries.len() == 1 => (&entries[0].0.text, &entries[0].1),
        _ => {
            sink.push(node.error("expected the name of a forecaster, or one name with its parameters"));
            return None;
        }
    };
    match FORECASTERS.iter().find(|plugin| plugin.name == name) {
        Some(plugin) => (plugin.build)(parameters, sink),
        None => {
            let names = FORECASTERS.iter().map(|plugin| plugin.name);
            let mut diagnostic = node.error(format!("there is no forecaster `{name}`"));
            if let Some(question) = did_you_mean(name, names.clone()) {
                diagnostic = diagnostic.help(question);
            }
            sink.push(diagnostic.note(format!("forecasters: {}", names.collect::<Vec<_>>().join(", "))));
            None
        }
    }
}

/// Reads a list of forecasters.
pub(super) fn read_members(node: &Yaml, sink: &mut Diagnostics) -> Option<Vec<Arc<dyn Forecaster>>> {
    match &node.value {
        Value::Sequence(nodes) if !nodes.is_empty() => {
            let read: Vec<Option<_>> = nodes.iter().map(|node| read_forecaster(node, sink)).collect();
            read.into_iter().collect()
        }
        _ => {
            sink.push(node.error("`members` must be a list of forecasters"));
            None
        }
    }
}

/// The node itself, or an empty mapping instead of null.
pub(super) fn or_empty(node: &Yaml) -> Yaml {
    let value = if node.is_null() { Value::Mapping(Vec::new()) } else { node.value.clone() };
    Yaml { value, span: node.span, source: Arc::clone(&node.source) }
}

/// Reads a number of at least `least`.
pub(super) fn count(
    fields: &crate::config::Fields<'_>,
    name: &'static str,
    default: usize,
    least: usize,
    sink: &mut Diagnostics,
) -> usize {
    /// A larger length or order must be a typing error.
    const MOST: usize = 1_000_000;
    let value = fields.or(name, default as u64, sink) as usize;
    if let Some(node) = fields.node_of(name).filter(|_| !(least..=MOST).contains(&value)) {
        sink.push(node.error(format!("`{name}` must be between {least} and {MOST}")));
        return default;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{SourceFile, parse_single};
    use rstest::rstest;

    fn read(text: &str) -> (bool, String) {
        let mut sink = Diagnostics::new();
        let node = parse_single(&SourceFile::new("f.yaml", text)).unwrap();
        let read = read_forecaster(&node, &mut sink);
        (read.is_some(), sink.to_string())
    }

    #[rstest]
    #[case("naive")]
    #[case("arima: {order: [2, 1, 1], constant: true}")]
    #[case("arima: {order: [1, 0, 0], seasonal-order: [2, 1, 0], season: 24}")]
    #[case("fourier-arima: {harmonics: 6}")]
    #[case("conformal: {around: {mstl: {rest: ets}}, horizon: 6}")]
    #[case("combination: {members: [naive, ets, {moving-average: {window: 6}}]}")]
    #[case("auto: {members: [naive, ets], horizon: 6, quantile: 90%}")]
    #[case("box-cox: {around: {mstl: {rest: ets}}, power: 0}")]
    #[case("regression: {lags: [1, 2, 288], penalty: 0.1, harmonics: 3}")]
    fn reads(#[case] text: &str) {
        let (built, complaints) = read(text);
        assert!(built && complaints.is_empty(), "{complaints}");
    }

    #[rstest]
    #[case("arma", "did you mean `arima`?")]
    #[case("moving-average: {windw: 3}", "did you mean `window`?")]
    #[case("moving-average: {window: 0}", "must be between")]
    #[case("arima: {order: [1, 1]}", "p, d and q")]
    #[case("arima: {order: [1, 1, 90]}", "at most")]
    #[case("conformal: {around: nothing}", "no forecaster")]
    #[case("auto: {members: ets}", "a list of forecasters")]
    #[case("auto: {quantile: 100%}", "between 0% and 100%")]
    #[case("box-cox: {power: 2}", "between 0")]
    #[case("regression: {penalty: -1}", "negative")]
    #[case("[a, b]", "expected the name of a forecaster")]
    fn refuses(#[case] text: &str, #[case] complaint: &str) {
        let (_, complaints) = read(text);
        assert!(complaints.contains(complaint), "{complaints}");
    }
}
