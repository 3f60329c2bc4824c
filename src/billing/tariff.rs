//! Tariffs by use: what is counted, in which steps, what is free, and the price of each further unit.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::usage::{Item, Usage};
use super::wide::Wide;
use crate::catalog::Billing;
use crate::units::{Bytes, Millicores, SimDuration, UnitPrice, Usd};

/// The month of price lists: 730 hours, a twelfth of 365 days.
pub const MONTH: SimDuration = SimDuration::from_secs(730 * 3600);

/// The highest cost of a line, $79 x 10^18: sums of four thousand million of them fit.
const MOST: u128 = (i128::MAX >> 32) as u128;

/// The price of the units up to an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tier {
    /// The last unit at this price, counted in [`Item::base`] from the first that is not free; `None` for all further ones.
    pub up_to: Option<u128>,
    /// Price of one unit.
    pub price: UnitPrice,
}

/// Why tiers are no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TierError {
    /// There is none.
    None,
    /// This one (from 0) ends no later than the one before it.
    NotRising(usize),
    /// This one has an end and is the last, or has none and is not.
    Open(usize),
}

impl fmt::Display for TierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TierError::None => f.write_str("a price needs at least one tier"),
            TierError::NotRising(tier) => write!(f, "tier {} ends no later than the one before it", tier + 1),
            TierError::Open(tier) => {
                write!(f, "tier {}: every tier but the last has an end, and the last has none", tier + 1)
            }
        }
    }
}

impl std::error::Error for TierError {}

/// The price of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    item: Item,
    /// What is charged for each unit of what is counted: bytes of an answer; otherwise 1.
    each: u128,
    /// What is free, in [`Item::base`].
    free: u128,
    /// Upper edge of each tier, beginning after what is free, and its price; the last edge is the largest number.
    tiers: Vec<(u128, UnitPrice)>,
}

/// What is charged for a part of an item's units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UseLine {
    /// What is counted.
    pub item: Item,
    /// How much, in [`Item::base`].
    pub quantity: u128,
    /// Price of one unit; zero for what is free.
    pub price: UnitPrice,
    /// Cost. The lines of an item add up to its cost, which is rounded once.
    pub cost: Usd,
}

impl UseLine {
    /// The quantity in billionths of a unit, rounded to the nearest, for print: the cost is that of the exact one.
    pub fn billionths(&self) -> i128 {
        self.item.billionths(self.quantity).min(MOST) as i128
    }
}

impl Charge {
    /// The same price for every unit.
    pub fn flat(item: Item, price: UnitPrice) -> Charge {
        Charge { item, each: 1, free: 0, tiers: vec![(u128::MAX, price)] }
    }

    /// A price in graduated tiers: each holds for the units within it. The first `free` units, in [`Item::base`], cost
    /// nothing and do not count towards the tiers.
    ///
    /// # Errors
    /// If there is no tier, edges do not rise, or another one than the last is open.
    pub fn tiered(item: Item, free: u128, tiers: &[Tier]) -> Result<Charge, TierError> {
        let last = tiers.len().checked_sub(1).ok_or(TierError::None)?;
        let mut edges = Vec::with_capacity(tiers.len());
        let mut below = 0;
        for (number, tier) in tiers.iter().enumerate() {
            let edge = match tier.up_to {
                Some(edge) if number < last => edge,
                None if number == last => u128::MAX,
                _ => return Err(TierError::Open(number)),
            };
            if edge <= below {
                return Err(TierError::NotRising(number));
            }
            below = edge;
            edges.push((edge, tier.price));
        }
        Ok(Charge { item, each: 1, free, tiers: edges })
    }

    /// The same for answers of this size, where the item is [`Item::EgressGib`].
    pub fn for_answers(self, size: Bytes) -> Charge {
        Charge { each: size.get().into(), ..self }
    }

    /// Size of an answer.
    pub fn answer(&self) -> Bytes {
        Bytes::new(self.each as u64)
    }

    /// The item.
    pub fn item(&self) -> Item {
        self.item
    }

    /// What is free, in [`Item::base`].
    pub fn free(&self) -> u128 {
        self.free
    }

    /// The prices of its tiers.
    pub fn prices(&self) -> impl Iterator<Item = UnitPrice> {
        self.tiers.iter().map(|(_, price)| *price)
    }

    /// The same price list for `part` of the period `whole` that its edges and what is free are stated for: both shrink or
    /// grow with it, rounded down.
    pub fn for_part(&self, part: SimDuration, whole: SimDuration) -> Charge {
        let (part, whole) = (u128::from(part.as_nanos()), u128::from(whole.as_nanos()));
        let share = |edge: u128| match edge {
            u128::MAX => u128::MAX,
            edge => Wide::product(edge, part).floor(whole),
        };
        let tiers = self.tiers.iter().map(|(edge, price)| (share(*edge), *price));
        Charge { free: share(self.free), tiers: tiers.collect(), ..*self }
    }

    /// The lines for `quantity` units of [`Item::base`]: what is free, then each tier that is reached. Their costs add up to
    /// the exact sum of quantity times price, rounded once, half up, to a nano-dollar.
    pub fn lines(&self, quantity: u128) -> Vec<UseLine> {
        let line = |quantity, price, cost| UseLine { item: self.item, quantity, price, cost };
        let free = quantity.min(self.free);
        let mut lines = Vec::new();
        if free > 0 {
            lines.push(line(free, UnitPrice::ZERO, Usd::ZERO));
        }
        let (charged, per_nano) = (quantity - free, self.item.base() * UnitPrice::FEMTOS_PER_NANO);
        let (mut sum, mut below, mut before) = (Wide::default(), 0, Usd::ZERO);
        for (edge, price) in &self.tiers {
            let within = charged.min(*edge) - charged.min(below);
            below = below.max(*edge);
            if within == 0 {
                continue;
            }
            sum = sum.plus(Wide::product(within, u128::from(price.as_femtos())));
            let cost = Usd::from_nanos(sum.nearest(per_nano).min(MOST) as i128);
            lines.push(line(within, *price, cost - before));
            before = cost;
        }
        lines
    }

    /// The cost of `quantity` units of [`Item::base`].
    pub fn cost(&self, quantity: u128) -> Usd {
        self.lines(quantity).iter().map(|line| line.cost).sum()
    }
}

/// What a service pays for its requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UseTariff {
    /// What is charged for, each item once.
    pub charges: Vec<Charge>,
    /// How the time of each request is rounded, before it is summed.
    pub rounding: Billing,
    /// Whether that is the time in which a replica has any requests, and not the sum of theirs.
    pub by_activity: bool,
    /// Whether the start of a replica that a request caused is charged for like a request of that length.
    pub starts: bool,
    /// Memory of a replica.
    pub memory: Bytes,
    /// CPU of a replica.
    pub cpu: Millicores,
}

impl UseTariff {
    /// How much of an item was used, in [`Item::base`]; it saturates at 2^128 - 1.
    pub fn quantity(&self, item: Item, usage: &Usage) -> u128 {
        match item {
            Item::Requests => u128::from(usage.requests),
            Item::GibSeconds | Item::GibHours => usage.nanos.saturating_mul(u128::from(self.memory.get())),
            Item::StandingGibSeconds => usage.standing.saturating_mul(u128::from(self.memory.get())),
            Item::VcpuSeconds | Item::VcpuHours => usage.nanos.saturating_mul(u128::from(self.cpu.get())),
            Item::InputTokens => usage.input_tokens,
            Item::OutputTokens => usage.output_tokens,
            // How much one request sends is a matter of the charge.
            Item::EgressGib => u128::from(usage.requests),
        }
    }

    /// The lines for `usage`, item by item.
    pub fn lines(&self, usage: &Usage) -> Vec<UseLine> {
        self.charges
            .iter()
            .flat_map(|charge| charge.lines(self.quantity(charge.item, usage).saturating_mul(charge.each)))
            .collect()
    }

    /// The cost of `usage`: the sum of its lines.
    pub fn cost(&self, usage: &Usage) -> Usd {
        self.lines(usage).iter().map(|line| line.cost).sum()
    }

    /// The tariff for a run of `length`: see [`Charge::for_part`], of a [`MONTH`].
    pub fn for_run(&self, length: SimDuration) -> UseTariff {
        let charges = self.charges.iter().map(|charge| charge.for_part(length, MONTH));
        UseTariff { charges: charges.collect(), ..self.clone() }
    }
}

#[cfg(test)]
mod tests;
