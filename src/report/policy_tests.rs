//! Verdicts of policy tests: a table, JUnit XML, annotations of a pull request.

use super::comparison::value_text;
use super::grid::Grid;
use super::text;
use crate::experiment::Check;

/// A scenario that was tested.
#[derive(Debug, Clone, PartialEq)]
pub struct TestedScenario {
    /// Its name.
    pub name: String,
    /// Its file, as the user named it.
    pub path: String,
    /// Replications that it was judged by.
    pub replications: u64,
    /// What was looked at.
    pub checks: Vec<Check>,
}

/// The table of all checks, failed ones marked.
pub fn policy_tests(tested: &[TestedScenario]) -> Grid {
    let header = ["", "Scenario", "Expected", "Found", "Limit"].map(str::to_string).into();
    let row = |scenario: &TestedScenario, check: &Check| {
        let verdict = mark(check);
        vec![verdict, scenario.name.clone(), check.name.clone(), shown(check.found, check), shown(check.limit, check)]
    };
    let rows = tested.iter().flat_map(|scenario| scenario.checks.iter().map(move |check| row(scenario, check)));
    let failed = tested.iter().flat_map(|scenario| &scenario.checks).filter(|check| !check.passed).count();
    let all: usize = tested.iter().map(|scenario| scenario.checks.len()).sum();
    let mut notes = vec![format!("{} of {all} expectations hold in {} scenarios.", all - failed, tested.len())];
    if tested.iter().flat_map(|scenario| &scenario.checks).any(|check| !check.certain) {
        notes.push("~ the confidence interval reaches over the limit: more --replications would tell.".into());
    }
    Grid { header, rows: rows.collect(), notes }
}

fn mark(check: &Check) -> String {
    let doubt = if check.certain { "" } else { " ~" };
    format!("{}{doubt}", if check.passed { "✓" } else { "✗" })
}

fn shown(value: Option<f64>, check: &Check) -> String {
    value.map_or_else(|| text::MISSING.into(), |value| value_text(value, check.unit))
}

/// What a failed check says.
fn complaint(check: &Check) -> String {
    format!("expected {}; found {}, limit {}", check.name, shown(check.found, check), shown(check.limit, check))
}

/// JUnit's XML, as CI systems read it: a suite per scenario, a case per check.
pub fn junit(tested: &[TestedScenario]) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"plimsoll\">\n");
    for scenario in tested {
        let failures = scenario.checks.iter().filter(|check| !check.passed).count();
        let (name, path) = (escaped(&scenario.name), escaped(&scenario.path));
        let tests = scenario.checks.len();
        xml += &format!("  <testsuite name=\"{name}\" file=\"{path}\" tests=\"{tests}\" failures=\"{failures}\">\n");
        for check in &scenario.checks {
            let case = format!("    <testcase classname=\"{name}\" name=\"{}\"", escaped(&check.name));
            xml += &match check.passed {
                true => format!("{case}/>\n"),
                false => {
                    format!("{case}>\n      <failure message=\"{}\"/>\n    </testcase>\n", escaped(&complaint(check)))
                }
            };
        }
        xml += "  </testsuite>\n";
    }
    xml + "</testsuites>\n"
}

/// Text within XML (control characters, which XML cannot hold, become spaces).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

/// GitHub's workflow commands: one error per failed check, at its line.
pub fn github_annotations(tested: &[TestedScenario]) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let failed = tested
        .iter()
        .flat_map(|scenario| scenario.checks.iter().filter(|check| !check.passed).map(move |check| (scenario, check)));
    let line = |(scenario, check): (&TestedScenario, &Check)| {
        let (file, title) = (property(&scenario.path), property(&format!("plimsoll: {}", scenario.name)));
        format!("::error file={file},line={},title={title}::{}\n", check.line, data(&complaint(check)))
    };
    failed.map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Unit;

    fn tested() -> Vec<TestedScenario> {
        let good = Check {
            name: "p99 < 250ms [a]".into(),
            line: 4,
            passed: true,
            certain: true,
            found: Some(0.2),
            limit: Some(0.25),
            unit: Unit::Seconds,
        };
        let bad = Check { name: "cost < $1 [a, b]".into(), line: 5, passed: false, certain: false, ..good.clone() };
        vec![TestedScenario { name: "x".into(), path: "d/x.yaml".into(), replications: 3, checks: vec![good, bad] }]
    }

    #[test]
    fn junit_is_escaped_and_counts() {
        let xml = junit(&tested());
        assert!(xml.contains("tests=\"2\" failures=\"1\""), "{xml}");
        assert!(xml.contains("name=\"p99 &lt; 250ms [a]\"/>"), "{xml}");
        assert!(
            xml.contains("<failure message=\"expected cost &lt; $1 [a, b]; found 200 ms, limit 250 ms\"/>"),
            "{xml}"
        );
    }

    #[test]
    fn only_failures_are_annotated() {
        let said = github_annotations(&tested());
        assert_eq!(
            said,
            "::error file=d/x.yaml,line=5,title=plimsoll%3A x::expected cost < $1 [a, b]; found 200 ms, limit 250 ms\n"
        );
        assert_eq!(policy_tests(&tested()).notes.len(), 2);
    }
}
