//! What is paid beside leases and use: commitments, fixed fees, and credits owed to customers.
//!
//! A commitment is billed whether it is used or not. It covers leases hour by hour of the run, as providers reckon: what is not
//! used in one hour is lost in the next. What a commitment covers is taken off the lease; the lease pays for the rest on demand.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::lease::Settled;
use super::wide::Wide;
use crate::catalog::Billing;
use crate::units::{SimDuration, SimTime, Usd, UsdPerHour};

const HOUR: u64 = 3_600_000_000_000;
/// Shares are whole millionths.
pub const MILLION: u32 = 1_000_000;

/// Instances committed to: paid for through the whole run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// The leases that it covers, as on the bill.
    pub of: String,
    /// Its name on the bill.
    pub what: String,
    /// How many instances.
    pub count: u32,
    /// Effective price of each.
    pub price: UsdPerHour,
}

/// An amount of discounted use committed to per hour: the price on demand less the discount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavingsPlan {
    /// What is paid per hour, used or not.
    pub commitment: UsdPerHour,
    /// The discount on prices on demand, in millionths.
    pub discount: u32,
    /// Leases that it does not cover: those of spot instances.
    pub excluded: Vec<String>,
}

/// A fixed fee, such as that of a cluster's control plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fee {
    /// Its name on the bill.
    pub what: String,
    /// Price per hour of each.
    pub price: UsdPerHour,
    /// How many.
    pub count: u32,
    /// How the length of the run is rounded.
    pub billing: Billing,
}

/// Credits owed to customers where availability was too low.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlaCredits {
    /// Index of the service whose requests are judged.
    pub service: usize,
    /// What customers pay.
    pub revenue: UsdPerHour,
    /// Availabilities below which a share is owed, and that share; both in millionths.
    pub tiers: Vec<(u32, u32)>,
}

impl SlaCredits {
    /// The share owed, in millionths, where so many of all `requests` were lost; the largest that applies. Nothing is owed where
    /// there was no request.
    pub fn owed(&self, lost: u64, requests: u64) -> u32 {
        let answered = u128::from(requests.saturating_sub(lost)) * u128::from(MILLION);
        let missed = |(below, _): &&(u32, u32)| answered < u128::from(requests) * u128::from(*below);
        self.tiers.iter().filter(missed).map(|(_, share)| *share).max().unwrap_or(0)
    }
}

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contract {
    /// Instances committed to.
    pub reserved: Vec<Reservation>,
    /// An amount committed to; it covers what reservations leave.
    pub plan: Option<SavingsPlan>,
    /// Fixed fees.
    pub fees: Vec<Fee>,
    /// Credits owed to customers.
    pub credits: Option<SlaCredits>,
}

/// What a line that is neither a lease nor use is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChargeKind {
    /// The part of a commitment that covered leases.
    CommitmentUsed,
    /// The part that was paid for in vain.
    CommitmentUnused,
    /// A fixed fee.
    Fee,
    /// A credit owed to customers.
    Credit,
}

impl ChargeKind {
    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            ChargeKind::CommitmentUsed => "commitment-used",
            ChargeKind::CommitmentUnused => "commitment-unused",
            ChargeKind::Fee => "fee",
            ChargeKind::Credit => "credit",
        }
    }

    /// After the name on the bill.
    pub const fn words(self) -> &'static str {
        match self {
            ChargeKind::CommitmentUsed => ", used",
            ChargeKind::CommitmentUnused => ", unused",
            ChargeKind::Fee | ChargeKind::Credit => "",
        }
    }

    /// The unit of the quantity, in the plural.
    pub const fn unit(self) -> &'static str {
        match self {
            ChargeKind::CommitmentUsed | ChargeKind::CommitmentUnused | ChargeKind::Fee => "Hours",
            ChargeKind::Credit => "revenues",
        }
    }
}

/// A line that is neither a lease nor use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChargeLine {
    /// What it is for.
    pub kind: ChargeKind,
    /// Its name on the bill.
    pub what: String,
    /// Billionths of a unit, rounded to the nearest: the cost is that of the exact quantity.
    pub quantity: u64,
    /// Price of one unit.
    pub price: Usd,
    /// Cost.
    pub cost: Usd,
}

impl Contract {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        *self == Contract::default()
    }

    /// Whether leases cost less where commitments cover them.
    pub fn commits(&self) -> bool {
        !self.reserved.is_empty() || self.plan.is_some()
    }

    /// Takes what commitments cover off the leases of a run that ends at `end`, and returns the lines of the commitments. Asserts
    /// that none was used beyond what is paid for.
    pub fn cover(&self, leases: &mut [Settled], end: SimTime) -> Vec<ChargeLine> {
        if !self.commits() {
            return Vec::new();
        }
        let mut hours = Hours::new(self, end);
        for lease in leases.iter_mut() {
            let covered = hours.cover(self, lease);
            if !covered.is_zero() {
                lease.covered = covered;
                lease.cost = lease.price.over(SimDuration::from_nanos(lease.billed.as_nanos() - covered.as_nanos()));
            }
        }
        let mut lines = Vec::new();
        for (reservation, left) in self.reserved.iter().zip(&hours.reserved) {
            let paid = u128::from(reservation.count) * u128::from(end.as_nanos());
            let used = paid - left.iter().sum::<u128>();
            lines.extend(two_lines(&reservation.what, reservation.price, (used, paid)));
        }
        if let Some(plan) = &self.plan {
            // Per nanosecond of the commitment, in millionths of a nano-dollar per hour.
            let paid = u128::from(plan.commitment.as_nanos()) * u128::from(end.as_nanos());
            let paid = paid.saturating_mul(MILLION.into());
            let used = paid - hours.plan.iter().fold(0_u128, |sum, left| sum.saturating_add(*left)).min(paid);
            lines.extend(amount_lines(plan, used, paid));
        }
        lines
    }

    /// The lines of fees and credits; `answered` are lost and all requests of each service.
    pub fn fixed(&self, end: SimTime, answered: &[(u64, u64)]) -> Vec<ChargeLine> {
        let length = end.since(SimTime::ZERO);
        let fee = |fee: &Fee| {
            let nanos = u128::from(fee.billing.billed(length).as_nanos()) * u128::from(fee.count);
            line(ChargeKind::Fee, &fee.what, fee.price, nanos)
        };
        let mut lines: Vec<ChargeLine> = self.fees.iter().map(fee).collect();
        if let Some(credits) = &self.credits
            && let Some((lost, requests)) = answered.get(credits.service)
        {
            let share = u128::from(credits.owed(*lost, *requests));
            let revenue = credits.revenue.over(length);
            let cost = (revenue.as_nanos() as u128 * share + u128::from(MILLION / 2)) / u128::from(MILLION);
            lines.push(ChargeLine {
                kind: ChargeKind::Credit,
                what: "credits owed to customers".into(),
                quantity: share as u64 * 1000,
                price: revenue,
                cost: Usd::from_nanos(cost as i128),
            });
        }
        lines
    }
}

/// What commitments have left in each hour of a run.
struct Hours {
    end: u64,
    /// By reservation and hour: nanoseconds.
    reserved: Vec<Vec<u128>>,
    /// By hour: millionths of a nano-dollar per hour, times nanoseconds.
    plan: Vec<u128>,
    /// Reservations by what they cover.
    of: BTreeMap<String, Vec<usize>>,
}

impl Hours {
    fn new(contract: &Contract, end: SimTime) -> Hours {
        let end = end.as_nanos();
        let lengths: Vec<u128> =
            (0..end.div_ceil(HOUR)).map(|hour| u128::from((end - hour * HOUR).min(HOUR))).collect();
        let of_count = |reservation: &Reservation| {
            lengths.iter().map(|length| length * u128::from(reservation.count)).collect::<Vec<u128>>()
        };
        let plan = contract.plan.as_ref().map_or_else(Vec::new, |plan| {
            let each = u128::from(plan.commitment.as_nanos()) * u128::from(MILLION);
            lengths.iter().map(|length| length.saturating_mul(each)).collect()
        });
        let mut of: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (number, reservation) in contract.reserved.iter().enumerate() {
            of.entry(reservation.of.clone()).or_default().push(number);
        }
        Hours { end, reserved: contract.reserved.iter().map(of_count).collect(), plan, of }
    }

    /// How much of a lease is covered. What is billed beyond the end of the run belongs to its last hour.
    fn cover(&mut self, contract: &Contract, lease: &Settled) -> SimDuration {
        let numbers = self.of.get(&lease.what).map_or(&[][..], Vec::as_slice);
        let plan = contract.plan.as_ref().filter(|plan| !plan.excluded.contains(&lease.what));
        if numbers.is_empty() && plan.is_none() || self.end == 0 {
            return SimDuration::ZERO;
        }
        let (mut at, mut left) = (lease.start.as_nanos().min(self.end - 1), lease.billed.as_nanos());
        let mut covered = 0;
        while left > 0 {
            let hour = (at / HOUR) as usize;
            let last = at / HOUR == (self.end - 1) / HOUR;
            let piece = if last { left } else { left.min(HOUR - at % HOUR) };
            let mut rest = u128::from(piece);
            for number in numbers {
                let taken = rest.min(self.reserved[*number][hour]);
                self.reserved[*number][hour] -= taken;
                rest -= taken;
            }
            if let Some(plan) = plan {
                rest -= take(plan, lease.price, rest, &mut self.plan[hour]);
            }
            covered += piece - rest as u64;
            left -= piece;
            at += piece;
        }
        SimDuration::from_nanos(covered)
    }
}

/// Pays for nanoseconds of a lease from what a plan has left, and returns how many it could. What is free is not paid for.
fn take(plan: &SavingsPlan, price: UsdPerHour, nanos: u128, left: &mut u128) -> u128 {
    let each = u128::from(price.as_nanos()) * u128::from(MILLION - plan.discount.min(MILLION));
    if each == 0 {
        return 0;
    }
    let taken = nanos.min(*left / each);
    *left -= taken * each;
    taken
}

/// The lines of `used` and the rest of `paid` nanoseconds at a price. They add up to what is paid for, rounded once.
fn two_lines(what: &str, price: UsdPerHour, (used, paid): (u128, u128)) -> [ChargeLine; 2] {
    let whole = line(ChargeKind::CommitmentUsed, what, price, paid);
    let used_line = line(ChargeKind::CommitmentUsed, what, price, used);
    let rest = line(ChargeKind::CommitmentUnused, what, price, paid - used);
    let unused = ChargeLine { cost: whole.cost - used_line.cost, ..rest };
    [used_line, unused]
}

/// The same of amounts: millionths of a nano-dollar per hour, times nanoseconds.
fn amount_lines(plan: &SavingsPlan, used: u128, paid: u128) -> [ChargeLine; 2] {
    let cost = |amount: u128| {
        Usd::from_nanos((amount / u128::from(MILLION) + u128::from(HOUR / 2)) as i128 / i128::from(HOUR))
    };
    let each = (u128::from(plan.commitment.as_nanos()) * u128::from(MILLION)).max(1);
    let of = |kind, amount: u128, cost| ChargeLine {
        kind,
        what: "savings plan".into(),
        quantity: hours_of(amount / each),
        price: Usd::from_nanos(plan.commitment.as_nanos().into()),
        cost,
    };
    let (whole, part) = (cost(paid), cost(used));
    [of(ChargeKind::CommitmentUsed, used, part), of(ChargeKind::CommitmentUnused, paid - used, whole - part)]
}

fn line(kind: ChargeKind, what: &str, price: UsdPerHour, nanos: u128) -> ChargeLine {
    let cost = Wide::product(nanos, price.as_nanos().into()).nearest(HOUR.into());
    ChargeLine {
        kind,
        what: what.to_string(),
        quantity: hours_of(nanos),
        price: Usd::from_nanos(price.as_nanos().into()),
        cost: Usd::from_nanos(cost.min(i128::MAX as u128 >> 32) as i128),
    }
}

/// Billionths of an hour.
fn hours_of(nanos: u128) -> u64 {
    Wide::product(nanos, 1_000_000_000).nearest(HOUR.into()).min(u64::MAX.into()) as u64
}

#[cfg(test)]
mod tests;
