//! The forecast and the actual load, one chart for each predictive policy.

use super::axis::Axis;
use super::canvas::Ink;
use super::chart::{Chart, Mark, Panel, Sample};
use super::thin::{Point, thin};
use crate::config::slug;
use crate::experiment::{ForecastPrice, JudgedStep, Outcome};
use crate::policy::ForecastPoint;
use crate::report::answers::table::label;
use crate::report::printing::text;

/// More charts than this say nothing new.
const MOST: usize = 8;
/// Points of one line.
const POINTS: usize = 900;

/// The charts of an outcome; none without a predictive policy.
pub(super) fn charts(outcome: &Outcome) -> Vec<Chart> {
    let several = outcome.runs.iter().any(|run| run.services.len() > 1);
    let services = outcome.runs.iter().flat_map(|run| run.services.iter().map(move |service| (run, service)));
    let priced = services.filter_map(|(run, service)| {
        let of = if several { format!("{}, {}", label(run), service.name) } else { label(run) };
        Some((of, run.end.as_secs_f64(), ForecastPrice::of(run, service)?))
    });
    priced.take(MOST).enumerate().map(|(index, (of, end, price))| chart(index, &of, end, &price)).collect()
}

fn chart(index: usize, of: &str, end: f64, price: &ForecastPrice) -> Chart {
    let rates =
        price.steps.iter().flat_map(|step| [step.forecast.high, step.forecast.planned, step.actual.unwrap_or(0.0)]);
    let highest = rates.filter(|rate| rate.is_finite()).fold(0.0, f64::max);
    let line = |ink, rate: fn(&JudgedStep) -> Option<f64>| Mark::Line { ink, segments: steps(&price.steps, rate) };
    let share = |value: Option<f64>| value.map_or_else(|| text::MISSING.into(), text::percent);
    let said = format!(
        "mean absolute error {} of the load; {} of the steps within the interval",
        share(price.wape),
        share(price.within_interval)
    );
    Chart {
        notes: Vec::new(),
        name: format!("forecast-{}-{}", index + 1, slug(of)),
        title: format!("Forecast and actual load: {of}"),
        description: format!("Requests per second: the actual load, the forecast and its 80% interval. {said}."),
        caption: format!(
            "Requests per second by step of the forecast: the 80% interval (grey) and the mean as they stood when the last \
             replica that could be ready in the step had to be ordered, the rate that capacity was ordered for (dashed), and \
             the actual rate. After the warm-up: {said}."
        ),
        legend: vec![
            (Sample::Line, Ink::Text, "actual".into()),
            (Sample::Line, Ink::Alone(0), "expected".into()),
            (Sample::Line, Ink::Series(1), "ordered for".into()),
            (Sample::Area, Ink::Needed, "80% interval".into()),
        ],
        x: Axis::time(end, 12),
        panels: vec![Panel {
            title: None,
            height: 330,
            y: Axis::from_zero(highest, 5, "requests per second", |value, decimals| format!("{value:.decimals$}")),
            marks: vec![
                Mark::Surface { ink: Ink::Needed, outlines: band(&price.steps) },
                line(Ink::Series(1), |step| Some(step.forecast.planned)),
                line(Ink::Alone(0), |step| Some(step.forecast.mean)),
                line(Ink::Text, |step| step.actual),
            ],
        }],
    }
}

/// A line through the middles of the steps, broken where one is missing.
fn steps(steps: &[JudgedStep], rate: impl Fn(&JudgedStep) -> Option<f64>) -> Vec<Vec<Point>> {
    let mut segments: Vec<Vec<Point>> = Vec::new();
    let mut open_until = None;
    for step in steps {
        let ForecastPoint { from, to, .. } = step.forecast;
        let Some(rate) = rate(step).filter(|rate| rate.is_finite()) else {
            open_until = None;
            continue;
        };
        let point = ((from.as_secs_f64() + to.as_secs_f64()) / 2.0, rate);
        match segments.last_mut().filter(|_| open_until == Some(from)) {
            Some(segment) => segment.push(point),
            None => segments.push(vec![point]),
        }
        open_until = Some(to);
    }
    let total: usize = segments.iter().map(Vec::len).sum();
    segments.into_iter().map(|segment| thin(&segment, (segment.len() * POINTS / total.max(1)).max(4))).collect()
}

/// The outline of the interval: its upper end forwards and its lower end back.
fn band(all: &[JudgedStep]) -> Vec<Vec<Point>> {
    let (high, low) = (steps(all, |step| Some(step.forecast.high)), steps(all, |step| Some(step.forecast.low)));
    high.into_iter().zip(low).map(|(high, low)| high.into_iter().chain(low.into_iter().rev()).collect()).collect()
}
