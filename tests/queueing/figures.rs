//! The exact figures of a case, and how each is measured in a run.
//!
//! Left out are
//! * values below 1e-6 that are not exactly 0, and utilizations above 0.999: too rare to be observed in a run;
//! * waiting percentiles of 0: they are in the atom at zero given by `p_wait`;
//! * the slowdown by size, and the share of time in which an instance has any request: they are not in the record.
//!
//! * where a run is shorter than the case states, the variances and the percentiles of order 0.999: they are based on
//!   so few busy periods that replications of such a length are far from normal.
//!
//! A mean sojourn time is corrected for the end of the run, which leaves out the requests still present. Of the
//! requests that arrive in a time T these are lambda E[W], with a total sojourn time of lambda E[W^2], so the mean of
//! the others is W - Var(W) / T to first order. If T is too short for that, with thousands of queues, L = lambda W is
//! used instead.
//!
//! A percentile x of order p is tested by the share of values up to x, which is p: a share is an average, so Student's
//! interval applies to it, and no inverse of a histogram is needed.

use plimsoll::engine::{Fate, Interval};
use plimsoll::validate::verify::{After, Discipline, Observed, Sample, Statistic};
use statrs::distribution::{DiscreteCDF, Poisson};

use super::reading::{Case, Kind, Subject};

/// A figure: its exact value, and its measurement in a run.
pub struct Figure {
    pub name: String,
    pub expected: f64,
    pub of: Box<dyn Fn(&Observed) -> f64 + Sync>,
}

impl Figure {
    fn new(name: &str, expected: f64, of: impl Fn(&Observed) -> f64 + Sync + 'static) -> Self {
        Figure { name: name.into(), expected, of: Box::new(of) }
    }
}

/// Every figure of `case` that can be tested.
pub fn figures(case: &Case<'_>, subject: &Subject) -> Result<Vec<Figure>, String> {
    let mut figures = Vec::new();
    for (name, value) in case.expected {
        let expected = value.as_f64().ok_or(format!("`{name}` is no number"))?;
        let name = name.strip_suffix("_ms").unwrap_or(name);
        if left_out(name, expected) || of_batches(subject, name) {
            continue;
        }
        let figure = match subject.kind {
            Kind::Steady => steady(case, subject, name, expected)?,
            Kind::Transient => at_moment(subject, name, expected)?,
            Kind::Periodic(period) => of_cycle(period, name, expected)?,
            Kind::Trace => of_trace(subject, name, expected)?,
        };
        figures.push(figure);
    }
    if figures.is_empty() { Err("nothing is expected".into()) } else { Ok(figures) }
}

fn left_out(name: &str, expected: f64) -> bool {
    (expected != 0.0 && expected.abs() < 1e-6)
        || (name.starts_with("utili") && expected > 0.999)
        || (name.starts_with("wait_p") && expected == 0.0)
        || name == "mean_slowdown_each_size"
        || name == "busy_time_fraction"
}

/// Whether a figure counts batches or iterations: a run's record counts requests. With a server that takes what waits, the server is busy
/// when a request is present.
fn of_batches(subject: &Subject, name: &str) -> bool {
    let batching = match subject.station.discipline {
        Discipline::Batch(batching) => batching,
        Discipline::Engine { .. } => return ["mean_active_per_iteration", "mean_iteration_time"].contains(&name),
        _ => return false,
    };
    let busy = ["utilisation", "p_server_idle"].contains(&name) && batching.start_at > 1;
    busy || ["mean_batch_size", "p_full_batch", "p_batch_full", "batch_rate"].contains(&name)
}

fn steady(case: &Case<'_>, subject: &Subject, name: &str, expected: f64) -> Result<Figure, String> {
    if subject.station.started.is_some()
        && let Some(figure) = of_started(name, expected)
    {
        return Ok(figure);
    }
    if let Some((kind, number)) = at_station(subject, name) {
        return of_station(kind, number, expected).ok_or(format!("`{name}` is not understood"));
    }
    let is_sojourn = name.starts_with("mean_sojourn") || ["mean_response", "mean_e2e_latency"].contains(&name);
    if is_sojourn && !subject.many_queues {
        return Ok(Figure::new(name, expected, sojourn));
    }
    if name == "mean_service_seen" {
        let seen = |observed: &Observed| Statistic::MeanSojourn.of(observed) - Statistic::MeanWait.of(observed);
        return Ok(Figure::new(name, expected, seen));
    }
    let (metric, expected) = metric(case, subject, name, expected)?;
    Ok(Figure::new(name, expected, move |observed| metric.of(observed)))
}

/// A figure of servers that requests start.
fn of_started(name: &str, expected: f64) -> Option<Figure> {
    let of: fn(&Observed) -> f64 = match name {
        "p_cold" | "p_request_triggers_cold_start" => |observed| cold(observed) / completed(observed),
        "cold_starts_per_time" => {
            |observed| cold(observed) / observed.record.end.since(observed.record.warm_up).as_secs_f64()
        }
        "warm_time_fraction" => |observed| over_time(observed, |row| row.ready),
        "instance_on_fraction" => |observed| over_time(observed, |row| row.ready + row.starting),
        "busy_fraction" | "mean_busy" => |observed| over_time(observed, |row| row.busy),
        "setup_fraction" | "mean_in_setup" => |observed| over_time(observed, |row| row.starting),
        _ => return None,
    };
    Some(Figure::new(name, expected, of))
}

fn completed(observed: &Observed) -> f64 {
    observed.record.services[0].counts[Fate::Completed] as f64
}

/// Requests that were the first of their server.
fn cold(observed: &Observed) -> f64 {
    completed(observed) - observed.record.services[0].warm_requests as f64
}

/// The average of a column of the timeline after the warm-up.
fn over_time(observed: &Observed, of: fn(&Interval) -> f64) -> f64 {
    let rows = observed.record.services[0].timeline.iter().filter(|row| row.start >= observed.record.warm_up);
    let (area, length) = rows.fold((0.0, 0.0), |(area, length), row| {
        let seconds = row.length.as_secs_f64();
        (area + of(row) * seconds, length + seconds)
    });
    area / length
}

/// The kind and the station of a figure that is of one station of a network; the entry is station 0.
fn at_station<'a>(subject: &Subject, name: &'a str) -> Option<(&'a str, usize)> {
    let After::Visit(stages) = &subject.station.after else { return None };
    if name == "utilisation" {
        return Some((name, 1));
    }
    let (kind, number) = name.rsplit_once('_')?;
    let number = number.parse().ok().filter(|number| (1..=stages.len()).contains(number))?;
    Some((kind.strip_suffix("_station").unwrap_or(kind), number))
}

fn of_station(kind: &str, number: usize, expected: f64) -> Option<Figure> {
    let name = format!("{kind}_{number}");
    let statistic = match kind {
        "mean_sojourn" => {
            return Some(Figure::new(&name, expected, move |observed| sojourn_at(observed, number)));
        }
        "mean_wait" => Statistic::MeanWait,
        "p_wait" => Statistic::WaitProbability,
        "utilisation" => Statistic::Utilization,
        "mean_number" => Statistic::MeanNumber,
        _ => return None,
    };
    Some(Figure::new(&name, expected, move |observed| statistic.at(observed, number)))
}

/// Mean sojourn time, corrected for the end of the run.
fn sojourn(observed: &Observed) -> f64 {
    sojourn_at(observed, 0)
}

fn sojourn_at(observed: &Observed, station: usize) -> f64 {
    let seconds = observed.record.end.since(observed.record.warm_up).as_secs_f64();
    Statistic::MeanSojourn.at(observed, station) + Statistic::SojournVariance.at(observed, station) / seconds
}

/// Whether a figure needs the stated length even more than a mean does.
pub fn is_demanding(name: &str) -> bool {
    name.starts_with("var_") || name.ends_with("_p999")
}

/// The metric called `name`, and the value expected for the engine's metric.
fn metric(case: &Case<'_>, subject: &Subject, name: &str, value: f64) -> Result<(Statistic, f64), String> {
    let station = &subject.station;
    let all_queues = if subject.per_queue { f64::from(station.queues) } else { 1.0 };
    Ok(match name {
        "p_wait" | "p_wait_accepted" | "p_arrival_waits" | "p_all_servers_busy_at_arrival" => {
            (Statistic::WaitProbability, value)
        }
        "mean_wait" | "mean_wait_accepted" | "mean_wait_served" => (Statistic::MeanWait, value),
        "mean_wait_given_wait" => (Statistic::MeanWaitOfWaiting, value),
        "mean_wait_all" => (Statistic::MeanWaitOfAll, value),
        "mean_sojourn" => (Statistic::MeanNumber, value * station.arrivals.rate()),
        "var_wait" => (Statistic::WaitVariance, value),
        "var_sojourn" => (Statistic::SojournVariance, value),
        "utilisation" if matches!(station.discipline, Discipline::Batch(_) | Discipline::Engine { .. }) => {
            (Statistic::NumberAtLeast(1), value)
        }
        "p_server_idle" => (Statistic::NumberAtLeast(1), 1.0 - value),
        "utilisation" | "utilisation_1" => (Statistic::Utilization, value),
        "mean_busy" => (Statistic::MeanBusy, value),
        "mean_number" | "mean_number_1" => (Statistic::MeanNumber, value * all_queues),
        "mean_queue" => (Statistic::MeanQueue, value * all_queues),
        "var_number" => (Statistic::NumberVariance, value),
        "p_block" => (Statistic::Blocking, value),
        "p_timeout" => (Statistic::Abandonment, value),
        "throughput" => (Statistic::Throughput, value),
        "p_all_busy" => (Statistic::NumberAtLeast(station.servers), value),
        "p_number_0" => (Statistic::NumberAtLeast(1), 1.0 - value),
        "p_number_gt_mean_plus_2sd" => {
            let limit = expected(case, "mean_number")? + 2.0 * expected(case, "var_number")?.sqrt();
            (Statistic::NumberAtLeast(limit.floor() as u32 + 1), value)
        }
        "p99" => (Statistic::SojournWithin(value), 0.99),
        _ => return counted(case, name, value),
    })
}

/// Figures with a number in their names.
fn counted(case: &Case<'_>, name: &str, value: f64) -> Result<(Statistic, f64), String> {
    let unknown = || format!("`{name}` is not understood");
    let (kind, digits) = name.rsplit_once('_').ok_or_else(unknown)?;
    if let Some(order) = digits.strip_prefix('p') {
        let order: f64 = format!("0.{order}").parse().map_err(|_| unknown())?;
        return match kind {
            "wait" => Ok((Statistic::WaitWithin(value), order)),
            "sojourn" => Ok((Statistic::SojournWithin(value), order)),
            "number" => number_percentile(case, order, value),
            _ => Err(unknown()),
        };
    }
    let count = digits.parse().map_err(|_| unknown())?;
    match kind {
        "p_number_ge" => Ok((Statistic::NumberAtLeast(count), value)),
        "fraction_queues_ge" if (1..=3).contains(&count) => Ok((Statistic::QueuesAtLeast(count), value)),
        _ => Err(unknown()),
    }
}

/// A percentile n of the Poisson number in M/G/inf: an integer, so the share above it can be measured. That n is the
/// percentile, the smallest number with at most 1 - `order` above it, is checked here.
fn number_percentile(case: &Case<'_>, order: f64, value: f64) -> Result<(Statistic, f64), String> {
    let poisson = Poisson::new(expected(case, "mean_number")?).map_err(|e| e.to_string())?;
    let above = |n: f64| if n < 0.0 { 1.0 } else { poisson.sf(n as u64) };
    if above(value) > 1.0 - order || above(value - 1.0) <= 1.0 - order {
        return Err(format!("{value} is not the percentile of order {order}"));
    }
    Ok((Statistic::NumberAtLeast(value as u32 + 1), above(value)))
}

fn expected(case: &Case<'_>, name: &str) -> Result<f64, String> {
    case.expected.get(name).and_then(|value| value.as_f64()).ok_or(format!("`{name}` is missing"))
}

/// The time at the end of a transient figure's name, in seconds.
pub fn moment(name: &str) -> Option<f64> {
    name.rsplit_once("_t").and_then(|(_, moment)| moment.parse().ok())
}

fn at_moment(subject: &Subject, name: &str, expected: f64) -> Result<Figure, String> {
    let at = moment(name).ok_or(format!("`{name}` names no moment"))?;
    let station = &subject.station;
    let servers = f64::from(station.servers);
    // Servers that are not available yet are occupied by requests of their own.
    let absent = station.occupied.iter().filter(|until| **until > at).count() as f64;
    let of: fn(&Sample, f64, f64) -> f64 = match name.rsplit_once("_t").map(|(kind, _)| kind) {
        Some("mean_number") => |sample, absent, _| sample.number - absent,
        Some("mean_queue") => |sample, _, _| sample.waiting,
        Some("p_wait") => |sample, _, servers| f64::from(u8::from(sample.number >= servers)),
        _ => return Err(format!("`{name}` is not understood")),
    };
    Ok(Figure::new(name, expected, move |observed| {
        let sample = observed.samples.iter().find(|sample| (sample.at - at).abs() < 1e-6);
        sample.map_or(f64::NAN, |sample| of(sample, absent, servers))
    }))
}

/// Number of samples in a cycle.
pub const SAMPLES: u32 = 20;

/// Figures of a wave m + a sin(2 pi (t - lag) / period), from samples over whole periods.
fn of_cycle(period: f64, name: &str, expected: f64) -> Result<Figure, String> {
    if let Some(phase) = name.strip_prefix("mean_number_at_phase_") {
        let phase: f64 = phase.parse().map_err(|_| format!("`{name}` names no phase"))?;
        let of = move |observed: &Observed| {
            let at_phase = |sample: &&Sample| {
                let from_phase = sample.at / period - phase;
                (from_phase - from_phase.round()).abs() < 1e-6
            };
            mean(observed.samples.iter().filter(at_phase).map(|sample| sample.number))
        };
        return Ok(Figure::new(name, expected, of));
    }
    let turn = std::f64::consts::TAU / period;
    // Twice the mean of the number times sine and cosine.
    let part = move |observed: &Observed, of: fn(f64) -> f64| {
        2.0 * mean(observed.samples.iter().map(|sample| sample.number * of(sample.at * turn)))
    };
    let amplitude = move |observed: &Observed| part(observed, f64::sin).hypot(part(observed, f64::cos));
    let average = |observed: &Observed| Statistic::MeanNumber.of(observed);
    match name {
        "mean_number_time_average" => Ok(Figure::new(name, expected, average)),
        "amplitude" => Ok(Figure::new(name, expected, amplitude)),
        "peak_value" => Ok(Figure::new(name, expected, move |observed| average(observed) + amplitude(observed))),
        "peak_lag_after_rate_peak" => Ok(Figure::new(name, expected, move |observed| {
            (-part(observed, f64::cos)).atan2(part(observed, f64::sin)) / turn
        })),
        _ => Err(format!("`{name}` is not understood")),
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0u64), |(sum, count), value| (sum + value, count + 1));
    sum / count as f64
}

fn of_trace(subject: &Subject, name: &str, expected: f64) -> Result<Figure, String> {
    let servers = f64::from(subject.station.servers);
    let of: fn(&Observed, f64) -> f64 = match name {
        "mean_wait" => |observed, _| Statistic::MeanWait.of(observed),
        "waits_sum" => |observed, _| observed.record.services[0].waiting.sum_nanos() as f64 / 1e9,
        "busy_time" => {
            |observed, servers| Statistic::Utilization.of(observed) * servers * observed.record.end.as_secs_f64()
        }
        "max_queue" => |observed, _| observed.samples.iter().map(|sample| sample.waiting).fold(0.0, f64::max),
        // The first sample with an empty system from then on.
        "last_departure" => |observed, _| {
            let last = observed.samples.iter().rposition(|sample| sample.number > 0.0);
            last.and_then(|last| observed.samples.get(last + 1)).map_or(f64::NAN, |sample| sample.at)
        },
        _ => return Err(format!("`{name}` is not understood")),
    };
    Ok(Figure::new(name, expected, move |observed| of(observed, servers)))
}
