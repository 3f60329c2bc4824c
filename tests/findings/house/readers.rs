//! House D6: one typo, one error.

use rstest::rstest;

use crate::findings::trial::Trial;

const SOUND: &str = "\
name: s
duration: 1m
workload: { poisson: { rate: 1/s } }
service:
  concurrency: 1
  service-time: 10ms
policies: { a: { static: { replicas: 1 } } }
";

#[rstest]
#[case("concurrency:", "concurency:")]
#[case("workload:", "wokload:")]
#[case("service:", "servcie:")]
#[case("policies:", "polices:")]
#[case("service-time:", "servicetime:")]
fn a_misspelt_field_is_not_missing_too(#[case] field: &str, #[case] misspelt: &str) {
    let text = SOUND.replacen(&format!("\n{field}"), &format!("\n{misspelt}"), 1);
    let text = text.replacen(&format!("  {field}"), &format!("  {misspelt}"), 1);
    assert_ne!(text, SOUND);
    let trial = Trial::new(&[("s.yaml", &text)]);
    let shown = trial.expect("check s.yaml", 2);
    let errors = shown.lines().filter(|line| line.starts_with("error: ") && !line.contains("not all scenarios"));
    assert_eq!(errors.count(), 1, "{shown}");
    assert!(shown.contains(&format!("did you mean `{}`?", field.trim_end_matches(':'))), "{shown}");
}

/// A missing field is still reported.
#[rstest]
#[case("  concurrency: 1\n", "no `concurrency`")]
#[case("workload: { poisson: { rate: 1/s } }\n", "no workload")]
#[case("policies: { a: { static: { replicas: 1 } } }\n", "no `policies`")]
fn a_missing_field_is_told(#[case] line: &str, #[case] words: &str) {
    let trial = Trial::new(&[("s.yaml", &SOUND.replacen(line, "", 1))]);
    assert!(trial.expect("check s.yaml", 2).contains(words));
}
