//! Limits and regions of function platforms.

use std::sync::LazyLock;

use crate::config::functions::FunctionRules;

static BUILTIN: LazyLock<FunctionRules> = LazyLock::new(|| {
    // The tables are part of the program; a test reads every row.
    FunctionRules::read(include_str!("functions/limits.csv"), include_str!("functions/regions.csv")).unwrap_or_default()
});

/// The built-in limits of AWS Lambda, Azure Functions and Cloud Run with source and date each, and the regions of the three
/// providers (`functions/limits.csv`, `functions/regions.csv`).
pub fn function_rules() -> &'static FunctionRules {
    &BUILTIN
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_row_has_a_source_and_a_date() {
        let limits = include_str!("functions/limits.csv");
        let rules = FunctionRules::read(limits, include_str!("functions/regions.csv")).unwrap();
        assert_eq!(rules.limits.len(), limits.lines().count() - 1);
        let keys: BTreeSet<_> = rules.limits.iter().map(|limit| (&limit.service, &limit.name)).collect();
        assert_eq!(keys.len(), rules.limits.len(), "a limit stands twice");
        for limit in &rules.limits {
            assert!(!limit.source.is_empty() && limit.date.starts_with("20"), "{limit:?}");
            // A default is one of the allowed values.
            let default: Option<u64> = limit.value.parse().ok();
            assert!(
                default.is_none_or(|value| limit.allowed.allows(value)) || limit.name == "batching window",
                "{limit:?}"
            );
        }
        assert!(FunctionRules::read(&limits.replacen("128..10240", "128...10240", 1), "a,b,c,d\n").is_err());
    }

    #[test]
    fn limits_are_those_of_the_providers() {
        let rules = function_rules();
        let allows = |service, name, value| rules.limit(service, name).unwrap().allowed.allows(value);
        assert_eq!(
            [127, 128, 1769, 10240, 10241].map(|mb| allows("lambda", "memory", mb)),
            [false, true, true, true, false]
        );
        assert_eq!([0, 900, 901].map(|s| allows("lambda", "time-out", s)), [false, true, false]);
        assert_eq!([1024, 2048, 4096].map(|mb| allows("functions-flex", "memory", mb)), [false, true, true]);
        assert_eq!(
            [79, 500, 1500, 2000, 3000].map(|m| allows("cloud-run", "cpu", m)),
            [false, true, false, true, false]
        );
        assert_eq!([1536, 2048, 6144].map(|mb| allows("sagemaker-serverless", "memory", mb)), [false, true, true]);
        assert_eq!(rules.number("lambda", "environments per 10 s"), Some(1000));
        assert_eq!(rules.limit("functions-flex", "memory").unwrap().allowed.words(), "512, 2048 or 4096");
        assert_eq!(
            rules.limit("sagemaker-serverless", "memory").unwrap().allowed.words(),
            "1024 to 6144 in steps of 1024"
        );
    }
}
