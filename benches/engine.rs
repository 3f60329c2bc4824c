//! Cost per request by workload, number of replicas and dispatcher: `cargo bench --locked --bench engine`.

use divan::Bencher;
use divan::counter::ItemsCount;
use plimsoll::engine::{RunSpec, Simulation};
use plimsoll::validate::benchmark::{WORKLOADS, fixed_pool};

const REQUESTS: u64 = 2_000_000;

fn main() {
    divan::main();
}

fn run(bencher: Bencher<'_, '_>, build: impl Fn() -> RunSpec + Sync) {
    bencher
        .counter(ItemsCount::new(REQUESTS))
        .with_inputs(|| Simulation::new(build()).expect("it builds"))
        .bench_values(|simulation| simulation.run(&mut |_| {}).expect("it runs").events);
}

/// As run by `plimsoll bench`.
#[divan::bench(args = ["W1", "W2", "sharing", "retries"], sample_count = 5)]
fn workload(bencher: Bencher<'_, '_>, name: &str) {
    let workload = WORKLOADS.iter().find(|workload| workload.name == name).expect("a known workload");
    run(bencher, || workload.run_spec(REQUESTS, 1).expect("a run of the engine"));
}

/// Growth with the number of replicas at load 0.7.
#[divan::bench(args = [10, 100, 1_000, 10_000], consts = [0, 1, 2, 3, 4], sample_count = 5)]
fn pool<const DISPATCHER: usize>(bencher: Bencher<'_, '_>, replicas: u32) {
    let dispatcher = ["least-loaded", "power-of-two", "round-robin", "weighted", "random"][DISPATCHER];
    run(bencher, || fixed_pool(replicas, dispatcher, REQUESTS, 1));
}
