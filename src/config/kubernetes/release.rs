//! The Kubernetes release whose rules apply.

use crate::config::{Diagnostics, FromNode, Yaml};

/// A minor release of Kubernetes. With 1.36 the scheduler's score for balanced allocation changed (kubernetes#135573), with
/// 1.37 the autoscaler's rules for scaling to and from zero
/// (KEP-2021; <https://kubernetes.io/blog/2026/09/02/kubernetes-v1-37-hpa-scale-to-zero-beta/>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Release {
    /// Up to 1.35: balanced allocation is scored by what placing the pod leads to, from 1.36 on by what it changes.
    V1_35,
    /// 1.36, the default: `minReplicas: 0` requires the feature gate `HPAScaleToZero`, which is off by default.
    #[default]
    V1_36,
    /// From 1.37 on: `minReplicas: 0` is available by default, and the autoscaler records whether it scaled to zero
    /// itself.
    V1_37,
}

impl Release {
    /// All known releases.
    pub const ALL: [Release; 3] = [Release::V1_35, Release::V1_36, Release::V1_37];

    /// The release as text ("1.37").
    pub const fn name(self) -> &'static str {
        match self {
            Release::V1_35 => "1.35",
            Release::V1_36 => "1.36",
            Release::V1_37 => "1.37",
        }
    }
}

impl FromNode for Release {
    /// Parses `1.37`, with or without quotes, with or without a `v`.
    fn from_node(node: &Yaml, sink: &mut Diagnostics) -> Option<Self> {
        let text = node.as_text().unwrap_or("");
        let found = Release::ALL.into_iter().find(|release| release.name() == text.strip_prefix('v').unwrap_or(text));
        if found.is_none() {
            let error = node.error(format!("`{text}` is not a release of Kubernetes that is known here"));
            sink.push(error.note(format!("known: {}", Release::ALL.map(Release::name).join(", "))));
        }
        found
    }

    fn words(&self) -> Option<String> {
        Some(self.name().to_string())
    }
}
