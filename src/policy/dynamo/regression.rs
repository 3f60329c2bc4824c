//! Wall time of an iteration as a linear function of its work.
//!
//! `PrefillRegressionModel` and `DecodeRegressionModel` of ai-dynamo/dynamo,
//! `components/src/dynamo/planner/core/perf_model/{base,prefill,decode}.py`, release 1.6.1.

use std::collections::VecDeque;

use super::average::MovingAverage;

/// How much a negative coefficient may be noise where one is tolerated.
const NEGATIVE_TOLERANCE: f64 = 1e-6;

/// The least wall time that is predicted, in seconds.
const LEAST_WALL_S: f64 = 1e-6;

/// How many samples are kept, and how they are spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sampling {
    /// Most samples.
    pub max_num_fpm_samples: usize,
    /// Fewest samples for a fit.
    pub min_observations: usize,
    /// Buckets over the range of the work; with two kinds of work its square root for each.
    pub bucket_count: usize,
}

impl Default for Sampling {
    fn default() -> Self {
        Sampling { max_num_fpm_samples: 64, min_observations: 5, bucket_count: 16 }
    }
}

/// A sample: the work and the wall time in seconds.
type Sample<const N: usize> = ([f64; N], f64);

/// Samples, spread over the range of the work, and a least-squares fit.
#[derive(Debug, Clone, PartialEq)]
struct Fit<const N: usize> {
    sampling: Sampling,
    /// Buckets in the order in which they were first filled.
    buckets: Vec<([usize; N], VecDeque<Sample<N>>)>,
    low: [f64; N],
    high: [f64; N],
    count: usize,
    /// Coefficients and intercept; `None` before a fit.
    line: Option<([f64; N], f64)>,
    is_fitted: bool,
}

impl<const N: usize> Fit<N> {
    fn new(sampling: Sampling) -> Self {
        let (low, high) = ([f64::INFINITY; N], [f64::NEG_INFINITY; N]);
        Fit { sampling, buckets: Vec::new(), low, high, count: 0, line: None, is_fitted: false }
    }

    fn buckets_per_axis(&self) -> usize {
        if N == 1 { self.sampling.bucket_count } else { self.sampling.bucket_count.isqrt() }
    }

    fn bucket_of(&self, work: &[f64; N]) -> [usize; N] {
        let most = self.buckets_per_axis();
        std::array::from_fn(|axis| {
            let (low, high) = (self.low[axis], self.high[axis]);
            let index = ((work[axis] - low) / (high - low) * most as f64) as usize;
            if high <= low { 0 } else { index.min(most.saturating_sub(1)) }
        })
    }

    fn put(&mut self, sample: Sample<N>) {
        let key = self.bucket_of(&sample.0);
        match self.buckets.iter_mut().find(|(known, _)| *known == key) {
            Some((_, samples)) => samples.push_back(sample),
            None => self.buckets.push((key, VecDeque::from([sample]))),
        }
    }

    /// Adds a sample. When there are too many, the oldest of the fullest bucket goes.
    fn add(&mut self, work: [f64; N], wall_s: f64) {
        let mut widened = false;
        for (axis, value) in work.into_iter().enumerate() {
            widened |= value < self.low[axis] || value > self.high[axis];
            self.low[axis] = self.low[axis].min(value);
            self.high[axis] = self.high[axis].max(value);
        }
        if widened {
            for sample in std::mem::take(&mut self.buckets).into_iter().flat_map(|(_, samples)| samples) {
                self.put(sample);
            }
        }
        self.put((work, wall_s));
        self.count += 1;
        if self.count > self.sampling.max_num_fpm_samples {
            self.drop_one();
        }
        self.is_fitted = false;
    }

    fn drop_one(&mut self) {
        let most = self.buckets.iter().map(|(_, samples)| samples.len()).max().unwrap_or(0);
        let Some(fullest) = self.buckets.iter().position(|(_, samples)| samples.len() == most) else { return };
        self.buckets[fullest].1.pop_front();
        self.count -= 1;
        if self.buckets[fullest].1.is_empty() {
            self.buckets.remove(fullest);
        }
    }

    /// Fits if there is something new. A negative coefficient is refused; those that `may_be_negative` are raised to 0.
    fn ensure(&mut self, may_be_negative: [bool; N]) -> bool {
        if self.is_fitted {
            return true;
        }
        if self.count < self.sampling.min_observations {
            return false;
        }
        let samples: Vec<Sample<N>> = self.buckets.iter().flat_map(|(_, samples)| samples.iter().copied()).collect();
        let (mut slopes, intercept) = least_squares(&samples);
        let is_refused = slopes.iter().zip(may_be_negative).any(|(slope, may)| *slope < 0.0 && !may);
        if !is_refused {
            slopes.iter_mut().filter(|slope| **slope < -NEGATIVE_TOLERANCE).for_each(|slope| *slope = 0.0);
        }
        self.line = Some((slopes, intercept));
        self.is_fitted = !is_refused;
        self.is_fitted
    }

    fn wall_s(&self, work: [f64; N]) -> f64 {
        let Some((slopes, intercept)) = self.line else { return LEAST_WALL_S };
        let sum: f64 = slopes.iter().zip(work).map(|(slope, amount)| slope * amount).sum();
        (sum + intercept).max(LEAST_WALL_S)
    }
}

/// Slopes and intercept by least squares; of several best ones the shortest. For one or two kinds of work.
fn least_squares<const N: usize>(samples: &[Sample<N>]) -> ([f64; N], f64) {
    let count = samples.len().max(1) as f64;
    let mean_of = |axis: usize| samples.iter().map(|(work, _)| work[axis]).sum::<f64>() / count;
    let means: [f64; N] = std::array::from_fn(mean_of);
    let mean_wall = samples.iter().map(|(_, wall)| wall).sum::<f64>() / count;
    let dot = |a: &dyn Fn(&Sample<N>) -> f64, b: &dyn Fn(&Sample<N>) -> f64| -> f64 {
        samples.iter().map(|sample| a(sample) * b(sample)).sum()
    };
    let wall = |sample: &Sample<N>| sample.1 - mean_wall;
    let first = |sample: &Sample<N>| sample.0[0] - means[0];
    let mut slopes = [0.0; N];
    let first_square = dot(&first, &first);
    if N == 1 {
        slopes[0] = if first_square > 0.0 { dot(&first, &wall) / first_square } else { 0.0 };
    } else {
        let second = |sample: &Sample<N>| sample.0[1] - means[1];
        let share = if first_square > 0.0 { dot(&first, &second) / first_square } else { 0.0 };
        let rest = |sample: &Sample<N>| second(sample) - share * first(sample);
        let (square, second_square) = (dot(&rest, &rest), dot(&second, &second));
        if square > 1e-24 * second_square {
            slopes[1] = dot(&rest, &wall) / square;
            slopes[0] = if first_square > 0.0 { dot(&first, &wall) / first_square - share * slopes[1] } else { 0.0 };
        } else if first_square > 0.0 {
            // Both are proportional.
            slopes[0] = dot(&first, &wall) / first_square / (1.0 + share * share);
            slopes[1] = share * slopes[0];
        }
    }
    let explained: f64 = slopes.iter().zip(means).map(|(slope, mean)| slope * mean).sum();
    (slopes, mean_wall - explained)
}

/// The share of prompts that need no reading: not above 95 %.
pub(super) fn usable_hit_rate(kv_hit_rate: Option<f64>) -> f64 {
    kv_hit_rate.filter(|rate| rate.is_finite()).map_or(0.0, |rate| rate.clamp(0.0, 0.95))
}

/// Wall time of reading prompts, linear in their tokens.
#[derive(Debug, Clone, PartialEq)]
pub struct PrefillRegression {
    fit: Fit<1>,
    average_prompt: MovingAverage,
}

impl PrefillRegression {
    /// A model without samples.
    pub fn new(sampling: Sampling) -> Self {
        PrefillRegression { fit: Fit::new(sampling), average_prompt: MovingAverage::new(sampling.max_num_fpm_samples) }
    }

    /// A model with a known line, in seconds, and a known mean prompt in tokens.
    pub fn known(intercept_s: f64, per_token_s: f64, mean_prompt: f64) -> Self {
        let mut model = PrefillRegression::new(Sampling::default());
        (model.fit.line, model.fit.is_fitted) = (Some(([per_token_s], intercept_s)), true);
        model.average_prompt.add(mean_prompt);
        model
    }

    /// Adds an iteration: prompt tokens read, of how many requests, in how many seconds. One of 0 s was idle.
    pub fn add(&mut self, tokens: f64, requests: f64, wall_s: f64) {
        self.average_prompt.add(if requests > 0.0 { tokens / requests } else { 0.0 });
        if wall_s != 0.0 {
            self.fit.add([tokens], wall_s);
        }
    }

    /// Number of samples.
    pub fn samples(&self) -> usize {
        self.fit.count
    }

    /// Whether there is a line that may be used; fits it.
    pub fn is_fitted(&mut self) -> bool {
        self.fit.ensure([false])
    }

    /// Slope and intercept of the last fit, also of one refused.
    pub fn line(&self) -> Option<([f64; 1], f64)> {
        self.fit.line
    }

    /// Seconds until the first token of a next request of mean length behind `queued_tokens`, at most `max_batched`
    /// tokens an iteration. `None` without a fit.
    pub fn time_to_first_token(
        &mut self,
        queued_tokens: f64,
        max_batched: f64,
        kv_hit_rate: Option<f64>,
    ) -> Option<f64> {
        if !self.is_fitted() || max_batched <= 0.0 {
            return None;
        }
        let total = (queued_tokens + self.average_prompt.value()) * (1.0 - usable_hit_rate(kv_hit_rate));
        Some(if total <= 0.0 { 0.0 } else { self.chunked(total, max_batched) })
    }

    /// Requests per second that an engine reads, one at a time, and the milliseconds that each takes. `None` without a fit
    /// or a prompt.
    pub fn rate(&mut self, prompt: f64, max_batched: Option<f64>) -> Option<(f64, f64)> {
        if !self.is_fitted() || prompt <= 0.0 {
            return None;
        }
        let wall = match max_batched.filter(|max| *max > 0.0 && prompt > *max) {
            Some(max) => self.chunked(prompt, max),
            None => self.fit.wall_s([prompt]),
        };
        Some((1.0 / wall, wall * 1000.0))
    }

    /// Seconds for `tokens` in iterations of `max` tokens.
    fn chunked(&self, tokens: f64, max: f64) -> f64 {
        let whole = (tokens / max).ceil() - 1.0;
        whole * self.fit.wall_s([max]) + self.fit.wall_s([tokens - whole * max])
    }
}

/// Wall time of generating a token for each request, linear in the requests and in their tokens in the cache.
#[derive(Debug, Clone, PartialEq)]
pub struct DecodeRegression {
    fit: Fit<2>,
    average_length: MovingAverage,
    average_requests: MovingAverage,
    most_kv: f64,
}

/// What an engine is asked to sustain.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DecodeLoad {
    /// Milliseconds between two tokens.
    pub itl_ms: f64,
    /// Tokens in the cache for each request.
    pub context: f64,
    /// Tokens that each request generates.
    pub osl: f64,
    /// Tokens that the cache holds.
    pub max_kv_tokens: Option<f64>,
    /// Most requests at once.
    pub max_num_seqs: Option<i64>,
    /// Tokens accepted in an iteration.
    pub accept_length: f64,
}

/// What an engine sustains.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DecodeRate {
    /// Requests generated at once.
    pub batch: i64,
    /// Requests per second.
    pub rps: f64,
    /// Milliseconds between two tokens.
    pub itl_ms: f64,
}

impl DecodeRegression {
    /// A model without samples.
    pub fn new(sampling: Sampling) -> Self {
        let average = || MovingAverage::new(sampling.max_num_fpm_samples);
        DecodeRegression {
            fit: Fit::new(sampling),
            average_length: average(),
            average_requests: average(),
            most_kv: 0.0,
        }
    }

    /// A model with a known line, in seconds.
    pub fn known(intercept_s: f64, per_request_s: f64, per_kv_token_s: f64) -> Self {
        let mut model = DecodeRegression::new(Sampling::default());
        (model.fit.line, model.fit.is_fitted) = (Some(([per_request_s, per_kv_token_s], intercept_s)), true);
        model
    }

    /// Adds an iteration: requests generated, their tokens in the cache, and how many seconds. One of 0 s was idle.
    pub fn add(&mut self, requests: f64, kv_tokens: f64, wall_s: f64) {
        if requests > 0.0 {
            self.average_length.add(kv_tokens / requests);
        }
        self.average_requests.add(requests);
        self.most_kv = self.most_kv.max(kv_tokens);
        if wall_s != 0.0 {
            self.fit.add([requests, kv_tokens], wall_s);
        }
    }

    /// Number of samples.
    pub fn samples(&self) -> usize {
        self.fit.count
    }

    /// Whether there is a line that may be used; fits it. More requests may seem to take less time, by noise.
    pub fn is_fitted(&mut self) -> bool {
        self.fit.ensure([true, false])
    }

    /// Slopes and intercept of the last fit, also of one refused.
    pub fn line(&self) -> Option<([f64; 2], f64)> {
        self.fit.line
    }

    /// Seconds of the next iteration with `kv_tokens` in the cache or waiting for it, and a request more. `None` without
    /// a fit.
    pub fn inter_token_latency(&mut self, kv_tokens: f64) -> Option<f64> {
        let kv = kv_tokens + self.average_length.value();
        let requests = self.average_requests.value() + 1.0;
        self.is_fitted().then(|| self.fit.wall_s([requests, kv]))
    }

    /// The largest batch within the target, by bisection; one request if even that is too slow. `None` without a fit or
    /// a load.
    pub fn rate(&mut self, load: &DecodeLoad) -> Option<DecodeRate> {
        if !self.is_fitted() || load.context <= 0.0 || load.osl <= 0.0 || load.itl_ms <= 0.0 {
            return None;
        }
        let accepted = load.accept_length.max(1.0);
        let most = self.largest_batch(load);
        let wall = |batch: i64| self.fit.wall_s([batch as f64, batch as f64 * load.context]);
        let itl_ms = |batch: i64| wall(batch) * 1000.0 / accepted;
        let (mut low, mut high, mut best) = (1, most, 1);
        while itl_ms(1) <= load.itl_ms && low <= high {
            let middle = low + (high - low) / 2;
            if itl_ms(middle) <= load.itl_ms {
                (best, low) = (middle, middle + 1);
            } else {
                high = middle - 1;
            }
        }
        let rps = best as f64 / (load.osl * (wall(best) / accepted));
        Some(DecodeRate { batch: best, rps, itl_ms: itl_ms(best) })
    }

    /// The most requests at once: of the cache and of the engine. Without a known cache, as much as was ever seen.
    fn largest_batch(&self, load: &DecodeLoad) -> i64 {
        let in_cache = |tokens: f64| ((tokens / load.context) as i64).clamp(1, i64::from(u32::MAX));
        let of_cache = match load.max_kv_tokens.filter(|tokens| *tokens > 0.0) {
            Some(tokens) => in_cache(tokens),
            None if self.most_kv > 0.0 => in_cache(self.most_kv),
            None => 256,
        };
        of_cache.min(load.max_num_seqs.filter(|most| *most > 0).unwrap_or(of_cache)).max(1)
    }
}
