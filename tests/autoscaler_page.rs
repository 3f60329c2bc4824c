//! `docs/what-your-autoscaler-does.md`: its charts are those that the program draws today, and its YAML is that of its
//! tests.

#[cfg(feature = "charts")]
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const TESTS: &str = "policy-tests/known-behaviour";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page() -> String {
    fs::read_to_string(root().join("docs/what-your-autoscaler-does.md")).unwrap()
}

/// The texts between `before` and the next `)`.
fn links<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(before).skip(1).filter_map(|rest| rest.split_once(')').map(|(name, _)| name))
}

/// The numbered sections.
fn sections(page: &str) -> Vec<&str> {
    let all = page.split("\n## ").skip(1);
    all.filter(|section| section.starts_with(|c: char| c.is_ascii_digit())).collect()
}

/// The tests that a section refers to, before and after.
fn before_and_after(section: &str) -> [PathBuf; 2] {
    ["[before](../", "[after](../"].map(|mark| {
        let found: Vec<&str> = links(section, mark).collect();
        assert_eq!(found.len(), 1, "one link {mark} in\n{section}");
        root().join(found[0])
    })
}

#[test]
fn sixteen_surprises_each_with_its_cause_and_its_cure() {
    let page = page();
    let sections = sections(&page);
    assert_eq!(sections.len(), 16);
    for section in sections {
        for part in ["*Cause.*", "*Set instead*", "```yaml"] {
            assert_eq!(section.matches(part).count(), 1, "{part} in\n{section}");
        }
        let stems: Vec<String> =
            before_and_after(section).iter().map(|path| path.file_stem().unwrap().to_string_lossy().into()).collect();
        let charts: Vec<&str> = links(section, "](autoscaler/").collect();
        assert_eq!(charts, stems.iter().map(|stem| format!("{stem}.svg")).collect::<Vec<_>>());
    }
}

#[test]
fn every_line_to_set_stands_in_the_test_that_proves_it() {
    let page = page();
    for section in sections(&page) {
        let [_, after] = before_and_after(section);
        let mut proof = fs::read_to_string(&after).unwrap();
        for manifest in links(section, &format!("](../{TESTS}/manifests/")) {
            proof += &fs::read_to_string(root().join(TESTS).join("manifests").join(manifest)).unwrap();
        }
        let yaml = section.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
        for line in yaml.lines().map(str::trim) {
            assert!(proof.contains(line), "{} does not hold `{line}`", after.display());
        }
    }
}

#[cfg(feature = "charts")]
#[test]
fn every_chart_is_what_the_program_draws() {
    let directory = root().join("docs/autoscaler");
    let mut expected = BTreeSet::new();
    for path in sections(&page()).iter().flat_map(|section| before_and_after(section)) {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let (name, drawn) = (format!("{stem}.svg"), drawn(&path, &stem));
        let file = directory.join(&name);
        if std::env::var_os("PLIMSOLL_BLESS").is_some() {
            fs::create_dir_all(&directory).unwrap();
            fs::write(&file, &drawn).unwrap();
        }
        let found = fs::read_to_string(&file).unwrap_or_default();
        assert!(
            found == drawn,
            "{name} is not what the program draws; run the tests with PLIMSOLL_BLESS=1 and look at it"
        );
        expected.insert(name);
    }
    let entries =
        fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    assert_eq!(entries.collect::<BTreeSet<_>>(), expected, "files that the page does not show");
}

/// The chart of a story, or of the sizes that a scenario's policies choose, as `test --charts` writes them.
#[cfg(feature = "charts")]
fn drawn(path: &Path, stem: &str) -> String {
    use plimsoll::config::Diagnostics;
    use plimsoll::experiment::{Story, run};
    use plimsoll::report::{run_charts, story_charts};
    use plimsoll::scenario::Scenario;
    let mut found = Diagnostics::new();
    let text = fs::read_to_string(path).unwrap();
    let pictures = if text.contains("\nstory:") {
        let story = Story::read(path, &[], &mut found).unwrap_or_else(|| panic!("{found}"));
        story_charts(stem, &story, &story.tell().unwrap())
    } else {
        let scenario = Scenario::read(path, &[], &mut found).unwrap_or_else(|| panic!("{found}"));
        run_charts(&run(&scenario, "", 0, &|_, _| ()).unwrap())
    };
    let wanted = [format!("{stem}.svg"), "replicas.svg".into()];
    let picture = pictures.into_iter().find(|picture| wanted.contains(&picture.name)).unwrap();
    String::from_utf8(picture.bytes).unwrap()
}
