//! What a service has used: integer sums, so that memory does not grow with requests and their order is of no account.

use std::ops::{Add, AddAssign};

use serde::{Deserialize, Serialize};

use super::wide::Wide;
use crate::units::SimDuration;

/// What a tariff by use counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Item {
    /// Requests that a replica has served.
    Requests,
    /// Memory of the replica times the time of the request, in seconds.
    GibSeconds,
    /// The same in hours, in which some price lists state it.
    GibHours,
    /// [`Item::GibSeconds`] of requests served by replicas that are there whether requests come or not.
    StandingGibSeconds,
    /// CPU of the replica times the time of the request, in seconds.
    VcpuSeconds,
    /// The same in hours.
    VcpuHours,
    /// Tokens of the prompt.
    InputTokens,
    /// Tokens of the answer.
    OutputTokens,
    /// Gibibytes of answers that leave the provider's network.
    EgressGib,
}

impl Item {
    /// All items, in the order of a bill.
    pub const ALL: [Item; 9] = [
        Item::Requests,
        Item::GibSeconds,
        Item::StandingGibSeconds,
        Item::GibHours,
        Item::VcpuSeconds,
        Item::VcpuHours,
        Item::InputTokens,
        Item::OutputTokens,
        Item::EgressGib,
    ];

    /// The unit that a price is for, in the plural.
    pub const fn unit(self) -> &'static str {
        match self {
            Item::Requests => "requests",
            Item::GibSeconds => "GiB-seconds",
            Item::StandingGibSeconds => "GiB-seconds on provisioned replicas",
            Item::GibHours => "GiB-hours",
            Item::VcpuSeconds => "vCPU-seconds",
            Item::VcpuHours => "vCPU-hours",
            Item::InputTokens => "input tokens",
            Item::OutputTokens => "output tokens",
            Item::EgressGib => "GiB of answers",
        }
    }

    /// Whether it is counted by the time that requests take.
    pub const fn takes_time(self) -> bool {
        !matches!(self, Item::Requests | Item::InputTokens | Item::OutputTokens | Item::EgressGib)
    }

    /// `quantity`, counted in [`Item::base`], in billionths of a unit, rounded to the nearest.
    pub fn billionths(self, quantity: u128) -> u128 {
        Wide::product(quantity, 1_000_000_000).nearest(self.base())
    }

    /// How many of the integers that are summed make one unit: byte-nanoseconds in a GiB-second, millicore-nanoseconds in
    /// a vCPU-second, bytes in a GiB.
    pub const fn base(self) -> u128 {
        const SECOND: u128 = 1_000_000_000;
        match self {
            Item::Requests | Item::InputTokens | Item::OutputTokens => 1,
            Item::GibSeconds | Item::StandingGibSeconds => (1 << 30) * SECOND,
            Item::EgressGib => 1 << 30,
            Item::GibHours => (1 << 30) * SECOND * 3600,
            Item::VcpuSeconds => 1000 * SECOND,
            Item::VcpuHours => 1000 * SECOND * 3600,
        }
    }
}

/// Sums over the requests that a service has served, or that were cut short while it served them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// How many.
    pub requests: u64,
    /// The time that each is charged for, together; nanoseconds.
    pub nanos: u128,
    /// The same for requests served by replicas that are there whether requests come or not, on platforms that tell them apart.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub standing: u128,
    /// Tokens of their prompts.
    pub input_tokens: u128,
    /// Tokens of their answers.
    pub output_tokens: u128,
}

impl Usage {
    /// Adds a request, without its time.
    #[inline]
    pub fn add(&mut self, input_tokens: u32, output_tokens: u32) {
        self.requests += 1;
        self.input_tokens += u128::from(input_tokens);
        self.output_tokens += u128::from(output_tokens);
    }

    /// Adds time that is charged for, in a replica that is `standing` or not.
    #[inline]
    pub fn add_time(&mut self, billed: SimDuration, standing: bool) {
        let sum = if standing { &mut self.standing } else { &mut self.nanos };
        *sum += u128::from(billed.as_nanos());
    }
}

fn is_zero(count: &u128) -> bool {
    *count == 0
}

impl Add for Usage {
    type Output = Usage;

    fn add(self, other: Usage) -> Usage {
        Usage {
            requests: self.requests + other.requests,
            nanos: self.nanos + other.nanos,
            standing: self.standing + other.standing,
            input_tokens: self.input_tokens + other.input_tokens,
            output_tokens: self.output_tokens + other.output_tokens,
        }
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Usage) {
        *self = *self + other;
    }
}
