use plimsoll::{engine::Simulation, experiment::workloads};
fn main() {
    let n: u64 = std::env::args().nth(1).map_or(10_000_000, |s| s.parse().unwrap());
    let only = std::env::args().nth(2);
    for w in workloads::WORKLOADS {
        if only.as_ref().is_some_and(|o| o != w.name) {
            continue;
        }
        let t = std::time::Instant::now();
        let r = Simulation::new((w.build)(n, 1)).unwrap().run(&mut |_| {}).unwrap();
        let e = t.elapsed().as_secs_f64();
        let s = &r.services[0];
        println!(
            "{} {:.1} ns/request {:.2} M/s wait {:.4} ms sojourn {:.3} ms p99 {:?} ready {:.2} starts {} arrived {}",
            w.name,
            e * 1e9 / s.counts.arrived as f64,
            s.counts.arrived as f64 / e / 1e6,
            s.waiting.mean_secs().unwrap() * 1e3,
            s.sojourn.mean_secs().unwrap() * 1e3,
            s.sojourn.quantile(0.99),
            s.mean_ready,
            s.cold_starts,
            s.counts.arrived
        );
    }
    if only.is_some() {
        return;
    }
    for p in [10, 100, 1000, 10000] {
        let t = std::time::Instant::now();
        let r = Simulation::new(workloads::fixed_pool(p, "least-loaded", n, 1)).unwrap().run(&mut |_| {}).unwrap();
        let e = t.elapsed().as_secs_f64();
        println!("pool {p}: {:.1} ns", e * 1e9 / r.services[0].counts.arrived as f64);
    }
}
