//! Axes of time are by the calendar of the trace's zone, and on request since the start, in every command that draws them.

use crate::findings::trial::Trial;

const SCENARIO: &str = "\
workload: { trace: c.csv, expand: even }
service:
  concurrency: 4
  service-time: 100ms
  resources: { requests: { cpu: 1, memory: 1Gi } }
  price: $0.04/h
objectives: [ { latency: { within: 500ms, target: 99% } } ]
expect: [ p99 < 60s ]
policies: { two: { static: { replicas: 2 } } }
";

fn trial() -> Trial {
    let rows: String = (0..24)
        .map(|step| format!("2025-11-27T{:02}:{:02}:00-05:00,{}\n", 17 + step / 6, step % 6 * 10, 60 + step))
        .collect();
    Trial::new(&[("s.yaml", SCENARIO), ("c.csv", &format!("time,requests\n{rows}"))])
}

/// The commands that draw over time, and one chart of each.
const COMMANDS: [(&str, &str); 6] = [
    ("run s.yaml --quiet", "out/s/load-and-capacity.svg"),
    ("whatif s.yaml --scale 2x --replications 2 --quiet", "out/s-whatif/0-base/load-and-capacity.svg"),
    ("optimize provision s.yaml --interval 10m --quiet", "out/s/provision-1-service.svg"),
    ("trace plot c.csv", "out/rate.svg"),
    ("test s.yaml --replications 2 --quiet --charts out", "out/s/load-and-capacity.svg"),
    ("trace inspect c.csv --charts out", "out/rate.svg"),
];

#[test]
fn charts_are_by_the_calendar_and_on_request_since_the_start() {
    for (command, chart) in COMMANDS {
        let trial = trial();
        let out = if command.contains("out") { "" } else { " --out out" };
        trial.expect(&format!("{command}{out}"), 0);
        let svg = trial.read(chart);
        assert!(
            svg.contains("time (-05:00), from 2025-11-27") && !svg.contains("time since the start"),
            "{command}: {svg}"
        );
        trial.expect(&format!("{command}{out} --axis elapsed"), 0);
        let svg = trial.read(chart);
        assert!(!svg.contains("from 2025-11-27") && svg.contains("time since the start"), "{command}: {svg}");
    }
}

#[test]
fn times_in_files_are_by_the_clock_of_the_zone() {
    let trial = trial();
    trial.expect("trace plot c.csv --out out", 0);
    assert!(trial.read("out/rate.csv").contains(",2025-11-27T17:00:00-05:00,"), "{}", trial.read("out/rate.csv"));
    trial.expect("optimize provision s.yaml --interval 10m --quiet --out out", 0);
    let plan = trial.read("out/s/provision.csv");
    assert!(plan.starts_with("plan,from_s,from_time,") && plan.contains(",600,2025-11-27T17:10:00-05:00,"), "{plan}");
}
