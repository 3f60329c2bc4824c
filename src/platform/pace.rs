//! How fast a platform starts replicas.

use crate::units::{SimDuration, SimTime};

/// A limit of starts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Pace {
    /// So many starts per so long, refilled continuously; what is not used does not add up beyond that.
    Refilled {
        /// Starts.
        starts: u32,
        /// Per.
        every: SimDuration,
    },
    /// A burst at once, then so many more replicas each minute, counted from the moment at which the burst was used up: the rule of
    /// AWS Lambda until late 2023.
    Burst {
        /// Replicas at once.
        burst: u32,
        /// Further ones per minute.
        per_minute: u32,
    },
}

impl Pace {
    /// A phrase: "at most ...".
    pub(super) fn words(&self) -> String {
        match self {
            Pace::Refilled { starts, every } => format!("at most {starts} starts in {every}, refilled continuously"),
            Pace::Burst { burst, per_minute } => {
                format!("{burst} replicas at once, then {per_minute} more in each minute")
            }
        }
    }
}

/// The state of a [`Pace`].
#[derive(Debug, Clone)]
pub(super) struct Starts {
    pace: Pace,
    /// Starts that are allowed at `at`, times the length of `every` in nanoseconds.
    tokens: u128,
    at: SimTime,
    /// Since when the burst is used up.
    exhausted: Option<SimTime>,
}

impl Starts {
    pub(super) fn new(pace: Pace) -> Starts {
        let tokens = match pace {
            Pace::Refilled { starts, every } => u128::from(starts) * u128::from(every.as_nanos()),
            Pace::Burst { .. } => 0,
        };
        Starts { pace, tokens, at: SimTime::ZERO, exhausted: None }
    }

    /// Whether one more may start at `now` beside the `replicas` that there are; if so, it is counted.
    pub(super) fn take(&mut self, replicas: u32, now: SimTime) -> bool {
        match self.pace {
            Pace::Refilled { starts, every } => self.take_token(u128::from(starts), u128::from(every.as_nanos()), now),
            Pace::Burst { burst, per_minute } => self.take_of_burst(burst, per_minute, replicas, now),
        }
    }

    fn take_token(&mut self, starts: u128, every: u128, now: SimTime) -> bool {
        let gained = u128::from(now.since(self.at).as_nanos()) * starts;
        self.tokens = (self.tokens + gained).min(starts * every);
        self.at = now;
        let enough = self.tokens >= every;
        self.tokens -= if enough { every } else { 0 };
        enough
    }

    fn take_of_burst(&mut self, burst: u32, per_minute: u32, replicas: u32, now: SimTime) -> bool {
        if replicas < burst {
            self.exhausted = None;
            return true;
        }
        let since = *self.exhausted.get_or_insert(now);
        let minutes = now.since(since).as_nanos() / 60_000_000_000;
        u64::from(replicas) < u64::from(burst) + minutes * u64::from(per_minute)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(starts: &mut Starts, replicas: u32, millis: u64) -> u32 {
        let now = SimTime::from_nanos(millis * 1_000_000);
        (0..10_000).take_while(|more| starts.take(replicas + more, now)).count() as u32
    }

    #[test]
    fn a_function_gets_a_thousand_in_ten_seconds() {
        let mut starts = Starts::new(Pace::Refilled { starts: 1000, every: SimDuration::from_secs(10) });
        let mut total = 0;
        for (millis, expected) in [(0, 1000), (5, 0), (10, 1), (1_010, 100), (60_000, 1000)] {
            let got = taken(&mut starts, total, millis);
            assert_eq!(got, expected, "at {millis} ms");
            total += got;
        }
    }

    #[test]
    fn the_old_rule_was_a_burst_and_then_steps() {
        let mut starts = Starts::new(Pace::Burst { burst: 500, per_minute: 500 });
        let mut total = 0;
        for (millis, expected) in [(0, 500), (59_999, 0), (60_000, 500), (61_000, 0), (180_000, 1000)] {
            let got = taken(&mut starts, total, millis);
            assert_eq!(got, expected, "at {millis} ms");
            total += got;
        }
    }
}
