//! `bill.csv`: every line of the bill under the column names of FOCUS, the FinOps open cost and usage specification.

use std::collections::BTreeMap;

use super::timeline::csv_bytes;
use crate::billing::{ChargeKind, ChargeLine};
use crate::engine::{LeaseRecord, RunRecord, UsageRecord};
use crate::experiment::Outcome;
use crate::report::artifact::{Artifact, ReportError, Reporter, ReporterPlugin};
use crate::report::printing::text::exact_decimal;
use crate::scenario::PriceFact;
use crate::units::{SimDuration, SimTime, UnitPrice, Usd, UsdPerHour};

/// The entry in the list.
pub(crate) const PLUGIN: ReporterPlugin = ReporterPlugin {
    name: "bill.csv",
    summary: "the bill line by line, with FOCUS column names: quantity, unit, price, cost, source and date of the price",
    source: "focus.finops.org, FOCUS 1.2",
    build: &BillCsv,
};

/// Columns of FOCUS, and its prefix for others. Periods are seconds of simulated time, which has no calendar.
const HEADER: [&str; 19] = [
    "x_Policy",
    "ChargeCategory",
    "ChargeDescription",
    "ChargeFrequency",
    "x_ChargePeriodStartSeconds",
    "x_ChargePeriodEndSeconds",
    "ProviderName",
    "RegionId",
    "ServiceCategory",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ListUnitPrice",
    "ListCost",
    "EffectiveCost",
    "BilledCost",
    "BillingCurrency",
    "x_PriceSource",
    "x_PriceDate",
];

struct BillCsv;

impl Reporter for BillCsv {
    fn report(&self, outcome: &Outcome) -> Result<Vec<Artifact>, ReportError> {
        if outcome.runs.iter().all(|run| run.cost.is_none()) {
            return Ok(Vec::new());
        }
        let rows = outcome.runs.iter().flat_map(|run| lines(run, &outcome.prices));
        let rows = rows.map(|row| row.into_iter());
        let bytes = csv_bytes(PLUGIN.name, HEADER.into_iter().map(str::to_owned), rows)?;
        Ok(vec![Artifact::new(PLUGIN.name, bytes)])
    }
}

/// The line of a commitment, fee or credit.
fn charge(run: &RunRecord, line: &ChargeLine, prices: &[PriceFact]) -> [String; 19] {
    let what = format!("{}{}", line.what, line.kind.words());
    let fact = prices.iter().find(|fact| fact.what == line.what);
    let quantity = (line.quantity.into(), line.kind.unit());
    let price = exact_decimal(line.price.as_nanos(), 0);
    let mut cells = row(run, &what, (SimTime::ZERO, run.end), quantity, (price, line.cost), fact);
    let (category, frequency, pricing) = match line.kind {
        ChargeKind::CommitmentUsed | ChargeKind::CommitmentUnused => ("Usage", "Usage-Based", "Committed"),
        ChargeKind::Fee => ("Usage", "Recurring", "Standard"),
        ChargeKind::Credit => ("Adjustment", "One-Time", "Other"),
    };
    (cells[1], cells[3], cells[9]) = (category.into(), frequency.into(), pricing.into());
    cells
}

/// Leases of one thing at one price: from the first start to the last end.
struct Leased {
    start: SimTime,
    end: SimTime,
    billed: SimDuration,
    cost: Usd,
}

/// The lines of a run: leases by what was leased and at which price, then use. Their costs add up to the run's.
fn lines(run: &RunRecord, prices: &[PriceFact]) -> Vec<[String; 19]> {
    let mut leases: BTreeMap<(&str, UsdPerHour), Leased> = BTreeMap::new();
    for lease in &run.leases {
        let LeaseRecord { what, start, end, price, cost, .. } = lease;
        let none = Leased { start: *start, end: *end, billed: SimDuration::ZERO, cost: Usd::ZERO };
        let line = leases.entry((what, *price)).or_insert(none);
        (line.start, line.end) = (line.start.min(*start), line.end.max(*end));
        line.billed += lease.on_demand();
        line.cost += *cost;
    }
    let leased = leases.into_iter().map(|((what, price), line)| {
        // Hours in billionths, rounded to the nearest.
        let hours = (i128::from(line.billed.as_nanos()) * 1_000_000_000 + 1_800_000_000_000) / 3_600_000_000_000;
        let fact = PriceFact::of(prices, what, &run.policy);
        let price = exact_decimal(price.as_nanos().into(), 0);
        row(run, what, (line.start, line.end), (hours, "Hours"), (price, line.cost), fact)
    });
    let used = run.usage.iter().map(|UsageRecord { service, line }| {
        let what = match line.price {
            UnitPrice::ZERO => format!("{service}, {} (free)", line.item.unit()),
            _ => format!("{service}, {}", line.item.unit()),
        };
        let fact = PriceFact::of(prices, &what, &run.policy);
        let quantity = (line.billionths(), line.item.unit());
        row(run, &what, (SimTime::ZERO, run.end), quantity, (line.price.decimal(), line.cost), fact)
    });
    let charged = run.charges.iter().map(|line| charge(run, line, prices));
    leased.chain(used).chain(charged).collect()
}

/// The source of a price, with a mark if that is old.
fn source(fact: &PriceFact) -> String {
    if fact.stale { format!("{}; stale: more than a year old", fact.source) } else { fact.source.clone() }
}

fn row(
    run: &RunRecord,
    what: &str,
    (start, end): (SimTime, SimTime),
    (quantity, unit): (i128, &str),
    (price, cost): (String, Usd),
    fact: Option<&PriceFact>,
) -> [String; 19] {
    let seconds = |time: SimTime| exact_decimal(time.as_nanos().into(), 0);
    let cost = exact_decimal(cost.as_nanos(), 0);
    let of = |text: fn(&PriceFact) -> &str| fact.map_or_else(String::new, |fact| text(fact).to_string());
    [
        run.policy.clone(),
        "Usage".into(),
        what.into(),
        "Usage-Based".into(),
        seconds(start),
        seconds(end),
        of(|fact| &fact.provider),
        of(|fact| &fact.region),
        "Compute".into(),
        "Standard".into(),
        exact_decimal(quantity, 0),
        unit.into(),
        price,
        cost.clone(),
        cost.clone(),
        cost,
        "USD".into(),
        fact.map_or_else(|| "stated in the scenario".into(), source),
        of(|fact| &fact.date),
    ]
}
