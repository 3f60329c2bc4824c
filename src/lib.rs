//! Plimsoll replays traffic against a modelled cluster under a scaling policy and reports cost, latency and objectives.
//!
//! This page is the whole interface. An application, a notebook or a language binding builds on nothing else;
//! `examples/embed.rs` is such a program.
//!
//! # A tour
//!
//! **A scenario** is YAML, the same that the program reads. [`ScenarioSource`] names a file or a text, sets values in it,
//! and [reads](ScenarioSource::read) or [checks](ScenarioSource::check) it. What is wrong comes as [`Diagnostics`], all
//! at once, each with file, line, column and a correction.
//!
//! **A run.** [`run`] runs every policy of a [`Scenario`] once, on the same requests:
//!
//! ```
//! use plimsoll::{ScenarioSource, Watch, run};
//!
//! let text = "
//! duration: 10m
//! workload: { poisson: { rate: 20/s } }
//! service: { replicas: 4, concurrency: 4, service-time: { exponential: { mean: 200ms } }, price: $0.10/h }
//! objectives: [ { latency: { within: 1s, target: 99% } } ]
//! policies: { small: { static: { replicas: 1 } }, large: { static: { replicas: 4 } } }
//! ";
//! let scenario = ScenarioSource::text(text, ".").set("seed", "7").read()?;
//! let outcome = run(&scenario, &Watch::nobody())?;
//! let [small, large] = outcome.runs.as_slice() else { panic!("two policies") };
//! assert!(small.cost < large.cost);
//! assert!(small.services[0].sojourn.quantile(0.99) > large.services[0].sojourn.quantile(0.99));
//! # Ok::<(), plimsoll::Error>(())
//! ```
//!
//! The [`Outcome`] holds a [`RunRecord`] per policy: figures, [timelines](Interval) and [decisions](DecisionRecord) of
//! every service. [`write_report`] writes the report that the program would write.
//!
//! **Studies** are many runs. [`replicate`] repeats, [`compare`] brings policies to the same service level first,
//! [`whatif`] varies the scenario, [`capacity`] finds the most traffic, [`plan()`] the cheapest configuration, [`sweep`]
//! many points. Each tells its progress to a [`Watch`], which may cancel it, and returns plain values. The result does
//! not depend on the number of threads, and the same scenario and seed give the same result.
//!
//! **A policy of your own** implements [`ScalingPolicy`]: an [`Observation`] in, a [`Decision`] out. A [`Registry`] gives
//! it a name that scenarios can use, with parameters. [`testing`] has assertions for policies.
//!
//! # What is not part of the interface
//!
//! The modules of the library are public for its own tests and benchmarks, and hidden on this page. They may change
//! without notice, and so may hidden fields and methods.

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

#[doc(hidden)]
pub mod billing;
#[doc(hidden)]
pub mod catalog;
#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod cluster;
#[cfg(feature = "tables")]
#[doc(hidden)]
pub mod columnar;
#[doc(hidden)]
pub mod config;
#[doc(hidden)]
pub mod engine;
#[doc(hidden)]
pub mod experiment;
#[doc(hidden)]
pub mod forecast;
#[doc(hidden)]
pub mod optimize;
#[doc(hidden)]
pub mod platform;
#[doc(hidden)]
pub mod policy;
#[doc(hidden)]
pub mod queueing;
#[doc(hidden)]
pub mod random;
#[doc(hidden)]
pub mod report;
#[doc(hidden)]
pub mod scenario;
#[doc(hidden)]
pub mod serving;
#[doc(hidden)]
pub mod stats;
#[doc(hidden)]
pub mod units;
#[doc(hidden)]
pub mod validate;
#[doc(hidden)]
pub mod workload;

mod facade;
pub mod testing;

// The interface: at most 60 items, counted by `tests/tidy.rs`.

// A scenario, and what is wrong with it.
pub use config::{Diagnostic, Diagnostics};
pub use facade::Error;
pub use scenario::{Scenario, ScenarioSource};

// Studies.
pub use experiment::{CompareSpec, Design, Progress, ReplicationPlan, Variation, Watch};
pub use facade::{PlanSpec, SweepSpec, capacity, compare, plan, replicate, run, sweep, whatif};

// Their results, and reports.
pub use experiment::{Candidate, Compared, Figure, Limit, Outcome, Planned, Points, Replicated, Samples, SweepTable};
pub use facade::{report_files, write_report};
pub use stats::ConfidenceInterval;

// What a run records.
pub use engine::{DecisionRecord, Fate, Interval, ObjectiveRecord, RequestCounts, RunRecord, ServiceRecord};
pub use stats::LatencyHistogram;

// A policy of your own.
pub use policy::{
    Decision, Measure, Measures, Observation, Parameters, Phase, Reason, ReasonCode, Registry, ReplicaView,
    ScalingPolicy, Scrape,
};

// Quantities.
pub use units::{Fraction, SimDuration, SimTime, Usd};
