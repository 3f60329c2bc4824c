//! What a policy answers: a decision with its reason.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

listed! {
    /// The kind of reason for a decision, in the terms of real controllers' conditions.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum ReasonCode {
        /// The size is fixed by configuration.
        Fixed,
        /// A metric asked for this size.
        Target,
        /// The metric is within the tolerance of its target.
        WithinTolerance,
        /// A recent recommendation holds the size (stabilization window, cooldown).
        Stabilized,
        /// A scaling rate limit cut the change.
        RateLimited,
        /// The minimum or maximum number of replicas cut the size.
        Bounded,
        /// No usable measurement.
        NoData,
        /// Scaling is switched off.
        Disabled,
        /// A forecast asked for this size.
        Forecast,
        /// A plan based on knowledge of the trace asked for this size.
        Plan,
        /// A trained policy asked for this size.
        Learned,
        /// The platform ordered it: a request waits, and there is no replica.
        Activated,
        /// The platform ordered it: there was no request for its idle time.
        Idle,
    }
}

impl ReasonCode {
    /// The name used in `decisions.csv`.
    pub const fn name(self) -> &'static str {
        match self {
            ReasonCode::Fixed => "fixed",
            ReasonCode::Target => "target",
            ReasonCode::WithinTolerance => "within-tolerance",
            ReasonCode::Stabilized => "stabilized",
            ReasonCode::RateLimited => "rate-limited",
            ReasonCode::Bounded => "bounded",
            ReasonCode::NoData => "no-data",
            ReasonCode::Disabled => "disabled",
            ReasonCode::Forecast => "forecast",
            ReasonCode::Plan => "plan",
            ReasonCode::Learned => "learned",
            ReasonCode::Activated => "activated",
            ReasonCode::Idle => "idle",
        }
    }
}

/// The reason for a decision: a code, and the figures behind it in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The kind of reason.
    pub code: ReasonCode,
    /// The figures ("cpu 83% of 70% target, 12 -> 15").
    pub detail: Cow<'static, str>,
}

impl Reason {
    /// A reason.
    pub fn new(code: ReasonCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Reason { code, detail: detail.into() }
    }
}

/// The decision of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The desired number of replicas; `None` keeps the current one.
    pub replicas: Option<u32>,
    /// The reason.
    pub reason: Reason,
}

impl Decision {
    /// Scales to `replicas`.
    pub fn scale_to(replicas: u32, reason: Reason) -> Self {
        Decision { replicas: Some(replicas), reason }
    }

    /// Keeps the current size.
    pub fn hold(reason: Reason) -> Self {
        Decision { replicas: None, reason }
    }
}

/// What a policy knows that a controller in a real cluster could not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Foresight {
    /// Nothing: it could run in a real cluster.
    #[default]
    None,
    /// The trace that will be replayed.
    Clairvoyant,
}
