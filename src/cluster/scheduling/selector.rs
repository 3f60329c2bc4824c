//! Selectors: conditions on labels, as pods, services and budgets state them.

use std::collections::BTreeMap;

/// Labels of a pod, node or namespace, by key.
pub type Labels = BTreeMap<String, String>;

/// The operator of a requirement. `Gt` and `Lt` exist for nodes only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// The label exists and has one of the values.
    In,
    /// The label does not exist or has none of the values.
    NotIn,
    /// The label exists.
    Exists,
    /// The label does not exist.
    DoesNotExist,
    /// The label is an integer above the only value.
    Gt,
    /// The label is an integer below the only value.
    Lt,
}

impl Operator {
    /// The operator with a name of the Kubernetes API; `None` if there is none.
    pub fn named(name: &str) -> Option<Operator> {
        Some(match name {
            "In" => Operator::In,
            "NotIn" => Operator::NotIn,
            "Exists" => Operator::Exists,
            "DoesNotExist" => Operator::DoesNotExist,
            "Gt" => Operator::Gt,
            "Lt" => Operator::Lt,
            _ => return None,
        })
    }
}

/// A condition on one label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// Key of the label.
    pub key: String,
    /// What is asked of its value.
    pub operator: Operator,
    /// The values that the operator compares with.
    pub values: Vec<String>,
}

impl Requirement {
    /// Whether it holds for `labels`.
    pub fn holds(&self, labels: &Labels) -> bool {
        self.holds_for(labels.get(&self.key).map(String::as_str))
    }

    fn holds_for(&self, label: Option<&str>) -> bool {
        let listed = |label: &str| self.values.iter().any(|value| value == label);
        match self.operator {
            Operator::In => label.is_some_and(listed),
            Operator::NotIn => !label.is_some_and(listed),
            Operator::Exists => label.is_some(),
            Operator::DoesNotExist => label.is_none(),
            Operator::Gt => self.compared(label).is_some_and(|(label, bound)| label > bound),
            Operator::Lt => self.compared(label).is_some_and(|(label, bound)| label < bound),
        }
    }

    /// The label and the only value as integers.
    fn compared(&self, label: Option<&str>) -> Option<(i64, i64)> {
        match &self.values[..] {
            [bound] => Some((label?.parse().ok()?, bound.parse().ok()?)),
            _ => None,
        }
    }
}

/// A label selector: all of its labels and requirements hold. Without any it selects everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selector {
    /// Labels that must have exactly these values.
    pub labels: Labels,
    /// Further requirements.
    pub requirements: Vec<Requirement>,
}

impl Selector {
    /// The selector of some labels.
    pub fn of(labels: Labels) -> Selector {
        Selector { labels, requirements: Vec::new() }
    }

    /// Whether it has no condition at all.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.requirements.is_empty()
    }

    /// Whether it selects what has `labels`.
    pub fn selects(&self, labels: &Labels) -> bool {
        has_all(labels, &self.labels) && self.requirements.iter().all(|requirement| requirement.holds(labels))
    }
}

/// Whether `labels` have all of `wanted`.
pub fn has_all(labels: &Labels, wanted: &Labels) -> bool {
    wanted.iter().all(|(key, value)| labels.get(key) == Some(value))
}

/// A term of a node affinity: all requirements hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NodeTerm {
    /// Requirements on the node's labels.
    pub labels: Vec<Requirement>,
    /// Requirements on the node's fields, of which there is one: `metadata.name`.
    pub fields: Vec<Requirement>,
}

/// The only field that a node term can name.
pub const NAME_FIELD: &str = "metadata.name";

impl NodeTerm {
    /// Whether it matches a node. A term without requirements matches none.
    pub fn matches(&self, name: &str, labels: &Labels) -> bool {
        let field =
            |requirement: &Requirement| requirement.holds_for(Some(name).filter(|_| requirement.key == NAME_FIELD));
        !(self.labels.is_empty() && self.fields.is_empty())
            && self.labels.iter().all(|requirement| requirement.holds(labels))
            && self.fields.iter().all(field)
    }

    /// The only nodes that it can match, where it names nodes (`metadata.name In`): those in all of its lists.
    pub fn named_nodes(&self) -> Option<Vec<&str>> {
        let names = |requirement: &&Requirement| requirement.key == NAME_FIELD && requirement.operator == Operator::In;
        let mut lists = self.fields.iter().filter(names).map(|requirement| &requirement.values);
        let first = lists.next()?.iter().map(String::as_str);
        let rest: Vec<_> = lists.collect();
        Some(first.filter(|name| rest.iter().all(|list| list.iter().any(|other| other == name))).collect())
    }
}

/// What a taint does to pods that do not tolerate it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// They are not placed.
    NoSchedule,
    /// They are placed elsewhere if possible.
    PreferNoSchedule,
    /// They are not placed, and those that run are evicted.
    NoExecute,
}

impl Effect {
    /// The effect with a name of the Kubernetes API; `None` if there is none.
    pub fn named(name: &str) -> Option<Effect> {
        Some(match name {
            "NoSchedule" => Effect::NoSchedule,
            "PreferNoSchedule" => Effect::PreferNoSchedule,
            "NoExecute" => Effect::NoExecute,
            _ => return None,
        })
    }
}

/// A taint of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taint {
    /// Key.
    pub key: String,
    /// Value; often empty.
    pub value: String,
    /// Effect.
    pub effect: Effect,
}

/// A toleration of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toleration {
    /// Key; empty tolerates every key.
    pub key: String,
    /// The value that the taint must have; `None` tolerates every value (operator `Exists`).
    pub value: Option<String>,
    /// Effect; `None` tolerates every effect.
    pub effect: Option<Effect>,
}

impl Toleration {
    /// Whether it tolerates a taint (`Toleration.ToleratesTaint` in kubernetes `core/v1/toleration.go`).
    pub fn tolerates(&self, taint: &Taint) -> bool {
        self.effect.is_none_or(|effect| effect == taint.effect)
            && (self.key.is_empty() || self.key == taint.key)
            && self.value.as_ref().is_none_or(|value| *value == taint.value)
    }
}
