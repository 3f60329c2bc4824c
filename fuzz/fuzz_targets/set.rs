//! Any text as `--set PATH=VALUE` on a sound scenario.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll::config::Diagnostics;
use plimsoll::scenario::Scenario;

const SOUND: &str = "\
duration: 4m
workload: { poisson: { rate: 40/s } }
service:
  name: web
  replicas: 2
  resources: { requests: { cpu: 1 }, limits: { cpu: 1 } }
  concurrency: 4
  service-time: { exponential: { mean: 100ms } }
  timeout: { after: 2s, work: cancel }
  retry: { attempts: 2, backoff: 50ms }
objectives:
  - latency: { within: 500ms, target: 99% }
policies:
  fixed: { static: { replicas: 3 } }
  auto: { hpa: { min: 1, max: 9, target: { cpu: 60% } } }
";

fuzz_target!(|text: &str| {
    let Some((path, value)) = text.split_once('=') else { return };
    let scenario = plimsoll_fuzz::file("set.yaml", SOUND.as_bytes());
    let mut sink = Diagnostics::new();
    let read = Scenario::read(&scenario, &[(path.to_string(), value.to_string())], &mut sink);
    assert_eq!(read.is_none(), sink.has_errors(), "{sink}");
    let _ = sink.to_string();
});
