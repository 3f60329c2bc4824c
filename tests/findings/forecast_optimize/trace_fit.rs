//! A2, B2: `trace fit`.

use super::super::trial::Trial;

/// A2: gaps of dense traffic chained it into clusters of 126,033 requests, which the generator refuses, and the fit stopped there.
#[test]
fn a_dense_poisson_process_is_found_to_be_one() {
    let trial = Trial::new(&[]);
    trial.expect("trace synth poisson --set rate=120/s --duration 2h --counts 1m -o p.csv", 0);
    let fitted = trial.expect("trace fit p.csv", 0);
    assert!(!fitted.contains("clusters"), "{fitted}");
}
