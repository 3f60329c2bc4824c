//! The part of JSON Schema that the program's schemas use, for comparing output with the committed files.

use serde_json::{Map, Value};

/// A schema for validating values.
pub struct Checked(Value);

/// Keywords that do not constrain a value, or that are handled with another one.
const SILENT: [&str; 9] =
    ["$schema", "$defs", "title", "description", "format", "default", "examples", "minimum", "maximum"];

impl Checked {
    pub fn new(schema: Value) -> Checked {
        Checked(schema)
    }

    /// The differences of a value from the schema, with their places.
    pub fn problems(&self, value: &Value) -> Vec<String> {
        self.at(&self.0, value, "")
    }

    fn at(&self, schema: &Value, value: &Value, place: &str) -> Vec<String> {
        let schema = match schema {
            Value::Bool(true) => return Vec::new(),
            Value::Object(schema) => schema,
            other => return vec![format!("{place}: nothing fits {other}")],
        };
        schema.iter().flat_map(|(keyword, rule)| self.keyword(schema, (keyword.as_str(), rule), value, place)).collect()
    }

    fn keyword(
        &self,
        schema: &Map<String, Value>,
        (keyword, rule): (&str, &Value),
        value: &Value,
        place: &str,
    ) -> Vec<String> {
        let each = || value.as_object().into_iter().flatten();
        match keyword {
            "$ref" => {
                let path = rule.as_str().unwrap().strip_prefix('#').unwrap();
                self.at(self.0.pointer(path).unwrap_or_else(|| panic!("{path} is missing")), value, place)
            }
            "oneOf" | "anyOf" => {
                let found: Vec<_> = rule.as_array().unwrap().iter().map(|one| self.at(one, value, place)).collect();
                let fits = found.iter().filter(|problems| problems.is_empty()).count();
                match (fits, keyword) {
                    (1, _) | (2.., "anyOf") => Vec::new(),
                    // The closest alternative explains most.
                    _ => found.into_iter().min_by_key(Vec::len).unwrap(),
                }
            }
            "const" => said(rule == value, || format!("{place}: {value} is not {rule}")),
            "type" => {
                let names: Vec<&str> = rule.as_array().map_or_else(
                    || vec![rule.as_str().unwrap()],
                    |names| names.iter().map(|name| name.as_str().unwrap()).collect(),
                );
                said(names.iter().any(|name| is(name, value)), || format!("{place}: {value} is not {rule}"))
            }
            "required" => {
                let missing =
                    rule.as_array().unwrap().iter().filter(|name| value.get(name.as_str().unwrap()).is_none());
                missing.map(|name| format!("{place}: {name} is missing")).collect()
            }
            "properties" => each()
                .filter_map(|(name, value)| Some((rule.get(name)?, value, name)))
                .flat_map(|(rule, value, name)| self.at(rule, value, &format!("{place}/{name}")))
                .collect(),
            "additionalProperties" => {
                let known = |name: &str| schema.get("properties").is_some_and(|known| known.get(name).is_some());
                each()
                    .filter(|(name, _)| !known(name))
                    .flat_map(|(name, value)| self.at(rule, value, &format!("{place}/{name}")))
                    .collect()
            }
            "items" => {
                let items = value.as_array().into_iter().flatten().enumerate();
                items.flat_map(|(index, item)| self.at(rule, item, &format!("{place}/{index}"))).collect()
            }
            silent if SILENT.contains(&silent) => Vec::new(),
            other => panic!("the checker does not know `{other}`"),
        }
    }
}

fn said(holds: bool, problem: impl Fn() -> String) -> Vec<String> {
    if holds { Vec::new() } else { vec![problem()] }
}

fn is(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("no such type: {other}"),
    }
}

#[test]
fn the_checker_finds_differences() {
    let schema = Checked::new(serde_json::json!({
        "type": "object", "additionalProperties": false, "required": ["a"],
        "properties": { "a": { "type": ["number", "null"] }, "b": { "type": "array", "items": { "$ref": "#/$defs/x" } } },
        "$defs": { "x": { "oneOf": [ { "const": 1 }, { "type": "string" } ] } },
    }));
    let problems = |value: Value| schema.problems(&value).len();
    assert_eq!(problems(serde_json::json!({ "a": null, "b": [1, "x"] })), 0);
    assert_eq!(problems(serde_json::json!({ "b": [2], "c": 1 })), 3);
    assert_eq!(problems(serde_json::json!({ "a": "1" })), 1);
}
