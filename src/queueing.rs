//! Exact results of queueing theory, computed from their formulas. The unit of time is the mean service time unless an
//! argument says otherwise; `load` is the load per server, `offered` the arrival rate times the mean service time.

/// Erlang B: the probability of loss with `servers` servers and no waiting room, by the recurrence B(0) = 1, B(n) = a
/// B(n-1) / (n + a B(n-1)) (Erlang 1917; e.g. Gross, Shortle, Thompson and Harris, Fundamentals of Queueing Theory,
/// 2008, section 2.4). It does not depend on the distribution of service times.
pub fn erlang_b(servers: u32, offered: f64) -> f64 {
    (1..=servers).fold(1.0, |blocked, n| offered * blocked / (f64::from(n) + offered * blocked))
}

/// Erlang C: the probability of waiting in M/M/c, from Erlang B: C = B / (1 - rho (1 - B)) (ibid., section 2.3).
pub fn erlang_c(servers: u32, offered: f64) -> f64 {
    let blocked = erlang_b(servers, offered);
    blocked / (1.0 - offered / f64::from(servers) * (1.0 - blocked))
}

/// Mean wait in M/M/c: C / (c - a) (ibid., section 2.3).
pub fn mmc_mean_wait(servers: u32, offered: f64) -> f64 {
    erlang_c(servers, offered) / (f64::from(servers) - offered)
}

/// The share of requests in M/M/c whose sojourn time exceeds `limit`: an exponential service, after an exponential wait
/// with rate c - a for the share C that waits (Gross et al. 2008, section 2.3).
pub fn mmc_sojourn_beyond(servers: u32, offered: f64, limit: f64) -> f64 {
    let (waits, rate) = (erlang_c(servers, offered), f64::from(servers) - offered);
    let both = if (rate - 1.0).abs() < 1e-9 {
        (1.0 + limit) * (-limit).exp()
    } else {
        (rate * (-limit).exp() - (-rate * limit).exp()) / (rate - 1.0)
    };
    (1.0 - waits) * (-limit).exp() + waits * both
}

/// The largest offered load of M/M/c at which at most the share `allowed` takes longer than `limit`; 0 if there is none.
pub fn mmc_most_offered(servers: u32, limit: f64, allowed: f64) -> f64 {
    let (mut met, mut broken) = (0.0, f64::from(servers));
    while broken - met > 1e-9 {
        let middle = f64::midpoint(met, broken);
        if mmc_sojourn_beyond(servers, middle, limit) <= allowed { met = middle } else { broken = middle }
    }
    met
}

/// Pollaczek-Khinchine: the mean wait in M/G/1, lambda E[S^2] / (2 (1 - rho)) = rho (1 + c^2) / (2 (1 - rho)) with the
/// squared coefficient of variation c^2 of the service time (Pollaczek 1930, Khinchine 1932).
pub fn mg1_mean_wait(load: f64, scv: f64) -> f64 {
    load * (1.0 + scv) / (2.0 * (1.0 - load))
}

/// Mean sojourn time in M/G/1 with processor sharing: 1 / (1 - rho), whatever the distribution (Kleinrock 1967; Sakata,
/// Noguchi and Oizumi 1971).
pub fn ps1_mean_sojourn(load: f64) -> f64 {
    1.0 / (1.0 - load)
}

/// Results of a station that serves up to a number of requests at full speed, and shares that capacity among more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CappedSharing {
    /// Requests in the system.
    pub mean_number: f64,
    /// Mean time in the system.
    pub mean_sojourn: f64,
}

/// M/G/1 processor sharing with a rate cap: n requests are each served at the rate min(1, c / n), where `full` is c, any positive
/// number. The number present has the distribution of the birth-death chain with death rates min(n, c), whatever the
/// distribution of the service times (Cohen 1979, Acta Informatica 12, 245-284: generalized processor sharing with f(n) = min(1, c / n));
/// with c = 1 it is M/G/1-PS, with a whole c and exponential service it has the number of M/M/c.
pub fn capped_sharing(full: f64, offered: f64) -> CappedSharing {
    let whole = full.floor();
    let (mut weight, mut total, mut first) = (1.0, 1.0, 0.0);
    for n in 1..=whole as u32 {
        weight *= offered / f64::from(n);
        total += weight;
        first += f64::from(n) * weight;
    }
    // Beyond that the weights fall by the load each time.
    let load = offered / full;
    let slack = 1.0 - load;
    total += weight * load / slack;
    first += weight * (whole * load / slack + load / (slack * slack));
    let mean_number = first / total;
    CappedSharing { mean_number, mean_sojourn: mean_number / offered }
}

/// Steady-state results of M/M/c/K.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MmcK {
    /// Share of requests rejected.
    pub blocking: f64,
    /// Requests in the system.
    pub mean_number: f64,
    /// Mean wait of admitted requests.
    pub mean_wait: f64,
}

/// M/M/c/K by its birth-death equations p(n) = p(n-1) a / min(n, c), with room for `capacity` requests in all (Gross et al.
/// 2008, section 2.5); the wait follows by Little's law.
pub fn mmck(servers: u32, capacity: u32, offered: f64) -> MmcK {
    let mut weights = vec![1.0];
    for n in 1..=capacity {
        weights.push(weights[n as usize - 1] * offered / f64::from(n.min(servers)));
    }
    let total: f64 = weights.iter().sum();
    let moment = |of: fn(f64, f64) -> f64| {
        let terms = weights.iter().enumerate().map(|(n, weight)| of(n as f64, f64::from(servers)) * weight / total);
        terms.sum::<f64>()
    };
    let blocking = weights[capacity as usize] / total;
    let admitted = offered * (1.0 - blocking);
    let mean_queue = moment(|n, c| (n - c).max(0.0));
    MmcK { blocking, mean_number: moment(|n, _| n), mean_wait: mean_queue / admitted }
}

/// Steady-state results of the finite-source queue M/M/c//N.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FiniteSource {
    /// Requests per unit of time.
    pub throughput: f64,
    /// Mean time from a request to its response.
    pub mean_response: f64,
    /// Mean number of users waiting or in service.
    pub mean_number: f64,
    /// Utilization of the servers.
    pub utilization: f64,
    /// Probability that a request finds all servers busy: by the arrival theorem (Sevcik and Mitrani 1981) that of the
    /// same system with one user fewer.
    pub p_wait: f64,
}

/// The finite-source queue (machine repair model): `users` users with think times of mean `think` and any distribution,
/// served by `servers` servers with exponential service times of mean `service`. Solved by birth-death equations
/// (Kleinrock 1975, section 3.8).
pub fn finite_source(users: u32, servers: u32, think: f64, service: f64) -> FiniteSource {
    let states = |users: u32| {
        let mut weights = vec![1.0];
        for k in 0..users {
            let up = f64::from(users - k) / think;
            let down = f64::from((k + 1).min(servers)) / service;
            weights.push(weights[k as usize] * up / down);
        }
        let total: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / total).collect::<Vec<f64>>()
    };
    let p = states(users);
    let mean = |of: &dyn Fn(u32) -> f64| p.iter().enumerate().map(|(k, p)| of(k as u32) * p).sum::<f64>();
    let busy = mean(&|k| f64::from(k.min(servers)));
    let mean_number = mean(&f64::from);
    let throughput = busy / service;
    let p_wait = states(users.saturating_sub(1)).iter().skip(servers as usize).sum();
    FiniteSource {
        throughput,
        mean_response: mean_number / throughput,
        mean_number,
        utilization: busy / f64::from(servers),
        p_wait,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-5 * b.abs(), "{a} is not {b}");
    }

    #[test]
    fn formulas_agree_with_each_other_and_with_tables() {
        close(erlang_b(2, 1.0), 0.2);
        close(erlang_c(2, 1.0), 1.0 / 3.0);
        // W1 of the benchmark: a mean wait of 0.869525 ms at 100 ms of service.
        close(mmc_mean_wait(50, 40.0) * 100.0, 0.869_525);
        close(mmc_mean_wait(1, 0.8), 4.0);
        // M/M/1: the sojourn time is exponential with rate 1 - rho, so 95% within t allow rho = 1 - ln(20) / t.
        close(mmc_sojourn_beyond(1, 0.8, 7.0), (-1.4f64).exp());
        close(mmc_most_offered(1, 8.0, 0.05), 1.0 - 20f64.ln() / 8.0);
        close(mmc_sojourn_beyond(3, 2.0, 1.5), mmc_sojourn_beyond(3, 2.0 - 1e-7, 1.5));
        assert!(mmc_most_offered(10, 1.0, 0.05) < 1e-8, "the service alone takes longer");
        close(mg1_mean_wait(0.8, 1.0), mmc_mean_wait(1, 0.8));
        close(mmck(10, 10, 8.0).blocking, erlang_b(10, 8.0));
        close(mmck(1, 5, 0.8).blocking, 0.088_819_498_655_564_2);
        close(mmck(3, 400, 2.1).mean_wait, mmc_mean_wait(3, 2.1));
        close(ps1_mean_sojourn(0.8), 5.0);
        close(capped_sharing(1.0, 0.8).mean_sojourn, ps1_mean_sojourn(0.8));
        close(capped_sharing(50.0, 40.0).mean_sojourn, 1.0 + mmc_mean_wait(50, 40.0));
        // Half a server equals one server at half the speed, at any time.
        close(capped_sharing(0.5, 0.4).mean_sojourn, 2.0 * ps1_mean_sojourn(0.8));
        // Two and a half servers, solved by hand from p(n) = p(0) (1, 2, 2, 2 r, 2 r^2, ...) with r = 2 / 2.5: total 3 + 2 / (1 - r) = 13,
        // first moment 2 + 2 (2 / (1 - r) + r / (1 - r)^2) = 62.
        close(capped_sharing(2.5, 2.0).mean_number, 62.0 / 13.0);
    }

    /// Cases of the reference table (exact birth-death solutions): machine-repair-20-3-8 and closed-10-5-1.
    #[test]
    fn finite_sources_agree_with_the_table() {
        let close = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-9, "{a} {b}");
        let repair = finite_source(20, 3, 8.0, 1.0);
        close(repair.throughput, 2.13998277438935);
        close(repair.mean_response, 1.34586962070619);
        close(repair.mean_number, 2.88013780488518);
        close(repair.utilization, 0.713327591463118);
        close(repair.p_wait, 0.44612631238606);
        close(finite_source(10, 1, 5.0, 1.0).mean_response, 5.18728892987097);
    }
}
