//! Finding 5: `scale-rate` made clumps of copies.

use plimsoll::random::Streams;
use plimsoll::units::SimDuration;
use plimsoll::workload::{TraceOptions, WorkloadSpec, arrivals_per_step};

use super::super::trial::Trial;

/// The index of dispersion of a trace's counts per number of seconds.
fn dispersion(trial: &Trial, name: &str, seconds: u64) -> f64 {
    let spec = WorkloadSpec::from_trace(&trial.path(name), TraceOptions::default());
    let mut source = spec.open(Streams::new(1, 0), 0).unwrap();
    let counts = arrivals_per_step(&mut *source, SimDuration::from_secs(seconds), None).unwrap();
    let n = counts.len() as f64;
    let mean = counts.iter().map(|count| *count as f64).sum::<f64>() / n;
    counts.iter().map(|count| (*count as f64 - mean).powi(2)).sum::<f64>() / n / mean
}

/// A hundred times the requests of a log that is nearly a Poisson process: with D the index of dispersion, a
/// hundredfold rate has 1 + 100 (D - 1). Copies within a second had 89.3 where the log had 1.23; at the load of the
/// finding this reversed the result.
#[test]
fn a_hundredfold_rate_has_the_dispersion_of_a_hundredfold_rate() {
    let trial = Trial::new(&[]);
    trial.expect(
        "trace synth hawkes --set rate=1.07/s --set branching=0.1 --set delay=5s --duration 8h --seed 4 -o log.csv",
        0,
    );
    trial.expect("trace transform log.csv --step {\"scale-rate\":100} -o auto.csv", 0);
    for seconds in [1, 10, 60] {
        let (plain, scaled) = (dispersion(&trial, "log.csv", seconds), dispersion(&trial, "auto.csv", seconds));
        let right = 1.0 + 100.0 * (plain - 1.0);
        // The recorded index itself is known to within two standard errors, times a hundred.
        let error = 200.0 * plain * (2.0 * seconds as f64 / 28_800.0).sqrt();
        assert!(
            (scaled - right).abs() < 0.2 * right + error,
            "{seconds} s: {scaled:.1} for {right:.1}, {plain:.3} before"
        );
    }
}

/// A stated jitter is used, listed among the assumptions, and causes a warning if it distorts.
#[test]
fn a_jitter_that_distorts_is_warned_of() {
    let scenario = "
workload: { trace: log.csv, transforms: [{ scale-rate: { factor: 100, jitter: 1s } }] }
service: { replicas: 40, concurrency: 8, service-time: 80ms, price: $1/h }
objectives: [{ latency: { within: 500ms, target: 99% } }]
policies: { s: { static: { replicas: 40 } } }
";
    let trial = Trial::new(&[("s.yaml", scenario), ("auto.yaml", &scenario.replace(", jitter: 1s", ""))]);
    trial.expect("trace synth poisson --set rate=1/s --duration 1h -o log.csv", 0);
    let warned = trial.expect("check s.yaml", 0);
    assert!(warned.contains("a jitter of 1s: counts per") && warned.contains("index of dispersion"), "{warned}");
    assert!(!trial.expect("check auto.yaml", 0).contains("index of dispersion"));
    let of = |scenario: &str| trial.summary(scenario, "").to_string();
    assert!(of("s.yaml").contains("within a jitter of 1s before them"));
    assert!(of("auto.yaml").contains("are drawn from the rate that they show at each time scale"));
}
