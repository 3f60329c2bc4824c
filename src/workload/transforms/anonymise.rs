//! A stream without features that identify its origin.

use std::sync::Arc;

use super::transform::{Transform, TransformPlugin};
use crate::config::Fields;
use crate::random::{Draw, Purpose};
use crate::units::{SimDuration, SimTime};
use crate::workload::batch::RequestBatch;
use crate::workload::error::TraceError;
use crate::workload::reading::rows::RowCounts;
use crate::workload::recipe::{Opening, Recipe};
use crate::workload::source::TraceSource;

/// The entry in the list.
pub const PLUGIN: TransformPlugin = TransformPlugin {
    name: "anonymise",
    summary: "moves each arrival by up to `jitter` either way, rounds tokens up to `round`, drops the date and the classes' names",
    source: "this project",
    build: |node, _, sink| {
        let fields = Fields::open(node, "transform `anonymise`", sink)?;
        let jitter: Option<SimDuration> = fields.required("jitter", sink);
        let round = fields.or("round", 1, sink);
        fields.finish(sink);
        let jitter = jitter?;
        if jitter > SimDuration::from_secs(86_400) || round == 0 {
            sink.push(node.error("expected a `jitter` of at most a day and tokens rounded to at least 1"));
            return None;
        }
        Some(Arc::new(Anonymise { jitter: jitter.as_nanos(), round }))
    },
};

/// The number of requests is unchanged, and so are rates over times much longer than the jitter. Classes become
/// `class-1`, `class-2` in order of appearance.
#[derive(Debug, Clone, Copy)]
struct Anonymise {
    jitter: u64,
    round: u32,
}

impl Transform for Anonymise {
    fn open(&self, inner: &Arc<dyn Recipe>, step: u16, opening: Opening) -> Result<Box<dyn TraceSource>, TraceError> {
        Ok(Box::new(Stream {
            what: *self,
            draw: opening.draw(Purpose::Transform, step),
            inner: inner.open(opening)?,
            held: RequestBatch::default(),
            newest: 0,
            latest: SimTime::ZERO,
            ended: false,
            classes: Vec::new(),
        }))
    }
}

struct Stream {
    inner: Box<dyn TraceSource>,
    what: Anonymise,
    draw: Draw,
    /// Requests that a later one may still precede.
    held: RequestBatch,
    newest: u64,
    /// The latest time returned: the end of some inputs is known only after they were read, too late for reflection at
    /// the end.
    latest: SimTime,
    ended: bool,
    classes: Vec<String>,
}

impl Stream {
    fn hold(&mut self) -> Result<(), TraceError> {
        let before = self.held.len();
        self.inner.fill(&mut self.held)?;
        self.ended = self.held.len() == before;
        self.newest = self.held.arrivals.last().filter(|_| !self.ended).map_or(self.newest, |last| last.as_nanos());
        let limit = self.inner.extent().map_or(u64::MAX, |extent| extent.as_nanos().saturating_sub(1));
        for time in &mut self.held.arrivals[before..] {
            let forth = (self.draw.uniform() * 2.0 * self.what.jitter as f64) as u64;
            // Reflected at both ends, so that no request is lost.
            let moved = time.as_nanos().saturating_add(forth).abs_diff(self.what.jitter);
            let over = moved.saturating_sub(limit);
            *time = SimTime::from_nanos(moved.min(limit).saturating_sub(over));
            self.latest = self.latest.max(*time);
        }
        let round = self.what.round;
        for column in [&mut self.held.tokens_in, &mut self.held.tokens_out] {
            for tokens in column.iter_mut().skip(before) {
                *tokens = tokens.div_ceil(round).saturating_mul(round);
            }
        }
        let met = self.classes.len();
        self.classes.extend((met..self.inner.class_names().len()).map(|number| format!("class-{}", number + 1)));
        Ok(())
    }

    /// Moves the requests that no later one can precede to `batch`, in order.
    fn release(&mut self, batch: &mut RequestBatch) {
        let until = self.newest.saturating_sub(self.what.jitter);
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

impl TraceSource for Stream {
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
        let after = SimDuration::from_nanos(self.latest.as_nanos().saturating_add(1));
        self.inner.extent().map(|extent| extent.max(after))
    }

    fn class_names(&self) -> &[String] {
        &self.classes
    }

    fn tally(&self) -> Option<&RowCounts> {
        self.inner.tally()
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::generators::testing::{Counts, recipe, requests};
    use crate::random::Streams;
    use crate::workload::recipe::Opening;

    const SOURCE: &str = "fraud: { rate: 20/s, for: 2h, start: 2026-11-27, tokens: { input: 100, output: 50 }, waves: [{ at: 1h, for: 30m, rate: 30/s }] }";

    #[test]
    fn counts_stay_and_identities_go() {
        let text = format!("{SOURCE}\ntransforms: [{{ anonymise: {{ jitter: 10s, round: 16 }} }}]");
        let (before, after) = (requests(&*recipe(SOURCE)), requests(&*recipe(&text)));
        assert_eq!(before.len(), after.len());
        assert!(after.tokens_in.iter().chain(&after.tokens_out).all(|tokens| tokens % 16 == 0));
        let (old, new) = (Counts::of(&*recipe(SOURCE), 600.0), Counts::of(&*recipe(&text), 600.0));
        // Only requests within ten seconds of a border may change sides.
        assert!(old.0.iter().zip(&new.0).all(|(a, b)| (a - b).abs() < 150.0), "{old:?} {new:?}");
        let unmoved = before.arrivals.iter().filter(|time| after.arrivals.binary_search(time).is_ok()).count();
        assert!(unmoved * 1000 < before.len(), "{unmoved}");
        let mut source = recipe(&text).open(Opening::new(Streams::new(1, 0), 0)).unwrap();
        source.fill(&mut Default::default()).unwrap();
        assert_eq!(source.start_epoch_ns(), None);
        assert_eq!(source.class_names(), ["class-1", "class-2"]);
    }
}
