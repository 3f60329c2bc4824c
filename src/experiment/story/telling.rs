//! A story as it was read, and how it is told to a policy.

use super::course::Stretch;
use super::pods::Pods;
use crate::config::{Diagnostic, Yaml};
use crate::engine::DecisionRecord;
use crate::policy::{
    Decision, Facts, Foresight, Measure, Observation, PolicyFactory, Prospect, ReasonCode, ScalingPolicy,
};
use crate::units::{Bytes, Millicores, SimDuration, SimTime};

/// Maximum size in a story.
pub(super) const MAX_REPLICAS: u32 = 100_000;
/// Maximum number of decisions in a story.
const MAX_DECISIONS: u64 = 1_000_000;
/// Maximum length of a story; sums of times then cannot overflow.
pub(super) const LONGEST: SimDuration = SimDuration::from_secs(10 * 366 * 86_400);
/// Maximum number of pods shown to the policy, summed over all decisions: about ten seconds of work.
const MAX_PODS_SHOWN: u64 = 50_000_000;

/// A story that was read and checked.
#[derive(Clone)]
pub struct Story {
    /// Title.
    pub title: String,
    /// The file, as the user named it.
    pub path: String,
    /// The policy that the story names, if any.
    pub policy: Option<PolicyFactory>,
    pub(super) service: Service,
    /// Window over which CPU and rates are averaged.
    pub(super) window: SimDuration,
    pub(super) metric_names: Vec<(String, Measure)>,
    /// Time between two decisions, instead of the policy's own.
    pub(super) every: Option<SimDuration>,
    pub(super) steps: Vec<Step>,
    pub(super) root: Yaml,
}

/// The properties of the service.
#[derive(Debug, Clone)]
pub(super) struct Service {
    pub(super) replicas: u32,
    pub(super) cpu_request: Option<Millicores>,
    pub(super) memory_request: Option<Bytes>,
    /// Time from order to readiness.
    pub(super) start_up: SimDuration,
}

/// One step.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) at: SimTime,
    /// Its place in the file.
    pub(super) node: Yaml,
    /// A size set by hand.
    pub(super) replicas: Option<u32>,
    /// Abnormal states of pods from now on.
    pub(super) states: Option<PodStates>,
    pub(super) metrics: Metrics,
    pub(super) expect: Option<Expected>,
}

/// How many pods are in which abnormal state, counted from the newest back; all others are normal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct PodStates {
    /// Pending, without a node.
    pub(super) pending: u32,
    /// Running since this step, and not ready yet.
    pub(super) starting: u32,
    /// Were ready once and are not any more.
    pub(super) not_ready: u32,
    /// Ready, but without metrics.
    pub(super) unmeasured: u32,
}

/// The metrics that a step states.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Metrics {
    /// New values, or `None` if a metric is unavailable; all others are unchanged.
    Set(Vec<(Measure, Option<Load>)>),
    /// No metrics are available any more.
    Gone,
}

/// Value of a measure, in the unit of [`Measure`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Load {
    /// Per pod.
    Each(f64),
    /// Total of the service, divided evenly among its ready pods.
    Total(f64),
}

/// The decision that a step expects.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Expected {
    /// Minimum and maximum size.
    pub(super) replicas: Option<(u32, u32)>,
    pub(super) reason: Option<ReasonCode>,
    /// Text that the reason must contain.
    pub(super) says: Option<String>,
}

/// The result of one step with an expectation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepCheck {
    /// Number of the step, from 1.
    pub step: usize,
    /// Time of the decision.
    pub at: SimTime,
    /// Line of the step in the file, from 1.
    pub line: usize,
    /// Whether the decision is as expected.
    pub passed: bool,
    /// What was expected, in words.
    pub expected: String,
    /// Minimum and maximum expected size, if one was stated.
    pub allowed: Option<(u32, u32)>,
    /// The decided size.
    pub size: u32,
    /// The kind of reason given.
    pub code: ReasonCode,
    /// The decided size and kind of reason, in words.
    pub decided: String,
    /// The policy's reason.
    pub reason: String,
}

/// The result of running a story with a policy.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Telling {
    /// Number of decisions.
    pub decided: u64,
    /// Decisions that changed the size or had another kind of reason than the previous one.
    pub decisions: Vec<DecisionRecord>,
    /// The checks of the steps with an expectation, in order.
    pub checks: Vec<StepCheck>,
    /// Metrics and decisions, from the first to the last.
    pub course: Vec<Stretch>,
    /// Possible mistakes of the author: a sentence each, with its place.
    pub remarks: Vec<String>,
}

/// Detects a size that runs to the maximum because the story keeps the utilization of each pod constant, however many
/// pods there are. In reality it falls when more pods share the load.
#[derive(Default)]
struct Runaway {
    /// Number of decisions that raised the size since metrics were last stated.
    rises: u32,
    said: bool,
}

impl Runaway {
    /// Records a decision, with the step at it and the last step that stated metrics. Returns a remark if one is due.
    fn see(&mut self, stated: Option<&Step>, new: bool, from: u32, to: u32, decision: &Decision) -> Option<String> {
        if new {
            self.rises = 0;
        }
        self.rises += u32::from(to > from);
        let step = stated?;
        let Metrics::Set(set) = &step.metrics else { return None };
        let each = |measure: Measure| set.iter().any(|(m, load)| *m == measure && matches!(load, Some(Load::Each(_))));
        let measure = [Measure::Cpu, Measure::Memory]
            .into_iter()
            .find(|measure| each(*measure) && decision.reason.detail.contains(measure.name()))?;
        let at_most = decision.reason.code == ReasonCode::Bounded && to >= from && self.rises >= 2;
        if !at_most || std::mem::replace(&mut self.said, true) {
            return None;
        }
        let line = step.node.source.line_column(step.node.span.start).0;
        let (name, total) = (measure.name(), if measure == Measure::Cpu { "4" } else { "8Gi" });
        Some(format!(
            "{}:{line}: {name} of each pod stays what this step says however many pods come, so that the policy runs to its maximum; of a \
             load that the pods share, state the total: `{name}: {{ total: {total} }}`",
            step.node.source.name()
        ))
    }
}

impl Story {
    /// Runs the story with the policy that it names.
    ///
    /// # Errors
    /// If it names none, and those of [`Story::tell_to`].
    pub fn tell(&self) -> Result<Telling, Box<Diagnostic>> {
        let Some(factory) = &self.policy else {
            let error = self.root.error("the story has no `policy`");
            return Err(Box::new(error.help("add `policy:`, such as `policy: { hpa: { manifest: hpa.yaml } }`")));
        };
        self.tell_to(factory(&self.prospect()))
    }

    /// Runs the story with a policy.
    ///
    /// # Errors
    /// If two steps fall on the same decision, the policy needs the future requests, or the story is too long or its
    /// sizes are too large.
    pub fn tell_to(&self, mut policy: Box<dyn ScalingPolicy>) -> Result<Telling, Box<Diagnostic>> {
        let period = self.period(&*policy)?;
        let mut size = policy.initial_replicas(self.service.replicas);
        let mut pods = Pods::new(&self.service, self.window, size);
        let mut telling = Telling::default();
        let (mut runaway, mut stated) = (Runaway::default(), None);
        let mut steps = self.steps.iter().enumerate().peekable();
        let mut now = self.steps.first().map_or(SimTime::ZERO, |step| step.at);
        let mut shown = 0;
        while steps.peek().is_some() {
            let step = steps.next_if(|(_, step)| step.at <= now);
            if let Some((_, step)) = step {
                size = step.replicas.unwrap_or(size);
                pods.resize(size, now);
                pods.take(step, now);
            }
            self.followed(size)?;
            let decision = self.decide(&mut *policy, &pods, size, now);
            let to = decision.replicas.unwrap_or(size);
            shown += u64::from(size) + 1;
            if shown > MAX_PODS_SHOWN {
                return Err(Box::new(self.root.error("the story is too long for so many pods")));
            }
            telling.note(now, size, to, pods.ready(now), &decision);
            let new = step.map(|(_, step)| step).filter(|step| step.states_metrics());
            stated = new.or(stated);
            telling.remarks.extend(runaway.see(stated, new.is_some(), size, to, &decision));
            telling.checks.extend(step.and_then(|(number, step)| step.check(number + 1, now, to, &decision)));
            size = to;
            pods.resize(size, now);
            let until = now.saturating_add(period);
            let (ready, weighed) = (pods.ready(now), policy.weighed().unwrap_or_default());
            Stretch { from: now, until, size, ready, weighed }.join(&mut telling.course);
            now = until;
        }
        Ok(telling)
    }

    fn decide(&self, policy: &mut dyn ScalingPolicy, pods: &Pods, size: u32, now: SimTime) -> Decision {
        let views = pods.views(now);
        let scrape = pods.scrape(now);
        policy.decide(&Observation {
            now,
            desired: size,
            present: views.len() as u32,
            replicas: &views,
            reserved: pods.reserved(),
            scrape: scrape.as_ref(),
            metric_names: &self.metric_names,
            outage: pods.outage(),
        })
    }

    fn followed(&self, size: u32) -> Result<(), Box<Diagnostic>> {
        if size <= MAX_REPLICAS {
            return Ok(());
        }
        let error = self.root.error(format!("a size of {size} is larger than a story supports"));
        Err(Box::new(error.help(format!("at most {MAX_REPLICAS} replicas"))))
    }

    /// The properties of the service that the policy may know.
    pub(super) fn prospect(&self) -> Prospect<'static> {
        let facts = Facts { start_up: self.service.start_up, ..Facts::default() };
        Prospect { facts, ..Prospect::unknown() }
    }

    /// The number of decisions of the story; `None` if it names no policy or cannot be run with it.
    pub fn decisions(&self) -> Option<u64> {
        let policy = self.policy.as_ref()?(&self.prospect());
        let period = self.period(&*policy).ok()?;
        self.steps.last().map(|last| self.decision_of(last, period) + 1)
    }

    /// Index of the decision at which a step takes effect, from 0.
    fn decision_of(&self, step: &Step, period: SimDuration) -> u64 {
        let first = self.steps.first().map_or(SimTime::ZERO, |step| step.at);
        step.at.since(first).as_nanos().div_ceil(period.as_nanos())
    }

    /// The time between two decisions, if no two steps fall on the same one.
    pub(super) fn period(&self, policy: &dyn ScalingPolicy) -> Result<SimDuration, Box<Diagnostic>> {
        if policy.foresight() != Foresight::None {
            let node = self.root.get("policy").unwrap_or(&self.root);
            let error = node.error("a clairvoyant policy plans for the requests to come, and a story has none");
            return Err(Box::new(error.help("test it in a scenario")));
        }
        let period = self.every.unwrap_or(policy.sync_period()).max(SimDuration::from_millis(1));
        let decision = |step: &Step| self.decision_of(step, period);
        for pair in self.steps.windows(2) {
            if decision(&pair[0]) == decision(&pair[1]) {
                let at = pair[1].node.get("at").unwrap_or(&pair[1].node);
                let error = at
                    .error(format!("no decision lies between this step and the one before: one is due every {period}"));
                return Err(Box::new(error.help("move the step, or state `every:` for the story")));
            }
        }
        match self.steps.last() {
            Some(last) if decision(last) > MAX_DECISIONS => {
                let at = last.node.get("at").unwrap_or(&last.node);
                Err(Box::new(at.error(format!("more than {MAX_DECISIONS} decisions are too many for a story"))))
            }
            _ => Ok(period),
        }
    }
}

impl Telling {
    fn note(&mut self, now: SimTime, from: u32, to: u32, ready: u32, decision: &Decision) {
        self.decided += 1;
        let code = decision.reason.code;
        if to == from && self.decisions.last().is_some_and(|last| last.code == code) {
            return;
        }
        let detail = decision.reason.detail.clone().into_owned();
        self.decisions.push(DecisionRecord { at: now, metrics_age: None, from, to, ready, code, detail });
    }

    /// Whether every step met its expectation.
    pub fn passed(&self) -> bool {
        self.checks.iter().all(|check| check.passed)
    }
}

impl Step {
    /// Whether it states any metrics.
    fn states_metrics(&self) -> bool {
        !matches!(&self.metrics, Metrics::Set(set) if set.is_empty())
    }

    fn check(&self, step: usize, now: SimTime, to: u32, decision: &Decision) -> Option<StepCheck> {
        let expected = self.expect.as_ref()?;
        let line = self.node.source.line_column(self.node.span.start).0;
        let decided = format!("{}, {}", replicas_text(to, to), decision.reason.code.name());
        let reason = decision.reason.detail.clone().into_owned();
        let passed = expected.holds(to, decision);
        let (allowed, code) = (expected.replicas, decision.reason.code);
        Some(StepCheck {
            step,
            at: now,
            line,
            passed,
            expected: expected.text(),
            allowed,
            size: to,
            code,
            decided,
            reason,
        })
    }
}

impl Expected {
    fn holds(&self, to: u32, decision: &Decision) -> bool {
        self.replicas.is_none_or(|(least, most)| (least..=most).contains(&to))
            && self.reason.is_none_or(|code| code == decision.reason.code)
            && self.says.as_ref().is_none_or(|words| decision.reason.detail.contains(words))
    }

    pub(super) fn text(&self) -> String {
        let size = self.replicas.map(|(least, most)| replicas_text(least, most));
        let says = self.says.as_ref().map(|words| format!("saying \"{words}\""));
        let parts = [size, self.reason.map(|code| code.name().to_string()), says];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

fn replicas_text(least: u32, most: u32) -> String {
    match (least, most) {
        (1, 1) => "1 replica".into(),
        (size, most) if size == most => format!("{size} replicas"),
        (0, most) => format!("at most {most} replicas"),
        (least, u32::MAX) => format!("at least {least} replicas"),
        (least, most) => format!("{least} to {most} replicas"),
    }
}
