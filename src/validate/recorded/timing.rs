//! When the controller synced and metrics-server scraped, inferred from the HPA's recorded status.
//!
//! The metric in the status changes only when the controller syncs, and the first status appears with its first sync.
//! The polls before and after a change therefore enclose a sync; every combination of period and phase that puts a sync
//! into each such interval is possible. The metric of pods changes only if metrics-server has scraped since the
//! previous sync. This encloses the scrapes as well, if the resolution is longer than the period.
//!
//! Changes of the size, and the polls at which the size changes, are not used: they are the quantity to be predicted.

use super::kind::Status;

/// Periods tried, in seconds: the nominal 15 s plus the duration of a sync.
const PERIODS: [f64; 6] = [15.0, 15.01, 15.02, 15.03, 15.04, 15.05];
/// Resolution of the phases tried, in seconds.
const SYNC_STEP: f64 = 0.25;
/// Resolution of the first scrapes tried, in seconds.
pub(super) const SCRAPE_STEP: f64 = 1.0;
/// Maximum number of possible syncs to simulate, evenly chosen.
const SYNCS: usize = 9;
/// Slack in seconds: a poll is stamped in whole seconds and reads the status slightly later.
pub(super) const READ: f64 = 1.0;

/// The times at which a controller syncs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sync {
    /// Time between two syncs in seconds.
    pub period: f64,
    /// Time of the first sync in the recording, seconds.
    pub first: f64,
}

impl Sync {
    /// The last sync not later than `at`.
    pub(super) fn last_before(self, at: f64) -> Option<f64> {
        let number = ((at - self.first) / self.period).floor();
        (number >= 0.0).then_some(self.first + number * self.period)
    }

    /// The first sync after `from`, if it is not later than `until`.
    fn within(self, (from, until): (f64, f64)) -> Option<f64> {
        let number = ((from - self.first) / self.period).floor() + 1.0;
        let at = self.first + number.max(0.0) * self.period;
        (at <= until).then_some(at)
    }
}

/// Possible timings of a recorded run.
#[derive(Debug, Clone, PartialEq)]
pub struct Timing {
    /// Possible times of the controller's syncs.
    pub syncs: Vec<Sync>,
    /// Possible times of metrics-server's first scrape, seconds.
    pub scrapes: Vec<f64>,
    /// Number of status changes from which the timings were inferred.
    pub changes: usize,
    /// Number of these changes that each timing explains.
    pub explained: usize,
    /// Number of losses of the metric, after the last rescale, that were used to tell the timings apart.
    pub losses: usize,
    /// Number of these losses that each timing explains.
    pub lost: usize,
}

impl Timing {
    /// Leaves only the times that occur in `pairs`.
    pub(super) fn keep(&mut self, pairs: impl Iterator<Item = (Sync, f64)> + Clone) {
        self.syncs.retain(|sync| pairs.clone().any(|(kept, _)| kept == *sync));
        self.scrapes = pairs.map(|(_, scrape)| scrape).collect();
        self.scrapes.sort_by(f64::total_cmp);
        self.scrapes.dedup();
    }
}

/// The possible timings, given a scrape every `resolution` seconds. `direct` states whether the metric comes straight
/// from metrics-server, so that its changes reveal the scrapes.
pub(super) fn timing(status: &[Status], resolution: u64, direct: bool) -> Timing {
    let changes = changes(status);
    let all = PERIODS.into_iter().flat_map(|period| {
        let steps = (period / SYNC_STEP) as u32;
        (1..=steps).map(move |step| Sync { period, first: f64::from(step) * SYNC_STEP })
    });
    let (possible, explained) =
        best(all, |sync| changes.iter().filter(|change| sync.within(**change).is_some()).count());
    let step = possible.len().div_ceil(SYNCS).max(1);
    let syncs: Vec<Sync> = possible.iter().skip((possible.len() - 1) % step / 2).step_by(step).copied().collect();
    let middle = possible[possible.len() / 2];
    let first_scrapes = (0..resolution).map(|second| (second as f64 + 0.5) * SCRAPE_STEP);
    // A first status without a metric reveals a sync only.
    let of_metrics = if direct { changes.get(1..).unwrap_or(&[]) } else { &[] };
    let scraped = |first: &f64| {
        let since = |at: f64| ((at - first) / resolution as f64).floor() * resolution as f64 + first;
        let seen = |change: &&(f64, f64)| middle.within(**change).is_some_and(|at| since(at) > at - middle.period);
        of_metrics.iter().filter(seen).count()
    };
    let (scrapes, _) = best(first_scrapes, scraped);
    Timing { syncs, scrapes, changes: changes.len(), explained, losses: 0, lost: 0 }
}

/// The candidates with the highest score, and the score.
fn best<T>(candidates: impl Iterator<Item = T>, score: impl Fn(&T) -> usize) -> (Vec<T>, usize) {
    let scored: Vec<(T, usize)> = candidates
        .map(|candidate| {
            let score = score(&candidate);
            (candidate, score)
        })
        .collect();
    let most = scored.iter().map(|(_, score)| *score).max().unwrap_or(0);
    (scored.into_iter().filter(|(_, score)| *score == most).map(|(candidate, _)| candidate).collect(), most)
}

/// Intervals (start, end) in which the status changed, ignoring sizes: the first status, then every change of the
/// metric.
fn changes(status: &[Status]) -> Vec<(f64, f64)> {
    let first = status.first().map(|first| (f64::from(first.at) - 6.0, f64::from(first.at) + READ));
    let pairs = status.iter().zip(status.iter().skip(1));
    let same_size = |(a, b): &(&Status, &Status)| (a.current, a.desired) == (b.current, b.desired);
    let changed = pairs.filter(same_size).filter(|(a, b)| a.metric != b.metric);
    first.into_iter().chain(changed.map(|(a, b)| (f64::from(a.at), f64::from(b.at) + READ))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A status polled every 5 s: the controller syncs from `first` on every 15.02 s and shows the number of the last
    /// scrape, except for `hidden` seconds in which its size changes.
    fn polled(first: f64, scrape: f64, resolution: f64) -> Vec<Status> {
        let mut status = Vec::new();
        for at in (0..900).step_by(5) {
            let syncs = ((f64::from(at) - first) / 15.02).floor();
            if syncs < 0.0 {
                continue;
            }
            let metric = ((first + syncs * 15.02 - scrape) / resolution).floor();
            let size = if at < 100 { 4 } else { 8 };
            status.push(Status { at, current: size, desired: size, metric: (metric >= 0.0).then_some(metric) });
        }
        status
    }

    #[test]
    fn the_timing_of_a_made_up_recording_is_found_again() {
        for (first, scrape, resolution) in [(3.2, 41.7, 60), (9.9, 7.3, 30), (14.1, 22.8, 60), (6.6, 29.9, 30)] {
            let found = timing(&polled(first, scrape, resolution as f64), resolution, true);
            assert!(found.changes > 10 && found.explained == found.changes, "{found:?}");
            // A first sync at 0.2 s is one at 15.2 s.
            let apart = |sync: &Sync| (sync.first - first + 15.0) % 15.0;
            let near = |sync: &Sync| apart(sync).min(15.0 - apart(sync)) < 3.0;
            assert!(found.syncs.iter().all(near), "{first}: {found:?}");
            let width = found.scrapes.len() as f64;
            assert!(width <= 18.0, "{found:?}");
            assert!(found.scrapes.iter().any(|s| (s - scrape).abs() <= 0.5), "{scrape}: {found:?}");
        }
    }

    #[test]
    fn changes_of_size_are_ignored() {
        let at = |at, current, desired, metric| Status { at, current, desired, metric: Some(metric) };
        let status = [at(5, 4, 4, 1.0), at(10, 4, 8, 2.0), at(15, 8, 8, 3.0), at(20, 8, 8, 3.0), at(25, 8, 8, 4.0)];
        assert_eq!(changes(&status), [(-1.0, 6.0), (20.0, 26.0)]);
        // If the resolution equals the period, every phase is possible.
        assert_eq!(timing(&status, 15, true).scrapes.len(), 15);
        assert_eq!(timing(&[], 15, true).changes, 0);
    }
}
