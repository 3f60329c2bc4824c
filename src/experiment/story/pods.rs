//! The pods of a story and their metrics.

use super::{Load, MAX_REPLICAS, Metrics, PodStates, Service, Step};
use crate::policy::{Measure, Measurements, Measures, Phase, ReplicaSample, ReplicaView, Reserved, Scrape};
use crate::units::{SimDuration, SimTime};

/// One pod: running since `started`, ready from `ready`.
#[derive(Debug, Clone, Copy)]
struct Pod {
    id: u32,
    started: SimTime,
    ready: SimTime,
    /// Whether it existed, ready and measured, when the story began.
    first: bool,
}

/// The current pods, oldest first.
pub(super) struct Pods<'a> {
    service: &'a Service,
    window: SimDuration,
    pods: Vec<Pod>,
    next_id: u32,
    /// Pods in special states, and since when.
    states: (PodStates, SimTime),
    /// Values by measure; `None` while there are no metrics.
    loads: Option<[Load; Measure::COUNT]>,
    /// Metrics that are not available.
    outage: Measures,
}

/// The state of a pod imposed by the story.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Pending,
    Starting,
    NotReady,
    Unmeasured,
    Sound,
}

impl<'a> Pods<'a> {
    /// Creates `size` ready pods, at most [`MAX_REPLICAS`], without metrics.
    pub fn new(service: &'a Service, window: SimDuration, size: u32) -> Self {
        let size = size.min(MAX_REPLICAS);
        let first = |id| Pod { id, started: SimTime::ZERO, ready: SimTime::ZERO, first: true };
        let states = (PodStates::default(), SimTime::ZERO);
        Pods {
            service,
            window,
            pods: (0..size).map(first).collect(),
            next_id: size,
            states,
            loads: None,
            outage: Measures::NONE,
        }
    }

    /// Starts or ends pods until there are `size`, at most [`MAX_REPLICAS`].
    pub fn resize(&mut self, size: u32, now: SimTime) {
        let size = size.min(MAX_REPLICAS) as usize;
        self.pods.truncate(size);
        while self.pods.len() < size {
            let ready = now.saturating_add(self.service.start_up);
            self.pods.push(Pod { id: self.next_id, started: now, ready, first: false });
            self.next_id = self.next_id.saturating_add(1);
        }
    }

    /// Applies what a step states about pods and metrics.
    pub fn take(&mut self, step: &Step, now: SimTime) {
        if let Some(states) = step.states {
            self.states = (states, now);
        }
        match &step.metrics {
            Metrics::Gone => (self.loads, self.outage) = (None, Measures::ALL),
            Metrics::Set(set) if set.is_empty() => {}
            Metrics::Set(set) => {
                if self.loads.is_none() {
                    self.outage = Measures::NONE;
                }
                let loads = self.loads.get_or_insert([Load::Each(0.0); Measure::COUNT]);
                for (measure, load) in set {
                    match load {
                        Some(load) => {
                            loads[*measure as usize] = *load;
                            self.outage = self.outage.without(*measure);
                        }
                        None => self.outage = self.outage.with(*measure),
                    }
                }
            }
        }
    }

    /// The state that the story puts the pod at `index` in.
    fn state(&self, index: usize) -> State {
        let from_newest = (self.pods.len() - 1 - index) as u64;
        let PodStates { pending, starting, not_ready, unmeasured } = self.states.0;
        let groups = [
            (pending, State::Pending),
            (starting, State::Starting),
            (not_ready, State::NotReady),
            (unmeasured, State::Unmeasured),
        ];
        let mut end = 0;
        let in_group = |(count, _): &(u32, State)| {
            end += u64::from(*count);
            from_newest < end
        };
        groups.into_iter().find(in_group).map_or(State::Sound, |(_, state)| state)
    }

    /// When it started to run; `None` without a node.
    fn started(&self, index: usize) -> Option<SimTime> {
        match self.state(index) {
            State::Pending => None,
            // A pod younger than the step started later.
            State::Starting => Some(self.pods[index].started.max(self.states.1)),
            _ => Some(self.pods[index].started),
        }
    }

    fn is_ready(&self, index: usize, now: SimTime) -> bool {
        matches!(self.state(index), State::Sound | State::Unmeasured) && self.pods[index].ready <= now
    }

    /// The number of ready pods.
    pub fn ready(&self, now: SimTime) -> u32 {
        (0..self.pods.len()).filter(|index| self.is_ready(*index, now)).count() as u32
    }

    /// The pods as the control plane shows them.
    pub fn views(&self, now: SimTime) -> Vec<ReplicaView> {
        (0..self.pods.len()).map(|index| self.view(index, now)).collect()
    }

    /// What is reserved for each pod.
    pub fn reserved(&self) -> Reserved {
        Reserved { cpu: self.service.cpu_request, memory: self.service.memory_request }
    }

    fn view(&self, index: usize, now: SimTime) -> ReplicaView {
        let (pod, state, started) = (self.pods[index], self.state(index), self.started(index));
        let phase = match state {
            State::Pending => Phase::Pending,
            _ if self.is_ready(index, now) => Phase::Ready,
            _ => Phase::Unready,
        };
        let readiness_changed = match state {
            State::Pending | State::Starting => None,
            State::NotReady => Some(pod.started.max(self.states.1)),
            State::Unmeasured | State::Sound => Some(pod.ready).filter(|ready| *ready <= now),
        };
        ReplicaView { id: pod.id, phase, ordered: pod.started, accepted: started, started, readiness_changed }
    }

    /// Whether the metrics pipeline reports the pod: it has run for a window, or since the story began.
    fn reports(&self, index: usize, now: SimTime) -> bool {
        let (state, first) = (self.state(index), self.pods[index].first);
        let known = |since: SimTime| since.saturating_add(self.window) <= now || (first && state != State::Starting);
        state != State::Unmeasured && self.started(index).is_some_and(known)
    }

    /// Metrics that are currently not available.
    pub fn outage(&self) -> Measures {
        self.outage
    }

    /// The metrics at `now`. Nothing is known from before the story, so the window may be cut short.
    pub fn scrape(&self, now: SimTime) -> Option<Scrape> {
        let loads = self.loads?;
        let ready = self.ready(now);
        let mut scrape =
            Scrape { taken_at: now, window: self.window.min(now.since(SimTime::ZERO)), ..Scrape::default() };
        for index in (0..self.pods.len()).filter(|index| self.reports(*index, now)) {
            // Only ready pods get requests.
            let serves = self.is_ready(index, now);
            let values = Measurements::of(|measure| match loads[measure as usize] {
                Load::Each(value) if serves || measure.is_resource() => value,
                Load::Total(value) if serves => value / f64::from(ready),
                _ => 0.0,
            });
            scrape.totals.add(&values);
            scrape.replicas.push(ReplicaSample { id: self.pods[index].id, values });
        }
        for measure in Measure::ALL {
            match loads[measure as usize] {
                Load::Each(value) if measure.is_average() => scrape.totals[measure] = value,
                Load::Each(_) => {}
                Load::Total(value) => scrape.totals[measure] = value,
            }
        }
        Some(scrape)
    }
}
