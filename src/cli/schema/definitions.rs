//! What a schema says more than once, said once: under `$defs`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// What is shorter than this, in bytes, is said again.
const WORTH: usize = 200;

/// The same schema, in which parts that stand in several places are references to one definition.
pub fn with_definitions(schema: &Value) -> Value {
    let mut definitions = Definitions::default();
    parts(schema).for_each(|part| definitions.count(part));
    let mut root = definitions.within(schema);
    if !definitions.bodies.is_empty() {
        root["$defs"] = Value::Object(definitions.bodies);
    }
    root
}

/// The schemas directly inside one.
fn parts(schema: &Value) -> impl Iterator<Item = &Value> {
    let fields = schema["properties"].as_object().into_iter().flat_map(Map::values);
    let alternatives = schema["anyOf"].as_array().into_iter().flatten();
    fields
        .chain(alternatives)
        .chain([&schema["items"], &schema["additionalProperties"]].into_iter().filter(|part| part.is_object()))
}

#[derive(Default)]
struct Definitions {
    /// In how many places a schema stands, those within another that is counted already left out.
    places: BTreeMap<String, usize>,
    /// The names of those that are defined.
    names: BTreeMap<String, String>,
    bodies: Map<String, Value>,
}

impl Definitions {
    fn count(&mut self, schema: &Value) {
        let count = self.places.entry(schema.to_string()).or_default();
        *count += 1;
        if *count == 1 {
            parts(schema).for_each(|part| self.count(part));
        }
    }

    /// A reference, or the schema itself where it stands in one place or is short.
    fn refer(&mut self, schema: &Value) -> Value {
        let text = schema.to_string();
        if text.len() < WORTH || self.places.get(&text).is_none_or(|places| *places < 2) {
            return self.within(schema);
        }
        let name = match self.names.get(&text) {
            Some(name) => name.clone(),
            None => {
                let name = self.name(schema);
                self.names.insert(text, name.clone());
                let body = self.within(schema);
                self.bodies.insert(name.clone(), body);
                name
            }
        };
        json!({ "$ref": format!("#/$defs/{name}") })
    }

    /// The schema with references in place of its parts.
    fn within(&mut self, schema: &Value) -> Value {
        let mut copy = schema.clone();
        if let Some(fields) = copy.get_mut("properties").and_then(Value::as_object_mut) {
            fields.values_mut().for_each(|field| *field = self.refer(field));
        }
        if let Some(alternatives) = copy.get_mut("anyOf").and_then(Value::as_array_mut) {
            alternatives.iter_mut().for_each(|alternative| *alternative = self.refer(alternative));
        }
        for inside in ["items", "additionalProperties"] {
            if schema[inside].is_object() {
                copy[inside] = self.refer(&schema[inside]);
            }
        }
        copy
    }

    /// The first words of the description, and a number where others have them too.
    fn name(&self, schema: &Value) -> String {
        let words = schema["description"].as_str().unwrap_or("").to_lowercase();
        let words = words.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        let name = words.take(4).collect::<Vec<_>>().join("-");
        let name = if name.is_empty() { "part".to_string() } else { name };
        let taken = |name: &String| self.names.values().any(|known| known == name);
        let numbered = (2..).map(|number| format!("{name}-{number}"));
        std::iter::once(name.clone()).chain(numbered).find(|name| !taken(name)).unwrap_or(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A schema with every reference replaced by what it refers to.
    fn spelled_out(schema: &Value, definitions: &Value) -> Value {
        match schema {
            Value::Object(fields) => match fields.get("$ref").and_then(Value::as_str) {
                Some(reference) => spelled_out(&definitions[&reference["#/$defs/".len()..]], definitions),
                None => fields.iter().map(|(key, value)| (key.clone(), spelled_out(value, definitions))).collect(),
            },
            Value::Array(items) => items.iter().map(|item| spelled_out(item, definitions)).collect(),
            other => other.clone(),
        }
    }

    /// The long parts of a schema that stand in several places.
    fn repeated(schema: &Value, seen: &mut BTreeMap<String, usize>) -> Vec<String> {
        let mut found = Vec::new();
        for part in parts(schema) {
            let text = part.to_string();
            let places = seen.entry(text.clone()).or_default();
            *places += 1;
            if *places == 2 && text.len() >= WORTH {
                found.push(text);
            }
            found.extend(repeated(part, seen));
        }
        found
    }

    #[test]
    fn definitions_say_the_same_and_nothing_long_twice() {
        for plain in [super::super::scenario_schema(), crate::cli::schema::story::story_schema()] {
            let defined = with_definitions(&plain);
            let mut without = defined.clone();
            without.as_object_mut().unwrap().remove("$defs");
            assert_eq!(spelled_out(&without, &defined["$defs"]), plain);
            let mut seen = BTreeMap::new();
            let bodies = defined["$defs"].as_object().into_iter().flat_map(Map::values);
            let twice: Vec<String> = bodies.chain([&without]).flat_map(|schema| repeated(schema, &mut seen)).collect();
            assert_eq!(twice, Vec::<String>::new());
        }
    }
}
