//! Containers without nodes: prices per vCPU and per gibibyte, in fixed sizes.

use super::price::{Billing, PriceSource, Provider};
use crate::units::{Bytes, Millicores, UsdPerHour};

/// Memory that EKS on Fargate reserves per pod for kubelet, kube-proxy and containerd
/// (docs.aws.amazon.com/eks/latest/userguide/fargate-pod-configuration.html).
pub const KUBERNETES_OVERHEAD: Bytes = Bytes::from_mib(256);
const BYTES_PER_GIB: u128 = 1 << 30;
const MILLIS_PER_VCPU: u128 = 1000;

/// An offer of containers in one region, such as AWS Fargate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContainerOffer {
    /// Name of the offer (`fargate`).
    pub name: String,
    /// The provider.
    pub provider: Provider,
    /// Region.
    pub region: String,
    /// Price of one vCPU.
    pub price_per_vcpu: UsdPerHour,
    /// Price of one gibibyte of memory. Providers write GB but count in powers of two.
    pub price_per_gib: UsdPerHour,
    /// The available sizes, ordered by CPU, then memory.
    pub sizes: Vec<(Millicores, Bytes)>,
    /// How time is billed.
    pub billing: Billing,
    /// Source of the price.
    pub price_source: PriceSource,
}

impl ContainerOffer {
    /// The size allocated to a pod with these requests: the smallest that holds them plus 256 MiB for the Kubernetes
    /// components. `None` if none is large enough.
    pub fn size_for(&self, cpu: Millicores, memory: Bytes) -> Option<(Millicores, Bytes)> {
        let memory = memory + KUBERNETES_OVERHEAD;
        self.sizes.iter().copied().find(|size| size.0 >= cpu && size.1 >= memory)
    }

    /// The price of a pod with these requests: both prices times the allocated size, summed exactly and rounded up
    /// once, to a nano-dollar per hour. `None` if no size is large enough.
    pub fn price_for(&self, cpu: Millicores, memory: Bytes) -> Option<UsdPerHour> {
        let (cpu, memory) = self.size_for(cpu, memory)?;
        let cpu = u128::from(self.price_per_vcpu.as_nanos()) * u128::from(cpu.get()) * BYTES_PER_GIB;
        let memory = u128::from(self.price_per_gib.as_nanos()) * u128::from(memory.get()) * MILLIS_PER_VCPU;
        u64::try_from((cpu + memory).div_ceil(MILLIS_PER_VCPU * BYTES_PER_GIB)).ok().map(UsdPerHour::from_nanos)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use rstest::rstest;

    #[rstest]
    #[case(0, 0, Some((250, 512)))] // a pod that requests nothing gets the smallest size
    #[case(250, 256, Some((250, 512)))]
    #[case(250, 257, Some((250, 1024)))]
    #[case(250, 1000, Some((250, 2048)))] // there is no 1.5 GB
    #[case(300, 600, Some((500, 1024)))]
    #[case(1000, 8192, Some((2000, 9216)))] // the documentation's example: no 1 vCPU with 9 GB
    #[case(16_000, 122_880 - 256, Some((16_000, 122_880)))]
    #[case(16_000, 122_880, None)]
    #[case(16_001, 0, None)]
    fn fargate_sizes(#[case] cpu: u64, #[case] mib: u64, #[case] size: Option<(u64, u64)>) {
        let fargate = Catalog::builtin().container("fargate", None).unwrap();
        let found = fargate.size_for(Millicores::new(cpu), Bytes::from_mib(mib));
        assert_eq!(found, size.map(|(cpu, mib)| (Millicores::new(cpu), Bytes::from_mib(mib))));
    }

    #[test]
    fn fargate_prices() {
        let fargate = Catalog::builtin().container("fargate", Some("us-east-1")).unwrap();
        let price = |cpu, mib| fargate.price_for(Millicores::new(cpu), Bytes::from_mib(mib)).map(UsdPerHour::as_nanos);
        // 0.25 x 0.04048 + 0.5 x 0.004445 = 0.0123425; 2 x 0.04048 + 9 x 0.004445 = 0.120965.
        assert_eq!(price(250, 200), Some(12_342_500));
        assert_eq!(price(1000, 8192), Some(120_965_000));
        assert_eq!(price(20_000, 0), None);
    }
}
