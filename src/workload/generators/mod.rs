//! Synthetic arrivals: one file per generator, and the list of all.

mod batch;
mod cascade;
mod closed_loop;
mod clusters;
mod constant;
mod curve;
mod fraud;
mod game;
mod hawkes;
mod llm_chat;
mod mmpp;
mod nhpp;
mod plugin;
mod poisson;
mod process;
mod renewal;
mod shop;
mod steady;
#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod theory;
mod tokens;
mod user_sessions;
mod visits;

pub use plugin::{GeneratorBuilder, GeneratorPlugin};

/// Every generator.
pub const GENERATORS: &[GeneratorPlugin] = &[
    constant::PLUGIN,
    poisson::PLUGIN,
    nhpp::PLUGIN,
    mmpp::PLUGIN,
    hawkes::PLUGIN,
    batch::PLUGIN,
    cascade::PLUGIN,
    renewal::PLUGIN,
    closed_loop::PLUGIN,
    user_sessions::PLUGIN,
    shop::PLUGIN,
    game::PLUGIN,
    fraud::PLUGIN,
    llm_chat::PLUGIN,
];
