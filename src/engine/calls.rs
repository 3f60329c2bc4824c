//! Calls from one service to another.
//!
//! A request makes its calls after its own work, one stage after the other; those of a stage together. A call that is
//! waited for keeps the slot of the caller until it is answered, as a blocking client does; any other is a message that
//! is sent and forgotten. Lanes exchange calls and answers as [`Message`]s, which the simulation delivers into the
//! timers of their receivers.
//!
//! What follows from a request is drawn by its identity (the request and the calls that led there), so that a request
//! makes the same calls with the same demands under every policy.

use crate::units::{Fraction, SimDuration};

/// A call that the requests of a service make.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Call {
    /// The service called: its position in the run.
    pub to: u32,
    /// The probability that a request makes it.
    pub share: Fraction,
    /// How many times at once.
    pub count: u32,
    /// Whether the request keeps its slot until it is answered.
    pub waits: bool,
    /// The delay of the network, in each direction.
    pub network: SimDuration,
}

/// Calls made one after the other; those of an inner list together.
pub type Stages = Vec<Vec<Call>>;

/// The most calls, those of calls included, that a request may lead to on average.
pub const MOST_CALLS: f64 = 1_000.0;

/// How many requests, itself included, a request to each service leads to on average; infinite if more than
/// [`MOST_CALLS`]. `stages` are the calls of each service.
pub fn requests_per_request(stages: &[Stages]) -> Vec<f64> {
    let mut each = vec![1.0; stages.len()];
    // Every round looks one call farther; without a limit at least one more is found in each.
    for _ in 0..=MOST_CALLS as usize {
        let mut further = Vec::with_capacity(each.len());
        for of_one in stages {
            let calls = of_one.iter().flatten();
            let led_to = calls.map(|call| call.share.get() * f64::from(call.count) * each[call.to as usize]);
            further.push(1.0 + led_to.sum::<f64>());
        }
        let found = each.iter().zip(&further).any(|(before, after)| after - before > 1e-9);
        each = further;
        if !found {
            return each;
        }
        each.iter_mut().filter(|each| **each > MOST_CALLS).for_each(|each| *each = f64::INFINITY);
    }
    each
}

/// A request of another lane that waits for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Caller {
    /// Its service.
    pub service: u32,
    /// Its record there, and the generation of that.
    pub job: u32,
    pub generation: u32,
    /// How long the answer is on its way, nanoseconds.
    pub network: u64,
}

/// What one lane sends to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Message {
    /// The service it is for.
    pub to: u32,
    /// When it arrives, nanoseconds.
    pub at: u64,
    pub what: What,
}

/// The content of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// A request with this identity; somebody may wait for its answer.
    Request { identity: u64, caller: Option<Caller> },
    /// The answer to a call of this record, or that there will be none.
    Answer { job: u32, generation: u32, failed: bool },
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn call(to: u32, share: f64, count: u32) -> Call {
        let share = Fraction::new(share).unwrap();
        Call { to, share, count, waits: true, network: SimDuration::ZERO }
    }

    #[rstest]
    #[case::none(vec![vec![]], vec![1.0])]
    #[case::chain(vec![vec![vec![call(1, 0.5, 2)]], vec![vec![call(2, 1.0, 3)]], vec![]], vec![5.0, 4.0, 1.0])]
    #[case::diamond(vec![vec![vec![call(1, 1.0, 1), call(2, 1.0, 1)]], vec![vec![call(2, 1.0, 1)]], vec![]], vec![4.0, 2.0, 1.0])]
    #[case::feedback(vec![vec![vec![call(0, 0.75, 1)]]], vec![4.0])]
    #[case::for_ever(vec![vec![vec![call(1, 1.0, 1)]], vec![vec![call(0, 1.0, 1)]]], vec![f64::INFINITY; 2])]
    #[case::growing(vec![vec![vec![call(1, 1.0, 1)]], vec![vec![call(1, 0.6, 2)]]], vec![f64::INFINITY; 2])]
    fn requests_multiply(#[case] stages: Vec<Stages>, #[case] expected: Vec<f64>) {
        let found = requests_per_request(&stages);
        let near = |(found, expected): (&f64, &f64)| found == expected || (found - expected).abs() < 1e-6;
        assert!(found.iter().zip(&expected).all(near), "{found:?} for {expected:?}");
    }
}
