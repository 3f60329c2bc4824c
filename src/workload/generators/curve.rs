//! Rates that change with time.

use super::process::Envelope;
use super::steady::positive_rate;
use crate::config::{Diagnostics, Fields, FromNode, Yaml};
use crate::units::{Rate, SimDuration};
use crate::workload::shape::pulse::{PlacedPulse, Pulse};

const DAY: f64 = 86_400.0;
const HOUR: f64 = 3600.0;

/// A rate over time: a shape, and events that multiply it. Times are seconds from time zero, rates per second.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Curve {
    pub(super) shape: Shape,
    pub(super) events: Vec<PlacedPulse>,
    /// Factor on everything.
    pub(super) scale: f64,
}

/// The shape of a rate.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    /// Constant from each time to the next.
    Steps(Vec<(f64, f64)>),
    /// Linear interpolation between the points.
    Points(Vec<(f64, f64)>),
    /// `mean (1 + amplitude cos(2 pi (t - peak) / period))`.
    Sinusoid { mean: f64, amplitude: f64, period: f64, peak: f64 },
    /// Time of day, day of the week and growth.
    Season(Box<Season>),
}

/// A rate that depends on the time of day and the day of the week, and grows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Season {
    /// Mean rate at time zero, over a week.
    pub(super) rate: f64,
    pub(super) day: DayShape,
    /// Factor of each day from Monday on.
    pub(super) weekdays: [f64; 7],
    /// Logarithm of the factor per second.
    pub(super) growth: f64,
    /// Seconds since Monday 00:00 at time zero.
    pub(super) phase: f64,
}

/// The daily profile, with mean 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum DayShape {
    /// Linear interpolation between the middles of the hours.
    Hours([f64; 24]),
    /// The von Mises curve exp(kappa cos(2 pi (t - peak) / day)) / I0(kappa), the circular analogue of the normal curve
    /// (Mardia and Jupp 2000, section 3.5.4); peak to trough is exp(2 kappa).
    Bell { kappa: f64, peak: f64, normal: f64 },
}

impl DayShape {
    /// The bell with its peak at `peak` seconds past midnight and this ratio of peak to trough.
    pub(super) fn bell(peak: f64, peak_to_trough: f64) -> Self {
        let kappa = peak_to_trough.ln() / 2.0;
        DayShape::Bell { kappa, peak, normal: bessel_i0(kappa) }
    }

    fn at(&self, seconds: f64) -> f64 {
        match self {
            DayShape::Hours(hours) => {
                // The value of an hour is at its middle.
                let place = (seconds / HOUR - 0.5).rem_euclid(24.0);
                let (before, share) = ((place as usize).min(23), place.fract());
                hours[before] * (1.0 - share) + hours[(before + 1) % 24] * share
            }
            DayShape::Bell { kappa, peak, normal } => {
                (kappa * (std::f64::consts::TAU * (seconds - peak) / DAY).cos()).exp() / normal
            }
        }
    }

    /// An upper bound within [from, to], which is at most an hour.
    fn bound(&self, from: f64, to: f64) -> f64 {
        match self {
            DayShape::Hours(hours) => {
                // The lines within the interval have their ends among these hours.
                let first = (from / HOUR).floor() as i64;
                (first - 1..=first + 2).map(|hour| hours[hour.rem_euclid(24) as usize]).fold(0.0, f64::max)
            }
            DayShape::Bell { peak, .. } => {
                let past_peak = (to - peak).rem_euclid(DAY) <= to - from;
                let ends = self.at(from).max(self.at(to));
                if past_peak { ends.max(self.at(*peak)) } else { ends }
            }
        }
    }
}

/// The modified Bessel function of the first kind and order zero, by its power series (Abramowitz and Stegun 9.6.12).
fn bessel_i0(x: f64) -> f64 {
    let quarter = x * x / 4.0;
    let (mut term, mut sum, mut k) = (1.0, 1.0, 1.0);
    while term > sum * 1e-17 {
        term *= quarter / (k * k);
        sum += term;
        k += 1.0;
    }
    sum
}

impl Season {
    fn weekday(&self, t: f64) -> f64 {
        let day = ((t + self.phase) / DAY).floor() as i64;
        self.weekdays[day.rem_euclid(7) as usize]
    }

    fn at(&self, t: f64) -> f64 {
        self.rate * self.day.at(t + self.phase) * self.weekday(t) * (self.growth * t).exp()
    }

    fn bound(&self, from: f64, to: f64) -> f64 {
        let grown = (self.growth * from).exp().max((self.growth * to).exp());
        let day = self.day.bound(from + self.phase, to + self.phase);
        self.rate * day * self.weekday(from).max(self.weekday(to)) * grown
    }

    /// Reads `rate`, the daily profile (`hours`, or `peak-hour` and `peak-to-trough`), `weekdays` and `growth` (factor
    /// per week). The 24 hours and the 7 weekdays are scaled to a mean of 1.
    pub(super) fn read(fields: &Fields<'_>, rate: f64, default: &DayShape, sink: &mut Diagnostics) -> Option<Season> {
        let day = read_day(fields, default, sink);
        let weekdays = read_weekdays(fields, sink);
        let growth = read_growth(fields, sink);
        Some(Season { rate, day: day?, weekdays: weekdays?, growth: growth?, phase: 0.0 })
    }
}

fn read_day(fields: &Fields<'_>, default: &DayShape, sink: &mut Diagnostics) -> Option<DayShape> {
    let peak: Option<SimDuration> = fields.optional("peak-hour", sink);
    let ratio: Option<f64> = fields.optional("peak-to-trough", sink);
    if let Some(node) = fields.node_of("hours") {
        if peak.is_some() || ratio.is_some() {
            sink.push(node.error("`hours` and `peak-hour` or `peak-to-trough` both state the profile of a day"));
        }
        return profile(node, sink).map(DayShape::Hours);
    }
    if ratio.is_some_and(|ratio| !(1.0..=1e4).contains(&ratio)) {
        sink.push(fields.node_of("peak-to-trough")?.error("expected a ratio from 1 to 10000"));
        return None;
    }
    Some(match (default, peak, ratio) {
        (_, None, None) => default.clone(),
        (DayShape::Bell { kappa, peak: usual, .. }, peak, ratio) => {
            let peak = peak.map_or(*usual, |peak| peak.as_secs_f64());
            DayShape::bell(peak, ratio.unwrap_or((2.0 * kappa).exp()))
        }
        (DayShape::Hours(_), peak, ratio) => {
            DayShape::bell(peak.map_or(15.0 * HOUR, |peak| peak.as_secs_f64()), ratio.unwrap_or(4.0))
        }
    })
}

fn read_weekdays(fields: &Fields<'_>, sink: &mut Diagnostics) -> Option<[f64; 7]> {
    let weekend: Option<f64> = fields.optional("weekend", sink);
    if let Some(node) = fields.node_of("weekdays") {
        if weekend.is_some() {
            sink.push(node.error("`weekdays` and `weekend` both state the profile of a week"));
        }
        return profile(node, sink);
    }
    let factor = weekend.unwrap_or(1.0);
    if !(0.0..=1e4).contains(&factor) {
        sink.push(fields.node_of("weekend")?.error("expected a factor from 0 to 10000"));
        return None;
    }
    let week = [1.0, 1.0, 1.0, 1.0, 1.0, factor, factor];
    let mean = week.iter().sum::<f64>() / 7.0;
    Some(week.map(|day| day / mean))
}

/// The logarithm of growth per second, from a factor per week.
fn read_growth(fields: &Fields<'_>, sink: &mut Diagnostics) -> Option<f64> {
    let factor = fields.or("growth", 1.0, sink);
    if !(0.1..=10.0).contains(&factor) {
        sink.push(fields.node_of("growth")?.error("expected a factor per week from 0.1 to 10"));
        return None;
    }
    Some(f64::ln(factor) / (7.0 * DAY))
}

/// A number of relative values, scaled to a mean of 1.
fn profile<const N: usize>(node: &Yaml, sink: &mut Diagnostics) -> Option<[f64; N]> {
    let values = Vec::<f64>::from_node(node, sink)?;
    let sum: f64 = values.iter().sum();
    let usable = values.iter().all(|value| (0.0..=1e12).contains(value)) && sum > 0.0;
    let values: Option<[f64; N]> = values.try_into().ok().filter(|_| usable);
    if values.is_none() {
        sink.push(node.error(format!("expected a list of {N} relative values, none negative and not all zero")));
    }
    values.map(|values| values.map(|value| value * N as f64 / sum))
}

impl Curve {
    /// A shape without events.
    pub(super) fn new(shape: Shape) -> Self {
        Curve { shape, events: Vec::new(), scale: 1.0 }
    }

    /// A season with events, positioned by the envelope's start date.
    pub(super) fn seasonal(season: Season, events: &[Pulse], envelope: &Envelope) -> Self {
        let season = Season { phase: envelope.week_phase(), ..season };
        let events = events.iter().filter_map(|event| event.placed(envelope.start)).collect();
        Curve { shape: Shape::Season(Box::new(season)), events, scale: 1.0 }
    }

    /// The same curve `factor` times as high.
    pub(super) fn scaled(&self, factor: f64) -> Self {
        Curve { scale: self.scale * factor, ..self.clone() }
    }

    /// The rate at `t`.
    pub(super) fn at(&self, t: f64) -> f64 {
        let shape = match &self.shape {
            Shape::Steps(steps) => step_at(steps, t),
            Shape::Points(points) => point_at(points, t),
            Shape::Sinusoid { mean, amplitude, period, peak } => {
                mean * (1.0 + amplitude * (std::f64::consts::TAU * (t - peak) / period).cos())
            }
            Shape::Season(season) => season.at(t),
        };
        self.scale * shape * self.events.iter().map(|event| event.factor(t)).product::<f64>()
    }

    /// An upper bound of the rate within [from, to], which is at most an hour.
    pub(super) fn bound(&self, from: f64, to: f64) -> f64 {
        let inside = |list: &[(f64, f64)]| {
            let within = list.iter().skip(list.partition_point(|(at, _)| *at < from)).take_while(|(at, _)| *at <= to);
            within.map(|(_, rate)| *rate).fold(0.0, f64::max)
        };
        let shape = match &self.shape {
            Shape::Steps(steps) => step_at(steps, from).max(inside(steps)),
            Shape::Points(points) => point_at(points, from).max(point_at(points, to)).max(inside(points)),
            Shape::Sinusoid { mean, amplitude, .. } => mean * (1.0 + amplitude),
            Shape::Season(season) => season.bound(from, to),
        };
        self.scale * shape * self.events.iter().map(|event| event.bound(from, to)).product::<f64>()
    }

    /// The time from which a curve stays at zero.
    pub(super) fn end(&self) -> Option<SimDuration> {
        let (Shape::Steps(list) | Shape::Points(list)) = &self.shape else { return None };
        let (at, rate) = list.last()?;
        (*rate == 0.0).then(|| SimDuration::from_nanos((at * 1e9) as u64))
    }
}

fn step_at(steps: &[(f64, f64)], t: f64) -> f64 {
    let next = steps.partition_point(|(at, _)| *at <= t);
    steps[next.saturating_sub(1)].1
}

fn point_at(points: &[(f64, f64)], t: f64) -> f64 {
    let next = points.partition_point(|(at, _)| *at <= t);
    match (points.get(next.wrapping_sub(1)), points.get(next)) {
        (Some(before), Some(after)) => before.1 + (after.1 - before.1) * (t - before.0) / (after.0 - before.0),
        (Some(only), None) | (None, Some(only)) => only.1,
        (None, None) => 0.0,
    }
}

/// A time, and the rate from then on (steps) or at that time (points).
struct Knot(f64, f64);

impl FromNode for Knot {
    fn from_node(node: &Yaml, sink: &mut Diagnostics) -> Option<Self> {
        let fields = Fields::open(node, "point", sink)?;
        let at: Option<SimDuration> = fields.required("at", sink);
        let rate: Option<Rate> = fields.required("rate", sink);
        fields.finish(sink);
        Some(Knot(at?.as_secs_f64(), rate?.get()))
    }
}

/// Times and rates in order of time; the first step starts at zero.
fn knots(node: &Yaml, sink: &mut Diagnostics) -> Option<Vec<(f64, f64)>> {
    let list: Vec<(f64, f64)> =
        Vec::<Knot>::from_node(node, sink)?.into_iter().map(|Knot(at, rate)| (at, rate)).collect();
    let rising = list.windows(2).all(|pair| pair[0].0 < pair[1].0);
    let some = list.iter().any(|(_, rate)| *rate > 0.0) && list.iter().all(|(_, rate)| *rate <= 1e9);
    if list.is_empty() || !rising || !some {
        sink.push(node.error("expected times in ascending order with rates up to 1e9/s, not all zero"));
        return None;
    }
    Some(list)
}

/// Reads the one shape among `steps`, `points`, `sinusoid` and `season`.
pub(super) fn read_curve(fields: &Fields<'_>, envelope: &Envelope, sink: &mut Diagnostics) -> Option<Curve> {
    let nodes = ["steps", "points", "sinusoid", "season"].map(|name| (name, fields.node_of(name)));
    let mut given = nodes.into_iter().filter_map(|(name, node)| Some((name, node?)));
    let (Some((name, node)), None) = (given.next(), given.next()) else {
        sink.push(fields.node().error("expected exactly one of `steps`, `points`, `sinusoid` and `season`"));
        return None;
    };
    match name {
        "steps" => knots(node, sink).map(|list| Curve::new(Shape::Steps(list))),
        "points" => knots(node, sink).map(|list| Curve::new(Shape::Points(list))),
        "sinusoid" => read_sinusoid(node, sink).map(Curve::new),
        _ => {
            let inner = Fields::open(node, "season", sink)?;
            let rate = positive_rate(&inner, "rate", sink);
            let season = Season::read(&inner, rate.unwrap_or(1.0), &DayShape::Hours([1.0; 24]), sink);
            inner.finish(sink);
            rate?;
            Some(Curve::seasonal(season?, &[], envelope))
        }
    }
}

fn read_sinusoid(node: &Yaml, sink: &mut Diagnostics) -> Option<Shape> {
    let fields = Fields::open(node, "sinusoid", sink)?;
    let mean = positive_rate(&fields, "mean", sink);
    let amplitude: Option<f64> = fields.required("amplitude", sink);
    let period: SimDuration = fields.or("period", SimDuration::from_secs(86_400), sink);
    let peak: SimDuration = fields.or("peak", SimDuration::ZERO, sink);
    fields.finish(sink);
    let (mean, amplitude) = (mean?, amplitude?);
    if !(0.0..=1.0).contains(&amplitude) || period.is_zero() {
        sink.push(node.error("expected an `amplitude` from 0 to 1 and a `period` above zero"));
        return None;
    }
    Some(Shape::Sinusoid { mean, amplitude, period: period.as_secs_f64(), peak: peak.as_secs_f64() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn season(day: DayShape, growth: f64) -> Curve {
        let weekdays = [1.0, 2.0, 0.5, 0.0, 1.5, 1.0, 1.0];
        Curve::new(Shape::Season(Box::new(Season { rate: 3.0, day, weekdays, growth, phase: 1234.5 })))
    }

    #[test]
    fn a_day_has_mean_one_and_the_stated_ratio() {
        let bell = DayShape::bell(20.0 * HOUR, 6.0);
        let mean = (0..86_400).map(|s| bell.at(f64::from(s))).sum::<f64>() / 86_400.0;
        assert!((mean - 1.0).abs() < 1e-9, "{mean}");
        assert!((bell.at(20.0 * HOUR) / bell.at(8.0 * HOUR) - 6.0).abs() < 1e-9);
        // Tabulated in Abramowitz and Stegun, table 9.8: exp(-1) I0(1) = 0.4657596077.
        assert!((bessel_i0(1.0) * f64::exp(-1.0) - 0.465_759_607_7).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn the_bound_bounds(hours in prop::array::uniform24(0.0..5.0f64), hourly: bool, from in -1e6..1e6f64,
                            width in 0.0..3600.0f64, part in 0.0..1.0f64, growth in -1e-6..1e-6f64) {
            let day = if hourly { DayShape::Hours(hours) } else { DayShape::bell(hours[0] * HOUR, 1.0 + hours[1]) };
            let curve = season(day, growth);
            prop_assert!(curve.at(from + part * width) <= curve.bound(from, from + width) * (1.0 + 1e-12) + 1e-12);
        }

        #[test]
        fn the_bound_bounds_lists(rates in prop::collection::vec(0.0..9.0f64, 1..9), linear: bool,
                                  from in 0.0..2000.0f64, width in 0.0..900.0f64, part in 0.0..1.0f64) {
            let list: Vec<(f64, f64)> = rates.iter().enumerate().map(|(i, rate)| (i as f64 * 200.0, *rate)).collect();
            let curve = Curve::new(if linear { Shape::Points(list) } else { Shape::Steps(list) });
            prop_assert!(curve.at(from + part * width) <= curve.bound(from, from + width) + 1e-12);
        }
    }
}
