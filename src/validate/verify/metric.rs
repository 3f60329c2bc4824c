//! The figures of a station, each computed from the engine's record.

use super::station::{Observed, Sample};
use crate::engine::Fate;
use crate::stats::LatencyHistogram;
use crate::units::SimDuration;

/// A figure with an exact value in queueing theory. Times are in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Statistic {
    /// Share of requests that had to wait; rejected requests are left out, those that reneged waited.
    WaitProbability,
    /// Arrival to start of service, over the requests served.
    MeanWait,
    /// The same over those that had to wait.
    MeanWaitOfWaiting,
    /// Time in the queue over all requests, including those that reneged.
    MeanWaitOfAll,
    /// Arrival to completion.
    MeanSojourn,
    /// Variance of the wait.
    WaitVariance,
    /// Variance of the sojourn time.
    SojournVariance,
    /// Share of requests whose wait does not exceed a given time, such as an exact percentile.
    WaitWithin(f64),
    /// Share of requests whose sojourn time does not exceed a given time.
    SojournWithin(f64),
    /// Utilization of the servers.
    Utilization,
    /// Mean number of busy servers.
    MeanBusy,
    /// Time-averaged number of requests in the system.
    MeanNumber,
    /// Time-averaged number of waiting requests.
    MeanQueue,
    /// Share of requests rejected.
    Blocking,
    /// Share of requests that reneged.
    Abandonment,
    /// Throughput: requests per second that were admitted and did not renege.
    Throughput,
    /// Little's law: the time-averaged number in system L over lambda W, the admission rate times the mean sojourn
    /// time. A run of length T cuts off the sojourns of the requests present at its ends: L counts the parts within the
    /// run, W leaves out the requests that are still present. In a stationary system the parts add up to lambda E[W^2]
    /// and the omitted ones to lambda E(W)^2, so that L = lambda (W + Var(W) / T), which L is compared with.
    Little,
    /// Share of time during which at least this many requests were present.
    NumberAtLeast(u32),
    /// Time variance of the number in system.
    NumberVariance,
    /// Share of queues, averaged over time, with at least this many requests (1 to 3).
    QueuesAtLeast(u32),
}

impl Statistic {
    /// The name in tables.
    pub fn name(self) -> String {
        let fixed = match self {
            Statistic::WaitProbability => "p_wait",
            Statistic::MeanWait => "mean_wait",
            Statistic::MeanWaitOfWaiting => "mean_wait_given_wait",
            Statistic::MeanWaitOfAll => "mean_wait_all",
            Statistic::MeanSojourn => "mean_sojourn",
            Statistic::WaitVariance => "var_wait",
            Statistic::SojournVariance => "var_sojourn",
            Statistic::WaitWithin(limit) => return format!("p_wait_within_{limit:.3}"),
            Statistic::SojournWithin(limit) => return format!("p_sojourn_within_{limit:.3}"),
            Statistic::Utilization => "utilization",
            Statistic::MeanBusy => "mean_busy",
            Statistic::MeanNumber => "mean_number",
            Statistic::MeanQueue => "mean_queue",
            Statistic::Blocking => "p_block",
            Statistic::Abandonment => "p_timeout",
            Statistic::Throughput => "throughput",
            Statistic::Little => "L / (lambda W)",
            Statistic::NumberAtLeast(number) => return format!("p_number_ge_{number}"),
            Statistic::NumberVariance => "var_number",
            Statistic::QueuesAtLeast(number) => return format!("fraction_queues_ge_{number}"),
        };
        fixed.to_string()
    }

    /// The value of the figure in one run, of the first station; NaN if the run has no observation for it.
    pub fn of(self, observed: &Observed) -> f64 {
        self.at(observed, 0)
    }

    /// The value of the figure at a station; samples are of the first only.
    pub fn at(self, observed: &Observed, station: usize) -> f64 {
        let service = &observed.record.services[station];
        let counts = &service.counts;
        let (waiting, sojourn) = (&service.waiting, &service.sojourn);
        let seconds = observed.record.end.since(observed.record.warm_up).as_secs_f64();
        let arrived = counts.arrived as f64;
        let admitted = (counts.arrived - counts.lost()) as f64;
        let share = |part: u64, whole: u64| part as f64 / whole as f64;
        let delayed = waiting.count() - waiting.count_at_most(SimDuration::ZERO) + counts[Fate::TimedOut];
        match self {
            Statistic::WaitProbability => share(delayed, waiting.count() + counts[Fate::TimedOut]),
            Statistic::MeanWait => mean(waiting),
            Statistic::MeanWaitOfWaiting => waiting.sum_nanos() as f64 / 1e9 / delayed as f64,
            Statistic::MeanWaitOfAll => mean_queue(observed, station) * seconds / arrived,
            Statistic::MeanSojourn => mean(sojourn),
            Statistic::WaitVariance => variance(waiting),
            Statistic::SojournVariance => variance(sojourn),
            Statistic::WaitWithin(limit) => share_within(waiting, limit),
            Statistic::SojournWithin(limit) => share_within(sojourn, limit),
            Statistic::Utilization => service.load.unwrap_or(f64::NAN),
            Statistic::MeanBusy => {
                service.load.unwrap_or(0.0) * f64::from(observed.servers[station]) * service.mean_ready
            }
            Statistic::MeanNumber => service.mean_in_system,
            Statistic::MeanQueue => mean_queue(observed, station),
            Statistic::Blocking => share(counts[Fate::Rejected], counts.arrived),
            Statistic::Abandonment => share(counts[Fate::TimedOut], counts.arrived),
            Statistic::Throughput => admitted / seconds,
            Statistic::Little => {
                service.mean_in_system / (admitted / seconds * (mean(sojourn) + variance(sojourn) / seconds))
            }
            Statistic::NumberAtLeast(number) => {
                average(observed, |s| f64::from(u8::from(s.number >= f64::from(number))))
            }
            Statistic::NumberVariance => {
                let center = average(observed, |s| s.number);
                average(observed, |s| (s.number - center).powi(2))
            }
            Statistic::QueuesAtLeast(number) => average(observed, |s| s.loaded[number as usize - 1]),
        }
    }
}

fn average(observed: &Observed, of: impl Fn(&Sample) -> f64) -> f64 {
    observed.samples.iter().map(of).sum::<f64>() / observed.samples.len() as f64
}

fn mean(histogram: &LatencyHistogram) -> f64 {
    histogram.mean_secs().unwrap_or(f64::NAN)
}

/// Time-averaged number of waiting requests after the warm-up.
fn mean_queue(observed: &Observed, station: usize) -> f64 {
    let after = observed.record.services[station].timeline.iter().filter(|row| row.start >= observed.record.warm_up);
    let (area, time) = after.fold((0.0, 0.0), |(area, time), row| {
        let seconds = row.length.as_secs_f64();
        (area + row.queued * seconds, time + seconds)
    });
    area / time
}

/// Smallest and largest value, in nanoseconds, of the histogram's bucket that holds `value`. A bucket spans
/// `2 * RELATIVE_ERROR` of the power of two below it.
fn bucket(value: f64) -> (f64, f64) {
    let width = (2.0 * LatencyHistogram::RELATIVE_ERROR * 2f64.powi(value.max(1.0).log2().floor() as i32)).max(1.0);
    let low = (value / width).floor() * width;
    (low, low + width - 1.0)
}

/// The variance, with every value at the middle of its bucket. The error is below (1/128)^2 / 12 of the second moment,
/// which is 5 parts in a million; it is zero for identical values.
fn variance(histogram: &LatencyHistogram) -> f64 {
    if histogram.min() == histogram.max() {
        return 0.0;
    }
    let squares = histogram.buckets().map(|(upper, count)| {
        let (low, high) = bucket(upper.as_nanos() as f64);
        (f64::midpoint(low, high) / 1e9).powi(2) * count as f64
    });
    let second = squares.sum::<f64>() / histogram.count() as f64;
    second - mean(histogram).powi(2)
}

/// Share of the values up to `limit` seconds. The bucket that contains `limit` counts by the part of it below the
/// limit, so that the resolution of the histogram (0.8% of the value) has no first-order effect.
fn share_within(histogram: &LatencyHistogram, limit: f64) -> f64 {
    let limit = limit * 1e9;
    let (low, high) = bucket(limit);
    let at_most = |nanos: f64| histogram.count_at_most(SimDuration::from_nanos(nanos.max(0.0) as u64)) as f64;
    let below = if low > 0.0 { at_most(low - 1.0) } else { 0.0 };
    let part = ((limit - low + 1.0) / (high - low + 1.0)).min(1.0);
    (below + part * (at_most(high) - below)) / histogram.count() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_those_of_the_histogram() {
        for value in [0.0, 1.0, 127.0, 128.0, 255.0, 256.0, 257.0, 1e6, 123_456_789.0, 9.9e11] {
            let (low, high) = bucket(value);
            let mut histogram = LatencyHistogram::new();
            histogram.record(SimDuration::from_nanos(high as u64 + 1));
            histogram.record(SimDuration::from_nanos(low as u64));
            let (upper, count) = histogram.buckets().next().unwrap();
            assert_eq!((upper.as_nanos() as f64, count), (high, 1), "bucket of {value}");
            assert!(low <= value && value <= high);
        }
    }

    #[test]
    fn shares_and_variance_see_through_the_buckets() {
        let mut histogram = LatencyHistogram::new();
        (0..100_000).for_each(|i| histogram.record(SimDuration::from_nanos(1_000_000_000 + i * 10_000)));
        // Uniform on [1 s, 2 s): variance 1 / 12.
        assert!((variance(&histogram) * 12.0 - 1.0).abs() < 0.01);
        for limit in [1.0123, 1.05, 1.777] {
            assert!((share_within(&histogram, limit) - (limit - 1.0)).abs() < 1e-3, "{limit}");
        }
        assert_eq!(share_within(&histogram, 0.5), 0.0);
        assert_eq!(share_within(&histogram, 3.0), 1.0);
    }
}
