//! From demand to required capacity: how many replicas keep the latency objective, not only the mean load.
//!
//! A service of n replicas with k slots each, fed from one queue, is M/G/c with c = n k servers. The probability of waiting
//! is that of M/M/c (Erlang C), and the mean wait follows Allen and Cunneen (Allen, Probability, Statistics, and Queueing
//! Theory, 1990, section 5.3): E[Q] = C(c, a) / (c - a) * (1 + s) / 2 mean service times, with the offered load a and the squared
//! coefficient of variation s of the service time (Poisson arrivals). A wait that occurs is taken as exponential, which is
//! exact for M/M/c, with rate theta = C / E[Q]; the service time as gamma with its mean and variation (deterministic for s = 0,
//! exponential for s = 1). The latency is their sum:
//!
//! ```text
//! P(latency <= t) = (1 - C) F(t) + C * integral over w from 0 to t of theta exp(-theta w) F(t - w)
//! ```
//!
//! with the distribution F of the service time. A dispatcher that does not feed from one queue does worse than this.

use statrs::distribution::{ContinuousCDF, Gamma};
use statrs::function::gamma::gamma_lr;

use super::error::{OptimizeError, non_negative};
use crate::queueing::erlang_c;
use crate::units::{Fraction, SimDuration};

/// Requests of a service and how it serves them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ServiceLoad {
    /// Requests per second.
    pub rate: f64,
    /// Mean service time.
    pub service: SimDuration,
    /// Squared coefficient of variation of the service time.
    pub scv: f64,
    /// Requests that one replica serves at a time, each at full speed.
    pub concurrency: u32,
}

/// The largest number of slots looked at; Erlang's recurrence visits each.
const MOST_SLOTS: u32 = 10_000_000;

/// The largest squared coefficient of variation that the special functions are asked for.
const MOST_VARIATION: f64 = 1e6;

/// Pieces of the integral over the wait.
const PIECES: u32 = 600;

/// Waits of more mean waits than this are left out of the integral: their probability is below 1e-15.
const LONGEST: f64 = 36.0;

/// Distribution of the service time in mean service times.
enum Service {
    Constant,
    Gamma(Gamma),
}

impl Service {
    fn new(scv: f64) -> Option<Self> {
        // Below this the gamma density is a needle that quadrature would miss.
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

    /// The share served within `time` after a wait that is exponential with `rate`: F(t) less the share served by then
    /// without the wait only, which is the integral over x from 0 to t of f(x) exp(-rate (t - x)).
    fn after_wait(&self, time: f64, rate: f64) -> f64 {
        let Service::Gamma(gamma) = self else {
            return if time >= 1.0 { -(-(time - 1.0) * rate).exp_m1() } else { 0.0 };
        };
        let (shape, inverse_scale) = (gamma.shape(), gamma.rate());
        if time <= 0.0 {
            return 0.0;
        }
        if rate < 0.9 * inverse_scale {
            // The integral is that of a gamma density of another scale.
            let slower = inverse_scale - rate;
            let served = gamma_lr(shape, slower * time).ln();
            let delayed = (shape * (inverse_scale / slower).ln() - rate * time + served).exp();
            return (gamma.cdf(time) - delayed).max(0.0);
        }
        // The wait is the quicker of the two: Simpson's rule over it, as far as it matters.
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
    /// The offered load: slots busy on average.
    pub fn offered(&self) -> f64 {
        self.rate * self.service.as_secs_f64()
    }

    /// The share of requests answered within `within` by `replicas` replicas; 0 if the queue grows without limit.
    ///
    /// # Errors
    /// [`OptimizeError::Invalid`] for figures that mean nothing, or more than ten million slots.
    pub fn share_within(&self, replicas: u32, within: SimDuration) -> Result<f64, OptimizeError> {
        let service = self.validate()?;
        let slots = self.slots(replicas)?;
        Ok(self.share(&service, slots, within))
    }

    fn slots(&self, replicas: u32) -> Result<u32, OptimizeError> {
        let slots = replicas.checked_mul(self.concurrency).filter(|slots| *slots <= MOST_SLOTS);
        slots.ok_or_else(|| OptimizeError::Invalid(format!("more than {MOST_SLOTS} slots are too many to look at")))
    }

    fn share(&self, service: &Service, slots: u32, within: SimDuration) -> f64 {
        let offered = self.offered();
        let time = within.as_secs_f64() / self.service.as_secs_f64();
        if offered >= f64::from(slots) {
            return 0.0;
        }
        let waits = if offered > 0.0 { erlang_c(slots, offered) } else { 0.0 };
        let rate = (f64::from(slots) - offered) * 2.0 / (1.0 + self.scv);
        (1.0 - waits) * service.cdf(time) + waits * service.after_wait(time, rate)
    }

    fn validate(&self) -> Result<Service, OptimizeError> {
        non_negative("the request rate", self.rate)?;
        non_negative("the squared coefficient of variation", self.scv)?;
        if self.scv > MOST_VARIATION {
            return Err(OptimizeError::Invalid(format!(
                "a squared coefficient of variation of {} is too large",
                self.scv
            )));
        }
        if self.service.is_zero() || self.concurrency == 0 {
            return Err(OptimizeError::Invalid("the service time or the concurrency is zero".into()));
        }
        let service = Service::new(self.scv);
        service.ok_or_else(|| OptimizeError::Invalid(format!("{} is no coefficient of variation", self.scv)))
    }

    /// The least number of replicas that answer a share of `target` of the requests within `within`; without a limit, the
    /// least number whose queue does not grow for ever. No requests need no replica.
    ///
    /// # Errors
    /// [`OptimizeError::Invalid`] for figures that mean nothing, or if no number of replicas suffices, because service alone
    /// is too slow: how large a share is answered in time without any wait.
    pub fn required_replicas(&self, within: Option<SimDuration>, target: Fraction) -> Result<u32, OptimizeError> {
        let service = self.validate()?;
        if self.rate == 0.0 {
            return Ok(0);
        }
        // The cast saturates.
        let stable = (self.offered() / f64::from(self.concurrency)).floor() as u32;
        let fewest = stable.saturating_add(1);
        self.slots(fewest)?;
        let Some(within) = within else { return Ok(fewest) };
        let at_best = service.cdf(within.as_secs_f64() / self.service.as_secs_f64());
        let enough = |replicas: u32| Ok(self.share(&service, self.slots(replicas)?, within) >= target.get());
        let (mut low, mut high) = (fewest, fewest);
        while !enough(high)? {
            if at_best < target.get() || self.slots(high.saturating_mul(2)).is_err() {
                return Err(OptimizeError::Invalid(format!(
                    "{target} of requests within {within} is out of reach: without any wait {:.6}% are served by then",
                    at_best * 100.0
                )));
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
        Ok(low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn load(rate: f64, scv: f64, concurrency: u32) -> ServiceLoad {
        ServiceLoad { rate, service: SimDuration::from_millis(100), scv, concurrency }
    }

    fn share(load: ServiceLoad, replicas: u32, ms: u64) -> f64 {
        load.share_within(replicas, SimDuration::from_millis(ms)).unwrap()
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
        let found = share(load(rate, 1.0, 1), servers, ms);
        assert!((found - (1.0 - late)).abs() < 1e-6, "{found} is not {}", 1.0 - late);
        // Only the number of slots counts, not how they are spread.
        assert_eq!(found, share(load(rate, 1.0, servers), 1, ms));
    }

    /// The means of the approximation are Allen and Cunneen's: the mean latency is the integral of the late share.
    #[rstest]
    #[case(0.0)]
    #[case(0.25)]
    #[case(1.0)]
    #[case(4.0)]
    fn the_mean_is_allen_cunneens(#[case] scv: f64) {
        let of = load(35.0, scv, 4);
        let late: f64 = (0..20_000).map(|i| 1.0 - share(of, 1, i)).sum::<f64>() - 0.5;
        let expected = 100.0 * (1.0 + erlang_c(4, 3.5) / 0.5 * (1.0 + scv) / 2.0);
        assert!((late - expected).abs() < 2e-3 * expected, "{late} ms is not {expected} ms");
    }

    fn fraction(of: f64) -> Fraction {
        Fraction::new(of).unwrap()
    }

    #[test]
    fn replicas_for_an_objective() {
        let within = Some(SimDuration::from_millis(500));
        // M/M/1 at rate 10 - 1/s: exp(-(mu - lambda) t) = exp(-4.5) = 0.0111.
        assert_eq!(load(1.0, 1.0, 1).required_replicas(within, fraction(0.98)), Ok(1));
        assert_eq!(load(1.0, 1.0, 1).required_replicas(within, fraction(0.99)), Ok(2));
        assert_eq!(load(100.0, 1.0, 1).required_replicas(None, fraction(0.99)), Ok(11));
        assert_eq!(load(0.0, 1.0, 1).required_replicas(within, fraction(0.99)), Ok(0));
        let late = load(1.0, 1.0, 1).required_replicas(within, fraction(0.999)).unwrap_err().to_string();
        assert_eq!(
            late,
            "99.9% of requests within 500ms is out of reach: without any wait 99.326205% are served by then"
        );
        assert!(load(f64::NAN, 1.0, 1).required_replicas(within, fraction(0.9)).is_err());
        assert!(load(1e12, 1.0, 1).required_replicas(within, fraction(0.9)).is_err());
        assert!(load(1.0, f64::INFINITY, 1).required_replicas(within, fraction(0.9)).is_err());
        assert!(load(1.0, 1.0, 0).required_replicas(within, fraction(0.9)).is_err());
    }

    proptest! {
        #[test]
        fn the_least_number_is_the_least(rate in 0.1..2000.0f64, scv in 0.0..3.0f64, slots in 1..9u32, ms in 300..2000u64) {
            let (of, within, target) = (load(rate, scv, slots), SimDuration::from_millis(ms), fraction(0.75));
            let replicas = of.required_replicas(Some(within), target).unwrap();
            prop_assert!(of.share_within(replicas, within).unwrap() >= 0.75);
            prop_assert!(replicas == 1 || of.share_within(replicas - 1, within).unwrap() < 0.75);
        }
    }
}
