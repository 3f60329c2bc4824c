//! Policy tests in Rust, for teams with a policy in Rust: `plimsoll test` as assertions.
//!
//! A [`StoryTest`] runs a policy step by step on given metrics, without a cluster, and checks its decisions. A
//! [`ScenarioTest`] simulates a scenario with the team's own policy besides those of the file, and checks its figures
//! with comparisons in the syntax of `expect:` and against a baseline. A failure panics with the expected and the
//! actual value.
//!
//! ```
//! use plimsoll::testing::{ScenarioTest, StoryTest};
//! use plimsoll::{Decision, Measure, Observation, Reason, ReasonCode, ScalingPolicy, SimDuration};
//!
//! /// A replica for every ten requests per second, at least two.
//! struct ByRate;
//!
//! impl ScalingPolicy for ByRate {
//!     fn sync_period(&self) -> SimDuration {
//!         SimDuration::from_secs(15)
//!     }
//!
//!     fn decide(&mut self, seen: &Observation<'_>) -> Decision {
//!         let Some(scrape) = seen.scrape else {
//!             return Decision::hold(Reason::new(ReasonCode::NoData, "no metrics yet"));
//!         };
//!         let rate = scrape.totals[Measure::RequestRate];
//!         let size = (rate / 10.0).ceil().max(2.0) as u32;
//!         Decision::scale_to(size, Reason::new(ReasonCode::Target, format!("{rate}/s at 10/s a replica")))
//!     }
//! }
//!
//! StoryTest::text(
//!     "
//! story: Traffic doubles, then the metrics are lost
//! service: { replicas: 3 }
//! steps:
//!   - { at: 0s, metrics: { request-rate: 30/s }, expect: 3 }
//!   - { at: 1m, metrics: { request-rate: 60/s }, expect: { replicas: 6, reason: target, says: 60/s } }
//!   - { at: 2m, metrics: none, expect: { replicas: 6, reason: no-data } }
//! ",
//! )
//! .assert_with(ByRate);
//!
//! ScenarioTest::file("policy-tests/checkout.yaml")
//!     .candidate("by-rate", || ByRate)
//!     .replications(3)
//!     .run()
//!     .expect("policy.by-rate.p99 < 800ms")
//!     .expect("policy.by-rate.cost < policy.fixed.cost")
//!     .expect("policy.by-rate.cost < 8 * bound");
//! ```

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::{Diagnostic, Diagnostics, SourceFile, write_whole};
use crate::experiment::{
    Baseline, Check, Replicated, ReplicationPlan, Story, Telling, arms, expectation, expectations, judge, replicate,
};
use crate::policy::{OwnPolicy, PolicyFactory, Registry, ScalingPolicy};
use crate::report::{Case, Held, Tested, changes_grid, diff};
use crate::scenario::{Scenario, Variant};

/// Fails the test with the diagnostics.
#[track_caller]
fn refuse(found: &Diagnostics) -> ! {
    panic!("\n{found}")
}

/// A story to run a policy through.
#[derive(Clone)]
pub struct StoryTest {
    source: Result<Arc<SourceFile>, Box<Diagnostic>>,
    base_dir: PathBuf,
    own: Vec<OwnPolicy>,
}

impl StoryTest {
    /// Reads the story from a file. Relative paths start from the tests' working directory, which under Cargo is the
    /// package directory.
    pub fn file(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let base_dir = crate::config::spool::directory_of(path);
        StoryTest { source: SourceFile::read(path, crate::config::MAX_YAML_BYTES), base_dir, own: Vec::new() }
    }

    /// Reads the story from a text.
    pub fn text(text: impl Into<String>) -> Self {
        StoryTest { source: Ok(SourceFile::new("story", text)), base_dir: PathBuf::new(), own: Vec::new() }
    }

    /// Policies of your own, for stories whose `policy:` names one of them.
    pub fn policies(mut self, own: Registry) -> Self {
        self.own.extend_from_slice(own.policies());
        self
    }

    /// A plug-in under its name.
    #[doc(hidden)]
    pub fn register(mut self, policy: impl Into<OwnPolicy>) -> Self {
        self.own.push(policy.into());
        self
    }

    /// Runs the policy named in the story and asserts every expected decision.
    ///
    /// # Panics
    /// If the story cannot be read or a decision differs.
    #[track_caller]
    pub fn assert(&self) -> Telling {
        let story = self.story();
        told(&story, story.tell())
    }

    /// Runs `policy`, whatever policy the story names, and asserts every expected decision.
    ///
    /// # Panics
    /// If the story cannot be read or a decision differs.
    #[track_caller]
    pub fn assert_with(&self, policy: impl ScalingPolicy + 'static) -> Telling {
        let story = self.story();
        told(&story, story.tell_to(Box::new(policy)))
    }

    #[track_caller]
    fn story(&self) -> Story {
        let mut found = Diagnostics::new();
        match &self.source {
            Ok(source) => Story::parse(source, &self.base_dir, &self.own, &mut found),
            Err(diagnostic) => refuse(&(**diagnostic).clone().into()),
        }
        .unwrap_or_else(|| refuse(&found))
    }
}

#[track_caller]
fn told(story: &Story, telling: Result<Telling, Box<Diagnostic>>) -> Telling {
    let telling = telling.unwrap_or_else(|diagnostic| refuse(&(*diagnostic).into()));
    let tested = Tested::story(story, &telling);
    assert!(telling.passed(), "\n{}", complaint(&format!("{} ({})", tested.name, tested.path), &tested.cases));
    telling
}

/// All cases, with the messages of those that failed.
fn complaint(title: &str, cases: &[Case]) -> String {
    let line = |case: &Case| match case.passed {
        true => format!("  ✓ {}", case.name),
        false => format!("  ✗ line {}: {}", case.line, case.complaint),
    };
    format!("{title}\n{}", cases.iter().map(line).collect::<Vec<_>>().join("\n"))
}

/// A scenario to simulate with custom policies.
#[derive(Clone)]
pub struct ScenarioTest {
    path: PathBuf,
    set: Vec<(String, String)>,
    own: Vec<OwnPolicy>,
    candidates: Vec<(String, PolicyFactory)>,
    plan: ReplicationPlan,
}

impl ScenarioTest {
    /// Reads the scenario from a file. Relative paths start from the tests' working directory, which under Cargo is the
    /// package directory.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        let (set, own, candidates) = (Vec::new(), Vec::new(), Vec::new());
        ScenarioTest { path: path.into(), set, own, candidates, plan: ReplicationPlan::default() }
    }

    /// Overrides a value, like `--set`: `.set("duration", "5m")`.
    pub fn set(mut self, path: impl Into<String>, value: impl Into<String>) -> Self {
        self.set.push((path.into(), value.into()));
        self
    }

    /// Policies of your own, for scenarios whose `policies:` name them.
    pub fn policies(mut self, own: Registry) -> Self {
        self.own.extend_from_slice(own.policies());
        self
    }

    /// A plug-in under its name, which reads its own parameters.
    #[doc(hidden)]
    pub fn register(mut self, policy: impl Into<OwnPolicy>) -> Self {
        self.own.push(policy.into());
        self
    }

    /// Adds a policy under a label, besides those of the file; `make` is called for each service and run. It replaces a
    /// policy of the file with the same label.
    pub fn candidate<P: ScalingPolicy + 'static>(
        mut self,
        label: impl Into<String>,
        make: impl Fn() -> P + Send + Sync + 'static,
    ) -> Self {
        self.candidates.push((label.into(), Arc::new(move |_| Box::new(make()))));
        self
    }

    /// Sets the number of replications; 10 by default.
    pub fn replications(mut self, replications: u64) -> Self {
        self.plan.replications = replications;
        self
    }

    /// Simulates every policy.
    ///
    /// # Panics
    /// If the scenario cannot be read or run.
    #[track_caller]
    pub fn run(&self) -> ScenarioResult {
        let mut found = Diagnostics::new();
        let scenario = Scenario::read_with(&self.path, &self.set, &self.own, &mut found);
        let mut scenario = scenario.unwrap_or_else(|| refuse(&found));
        for (label, factory) in &self.candidates {
            let factories = vec![Arc::clone(factory); scenario.services.len()];
            let plan = Variant { label: label.clone(), factories, headroom: 1.0, service: None };
            scenario.policies.retain(|known| known.label != *label);
            scenario.policies.push(plan);
        }
        let result = replicate(&arms(&scenario), &self.plan, &|_, _| {});
        let result = result.unwrap_or_else(|error| panic!("\n{}: {error}", self.path.display()));
        ScenarioResult { scenario, result }
    }
}

/// The replications of a scenario. Every assertion returns it, so that calls can be chained.
#[derive(Clone)]
pub struct ScenarioResult {
    scenario: Scenario,
    result: Replicated,
}

impl ScenarioResult {
    /// The results of the replications, by figure.
    pub fn replicated(&self) -> &Replicated {
        &self.result
    }

    /// The mean of a figure (`cost`, `p99`, `attainment.1`) under a policy; `None` if there is no such policy or figure.
    pub fn mean(&self, policy: &str, figure: &str) -> Option<f64> {
        let arm = self.result.arms.iter().find(|arm| arm.label == policy)?;
        arm.mean(self.result.figure(figure)?)
    }

    /// Asserts a comparison in the syntax of `expect:`: `p99 < 250ms` for every policy, `policy.mine.cost < 0.9 *
    /// policy.hpa.cost`, `policy.mine.cost < 1.5 * bound`.
    ///
    /// # Panics
    /// If it does not hold or cannot be read.
    #[track_caller]
    pub fn expect(&self, comparison: &str) -> &Self {
        match expectation(&self.scenario, comparison) {
            Ok(expected) => self.assert(self.judged(&[expected])),
            Err(diagnostic) => refuse(&(*diagnostic).into()),
        }
    }

    /// Asserts everything in the scenario's own `expect:`.
    ///
    /// # Panics
    /// If a comparison does not hold or cannot be read, or there is none.
    #[track_caller]
    pub fn expect_all(&self) -> &Self {
        let mut found = Diagnostics::new();
        let expected = expectations(&self.scenario, &mut found);
        if found.has_errors() {
            refuse(&found);
        }
        assert!(!expected.is_empty(), "{} expects nothing", self.scenario.path.display());
        self.assert(self.judged(&expected))
    }

    #[track_caller]
    fn judged(&self, expected: &[crate::experiment::Expectation]) -> Vec<Check> {
        let judged = judge(expected, &self.scenario, &self.result, 0);
        judged.unwrap_or_else(|diagnostic| refuse(&(*diagnostic).into()))
    }

    #[track_caller]
    fn assert(&self, checks: Vec<Check>) -> &Self {
        let cases: Vec<Case> = checks.iter().map(Case::of).collect();
        let (path, count) = (self.scenario.path.display(), self.result.replications);
        let title = format!("{path}, {count} replications");
        assert!(cases.iter().all(|case| case.passed), "\n{}", complaint(&title, &cases));
        self
    }

    /// Asserts that no figure is worse than in the baseline at `path` by more than `margin`, as a share of its mean (of
    /// the error budget, for an objective), using a paired non-inferiority test.
    ///
    /// # Panics
    /// If a figure is worse, or the baseline cannot be read or paired.
    #[track_caller]
    pub fn expect_no_worse_than(&self, path: impl AsRef<Path>, margin: f64) -> &Self {
        let path = path.as_ref();
        let checks = stored(path).and_then(|baseline| baseline.check(&self.scenario, &self.result, margin));
        match checks {
            Ok(checks) => self.assert(checks),
            Err(problem) => panic!("\n{}: {problem}\nhelp: `bless` writes it anew", path.display()),
        }
    }

    /// Writes the baseline at `path` and returns the changes as a diff. Let tests decide when to do so, for example `if
    /// std::env::var_os("BLESS").is_some() { println!("{}", result.bless(path)); }`.
    ///
    /// # Panics
    /// If the file cannot be written.
    #[track_caller]
    pub fn bless(&self, path: impl AsRef<Path>) -> String {
        let path = path.as_ref();
        let now = Baseline::of(&self.scenario, &self.result);
        let before = stored(path).ok().filter(|before| before.seed == now.seed);
        let is_new = before.is_none();
        let before = before.unwrap_or(Baseline { seed: now.seed, policies: Default::default() });
        let changes = now.changes(&before, &self.result.figures);
        if let Err(error) = write_whole(path, now.text().as_bytes()) {
            panic!("\n{}: {error}", path.display());
        }
        let held = Held { path: path.display().to_string(), changes, is_new };
        let of = self.scenario.path.display().to_string();
        let tested = [Tested::scenario(&self.scenario.name, &of, &self.result, &[], Some(held))];
        format!("{}{}\n", diff(&tested), changes_grid(&tested).notes.join("\n"))
    }
}

fn stored(path: &Path) -> Result<Baseline, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    Baseline::parse(&text)
}
