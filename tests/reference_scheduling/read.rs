//! Reads a recorded cluster. A field that is not known is an error.

use plimsoll::cluster::scheduling::{
    Amounts, Budget, Container, Effect, Labels, Lookup, NodeAffinity, NodeState, NodeTerm, Operator, Owner, Pod,
    PodAffinity, PodRequests, PodTerm, Profile, Requests, Requirement, Selector, ShapePoint, SpreadConstraint,
    Strategy, Taint, Toleration, Weighted, WeightedResource,
};
use serde_json::{Map, Value};

/// A recorded cluster and the pod to be placed.
pub struct Input {
    pub nodes: Vec<NodeState>,
    pub lookup: Lookup,
    pub pod: Pod,
    pub profile: Profile,
}

type Read<T> = Result<T, String>;

/// An object whose fields are taken one by one; what is left at the end is not known.
struct Object<'a> {
    what: &'a str,
    left: Vec<&'a String>,
    fields: &'a Map<String, Value>,
}

impl<'a> Object<'a> {
    fn open(what: &'a str, value: &'a Value) -> Read<Object<'a>> {
        let fields = value.as_object().ok_or(format!("{what} is no object"))?;
        Ok(Object { what, left: fields.keys().collect(), fields })
    }

    /// A field; `None` if it is absent or null.
    fn field(&mut self, name: &str) -> Option<&'a Value> {
        self.left.retain(|left| left.as_str() != name);
        self.fields.get(name).filter(|value| !value.is_null())
    }

    fn text(&mut self, name: &str) -> Read<Option<String>> {
        let what = self.what;
        let text = |value: &Value| value.as_str().map(String::from).ok_or(format!("{what}: `{name}` is no text"));
        self.field(name).map(text).transpose()
    }

    fn integer(&mut self, name: &str) -> Read<Option<i64>> {
        let what = self.what;
        self.field(name).map(|v| v.as_i64().ok_or(format!("{what}: `{name}` is no integer"))).transpose()
    }

    fn flag(&mut self, name: &str) -> Read<bool> {
        let what = self.what;
        self.field(name).map_or(Ok(false), |v| v.as_bool().ok_or(format!("{what}: `{name}` is no flag")))
    }

    fn list<T>(&mut self, name: &str, of: impl Fn(&'a Value) -> Read<T>) -> Read<Vec<T>> {
        let Some(value) = self.field(name) else { return Ok(Vec::new()) };
        value.as_array().ok_or(format!("{}: `{name}` is no list", self.what))?.iter().map(of).collect()
    }

    fn done(self) -> Read<()> {
        if self.left.is_empty() { Ok(()) } else { Err(format!("{}: unknown fields {:?}", self.what, self.left)) }
    }
}

pub fn input(value: &Value) -> Read<Input> {
    let mut object = Object::open("input", value)?;
    let mut lookup = Lookup::default();
    if let Some(namespaces) = object.field("namespaces") {
        for (name, of) in namespaces.as_object().ok_or("`namespaces` is no object")? {
            lookup.namespaces.insert(name.clone(), labels(Some(of))?);
        }
    }
    lookup.services = object.list("services", owner)?;
    lookup.replica_sets = object.list("replica_sets", owner)?;
    lookup.budgets = object.list("pdbs", budget)?;
    let (nominated, incoming) = pod(object.field("pod").ok_or("no pod")?, "nominated_node")?;
    let mut nodes = object.list("nodes", node)?;
    let index = |nodes: &[NodeState], name: Option<String>| {
        nodes.iter().position(|node| Some(&node.name) == name.as_ref()).ok_or(format!("no node {name:?}"))
    };
    for (name, running) in object.list("pods", |value| pod(value, "node"))? {
        let kind = lookup.kind(running);
        let at = index(&nodes, name)?;
        nodes[at].load.add(kind, &lookup.kinds[kind]);
    }
    for (name, waiting) in object.list("nominated_pods", |value| pod(value, "nominated_node"))? {
        let kind = lookup.kind(waiting);
        lookup.nominated.push((index(&nodes, name)?, kind));
    }
    incoming.topology_keys().for_each(|key| {
        lookup.topology.key(key);
    });
    nodes.iter_mut().for_each(|node| lookup.topology.locate(node));
    let profile = object.field("profile").map_or(Ok(Profile::default()), profile)?;
    object.done()?;
    Ok(Input { nodes, lookup, pod: Pod { nominated, ..incoming }, profile })
}

/// A pod, and the node that its field `place` names.
fn pod(value: &Value, place: &str) -> Read<(Option<String>, Pod)> {
    let mut object = Object::open("pod", value)?;
    let requests = PodRequests {
        containers: object.list("containers", container)?,
        init_containers: object.list("init_containers", container)?,
        overhead: requests(object.field("overhead"))?,
        pod_level: requests(object.field("pod_level_requests"))?,
    };
    let never_preempts = match object.text("preemption_policy")?.as_deref() {
        None | Some("PreemptLowerPriority") => false,
        Some("Never") => true,
        Some(other) => return Err(format!("preemption policy {other}")),
    };
    let pod = Pod {
        name: object.text("name")?.ok_or("a pod has no name")?,
        namespace: object.text("namespace")?.unwrap_or_default(),
        labels: labels(object.field("labels"))?,
        priority: object.integer("priority")?.unwrap_or(0),
        never_preempts,
        started: object.integer("start_time_s")?.unwrap_or(0),
        terminating: object.flag("terminating")?,
        preempted: object.flag("terminating_by_preemption")?,
        node_name: None,
        nominated: None,
        requests,
        node_selector: labels(object.field("node_selector"))?,
        node_affinity: object.field("node_affinity").map_or(Ok(NodeAffinity::default()), node_affinity)?,
        pod_affinity: object.field("pod_affinity").map_or(Ok(PodAffinity::default()), pod_affinity)?,
        pod_anti_affinity: object.field("pod_anti_affinity").map_or(Ok(PodAffinity::default()), pod_affinity)?,
        spread: object.list("topology_spread", spread)?,
        tolerations: object.list("tolerations", toleration)?,
        replica_set: object.text("owner_replica_set")?,
        volume_places: Vec::new(),
    };
    let node = object.text(place)?;
    object.done()?;
    Ok((node, pod))
}

fn node(value: &Value) -> Read<NodeState> {
    let mut object = Object::open("node", value)?;
    let mut has = requests(object.field("allocatable"))?;
    let slots = has.remove("pods").unwrap_or(0);
    let mut allocatable = Amounts::default();
    has.iter().for_each(|(name, amount)| *allocatable.of_mut(name) = *amount);
    let image = |value| {
        let mut object = Object::open("image", value)?;
        let image = (object.text("name")?.unwrap_or_default(), object.integer("size_bytes")?.unwrap_or(0));
        object.done().map(|()| image)
    };
    let node = NodeState {
        name: object.text("name")?.ok_or("a node has no name")?,
        labels: labels(object.field("labels"))?,
        allocatable,
        slots,
        taints: object.list("taints", taint)?,
        unschedulable: object.flag("unschedulable")?,
        images: object.list("images", image)?,
        ..NodeState::default()
    };
    object.done().map(|()| node)
}

fn taint(value: &Value) -> Read<Taint> {
    let mut object = Object::open("taint", value)?;
    let effect = object.text("effect")?.unwrap_or_default();
    let taint = Taint {
        key: object.text("key")?.unwrap_or_default(),
        value: object.text("value")?.unwrap_or_default(),
        effect: Effect::named(&effect).ok_or(format!("effect {effect}"))?,
    };
    object.done().map(|()| taint)
}

fn toleration(value: &Value) -> Read<Toleration> {
    let mut object = Object::open("toleration", value)?;
    let stated = object.text("value")?.unwrap_or_default();
    let value = match object.text("operator")?.as_deref() {
        None | Some("" | "Equal") => Some(stated),
        Some("Exists") => None,
        Some(other) => return Err(format!("operator {other}")),
    };
    let effect = object.text("effect")?.filter(|effect| !effect.is_empty());
    let named = |effect: String| Effect::named(&effect).ok_or(format!("effect {effect}"));
    let toleration =
        Toleration { key: object.text("key")?.unwrap_or_default(), value, effect: effect.map(named).transpose()? };
    object.done().map(|()| toleration)
}

fn owner(value: &Value) -> Read<Owner> {
    let mut object = Object::open("owner", value)?;
    let owner = Owner {
        name: object.text("name")?.unwrap_or_default(),
        namespace: object.text("namespace")?.unwrap_or_default(),
        selector: labels(object.field("selector"))?,
    };
    object.done().map(|()| owner)
}

fn budget(value: &Value) -> Read<Budget> {
    let mut object = Object::open("budget", value)?;
    object.text("name")?;
    let budget = Budget {
        namespace: object.text("namespace")?.unwrap_or_default(),
        selector: Selector::of(labels(object.field("selector"))?),
        allowed: object.integer("disruptions_allowed")?.unwrap_or(0),
    };
    object.done().map(|()| budget)
}

fn labels(value: Option<&Value>) -> Read<Labels> {
    let Some(value) = value else { return Ok(Labels::new()) };
    let fields = value.as_object().ok_or("labels are no object")?;
    let text = |(key, value): (&String, &Value)| Ok((key.clone(), value.as_str().ok_or("a label is no text")?.into()));
    fields.iter().map(text).collect()
}

/// Amounts by Kubernetes name.
fn requests(value: Option<&Value>) -> Read<Requests> {
    let Some(value) = value else { return Ok(Requests::new()) };
    let fields = value.as_object().ok_or("requests are no object")?;
    let amount =
        |(key, value): (&String, &Value)| Ok((resource(key), value.as_i64().ok_or("a request is no integer")?));
    fields.iter().map(amount).collect()
}

fn resource(name: &str) -> String {
    let known = [("cpu_milli", "cpu"), ("memory_bytes", "memory"), ("ephemeral_storage_bytes", "ephemeral-storage")];
    known.iter().find(|(theirs, _)| *theirs == name).map_or(name, |(_, ours)| ours).to_string()
}

fn container(value: &Value) -> Read<Container> {
    let mut object = Object::open("container", value)?;
    // Limits play no part: the API server has copied them into missing requests.
    object.text("name")?;
    object.field("limits");
    let port = |value: &Value| value.as_u64().and_then(|port| port.try_into().ok()).ok_or("a port".to_string());
    let container = Container {
        requests: requests(object.field("requests"))?,
        image: object.text("image")?.unwrap_or_default(),
        host_ports: object.list("host_ports", port)?,
        sidecar: object.flag("restart_policy_always")?,
    };
    object.done().map(|()| container)
}

fn requirement(value: &Value) -> Read<Requirement> {
    let mut object = Object::open("requirement", value)?;
    let operator = object.text("operator")?.unwrap_or_default();
    let requirement = Requirement {
        key: object.text("key")?.unwrap_or_default(),
        operator: Operator::named(&operator).ok_or(format!("operator {operator}"))?,
        values: object.list("values", |value| Ok(value.as_str().ok_or("a value is no text")?.to_string()))?,
    };
    object.done().map(|()| requirement)
}

fn selector(value: &Value) -> Read<Selector> {
    let mut object = Object::open("selector", value)?;
    let selector = Selector {
        labels: labels(object.field("match_labels"))?,
        requirements: object.list("match_expressions", requirement)?,
    };
    object.done().map(|()| selector)
}

fn node_term(value: &Value) -> Read<NodeTerm> {
    let mut object = Object::open("node term", value)?;
    let term = NodeTerm {
        labels: object.list("match_expressions", requirement)?,
        fields: object.list("match_fields", requirement)?,
    };
    object.done().map(|()| term)
}

fn pod_term(value: &Value) -> Read<PodTerm> {
    let mut object = Object::open("pod term", value)?;
    let term = PodTerm {
        selector: object.field("label_selector").map(selector).transpose()?,
        topology_key: object.text("topology_key")?.unwrap_or_default(),
        namespaces: object.list("namespaces", |value| Ok(value.as_str().ok_or("a namespace")?.to_string()))?,
        namespace_selector: object.field("namespace_selector").map(selector).transpose()?,
    };
    object.done().map(|()| term)
}

fn weighted<T>(value: &Value, term: fn(&Value) -> Read<T>) -> Read<Weighted<T>> {
    let mut object = Object::open("preference", value)?;
    let of = object.field("term").ok_or("a preference has no term")?;
    let weighted = Weighted { weight: object.integer("weight")?.unwrap_or(0), term: term(of)? };
    object.done().map(|()| weighted)
}

fn node_affinity(value: &Value) -> Read<NodeAffinity> {
    let mut object = Object::open("node affinity", value)?;
    let is_stated = object.field("required").is_some();
    let required = object.list("required", node_term)?;
    let affinity = NodeAffinity {
        required: is_stated.then_some(required),
        preferred: object.list("preferred", |value| weighted(value, node_term))?,
    };
    object.done().map(|()| affinity)
}

fn pod_affinity(value: &Value) -> Read<PodAffinity> {
    let mut object = Object::open("pod affinity", value)?;
    let affinity = PodAffinity {
        required: object.list("required", pod_term)?,
        preferred: object.list("preferred", |value| weighted(value, pod_term))?,
    };
    object.done().map(|()| affinity)
}

fn spread(value: &Value) -> Read<SpreadConstraint> {
    let mut object = Object::open("spread constraint", value)?;
    let is_hard = match object.text("when_unsatisfiable")?.as_deref() {
        Some("DoNotSchedule") => true,
        Some("ScheduleAnyway") => false,
        other => return Err(format!("when_unsatisfiable {other:?}")),
    };
    let honors = |policy: Option<String>, missing| match policy.as_deref() {
        None => Ok(missing),
        Some("Honor") => Ok(true),
        Some("Ignore") => Ok(false),
        Some(other) => Err(format!("policy {other}")),
    };
    let key = object.text("topology_key")?.unwrap_or_default();
    let constraint = SpreadConstraint {
        selector: object.field("label_selector").map(selector).transpose()?,
        match_label_keys: object.list("match_label_keys", |v| Ok(v.as_str().ok_or("a key is no text")?.to_string()))?,
        min_domains: object.integer("min_domains")?.unwrap_or(1) as usize,
        honor_affinity: honors(object.text("node_affinity_policy")?, true)?,
        honor_taints: honors(object.text("node_taints_policy")?, false)?,
        ..SpreadConstraint::new(object.integer("max_skew")?.unwrap_or(1), key, is_hard)
    };
    object.done().map(|()| constraint)
}

fn profile(value: &Value) -> Read<Profile> {
    let mut object = Object::open("profile", value)?;
    let resource = |value| {
        let mut object = Object::open("resource", value)?;
        let name = resource(&object.text("name")?.unwrap_or_default());
        let weighted = WeightedResource { name, weight: object.integer("weight")?.unwrap_or(1) };
        object.done().map(|()| weighted)
    };
    let point = |value| {
        let mut object = Object::open("point", value)?;
        let point = ShapePoint {
            utilization: object.integer("utilization")?.unwrap_or(0),
            score: object.integer("score")?.unwrap_or(0),
        };
        object.done().map(|()| point)
    };
    let shape = object.list("shape", point)?;
    let usual = Profile::default();
    let or = |stated: Vec<WeightedResource>, usual: Vec<_>| if stated.is_empty() { usual } else { stated };
    let profile = Profile {
        strategy: match object.text("fit_strategy")?.as_deref() {
            None | Some("LeastAllocated") => Strategy::LeastAllocated,
            Some("MostAllocated") => Strategy::MostAllocated,
            Some("RequestedToCapacityRatio") => Strategy::RequestedToCapacityRatio(shape),
            Some(other) => return Err(format!("strategy {other}")),
        },
        fit_resources: or(object.list("fit_resources", resource)?, usual.fit_resources),
        balanced_resources: or(object.list("balanced_resources", resource)?, usual.balanced_resources),
        balance_by_change: false,
    };
    object.done().map(|()| profile)
}
