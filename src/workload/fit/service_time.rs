//! The distribution that fits recorded durations best, as a scenario's `service-time:`.

use crate::random::Distribution;
use crate::units::SimDuration;
use crate::workload::replay::durations::Durations;

/// Maximum number of cells into which durations are grouped.
const MAX_CELLS: usize = 400;
/// Maximum Kolmogorov-Smirnov distance of a good fit.
const GOOD: f64 = 0.05;
/// Minimum number of durations for a fit.
const FEWEST: u64 = 50;

/// A distribution of service times fitted to recorded durations.
#[derive(Debug, Clone)]
pub struct ServiceTime {
    /// The value of `service-time:`, YAML.
    pub yaml: String,
    /// Number of requests with a duration.
    pub requests: u64,
    /// Kolmogorov-Smirnov distance between the recording and the distribution: the largest difference of the cumulative
    /// shares at the borders of cells.
    pub error: f64,
    /// Name and distance of each distribution tried, most likely first.
    pub tried: Vec<(&'static str, f64)>,
    /// Name, recorded value and fitted value in seconds of the figures to compare.
    pub figures: Vec<(&'static str, f64, f64)>,
    /// Notes for readers, one sentence each.
    pub notes: Vec<String>,
}

impl ServiceTime {
    /// Whether the fit is good.
    pub fn is_good(&self) -> bool {
        self.error <= GOOD
    }
}

/// A range of durations and the number of them in it.
#[derive(Debug, Clone, Copy)]
struct Cell {
    /// Bounds in seconds; the first cell starts at zero.
    from: f64,
    to: f64,
    count: f64,
}

/// The maximum-likelihood distribution among constant, exponential, lognormal, Weibull, gamma and hyperexponential,
/// selected by the Bayesian information criterion. The likelihood is that of ranges: a log in milliseconds or seconds
/// only states that each duration was rounded to that unit, and zero means less than half of it. `None` if fewer than
/// fifty durations are known, or all are zero.
pub fn service_time(durations: &Durations) -> Option<ServiceTime> {
    let mean = durations.histogram.mean_secs().filter(|mean| *mean > 0.0)?;
    let weighted = durations.weighted();
    if durations.known() < FEWEST {
        return None;
    }
    let tick = tick(&weighted);
    let cells = cells(&weighted, tick);
    let all: f64 = cells.iter().map(|cell| cell.count).sum();
    let mut notes = Vec::new();
    if let [(only, _)] = weighted.as_slice() {
        let value = Distribution::Constant { value: *only };
        return Some(of(durations, "constant", &value, duration(*only), (0.0, vec![("constant", 0.0)], notes)));
    }
    let cv = cells.iter().map(|cell| cell.count / all * (cell.middle() - mean).powi(2)).sum::<f64>().sqrt() / mean;
    let mut found: Vec<(f64, Candidate)> = Vec::new();
    for mut candidate in candidates(mean, cv.clamp(0.05, 20.0)) {
        let likelihood = candidate.climb(&cells);
        found.push((candidate.free() as f64 * all.ln() - 2.0 * likelihood, candidate));
    }
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    let tried: Vec<(&'static str, f64)> =
        found.iter().map(|(_, candidate)| (candidate.name, distance(&candidate.distribution(), &cells))).collect();
    let (_, best) = found.first()?;
    if let Some(tick) = tick.filter(|tick| mean < 5.0 * tick) {
        notes.push(format!(
            "the trace rounds durations to {}, and the mean is {}: shorter durations cannot be distinguished",
            duration(tick),
            duration(mean)
        ));
    }
    notes.extend(durations.inflation());
    Some(of(durations, best.name, &best.distribution(), best.yaml(), (tried[0].1, tried, notes)))
}

/// Assembles the result of a fit.
fn of(
    durations: &Durations,
    _name: &str,
    distribution: &Distribution,
    yaml: String,
    (error, tried, notes): (f64, Vec<(&'static str, f64)>, Vec<String>),
) -> ServiceTime {
    let recorded = |share: f64| durations.histogram.quantile(share).map_or(0.0, SimDuration::as_secs_f64);
    let mut figures = vec![("mean", durations.histogram.mean_secs().unwrap_or(0.0), distribution.mean())];
    for (name, share) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("p99.9", 0.999)] {
        figures.push((name, recorded(share), quantile(distribution, share)));
    }
    ServiceTime { yaml, requests: durations.known(), error, tried, figures, notes }
}

impl Cell {
    fn middle(&self) -> f64 {
        f64::midpoint(self.from, self.to)
    }
}

/// The resolution of the durations, if all of them are multiples of it and few enough are distinct.
fn tick(weighted: &[(f64, u64)]) -> Option<f64> {
    let powers = (0..10).map(|power| 10f64.powi(-power));
    let whole = |tick: f64| {
        weighted.iter().all(|(value, _)| (value / tick - (value / tick).round()).abs() < 1e-6 * (value / tick).max(1.0))
    };
    powers.into_iter().find(|tick| whole(*tick)).filter(|tick| *tick >= 1e-6)
}

/// Ranges around the durations: half the resolution to both sides if there is one, otherwise half the distance to the
/// neighbours; neighbours are grouped if there are very many.
fn cells(weighted: &[(f64, u64)], tick: Option<f64>) -> Vec<Cell> {
    let border = |left: f64, right: f64| match tick {
        Some(tick) => left + tick / 2.0,
        None => f64::midpoint(left, right),
    };
    let mut all: Vec<Cell> = Vec::new();
    for (place, (value, count)) in weighted.iter().enumerate() {
        let from = match (place.checked_sub(1).map(|before| weighted[before].0), tick) {
            (_, Some(tick)) => (value - tick / 2.0).max(0.0),
            (Some(before), None) => f64::midpoint(before, *value),
            (None, None) => 0.0,
        };
        let to = border(*value, weighted.get(place + 1).map_or(value * 1.01 + 1e-9, |next| next.0));
        all.push(Cell { from, to, count: *count as f64 });
    }
    let joined = all.len().div_ceil(MAX_CELLS).max(1);
    let join = |cells: &[Cell]| Cell {
        from: cells[0].from,
        to: cells[cells.len() - 1].to,
        count: cells.iter().map(|cell| cell.count).sum(),
    };
    if joined == 1 { all } else { all.chunks(joined).map(join).collect() }
}

/// A family of distributions with its parameters as logarithms.
#[derive(Debug, Clone)]
struct Candidate {
    name: &'static str,
    parameters: Vec<f64>,
}

fn candidates(mean: f64, cv: f64) -> Vec<Candidate> {
    let of =
        |name, parameters: &[f64]| Candidate { name, parameters: parameters.iter().map(|p: &f64| p.ln()).collect() };
    let mut all = vec![
        of("exponential", &[mean]),
        of("lognormal", &[mean, cv]),
        of("gamma", &[1.0 / (cv * cv), mean]),
        of("weibull", &[cv.powf(-1.086), mean]),
    ];
    if cv > 1.0 {
        all.push(of("hyperexponential", &[mean, cv]));
    }
    all
}

impl Candidate {
    fn free(&self) -> usize {
        self.parameters.len()
    }

    fn distribution(&self) -> Distribution {
        let at = |place: usize| self.parameters[place].exp();
        match self.name {
            "exponential" => Distribution::Exponential { mean: at(0) },
            "lognormal" => Distribution::lognormal(at(0), at(1)),
            "gamma" => Distribution::Gamma { shape: at(0), scale: at(1) / at(0) },
            "weibull" => {
                Distribution::Weibull { shape: at(0), scale: at(1) / statrs::function::gamma::gamma(1.0 + 1.0 / at(0)) }
            }
            _ => Distribution::hyperexponential_balanced(at(0), at(1).max(1.0).powi(2)),
        }
    }

    fn yaml(&self) -> String {
        let at = |place: usize| self.parameters[place].exp();
        match self.name {
            "exponential" => format!("{{ exponential: {{ mean: {} }} }}", duration(at(0))),
            name @ ("gamma" | "weibull") => {
                format!("{{ {name}: {{ shape: {:.4}, mean: {} }} }}", at(0), duration(at(1)))
            }
            name => format!("{{ {name}: {{ mean: {}, cv: {:.4} }} }}", duration(at(0)), at(1).max(1e-3)),
        }
    }

    /// Maximizes the likelihood by a compass search (Hooke and Jeeves 1961) and returns its logarithm.
    fn climb(&mut self, cells: &[Cell]) -> f64 {
        let mut best = likelihood(&self.distribution(), cells);
        let mut step = 0.5;
        while step > 2e-4 {
            let mut moved = false;
            for place in 0..self.parameters.len() {
                for sign in [step, -step] {
                    let mut other = self.clone();
                    other.parameters[place] += sign;
                    let found = likelihood(&other.distribution(), cells);
                    if found > best + 1e-9 {
                        (best, moved) = (found, true);
                        *self = other;
                        break;
                    }
                }
            }
            if !moved {
                step /= 2.0;
            }
        }
        best
    }
}

/// Log-likelihood of the counts in the cells.
fn likelihood(distribution: &Distribution, cells: &[Cell]) -> f64 {
    let (mut sum, mut border, mut beyond) = (0.0, f64::NAN, 0.0);
    for cell in cells {
        let from = if cell.from == border { beyond } else { at_least(distribution, cell.from) };
        let to = at_least(distribution, cell.to);
        (border, beyond) = (cell.to, to);
        sum += cell.count * (from - to).max(1e-12).ln();
    }
    if sum.is_finite() { sum } else { f64::MIN }
}

/// The probability of exceeding `x`; 1 at zero.
fn at_least(distribution: &Distribution, x: f64) -> f64 {
    if x <= 0.0 { 1.0 } else { distribution.exceeds(x) }
}

/// The largest difference of the cumulative shares of recording and distribution at the borders of the cells.
fn distance(distribution: &Distribution, cells: &[Cell]) -> f64 {
    let all: f64 = cells.iter().map(|cell| cell.count).sum();
    let mut below = 0.0;
    let apart = |cell: &Cell| {
        below += cell.count;
        (below / all - (1.0 - at_least(distribution, cell.to))).abs()
    };
    cells.iter().map(apart).fold(0.0, f64::max)
}

/// The quantile at `share`, by bisection.
fn quantile(distribution: &Distribution, share: f64) -> f64 {
    let (mut low, mut high) = (0.0, distribution.mean().max(1e-9));
    while distribution.exceeds(high) > 1.0 - share && high < 1e9 {
        high *= 2.0;
    }
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if distribution.exceeds(middle) > 1.0 - share { low = middle } else { high = middle }
    }
    high
}

/// Seconds as a duration, to four digits or the nanosecond.
fn duration(seconds: f64) -> String {
    let digits = 10f64.powi(3 - seconds.max(1e-9).log10().floor() as i32);
    let rounded = (seconds * digits).round() / digits;
    SimDuration::from_secs_f64(rounded.max(1e-9)).map_or_else(|_| "1ns".into(), |duration| duration.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Streams};

    /// Durations of 20,000 draws, rounded to `tick` seconds.
    fn drawn(distribution: &Distribution, tick: f64) -> Durations {
        let mut draw = Streams::new(3, 0).running(Purpose::Demand, 0);
        let mut durations = Durations::new("t", "csv");
        for _ in 0..20_000 {
            let value = (distribution.sample(&mut draw) / tick).round() * tick;
            durations.record(SimDuration::from_nanos((value * 1e9).round() as u64));
        }
        durations
    }

    fn number(yaml: &str, name: &str) -> f64 {
        let text = yaml.split(&format!("{name}: ")).nth(1).unwrap().split([',', ' ']).next().unwrap();
        text.parse().unwrap_or_else(|_| text.parse::<SimDuration>().unwrap().as_secs_f64())
    }

    /// The parameters are recovered, also if durations are rounded to one or ten milliseconds, with many zeros.
    #[test]
    fn the_distribution_that_was_drawn_from_is_found() {
        for tick in [1e-9, 1e-3, 1e-2] {
            let lognormal = service_time(&drawn(&Distribution::lognormal(0.08, 1.2), tick)).unwrap();
            let (mean, cv) = (number(&lognormal.yaml, "mean"), number(&lognormal.yaml, "cv"));
            assert!(lognormal.yaml.contains("lognormal"), "{tick}: {lognormal:?}");
            assert!((mean / 0.08 - 1.0).abs() < 0.05 && (cv / 1.2 - 1.0).abs() < 0.08, "{tick}: {lognormal:?}");
            let exponential = service_time(&drawn(&Distribution::Exponential { mean: 0.03 }, tick)).unwrap();
            assert!(exponential.yaml.contains("exponential"), "{tick}: {exponential:?}");
            assert!((number(&exponential.yaml, "mean") / 0.03 - 1.0).abs() < 0.03, "{tick}: {exponential:?}");
            let gamma = service_time(&drawn(&Distribution::Gamma { shape: 4.0, scale: 0.02 }, tick)).unwrap();
            assert!(gamma.yaml.contains("gamma"), "{tick}: {gamma:?}");
            assert!((number(&gamma.yaml, "shape") / 4.0 - 1.0).abs() < 0.06, "{tick}: {gamma:?}");
            let weibull = service_time(&drawn(&Distribution::Weibull { shape: 0.6, scale: 0.05 }, tick)).unwrap();
            assert!(weibull.yaml.contains("weibull"), "{tick}: {weibull:?}");
            assert!([lognormal, exponential, gamma, weibull].iter().all(|fit| fit.is_good() && fit.error < 0.02));
        }
    }

    #[test]
    fn bad_fits_and_small_samples_are_reported() {
        let mut two = Durations::new("t", "csv");
        for _ in 0..500 {
            two.record(SimDuration::from_millis(10));
            two.record(SimDuration::from_millis(900));
        }
        let fit = service_time(&two).unwrap();
        assert!(!fit.is_good() && fit.error > 0.1, "{fit:?}");
        let mut same = Durations::new("t", "csv");
        (0..60).for_each(|_| same.record(SimDuration::from_millis(250)));
        assert_eq!(service_time(&same).unwrap().yaml, "250ms");
        assert!(service_time(&Durations::new("t", "csv")).is_none());
        let coarse = service_time(&drawn(&Distribution::Exponential { mean: 0.8 }, 1.0)).unwrap();
        assert!(coarse.notes[0].contains("rounds durations to 1s"), "{coarse:?}");
        assert!((number(&coarse.yaml, "mean") / 0.8 - 1.0).abs() < 0.05, "{coarse:?}");
    }
}
