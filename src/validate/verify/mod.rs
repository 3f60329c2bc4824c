//! Verification of the numbers: stations with exact solutions, simulated by the same engine as everything else, and whole
//! scenarios: the limit of the traffic that `capacity` finds, and objectives at the end of a run.
//!
//! Each figure is measured in independent replications without their warm-up, and passes if the 99% Student interval
//! covers the exact value. One correct figure in a hundred misses by chance, so a miss is only reported if replications
//! with a second seed miss as well.

mod arrivals;
mod cases;
mod judge;
mod metric;
mod report;
mod station;
mod worlds;

pub use crate::queueing::{MmcK, erlang_b, erlang_c, mg1_mean_wait, mmc_mean_wait, mmck, ps1_mean_sojourn};
pub use arrivals::Arrivals;
pub use judge::{LEVEL, SEEDS, TheoryRun, Verdict, VerifyRow, judge_metrics, replicate};
pub use metric::Statistic;
pub use report::{VerifyReport, verify};
pub use station::{After, Discipline, Length, Observed, Sample, Started, Station, Visit};
