//! Additional requests near existing ones, in proportion to the rate behind them.

use std::sync::Arc;

use super::donors::{NEAR, around, donor, have_attributes};
use super::scale_rate::Factor;
use crate::random::{Draw, Purpose};
use crate::units::{SimDuration, SimTime};
use crate::workload::batch::RequestBatch;
use crate::workload::error::TraceError;
use crate::workload::reading::rows::RowCounts;
use crate::workload::recipe::{Opening, Recipe};
use crate::workload::shape::halves::{Cells, Halves, InOrder};
use crate::workload::source::TraceSource;

/// Minimum number of requests in a part, if there are as many.
const TOGETHER: u64 = 1 << 22;
/// A part ends earlier if the factor reaches this multiple of its value at the first request: a trend over years must
/// not be drawn from its end.
const MAX_RISE: f64 = 64.0;
/// The class of an additional request is that of one of this many preceding requests of the stream.
const DONORS: usize = 32;
/// Maximum number of requests remembered; beyond it, the last [`DONORS`] are kept.
const MAX_MET: usize = 8192;

/// A stream with `factor` times as many requests. If the factor is below 1, requests are thinned independently. If it
/// is above 1, all requests stay where they are, and others are drawn as a Poisson process with `factor` - 1 times the
/// rate of the stream, given what is known about that rate: the counts of cells and of stretches of twice the length
/// each, under the model of [`Halves`]. With D the index of dispersion of counts over some time, D' - 1 = `factor` (D -
/// 1), as for a doubly stochastic Poisson process whose rate is multiplied: swings of the rate grow with the factor,
/// random variation does not.
///
/// An additional request has the class of one in its cell, or of one of the last before it, and the demand and tokens of
/// a request of that class among the [`NEAR`] before and after: with those of the requests in its cell, some tens of
/// requests would have the few durations of one recorded request each, and the mean duration over seconds would vary
/// many times as much as that of as many recorded requests.
///
/// The stream is opened twice: one reader is ahead by a part of at least [`TOGETHER`] requests, or by all.
pub(super) struct Denser<F> {
    ahead: Box<dyn TraceSource>,
    /// The requests read ahead, and how many of them were analysed.
    read_ahead: RequestBatch,
    seen: usize,
    /// The requests at the end of the last analysed part, which belong to the next part, and their time.
    carried: (u64, u64),
    looked: bool,
    inner: Box<dyn TraceSource>,
    /// Requests around the next one, at least [`NEAR`] to both sides, and its place.
    read: RequestBatch,
    next: usize,
    ended: bool,
    /// The most recent requests of the stream, whose attributes are copied.
    met: RequestBatch,
    factor: F,
    /// Maximum of the factor in the current part, at least 1.
    most: f64,
    opening: Opening,
    step: u16,
    draw: Draw,
    /// Selects attributes: arrivals do not depend on whether there are any.
    donors: Draw,
    part: Option<Part>,
    parts: u64,
    target: Option<Target>,
}

/// What comes next: the stream's own requests up to there are returned first.
#[derive(Clone, Copy)]
enum Target {
    /// A cell with additional requests.
    Cell(Cell),
    /// The end of a part, nanoseconds.
    PartEnd(u64),
    /// The end of the stream.
    End,
}

/// A part that is analysed as a whole: its halves, and the stretches that are still to be divided, the next one last.
struct Part {
    halves: Halves,
    stretches: Vec<Stretch>,
}

struct Stretch {
    level: usize,
    index: usize,
    requests: u64,
}

/// A cell with additional requests.
#[derive(Clone, Copy)]
struct Cell {
    from: u64,
    end: u64,
    requests: u64,
}

impl<F: Factor> Denser<F> {
    pub(super) fn open(
        inner: &Arc<dyn Recipe>,
        factor: F,
        step: u16,
        opening: Opening,
    ) -> Result<Denser<F>, TraceError> {
        Ok(Denser {
            ahead: inner.open(opening)?,
            read_ahead: RequestBatch::default(),
            seen: 0,
            carried: (0, 0),
            looked: false,
            inner: inner.open(opening)?,
            read: RequestBatch::default(),
            next: 0,
            ended: false,
            met: RequestBatch::default(),
            factor,
            most: 1.0,
            opening,
            step,
            draw: opening.draw(Purpose::Transform, step),
            donors: opening.node(step, u64::MAX),
            part: None,
            parts: 0,
            target: None,
        })
    }

    /// Analyses the next part of the stream; `false` at the end.
    fn look(&mut self) -> Result<bool, TraceError> {
        if self.looked {
            return Ok(false);
        }
        let (carried, from) = self.carried;
        let mut cells = Cells::from(from, &*self.ahead);
        (0..carried).for_each(|_| cells.add(from));
        let mut first = (carried > 0).then(|| self.factor.bound(from, from));
        loop {
            let Some(at) = self.next_ahead()? else {
                self.looked = true;
                break;
            };
            let least = *first.get_or_insert_with(|| self.factor.bound(at, at));
            let is_long = cells.requests() >= TOGETHER || self.factor.bound(from, at) > MAX_RISE * least.max(1.0);
            if is_long && cells.at_newest() < cells.requests() {
                break;
            }
            self.seen += 1;
            cells.add(at);
        }
        if self.looked {
            let end = self.ahead.extent().map_or(0, SimDuration::as_nanos);
            cells.close_behind(end);
        } else {
            self.carried = cells.close_before_newest();
        }
        let halves = Halves::of(cells);
        self.most = self.factor.bound(halves.cells.from, halves.cells.end).max(1.0);
        let more = halves.cells.requests() as f64 * (self.most - 1.0);
        let more = more as u64 + u64::from(self.draw.uniform() < more.fract());
        let (opening, step, number) = (self.opening, self.step, self.parts << 40 | 0xFF << 32);
        let shares = halves.among_blocks(more, |block| opening.node(step, number | block as u64), &mut self.draw);
        let level = halves.depth();
        let stretches = shares.iter().enumerate().rev();
        let stretches = stretches.map(|(index, requests)| Stretch { level, index, requests: *requests }).collect();
        self.part = Some(Part { halves, stretches });
        self.parts += 1;
        Ok(true)
    }

    /// The time of the next request ahead, nanoseconds, without consuming it.
    fn next_ahead(&mut self) -> Result<Option<u64>, TraceError> {
        if self.seen == self.read_ahead.len() {
            self.read_ahead.clear();
            self.seen = 0;
            self.ahead.fill(&mut self.read_ahead)?;
        }
        Ok(self.read_ahead.arrivals.get(self.seen).map(|time| time.as_nanos()))
    }

    /// Advances to the next cell with additional requests, or to the end of the part.
    fn advance(&mut self) -> Result<Target, TraceError> {
        loop {
            let Some(Part { halves, stretches }) = &mut self.part else {
                if self.look()? {
                    continue;
                }
                return Ok(Target::End);
            };
            let Some(Stretch { level, index, requests }) = stretches.pop() else {
                let end = halves.cells.end;
                self.part = None;
                return Ok(Target::PartEnd(end));
            };
            if requests == 0 {
                continue;
            }
            let cells = &halves.cells;
            if level == 0 {
                let from = cells.from + index as u64 * cells.width;
                return Ok(Target::Cell(Cell { from, end: (from + cells.width).min(cells.end), requests }));
            }
            let number = (self.parts - 1) << 40 | (level as u64) << 32 | index as u64;
            let share = halves.first_share(level, index, || self.opening.node(self.step, number));
            let first = self.draw.binomial(requests, share);
            stretches.push(Stretch { level: level - 1, index: 2 * index + 1, requests: requests - first });
            stretches.push(Stretch { level: level - 1, index: 2 * index, requests: first });
        }
    }

    /// Whether a request of the stream is available, reading more if necessary.
    fn load(&mut self) -> Result<bool, TraceError> {
        while !self.ended && self.read.len() < self.next + NEAR {
            if self.next > 8 * NEAR {
                let mut kept = RequestBatch::default();
                kept.append_range(&self.read, self.next - NEAR..self.read.len());
                (self.read, self.next) = (kept, NEAR);
            }
            let before = self.read.len();
            self.inner.fill(&mut self.read)?;
            self.ended = self.read.len() == before;
            self.factor.learn(self.inner.class_names());
        }
        Ok(self.next < self.read.len())
    }

    /// The factor for a request of `batch` at a time.
    fn factor(&self, batch: &RequestBatch, row: usize, at: SimTime) -> f64 {
        self.factor.at(at.as_nanos(), batch.classes.get(row).copied())
    }

    /// True with a probability of one in `many`.
    fn takes(&mut self, share: f64) -> bool {
        share >= 1.0 || self.draw.uniform() < share
    }

    /// Available requests of the stream before `until`.
    fn before(&mut self, until: u64) -> Result<std::ops::Range<usize>, TraceError> {
        if !self.load()? {
            return Ok(0..0);
        }
        let rest = &self.read.arrivals[self.next..];
        Ok(self.next..self.next + rest.partition_point(|time| time.as_nanos() < until))
    }

    /// Moves the stream's own requests before `until` to `batch`, after thinning, about as many as fit into one batch;
    /// `false` if there are more.
    fn pass_on(&mut self, until: u64, batch: &mut RequestBatch) -> Result<bool, TraceError> {
        let target = batch.len() + RequestBatch::TARGET_LEN;
        loop {
            let range = self.before(until)?;
            if range.is_empty() {
                return Ok(true);
            }
            if batch.len() >= target {
                return Ok(false);
            }
            self.meet(range.end.saturating_sub(DONORS).max(range.start)..range.end);
            let mut rows = Vec::with_capacity(range.len());
            for row in range {
                let factor = self.factor(&self.read, row, self.read.arrivals[row]);
                if self.takes(factor) {
                    rows.push(row as u32);
                }
            }
            batch.gather(&self.read, &rows);
        }
    }

    /// Remembers requests that were read.
    fn meet(&mut self, range: std::ops::Range<usize>) {
        if self.met.len() > MAX_MET {
            let mut kept = RequestBatch::default();
            kept.append_range(&self.met, self.met.len() - DONORS..self.met.len());
            self.met = kept;
        }
        self.next = range.end;
        self.met.append_range(&self.read, range);
    }

    /// Appends the requests of a cell to `batch`, its own and the additional ones.
    fn fill_cell(&mut self, cell: Cell, batch: &mut RequestBatch) -> Result<(), TraceError> {
        let range = self.before(cell.end)?;
        self.meet(range.start.max(self.next)..range.end.max(self.next));
        let mut own = self.met.len() - range.len()..self.met.len();
        loop {
            let range = self.before(cell.end)?;
            if range.is_empty() {
                break;
            }
            own.end += range.len();
            self.next = range.end;
            self.met.append_range(&self.read, range);
        }
        if self.met.is_empty() && self.load()? {
            self.met.append_range(&self.read, self.next..self.next + 1);
            own = 1..1;
        }
        // A donor is one of the cell's own requests or, if these are fewer, one of the last ones before it: each is
        // equally likely, whatever gap follows it.
        let donors = self.met.len().min(DONORS.max(own.len()));
        let first = (self.met.len() - donors) as u32;
        let mut instants = InOrder { left: cell.requests, at: cell.from as f64, end: cell.end as f64 };
        let (mut rows, mut times, mut added) = (Vec::new(), Vec::new(), Vec::new());
        for further in 0..=cell.requests {
            // After the last one, the remaining requests of the cell follow. Clamped to the cell, because
            // floating-point times of centuries are coarser than nanoseconds.
            let at = match further < cell.requests {
                true => SimTime::from_nanos((instants.next(&mut self.draw) as u64).clamp(cell.from, cell.end - 1)),
                false => SimTime::MAX,
            };
            while !own.is_empty() && self.met.arrivals[own.start] <= at {
                let (row, at) = (own.start, self.met.arrivals[own.start]);
                let factor = self.factor(&self.met, row, at);
                if self.takes(factor) {
                    rows.push(row as u32);
                    times.push(at);
                }
                own.start += 1;
            }
            if at < SimTime::MAX {
                let row = first + self.draw.index(donors.max(1) as u32);
                let share = (self.factor(&self.met, row as usize, at) - 1.0) / (self.most - 1.0);
                if share > 0.0 && self.takes(share) {
                    added.push(batch.len() + rows.len());
                    rows.push(row);
                    times.push(at);
                }
            }
        }
        let start = batch.len();
        batch.gather(&self.met, &rows);
        batch.arrivals[start..].copy_from_slice(&times);
        self.give_attributes(batch, &added);
        Ok(())
    }

    /// Gives additional requests the attributes of requests nearby.
    fn give_attributes(&mut self, batch: &mut RequestBatch, added: &[usize]) {
        if !have_attributes(&self.read) {
            return;
        }
        let range = around(&self.read, self.next);
        for row in added {
            let class = batch.classes.get(*row).copied();
            if let Some(donor) = donor(&self.read, &range, class, &mut self.donors) {
                batch.take_attributes(*row, &self.read, donor);
            }
        }
    }
}

impl<F: Factor> TraceSource for Denser<F> {
    fn fill(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError> {
        let before = batch.len();
        while batch.len() < before + RequestBatch::TARGET_LEN {
            let target = match self.target {
                Some(target) => target,
                None => self.advance()?,
            };
            self.target = Some(target);
            match target {
                Target::Cell(cell) if self.pass_on(cell.from, batch)? => self.fill_cell(cell, batch)?,
                Target::PartEnd(end) if self.pass_on(end, batch)? => {}
                Target::End => {
                    self.pass_on(u64::MAX, batch)?;
                    return Ok(());
                }
                _ => continue,
            }
            self.target = None;
        }
        Ok(())
    }

    fn extent(&self) -> Option<SimDuration> {
        self.inner.extent().or_else(|| self.ahead.extent().filter(|_| self.looked))
    }

    fn start_epoch_ns(&self) -> Option<u64> {
        self.inner.start_epoch_ns()
    }

    fn class_names(&self) -> &[String] {
        self.inner.class_names()
    }

    fn tally(&self) -> Option<&RowCounts> {
        self.inner.tally()
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::generators::testing::{Counts, recipe, requests};
    use super::super::scale_rate::scaled_by;
    use super::*;
    use crate::random::Streams;

    /// The index of dispersion over a number of seconds, unscaled and with `factor` times as many requests.
    fn dispersion(source: &str, factor: f64, seconds: f64) -> (f64, f64) {
        let counted = |text: &str| Counts::of(&*recipe(text), seconds).index_of_dispersion();
        (counted(source), counted(&format!("{source}\ntransforms: [{{ scale-rate: {factor} }}]")))
    }

    #[rstest::rstest]
    #[case(1.0)]
    #[case(10.0)]
    #[case(60.0)]
    fn chance_does_not_grow(#[case] seconds: f64) {
        // A renewal process cannot be scaled before its requests are generated; this one is a Poisson process. Its
        // index is known to within standard errors of sqrt(2 / n) and increases by fifty times that error; with copies
        // it would be fifty.
        let (_, scaled) = dispersion("renewal: { gap: { exponential: { mean: 500ms } }, for: 48h }", 50.0, seconds);
        let error = 50.0 * (2.0 * seconds / (48.0 * 3600.0)).sqrt();
        assert!(scaled > 0.8 && scaled < 1.2 + 2.5 * error, "{seconds} s: {scaled}");
    }

    #[rstest::rstest]
    #[case(1.0)]
    #[case(10.0)]
    #[case(60.0)]
    fn swings_grow_with_the_factor(#[case] seconds: f64) {
        let source = "renewal: { gap: { hyperexponential: { mean: 500ms, cv: 4 } }, for: 16h }";
        let (plain, scaled) = dispersion(source, 20.0, seconds);
        let expected = 1.0 + 20.0 * (plain - 1.0);
        assert!((0.8..1.25).contains(&(scaled / expected)), "{seconds} s: {scaled} for {expected}");
    }

    /// A stream without an end is analysed in parts and returned before all of it is known. The mean factor of a growth
    /// by g per hour over half an hour is (sqrt(g) - 1) / (ln(g) / 2).
    #[rstest::rstest]
    #[case("mix-classes: { none: 1 }", 1.0)]
    #[case("growth: { factor: 2, per: 1h }", 1.1952)]
    #[case("growth: { factor: 1000, per: 1h }", 8.8662)]
    #[case("overlay: [{ at: 10m, factor: 5, for: 10m }]", 2.3333)]
    fn a_stream_without_an_end_has_a_beginning(#[case] step: &str, #[case] factor: f64) {
        let recipe =
            recipe(&format!("renewal: {{ gap: {{ exponential: {{ mean: 50ms }} }} }}\ntransforms: [{{ {step} }}]"));
        let mut source = recipe.open(super::Opening::new(Streams::new(1, 0), 0)).unwrap();
        let mut batch = RequestBatch::default();
        let end = SimTime::from_secs(1800);
        while batch.arrivals.last().is_none_or(|at| *at < end) {
            source.fill(&mut batch).unwrap();
        }
        let found = batch.arrivals.partition_point(|at| *at < end) as f64;
        let expected = 20.0 * 1800.0 * factor;
        assert!((found / expected - 1.0).abs() < 0.03, "{found} for {expected}");
    }

    #[test]
    fn requests_stay_and_others_have_their_attributes() {
        let source = "renewal: { gap: { exponential: { mean: 1s } }, for: 2h, tokens: { input: { mean: 100, cv: 1 }, output: { mean: 9, cv: 1 } } }";
        let plain = requests(&*recipe(source));
        let scaled = requests(&*recipe(&format!("{source}\ntransforms: [{{ scale-rate: 2.5 }}]")));
        assert!((scaled.len() as f64 - 2.5 * plain.len() as f64).abs() <= 1.0, "{} {}", plain.len(), scaled.len());
        let at = |time| scaled.arrivals.binary_search(time).is_ok();
        assert!(plain.arrivals.iter().all(at));
        assert_eq!(scaled.tokens_in.len(), scaled.len());
        assert!(scaled.tokens_in.iter().all(|tokens| plain.tokens_in.contains(tokens)));
    }

    /// Requests of a log: times and demands in seconds.
    #[derive(Debug, Clone)]
    struct Log(RequestBatch);

    impl Recipe for Log {
        fn open(&self, _: Opening) -> Result<Box<dyn TraceSource>, TraceError> {
            Ok(Box::new(LogSource(self.0.clone())))
        }
    }

    struct LogSource(RequestBatch);

    impl TraceSource for LogSource {
        fn fill(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError> {
            batch.append_range(&self.0, 0..self.0.len());
            self.0 = RequestBatch::default();
            Ok(())
        }

        fn extent(&self) -> Option<SimDuration> {
            Some(SimDuration::from_secs(10_800))
        }
    }

    /// Three hours of a Poisson process with a rate below 0.45/s, and exponential durations.
    fn log(seed: u64, rate: impl Fn(f64) -> f64, duration: impl Fn(f64) -> f64) -> Log {
        let mut draw = Streams::new(seed, 0).running(Purpose::Arrival, 0);
        let (mut requests, mut at) = (RequestBatch::default(), 0.0);
        loop {
            at += draw.exponential() / 0.45;
            if at >= 10_800.0 {
                return Log(requests);
            }
            if draw.uniform() * 0.45 < rate(at) {
                requests.arrivals.push(SimTime::from_nanos((at * 1e9) as u64));
                requests.demands.push(SimDuration::from_nanos((draw.exponential() * duration(at) * 1e9) as u64));
            }
        }
    }

    struct Times(f64);

    impl Factor for Times {
        fn at(&self, _: u64, _: Option<u16>) -> f64 {
            self.0
        }

        fn bound(&self, _: u64, _: u64) -> f64 {
            self.0
        }
    }

    fn scaled(log: &Log, factor: f64, jitter: Option<u64>, seed: u64) -> RequestBatch {
        let recipe: Arc<dyn Recipe> = Arc::new(log.clone());
        let mut source = scaled_by(&recipe, Times(factor), jitter, 1, Opening::new(Streams::new(seed, 0), 0)).unwrap();
        let (mut all, mut before) = (RequestBatch::default(), 1);
        while all.len() != before {
            before = all.len();
            source.fill(&mut all).unwrap();
        }
        all
    }

    /// Index of dispersion per minute around the mean of 21 minutes.
    fn local_dispersion(requests: &RequestBatch) -> f64 {
        let mut counts = [0.0; 180];
        requests.arrivals.iter().for_each(|at| counts[(at.as_nanos() / 60_000_000_000) as usize] += 1.0);
        let of = |minutes: &[f64]| {
            let mean = minutes.iter().sum::<f64>() / 21.0;
            (minutes[10] - mean).powi(2) / mean / (1.0 - 1.0 / 21.0)
        };
        counts.windows(21).map(of).sum::<f64>() / 160.0
    }

    #[rstest::rstest]
    #[case::level(0.0)]
    #[case::trend(0.6)]
    fn chance_does_not_grow_along_a_trend(#[case] swing: f64) {
        // With copies of chance, the index is 20 to 35 on a trend.
        let rate = |at: f64| 0.27 * (1.0 + swing * (std::f64::consts::PI * (at / 10_800.0 - 0.25)).sin());
        let mut found: Vec<f64> =
            (0..9).map(|seed| local_dispersion(&scaled(&log(seed, rate, |_| 1.0), 100.0, None, seed))).collect();
        found.sort_by(f64::total_cmp);
        assert!(found[0] > 0.7 && found[4] < 1.5 && found[6] < 2.5, "{found:?}");
    }

    #[rstest::rstest]
    #[case::rate(None)]
    #[case::copies(Some(1_000_000_000))]
    fn additional_requests_have_durations_of_their_own(#[case] jitter: Option<u64>) {
        // Durations double after half of the time.
        let log = log(3, |_| 0.3, |at| if at < 5400.0 { 0.1 } else { 0.2 });
        let all = scaled(&log, 100.0, jitter, 3);
        let within = |from: u64, end: u64| {
            let place = |at| all.arrivals.partition_point(|time| *time < SimTime::from_secs(at));
            all.demands[place(from)..place(end)].iter().map(|demand| demand.as_secs_f64()).collect::<Vec<_>>()
        };
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        // About 300 requests per 10 s: their mean varies by 1 / sqrt(300), and by three recorded ones only by 0.58.
        let means: Vec<f64> =
            (0..100).map(|at| mean(&within(at * 10, at * 10 + 10))).filter(|mean| mean.is_finite()).collect();
        let variance = means.iter().map(|value| (value - mean(&means)).powi(2)).sum::<f64>() / means.len() as f64;
        let cv = variance.sqrt() / mean(&means);
        let limit = if jitter.is_some() { 0.15 } else { 0.08 };
        assert!(cv < limit, "{cv} of {}", means.len());
        let (first, last) = (mean(&within(0, 1800)), mean(&within(9000, 10_800)));
        assert!((first / 0.1 - 1.0).abs() < 0.15 && (last / 0.2 - 1.0).abs() < 0.15, "{first} {last}");
    }
}
