//! The meaning of missing values.

use super::Series;
use super::clean::interpolate;

/// The meaning of a missing value of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Gaps {
    /// Unknown: it is left out of estimation and evaluation.
    #[default]
    Missing,
    /// Zero: nothing arrived.
    Zero,
    /// An interpolated value between its neighbours, adjusted for its place in the season.
    Interpolate,
}

impl Gaps {
    /// All meanings.
    pub const ALL: [Gaps; 3] = [Gaps::Missing, Gaps::Zero, Gaps::Interpolate];

    /// The name in a scenario and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Gaps::Missing => "missing",
            Gaps::Zero => "zero",
            Gaps::Interpolate => "interpolate",
        }
    }

    /// The meaning called `name`.
    pub fn named(name: &str) -> Option<Gaps> {
        Gaps::ALL.into_iter().find(|gaps| gaps.name() == name)
    }

    /// The series with its gaps filled accordingly. A series without any value is unchanged.
    pub fn filled(self, series: Series) -> Series {
        if series.observed() == 0 {
            return series;
        }
        let values = match self {
            Gaps::Missing => return series,
            Gaps::Zero => series.values().iter().map(|value| if value.is_finite() { *value } else { 0.0 }).collect(),
            Gaps::Interpolate => interpolate(series.values(), series.seasons_seen(2).last().copied().unwrap_or(0)),
        };
        series.with_values(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::SimDuration;

    #[test]
    fn gaps_are_filled_as_stated() {
        let series = Series::new([1.0, f64::NAN, 5.0], SimDuration::from_secs(60));
        assert_eq!(Gaps::Missing.filled(series.clone()).observed(), 2);
        assert_eq!(Gaps::Zero.filled(series.clone()).values(), [1.0, 0.0, 5.0]);
        assert_eq!(Gaps::Interpolate.filled(series).values(), [1.0, 3.0, 5.0]);
        assert_eq!(Gaps::ALL.map(|gaps| Gaps::named(gaps.name())), Gaps::ALL.map(Some));
    }
}
