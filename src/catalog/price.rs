//! Prices: provider, billing rules, source and date.

use std::fmt;

use serde::Deserialize;

use crate::units::SimDuration;

/// A cloud provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Amazon Web Services.
    Aws,
    /// Microsoft Azure.
    Azure,
    /// Google Cloud.
    Gcp,
}

impl Provider {
    /// The name in the catalogue and in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            Provider::Aws => "aws",
            Provider::Azure => "azure",
            Provider::Gcp => "gcp",
        }
    }

    /// The region used if none is given.
    pub const fn default_region(self) -> &'static str {
        match self {
            Provider::Aws => "us-east-1",
            Provider::Azure => "eastus",
            Provider::Gcp => "us-central1",
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A provider's billing rules for time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Billing {
    /// Time is rounded up to a multiple of this; zero means no rounding.
    pub granularity: SimDuration,
    /// The minimum billed duration.
    pub minimum: SimDuration,
}

impl Billing {
    /// Charges exactly the time used.
    pub const EXACT: Billing = Billing { granularity: SimDuration::ZERO, minimum: SimDuration::ZERO };

    /// The duration charged for a use of `duration`: at least the minimum, rounded up to the granularity.
    ///
    /// ```
    /// use plimsoll::catalog::Billing;
    /// use plimsoll::units::SimDuration;
    ///
    /// let ec2 = Billing { granularity: SimDuration::from_secs(1), minimum: SimDuration::from_secs(60) };
    /// assert_eq!(ec2.billed(SimDuration::from_millis(1)), SimDuration::from_secs(60));
    /// assert_eq!(ec2.billed(SimDuration::from_millis(90_001)), SimDuration::from_secs(91));
    /// ```
    pub fn billed(self, duration: SimDuration) -> SimDuration {
        duration.max(self.minimum).round_up_to(self.granularity)
    }
}

/// The source of a price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceSource {
    /// The date of the source, as `YYYY-MM-DD`.
    pub date: String,
    /// Repository and commit, or page.
    pub source: String,
}

/// The age of the prices, for reports: "2026-07-20" or "2022-01-07 to 2026-07-20". `None` if there are none.
pub fn price_dates<'a>(sources: impl IntoIterator<Item = &'a PriceSource>) -> Option<String> {
    span_of_dates(sources.into_iter().map(|source| source.date.as_str()))
}

/// The same of the dates themselves.
pub fn span_of_dates<'a>(dates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    // Dates in this format sort as text.
    let (mut oldest, mut newest) = (None, None);
    for date in dates {
        oldest = Some(oldest.map_or(date, |known: &str| known.min(date)));
        newest = newest.max(Some(date));
    }
    let (oldest, newest) = (oldest?, newest?);
    Some(if oldest == newest { newest.to_string() } else { format!("{oldest} to {newest}") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    const fn billing(granularity_s: u64, minimum_s: u64) -> Billing {
        Billing { granularity: SimDuration::from_secs(granularity_s), minimum: SimDuration::from_secs(minimum_s) }
    }

    #[rstest]
    #[case(billing(1, 60), 0, 60_000)]
    #[case(billing(1, 60), 59_999, 60_000)]
    #[case(billing(1, 60), 60_000, 60_000)]
    #[case(billing(1, 60), 60_001, 61_000)]
    #[case(billing(3600, 0), 1, 3_600_000)]
    #[case(billing(3600, 0), 0, 0)]
    #[case(billing(60, 90), 10, 120_000)]
    #[case(Billing::EXACT, 1, 1)]
    fn bills_time(#[case] billing: Billing, #[case] used_ms: u64, #[case] billed_ms: u64) {
        assert_eq!(billing.billed(SimDuration::from_millis(used_ms)), SimDuration::from_millis(billed_ms));
    }

    proptest! {
        #[test]
        fn billed_time_covers_use_and_never_falls(
            granularity in 0..7200u64, minimum in 0..7200u64, a in 0..u64::MAX / 2, b in 0..u64::MAX / 2,
        ) {
            let billing = billing(granularity, minimum);
            let (short, long) = (SimDuration::from_nanos(a.min(b)), SimDuration::from_nanos(a.max(b)));
            prop_assert!(billing.billed(short) >= short.max(billing.minimum));
            prop_assert!(billing.billed(short) <= billing.billed(long));
            prop_assert!(billing.billed(short) <= short.max(billing.minimum) + billing.granularity);
        }
    }

    #[test]
    fn dates_of_the_prices_in_use() {
        let of = |date: &str| PriceSource { date: date.to_string(), source: String::new() };
        assert_eq!(price_dates([]), None);
        assert_eq!(price_dates([&of("2026-07-20"), &of("2026-07-20")]).unwrap(), "2026-07-20");
        let mixed = [of("2026-07-20"), of("2022-01-07"), of("2025-07-07")];
        assert_eq!(price_dates(&mixed).unwrap(), "2022-01-07 to 2026-07-20");
    }
}
