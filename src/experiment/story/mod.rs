//! Stories: tests of a policy, step by step: the metrics that it is given and the decisions that it must make. There is
//! no cluster and there are no requests.
//!
//! ```yaml
//! story: The morning rush
//! policy: { hpa: { manifest: manifests/checkout-hpa.yaml } }
//! service: { name: checkout, replicas: 3, resources: { requests: { cpu: 500m } }, start-up: 20s }
//! steps:
//!   - { at: 0s, metrics: { cpu: 60% }, expect: 3 }
//!   - { at: 15s, metrics: { cpu: 90% }, expect: { replicas: 5, reason: target } }
//!   - { at: 5m, metrics: { cpu: 20% }, expect: { replicas: 5, reason: stabilized } }
//! ```
//!
//! Time starts when all replicas of the service are ready. The policy decides at the first step and then once every
//! sync period, up to the first decision at or after the last step. What a step states holds until another step changes
//! it. A decision takes effect at once: new pods run from then on and are ready after `start-up`; scale-down removes
//! the newest pods first.

mod course;
mod pods;
mod read;
mod telling;

pub use course::Stretch;
use telling::{Expected, LONGEST, Load, MAX_REPLICAS, Metrics, PodStates, Service, Step};
pub use telling::{StepCheck, Story, Telling};
