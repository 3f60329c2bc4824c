//! How a replica serves requests: which of them run together, and how long they take.
//!
//! A service states a [`Serving`] model with its parameters; that compiles the [`ServiceModel`] which runs inside its
//! replicas. To add one, write a file with both and the plug-in's constant, and add a line to the list below.

mod batch;
pub mod continuous;
mod model;
mod sharing;
mod slots;
mod stated;

pub use batch::{BatchTime, Batching};
pub use model::{Due, Evicted, Finished, Gathered, Gauges, ServiceModel, Waiting, Work};
pub use sharing::{AllCpu, Sharing};
pub use slots::{PartlyCpu, Slots};
pub use stated::{CpuUnderLoad, Serving, ServingPlugin, WithModel};

stated::serving_models! {
    /// Requests use CPU for a part of their service time.
    Slots(slots::PartlyCpu),
    /// All of the service time is CPU work.
    ProcessorSharing(sharing::AllCpu),
    /// Requests are served together.
    Batch(batch::Batching),
    /// An LLM engine.
    ContinuousBatching(continuous::ContinuousBatching),
}
