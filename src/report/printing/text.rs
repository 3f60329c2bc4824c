//! How figures are printed for people. Nothing here rounds a figure to the other side of a target.

use crate::config::csv_text;
use crate::units::{SimDuration, Usd};
#[cfg(feature = "charts")]
use crate::workload::SeriesKind;

/// What stands for a missing figure.
pub(crate) const MISSING: &str = "–";

/// A latency with three significant digits (`0.42 ms`, `87.3 ms`, `1.25 s`, `12.5 min`).
pub(crate) fn latency(value: SimDuration) -> String {
    let seconds = value.as_secs_f64();
    match seconds {
        0.0 => "0 ms".into(),
        s if s < 1e-3 => format!("{} µs", significant(s * 1e6)),
        s if s < 0.9995 => format!("{} ms", significant(s * 1e3)),
        s if s < 600.0 => format!("{} s", significant(s)),
        s if s < 36_000.0 => format!("{} min", significant(s / 60.0)),
        s => format!("{} h", significant(s / 3600.0)),
    }
}

/// Minutes with one decimal (`37.5 min`).
pub(crate) fn minutes(value: SimDuration) -> String {
    let minutes = value.as_secs_f64() / 60.0;
    if value.is_zero() { "0 min".into() } else { format!("{} min", separated(&format!("{minutes:.1}"))) }
}

/// Hours with two decimals (`12.50 h`).
pub(crate) fn hours(value: SimDuration) -> String {
    format!("{} h", separated(&format!("{:.2}", value.as_secs_f64() / 3600.0)))
}

/// A moment as hours, minutes and seconds since the start (`07:45:30`; more than a day: `1d 07:45:30`).
pub(crate) fn clock(seconds: f64) -> String {
    let total = seconds.max(0.0) as u64;
    let (days, rest) = (total / 86_400, total % 86_400);
    let time = format!("{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
    if days == 0 { time } else { format!("{days}d {time}") }
}

/// Dollars to the cent, below a dollar to four decimals (`$1,234.50`, `$0.0123`).
pub(crate) fn dollars(value: Usd) -> String {
    separated(&value.to_string())
}

/// Dollars with every digit that matters and at least two decimals (`$41.472`): sums can be checked by hand.
pub(crate) fn exact_dollars(value: Usd) -> String {
    let text = exact_decimal(value.as_nanos(), 2);
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    separated(&format!("{sign}${digits}"))
}

/// A count of billionths as a decimal number without loss, with at least `min_decimals` decimals (at most 9).
pub(crate) fn exact_decimal(nanos: i128, min_decimals: usize) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let (whole, fraction) = (nanos.unsigned_abs() / 1_000_000_000, nanos.unsigned_abs() % 1_000_000_000);
    let mut digits = format!("{fraction:09}");
    while digits.len() > min_decimals && digits.ends_with('0') {
        digits.pop();
    }
    if digits.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{digits}") }
}

/// A latency that may be missing.
#[cfg(feature = "charts")]
pub(crate) fn latency_or_missing(value: Option<SimDuration>) -> String {
    value.map_or_else(|| MISSING.into(), latency)
}

/// A share of requests in per cent, cut and never rounded up, with as many decimals as tell it from 100%
/// (`97.3%`, `99.934%`, `100%`). More than all, as CPU above its request, is printed as it is (`120%`, `401.1%`).
pub(crate) fn attainment(share: f64) -> String {
    if !share.is_finite() {
        return MISSING.into();
    }
    if share >= 1.0 {
        let text = percent(((share * 1e3 + 1e-6).floor()) / 1e3);
        return text.replace(".0%", "%");
    }
    // 1 - 0.999 is a hair above 0.001: without the addition it would count one nine less.
    let nines = (1e-9 - (1.0 - share).log10()).clamp(0.0, 9.0) as usize;
    let decimals = nines.max(1);
    let scale = 10f64.powi(decimals as i32);
    // The small addition undoes binary rounding (0.999 * 1e5 is 99899.999...), far below the digits shown.
    format!("{:.decimals$}%", (share * 100.0 * scale + 1e-6).floor() / scale)
}

/// A ratio in per cent (`63.2%`, `1,250%`); infinite is `over 100%` of nothing and said so.
pub(crate) fn percent(ratio: f64) -> String {
    match ratio {
        r if r.is_nan() => MISSING.into(),
        r if r.is_infinite() => "no budget".into(),
        r if r.abs() >= 9.995 => format!("{}%", separated(&format!("{:.0}", r * 100.0))),
        r => format!("{:.1}%", r * 100.0),
    }
}

/// A number with so many decimals; missing if it is not finite.
pub(crate) fn number(value: f64, decimals: usize) -> String {
    if value.is_finite() { separated(&format!("{value:.decimals$}")) } else { MISSING.into() }
}

/// A count with thousands separated (`1,234,567`).
pub fn count(value: u64) -> String {
    separated(&value.to_string())
}

/// Three significant digits, at least the whole part (`0.420`, `87.3`, `1250`).
fn significant(value: f64) -> String {
    match value {
        v if v < 9.995 => format!("{v:.2}"),
        v if v < 99.95 => format!("{v:.1}"),
        v => format!("{v:.0}"),
    }
}

/// Puts commas between groups of three digits of the whole part.
fn separated(number: &str) -> String {
    let start = number.find(|c: char| c.is_ascii_digit()).unwrap_or(number.len());
    let end = number[start..].find('.').map_or(number.len(), |point| start + point);
    let mut text = String::from(&number[..start]);
    for (i, digit) in number[start..end].chars().enumerate() {
        if i > 0 && (end - start - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text.push_str(&number[end..]);
    text
}

/// A text as a field of a CSV file, always quoted, and never a formula.
pub(crate) fn csv_field(text: &str) -> String {
    format!("\"{}\"", csv_text(text).replace('"', "\"\""))
}

/// What the rate over time is called, with its unit.
#[cfg(feature = "charts")]
pub(crate) fn rate_title(kind: SeriesKind) -> &'static str {
    match kind {
        SeriesKind::Levels => "level",
        _ => "requests per second",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, "0 ms")]
    #[case(420_000, "420 µs")]
    #[case(87_349_000, "87.3 ms")]
    #[case(999_700_000, "1.00 s")]
    #[case(1_250_000_000, "1.25 s")]
    #[case(750_000_000_000, "12.5 min")]
    #[case(86_400_000_000_000, "24.0 h")]
    fn latencies(#[case] nanos: u64, #[case] text: &str) {
        assert_eq!(latency(SimDuration::from_nanos(nanos)), text);
    }

    #[rstest]
    #[case(1.0, "100%")]
    #[case(1.0 + 1e-12, "100%")]
    #[case(1.2, "120%")]
    #[case(4.01149, "401.1%")]
    #[case(12.5, "1,250%")]
    #[case(0.9999996, "99.999960%")]
    #[case(0.99899, "99.89%")]
    #[case(0.999, "99.900%")]
    #[case(0.5, "50.0%")]
    #[case(0.0, "0.0%")]
    #[case(f64::NAN, "–")]
    fn attainments_are_cut(#[case] share: f64, #[case] text: &str) {
        assert_eq!(attainment(share), text);
    }

    #[rstest]
    #[case(41_472_000_000, "$41.472")]
    #[case(1_234_500_000_000, "$1,234.50")]
    #[case(-1, "-$0.000000001")]
    #[case(0, "$0.00")]
    fn money_is_exact(#[case] nanos: i128, #[case] text: &str) {
        assert_eq!(exact_dollars(Usd::from_nanos(nanos)), text);
    }

    #[rstest]
    #[case(7, "7")]
    #[case(1000, "1,000")]
    #[case(1_234_567, "1,234,567")]
    fn counts(#[case] value: u64, #[case] text: &str) {
        assert_eq!(count(value), text);
    }

    #[test]
    fn other_figures() {
        assert_eq!(percent(f64::INFINITY), "no budget");
        assert_eq!(percent(12.5), "1,250%");
        assert_eq!(percent(0.6321), "63.2%");
        assert_eq!(clock(27_930.0), "07:45:30");
        assert_eq!(clock(90_000.0), "1d 01:00:00");
        assert_eq!(minutes(SimDuration::from_secs(2250)), "37.5 min");
        assert_eq!(hours(SimDuration::from_secs(4_500_000)), "1,250.00 h");
        assert_eq!(dollars(Usd::from_nanos(1_234_500_000_000)), "$1,234.50");
    }
}
