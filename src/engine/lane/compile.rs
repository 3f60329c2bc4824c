//! Builds the request path of a service: compiled once for each pair of serving model and dispatcher.

use super::super::error::RunError;
use super::super::tally::Tally;
use super::{Lane, LaneControl, LaneSpec};
use crate::cluster::ServiceSpec;
use crate::cluster::dispatch::{Dispatcher, WithDispatcher, with_dispatcher};
use crate::serving::{ServiceModel, Serving, WithModel};
use crate::workload::TraceSource;

/// Builds the request path for a service. `slowed` says whether its requests may reach the CPU ceiling of a replica.
pub(in crate::engine) fn build_lane(
    spec: LaneSpec,
    service: &ServiceSpec,
    slowed: bool,
    source: Box<dyn TraceSource>,
    tally: Tally,
) -> Result<Box<dyn LaneControl>, RunError> {
    service.model.compile(slowed, Parts { spec, service, source, tally })
}

/// What a lane is made of, besides the serving model.
struct Parts<'a> {
    spec: LaneSpec,
    service: &'a ServiceSpec,
    source: Box<dyn TraceSource>,
    tally: Tally,
}

impl WithModel for Parts<'_> {
    type Output = Result<Box<dyn LaneControl>, RunError>;

    fn with<M: ServiceModel + 'static>(self, model: M) -> Self::Output {
        with_dispatcher(self.service.dispatch, WithBoth { parts: self, model })
    }
}

/// What a lane is made of, besides the dispatcher.
struct WithBoth<'a, M> {
    parts: Parts<'a>,
    model: M,
}

impl<M: ServiceModel + 'static> WithDispatcher for WithBoth<'_, M> {
    type Output = Result<Box<dyn LaneControl>, RunError>;

    fn with<D: Dispatcher + 'static>(self, mut dispatcher: D) -> Self::Output {
        let Parts { spec, service, source, tally } = self.parts;
        dispatcher.limit(service.concurrency);
        Ok(Box::new(Lane::new(spec, source, self.model, dispatcher, tally)?))
    }
}
