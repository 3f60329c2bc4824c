//! The requests of a service: arrivals, with demands taken from the trace or drawn.

use crate::cluster::{DemandModel, ServiceSpec};
use crate::random::{Draw, Purpose, Streams};
use crate::units::{SimDuration, SimTime};
use crate::workload::{RequestBatch, TraceError, TraceSource};

/// The random stream that demands are drawn from, in order of arrival.
pub(crate) fn demand_draw(streams: Streams, service: u64) -> Draw {
    streams.running(Purpose::Demand, service)
}

/// Draws the demands that the trace does not give.
pub(crate) fn complete(batch: &mut RequestBatch, model: &DemandModel, draw: &mut Draw) {
    if batch.demands.is_empty() {
        batch.demands.resize(batch.arrivals.len(), RequestBatch::UNKNOWN);
    } else if !batch.demands.contains(&RequestBatch::UNKNOWN) {
        return;
    }
    let unknown = batch.demands.iter_mut().enumerate().filter(|(_, demand)| **demand == RequestBatch::UNKNOWN);
    match model {
        DemandModel::Drawn(distribution) => {
            unknown.for_each(|(_, demand)| *demand = distribution.sample_duration(draw))
        }
        DemandModel::Recorded(of) => unknown.for_each(|(_, demand)| *demand = of.stand_in().sample_duration(draw)),
        DemandModel::PerToken { base, input, output } => {
            let tokens = |column: &Vec<u32>, i: usize| u64::from(column.get(i).copied().unwrap_or(0));
            let of = |i| *base + *input * tokens(&batch.tokens_in, i) + *output * tokens(&batch.tokens_out, i);
            unknown.for_each(|(i, demand)| *demand = of(i));
        }
    }
}

/// The demand of a request in a closed loop. It is keyed by user and request number, because arrival times depend on
/// the answers. Token counts are not known.
pub(super) fn fresh_demand(model: &DemandModel, streams: Streams, service: u64, ordinal: u64) -> SimDuration {
    match model {
        DemandModel::Drawn(distribution) => {
            distribution.sample_duration(&mut streams.keyed(Purpose::Demand, service, ordinal))
        }
        DemandModel::Recorded(of) => {
            of.stand_in().sample_duration(&mut streams.keyed(Purpose::Demand, service, ordinal))
        }
        DemandModel::PerToken { base, .. } => *base,
    }
}

/// Calls `see` for every request before `end`, exactly as a run with the same streams would meet them.
pub(crate) fn each_request(
    mut source: Box<dyn TraceSource>,
    spec: &ServiceSpec,
    (streams, service): (Streams, u64),
    end: SimTime,
    mut see: impl FnMut(SimTime, SimDuration),
) -> Result<(), TraceError> {
    let mut draw = demand_draw(streams, service);
    let mut batch = RequestBatch::default();
    loop {
        batch.clear();
        source.fill(&mut batch)?;
        complete(&mut batch, &spec.demand, &mut draw);
        for (arrival, demand) in batch.arrivals.iter().zip(&batch.demands) {
            if *arrival >= end {
                return Ok(());
            }
            see(*arrival, *demand);
        }
        if batch.is_empty() {
            return Ok(());
        }
    }
}
