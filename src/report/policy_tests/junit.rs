//! JUnit's XML, as CI systems read it.

use super::Tested;

/// A suite per scenario or story, a case per expectation.
pub fn junit(tested: &[Tested]) -> String {
    let all = || tested.iter().flat_map(|one| &one.cases);
    let (tests, failures) = (all().count(), all().filter(|case| !case.passed).count());
    let seconds: f64 = tested.iter().map(|one| one.seconds).sum();
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"plimsoll\" tests=\"{tests}\" failures=\"{failures}\" \
         errors=\"0\" time=\"{seconds:.3}\">\n"
    );
    for one in tested {
        let failures = one.cases.iter().filter(|case| !case.passed).count();
        let (name, path) = (escaped(&one.name), escaped(&one.path));
        let tests = one.cases.len();
        xml += &format!(
            "  <testsuite name=\"{name}\" file=\"{path}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" skipped=\"0\" \
             time=\"{:.3}\">\n",
            one.seconds
        );
        // All expectations of a file are judged by the same runs: each bears an equal part of their time.
        let each = one.seconds / tests.max(1) as f64;
        for case in &one.cases {
            let head = format!(
                "    <testcase classname=\"{name}\" name=\"{}\" file=\"{path}\" line=\"{}\" time=\"{each:.3}\"",
                escaped(&case.name),
                case.line
            );
            xml += &match case.passed {
                true => format!("{head}/>\n"),
                false => {
                    let message = escaped(&case.complaint);
                    let place = format!("{path}:{}: {message}", case.line);
                    format!("{head}>\n      <failure message=\"{message}\">{place}</failure>\n    </testcase>\n")
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
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn junit_is_escaped_and_counts() {
        let xml = junit(&crate::report::policy_tests::testing::tested());
        let totals = "<testsuites name=\"plimsoll\" tests=\"2\" failures=\"1\" errors=\"0\" time=\"0.500\">";
        assert!(xml.contains(totals), "{xml}");
        assert!(xml.contains("tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\" time=\"0.500\""), "{xml}");
        assert!(xml.contains("name=\"p99 &lt; 250ms [a]\" file=\"./d/x.yaml\" line=\"4\" time=\"0.250\"/>"), "{xml}");
        let failure = "<failure message=\"expected cost &lt; $1 [a, b]; found 200 ms, limit 250 ms\">";
        assert!(xml.contains(failure), "{xml}");
    }
}
