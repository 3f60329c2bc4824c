//! Stories: a policy's observations step by step, and its expected decisions.

use std::path::Path;

use plimsoll::config::{Diagnostics, SourceFile};
use plimsoll::experiment::{Story, Telling};

fn read(text: &str) -> Result<Story, String> {
    let mut found = Diagnostics::new();
    let story = Story::parse(&SourceFile::new("s.yaml", text), Path::new("."), &[], &mut found);
    assert_eq!(story.is_none(), found.has_errors(), "{found}");
    story.ok_or_else(|| found.to_string())
}

fn tell(text: &str) -> Telling {
    read(text).unwrap_or_else(|problems| panic!("{problems}")).tell().unwrap_or_else(|problem| panic!("{problem}"))
}

/// Runs a story and returns every step with its decision.
fn decided(text: &str) -> Vec<String> {
    tell(text).checks.into_iter().map(|check| format!("{} ({})", check.decided, check.reason)).collect()
}

const HPA: &str = "\
policy: { hpa: { min: 2, max: 20, target: { cpu: 70% } } }
service: { replicas: 4, resources: { requests: { cpu: 1 } }, start-up: 20s }
";

/// The sizes and reasons of `src/policy/hpa/simulated.rs`, as a file.
#[test]
fn the_autoscaler_decides_as_the_controller_does() {
    let steps = "
steps:
  - { at: 0s, metrics: { cpu: 71% }, expect: 4 }
  - { at: 15s, metrics: { cpu: 83% }, expect: 5 }
  - { at: 30s, metrics: { cpu: 200% }, expect: 9 }
  - { at: 45s, metrics: { cpu: 30% }, expect: 9 }
  - { at: 60s, metrics: none, expect: 9 }
";
    let expected = [
        "4 replicas, within-tolerance (cpu 71% of 70% target: 4 stays)",
        "5 replicas, target (cpu 83% of 70% target: 4 -> 5)",
        // Four of the five are measured; the new one is starting and counts as idle: 4 * 200% / (5 * 70%) * 5 = 12, but at most
        // 4 more or twice as many at a time.
        "10 replicas, rate-limited (scale-up limited to 10 by max(2x, 4), cpu 200% of 70% target wants 12)",
        // Six are not ready yet and do not count on the way down: four at 30% of 70% are two.
        "12 replicas, stabilized (stabilized at 12 by the last 300s, cpu 30% of 70% target wants 2)",
        "12 replicas, no-data (cpu: the metrics API does not answer (FailedGetResourceMetric))",
    ];
    assert_eq!(decided(&format!("{HPA}{steps}")), expected);
}

#[test]
fn stabilization_windows_run_between_steps() {
    // Twelve are desired until 15 s; the window of five minutes includes every decision since.
    let story = |at: &str| {
        let steps = format!(
            "
steps:
  - {{ at: 0s, metrics: {{ cpu: {{ total: 8400m }} }}, expect: 8 }}
  - {{ at: 30s, metrics: {{ cpu: {{ total: 1400m }} }}, expect: 1.. }}
  - {{ at: {at}, expect: 12 }}
"
        );
        tell(&format!("{HPA}{steps}"))
    };
    let telling = story("5m15s");
    assert_eq!(telling.decided, 22, "every 15 s, both ends included");
    assert!(telling.passed(), "{:?}", telling.checks);
    assert!(!story("5m45s").passed());
}

#[test]
fn a_window_of_zero_lets_the_size_fall_at_once() {
    let policy = "policy: { hpa: { min: 2, max: 20, target: { cpu: 70% }, behavior: { scaleDown: { stabilizationWindowSeconds: 0 } } } }";
    let text = HPA.replace(HPA.lines().next().unwrap(), policy);
    let steps =
        "steps:\n  - { at: 0s, metrics: { cpu: 70% }, expect: 4 }\n  - { at: 15s, metrics: { cpu: 20% }, expect: 2 }\n";
    assert_eq!(decided(&(text + steps))[1], "2 replicas, target (cpu 20% of 70% target: 4 -> 2)");
}

/// Pods in abnormal states count as in the controller.
#[rstest::rstest]
// Four pods at 140% of a target of 70% would be eight; of four, two that start count as idle: 280 / 4 = 70%.
#[case::sound("{}", "8 replicas, target")]
#[case::starting("{ starting: 2 }", "4 replicas, within-tolerance")]
#[case::pending("{ pending: 2 }", "4 replicas, within-tolerance")]
// A pod without metrics counts as idle for scale-up.
#[case::unmeasured("{ unmeasured: 2 }", "4 replicas, within-tolerance")]
// One that became unready within the first five minutes of its life does not count; later it would.
#[case::not_ready("{ not-ready: 2 }", "4 replicas, within-tolerance")]
#[case::none_left("{ unmeasured: 9 }", "4 replicas, no-data")]
fn pods_count_as_the_controller_counts_them(#[case] pods: &str, #[case] expected: &str) {
    let steps = format!("steps: [{{ at: 15s, pods: {pods}, metrics: {{ cpu: 140% }}, expect: 4 }}]\n");
    let said = decided(&format!("{HPA}{steps}")).remove(0);
    // Starting pods are not measured before they have run for a window, and pods without metrics count alike for
    // scale-up.
    assert!(said.starts_with(expected), "{said}");
}

#[test]
fn pods_that_turn_unready_late_still_count_and_states_last_until_the_next() {
    let steps = "
steps:
  - { at: 0s, metrics: { cpu: 70% }, expect: 4 }
  - { at: 6m, pods: { not-ready: 2 }, metrics: { cpu: 140% }, expect: 8 }
  - { at: 6m15s, pods: { pending: 8 }, expect: 8 }
  - { at: 20m, replicas: 5, pods: {}, metrics: { cpu: 70% }, expect: 8 }
";
    let said = decided(&format!("{HPA}{steps}"));
    assert!(said[1].starts_with("8 replicas, target"), "{said:?}");
    assert!(said[2].starts_with("8 replicas, no-data"), "{said:?}");
    assert!(said[3].starts_with("5 replicas, within-tolerance"), "{said:?}");
}

#[test]
fn totals_are_shared_by_the_pods_that_are_ready() {
    let policy = "policy: { hpa: { min: 1, max: 50, target: { in-flight: 2 }, metrics: [] } }\nservice: { replicas: 4, start-up: 1m }\n";
    let steps = "
steps:
  - { at: 0s, metrics: { in-flight: 12 }, expect: 6 }
  # Two are starting and serve nothing: 12 / 6 = 2 for each all the same.
  - { at: 15s, expect: 6 }
  - { at: 2m, metrics: { in-flight: { each: 3 } }, expect: 9 }
";
    let policy = policy.replace(", metrics: []", "");
    let telling = tell(&format!("{policy}{steps}"));
    assert!(telling.passed(), "{:?}", telling.checks);
}

#[test]
fn custom_metrics_go_by_their_names() {
    let text = "
policy: { hpa: { min: 1, max: 50, target: { http_requests: 10 } } }
service: { replicas: 4 }
metrics: { window: 30s, custom: { http_requests: request-rate } }
steps: [{ at: 0s, metrics: { http_requests: 75/s }, expect: { replicas: 8, says: http_requests } }]
";
    assert!(tell(text).passed(), "{:?}", tell(text).checks);
}

#[test]
fn a_fixed_size_is_decided_as_often_as_the_story_says() {
    let text = "
policy: { static: { replicas: 5 } }
every: 15s
steps:
  - { at: 0s, expect: { replicas: 5, reason: fixed } }
  - { at: 15s, replicas: 9, expect: { replicas: 5, says: fixed at 5 } }
";
    assert!(tell(text).passed());
}

#[test]
fn a_predictive_policy_learns_from_the_rates_shown() {
    let text = "
policy:
  predictive:
    { min: 1, max: 99, capacity: 10/s, forecaster: naive, quantile: 50%, step: 1m, warm-up: 5m, lead: 1m, sync-period: 30s }
metrics: { window: 30s }
steps:
  - { at: 30s, metrics: { request-rate: 55/s }, expect: { replicas: 1, reason: no-data, says: learning } }
  - { at: 8m, expect: { replicas: 6, reason: forecast } }
";
    assert!(tell(text).passed(), "{:?}", tell(text).checks);
}

/// The text replaced in a valid story, its replacement, text that the message must contain, and its place.
#[rstest::rstest]
#[case("cpu: 90%", "cpu: 90 %x", "s.yaml:4:32", "")]
#[case("cpu: 90%", "cpx: 90%", "did you mean `cpu`?", "s.yaml:4:27")]
#[case("cpu: 90%", "cpu: -1", "s.yaml:4:32", "")]
#[case("cpu: 90%", "request-rate: 5", "s.yaml:4", "")]
#[case("cpu: 90%", "in-flight: -5", "zero or more", "s.yaml:4:38")]
#[case("cpu: 90%", "memory: 80%", "the percentage has no reference: the service has no memory request", "s.yaml:4:35")]
#[case("cpu: 90%", "cpu: { total: 90% }", "a total must be an amount", "s.yaml:4")]
#[case("cpu: 90%", "cpu: { each: 90%, total: 2 }", "expected `{ each: ... }`", "s.yaml:4")]
#[case("cpu: 90%", "cpu: 99999999999999999999%", "too large", "s.yaml:4")]
#[case("metrics: { cpu: 90% }", "metrics: nothing", "or `none`", "s.yaml:4:25")]
#[case("expect: 6", "expect: six", "a number of replicas", "s.yaml:4:47")]
#[case("expect: 6", "expect: 6..4", "a number of replicas", "s.yaml:4:47")]
#[case("expect: 6", "expect: { reason: targets }", "did you mean `target`?", "s.yaml:4:57")]
#[case("expect: 6", "expect: {}", "nothing is expected", "s.yaml:4:47")]
#[case("expect: 6", "replicas: 6", "no step expects anything", "s.yaml:4")]
#[case("at: 15s,", "", "step has no `at`", "s.yaml:4")]
#[case("at: 15s", "att: 15s", "did you mean `at`?", "s.yaml:4")]
#[case("at: 15s", "at: 99y", "s.yaml:4", "")]
#[case("at: 15s", "at: 99999h", "ten years at most", "s.yaml:4:11")]
#[case("at: 30s", "at: 10s", "later than the one before", "s.yaml:5:11")]
#[case("steps:", "stops:", "did you mean `steps`?", "s.yaml:3:1")]
#[case("{ hpa: { min: 2, max: 20, target: { cpu: 70% } } }", "{ hpb: {} }", "did you mean `hpa`?", "s.yaml:1:11")]
#[case("{ hpa: { min: 2, max: 20, target: { cpu: 70% } } }", "lp-optimal", "a story has none", "s.yaml:1:9")]
#[case("{ replicas: 4", "{ replica: 4", "did you mean `replicas`?", "s.yaml:2:12")]
fn bad_stories_are_refused_with_a_place(
    #[case] part: &str,
    #[case] by: &str,
    #[case] words: &str,
    #[case] place: &str,
) {
    let sound = format!(
        "{HPA}steps:\n  - {{ at: 15s, metrics: {{ cpu: 90% }}, expect: 6 }}\n  - {{ at: 30s, pods: {{ starting: 1 }} }}\n"
    );
    assert!(read(&sound).is_ok());
    assert!(sound.contains(part), "`{part}` is not in the sound story");
    let problems = read(&sound.replacen(part, by, 1)).err().unwrap_or_else(|| panic!("`{by}` is accepted"));
    assert!(problems.contains(words) && problems.contains(place), "expected `{words}` at {place} in:\n{problems}");
}

/// A step without a decision of its own would be lost silently.
#[test]
fn steps_closer_than_the_sync_period_are_refused() {
    let steps =
        "steps: [{ at: 15s, metrics: { cpu: 90% }, expect: 6 }, { at: 20s, expect: 6 },\n { at: 25s, expect: 6 }]\n";
    let problems = read(&format!("{HPA}{steps}")).err().expect("no decision lies between");
    assert!(problems.contains("one is due every 15s") && problems.contains("s.yaml:4:8"), "{problems}");
    assert!(tell(&format!("every: 5s\n{HPA}{steps}")).passed());
}

#[test]
fn sizes_and_lengths_beyond_reason_end_in_an_error() {
    let text = "policy: { static: { replicas: 4000000000 } }\nsteps: [{ at: 0s, expect: 4000000000 }]\n";
    let problem = read(text).unwrap().tell().expect_err("too large");
    assert!(problem.to_string().contains("at most 100000 replicas"), "{problem}");
    let text =
        "policy: { static: { replicas: 1 } }\nevery: 1ms\nsteps: [{ at: 0s, expect: 1 }, { at: 1d, expect: 1 }]\n";
    assert!(read(text).err().expect("too long").contains("more than 1000000 decisions"));
    let text = "policy: { static: { replicas: 90000 } }\nevery: 1s\nsteps: [{ at: 0s, expect: 90000 }, { at: 1d, expect: 1 }]\n";
    let problem = read(text).unwrap().tell().expect_err("too long");
    assert!(problem.to_string().contains("too long for so many pods"), "{problem}");
}

#[test]
fn the_course_contains_comparisons_and_decisions() {
    let steps = "
steps:
  - { at: 0s, metrics: { cpu: 83% }, expect: 5 }
  - { at: 1m, metrics: { cpu: 20% }, expect: { reason: stabilized } }
  - { at: 2m, metrics: none, expect: { reason: no-data } }
  - { at: 3m, expect: { reason: no-data } }
";
    let course = tell(&format!("{HPA}{steps}")).course;
    assert!(course.windows(2).all(|pair| pair[0].until == pair[1].from), "a gap");
    let ends = (course[0].from.as_secs_f64(), course[course.len() - 1].until.as_secs_f64());
    assert_eq!(ends, (0.0, 195.0));
    let first = &course[0];
    assert_eq!((first.size, first.ready), (5, 4), "the fifth pod takes 20 s");
    assert_eq!((first.weighed.wanted, first.weighed.stabilized), (Some(5), Some(5)));
    let cpu = &first.weighed.metrics[0];
    assert_eq!((cpu.name.as_str(), cpu.value, cpu.target, cpu.per_pod), ("cpu", Some(0.83), 0.7, false));
    assert!((cpu.tolerated.0 - 0.63).abs() < 1e-12 && (cpu.tolerated.1 - 0.77).abs() < 1e-12);
    let held = course.iter().find(|stretch| stretch.from.as_secs_f64() >= 60.0).unwrap();
    assert!(held.weighed.wanted < held.weighed.stabilized, "{held:?}");
    // Without metrics every decision is the same: one entry.
    let last = &course[course.len() - 1];
    assert_eq!((last.from.as_secs_f64(), last.weighed.wanted, last.weighed.metrics[0].value), (120.0, None, None));
}
