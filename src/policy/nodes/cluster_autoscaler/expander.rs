//! Expanders: which of the groups that would help is grown
//! (kubernetes/autoscaler `cluster-autoscaler/expander`, of 1.36).

use std::collections::BTreeMap;

use regex_lite::Regex;

/// What a pod requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Requested {
    /// Thousandths of a core.
    pub cpu: i64,
    /// Bytes.
    pub memory: i64,
}

/// Growing one group of nodes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Growth {
    /// Name of the group.
    pub group: String,
    /// By how many nodes.
    pub nodes: i64,
    /// The pods that these take.
    pub pods: Vec<Requested>,
}

/// Regular expressions for names of groups, by priority.
#[derive(Debug, Clone, Default)]
pub struct Priorities(Vec<(i64, Vec<Regex>)>);

impl Priorities {
    /// Reads the expressions.
    ///
    /// # Errors
    /// The first one that is wrong.
    pub fn new(stated: &BTreeMap<i64, Vec<String>>) -> Result<Priorities, String> {
        let read = |text: &String| Regex::new(text).map_err(|error| format!("`{text}`: {error}"));
        let of = |(priority, list): (&i64, &Vec<String>)| {
            Ok((*priority, list.iter().map(read).collect::<Result<Vec<_>, String>>()?))
        };
        stated.iter().map(of).collect::<Result<_, String>>().map(Priorities)
    }

    /// The highest priority that a name has; negative ones do not count.
    fn of(&self, group: &str) -> Option<i64> {
        let matching = self.0.iter().filter(|(_, list)| list.iter().any(|expression| expression.is_match(group)));
        matching.map(|(priority, _)| *priority).filter(|priority| *priority >= 0).max()
    }
}

/// A rule to choose by.
#[derive(Debug, Clone)]
pub enum Expander {
    /// The most pods helped.
    MostPods,
    /// The smallest shares of CPU and memory left over, added up (the default).
    LeastWaste,
    /// The fewest new nodes; growth by none is ignored.
    LeastNodes,
    /// The highest priority of the name; `None` if the priorities cannot be used, which leaves all.
    Priority(Option<Priorities>),
}

impl Expander {
    /// Those of `options` that are best, in order. `capacity` is the CPU and memory of a node of a group, if known.
    pub fn best<'o>(&self, options: Vec<&'o Growth>, capacity: &dyn Fn(&str) -> Option<Requested>) -> Vec<&'o Growth> {
        match self {
            Expander::MostPods => highest(options, |growth| Some(growth.pods.len())),
            Expander::LeastNodes => highest(options, |growth| Some(-growth.nodes).filter(|nodes| *nodes != 0)),
            Expander::LeastWaste => least_waste(options, capacity),
            Expander::Priority(None) => options,
            Expander::Priority(Some(priorities)) => {
                let best = highest(options.clone(), |growth| priorities.of(&growth.group));
                if best.is_empty() { options } else { best }
            }
        }
    }
}

/// The options of the highest rank; those without one are dropped.
fn highest<K: Ord>(options: Vec<&Growth>, rank: impl Fn(&Growth) -> Option<K>) -> Vec<&Growth> {
    let highest = options.iter().filter_map(|growth| rank(growth)).max();
    match highest {
        None => Vec::new(),
        some => options.into_iter().filter(|growth| rank(growth) == some).collect(),
    }
}

/// The least waste. Compared one after the other as upstream does, because the waste of growth by no node is not a number:
/// once it leads, nothing displaces it.
fn least_waste<'o>(options: Vec<&'o Growth>, capacity: &dyn Fn(&str) -> Option<Requested>) -> Vec<&'o Growth> {
    let (mut least, mut best) = (0.0, Vec::new());
    for growth in options {
        let Some(node) = capacity(&growth.group) else { continue };
        let waste = |has: i64, of: fn(&Requested) -> i64| {
            let available = has.saturating_mul(growth.nodes);
            let requested = growth.pods.iter().map(of).fold(0, i64::saturating_add);
            available.saturating_sub(requested) as f64 / available as f64
        };
        let waste = waste(node.cpu, |pod| pod.cpu) + waste(node.memory, |pod| pod.memory);
        if waste == least {
            best.push(growth);
        }
        if best.is_empty() || waste < least {
            (least, best) = (waste, vec![growth]);
        }
    }
    best
}

/// What several rules leave, one after the other, of which one is chosen at random. As soon as only one is left, the others
/// are not asked.
pub fn chained<'o, F>(options: Vec<&'o Growth>, rules: impl IntoIterator<Item = F>) -> Vec<&'o Growth>
where
    F: FnOnce(Vec<&'o Growth>) -> Vec<&'o Growth>,
{
    let mut left = options;
    for rule in rules {
        left = rule(left);
        if left.len() == 1 {
            break;
        }
    }
    left
}
