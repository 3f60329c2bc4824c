//! The cost of a forecast's errors: the forecast joined with the timeline of the same run.
//!
//! Everything is counted after the warm-up, over the steps that the policy forecast ([`ForecastPoint`]) and the
//! intervals of the timeline. If an interval and a step overlap in part, the interval's attempts and cost count in
//! proportion to the time.
//!
//! * The *actual rate* of a step is the number of attempts during it, with retries as in the metric that the policy
//!   forecasts, divided by its length. If intervals are longer than steps, it is the rate of the interval.
//! * A step is *above* if the actual rate exceeds the quantile that capacity was ordered for, *below* if it is less
//!   than the lower end of the 80% interval, and otherwise *as planned*. Adjacent steps with errors in the same
//!   direction form one [`Miss`].
//! * **Minutes in violation, slow and lost requests.** A miss above is charged with every interval that overlaps it or
//!   the time after it in which no scaling action decided since its last step could have taken effect. That time is as
//!   long as the time from the last step's decision to that step's end. An interval within reach of several misses is
//!   charged to the one that began last; an interval within reach of none to [`ForecastPrice::rest`]. An interval is in
//!   violation as a whole or not at all: if the share of good requests among its eligible ones is below the target of
//!   the first latency objective (of the first objective if none is about latency).
//! * **Dollars of over-provision.** During a step, the cost of the existing replicas that the forecast asked for and
//!   the actual rate did not need: `max(0, min(present, ceil(planned / capacity)) - actual / capacity) / present` of
//!   the cost. Replicas beyond that are due to a minimum or to a longer look-ahead, not to the forecast. Charged to the
//!   miss below that contains the step, otherwise to `rest`: there it is the price of the headroom between the mean and
//!   the quantile.
//!
//! Each interval and each dollar is charged once, so that misses and `rest` add up to the run. Coincidence is not
//! causation: a miss that other headroom absorbed is charged nothing, and one that coincides with a crash is charged
//! the crash.

use crate::engine::{Interval, ObjectiveRecord, RunRecord, ServiceRecord};
use crate::policy::ForecastPoint;
use crate::units::{SimDuration, SimTime, Usd};

/// The direction of a forecast error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The actual rate exceeded what capacity was ordered for.
    Above,
    /// The actual rate was below the lower end of the interval.
    Below,
}

/// The charge of a miss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Charge {
    /// Length of the intervals in violation.
    pub violation: SimDuration,
    /// Requests answered later than the objective allows, or not at all by the end of the run although they arrived
    /// early enough.
    pub slow: u64,
    /// Requests lost.
    pub lost: u64,
    /// Cost of replicas that the forecast asked for and the load did not need; zero if there is no price.
    pub over_provision: Usd,
}

/// Consecutive steps in which the forecast erred in the same direction.
#[derive(Debug, Clone, PartialEq)]
pub struct Miss {
    /// Direction.
    pub direction: Direction,
    /// Start of its first step.
    pub from: SimTime,
    /// End of its last step.
    pub to: SimTime,
    /// Intervals up to this time are charged to it: by then a scaling action triggered by its end would have taken
    /// effect.
    pub until: SimTime,
    /// At its worst step: the rate that capacity was ordered for, requests per second.
    pub planned: f64,
    /// At its worst step: the actual rate, requests per second.
    pub actual: f64,
    /// The charge.
    pub charge: Charge,
}

/// A forecast step and the actual rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JudgedStep {
    /// The forecast.
    pub forecast: ForecastPoint,
    /// The actual rate in requests per second; `None` if the timeline does not cover the whole step.
    pub actual: Option<f64>,
}

/// A forecast compared with the actual rates, and the cost of its errors.
#[derive(Debug, Clone, PartialEq)]
pub struct ForecastPrice {
    /// All steps, including those of the warm-up.
    pub steps: Vec<JudgedStep>,
    /// Number of evaluated steps: after the warm-up and covered by the timeline.
    pub judged: usize,
    /// Sum of absolute errors of the mean divided by the sum of the actual rates (WAPE); `None` if there was no load.
    pub wape: Option<f64>,
    /// Share of evaluated steps in which the actual rate did not exceed the planned one; equals the quantile level for
    /// a well-calibrated forecast.
    pub within_plan: Option<f64>,
    /// Share of evaluated steps within the 80% interval.
    pub within_interval: Option<f64>,
    /// The misses in order of time.
    pub misses: Vec<Miss>,
    /// What is not charged to any miss.
    pub rest: Charge,
    /// Whether the service's time has a price; otherwise dollars of over-provision are meaningless.
    pub priced: bool,
}

impl ForecastPrice {
    /// The forecast of a service with the cost of its errors; `None` if the policy does not forecast.
    pub fn of(run: &RunRecord, service: &ServiceRecord) -> Option<Self> {
        if service.forecasts.is_empty() {
            return None;
        }
        let steps: Vec<JudgedStep> = service
            .forecasts
            .iter()
            .map(|forecast| JudgedStep {
                forecast: *forecast,
                actual: actual(&service.timeline, forecast.from, forecast.to),
            })
            .collect();
        let judged: Vec<(ForecastPoint, f64)> = steps
            .iter()
            .filter(|told| told.forecast.from >= run.warm_up)
            .filter_map(|told| Some((told.forecast, told.actual?)))
            .collect();
        let mut price = ForecastPrice { misses: misses(&judged), ..accuracy(&judged) };
        price.steps = steps;
        price.priced = service.timeline.iter().all(|interval| interval.cost.is_some());
        price.charge_violations(run, service);
        price.charge_over_provision(&judged, &service.timeline);
        Some(price)
    }

    /// The misses with a cost, most expensive first: by violation, then by bad requests, then by dollars.
    pub fn dearest(&self) -> Vec<&Miss> {
        let key = |miss: &&Miss| {
            let Charge { violation, slow, lost, over_provision } = miss.charge;
            std::cmp::Reverse((violation, slow + lost, over_provision))
        };
        let mut costly: Vec<&Miss> = self.misses.iter().filter(|miss| miss.charge != Charge::default()).collect();
        costly.sort_by_key(key);
        costly
    }

    /// The number of misses in one direction and the sum of their charges.
    pub fn total(&self, direction: Direction) -> (usize, Charge) {
        let of = self.misses.iter().filter(|miss| miss.direction == direction);
        of.fold((0, Charge::default()), |(count, sum), miss| (count + 1, sum.plus(miss.charge)))
    }

    fn charge_violations(&mut self, run: &RunRecord, service: &ServiceRecord) {
        let latency = service.objectives.iter().find(|objective| objective.within.is_some());
        let objective = latency.or(service.objectives.first());
        for interval in service.timeline.iter().filter(|interval| interval.start >= run.warm_up) {
            let end = interval.start + interval.length;
            let hit =
                |miss: &&mut Miss| miss.direction == Direction::Above && miss.from < end && interval.start < miss.until;
            let charge = Charge {
                violation: if violated(interval, objective) { interval.length } else { SimDuration::ZERO },
                slow: interval.bad() - interval.lost,
                lost: interval.lost,
                over_provision: Usd::ZERO,
            };
            let place = self.misses.iter_mut().rev().find(hit).map_or(&mut self.rest, |miss| &mut miss.charge);
            *place = place.plus(charge);
        }
    }

    fn charge_over_provision(&mut self, judged: &[(ForecastPoint, f64)], timeline: &[Interval]) {
        for (step, actual) in judged {
            let dollars = over_provision(step, *actual, timeline);
            let within =
                |miss: &&mut Miss| miss.direction == Direction::Below && miss.from <= step.from && step.to <= miss.to;
            let place = self.misses.iter_mut().find(within).map_or(&mut self.rest, |miss| &mut miss.charge);
            place.over_provision += dollars;
        }
    }
}

impl Charge {
    fn plus(self, other: Charge) -> Charge {
        Charge {
            violation: self.violation + other.violation,
            slow: self.slow + other.slow,
            lost: self.lost + other.lost,
            over_provision: self.over_provision + other.over_provision,
        }
    }
}

fn violated(interval: &Interval, objective: Option<&ObjectiveRecord>) -> bool {
    let judged = interval.judged();
    objective.is_some_and(|o| judged > 0 && (interval.good as f64 / judged as f64) < o.target.get())
}

/// The intervals that overlap a time span, with the share of each within it.
fn overlapping(timeline: &[Interval], from: SimTime, to: SimTime) -> impl Iterator<Item = (&Interval, f64)> {
    let first = timeline.partition_point(|interval| interval.start + interval.length <= from);
    timeline[first..].iter().take_while(move |interval| interval.start < to).map(move |interval| {
        let end = interval.start + interval.length;
        let inside = end.min(to).since(interval.start.max(from));
        (interval, inside.as_secs_f64() / interval.length.as_secs_f64())
    })
}

/// The actual rate from `from` to `to`; `None` if the timeline does not cover it.
fn actual(timeline: &[Interval], from: SimTime, to: SimTime) -> Option<f64> {
    let (first, last) = (timeline.first()?, timeline.last()?);
    let covered = first.start <= from && to <= last.start + last.length && from < to;
    let attempts: f64 = overlapping(timeline, from, to).map(|(interval, share)| interval.attempts as f64 * share).sum();
    covered.then(|| attempts / to.since(from).as_secs_f64())
}

fn over_provision(step: &ForecastPoint, actual: f64, timeline: &[Interval]) -> Usd {
    let asked = (step.planned / step.capacity - 1e-9).ceil();
    let dollars = overlapping(timeline, step.from, step.to).map(|(interval, share)| {
        let present = interval.ready + interval.starting;
        let spare = (present.min(asked) - actual / step.capacity).max(0.0);
        let cost = interval.cost.map_or(0.0, |cost| cost.as_nanos() as f64);
        if present > 0.0 { cost * share * spare / present } else { 0.0 }
    });
    Usd::from_nanos(dollars.sum::<f64>().round() as i128)
}

/// The direction of a step's error.
fn direction(step: &ForecastPoint, actual: f64) -> Option<Direction> {
    if actual > step.planned {
        Some(Direction::Above)
    } else if actual < step.low {
        Some(Direction::Below)
    } else {
        None
    }
}

/// Adjacent steps with errors in the same direction, as one miss each.
fn misses(judged: &[(ForecastPoint, f64)]) -> Vec<Miss> {
    let mut misses: Vec<Miss> = Vec::new();
    for (step, actual) in judged {
        let Some(direction) = direction(step, *actual) else { continue };
        // A scaling action triggered by the end of this step takes effect no sooner than one decided for it did.
        let until = step.to.saturating_add(step.to.since(step.at));
        match misses.last_mut().filter(|last| last.direction == direction && last.to == step.from) {
            Some(last) => {
                (last.to, last.until) = (step.to, until);
                if (actual - step.planned).abs() > (last.actual - last.planned).abs() {
                    (last.actual, last.planned) = (*actual, step.planned);
                }
            }
            None => misses.push(Miss {
                direction,
                from: step.from,
                to: step.to,
                until,
                planned: step.planned,
                actual: *actual,
                charge: Charge::default(),
            }),
        }
    }
    misses
}

fn accuracy(judged: &[(ForecastPoint, f64)]) -> ForecastPrice {
    let sum = |of: fn(&(ForecastPoint, f64)) -> f64| judged.iter().map(of).sum::<f64>();
    let share = |of: fn(&(ForecastPoint, f64)) -> bool| {
        (!judged.is_empty()).then(|| judged.iter().filter(|step| of(step)).count() as f64 / judged.len() as f64)
    };
    let (errors, total) = (sum(|(step, actual)| (actual - step.mean).abs()), sum(|(_, actual)| *actual));
    ForecastPrice {
        steps: Vec::new(),
        judged: judged.len(),
        wape: (total > 0.0).then(|| errors / total),
        within_plan: share(|(step, actual)| *actual <= step.planned),
        within_interval: share(|(step, actual)| step.low <= *actual && *actual <= step.high),
        misses: Vec::new(),
        rest: Charge::default(),
        priced: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Causes;

    const CAPACITY: f64 = 10.0;

    /// Ten-minute steps, each decided ten minutes before it begins; ten replicas at $6 per hour in two intervals.
    fn step(number: u64, planned: f64) -> ForecastPoint {
        let at = |number: u64| SimTime::from_secs(600 * number);
        let (from, to) = (at(number), at(number + 1));
        let at = from.saturating_sub(SimDuration::from_secs(600));
        ForecastPoint {
            at,
            from,
            to,
            mean: planned - 10.0,
            low: planned - 20.0,
            high: planned,
            planned,
            capacity: CAPACITY,
        }
    }

    fn interval(number: u64, rate: u64, bad: u64) -> Interval {
        Interval {
            start: SimTime::from_secs(300 * number),
            length: SimDuration::from_secs(300),
            attempts: 300 * rate,
            completed: 300 * rate - bad,
            good: 300 * rate - 3 * bad,
            lost: bad,
            ready: 8.0,
            starting: 2.0,
            cost: Some(Usd::from_nanos(5_000_000_000)),
            ..Interval::default()
        }
    }

    #[test]
    fn steps_are_compared_with_actual_rates_and_adjacent_errors_are_one_miss() {
        // Ordered for 80: above, above, as planned, below; the last step is not covered.
        let rates = [90, 90, 80, 120, 75, 65, 50, 50];
        let timeline: Vec<Interval> = rates.iter().enumerate().map(|(n, rate)| interval(n as u64, *rate, 0)).collect();
        assert_eq!(actual(&timeline, SimTime::from_secs(450), SimTime::from_secs(1050)), Some(92.5));
        assert_eq!(actual(&timeline, SimTime::from_secs(2100), SimTime::from_secs(2700)), None);
        let judged: Vec<(ForecastPoint, f64)> = (0..4)
            .map(|number| step(number, 80.0))
            .map(|step| (step, actual(&timeline, step.from, step.to).unwrap()))
            .collect();
        assert_eq!(judged.iter().map(|(_, actual)| *actual).collect::<Vec<_>>(), [90.0, 100.0, 70.0, 50.0]);
        let misses = misses(&judged);
        let [above, below] = misses.as_slice() else { panic!("{misses:?}") };
        assert_eq!(
            (above.direction, above.from, above.to),
            (Direction::Above, SimTime::ZERO, SimTime::from_secs(1200))
        );
        // Its end is twenty minutes after the last step's decision, and a scaling action then takes as long again.
        assert_eq!((above.actual, above.planned, above.until), (100.0, 80.0, SimTime::from_secs(2400)));
        assert_eq!((below.direction, below.from), (Direction::Below, SimTime::from_secs(1800)));
        let price = accuracy(&judged);
        assert_eq!((price.judged, price.within_plan, price.within_interval), (4, Some(0.5), Some(0.25)));
        // Means are 70: errors 20, 30, 0, 20 of 310.
        assert!((price.wape.unwrap() - 70.0 / 310.0).abs() < 1e-12);
    }

    #[test]
    fn over_provision_is_what_the_forecast_asked_for_and_the_load_did_not_need() {
        let timeline: Vec<Interval> = (0..2).map(|number| interval(number, 50, 0)).collect();
        // Ten exist; 75/s require eight, 50/s need five: three tenths of ten dollars.
        assert_eq!(over_provision(&step(0, 75.0), 50.0, &timeline), Usd::from_nanos(3_000_000_000));
        // 200/s require twenty: replicas that do not exist cost nothing.
        assert_eq!(over_provision(&step(0, 200.0), 50.0, &timeline), Usd::from_nanos(5_000_000_000));
        assert_eq!(over_provision(&step(0, 75.0), 90.0, &timeline), Usd::ZERO);
    }

    #[test]
    fn each_interval_in_violation_is_charged_once() {
        let target = crate::units::Fraction::new(0.99).unwrap();
        let within = Some(SimDuration::from_secs(1));
        let objective = ObjectiveRecord {
            text: String::new(),
            within,
            target,
            good: 0,
            total: 0,
            overdue: 0,
            left_out: 0,
            violation: SimDuration::ZERO,
            peak_burn_rate: 0.0,
            causes: Causes::default(),
        };
        let ended = Interval { completed: 100, good: 98, ..Interval::default() };
        assert!(violated(&ended, Some(&objective)) && !violated(&ended, None));
        assert!(!violated(&Interval { good: 99, ..ended }, Some(&objective)));
        assert!(!violated(&Interval::default(), Some(&objective)), "nothing ended");
    }
}
