//! The bill: leases grouped by what was leased and at which price.

use std::collections::BTreeMap;

use crate::billing::{ChargeKind, ChargeLine};
use crate::engine::{LeaseRecord, UsageRecord};
use crate::report::printing::text;
use crate::units::{SimDuration, UnitPrice, Usd, UsdPerHour};

/// Leases of one thing at one price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillLine {
    /// What was leased.
    pub what: String,
    /// How many leases.
    pub leases: u64,
    /// Their billed time together, without what a commitment covers.
    pub billed: SimDuration,
    /// Price of one.
    pub price: UsdPerHour,
    /// Sum of their costs, exact.
    pub cost: Usd,
}

/// A line of use for a table of leases: what, how many leases (none), quantity with its unit, price, cost.
pub fn usage_cells(record: &UsageRecord) -> [String; 5] {
    let UsageRecord { service, line } = record;
    let unit = line.item.unit();
    let quantity = (line.billionths() + 500_000) / 1_000_000;
    let quantity = text::exact_decimal(quantity * 1_000_000, 0);
    let price = if line.price == UnitPrice::ZERO { "free".into() } else { line.price.to_string() };
    [format!("{service}, {unit}"), String::new(), format!("{quantity} {unit}"), price, text::exact_dollars(line.cost)]
}

/// A line of a commitment, fee or credit for a table of leases.
pub fn charge_cells(line: &ChargeLine) -> [String; 5] {
    let what = format!("{}{}", line.what, line.kind.words());
    let quantity = (i128::from(line.quantity) + 500_000) / 1_000_000;
    let quantity = text::exact_decimal(quantity * 1_000_000, 0);
    let price = text::exact_dollars(line.price);
    let (quantity, price) = match line.kind {
        ChargeKind::Credit => (format!("{quantity} of the revenue"), price),
        _ => (format!("{quantity} h"), format!("{price}/h")),
    };
    [what, String::new(), quantity, price, text::exact_dollars(line.cost)]
}

/// Groups leases, sorted by name and price. The lines' costs add up to the leases' costs.
pub fn bill(leases: &[LeaseRecord]) -> Vec<BillLine> {
    let mut lines: BTreeMap<(&str, UsdPerHour), BillLine> = BTreeMap::new();
    for lease in leases {
        let line = lines.entry((&lease.what, lease.price)).or_insert_with(|| BillLine {
            what: lease.what.clone(),
            leases: 0,
            billed: SimDuration::ZERO,
            price: lease.price,
            cost: Usd::ZERO,
        });
        line.leases += 1;
        line.billed += lease.on_demand();
        line.cost += lease.cost;
    }
    lines.into_values().collect()
}
