//! Time series of requests: their sum as a step function, and one number for it.
//!
//! The functions of ray-project/ray, `python/ray/serve/_private/metrics_utils.py`, and of the module of Ray that they
//! call.

use super::config::Aggregation;

/// A value at a time in seconds; it holds until the next point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Time.
    pub time_s: f64,
    /// Value from then on.
    pub value: f64,
}

/// The sum of all series, each 0 before its first point.
///
/// Two or more series that have points are reduced to their changes, at times rounded to 10 ms (half away from zero). A
/// single one passes as it is.
pub fn merged(series: &[&[Point]]) -> Vec<Point> {
    let mut active = series.iter().filter(|points| !points.is_empty());
    let (first, second) = (active.next(), active.next());
    match (first, second) {
        (None, _) => return Vec::new(),
        (Some(only), None) => return only.to_vec(),
        _ => {}
    }
    let mut changes: Vec<Point> = Vec::new();
    for points in series {
        let mut before = 0.0;
        for point in *points {
            let delta = point.value - before;
            if delta != 0.0 {
                changes.push(Point { time_s: (point.time_s * 100.0).round() / 100.0, value: delta });
            }
            before = point.value;
        }
    }
    changes.sort_by(|a, b| a.time_s.total_cmp(&b.time_s));
    let (mut total, mut sums): (f64, Vec<Point>) = (0.0, Vec::new());
    for change in changes {
        total += change.value;
        match sums.last_mut() {
            Some(last) if last.time_s == change.time_s => last.value = total,
            _ => sums.push(Point { time_s: change.time_s, value: total }),
        }
    }
    sums
}

/// One number for a series from `start_s` on (its beginning if `None`); the last value holds for `last_s` seconds more.
/// `None` if nothing lies within.
pub fn aggregated(series: &[Point], how: Aggregation, last_s: f64, start_s: Option<f64>) -> Option<f64> {
    let within = series.iter().filter(|point| start_s.is_none_or(|start| point.time_s >= start));
    let values = within.map(|point| point.value);
    match how {
        Aggregation::Mean => time_weighted(series, last_s, start_s),
        Aggregation::Max => values.reduce(f64::max),
        Aggregation::Min => values.reduce(f64::min),
    }
}

/// The average, weighted with time.
fn time_weighted(series: &[Point], last_s: f64, start_s: Option<f64>) -> Option<f64> {
    let (first, last) = (series.first()?, series.last()?);
    let (start, end) = (start_s.unwrap_or(first.time_s), last.time_s + last_s);
    let (mut area, mut covered, mut from, mut value) = (0.0, 0.0, start, 0.0);
    for point in series {
        if point.time_s <= start {
            value = point.value;
            continue;
        }
        let until = point.time_s.min(end);
        if until > from {
            area += value * (until - from);
            covered += until - from;
            from = until;
        }
        value = point.value;
    }
    if end > from {
        area += value * (end - from);
        covered += end - from;
    }
    (covered > 0.0).then(|| area / covered)
}

/// What series stand for until now, so that only the time since the last change remains to be added.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    how: Aggregation,
    start_s: f64,
    last: Point,
    /// Area of the sum from the start to its last point.
    area: f64,
    /// The largest or the smallest value.
    extreme: Option<f64>,
}

impl Summary {
    /// The sum of all `series`; `None` without any point.
    ///
    /// It begins once every series has a point, so that one that starts late does not pull the average down.
    pub fn of(series: &[&[Point]], how: Aggregation) -> Option<Summary> {
        let sum = merged(series);
        let (first, last) = (*sum.first()?, *sum.last()?);
        let starts: Vec<f64> = series.iter().filter_map(|points| points.first()).map(|point| point.time_s).collect();
        let aligned = starts.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let start = (starts.len() > 1 && aligned <= last.time_s).then(|| aligned.max(first.time_s));
        let start_s = start.unwrap_or(first.time_s);
        let mean = if last.time_s > start_s { time_weighted(&sum, 0.0, start) } else { None };
        let area = mean.map_or(0.0, |mean| mean * (last.time_s - start_s));
        let extreme = if how == Aggregation::Mean { None } else { aggregated(&sum, how, 0.0, start) };
        Some(Summary { how, start_s, last, area, extreme })
    }

    /// The requests at `now_s`; the last value holds until then.
    pub fn at(&self, now_s: f64) -> f64 {
        if self.how != Aggregation::Mean {
            return self.extreme.unwrap_or(0.0);
        }
        let until_now = now_s - self.last.time_s;
        // As there: what is added to a large time is rounded.
        let end_s = self.last.time_s + if until_now <= 0.0 { 1e-3 } else { until_now };
        let (before, since) = (self.last.time_s - self.start_s, end_s - self.last.time_s);
        if before + since > 0.0 { (self.area + self.last.value * since) / (before + since) } else { 0.0 }
    }
}

/// The requests that all `series` together stand for at `now_s`; 0 without any.
pub fn total(series: &[&[Point]], how: Aggregation, now_s: f64) -> f64 {
    Summary::of(series, how).map_or(0.0, |summary| summary.at(now_s))
}
