//! More or fewer requests with the same pattern.

use std::sync::Arc;

use super::denser::Denser;
use super::donors::{around, donor, have_attributes};
use super::transform::{Transform, TransformPlugin};
use crate::config::{Fields, FromNode};
use crate::random::{Draw, Purpose, Streams};
use crate::units::{SimDuration, SimTime};
use crate::workload::batch::RequestBatch;
use crate::workload::error::TraceError;
use crate::workload::reading::rows::RowCounts;
use crate::workload::recipe::{Opening, Recipe};
use crate::workload::shape::series::ScaledCounts;
use crate::workload::source::TraceSource;

/// The entry in the list.
pub const PLUGIN: TransformPlugin = TransformPlugin {
    name: "scale-rate",
    summary: "`factor` times as many requests: thinned below 1; above 1 further ones drawn from the rate that the recorded ones show at each \
              time scale (`jitter: 5s`: copies within that time instead)",
    source: "independent thinning and superposition of point processes (Daley and Vere-Jones 2003, ch. 11); multiplicative multiscale analysis \
             of Poisson rates (Kolaczyk 1999; Timmermann and Nowak 1999)",
    build: |node, _, sink| {
        let (factor, jitter, place) = if node.as_text().is_some() {
            (f64::from_node(node, sink)?, None, node)
        } else {
            let fields = Fields::open(node, "transform `scale-rate`", sink)?;
            let factor = fields.required("factor", sink);
            let jitter: Option<SimDuration> = fields.optional("jitter", sink);
            let place = fields.node_of("factor").unwrap_or(node);
            fields.finish(sink);
            (factor?, jitter, place)
        };
        if !(factor > 0.0 && factor <= 1e6) {
            sink.push(place.error("expected a factor above 0 and up to 1000000"));
            return None;
        }
        Some(Arc::new(ScaleRate { factor, jitter: jitter.map(SimDuration::as_nanos) }))
    },
};

/// Counts, levels and synthetic rates are scaled before arrivals are generated, which is exact. Recorded arrivals are
/// scaled individually:
///
/// - Below 1 each request is kept with probability `factor`, independently. With D the index of dispersion of counts,
///   D' - 1 = factor (D - 1): the variation beyond Poisson shrinks in proportion.
/// - Above 1 additional requests are drawn so that D' - 1 = factor (D - 1) as well, at each time scale: the variation
///   beyond Poisson grows in proportion, random variation does not; see [`Denser`].
/// - Above 1 with a `jitter`, each request is followed by whole copies, and by one more with the probability of the
///   remainder, each moved back by a uniform time below `jitter`. Over times much longer than `jitter` the counts are
///   multiplied, including random variation: D' is close to factor times D, which is correct only if D is far above 1.
///   Within `jitter`, swings are smoothed out.
///
/// An additional request has the class of a recorded one, and the demand and tokens of a request of that class among
/// those before and after it; see [`donor`].
#[derive(Debug, Clone, Copy)]
struct ScaleRate {
    factor: f64,
    /// Jitter in nanoseconds, if copies are requested.
    jitter: Option<u64>,
}

impl Transform for ScaleRate {
    fn open(&self, inner: &Arc<dyn Recipe>, step: u16, opening: Opening) -> Result<Box<dyn TraceSource>, TraceError> {
        if self.factor <= 1.0 {
            return Ok(Box::new(Scaling::open(inner, Everywhere(self.factor), 0, step, opening)?));
        }
        scaled_by(inner, Everywhere(self.factor), self.jitter, step, opening)
    }

    fn assumption(&self, inner: &Arc<dyn Recipe>) -> Option<String> {
        if self.factor <= 1.0 || inner.scaled(self.factor).is_some() {
            return None;
        }
        let factor = self.factor;
        Some(match self.jitter {
            None => format!(
                "`scale-rate: {factor}`: the recorded requests stay where they are, and {} times as many others are drawn from the rate that they \
                 show at each time scale; each has the attributes of a recorded one of its class among the nearest 2,048.",
                factor - 1.0
            ),
            Some(jitter) => format!(
                "`scale-rate: {factor}`: the further requests are copies of the recorded ones, within a jitter of {} before them, with \
                 the attributes of recorded ones of their class nearby.",
                SimDuration::from_nanos(jitter)
            ),
        })
    }

    fn distortion(&self, inner: &Arc<dyn Recipe>, step: u16) -> Result<Option<String>, TraceError> {
        let Some(jitter) = self.jitter.filter(|_| self.factor > 1.0 && inner.scaled(self.factor).is_none()) else {
            return Ok(None);
        };
        let opening = Opening::new(Streams::new(0, 0), 0);
        let plain = ScaledCounts::of(&mut *inner.open(opening)?)?;
        let scaled = ScaledCounts::of(&mut *self.open(inner, step, opening)?)?;
        let mut worst: Option<(f64, String)> = None;
        for seconds in [1, 10, 60, 600, 3600] {
            let (before, after) = (plain.at_scale(seconds), scaled.at_scale(seconds));
            if before.counts.len() < MIN_INTERVALS || before.seconds() > seconds as f64 {
                continue;
            }
            let (right, found) = (1.0 + self.factor * (before.dispersion() - 1.0).max(0.0), after.dispersion());
            let apart = (found / right).ln().abs();
            if apart > MAX_APART.ln() && worst.as_ref().is_none_or(|(most, _)| apart > *most) {
                let text = format!(
                    "`scale-rate` by {} with a jitter of {}: counts per {} have an index of dispersion of {found:.1}, where a rate so many times \
                     as high has {right:.1} (the recorded one has {:.2}). Without `jitter` it is kept.",
                    self.factor,
                    SimDuration::from_nanos(jitter),
                    SimDuration::from_secs(seconds),
                    before.dispersion()
                );
                worst = Some((apart, text));
            }
        }
        Ok(worst.map(|(_, text)| text))
    }

    fn rate_factor(&self) -> Option<f64> {
        Some(self.factor)
    }
}

/// A jitter counts as a distortion if an index of dispersion is wrong by more than this factor, over times of which
/// there are enough.
const MAX_APART: f64 = 1.5;
const MIN_INTERVALS: usize = 20;

/// A stream with `factor` times as many requests: additional ones by the estimated rate, or copies within a stated
/// jitter.
pub(super) fn scaled_by<F: Factor + 'static>(
    inner: &Arc<dyn Recipe>,
    factor: F,
    jitter: Option<u64>,
    step: u16,
    opening: Opening,
) -> Result<Box<dyn TraceSource>, TraceError> {
    let Some(jitter) = jitter else { return Ok(Box::new(Denser::open(inner, factor, step, opening)?)) };
    Ok(Box::new(Scaling::open(inner, factor, jitter, step, opening)?))
}

/// A factor on the number of requests, by time and class.
pub(super) trait Factor: Send {
    /// The factor for a request at `at` nanoseconds after time zero, of a class with this number.
    fn at(&self, at: u64, class: Option<u16>) -> f64;

    /// An upper bound of the factor between two times, nanoseconds.
    fn bound(&self, from: u64, to: u64) -> f64;

    /// Passes the names of the classes known so far.
    fn learn(&mut self, classes: &[String]) {
        let _ = classes;
    }
}

/// The same factor for every request.
struct Everywhere(f64);

impl Factor for Everywhere {
    fn at(&self, _: u64, _: Option<u16>) -> f64 {
        self.0
    }

    fn bound(&self, _: u64, _: u64) -> f64 {
        self.0
    }
}

/// A stream with `factor` times as many requests: thinned below 1, with copies moved back by up to `jitter` nanoseconds
/// above.
struct Scaling<F> {
    inner: Box<dyn TraceSource>,
    factor: F,
    jitter: u64,
    draw: Draw,
    /// Selects the attributes of copies.
    donors: Draw,
    part: RequestBatch,
    /// Requests that a copy of a later one may still precede.
    held: RequestBatch,
    newest: u64,
    ended: bool,
}

impl<F: Factor> Scaling<F> {
    fn open(inner: &Arc<dyn Recipe>, factor: F, jitter: u64, step: u16, opening: Opening) -> Result<Self, TraceError> {
        let (draw, donors) = (opening.draw(Purpose::Transform, step), opening.node(step, u64::MAX));
        let (part, held) = (RequestBatch::default(), RequestBatch::default());
        Ok(Scaling { inner: inner.open(opening)?, factor, jitter, draw, donors, part, held, newest: 0, ended: false })
    }

    /// Reads a batch and appends each request as often as required, with copies moved back.
    fn hold(&mut self) -> Result<(), TraceError> {
        self.part.clear();
        self.inner.fill(&mut self.part)?;
        let Some(last) = self.part.arrivals.last() else {
            self.ended = true;
            return Ok(());
        };
        self.newest = last.as_nanos();
        self.factor.learn(self.inner.class_names());
        let limit = self.inner.extent().map_or(u64::MAX, |extent| extent.as_nanos().saturating_sub(1));
        let mut rows = Vec::with_capacity(self.part.len());
        let mut times = Vec::with_capacity(self.part.len());
        let attributes = have_attributes(&self.part);
        for (row, time) in self.part.arrivals.iter().enumerate() {
            let class = self.part.classes.get(row).copied();
            let factor = self.factor.at(time.as_nanos(), class);
            // Number of certain copies, and probability of one more.
            let appear = factor as u64 + u64::from(self.draw.uniform() < factor.fract());
            for copy in 0..appear {
                let other = match copy > 0 && attributes {
                    true => donor(&self.part, &around(&self.part, row), class, &mut self.donors),
                    false => None,
                };
                rows.push(other.unwrap_or(row) as u32);
                let back = if copy == 0 { 0 } else { (self.draw.uniform() * self.jitter as f64) as u64 };
                // Reflected at time zero, so that no request is lost or precedes it.
                times.push(SimTime::from_nanos(time.as_nanos().abs_diff(back).min(limit.max(time.as_nanos()))));
            }
        }
        let before = self.held.len();
        self.held.gather(&self.part, &rows);
        self.held.arrivals[before..].copy_from_slice(&times);
        Ok(())
    }

    /// Moves the requests that no later copy can precede to `batch`, in order.
    fn release(&mut self, batch: &mut RequestBatch) {
        let until = if self.ended { u64::MAX } else { self.newest.saturating_sub(self.jitter) };
        if self.jitter == 0 {
            batch.append_range(&self.held, 0..self.held.len());
            self.held.clear();
            return;
        }
        let times = &self.held.arrivals;
        let mut order: Vec<u32> = (0..times.len() as u32).collect();
        order.sort_by_key(|row| times[*row as usize]);
        let leaving = order.partition_point(|row| self.ended || times[*row as usize].as_nanos() < until);
        batch.gather(&self.held, &order[..leaving]);
        let mut rest = RequestBatch::default();
        rest.gather(&self.held, &order[leaving..]);
        self.held = rest;
    }
}

impl<F: Factor> TraceSource for Scaling<F> {
    fn fill(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError> {
        let before = batch.len();
        let mut wanted = RequestBatch::TARGET_LEN;
        while batch.len() == before && !(self.ended && self.held.is_empty()) {
            while !self.ended && self.held.len() < wanted {
                self.hold()?;
            }
            self.release(batch);
            wanted = self.held.len() * 2 + RequestBatch::TARGET_LEN;
        }
        Ok(())
    }

    fn extent(&self) -> Option<SimDuration> {
        self.inner.extent()
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
