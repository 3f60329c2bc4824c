//! Estimates the memory of a scenario's runs before they begin.
//!
//! The sizes per replica, interval and service were measured (docs/limits.md) and rounded up. Growth with the number of
//! requests is not included: an unlimited queue takes 48 bytes per waiting request.

use crate::policy::Prospect;
use crate::scenario::Scenario;

/// The program and a small run.
const BASE: u64 = 48 << 20;
/// A replica with its lease and its records.
const REPLICA: u64 = 1_800;
/// An interval of a service's timeline, in the record and in the report.
const INTERVAL: u64 = 900;
/// A service under one policy: histograms, figures, its part of the report.
const SERVICE: u64 = 250_000;

/// An estimate of memory use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// Total in bytes.
    pub bytes: u64,
    /// What takes most of it, in words.
    pub most_of_it: String,
}

/// The memory of a run of every policy, with `at_once` of them in parallel, each kept in full.
pub fn memory_needed(scenario: &Scenario, at_once: usize) -> Need {
    let intervals = scenario.duration.as_nanos().div_ceil(scenario.interval.as_nanos().max(1));
    let (services, policies) = (scenario.services.len() as u64, scenario.policies.len() as u64);
    let mut sizes: Vec<(u64, &str)> = Vec::new();
    for policy in &scenario.policies {
        let begin =
            scenario.services.iter().zip(&policy.factories).map(|(service, factory)| {
                u64::from(factory(&Prospect::unknown()).initial_replicas(service.spec.replicas))
            });
        sizes.push((begin.sum(), &policy.label));
    }
    // The largest runs may all be in parallel.
    sizes.sort_by_key(|(replicas, _)| std::cmp::Reverse(*replicas));
    let replicas = sizes.iter().take(at_once.max(1)).map(|(replicas, _)| *replicas).fold(0, u64::saturating_add);
    let label = sizes.first().map_or("", |(_, label)| *label);
    let parts = [
        (replicas.saturating_mul(REPLICA), format!("{replicas} replicas, most of them under `{label}`")),
        (
            intervals.saturating_mul(services * policies).saturating_mul(INTERVAL),
            format!("{intervals} intervals of {} for {services} services and {policies} policies", scenario.interval),
        ),
        ((services * policies).saturating_mul(SERVICE), format!("{services} services and {policies} policies")),
    ];
    let bytes = parts.iter().map(|(bytes, _)| *bytes).fold(BASE, u64::saturating_add);
    let most = parts.into_iter().max_by_key(|(bytes, _)| *bytes);
    Need { bytes, most_of_it: most.map(|(_, words)| words).unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Diagnostics;

    fn need(changes: &[(&str, &str)]) -> Need {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/fraud-burst.yaml");
        let set: Vec<(String, String)> =
            changes.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        let mut found = Diagnostics::new();
        let scenario = Scenario::read(&path, &set, &mut found).unwrap_or_else(|| panic!("{found}"));
        memory_needed(&scenario, 1)
    }

    #[test]
    fn the_largest_part_is_named() {
        assert!(need(&[]).bytes < 128 << 20);
        let many = need(&[("service.replicas", "900000")]);
        assert!(many.bytes > 900_000 * REPLICA && many.most_of_it.starts_with("900000 replicas"), "{many:?}");
        let fine = need(&[("interval", "10ms"), ("duration", "2h")]);
        assert!(fine.bytes > 720_000 * INTERVAL && fine.most_of_it.contains("intervals of 10ms"), "{fine:?}");
    }
}
