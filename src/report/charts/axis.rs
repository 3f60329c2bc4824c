//! Scales and round ticks.

use crate::experiment::CalendarStart;
use crate::report::printing::moment;
use crate::workload::Zone;

/// How the title of an axis of simulated time begins.
const SINCE: &str = "time since the start";

/// Where a value lies on an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    /// As it is.
    Linear,
    /// Decades; values are positive.
    Log,
    /// Shares below 1 by their nines: 0 at 0, 0.9 at 1, 0.99 at 2, and so on.
    Nines,
}

impl Scale {
    /// The place of a value in axis units.
    pub(super) fn place(self, value: f64) -> f64 {
        match self {
            Scale::Linear => value,
            Scale::Log => value.max(f64::MIN_POSITIVE).log10(),
            Scale::Nines => -(1.0 - value).max(1e-12).log10(),
        }
    }
}

/// A tick: a value and its label; grid lines without a label are minor.
pub(super) type Tick = (f64, String);

/// An axis: scale, range in values, ticks and a title with the unit.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    pub(super) scale: Scale,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) ticks: Vec<Tick>,
    pub(super) title: String,
}

impl Axis {
    /// The range in axis units, never empty.
    pub(super) fn range(&self) -> std::ops::Range<f64> {
        let (low, high) = (self.scale.place(self.low), self.scale.place(self.high));
        low..if high > low { high } else { low + 1.0 }
    }

    /// The axis unit of a value, held within the range.
    pub(super) fn place(&self, value: f64) -> f64 {
        let range = self.range();
        self.scale.place(value).clamp(range.start, range.end)
    }

    /// Quantities from zero to a little above `high`, with about `wanted` round ticks.
    pub(super) fn from_zero(high: f64, wanted: usize, title: &str, label: impl Fn(f64, usize) -> String) -> Axis {
        let high = if high.is_finite() && high > 0.0 { high * 1.05 } else { 1.0 };
        let step = round_step(high / (wanted as f64 + 0.5));
        let decimals = if step < 1.0 { (-step.log10() - 1e-9).ceil().max(0.0) as usize } else { 0 };
        let count = (high / step + 1e-9) as usize;
        let ticks: Vec<Tick> = (0..=count).map(|i| i as f64 * step).map(|v| (v, label(v, decimals))).collect();
        Axis { scale: Scale::Linear, low: 0.0, high, ticks, title: title.into() }
    }

    /// Quantities from `low` to `high` with about `wanted` round ticks between them.
    pub(super) fn between(
        low: f64,
        high: f64,
        wanted: usize,
        title: &str,
        label: impl Fn(f64, usize) -> String,
    ) -> Axis {
        let low = if low.is_finite() { low } else { 0.0 };
        let high = if high.is_finite() && high > low { high } else { low + low.abs().max(1.0) * 0.1 };
        let step = round_step((high - low) / (wanted as f64 + 0.5));
        let decimals = if step < 1.0 { (-step.log10() - 1e-9).ceil().max(0.0) as usize } else { 0 };
        let first = (low / step - 1e-9).ceil() as i64;
        let last = (high / step + 1e-9).floor() as i64;
        let ticks = (first..=last).map(|i| i as f64 * step).map(|v| (v, label(v, decimals))).collect();
        Axis { scale: Scale::Linear, low, high, ticks, title: title.into() }
    }

    /// Time from zero to `end` seconds, in the unit that gives short labels.
    pub(super) fn time(end: f64, wanted: usize) -> Axis {
        const UNITS: [(f64, f64, &str, &[f64]); 4] = [
            (300.0, 1.0, "s", &[1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0]),
            (300.0 * 60.0, 60.0, "min", &[1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0]),
            (100.0 * 3600.0, 3600.0, "h", &[1.0, 2.0, 3.0, 4.0, 6.0, 12.0, 24.0]),
            (f64::INFINITY, 86_400.0, "d", &[1.0, 2.0, 5.0, 7.0, 14.0, 28.0, 70.0, 140.0, 364.0]),
        ];
        let end = if end.is_finite() && end > 0.0 { end } else { 1.0 };
        let (_, unit, name, steps) = UNITS.into_iter().find(|(limit, ..)| end <= *limit).unwrap_or(UNITS[3]);
        let span = end / unit;
        let fits = |step: &&f64| span / **step <= wanted as f64;
        let step = match span < 2.0 {
            true => round_step(span / wanted as f64),
            false => steps.iter().find(fits).copied().unwrap_or_else(|| round_step(span / wanted as f64)),
        };
        let count = (span / step + 1e-9) as usize;
        let decimals = if step < 1.0 { (-step.log10() - 1e-9).ceil() as usize } else { 0 };
        let ticks = (0..=count).map(|i| i as f64 * step).map(|v| (v * unit, format!("{v:.decimals$}"))).collect();
        let title = format!("{SINCE} ({name})");
        Axis { scale: Scale::Linear, low: 0.0, high: end, ticks, title }
    }

    /// An axis of time since the start on the calendar, where that is known; others as they are.
    pub(super) fn on(self, calendar: Option<&CalendarStart>) -> Axis {
        match calendar.filter(|_| self.title.starts_with(SINCE)) {
            Some(calendar) => Axis::dates_in(calendar.start_epoch_ns, self.high, 12, moment::zone(calendar)),
            None => self,
        }
    }

    /// Dates by the clocks of a zone, from `start_ns` since 1970 over `seconds`, with at most about `wanted` round ticks;
    /// values are seconds since the start.
    pub(super) fn dates_in(start_ns: u64, seconds: f64, wanted: usize, zone: Zone) -> Axis {
        const STEPS: [u64; 18] = [
            1, 5, 15, 60, 300, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 1_209_600,
            2_419_200, 7_257_600,
        ];
        let seconds = if seconds.is_finite() && seconds > 0.0 { seconds } else { 1.0 };
        let step = STEPS.into_iter().find(|step| seconds / *step as f64 <= wanted as f64).unwrap_or(31_449_600);
        let start = start_ns as f64 / 1e9;
        let first = ((start + zone.offset_at(start_ns) as f64) / step as f64).ceil() as u64;
        // Round by the clock, which may be changed on the way.
        let local = (first..).map(|i| i * step);
        let ticks = local.map(|at| (zone.instant_of(at).unwrap_or(at) as f64 - start, date_label(at, step)));
        let mut ticks: Vec<Tick> = ticks.take_while(|(at, _)| *at <= seconds + 1e-6).collect();
        ticks.retain(|(at, _)| *at >= -1e-6);
        ticks.dedup_by(|a, b| a.0 == b.0);
        let from = crate::workload::show_instant_in(start_ns, zone);
        let name = moment::zone_text(zone, start_ns);
        let title = format!("time ({name}), from {}", from.split('T').next().unwrap_or(&from));
        Axis { scale: Scale::Linear, low: 0.0, high: seconds, ticks, title }
    }

    /// Values above zero on a logarithmic scale of whole decades.
    pub(super) fn decades(low: f64, high: f64, title: &str) -> Axis {
        let low = if low.is_finite() && low > 0.0 { low } else { 1.0 };
        let high = if high.is_finite() && high > low { high } else { low * 10.0 };
        let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
        let skip = ((last - first) as usize).div_ceil(7).max(1);
        let label = |power: i32| match power {
            0..=5 => crate::report::printing::text::count(10u64.pow(power as u32)),
            -4..0 => format!("{:.*}", -power as usize, 10f64.powi(power)),
            _ => format!("1e{power}"),
        };
        let ticks = (first..=last.max(first + 1)).step_by(skip).map(|p| (10f64.powi(p), label(p))).collect();
        let (low, high) = (10f64.powi(first), 10f64.powi(last.max(first + 1)));
        Axis { scale: Scale::Log, low, high, ticks, title: title.into() }
    }

    /// Lengths of time in seconds on a logarithmic scale, labelled in everyday units.
    pub(super) fn span(low: f64, high: f64, title: &str) -> Axis {
        const MARKS: [(f64, &str); 15] = [
            (1e-6, "1 µs"),
            (1e-5, "10 µs"),
            (1e-4, "100 µs"),
            (1.0, "1 s"),
            (10.0, "10 s"),
            (60.0, "1 min"),
            (600.0, "10 min"),
            (3600.0, "1 h"),
            (21_600.0, "6 h"),
            (86_400.0, "1 d"),
            (604_800.0, "1 week"),
            (2_592_000.0, "30 d"),
            (0.001, "1 ms"),
            (0.01, "10 ms"),
            (0.1, "100 ms"),
        ];
        let ticks = MARKS.into_iter().filter(|(at, _)| (low..=high).contains(at));
        let ticks = ticks.map(|(at, label)| (at, label.to_owned())).collect();
        Axis { scale: Scale::Log, low, high, ticks, title: title.into() }
    }

    /// Durations in seconds on a logarithmic scale that holds `low` to `high`, labelled with units.
    pub(super) fn duration(low: f64, high: f64, wanted: usize, title: &str) -> Axis {
        let low = if low.is_finite() && low > 0.0 { low } else { 1e-3 };
        let high = if high.is_finite() && high > low { high } else { low * 10.0 };
        // Each candidate is a set of mantissas; the densest that leaves room for the labels wins.
        let candidates: [&[f64]; 3] = [&[1.0, 2.0, 5.0], &[1.0, 3.0], &[1.0]];
        let ends = |mantissas: &[f64]| {
            let all: Vec<f64> = (-9..9).flat_map(|e| mantissas.iter().map(move |m| m * 10f64.powi(e))).collect();
            let first = all.iter().rposition(|v| *v <= low * (1.0 + 1e-9)).unwrap_or(0);
            let last = all.iter().position(|v| *v >= high * (1.0 - 1e-9)).unwrap_or(all.len() - 1);
            all[first..=last.max(first + 1).min(all.len() - 1)].to_vec()
        };
        let values = candidates.iter().map(|m| ends(m)).find(|v| v.len() <= wanted).unwrap_or_else(|| ends(&[1.0]));
        let skip = values.len().div_ceil(wanted).max(1);
        let label = |(i, v): (usize, &f64)| (*v, if i % skip == 0 { duration_label(*v) } else { String::new() });
        let ticks = values.iter().enumerate().map(label).collect();
        let (low, high) = (values[0], values[values.len() - 1]);
        Axis { scale: Scale::Log, low, high, ticks, title: title.into() }
    }

    /// Shares from 0 to `nines` nines.
    pub(super) fn nines(nines: usize, title: &str) -> Axis {
        let nines = nines.clamp(2, 6);
        let share = |n: usize| 1.0 - 10f64.powi(-(n as i32));
        let mut ticks = vec![(0.0, "0%".to_owned()), (0.5, "50%".to_owned())];
        ticks.extend((1..=nines).map(|n| (share(n), format!("{:.*}%", n.saturating_sub(2), share(n) * 100.0))));
        Axis { scale: Scale::Nines, low: 0.0, high: share(nines), ticks, title: title.into() }
    }
}

/// The smallest of 1, 2, 5 times a power of ten that is at least `at_least`.
fn round_step(at_least: f64) -> f64 {
    let power = 10f64.powf(at_least.log10().floor());
    let step = [1.0, 2.0, 5.0].into_iter().map(|m| m * power).find(|step| *step >= at_least * (1.0 - 1e-9));
    step.unwrap_or(10.0 * power)
}

/// A moment for an axis with ticks every `step` seconds: the time of day, the day where it begins, the year where it does.
fn date_label(seconds: u64, step: u64) -> String {
    let text = crate::workload::show_instant(seconds * 1_000_000_000);
    let (date, time) = text.split_once('T').unwrap_or((&text, ""));
    if !seconds.is_multiple_of(86_400) {
        return time.chars().take(if step < 60 { 8 } else { 5 }).collect();
    }
    moment::day(date)
}

/// A round duration with its unit (`5 ms`, `20 s`).
fn duration_label(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s < 0.999e-6 => (s * 1e9, "ns"),
        s if s < 0.999e-3 => (s * 1e6, "µs"),
        s if s < 0.999 => (s * 1e3, "ms"),
        s => (s, "s"),
    };
    format!("{} {unit}", value.round())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[rstest]
    #[case(86_400.0, "time since the start (h)", vec!["0", "3", "6", "9", "12", "15", "18", "21", "24"])]
    #[case(3_600.0, "time since the start (min)", vec!["0", "10", "20", "30", "40", "50", "60"])]
    #[case(604_800.0, "time since the start (d)", vec!["0", "1", "2", "3", "4", "5", "6", "7"])]
    #[case(1.0, "time since the start (s)", vec!["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"])]
    fn times_are_round(#[case] end: f64, #[case] title: &str, #[case] expected: Vec<&str>) {
        let axis = Axis::time(end, 8);
        assert_eq!((axis.title.as_str(), labels(&axis)), (title, expected));
    }

    #[test]
    fn quantities_have_round_ticks() {
        let label = |v: f64, d: usize| format!("{v:.d$}");
        assert_eq!(labels(&Axis::from_zero(37.2, 4, "replicas", label)), ["0", "10", "20", "30"]);
        assert_eq!(labels(&Axis::from_zero(65.0, 4, "replicas", label)), ["0", "20", "40", "60"]);
        assert_eq!(labels(&Axis::from_zero(0.0, 4, "", label)), ["0.0", "0.5", "1.0"]);
    }

    #[test]
    fn ticks_lie_between_the_ends() {
        let label = |v: f64, d: usize| format!("{v:.d$}");
        assert_eq!(labels(&Axis::between(0.93, 0.99, 4, "", label)), ["0.94", "0.96", "0.98"]);
        assert_eq!(labels(&Axis::between(-5.0, 12.0, 4, "", label)), ["-5", "0", "5", "10"]);
        assert!(!Axis::between(3.0, 3.0, 4, "", label).ticks.is_empty());
    }

    #[test]
    fn durations_enclose_the_data() {
        let axis = Axis::duration(0.0042, 3.3, 6, "latency");
        assert!(axis.low <= 0.0042 && axis.high >= 3.3);
        assert_eq!(labels(&axis), ["1 ms", "10 ms", "100 ms", "1 s", "10 s"]);
        assert_eq!(labels(&Axis::duration(0.0042, 0.04, 6, "")), ["2 ms", "5 ms", "10 ms", "20 ms", "50 ms"]);
    }

    #[test]
    fn dates_are_round() {
        let start = crate::workload::parse_instant("2024-05-12T22:30:00Z").unwrap();
        let axis = Axis::dates_in(start, 4.0 * 3600.0, 6, Zone::UTC);
        assert_eq!(labels(&axis), ["23:00", "13 May", "01:00", "02:00"]);
        assert_eq!((axis.ticks[0].0, axis.title.as_str()), (1800.0, "time (UTC), from 2024-05-12"));
        assert_eq!(
            labels(&Axis::dates_in(start, 5.0 * 86_400.0, 6, Zone::UTC)),
            ["13 May", "14 May", "15 May", "16 May", "17 May"]
        );
    }

    #[test]
    fn decades_enclose_the_data() {
        assert_eq!(labels(&Axis::decades(0.3, 1500.0, "")), ["0.1", "1", "10", "100", "1,000", "10,000"]);
        assert_eq!(labels(&Axis::span(1.0, 90_000.0, "")), ["1 s", "10 s", "1 min", "10 min", "1 h", "6 h", "1 d"]);
    }

    #[test]
    fn nines_are_even() {
        let axis = Axis::nines(4, "share");
        assert_eq!(labels(&axis), ["0%", "50%", "90%", "99%", "99.9%", "99.99%"]);
        assert!((axis.place(0.999) - 3.0).abs() < 1e-9);
        assert!((axis.place(1.0) - 4.0).abs() < 1e-9);
    }

    #[rstest]
    #[case(0.0, 0.0)]
    #[case(f64::NAN, f64::INFINITY)]
    #[case(1.0, 1.0)]
    fn odd_ranges_still_have_ticks(#[case] low: f64, #[case] high: f64) {
        for axis in
            [Axis::duration(low, high, 6, ""), Axis::time(high, 8), Axis::from_zero(high, 4, "", |_, _| "x".into())]
        {
            let range = axis.range();
            assert!(range.start < range.end && range.end.is_finite() && axis.ticks.len() >= 2, "{axis:?}");
        }
    }
}
