//! Plimsoll replays traffic against a modelled cluster under a scaling policy and reports cost, latency and objectives.

/// Declares an enum of names alone together with the list of all of them, so that the list cannot miss one.
macro_rules! listed {
    ($(#[$attribute:meta])* pub enum $name:ident { $($(#[$about:meta])* $variant:ident,)* }) => {
        $(#[$attribute])*
        pub enum $name {
            $($(#[$about])* $variant,)*
        }

        impl $name {
            /// All of them, in the order of their declaration.
            pub const ALL: [$name; [$(stringify!($variant)),*].len()] = [$($name::$variant),*];
        }
    };
}

pub mod catalog;
pub mod cli;
pub mod cluster;
#[cfg(feature = "tables")]
pub mod columnar;
pub mod config;
pub mod engine;
pub mod experiment;
pub mod forecast;
pub mod optimize;
pub mod policy;
pub mod queueing;
pub mod random;
pub mod report;
pub mod stats;
pub mod testing;
pub mod units;
pub mod workload;
