//! F2, F5, F9, F11, F12e: names never become paths, commands or formulas.

use std::fs;

use rstest::rstest;

use super::BASE;
use crate::findings::trial::Trial;

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: { name: NAME }
spec:
  selector: { matchLabels: { app: x } }
  template:
    metadata: { labels: { app: x } }
    spec: { containers: [ { name: web, image: x, resources: { requests: { cpu: 1, memory: 1Gi } } } ] }
";

#[rstest]
#[case("\"../../../pwn\"", "looks like a path")]
#[case("/pwn", "looks like a path")]
#[case("a/b", "looks like a path")]
#[case(".hidden", "looks like a path")]
#[case("''", "cannot be empty")]
#[case("\"a\\nb\"", "cannot be seen")]
#[case("\"w\\e[31meb\"", "cannot be seen")]
#[case("\"\\u202egnp.exe\"", "cannot be seen")]
fn a_service_has_a_name_that_is_no_path(#[case] name: &str, #[case] words: &str) {
    let trial = Trial::new(&[("s.yaml", &BASE.replace("name: web", &format!("name: {name}")))]);
    let shown = trial.expect("plan s.yaml --replications 2 --quiet --out out", 2);
    assert!(shown.contains(words) && shown.contains("s.yaml:6:9"), "{shown}");
    assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{shown:?}");
    let manifest = DEPLOYMENT.replace("NAME", name);
    let text = BASE.replace("name: web", "manifest: d.yaml");
    let trial = Trial::new(&[("s.yaml", &text), ("d.yaml", &manifest)]);
    assert!(trial.expect("check s.yaml", 2).contains(words));
}

/// Whatever the name of a policy, no file leaves the report directory, no name is too long, and no two are equal.
#[test]
fn names_of_policies_stay_inside() {
    let long = "a".repeat(245);
    let labels = ["'=../../../pwned'", &long, &format!("{long}b")];
    let policies: String = labels.iter().map(|label| format!("  {label}: {{ static: {{ replicas: 4 }} }}\n")).collect();
    let text = format!("{}policies:\n{policies}", &BASE[..BASE.find("policies:").unwrap()]);
    let trial = Trial::new(&[("s.yaml", &text)]);
    trial.expect("run s.yaml --quiet --out deep/out --set duration=20s", 0);
    let names = |path: &str| {
        let entries = fs::read_dir(trial.path(path)).unwrap().map(|entry| entry.unwrap().file_name());
        entries.map(|name| name.into_string().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((names("deep"), names("deep/out")), (vec!["out".to_string()], vec!["base".to_string()]));
    let files = names("deep/out/base");
    assert!(files.iter().all(|name| name.len() < 160), "{files:?}");
    let timelines = files.iter().filter(|name| name.starts_with("timeline-") && name.ends_with(".svg"));
    if cfg!(feature = "charts") {
        assert_eq!(timelines.count(), labels.len(), "{files:?}");
    }
    for table in ["timeline.csv", "latency.csv", "decisions.csv"] {
        let text = trial.read(&format!("deep/out/base/{table}"));
        let mut rows = csv::Reader::from_reader(text.as_bytes());
        for row in rows.records() {
            let row = row.unwrap();
            let formula = |cell: &str| {
                cell.starts_with(['=', '@', '+', '\t']) || cell.starts_with('-') && cell.parse::<f64>().is_err()
            };
            assert!(!row.iter().any(formula), "{table}: {row:?}");
        }
    }
    assert!(trial.read("deep/out/base/latency.csv").contains("'=../../../pwned"));
}

#[rstest]
#[case("\"\"", "cannot be empty")]
#[case("\"a\\n::set-env name=X::y\"", "cannot be seen")]
#[case("\"\\e]0;OWNED\\a\\e[2J\"", "cannot be seen")]
fn a_policy_has_a_label_that_can_be_seen(#[case] label: &str, #[case] words: &str) {
    let trial = Trial::new(&[("s.yaml", &BASE.replace("  fixed:", &format!("  {label}:")))]);
    let shown = trial.expect("check s.yaml", 2);
    assert!(shown.contains(words) && shown.contains("s.yaml:19:3"), "{shown}");
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
    let at_start = |line: &str| line.trim_start().starts_with("::");
    assert!(!shown.lines().any(at_start), "{shown}");
}

/// A label that starts like a workflow command of GitHub's runner is printed without being one.
#[test]
fn a_label_is_no_command_to_a_workflow() {
    let text = BASE.replace("  fixed:", "  '::set-env name=X::y ##[add-mask]':") + "expect: [ lost < 0 ]\n";
    let trial = Trial::new(&[("s.yaml", &text)]);
    let shown = trial.expect("test s.yaml --quiet --replications 2 --format github --set duration=20s", 1);
    let commands = shown.lines().filter(|line| line.trim_start().starts_with("::"));
    assert!(commands.clone().all(|line| line.starts_with("::error file=s.yaml,")), "{shown}");
    assert_eq!(commands.count(), 2, "{shown}");
    let beside = shown.lines().filter(|line| !line.starts_with("::error ")).collect::<String>();
    assert!(!beside.contains("##["), "{shown}");
}
