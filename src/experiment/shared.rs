//! The requests of a replication, made once for all that meet them: the runs of every policy, and the lower bound.
//!
//! Every reader gets the batches that it would have got from a source of its own, with the demands that the run would
//! have drawn. Whoever needs a batch that has not been made makes it, and a thread that has nothing else to do makes them
//! ahead. Each is added to the account of the lower bound as it is made. For several readers they are kept up to
//! [`MOST_BYTES`]; then the first of them that goes further makes the others alone, the lower bound's account with it, and
//! the rest make them themselves from the beginning. A single reader takes them as they come, and [`AHEAD_BYTES`] are made
//! ahead of it.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::bound::{self, Work};
use crate::cluster::DemandModel;
use crate::engine::{complete, demand_draw};
use crate::random::{Draw, Streams};
use crate::scenario::Scenario;
use crate::units::{SimDuration, SimTime};
use crate::workload::{Clients, Holes, RequestBatch, RowCounts, TraceError, TraceSource};

/// The most that is kept of the requests of all services together: those of three to four million.
pub(super) const MOST_BYTES: usize = 64 << 20;
/// The most that is made ahead of a single reader, for all services together.
const AHEAD_BYTES: usize = 8 << 20;

/// The requests of one service.
pub(super) struct SharedRequests {
    service: u64,
    streams: Streams,
    demand: DemandModel,
    /// How many will read them.
    readers: usize,
    most_bytes: usize,
    /// `None` while a reader makes the requests alone.
    maker: Mutex<Option<Box<Maker>>>,
    kept: Mutex<Kept>,
    pace: Arc<Pace>,
}

/// Makes the requests, one batch after the other.
struct Maker {
    source: Box<dyn TraceSource>,
    draw: Draw,
    demand: DemandModel,
    /// The account of the lower bound, if there can be one.
    work: Option<Work>,
    /// Batches made.
    made: usize,
    /// The end of the run, and whether everything before it has been made.
    end: SimTime,
    passed: bool,
}

/// What was made and is still needed.
#[derive(Default)]
struct Kept {
    batches: VecDeque<Arc<RequestBatch>>,
    /// The number of the first of them.
    first: usize,
    bytes: usize,
    end: Option<End>,
}

/// Why no further batches are made.
#[derive(Clone)]
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
    /// Neither made nor kept; the reader is the one that makes it.
    Alone(Box<Maker>),
    /// Neither made nor kept.
    Beyond,
}

/// What a thread that makes requests ahead waits for: that some have been taken, or that no more will be.
#[derive(Default)]
struct Pace {
    state: Mutex<PaceState>,
    changed: Condvar,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct PaceState {
    taken: u64,
    closed: bool,
}

/// A panic elsewhere ends the run anyway.
fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pace {
    fn tell(&self, change: impl FnOnce(&mut PaceState)) {
        change(&mut lock(&self.state));
        self.changed.notify_all();
    }

    fn now(&self) -> PaceState {
        *lock(&self.state)
    }

    /// Waits until the state differs from `known`.
    fn wait(&self, known: PaceState) {
        let waited = self.changed.wait_while(lock(&self.state), |state| *state == known);
        drop(waited);
    }
}

impl Maker {
    /// Makes the next batch. At the end of the requests it is empty.
    fn make(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError> {
        self.source.fill(batch)?;
        complete(batch, &self.demand, &mut self.draw);
        if let Some(work) = &mut self.work {
            work.add(batch);
        }
        self.made += 1;
        self.passed |= batch.arrivals.last().is_none_or(|last| *last >= self.end);
        Ok(())
    }
}

impl SharedRequests {
    /// Those of service number `service`, for a number of readers; `None` for a closed loop.
    ///
    /// # Errors
    /// If a trace cannot be opened.
    fn new(
        scenario: &Scenario,
        service: usize,
        streams: Streams,
        readers: usize,
        pace: &Arc<Pace>,
    ) -> Result<Option<Arc<SharedRequests>>, TraceError> {
        let plan = &scenario.services[service];
        let number = service as u64;
        if plan.workload.clients().is_some() {
            return Ok(None);
        }
        let bounded = plan.lease.is_some() && bound::unbounded(scenario).is_none();
        let maker = Box::new(Maker {
            source: plan.workload.open(streams, number)?,
            draw: demand_draw(streams, number),
            demand: plan.spec.demand.clone(),
            work: bounded.then(|| Work::new(scenario, service)),
            made: 0,
            end: SimTime::ZERO + scenario.duration,
            passed: false,
        });
        let most = if readers > 1 { MOST_BYTES } else { AHEAD_BYTES };
        Ok(Some(Arc::new(SharedRequests {
            service: number,
            streams,
            demand: plan.spec.demand.clone(),
            readers,
            most_bytes: most / scenario.services.len().max(1),
            maker: Mutex::new(Some(maker)),
            kept: Mutex::default(),
            pace: Arc::clone(pace),
        })))
    }

    /// Those of every service of a scenario, for a number of readers.
    ///
    /// # Errors
    /// If a trace cannot be opened.
    pub(super) fn of(
        scenario: &Scenario,
        replication: u64,
        readers: usize,
    ) -> Result<Vec<Option<Arc<SharedRequests>>>, TraceError> {
        let (streams, pace) = (Streams::new(scenario.seed, replication), Arc::default());
        (0..scenario.services.len())
            .map(|service| SharedRequests::new(scenario, service, streams, readers, &pace))
            .collect()
    }

    /// A stream of them. `own` is the stream that it stands for, at its beginning.
    pub(super) fn reader(self: &Arc<Self>, own: Box<dyn TraceSource>) -> Box<dyn TraceSource> {
        let draw = demand_draw(self.streams, self.service);
        Box::new(Reader { shared: Arc::clone(self), next: 0, own, draw, alone: Alone::Not })
    }

    /// The account of the lower bound over all requests before the end of the run, once; those that nobody has made yet are
    /// made here. `None` if there is no bound, and if it is not at hand. To be called when all readers are gone, or when [`SharedRequests::is_made`].
    ///
    /// # Errors
    /// If the trace cannot be read.
    pub(super) fn account(&self) -> Result<Option<Work>, TraceError> {
        let mut maker = lock(&self.maker);
        let Some(maker) = maker.as_mut() else { return Ok(None) };
        if let Some(End::Failed(error)) = &lock(&self.kept).end {
            return Err(error.clone());
        }
        let mut batch = RequestBatch::default();
        while maker.work.is_some() && !maker.passed {
            batch.clear();
            maker.make(&mut batch)?;
        }
        Ok(maker.work.take())
    }

    /// The account of the lower bound for service number `service`, of requests that nobody else reads.
    ///
    /// # Errors
    /// If the trace cannot be read.
    pub(super) fn account_of(
        scenario: &Scenario,
        service: usize,
        replication: u64,
    ) -> Result<Option<Work>, TraceError> {
        let streams = Streams::new(scenario.seed, replication);
        let shared = SharedRequests::new(scenario, service, streams, 0, &Arc::default())?;
        shared.map_or(Ok(None), |shared| shared.account())
    }

    /// Whether everything before the end of the run has been made.
    fn is_made(&self) -> bool {
        lock(&self.maker).as_ref().is_some_and(|maker| maker.passed)
    }

    fn batch(&self, number: usize) -> Result<Found, TraceError> {
        if let Some(found) = self.kept(number)? {
            return Ok(found);
        }
        let mut maker = lock(&self.maker);
        // Another may have made it since.
        if let Some(found) = self.kept(number)? {
            return Ok(found);
        }
        match maker.take_if(|maker| maker.made == number && self.is_full()) {
            Some(maker) => return Ok(Found::Alone(maker)),
            None if self.is_full() => return Ok(Found::Beyond),
            None => {}
        }
        match maker.as_mut() {
            // Readers ask for one batch after the other, so this is the next one.
            Some(maker) => self.make(maker)?,
            None => return Ok(Found::Beyond),
        }
        Ok(self.kept(number)?.unwrap_or(Found::Beyond))
    }

    /// What is known of a batch without making any.
    fn kept(&self, number: usize) -> Result<Option<Found>, TraceError> {
        let mut kept = lock(&self.kept);
        if number < kept.first {
            return Ok(Some(Found::Beyond));
        }
        let at = number - kept.first;
        if self.readers == 1
            && at == 0
            && let Some(batch) = kept.batches.pop_front()
        {
            kept.first += 1;
            kept.bytes -= bytes_of(&batch);
            drop(kept);
            self.pace.tell(|state| state.taken += 1);
            return Ok(Some(Found::Batch(batch)));
        }
        if let Some(batch) = kept.batches.get(at) {
            return Ok(Some(Found::Batch(Arc::clone(batch))));
        }
        match &kept.end {
            Some(End::Last) => Ok(Some(Found::Last)),
            Some(End::Failed(error)) => Err(error.clone()),
            Some(End::Full) | None => Ok(None),
        }
    }

    /// Whether the readers must go on by themselves.
    fn is_full(&self) -> bool {
        let mut kept = lock(&self.kept);
        if self.readers != 1 && kept.bytes >= self.most_bytes && kept.end.is_none() {
            kept.end = Some(End::Full);
        }
        matches!(kept.end, Some(End::Full))
    }

    /// Makes the next batch and keeps it.
    fn make(&self, maker: &mut Maker) -> Result<(), TraceError> {
        let mut batch = RequestBatch::default();
        let made = maker.make(&mut batch);
        let mut kept = lock(&self.kept);
        match made {
            Err(error) => {
                kept.end = Some(End::Failed(error.clone()));
                return Err(error);
            }
            Ok(()) if batch.is_empty() => kept.end = Some(End::Last),
            Ok(()) => {
                kept.bytes += bytes_of(&batch);
                kept.batches.push_back(Arc::new(batch));
            }
        }
        Ok(())
    }

    /// Makes a batch ahead of the readers, if there is room for it.
    fn make_ahead(&self) -> Ahead {
        let mut maker = lock(&self.maker);
        // A reader goes on by itself, with the account.
        let Some(maker) = maker.as_mut() else { return Ahead::Done };
        if maker.passed || lock(&self.kept).end.is_some() {
            return Ahead::Done;
        }
        if lock(&self.kept).bytes >= self.most_bytes {
            return if self.readers == 1 { Ahead::Waits } else { Ahead::Done };
        }
        // Whoever needs the batch is told of an error.
        let _ = self.make(maker);
        Ahead::Made
    }
}

/// What became of making a batch ahead.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ahead {
    Made,
    /// Enough is made for now.
    Waits,
    /// Nothing is left to make.
    Done,
}

/// Makes requests ahead of their readers, on the caller's thread, until all are made that are to be or [`Reading`] ends.
/// Returns whether everything before the end of the run has been made, so that the lower bound can be known.
pub(super) fn make_ahead(all: &[Option<Arc<SharedRequests>>]) -> bool {
    let all = || all.iter().flatten();
    let Some(pace) = all().next().map(|first| &first.pace) else { return true };
    loop {
        let known = pace.now();
        let steps: Vec<Ahead> =
            all().map(|shared| if known.closed { Ahead::Done } else { shared.make_ahead() }).collect();
        if steps.iter().all(|step| *step == Ahead::Done) {
            return all().all(|shared| shared.is_made());
        }
        if !steps.contains(&Ahead::Made) {
            pace.wait(known);
        }
    }
}

/// As long as there is one, requests may be read. It ends also where a run panics, so that nobody waits for ever.
pub(super) struct Reading<'a>(pub &'a [Option<Arc<SharedRequests>>]);

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.iter().flatten().take(1).for_each(|first| first.pace.tell(|state| state.closed = true));
    }
}

/// The memory that a batch takes.
fn bytes_of(batch: &RequestBatch) -> usize {
    8 * (batch.arrivals.capacity() + batch.demands.capacity())
        + 4 * (batch.tokens_in.capacity() + batch.tokens_out.capacity())
        + 2 * batch.classes.capacity()
}

/// A stream of the shared requests.
struct Reader {
    shared: Arc<SharedRequests>,
    /// Number of the next batch.
    next: usize,
    /// A stream of its own, not read before it is alone.
    own: Box<dyn TraceSource>,
    draw: Draw,
    alone: Alone,
}

/// Whether a reader makes its requests itself.
enum Alone {
    Not,
    /// From its own stream.
    Own,
    /// In place of all, for the account of the lower bound.
    Making(Box<Maker>),
}

impl Reader {
    fn fill_alone(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError> {
        self.own.fill(batch)?;
        complete(batch, &self.shared.demand, &mut self.draw);
        Ok(())
    }

    /// Goes on alone behind the batches that were shared.
    fn pass_shared(&mut self) -> Result<(), TraceError> {
        self.alone = Alone::Own;
        let mut passed = RequestBatch::default();
        for _ in 0..self.next {
            passed.clear();
            self.fill_alone(&mut passed)?;
        }
        Ok(())
    }
}

/// Who makes the requests of all hands that back: the account of the lower bound is not finished.
impl Drop for Reader {
    fn drop(&mut self) {
        if let Alone::Making(maker) = std::mem::replace(&mut self.alone, Alone::Not) {
            *lock(&self.shared.maker) = Some(maker);
        }
    }
}

impl TraceSource for Reader {
    fn fill(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError> {
        match &mut self.alone {
            Alone::Not => {}
            Alone::Own => return self.fill_alone(batch),
            Alone::Making(maker) => return maker.make(batch),
        }
        match self.shared.batch(self.next)? {
            Found::Batch(shared) => {
                self.next += 1;
                match Arc::try_unwrap(shared) {
                    Ok(only) if batch.is_empty() => *batch = only,
                    Ok(shared) => batch.append_range(&shared, 0..shared.len()),
                    Err(shared) => batch.append_range(&shared, 0..shared.len()),
                }
                Ok(())
            }
            Found::Last => Ok(()),
            Found::Alone(mut maker) => {
                let made = maker.make(batch);
                self.alone = Alone::Making(maker);
                made
            }
            Found::Beyond => {
                self.pass_shared()?;
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
            let mut shared = SharedRequests::of(&scenario, 3, 4).unwrap().remove(0).unwrap();
            Arc::get_mut(&mut shared).unwrap().most_bytes = most_bytes;
            for most in [7, 30, 3, 30] {
                let read = batches(shared.reader(open()), &plan.spec.demand, most);
                assert!(read == alone[..most], "{most_bytes} bytes, {most} batches");
            }
        }
    }

    /// One reader, alone and with a thread that makes requests ahead of it, which ends when nothing is left to make or to read.
    #[test]
    fn what_is_made_ahead_is_the_same() {
        let scenario = scenario("poisson: { rate: 200/s, for: 2h }");
        let plan = &scenario.services[0];
        let open = || plan.workload.open(Streams::new(1, 3), 0).unwrap();
        let alone = batches(open(), &plan.spec.demand, 100);
        for (most_bytes, read_to) in [(AHEAD_BYTES, 100), (2 * bytes_of(&alone[0]), 100), (2 * bytes_of(&alone[0]), 40)]
        {
            let mut shared = SharedRequests::of(&scenario, 3, 1).unwrap();
            Arc::get_mut(shared[0].as_mut().unwrap()).unwrap().most_bytes = most_bytes;
            std::thread::scope(|scope| {
                let ahead = scope.spawn(|| make_ahead(&shared));
                let read = batches(shared[0].as_ref().unwrap().reader(open()), &plan.spec.demand, read_to);
                assert!(read == alone[..read_to], "{most_bytes} bytes, {read_to} batches");
                drop(Reading(&shared));
                // The run takes 600 s, which is 118 batches: only with room for all of them they are made without a reader.
                let made = ahead.join().unwrap();
                assert!(!made || most_bytes == AHEAD_BYTES);
            });
        }
    }

    /// Every way in which requests are made adds each of them to the account once.
    #[test]
    fn the_account_of_the_bound_does_not_depend_on_who_makes_the_requests() {
        let scenario = priced();
        let bound =
            |shared: &[Option<Arc<SharedRequests>>]| bound::cost_bound_from(&scenario, 3, shared).unwrap().unwrap();
        let expected = bound(&[]);
        assert!(expected.cost.as_f64() > 0.0);
        let plan = &scenario.services[0];
        let read = |shared: &Arc<SharedRequests>, most| {
            let open = plan.workload.open(Streams::new(1, 3), 0).unwrap();
            batches(shared.reader(open), &plan.spec.demand, most).len()
        };
        for (readers, most_bytes) in [(0, MOST_BYTES), (1, AHEAD_BYTES), (1, 0), (3, MOST_BYTES), (3, 100_000), (3, 0)]
        {
            let mut shared = SharedRequests::of(&scenario, 3, readers).unwrap();
            Arc::get_mut(shared[0].as_mut().unwrap()).unwrap().most_bytes = most_bytes;
            (0..readers).for_each(|reader| assert!(read(shared[0].as_ref().unwrap(), 10 * (reader + 1)) > 0));
            assert_eq!(bound(&shared), expected, "{readers} readers, {most_bytes} bytes");
        }
    }

    fn priced() -> Scenario {
        let text = "duration: 10m\nworkload: { poisson: { rate: 50/s } }\nservice: { name: web, replicas: 2, concurrency: 4, price: $0.05/h, \
                    service-time: { lognormal: { mean: 50ms, cv: 1 } } }\nobjectives: [ { latency: { within: 200ms, target: 99% } } ]\n\
                    policies: { two: { static: { replicas: 2 } } }\n";
        let mut found = Diagnostics::new();
        Scenario::read_text(text, &mut found).unwrap_or_else(|| panic!("{found}"))
    }

    #[test]
    fn a_closed_loop_is_not_shared() {
        let scenario = scenario("closed-loop: { think: 5s, users: 100 }");
        assert!(SharedRequests::of(&scenario, 0, 2).unwrap()[0].is_none());
    }
}
