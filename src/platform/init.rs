//! How long the init phase of an empty function takes on AWS Lambda, by runtime, package, memory and architecture.
//!
//! `lambda_init.csv`: cold starts of functions that do nothing, ten each, measured on 2026-08-22 (maxday/lambda-perf at
//! 6070b7947b5d, Apache License 2.0). A real function loads its own code on top of that.

use std::sync::LazyLock;

use crate::random::Distribution;

static TABLE: LazyLock<Vec<Row>> =
    LazyLock::new(|| include_str!("lambda_init.csv").lines().skip(1).filter_map(row).collect());

/// One row.
struct Row {
    runtime: &'static str,
    package: &'static str,
    memory_mb: u32,
    arch: &'static str,
    median_ms: f64,
    mean_ms: f64,
}

fn row(line: &'static str) -> Option<Row> {
    let cells: Vec<&str> = line.split(',').collect();
    let [runtime, package, memory, arch, _, median, _, mean] = cells[..] else { return None };
    Some(Row {
        runtime,
        package,
        memory_mb: memory.parse().ok()?,
        arch,
        median_ms: median.parse().ok()?,
        mean_ms: mean.parse().ok()?,
    })
}

/// The runtimes that were measured.
pub(super) fn runtimes() -> Vec<&'static str> {
    let mut names: Vec<&str> = TABLE.iter().map(|row| row.runtime).collect();
    names.dedup();
    names
}

/// The init phase: lognormal with the measured median and mean at the largest measured memory that is not above `memory_mb` (or the
/// smallest measured). `None` if the runtime was not measured so packaged.
pub(super) fn init(runtime: &str, package: &str, arch: &str, memory_mb: u32) -> Option<Distribution> {
    let of = |row: &&Row| row.runtime == runtime && row.package == package && row.arch == arch;
    let mut rows: Vec<&Row> = TABLE.iter().filter(of).collect();
    rows.sort_by_key(|row| row.memory_mb);
    let row = rows.iter().rev().find(|row| row.memory_mb <= memory_mb).or(rows.first())?;
    let mu = (row.median_ms / 1e3).ln();
    let sigma = (2.0 * (row.mean_ms / row.median_ms).ln().max(0.0)).sqrt();
    Some(Distribution::Lognormal { mu, sigma })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read() {
        assert_eq!(TABLE.len(), include_str!("lambda_init.csv").lines().count() - 1);
        for row in TABLE.iter() {
            assert!(row.median_ms > 0.0 && row.mean_ms > 0.0, "{}", row.runtime);
            assert!(init(row.runtime, row.package, row.arch, 64).is_some(), "{}", row.runtime);
        }
    }

    /// nodejs22.x, image, arm64 at 128 MB: median 227.01 ms, mean 263.801 ms.
    #[test]
    fn median_and_mean_are_those_measured() {
        let init = |memory| init("nodejs22.x", "image", "arm64", memory).unwrap();
        let Distribution::Lognormal { mu, .. } = init(200) else { panic!() };
        assert!((mu.exp() - 0.22701).abs() < 1e-9);
        assert!((init(200).mean() - 0.263801).abs() < 1e-9);
        assert_ne!(init(255), init(256));
        assert_eq!(init(2048), init(1024));
    }
}
