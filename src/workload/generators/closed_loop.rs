//! Users of a closed loop.

use std::sync::Arc;

use super::super::clients::{Clients, MAX_USERS};
use super::plugin::GeneratorPlugin;
use crate::config::{Diagnostics, Fields, FromNode, Value, Yaml};
use crate::random::Distribution;
use crate::units::{SimDuration, SimTime};
use crate::workload::batch::RequestBatch;
use crate::workload::error::TraceError;
use crate::workload::recipe::{Opening, Recipe};
use crate::workload::source::TraceSource;

/// The entry in the list.
pub const PLUGIN: GeneratorPlugin = GeneratorPlugin {
    name: "closed-loop",
    summary: "`users: 50` who wait for each answer, `think: { exponential: { mean: 3s } }` and ask again; `users: [{ at, users }]` changes \
              their number",
    source: "finite-source queue, interactive systems (Kleinrock 1976, Vol. II, ch. 4); N = X (R + Z) (Denning and Buzen 1978)",
    build: |node, sink| {
        let fields = Fields::open(node, "closed-loop", sink)?;
        let users = fields.node_of("users");
        if users.is_none() {
            sink.push(node.error("closed-loop has no `users`").help("state their number: `users: 50`"));
        }
        let users = users.and_then(|node| read_users(node, sink));
        let think: Option<Distribution> = fields.required("think", sink);
        let duration: Option<SimDuration> = fields.optional("for", sink);
        fields.finish(sink);
        let clients = Clients { users: users?, think: think? };
        if duration.is_some_and(|duration| clients.last_change() >= duration) {
            sink.push(node.error("the number of users changes after the end of the loop (`for:`)"));
            return None;
        }
        Some(Arc::new(ClosedLoop { clients, duration }))
    },
};

/// A number, or a list of `{ at, users }` in order of time.
fn read_users(node: &Yaml, sink: &mut Diagnostics) -> Option<Vec<(SimTime, u32)>> {
    let Value::Sequence(items) = &node.value else {
        let users = u32::from_node(node, sink).filter(|users| bounded(*users, node, sink))?;
        return Some(vec![(SimTime::ZERO, users)]);
    };
    let mut steps: Vec<(SimTime, u32)> = Vec::new();
    for item in items {
        let fields = Fields::open(item, "users", sink)?;
        let (at, users): (Option<SimDuration>, Option<u32>) =
            (fields.required("at", sink), fields.required("users", sink));
        fields.finish(sink);
        let at = SimTime::ZERO + at?;
        let users = users.filter(|users| bounded(*users, item, sink))?;
        if steps.last().is_some_and(|(before, _)| *before >= at) {
            sink.push(item.error("the steps of `users` must be in order of time"));
            return None;
        }
        steps.push((at, users));
    }
    if steps.iter().all(|(_, users)| *users == 0) {
        sink.push(node.error("expected at least one user at some time"));
        return None;
    }
    Some(steps)
}

fn bounded(users: u32, node: &Yaml, sink: &mut Diagnostics) -> bool {
    let usable = users <= MAX_USERS;
    if !usable {
        sink.push(node.error(format!("expected at most {MAX_USERS} users")));
    }
    usable
}

#[derive(Debug, Clone)]
struct ClosedLoop {
    clients: Clients,
    duration: Option<SimDuration>,
}

impl Recipe for ClosedLoop {
    fn open(&self, _: Opening) -> Result<Box<dyn TraceSource>, TraceError> {
        Ok(Box::new(self.clone()))
    }

    fn scaled(&self, factor: f64) -> Option<Arc<dyn Recipe>> {
        Some(Arc::new(ClosedLoop { clients: self.clients.scaled(factor), ..self.clone() }))
    }

    fn clients(&self) -> Option<&Clients> {
        Some(&self.clients)
    }
}

/// No request is known before the responses are.
impl TraceSource for ClosedLoop {
    fn fill(&mut self, _: &mut RequestBatch) -> Result<(), TraceError> {
        Ok(())
    }

    fn extent(&self) -> Option<SimDuration> {
        self.duration
    }

    fn clients(&self) -> Option<&Clients> {
        Some(&self.clients)
    }
}
