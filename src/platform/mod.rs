//! What runs the replicas of a service: what it does with requests that no replica can take, which sizes it orders by
//! itself, which replicas it removes first, and when one that crashed starts again.
//!
//! A platform is asked at control events only, so that a trait object costs nothing; the engine's fleet keeps the mechanics
//! (identities, placement, leases, phases). To add one, write a file with the type, its parameters and the plug-in's
//! constant, and add it to [`PLATFORMS`].

mod aws_lambda;
mod azure_functions;
mod cloud_run;
mod deployment;
mod init;
mod knative;
mod list_price;
mod on_demand;
mod pace;
mod scale_to_zero;

use std::sync::Arc;

use crate::billing::{Item, UseTariff};
use crate::catalog::{Billing, OtherPrice};
use crate::cluster::{DispatcherPlugin, Replica, StartUp};
use crate::config::{Diagnostics, Plugin, Yaml};
use crate::policy::Reason;
use crate::random::Distribution;
use crate::units::{Bytes, Millicores, SimDuration, SimTime, UsdPerHour};

pub use deployment::Deployment;
pub use on_demand::on_demand;

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
    /// Replicas have no queues: a request that finds no free slot waits here, and the first one that waits takes the next slot
    /// that becomes free. The platform is told of each ([`Platform::no_slot`]).
    Pull {
        /// Maximum number of requests that wait; more are rejected.
        requests: u32,
        /// How long one waits before it is rejected.
        longest: SimDuration,
    },
}

impl Ingress {
    /// Maximum number of requests that wait, and for how long; `None` if none does.
    pub fn hold(&self) -> Option<(u32, SimDuration)> {
        match *self {
            Ingress::Reject => None,
            Ingress::Hold { requests, longest } | Ingress::Pull { requests, longest } => Some((requests, longest)),
        }
    }

    /// Whether replicas have no queues.
    pub fn pulls(&self) -> bool {
        matches!(self, Ingress::Pull { .. })
    }
}

/// What a service on a platform whose ingress pulls looks like when a request finds no free slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crowd {
    /// Requests that wait at the ingress, this one included.
    pub held: u32,
    /// Replicas that are starting for no request in particular.
    pub starting: u32,
    /// All replicas that have not ended.
    pub replicas: u32,
}

/// What becomes of a request that finds no free slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It waits for a slot.
    Wait,
    /// It waits for a slot, and one more replica is started.
    Start,
    /// It waits for the replica that is started for it, and for no other.
    StartForIt,
    /// It is rejected: the platform is at a limit. Not answered by a platform that also lets requests wait.
    Throttle,
    /// It waits for a slot, and the size changes.
    Order(Order),
}

/// How long replicas without requests are kept, where requests start them.
#[derive(Debug, Clone, PartialEq)]
pub struct KeepAlive {
    /// How long one is kept after its last request: a constant, or drawn each time.
    pub idle: Distribution,
    /// The age from which one is not used again, checked after each request.
    pub life: Option<SimDuration>,
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

    /// A request found no free slot and waits at an ingress that pulls.
    fn no_slot(&mut self, _crowd: Crowd, _now: SimTime) -> Reply {
        Reply::Wait
    }

    /// How long a replica that was started for requests is kept without any; `None` for as long as it is ordered.
    fn keep_alive(&self) -> Option<KeepAlive> {
        None
    }

    /// Whether a start that no request waits for any more is cancelled, where the ingress pulls.
    fn cancels(&self) -> bool {
        false
    }

    /// The time between two reviews of the service's traffic; `None` if it does not look at that.
    fn review_period(&self) -> Option<SimDuration> {
        None
    }

    /// Reviews the traffic since the last review.
    fn review(&mut self, _activity: Activity, _now: SimTime) -> Option<Order> {
        None
    }

    /// The replicas to start for requests after a review, where the ingress pulls.
    fn catch_up(&mut self, _crowd: Crowd, _activity: Activity, _now: SimTime) -> u32 {
        0
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

/// What a platform settles of the services on it.
#[derive(Debug, Clone, Default)]
pub struct Form {
    /// Requests in service in a replica.
    pub concurrency: Option<u32>,
    /// CPU of a replica.
    pub cpu: Option<Millicores>,
    /// Memory of a replica.
    pub memory: Option<Bytes>,
    /// The CPU that a request gets, and the CPU that its service time was measured with: the part of it that is CPU time
    /// takes longer with less.
    pub stretch: Option<Stretch>,
    /// How replicas start.
    pub start_up: Option<StartUp>,
    /// The replicas that are always there.
    pub standing: Option<u32>,
    /// The dispatcher.
    pub dispatch: Option<&'static DispatcherPlugin>,
    /// What replicas and requests cost at list prices.
    pub price: ListPrice,
}

/// What replicas and requests cost at list prices.
#[derive(Debug, Clone, Default)]
pub struct ListPrice {
    /// Price and rounding of a replica that is there whether requests come or not.
    pub standing: Option<(UsdPerHour, Billing)>,
    /// Price and rounding of every other replica.
    pub extra: Option<(UsdPerHour, Billing)>,
    /// What requests cost.
    pub usage: Option<UseTariff>,
    /// The rows of the catalogue behind that, each with the item that it is the price of; without one if it is a price by time.
    pub rows: Vec<(Option<Item>, &'static OtherPrice)>,
}

/// CPU now, and CPU when the service time was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch {
    /// vCPUs of a replica.
    pub vcpus: f64,
    /// vCPUs that the service time was measured with.
    pub measured: f64,
}

impl Stretch {
    /// The speed of a request of whose service time `cpu` (0 to 1) is CPU time, relative to the speed that it was measured
    /// with. One request uses one vCPU at most.
    pub fn speed(&self, cpu: f64) -> f64 {
        let takes = |vcpus: f64| (1.0 - cpu) + cpu / vcpus.min(1.0);
        takes(self.measured) / takes(self.vcpus)
    }
}

/// A platform as a scenario states it.
pub struct Stated {
    /// Makes the platform of a run.
    pub factory: PlatformFactory,
    /// What it settles of its service.
    pub form: Form,
}

impl From<PlatformFactory> for Stated {
    fn from(factory: PlatformFactory) -> Stated {
        Stated { factory, form: Form::default() }
    }
}

/// Makes the platform of a service for a run.
pub type PlatformFactory = Arc<dyn Fn() -> Box<dyn Platform> + Send + Sync>;

/// An entry in the list of platforms: reads the parameters, null if there are none.
pub type PlatformPlugin = Plugin<fn(&Yaml, &mut Diagnostics) -> Option<Stated>>;

/// All platforms; the first is the default.
pub const PLATFORMS: &[PlatformPlugin] = &[
    deployment::PLUGIN,
    scale_to_zero::PLUGIN,
    knative::PLUGIN,
    cloud_run::PLUGIN,
    aws_lambda::PLUGIN,
    azure_functions::FLEX,
    azure_functions::CONSUMPTION,
    azure_functions::PREMIUM,
    on_demand::PLUGIN,
];
