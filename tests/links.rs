//! Prose checks: links that resolve, and a changelog with one line per entry.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Directories of handwritten pages. `reports` only contributes its own README: the summaries there also name files
/// that are not kept.
const DIRECTORIES: &[&str] = &["docs", "policy-tests", "traces", "fuzz", "tests/reference"];

/// Maximum length of a changelog entry, in characters.
const ENTRY_LENGTH: usize = 180;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Markdown file in or below `directory`.
fn below(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            below(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "md") {
            found.push(path);
        }
    }
}

fn pages() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "reports/README.md"].map(|name| root().join(name)).into();
    for directory in DIRECTORIES {
        below(&root().join(directory), &mut found);
    }
    found
}

/// The lines of `text` outside fenced code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    })
}

/// The targets of the links and pictures in `text`, code spans left out. A link may be broken over two lines.
fn targets(text: &str) -> Vec<String> {
    let joined: String = prose(text).flat_map(|line| [line, "\n"]).collect();
    let outside: String = joined.split('`').step_by(2).collect::<Vec<_>>().join("``");
    let found = outside.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    found.map(|(target, _)| target.trim().to_string()).collect()
}

/// The anchor that GitHub gives a heading: lower case, punctuation dropped, blanks as dashes.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The anchors of a page.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text).filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#'))).collect()
}

/// The problem with a link of `page`, if there is one.
fn fault(page: &Path, target: &str) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, fragment) = target.split_once('#').map_or((target, None), |(file, fragment)| (file, Some(fragment)));
    let path = if file.is_empty() { page.to_path_buf() } else { page.parent().unwrap().join(file) };
    if !path.exists() {
        return Some("no such file".into());
    }
    let fragment = fragment?;
    let known = anchors(&fs::read_to_string(&path).ok()?);
    (!known.contains(fragment)).then(|| format!("no such heading; there are {known:?}"))
}

#[test]
fn every_link_leads_somewhere() {
    let (mut links, mut wrong) = (0, Vec::new());
    for page in pages() {
        for target in targets(&fs::read_to_string(&page).unwrap()) {
            links += 1;
            if let Some(fault) = fault(&page, &target) {
                wrong.push(format!("{}: {target}: {fault}", page.strip_prefix(root()).unwrap().display()));
            }
        }
    }
    assert!(links > 200, "only {links} links were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_broken_link_is_found() {
    let page = root().join("docs/ci.md");
    assert_eq!(fault(&page, "hpa.md#metrics"), None);
    assert_eq!(fault(&page, "#stories"), None);
    assert_eq!(fault(&page, "../policy-tests/"), None);
    assert_eq!(fault(&page, "nowhere.md").as_deref(), Some("no such file"));
    assert!(fault(&page, "hpa.md#nowhere").unwrap().starts_with("no such heading"));
    let text = "[a](x.md) `[b](y.md)`\n```\n[c](z.md)\n```\n![d](w.svg)";
    assert_eq!(targets(text), ["x.md", "w.svg"]);
    assert_eq!(anchor(" `scale-rate`: the same traffic, more of it"), "scale-rate-the-same-traffic-more-of-it");
}

#[test]
fn the_changelog_has_one_line_per_entry_and_a_date_per_release() {
    let text = fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    let mut wrong = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let right = if let Some(release) = line.strip_prefix("## ") {
            let date = release.split_once(" - ").map(|(_, date)| date);
            date.is_some_and(|date| date.len() == 10 && date.chars().all(|c| c.is_ascii_digit() || c == '-'))
        } else if let Some(kind) = line.strip_prefix("### ") {
            ["Added", "Changed", "Fixed"].contains(&kind)
        } else {
            !line.starts_with(' ') && line.chars().count() <= ENTRY_LENGTH
        };
        if !right {
            wrong.push(format!("{}: {line}", number + 1));
        }
    }
    assert!(wrong.is_empty(), "entries of one line, up to {ENTRY_LENGTH} characters:\n{}", wrong.join("\n"));
}

/// Files in or below a directory with one of the endings.
fn files(directory: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, endings, found);
        } else if path.extension().is_some_and(|ending| endings.iter().any(|known| ending == *known)) {
            found.push(path);
        }
    }
}

/// The commands of cargo that read the lock file, where `text` states them: the command and what follows it to the end of the
/// code span or line.
fn cargo_commands(text: &str) -> Vec<String> {
    const COMMANDS: [&str; 6] = ["build", "test", "run", "bench", "install", "check"];
    // A command may be broken over two lines of a comment.
    let joined = text.replace("\n//! ", " ").replace("\n/// ", " ").replace("\n// ", " ").replace("\\\n", " ");
    let starts = joined.match_indices("cargo ").map(|(at, _)| &joined[at..]);
    let commands = starts
        .filter(|rest| rest["cargo ".len()..].split_whitespace().next().is_some_and(|word| COMMANDS.contains(&word)));
    commands.map(|rest| rest.split(['\n', '`', '&', '|', ')']).next().unwrap_or("").to_string()).collect()
}

/// With another set of dependencies than the tested one nobody knows what is built.
#[test]
fn documented_commands_use_the_lock_file() {
    let mut all = pages();
    all.retain(|page| !page.ends_with("CHANGELOG.md"));
    for (directory, endings) in
        [("benches", &["py", "rs", "md"] as &[&str]), ("tests", &["rs", "md"]), ("src", &["rs"])]
    {
        files(&root().join(directory), endings, &mut all);
    }
    let mut unlocked = Vec::new();
    for path in all.iter().filter(|path| !path.ends_with("tests/links.rs")) {
        let text = fs::read_to_string(path).unwrap();
        let found = cargo_commands(&text).into_iter().filter(|command| !command.contains("--locked"));
        unlocked.extend(found.map(|command| format!("{}: {command}", path.strip_prefix(root()).unwrap().display())));
    }
    assert!(unlocked.is_empty(), "without --locked: {unlocked:#?}");
}

#[test]
fn commands_of_cargo_are_found() {
    let text = "Build it with `cargo build --release`, then\n    cargo test --locked && x\n//! `cargo bench\n//! --locked`; cargo fuzz run; cargo's cache";
    assert_eq!(cargo_commands(text), ["cargo build --release", "cargo test --locked ", "cargo bench --locked"]);
}
