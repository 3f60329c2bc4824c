//! A serving model as a service states it, and the list of them.

use super::model::ServiceModel;
use crate::config::{Diagnostics, Plugin, Yaml};

/// How requests in service use a replica's CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CpuUnderLoad {
    /// For a part of their service time (`cpu-per-request`); beyond the replica's CPU ceiling they slow each other down.
    Part,
    /// All of their service time, each on one core; beyond the replica's cores they slow each other down.
    All,
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
