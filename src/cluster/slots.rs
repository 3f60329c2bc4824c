//! Independent slots: each job takes its demand, regardless of how many run in parallel.

use super::service_model::{Due, Evicted, Finished, ServiceModel};
use crate::units::{SimDuration, SimTime};

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
    fn start(&mut self, seat: u32, job: u32, demand: SimDuration, now: SimTime) -> Option<Due> {
        Some(Due { time: now + on_node(demand, self.speeds[seat as usize]), tag: job })
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

    fn alone(&self, seat: u32, demand: SimDuration) -> SimDuration {
        on_node(demand, self.speeds[seat as usize])
    }
}
