//! `plimsoll::testing` as used by a team with a policy in Rust.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use plimsoll::config::{Diagnostics, Fields, Yaml};
use plimsoll::policy::{
    Decision, Measure, Observation, PolicyContext, PolicyFactory, PolicyPlugin, Reason, ReasonCode, ScalingPolicy,
};
use plimsoll::testing::{ScenarioTest, StoryTest};
use plimsoll::units::{Rate, SimDuration};
use rstest::{fixture, rstest};

/// One replica per number of requests per second; removes one at a time.
struct ByRate {
    per_replica: f64,
}

impl ScalingPolicy for ByRate {
    fn sync_period(&self) -> SimDuration {
        SimDuration::from_secs(15)
    }

    fn decide(&mut self, seen: &Observation<'_>) -> Decision {
        let Some(scrape) = seen.scrape else {
            return Decision::hold(Reason::new(ReasonCode::NoData, "no metrics yet"));
        };
        let rate = scrape.totals[Measure::RequestRate];
        let wanted = ((rate / self.per_replica).ceil() as u32).max(1);
        let size = wanted.max(seen.desired.saturating_sub(1));
        let code = if size > wanted { ReasonCode::RateLimited } else { ReasonCode::Target };
        Decision::scale_to(size, Reason::new(code, format!("{rate}/s wants {wanted}")))
    }
}

/// The same for scenarios: `by-rate: { per-replica: 10/s }`.
const PLUGIN: PolicyPlugin =
    PolicyPlugin { name: "by-rate", summary: "a replica for so many requests per second", source: "this test", build };

fn build(node: &Yaml, _context: &PolicyContext<'_>, sink: &mut Diagnostics) -> Option<PolicyFactory> {
    let fields = Fields::open(node, "policy `by-rate`", sink)?;
    let rate: Option<Rate> = fields.required("per-replica", sink);
    fields.finish(sink);
    let per_replica = rate?.get();
    Some(Arc::new(move |_| Box::new(ByRate { per_replica })))
}

/// The message of a panic.
fn said<T>(test: impl FnOnce() -> T + std::panic::UnwindSafe) -> String {
    let panic = std::panic::catch_unwind(test).err().expect("a failure");
    panic.downcast_ref::<String>().cloned().expect("words")
}

#[rstest]
#[case::up("{ request-rate: 95/s }", "{ replicas: 10, reason: target }")]
#[case::down_by_one("{ request-rate: 5/s }", "{ replicas: 3, reason: rate-limited, says: wants 1 }")]
#[case::as_it_is("{ request-rate: 40/s }", "4")]
#[case::blind("none", "{ replicas: 4, reason: no-data }")]
fn one_step(#[case] metrics: &str, #[case] expect: &str) {
    let steps = format!("steps:\n  - {{ at: 15s, metrics: {metrics}, expect: {expect} }}\n");
    StoryTest::text(format!("service: {{ replicas: 4 }}\n{steps}")).assert_with(ByRate { per_replica: 10.0 });
}

#[test]
fn every_sync_period_between_two_steps_is_decided() {
    let story = "
story: Down one by one
service: { replicas: 8 }
steps:
  - { at: 0s, metrics: { request-rate: 80/s }, expect: 8 }
  - { at: 30s, metrics: { request-rate: 20/s }, expect: 7 }
  - { at: 75s, expect: 4 }
  - { at: 10m, expect: { replicas: 2, reason: target } }
";
    let telling = StoryTest::text(story).assert_with(ByRate { per_replica: 10.0 });
    assert_eq!(telling.decided, 41, "ten minutes in steps of 15 s, both ends included");
    let sizes: Vec<u32> = telling.decisions.iter().map(|decision| decision.to).collect();
    assert_eq!(sizes, [8, 7, 6, 5, 4, 3, 2]);
}

#[test]
fn a_failed_story_says_step_time_expected_decided_and_why() {
    let story = "
service: { replicas: 4 }
steps:
  - { at: 0s, metrics: { request-rate: 40/s }, expect: 4 }
  - { at: 30s, metrics: { request-rate: 70/s }, expect: { replicas: ..6, reason: target } }
";
    let words = said(|| StoryTest::text(story).assert_with(ByRate { per_replica: 10.0 }));
    let expected = "  ✓ step 1 at 0s\n  ✗ line 5: step 2 at 30s: expected at most 6 replicas, target; \
                    decided 7 replicas, target (70/s wants 7)";
    assert!(words.contains(expected), "{words}");
    let misspelt = story.replace("request-rate: 70/s", "request-rat: 70/s");
    let words = said(|| StoryTest::text(misspelt).assert_with(ByRate { per_replica: 10.0 }));
    assert!(words.contains("did you mean `request-rate`?") && words.contains("story:5:27"), "{words}");
}

#[test]
fn a_registered_policy_is_named_in_stories_and_misspelt_ones_are_told_of_it() {
    let story = |policy: &str| {
        let steps = "steps: [{ at: 0s, metrics: { request-rate: 70/s }, expect: 7 }]\n";
        StoryTest::text(format!("policy: {{ {policy}: {{ per-replica: 10/s }} }}\n{steps}")).register(PLUGIN)
    };
    story("by-rate").assert();
    let misspelt = story("by-rat");
    assert!(said(move || misspelt.assert()).contains("did you mean `by-rate`?"));
    let without = StoryTest::text("steps: [{ at: 0s, metrics: { request-rate: 70/s }, expect: 7 }]\n");
    assert!(said(move || without.assert()).contains("has no `policy`"));
}

/// A scenario that uses the team's own policy.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn scenario(&self) -> PathBuf {
        self.dir.path().join("shop.yaml")
    }

    fn test(&self) -> ScenarioTest {
        ScenarioTest::file(self.scenario()).register(PLUGIN).replications(4)
    }
}

const SCENARIO: &str = "\
duration: 3m
warm-up: 20s
interval: 20s
workload: { poisson: { rate: 40/s } }
service:
  name: web
  replicas: 4
  concurrency: 4
  service-time: { exponential: { mean: 100ms } }
  start-up: 4s
  price: $1/h
objectives:
  - latency: { within: 500ms, target: 99% }
policies:
  fixed: { static: { replicas: 8 } }
  ours: { by-rate: { per-replica: 10/s } }
expect:
  - p99 < 600ms
  - policy.ours.cost < policy.fixed.cost
";

#[fixture]
fn place() -> Place {
    let place = Place { dir: tempfile::TempDir::new().unwrap() };
    std::fs::write(place.scenario(), SCENARIO).unwrap();
    place
}

#[rstest]
fn a_scenario_with_a_policy_of_ones_own(place: Place) {
    let result = place.test().candidate("generous", || ByRate { per_replica: 5.0 }).run();
    result.expect_all().expect("policy.ours.cost < policy.generous.cost").expect("policy.ours.cost < 20 * bound");
    assert!(result.mean("ours", "cost").unwrap() < result.mean("fixed", "cost").unwrap());
    assert_eq!((result.mean("nobody", "cost"), result.mean("ours", "p98")), (None, None));
}

#[rstest]
#[case::broken(
    "policy.ours.cost < 0.1 * policy.fixed.cost",
    "expected policy.ours.cost < 0.1 * policy.fixed.cost; found $"
)]
#[case::below_the_bound("policy.ours.cost < bound", "expected policy.ours.cost < bound; found $")]
#[case::misspelt("policy.our.cost < $1", "did you mean `ours`?")]
#[case::of_nothing("cost < 1s", "compares dollars with a time")]
fn what_does_not_hold_is_said(place: Place, #[case] comparison: &str, #[case] words: &str) {
    let result = place.test().run();
    let said = said(std::panic::AssertUnwindSafe(|| {
        result.expect(comparison);
    }));
    assert!(said.contains(words), "{said}");
}

#[rstest]
fn a_candidate_takes_the_place_of_a_policy_and_regressions_are_found(place: Place) {
    let baseline = place.dir.path().join("shop.baseline.json");
    let first = place.test().run().bless(&baseline);
    assert!(first.contains("+cost ours $") && first.contains("new, 6 figures"), "{first}");
    place.test().run().expect_no_worse_than(&baseline, 0.0);
    let dearer = place.test().candidate("ours", || ByRate { per_replica: 9.0 }).run();
    let words = said(std::panic::AssertUnwindSafe(|| {
        dearer.expect_no_worse_than(&baseline, 0.02);
    }));
    assert!(words.contains("cost [ours] no worse than the baseline"), "{words}");
    assert!(words.contains("✓ cost [fixed] no worse"), "{words}");
    let diff = dearer.bless(&baseline);
    assert!(diff.contains("-cost ours $") && !diff.contains("-cost fixed"), "{diff}");
    dearer.expect_no_worse_than(&baseline, 0.0);
}

#[test]
fn the_shipped_stories_hold() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("policy-tests");
    let autoscalers = ["knative-panic", "keda-cooldown", "aws-slow-alarms", "aws-steps", "aws-cooldown"];
    for name in ["morning-rush", "metrics-outage", "evening-forecast"].into_iter().chain(autoscalers) {
        StoryTest::file(directory.join(name).with_extension("yaml")).assert();
    }
}
