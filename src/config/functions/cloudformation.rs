//! The language of CloudFormation templates: parameters and intrinsic functions, short (`!Ref X`) and long (`Ref: X`).

use super::values::{Known, Resolve, entries, items, texts};
use crate::config::{Value, Yaml};

/// A template with its parameters and resources.
pub(super) struct Template<'a> {
    /// The whole document.
    pub(super) root: &'a Yaml,
}

/// Short forms of the intrinsic functions.
const INTRINSICS: [&str; 24] = [
    "Ref",
    "GetAtt",
    "Sub",
    "If",
    "Join",
    "Select",
    "Split",
    "FindInMap",
    "ImportValue",
    "Base64",
    "Cidr",
    "GetAZs",
    "Transform",
    "Condition",
    "Equals",
    "And",
    "Or",
    "Not",
    "Length",
    "ToJsonString",
    "ForEach",
    "Rain::Embed",
    "Contains",
    "GetStackOutput",
];

/// The intrinsic function that `node` calls, and its argument.
pub(super) fn intrinsic(node: &Yaml) -> Option<(&str, &Yaml)> {
    if let Some(tag) = tag(node) {
        return Some((tag, node));
    }
    let [(key, argument)] = entries(node) else { return None };
    let name = key.text.strip_prefix("Fn::").unwrap_or(&key.text);
    let long = key.text.len() != name.len() || key.text == "Ref";
    (long && INTRINSICS.contains(&name)).then_some((name, argument))
}

/// The YAML tag of a node. The parser passes values without their tags, so the tag is read from the text in front of the
/// node; the tag of an alias is that of its anchor.
fn tag(node: &Yaml) -> Option<&str> {
    let text = node.source.text();
    let own = node.source.slice(node.span);
    let alias = own.strip_prefix('*').map(|rest| rest.split(|c: char| !is_name(c)).next().unwrap_or(""));
    if let Some(name) = alias.filter(|name| !name.is_empty()) {
        return anchored(text, name);
    }
    let mut end = node.span.start;
    // An anchor or the sign of a block text may stand between the tag and the value.
    for _ in 0..3 {
        let head = text.get(..end)?.trim_end();
        let start = head.rfind(|c: char| c.is_whitespace() || "[{,".contains(c)).map_or(0, |at| at + 1);
        let word = &head[start..];
        if let Some(tag) = word.strip_prefix('!') {
            return INTRINSICS.contains(&tag).then_some(tag);
        }
        if !word.starts_with(['&', '|', '>']) {
            return None;
        }
        end = start;
    }
    None
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.')
}

/// The tag next to the anchor `&name`.
fn anchored<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let mark = format!("&{name}");
    for (at, _) in text.match_indices(&mark) {
        let rest = &text[at + mark.len()..];
        if rest.starts_with(is_name) {
            continue;
        }
        let after = rest.split_whitespace().next().and_then(|word| word.strip_prefix('!'));
        let before = text[..at].split_whitespace().next_back().and_then(|word| word.strip_prefix('!'));
        return after.or(before).filter(|tag| INTRINSICS.contains(tag));
    }
    None
}

impl<'a> Template<'a> {
    /// The resources: logical identifier, type, and the whole resource.
    pub(super) fn resources(&self) -> impl Iterator<Item = (&'a str, &'a str, &'a Yaml)> {
        let all = self.root.get("Resources").map_or(&[][..], entries);
        all.iter().filter_map(|(key, node)| Some((key.text.as_str(), node.get("Type")?.as_text()?, node)))
    }

    /// The type of the resource with this logical identifier.
    fn type_of(&self, name: &str) -> Option<&'a str> {
        self.root.get("Resources")?.get(name)?.get("Type")?.as_text()
    }

    /// The type of the resource that `node` refers to (`!GetAtt Queue.Arn`).
    pub(super) fn referred_type(&self, node: &Yaml) -> Option<&'a str> {
        words(node).find_map(|word| self.type_of(word))
    }
}

/// The words in all texts of `node` that may be logical identifiers.
fn words(node: &Yaml) -> impl Iterator<Item = &str> {
    texts(node).into_iter().flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_'))
}

/// Whether `node` refers to the resource `name`, or states one of its names: `!Ref Name`, `!GetAtt Name.Arn`,
/// `!Sub "function:${Name}:live"`. `alias` also accepts the alias that SAM generates (`NameAliaslive`).
pub(super) fn refers_to(node: &Yaml, name: &str) -> bool {
    words(node).any(|word| word == name || word.strip_prefix(name).is_some_and(|rest| rest.starts_with("Alias")))
}

impl Resolve for Template<'_> {
    fn resolve<'n>(&'n self, node: &'n Yaml) -> Known<'n> {
        let Some((name, argument)) = intrinsic(node) else {
            // `{{resolve:ssm:...}}` is looked up when the template is deployed.
            let dynamic = node.as_text().is_some_and(|text| text.contains("{{resolve:"));
            return if dynamic { Known::Elsewhere("a dynamic reference".into()) } else { Known::Literal(node) };
        };
        match (name, argument.as_text()) {
            ("Ref", Some("AWS::NoValue")) => Known::Absent,
            ("Ref", Some(of)) => self.parameter(of),
            ("Sub", Some(text)) if !text.contains("${") => Known::Literal(argument),
            ("FindInMap", None) => self.mapping(items(argument)).map_or_else(
                || Known::Elsewhere("`!FindInMap` with a key that is known only elsewhere".into()),
                Known::Literal,
            ),
            _ => Known::Elsewhere(format!("`!{name}`")),
        }
    }
}

impl Template<'_> {
    /// The default of a parameter.
    fn parameter<'n>(&'n self, name: &str) -> Known<'n> {
        let Some(parameter) = self.root.get("Parameters").and_then(|all| all.get(name)) else {
            return Known::Elsewhere(format!("`!Ref {name}`"));
        };
        let kind = parameter.get("Type").and_then(Yaml::as_text).unwrap_or("");
        if kind.starts_with("AWS::SSM::") {
            return Known::Elsewhere(format!("parameter `{name}`, whose value is stored elsewhere"));
        }
        match parameter.get("Default").filter(|default| !default.is_null()) {
            Some(default) => Known::Literal(default),
            None => Known::Elsewhere(format!("parameter `{name}`, which has no default")),
        }
    }

    /// The value of `!FindInMap [Map, Key, Key]`, if both keys are known.
    fn mapping<'n>(&'n self, arguments: &'n [Yaml]) -> Option<&'n Yaml> {
        let [map, first, second] = arguments else { return None };
        let key = |node| match self.resolve_key(node) {
            Some(Value::Scalar(text)) => Some(text.as_str()),
            _ => None,
        };
        self.root.get("Mappings")?.get(key(map)?)?.get(key(first)?)?.get(key(second)?)
    }

    /// A key of a mapping: a literal, or a parameter with a default.
    fn resolve_key<'n>(&'n self, node: &'n Yaml) -> Option<&'n Value> {
        match intrinsic(node) {
            None => Some(&node.value),
            Some(("Ref", argument)) => match self.parameter(argument.as_text()?) {
                Known::Literal(default) => Some(&default.value),
                _ => None,
            },
            Some(_) => None,
        }
    }
}
