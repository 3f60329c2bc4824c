//! What a missing value stands for.

use super::Series;
use super::clean::interpolate;

/// What a missing value of a series stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Gaps {
    /// Nothing is known: nothing is learned from it and no forecast is judged by it.
    #[default]
    Missing,
    /// Nothing came: zero.
    Zero,
    /// A value on the way from the one before to the one after it, moved by what is usual for its place in the season.
    Interpolate,
}

impl Gaps {
    /// All of them.
    pub const ALL: [Gaps; 3] = [Gaps::Missing, Gaps::Zero, Gaps::Interpolate];

    /// The name in a scenario and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Gaps::Missing => "missing",
            Gaps::Zero => "zero",
            Gaps::Interpolate => "interpolate",
        }
    }

    /// The one called `name`.
    pub fn named(name: &str) -> Option<Gaps> {
        Gaps::ALL.into_iter().find(|gaps| gaps.name() == name)
    }

    /// The series with its gaps as they are to be taken. A series without any value stays as it is.
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
    fn a_gap_is_what_it_is_said_to_be() {
        let series = Series::new([1.0, f64::NAN, 5.0], SimDuration::from_secs(60));
        assert_eq!(Gaps::Missing.filled(series.clone()).observed(), 2);
        assert_eq!(Gaps::Zero.filled(series.clone()).values(), [1.0, 0.0, 5.0]);
        assert_eq!(Gaps::Interpolate.filled(series).values(), [1.0, 3.0, 5.0]);
        assert_eq!(Gaps::ALL.map(|gaps| Gaps::named(gaps.name())), Gaps::ALL.map(Some));
    }
}
