//! `from:` of a platform: its parameters as a file of serverless functions states them. What the scenario states beside it wins.

use std::path::Path;
use std::sync::Arc;

use super::load::merge;
use crate::catalog::function_rules;
use crate::config::functions::{Architecture, FunctionDefinition, Stated, pick_function, read_functions};
use crate::config::{Diagnostics, Key, SourceFile, Value, Yaml};

/// Longest file that is read, in bytes.
const LONGEST: u64 = 4 << 20;

/// The parameters of `platform`, with those of the file under `from:` (and the function under `function:`) below them. Without
/// `from:` they stay as they are; `None` after an error.
pub(super) fn with_file(platform: &str, parameters: &Yaml, base_dir: &Path, sink: &mut Diagnostics) -> Option<Yaml> {
    let Some(from) = parameters.get("from") else {
        if let Some(function) = parameters.get("function") {
            let error = function.error("`function` names one of a file, but there is no `from`");
            sink.push(error.help("add `from: template.yaml`"));
            return None;
        }
        return Some(parameters.clone());
    };
    let paths = match &from.value {
        Value::Sequence(items) => items.as_slice(),
        _ => std::slice::from_ref(from),
    };
    let mut sources = Vec::new();
    for path in paths {
        let text = path.as_text().unwrap_or_default();
        let path_of = crate::config::spool::path_from(path.source.directory_or(base_dir), text);
        match SourceFile::read(&path_of, LONGEST) {
            Ok(source) => {
                sink.note_file(&source);
                sources.push(source);
            }
            Err(problem) => sink.push(path.error(problem.message)),
        }
    }
    let before = sink.errors();
    let functions = read_functions(&sources, function_rules(), sink);
    let wanted = parameters.get("function");
    let place = wanted.unwrap_or(from);
    if sink.errors() > before || sources.is_empty() {
        return None;
    }
    let function = pick_function(&functions, wanted.and_then(Yaml::as_text), place, sink)?;
    if let Some(stated) = function.platform.as_ref().filter(|stated| stated.value.name() != platform) {
        let error = from.error(format!("{} is of `{}`, not of `{platform}`", function.title(), stated.value.name()));
        sink.push(error.help(format!("write `platform: {{ {}: {{ from: ... }} }}`", stated.value.name())));
        return None;
    }
    let mut own = parameters.clone();
    if let Value::Mapping(entries) = &mut own.value {
        entries.retain(|(key, _)| key.text != "from" && key.text != "function");
    }
    let starts_as_stated = own.get("init").is_some() || own.get("snap-start").is_some();
    Some(merge(parameters_of(platform, function, starts_as_stated, from), own))
}

/// The parameters that the file states.
fn parameters_of(platform: &str, function: &FunctionDefinition, starts_as_stated: bool, place: &Yaml) -> Yaml {
    let mut found = Found { entries: Vec::new() };
    let mib = |bytes: &crate::units::Bytes| format!("{}MB", bytes.get() >> 20);
    found.add("region", &function.region, String::clone);
    match platform {
        "aws-lambda" => {
            found.add("memory", &function.memory, mib);
            let name = |arch: &Architecture| if *arch == Architecture::Arm { "arm64" } else { "x86_64" }.to_string();
            found.add("architecture", &function.architecture, name);
            if !starts_as_stated {
                found.add("runtime", &function.runtime, String::clone);
            }
            found.add("reserved-concurrency", &function.reserved_concurrency, u32::to_string);
            found.provisioned(function);
        }
        "cloud-run" => {
            found.add("memory", &function.memory, |bytes| format!("{}Mi", bytes.get() >> 20));
            found.add("cpu", &function.cpu, ToString::to_string);
            found.add("concurrency", &function.concurrency, u32::to_string);
            found.add("min-instances", &function.min_instances, u32::to_string);
            found.add("max-instances", &function.max_instances, u32::to_string);
            let billing = |whole: &bool| if *whole { "instance" } else { "request" }.to_string();
            found.add("billing", &function.instance_billing, billing);
            found.add("gpu", &function.gpu, |name| name.trim_start_matches("nvidia-").to_string());
        }
        _ => {
            if platform == "azure-functions-flex" {
                found.add("size", &function.memory, mib);
                found.always_ready(function);
            }
            if platform == "azure-functions-premium" {
                found.add("minimum", &function.min_instances, u32::to_string);
            }
            found.add("concurrency", &function.concurrency, u32::to_string);
            found.add("max-instances", &function.max_instances, u32::to_string);
        }
    }
    Yaml { value: Value::Mapping(found.entries), ..place.clone() }
}

/// Parameters with their places in the file.
struct Found {
    entries: Vec<(Key, Yaml)>,
}

impl Found {
    fn add<T>(&mut self, name: &str, stated: &Option<Stated<T>>, text: impl Fn(&T) -> String) {
        if let Some(stated) = stated {
            self.put(name, stated, Value::Scalar(text(&stated.value)));
        }
    }

    fn put<T>(&mut self, name: &str, stated: &Stated<T>, value: Value) {
        let key = Key { text: name.to_string(), span: stated.span };
        self.entries.push((key, Yaml { value, span: stated.span, source: Arc::clone(&stated.source) }));
    }

    /// A fixed number of provisioned environments; where it is scaled, bounds for the scenario's policy.
    fn provisioned(&mut self, function: &FunctionDefinition) {
        let Some(provisioned) = &function.provisioned else { return };
        let Some(most) = &provisioned.maximum else {
            return self.add("provisioned-concurrency", &provisioned.count, u32::to_string);
        };
        let mut bounds = Found { entries: Vec::new() };
        bounds.add("min", &provisioned.minimum, u32::to_string);
        bounds.add("max", &provisioned.maximum, u32::to_string);
        self.put("provisioned-concurrency", most, Value::Mapping(bounds.entries));
    }

    /// The instances of all groups together.
    fn always_ready(&mut self, function: &FunctionDefinition) {
        let Some(first) = function.always_ready.first() else { return };
        let all: u32 = function.always_ready.iter().fold(0, |sum, group| sum.saturating_add(group.instances.value));
        self.put("always-ready", &first.instances, Value::Scalar(all.to_string()));
    }
}
