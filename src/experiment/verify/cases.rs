//! The cases that the program verifies itself by, each with its exact figures.

use super::arrivals::Arrivals;
use super::formulas::{erlang_b, erlang_c, mg1_mean_wait, mmc_mean_wait, mmck, ps1_mean_sojourn};
use super::metric::Metric;
use super::station::{Discipline, Station};
use crate::random::Distribution;

/// A station with its exact figures.
pub(super) struct Case {
    pub name: String,
    pub station: Station,
    /// Squared coefficients of variation of gaps and service times, added.
    pub variability: f64,
    pub expected: Vec<(Metric, f64)>,
}

impl Case {
    /// Requests after which the 99% interval of the mean number in system is about 2% wide: the heavy-traffic variance of a
    /// time average, (1 + rho) v / (c rho (1 - rho)^2) per unit of time (Whitt 1989, Planning queueing simulations), for a
    /// half-width of 1% of the mean at 2.74 standard errors (Student's t with 31 degrees of freedom). What waits in a queue
    /// of many servers is a small part of all, and varies more: the probability of a wait makes up for it.
    pub fn requests_for_two_percent(&self) -> f64 {
        let (load, servers) = (self.station.load().min(0.99), f64::from(self.station.servers));
        let variance = (1.0 + load) * self.variability / (servers * load * (1.0 - load).powi(2));
        let time = (2.74f64 / 0.01).powi(2) * variance;
        let rare = self.expected.iter().find(|(metric, _)| *metric == Metric::WaitProbability).map_or(1.0, |(_, p)| *p);
        (time * self.station.arrivals.rate() * self.margin() / rare.clamp(0.05, 1.0)).max(4e6)
    }

    /// Service times that vary much make sample means vary more than their second moments say.
    fn margin(&self) -> f64 {
        if self.variability > 2.0 { 4.0 } else { 1.5 }
    }
}

const MEAN: f64 = 1.0;

fn exponential() -> Distribution {
    Distribution::Exponential { mean: MEAN }
}

/// Every case.
pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![mm1(0.5), mm1(0.8), mm1(0.95)];
    cases.extend([(2, 0.7), (10, 0.9), (10, 0.95), (50, 0.8)].map(|(servers, load)| mmc(servers, load)));
    cases.extend([
        mg1("M/D/1", Distribution::Constant { value: MEAN }, 0.0, 0.8),
        mg1("M/D/1", Distribution::Constant { value: MEAN }, 0.0, 0.95),
        mg1("M/E4/1", Distribution::Gamma { shape: 4.0, scale: MEAN / 4.0 }, 0.25, 0.8),
        mg1("M/U/1", Distribution::Uniform { low: 0.5, high: 1.5 }, 1.0 / 12.0, 0.8),
        mg1("M/H2/1", Distribution::hyperexponential_balanced(MEAN, 4.0), 4.0, 0.7),
        mg1("M/LN/1", Distribution::lognormal(MEAN, 1.0), 1.0, 0.8),
        mm_with_room(1, 5, 0.8),
        mm_with_room(10, 50, 9.8),
        erlang_loss("exponential", exponential(), 1.0),
        erlang_loss("lognormal", Distribution::lognormal(MEAN, 2.0), 4.0),
        sharing("exponential", exponential(), 1.0, 0.8),
        sharing("hyperexponential", Distribution::hyperexponential_balanced(MEAN, 4.0), 4.0, 0.8),
        sharing("constant", Distribution::Constant { value: MEAN }, 0.0, 0.9),
    ]);
    cases
}

/// Little's law holds everywhere: L and lambda W are measured independently, one as an area over time, one per request.
fn with_little(mut expected: Vec<(Metric, f64)>) -> Vec<(Metric, f64)> {
    expected.push((Metric::Little, 1.0));
    expected
}

/// The sojourn time is exponential with rate 1 - rho.
fn mm1(load: f64) -> Case {
    let p95 = 20f64.ln() / (1.0 - load);
    Case {
        name: format!("M/M/1 at {load}"),
        station: Station::new(Arrivals::poisson(load), exponential(), 1),
        variability: 2.0,
        expected: with_little(vec![
            (Metric::WaitProbability, load),
            (Metric::MeanWait, load / (1.0 - load)),
            (Metric::MeanNumber, load / (1.0 - load)),
            (Metric::SojournWithin(p95), 0.95),
            (Metric::Utilization, load),
        ]),
    }
}

fn mmc(servers: u32, load: f64) -> Case {
    let offered = f64::from(servers) * load;
    let (waits, wait) = (erlang_c(servers, offered), mmc_mean_wait(servers, offered));
    Case {
        name: format!("M/M/{servers} at {load}"),
        station: Station::new(Arrivals::poisson(offered), exponential(), servers),
        variability: 2.0,
        expected: with_little(vec![
            (Metric::WaitProbability, waits),
            (Metric::MeanWait, wait),
            (Metric::MeanQueue, offered * wait),
            (Metric::MeanNumber, offered * (wait + MEAN)),
            (Metric::Utilization, load),
        ]),
    }
}

fn mg1(name: &str, service: Distribution, scv: f64, load: f64) -> Case {
    let wait = mg1_mean_wait(load, scv);
    Case {
        name: format!("{name} at {load}"),
        station: Station::new(Arrivals::poisson(load), service, 1),
        variability: 1.0 + scv,
        expected: with_little(vec![
            (Metric::WaitProbability, load),
            (Metric::MeanWait, wait),
            (Metric::MeanSojourn, wait + MEAN),
            (Metric::MeanNumber, load * (wait + MEAN)),
            (Metric::Utilization, load),
        ]),
    }
}

fn mm_with_room(servers: u32, capacity: u32, offered: f64) -> Case {
    let exact = mmck(servers, capacity, offered);
    let station = Station::new(Arrivals::poisson(offered), exponential(), servers);
    Case {
        name: format!("M/M/{servers}/{capacity} at {:.2}", offered / f64::from(servers)),
        station: Station { room: Some(capacity - servers), ..station },
        variability: 2.0,
        expected: with_little(vec![
            (Metric::Blocking, exact.blocking),
            (Metric::MeanWait, exact.mean_wait),
            (Metric::MeanNumber, exact.mean_number),
            (Metric::Throughput, offered * (1.0 - exact.blocking)),
        ]),
    }
}

fn erlang_loss(name: &str, service: Distribution, scv: f64) -> Case {
    let (servers, offered) = (10, 8.0);
    let blocking = erlang_b(servers, offered);
    let station = Station::new(Arrivals::poisson(offered), service, servers);
    Case {
        name: format!("M/G/{servers}/{servers}, {name}"),
        station: Station { room: Some(0), ..station },
        variability: 1.0 + scv,
        expected: with_little(vec![
            (Metric::Blocking, blocking),
            (Metric::MeanBusy, offered * (1.0 - blocking)),
            (Metric::Utilization, offered * (1.0 - blocking) / f64::from(servers)),
        ]),
    }
}

fn sharing(name: &str, service: Distribution, scv: f64, load: f64) -> Case {
    let station = Station::new(Arrivals::poisson(load), service, 1);
    Case {
        name: format!("M/G/1-PS, {name}, at {load}"),
        station: Station { discipline: Discipline::Sharing, ..station },
        variability: 1.0 + scv.max(1.0),
        expected: with_little(vec![
            (Metric::MeanSojourn, ps1_mean_sojourn(load)),
            (Metric::MeanNumber, load * ps1_mean_sojourn(load)),
            (Metric::Utilization, load),
        ]),
    }
}
