//! The bill: leases grouped by what was leased and at which price.

use std::collections::BTreeMap;

use crate::engine::LeaseRecord;
use crate::units::{SimDuration, Usd, UsdPerHour};

/// Leases of one thing at one price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillLine {
    /// What was leased.
    pub what: String,
    /// How many leases.
    pub leases: u64,
    /// Their billed time together.
    pub billed: SimDuration,
    /// Price of one.
    pub price: UsdPerHour,
    /// Sum of their costs, exact.
    pub cost: Usd,
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
        line.billed += lease.billed;
        line.cost += lease.cost;
    }
    lines.into_values().collect()
}
