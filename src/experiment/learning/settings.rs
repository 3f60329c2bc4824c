//! What a variant learns.

use crate::policy::{PolicyFactory, Prospect, Trainable};
use crate::scenario::Scenario;

/// The settings of a variant whose policy learns; `None` if it does not, or if services have different policies: one table is
/// learned for all of them.
pub(super) fn settings_for_all<S: Clone + std::fmt::Debug + Trainable>(
    scenario: &Scenario,
    policy: usize,
) -> Option<S> {
    let of = |factory: &PolicyFactory| factory(&Prospect::unknown()).trainable()?.settings::<S>().cloned();
    let all: Vec<S> = scenario.policies.get(policy)?.factories.iter().map(of).collect::<Option<_>>()?;
    let same = all.windows(2).all(|pair| format!("{:?}", pair[0]) == format!("{:?}", pair[1]));
    all.into_iter().next().filter(|_| same)
}
