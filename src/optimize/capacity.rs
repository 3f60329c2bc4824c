//! From demand to required capacity: the number of replicas that meets a latency objective, not only the mean load.
//!
//! A service of n replicas that each serve k requests at full speed, fed from one queue, is M/G/c with c = n k servers;
//! c is fractional if the CPU of a replica suffices for a fraction of a request. The probability of waiting is that of
//! M/M/c (Erlang C), and the mean wait follows Allen and Cunneen (Allen, Probability, Statistics, and Queueing Theory,
//! 1990, section 5.3): E[Q] = C(c, a) / (c - a) * (1 + s) / 2 mean service times, with the offered load a and the
//! squared coefficient of variation s of the service time (Poisson arrivals). The wait, if there is one, is
//! approximated as exponential with rate theta = C / E[Q], which is exact for M/M/c; the service time as gamma with its
//! mean and variation (deterministic for s = 0, exponential for s = 1). The latency is their sum:
//!
//! For arrivals that are steadier or burstier than Poisson, the 1 of (1 + s) / 2 is replaced by the squared coefficient
//! of variation of the interarrival times.
//!
//! If each replica has its own queue and requests join the shortest one, the wait is longer than with one queue by the
//! factor 1 + 0.55 ((n - 1)(1 - rho))^0.85 k^(-1/4), fitted to simulations of exponential service with n = 2 to 30
//! queues of k = 1 and 4 slots and loads of 0.6 to 0.95. Its mean waits agree with them to within a sixth; it has the
//! correct limits of n in light traffic and 1 in heavy traffic. If requests are distributed at random, each of the n
//! stations is evaluated separately.
//!
//! If requests share the CPU, all present are slowed equally: the latency is the service time multiplied by a slowdown
//! R. Its mean follows from the same mean wait without the variation of the service time (processor sharing is
//! insensitive to it). With one queue, R - 1 is zero with some probability and otherwise exponential, with the variance
//! that a request of its size has in M/G/1 processor sharing: Var V(x) = 2 / (1 - rho)^2 * integral over y from 0 to x
//! of (x - y) P(W > y), with the wait W of first come, first served (Yashkov 1983), approximated as exponential with
//! probability C. A single exponential would be too narrow for requests of constant size: by it, 86.5% of them end in
//! time where 84.1% do (load 0.6, four service times). If requests join the shortest of several queues, R - 1 varies
//! less and is approximated as exponential. Compared with simulations (exponential, constant and lognormal service, 1
//! to 20 queues, one queue of 2 to 4 cores, loads of 0.3 to 0.95), the shares of requests in time are at most 0.8
//! points too high; 1.8 for lognormal service with a squared coefficient of variation of 4 on one core at a load of
//! 0.8. They are too low by up to 1.5 points; by 2.8 for constant service on one queue of two cores, and by 5.4 on 20
//! queues at a load of 0.95, where the factor for several queues errs by its sixth.
//!
//! ```text
//! P(latency <= t) = (1 - C) F(t) + C * integral over w from 0 to t of theta exp(-theta w) F(t - w)
//! ```
//!
//! with the distribution F of the service time.

use statrs::distribution::{ContinuousCDF, Gamma};
use statrs::function::gamma::gamma_lr;

use super::error::{OptimizeError, non_negative};
use crate::queueing::{erlang_b, erlang_c};
use crate::units::{Fraction, SimDuration};

/// The requests of a service.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ServiceLoad {
    /// Requests per second.
    pub rate: f64,
    /// Mean service time at the reference speed.
    pub service: SimDuration,
    /// Squared coefficient of variation of the service time.
    pub scv: f64,
    /// Squared coefficient of variation of the gaps between arrivals: 1 for a Poisson process, 0 for even arrivals.
    pub gaps_scv: f64,
}

/// How requests join the replicas' queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Joining {
    /// A single queue for all.
    #[default]
    OneQueue,
    /// The shortest queue.
    Shortest,
    /// A random queue.
    Any,
}

/// The replicas of a service as one station.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Station {
    /// Number of servers, one request each; a fraction if a replica's CPU suffices for a fraction of a request.
    pub servers: f64,
    /// Speed of each server, relative to the one on which service times were measured.
    pub speed: f64,
    /// Number of queues over which the servers are spread.
    pub queues: f64,
    /// How requests join the queues.
    pub joining: Joining,
    /// Whether requests share the servers instead of waiting for one.
    pub shared: bool,
}

impl Station {
    /// Servers of speed one with a single queue.
    pub fn of(servers: f64) -> Self {
        Station { servers, speed: 1.0, queues: 1.0, joining: Joining::OneQueue, shared: false }
    }

    /// The servers available to a request after joining a queue, and their part of the offered load.
    fn one(&self, offered: f64) -> (f64, f64) {
        let parts = if self.joining == Joining::Any { self.queues.max(1.0) } else { 1.0 };
        (self.servers / parts, offered / parts)
    }

    /// The factor by which waits are longer than with a single queue.
    fn lengthening(&self, load: f64) -> f64 {
        if self.joining != Joining::Shortest || self.queues <= 1.0 {
            return 1.0;
        }
        let each = (self.servers / self.queues).max(1.0);
        1.0 + 0.55 * ((self.queues - 1.0) * (1.0 - load)).powf(0.85) * each.powf(-0.25)
    }
}

/// A latency limit, and the share of requests that must be answered within it.
pub type Within = (SimDuration, Fraction);

/// The maximum number of slots; Erlang's recurrence visits each.
const MAX_SLOTS: f64 = 1e7;

/// The maximum squared coefficient of variation for which the special functions are evaluated.
const MAX_VARIATION: f64 = 1e6;

/// Below this variation of gaps and service times, waits are negligible while there is a free server.
const MIN_VARIATION: f64 = 1e-3;

/// Number of parts into which the distribution of the slowdown is divided.
const PARTS: u32 = 100;

/// Number of pieces of the integral over the wait.
const PIECES: u32 = 600;

/// Waits beyond this many mean waits are left out of the integral: their probability is below 1e-15.
const LONGEST: f64 = 36.0;

/// Distribution of the service time in mean service times.
enum Service {
    Constant,
    Gamma(Gamma),
}

impl Service {
    fn new(scv: f64) -> Option<Self> {
        // Below this the gamma density is too narrow for the quadrature.
        if scv < 1e-4 {
            return Some(Service::Constant);
        }
        Gamma::new(1.0 / scv, 1.0 / scv).ok().map(Service::Gamma)
    }

    fn cdf(&self, time: f64) -> f64 {
        match self {
            Service::Constant => f64::from(u8::from(time >= 1.0)),
            Service::Gamma(_) if time <= 0.0 => 0.0,
            Service::Gamma(gamma) => gamma.cdf(time),
        }
    }

    /// The share served within `time` after a wait that is exponential with `rate`: F(t), minus the share served by
    /// then only because there was no wait, which is the integral over x from 0 to t of f(x) exp(-rate (t - x)).
    fn after_wait(&self, time: f64, rate: f64) -> f64 {
        let Service::Gamma(gamma) = self else {
            return if time >= 1.0 { -(-(time - 1.0) * rate).exp_m1() } else { 0.0 };
        };
        let (shape, inverse_scale) = (gamma.shape(), gamma.rate());
        if time <= 0.0 {
            return 0.0;
        }
        if rate < 0.9 * inverse_scale {
            // The integral is that of a gamma density with another scale.
            let slower = inverse_scale - rate;
            let served = gamma_lr(shape, slower * time).ln();
            let delayed = (shape * (inverse_scale / slower).ln() - rate * time + served).exp();
            return (gamma.cdf(time) - delayed).max(0.0);
        }
        // The wait is the shorter of the two: Simpson's rule over it, as far as it matters.
        let step = time.min(LONGEST / rate) / f64::from(PIECES);
        let value = |i: u32| {
            let weight = if i == 0 || i == PIECES { 1.0 } else { f64::from(2 + 2 * (i % 2)) };
            let wait = f64::from(i) * step;
            weight * rate * (-rate * wait).exp() * self.cdf(time - wait)
        };
        (0..=PIECES).map(value).sum::<f64>() * step / 3.0
    }
}

impl ServiceLoad {
    /// The offered load: the average number of busy servers of speed one.
    pub fn offered(&self) -> f64 {
        self.rate * self.service.as_secs_f64()
    }

    /// The share of requests answered within `within` by `station`; 0 if the queue grows without limit.
    ///
    /// # Errors
    /// [`OptimizeError::Invalid`] for invalid input or more than ten million servers.
    #[cfg(test)]
    pub(super) fn share_within(&self, station: Station, within: SimDuration) -> Result<f64, OptimizeError> {
        let service = self.validate()?;
        Ok(self.share(&service, checked(station)?, within))
    }

    fn share(&self, service: &Service, station: Station, within: SimDuration) -> f64 {
        // In mean service times at the station's speed.
        let offered = self.offered() / station.speed;
        let time = within.as_secs_f64() / self.service.as_secs_f64() * station.speed;
        if offered >= station.servers {
            return 0.0;
        }
        let (servers, offered) = station.one(offered);
        let waits = if offered > 0.0 { erlang_c_between(servers, offered) } else { 0.0 };
        // Reciprocal of the mean wait of requests that wait, with exponential gaps and service times.
        let rate = (servers - offered) / station.lengthening(offered / servers);
        let variation = f64::midpoint(self.gaps_scv, self.scv);
        if station.shared {
            let excess = waits / rate * f64::midpoint(1.0, self.gaps_scv);
            let alone = station.joining != Joining::Shortest || station.queues <= 1.0;
            if !alone || waits <= 0.0 {
                return slowed(service, time, excess);
            }
            // At an instant, those slowed share with a geometric number of others.
            let at_once = (1.0 + offered / servers) / waits - 1.0;
            return slowed_by_size(service, time, excess, |size| at_once * over(size * rate / variation));
        }
        if variation < MIN_VARIATION {
            return service.cdf(time);
        }
        (1.0 - waits) * service.cdf(time) + waits * service.after_wait(time, rate / variation)
    }

    fn validate(&self) -> Result<Service, OptimizeError> {
        non_negative("the request rate", self.rate)?;
        non_negative("the squared coefficient of variation", self.scv)?;
        non_negative("the squared coefficient of variation of the gaps", self.gaps_scv)?;
        if self.scv > MAX_VARIATION {
            return Err(OptimizeError::Invalid(format!(
                "a squared coefficient of variation of {} is too large",
                self.scv
            )));
        }
        if self.service.is_zero() {
            return Err(OptimizeError::Invalid("the service time is zero".into()));
        }
        let service = Service::new(self.scv);
        service.ok_or_else(|| OptimizeError::Invalid(format!("{} is not a squared coefficient of variation", self.scv)))
    }

    /// The minimum number of replicas, where n replicas form the station `fleet(n)`, that answer a share of the
    /// requests within a limit; without a limit, the minimum for which the queue does not grow without bound. Zero
    /// requests need no replica.
    ///
    /// # Errors
    /// [`OptimizeError::Invalid`] for invalid input, or if no number of replicas suffices because the service time
    /// alone is too long: the message states the share answered in time without waiting.
    pub fn required_replicas(
        &self,
        fleet: &dyn Fn(u32) -> Station,
        within: Option<Within>,
    ) -> Result<u32, OptimizeError> {
        let service = self.validate()?;
        if self.rate == 0.0 {
            return Ok(0);
        }
        let stable = |n: u32| -> Result<bool, OptimizeError> {
            let station = checked(fleet(n))?;
            Ok(station.servers * station.speed > self.offered())
        };
        let fewest = least_that(1, |_| true, stable)?.unwrap_or(u32::MAX);
        let Some((within, target)) = within else { return Ok(fewest) };
        let at_best = |n: u32| service.cdf(within.as_secs_f64() / self.service.as_secs_f64() * fleet(n).speed);
        let enough = |n: u32| Ok(self.share(&service, checked(fleet(n))?, within) >= target.get());
        least_that(fewest, |n| at_best(n) >= target.get(), enough)?.ok_or_else(|| {
            OptimizeError::Invalid(format!(
                "{target} of requests within {within} is out of reach: even without waiting, only {:.6}% are served in time",
                at_best(fewest) * 100.0
            ))
        })
    }
}

/// The share served within `time` if service is slowed by a factor of 1 plus an exponential part of mean `excess`: the
/// average over the midpoints of equally likely parts.
fn slowed(service: &Service, time: f64, excess: f64) -> f64 {
    if excess <= 0.0 {
        return service.cdf(time);
    }
    let part = |i: u32| {
        let later = (f64::from(i) + 0.5) / f64::from(PARTS);
        service.cdf(time / (1.0 - excess * later.ln()))
    };
    (0..PARTS).map(part).sum::<f64>() / f64::from(PARTS)
}

/// The same with the squared variation of the slowdown of a request by its size: the slowdown is zero with some
/// probability, which vanishes if it varies less than an exponential one.
fn slowed_by_size(service: &Service, time: f64, excess: f64, scv: impl Fn(f64) -> f64) -> f64 {
    if excess <= 0.0 {
        return service.cdf(time);
    }
    let in_time = |size: f64| {
        let slowed = (2.0 / (1.0 + scv(size))).min(1.0);
        1.0 - slowed * (-(time / size - 1.0) * slowed / excess).exp()
    };
    if matches!(service, Service::Constant) {
        return if time >= 1.0 { in_time(1.0) } else { 0.0 };
    }
    // Cells of growing size: most requests are small compared with a long limit.
    let edge = |i: u32| time * (f64::from(i) / f64::from(PARTS)).powi(3);
    let mut below = 0.0;
    let mut share = |i: u32| {
        let upto = service.cdf(edge(i + 1));
        let inside = upto - std::mem::replace(&mut below, upto);
        inside * in_time(f64::midpoint(edge(i), edge(i + 1)))
    };
    (0..PARTS).map(&mut share).sum()
}

/// The variance of the mean, over a time z, of a quantity with autocorrelation exp(-z), relative to its instantaneous
/// variance: 2 (z - 1 + exp(-z)) / z^2.
fn over(z: f64) -> f64 {
    if z < 1e-3 { 1.0 - z / 3.0 } else { 2.0 * (z + (-z).exp_m1()) / (z * z) }
}

/// Erlang C between integer numbers of servers, from the birth-death equations: the probability that an arrival finds
/// the last whole server busy if n requests are served at rate min(n, c). Equals Erlang C for an integer c.
fn erlang_c_between(servers: f64, offered: f64) -> f64 {
    let whole = servers.floor();
    if whole == servers {
        return erlang_c(servers as u32, offered);
    }
    let blocked = erlang_b(whole as u32, offered);
    blocked / (1.0 - offered / servers * (1.0 - blocked))
}

fn checked(station: Station) -> Result<Station, OptimizeError> {
    if !(station.servers > 0.0 && station.speed > 0.0 && station.speed.is_finite()) {
        return Err(OptimizeError::Invalid("a replica has no servers or no speed".into()));
    }
    if station.servers > MAX_SLOTS {
        return Err(OptimizeError::Invalid(format!("more than {MAX_SLOTS} slots cannot be evaluated")));
    }
    Ok(station)
}

/// The smallest number from `from` on for which `enough` holds, given that it then holds for all larger ones; `None` if
/// `possible` fails before that, or the numbers become too large to evaluate.
fn least_that(
    from: u32,
    possible: impl Fn(u32) -> bool,
    enough: impl Fn(u32) -> Result<bool, OptimizeError>,
) -> Result<Option<u32>, OptimizeError> {
    let (mut low, mut high) = (from, from);
    while !enough(high)? {
        if !possible(high) || high == u32::MAX {
            return Ok(None);
        }
        low = high.saturating_add(1);
        high = high.saturating_mul(2);
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if enough(middle)? {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(Some(low))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn load(rate: f64, scv: f64) -> ServiceLoad {
        ServiceLoad { rate, service: SimDuration::from_millis(100), scv, gaps_scv: 1.0 }
    }

    fn share(load: ServiceLoad, servers: u32, ms: u64) -> f64 {
        load.share_within(Station::of(f64::from(servers)), SimDuration::from_millis(ms)).unwrap()
    }

    /// M/M/c in closed form: P(T > t) = e^-t + C (e^-t - e^-(c-a)t) / (c - a - 1) in mean service times (Gross et al. 2008,
    /// section 2.3); in M/M/1 the latency is exponential.
    #[rstest]
    #[case(5.0, 1, 300)]
    #[case(9.0, 1, 2000)]
    #[case(400.0, 50, 250)]
    #[case(35.0, 4, 500)]
    fn exponential_service_is_exact(#[case] rate: f64, #[case] servers: u32, #[case] ms: u64) {
        let (c, a, t) = (f64::from(servers), rate * 0.1, ms as f64 / 100.0);
        let late = (-t).exp() + erlang_c(servers, a) * ((-t).exp() - (-(c - a) * t).exp()) / (c - a - 1.0);
        let found = share(load(rate, 1.0), servers, ms);
        assert!((found - (1.0 - late)).abs() < 1e-6, "{found} is not {}", 1.0 - late);
        // Servers of twice the speed serve twice the rate in half the time.
        let fast = Station { speed: 2.0, ..Station::of(c) };
        let half = load(2.0 * rate, 1.0).share_within(fast, SimDuration::from_millis(ms / 2)).unwrap();
        assert!((half - found).abs() < 1e-12, "{half} is not {found}");
    }

    /// Shares of requests within a time (exponential service of 100 ms): queues, slots of each, load, limit in ms,
    /// share. Those of two queues are computed from the chain of both lengths, solved to 1e-13; the others from
    /// simulations of sixty million events. A million are too few: at a load of 0.95 three such runs found 0.780 to
    /// 0.822 for the fifth case.
    #[rstest]
    #[case(2, 1, 0.8, 500, 0.8179)]
    #[case(5, 1, 0.8, 500, 0.9489)]
    #[case(10, 1, 0.9, 500, 0.9371)]
    #[case(30, 1, 0.95, 500, 0.9582)]
    #[case(2, 4, 0.95, 500, 0.8076)]
    #[case(10, 4, 0.95, 500, 0.9870)]
    fn queues_of_their_own(
        #[case] queues: u32,
        #[case] slots: u32,
        #[case] rho: f64,
        #[case] ms: u64,
        #[case] share: f64,
    ) {
        let servers = f64::from(queues * slots);
        let joined = Station { queues: f64::from(queues), joining: Joining::Shortest, ..Station::of(servers) };
        let within = SimDuration::from_millis(ms);
        let found = load(10.0 * rho * servers, 1.0).share_within(joined, within).unwrap();
        assert!((found - share).abs() < 0.012, "{found} is not {share}");
        // A single queue does better, and queues joined at random do worse.
        let of = |joining| load(10.0 * rho * servers, 1.0).share_within(Station { joining, ..joined }, within).unwrap();
        assert!(of(Joining::OneQueue) > found && of(Joining::Any) < found);
    }

    /// The same with processor sharing on one core each: queues, load, squared coefficient of variation, limit, share,
    /// from simulations of three to ten million requests.
    #[rstest]
    #[case(1, 0.3, 1.0, 200, 0.7683)]
    #[case(1, 0.6, 1.0, 300, 0.7394)]
    #[case(1, 0.8, 1.0, 300, 0.5670)]
    #[case(1, 0.8, 1.0, 500, 0.7053)]
    #[case(2, 0.9, 1.0, 500, 0.6797)]
    #[case(10, 0.8, 1.0, 500, 0.9676)]
    #[case(10, 0.9, 1.0, 300, 0.8013)]
    #[case(1, 0.6, 0.0, 200, 0.5215)]
    #[case(1, 0.6, 0.0, 400, 0.8415)]
    #[case(1, 0.9, 0.0, 800, 0.5416)]
    #[case(2, 0.8, 0.0, 400, 0.7768)]
    #[case(5, 0.7, 0.0, 200, 0.9038)]
    #[case(10, 0.9, 0.0, 400, 0.9626)]
    fn shared_cores(#[case] queues: u32, #[case] rho: f64, #[case] scv: f64, #[case] ms: u64, #[case] share: f64) {
        let servers = f64::from(queues);
        let station = Station { queues: servers, joining: Joining::Shortest, shared: true, ..Station::of(servers) };
        let found = load(10.0 * rho * servers, scv).share_within(station, SimDuration::from_millis(ms)).unwrap();
        assert!((found - share).abs() < 0.014, "{found} is not {share}");
        assert!(found - share < 0.008, "{found} is more than {share}: replicas would be too few");
    }

    /// Evenly spaced arrivals with equal service times never wait while there is room.
    #[test]
    fn even_arrivals_need_no_reserve() {
        let even = ServiceLoad { gaps_scv: 0.0, ..load(45.0, 0.0) };
        let within = (SimDuration::from_millis(200), fraction(0.99));
        let fleet = |n: u32| Station::of(f64::from(n));
        assert_eq!(even.required_replicas(&fleet, Some(within)), Ok(5));
        assert!(load(45.0, 0.0).required_replicas(&fleet, Some(within)).unwrap() > 5);
    }

    /// The mean of the approximation is that of Allen and Cunneen: the mean latency is the integral of the late share.
    #[rstest]
    #[case(0.0)]
    #[case(0.25)]
    #[case(1.0)]
    #[case(4.0)]
    fn the_mean_is_allen_cunneens(#[case] scv: f64) {
        let of = load(35.0, scv);
        let late: f64 = (0..20_000).map(|i| 1.0 - share(of, 4, i)).sum::<f64>() - 0.5;
        let expected = 100.0 * (1.0 + erlang_c(4, 3.5) / 0.5 * (1.0 + scv) / 2.0);
        assert!((late - expected).abs() < 2e-3 * expected, "{late} ms is not {expected} ms");
    }

    fn fraction(of: f64) -> Fraction {
        Fraction::new(of).unwrap()
    }

    #[test]
    fn replicas_for_an_objective() {
        let required = |rate: f64, scv: f64, share: Option<f64>| {
            let within = share.map(|share| (SimDuration::from_millis(500), fraction(share)));
            load(rate, scv).required_replicas(&|n| Station::of(f64::from(n)), within)
        };
        // M/M/1 at rate 10 - 1/s: exp(-(mu - lambda) t) = exp(-4.5) = 0.0111.
        assert_eq!(required(1.0, 1.0, Some(0.98)), Ok(1));
        assert_eq!(required(1.0, 1.0, Some(0.99)), Ok(2));
        assert_eq!(required(100.0, 1.0, None), Ok(11));
        assert_eq!(required(0.0, 1.0, Some(0.99)), Ok(0));
        let late = required(1.0, 1.0, Some(0.999)).unwrap_err().to_string();
        assert_eq!(
            late,
            "99.9% of requests within 500ms is out of reach: even without waiting, only 99.326205% are served in time"
        );
        assert!(required(f64::NAN, 1.0, Some(0.9)).is_err());
        assert!(required(1e12, 1.0, Some(0.9)).is_err());
        assert!(required(1.0, f64::INFINITY, Some(0.9)).is_err());
        let none = load(1.0, 1.0).required_replicas(&|_| Station::of(0.0), None);
        assert!(none.is_err());
    }

    /// Half a core per request that needs a whole one: 4 cores of work need more than eight replicas.
    #[test]
    fn fractions_of_a_server_count_as_such() {
        let halves = |n: u32| Station { speed: 0.5, ..Station::of(f64::from(n)) };
        assert_eq!(load(40.0, 1.0).required_replicas(&halves, None), Ok(9));
        let one_and_a_half = |n: u32| Station::of(1.5 * f64::from(n));
        assert_eq!(load(40.0, 1.0).required_replicas(&one_and_a_half, None), Ok(3));
        // The least share of those who wait lies between that of the whole numbers around it.
        let waits = [4.0, 4.5, 4.999_999, 5.0].map(|servers| erlang_c_between(servers, 3.0));
        assert!(waits.is_sorted_by(|a, b| a > b), "{waits:?}");
    }

    proptest! {
        #[test]
        fn the_least_number_is_the_least(rate in 0.1..2000.0f64, scv in 0.0..3.0f64, slots in 0.5..9.0f64, ms in 300..2000u64) {
            let (of, within, target) = (load(rate, scv), SimDuration::from_millis(ms), fraction(0.75));
            let fleet = |n: u32| Station::of(slots.max(1.0) * f64::from(n));
            let replicas = of.required_replicas(&fleet, Some((within, target))).unwrap();
            prop_assert!(of.share_within(fleet(replicas), within).unwrap() >= 0.75);
            prop_assert!(replicas == 1 || of.share_within(fleet(replicas - 1), within).unwrap() < 0.75);
        }
    }
}
