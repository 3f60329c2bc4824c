//! Policies of the calling program: what a scenario or a story may name besides the built-in ones.

use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use super::read::{PolicyContext, PolicyPlugin};
use super::scaling_policy::{PolicyFactory, ScalingPolicy};
use crate::config::{Diagnostics, Fields, FromNode, Value, Yaml};
use crate::units::SimDuration;

type Builder = dyn Fn(&Yaml, &PolicyContext<'_>, &mut Diagnostics) -> Option<PolicyFactory> + Send + Sync;

/// One policy of the calling program.
#[derive(Clone)]
pub struct OwnPolicy {
    /// The name in a scenario.
    pub name: String,
    build: Arc<Builder>,
}

/// A builder that panics leaves nothing half done: it is a function, and a test that catches its panic may go on.
impl UnwindSafe for OwnPolicy {}
impl RefUnwindSafe for OwnPolicy {}

impl OwnPolicy {
    /// Builds the policy from the parameters below its name.
    pub(super) fn build(
        &self,
        node: &Yaml,
        context: &PolicyContext<'_>,
        sink: &mut Diagnostics,
    ) -> Option<PolicyFactory> {
        (self.build)(node, context, sink)
    }
}

impl From<PolicyPlugin> for OwnPolicy {
    fn from(plugin: PolicyPlugin) -> OwnPolicy {
        OwnPolicy { name: plugin.name.to_string(), build: Arc::new(plugin.build) }
    }
}

/// Policies of your own, by the names that scenarios give them.
///
/// ```
/// use plimsoll::{Decision, Measure, Observation, Reason, ReasonCode, Registry, ScalingPolicy, SimDuration};
///
/// /// A replica for so many requests per second.
/// struct ByRate {
///     per_replica: f64,
/// }
///
/// impl ScalingPolicy for ByRate {
///     fn sync_period(&self) -> SimDuration {
///         SimDuration::from_secs(15)
///     }
///
///     fn decide(&mut self, seen: &Observation<'_>) -> Decision {
///         let Some(scrape) = seen.scrape else {
///             return Decision::hold(Reason::new(ReasonCode::NoData, "no metrics yet"));
///         };
///         let rate = scrape.totals[Measure::RequestRate];
///         let size = (rate / self.per_replica).ceil().max(1.0) as u32;
///         Decision::scale_to(size, Reason::new(ReasonCode::Target, format!("{rate}/s")))
///     }
/// }
///
/// // In a scenario: `policies: { mine: { by-rate: { per-replica: 25 } } }`.
/// let policies = Registry::new().add("by-rate", |given| {
///     let per_replica = given.number("per-replica", 10.0);
///     move || ByRate { per_replica }
/// });
/// assert_eq!(policies.names().collect::<Vec<_>>(), ["by-rate"]);
/// ```
#[derive(Clone, Default)]
pub struct Registry {
    own: Vec<OwnPolicy>,
}

impl Registry {
    /// No policies but the built-in ones.
    pub fn new() -> Registry {
        Registry::default()
    }

    /// Adds a policy, or replaces the one of that name. `read` takes its parameters from the scenario and returns what
    /// makes the policy, which is called anew for every service and run. An own policy goes before a built-in one of the
    /// same name.
    pub fn add<M, P>(
        mut self,
        name: impl Into<String>,
        read: impl Fn(&mut Parameters<'_>) -> M + Send + Sync + 'static,
    ) -> Registry
    where
        M: Fn() -> P + Send + Sync + 'static,
        P: ScalingPolicy + 'static,
    {
        let name = name.into();
        let owner = format!("policy `{name}`");
        let build = move |node: &Yaml, _: &PolicyContext<'_>, sink: &mut Diagnostics| -> Option<PolicyFactory> {
            let make = Parameters::read(node, &owner, sink, &read)?;
            Some(Arc::new(move |_| Box::new(make())))
        };
        self.own.retain(|known| known.name != name);
        self.own.push(OwnPolicy { name, build: Arc::new(build) });
        self
    }

    /// The names, in the order in which they were added.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.own.iter().map(|own| own.name.as_str())
    }

    /// The policies themselves, for a reader.
    pub(crate) fn policies(&self) -> &[OwnPolicy] {
        &self.own
    }
}

impl FromIterator<OwnPolicy> for Registry {
    fn from_iter<I: IntoIterator<Item = OwnPolicy>>(own: I) -> Registry {
        Registry { own: own.into_iter().collect() }
    }
}

/// The parameters of a policy of your own, as a scenario states them. Whatever is wrong with a value is reported with its
/// file, line and column, and so is a parameter that was not asked for.
pub struct Parameters<'a> {
    fields: Fields<'a>,
    sink: &'a mut Diagnostics,
    takes_all: bool,
}

impl Parameters<'_> {
    /// What `read` makes of the parameters in `node`; `None` if something is wrong with them.
    fn read<T>(
        node: &Yaml,
        owner: &str,
        sink: &mut Diagnostics,
        read: &impl Fn(&mut Parameters<'_>) -> T,
    ) -> Option<T> {
        let before = sink.errors();
        let empty = Yaml { value: Value::Mapping(Vec::new()), ..node.clone() };
        let fields = Fields::open(if node.is_null() { &empty } else { node }, owner, sink)?;
        let mut given = Parameters { fields, sink, takes_all: false };
        let read = read(&mut given);
        let Parameters { fields, sink, takes_all } = given;
        if !takes_all {
            fields.finish(sink);
        }
        (sink.errors() == before).then_some(read)
    }

    fn or<T: FromNode>(&mut self, name: &'static str, default: T) -> T {
        self.fields.or(name, default, self.sink)
    }

    /// A number, or `default` where none is stated.
    pub fn number(&mut self, name: &'static str, default: f64) -> f64 {
        self.or(name, default)
    }

    /// A whole number, zero or more.
    pub fn whole(&mut self, name: &'static str, default: u32) -> u32 {
        self.or(name, default)
    }

    /// A duration, such as `90s`.
    pub fn duration(&mut self, name: &'static str, default: SimDuration) -> SimDuration {
        self.or(name, default)
    }

    /// `true` or `false`.
    pub fn flag(&mut self, name: &'static str, default: bool) -> bool {
        self.or(name, default)
    }

    /// A text.
    pub fn text(&mut self, name: &'static str, default: &str) -> String {
        self.or(name, default.to_string())
    }

    /// Every parameter as it is written, for a policy whose parameters have names that are not known beforehand.
    pub fn all(&mut self) -> Vec<(String, String)> {
        self.takes_all = true;
        let mut all = Vec::new();
        for (key, node) in self.fields.entries() {
            all.extend(String::from_node(node, self.sink).map(|text| (key.text.clone(), text)));
        }
        all
    }

    /// Reports that the value of `name` cannot be, such as a minimum above the maximum.
    pub fn refuse(&mut self, name: &'static str, why: impl Into<String>) {
        let node = self.fields.node_of(name).unwrap_or_else(|| self.fields.node());
        self.sink.push(node.error(why));
    }
}
