//! Users who wait for a response, think, and send another request: a closed loop, whose arrivals depend on the
//! responses.

use crate::random::{Distribution, Purpose, Streams};
use crate::units::{SimDuration, SimTime};

/// Users of a closed loop. A user thinks, sends a request, waits until it is answered or lost for good, and thinks
/// again.
#[derive(Debug, Clone, PartialEq)]
pub struct Clients {
    /// The number of users over time, as (from, users) in order; none before the first entry.
    pub users: Vec<(SimTime, u32)>,
    /// Time between the end of a request and the user's next one.
    pub think: Distribution,
}

/// Maximum number of users.
pub(super) const MAX_USERS: u32 = 10_000_000;

impl Clients {
    /// Maximum number of users at any time: request number `n` of user `c` has the ordinal `n * most + c`.
    pub fn most(&self) -> u32 {
        self.users.iter().map(|(_, users)| *users).max().unwrap_or(0)
    }

    /// When a user who starts to think at `from` sends the request with this ordinal; `None` if the user is not active
    /// any more. Keyed by user and request number, so that every policy meets the same think times. A user who is not
    /// active at that time returns when the number of users allows it, and thinks first.
    pub fn next_request(&self, streams: Streams, service: u64, ordinal: u64, from: SimTime) -> Option<SimTime> {
        let user = (ordinal % u64::from(self.most().max(1))) as u32;
        let think = self.think.sample_duration(&mut streams.keyed(Purpose::ThinkTime, service, ordinal));
        let mut at = from + think;
        loop {
            let step = self.users.partition_point(|(start, _)| *start <= at);
            let present = step.checked_sub(1).map_or(0, |step| self.users[step].1);
            if user < present {
                return Some(at);
            }
            let (start, _) = self.users[step..].iter().find(|(_, users)| user < *users)?;
            at = *start + think;
        }
    }

    /// The same with `factor` times as many users, rounded.
    pub(super) fn scaled(&self, factor: f64) -> Clients {
        let times = |users: u32| (f64::from(users) * factor).round().min(f64::from(MAX_USERS)) as u32;
        Clients { users: self.users.iter().map(|(start, users)| (*start, times(*users))).collect(), ..self.clone() }
    }

    /// The last change of the number of users.
    pub(super) fn last_change(&self) -> SimDuration {
        self.users.last().map_or(SimDuration::ZERO, |(start, _)| start.since(SimTime::ZERO))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_come_and_go() {
        let at = SimTime::from_secs;
        let users = vec![(at(0), 2), (at(100), 4), (at(200), 1)];
        let clients = Clients { users, think: Distribution::constant(SimDuration::from_secs(5)) };
        let next = |ordinal, from| clients.next_request(Streams::new(1, 0), 0, ordinal, at(from));
        assert_eq!(clients.most(), 4);
        assert_eq!((next(0, 0), next(5, 0)), (Some(at(5)), Some(at(5))));
        // The third and fourth join at 100 s; from 200 s on only the first stays.
        assert_eq!((next(3, 0), next(7, 50)), (Some(at(105)), Some(at(105))));
        assert_eq!((next(1, 196), next(0, 196)), (None, Some(at(201))));
    }
}
