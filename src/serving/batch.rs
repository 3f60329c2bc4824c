//! Batches: requests are gathered until a batch is full or its first request has waited long enough, and are served and
//! answered together, as model servers do.

use std::collections::VecDeque;

use super::model::{Due, Evicted, Finished, Gathered, ServiceModel, Waiting, Work};
use super::slots::on_node;
use super::stated::{CpuUnderLoad, Serving, ServingPlugin, WithModel};
use crate::config::{Diagnostic, Diagnostics, Fields, Plugin, Yaml};
use crate::units::{SimDuration, SimTime};

/// The entry in the list of serving models.
pub(super) const PLUGIN: ServingPlugin = Plugin {
    name: "batch",
    summary: "requests are served together, in batches that are full or have waited long enough",
    source: "bulk service M/M(a,b)/1 (Neuts 1967); dynamic batching of model servers (Triton, TorchServe)",
    build: read,
};

/// Batches of a fixed size with a maximum delay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batching {
    /// Maximum number of requests in a batch.
    pub size: u32,
    /// Number of waiting requests with which an idle server starts a batch at once, up to `size`.
    pub start_at: u32,
    /// How long the first request of a smaller batch waits for more; `None` if until `start_at` is reached.
    pub max_delay: Option<SimDuration>,
    /// What each request adds to the time of its batch, at the reference speed.
    pub per_request: SimDuration,
    /// Number of batches that a replica serves at once, each at full speed.
    pub batches: u32,
    /// Which service time is that of the batch, besides `per_request`.
    pub time: BatchTime,
}

/// Which of the service times in a batch is that of the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchTime {
    /// The longest: a batch waits for its slowest request.
    Longest,
    /// That of its first request: the service time describes batches, and one value is drawn for each.
    First,
}

fn read(parameters: &Yaml, sink: &mut Diagnostics) -> Option<super::ServingModel> {
    let fields = Fields::open(parameters, PLUGIN.name, sink)?;
    let size: Option<u32> = fields.required("size", sink);
    let start_at: Option<u32> = fields.optional("start-at", sink);
    let max_delay: Option<SimDuration> = fields.optional("max-delay", sink);
    let per_request = fields.or("per-request", SimDuration::ZERO, sink);
    let batches: u32 = fields.or("batches", 1, sink);
    fields.default_is("time", "longest".to_string());
    let time = fields.node_of("time").map_or(Some(BatchTime::Longest), |node| read_time(node, sink));
    let (size, time) = match (size, time) {
        (Some(size), Some(time)) => (size, time),
        _ => {
            fields.finish(sink);
            return None;
        }
    };
    let impossible = impossible(&fields, size, start_at, max_delay, batches);
    fields.finish(sink);
    if let Some(error) = impossible {
        sink.push(error);
        return None;
    }
    let start_at = start_at.unwrap_or(size);
    Some(super::ServingModel::Batch(Batching { size, start_at, max_delay, per_request, batches, time }))
}

/// What is wrong with the parameters taken together.
fn impossible(
    fields: &Fields<'_>,
    size: u32,
    start_at: Option<u32>,
    max_delay: Option<SimDuration>,
    batches: u32,
) -> Option<Diagnostic> {
    for (name, value) in [("size", size), ("start-at", start_at.unwrap_or(1)), ("batches", batches)] {
        if value == 0 {
            return Some(fields.node_of(name)?.error(format!("`{name}` must be at least 1")));
        }
    }
    if let Some(start_at) = start_at.filter(|start_at| *start_at > size) {
        let error = format!("a batch of up to {size} requests cannot start at {start_at}");
        return Some(fields.node_of("start-at")?.error(error).help("give `size` at least this value"));
    }
    if max_delay.is_none() && start_at.unwrap_or(size) > 1 {
        let error = fields.node().error("nothing says how long a batch that does not fill may wait");
        return Some(error.help("add `max-delay: 5ms`, or `start-at: 1` to start with whatever waits"));
    }
    None
}

fn read_time(node: &Yaml, sink: &mut Diagnostics) -> Option<BatchTime> {
    match node.as_text() {
        Some("longest") => Some(BatchTime::Longest),
        Some("first") => Some(BatchTime::First),
        _ => {
            let error = node.error("the time of a batch is that of its `longest` or of its `first` request");
            sink.push(error.help("leave `time` out for `longest`"));
            None
        }
    }
}

impl Serving for Batching {
    fn cpu(&self) -> CpuUnderLoad {
        CpuUnderLoad::Beside
    }

    fn concurrency(&self) -> Option<u32> {
        Some(self.size.saturating_mul(self.batches))
    }

    /// That of full batches of requests with the mean demand.
    fn efficiency(&self, mean: Option<f64>) -> f64 {
        let added = self.per_request.as_secs_f64() * f64::from(self.size);
        mean.filter(|mean| *mean > 0.0).map_or(1.0, |mean| mean / (mean + added))
    }

    /// A request may be answered before its own demand is served ([`BatchTime::First`]), and one that is served with
    /// others takes less than alone.
    fn is_additive(&self) -> bool {
        false
    }

    fn words(&self, name: &str) -> Option<String> {
        let Batching { size, start_at, batches, per_request, .. } = self;
        let delay =
            self.max_delay.map_or_else(String::new, |delay| format!(" or its first request has waited for {delay}"));
        let start = match (start_at == size, *start_at) {
            (true, _) => format!("starts when it is full{delay}"),
            (false, 1) => "starts as soon as the server is free".to_string(),
            (false, least) => format!("starts when {least} requests wait{delay}"),
        };
        let time = match self.time {
            BatchTime::Longest => "the longest service time in it",
            BatchTime::First => "the service time of its first request",
        };
        let each = if per_request.is_zero() { String::new() } else { format!(" and {per_request} for each request") };
        let at_once = if *batches == 1 { String::new() } else { format!(", {batches} batches at once") };
        Some(format!(
            "A replica of {name} serves batches of up to {size} requests{at_once}: a batch {start}, takes {time}{each}, and answers all \
             of its requests together."
        ))
    }

    fn compile<W: WithModel>(&self, _slowed: bool, with: W) -> W::Output {
        with.with(Batches { stated: *self, seats: Vec::new() })
    }
}

/// The tag of an event that only looks at the queue again.
const WAKE: u32 = u32::MAX;

/// Replicas that serve batches.
#[derive(Debug)]
pub struct Batches {
    stated: Batching,
    seats: Vec<Seat>,
}

#[derive(Debug, Default)]
struct Seat {
    speed: f64,
    /// Batches that may start.
    free: u32,
    /// Requests of the batch being started that are still to be named, those named, and its time so far.
    expected: u32,
    starting: VecDeque<u32>,
    time: SimDuration,
    /// Batches in service with the tag of their end.
    serving: Vec<(u32, VecDeque<u32>)>,
    /// An empty list to use again.
    spare: VecDeque<u32>,
    /// Tags of ends so far.
    started: u32,
    /// The next scheduled look at the queue.
    wake: Option<SimTime>,
}

impl Seat {
    /// Removes a batch whose requests have all left.
    fn clear(&mut self, index: usize) {
        self.spare = self.serving.swap_remove(index).1;
        self.free += 1;
    }
}

impl ServiceModel for Batches {
    const GATHERS: bool = true;

    fn open(&mut self, seat: u32, speed: f64, _full: f64) {
        if seat as usize >= self.seats.len() {
            self.seats.resize_with(seat as usize + 1, Seat::default);
        }
        // Continue the numbering: an event of the seat's former replica may still be queued.
        let started = self.seats[seat as usize].started;
        self.seats[seat as usize] = Seat { speed, free: self.stated.batches, started, ..Seat::default() };
    }

    fn gather(&mut self, seat: u32, waiting: Waiting, now: SimTime) -> Gathered {
        let seat = &mut self.seats[seat as usize];
        if seat.free == 0 {
            return Gathered::default();
        }
        let until = self.stated.max_delay.map(|delay| waiting.since + delay);
        if waiting.count >= self.stated.start_at || waiting.last || until.is_some_and(|until| until <= now) {
            seat.expected = waiting.count.min(self.stated.size);
            return Gathered { start: seat.expected, wake: None };
        }
        // An earlier look comes back here.
        let looks = seat.wake.is_some_and(|wake| now < wake && until.is_some_and(|until| wake <= until));
        let Some(until) = until.filter(|_| !looks) else { return Gathered::default() };
        seat.wake = Some(until);
        Gathered { start: 0, wake: Some(Due { time: until, tag: WAKE }) }
    }

    fn room(&self, seat: u32) -> u32 {
        self.seats[seat as usize].free.saturating_mul(self.stated.size)
    }

    fn start(&mut self, seat: u32, job: u32, work: Work, now: SimTime) -> Option<Due> {
        let seat = &mut self.seats[seat as usize];
        seat.time = match self.stated.time {
            BatchTime::First if !seat.starting.is_empty() => seat.time,
            BatchTime::First => work.demand,
            BatchTime::Longest => seat.time.max(work.demand),
        };
        seat.starting.push_back(job);
        seat.expected -= 1;
        if seat.expected > 0 {
            return None;
        }
        let jobs = std::mem::replace(&mut seat.starting, std::mem::take(&mut seat.spare));
        let time = std::mem::take(&mut seat.time) + self.stated.per_request * jobs.len() as u64;
        seat.started = if seat.started + 1 == WAKE { 0 } else { seat.started + 1 };
        seat.serving.push((seat.started, jobs));
        seat.free -= 1;
        Some(Due { time: now + on_node(time, seat.speed), tag: seat.started })
    }

    /// The requests of a batch end one after the other, at the same instant.
    fn due(&mut self, seat: u32, tag: u32, now: SimTime) -> Finished {
        let seat = &mut self.seats[seat as usize];
        let Some(index) = seat.serving.iter().position(|(of, _)| *of == tag) else {
            return Finished { job: None, next: None };
        };
        let jobs = &mut seat.serving[index].1;
        let job = jobs.pop_front();
        if jobs.is_empty() {
            seat.clear(index);
            return Finished { job, next: None };
        }
        Finished { job, next: Some(Due { time: now, tag }) }
    }

    /// The others take no less time. A batch that loses its last request ends.
    fn evict(&mut self, seat: u32, job: u32, _now: SimTime) -> Evicted {
        let seat = &mut self.seats[seat as usize];
        if let Some(index) = seat.serving.iter().position(|(_, jobs)| jobs.contains(&job)) {
            seat.serving[index].1.retain(|other| *other != job);
            if seat.serving[index].1.is_empty() {
                seat.clear(index);
            }
        }
        Evicted { lingers: false, next: None }
    }

    fn work_done(&self, _seat: u32, busy_nanos: u128, _now: SimTime) -> f64 {
        busy_nanos as f64
    }

    fn alone(&self, seat: u32, work: Work) -> SimDuration {
        on_node(work.demand + self.stated.per_request, self.seats[seat as usize].speed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{SourceFile, parse_single};
    use rstest::rstest;

    const STATED: Batching = Batching {
        size: 3,
        start_at: 3,
        max_delay: Some(SimDuration::from_millis(5)),
        per_request: SimDuration::from_millis(1),
        batches: 1,
        time: BatchTime::Longest,
    };

    fn at(millis: u64) -> SimTime {
        SimTime::from_nanos(millis * 1_000_000)
    }

    fn of(millis: u64) -> Work {
        Work { demand: SimDuration::from_millis(millis), ..Work::default() }
    }

    fn replica(stated: Batching) -> Batches {
        let mut model = Batches { stated, seats: Vec::new() };
        model.open(0, 1.0, 1.0);
        model
    }

    fn waiting(count: u32, since: SimTime) -> Waiting {
        Waiting { count, since, last: false }
    }

    #[test]
    fn a_batch_starts_when_it_is_full_or_its_first_request_has_waited() {
        let mut model = replica(STATED);
        let look = Due { time: at(15), tag: WAKE };
        assert_eq!(model.gather(0, waiting(1, at(10)), at(10)), Gathered { start: 0, wake: Some(look) });
        // The look that is scheduled suffices.
        assert_eq!(model.gather(0, waiting(2, at(10)), at(12)), Gathered::default());
        assert_eq!(model.gather(0, waiting(2, at(10)), at(15)), Gathered { start: 2, wake: None });
        // The longest of the two service times, and 1 ms for each.
        assert_eq!(model.start(0, 7, of(20), at(15)), None);
        let end = model.start(0, 8, of(10), at(15)).unwrap();
        assert_eq!(end.time, at(15 + 20 + 2));
        // Nothing starts while it is served, and both are answered at its end.
        assert_eq!(model.gather(0, waiting(9, at(16)), at(30)), Gathered::default());
        let first = model.due(0, end.tag, end.time);
        assert_eq!(first, Finished { job: Some(7), next: Some(end) });
        assert_eq!(model.gather(0, waiting(9, at(16)), end.time), Gathered::default());
        assert_eq!(model.due(0, end.tag, end.time), Finished { job: Some(8), next: None });
        assert_eq!(model.gather(0, waiting(9, at(16)), end.time), Gathered { start: 3, wake: None });
    }

    #[test]
    fn a_draining_replica_waits_for_nobody() {
        let mut model = replica(STATED);
        let gathered = model.gather(0, Waiting { last: true, ..waiting(1, at(10)) }, at(10));
        assert_eq!(gathered, Gathered { start: 1, wake: None });
    }

    #[test]
    fn an_evicted_request_frees_the_server_only_with_the_last() {
        let mut model = replica(Batching { time: BatchTime::First, ..STATED });
        model.gather(0, waiting(3, at(0)), at(0));
        let ends: Vec<Option<Due>> =
            [(1, 10), (2, 99), (3, 5)].map(|(job, ms)| model.start(0, job, of(ms), at(0))).into();
        let end = ends[2].unwrap();
        assert_eq!((ends[0], ends[1], end.time), (None, None, at(13)));
        model.evict(0, 2, at(4));
        model.evict(0, 1, at(4));
        assert_eq!(model.gather(0, waiting(3, at(1)), at(5)), Gathered::default());
        model.evict(0, 3, at(6));
        assert_eq!(model.gather(0, waiting(3, at(1)), at(6)).start, 3);
        // The end of the batch that is gone says nothing.
        assert_eq!(model.due(0, end.tag, end.time), Finished { job: None, next: None });
    }

    #[rstest]
    #[case::no_size("{ max-delay: 5ms }", "`size`")]
    #[case::zero("{ size: 0, max-delay: 5ms }", "`size` must be at least 1")]
    #[case::too_late("{ size: 4, start-at: 5 }", "cannot start at 5")]
    #[case::forever("{ size: 4 }", "nothing says how long")]
    #[case::unknown_time("{ size: 4, start-at: 1, time: shortest }", "`longest` or of its `first`")]
    fn impossible_batches_are_refused(#[case] text: &str, #[case] message: &str) {
        let node = parse_single(&SourceFile::new("batch", text)).unwrap();
        let mut sink = Diagnostics::new();
        assert!(read(&node, &mut sink).is_none());
        assert!(sink.to_string().contains(message), "{sink}");
    }
}
