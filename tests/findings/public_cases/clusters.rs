//! Public case K14: published traces of clusters, as in their archives.

use rstest::rstest;

use super::samples::{BITBRAINS, GOOGLE_2011, GOOGLE_2019, GOOGLE_2019_JSON, MATERNA, SWF};
use crate::findings::trial::Trial;

fn inspect(text: &str, arguments: &str, code: i32) -> String {
    Trial::new(&[("t", text)]).expect(&format!("trace inspect t {arguments}"), code)
}

#[test]
fn jobs_come_when_they_are_submitted_and_work_on_all_their_processors() {
    let trial = Trial::new(&[("t", SWF)]);
    let shown = trial.expect("trace convert t out.csv", 0);
    assert!(shown.contains("run time x its processors"), "{shown}");
    let written = trial.read("out.csv");
    assert!(written.contains("0,800000000000\n30000000000,10000000000\n"), "{written}");
    let shown = trial.expect("trace inspect t", 0);
    assert!(shown.contains("2 used, 4 passed over") && shown.contains("from          2026-03-02T10:00:00Z"), "{shown}");
    trial.expect("trace convert t out.csv --demand run", 0);
    assert!(trial.read("out.csv").contains("0,100000000000\n"), "the run time alone");
    let shown = trial.expect("trace inspect t --include processors=8", 0);
    assert!(shown.contains("1 used"), "{shown}");
    // Without a start the times are relative.
    assert!(inspect(&SWF.replace("UnixStartTime", "Note"), "", 0).contains("from          0s"));
}

#[rstest]
#[case::tasks(GOOGLE_2011, "from          2011-05-01T23:00:00Z", "to            2011-05-01T23:00:02.5Z")]
#[case::collections(GOOGLE_2019, "from          10m", "to            10m3s")]
#[case::json(GOOGLE_2019_JSON, "from          10m", "to            10m3s")]
fn what_is_submitted_arrives(#[case] text: &str, #[case] from: &str, #[case] to: &str) {
    let shown = inspect(text, "", 0);
    assert!(shown.contains("2 used") && shown.contains(from) && shown.contains(to), "{shown}");
    assert!(shown.contains("each SUBMIT is an arrival"), "{shown}");
}

#[test]
fn tasks_are_chosen_by_the_names_of_their_fields() {
    assert!(inspect(GOOGLE_2011, "--include priority=9", 0).contains("1 used"));
    assert!(inspect(GOOGLE_2011, "--exclude job_id=3418310", 0).contains("1 used"));
    assert!(inspect(GOOGLE_2019, "--include collection_type=1", 0).contains("1 used"), "alloc sets when asked for");
    assert!(inspect(GOOGLE_2019_JSON, "--include priority<100", 0).contains("1 used"));
}

#[rstest]
#[case(BITBRAINS, "sum 21802.75")]
#[case(MATERNA, "sum 121")]
fn what_machines_use_is_a_level(#[case] text: &str, #[case] expected: &str) {
    let shown = inspect(text, "", 0);
    assert!(shown.contains("vm-usage (plain), levels") && shown.contains(expected), "{shown}");
    assert!(shown.contains("the level is `CPU usage [MHZ]`"), "{shown}");
}

/// Arguments with spaces are stated in a scenario.
#[test]
fn another_column_is_named() {
    let scenario = "workload: { trace: t, metric: 'CPU usage [%]', requests-per-unit: 1/s }\nservice: { name: web, concurrency: 1, \
                    service-time: 1ms }\npolicies: { one: { static: { replicas: 1 } } }\n";
    let trial = Trial::new(&[("t", MATERNA), ("s.yaml", scenario)]);
    let shown = trial.expect("check s.yaml", 0);
    assert!(shown.contains("the level is `CPU usage [%]`"), "{shown}");
}
