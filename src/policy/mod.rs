//! Scaling policies: observation in, decision out.
//!
//! A policy never sees live cluster state or the future of the trace. It gets an [`Observation`]: the replicas as the
//! control plane shows them, and metrics as old as the metrics pipeline makes them. Nothing in it belongs to one
//! platform; what Kubernetes calls a pod is derived where its autoscaler is adapted ([`hpa`]). A clairvoyant policy
//! must declare itself through [`ScalingPolicy::foresight`], and every report marks it.

pub mod agones;
pub mod aibrix;
pub mod aws;
mod capacity;
pub mod cron;
mod decision;
pub mod dynamo;
mod forecasts;
mod headroom;
pub mod hpa;
pub mod keda;
pub mod knative;
pub mod kthena;
pub mod llmd;
pub mod managed;
mod measure;
mod metric_names;
mod needs;
pub mod nodes;
mod observation;
mod own;
mod planned;
pub mod policy_search;
pub mod predictive;
#[cfg(test)]
mod properties;
mod prospect;
pub mod q_learning;
mod ranges;
pub mod ray_serve;
mod read;
mod scaling_policy;
pub mod static_size;
pub mod stored;
pub mod vpa;
mod weighed;

pub use decision::{Decision, Foresight, Reason, ReasonCode};
pub use forecasts::ForecastPoint;
pub use headroom::with_headroom;
pub use measure::{MEASURES, Measure, MeasureSpec, Measurements, Measures, Scope, Taken, Unit};
pub use metric_names::{
    ExportedMetric, exported, exported_metrics, measure_named, not_measured, read_metric_names, without_unit,
};
pub use needs::{Needs, replicas_needed};
pub use nodes::{NODE_POLICIES, NodePolicy, NodePolicyFactory, NodePolicyPlugin};
pub use observation::{FreshSample, Observation, Phase, ReplicaSample, ReplicaView, Reserved, Scrape};
pub use own::{OwnPolicy, Parameters, Registry};
pub use prospect::{Facts, Prospect, StepLoad};
pub use read::{PolicyBuilder, PolicyContext, PolicyPlugin, find, read_policy};
pub use scaling_policy::{PolicyFactory, ScalingPolicy, Trainable};
pub use weighed::{Compared, Gauge, Weighed};

/// All policies. To add one, write its file and add a line here.
pub const POLICIES: &[PolicyPlugin] = &[
    static_size::PLUGIN,
    hpa::PLUGIN,
    keda::PLUGIN,
    knative::PLUGIN,
    aws::TRACKING_PLUGIN,
    aws::STEP_PLUGIN,
    aws::SIMPLE_PLUGIN,
    predictive::presets::PLUGIN,
    predictive::presets::ARIMA_PLUGIN,
    predictive::presets::HOLT_WINTERS_PLUGIN,
    predictive::presets::REGRESSION_PLUGIN,
    predictive::presets::AWS_PLUGIN,
    predictive::presets::MPC_PLUGIN,
    q_learning::PLUGIN,
    policy_search::PLUGIN,
    planned::LP_PLUGIN,
    planned::DP_PLUGIN,
    ray_serve::PLUGIN,
    aibrix::PLUGIN,
    kthena::PLUGIN,
    agones::PLUGIN,
];
