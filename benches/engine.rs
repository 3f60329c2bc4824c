//! Cost per request by number of replicas and dispatcher: `cargo bench --locked --bench engine`.

use divan::Bencher;
use divan::counter::ItemsCount;
use plimsoll::engine::Simulation;
use plimsoll::validate::benchmark::{WORKLOADS, fixed_pool};

const REQUESTS: u64 = 2_000_000;

fn main() {
    divan::main();
}

/// W1 and W2, as run by `plimsoll bench`.
#[divan::bench(args = ["W1", "W2"], sample_count = 5)]
fn workload(bencher: Bencher<'_, '_>, name: &str) {
    let build = WORKLOADS.iter().find(|workload| workload.name == name).map(|workload| workload.build);
    let build = build.expect("a known workload");
    bencher
        .counter(ItemsCount::new(REQUESTS))
        .with_inputs(|| Simulation::new(build(REQUESTS, 1)).expect("it builds"))
        .bench_values(|simulation| simulation.run(&mut |_| {}).expect("it runs").events);
}

/// Growth with the number of replicas at load 0.7.
#[divan::bench(args = [10, 100, 1_000, 10_000], consts = [0, 1, 2], sample_count = 5)]
fn pool<const DISPATCHER: usize>(bencher: Bencher<'_, '_>, replicas: u32) {
    let dispatcher = ["least-loaded", "power-of-two", "round-robin"][DISPATCHER];
    bencher
        .counter(ItemsCount::new(REQUESTS))
        .with_inputs(|| Simulation::new(fixed_pool(replicas, dispatcher, REQUESTS, 1)).expect("it builds"))
        .bench_values(|simulation| simulation.run(&mut |_| {}).expect("it runs").events);
}
