//! What a platform costs, from the rows of the catalogue.

use crate::billing::{Charge, Item, Tier};
use crate::catalog::{Market, OtherPrice, function_rules};
use crate::config::{Diagnostics, Fields, Yaml, not_one_of};
use crate::units::{UnitPrice, UsdPerHour};

/// A limit of a function platform in the catalogue, or `otherwise` where it has none.
pub(super) fn limit_of(service: &str, name: &str, otherwise: u32) -> u32 {
    function_rules().number(service, name).and_then(|value| u32::try_from(value).ok()).unwrap_or(otherwise)
}

/// Nano-dollars in a dollar, and seconds in an hour.
const NANOS_HOUR: f64 = 1e9 * 3600.0;

/// The prices of one service of a provider in one region, and those that were asked for.
pub(super) struct Prices {
    rows: Vec<&'static OtherPrice>,
    /// Those that were asked for, each with the item that it is the price of; without one if it is a price by time.
    pub(super) used: Vec<(Option<Item>, &'static OtherPrice)>,
}

impl Prices {
    /// Reads `region:` and looks up the prices there; `default` is the region without one.
    pub(super) fn read(
        fields: &Fields<'_>,
        (provider, service): (&str, &str),
        default: &'static str,
        sink: &mut Diagnostics,
    ) -> Option<Prices> {
        fields.default_is("region", default.to_string());
        let node = fields.node_of("region");
        let region = node.and_then(Yaml::as_text).unwrap_or(default);
        let all: Vec<&'static OtherPrice> = Market::builtin()
            .prices
            .iter()
            .filter(|price| price.provider == provider && price.service == service)
            .collect();
        let rows: Vec<_> = all.iter().copied().filter(|price| price.region == region).collect();
        if let (true, Some(node)) = (rows.is_empty(), node) {
            let mut known: Vec<&str> = all.iter().map(|price| price.region.as_str()).collect();
            known.dedup();
            let error = not_one_of(node, region, &format!("a region with prices of {service}"), &known);
            sink.push(error.help("leave `region` out, and state `price:` in the service"));
            return None;
        }
        Some(Prices { rows, used: Vec::new() })
    }

    fn meter(&mut self, meter: &str, item: Option<Item>) -> Vec<&'static OtherPrice> {
        let found: Vec<_> = self.rows.iter().copied().filter(|price| price.meter == meter).collect();
        self.used.extend(found.iter().map(|row| (item, *row)));
        found
    }

    /// The price of an item by the rows of a meter, of which `free` units a month cost nothing.
    pub(super) fn charge(&mut self, meter: &str, item: Item, free: u64) -> Option<Charge> {
        let rows = self.meter(meter, Some(item));
        let last = rows.len().checked_sub(1)?;
        let tier = |(number, row): (usize, &&OtherPrice)| {
            let up_to = if number == last { None } else { Some(upper_edge(&row.tier)? * item.base()) };
            Some(Tier { up_to, price: unit_price(row)? })
        };
        let tiers: Option<Vec<Tier>> = rows.iter().enumerate().map(tier).collect();
        Charge::tiered(item, u128::from(free) * item.base(), &tiers?).ok()
    }

    /// The price per hour of `units` of a meter that is priced per second or per hour of a unit.
    pub(super) fn per_hour(&mut self, meter: &str, units: f64) -> Option<UsdPerHour> {
        let row = *self.meter(meter, None).first()?;
        let dollars: f64 = row.usd.parse().ok()?;
        let hourly = if row.unit.contains("-s") { dollars * NANOS_HOUR } else { dollars * 1e9 };
        Some(UsdPerHour::from_nanos((hourly * units).round() as u64))
    }
}

/// The price of one unit.
fn unit_price(row: &OtherPrice) -> Option<UnitPrice> {
    let per_million = row.unit.contains("1M");
    format!("${}{}", row.usd, if per_million { "/1M" } else { "" }).parse().ok()
}

/// The number at which a tier such as `0 - 6e9 GB-s/month` ends.
fn upper_edge(tier: &str) -> Option<u128> {
    let (_, to) = tier.split_once(" - ")?;
    let number = to.split_whitespace().next()?;
    let count = number.parse::<f64>().ok().filter(|count| *count > 0.0 && *count < 1e18)?;
    Some(count as u128)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Usd;
    use rstest::rstest;

    fn prices(provider: &str, service: &str, region: &str) -> Prices {
        let rows = Market::builtin().prices.iter();
        let of = |price: &&OtherPrice| price.provider == provider && price.service == service && price.region == region;
        Prices { rows: rows.filter(of).collect(), used: Vec::new() }
    }

    #[rstest]
    #[case("0 - 6e9 GB-s/month", Some(6_000_000_000))]
    #[case("7.5e9 - 18.75e9", Some(18_750_000_000))]
    #[case("> 15e9", None)]
    #[case("first", None)]
    fn tiers_end(#[case] tier: &str, #[case] edge: Option<u128>) {
        assert_eq!(upper_edge(tier), edge);
    }

    /// 9 x 10^9 GB-s cost $135,000 by the source of the tiers, 20 x 10^9 another $83,333.70 above $100,000.20 and $135,000.
    #[test]
    fn the_tiers_of_lambda() {
        let charge = prices("aws", "lambda", "us-east-1").charge("duration x86", Item::GibSeconds, 0).unwrap();
        let cost = |gb_seconds: u128| charge.cost(gb_seconds * Item::GibSeconds.base());
        assert_eq!(cost(1_000_000_000), Usd::from_nanos(16_666_700_000_000));
        assert_eq!(cost(15_000_000_000), Usd::from_nanos(100_000_200_000_000 + 135_000_000_000_000));
        assert_eq!(cost(16_000_000_000) - cost(15_000_000_000), Usd::from_nanos(13_333_400_000_000));
    }

    #[test]
    fn prices_by_the_hour() {
        // 0.173 a vCPU-hour; 0.0000041667 a GB-second.
        let premium = prices("azure", "functions-premium", "eastus").per_hour("vCPU", 2.0).unwrap();
        assert_eq!(premium, UsdPerHour::from_nanos(346_000_000));
        let provisioned = prices("aws", "lambda", "us-east-1").per_hour("provisioned concurrency x86", 1.0).unwrap();
        assert_eq!(provisioned, UsdPerHour::from_nanos(15_000_120));
    }
}
