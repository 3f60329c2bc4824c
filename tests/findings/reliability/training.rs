//! F3: training only replaces a file that is not a trained policy, or that is outside the scenario's directory, if the
//! user names it.

use std::fs;

use rstest::rstest;

use super::BASE;
use crate::findings::trial::Trial;

fn trial(trained: &str) -> Trial {
    let policy =
        format!("  auto: {{ q-learning: {{ trained: '{trained}', max: 6, capacity: 20/s, sync-period: 10s }} }}\n");
    let text = format!("{}{policy}", &BASE[..BASE.find("  auto:").unwrap()]);
    let trial = Trial::new(&[("victim.txt", "precious"), ("beside.txt", "precious")]);
    fs::create_dir_all(trial.path("a/b")).unwrap();
    fs::write(trial.path("a/b/s.yaml"), text).unwrap();
    fs::write(trial.path("a/b/inside.txt"), "precious").unwrap();
    trial
}

const TRAIN: &str = "train a/b/s.yaml --episodes 8 --replications 2 --penalty $0.01 --quiet --threads 1";

#[rstest]
#[case("../../victim.txt", "outside its own directory")]
#[case("inside.txt", "not a trained policy")]
#[case("../new.json", "outside its own directory")]
#[case("x/../../new.json", "outside its own directory")]
fn a_scenario_cannot_have_a_file_overwritten(#[case] trained: &str, #[case] words: &str) {
    let trial = trial(trained);
    let shown = trial.expect(TRAIN, 2);
    assert!(shown.contains(words) && shown.contains("--out"), "{shown}");
    assert_eq!((trial.read("victim.txt"), trial.read("a/b/inside.txt")), ("precious".into(), "precious".into()));
    assert!(!trial.path("a/new.json").exists());
}

#[cfg(unix)]
#[test]
fn a_link_does_not_lead_out_of_the_directory() {
    let trial = trial("link/victim.txt");
    std::os::unix::fs::symlink(trial.path(""), trial.path("a/b/link")).unwrap();
    assert!(trial.expect(TRAIN, 2).contains("outside its own directory"));
    assert_eq!(trial.read("victim.txt"), "precious");
}

#[test]
fn a_named_file_is_written_and_a_trained_policy_is_replaced() {
    let trial = trial("learned/t.json");
    trial.expect(TRAIN, 0);
    let first = trial.read("a/b/learned/t.json");
    trial.expect(&format!("{TRAIN} --seed 5"), 0);
    assert_ne!(first, trial.read("a/b/learned/t.json"));
    trial.expect(&format!("{TRAIN} --out victim.txt"), 0);
    assert!(trial.read("victim.txt").starts_with("{\"format\":\"plimsoll-"));
}
