//! The kubelet's delay before it restarts a container that ended.

use crate::units::{SimDuration, SimTime};

/// The delay after the second end; it doubles with each further one (kubelet, `MaxContainerBackOff` and
/// `backOffPeriod`).
const FIRST: SimDuration = SimDuration::from_secs(10);
/// The maximum delay.
const LONGEST: SimDuration = SimDuration::from_secs(300);

/// The back-off of a container (`CrashLoopBackOff`), after `doBackOff` of the kubelet's runtime manager and client-go's
/// `flowcontrol.Backoff`. After its first end a container restarts at once, after later ones with a delay of 10 s, 20 s
/// and so on up to 5 min, measured from the end. An end more than 10 min after the last recorded start counts as the
/// first again.
///
/// Older kubelets check only every 10 to 15 s whether the delay is over, so their containers start up to that much
/// later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BackOff {
    /// The delay after the next end, and when the container was last restarted.
    entry: Option<(SimDuration, SimTime)>,
}

impl BackOff {
    /// Records that a container ended at `now`; returns the delay before it restarts.
    pub fn ended(&mut self, now: SimTime) -> SimDuration {
        let known = self.entry.filter(|(_, started)| now.since(*started) <= SimDuration::from_secs(600));
        let (wait, next) = match known {
            None => (SimDuration::ZERO, FIRST),
            Some((wait, _)) => (wait, (wait + wait).min(LONGEST)),
        };
        self.entry = Some((next, now.saturating_add(wait)));
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_five_minutes() {
        let (mut back_off, mut now, mut waits) = (BackOff::default(), 0, Vec::new());
        for _ in 0..8 {
            now += 7;
            let wait = back_off.ended(SimTime::from_secs(now)).as_nanos() / 1_000_000_000;
            waits.push(wait);
            now += wait;
        }
        assert_eq!(waits, [0, 10, 20, 40, 80, 160, 300, 300]);
    }

    #[test]
    fn the_delay_is_reset_after_ten_minutes() {
        let mut back_off = BackOff::default();
        let mut ended = |at| back_off.ended(SimTime::from_secs(at)).as_nanos() / 1_000_000_000;
        // Started at 100, 710 (600 s later, after a delay of 10 s), 1,311 (601 s later).
        assert_eq!([ended(100), ended(700), ended(1311), ended(1312)], [0, 10, 0, 10]);
    }
}
