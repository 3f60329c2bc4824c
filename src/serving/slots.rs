//! Independent slots: each job takes its demand, regardless of how many run in parallel.

use super::model::{Due, Evicted, Finished, ServiceModel, Work};
use super::sharing::Sharing;
use super::stated::{CpuUnderLoad, Serving, ServingPlugin, WithModel, no_parameters};
use crate::config::{Diagnostics, Plugin, Yaml};
use crate::units::{SimDuration, SimTime};

/// The entry in the list of serving models.
pub(super) const PLUGIN: ServingPlugin = Plugin {
    name: "slots",
    summary: "requests use CPU for a part of their service time; beyond the replica's CPU they slow each other down evenly",
    source: "G/G/c station; processor sharing with a rate cap beyond the ceiling (Cohen 1979)",
    build: read,
};

fn read(parameters: &Yaml, sink: &mut Diagnostics) -> Option<super::ServingModel> {
    no_parameters(PLUGIN.name, parameters, sink).map(|()| super::ServingModel::Slots(PartlyCpu))
}

/// Requests that use CPU for a part of their service time: independent as long as the CPU suffices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartlyCpu;

impl Serving for PartlyCpu {
    fn cpu(&self) -> CpuUnderLoad {
        CpuUnderLoad::Part
    }

    fn compile<W: WithModel>(&self, slowed: bool, with: W) -> W::Output {
        if slowed { with.with(Sharing::default()) } else { with.with(Slots::default()) }
    }
}

/// Independent slots. A replica with c slots and a queue is the G/G/c station of queueing theory.
#[derive(Debug, Default)]
pub struct Slots {
    /// Relative speed by seat.
    speeds: Vec<f64>,
}

/// The time that `demand` takes on a node of `speed`, to the nanosecond.
#[inline]
pub(super) fn on_node(demand: SimDuration, speed: f64) -> SimDuration {
    if speed == 1.0 { demand } else { demand.scale(1.0 / speed) }
}

impl ServiceModel for Slots {
    fn open(&mut self, seat: u32, speed: f64, _full: f64) {
        if seat as usize >= self.speeds.len() {
            self.speeds.resize(seat as usize + 1, 1.0);
        }
        self.speeds[seat as usize] = speed;
    }

    #[inline]
    fn start(&mut self, seat: u32, job: u32, work: Work, now: SimTime) -> Option<Due> {
        Some(Due { time: now + on_node(work.demand, self.speeds[seat as usize]), tag: job })
    }

    #[inline]
    fn due(&mut self, _seat: u32, tag: u32, _now: SimTime) -> Finished {
        Finished { job: Some(tag), next: None }
    }

    fn evict(&mut self, _seat: u32, _job: u32, _now: SimTime) -> Evicted {
        Evicted { lingers: true, next: None }
    }

    fn work_done(&self, _seat: u32, busy_nanos: u128, _now: SimTime) -> f64 {
        busy_nanos as f64
    }

    fn alone(&self, seat: u32, work: Work) -> SimDuration {
        on_node(work.demand, self.speeds[seat as usize])
    }
}
