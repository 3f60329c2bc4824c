//! Platforms that start a replica when a request finds no free slot, and let it go when it has had none for a while: the rules
//! that serverless platforms share. Each of them is a file that states its own.

use std::collections::VecDeque;
use std::sync::Arc;

use super::deployment::Deployment;
use super::pace::{Pace, Starts};
use super::{
    Activity, Candidate, Crowd, Form, Ingress, KeepAlive, Platform, PlatformFactory, PlatformPlugin, Reply, Stated,
};
use crate::cluster::{DISPATCHERS, DispatcherPlugin, Replica, StartUp};
use crate::config::{Diagnostics, Fields, FromNode, Plugin, Value, Yaml, one_of};
use crate::random::Distribution;
use crate::units::{SimDuration, SimTime, Utilization};

/// The entry in the list of platforms.
pub(super) const PLUGIN: PlatformPlugin = Plugin {
    name: "on-demand",
    summary: "replicas that requests start, by rules that you state: binding, limits, pace, keep-alive",
    source: "what AWS Lambda, Azure Functions, Cloud Run and Knative have in common",
    build: read,
};

/// Time over which [`Target`] averages the requests in service.
const TARGET_WINDOW: SimDuration = SimDuration::from_secs(60);

/// The replicas that are there whether requests come or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// So many.
    Fixed(u32),
    /// As many as the policy orders, within bounds.
    ByPolicy {
        /// At least.
        min: u32,
        /// At most.
        max: u32,
    },
}

/// Replicas beyond those that requests need at this moment: the mean number of requests in service within a minute is to be this
/// share of the slots.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Target {
    pub share: Utilization,
    pub slots: u32,
}

/// The rules.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    /// Requests that may wait, and for how long.
    pub hold: (u32, SimDuration),
    /// Whether a request waits for the replica that it starts and for no other.
    pub bound: bool,
    /// Whether a request is rejected at a limit, where it would have to wait otherwise.
    pub throttles: bool,
    /// Replicas at most.
    pub most: u32,
    pub pace: Option<Pace>,
    pub keep: KeepAlive,
    /// Whether a start that no request waits for any more is cancelled.
    pub cancels: bool,
    pub standing: Standing,
    /// Slots of a replica.
    pub slots: u32,
    pub target: Option<Target>,
    /// How often the traffic is looked at, where not each request is answered at once.
    pub review: Option<SimDuration>,
    /// What the platform is called in a sentence.
    pub title: String,
}

impl Rules {
    /// A platform with these rules.
    pub(super) fn into_factory(self) -> PlatformFactory {
        Arc::new(move || Box::new(OnDemand::new(self.clone())))
    }

    /// The rules in words.
    fn words(&self, name: &str) -> String {
        let Rules { most, keep, .. } = self;
        let mut said = format!("{name} runs on {}: ", self.title);
        said.push_str(match (self.bound, self.throttles) {
            (true, true) => {
                "a request that finds no idle replica waits for one that is started for it, or is rejected at a limit"
            }
            (true, false) => "a request that finds no idle replica waits for one that is started for it",
            (false, _) => {
                "a request that finds no free slot starts a replica and takes the first slot that becomes free"
            }
        });
        said.push_str(&format!(". At most {most} replicas"));
        if let Some(pace) = &self.pace {
            said.push_str(&format!(", {}", pace.words()));
        }
        said.push_str(&match &keep.idle {
            Distribution::Constant { value } if *value > 1e9 => "; none is let go".to_string(),
            idle => format!(
                "; one is let go after {} without requests",
                SimDuration::from_secs_f64(idle.mean()).unwrap_or_default()
            ),
        });
        match self.standing {
            Standing::Fixed(0) => said.push_str(". No policy has a say."),
            Standing::Fixed(count) => said.push_str(&format!(". {count} are always there; no policy has a say.")),
            Standing::ByPolicy { min, max } => {
                said.push_str(&format!(". The policy orders how many are always there, {min} to {max}."));
            }
        }
        said
    }
}

/// The platform.
#[derive(Debug)]
struct OnDemand {
    rules: Rules,
    starts: Option<Starts>,
    /// Requests in the system at the reviews within [`TARGET_WINDOW`].
    present: VecDeque<(SimTime, u64)>,
}

impl OnDemand {
    fn new(rules: Rules) -> OnDemand {
        OnDemand { starts: rules.pace.map(Starts::new), rules, present: VecDeque::new() }
    }

    /// Whether one more replica may start.
    fn may_start(&mut self, replicas: u32, now: SimTime) -> bool {
        replicas < self.rules.most && self.starts.as_mut().is_none_or(|starts| starts.take(replicas, now))
    }

    /// The replicas that the target asks for.
    fn targeted(&mut self, present: u64, now: SimTime) -> u32 {
        let Some(target) = self.rules.target else { return 0 };
        self.present.push_back((now, present));
        while self.present.front().is_some_and(|(at, _)| *at + TARGET_WINDOW <= now) {
            self.present.pop_front();
        }
        let mean = self.present.iter().map(|(_, count)| *count as f64).sum::<f64>() / self.present.len() as f64;
        (mean / (target.share.get() * f64::from(target.slots))).ceil() as u32
    }
}

impl Platform for OnDemand {
    fn ingress(&self) -> Ingress {
        Ingress::Pull { requests: self.rules.hold.0, longest: self.rules.hold.1 }
    }

    fn size(&self, wanted: u32) -> u32 {
        match self.rules.standing {
            Standing::Fixed(count) => count,
            Standing::ByPolicy { min, max } => wanted.clamp(min, max),
        }
    }

    fn no_slot(&mut self, crowd: Crowd, now: SimTime) -> Reply {
        let on_their_way = u64::from(crowd.starting) * u64::from(self.rules.slots);
        if !self.rules.bound && on_their_way >= u64::from(crowd.held) {
            return Reply::Wait;
        }
        match self.may_start(crowd.replicas, now) {
            true if self.rules.bound => Reply::StartForIt,
            true => Reply::Start,
            false if self.rules.throttles => Reply::Throttle,
            false => Reply::Wait,
        }
    }

    fn cancels(&self) -> bool {
        self.rules.cancels
    }

    fn keep_alive(&self) -> Option<KeepAlive> {
        Some(self.rules.keep.clone())
    }

    fn review_period(&self) -> Option<SimDuration> {
        self.rules.review
    }

    fn catch_up(&mut self, crowd: Crowd, activity: Activity, now: SimTime) -> u32 {
        let missing = |held: u32| u64::from(held).div_ceil(u64::from(self.rules.slots)) as u32;
        let for_held = missing(crowd.held).saturating_sub(crowd.starting);
        let for_target = self.targeted(activity.present, now).saturating_sub(crowd.replicas);
        let wanted = for_held.max(for_target);
        (0..wanted).take_while(|more| self.may_start(crowd.replicas + more, now)).count() as u32
    }

    fn removal_order(&self, candidates: &mut [Candidate<'_>]) {
        Deployment.removal_order(candidates);
    }

    fn crashed(&self, replica: &mut Replica, now: SimTime) -> SimDuration {
        Deployment.crashed(replica, now)
    }

    fn words(&self, name: &str) -> Option<String> {
        Some(self.rules.words(name))
    }
}

/// The dispatchers that look for a free slot; the first is the default.
const REUSE: [&str; 4] = ["most-recent", "least-recent", "random-free", "least-loaded"];

/// A dispatcher by name; the name is in the list.
pub(super) fn dispatcher(name: &str) -> &'static DispatcherPlugin {
    DISPATCHERS.iter().find(|plugin| plugin.name == name).unwrap_or(&DISPATCHERS[0])
}

/// Reads `reuse:`, the choice among the replicas with a free slot.
pub(super) fn read_reuse(fields: &Fields<'_>, sink: &mut Diagnostics) -> &'static DispatcherPlugin {
    fields.default_is("reuse", REUSE[0].to_string());
    let choices = REUSE.map(|name| (name, name));
    let chosen = fields.node_of("reuse").and_then(|node| one_of(node, "a choice among free replicas", &choices, sink));
    dispatcher(chosen.unwrap_or(REUSE[0]))
}

/// A start-up that takes `init` as a whole.
pub(super) fn starting(init: Distribution) -> StartUp {
    StartUp { started: init, ..StartUp::default() }
}

/// Reads `keep-alive:` and `max-age:`.
pub(super) fn read_keep(
    fields: &Fields<'_>,
    idle: Distribution,
    life: Option<SimDuration>,
    sink: &mut Diagnostics,
) -> KeepAlive {
    KeepAlive { idle: fields.or("keep-alive", idle, sink), life: fields.optional("max-age", sink).or(life) }
}

/// Reads a number of replicas that are always there, or `{ min:, max: }` for what the policy may order.
pub(super) fn read_standing(node: Option<&Yaml>, sink: &mut Diagnostics) -> Option<Standing> {
    let Some(node) = node else { return Some(Standing::Fixed(0)) };
    if !matches!(node.value, Value::Mapping(_)) {
        return u32::from_node(node, sink).map(Standing::Fixed);
    }
    let fields = Fields::open(node, "replicas by policy", sink)?;
    let (min, max) = (fields.or("min", 0, sink), fields.required::<u32>("max", sink));
    fields.finish(sink);
    let max = max?;
    if min > max {
        sink.push(node.error(format!("`min` is {min}, above `max`, which is {max}")));
        return None;
    }
    Some(Standing::ByPolicy { min, max })
}

/// A count of at least one.
pub(super) fn at_least_one(fields: &Fields<'_>, name: &'static str, default: u32, sink: &mut Diagnostics) -> u32 {
    let count = fields.or(name, default, sink);
    if let (0, Some(node)) = (count, fields.node_of(name)) {
        sink.push(node.error(format!("`{name}` must be at least 1")));
    }
    count.max(1)
}

/// The parameters, or a mapping without any.
pub(super) fn opened(parameters: &Yaml) -> Yaml {
    let value = if parameters.is_null() { Value::Mapping(Vec::new()) } else { parameters.value.clone() };
    Yaml { value, ..parameters.clone() }
}

/// Names `from:` and `function:`, which are replaced by what the file states before the parameters are read.
pub(super) fn of_a_file(fields: &Fields<'_>) {
    let _ = (fields.node_of("from"), fields.node_of("function"));
}

/// Reads `start-up:`, of which the provider states no figure.
pub(super) fn read_start_up(fields: &Fields<'_>, sink: &mut Diagnostics) -> Option<StartUp> {
    let stated = fields.optional::<Distribution>("start-up", sink);
    if stated.is_none() && fields.node().get("start-up").is_none() {
        let error =
            fields.node().error("how long an instance takes to start is missing: the provider states no figure");
        fields.missing(
            &["start-up"],
            error.help("for example `start-up: { lognormal: { median: 2s, p99: 6s } }`"),
            sink,
        );
    }
    stated.map(starting)
}

/// Reads a pace: `{ starts: 1000, every: 10s }`.
fn read_pace(node: &Yaml, sink: &mut Diagnostics) -> Option<Pace> {
    let fields = Fields::open(node, "pace", sink)?;
    let starts = at_least_one(&fields, "starts", 1, sink);
    let every: SimDuration = fields.or("every", SimDuration::from_secs(1), sink);
    fields.finish(sink);
    if every.is_zero() {
        sink.push(node.error("`every` must be above zero").help("for example `every: 10s`"));
        return None;
    }
    Some(Pace::Refilled { starts, every })
}

fn read(parameters: &Yaml, sink: &mut Diagnostics) -> Option<Stated> {
    let node = opened(parameters);
    let fields = Fields::open(&node, PLUGIN.name, sink)?;
    let keep = read_keep(&fields, Distribution::Constant { value: 300.0 }, None, sink);
    let pace = fields.node_of("pace").and_then(|node| read_pace(node, sink));
    let start_up = fields.optional::<Distribution>("start-up", sink).map(starting);
    let reuse = read_reuse(&fields, sink);
    let slots = at_least_one(&fields, "concurrency", 1, sink);
    let rules = Rules {
        hold: (
            at_least_one(&fields, "hold", u32::MAX, sink),
            fields.or("hold-for", SimDuration::from_secs(3600), sink),
        ),
        bound: fields.or("bound", false, sink),
        throttles: fields.or("throttle", false, sink),
        most: at_least_one(&fields, "max-replicas", 1000, sink),
        review: pace.is_some().then_some(SimDuration::from_secs(1)),
        pace,
        keep,
        cancels: fields.or("cancel-starts", false, sink),
        standing: read_standing(fields.node_of("always-there"), sink)?,
        slots,
        target: None,
        title: "replicas that requests start".into(),
    };
    fields.finish(sink);
    if rules.throttles && !rules.bound {
        let error = node.error("`throttle` needs `bound: true`: requests that may wait for any slot are not rejected");
        sink.push(error);
        return None;
    }
    let form = Form {
        concurrency: Some(slots),
        standing: Some(standing_of(&rules)),
        dispatch: Some(reuse),
        start_up,
        ..Form::default()
    };
    Some(Stated { factory: rules.into_factory(), form })
}

/// A platform of up to `most` replicas of `slots` slots, each started by a request that waits for any of them, without limits of
/// pace. `cancels` says whether a start that no request waits for any more is cancelled.
pub fn on_demand(most: u32, slots: u32, keep: KeepAlive, cancels: bool) -> PlatformFactory {
    let rules = Rules {
        hold: (u32::MAX, SimDuration::MAX),
        bound: false,
        throttles: false,
        most,
        pace: None,
        keep,
        cancels,
        standing: Standing::Fixed(0),
        slots,
        target: None,
        review: None,
        title: "replicas that requests start".into(),
    };
    rules.into_factory()
}

/// The replicas that are there at the start.
pub(super) fn standing_of(rules: &Rules) -> u32 {
    match rules.standing {
        Standing::Fixed(count) => count,
        Standing::ByPolicy { min, .. } => min,
    }
}
