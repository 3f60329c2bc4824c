//! Mean, index of dispersion and autocorrelation of counts compared with theory, for generators whose own tests check
//! other properties.

use super::testing::{Counts, recipe};
use crate::units::{SimDuration, SimTime};
use crate::workload::clients::Clients;

/// Whether counts have a mean, an index of dispersion (within a share of it) and an autocorrelation at a lag (within 0.05).
fn check(counts: &Counts, mean: f64, (index, within): (f64, f64), (lag, correlation): (usize, f64)) {
    assert!((counts.mean() / mean - 1.0).abs() < 0.01, "mean {} for {mean}", counts.mean());
    let found = counts.index_of_dispersion();
    assert!((found / index - 1.0).abs() < within, "index {found} for {index}");
    let found = counts.autocorrelation(lag);
    assert!((found - correlation).abs() < 0.05, "autocorrelation {found} for {correlation}");
}

/// Counts alternate between 3 and 2.
#[test]
fn evenly_spaced() {
    let counts = Counts::of(&*recipe("constant: { rate: 2.5/s, for: 30000s }"), 1.0);
    check(&counts, 2.5, (0.1, 0.01), (1, -1.0));
    check(&counts, 2.5, (0.1, 0.01), (2, 1.0));
}

#[rstest::rstest]
#[case("poisson: { rate: 20/s, for: 20000s }")]
#[case("fraud: { rate: 20/s, peak-to-trough: 1, for: 20000s }")]
#[case("shop: { rate: 20/s, peak-to-trough: 1, weekend: 1, for: 20000s }")]
#[case("nhpp: { steps: [{ at: 0s, rate: 20/s }], for: 20000s }")]
fn independent(#[case] text: &str) {
    check(&Counts::of(&*recipe(text), 1.0), 20.0, (1.0, 0.05), (1, 0.0));
}

/// The rate m (1 + a cos(2 pi t / T)) over bins of w has a swing of A = m w a sinc(w / T): the variance is the mean and
/// A^2 / 2, the covariance at lag k is A^2 / 2 cos(2 pi k w / T).
#[test]
fn along_a_sinusoid() {
    let text = "nhpp: { sinusoid: { mean: 5/s, amplitude: 0.8, period: 800s }, for: 800000s }";
    let counts = Counts::of(&*recipe(text), 100.0);
    let x = std::f64::consts::PI / 8.0;
    let half_square = (500.0 * 0.8 * x.sin() / x).powi(2) / 2.0;
    let index = 1.0 + half_square / 500.0;
    check(&counts, 500.0, (index, 0.03), (4, -half_square / (500.0 + half_square)));
    check(&counts, 500.0, (index, 0.03), (2, 0.0));
}

/// Clusters of requests (Daley and Vere-Jones 2003, section 6.3): over times much longer than a cluster the index of
/// dispersion is E[n^2] / E[n] with n the requests of a cluster, and neighbouring bins are nearly independent.
#[rstest::rstest]
// Sizes 1, 2, 3 with 1/2, 1/4, 1/4.
#[case(
    "shop: { rate: 2/s, peak-to-trough: 1, weekend: 1, retries: { share: 50%, after: 1s, attempts: 3 }, for: 1000000s }",
    3.5,
    3.75 / 1.75
)]
// A geometric number of mean 3: 2 * 3 - 1.
#[case("llm-chat: { rate: 1/s, peak-to-trough: 1, turns: 3, think: 2s, per-token: 0ns, for: 1000000s }", 3.0, 5.0)]
#[case("user-sessions: { rate: 1/s, requests: 3, think: { constant: 2s }, for: 1000000s }", 3.0, 5.0)]
// A login and a Poisson number with an exponential mean of 5: E[n] = 6, E[n^2] = 5 + 5^2 + 6^2.
#[case(
    "game: { players: 10, every: 2s, session: { exponential: { mean: 10s } }, peak-to-trough: 1, for: 1000000s }",
    6.0,
    11.0
)]
fn in_clusters(#[case] text: &str, #[case] rate: f64, #[case] index: f64) {
    check(&Counts::of(&*recipe(text), 500.0), 500.0 * rate, (index, 0.12), (2, 0.0));
}

/// Users who get their response within a second are independent renewal processes: N users with cycles of mean m and
/// coefficient of variation c make N / m requests per second, with an index of dispersion of c^2 over long times (Cox
/// 1962, section 4.2). Cycles are shorter than bins, so bins two apart are independent.
#[rstest::rstest]
#[case("{ exponential: { mean: 9s } }", 81.0 / 100.0)]
#[case("{ uniform: { min: 4s, max: 14s } }", 100.0 / 12.0 / 100.0)]
#[case("{ lognormal: { mean: 9s, cv: 1.5 } }", 2.25 * 81.0 / 100.0)]
fn in_a_closed_loop(#[case] think: &str, #[case] index: f64) {
    let text = format!("closed-loop: {{ users: 20, think: {think} }}");
    let recipe = recipe(&text);
    let clients: &Clients = recipe.clients().unwrap();
    let (width, bins) = (500, 4000);
    let mut counts = Counts(vec![0.0; bins]);
    for user in 0..20 {
        let mut at = SimTime::ZERO;
        for number in 0u64.. {
            let streams = crate::random::Streams::new(11, 0);
            at = clients.next_request(streams, 0, number * 20 + user, at).unwrap();
            let Some(count) = counts.0.get_mut((at.as_nanos() / 1_000_000_000) as usize / width) else { break };
            *count += 1.0;
            at += SimDuration::from_secs(1);
        }
    }
    check(&counts, 20.0 * width as f64 / 10.0, (index, 0.1), (2, 0.0));
}
