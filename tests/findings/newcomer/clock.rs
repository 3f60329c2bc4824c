//! Newcomer 9 and 12: faults by the clock of the scenario's time zone, and missing steps in replayed counts.

use rstest::rstest;

use plimsoll::config::Diagnostics;
use plimsoll::scenario::Scenario;
use plimsoll::units::SimDuration;

use crate::findings::trial::Trial;

fn scenario(text: &str) -> Result<Scenario, String> {
    let trial = Trial::new(&[("s.yaml", text)]);
    let mut sink = Diagnostics::new();
    Scenario::read(&trial.path("s.yaml"), &[], &mut sink).ok_or_else(|| sink.to_string())
}

fn text(start: &str, at: &str) -> String {
    format!(
        "time-zone: Europe/Berlin\n\
         workload: {{ nhpp: {{ season: {{ rate: 1/s }}, {start} for: 3d }} }}\n\
         service: {{ concurrency: 4, service-time: 80ms }}\n\
         faults: [ {{ rollout: {{ at: {at} }} }}, {{ zone-outage: {{ zone: a, at: {at}, for: 10m }} }}, \
           {{ metrics-outage: {{ from: {at}, for: 10m }} }}, {{ restart: {{ at: {at} }} }} ]\n\
         policies: {{ s: {{ static: {{ replicas: 2 }} }} }}\n"
    )
}

/// Clocks in Berlin are set back on 25 October 2026 and forward on 29 March 2026.
#[rstest]
#[case::offset("2026-10-24T12:00", "30h", 30)]
#[case::same_evening("2026-10-24T12:00", "'20:00'", 8)]
#[case::over_the_autumn("2026-10-24T12:00", "2026-10-25 20:00", 33)]
#[case::over_the_spring("2026-03-28T12:00", "2026-03-29 20:00", 31)]
#[case::on_the_day_itself("2026-10-25T00:00", "'20:00'", 21)]
#[case::of_another_zone("2026-10-24T12:00", "2026-10-25T20:00:00Z", 34)]
fn faults_are_by_the_clock_of_the_zone(#[case] start: &str, #[case] at: &str, #[case] hours: u64) {
    let scenario = scenario(&text(&format!("start: {start},"), at)).unwrap();
    let spec = &scenario.services[0].spec;
    let found =
        [spec.update.rollouts[0].at, spec.restarts[0].at, scenario.outages[0].at, scenario.metrics.outages[0].from];
    let hours = SimDuration::from_secs(hours * 3600);
    assert!(found.iter().all(|at| at.as_nanos() == hours.as_nanos()), "{found:?} in place of {hours}");
}

#[test]
fn the_resolved_time_of_day_is_reported() {
    let trial = Trial::new(&[("s.yaml", &text("start: 2026-10-25T00:00,", "'20:00'"))]);
    let said = trial.expect("check s.yaml", 0);
    assert!(said.contains("20:00 +01:00 is first 2026-10-25T20:00:00+01:00 = 19:00 UTC"), "{said}");
}

#[test]
fn a_date_outside_the_run_or_without_one_is_refused() {
    let said = scenario(&text("start: 2026-10-24T12:00,", "2026-10-24 08:00")).err().unwrap();
    assert!(said.contains("before the run, which begins at 2026-10-24T12:00:00+02:00"), "{said}");
    let said = scenario(&text("", "2026-10-24 08:00")).err().unwrap();
    assert!(said.contains("no workload states the date"), "{said}");
    let said = scenario(&text("", "2 o'clock")).err().unwrap();
    assert!(said.contains("s.yaml:4"), "{said}");
}

/// Sixty requests per minute, then three missing minutes, then a hundred per minute.
fn counts() -> String {
    let rows = (0..10).filter(|minute| !(4..7).contains(minute));
    let row = |minute: i32| format!("2026-03-02 10:{minute:02}:00,{}\n", if minute < 4 { 60 } else { 100 });
    format!("time,count\n{}", rows.map(row).collect::<String>())
}

fn replayed(gaps: &str) -> Trial {
    let scenario = format!(
        "workload: {{ trace: c.csv{gaps} }}\nservice: {{ concurrency: 4, service-time: 80ms }}\npolicies: {{ s: {{ static: {{ replicas: 2 }} }} }}\n"
    );
    Trial::new(&[("c.csv", &counts()), ("s.yaml", &scenario)])
}

#[rstest]
#[case::by_default("", [0, 0, 0], "3 steps of 1m are missing (1 gaps) and were taken as times without requests")]
#[case::zero(", gaps: zero", [0, 0, 0], "3 steps of 1m are missing (1 gaps) and were taken as times without requests")]
#[case::interpolate(", gaps: interpolate", [70, 80, 90], "filled in on the line between their neighbours, the first from 2026-03-02T10:04")]
fn steps_without_a_row_are_taken_as_stated(#[case] gaps: &str, #[case] expected: [u64; 3], #[case] told: &str) {
    let trial = replayed(gaps);
    let mut sink = Diagnostics::new();
    let scenario = Scenario::read(&trial.path("s.yaml"), &[], &mut sink).unwrap_or_else(|| panic!("{sink}"));
    let loads = scenario.step_loads(0, 0, SimDuration::from_secs(60)).unwrap();
    let found: Vec<u64> = loads.iter().map(|load| load.requests).collect();
    assert_eq!(found[..10], [&[60; 4], &expected[..], &[100; 3]].concat(), "{gaps}");
    let said = trial.expect("check s.yaml", 0);
    assert!(said.contains(told), "{said}");
}

#[test]
fn gaps_are_refused_where_asked_and_where_there_are_none() {
    let said = replayed(", gaps: refuse").expect("check s.yaml", 2);
    assert!(
        said.contains("c.csv: has no row for the step of 1m from 2026-03-02T10:04") && said.contains("interpolate")
    );
    let said = replayed(", gaps: missing").expect("check s.yaml", 2);
    assert!(said.contains("a replay must know the number of requests"), "{said}");
    let said =
        replayed(", rows: requests, columns: { time: time, class: count }, gaps: zero").expect("check s.yaml", 2);
    assert!(said.contains("holds single requests"), "{said}");
}
