//! Bursts on all time scales: the rate of a stretch of time is divided unevenly between its halves, repeatedly.

use std::sync::Arc;

use super::plugin::GeneratorPlugin;
use super::process::{Envelope, Model, Process, Request, Synthetic};
use super::steady::positive_rate;
use crate::config::{Diagnostics, Fields};
use crate::random::{Draw, Purpose};
use crate::units::{Fraction, SimDuration};
use crate::workload::recipe::Opening;
use crate::workload::shape::halves::{InOrder, share};
use crate::workload::shape::profile::Profile;

/// The entry in the list.
pub const PLUGIN: GeneratorPlugin = GeneratorPlugin {
    name: "cascade",
    summary: "bursts on all scales: a `rate` along a `profile` of relative rates per `block`, each block divided between its halves again and again, \
              so `uneven: [0.6, 0.4, ..]`; `together: 90%` of the requests of a last part come at one instant",
    source: "multifractal wavelet model (Riedi, Crouse, Ribeiro and Baraniuk 1999), the rate of a Poisson process",
    build: |node, sink| {
        let fields = Fields::open(node, "cascade", sink)?;
        let before = sink.len();
        let envelope = Envelope::read(&fields, sink);
        let rate = positive_rate(&fields, "rate", sink);
        let block: Option<SimDuration> = fields.required("block", sink);
        let uneven: Vec<f64> = fields.or("uneven", Vec::new(), sink);
        let profile = read_profile(&fields, sink);
        let together = fields.or("together", Fraction::default(), sink).get();
        if uneven.len() > MAX_HALVINGS || uneven.iter().any(|cv| !(0.0..=1.0).contains(cv)) {
            let error = fields.node_of("uneven").unwrap_or(node).error(format!(
                "expected at most {MAX_HALVINGS} coefficients of variation from 0 (both halves alike) to 1 (all in one half)"
            ));
            sink.push(error);
        }
        if block.is_some_and(|block| block < SimDuration::from_millis(1)) {
            sink.push(fields.node_of("block").unwrap_or(node).error("expected a block of at least 1ms"));
        }
        fields.finish(sink);
        let (rate, block, profile) = (rate?, block?.as_secs_f64(), profile?);
        (sink.len() == before)
            .then(|| Synthetic::recipe(Cascade { rate, block, profile, uneven: uneven.into(), together }, envelope))
    },
};

/// The parts of a block of one year are then two seconds long.
const MAX_HALVINGS: usize = 24;
/// Maximum number of relative rates in a profile.
const MAX_PROFILE: usize = 1024;

/// The relative rates at the middles of consecutive blocks.
fn read_profile(fields: &Fields<'_>, sink: &mut Diagnostics) -> Option<Arc<Profile>> {
    let values: Vec<f64> = fields.or("profile", vec![1.0], sink);
    let some = values.iter().any(|value| *value > 0.0);
    let usable = some && values.len() <= MAX_PROFILE && values.iter().all(|value| (0.0..=1e12).contains(value));
    if !usable {
        let error = format!("expected 1 to {MAX_PROFILE} relative rates, none negative and not all zero");
        sink.push(fields.node_of("profile").unwrap_or(fields.node()).error(error));
    }
    usable.then(|| Arc::new(Profile::through(&values)))
}

/// The expected rate follows straight lines through the values of the profile at the middles of the blocks, and starts
/// again after the last. A stretch of a block gives its first half a share A of its rate and the second half 1 - A. A
/// has a Beta distribution around the share a that follows from the profile, one half if the profile is level. Its
/// variance is c^2 a (1 - a), with one c for each halving, starting from the block: around one half, c is the
/// coefficient of variation of A. Within the last parts requests are a Poisson process.
///
/// With a flat profile, m requests on average in a part after the j-th halving and coefficients c, the index of
/// dispersion of the counts of such parts is 1 + m ((1 + c_1^2) ... (1 + c_j^2) - 1).
///
/// Each stretch has its own random numbers, keyed by its position, so that the bursts are the same at any rate.
#[derive(Debug, Clone)]
struct Cascade {
    /// Mean rate per second over the profile.
    rate: f64,
    /// Length of a block, seconds.
    block: f64,
    profile: Arc<Profile>,
    /// Coefficient of variation of a half's share, by halving.
    uneven: Arc<[f64]>,
    /// Share of the requests of a last part, except its first, that arrive at the same instant as the previous one.
    together: f64,
}

impl Model for Cascade {
    fn process(&self, opening: Opening) -> Box<dyn Process> {
        let draw = opening.draw(Purpose::Arrival, 0);
        let part = InOrder { left: 0, at: 0.0, end: 0.0 };
        Box::new(Descent {
            model: self.clone(),
            opening,
            draw,
            block: u64::MAX,
            stretches: Vec::new(),
            part,
            left: 0,
            begun: true,
        })
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(Cascade { rate: self.rate * factor, ..self.clone() })
    }
}

/// A part of the current block: its number of halvings, its index among the parts of this length, and its requests.
struct Stretch {
    halvings: usize,
    index: u64,
    requests: u64,
}

/// Walks through the halves in order of time. Stretches without requests are skipped.
struct Descent {
    model: Cascade,
    opening: Opening,
    draw: Draw,
    /// Number of the current block.
    block: u64,
    stretches: Vec<Stretch>,
    /// The arrival times of the current last part.
    part: InOrder,
    /// Number of its remaining requests.
    left: u64,
    /// Whether one of them was returned already.
    begun: bool,
}

impl Descent {
    /// The next request of the current part.
    fn here(&mut self) -> Request {
        // Each remaining request starts a new instant with equal probability, such that the number of instants fits;
        // the first one always does.
        let new = !self.begun
            || self.part.left == self.left
            || self.draw.uniform() * (self.left as f64) < self.part.left as f64;
        if new {
            self.part.next(&mut self.draw);
        }
        (self.begun, self.left) = (true, self.left - 1);
        Request::at(self.part.at)
    }

    /// Start, middle and end of a stretch of the current block, in blocks of the profile.
    fn place(&self, halvings: usize, index: u64) -> (f64, f64, f64) {
        let long = f64::exp2(-(halvings as f64));
        let from = (self.block % self.model.profile.values().len() as u64) as f64 + index as f64 * long;
        (from, from + long / 2.0, from + long)
    }

    /// Advances to the next stretch, by halving it or entering it.
    fn advance(&mut self) {
        let Some(stretch) = self.stretches.pop() else {
            self.block = self.block.wrapping_add(1);
            let (from, _, to) = self.place(0, 0);
            let mass = self.model.profile.upto(to) - self.model.profile.upto(from);
            let mean = self.model.rate * self.model.block * mass;
            self.stretches.push(Stretch { halvings: 0, index: 0, requests: self.draw.poisson(mean) });
            return;
        };
        let Stretch { halvings, index, requests } = stretch;
        if requests == 0 {
            return;
        }
        let Some(uneven) = self.model.uneven.get(halvings) else {
            return self.enter(&stretch);
        };
        let (from, middle, to) = self.place(halvings, index);
        let even = self.model.profile.share(from, middle, to);
        // The stretches within a block have numbers below 2^25.
        let own = self.block << 25 | 1 << halvings | index;
        let share = share(even, uneven * uneven, || self.opening.node(0, own));
        let first = self.draw.binomial(requests, share);
        let half = |index, requests| Stretch { halvings: halvings + 1, index, requests };
        self.stretches.push(half(2 * index + 1, requests - first));
        self.stretches.push(half(2 * index, first));
    }

    fn enter(&mut self, stretch: &Stretch) {
        let length = self.model.block / (1_u64 << stretch.halvings) as f64;
        let at = self.block as f64 * self.model.block + stretch.index as f64 * length;
        let instants = match self.model.together {
            together if together > 0.0 => 1 + self.draw.binomial(stretch.requests - 1, 1.0 - together),
            _ => stretch.requests,
        };
        self.part = InOrder { left: instants, at, end: at + length };
        (self.left, self.begun) = (stretch.requests, false);
    }
}

impl Process for Descent {
    fn next(&mut self) -> Option<Request> {
        while self.left == 0 {
            // The end of representable time.
            if self.block != u64::MAX && self.block as f64 * self.model.block > 1.9e10 {
                return None;
            }
            self.advance();
        }
        Some(self.here())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Counts, recipe, requests, workload};

    #[test]
    fn the_dispersion_agrees_with_theory_at_each_halving() {
        let text = "cascade: { rate: 2/s, block: 64s, uneven: [0.5, 0.3, 0, 0.8], for: 1280000s }";
        let mut product = 1.0;
        for (halving, uneven) in [0.0, 0.5, 0.3, 0.0, 0.8].into_iter().enumerate() {
            let width = 64.0 / f64::exp2(halving as f64);
            product *= 1.0 + uneven * uneven;
            let counts = Counts::of(&*recipe(text), width);
            let expected = 1.0 + 2.0 * width * (product - 1.0);
            assert!((counts.mean() / (2.0 * width) - 1.0).abs() < 0.01, "{}", counts.mean());
            let index = counts.index_of_dispersion();
            assert!((index / expected - 1.0).abs() < 0.05, "halving {halving}: {index} for {expected}");
        }
    }

    #[test]
    fn the_profile_begins_again() {
        // Lines from 1 at the middle of the first hour to 3 at that of the second, level outside: means 1.25 and 2.75.
        let text = "cascade: { rate: 10/s, block: 1h, profile: [1, 3], uneven: [0, 0, 0, 0, 0], for: 5h }";
        let counts = Counts::of(&*recipe(text), 3600.0);
        for (hour, expected) in [22_500.0, 49_500.0, 22_500.0, 49_500.0, 22_500.0].into_iter().enumerate() {
            assert!((counts.0[hour] - expected).abs() < 5.0 * f64::sqrt(expected), "{hour}: {}", counts.0[hour]);
        }
    }

    #[test]
    fn requests_of_a_part_share_instants() {
        let all = requests(&*recipe("cascade: { rate: 10/s, block: 1s, together: 80%, for: 4000s }"));
        let same = all.arrivals.windows(2).filter(|pair| pair[0] == pair[1]).count() as f64;
        // All but the first of each second: 10 - (1 - e^-10) of 10.
        assert!((same / (0.8 * 9.0 * 4000.0) - 1.0).abs() < 0.02, "{same}");
    }

    #[test]
    fn all_in_one_half_is_a_burst() {
        // Ten halvings of 64 s with all requests in one half: one burst of a sixteenth of a second per minute.
        let uneven = ["1"; 10].join(", ");
        let counts = Counts::of(
            &*recipe(&format!("cascade: {{ rate: 5/s, block: 64s, uneven: [{uneven}], for: 640000s }}")),
            0.0625,
        );
        let full = counts.0.iter().filter(|count| **count > 0.0).count();
        assert!((9_990..=10_000).contains(&full), "{full}");
    }

    #[test]
    fn the_same_bursts_come_at_any_rate() {
        let at = |rate: u32| {
            let text = format!("cascade: {{ rate: {rate}/s, block: 64s, uneven: [0.9, 0.9, 0.9], for: 64000s }}");
            Counts::of(&*recipe(&text), 8.0).0
        };
        let (slow, fast) = (at(20), at(200));
        let apart = slow.iter().zip(&fast).map(|(a, b)| (b / 10.0 - a).powi(2)).sum::<f64>() / slow.len() as f64;
        // Poisson noise only: 160 and 16 on average.
        assert!((apart / 176.0 - 1.0).abs() < 0.2, "{apart}");
    }

    #[rstest::rstest]
    #[case("rate: 1/s", "block")]
    #[case("rate: 1/s, block: 1s, uneven: [1.5]", "from 0 (both halves alike) to 1")]
    #[case("rate: 1/s, block: 1s, profile: [0, 0]", "not all zero")]
    #[case("rate: 1/s, block: 1s, profile: [0, -1]", "not all zero")]
    #[case("rate: 1/s, block: 0s", "at least 1ms")]
    fn what_makes_no_sense_is_refused(#[case] fields: &str, #[case] why: &str) {
        let error = workload(&format!("cascade: {{ {fields}, for: 1h }}")).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
}
