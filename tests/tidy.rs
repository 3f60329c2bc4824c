//! Style rules checked by machine: layers, lengths, and features confined to their module.

use std::fs;
use std::path::{Path, PathBuf};

use plimsoll::experiment::Metric;

/// Each module with its layer; a module may import from lower layers.
const LAYERS: &[(&str, u32)] = &[
    ("units", 1),
    ("columnar", 2),
    ("config", 2),
    ("queueing", 2),
    ("random", 2),
    ("stats", 2),
    ("catalog", 3),
    ("billing", 4),
    ("serving", 4),
    ("workload", 5),
    ("cluster", 5),
    ("forecast", 5),
    ("optimize", 5),
    ("policy", 6),
    ("platform", 7),
    ("engine", 8),
    ("scenario", 9),
    ("experiment", 10),
    ("validate", 11),
    ("report", 12),
    ("cli", 13),
    ("facade", 13),
    ("testing", 13),
];

/// Intended imports within a layer: distributions are read from scenarios by `config`'s readers.
const SIDEWAYS: &[(&str, &str)] = &[("random", "config")];

/// Within large modules: each room or file with its layer. A room may use lower layers and itself.
const ROOMS: &[(&str, &[(&str, u32)])] = &[
    (
        "workload",
        &[
            ("batch", 1),
            ("error", 1),
            ("time", 2),
            ("reading", 3),
            ("clients", 4),
            ("source", 5),
            ("recipe", 6),
            ("replay", 7),
            ("shape", 7),
            ("generators", 8),
            ("transforms", 8),
            ("spec", 9),
            ("convert", 10),
            ("describe", 10),
            ("fit", 11),
        ],
    ),
    (
        "report",
        &[
            ("artifact", 1),
            ("printing", 2),
            ("write", 2),
            ("answers", 3),
            ("charts", 4),
            ("pictures", 5),
            ("policy_tests", 5),
            ("studies", 5),
            ("data", 6),
            ("pages", 7),
        ],
    ),
];

/// Maximum length of a function, in lines from `fn` to its closing brace.
const FUNCTION_LINES: usize = 70;

/// Functions that are longer, with their length: the list may shrink, and no entry may grow.
const LONG_FUNCTIONS: &[(&str, usize)] = &[];

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// Every source file below `src`: its relative path and its text.
fn texts() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    sources(&root, &mut found);
    let read = |path: &PathBuf| {
        let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
        (name, fs::read_to_string(path).unwrap())
    };
    found.iter().map(read).collect()
}

fn module_of(name: &str) -> &str {
    name.split(['/', '.']).next().unwrap()
}

/// The code without its unit tests, which may import anything: their lines are made empty, so that line numbers stay
/// the same. Code after a test module, or next to a `mod tests;`, is code like any other.
fn shipped(text: &str) -> String {
    let mut kept = Vec::new();
    // The indentation of the current `#[cfg(test)]` item, and whether it has a body.
    let mut inside: Option<(&str, bool)> = None;
    for line in text.lines() {
        // The tests of a file come last, and may hold texts that look like the end of a module.
        if line == "mod tests {" {
            break;
        }
        let code = line.trim_start();
        let indent = &line[..line.len() - code.len()];
        if code == "#[cfg(test)]" && inside.is_none() {
            inside = Some((indent, false));
        }
        kept.push(if inside.is_some() { "" } else { line });
        if let Some((of_item, has_body)) = &mut inside
            && *of_item == indent
        {
            // A text within the body may stand at the margin and end in a semicolon.
            let ends = line == format!("{indent}}}") || !*has_body && code.ends_with(';') && !code.starts_with("#[");
            *has_body |= code.ends_with('{');
            if ends {
                inside = None;
            }
        }
    }
    kept.join("\n")
}

#[test]
fn code_behind_tests_is_looked_at() {
    let text = "use a;\n#[cfg(test)]\nmod tests;\nuse b;\n#[cfg(test)]\n#[allow(x)]\nmod more {\n    use c;\n    fn f() {\n    }\n}\n                fn g() {\n    #[cfg(test)]\n    use d;\n    e();\n}";
    assert_eq!(shipped(text).split_whitespace().collect::<String>(), "usea;useb;fng(){e();}");
    assert_eq!(shipped(text).lines().count(), text.lines().count());
}

#[test]
fn imports_point_down() {
    let row = |module: &str| LAYERS.iter().find(|(name, _)| *name == module).map(|(_, row)| *row);
    let mut wrong = Vec::new();
    for (name, text) in texts() {
        let own = module_of(&name);
        let Some(own_row) = row(own) else { continue };
        let code = shipped(&text);
        let lines = code.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
        for (number, line) in lines {
            for part in line.split("crate::").skip(1) {
                let module = part.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
                let allowed = module == own || SIDEWAYS.contains(&(own, module));
                if row(module).is_some_and(|row| row >= own_row) && !allowed {
                    wrong.push(format!("{name}:{} uses {module}", number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "imports that point up or sideways:\n{}", wrong.join("\n"));
}

/// Every path in the code of a file (`a::b::c`), with its line; those of `use` statements are written out.
fn paths(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    // The path before each open brace of the current `use` statement.
    let mut opened: Vec<String> = Vec::new();
    let (mut word, mut is_use) = (String::new(), false);
    for (number, line) in code.lines().enumerate() {
        let line = line.split("//").next().unwrap_or("");
        is_use |= line.split_whitespace().take(2).any(|word| word == "use");
        for c in line.chars().chain(['\n']) {
            if c.is_alphanumeric() || c == '_' || c == ':' {
                word.push(c);
                continue;
            }
            let path = opened.last().cloned().unwrap_or_default() + &std::mem::take(&mut word);
            match c {
                '{' if is_use => opened.push(path.clone()),
                '}' if is_use => drop(opened.pop()),
                ';' => is_use = false,
                _ => {}
            }
            if path.contains("::") && !path.ends_with("::") {
                found.push((number + 1, path));
            }
        }
    }
    found
}

/// A path from the root of the crate, as used in the file of a module; `None` if it does not begin there.
fn from_root(module: &[&str], path: &str) -> Option<Vec<String>> {
    let parts: Vec<&str> = path.split("::").collect();
    let ups = parts.iter().take_while(|part| **part == "super").count();
    let base = match parts[0] {
        "crate" => &[],
        "super" => &module[..module.len().checked_sub(ups)?],
        _ => return None,
    };
    Some(base.iter().chain(&parts[ups.max(1)..]).map(ToString::to_string).collect())
}

#[test]
fn paths_are_written_out() {
    let code = "use super::{a::b, c::{D, E}};\npub use crate::x::{self, Y};\nfn f() {\n    super::g::h() }";
    let found: Vec<String> = paths(code).into_iter().map(|(_, path)| path).collect();
    assert_eq!(found, ["super::a::b", "super::c::D", "super::c::E", "crate::x::self", "crate::x::Y", "super::g::h"]);
    assert_eq!(from_root(&["m", "n", "o"], "super::super::a::B").unwrap(), ["m", "a", "B"]);
    assert_eq!(from_root(&["m"], "crate::a").unwrap(), ["a"]);
    assert_eq!(from_root(&["m"], "std::a"), None);
}

/// Where a file uses a room of its module that is not below its own, or the module's facade.
fn rooms_used_wrongly(name: &str, code: &str) -> Vec<String> {
    let Some((module, rooms)) = ROOMS.iter().find(|(module, _)| module_of(name) == *module) else { return Vec::new() };
    let path: Vec<&str> = name.trim_end_matches(".rs").trim_end_matches("/mod").split('/').collect();
    let Some(own) = path.get(1) else { return Vec::new() };
    let row = |room: &str| rooms.iter().find(|(known, _)| *known == room).map(|(_, row)| *row);
    let Some(own_row) = row(own) else { return vec![format!("{name}: `{own}` has no layer in {module}")] };
    let mut wrong = Vec::new();
    for (line, used) in paths(&shipped(code)) {
        let Some(used) = from_root(&path, &used).filter(|used| used.len() > 1 && used[0] == *module) else { continue };
        if row(&used[1]).is_none_or(|row| row >= own_row) && used[1] != *own {
            wrong.push(format!("{name}:{line} uses {}", used.join("::")));
        }
    }
    wrong
}

/// Whether a file is a module that only tests have: declared after a `#[cfg(test)]`, or a part of one that is.
fn is_for_tests(name: &str, texts: &[(String, String)]) -> bool {
    let (room, file) = name.rsplit_once('/').unwrap_or(("", name));
    let declared = format!("mod {};", file.trim_end_matches(".rs"));
    let above = [format!("{room}/mod.rs"), format!("{room}.rs")];
    texts.iter().filter(|(name, _)| above.contains(name)).any(|(room, text)| {
        let lines: Vec<&str> = text.lines().collect();
        let after = |two: &[&str]| two[0].trim() == "#[cfg(test)]" && two[1].ends_with(&declared);
        lines.windows(2).any(after) || (room != name && is_for_tests(room, texts))
    })
}

#[test]
fn rooms_within_modules_have_an_order() {
    let up = "use super::rows::A;\nuse super::super::fit::B;\nuse crate::workload::TraceError;\nuse crate::units::C;";
    let found = rooms_used_wrongly("workload/reading/x.rs", up);
    assert_eq!(
        found,
        ["workload/reading/x.rs:2 uses workload::fit::B", "workload/reading/x.rs:3 uses workload::TraceError"]
    );
    let texts = texts();
    let shipped = texts.iter().filter(|(name, _)| !is_for_tests(name, &texts));
    let wrong: Vec<String> = shipped.flat_map(|(name, text)| rooms_used_wrongly(name, text)).collect();
    assert!(wrong.is_empty(), "rooms that use their own layer, a higher one or their facade:\n{}", wrong.join("\n"));
}

/// Functions of a formatted source with their lengths.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let words: Vec<&str> = code.split_whitespace().take_while(|word| *word != "fn").collect();
        let is_function = words.len() <= 3
            && code.contains("fn ")
            && words
                .iter()
                .all(|word| matches!(*word, "pub" | "const" | "async" | "extern") || word.starts_with("pub("));
        if !is_function || code.ends_with(';') || code.ends_with("{}") {
            continue;
        }
        let indent = &line[..line.len() - code.len()];
        let close = format!("{indent}}}");
        let Some(length) = lines[start..].iter().position(|line| *line == close) else { continue };
        let name = code.split("fn ").nth(1).unwrap_or("").split(['(', '<']).next().unwrap_or("");
        found.push((name.to_string(), length + 1));
    }
    found
}

#[test]
fn functions_are_short() {
    let mut wrong = Vec::new();
    for (name, text) in texts() {
        for (function, length) in functions(&text) {
            let key = format!("{name}:{function}");
            let limit =
                LONG_FUNCTIONS.iter().find(|(long, _)| *long == key).map_or(FUNCTION_LINES, |(_, lines)| *lines);
            if length > limit {
                wrong.push(format!("{key} has {length} lines, more than {limit}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Maximum length of a function in a `mod.rs`: room for what a list or a small trait answers, not for logic.
const FACADE_LINES: usize = 9;

/// Longer functions in `mod.rs` files, with the longest: the list may shrink, and no entry may grow.
const LONG_FACADES: &[(&str, usize)] =
    &[("cluster/scheduling/mod.rs", 21), ("columnar/mod.rs", 12), ("scenario/mod.rs", 37)];

#[test]
fn facades_hold_no_logic() {
    let mut wrong = Vec::new();
    for (name, text) in texts().into_iter().filter(|(name, _)| name.ends_with("mod.rs")) {
        let limit = LONG_FACADES.iter().find(|(long, _)| *long == name).map_or(FACADE_LINES, |(_, lines)| *lines);
        let long = functions(&shipped(&text)).into_iter().filter(|(_, length)| *length > limit);
        wrong
            .extend(long.map(|(function, length)| format!("{name}: {function} has {length} lines, more than {limit}")));
    }
    assert!(wrong.is_empty(), "a mod.rs says what there is; logic has a file of its own:\n{}", wrong.join("\n"));
}

/// Texts that one file alone may hold in its code, so that there is one way to say it.
const SAID_ONCE: &[(&str, &[&str])] = &[
    // The quantities of `units` correct a text, not a name; a report names a directory.
    ("did you mean", &["config/choice.rs", "units/text.rs", "cli/report.rs"]),
    ("Failure::Input(format!(\"error: ", &["cli/failure.rs"]),
];

#[test]
fn what_is_said_everywhere_is_said_in_one_place() {
    let mut wrong = Vec::new();
    let texts = texts();
    for (name, text) in texts.iter().filter(|(name, _)| !is_for_tests(name, &texts)) {
        for (number, line) in shipped(text).lines().enumerate() {
            let code = !line.trim_start().starts_with("//");
            let found =
                SAID_ONCE.iter().find(|(said, only)| code && line.contains(said) && !only.contains(&name.as_str()));
            wrong.extend(found.map(|(said, only)| format!("{name}:{}: `{said}` belongs to {}", number + 1, only[0])));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A text, the modules in which it is allowed, and the reason.
const CONFINED: &[(&str, &[&str], &str)] = &[
    ("rand::", &["random"], "random numbers come from keyed streams"),
    ("rand_distr::", &["random"], "random numbers come from keyed streams"),
    ("rand_xoshiro::", &["random"], "random numbers come from keyed streams"),
    ("std::time", &["cli"], "only the program reads the clock"),
    ("std::env", &["cli"], "only the program reads the environment"),
    ("println!", &["cli", "main"], "only the program prints"),
    ("std::thread", &["cli", "experiment", "validate"], "only experiments start threads"),
    ("rayon::", &["experiment", "validate", "cli", "report"], "only experiments and reports start threads"),
    ("HashMap", &[], "its order would leak into results"),
    ("HashSet", &[], "its order would leak into results"),
    ("todo!", &[], "nothing is left open"),
    ("unimplemented!", &[], "nothing is left open"),
];

#[test]
fn things_stay_in_their_modules() {
    let mut wrong = Vec::new();
    for (name, text) in texts() {
        let own = module_of(&name);
        for (number, line) in shipped(&text).lines().enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            for (what, allowed, why) in CONFINED {
                let bounded = line
                    .match_indices(what)
                    .any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'));
                if bounded && !allowed.contains(&own) {
                    wrong.push(format!("{name}:{}: {what}: {why}", number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The most items that the root of the crate may document.
const MOST_ITEMS: usize = 60;

/// The names that the root of the crate shows in its documentation: its own public items and re-exports, but for what is
/// hidden.
fn interface(root: &str) -> Vec<String> {
    let mut names = Vec::new();
    let (mut hidden, mut used) = (false, None::<String>);
    for line in root.lines().map(str::trim) {
        match used.as_mut() {
            Some(list) => list.push_str(line),
            None if line.starts_with("pub use ") => used = Some(line["pub use ".len()..].to_string()),
            None => {
                if let Some(name) = line.strip_prefix("pub mod ").filter(|_| !hidden) {
                    names.push(name.trim_end_matches(';').to_string());
                }
                hidden = line == "#[doc(hidden)]" || hidden && line.starts_with("#[");
            }
        }
        if let Some(list) = used.take_if(|list| list.ends_with(';')) {
            let last = list.trim_end_matches(';').rsplit_once("::").map_or("", |(_, last)| last);
            let list = list.split_once('{').map_or(last, |(_, inner)| inner.split('}').next().unwrap_or(""));
            names.extend(list.split(',').map(|name| name.trim().to_string()).filter(|name| !name.is_empty()));
        }
    }
    names
}

#[test]
fn the_interface_is_small_and_meant() {
    let root =
        "#[doc(hidden)]\n#[cfg(x)]\npub mod a;\npub mod b;\npub use a::{\n    C, D,\n    E,\n};\npub use b::F;\nmod g;";
    assert_eq!(interface(root), ["b", "C", "D", "E", "F"]);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let lib = fs::read_to_string(root.join("src/lib.rs")).unwrap();
    let names = interface(&lib);
    assert!(names.len() <= MOST_ITEMS, "{} items at the root: {names:?}", names.len());
    // Whatever is public otherwise says that it is not part of it.
    let is_item =
        |line: &&str| line.starts_with("pub ") && !line.starts_with("pub mod ") && !line.starts_with("pub use ");
    assert_eq!(lib.lines().find(is_item), None);
    // Programs that show how the library is used take only what is in it.
    let mut examples = Vec::new();
    sources(&root.join("examples"), &mut examples);
    assert!(!examples.is_empty());
    for path in examples {
        let text = fs::read_to_string(&path).unwrap();
        let used = paths(&text)
            .into_iter()
            .filter_map(|(line, path)| Some((line, path.strip_prefix("plimsoll::")?.to_string())));
        for (line, used) in used {
            assert!(names.contains(&used), "{}:{line} uses {used}, which is not at the root", path.display());
        }
    }
}

#[test]
fn the_docs_and_the_lists_agree() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/policies.md")).unwrap();
    let mut missing = Vec::new();
    for plugin in plimsoll::policy::POLICIES {
        let row = format!("| `{}` | {} |", plugin.name, plugin.summary);
        if !page.contains(&row) {
            missing.push(row);
        }
    }
    for plugin in plimsoll::policy::NODE_POLICIES {
        let row = format!("| `{}` | {} |", plugin.name, plugin.summary);
        if !page.contains(&row) {
            missing.push(row);
        }
    }
    for plugin in plimsoll::cluster::DISPATCHERS {
        if !page.contains(&format!("`{}`", plugin.name)) {
            missing.push(plugin.name.to_string());
        }
    }
    assert!(missing.is_empty(), "docs/policies.md lacks:\n{}", missing.join("\n"));
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ci.md")).unwrap();
    let rows = Metric::OF_RUNS.into_iter().chain(Metric::OF_SERVICES).map(|metric| {
        format!("| `{}` | {} | {} |", metric.name(), metric.about(), format!("{:?}", metric.better()).to_lowercase())
    });
    let table = rows.collect::<Vec<_>>().join("\n");
    assert!(page.contains(&table), "docs/ci.md has not this table of figures:\n{table}");
}
