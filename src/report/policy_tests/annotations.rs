//! Failures at their lines, as code hosts show them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Tested, failures};
use crate::workload::sha256_hex;

/// A path as code hosts know it: from the root of the repository, where the program is run.
fn repository_path(path: &str) -> &str {
    path.trim_start_matches("./")
}

/// GitHub's workflow commands: one error per failure, at its line.
pub fn github_annotations(tested: &[Tested]) -> String {
    let data = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let line = |(one, case): (&Tested, &super::Case)| {
        let (file, title) = (property(repository_path(&one.path)), property(&format!("plimsoll: {}", one.name)));
        format!("::error file={file},line={},title={title}::{}\n", case.line, data(&case.complaint))
    };
    failures(tested).map(line).collect()
}

/// GitLab's Code Quality report (its subset of the Code Climate format): one finding per failure. A fingerprint follows from the
/// file and the expectation alone, so that a failure stays the same finding whatever is measured and wherever its line moves.
pub fn gitlab_code_quality(tested: &[Tested]) -> String {
    let mut seen: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    let finding = |(one, case): (&'_ Tested, &'_ super::Case), number: u32| -> Value {
        let path = repository_path(&one.path);
        json!({
            "description": format!("{}: {}", one.name, case.complaint),
            "check_name": format!("plimsoll/{}", if one.is_story { "story" } else { "expectation" }),
            "fingerprint": sha256_hex(format!("{path}\n{}\n{number}", case.name).as_bytes()),
            "severity": if case.certain { "major" } else { "minor" },
            "location": { "path": path, "lines": { "begin": case.line } },
        })
    };
    let mut findings = Vec::new();
    for (one, case) in failures(tested) {
        let number = seen.entry((&one.path, &case.name)).or_default();
        *number += 1;
        findings.push(finding((one, case), *number));
    }
    format!("{:#}\n", Value::from(findings))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::policy_tests::testing::tested;

    #[test]
    fn only_failures_are_annotated() {
        assert_eq!(
            github_annotations(&tested()),
            "::error file=d/x.yaml,line=5,title=plimsoll%3A x::expected cost < $1 [a, b]; found 200 ms, limit 250 ms\n"
        );
    }

    #[test]
    fn code_quality_has_what_gitlab_asks_for_and_fingerprints_that_stay() {
        let read = |tested: &[Tested]| -> Vec<Value> { serde_json::from_str(&gitlab_code_quality(tested)).unwrap() };
        let mut tested = tested();
        let [finding] = &read(&tested)[..] else { panic!("one failure") };
        assert_eq!(finding["location"], json!({ "path": "d/x.yaml", "lines": { "begin": 5 } }));
        assert_eq!((&finding["severity"], &finding["check_name"]), (&json!("minor"), &json!("plimsoll/expectation")));
        assert!(finding["description"].as_str().unwrap().contains("found 200 ms"));
        // Another value at another line is the same finding; the same expectation twice is two.
        let twice =
            crate::report::policy_tests::Case { line: 9, complaint: "another".into(), ..tested[0].cases[1].clone() };
        tested[0].cases.push(twice);
        let both = read(&tested);
        assert_eq!(both[0]["fingerprint"], finding["fingerprint"]);
        assert_ne!(both[1]["fingerprint"], finding["fingerprint"]);
        assert_eq!(read(&[]), Vec::<Value>::new());
    }
}
