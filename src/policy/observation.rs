//! What a policy knows when it decides: replicas as a control plane shows them, and measurements.

use super::measure::{Measure, Measurements, Measures};
use super::metric_names::measure_named;
use crate::cluster::{Replica, ReplicaPhase};
use crate::units::{Bytes, Millicores, SimDuration, SimTime};

/// Phase of a replica as the control plane shows it. It may be behind: a replica whose machine is lost keeps its phase
/// until the loss is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Ordered; no machine has room yet.
    Pending,
    /// Being started on its machine, for the first time or again.
    Starting,
    /// Its process runs, and it gets no requests: not ready yet, or no longer.
    Unready,
    /// It gets requests.
    Ready,
    /// It finishes its requests and ends.
    Draining,
}

/// A replica at the time of decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplicaView {
    /// Its index among all replicas ever started for the service, from 0.
    pub id: u32,
    /// Phase.
    pub phase: Phase,
    /// When it was ordered.
    pub ordered: SimTime,
    /// When a machine accepted it; `None` before.
    pub accepted: Option<SimTime>,
    /// When its process last started; `None` if it never has.
    pub started: Option<SimTime>,
    /// When it last became ready or stopped being ready; `None` if it has never been ready.
    pub readiness_changed: Option<SimTime>,
}

impl ReplicaView {
    /// The replica as the control plane shows it.
    #[doc(hidden)]
    pub fn of(replica: &Replica) -> ReplicaView {
        let phase = match replica.phase {
            // Also a lost one, until that is noticed.
            _ if replica.is_listed => Phase::Ready,
            ReplicaPhase::Pending => Phase::Pending,
            ReplicaPhase::Draining | ReplicaPhase::Ended => Phase::Draining,
            ReplicaPhase::Warming | ReplicaPhase::Ready => Phase::Unready,
            ReplicaPhase::Lost if replica.running_since.is_some() => Phase::Unready,
            ReplicaPhase::Scheduling | ReplicaPhase::Pulling | ReplicaPhase::Starting | ReplicaPhase::Lost => {
                Phase::Starting
            }
        };
        ReplicaView {
            id: replica.id,
            phase,
            ordered: replica.created,
            accepted: replica.accepted,
            started: replica.running_since,
            readiness_changed: replica.ready_transition,
        }
    }

    /// Whether it gets requests.
    pub fn is_ready(&self) -> bool {
        self.phase == Phase::Ready
    }

    /// Since when it has been ready; `None` if it is not.
    pub fn ready_since(&self) -> Option<SimTime> {
        self.readiness_changed.filter(|_| self.is_ready())
    }
}

/// What is reserved for each replica; `None` where nothing is stated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reserved {
    /// CPU.
    pub cpu: Option<Millicores>,
    /// Memory.
    pub memory: Option<Bytes>,
}

/// One replica's measurements in a scrape.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReplicaSample {
    /// Id of the replica, as in [`ReplicaView::id`].
    pub id: u32,
    /// Its measures.
    pub values: Measurements,
}

/// What metrics-server reports for the CPU and memory of containers at their first scrape: the average since their
/// creation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FreshSample {
    /// The measurements; only [`Measure::Cpu`] and [`Measure::Memory`] are available.
    pub sample: ReplicaSample,
    /// Age of the containers at the scrape.
    pub window: SimDuration,
}

/// One scrape: the state of a service as measured at one time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scrape {
    /// When the measurements were taken.
    pub taken_at: SimTime,
    /// The window over which rates and CPU were averaged.
    pub window: SimDuration,
    /// Replicas that reported, ordered by id. A replica that has not run for a whole window does not report.
    #[doc(hidden)]
    pub replicas: Vec<ReplicaSample>,
    /// Replicas that the resource metrics API reports after their first scrape, ordered by id. They are neither in
    /// `replicas` nor in the totals.
    #[doc(hidden)]
    pub fresh: Vec<FreshSample>,
    /// Totals over the service, including attempts for which no replica was ready. For a measure that
    /// [is an average](Measure::is_average), the average.
    pub totals: Measurements,
}

/// Everything a policy knows when it decides.
#[derive(Debug, Clone, Copy)]
pub struct Observation<'a> {
    /// Time of the decision.
    pub now: SimTime,
    /// Desired replicas.
    pub desired: u32,
    /// Existing replicas, without draining ones.
    pub present: u32,
    /// The service's replicas, including draining ones, ordered by id.
    pub replicas: &'a [ReplicaView],
    /// What is reserved for each of them.
    #[doc(hidden)]
    pub reserved: Reserved,
    /// The newest scrape that the metrics lag allows; `None` before the first one is visible.
    pub scrape: Option<&'a Scrape>,
    /// Custom and external metrics: the measure that each name refers to.
    #[doc(hidden)]
    pub metric_names: &'a [(String, Measure)],
    /// Measures that the metrics APIs currently do not serve.
    pub outage: Measures,
}

impl<'a> Observation<'a> {
    /// The observation of `size` replicas, all of them present, of which nothing else is known.
    pub fn new(now: SimTime, size: u32) -> Observation<'a> {
        Observation {
            now,
            desired: size,
            present: size,
            replicas: &[],
            reserved: Reserved::default(),
            scrape: None,
            metric_names: &[],
            outage: Measures::NONE,
        }
    }

    /// The measure that a custom metric name refers to: a name declared in the scenario, or a measure's own name.
    pub fn measure(&self, name: &str) -> Option<Measure> {
        measure_named(name, self.metric_names)
    }

    /// The newest scrape, if the APIs currently serve all of `measures`.
    pub fn scrape_of(&self, measures: &[Measure]) -> Option<&'a Scrape> {
        self.scrape.filter(|_| measures.iter().all(|measure| !self.outage.contains(*measure)))
    }

    /// The age of the metrics.
    pub fn age(&self) -> Option<SimDuration> {
        self.scrape.map(|scrape| self.now.since(scrape.taken_at))
    }
}
