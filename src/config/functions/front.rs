//! Which format a text is in, and the functions of several texts together.

use std::sync::Arc;

use super::azure::{self, Azure};
use super::definition::FunctionDefinition;
use super::limits::FunctionRules;
use super::values::{almost, entries};
use super::{bicep, cloud_run, sam, serverless_framework};
use crate::config::{Diagnostic, Diagnostics, SourceFile, Value, Yaml, not_one_of, parse_documents};

/// The format of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    CloudFormation,
    ServerlessFramework,
    Arm,
    HostJson,
    CloudRun,
    /// A Kubernetes object of another kind, which passes unread.
    Other,
}

/// Names at the top of a document, and the format that has them. The first that is there decides.
const SIGNS: [(&str, Format); 13] = [
    ("Resources", Format::CloudFormation),
    ("AWSTemplateFormatVersion", Format::CloudFormation),
    ("Transform", Format::CloudFormation),
    ("Globals", Format::CloudFormation),
    ("contentVersion", Format::Arm),
    ("functions", Format::ServerlessFramework),
    ("provider", Format::ServerlessFramework),
    ("frameworkVersion", Format::ServerlessFramework),
    ("extensionBundle", Format::HostJson),
    ("functionTimeout", Format::HostJson),
    ("extensions", Format::HostJson),
    ("version", Format::HostJson),
    ("resources", Format::Arm),
];

/// Reads every function of `sources`, whose formats are recognised by their content: SAM and CloudFormation templates,
/// `serverless.yml`, ARM templates, Bicep, `host.json`, Cloud Run services. A `host.json` applies to the function apps of
/// the templates next to it. Problems are reported to `sink`; a value with an error is left out of its function.
pub fn read_functions(
    sources: &[Arc<SourceFile>],
    rules: &FunctionRules,
    sink: &mut Diagnostics,
) -> Vec<FunctionDefinition> {
    let mut functions = Vec::new();
    let mut azure = Azure::default();
    let before = sink.errors();
    for source in sources {
        sink.note_file(source);
        if bicep::is_bicep(source) {
            azure.templates.extend(bicep::parse(source, sink));
            continue;
        }
        match parse_documents(source) {
            Ok(documents) if documents.is_empty() => {
                sink.push(Diagnostic::error(format!("{}: the file is empty", source.name())));
            }
            Ok(documents) => {
                for document in documents {
                    read_document(document, rules, &mut functions, &mut azure, sink);
                }
            }
            Err(error) => sink.push(*error),
        }
    }
    functions.extend(azure::read(&azure, rules, sink));
    if functions.is_empty() && sink.errors() == before {
        let names: Vec<&str> = sources.iter().map(|source| source.name()).collect();
        sink.push(Diagnostic::error(format!("{}: no function is stated here", names.join(", "))));
    }
    twice(&functions, sink);
    functions
}

fn read_document(
    document: Yaml,
    rules: &FunctionRules,
    functions: &mut Vec<FunctionDefinition>,
    azure: &mut Azure,
    sink: &mut Diagnostics,
) {
    match recognise(&document, sink) {
        Some(Format::CloudFormation) => functions.extend(sam::read(&document, rules, sink)),
        Some(Format::ServerlessFramework) => functions.extend(serverless_framework::read(&document, rules, sink)),
        Some(Format::CloudRun) => functions.extend(cloud_run::read(&document, rules, sink)),
        Some(Format::Arm) => azure.templates.push(document),
        Some(Format::HostJson) => azure.hosts.push(document),
        Some(Format::Other) | None => {}
    }
}

/// The format of a document; one that is none of them is reported.
fn recognise(document: &Yaml, sink: &mut Diagnostics) -> Option<Format> {
    if !matches!(document.value, Value::Mapping(_)) {
        let message = format!("expected a template or a service, found {}", document.kind());
        sink.push(document.error(message));
        return None;
    }
    if let (Some(version), Some(kind)) = (document.get("apiVersion"), document.get("kind")) {
        let (version, name) = (version.as_text().unwrap_or(""), kind.as_text().unwrap_or(""));
        if !version.starts_with("serving.knative.dev/") {
            return Some(Format::Other);
        }
        if let Some(near) = almost(name, &["Service"]) {
            sink.push(kind.error(format!("{version} has no kind `{name}`")).meant(near));
        }
        return Some(if name == "Service" { Format::CloudRun } else { Format::Other });
    }
    let by_sign = SIGNS.iter().find(|(sign, _)| document.get(sign).is_some());
    if let Some((sign, format)) = by_sign.filter(|(sign, _)| *sign != "version") {
        misspelt(document, sign, *format, sink);
        return Some(*format);
    }
    let known: Vec<&str> = SIGNS.iter().map(|(sign, _)| *sign).chain(["apiVersion", "kind", "service"]).collect();
    for (key, value) in entries(document) {
        if let Some(near) = almost(&key.text, &known) {
            let error = Diagnostic::error(format!("a file of functions has no `{}` at the top", key.text));
            sink.push(error.at(&value.source, key.span).meant(near));
            return None;
        }
    }
    if by_sign.is_some() && document.get("version").and_then(Yaml::as_text) == Some("2.0") {
        return Some(Format::HostJson);
    }
    let error = document.error("this states no functions in a format that is read");
    sink.push(error.note(
        "read are: AWS SAM and CloudFormation, serverless.yml, ARM templates, Bicep, host.json, Cloud Run services",
    ));
    None
}

/// Reports a misspelt `Resources`, without which a template is empty.
fn misspelt(document: &Yaml, sign: &str, format: Format, sink: &mut Diagnostics) {
    let needed = match format {
        Format::CloudFormation => "Resources",
        Format::Arm => "resources",
        _ => return,
    };
    if sign == needed || document.get(needed).is_some() {
        return;
    }
    let near = entries(document).iter().find(|(key, _)| almost(&key.text, &[needed]).is_some());
    if let Some((key, value)) = near {
        let error = Diagnostic::error(format!("a template has no `{}` at the top", key.text));
        sink.push(error.at(&value.source, key.span).meant(needed));
    }
}

/// Reports functions with the same name.
fn twice(functions: &[FunctionDefinition], sink: &mut Diagnostics) {
    for (index, function) in functions.iter().enumerate() {
        if functions[..index].iter().any(|other| other.name.value == function.name.value) {
            let error = function.name.error(format!("{} is stated twice", function.title()));
            sink.push(error.help("name one file only, or give the two other names"));
        }
    }
}

/// The function that is meant: the one named `wanted` (its name in the file or when deployed), or the only one. `place` is
/// what a message points to: where the name or the file is stated.
pub fn pick_function<'f>(
    functions: &'f [FunctionDefinition],
    wanted: Option<&str>,
    place: &Yaml,
    sink: &mut Diagnostics,
) -> Option<&'f FunctionDefinition> {
    let names: Vec<&str> = functions.iter().map(|function| function.name.value.as_str()).collect();
    let Some(wanted) = wanted else {
        if let [only] = functions {
            return Some(only);
        }
        if !functions.is_empty() {
            let error = place.error(format!("{} functions are stated here; name one", functions.len()));
            sink.push(error.note(format!("known: {}", names.join(", "))));
        }
        return None;
    };
    let deployed = |function: &&FunctionDefinition| function.deployed_name.as_ref().is_some_and(|n| n.value == wanted);
    let by_name = functions.iter().find(|function| function.name.value == wanted);
    let found = by_name.or_else(|| functions.iter().find(deployed));
    if found.is_none() {
        sink.push(not_one_of(place, wanted, "a function that is stated here", &names));
    }
    found
}
