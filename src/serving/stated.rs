//! A serving model as a service states it, and the list of them.

use super::model::ServiceModel;
use crate::config::{Diagnostics, Plugin, Yaml};
use crate::units::SimDuration;

/// How requests in service use a replica's CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CpuUnderLoad {
    /// For a part of their service time (`cpu-per-request`); beyond the replica's CPU ceiling they slow each other down.
    Part,
    /// All of their service time, each on one core; beyond the replica's cores they slow each other down.
    All,
    /// As stated (`cpu-per-request`), but their time is spent elsewhere, on an accelerator: CPU does not slow them.
    Beside,
}

/// Receives the model of a service's replicas as a type, so that the code that runs it is compiled for it alone.
pub trait WithModel {
    /// What is made of it.
    type Output;

    /// Makes it.
    fn with<M: ServiceModel + 'static>(self, model: M) -> Self::Output;
}

/// A serving model with its parameters, as a service states it.
pub trait Serving {
    /// How requests in service use CPU.
    fn cpu(&self) -> CpuUnderLoad;

    /// The number of requests that a replica serves at once, where the model says so; otherwise `concurrency` does.
    fn concurrency(&self) -> Option<u32> {
        None
    }

    /// Seconds of demand that a busy slot serves per second at the reference speed. `mean` is the mean demand of a request in
    /// seconds, if it is known.
    fn efficiency(&self, _mean: Option<f64>) -> f64 {
        1.0
    }

    /// The time that a request takes alone, where it follows from its tokens: fixed, per token of the prompt, and per token
    /// of the answer. It is the service time of a service that states none.
    fn time_of_tokens(&self) -> Option<[SimDuration; 3]> {
        None
    }

    /// Whether work adds up: serving n requests takes as much of a replica's capacity together as one by one, and none is
    /// answered before its own demand is served. The lower bound of the cost and statements on what no policy can reach
    /// rest on it.
    fn is_additive(&self) -> bool {
        true
    }

    /// A sentence on how a replica of the service `name` serves, for the list of assumptions; `None` if its concurrency
    /// says all.
    fn words(&self, _name: &str) -> Option<String> {
        None
    }

    /// Passes the code for one run to `with`. `slowed` says whether requests may reach the CPU ceiling of a replica.
    fn compile<W: WithModel>(&self, slowed: bool, with: W) -> W::Output;
}

/// An entry in the list of serving models: reads the parameters, null if there are none.
pub type ServingPlugin = Plugin<fn(&Yaml, &mut Diagnostics) -> Option<super::ServingModel>>;

/// Declares the list of serving models: the enumeration that a service holds, and the plug-ins that read it.
macro_rules! serving_models {
    ($($(#[$about:meta])* $variant:ident($module:ident::$stated:ident),)*) => {
        /// The serving model of a service.
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub enum ServingModel {
            $($(#[$about])* $variant($module::$stated),)*
        }

        impl Serving for ServingModel {
            fn cpu(&self) -> CpuUnderLoad {
                match self {
                    $(ServingModel::$variant(stated) => stated.cpu(),)*
                }
            }

            fn concurrency(&self) -> Option<u32> {
                match self {
                    $(ServingModel::$variant(stated) => stated.concurrency(),)*
                }
            }

            fn efficiency(&self, mean: Option<f64>) -> f64 {
                match self {
                    $(ServingModel::$variant(stated) => stated.efficiency(mean),)*
                }
            }

            fn time_of_tokens(&self) -> Option<[$crate::units::SimDuration; 3]> {
                match self {
                    $(ServingModel::$variant(stated) => stated.time_of_tokens(),)*
                }
            }

            fn is_additive(&self) -> bool {
                match self {
                    $(ServingModel::$variant(stated) => stated.is_additive(),)*
                }
            }

            fn words(&self, name: &str) -> Option<String> {
                match self {
                    $(ServingModel::$variant(stated) => stated.words(name),)*
                }
            }

            fn compile<W: WithModel>(&self, slowed: bool, with: W) -> W::Output {
                match self {
                    $(ServingModel::$variant(stated) => stated.compile(slowed, with),)*
                }
            }
        }

        /// All serving models; the first is the default.
        pub const SERVICE_MODELS: &[ServingPlugin] = &[$($module::PLUGIN),*];
    };
}
pub(super) use serving_models;

impl Default for super::ServingModel {
    fn default() -> Self {
        super::ServingModel::Slots(super::PartlyCpu)
    }
}

/// Reports parameters of a model that has none.
pub(super) fn no_parameters(name: &str, node: &Yaml, sink: &mut Diagnostics) -> Option<()> {
    if node.is_null() {
        return Some(());
    }
    sink.push(node.error(format!("`{name}` has no parameters")).help(format!("write `service-model: {name}`")));
    None
}
