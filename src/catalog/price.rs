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
    /// Any other, known from a price list of the user.
    Custom,
}

impl Provider {
    /// All of them.
    pub const ALL: [Provider; 4] = [Provider::Aws, Provider::Azure, Provider::Gcp, Provider::Custom];

    /// The name in the catalogue and in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            Provider::Aws => "aws",
            Provider::Azure => "azure",
            Provider::Gcp => "gcp",
            Provider::Custom => "custom",
        }
    }

    /// The region used if none is given.
    pub const fn default_region(self) -> &'static str {
        match self {
            Provider::Aws => "us-east-1",
            Provider::Azure => "eastus",
            Provider::Gcp => "us-central1",
            Provider::Custom => "custom",
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A way to buy an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purchase {
    /// As long as it is used.
    OnDemand,
    /// Spare capacity, which the provider may take back.
    Spot,
    /// Committed to for a year.
    Reserved1y,
    /// Committed to for three years.
    Reserved3y,
}

impl Purchase {
    /// All of them.
    pub const ALL: [Purchase; 4] = [Purchase::OnDemand, Purchase::Spot, Purchase::Reserved1y, Purchase::Reserved3y];

    /// The name in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            Purchase::OnDemand => "on-demand",
            Purchase::Spot => "spot",
            Purchase::Reserved1y => "reserved-1y",
            Purchase::Reserved3y => "reserved-3y",
        }
    }

    /// The column of its price in a price list.
    pub const fn column(self) -> &'static str {
        match self {
            Purchase::OnDemand => "usd_per_h",
            Purchase::Spot => "spot_usd_per_h",
            Purchase::Reserved1y => "reserved_1y_usd_per_h",
            Purchase::Reserved3y => "reserved_3y_usd_per_h",
        }
    }

    /// Years of commitment; 0 without one.
    pub const fn years(self) -> u32 {
        match self {
            Purchase::OnDemand | Purchase::Spot => 0,
            Purchase::Reserved1y => 1,
            Purchase::Reserved3y => 3,
        }
    }
}

impl fmt::Display for Purchase {
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
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PriceSource {
    /// The date of the source, as `YYYY-MM-DD`; empty if a price list of the user states none.
    pub date: String,
    /// Repository and commit, or page; the file, for a price list of the user.
    pub source: String,
}

/// Whether a text is a day of the calendar, `YYYY-MM-DD`.
pub fn is_date(text: &str) -> bool {
    let part = |range: std::ops::Range<usize>| text.get(range).and_then(|digits| digits.parse::<u32>().ok());
    let form = text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() });
    let (Some(year), Some(month), Some(day)) = (part(0..4), part(5..7), part(8..10)) else { return false };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    form && (1..=12).contains(&month) && (1..=days).contains(&day)
}

/// Whether a price of `date` is more than a year old on the day `today`, both `YYYY-MM-DD`. A price without a date is not known to be.
pub fn is_stale(date: &str, today: &str) -> bool {
    let Some((year, rest)) = today.split_once('-') else { return false };
    let Ok(year) = year.parse::<u32>() else { return false };
    // Dates in this format sort as text.
    !date.is_empty() && *date < *format!("{:04}-{rest}", year.saturating_sub(1))
}

/// The age of the prices, for reports: "2026-07-20" or "2022-01-07 to 2026-07-20". `None` if there are none.
pub fn price_dates<'a>(sources: impl IntoIterator<Item = &'a PriceSource>) -> Option<String> {
    span_of_dates(sources.into_iter().map(|source| source.date.as_str()))
}

/// The same of the dates themselves; empty ones are left out.
pub fn span_of_dates<'a>(dates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    // Dates in this format sort as text.
    let (mut oldest, mut newest) = (None, None);
    for date in dates.into_iter().filter(|date| !date.is_empty()) {
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

    #[rstest]
    #[case("2025-11-30", "2026-12-01", true)]
    #[case("2025-12-01", "2026-12-01", false)]
    #[case("2026-12-02", "2026-12-01", false)]
    #[case("2023-02-28", "2024-02-29", true)]
    #[case("2023-03-01", "2024-02-29", false)]
    #[case("", "2026-12-01", false)]
    fn a_price_is_stale_after_a_year(#[case] date: &str, #[case] today: &str, #[case] stale: bool) {
        assert_eq!(is_stale(date, today), stale);
    }

    #[test]
    fn dates_are_days_of_the_calendar() {
        assert!(["2026-07-20", "2024-02-29", "2000-02-29"].iter().all(|text| is_date(text)));
        let wrong =
            ["2026-02-29", "1900-02-29", "2026-13-01", "2026-04-31", "26-07-20", "2026/07/20", "2026-7-020", ""];
        assert!(wrong.iter().all(|text| !is_date(text)));
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
