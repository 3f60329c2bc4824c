//! Readers, JSON Schema and `docs/reference.md` have the same fields.
//!
//! Each mapping of the schema is put into a scenario with an unknown field. The reader's message lists the fields that
//! it knows, and these must be the schema's.

use std::collections::BTreeSet;
use std::path::Path;

use plimsoll::cli::{reference, scenario_schema, story_schema};
use plimsoll::config::Diagnostics;
use plimsoll::experiment::Story;
use plimsoll::scenario::Scenario;
use plimsoll::workload::GENERATORS;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

const UNKNOWN: &str = "qqqqqqqqq";

type Names = BTreeSet<String>;

/// A mapping of a schema: its path, its schema, and the required fields of the mappings on the path.
struct Place<'a> {
    path: Vec<String>,
    schema: &'a Value,
    beside: Vec<Value>,
}

/// Every mapping with fields of its own, from the top.
fn places<'a>(schema: &'a Value, path: &[String], beside: &[Value], found: &mut Vec<Place<'a>>) {
    let below = |name: &str, beside_it: Value| ([path, &[name.to_string()]].concat(), [beside, &[beside_it]].concat());
    if let Some(fields) = schema["properties"].as_object() {
        found.push(Place { path: path.to_vec(), schema, beside: beside.to_vec() });
        // The required fields of a policy are needed next to every part of it.
        let of_policy = path.len() == 3 && path[0] == "policies";
        let required = if of_policy { schema["examples"][0].clone() } else { Value::Null };
        for (name, field) in fields {
            let (path, beside) = below(name, required.clone());
            places(field, &path, &beside, found);
        }
    }
    for alternative in schema["anyOf"].as_array().into_iter().flatten() {
        places(alternative, path, beside, found);
    }
    for (inside, name) in [("items", "0"), ("additionalProperties", "any")] {
        if schema[inside].is_object() {
            let (path, beside) = below(name, Value::Null);
            places(&schema[inside], &path, &beside, found);
        }
    }
}

/// `value` at the end of the path, in mappings and lists of one item.
fn wrapped(place: &Place<'_>, value: Value) -> Value {
    place.path.iter().zip(&place.beside).rev().fold(value, |inner, (name, beside)| {
        if name == "0" {
            return json!([inner]);
        }
        let mut around = if beside.is_object() { beside.clone() } else { json!({}) };
        around[name.as_str()] = inner;
        around
    })
}

/// Placeholders for any name: a resource of nodes.
fn fields_of(schema: &Value) -> Names {
    schema["properties"].as_object().unwrap().keys().filter(|name| !name.contains('/')).cloned().collect()
}

/// The fields that the readers list when they find the unknown one.
fn known(found: &Diagnostics) -> Option<Names> {
    let shown = found.iter().find(|one| one.message.contains(UNKNOWN) && one.message.contains("has no field"))?;
    let text = shown.to_string();
    if text.contains("it takes no fields") {
        return Some(Names::new());
    }
    let list = text.split("known fields:").nth(1)?.lines().next()?.trim().to_string();
    Some(list.split(", ").map(str::to_string).collect())
}

fn scenario(directory: &Path, document: &Value) -> Diagnostics {
    let path = directory.join("scenario.yaml");
    std::fs::write(&path, document.to_string()).unwrap();
    let mut sink = Diagnostics::new();
    let _ = Scenario::read(&path, &[], &mut sink);
    sink
}

fn story(directory: &Path, document: &Value) -> Diagnostics {
    let path = directory.join("story.yaml");
    std::fs::write(&path, document.to_string()).unwrap();
    let mut sink = Diagnostics::new();
    let _ = Story::read(&path, &[], &mut sink);
    sink
}

/// A valid scenario with `value` at the place; fields that exclude it are left out.
fn around(place: &Place<'_>, value: Value) -> Value {
    let path = &place.path;
    let mut document = json!({
        "duration": "1m",
        "workload": { "poisson": "1/s" },
        "service": { "concurrency": 1, "service-time": "1ms", "resources": { "requests": { "cpu": 1, "memory": "1Gi" } } },
        "policies": { "a": { "static": { "replicas": 1 } } },
    });
    if path.is_empty() {
        merge(&mut document, value);
        return document;
    }
    let mut inner = wrapped(place, value);
    if path[0] == "service" {
        merge(&mut document["service"], inner["service"].take());
        return document;
    }
    // Options for reading a trace require a trace, transforms any source.
    let workload = &mut inner["workload"];
    if workload.is_object() && path.len() > 1 && !GENERATORS.iter().any(|generator| generator.name == path[1]) {
        workload["trace"] = json!("t.csv");
    }
    if inner["workload"].is_null() {
        inner.as_object_mut().unwrap().remove("workload");
    }
    merge(&mut document, inner);
    document
}

fn merge(into: &mut Value, from: Value) {
    let Value::Object(fields) = from else { return };
    let target = into.as_object_mut().unwrap();
    for (name, value) in fields {
        target.insert(name, value);
    }
}

/// Possible values at the place: the examples of its schema, or null.
fn contents(place: &Place<'_>) -> Vec<Map<String, Value>> {
    let given = place.schema["examples"].as_array().into_iter().flatten();
    let given: Vec<Map<String, Value>> = given.filter_map(|example| example.as_object().cloned()).collect();
    if given.is_empty() { vec![Map::new()] } else { given }
}

/// Where the schema combines several readers, or its keys are not fields.
fn is_a_choice(place: &Place<'_>) -> bool {
    place.schema["minProperties"] == 1 || place.path.last().is_some_and(|name| name == "services")
}

/// Fields of the schema at `place` that no reader lists, and vice versa.
fn differences(place: &Place<'_>, directory: &Path) -> Vec<String> {
    let shown = if place.path.is_empty() { "the scenario".to_string() } else { place.path.join(".") };
    let mut stated = fields_of(place.schema);
    // Read by the loader, before the reader.
    stated.remove("extends");
    let mut read: Option<Names> = None;
    let mut messages = String::new();
    for mut content in contents(place) {
        content.insert(UNKNOWN.to_string(), json!(1));
        let mut documents = vec![around(place, Value::Object(content.clone()))];
        if shown == "workload" {
            // The options of a trace are read next to a trace.
            for beside in [json!({ "trace": "t.csv" }), json!({ "poisson": "1/s" })] {
                let mut whole = content.clone();
                merge_map(&mut whole, beside);
                documents.push(around(place, Value::Object(whole)));
            }
        }
        for document in documents {
            let found = scenario(directory, &document);
            match known(&found) {
                Some(names) => read.get_or_insert_with(Names::new).extend(names),
                None => messages += &found.to_string(),
            }
        }
    }
    compare(&shown, &stated, read, &messages)
}

fn merge_map(into: &mut Map<String, Value>, from: Value) {
    let Value::Object(fields) = from else { return };
    into.extend(fields);
}

fn compare(shown: &str, stated: &Names, read: Option<Names>, messages: &str) -> Vec<String> {
    let Some(read) = read else { return vec![format!("{shown}: the reader does not name its fields: {messages}")] };
    let only_schema = stated.difference(&read).map(|name| format!("{shown}: only the schema has `{name}`"));
    let only_reader = read.difference(stated).map(|name| format!("{shown}: only the reader has `{name}`"));
    only_schema.chain(only_reader).collect()
}

#[test]
fn the_schema_has_the_fields_of_the_readers() {
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("t.csv"), "time,value\n0,1\n1,2\n").unwrap();
    let schema = scenario_schema();
    let mut all = Vec::new();
    places(&schema, &[], &[], &mut all);
    // `services` and a service's own workload are the same functions as `service` and `workload`.
    let other = |path: &[String]| {
        path.first().is_some_and(|name| name == "services") || path.starts_with(&["service".into(), "workload".into()])
    };
    let looked_at: Vec<&Place<'_>> = all.iter().filter(|place| !other(&place.path) && !is_a_choice(place)).collect();
    assert!(looked_at.len() > 60, "{}", looked_at.len());
    let wrong: Vec<String> = looked_at.iter().flat_map(|place| differences(place, directory.path())).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_schema_of_stories_too() {
    let directory = TempDir::new().unwrap();
    let schema = story_schema();
    let mut all = Vec::new();
    places(&schema, &[], &[], &mut all);
    let mut wrong = Vec::new();
    for place in
        all.iter().filter(|place| !is_a_choice(place) && place.path.first().is_none_or(|name| name != "policy"))
    {
        let shown = if place.path.is_empty() { "the story".to_string() } else { place.path.join(".") };
        // Metrics may have any name there; limits are ignored, since no policy uses them.
        if place.schema["additionalProperties"].is_object()
            || place.path.iter().any(|name| name == "any" || name == "limits")
        {
            continue;
        }
        let mut document =
            json!({ "story": "s", "policy": { "static": { "replicas": 1 } }, "steps": [{ "at": "0s", "expect": 1 }] });
        let mut inner = wrapped(place, json!({ UNKNOWN: 1 }));
        if inner["steps"][0].is_object() {
            inner["steps"][0]["at"] = json!("0s");
        }
        merge(&mut document, if inner["steps"].is_null() { without_null(inner) } else { inner });
        let found = story(directory.path(), &document);
        let stated = fields_of(place.schema);
        wrong.extend(compare(&shown, &stated, known(&found), &found.to_string()));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn without_null(mut value: Value) -> Value {
    value.as_object_mut().unwrap().retain(|_, inner| !inner.is_null());
    value
}

/// Regenerated by `plimsoll schema --markdown > docs/reference.md`.
#[test]
fn the_reference_is_committed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference.md");
    let page = reference();
    if std::env::var_os("PLIMSOLL_BLESS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap();
    let (line, one) =
        page.lines().enumerate().find(|(line, text)| committed.lines().nth(*line) != Some(text)).unwrap_or((0, ""));
    assert!(
        page == committed,
        "docs/reference.md, line {}: should be {one}\nMake it anew: plimsoll schema --markdown > docs/reference.md",
        line + 1
    );
}
