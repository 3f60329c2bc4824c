//! K17, case F44: rolling updates, and CPU used while starting.

use std::path::Path;

use plimsoll::engine::{Fate, Interval, ServiceRecord};
use plimsoll::units::SimTime;

use super::super::trial::Trial;
use super::super::world::{read, record, rescales, run};

/// Four replicas that take a minute to become ready, under a fault and a policy; intervals of ten seconds.
fn scenario(fault: &str, policy: &str) -> String {
    format!(
        "duration: 30m
interval: 10s
workload: {{ poisson: {{ rate: 20/s, for: 30m }} }}
service: {{ name: web, replicas: 4, service-time: 50ms, concurrency: 4, cpu-per-request: 20ms, resources: {{ requests: {{ cpu: 500m }} }}, \
         start-up: {{ ready: 60s }}, price: $1/h }}
faults: [{{ rollout: {{ service: web, at: 10m{fault} }} }}]
policies: {{ p: {policy} }}
"
    )
}

const FIXED: &str = "{ static: { replicas: 4 } }";

/// A value in the intervals that start in these minutes.
fn of(service: &ServiceRecord, minutes: std::ops::Range<u64>, value: fn(&Interval) -> f64) -> Vec<f64> {
    let within = |row: &&Interval| {
        (SimTime::from_secs(minutes.start * 60)..SimTime::from_secs(minutes.end * 60)).contains(&row.start)
    };
    service.timeline.iter().filter(within).map(value).collect()
}

fn all(values: &[f64], expected: f64) -> bool {
    near(values, expected, 1e-9)
}

/// A removed replica may still finish a request of 50 ms, in the first of its intervals of ten seconds.
fn near(values: &[f64], expected: f64, error: f64) -> bool {
    !values.is_empty() && values.iter().all(|value| (value - expected).abs() <= error)
}

const DRAIN: f64 = 0.006;

#[test]
fn one_more_at_a_time() {
    let found = record(&scenario(", max-surge: 1, max-unavailable: 0", FIXED));
    let service = &found.services[0];
    // Four steps of a minute each: four are ready all the time, and one more is paid for.
    assert!(all(&of(service, 0..30, |row| row.ready), 4.0));
    assert!(all(&of(service, 0..30, |row| row.wanted), 4.0));
    assert!(all(&of(service, 10..14, |row| row.starting), 1.0));
    assert!(near(&of(service, 10..14, |row| row.leased.unwrap()), 5.0, DRAIN));
    assert!(near(&of(service, 14..30, |row| row.leased.unwrap()), 4.0, DRAIN));
    assert_eq!(found.leases.len(), 8);
    // 4 replicas for half an hour, and one for four minutes.
    assert!((found.cost.unwrap().as_f64() - (4.0 * 0.5 + 4.0 / 60.0)).abs() < 3e-3, "{:?}", found.cost);
    assert_eq!(service.counts[Fate::Failed] + service.counts[Fate::Rejected], 0);
}

#[test]
fn one_fewer_at_a_time() {
    let found = record(&scenario(", max-surge: 0, max-unavailable: 1", FIXED));
    let service = &found.services[0];
    assert!(all(&of(service, 10..14, |row| row.ready), 3.0));
    assert!(all(&of(service, 10..14, |row| row.starting), 1.0));
    assert!(all(&of(service, 14..30, |row| row.ready), 4.0));
}

#[test]
fn a_quarter_each_is_the_default() {
    // One more and one fewer of four: two new ones start at once, with three old ones, then two more.
    let found = record(&scenario("", FIXED));
    let service = &found.services[0];
    assert!(all(&of(service, 10..11, |row| row.ready), 3.0));
    assert!(all(&of(service, 10..12, |row| row.starting), 2.0));
    assert!(all(&of(service, 12..30, |row| row.starting), 0.0));
}

#[test]
fn recreate_has_no_replica_for_a_while() {
    let found = record(&scenario(", strategy: recreate", FIXED));
    let service = &found.services[0];
    assert_eq!(of(service, 10..12, |row| row.ready.round())[..7], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 4.0]);
    assert!(service.counts[Fate::Rejected] > 1000, "{:?}", service.counts);
}

#[test]
fn all_of_them_twice_is_seen_by_the_autoscaler_as_pods() {
    // Twice the pods, of which the new ones are not ready and not part of the average: the size is kept.
    let hpa = "{ hpa: { min: 2, max: 12, tolerance: 0.5, target: { cpu: 20% } } }";
    let found = record(&scenario(", max-surge: 100%, max-unavailable: 0", hpa));
    assert_eq!(rescales(&found.services[0])[..], []);
    assert_eq!(found.leases.len(), 8);
}

#[test]
fn a_resize_during_a_rollout_is_shared_out() {
    // From 11 minutes on twice the load, with two of eight new: both versions grow, and the rollout ends with the new
    // one only.
    let text = scenario(", max-surge: 2, max-unavailable: 0", "{ hpa: { min: 4, max: 12, target: { cpu: 30% } } }");
    let text =
        text.replace("poisson: { rate: 20/s", "nhpp: { steps: [{ at: 0s, rate: 27/s }, { at: 645s, rate: 60/s }]");
    let found = record(&text);
    let service = &found.services[0];
    let (at, from, to) = rescales(service)[0];
    assert!((645..720).contains(&at) && from == 4 && to > 5, "{:?}", rescales(service));
    let last = service.timeline.last().unwrap();
    assert!((last.ready + last.starting - last.wanted).abs() < 1e-9, "nobody of the old version is left");
    assert!(service.max_ready <= 14);
}

#[test]
fn the_manifest_states_how() {
    let text = scenario("", FIXED).replace("name: web, replicas: 4", "manifest: d.yaml");
    let manifest = "apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 4
  minReadySeconds: 30
  strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }
  template: { spec: { containers: [{ name: web }] } }
";
    let (scenario, said) = read(&[("scenario.yaml", &text), ("d.yaml", manifest)]);
    let found = run(&scenario.unwrap_or_else(|| panic!("{said}")), 0);
    // A step takes a minute and a half: the fifth is ready for thirty seconds before an old one is removed.
    let ready = of(&found.services[0], 10..16, |row| row.ready);
    assert!(all(&ready[..6], 4.0) && all(&ready[6..9], 5.0) && all(&ready[9..15], 4.0), "{ready:?}");
    assert!(near(&of(&found.services[0], 16..30, |row| row.leased.unwrap()), 4.0, DRAIN));
}

#[test]
fn a_new_version_has_a_new_image() {
    let nodes = "nodes: [{ instance: m6i.4xlarge, region: us-east-1, count: 1 }]\n";
    let text = scenario(", max-surge: 1, max-unavailable: 0", FIXED);
    let text = text
        .replace("start-up: { ready: 60s }", "start-up: { image-pull: 2m, ready: 60s }")
        .replace(", price: $1/h", "");
    let starting = |text: &str| {
        let found = record(&format!("{nodes}{text}"));
        of(&found.services[0], 10..30, |row| row.starting).iter().sum::<f64>() * 10.0
    };
    // One pull for all four, then a minute each; a restart pulls nothing.
    assert!((starting(&text) - 360.0).abs() < 1e-6);
    assert!((starting(&text.replace("at: 10m", "at: 10m, new-image: false")) - 240.0).abs() < 1e-6);
}

#[test]
fn start_up_cpu_is_burned_until_ready_and_seen_by_the_metrics() {
    // Hardly any requests. At 80% of 500m, a replica that uses 450m until it is ready is left out of the average,
    // unless that takes longer than the five minutes of the CPU initialization period.
    let of = |start_up: &str| {
        let text = scenario(", max-surge: 1, max-unavailable: 0", "{ hpa: { min: 1, max: 5, target: { cpu: 50% } } }");
        let text = text.replace("rate: 20/s", "rate: 0.1/s").replace("replicas: 4", "replicas: 1");
        let text = text.replace("start-up: { ready: 60s }", start_up);
        rescales(&record(&text).services[0])
    };
    assert_eq!(of("start-up: { ready: 60s, cpu: 450m }"), []);
    assert_eq!(of("start-up: { ready: 4m, cpu: 450m }"), []);
    // Ready after ten seconds, warm after three minutes.
    let early = of("start-up: { ready: 10s, cpu: 450m, cpu-for: 3m }");
    assert!(early.first().is_some_and(|(at, from, to)| (610..660).contains(at) && (*from, *to) == (1, 2)), "{early:?}");
}

#[test]
fn what_the_reporters_saw() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("policy-tests/known-behaviour");
    let trial = Trial::new(&[]);
    for file in ["rollout-memory-ratchet", "start-up-cpu-java", "start-up-cpu-java-mended"] {
        trial.expect(&format!("test {}", shipped.join(format!("{file}.yaml")).display()), 0);
    }
}

/// Crashes, retries, a lost zone, little room and changing sizes during consecutive rollouts: the engine's own
/// invariants hold in every run, and in the quiet period at the end the number of replicas is the desired one, all of
/// them ready.
#[test]
fn a_rollout_ends_whatever_happens_meanwhile() {
    let strategies = [
        "max-surge: 2, max-unavailable: 0",
        "max-surge: 0, max-unavailable: 50%",
        "strategy: recreate",
        "max-surge: 100%",
    ];
    for (number, strategy) in (0..24).zip(strategies.iter().cycle()) {
        let nodes = match number % 3 {
            0 => "",
            1 => "nodes: [{ instance: m6i.large, region: us-east-1, count: 4, zones: [a, b] }]\n",
            _ => "nodes: [{ instance: m6i.large, region: us-east-1, count: 2, zones: [a, b] }]\n",
        };
        let text = format!(
            "seed: {number}
duration: 40m
interval: 30s
workload: {{ nhpp: {{ steps: [{{ at: 0s, rate: 10/s }}, {{ at: 4m, rate: 30/s }}, {{ at: 9m, rate: 5/s }}, {{ at: 20m, rate: 0.001/s }}], for: 40m }} }}
{nodes}service:
  name: web
  replicas: 4
  service-time: {{ exponential: {{ mean: 200ms }} }}
  concurrency: 2
  queue-limit: 20
  timeout: 5s
  retry: {{ attempts: 3, backoff: 100ms }}
  cpu-per-request: 50ms
  resources: {{ requests: {{ cpu: 900m }} }}
  start-up: {{ scheduled: 1s, image-pull: 7s, started: 2s, ready: {{ exponential: {{ mean: 15s }} }}, cpu: 300m }}
  crash-after: {{ exponential: {{ mean: 90m }} }}
faults:
  - rollout: {{ at: 3m, {strategy} }}
  - zone-outage: {{ zone: a, at: 4m, for: 2m }}
  - rollout: {{ at: 4m10s, {strategy} }}
  - rollout: {{ at: 10m, {strategy} }}
policies: {{ p: {{ hpa: {{ min: 2, max: 7, target: {{ cpu: 20% }}, downscale-stabilization: 30s }} }} }}
"
        );
        let found = record(&text);
        let last = found.services[0].timeline.iter().rev().nth(1).unwrap();
        let (wanted, ready, starting) = (last.wanted, last.ready, last.starting);
        assert!(
            (ready + starting - wanted).abs() < 1e-9,
            "{number}: {wanted} wanted, {ready} ready, {starting} starting"
        );
        assert!(ready > 0.0 && wanted <= 7.0, "{number}: {wanted} wanted, {ready} ready");
    }
}

#[test]
fn mistakes_are_explained() {
    for (fault, said) in [
        (", max-surge: few", "such as `1` or `25%`"),
        (", strategy: blue-green", "a strategy must be `rolling-update` or `recreate`"),
        (", max-surg: 1", "did you mean `max-surge`?"),
    ] {
        let (scenario, shown) = read(&[("scenario.yaml", &scenario(fault, FIXED))]);
        assert!(scenario.is_none() && shown.contains(said), "{shown}");
    }
    let text = scenario("", FIXED).replace("service: web, at", "service: webb, at");
    let (_, shown) = read(&[("scenario.yaml", &text)]);
    assert!(shown.contains("there is no service `webb`") && shown.contains("did you mean `web`?"), "{shown}");
}
