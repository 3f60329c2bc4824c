//! The requests of a replication, made once for all that meet them: the runs of every policy, and the lower bound.
//!
//! Every reader gets the batches that it would have got from a source of its own, with the demands that the run would
//! have drawn. They are made when the first reader asks for them, and kept up to [`MOST_BYTES`]; a reader that goes
//! further makes them itself, from the beginning, as it would have anyway.

use std::sync::{Arc, Mutex, PoisonError};

use crate::cluster::DemandModel;
use crate::engine::{complete, demand_draw};
use crate::random::{Draw, Streams};
use crate::scenario::Scenario;
use crate::units::SimDuration;
use crate::workload::{Clients, Holes, RequestBatch, RowCounts, TraceError, TraceSource};

/// The most that is kept of the requests of all services together: those of three to four million.
pub(super) const MOST_BYTES: usize = 64 << 20;

/// The requests of one service.
pub(super) struct SharedRequests {
    service: u64,
    streams: Streams,
    demand: DemandModel,
    most_bytes: usize,
    made: Mutex<Made>,
}

/// What was made so far.
struct Made {
    source: Box<dyn TraceSource>,
    draw: Draw,
    batches: Vec<Arc<RequestBatch>>,
    bytes: usize,
    end: Option<End>,
}

/// Why no further batches are made.
enum End {
    /// There are no more requests.
    Last,
    /// They take too much memory.
    Full,
    /// The trace cannot be read any further.
    Failed(TraceError),
}

/// A batch by its number.
enum Found {
    Batch(Arc<RequestBatch>),
    Last,
    /// Neither made nor kept.
    Beyond,
}

impl SharedRequests {
    /// Those of service number `service`; `None` for a closed loop.
    ///
    /// # Errors
    /// If a trace cannot be opened.
    fn new(scenario: &Scenario, service: usize, replication: u64) -> Result<Option<Arc<SharedRequests>>, TraceError> {
        let plan = &scenario.services[service];
        let (number, streams) = (service as u64, Streams::new(scenario.seed, replication));
        if plan.workload.clients().is_some() {
            return Ok(None);
        }
        let (source, draw) = (plan.workload.open(streams, number)?, demand_draw(streams, number));
        Ok(Some(Arc::new(SharedRequests {
            service: number,
            streams,
            demand: plan.spec.demand.clone(),
            most_bytes: MOST_BYTES / scenario.services.len().max(1),
            made: Mutex::new(Made { source, draw, batches: Vec::new(), bytes: 0, end: None }),
        })))
    }

    /// Those of every service of a scenario.
    ///
    /// # Errors
    /// If a trace cannot be opened.
    pub(super) fn of(scenario: &Scenario, replication: u64) -> Result<Vec<Option<Arc<SharedRequests>>>, TraceError> {
        (0..scenario.services.len()).map(|service| SharedRequests::new(scenario, service, replication)).collect()
    }

    /// A stream of them. `own` is the stream that it stands for, at its beginning.
    pub(super) fn reader(self: &Arc<Self>, own: Box<dyn TraceSource>) -> Box<dyn TraceSource> {
        let draw = demand_draw(self.streams, self.service);
        Box::new(Reader { shared: Arc::clone(self), next: 0, own, draw, alone: false })
    }

    fn batch(&self, number: usize) -> Result<Found, TraceError> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(batch) = made.batches.get(number) {
            return Ok(Found::Batch(Arc::clone(batch)));
        }
        match &made.end {
            Some(End::Last) => Ok(Found::Last),
            Some(End::Full) => Ok(Found::Beyond),
            Some(End::Failed(error)) => Err(error.clone()),
            // Readers ask for one batch after the other, so this is the next one.
            None => made.make(&self.demand, self.most_bytes),
        }
    }
}

impl Made {
    fn make(&mut self, demand: &DemandModel, most_bytes: usize) -> Result<Found, TraceError> {
        if self.bytes >= most_bytes {
            self.end = Some(End::Full);
            return Ok(Found::Beyond);
        }
        let mut batch = RequestBatch::default();
        if let Err(error) = self.source.fill(&mut batch) {
            self.end = Some(End::Failed(error.clone()));
            return Err(error);
        }
        if batch.is_empty() {
            self.end = Some(End::Last);
            return Ok(Found::Last);
        }
        complete(&mut batch, demand, &mut self.draw);
        self.bytes += bytes_of(&batch);
        let batch = Arc::new(batch);
        self.batches.push(Arc::clone(&batch));
        Ok(Found::Batch(batch))
    }
}

/// The memory that a batch takes.
fn bytes_of(batch: &RequestBatch) -> usize {
    8 * (batch.arrivals.capacity() + batch.demands.capacity())
        + 4 * (batch.tokens_in.capacity() + batch.tokens_out.capacity())
        + 2 * batch.classes.capacity()
}

/// A stream of the shared requests, as long as they are kept.
struct Reader {
    shared: Arc<SharedRequests>,
    /// Number of the next batch.
    next: usize,
    /// A stream of its own, not read before `alone`.
    own: Box<dyn TraceSource>,
    draw: Draw,
    alone: bool,
}

impl Reader {
    fn fill_alone(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError> {
        self.own.fill(batch)?;
        complete(batch, &self.shared.demand, &mut self.draw);
        Ok(())
    }
}

impl TraceSource for Reader {
    fn fill(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError> {
        if self.alone {
            return self.fill_alone(batch);
        }
        match self.shared.batch(self.next)? {
            Found::Batch(shared) => {
                batch.arrivals.extend_from_slice(&shared.arrivals);
                batch.demands.extend_from_slice(&shared.demands);
                batch.tokens_in.extend_from_slice(&shared.tokens_in);
                batch.tokens_out.extend_from_slice(&shared.tokens_out);
                batch.classes.extend_from_slice(&shared.classes);
                self.next += 1;
                Ok(())
            }
            Found::Last => Ok(()),
            Found::Beyond => {
                self.alone = true;
                let mut passed = RequestBatch::default();
                for _ in 0..self.next {
                    passed.clear();
                    self.fill_alone(&mut passed)?;
                }
                self.fill_alone(batch)
            }
        }
    }

    fn extent(&self) -> Option<SimDuration> {
        self.own.extent()
    }

    fn resolution(&self) -> Option<SimDuration> {
        self.own.resolution()
    }

    fn clients(&self) -> Option<&Clients> {
        self.own.clients()
    }

    fn start_epoch_ns(&self) -> Option<u64> {
        self.own.start_epoch_ns()
    }

    fn class_names(&self) -> &[String] {
        self.own.class_names()
    }

    fn holes(&self) -> Option<&Holes> {
        self.own.holes()
    }

    fn tally(&self) -> Option<&RowCounts> {
        self.own.tally()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Diagnostics;

    fn scenario(workload: &str) -> Scenario {
        let text = format!(
            "duration: 10m\nworkload: {{ {workload} }}\nservice: {{ name: web, replicas: 2, concurrency: 4, service-time: {{ \
             lognormal: {{ mean: 50ms, cv: 1 }} }} }}\npolicies: {{ two: {{ static: {{ replicas: 2 }} }} }}\n"
        );
        let mut found = Diagnostics::new();
        Scenario::read_text(&text, &mut found).unwrap_or_else(|| panic!("{found}"))
    }

    /// Batch by batch what a run would get by itself, with its demands.
    fn batches(mut source: Box<dyn TraceSource>, demand: &DemandModel, most: usize) -> Vec<RequestBatch> {
        let mut draw = demand_draw(Streams::new(1, 3), 0);
        let mut all = Vec::new();
        while all.len() < most {
            let mut batch = RequestBatch::default();
            source.fill(&mut batch).unwrap();
            complete(&mut batch, demand, &mut draw);
            if batch.is_empty() {
                break;
            }
            all.push(batch);
        }
        all
    }

    #[test]
    fn every_reader_gets_what_a_source_of_its_own_gives() {
        let scenario = scenario("poisson: { rate: 50/s }");
        let plan = &scenario.services[0];
        let open = || plan.workload.open(Streams::new(1, 3), 0).unwrap();
        let alone = batches(open(), &plan.spec.demand, 30);
        assert_eq!(alone.len(), 30);
        // Everything is kept; a few batches are kept, and each reader goes on by itself; none is.
        for most_bytes in [MOST_BYTES, 5 * bytes_of(&alone[0]), 0] {
            let mut shared = SharedRequests::of(&scenario, 3).unwrap().remove(0).unwrap();
            Arc::get_mut(&mut shared).unwrap().most_bytes = most_bytes;
            for most in [7, 30, 3, 30] {
                let read = batches(shared.reader(open()), &plan.spec.demand, most);
                assert!(read == alone[..most], "{most_bytes} bytes, {most} batches");
            }
        }
    }

    #[test]
    fn a_closed_loop_is_not_shared() {
        let scenario = scenario("closed-loop: { think: 5s, users: 100 }");
        assert!(SharedRequests::of(&scenario, 0).unwrap()[0].is_none());
    }
}
