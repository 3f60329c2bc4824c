//! What runs the replicas of a service: what it does with requests that no replica can take, which sizes it orders by
//! itself, which replicas it removes first, and when one that crashed starts again.
//!
//! A platform is asked at control events only, so that a trait object costs nothing; the engine's fleet keeps the mechanics
//! (identities, placement, leases, phases). To add one, write a file with the type, its parameters and the plug-in's
//! constant, and add it to [`PLATFORMS`].

mod deployment;
mod scale_to_zero;

use std::sync::Arc;

use crate::cluster::Replica;
use crate::config::{Diagnostics, Plugin, Yaml};
use crate::policy::Reason;
use crate::units::{SimDuration, SimTime};

pub use deployment::Deployment;

/// What happens to a request that no replica can take, because none is ready.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ingress {
    /// It is rejected.
    #[default]
    Reject,
    /// It waits for a replica.
    Hold {
        /// Maximum number of requests that wait; more are rejected.
        requests: u32,
        /// How long one waits before it is rejected.
        longest: SimDuration,
    },
}

/// A size that a platform orders by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The number of replicas.
    pub replicas: u32,
    /// Why.
    pub reason: Reason,
}

/// A replica that may be removed.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The replica.
    pub replica: &'a Replica,
    /// Active replicas of the service on its node; zero if it has none.
    pub together: u32,
}

/// The traffic of a service since its last review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Activity {
    /// Attempts that arrived.
    pub arrived: u64,
    /// Attempts that are waiting or in service.
    pub present: u64,
}

/// What runs the replicas of one service in one run.
pub trait Platform: Send {
    /// What happens to a request that no replica can take.
    fn ingress(&self) -> Ingress {
        Ingress::Reject
    }

    /// The size ordered when a policy asks for `wanted` replicas.
    fn size(&self, wanted: u32) -> u32 {
        wanted
    }

    /// A request is held, and none was before. `size` is the current order.
    fn starved(&mut self, _size: u32, _now: SimTime) -> Option<Order> {
        None
    }

    /// The time between two reviews of the service's traffic; `None` if it does not look at that.
    fn review_period(&self) -> Option<SimDuration> {
        None
    }

    /// Reviews the traffic since the last review.
    fn review(&mut self, _activity: Activity, _now: SimTime) -> Option<Order> {
        None
    }

    /// Sorts replicas in the order in which a shrinking service removes them. They are sorted by id.
    fn removal_order(&self, candidates: &mut [Candidate<'_>]);

    /// The containers of a replica ended unexpectedly. Returns how long it takes until they are started again.
    fn crashed(&self, replica: &mut Replica, now: SimTime) -> SimDuration;

    /// A sentence on what differs from a Deployment of the service `name`, for the list of assumptions.
    fn words(&self, _name: &str) -> Option<String> {
        None
    }
}

/// Makes the platform of a service for a run.
pub type PlatformFactory = Arc<dyn Fn() -> Box<dyn Platform> + Send + Sync>;

/// An entry in the list of platforms: reads the parameters, null if there are none.
pub type PlatformPlugin = Plugin<fn(&Yaml, &mut Diagnostics) -> Option<PlatformFactory>>;

/// All platforms; the first is the default.
pub const PLATFORMS: &[PlatformPlugin] = &[deployment::PLUGIN, scale_to_zero::PLUGIN];
