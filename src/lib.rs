//! Plimsoll replays traffic against a modelled cluster under a scaling policy and reports cost, latency and objectives.

/// Declares a field-less enum and the list of all its variants, so that the list is always complete.
macro_rules! listed {
    ($(#[$attribute:meta])* pub enum $name:ident { $($(#[$about:meta])* $variant:ident,)* }) => {
        $(#[$attribute])*
        pub enum $name {
            $($(#[$about])* $variant,)*
        }

        impl $name {
            /// All variants, in order of declaration.
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
pub mod platform;
pub mod policy;
pub mod queueing;
pub mod random;
pub mod report;
pub mod scenario;
pub mod serving;
pub mod stats;
pub mod testing;
pub mod units;
pub mod validate;
pub mod workload;
