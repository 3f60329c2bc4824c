//! `docs/reference.md`: every field, from the schemas.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::{scenario_schema, story_schema};
use crate::units::{Bytes, Fraction, Millicores, Rate, SimDuration, UsdPerHour};

/// The page, in Markdown.
pub fn reference() -> String {
    let mut page = Page::default();
    page.text.push_str(
        "# Reference: every field\n\nMade by `plimsoll schema --markdown` from the list that is also the JSON Schema for editors; a test holds it against the readers, field by field. \
         A field without a default is left out unless you need it, or required where the thing makes no sense without it: `plimsoll check` says which.\n\n\
         **Units.** A *duration* is `90s`, `1h30m` or `250ms`; a *rate* is `80/s` or `3/min`; a *share* is `99.9%`; *CPU* is `500m` or `2` cores; *memory* is `512Mi`; a *price* is `$0.05/h`. \
         A number without its unit is refused, with the likely one in the message.\n\n",
    );
    page.file("Scenario", &scenario_schema());
    page.file("Story", &story_schema());
    page.text
}

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    /// A kind of file: its own fields, then those of every mapping in it.
    fn file(&mut self, name: &str, schema: &Value) {
        let _ = writeln!(self.text, "## {name}\n\n{}\n", words(schema));
        let mut told = Vec::new();
        self.mapping("", schema, &mut told);
    }

    /// The fields of a mapping as a table, then the mappings among them.
    fn mapping(&mut self, path: &str, schema: &Value, told: &mut Vec<(Value, String)>) {
        let Some(fields) = schema["properties"].as_object() else { return };
        self.text.push_str("| field | type | default | example | meaning |\n|---|---|---|---|---|\n");
        for (name, field) in fields {
            let (meaning, default) = meaning_and_default(words(field));
            let default = default.map_or_else(String::new, |default| cell(&default));
            let example = example(field).map_or_else(String::new, |example| format!("`{}`", cell(&example)));
            let _ = writeln!(self.text, "| `{name}` | {} | {default} | {example} | {} |", kind(field), cell(&meaning));
        }
        self.text.push('\n');
        for (name, field) in fields {
            let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            for (below, label) in mappings(field, &inner) {
                self.section(&label, below, told);
            }
        }
    }

    /// A mapping below the first level; one that was told already is only pointed at.
    fn section(&mut self, path: &str, schema: &Value, told: &mut Vec<(Value, String)>) {
        let depth = "#".repeat((3 + path.matches('.').count()).min(5));
        let _ = writeln!(self.text, "{depth} `{path}`\n");
        if let Some((_, first)) = told.iter().find(|(known, _)| known == &schema["properties"]) {
            let _ = writeln!(self.text, "As [`{first}`](#{}).\n", anchor(first));
            return;
        }
        told.push((schema["properties"].clone(), path.to_string()));
        let (meaning, _) = meaning_and_default(words(schema));
        if !meaning.is_empty() {
            let _ = writeln!(self.text, "{meaning}\n");
        }
        self.mapping(path, schema, told);
    }
}

/// How GitHub links to a heading.
fn anchor(heading: &str) -> String {
    heading.chars().filter(|c| c.is_alphanumeric() || *c == '-' || *c == '_').flat_map(char::to_lowercase).collect()
}

fn words(schema: &Value) -> &str {
    schema["description"].as_str().unwrap_or("")
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// The mappings that stand at a place: its own, those of its alternatives and items, and those under keys of the user's.
fn mappings<'a>(schema: &'a Value, path: &str) -> Vec<(&'a Value, String)> {
    let mut found = Vec::new();
    if schema["properties"].as_object().is_some_and(|fields| !fields.is_empty()) {
        found.push((schema, path.to_string()));
    }
    for alternative in schema["anyOf"].as_array().into_iter().flatten() {
        found.extend(mappings(alternative, path));
    }
    if schema["items"].is_object() {
        found.extend(mappings(&schema["items"], path));
    }
    if schema["additionalProperties"].is_object() {
        found.extend(mappings(&schema["additionalProperties"], &format!("{path}.NAME")));
    }
    found
}

/// Splits "what it means; 15s by default." into the two.
fn meaning_and_default(description: &str) -> (String, Option<String>) {
    let Some(at) = description.find(" by default") else { return (description.to_string(), None) };
    let start = description[..at].rfind(';').map_or(0, |semicolon| semicolon + 1);
    let rest = description[at + " by default".len()..].trim_start_matches(['.', ',']);
    let meaning = format!("{}{rest}", description[..start].trim_end_matches(';'));
    let meaning = if meaning.is_empty() || meaning.ends_with('.') { meaning } else { format!("{meaning}.") };
    (meaning, Some(description[start..at].trim().trim_end_matches(',').to_string()))
}

/// The type in words, with the unit where there is one.
fn kind(schema: &Value) -> String {
    if let Some(values) = schema["enum"].as_array() {
        let names: Vec<String> = values.iter().filter_map(Value::as_str).map(|name| format!("`{name}`")).collect();
        // A build without Parquet knows a format less, and the page is the same.
        return if names.len() > 12 { "a name".into() } else { names.join(", ") };
    }
    if let Some(alternatives) = schema["anyOf"].as_array() {
        let mut kinds: Vec<String> = alternatives.iter().map(kind).collect();
        kinds.dedup();
        return kinds.join(" or ");
    }
    match &schema["type"] {
        Value::String(one) => simple(one, schema),
        Value::Array(several) if several.iter().any(|one| one == "object") => "name or mapping".into(),
        Value::Array(_) => quantity(schema),
        _ => "any".into(),
    }
}

fn simple(name: &str, schema: &Value) -> String {
    match name {
        "string" => "text".into(),
        "integer" => {
            let bound = |key: &str| schema[key].as_u64();
            match (bound("minimum"), bound("maximum")) {
                (Some(least), Some(most)) => format!("whole number, {least} to {most}"),
                (Some(least), None) if least > 0 => format!("whole number from {least}"),
                _ => "whole number".into(),
            }
        }
        "boolean" => "`true`, `false`".into(),
        "array" => match kind(&schema["items"]).as_str() {
            "any" => "list".into(),
            items => format!("list: {items}"),
        },
        "object" => "mapping".into(),
        other => other.into(),
    }
}

/// The unit of a quantity, by its example.
fn quantity(schema: &Value) -> String {
    let Some(example) = schema["examples"][0].as_str() else { return "number or text".into() };
    let name = if example.starts_with('$') && example.parse::<UsdPerHour>().is_ok() {
        "price"
    } else if example.parse::<Rate>().is_ok() {
        "rate"
    } else if example.parse::<SimDuration>().is_ok() {
        "duration"
    } else if example.ends_with('%') && example.parse::<Fraction>().is_ok() {
        "share"
    } else if example.ends_with('m') && example.parse::<Millicores>().is_ok() {
        "CPU"
    } else if example.parse::<Bytes>().is_ok() && example.parse::<f64>().is_err() {
        "memory"
    } else {
        "number or text"
    };
    name.into()
}

/// An example as YAML in flow style.
fn example(schema: &Value) -> Option<String> {
    let own = schema["examples"].as_array().and_then(|examples| examples.first());
    own.map(flow).or_else(|| schema["anyOf"].as_array()?.iter().find_map(example))
}

fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => flow_mapping(fields),
        other => other.to_string(),
    }
}

fn flow_mapping(fields: &Map<String, Value>) -> String {
    let parts: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {}", flow(value))).collect();
    format!("{{ {} }}", parts.join(", "))
}
