//! Arrival processes of queueing theory, as sources of requests.

use crate::random::{Distribution, Draw, Purpose, Streams};
use crate::units::{SimDuration, SimTime};
use crate::workload::{Clients, RequestBatch, TraceError, TraceSource};

/// The arrival process. Rates are per second.
#[derive(Debug, Clone, PartialEq)]
pub enum Arrivals {
    /// Independent interarrival times of one distribution; exponential ones give a Poisson process.
    Renewal(Distribution),
    /// A Poisson process at whose points whole batches arrive.
    Batches {
        /// Batches per second.
        rate: f64,
        /// Batch sizes and their probabilities.
        sizes: Vec<(u32, f64)>,
    },
    /// A Poisson process whose rate jumps between two values (MMPP), started in its stationary state.
    Modulated {
        /// Rate in each state.
        rates: [f64; 2],
        /// Rate of leaving each state.
        leaving: [f64; 2],
    },
    /// A Poisson process of rate `mean * (1 + amplitude * sin(2 pi t / period))`.
    Sinusoid {
        /// Mean rate.
        mean: f64,
        /// Relative amplitude, 0 to 1.
        amplitude: f64,
        /// Period in seconds.
        period: f64,
    },
    /// A Poisson process whose rate changes at given times: (from, rate), the first from 0.
    Steps(Vec<(f64, f64)>),
    /// A number of users who think, send a request, wait for the response and think again.
    Closed {
        /// Number of users.
        users: u32,
        /// Time from a response to the user's next request.
        think: Distribution,
    },
    /// Given arrival times and demands, both in seconds.
    Listed(Vec<(f64, f64)>),
}

impl Arrivals {
    /// The Poisson process.
    pub fn poisson(rate: f64) -> Self {
        Arrivals::Renewal(Distribution::Exponential { mean: 1.0 / rate })
    }

    /// Requests per second in the long run; for a list its number of requests, for steps the last rate, for users the
    /// rate without response times.
    pub fn rate(&self) -> f64 {
        match self {
            Arrivals::Renewal(gap) => 1.0 / gap.mean(),
            Arrivals::Batches { rate, sizes } => rate * sizes.iter().map(|(n, p)| f64::from(*n) * p).sum::<f64>(),
            Arrivals::Modulated { rates, leaving } => {
                (rates[0] * leaving[1] + rates[1] * leaving[0]) / (leaving[0] + leaving[1])
            }
            Arrivals::Sinusoid { mean, .. } => *mean,
            Arrivals::Steps(steps) => steps.last().map_or(0.0, |(_, rate)| *rate),
            Arrivals::Listed(list) => list.len() as f64,
            Arrivals::Closed { users, think } => f64::from(*users) / think.mean(),
        }
    }
}

/// Seconds to nanoseconds, to the nearest.
pub(super) fn nanos(seconds: f64) -> u64 {
    (seconds * 1e9 + 0.5) as u64
}

/// A source of requests, of slots occupied at the start, and of the demands of both.
pub(super) struct Stream {
    arrivals: Arrivals,
    draw: Draw,
    /// Draws the demands if servers are occupied; otherwise the engine does.
    demands: Option<(Distribution, Draw)>,
    /// Tokens of every prompt, if requests are counted in tokens: the seconds of their demands, rounded up, are then the
    /// tokens of their answers.
    prompt: Option<u32>,
    /// Seconds from the start for which a slot is occupied.
    occupied: Vec<f64>,
    /// Number of further requests that arrive at the start.
    backlog: u32,
    /// State of a modulated process.
    state: usize,
    /// The users of a closed loop.
    clients: Option<Clients>,
    /// The last arrival time in nanoseconds, with fractions.
    at: f64,
}

impl Stream {
    /// A stream with an initial state `start`: servers occupied for a number of seconds, and a backlog of requests.
    pub(super) fn new(arrivals: &Arrivals, service: &Distribution, start: (&[f64], u32), streams: Streams) -> Self {
        let (occupied, backlog) = start;
        let mut modulation = streams.running(Purpose::Modulation, 0);
        let state = match arrivals {
            Arrivals::Modulated { leaving, .. } => {
                usize::from(modulation.uniform() * (leaving[0] + leaving[1]) < leaving[0])
            }
            _ => 0,
        };
        let demands = (!occupied.is_empty()).then(|| (service.clone(), streams.running(Purpose::Demand, 0)));
        let draw = streams.running(Purpose::Arrival, 0);
        let clients = match arrivals {
            Arrivals::Closed { users, think } => {
                Some(Clients { users: vec![(SimTime::ZERO, *users)], think: think.clone() })
            }
            _ => None,
        };
        let occupied = occupied.to_vec();
        Stream { arrivals: arrivals.clone(), draw, demands, prompt: None, occupied, backlog, state, clients, at: 0.0 }
    }

    /// The stream with tokens: prompts of `prompt` tokens, and answers of as many tokens as `service` draws, rounded up.
    /// Of an exponential distribution with mean -1 / ln(1 - p) that is the geometric one with parameter p.
    pub(super) fn in_tokens(self, prompt: u32, service: &Distribution, streams: Streams) -> Self {
        let demands = Some((service.clone(), streams.running(Purpose::Demand, 0)));
        Stream { prompt: Some(prompt), demands, ..self }
    }

    /// Advances by an exponential interarrival time of the given rate.
    fn step(&mut self, rate: f64) {
        self.at += self.draw.exponential() * 1e9 / rate;
    }

    /// The next arrival time, and the number of requests that arrive.
    fn next(&mut self) -> u32 {
        match &self.arrivals {
            Arrivals::Renewal(gap) => {
                self.at += gap.sample(&mut self.draw) * 1e9;
                1
            }
            Arrivals::Batches { rate, sizes } => {
                self.at += self.draw.exponential() * 1e9 / rate;
                let mut left = self.draw.uniform();
                let chosen = sizes.iter().find(|(_, p)| {
                    left -= p;
                    left < 0.0
                });
                chosen.or(sizes.last()).map_or(1, |(size, _)| *size)
            }
            Arrivals::Modulated { rates, leaving } => {
                let (rate, leave) = (rates[self.state], leaving[self.state]);
                self.at += self.draw.exponential() * 1e9 / (rate + leave);
                let leaves = self.draw.uniform() * (rate + leave) < leave;
                self.state ^= usize::from(leaves);
                u32::from(!leaves)
            }
            Arrivals::Sinusoid { mean, amplitude, period } => {
                // Thinning (Lewis and Shedler 1979).
                let (mean, amplitude, period) = (*mean, *amplitude, *period);
                self.step(mean * (1.0 + amplitude));
                let phase = std::f64::consts::TAU * self.at / 1e9 / period;
                u32::from(self.draw.uniform() * (1.0 + amplitude) < 1.0 + amplitude * phase.sin())
            }
            Arrivals::Steps(steps) => {
                let next = steps.partition_point(|(from, _)| from * 1e9 <= self.at);
                let rate = steps[next - 1].1;
                let until = steps.get(next).map_or(f64::INFINITY, |(from, _)| from * 1e9);
                let moment = self.at + self.draw.exponential() * 1e9 / rate;
                // The exponential is memoryless: at a step the interarrival time is drawn anew at the new rate.
                self.at = moment.min(until);
                u32::from(moment < until)
            }
            Arrivals::Listed(_) | Arrivals::Closed { .. } => 0,
        }
    }

    fn fill_listed(&mut self, batch: &mut RequestBatch) {
        if let Arrivals::Listed(list) = &mut self.arrivals {
            batch.arrivals.extend(list.iter().map(|(at, _)| SimTime::from_nanos(nanos(*at))));
            batch.demands.extend(list.iter().map(|(_, demand)| SimDuration::from_nanos(nanos(*demand))));
            list.clear();
        }
    }
}

impl TraceSource for Stream {
    fn fill(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError> {
        if matches!(self.arrivals, Arrivals::Listed(_) | Arrivals::Closed { .. }) {
            self.fill_listed(batch);
            return Ok(());
        }
        let occupied = std::mem::take(&mut self.occupied);
        let present = occupied.len() + std::mem::take(&mut self.backlog) as usize;
        batch.arrivals.extend(std::iter::repeat_n(SimTime::ZERO, present));
        while batch.len() < RequestBatch::TARGET_LEN {
            let count = self.next();
            let moment = SimTime::from_nanos(self.at as u64);
            batch.arrivals.extend((0..count).map(|_| moment));
        }
        if let Some((service, draw)) = &mut self.demands {
            batch.demands.extend(occupied.iter().map(|until| SimDuration::from_nanos(nanos(*until))));
            batch.demands.extend(batch.arrivals[occupied.len()..].iter().map(|_| service.sample_duration(draw)));
        }
        if let Some(prompt) = self.prompt {
            batch.tokens_in.resize(batch.arrivals.len(), prompt);
            batch.tokens_out.extend(batch.demands.iter().map(|demand| demand.as_secs_f64().ceil() as u32));
        }
        Ok(())
    }

    fn extent(&self) -> Option<SimDuration> {
        None
    }

    fn clients(&self) -> Option<&Clients> {
        self.clients.as_ref()
    }
}
