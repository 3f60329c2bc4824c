//! An instance type: capacity, allocatable capacity and price.

use std::fmt;

use super::price::{Billing, PriceSource, Provider};
use crate::units::{Bytes, Millicores, UsdPerHour};

/// The allocatable capacity of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allocatable {
    /// CPU.
    pub cpu: Millicores,
    /// Memory.
    pub memory: Bytes,
    /// Number of pods.
    pub pods: u32,
}

/// The accelerators of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gpu {
    /// Number of accelerators.
    pub count: u32,
    /// Model in lower case (`a100`).
    pub kind: String,
    /// Memory of each accelerator.
    pub memory: Bytes,
}

/// An instance type in one region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceType {
    /// The provider.
    pub provider: Provider,
    /// Region.
    pub region: String,
    /// The provider's name for it.
    pub name: String,
    /// Virtual CPUs.
    pub cpu: Millicores,
    /// Memory.
    pub memory: Bytes,
    /// Accelerators, if any.
    pub gpu: Option<Gpu>,
    /// Capacity that Kubernetes leaves for pods.
    pub allocatable: Allocatable,
    /// On-demand list price.
    pub price: UsdPerHour,
    /// How time is billed.
    pub billing: Billing,
    /// Source of the price.
    pub price_source: PriceSource,
    /// Source of capacity.
    pub spec_source: String,
    /// Source of allocatable capacity.
    pub allocatable_source: String,
}

/// Why a pod's share of an instance is undefined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShareError {
    /// It requests neither CPU nor memory, so its share is not determined.
    NoRequest,
    /// It requests more than the instance can allocate.
    TooLarge,
}

impl fmt::Display for ShareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ShareError::NoRequest => "a pod without CPU and memory requests has no share of an instance",
            ShareError::TooLarge => "the pod requests more than the instance can allocate",
        })
    }
}

impl std::error::Error for ShareError {}

impl InstanceType {
    /// Extended resources, by Kubernetes resource name: the accelerators, which are all NVIDIA's.
    pub fn extended(&self) -> Vec<(String, u64)> {
        self.gpu.iter().map(|gpu| ("nvidia.com/gpu".to_string(), u64::from(gpu.count))).collect()
    }

    /// The price of the share of this instance that a pod with these requests occupies: the larger of its shares of
    /// allocatable CPU and memory, because no other pod can use the scarcer resource that it takes.
    ///
    /// The price is `price * request / allocatable` in 128-bit integers, rounded up once, to a nano-dollar per hour, so
    /// that pods that fill an instance never pay less than its price.
    ///
    /// # Errors
    /// If the pod requests nothing, or more than the instance has.
    pub fn share_price(&self, cpu: Millicores, memory: Bytes) -> Result<UsdPerHour, ShareError> {
        let (asked, has) = self.share(cpu, memory)?;
        let nanos = (u128::from(self.price.as_nanos()) * asked).div_ceil(has);
        // At most the price itself, because the share is at most one.
        Ok(UsdPerHour::from_nanos(nanos as u64))
    }

    /// The CPU that comes with the share of [`InstanceType::share_price`]: the same share of the instance's vCPUs,
    /// rounded up to a millicore.
    ///
    /// # Errors
    /// Those of [`InstanceType::share_price`].
    pub fn share_cpu(&self, cpu: Millicores, memory: Bytes) -> Result<Millicores, ShareError> {
        let (asked, has) = self.share(cpu, memory)?;
        Ok(Millicores::new((u128::from(self.cpu.get()) * asked).div_ceil(has) as u64))
    }

    /// The share as a fraction.
    fn share(&self, cpu: Millicores, memory: Bytes) -> Result<(u128, u128), ShareError> {
        let (has_cpu, has_memory) = (self.allocatable.cpu.get(), self.allocatable.memory.get());
        let (cpu, memory) = (cpu.get(), memory.get());
        if cpu == 0 && memory == 0 {
            return Err(ShareError::NoRequest);
        }
        if cpu > has_cpu || memory > has_memory {
            return Err(ShareError::TooLarge);
        }
        let wide = u128::from;
        let cpu_rules = wide(cpu) * wide(has_memory) >= wide(memory) * wide(has_cpu);
        Ok(if cpu_rules && has_cpu > 0 { (wide(cpu), wide(has_cpu)) } else { (wide(memory), wide(has_memory)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use proptest::prelude::*;
    use rstest::rstest;

    /// 1930m and 6903 MiB allocatable at $0.096/h.
    fn m6i_large() -> &'static InstanceType {
        Catalog::builtin().instance("m6i.large", None).unwrap()
    }

    #[rstest]
    #[case(1930, 1, Ok(96_000_000))]
    #[case(1, 6903, Ok(96_000_000))]
    #[case(193, 0, Ok(9_600_000))]
    #[case(965, 1000, Ok(48_000_000))]
    #[case(1, 0, Ok(49_741))] // 96e6 / 1930 = 49740.93
    #[case(100, 2301, Ok(32_000_000))] // a third of the memory
    #[case(0, 0, Err(ShareError::NoRequest))]
    #[case(1931, 0, Err(ShareError::TooLarge))]
    #[case(1, 6904, Err(ShareError::TooLarge))]
    fn prices_the_larger_share(#[case] cpu: u64, #[case] mib: u64, #[case] nanos: Result<u64, ShareError>) {
        let price = m6i_large().share_price(Millicores::new(cpu), Bytes::from_mib(mib));
        assert_eq!(price.map(UsdPerHour::as_nanos), nanos);
    }

    #[rstest]
    #[case(1930, 0, 2000)]
    #[case(965, 1000, 1000)]
    #[case(100, 2301, 667)] // a third of the memory, and of the two cores
    fn cpu_of_the_share(#[case] cpu: u64, #[case] mib: u64, #[case] bought: u64) {
        let share = m6i_large().share_cpu(Millicores::new(cpu), Bytes::from_mib(mib));
        assert_eq!(share, Ok(Millicores::new(bought)));
    }

    proptest! {
        #[test]
        fn shares_that_fill_an_instance_pay_for_it(cpu in 1..1930u64, parts in 1..50u64) {
            let instance = m6i_large();
            let price = instance.share_price(Millicores::new(cpu), Bytes::ZERO).unwrap().as_nanos();
            let rest = instance.share_price(Millicores::new(1930 - cpu), Bytes::ZERO).unwrap().as_nanos();
            prop_assert!((instance.price.as_nanos()..=instance.price.as_nanos() + 1).contains(&(price + rest)));
            let memory = Bytes::new(instance.allocatable.memory.get() / parts);
            let each = instance.share_price(Millicores::new(1), memory).unwrap().as_nanos();
            prop_assert!(each >= instance.price.as_nanos() / (parts + 1));
        }
    }
}
