//! The cases of the self-verification, each with its exact figures.

use super::arrivals::Arrivals;
use super::metric::Statistic;
use super::station::{Discipline, Station};
use crate::queueing::{
    capped_sharing, erlang_b, erlang_c, finite_source, mg1_mean_wait, mmc_mean_wait, mmck, ps1_mean_sojourn,
};
use crate::random::Distribution;

/// A station with its exact figures.
pub(super) struct Case {
    pub name: String,
    pub station: Station,
    /// Sum of the squared coefficients of variation of interarrival and service times.
    pub variability: f64,
    pub expected: Vec<(Statistic, f64)>,
    /// Requests in millions for the full proof: enough for 99% intervals of at most 2% with some margin, found by
    /// trial.
    pub millions: f64,
}

const MEAN: f64 = 1.0;

fn exponential() -> Distribution {
    Distribution::Exponential { mean: MEAN }
}

/// Every case.
pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![mm1(0.5, 4.0), mm1(0.8, 12.0), mm1(0.95, 130.0)];
    let several = [(2, 0.7, 7.0), (10, 0.9, 64.0), (10, 0.95, 190.0), (50, 0.8, 220.0)];
    cases.extend(several.map(|(servers, load, millions)| mmc(servers, load, millions)));
    cases.extend([
        mg1("M/D/1", Distribution::Constant { value: MEAN }, 0.0, 0.8, 5.0),
        mg1("M/D/1", Distribution::Constant { value: MEAN }, 0.0, 0.95, 80.0),
        mg1("M/E4/1", Distribution::Gamma { shape: 4.0, scale: MEAN / 4.0 }, 0.25, 0.8, 7.0),
        mg1("M/U/1", Distribution::Uniform { low: 0.5, high: 1.5 }, 1.0 / 12.0, 0.8, 6.0),
        mg1("M/H2/1", Distribution::hyperexponential_balanced(MEAN, 4.0), 4.0, 0.7, 20.0),
        mg1("M/LN/1", Distribution::lognormal(MEAN, 1.0), 1.0, 0.8, 12.0),
        mm_with_room(1, 5, 0.8, 4.0),
        mm_with_room(10, 50, 9.8, 180.0),
        erlang_loss("exponential", exponential(), 1.0),
        erlang_loss("lognormal", Distribution::lognormal(MEAN, 2.0), 4.0),
        sharing("exponential", exponential(), 1.0, 0.8, 6.0),
        sharing("hyperexponential", Distribution::hyperexponential_balanced(MEAN, 4.0), 4.0, 0.8, 22.0),
        sharing("constant", Distribution::Constant { value: MEAN }, 0.0, 0.9, 20.0),
        limited("exponential", exponential(), 1.0, 2.5, 0.8, 10.0),
        limited("hyperexponential", Distribution::hyperexponential_balanced(MEAN, 4.0), 4.0, 2.5, 0.8, 30.0),
        limited("constant", Distribution::Constant { value: MEAN }, 0.0, 7.25, 0.9, 30.0),
        closed("exponential", 20, 3, Distribution::Exponential { mean: 8.0 }, 2.0),
        // The figures depend on the mean of the think time only.
        closed("lognormal", 10, 1, Distribution::lognormal(5.0, 1.0), 3.0),
    ]);
    cases
}

/// Little's law holds everywhere: L and lambda W are measured independently, one as an area over time, the other per
/// request.
fn with_little(mut expected: Vec<(Statistic, f64)>) -> Vec<(Statistic, f64)> {
    expected.push((Statistic::Little, 1.0));
    expected
}

/// The sojourn time is exponential with rate 1 - rho.
fn mm1(load: f64, millions: f64) -> Case {
    let p95 = 20f64.ln() / (1.0 - load);
    Case {
        name: format!("M/M/1 at {load}"),
        station: Station::new(Arrivals::poisson(load), exponential(), 1),
        variability: 2.0,
        expected: with_little(vec![
            (Statistic::WaitProbability, load),
            (Statistic::MeanWait, load / (1.0 - load)),
            (Statistic::MeanNumber, load / (1.0 - load)),
            (Statistic::SojournWithin(p95), 0.95),
            (Statistic::Utilization, load),
        ]),
        millions,
    }
}

fn mmc(servers: u32, load: f64, millions: f64) -> Case {
    let offered = f64::from(servers) * load;
    let (waits, wait) = (erlang_c(servers, offered), mmc_mean_wait(servers, offered));
    Case {
        name: format!("M/M/{servers} at {load}"),
        station: Station::new(Arrivals::poisson(offered), exponential(), servers),
        variability: 2.0,
        expected: with_little(vec![
            (Statistic::WaitProbability, waits),
            (Statistic::MeanWait, wait),
            (Statistic::MeanQueue, offered * wait),
            (Statistic::MeanNumber, offered * (wait + MEAN)),
            (Statistic::Utilization, load),
        ]),
        millions,
    }
}

fn mg1(name: &str, service: Distribution, scv: f64, load: f64, millions: f64) -> Case {
    let wait = mg1_mean_wait(load, scv);
    Case {
        name: format!("{name} at {load}"),
        station: Station::new(Arrivals::poisson(load), service, 1),
        variability: 1.0 + scv,
        expected: with_little(vec![
            (Statistic::WaitProbability, load),
            (Statistic::MeanWait, wait),
            (Statistic::MeanSojourn, wait + MEAN),
            (Statistic::MeanNumber, load * (wait + MEAN)),
            (Statistic::Utilization, load),
        ]),
        millions,
    }
}

fn mm_with_room(servers: u32, capacity: u32, offered: f64, millions: f64) -> Case {
    let exact = mmck(servers, capacity, offered);
    let station = Station::new(Arrivals::poisson(offered), exponential(), servers);
    Case {
        name: format!("M/M/{servers}/{capacity} at {:.2}", offered / f64::from(servers)),
        station: Station { room: Some(capacity - servers), ..station },
        variability: 2.0,
        expected: with_little(vec![
            (Statistic::Blocking, exact.blocking),
            (Statistic::MeanWait, exact.mean_wait),
            (Statistic::MeanNumber, exact.mean_number),
            (Statistic::Throughput, offered * (1.0 - exact.blocking)),
        ]),
        millions,
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
            (Statistic::Blocking, blocking),
            (Statistic::MeanBusy, offered * (1.0 - blocking)),
            (Statistic::Utilization, offered * (1.0 - blocking) / f64::from(servers)),
        ]),
        millions: 8.0,
    }
}

/// Users with think times Z before a station: N = X (R + Z).
fn closed(name: &str, users: u32, servers: u32, think: Distribution, millions: f64) -> Case {
    let exact = finite_source(users, servers, think.mean(), MEAN);
    let station = Station::new(Arrivals::Closed { users, think }, exponential(), servers);
    Case {
        name: format!("M/M/{servers}//{users}, {name} think times"),
        station,
        variability: 2.0,
        expected: with_little(vec![
            (Statistic::Throughput, exact.throughput),
            (Statistic::MeanSojourn, exact.mean_response),
            (Statistic::MeanNumber, exact.mean_number),
            (Statistic::Utilization, exact.utilization),
            (Statistic::WaitProbability, exact.p_wait),
        ]),
        millions,
    }
}

/// A CPU that suffices for a fractional number of requests at full speed and is shared beyond it; insensitive to the
/// distribution.
fn limited(name: &str, service: Distribution, scv: f64, full: f64, load: f64, millions: f64) -> Case {
    let offered = full * load;
    let exact = capped_sharing(full, offered);
    let station = Station::new(Arrivals::poisson(offered), service, 1);
    Case {
        name: format!("M/G/1-PS at full speed up to {full}, {name}, at {load}"),
        station: Station { discipline: Discipline::Limited { full }, ..station },
        variability: 1.0 + scv.max(1.0),
        expected: with_little(vec![
            (Statistic::MeanSojourn, exact.mean_sojourn),
            (Statistic::MeanNumber, exact.mean_number),
            (Statistic::Utilization, load),
        ]),
        millions,
    }
}

fn sharing(name: &str, service: Distribution, scv: f64, load: f64, millions: f64) -> Case {
    let station = Station::new(Arrivals::poisson(load), service, 1);
    Case {
        name: format!("M/G/1-PS, {name}, at {load}"),
        station: Station { discipline: Discipline::Sharing, ..station },
        variability: 1.0 + scv.max(1.0),
        expected: with_little(vec![
            (Statistic::MeanSojourn, ps1_mean_sojourn(load)),
            (Statistic::MeanNumber, load * ps1_mean_sojourn(load)),
            (Statistic::Utilization, load),
        ]),
        millions,
    }
}
