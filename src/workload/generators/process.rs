//! The common part of all generators: a model generates requests one by one, and a stream puts them into batches.

use std::fmt::Debug;
use std::sync::Arc;

use super::tokens::TokenModel;
use crate::config::{Diagnostics, Fields};
use crate::random::{Draw, Purpose};
use crate::units::{SimDuration, SimTime};
use crate::workload::batch::RequestBatch;
use crate::workload::error::TraceError;
use crate::workload::recipe::{Opening, Recipe};
use crate::workload::source::TraceSource;
use crate::workload::time::moment::read_instant;

/// One request of a synthetic stream.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Request {
    /// Seconds from time zero; earlier requests (from a warm-up of the process) are skipped.
    pub(super) at: f64,
    /// Input and output tokens, if the model generates them.
    pub(super) tokens: (u32, u32),
    /// Index into the model's classes.
    pub(super) class: u16,
}

impl Request {
    /// A request without attributes.
    pub(super) fn at(at: f64) -> Self {
        Request { at, ..Request::default() }
    }
}

/// Generates requests in order of time.
pub(super) trait Process: Send {
    /// The next request; `None` at the end.
    fn next(&mut self) -> Option<Request>;
}

/// The parameters of a synthetic process.
pub(super) trait Model: Debug + Clone + Send + Sync + 'static {
    /// A fresh process.
    fn process(&self, opening: Opening) -> Box<dyn Process>;

    /// The same process with `factor` times as many requests.
    fn scaled(&self, factor: f64) -> Option<Self>;

    /// Names of the classes of its requests; empty if it has no classes.
    fn classes(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether it generates the tokens of its requests.
    fn makes_tokens(&self) -> bool {
        false
    }
}

/// Parameters of every synthetic stream besides its model.
#[derive(Debug, Clone, Default)]
pub(super) struct Envelope {
    /// Length of the stream; `None` if it has no end.
    pub(super) duration: Option<SimDuration>,
    /// Wall-clock time of time zero, nanoseconds since 1970 (UTC).
    pub(super) start: Option<u64>,
    /// Tokens drawn for each request.
    pub(super) tokens: Option<TokenModel>,
}

impl Envelope {
    /// Reads `for`, `start` and `tokens`.
    pub(super) fn read(fields: &Fields<'_>, sink: &mut Diagnostics) -> Envelope {
        Envelope { tokens: fields.optional("tokens", sink), ..Envelope::dated(fields, sink) }
    }

    /// Reads `for` and `start`.
    pub(super) fn dated(fields: &Fields<'_>, sink: &mut Diagnostics) -> Envelope {
        Envelope { duration: fields.optional("for", sink), start: read_instant(fields, "start", sink), tokens: None }
    }

    /// Seconds since Monday 00:00 (UTC) at time zero; zero if no date is stated.
    pub(super) fn week_phase(&self) -> f64 {
        self.start.map_or(0.0, crate::workload::time::moment::week_phase)
    }
}

/// A model with its envelope: the recipe of every generator that generates requests one by one.
#[derive(Debug, Clone)]
pub(super) struct Synthetic<M> {
    pub(super) model: M,
    pub(super) envelope: Envelope,
}

impl<M: Model> Synthetic<M> {
    /// The recipe, for the list's builder.
    pub(super) fn recipe(model: M, envelope: Envelope) -> Arc<dyn Recipe> {
        Arc::new(Synthetic { model, envelope })
    }
}

impl<M: Model> Recipe for Synthetic<M> {
    fn open(&self, opening: Opening) -> Result<Box<dyn TraceSource>, TraceError> {
        let attributes = self.envelope.tokens.clone().map(|model| (model, opening.draw(Purpose::Attribute, 0)));
        Ok(Box::new(Stream {
            process: self.model.process(opening),
            duration: self.envelope.duration,
            start: self.envelope.start,
            makes_tokens: self.model.makes_tokens(),
            attributes,
            classes: self.model.classes().iter().map(|name| (*name).to_string()).collect(),
            ended: false,
        }))
    }

    fn scaled(&self, factor: f64) -> Option<Arc<dyn Recipe>> {
        Some(Synthetic::recipe(self.model.scaled(factor)?, self.envelope.clone()))
    }
}

struct Stream {
    process: Box<dyn Process>,
    duration: Option<SimDuration>,
    start: Option<u64>,
    makes_tokens: bool,
    attributes: Option<(TokenModel, Draw)>,
    classes: Vec<String>,
    ended: bool,
}

impl Stream {
    fn push(&mut self, request: Request, at: u64, batch: &mut RequestBatch) {
        batch.arrivals.push(SimTime::from_nanos(at));
        let drawn = self.attributes.as_mut().map(|(model, draw)| model.sample(draw));
        if let Some((tokens_in, tokens_out)) = drawn.or(self.makes_tokens.then_some(request.tokens)) {
            batch.tokens_in.push(tokens_in);
            batch.tokens_out.push(tokens_out);
        }
        if !self.classes.is_empty() {
            batch.classes.push(request.class);
        }
    }
}

impl TraceSource for Stream {
    fn fill(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError> {
        let end = self.duration.unwrap_or(SimDuration::MAX).as_nanos();
        let target = batch.len() + RequestBatch::TARGET_LEN;
        while !self.ended && batch.len() < target {
            let Some(request) = self.process.next() else {
                self.ended = true;
                return Ok(());
            };
            // `as` saturates: times beyond the clock are after every end.
            let at = (request.at * 1e9) as u64;
            if at >= end {
                self.ended = true;
            } else if request.at >= 0.0 {
                self.push(request, at, batch);
            }
        }
        Ok(())
    }

    fn extent(&self) -> Option<SimDuration> {
        self.duration
    }

    fn start_epoch_ns(&self) -> Option<u64> {
        self.start
    }

    fn class_names(&self) -> &[String] {
        &self.classes
    }
}
