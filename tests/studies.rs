//! Studies are functions: they tell their progress, and whoever is told may cancel them.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::sync::Mutex;

use plimsoll::config::Diagnostics;
use plimsoll::engine::RunError;
use plimsoll::experiment::{
    self, Axis, CompareSpec, Design, Points, Progress, ReplicationPlan, Watch, WhatifSpec, arms, capacity, compare,
    plan_search, replicate, sweep, tune, whatif,
};
use plimsoll::scenario::Scenario;

/// Two policies, an objective, ten intervals.
fn scenario() -> Scenario {
    let text = "duration: 100s\ninterval: 10s\nworkload: { poisson: { rate: 20/s } }\n\
        service: { replicas: 3, concurrency: 2, service-time: 100ms, price: $1/h }\n\
        objectives: [ { latency: { within: 400ms, target: 95% } } ]\n\
        policies:\n  three: { static: { replicas: 3 } }\n  five: { static: { replicas: 5 } }\n";
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("scenario.yaml");
    std::fs::write(&path, text).unwrap();
    let mut found = Diagnostics::new();
    Scenario::read(&path, &[], &mut found).unwrap_or_else(|| panic!("{found}"))
}

/// Two replications, one run at a time.
fn plan() -> ReplicationPlan {
    ReplicationPlan { replications: 2, threads: 1, ..ReplicationPlan::default() }
}

/// A study, with its result as an error or nothing.
type Study = fn(&Scenario, &Watch<'_>) -> Result<(), RunError>;

/// Every study by name.
fn studies() -> Vec<(&'static str, Study)> {
    fn spec(as_is: bool) -> CompareSpec {
        CompareSpec { plan: plan(), as_is, base: None }
    }
    vec![
        ("compare", |scenario, watch| compare(scenario, &spec(false), watch).map(drop)),
        ("compare as is", |scenario, watch| compare(scenario, &spec(true), watch).map(drop)),
        ("tune", |scenario, watch| tune(scenario, &plan(), watch).map(drop)),
        ("whatif", |scenario, watch| {
            let policies = vec![("three".to_string(), arms(scenario))];
            whatif(scenario, &WhatifSpec { plan: plan(), policies }, watch).map(drop)
        }),
        ("capacity", |scenario, watch| capacity(scenario, &plan(), watch).map(drop)),
        ("plan", |scenario, watch| {
            let read = |_: usize| Ok::<Scenario, RunError>(scenario.clone());
            plan_search(&[0], &read, &plan(), watch).map(drop)
        }),
        ("sweep", |scenario, watch| {
            let read = |_: usize| Ok::<Scenario, RunError>(scenario.clone());
            sweep(0..3, &plan(), &read, &mut |_| Ok(()), watch)
        }),
    ]
}

#[test]
fn a_study_cancelled_at_its_first_word_runs_one_interval() {
    let scenario = scenario();
    for (name, study) in studies() {
        let told = Mutex::new(Vec::new());
        let watcher = |progress: Progress<'_>| {
            told.lock().unwrap().push(progress == Progress::Running);
            ControlFlow::Break(())
        };
        assert_eq!(study(&scenario, &Watch::new(&watcher)), Err(RunError::Cancelled), "{name}");
        // At the end of the first interval of the first run, and never again.
        assert_eq!(*told.lock().unwrap(), [true], "{name}");
    }
}

#[test]
fn a_study_cancelled_after_its_first_piece_of_work_does_no_second() {
    let scenario = scenario();
    for (name, study) in studies() {
        let done = Mutex::new(Vec::new());
        let watcher = |progress: Progress<'_>| match progress {
            Progress::Running => ControlFlow::Continue(()),
            Progress::Done { done: number, .. } => {
                done.lock().unwrap().push(number);
                ControlFlow::Break(())
            }
        };
        assert_eq!(study(&scenario, &Watch::new(&watcher)), Err(RunError::Cancelled), "{name}");
        assert_eq!(*done.lock().unwrap(), [1], "{name}");
    }
}

#[test]
fn a_study_that_goes_on_tells_all_that_it_does() {
    let scenario = scenario();
    for (name, study) in studies() {
        let last = Mutex::new((0, None));
        let intervals = Mutex::new(0);
        let watcher = |progress: Progress<'_>| {
            match progress {
                Progress::Running => *intervals.lock().unwrap() += 1,
                Progress::Done { done, all, .. } => *last.lock().unwrap() = (done, all),
            }
            ControlFlow::Continue(())
        };
        assert_eq!(study(&scenario, &Watch::new(&watcher)), Ok(()), "{name}");
        let (done, all) = *last.lock().unwrap();
        assert!(done > 0 && all.is_none_or(|all| all == done), "{name}: {done} of {all:?}");
        // Ten intervals of each run: nine ends before the end of the run, which is told too.
        assert!(*intervals.lock().unwrap() >= 10 * done, "{name}");
    }
}

#[test]
fn a_cancelled_sweep_has_handed_over_whole_points_only() {
    let scenario = scenario();
    let read = |_: usize| Ok::<Scenario, RunError>(scenario.clone());
    let points = RefCell::new(Vec::new());
    let runs = Mutex::new(0);
    let watcher = |progress: Progress<'_>| {
        let mut runs = runs.lock().unwrap();
        *runs += u32::from(matches!(progress, Progress::Done { .. }));
        // A point is two replications of two policies: the sixth run is in the middle of the second point.
        if *runs == 6 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let mut each = |(point, result): experiment::PointResult| {
        assert_eq!(result.replications, 2);
        points.borrow_mut().push(point);
        Ok(())
    };
    let ended = sweep(0..3, &plan(), &read, &mut each, &Watch::new(&watcher));
    assert_eq!((ended, points.into_inner()), (Err(RunError::Cancelled), vec![0]));
    // The points that a sweep is of are the command's; an axis is enough to have some.
    let axis: Axis = "service.concurrency=1,2,3".parse().unwrap();
    assert_eq!(Points::new(vec![axis], Design::Grid, 0, 1).unwrap().len(), 3);
}

#[test]
fn runs_and_replications_are_cancelled_by_what_their_callback_answers() {
    let scenario = scenario();
    let stopped = scenario.simulation(0, 0).unwrap().run(&mut |_| ControlFlow::Break(()));
    assert_eq!(stopped.map(|record| record.events), Err(RunError::Cancelled));
    // Also at the very end.
    let end = scenario.duration.as_secs_f64();
    let last = scenario.simulation(0, 0).unwrap().run(&mut |now| match now.as_secs_f64() < end {
        true => ControlFlow::Continue(()),
        false => ControlFlow::Break(()),
    });
    assert_eq!(last.map(|record| record.events), Err(RunError::Cancelled));
    let run = experiment::run(&scenario, "", 1, &|_, _| ControlFlow::Break(()));
    assert_eq!(run.map(drop), Err(RunError::Cancelled));
    let replicated = replicate(&arms(&scenario), &plan(), &|_, _| ControlFlow::Break(()));
    assert_eq!(replicated.map(drop), Err(RunError::Cancelled));
    assert!(replicate(&arms(&scenario), &plan(), &|_, _| {}).is_ok(), "no answer is to go on");
}

#[test]
fn comparing_as_is_is_replicating() {
    let scenario = scenario();
    let compared =
        compare(&scenario, &CompareSpec { plan: plan(), as_is: true, base: None }, &Watch::nobody()).unwrap();
    assert_eq!(compared.replicated, replicate(&arms(&scenario), &plan(), &|_, _| {}).unwrap());
    assert!(compared.level.is_none() && compared.base == 0);
    let outcome = compared.outcome("plimsoll compare", &Watch::nobody()).unwrap();
    assert_eq!((outcome.runs.len(), outcome.command.as_str()), (2, "plimsoll compare"));
    // At the same level the cheapest that meets the objective is the base, and the replications are fresh.
    let tuned = compare(&scenario, &CompareSpec { plan: plan(), as_is: false, base: None }, &Watch::nobody()).unwrap();
    assert_eq!(tuned.plan.first, experiment::FRESH_TO_COMPARE);
    assert_eq!(tuned.level.unwrap().tuned.len(), 2);
}
